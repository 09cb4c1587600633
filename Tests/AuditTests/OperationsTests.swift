import Audit
import Faults
import Foundation
import Ledger
import NodeRuntime
import Primitives
import Roles
import Scratch
import Testing
import Wire

extension OperationsLedger {
    /// - Returns: the digest of the list, as a node keeps it.
    fileprivate func keep(_ subjects: [String], key: SecretBytes) throws -> [UInt8] {
        let tags = try SubjectTags(IdentifierList(subjects), key: key, scratch: MemoryScratch())
        return try keepSubjects { (take) throws(LedgerError) in
            for piece in 0..<tags.pieces { try take(try tags.piece(piece)) }
        }
    }
}

/// A made-up ledger of operations of the sample's bank, and a job's ledgers that recorded its heads.
struct OperationsSample {
    let folder: Folder
    let sample: Sample
    let heads: [OperationsLedger.SignedHead]

    var path: String { folder.url.appending(path: "operations").path }

    init() throws {
        folder = try Folder()
        let url = folder.url.appending(path: "operations")
        let ledger = try OperationsLedger(directory: url, node: "north", key: key(1), contract: Sample.contract)
        let job = JobIdentifier("000102030405060708090a0b0c0d0e0f")
        let secret = SecretBytes(copying: [UInt8](repeating: 9, count: 32))
        let list = try ledger.keep(["a", "b", "c"], key: secret)
        try ledger.append(.nodeStarted, actor: "node")
        try ledger.append(.jobApproved, actor: "account ann", purpose: "test", job: job)
        try ledger.append(.dataRead, actor: "node", purpose: "test", job: job, object: "main", digest: SHA256.hash([1]), count: 3)
        let opened = try ledger.append(.subjectsRead, actor: "node", purpose: "test", job: job, object: "main", digest: list, count: 3)
        try ledger.append(.jobStarted, actor: "node", job: job)
        let ended = try ledger.append(.jobEnded, actor: "node", job: job, object: "completed")
        heads = [opened, ended]
        var script = Sample.script(rounds: 1)
        func step(_ head: OperationsLedger.SignedHead) -> Sample.Step { .frame(from: .bank, to: .arbiter, Self.shown(head), .waiting) }
        script.insert(step(opened), at: 2)
        script.insert(step(ended), at: script.count - 2)
        sample = try Sample(script)
    }

    static func shown(_ head: OperationsLedger.SignedHead) -> Message {
        .operationsHead(.filled {
            $0.size = head.checkpoint.size
            $0.root = head.checkpoint.root.data
            $0.signature = head.signature.data
        })
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))) }
    func write(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }

    func verify(_ roles: [Role] = []) throws -> AuditReport {
        OperationsChecks.verify(try OperationsDirectory.open(path), ledgers: try roles.map { try sample.open($0) })
    }

    /// Writes all entries anew, some changed or left out, with every head signed by the same key.
    func rewrite(_ change: (OperationsEntry) -> OperationsEntry?) throws {
        var (tree, lines, notes) = (GrowingTree(), [UInt8](), [UInt8]())
        for line in try bytes("entries.jsonl").split(separator: UInt8(ascii: "\n")) {
            guard let entry = OperationsEntry(decoding: Array(line)), let changed = change(entry) else { continue }
            let leaf = OperationsEntry(
                sequence: tree.size, time: changed.time, actor: changed.actor, action: changed.action, purpose: changed.purpose, job: changed.job,
                object: changed.object, digest: changed.digest, count: changed.count, salt: changed.salt).encode()
            tree.append(leaf)
            lines += leaf + [UInt8(ascii: "\n")]
            var note = SignedNote(text: Checkpoint.operations(of: "north", size: tree.size, root: tree.root).text)
            note.sign(as: "north", with: key(1))
            notes += note.encode() + [UInt8(ascii: "\n")]
        }
        try write(lines, "entries.jsonl")
        try write(notes, "heads")
    }
}

@Suite("Ledger of operations") struct OperationsAuditTests {
    @Test("a ledger as it was written holds, alone, with its data directory, and beside what it showed")
    func holds() throws {
        let sample = try OperationsSample()
        for roles in [[], [Role.bank], [.arbiter], [.bank, .arbiter]] {
            let report = try sample.verify(roles)
            #expect(report.holds, "\(report.english)")
        }
        #expect(OperationsDirectory.isOne(sample.folder.url.path) && OperationsDirectory.isOne(sample.path) && !OperationsDirectory.isOne("/nowhere"))
        #expect(try sample.verify([.arbiter]).facts.contains { $0.en.contains("2 heads of north's operations in ledgers of jobs compared") })
        let report = Reconciliation.reconcile([try sample.sample.open(.arbiter)], operations: [try OperationsDirectory.open(sample.path)])
        #expect(report.holds, "\(report.english)")
        // The job's own ledgers hold with these frames in them.
        for role in [Role.bank, .platform, .arbiter] { #expect(try sample.sample.verify(role).holds) }
    }

    @Test("a data directory holds at any moment while its node works in it")
    func besideNode() async throws {
        let folder = try Folder()
        let operations = try OperationsLedger(directory: folder.url.appending(path: "operations"), node: "north", key: key(1), contract: Sample.contract)
        let job = try #require(JobIdentifier("000102030405060708090a0b0c0d0e0f"))
        let manifest = LedgerManifest(job: job, attempt: 1, node: "north", role: .bank, contract: Sample.contract, specification: Sample.training,
                                      retention: .all)
        let line = try LedgerWriter(directory: folder.url.appending(path: "ledger/\(job)"), manifest: manifest, contract: Sample.contract,
                                    specification: Sample.training, peer: "arbiter")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for sequence in 1...200 {
                    let head = try operations.append(.nodeStarted, actor: "node")
                    try line.append(Frame(OperationsSample.shown(head), phase: .waiting, job: job, attempt: 1, sequence: UInt64(sequence),
                                          salt: SystemRandom.bytes(Frame.saltBytes)), .sent)
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    let report = try OperationsChecks.verify(at: folder.url.path)
                    #expect(report.holds, "\(report.english)")
                    await Task.yield()
                }
            }
            try await group.next()
            group.cancelAll()
        }
        let report = try OperationsChecks.verify(at: folder.url.path)
        #expect(report.holds && report.facts.contains { $0.en.contains("200 heads of north's operations in ledgers of jobs compared") })
    }

    @Test("every flipped bit of entries and heads is found, and every cut")
    func flipsAndCuts() throws {
        let sample = try OperationsSample()
        for name in ["entries.jsonl", "heads"] {
            let bytes = try sample.bytes(name)
            for bit in stride(from: 0, to: 8 * bytes.count, by: 5) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try sample.write(flipped, name)
                #expect(try !sample.verify().holds, "\(name) bit \(bit)")
            }
            for count in stride(from: 0, to: bytes.count, by: 3) {
                try sample.write(Array(bytes[..<count]), name)
                #expect(try !sample.verify().holds, "\(name) cut to \(count)")
            }
            try sample.write(bytes, name)
        }
    }

    @Test("a ledger that was rewritten whole, or cut with its heads, holds alone and is found by the heads that others recorded")
    func rewritten() throws {
        let sample = try OperationsSample()
        try sample.rewrite { entry in
            guard entry.action == .jobApproved else { return entry }
            return OperationsEntry(sequence: 0, time: entry.time, actor: "account bob", action: entry.action, purpose: entry.purpose, job: entry.job,
                                   object: entry.object, digest: entry.digest, count: entry.count, salt: entry.salt)
        }
        #expect(try sample.verify().holds)
        for role in [Role.bank, .arbiter] { #expect(try sample.verify([role]).rules == [.witness]) }
        let report = Reconciliation.reconcile([try sample.sample.open(.arbiter)], operations: [try OperationsDirectory.open(sample.path)])
        #expect(report.rules == [.witness])

        let cut = try OperationsSample()
        try cut.rewrite { $0.sequence < 5 ? $0 : nil }
        #expect(try cut.verify().holds)
        #expect(try cut.verify([.arbiter]).rules == [.witness])
    }

    @Test("heads of another key, of another node, a contract that is gone, and lists that do not fit are found by their rule")
    func rules() throws {
        let sample = try OperationsSample()
        let heads = try sample.bytes("heads")
        func signed(_ origin: String, _ seed: UInt8) throws -> [UInt8] {
            try HeadFile.entries(heads).flatMap { entry -> [UInt8] in
                let checkpoint = try #require(entry.note.flatMap { Checkpoint(text: $0.text) })
                var note = SignedNote(text: Checkpoint(origin: origin, size: checkpoint.size, root: checkpoint.root).text)
                note.sign(as: "north", with: key(seed))
                return note.encode() + [UInt8(ascii: "\n")]
            }
        }
        try sample.write(try signed("jointlab/operations/north", 2), "heads")
        #expect(try sample.verify().rules == [.headSignatures])
        try sample.write(try signed("jointlab/operations/credit", 1), "heads")
        #expect(try sample.verify().rules == [.headOrigin, .headMissing])
        try sample.write(heads, "heads")

        let digest = hexadecimal(SHA256.hash(Sample.contract))
        let contract = try sample.bytes("contracts/\(digest)")
        try sample.write(contract + [0x20], "contracts/\(digest)")
        #expect(try sample.verify().rules == [.entryContract, .headSignatures])
        try sample.write(contract, "contracts/\(digest)")

        let name = try #require(FileManager.default.contentsOfDirectory(atPath: "\(sample.path)/subjects").first)
        let list = try sample.bytes("subjects/\(name)")
        for wrong in [Array(list.dropLast()), Array(list.dropLast(16)), list + [0], Array(list.reversed())] {
            try sample.write(wrong, "subjects/\(name)")
            #expect(try sample.verify().rules == [.subjectList])
        }
        try FileManager.default.removeItem(atPath: "\(sample.path)/subjects/\(name)")
        #expect(try sample.verify().rules == [.subjectList])
    }

    /// Bytes that this thread has read from files.
    private func bytesRead() throws -> Int {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/thread-self/io")), as: UTF8.self)
        return try #require(text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }.flatMap { Int($0.dropFirst(7)) })
    }

    @Test("a contract and a list of subjects are read once, however many entries name them")
    func readOnce() throws {
        let folder = try Folder()
        let contract = Array("{".utf8) + [UInt8](repeating: 0x20, count: 200_000) + Array(Sample.contract.dropFirst())
        let ledger = try OperationsLedger(directory: folder.url.appending(path: "operations"), node: "north", key: key(1), contract: contract)
        let secret = SecretBytes(copying: [UInt8](repeating: 9, count: 32))
        let list = try ledger.keep((0..<20_000).map(String.init), key: secret)
        for index in 0..<40 {
            try ledger.append(.contract, actor: "configuration", object: "north", digest: SHA256.hash(contract))
            try ledger.append(.subjectsRead, actor: "node", object: "main", digest: list, count: index == 7 ? 19_999 : 20_000)
        }
        let before = try bytesRead()
        let report = try OperationsChecks.verify(at: folder.url.path)
        #expect(report.findings.map(\.rule) == [.subjectList], "\(report.english)")
        #expect(try bytesRead() - before < 4 * (200_000 + 320_000))
    }

    @Test("each head is held to the contract that was in force before its last entry")
    func keysInForce() throws {
        let folder = try Folder()
        let url = folder.url.appending(path: "operations")
        let (first, second) = (Data(key(1).verifyingKey.bytes).base64EncodedString(), Data(key(7).verifyingKey.bytes).base64EncodedString())
        let another = Array(String(decoding: Sample.contract, as: UTF8.self).replacing(first, with: second).utf8)
        for (contract, seed) in [(Sample.contract, 1), (another, 7), (Sample.contract, 1)] as [([UInt8], UInt8)] {
            let ledger = try OperationsLedger(directory: url, node: "north", key: key(seed), contract: contract)
            for _ in 0..<3 { try ledger.append(.nodeStarted, actor: "node") }
        }
        #expect(try OperationsChecks.verify(at: folder.url.path).holds)
        // Heads in another order carry the same signatures.
        let heads = try HeadFile.entries(Array(Data(contentsOf: url.appending(path: "heads")))).map { try #require($0.note) }
        #expect(heads.count == 12)
        try Data(heads.reversed().flatMap { $0.encode() + [0x0A] }).write(to: url.appending(path: "heads"))
        #expect(try OperationsChecks.verify(at: folder.url.path).rules == [.headMissing, .headGrowth])
    }

    @Test("a file of line breaks has one finding and no entries, one line break too many is told as a line")
    func lineBreaks() throws {
        let sample = try OperationsSample()
        let entries = try sample.bytes("entries.jsonl")
        try sample.write(entries + [0x0A], "entries.jsonl")
        #expect(try sample.verify().findings.filter { $0.rule == .entryForm }.map(\.place.offset) == [entries.count])
        for bytes in [[UInt8](repeating: 0x0A, count: 5000), entries + [UInt8](repeating: 0x0A, count: 5000)] {
            try sample.write(bytes, "entries.jsonl")
            var report = AuditReport()
            #expect(AuditedOperations(try OperationsDirectory.open(sample.path), &report).entries.isEmpty)
            #expect(report.findings.filter { $0.rule == .entryForm }.count == 1)
        }
        // The shortest that there is.
        let shortest = OperationsEntry(sequence: 0, time: Date(timeIntervalSince1970: 0), actor: "", action: .contract,
                                       salt: [UInt8](repeating: 0, count: 16))
        #expect(shortest.encode().count >= OperationsEntry.minimumLineBytes)
        #expect(OperationsEntry.Action.allCases.allSatisfy { $0.rawValue.utf8.count >= OperationsEntry.Action.contract.rawValue.utf8.count })
    }

    @Test("every action and rule has words in both languages")
    func words() {
        for action in OperationsEntry.Action.allCases {
            #expect(!action.phrase.en.isEmpty && action.phrase.zh.unicodeScalars.contains { (0x4e00...0x9fff).contains($0.value) })
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
