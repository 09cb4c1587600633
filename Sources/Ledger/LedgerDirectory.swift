import Foundation
import Primitives
import Wire

/// A job's ledger as it lies on the disk. Everything read here may have been altered: nothing is believed, lengths are
/// held to limits, and no symbolic link is followed.
package struct LedgerDirectory: Sendable {
    /// One direction of the line to `peer`, as stored.
    package struct Stored: Sendable {
        package let peer: String
        package let direction: Direction
        package fileprivate(set) var records: [UInt8]
        package fileprivate(set) var heads: [UInt8]
    }

    private let url: URL
    package private(set) var manifest: [UInt8]
    package private(set) var contract: [UInt8]
    package private(set) var specification: [UInt8]
    /// By peer, sent before received. A file that is missing is empty here and named in `missing`.
    package private(set) var lines: [Stored]
    /// Accounts of bytes, by peer.
    package private(set) var bytes: [String: [UInt8]] = [:]
    package let missing: [String]
    /// The receipt of the deletion of payloads, where there is one.
    package private(set) var expired: [UInt8]?
    /// Names of the kept payloads, as `LedgerFile.payload` gives them.
    package let payloads: Set<String>
    /// Files and folders that no ledger has.
    package let unexpected: [String]
    /// Documents that a node was writing when it stopped.
    package let drafts: [String]

    private static let documentBytes = 1 << 20
    /// 14 million frames.
    private static let recordsBytes = 1 << 30
    private static let headsBytes = 1 << 28
    /// A job has two peers; one that has no part in it can still be told by its name. Files of more are unexpected.
    package static let mostPeers = 4

    /// - Throws: the name of the directory or of a file that cannot be read or is too long.
    package static func open(_ path: String) throws(Unreadable) -> LedgerDirectory { try LedgerDirectory(path) }

    package struct Unreadable: Error, Sendable, Hashable {
        package let name: String
    }

    private init(_ path: String) throws(Unreadable) {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        // A node that runs keeps a payload, its record, then a head. Those payloads are looked for that were there before the records
        // were read, and heads are read before records: only a payload that has just been kept lacks its record.
        let stored = (FileManager.default.enumerator(atPath: url.appendingPathComponent(LedgerFile.payloads).path)?.allObjects ?? [])
            .compactMap { ($0 as? String).map { "\(LedgerFile.payloads)/\($0)" } }
        let payloads = Set(stored.filter(Self.isPayload))
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { throw Unreadable(name: path) }
        self.url = url
        func read(_ name: String, atMost limit: Int) throws(Unreadable) -> [UInt8] {
            guard let bytes = Self.contents(url.appendingPathComponent(name), atMost: limit) else { throw Unreadable(name: name) }
            return bytes
        }
        manifest = try read(LedgerFile.manifest, atMost: Self.documentBytes)
        contract = try read(LedgerFile.contract, atMost: Self.documentBytes)
        specification = try read(LedgerFile.specification, atMost: Self.documentBytes)

        var known: Set = [LedgerFile.manifest, LedgerFile.contract, LedgerFile.specification, LedgerFile.payloads]
        var lines: [Stored] = []
        var missing: [String] = []
        let present = Set(names)
        for peer in Set(names.compactMap(Self.peer)).sorted().prefix(Self.mostPeers) {
            for direction in Direction.allCases {
                let files = (LedgerFile.records(peer, direction), LedgerFile.heads(peer, direction))
                known.formUnion([files.0, files.1])
                missing += [files.0, files.1].filter { !present.contains($0) }
                let heads = present.contains(files.1) ? try read(files.1, atMost: Self.headsBytes) : []
                let records = present.contains(files.0) ? try read(files.0, atMost: Self.recordsBytes) : []
                lines.append(Stored(peer: peer, direction: direction, records: records, heads: heads))
            }
        }
        for name in names where name.hasSuffix(LedgerFile.bytesSuffix) && lines.contains(where: { LedgerFile.bytes($0.peer) == name }) {
            known.insert(name)
            bytes[String(name.dropLast(LedgerFile.bytesSuffix.count))] = try read(name, atMost: Self.documentBytes)
        }
        if present.contains(LedgerFile.expired) {
            known.insert(LedgerFile.expired)
            expired = try read(LedgerFile.expired, atMost: Self.documentBytes)
        }
        self.lines = lines
        self.missing = missing
        // Folders of payloads are no files of their own, nor are those that retention has emptied.
        known.formUnion(payloads.union(stored.filter(Self.isPayloadFolder)))
        self.payloads = payloads
        let others = (names + stored).filter { !known.contains($0) }.sorted()
        drafts = others.filter(Self.isDraft)
        unexpected = others.filter { !Self.isDraft($0) }
    }

    /// As `writeOnce` names them.
    private static func isDraft(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: "."), name[..<dot].hasSuffix(".json") else { return false }
        let digits = name.utf8[name.index(after: dot)...]
        return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isPayload(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.count == 3 && parts[1].count == 2 && parts[2].count == 64 && parts[2].starts(with: parts[1]) && parts[2].allSatisfy(isDigit)
    }

    private static func isPayloadFolder(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.count == 2 && parts[1].count == 2 && parts[1].allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// As if one file held other bytes; as it is where there is no document, records or heads of that name.
    package func replacing(_ name: String, with bytes: [UInt8]) -> LedgerDirectory {
        var changed = self
        switch name {
        case LedgerFile.manifest: changed.manifest = bytes
        case LedgerFile.contract: changed.contract = bytes
        case LedgerFile.specification: changed.specification = bytes
        case LedgerFile.expired: changed.expired = bytes
        default:
            for (index, line) in lines.enumerated() {
                if name == LedgerFile.records(line.peer, line.direction) { changed.lines[index].records = bytes }
                if name == LedgerFile.bytes(line.peer) { changed.bytes[line.peer] = bytes }
                if name == LedgerFile.heads(line.peer, line.direction) { changed.lines[index].heads = bytes }
            }
        }
        return changed
    }

    /// The peer whose line a file belongs to.
    private static func peer(_ name: String) -> String? {
        for direction in Direction.allCases {
            for suffix in [LedgerFile.records("", direction), LedgerFile.heads("", direction)] where name.hasSuffix(suffix) {
                let peer = String(name.dropLast(suffix.count))
                if !peer.isEmpty { return peer }
            }
        }
        return nil
    }

    /// The stored payload of that digest, its bytes not compared with it; nothing where none is stored, or more than `limit`
    /// bytes are.
    package func payload(_ digest: [UInt8], atMost limit: Int) -> [UInt8]? {
        Self.contents(url.appendingPathComponent(LedgerFile.payload(digest)), atMost: limit)
    }

    static func contents(_ url: URL, atMost limit: Int) -> [UInt8]? {
        let descriptor = Foundation.open(url.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else { return nil }
        let count = Int(status.st_size)
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            while done < count {
                let read = Foundation.read(descriptor, buffer.baseAddress?.advanced(by: done), count - done)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { break }
                done += read
            }
            isWhole = done == count
        }
        return isWhole ? bytes : nil
    }
}

/// Notes of a heads file, each followed by an empty line.
package enum HeadFile {
    /// Where a note starts in the file, and the note unless it is malformed.
    package struct Entry: Sendable {
        package let offset: Int
        package let note: SignedNote?
        /// What the note signs; nothing where it is none, or signs something else.
        package let head: Head?
    }

    package static func entries(_ bytes: [UInt8]) -> [Entry] { Array(Reader(bytes)) }

    /// One entry after another; a file that goes on behind something malformed is cut at the next two empty lines.
    package struct Reader: Sequence, IteratorProtocol {
        private let bytes: [UInt8]
        private var start = 0

        package init(_ bytes: [UInt8]) { self.bytes = bytes }

        package mutating func next() -> Entry? {
            guard start < bytes.count else { return nil }
            let end = HeadFile.end(bytes, from: start)
            defer { start = end ?? bytes.count }
            // The file's empty line is not the note's.
            let note = end.map { try? SignedNote.decode(bytes[start..<$0 - 1]) } ?? nil
            return Entry(offset: start, note: note, head: note.flatMap { Head(text: $0.text) })
        }
    }

    /// Whether a note that starts there is followed by its empty lines.
    static func isWhole(_ bytes: [UInt8], from start: Int) -> Bool { end(bytes, from: start) != nil }

    /// Behind the second empty line: the first closes the text, the second the signatures.
    private static func end(_ bytes: [UInt8], from start: Int) -> Int? {
        let lineBreak = UInt8(ascii: "\n")
        var isAfterText = false
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == lineBreak, bytes[index + 1] == lineBreak {
                if isAfterText { return index + 2 }
                isAfterText = true
                index += 1
            }
            index += 1
        }
        return nil
    }
}
