import Dispatch
import Foundation
import Primitives
import Synchronization
import Wire

/// Names of the files in a job's ledger.
package enum LedgerFile {
    package static let manifest = "manifest.json"
    package static let contract = "contract.json"
    package static let specification = "specification.json"
    package static let payloads = "payloads"
    /// Receipt of the deletion of all payloads.
    package static let expired = "expired"

    package static func records(_ peer: String, _ direction: Direction) -> String { "\(peer).\(direction.rawValue).records" }
    package static func heads(_ peer: String, _ direction: Direction) -> String { "\(peer).\(direction.rawValue).heads" }
    package static func bytes(_ peer: String) -> String { "\(peer)\(bytesSuffix)" }
    static let bytesSuffix = ".bytes.json"
    package static func payload(_ digest: [UInt8]) -> String { "\(payloads)/\(hexadecimal(digest.prefix(1)))/\(hexadecimal(digest))" }
}

/// A ledger's file, named within its directory, that could not be made, written or brought to the disk.
package enum LedgerError: Error, Sendable, Hashable {
    case unwritable(String)
    /// There already: a ledger is written once, and never by two.
    case exists(String)
    /// Not what was signed.
    case altered(String)
}

/// Writes one line of one job's ledger: a record for each frame, and its payload, which `PayloadRetention` may drop later.
///
/// A frame is in the files when `append` returns, and on its way to the disk, so that a head has little to wait for. Frames of
/// one direction come from one task at a time; the directions go on independently. Nothing is held in memory but 64 bytes a
/// frame, and what is on its way to the disk, which `room` bounds. After an error the writer takes nothing more: what the disk has is not known.
package final class LedgerWriter: Sendable {
    /// Payloads that may wait for the disk: about as many as cross between two heads, at which all of them are waited for anyway.
    package static let mostOwed = 1024

    package let manifest: LedgerManifest
    package let peer: String

    private let directory: URL
    private let sent: Stream
    private let received: Stream
    /// Waits for the disk, one payload after another.
    private let disk: DispatchQueue
    private let owed = Mutex<(count: Int, waiting: [CheckedContinuation<Void, Never>])>((0, []))
    private let failure = Mutex<LedgerError?>(nil)
    private let onFailure: @Sendable (LedgerError) -> Void

    /// Makes the directory, writes the documents where they are missing, and opens the files of the line to `peer`.
    ///
    /// - Parameters:
    ///   - directory: `ledger/JOB`; only its owner may read it.
    ///   - contract, specification: the documents whose digests `manifest` holds.
    ///   - disk: a serial queue of its own, on which the disk is waited for.
    ///   - onFailure: is told of the first error after this.
    /// - Throws: `exists` where the line has been written before, or another job's documents are there.
    package init(directory: URL, manifest: LedgerManifest, contract: [UInt8], specification: [UInt8], peer: String,
                 disk: DispatchQueue = DispatchQueue(label: "jointlab.ledger"),
                 onFailure: @escaping @Sendable (LedgerError) -> Void = { _ in }) throws(LedgerError) {
        self.directory = directory
        self.disk = disk
        self.onFailure = onFailure
        self.manifest = manifest
        self.peer = peer
        let isNew = !FileManager.default.fileExists(atPath: directory.path)
        try makeDirectory(directory.appendingPathComponent(LedgerFile.payloads, isDirectory: true), LedgerFile.payloads)
        // Of a folder that its own has forgotten a power loss leaves nothing, whatever was signed in it.
        if isNew {
            for folder in ["..", "../.."] { try Ledger.bringToDisk(directory.appendingPathComponent(folder, isDirectory: true), folder) }
        }
        for (name, bytes) in [
            (LedgerFile.contract, contract), (LedgerFile.specification, specification), (LedgerFile.manifest, manifest.encode()),
        ] {
            try writeOnce(bytes, directory.appendingPathComponent(name), name)
        }
        sent = try Stream(directory, peer, .sent)
        received = try Stream(directory, peer, .received)
    }

    /// Keeps the frame; a frame of a kind that is no record (`MessageKind.isRecorded`) passes by.
    package func append(_ frame: Frame, _ direction: Direction) throws(LedgerError) {
        guard frame.kind.isRecorded else { return }
        precondition(frame.job == manifest.job, "a frame of another job")
        let record = FrameRecord(frame, withSM3: manifest.hasSM3)
        let isNew = try unlessFailed { () throws(LedgerError) in
            // Whatever the retention rule: it drops what was verified, and so never before the job's end.
            let isNew = try keep(frame.payload, record.digest)
            try stream(direction).append(record, isNewPayload: isNew)
            return isNew
        }
        guard isNew else { return }
        owed.withLock { $0.count += 1 }
        disk.async { [self] in
            // Of a frame that crosses the job's end the retention rule may have dropped it by now.
            try? unlessFailed { () throws(LedgerError) in try bringToDisk(LedgerFile.payload(record.digest), mayBeGone: true) }
            changeOwed { $0.count -= 1 }
        }
    }

    /// Returns once fewer than `mostOwed` payloads wait for the disk. Whoever appends awaits it each time: a peer that sends faster than
    /// the disk takes is then not read meanwhile. No thread is held up.
    package func room() async {
        guard owed.withLock({ $0.count >= Self.mostOwed }) else { return }
        await withCheckedContinuation { continuation in
            changeOwed { $0.waiting.append(continuation) }
        }
    }

    private func changeOwed(_ change: (inout (count: Int, waiting: [CheckedContinuation<Void, Never>])) -> Void) {
        let ready = owed.withLock { owed -> [CheckedContinuation<Void, Never>] in
            change(&owed)
            guard owed.count < Self.mostOwed else { return [] }
            defer { owed.waiting = [] }
            return owed.waiting
        }
        for continuation in ready { continuation.resume() }
    }

    private func unlessFailed<Value>(_ body: () throws(LedgerError) -> Value) throws(LedgerError) -> Value {
        if let failure = failure.withLock({ $0 }) { throw failure }
        do throws(LedgerError) {
            return try body()
        } catch {
            let isFirst = failure.withLock { failure in
                defer { failure = failure ?? error }
                return failure == nil
            }
            if isFirst { onFailure(error) }
            throw error
        }
    }

    /// Where the direction stands: to be signed, or held against what a peer has signed.
    package func head(_ direction: Direction) -> Head {
        let tree = stream(direction).tree
        return Head(job: manifest.job, attempt: manifest.attempt, sender: direction == .sent ? manifest.node : peer,
                    receiver: direction == .sent ? peer : manifest.node, size: tree.size, root: tree.root)
    }

    /// Records so far.
    package func size(_ direction: Direction) -> UInt64 { stream(direction).tree.size }

    /// The root at an earlier size; nothing beyond the present one.

    /// See `GrowingTree.consistencyProof`.
    package func consistencyProof(_ direction: Direction, from older: UInt64, to newer: UInt64) -> [[UInt8]]? {
        stream(direction).tree.consistencyProof(from: older, to: newer)
    }

    /// Keeps a head with the signatures that it has got.
    package func keep(_ note: SignedNote, _ direction: Direction) throws(LedgerError) {
        try unlessFailed { () throws(LedgerError) in try stream(direction).keep(note) }
    }

    /// Keeps what the line carried, once, when it has ended.
    package func keep(_ account: ByteAccount) throws(LedgerError) {
        let name = LedgerFile.bytes(peer)
        try unlessFailed { () throws(LedgerError) in
            try writeOnce(account.encode(), directory.appendingPathComponent(name), name)
        }
    }

    /// Brings everything kept so far to the disk: to be called before a head is signed.
    package func synchronize() throws(LedgerError) {
        disk.sync {}
        try unlessFailed { () throws(LedgerError) in
            for direction in Direction.allCases {
                for folder in Set(stream(direction).takeNewPayloads().compactMap(\.first)) { try bringToDisk("\(LedgerFile.payloads)/\(hexadecimal([folder]))") }
                try stream(direction).synchronize()
            }
            for folder in [LedgerFile.payloads, ""] { try bringToDisk(folder) }
        }
    }

    private func stream(_ direction: Direction) -> Stream {
        switch direction {
        case .sent: sent
        case .received: received
        }
    }

    /// - Returns: whether the payload is new; the same bytes are kept once.
    private func keep(_ payload: [UInt8], _ digest: [UInt8]) throws(LedgerError) -> Bool {
        let name = LedgerFile.payload(digest)
        let url = directory.appendingPathComponent(name)
        guard mkdir(url.deletingLastPathComponent().path, 0o700) == 0 || errno == EEXIST else { throw .unwritable(LedgerFile.payloads) }
        let file: OutputFile
        do {
            file = try OutputFile.create(url, name)
        } catch .exists {
            return false
        }
        do {
            try file.write(payload)
        } catch {
            unlink(url.path)
            throw error
        }
        return true
    }

    private func bringToDisk(_ name: String, mayBeGone: Bool = false) throws(LedgerError) {
        try Ledger.bringToDisk(directory.appendingPathComponent(name), name, mayBeGone: mayBeGone)
    }
}

/// One direction's files and tree.
private final class Stream: Sendable {
    private struct State: Sendable {
        var tree = GrowingTree()
        /// One payload of each folder that has got any since the disk was last waited for.
        var newPayloads: [UInt8: [UInt8]] = [:]
    }

    private let records: OutputFile
    private let heads: OutputFile
    private let state = Mutex(State())

    init(_ directory: URL, _ peer: String, _ direction: Direction) throws(LedgerError) {
        let names = (LedgerFile.records(peer, direction), LedgerFile.heads(peer, direction))
        records = try OutputFile.create(directory.appendingPathComponent(names.0), names.0)
        heads = try OutputFile.create(directory.appendingPathComponent(names.1), names.1)
    }

    /// Shares its storage with the stream's until that grows.
    var tree: GrowingTree { state.withLock { $0.tree } }

    func append(_ record: FrameRecord, isNewPayload: Bool) throws(LedgerError) {
        let bytes = record.encode()
        try state.withLock { state throws(LedgerError) in
            try records.write(bytes)
            state.tree.append(bytes)
            if isNewPayload { state.newPayloads[record.digest[0]] = record.digest }
        }
    }

    func keep(_ note: SignedNote) throws(LedgerError) {
        try state.withLock { _ throws(LedgerError) in try heads.write(note.encode() + [UInt8(ascii: "\n")]) }
    }

    func takeNewPayloads() -> [[UInt8]] {
        state.withLock { state in
            defer { state.newPayloads = [:] }
            return Array(state.newPayloads.values)
        }
    }

    func synchronize() throws(LedgerError) {
        try records.synchronize()
        try heads.synchronize()
    }
}

/// A new file that only its owner may read; closed when forgotten.
private final class OutputFile: Sendable {
    private let descriptor: Int32
    private let name: String
    /// A record written in part would shift all that follow.
    private let hasFailed = Atomic(false)

    private init(_ descriptor: Int32, _ name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }

    static func create(_ url: URL, _ name: String) throws(LedgerError) -> OutputFile {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw errno == EEXIST ? .exists(name) : .unwritable(name) }
        return OutputFile(descriptor, name)
    }

    func write(_ bytes: [UInt8]) throws(LedgerError) {
        guard !hasFailed.load(ordering: .relaxed) else { throw .unwritable(name) }
        let isWritten = bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
        guard isWritten else {
            hasFailed.store(true, ordering: .relaxed)
            throw .unwritable(name)
        }
    }

    func synchronize() throws(LedgerError) {
        guard fsync(descriptor) == 0 else { throw .unwritable(name) }
    }
}

func makeDirectory(_ url: URL, _ name: String) throws(LedgerError) {
    do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
        throw .unwritable(name)
    }
}

/// A file or a folder.
func bringToDisk(_ url: URL, _ name: String, mayBeGone: Bool = false) throws(LedgerError) {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        if mayBeGone, errno == ENOENT { return }
        throw .unwritable(name)
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .unwritable(name) }
}

/// Written aside and on the disk before it has its name, in place of what was there; the name is brought to the disk by the caller.
func replace(
    _ url: URL, _ name: String, _ pieces: (_ take: ([UInt8]) throws(LedgerError) -> Void) throws(LedgerError) -> Void
) throws(LedgerError) {
    let draft = url.appendingPathExtension("\(UInt64.random(in: 0 ... .max))")
    defer { unlink(draft.path) }
    let file = try OutputFile.create(draft, name)
    try pieces { (piece) throws(LedgerError) in try file.write(piece) }
    try file.synchronize()
    guard rename(draft.path, url.path) == 0 else { throw .unwritable(name) }
}

/// The same once: where it is already it must be equal, for another line of the same job may be opened at the same time.
func writeOnce(_ bytes: [UInt8], _ url: URL, _ name: String) throws(LedgerError) {
    func isThere() throws(LedgerError) -> Bool {
        guard let present = FileManager.default.contents(atPath: url.path) else { return false }
        guard [UInt8](present) == bytes else { throw .exists(name) }
        return true
    }
    guard try !isThere() else { return }
    let draft = url.appendingPathExtension("\(UInt64.random(in: 0 ... .max))")
    defer { unlink(draft.path) }
    let file = try OutputFile.create(draft, name)
    try file.write(bytes)
    try file.synchronize()
    guard link(draft.path, url.path) != 0 else { return }
    guard errno == EEXIST, try isThere() else { throw .unwritable(name) }
}
