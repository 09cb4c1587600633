import Foundation

/// A node's ledger of operations as it lies on the disk, its node running or not; as in `LedgerDirectory`, nothing is believed.
package struct OperationsDirectory: Sendable {
    private let url: URL
    package let entries: [UInt8]
    package let heads: [UInt8]
    /// Files and folders that no ledger of operations has.
    package let unexpected: [String]

    private static let fileBytes = 1 << 30
    private static let contractBytes = 1 << 20
    private static let listBytes = 1 << 31

    /// Whether a path names a ledger of operations, or a data directory that holds one.
    package static func isOne(_ path: String) -> Bool { location(path) != nil }

    /// - Parameter path: the ledger's directory, or the data directory around it.
    /// - Throws: the name of a file that cannot be read or is too long.
    package static func open(_ path: String) throws(LedgerDirectory.Unreadable) -> OperationsDirectory { try OperationsDirectory(path) }

    /// Tells the entries of these actions, oldest first. Holds one at a time, and reads the others no further than their beginning: a
    /// ledger grows for as long as its node exists, and each job asks it.
    ///
    /// - Parameter path: as of `open`.
    /// - Throws: the name of the file where it cannot be read or holds a line that no entry has.
    package static func forEachEntry(at path: String, of actions: Set<OperationsEntry.Action>,
                                     _ body: (OperationsEntry) -> Void) throws(LedgerDirectory.Unreadable) {
        let unreadable = LedgerDirectory.Unreadable(name: OperationsFile.entries)
        guard let url = location(path), let handle = try? FileHandle(forReadingFrom: url.appendingPathComponent(OperationsFile.entries)) else {
            throw unreadable
        }
        let beginnings = actions.map(OperationsEntry.beginning)
        var rest: [UInt8] = []
        while true {
            let piece: Data?
            do { piece = try handle.read(upToCount: pieceBytes) } catch { throw unreadable }
            guard let piece, !piece.isEmpty else { return }
            rest += piece
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[start..<end]
                if beginnings.contains(where: line.starts(with:)), let entry = OperationsEntry(decoding: Array(line)) { body(entry) }
                start = end + 1
            }
            rest.removeFirst(start)
            guard rest.count <= OperationsEntry.maximumLineBytes else { throw unreadable }
        }
    }

    private static let pieceBytes = 1 << 16

    private static func location(_ path: String) -> URL? {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        return [url, url.appendingPathComponent(OperationsFile.directory, isDirectory: true)].first {
            FileManager.default.fileExists(atPath: $0.appendingPathComponent(OperationsFile.entries).path)
        }
    }

    private init(_ path: String) throws(LedgerDirectory.Unreadable) {
        guard let url = Self.location(path) else { throw LedgerDirectory.Unreadable(name: path) }
        self.url = url
        // Under the lock that `OperationsLedger` appends under: otherwise an entry is seen whose head is not written yet. Where a file
        // system has no locks no node writes either.
        let lock = Foundation.open(url.appendingPathComponent(OperationsFile.entries).path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        defer { if lock >= 0 { close(lock) } }
        while flock(lock, LOCK_SH) != 0, errno == EINTR {}
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else { throw LedgerDirectory.Unreadable(name: path) }
        func read(_ name: String) throws(LedgerDirectory.Unreadable) -> [UInt8] {
            guard names.contains(name) else { return [] }
            guard let bytes = LedgerDirectory.contents(url.appendingPathComponent(name), atMost: Self.fileBytes) else {
                throw LedgerDirectory.Unreadable(name: name)
            }
            return bytes
        }
        entries = try read(OperationsFile.entries)
        heads = try read(OperationsFile.heads)
        unexpected = names.filter {
            ![OperationsFile.entries, OperationsFile.heads, OperationsFile.contracts, OperationsFile.subjects].contains($0)
        }.sorted()
    }

    /// The ledgers of jobs that lie beside one in the same data directory.
    package static func jobs(beside path: String) -> [String] {
        guard let url = location(path) else { return [] }
        let folder = url.deletingLastPathComponent().appendingPathComponent("ledger", isDirectory: true).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
    }

    /// The contract kept under that digest, its bytes not compared with it.
    package func contract(_ digest: [UInt8]) -> [UInt8]? {
        LedgerDirectory.contents(url.appendingPathComponent(OperationsFile.contract(digest)), atMost: Self.contractBytes)
    }

    /// The list of subjects kept under that digest, its bytes not compared with it.
    package func subjects(_ digest: [UInt8]) -> [UInt8]? {
        LedgerDirectory.contents(url.appendingPathComponent(OperationsFile.subjects(digest)), atMost: Self.listBytes)
    }
}
