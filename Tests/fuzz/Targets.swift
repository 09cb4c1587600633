import Authorisation
import Faults
import Foundation
import Jobs
import Ledger
import Paillier
import Primitives
import Tables
import Wire

/// Everything that reads bytes which this program has not made. A target returns, whatever it is given, and what it accepts has
/// the properties that its document promises; a trap is a defect, and so is a broken property.
enum Targets {
    typealias Target = @Sendable ([UInt8]) -> Void

    static let all = frames.merging(others) { first, _ in first }

    private static let frames: [String: Target] = [
        "frame": { bytes in
            var whole = FrameDecoder()
            whole.append(bytes)
            var split = FrameDecoder()
            var found: [Frame] = []
            do throws(WireFault) {
                while let frame = try whole.next() { found.append(frame) }
            } catch {}
            // However the bytes arrive, the same frames come out.
            var again: [Frame] = []
            do throws(WireFault) {
                for chunk in stride(from: 0, to: bytes.count, by: 7) {
                    split.append(Array(bytes[chunk..<min(bytes.count, chunk + 7)]))
                    while let frame = try split.next() { again.append(frame) }
                }
            } catch {}
            require(found == again)
            for frame in found { message(frame.kind, frame.payload) }
        },
        "message": { bytes in
            // The first byte is the kind.
            guard let kind = bytes.first.flatMap({ MessageKind(rawValue: UInt16($0)) }) else { return }
            message(kind, Array(bytes.dropFirst()))
        },
        "json": { bytes in
            guard let value = try? JSONValue.parse(bytes, as: "input") else { return }
            // A value keeps its numbers as they were written; the canonical text has one way of writing them.
            let canonical = value.canonicalText()
            require((try? JSONValue.parse(Array(canonical.utf8), as: "canonical"))?.canonicalText() == canonical)
            require((try? JSONValue.parse(Array(value.prettyText().utf8), as: "pretty"))?.canonicalText() == canonical)
        },
        "specification": { bytes in
            _ = JobSpecification.examine(bytes, contract: nil, publications: [:])
            guard let specification = try? JobSpecification.parse(bytes) else { return }
            require(try? JobSpecification.parse(Array(specification.canonicalJSON().utf8)) == specification)
        },
        "contract": { _ = try? Contract.parse($0) },
        "policy": { _ = try? LabPolicy.parse($0) },
        "configuration": { bytes in
            for role in [Contract.Role.arbiter, .bank, .platform] { _ = try? NodeConfiguration.parse(bytes, directory: "/lab", role: role) }
            _ = try? PersonConfiguration.parse(bytes, directory: "/lab")
        },
        "publication": { bytes in
            guard let publication = try? Publication.parse(bytes) else { return }
            require(try? Publication.parse(Array(publication.json.canonicalText().utf8)) == publication)
        },
        "csv": { bytes in
            func records(_ size: Int) -> [String]? {
                var scanner = CSVScanner(file: "input")
                var found: [String] = []
                do throws(Fault) {
                    for chunk in stride(from: 0, to: bytes.count, by: size) {
                        try scanner.scan(Array(bytes[chunk..<min(bytes.count, chunk + size)])) { record throws(Fault) in
                            found.append("\(record.line): \((0..<record.count).map { record.text($0) })")
                        }
                    }
                    try scanner.finish { record throws(Fault) in found.append("\(record.line): \((0..<record.count).map { record.text($0) })") }
                } catch {
                    return nil
                }
                return found
            }
            require(records(max(1, bytes.count)) == records(3))
        },
        "table": { bytes in
            let form: DataSource.Form = bytes.first.map { $0 % 2 == 0 } == true ? .text(.utf8, .comma) : .text(.gb18030, .semicolon)
            read(bytes, form) { source in
                _ = try? Table.inferTypes(from: source)
                let columns = [ColumnRequest(name: "tax", kind: .number)]
                _ = try? Table.read(from: source, identifier: "uscc", identifierKind: .creditCode, columns: columns)
                _ = try? AuthorisationList.importing(source, today: Day("2026-01-01")!)
                _ = try? DataProfile.of(source)
            }
        },
        "database": { bytes in
            read(bytes, .database(table: "t")) { source in
                guard let columns = try? Table.inferTypes(from: source) else { return }
                for column in columns.prefix(2) {
                    _ = try? Table.read(from: source, identifier: column.name, identifierKind: .text, columns: [])
                    _ = try? DataProfile.of(source, identifier: column.name)
                }
                _ = try? AuthorisationList.importing(source, today: Day("2026-01-01")!)
            }
        },
        "note": { bytes in
            if let note = try? SignedNote.decode(bytes) { require(note.encode() == bytes) }
            _ = HeadFile.entries(bytes)
        },
        "ledger": { bytes in
            if let record = FrameRecord(decoding: bytes) { require(record.encode() == bytes) }
            _ = LedgerManifest(decoding: bytes)
            _ = ByteAccount(decoding: bytes)
            _ = OperationsEntry(decoding: bytes)
        },
        "certificate": { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try? Certificate(pem: text)
            _ = try? CertificateRequest(pem: text)
            _ = try? Ed25519.SigningKey(pem: text)
            _ = try? Ed25519.VerifyingKey(bytes: bytes)
        },
        "ciphertexts": { bytes in
            let width = key.ciphertextBytes
            guard let batch = try? CiphertextBatch(wire: bytes, count: bytes.count / width, key: key) else { return }
            require(batch.wire == bytes)
        },
        "points": { bytes in
            // The first byte chooses. Both kernels take the same points, or name the same first one that is none.
            let curve: EllipticCurve = bytes.first.map { $0 & 1 == 0 } == true ? .p256 : .sm2
            let encoding: EllipticCurve.Encoding = bytes.first.map { $0 & 2 == 0 } == true ? .compressed : .uncompressed
            let answers = EllipticCurve.Kernels.allCases.filter(\.areThere).map { kernels in
                Result { () throws(PrimitiveError) in try curve.validate(bytes.dropFirst(), encoding: encoding, kernels: kernels) }
            }
            for answer in answers {
                switch (answer, answers[0]) {
                case (.success, .success): break
                case (.failure(let one), .failure(let other)): require(one == other)
                default: require(false)
                }
            }
        },
    ]

    private static func message(_ kind: MessageKind, _ payload: [UInt8]) {
        guard let message = try? Message.decode(kind: kind, payload: payload) else { return }
        // The same message always has the same bytes.
        require(message.kind == kind && message.encodePayload() == payload)
    }

    static func read(_ bytes: [UInt8], _ form: DataSource.Form, _ body: (DataSource) -> Void) {
        let file = URL(fileURLWithPath: "/dev/shm/jointlab-fuzz-\(getpid())")
        guard (try? Data(bytes).write(to: file)) != nil else { return }
        body(DataSource(file, form))
        unlink(file.path)
    }

    /// Of 512 bits: what is tried is reading, and small numbers are near the edges more often.
    private static let key = PrivateKey.generateInsecure(
        bits: 512, random: AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 7, count: 32)))).publicKey

    /// Ciphertexts that the key takes.
    static var ciphertextSeeds: [[UInt8]] {
        let unit = [UInt8](repeating: 0, count: key.ciphertextBytes - 1)
        return [[], unit + [2], unit + [1], [UInt8](repeating: 0xFF, count: key.ciphertextBytes), unit + [3] + unit + [5]]
    }

    static func require(_ holds: Bool?, file: String = #fileID, line: UInt = #line) {
        guard holds != true else { return }
        fatalError("a property is broken, \(file):\(line)")
    }
}
