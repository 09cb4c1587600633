import Audit
import Faults
import Foundation
import Ledger
import Primitives
import Testing
import Wire

private let sent = LedgerFile.records("credit", .sent)
private let received = LedgerFile.records("credit", .received)
private let heads = LedgerFile.heads("credit", .sent)

extension AuditReport {
    var rules: Set<Rule> { Set(findings.map(\.rule)) }
    var english: String { findings.map { $0.text(.en) }.joined(separator: "\n") }
}

@Suite("One ledger") struct VerificationTests {
    /// The index of the first frame of that kind and sender.
    private func index(_ kind: MessageKind, from: Role, in steps: [Sample.Step]) throws -> Int {
        try #require(steps.firstIndex { step in
            if case .frame(from, _, let message, _) = step { message.kind == kind } else { false }
        })
    }

    /// What is found after one frame of a job was another.
    private func rules(_ kind: MessageKind, from: Role = .bank, _ change: (Message, Role, Phase) -> Sample.Step) throws -> Set<Rule> {
        var steps = Sample.script()
        let index = try index(kind, from: from, in: steps)
        guard case .frame(_, let to, let message, let phase) = steps[index] else { return [] }
        steps[index] = change(message, to, phase)
        return try Sample(steps).verify().rules
    }

    @Test("a job's three ledgers hold, whatever they keep", arguments: Retention.allCases)
    func intact(_ retention: Retention) throws {
        let sample = try Sample(retention: retention)
        for role in [Role.bank, .platform, .arbiter] {
            let report = try sample.verify(role)
            #expect(report.holds, "\(report.english)")
            #expect(!report.facts.isEmpty)
        }
    }

    @Test("without payloads whose lifetime has ended a ledger holds by the node's receipt, and by no other")
    func expired() throws {
        let sample = try Sample()
        let manifest = try #require(LedgerManifest(decoding: try sample.open(.bank).manifest))
        _ = try PayloadRetention.apply(sample.path(.bank), isExpired: true)
        #expect(try sample.verify(.bank).rules.contains(.payloadKept))
        try PayloadExpiry.sign(sample.path(.bank), manifest, key: try #require(Sample.keys[.platform]))
        let foreign = try sample.verify(.bank).rules
        #expect(foreign.contains(.document) && foreign.contains(.payloadKept))
        try FileManager.default.removeItem(atPath: sample.path(.bank) + "/\(LedgerFile.expired)")
        try PayloadExpiry.sign(sample.path(.bank), manifest, key: try #require(Sample.keys[.bank]))
        let receipted = try sample.verify(.bank)
        #expect(receipted.holds, "\(receipted.english)")
        #expect(try sample.reconcile().holds)
        let receipt = try sample.bytes(.bank, LedgerFile.expired)
        for place in stride(from: 0, to: receipt.count, by: 7) {
            var changed = receipt
            changed[place] ^= 1
            try sample.write(changed, .bank, LedgerFile.expired)
            #expect(try !sample.verify(.bank).holds, "byte \(place)")
        }
    }

    @Test("under the suite SM2-SM3 records have SM3 digests; a wrong one, records without, and a manifest that denies them are found",
          arguments: [Retention.all, .digests])
    func sm3(_ retention: Retention) throws {
        let sample = try Sample(Sample.script(rounds: 1, contract: Sample.contractSM3), retention: retention, hasSM3: true)
        for role in [Role.bank, .platform, .arbiter] {
            let report = try sample.verify(role)
            #expect(report.holds, "\(report.english)")
        }
        #expect(try sample.reconcile().holds && sample.ciphertexts().holds)
        var report = AuditReport()
        let ledger = try #require(AuditedLedger.open(try sample.open(.bank), report: &report))
        let frame = try #require(FrameDescription.list(ledger, line: "credit", direction: .sent, frame: 0, opened: false).first)
        #expect(frame.text(.en).contains("  SM3: \(hexadecimal(try #require(frame.record.sm3Digest)))") && frame.text(.zh).contains("  SM3："))

        for (name, rule) in [(sent, Rule.headRoot), (LedgerFile.records("arbiter", .sent), retention == .all ? .payloadDigest : .frameDiffers)] {
            let whole = try sample.bytes(.bank, name)
            var flipped = whole
            flipped[100] ^= 1
            try sample.write(flipped, .bank, name)
            #expect(try sample.verify().rules.union(sample.reconcile().rules).contains(rule), "\(name)")
            try sample.write(try sample.records(.bank, name).flatMap { $0.prefix(72) }, .bank, name)
            #expect(!(try sample.verify().holds), "\(name)")
            try sample.write(whole, .bank, name)
        }
        let manifest = try sample.bytes(.bank, LedgerFile.manifest)
        try sample.write(Array(String(decoding: manifest, as: UTF8.self).replacing(#""sm3":true,"#, with: "").utf8), .bank, LedgerFile.manifest)
        #expect(try sample.verify().rules == [.document])
        try sample.write(manifest, .bank, LedgerFile.manifest)
        let other = try Sample()
        try other.write(Array(String(decoding: try other.bytes(.bank, LedgerFile.manifest), as: UTF8.self)
            .replacing(#""specification_digest""#, with: #""sm3":true,"specification_digest""#).utf8), .bank, LedgerFile.manifest)
        #expect(try other.verify().rules == [.document])
    }

    @Test("a scoring job's ledger holds, and so does that of a job that was aborted, before or after the party's own Closing")
    func otherJobs() throws {
        let scoring = try Sample(Sample.script(scoringOnly: true), specification: Sample.scoring).verify()
        #expect(scoring.holds, "\(scoring.english)")
        let script = Sample.script()
        for end in [try index(.maskedValues, from: .bank, in: script), try index(.closing, from: .bank, in: script) + 1] {
            var steps = Array(script[..<end])
            steps.append(.frame(from: .bank, to: .platform, .abort(.filled { $0.code = 702 }), .closing))
            steps.append(.frame(from: .bank, to: .arbiter, .jobEnd(.filled { $0.fault.code = 702 }), .waiting))
            let aborted = try Sample(steps).verify()
            #expect(aborted.holds, "\(aborted.english)")
            #expect(aborted.facts.contains { $0.en == "the job did not close in order" })
        }
    }

    @Test("a record dropped, doubled, swapped or copied from another job is found, wherever it is", arguments: [sent, received])
    func records(_ file: String) throws {
        let (sample, other) = (try Sample(), try Sample())
        let whole = try sample.records(.bank, file)
        let strange = try other.records(.bank, file)
        for index in whole.indices {
            var dropped = whole, doubled = whole, swapped = whole, copied = whole
            dropped.remove(at: index)
            doubled.insert(whole[index], at: index)
            copied[index] = strange[index]
            if index > 0 { swapped.swapAt(index - 1, index) }
            for (name, changed) in [("dropped", dropped), ("doubled", doubled), ("swapped", swapped), ("copied", copied)] where changed != whole {
                try sample.write(changed.flatMap(\.self), .bank, file)
                // The closing frame comes after the last head: another job's, with its own salt, shows at the other end alone.
                let isClosing = name == "copied" && index == whole.count - 1
                let report = isClosing ? try sample.reconcile([.bank, .platform]) : try sample.verify()
                #expect(report.findings.contains { $0.place.line == "credit" || $0.place.line == "north" }, "\(name) \(index)")
            }
        }
    }

    @Test("every truncation of the records is found", arguments: [sent, received])
    func truncations(_ file: String) throws {
        let sample = try Sample()
        let whole = try sample.bytes(.bank, file)
        let ends = Array(stride(from: 0, to: whole.count, by: FrameRecord.byteCount)) + [1, 71, 73, whole.count - 71, whole.count - 1]
        for count in ends {
            try sample.write(Array(whole.prefix(count)), .bank, file)
            #expect(!(try sample.verify().holds), "\(count)")
        }
    }

    @Test("a flipped bit in any file is found, by the ledger alone or by holding it against the others")
    func bits() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let names = try FileManager.default.subpathsOfDirectory(atPath: sample.path(.bank))
        var random = SystemRandomNumberGenerator()
        for name in names {
            guard let whole = try? sample.bytes(.bank, name), !whole.isEmpty else { continue }
            let isPayload = name.hasPrefix(LedgerFile.payloads)
            for _ in 0..<(isPayload ? 2 : 24) {
                var flipped = whole
                flipped[Int.random(in: 0..<whole.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try sample.write(flipped, .bank, name)
                let isFound = try !sample.verify().holds || !sample.reconcile().holds
                #expect(isFound, "\(name)")
            }
            try sample.write(whole, .bank, name)
        }
        #expect(try sample.verify().holds)
    }

    @Test("ledgers damaged at random are refused and stop nothing")
    func damage() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let names = [sent, received, heads, LedgerFile.records("arbiter", .sent), LedgerFile.specification, LedgerFile.manifest]
        let whole = try names.map { try sample.bytes(.bank, $0) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<150 {
            let file = Int.random(in: names.indices, using: &random)
            var bytes = whole[file]
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                // Runs of high bits make lengths and numbers as large as they can be.
                for offset in index..<min(index + Int.random(in: 1...8, using: &random), bytes.count) { bytes[offset] = [0xFF, 0x7F, 0][index % 3] }
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            try sample.write(bytes, .bank, names[file])
            let isSame = bytes == whole[file]
            let isFound = try !sample.verify().holds || !sample.reconcile([.bank, .arbiter]).holds
            #expect(isFound || isSame, "\(names[file])")
            _ = try sample.ciphertexts()
            var report = AuditReport()
            if let ledger = AuditedLedger.open(try sample.open(.bank), report: &report) {
                for frame in FrameDescription.list(ledger, line: nil, direction: nil, frame: nil, opened: true) { _ = frame.text(.en) }
            }
            try sample.write(whole[file], .bank, names[file])
        }
    }

    @Test("the document names every rule")
    func rules() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "Protocols/ledger.md"), encoding: .utf8)
        for rule in Rule.allCases { #expect(document.contains("`\(rule.rawValue)`"), "\(rule.rawValue)") }
    }

    @Test("a payload that is missing or another is named with its frame")
    func payloads() throws {
        let sample = try Sample()
        let record = try #require(FrameRecord(decoding: try sample.records(.bank, received)[3]))
        let name = LedgerFile.payload(record.digest)
        let whole = try sample.bytes(.bank, name)
        try sample.write(whole + [0], .bank, name)
        #expect(try sample.verify().findings.map { "\($0.rule) \($0.place.frame ?? -1)" } == ["payloadDigest 3"])
        try FileManager.default.removeItem(at: sample.url(.bank, name))
        #expect(try sample.verify().findings.map { "\($0.rule) \($0.place.frame ?? -1)" } == ["payloadKept 3"])
    }

    // What should not have crossed

    @Test("a value in an unknown field, and a float in a control message, are found")
    func unknownFields() throws {
        // Field 9, a double; field 15, a float.
        let double: [UInt8] = [0x49, 0x18, 0x2D, 0x44, 0x54, 0xFB, 0x21, 0x09, 0x40]
        let float: [UInt8] = [0x7D, 0xDB, 0x0F, 0x49, 0x40]
        #expect(try rules(.columns) { .raw(from: .bank, to: $1, .columns, $0.encodePayload() + double, $2) }.contains(.payloadForm))
        #expect(try rules(.returnedBits) { .raw(from: .bank, to: $1, .returnedBits, $0.encodePayload() + double, $2) }.contains(.payloadForm))
        #expect(try rules(.jobProgress) { .raw(from: .bank, to: $1, .jobProgress, $0.encodePayload() + float, $2) } == [.payloadForm])
    }

    @Test("a value in the padding of a number, or in place of a default that is left out, is found")
    func padding() throws {
        // The count 5 in five bytes, where one is enough; and the block 0, written out.
        let long: [UInt8] = [0x08, 0x85, 0x80, 0x80, 0x80, 0x00]
        #expect(try rules(.columns) { .raw(from: .bank, to: $1, .columns, long, $2) }.contains(.payloadForm))
        #expect(try rules(.roundRows) { .raw(from: .bank, to: $1, .roundRows, $0.encodePayload() + [0x10, 0x00], $2) }.contains(.payloadForm))
        // Bytes behind the last ciphertext of a field.
        #expect(try rules(.maskedValues) { _, to, phase in
            .frame(from: .bank, to: to, .maskedValues(.filled { $0.round = 1; $0.ciphertexts = (Sample.ciphertexts(1) + [1, 2, 3, 4, 5, 6, 7, 8]).data }), phase)
        }.contains(.length))
    }

    @Test("a frame that is longer than public counts give is found, with payloads or without", arguments: Retention.allCases)
    func lengths(_ retention: Retention) throws {
        var steps = Sample.script()
        let rows = try index(.roundRows, from: .platform, in: steps)
        steps[rows] = .frame(from: .platform, to: .bank, .roundRows(.filled {
            $0.round = 1
            $0.ciphertexts = Sample.ciphertexts(3 * Sample.trainingRows + 1).data
        }), .training)
        let report = try Sample(steps, retention: retention).verify()
        #expect(report.rules == [.length])
    }

    @Test("a block too many, a block too few, and a number that is not its place's are found")
    func counts() throws {
        var steps = Sample.script()
        let scores = try index(.partialScores, from: .platform, in: steps)
        steps.insert(.frame(from: .platform, to: .bank, .partialScores(.filled { $0.block = 1; $0.ciphertexts = Sample.ciphertexts(1).data }), .scoring),
                     at: scores + 1)
        #expect(try Sample(steps).verify().rules.contains(.count))
        steps = Sample.script()
        steps.remove(at: try index(.blindedPoints, from: .bank, in: steps))
        #expect(try Sample(steps).verify().rules.contains(.count))
        #expect(try rules(.maskedValues) { _, to, phase in
            .frame(from: .bank, to: to, .maskedValues(.filled { $0.round = 9; $0.ciphertexts = Sample.ciphertexts(1).data }), phase)
        } == [.count])
        #expect(try rules(.closing) { _, to, phase in .frame(from: .bank, to: to, .closing(.filled { $0.framesSent = 2 }), phase) } == [.count])
    }

    @Test("more ciphertexts for decryption than a party has values are found")
    func exposure() throws {
        var steps = Sample.script()
        for index in steps.indices {
            guard case .frame(.bank, let to, .maskedValues(let body), let phase) = steps[index] else { continue }
            steps[index] = .frame(from: .bank, to: to, .maskedValues(.filled { $0.round = body.round; $0.ciphertexts = Sample.ciphertexts(2).data }), phase)
        }
        #expect(try Sample(steps).verify().rules.contains(.count))
    }

    @Test("kinds in another order, phase or direction are found")
    func order() throws {
        var steps = Sample.script()
        steps.swapAt(try index(.nonce, from: .bank, in: steps), try index(.hello, from: .bank, in: steps))
        #expect(try Sample(steps).verify().rules == [.order])
        #expect(try rules(.curvature) { message, to, _ in .frame(from: .bank, to: to, message, .training) }.contains(.phase))
        steps = Sample.script()
        steps.insert(.frame(from: .bank, to: .platform, .partialScores(.filled { $0.ciphertexts = Sample.ciphertexts(1).data }), .scoring),
                     at: try index(.partialScores, from: .platform, in: steps))
        #expect(try Sample(steps).verify().rules.isSuperset(of: [.kind, .order]))
        steps = Sample.script()
        steps.append(.frame(from: .bank, to: .arbiter, .jobAnswer(.init()), .waiting))
        #expect(try Sample(steps).verify().rules == [.order])
    }

    @Test("a message that contradicts the ledger's documents is found")
    func contents() throws {
        #expect(try rules(.jobStart, from: .arbiter) { _, to, phase in
            .frame(from: .arbiter, to: to, .jobStart(.filled { $0.specificationDigest = Data(count: 32) }), phase)
        } == [.payloadContent])
        #expect(try rules(.jobOffer, from: .arbiter) { _, to, phase in
            .frame(from: .arbiter, to: to, .jobOffer(.filled { $0.specification = Data("{}".utf8) }), phase)
        } == [.payloadContent])
        #expect(try rules(.roundShare) { _, to, phase in
            .frame(from: .bank, to: to, .roundShare(.filled { $0.round = 1; $0.paddedGram = Data(count: 48) }), phase)
        } == [.payloadContent])
    }

    @Test("a job that is reported as completed must have been closed")
    func unclosed() throws {
        var steps = Sample.script()
        steps.remove(at: try index(.closing, from: .platform, in: steps))
        let report = try Sample(steps).verify()
        #expect(report.rules == [.order, .bytes], "\(report.english)")
    }

    // Heads

    @Test("a head signed twice, with two roots for one size, is found")
    func twoRoots() throws {
        let sample = try Sample()
        let entries = HeadFile.entries(try sample.bytes(.bank, heads))
        let head = try #require(entries.last?.note.flatMap { Head(text: $0.text) })
        let second = Head(job: head.job, attempt: 1, sender: head.sender, receiver: head.receiver, size: head.size, root: SystemRandom.bytes(32))
        try sample.write(try sample.bytes(.bank, heads) + Sample.note(second).encode() + [0x0A], .bank, heads)
        #expect(try sample.verify().rules.isSuperset(of: [.twoRoots, .headRoot]))
        // The first one once more: it differs from the second.
        let note = Sample.note(head).encode() + [0x0A]
        try sample.write(try sample.bytes(.bank, heads) + note + note, .bank, heads)
        #expect(try sample.verify().findings.count { $0.rule == .twoRoots } == 3)
    }

    @Test("a head without one of its signatures, by another key, or of another job is found")
    func signatures() throws {
        let sample = try Sample()
        let whole = try sample.bytes(.bank, heads)
        let head = try #require(HeadFile.entries(whole).last?.note.flatMap { Head(text: $0.text) })
        // In place of the last, which has one size with the one before it.
        let before = Array(HeadFile.entries(whole).compactMap(\.note).dropLast().map { $0.encode() + [0x0A] }.joined())
        func rules(_ note: SignedNote) throws -> Set<Rule> {
            try sample.write(before + note.encode() + [0x0A], .bank, heads)
            return try sample.verify().rules
        }
        #expect(try rules(Sample.note(head)).isEmpty)
        for roles in [[Role.bank, .platform], [.bank, .arbiter], [.platform, .arbiter]] { #expect(try rules(Sample.note(head, by: roles)) == [.headSignatures]) }
        var forged = Sample.note(head, by: [.bank, .platform])
        forged.sign(as: "arbiter", with: key(9))
        #expect(try rules(forged) == [.headSignatures])
        var more = Sample.note(head)
        more.sign(as: "somebody", with: key(9))
        #expect(try rules(more) == [.headSignatures])
        let strange = Head(job: .none, attempt: 1, sender: head.sender, receiver: head.receiver, size: head.size, root: head.root)
        #expect(try rules(Sample.note(strange)).contains(.headOrigin))
        let turned = Head(job: head.job, attempt: 1, sender: head.receiver, receiver: head.sender, size: head.size, root: head.root)
        #expect(try rules(Sample.note(turned)).contains(.headOrigin))
    }

    @Test("a phase or a round that went on without a head is found")
    func missingHeads() throws {
        let script = Sample.script()
        let checkpoints = script.indices.filter { if case .checkpoint = script[$0] { true } else { false } }
        for index in checkpoints {
            var steps = script
            steps.remove(at: index)
            #expect(try Sample(steps).verify().rules.contains(.headMissing), "\(index)")
        }
        let sample = try Sample()
        try FileManager.default.removeItem(at: sample.url(.bank, heads))
        #expect(try sample.verify().rules == [.file, .headMissing, .sequence])
    }

    @Test("records and heads cut together, back to an earlier head, are found beside the arbiter's signatures", arguments: Direction.allCases)
    func cutTogether(_ direction: Direction) throws {
        let sample = try Sample()
        let files = (heads: LedgerFile.heads("credit", direction), records: LedgerFile.records("credit", direction))
        let notes = HeadFile.entries(try sample.bytes(.bank, files.heads)).compactMap(\.note)
        let records = try sample.records(.bank, files.records)
        for kept in 1..<notes.count {
            let head = try #require(Head(text: notes[kept - 1].text))
            try sample.write(Array(notes[..<kept].map { $0.encode() + [0x0A] }.joined()), .bank, files.heads)
            try sample.write(Array(records.prefix(Int(head.size)).joined()), .bank, files.records)
            #expect(try sample.verify().rules.contains(.headMissing), "\(kept)")
        }
    }

    @Test("a ledger rewritten after its heads were signed is found")
    func rewritten() throws {
        let sample = try Sample()
        // A whole consistent history of other bytes, but for the heads.
        let other = try Sample(job: sample.job)
        try FileManager.default.removeItem(at: sample.url(.bank, LedgerFile.payloads))
        for name in try FileManager.default.subpathsOfDirectory(atPath: other.path(.bank)) where !name.hasSuffix(".heads") {
            guard let bytes = try? other.bytes(.bank, name) else { continue }
            try FileManager.default.createDirectory(at: sample.url(.bank, name).deletingLastPathComponent(), withIntermediateDirectories: true)
            try sample.write(bytes, .bank, name)
        }
        let report = try sample.verify()
        #expect(report.rules == [.headRoot], "\(report.english)")
        #expect(try sample.reconcile().rules.contains(.frameDiffers))
    }

    @Test("what belongs to no ledger, and a line to a stranger, are named")
    func files() throws {
        let sample = try Sample()
        try sample.write([1], .bank, "notes.txt")
        try sample.write([], .bank, "stranger.sent.records")
        #expect(try sample.verify().findings.map(\.rule) == [.file, .file, .file, .file, .file])
        let other = try Sample()
        try sample.write(try other.bytes(.bank, "manifest.json"), .bank, "manifest.json")
        #expect(try sample.verify().rules.contains(.headOrigin))
        try sample.write(Array("{}".utf8), .bank, "manifest.json")
        #expect(try sample.verify().findings.map(\.rule) == [.document])
    }
}
