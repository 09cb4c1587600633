import Dispatch
import Foundation
import Ledger
import Primitives
import Synchronization
import Testing
import Wire

@Suite("Writing and reading") struct WriterTests {
    private static let contract = Array("{\"contract\":1}".utf8)
    private static let specification = Array("{\"specification\":1}".utf8)

    private static func manifest(_ retention: Retention = .all, attempt: UInt32 = 1) -> LedgerManifest {
        LedgerManifest(job: job, attempt: attempt, node: "north-bank", role: .bank, contract: contract, specification: specification,
                       retention: retention)
    }

    private func writer(_ folder: Folder, _ retention: Retention = .all, peer: String = "credit") throws -> LedgerWriter {
        try LedgerWriter(directory: folder.url.appending(path: "job"), manifest: Self.manifest(retention), contract: Self.contract,
                         specification: Self.specification, peer: peer)
    }

    private func mode(_ url: URL) throws -> Int {
        let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
        return try #require(mode)
    }

    @Test("beyond so many payloads whoever appends waits for the disk; the same payload again is not one more", .timeLimit(.minutes(1)))
    func backPressure() async throws {
        let folder = try Folder()
        let disk = DispatchQueue(label: "slow disk")
        let writer = try LedgerWriter(directory: folder.url.appending(path: "job"), manifest: Self.manifest(), contract: Self.contract,
                                      specification: Self.specification, peer: "credit", disk: disk)
        disk.suspend()
        for index in 0..<LedgerWriter.mostOwed {
            await writer.room()
            try writer.append(frame(UInt64(index)), .sent)
        }
        let hasRoom = Mutex(false)
        let waiting = Task {
            await writer.room()
            hasRoom.withLock { $0 = true }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(!hasRoom.withLock { $0 })
        disk.resume()
        await waiting.value
        try writer.synchronize()
        disk.suspend()
        for _ in 0...LedgerWriter.mostOwed {
            await writer.room()
            try writer.append(frame(0), .received)
        }
        disk.resume()
    }

    @Test("a record has the bytes that the document draws")
    func layout() {
        let record = FrameRecord(Frame(kind: .nonce, phase: .opening, job: job, attempt: 2, sequence: 3, salt: [UInt8](repeating: 9, count: 16),
                                       payload: Array("abc".utf8)))
        #expect(hex(record.encode()) == "0000000000000003" + "0002" + "0001" + "00000002" + "0000000000000003"
            + "09090909090909090909090909090909" + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(FrameRecord(decoding: record.encode()) == record)
    }

    @Test("under the suite of SM3 a record goes on with the SM3 digest, the manifest says so, and the tree covers it")
    func sm3() throws {
        let abc = Frame(kind: .nonce, phase: .opening, job: job, attempt: 2, sequence: 3, salt: [UInt8](repeating: 9, count: 16), payload: Array("abc".utf8))
        let record = FrameRecord(abc, withSM3: true)
        // GB/T 32905, example 1.
        #expect(hex(record.encode()) == hex(FrameRecord(abc).encode()) + "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
        #expect(FrameRecord(decoding: record.encode()) == record && record.encode().count == FrameRecord.byteCount(withSM3: true))
        #expect(record.isPayload(abc.payload) && !record.isPayload(Array("abd".utf8)))
        #expect(FrameRecord(decoding: record.encode().dropLast()) == nil)
        var other = record.encode()
        other[103] ^= 1
        #expect(FrameRecord(decoding: other)?.isPayload(abc.payload) == false)

        let folder = try Folder()
        let manifest = LedgerManifest(job: job, attempt: 1, node: "north-bank", role: .bank, contract: Self.contract, specification: Self.specification,
                                      retention: .inbound, hasSM3: true)
        #expect(String(decoding: manifest.encode(), as: UTF8.self).contains(#","sm3":true,"specification_digest":""#))
        #expect(LedgerManifest(decoding: manifest.encode()) == manifest)
        let without = String(decoding: Self.manifest().encode(), as: UTF8.self)
        #expect(LedgerManifest(decoding: Array(without.replacing(#""specification_digest""#, with: #""sm3":false,"specification_digest""#).utf8)) == nil)
        let writer = try LedgerWriter(directory: folder.url.appending(path: "job"), manifest: manifest, contract: Self.contract,
                                      specification: Self.specification, peer: "credit")
        try writer.append(frame(0), .sent)
        try writer.append(frame(1), .received)
        let records = try folder.bytes("job/credit.sent.records")
        #expect(records == FrameRecord(frame(0), withSM3: true).encode() && records.suffix(32).elementsEqual(SM3.hash(frame(0).payload)))
        var tree = GrowingTree()
        tree.append(records)
        #expect(writer.head(.sent).root == tree.root)
        let path = folder.url.appending(path: "job").path
        #expect(try PayloadRetention.apply(path) == frame(0).payload.count)
        #expect(try LedgerDirectory.open(path).payload(SHA256.hash(frame(1).payload), atMost: 100) == frame(1).payload)
    }

    @Test("72 bytes of an unknown kind or phase, or another number of bytes, are no record")
    func noRecords() {
        let bytes = FrameRecord(frame(1)).encode()
        var kind = bytes
        kind[8] = 1
        var phase = bytes
        phase[11] = 7
        #expect(FrameRecord(decoding: kind) == nil && FrameRecord(decoding: phase) == nil)
        #expect(FrameRecord(decoding: bytes + [0]) == nil && FrameRecord(decoding: bytes.dropLast()) == nil)
    }

    @Test("the manifest is canonical JSON of the document's members, and only that is read")
    func manifest() {
        let bytes = Self.manifest(.inbound).encode()
        #expect(String(decoding: bytes, as: UTF8.self) == """
            {"attempt":1,"contract_digest":"\(hex(SHA256.hash(Self.contract)))","job":"\(job)","node":"north-bank",\
            "retention":"inbound","role":"bank","specification_digest":"\(hex(SHA256.hash(Self.specification)))","version":1}
            """)
        #expect(LedgerManifest(decoding: bytes) == Self.manifest(.inbound))
        #expect(LedgerManifest(decoding: bytes + [0x0A]) == nil)
        for bit in 0..<8 * bytes.count {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(LedgerManifest(decoding: flipped) != Self.manifest(.inbound))
        }
    }

    @Test("what is appended is in the files at once, with its payload, for its owner alone")
    func files() throws {
        let folder = try Folder()
        let writer = try writer(folder)
        let (sent, received) = (frame(0), frame(7))
        try writer.append(sent, .sent)
        try writer.append(received, .received)
        #expect(try folder.bytes("job/credit.sent.records") == FrameRecord(sent).encode())
        #expect(try folder.bytes("job/credit.received.records") == FrameRecord(received).encode())
        #expect(try folder.bytes("job/\(LedgerFile.payload(SHA256.hash(sent.payload)))") == sent.payload)
        #expect(try folder.bytes("job/manifest.json") == Self.manifest().encode())
        #expect(try folder.bytes("job/contract.json") == Self.contract)
        #expect(try folder.bytes("job/specification.json") == Self.specification)
        try writer.synchronize()
        let job = folder.url.appending(path: "job")
        for name in try FileManager.default.subpathsOfDirectory(atPath: job.path) {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: job.appending(path: name).path, isDirectory: &isDirectory)
            #expect(try mode(job.appending(path: name)) == (isDirectory.boolValue ? 0o700 : 0o600), "\(name)")
        }
        #expect(try mode(job) == 0o700)
    }

    @Test("every payload is kept until the retention is applied, then those it says; the digests stay", arguments: Retention.allCases)
    func retention(_ retention: Retention) throws {
        let folder = try Folder()
        let writer = try writer(folder, retention)
        // One went both ways.
        for direction in Direction.allCases { try writer.append(frame(2), direction) }
        try writer.append(frame(0), .sent)
        try writer.append(frame(1), .received)
        let path = folder.url.appending(path: "job").path
        let directory = try LedgerDirectory.open(path)
        func kept() -> [Bool] { [0, 1, 2].map { directory.payload(SHA256.hash(frame($0).payload), atMost: 100) != nil } }
        #expect(kept() == [true, true, true])
        let dropped = try PayloadRetention.apply(path)
        #expect(kept() == (retention == .all ? [true, true, true] : retention == .inbound ? [false, true, true] : [false, false, false]))
        #expect(dropped == (retention == .all ? 0 : retention == .inbound ? 1 : 3) * frame(0).payload.count)
        #expect(try LedgerDirectory.open(path).lines.map(\.records) == directory.lines.map(\.records))
    }

    @Test("a payload that comes while others are dropped stays until its record says what becomes of it")
    func payloadWithoutRecord() throws {
        let folder = try Folder()
        let writer = try writer(folder, .digests)
        try writer.append(frame(0), .received)
        let path = folder.url.appending(path: "job").path
        let payload = "\(path)/\(LedgerFile.payload(SHA256.hash(frame(1).payload)))"
        try FileManager.default.createDirectory(atPath: URL(filePath: payload).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(frame(1).payload).write(to: URL(filePath: payload))
        #expect(try PayloadRetention.apply(path) == frame(0).payload.count && FileManager.default.fileExists(atPath: payload))
        // When its lifetime ends, whatever is there goes.
        #expect(try PayloadRetention.apply(path, isExpired: true) == frame(1).payload.count && !FileManager.default.fileExists(atPath: payload))
    }

    @Test("a payload that is dropped before it is on the disk is no fault of the disk")
    func droppedAtOnce() throws {
        let folder = try Folder()
        let fault = Mutex<LedgerError?>(nil)
        let writer = try LedgerWriter(directory: folder.url.appending(path: "job"), manifest: Self.manifest(.digests), contract: Self.contract,
                                      specification: Self.specification, peer: "credit", onFailure: { error in fault.withLock { $0 = error } })
        for index in 0..<500 { try writer.append(frame(UInt64(index)), .received) }
        _ = try PayloadRetention.apply(folder.url.appending(path: "job").path)
        try writer.append(frame(500), .received)
        try writer.synchronize()
        #expect(fault.withLock { $0 } == nil)
    }

    @Test("equal payloads are kept once, and the empty one is kept too")
    func sharedPayloads() throws {
        let folder = try Folder()
        let (first, second) = (try writer(folder), try writer(folder, peer: "arbiter"))
        let empty = frame(0, .jobAnswer(.init()))
        for writer in [first, second] {
            try writer.append(empty, .sent)
            try writer.append(empty, .received)
            try writer.synchronize()
        }
        let directory = try LedgerDirectory.open(folder.url.appending(path: "job").path)
        #expect(directory.payload(SHA256.hash([UInt8]()), atMost: 0) == [])
        #expect(directory.lines.map(\.peer) == ["arbiter", "arbiter", "credit", "credit"])
        #expect(directory.unexpected.isEmpty && directory.missing.isEmpty)
    }

    @Test("heads are those of the tree of the records, from both ends alike")
    func heads() throws {
        let folder = try Folder()
        let writer = try writer(folder)
        var tree = GrowingTree()
        for index in 0..<9 {
            try writer.append(frame(UInt64(index)), .sent)
            tree.append(FrameRecord(frame(UInt64(index))).encode())
        }
        try writer.append(frame(9, .ledgerHeads(.init())), .sent)
        #expect(writer.head(.sent) == Head(job: job, attempt: 1, sender: "north-bank", receiver: "credit", size: 9, root: tree.root))
        #expect(writer.head(.received) == Head(job: job, attempt: 1, sender: "credit", receiver: "north-bank", size: 0, root: GrowingTree.emptyRoot))
        #expect(writer.consistencyProof(.sent, from: 4, to: 9) == tree.consistencyProof(from: 4, to: 9))
        var note = SignedNote(text: writer.head(.sent).text)
        note.sign(as: "north-bank", with: key(1))
        try writer.keep(note, .sent)
        try writer.keep(note, .sent)
        #expect(HeadFile.entries(try folder.bytes("job/credit.sent.heads")).map(\.note) == [note, note])
    }

    @Test("a line is written once, and another job's documents are not written over")
    func exists() throws {
        let folder = try Folder()
        _ = try writer(folder)
        #expect(throws: LedgerError.exists("credit.sent.records")) { try writer(folder) }
        #expect(throws: LedgerError.exists("manifest.json")) {
            try LedgerWriter(directory: folder.url.appending(path: "job"), manifest: Self.manifest(attempt: 2), contract: Self.contract,
                             specification: Self.specification, peer: "arbiter")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "job").path).sorted()
            == ["contract.json", "credit.received.heads", "credit.received.records", "credit.sent.heads", "credit.sent.records", "manifest.json",
                "payloads", "specification.json"])
    }

    @Test("lines of one job may be opened and written at the same time")
    func concurrent() async throws {
        let folder = try Folder()
        let peers = (0..<LedgerDirectory.mostPeers).map { "peer-\($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for peer in peers {
                group.addTask {
                    let writer = try self.writer(folder, peer: peer)
                    for index in 0..<50 { try writer.append(frame(UInt64(index)), index % 2 == 0 ? .sent : .received) }
                    try writer.synchronize()
                }
            }
            try await group.waitForAll()
        }
        let directory = try LedgerDirectory.open(folder.url.appending(path: "job").path)
        #expect(directory.lines.count == 2 * peers.count)
        #expect(directory.lines.allSatisfy { $0.records.count == 25 * FrameRecord.byteCount })
    }

    @Test("a directory is read without following links, and what belongs to no ledger is named")
    func reading() throws {
        let folder = try Folder()
        let job = folder.url.appending(path: "job")
        do {
            let writer = try writer(folder)
            try writer.append(frame(0), .sent)
        }
        #expect(throws: LedgerDirectory.Unreadable.self) { try LedgerDirectory.open("/nowhere") }
        try Data("x".utf8).write(to: job.appending(path: "notes.txt"))
        try FileManager.default.removeItem(at: job.appending(path: "credit.received.heads"))
        let directory = try LedgerDirectory.open(job.path)
        #expect(directory.unexpected == ["notes.txt"])
        #expect(directory.missing == ["credit.received.heads"])
        let digest = SHA256.hash(frame(0).payload)
        let payload = job.appending(path: LedgerFile.payload(digest))
        #expect(directory.payload(digest, atMost: 1) == nil)
        try FileManager.default.moveItem(at: payload, to: job.appending(path: "elsewhere"))
        try FileManager.default.createSymbolicLink(at: payload, withDestinationURL: job.appending(path: "elsewhere"))
        #expect(directory.payload(digest, atMost: 100) == nil)
        try FileManager.default.removeItem(at: job.appending(path: "contract.json"))
        #expect(throws: LedgerDirectory.Unreadable.self) { try LedgerDirectory.open(job.path) }
    }

    @Test("files that claim more peers than a job can have are not read, but named as unexpected")
    func claimedPeers() throws {
        let folder = try Folder()
        let job = folder.url.appending(path: "job")
        for peer in ["arbiter", "credit"] { try writer(folder, peer: peer).append(frame(0), .sent) }
        let claimed = (0..<300).map { "x\($0 + 100).sent.records" }
        for name in claimed { try Data([1]).write(to: job.appending(path: name)) }
        let directory = try LedgerDirectory.open(job.path)
        #expect(Set(directory.lines.map(\.peer)) == ["arbiter", "credit", "x100", "x101"] && directory.lines.count == 2 * LedgerDirectory.mostPeers)
        #expect(directory.unexpected == Array(claimed.dropFirst(2)))
    }
}
