import Foundation
import Testing
import Wire

/// One file, one expectation: `Protocols/vectors/wire`.
@Suite struct VectorTests {
    struct Vector: Decodable, CustomTestStringConvertible {
        struct Accepted: Decodable {
            let message: String
            let phase: UInt16
            let job: String
            let attempt: UInt32
            let sequence: String
            let salt: String
            let payload: String
        }

        let about: String
        let stream: String
        let error: String?
        let frame: Accepted?

        var testDescription: String { about }
    }

    static let vectors: [Vector] = {
        let folder = repository.appending(path: "Protocols/vectors/wire")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []
        return names.filter { $0.hasSuffix(".json") }.map { name in
            do {
                return try JSONDecoder().decode(Vector.self, from: Data(contentsOf: folder.appending(path: name)))
            } catch {
                preconditionFailure("\(name): \(error)")
            }
        }
    }()

    @Test("the vectors are there, and cover every refusal")
    func coverage() {
        #expect(Set(Self.vectors.compactMap(\.error)) == Set(WireFault.allCases.map(\.rawValue)))
        #expect(Self.vectors.contains { $0.frame != nil })
    }

    @Test("a recorded stream is taken or refused as the vector says", arguments: vectors)
    func holds(_ vector: Vector) throws {
        let stream = try #require(bytes(hex: vector.stream))
        let outcome = Self.decode(stream)
        switch (outcome, vector.frame) {
        case (.failure(let fault), nil):
            #expect(fault.rawValue == vector.error)
        case (.success(let frame), let expected?):
            #expect(frame.kind.name == expected.message)
            #expect(frame.phase == Phase(known: expected.phase))
            #expect(frame.job == JobIdentifier(expected.job))
            #expect(frame.attempt == expected.attempt)
            #expect("\(frame.sequence)" == expected.sequence)
            #expect(frame.salt == bytes(hex: expected.salt))
            #expect(frame.payload == bytes(hex: expected.payload))
            #expect(frame.encode() == stream)
            #expect(try frame.message().encodePayload() == frame.payload)
        default:
            Issue.record("\(outcome)")
        }
    }

    /// The last frame of a stream that holds whole frames of decodable messages only.
    static func decode(_ stream: [UInt8]) -> Result<Frame, WireFault> {
        var decoder = FrameDecoder()
        decoder.append(stream)
        do throws(WireFault) {
            var last: Frame?
            while let frame = try decoder.next() {
                _ = try frame.message()
                last = frame
            }
            try decoder.finish()
            guard let last else { throw WireFault.truncated }
            return .success(last)
        } catch {
            return .failure(error)
        }
    }
}

let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

func bytes(hex: String) -> [UInt8]? {
    let digits = hex.compactMap(\.hexDigitValue)
    guard digits.count == hex.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
