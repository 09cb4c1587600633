import Foundation
import Ledger
import Primitives
import Testing
import Wire

@Suite("Operations") struct OperationsTests {
    private static let contract = Array("{\"contract\":1}".utf8)

    private func ledger(_ folder: Folder, contract: [UInt8] = contract, seed: UInt8 = 1) throws -> OperationsLedger {
        try OperationsLedger(directory: folder.url.appending(path: "operations"), node: "north-bank", key: key(seed), contract: contract)
    }

    private func entries(_ folder: Folder) throws -> [OperationsEntry] {
        let lines = try folder.bytes("operations/entries.jsonl").split(separator: UInt8(ascii: "\n"))
        return try lines.map { try #require(OperationsEntry(decoding: Array($0))) }
    }

    private func write(_ folder: Folder, _ name: String, _ change: (inout [UInt8]) -> Void) throws {
        let url = folder.url.appending(path: "operations/\(name)")
        var bytes = Array(try Data(contentsOf: url))
        change(&bytes)
        try Data(bytes).write(to: url)
    }

    @Test("an entry is canonical JSON of the document's members; only that is read, and no bit may differ")
    func form() throws {
        let entry = OperationsEntry(
            sequence: 7, time: Date(timeIntervalSince1970: 1_764_072_000.9), actor: "account 王/a", action: .dataRead, purpose: "credit_assessment", job: job,
            object: "main", digest: SHA256.hash([1]), count: 12, salt: [UInt8](repeating: 0xAB, count: 16))
        let bytes = entry.encode()
        #expect(String(decoding: bytes, as: UTF8.self) == """
            {"action":"data.read","actor":"account 王/a","count":12,"digest":"\(hex(SHA256.hash([1])))","job":"\(job)","object":"main",\
            "purpose":"credit_assessment","salt":"\(String(repeating: "ab", count: 16))","sequence":7,"time":"2025-11-25T12:00:00Z"}
            """)
        #expect(OperationsEntry(decoding: bytes) == entry)
        #expect(OperationsEntry(decoding: bytes + [0x20]) == nil && OperationsEntry(decoding: Array(bytes.dropLast())) == nil)
        for bit in 0..<8 * bytes.count {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(OperationsEntry(decoding: flipped) != entry)
        }
    }

    @Test("each entry is under a head of its own, signed by the node; a second opening goes on from there")
    func appends() throws {
        let folder = try Folder()
        let first = try ledger(folder)
        let head = try first.append(.nodeStarted, actor: "node")
        #expect(head.checkpoint.size == 2 && key(1).verifyingKey.accepts(head.signature, for: head.checkpoint.text))
        let second = try ledger(folder)
        try second.append(.jobApproved, actor: "account a", job: job)
        // The first reads what the second has written.
        #expect(try first.append(.nodeStopped, actor: "node").checkpoint.size == 4)
        let all = try entries(folder)
        #expect(all.map(\.sequence) == [0, 1, 2, 3] && all.map(\.action) == [.contract, .nodeStarted, .jobApproved, .nodeStopped])
        var tree = GrowingTree()
        for (entry, note) in zip(all, HeadFile.entries(try folder.bytes("operations/heads"))) {
            tree.append(entry.encode())
            let note = try #require(note.note)
            #expect(Checkpoint(text: note.text) == .operations(of: "north-bank", size: tree.size, root: tree.root))
            #expect(note.isSigned(by: "north-bank", key(1).verifyingKey))
        }
        let mode = try FileManager.default.attributesOfItem(atPath: folder.url.appending(path: "operations/entries.jsonl").path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("another contract is an entry of its own")
    func contracts() throws {
        let folder = try Folder()
        _ = try ledger(folder)
        _ = try ledger(folder)
        let amended = Array("{\"contract\":2}".utf8)
        _ = try ledger(folder, contract: amended, seed: 2)
        #expect(try entries(folder).map(\.digest) == [SHA256.hash(Self.contract), SHA256.hash(amended)])
        for contract in [Self.contract, amended] { #expect(try folder.bytes("operations/contracts/\(hex(SHA256.hash(contract)))") == contract) }
    }

    @Test("what was not finished when a program ended is dropped, at every byte of an entry and of its head, and that is said")
    func tornTail() throws {
        let folder = try Folder()
        let whole = try ledger(folder)
        try whole.append(.nodeStarted, actor: "node")
        let (lines, heads) = (try folder.bytes("operations/entries.jsonl"), try folder.bytes("operations/heads"))
        try whole.append(.jobApproved, actor: "account a", job: job)
        let (longerLines, longerHeads) = (try folder.bytes("operations/entries.jsonl"), try folder.bytes("operations/heads"))
        var states: [(lines: Int, heads: Int)] = (lines.count + 1...longerLines.count).map { ($0, heads.count) }
        states += (heads.count + 1..<longerHeads.count).map { (longerLines.count, $0) }
        for state in states {
            try write(folder, "entries.jsonl") { $0 = Array(longerLines[..<state.lines]) }
            try write(folder, "heads") { $0 = Array(longerHeads[..<state.heads]) }
            _ = try ledger(folder)
            let all = try entries(folder)
            #expect(all.map(\.action) == [.contract, .nodeStarted, .recovered] && all.last?.count == UInt64(state.lines - lines.count), "\(state)")
        }
    }

    @Test("whatever was dropped, an entry that names the contract comes first: of a new ledger, and under a renewed key")
    func contractBeforeRecovery() throws {
        let amended = Array("{\"contract\":2}".utf8)
        let folder = try Folder()
        _ = try ledger(folder)
        let (lines, heads) = (try folder.bytes("operations/entries.jsonl"), try folder.bytes("operations/heads"))
        try write(folder, "heads") { $0 = [] }
        try write(folder, "entries.jsonl") { $0 = Array(lines[..<5]) }
        _ = try ledger(folder)
        #expect(try entries(folder).map(\.action) == [.contract, .recovered])
        try write(folder, "heads") { $0 = heads }
        try write(folder, "entries.jsonl") { $0 = lines + lines[..<5] }
        _ = try ledger(folder, contract: amended, seed: 2)
        #expect(try entries(folder).map(\.action) == [.contract, .contract, .recovered])
        for (size, note) in HeadFile.entries(try folder.bytes("operations/heads")).enumerated() {
            #expect(try #require(note.note).isSigned(by: "north-bank", key(size == 0 ? 1 : 2).verifyingKey))
        }
    }

    @Test("a ledger that is not what was signed is not gone on with")
    func altered() throws {
        let folder = try Folder()
        let open = try ledger(folder)
        for _ in 0..<5 { try open.append(.nodeStarted, actor: "node") }
        let (lines, heads) = (try folder.bytes("operations/entries.jsonl"), try folder.bytes("operations/heads"))
        func refused(_ comment: Comment) throws {
            #expect(throws: LedgerError.self, comment) { try ledger(folder) }
            try write(folder, "entries.jsonl") { $0 = lines }
            try write(folder, "heads") { $0 = heads }
        }
        for byte in stride(from: 0, to: lines.count, by: 7) {
            try write(folder, "entries.jsonl") { $0[byte] ^= 1 }
            try refused("bit of byte \(byte)")
        }
        // Shorter than a program that has it open knows it, and shorter than its heads.
        try write(folder, "entries.jsonl") { $0 = Array(lines.dropLast(10)) }
        #expect(throws: LedgerError.self) { try open.append(.nodeStopped, actor: "node") }
        try refused("cut")
        // A head that somebody else signed.
        #expect(throws: LedgerError.altered("heads")) { try ledger(folder, seed: 3) }
        // Whole again, the same program goes on.
        #expect(try open.append(.nodeStopped, actor: "node").checkpoint.size == 7)
    }

    /// One of 64 in each run; with `JOINTLAB_EXHAUSTIVE` in the environment, all.
    private static func tried(_ count: Int) -> [Int] {
        let isAll = ProcessInfo.processInfo.environment["JOINTLAB_EXHAUSTIVE"] != nil
        return Array(stride(from: isAll ? 0 : Int.random(in: 0..<64), to: count, by: isAll ? 1 : 64))
    }

    @Test("cut at any byte, and with any bit flipped, a ledger is refused or begins as it did before: it never says something else")
    func damage() throws {
        let folder = try Folder()
        let open = try ledger(folder)
        for _ in 0..<2 { try open.append(.jobApproved, actor: "account a", job: job) }
        let files = try ["entries.jsonl", "heads"].map { ($0, try folder.bytes("operations/\($0)")) }
        let lines = files[0].1
        for (name, whole) in files {
            let cuts = Self.tried(whole.count).map { Array(whole[..<$0]) }
            let flips = Self.tried(8 * whole.count).map { bit in
                var flipped = whole
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                return flipped
            }
            for changed in cuts + flips {
                for (name, bytes) in files { try write(folder, name) { $0 = bytes } }
                try write(folder, name) { $0 = changed }
                guard (try? ledger(folder)) != nil else { continue }
                let all = try entries(folder)
                let end = all.firstIndex { $0.action == .recovered } ?? all.count
                // Without heads there is nothing signed: a ledger begins anew with its contract, and tells what it dropped.
                let isAnew = end == 1 && all[0].action == .contract && all.last?.count == UInt64(lines.count)
                let kept = all[..<end].flatMap { $0.encode() + [UInt8(ascii: "\n")] }
                #expect(isAnew || lines.starts(with: kept), "\(name)")
            }
        }
    }

    @Test("a list of subjects that a loss of power has emptied is written anew; one that is whole is left as it is")
    func emptiedList() throws {
        let folder = try Folder()
        let open = try ledger(folder)
        let list = [UInt8](repeating: 7, count: 3 * SubjectList.tagBytes)
        func keep() throws -> String { "subjects/\(hex(try open.keepSubjects { (take) throws(LedgerError) in try take(list) }))" }
        let name = try keep()
        func number() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: folder.url.appending(path: "operations/\(name)").path)[.systemFileNumber] as? Int
        }
        let first = try number()
        #expect(try keep() == name && number() == first)
        try write(folder, name) { $0 = [] }
        #expect(try keep() == name && folder.bytes("operations/\(name)") == list)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "operations/subjects").path).count == 1)
    }

    @Test("writers at one time wait for each other: every entry is there once, in one order")
    func concurrent() async throws {
        let folder = try Folder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let own = try self.ledger(folder)
                    for number in 0..<10 { try own.append(.resultExported, actor: "account \(writer)", object: "\(number)") }
                }
            }
            try await group.waitForAll()
        }
        let all = try entries(folder)
        #expect(all.map(\.sequence) == Array(0..<41))
        for writer in 0..<4 {
            #expect(all.filter { $0.actor == "account \(writer)" }.compactMap(\.object) == (0..<10).map { "\($0)" })
        }
        let last = try #require(HeadFile.entries(try folder.bytes("operations/heads")).last?.note)
        #expect(Checkpoint(text: last.text)?.size == 41)
    }

    @Test("whoever reads while a node appends sees each entry with its head")
    func readingBesideWriter() async throws {
        let folder = try Folder()
        let writer = try ledger(folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<200 { try writer.append(.nodeStarted, actor: "node") } }
            group.addTask {
                var size = 0
                while size < 201, !Task.isCancelled {
                    let seen = try OperationsDirectory.open(folder.url.path)
                    size = seen.entries.count { $0 == UInt8(ascii: "\n") }
                    let heads = HeadFile.entries(seen.heads).compactMap(\.note)
                    #expect(heads.count == size && heads.last.flatMap { Checkpoint(text: $0.text) }?.size == UInt64(size))
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("entries of some actions are told in their order, wherever the file's pieces end; a line that is no entry's is an error once it is too long")
    func reading() throws {
        let folder = try Folder()
        let open = try ledger(folder)
        for number in 0..<400 {
            try open.append(number % 3 == 0 ? .jobEnded : .jobStarted, actor: "node", job: job, object: String(repeating: "x", count: number % 160))
        }
        func told(_ actions: Set<OperationsEntry.Action>) throws -> [OperationsEntry] {
            var told: [OperationsEntry] = []
            try OperationsDirectory.forEachEntry(at: folder.url.path, of: actions) { told.append($0) }
            return told
        }
        let all = try entries(folder)
        #expect(try folder.bytes("operations/entries.jsonl").count > 1 << 16)
        #expect(try told(Set(OperationsEntry.Action.allCases)) == all && told([]).isEmpty)
        #expect(try told([.jobEnded, .contract]) == all.filter { [.jobEnded, .contract].contains($0.action) })
        // What another program is writing is not there yet.
        try write(folder, "entries.jsonl") { $0 += $0.prefix(60) }
        #expect(try told([.contract]).count == 1)
        try write(folder, "entries.jsonl") { $0 += [UInt8](repeating: 0x20, count: OperationsEntry.maximumLineBytes) }
        #expect(throws: LedgerDirectory.Unreadable.self) { try told([.contract]) }
        #expect(throws: LedgerDirectory.Unreadable.self) { try OperationsDirectory.forEachEntry(at: "\(folder.url.path)/none", of: []) { _ in } }
    }
}
