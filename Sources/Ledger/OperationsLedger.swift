import Foundation
import Primitives
import Synchronization
import Wire

/// Names of the files in a ledger of operations.
package enum OperationsFile {
    package static let directory = "operations"
    package static let entries = "entries.jsonl"
    package static let heads = "heads"
    /// Contracts that held at some time, each under the SHA-256 of its bytes.
    package static let contracts = "contracts"
    /// Lists of keyed digests of subjects, each under the SHA-256 of its bytes.
    package static let subjects = "subjects"

    package static func contract(_ digest: [UInt8]) -> String { "\(contracts)/\(hexadecimal(digest))" }
    package static func subjects(_ digest: [UInt8]) -> String { "\(subjects)/\(hexadecimal(digest))" }
}

/// A node's append-only ledger of what it did, one entry a line, each under a head that the node has signed.
///
/// An entry is on the disk, and its head, when `append` returns. Several programs may have the same ledger open, the node and
/// the commands of its owner beside it: each entry is appended under a lock on the file, after whatever others have appended
/// was read. What lies behind the last head under that lock was left unfinished by a program that ended: it is dropped. After a
/// write that failed nothing more is appended by this program: what the disk has is not known.
package final class OperationsLedger: Sendable {
    private struct State: Sendable {
        var tree = TreeFrontier()
        /// Bytes of the files that are under the tree.
        var entriesBytes: Int = 0
        var headsBytes: Int = 0
        var contractDigest: [UInt8]?
        var failure: LedgerError?
    }

    /// How far the tree has come, with the node's signature.
    package struct SignedHead: Sendable, Hashable {
        package let checkpoint: Checkpoint
        /// 64 bytes.
        package let signature: [UInt8]
    }

    package let directory: URL
    private let node: String
    private let key: Ed25519.SigningKey
    private let contract: [UInt8]
    private let contractDigest: [UInt8]
    private let entries: SharedFile
    private let heads: SharedFile
    private let state = Mutex(State())

    /// Opens or founds the ledger.
    ///
    /// - Parameters:
    ///   - directory: only its owner may read it.
    ///   - key: the node's ledger key of `contract`.
    ///   - contract: the collaboration contract, byte for byte.
    /// - Throws: `altered` where what is there is not what was signed.
    package init(directory: URL, node: String, key: Ed25519.SigningKey, contract: [UInt8]) throws(LedgerError) {
        self.directory = directory
        self.node = node
        self.key = key
        self.contract = contract
        contractDigest = SHA256.hash(contract)
        for folder in [OperationsFile.contracts, OperationsFile.subjects] {
            try makeDirectory(directory.appendingPathComponent(folder, isDirectory: true), folder)
        }
        entries = try SharedFile(directory.appendingPathComponent(OperationsFile.entries), OperationsFile.entries)
        heads = try SharedFile(directory.appendingPathComponent(OperationsFile.heads), OperationsFile.heads)
        for folder in [directory, directory.deletingLastPathComponent()] { try bringToDisk(folder, folder.lastPathComponent) }
        try exclusively { _ throws(LedgerError) in }
    }

    /// Appends one entry, with the time of now and a fresh salt; see `OperationsEntry` for what belongs where.
    @discardableResult
    package func append(_ action: OperationsEntry.Action, actor: String, purpose: String? = nil, job: JobIdentifier? = nil, object: String? = nil,
                        digest: [UInt8]? = nil, count: UInt64? = nil) throws(LedgerError) -> SignedHead {
        try exclusively { state throws(LedgerError) in
            try write(&state, action, actor: actor, purpose: purpose, job: job, object: object, digest: digest, count: count)
        }
    }

    /// Keeps a list of keyed digests of subjects, once for all equal ones, before an entry names it.
    ///
    /// - Parameter pieces: gives the list piece by piece, each time anew.
    /// - Returns: its SHA-256.
    package func keepSubjects(
        _ pieces: (_ take: ([UInt8]) throws(LedgerError) -> Void) throws(LedgerError) -> Void
    ) throws(LedgerError) -> [UInt8] {
        var hash = SHA256()
        var bytes = 0
        try pieces { (piece) throws(LedgerError) in
            hash.update(piece)
            bytes += piece.count
        }
        let digest = hash.finalize()
        let name = OperationsFile.subjects(digest)
        let url = directory.appendingPathComponent(name)
        // The name is the digest of the contents: what is there already is the same, and audits look. A loss of power may have emptied it.
        let size = (try? FileManager.default.attributesOfItem(atPath: url.path))?[.size] as? NSNumber
        if size?.intValue != bytes { try replace(url, name, pieces) }
        try bringToDisk(url.deletingLastPathComponent(), OperationsFile.subjects)
        return digest
    }

    // Under the lock

    private func exclusively<Value>(_ body: (inout State) throws(LedgerError) -> Value) throws(LedgerError) -> Value {
        try state.withLock { state throws(LedgerError) in
            if let failure = state.failure { throw failure }
            try entries.lock()
            defer { entries.unlock() }
            do throws(LedgerError) {
                let dropped = try catchUp(&state)
                // Before anything else: it names the key under which all that follows is signed.
                try nameContract(&state)
                if dropped > 0 { try write(&state, .recovered, actor: "node", count: UInt64(dropped)) }
                return try body(&state)
            } catch {
                // Whatever was believed may not be what the files hold: they are read anew next time.
                state = State()
                if case .unwritable = error { state.failure = error }
                throw error
            }
        }
    }

    /// Appends an entry that names this program's contract, unless the last that was named is the same.
    private func nameContract(_ state: inout State) throws(LedgerError) {
        guard state.contractDigest != contractDigest else { return }
        try keep(contract, OperationsFile.contract(contractDigest))
        try write(&state, .contract, actor: "node", object: node, digest: contractDigest)
    }

    /// Reads what others have appended, and drops what nobody finished.
    ///
    /// - Returns: bytes of entries dropped.
    private func catchUp(_ state: inout State) throws(LedgerError) -> Int {
        let notes = try heads.bytes(from: state.headsBytes)
        let lines = try entries.bytes(from: state.entriesBytes)
        var last: (note: SignedNote, checkpoint: Checkpoint)?
        let headsEnd = state.headsBytes + notes.count
        // One at a time: all of them at once are many times the file, and leave the program's heap in shreds.
        for entry in HeadFile.Reader(notes) {
            guard let note = entry.note else {
                // Only the end of the file may be unfinished.
                guard !HeadFile.isWhole(notes, from: entry.offset) else { throw .altered(OperationsFile.heads) }
                break
            }
            guard let checkpoint = Checkpoint(text: note.text),
                  checkpoint == .operations(of: node, size: checkpoint.size, root: checkpoint.root),
                  checkpoint.size > last?.checkpoint.size ?? state.tree.size
            else { throw .altered(OperationsFile.heads) }
            last = (note, checkpoint)
            state.headsBytes += note.encode().count + 1
        }
        var start = 0
        if let (note, checkpoint) = last {
            while state.tree.size < checkpoint.size {
                guard let end = lines[start...].firstIndex(of: UInt8(ascii: "\n")) else { throw .altered(OperationsFile.entries) }
                let line = Array(lines[start..<end])
                state.tree.append(line)
                // What the others say is not needed, and that they are what was signed the root tells: a ledger of years opens in a moment.
                if line.starts(with: OperationsEntry.beginning(.contract)) {
                    guard let entry = OperationsEntry(decoding: line) else { throw .altered(OperationsFile.entries) }
                    state.contractDigest = entry.digest
                }
                start = end + 1
            }
            // An older contract's key is not known here: `jointlab audit verify` looks it up.
            let isOwnKey = state.contractDigest == contractDigest
            guard state.tree.root == checkpoint.root, !isOwnKey || note.isSigned(by: node, key.verifyingKey) else {
                throw .altered(OperationsFile.heads)
            }
            state.entriesBytes += start
        }
        if lines.count > start { try entries.cut(to: state.entriesBytes) }
        if headsEnd > state.headsBytes { try heads.cut(to: state.headsBytes) }
        return lines.count - start
    }

    @discardableResult
    private func write(_ state: inout State, _ action: OperationsEntry.Action, actor: String, purpose: String? = nil, job: JobIdentifier? = nil,
                       object: String? = nil, digest: [UInt8]? = nil, count: UInt64? = nil) throws(LedgerError) -> SignedHead {
        let leaf = OperationsEntry(
            sequence: state.tree.size, time: Date(), actor: actor, action: action, purpose: purpose, job: job, object: object, digest: digest,
            count: count, salt: SystemRandom.bytes(OperationsEntry.saltBytes)).encode()
        try entries.append(leaf + [UInt8(ascii: "\n")])
        state.tree.append(leaf)
        state.entriesBytes += leaf.count + 1
        if action == .contract { state.contractDigest = digest }
        let checkpoint = Checkpoint.operations(of: node, size: state.tree.size, root: state.tree.root)
        var note = SignedNote(text: checkpoint.text)
        note.sign(as: node, with: key)
        let bytes = note.encode() + [UInt8(ascii: "\n")]
        try heads.append(bytes)
        state.headsBytes += bytes.count
        return SignedHead(checkpoint: checkpoint, signature: key.signature(for: checkpoint.text))
    }

    /// Whole or not at all; equal bytes have one name.
    private func keep(_ bytes: [UInt8], _ name: String) throws(LedgerError) {
        let url = directory.appendingPathComponent(name)
        try writeOnce(bytes, url, name)
        try bringToDisk(url.deletingLastPathComponent(), name)
    }
}

/// A file that several programs append to, one at a time.
private final class SharedFile: Sendable {
    private let descriptor: Int32
    private let name: String

    init(_ url: URL, _ name: String) throws(LedgerError) {
        descriptor = open(url.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.name = name
        guard descriptor >= 0 else { throw .unwritable(name) }
    }

    deinit { close(descriptor) }

    /// Waits for its turn; the kernel gives the lock back when a program ends.
    func lock() throws(LedgerError) {
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .unwritable(name) }
        }
    }

    func unlock() { _ = flock(descriptor, LOCK_UN) }

    /// - Throws: `altered` for a file that has become shorter.
    func bytes(from start: Int) throws(LedgerError) -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .unwritable(name) }
        guard Int(status.st_size) >= start else { throw .altered(name) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) - start)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start + done)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unwritable(name) }
            done += count
        }
        return bytes
    }

    /// Returns when the bytes are on the disk.
    func append(_ bytes: [UInt8]) throws(LedgerError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unwritable(name) }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw .unwritable(name) }
    }

    func cut(to size: Int) throws(LedgerError) {
        guard ftruncate(descriptor, off_t(size)) == 0, fsync(descriptor) == 0 else { throw .unwritable(name) }
    }
}
