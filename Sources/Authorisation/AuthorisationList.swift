import Faults
import Foundation
import Jobs
import Ledger
import Tables

enum SubjectName {
    /// A credit code in its one spelling; any other text as it is, trimmed.
    static func normalise(_ text: String) -> String? { IdentifierKind.creditCode.normalise(text) ?? IdentifierKind.text.normalise(text) }
}

/// The platform's list of authorisations: lines that are only ever added, authorisations and withdrawals, under one Merkle root
/// (RFC 6962). Source: `Protocols/authorisations.md`.
package struct AuthorisationList: Sendable {
    package static let fileName = "authorisations.jsonl"
    /// Lines, and bytes of one.
    private static let mostLines = 20_000_000
    private static let mostLineBytes = 32 << 10

    package struct Entry: Sendable, Hashable {
        package enum Event: Sendable, Hashable {
            case granted(Authorisation)
            /// Of everything that the subject had authorised until then; with items or fields, of those alone.
            case withdrawn(covers: [String])
        }
        /// From 0.
        package let number: Int
        package let subject: String
        package let event: Event
        /// Day of the event, by the node's clock or, of an import, by the list.
        package let on: Day
        /// Who entered it.
        package let by: String
    }

    package private(set) var entries: [Entry] = []
    private var tree = TreeFrontier()
    private var ofSubject: [String: [Int]] = [:]

    package init() {}

    package var size: Int { entries.count }
    /// Over the lines, 32 bytes.
    package var root: [UInt8] { tree.root }

    package func entries(of subject: String) -> [Entry] { (ofSubject[subject] ?? []).map { entries[$0] } }

    // MARK: The file

    /// - Parameters:
    ///   - directory: the node's data directory.
    ///   - size: only so many of the first lines, as the list was once.
    /// - Returns: an empty list where there is no file.
    /// - Throws: `unreadableFile` where a line is not of this form, or there are fewer than `size`.
    package static func read(_ directory: String, size: Int? = nil) throws(Fault) -> AuthorisationList {
        let path = file(directory).path
        var list = AuthorisationList()
        guard FileManager.default.fileExists(atPath: path) else {
            guard (size ?? 0) == 0 else { throw Fault(.unreadableFile, at: path) }
            return list
        }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { throw Fault(.unreadableFile, at: path) }
        let decoder = JSONDecoder()
        for line in [UInt8](data).split(separator: UInt8(ascii: "\n")) {
            if list.size == size { break }
            guard line.count <= mostLineBytes, list.size < mostLines, let document = try? decoder.decode(Line.self, from: Data(line)),
                  list.add(document, Array(line))
            else {
                throw Fault(.unreadableFile, at: "\(path):\(list.size + 1)")
            }
        }
        guard size == nil || list.size == size else { throw Fault(.unreadableFile, at: path) }
        return list
    }

    package static func file(_ directory: String) -> URL { URL(fileURLWithPath: directory, isDirectory: true).appendingPathComponent(fileName) }

    /// Adds events to the file, all or none, and returns the list with them. Two writers at once are kept apart by a lock on the
    /// directory; who reads beside them sees the list as it was, or with all of it.
    ///
    /// - Throws: `unwritable`, `unreadableFile`.
    package static func append(
        _ events: [(subject: String, event: Entry.Event, on: Day)], by: String, to directory: String
    ) throws(Fault) -> AuthorisationList {
        let path = file(directory).path
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Fault(.unwritable, at: path) }
        defer { close(folder) }
        guard flock(folder, LOCK_EX) == 0 else { throw Fault(.unwritable, at: path) }
        var list = try read(directory)
        var bytes = FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for (subject, event, on) in events {
            let line = Line(subject: subject, event: event, on: on, by: by)
            guard let encoded = try? encoder.encode(line), list.add(line, [UInt8](encoded)) else { throw Fault(.defect, at: "AuthorisationList.append") }
            bytes += encoded
            bytes.append(UInt8(ascii: "\n"))
        }
        let aside = path + ".partial"
        let descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: path) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(bytes))
            try handle.synchronize()
        } catch {
            unlink(aside)
            throw Fault(.unwritable, at: path)
        }
        guard rename(aside, path) == 0, fsync(folder) == 0 else { throw Fault(.unwritable, at: path) }
        return list
    }

    private mutating func add(_ line: Line, _ bytes: [UInt8]) -> Bool {
        guard let event = line.entryEvent, SubjectName.normalise(line.subject) == line.subject else { return false }
        ofSubject[line.subject, default: []].append(entries.count)
        entries.append(Entry(number: entries.count, subject: line.subject, event: event, on: line.on, by: line.by))
        tree.append(bytes)
        return true
    }

    private struct Line: Codable {
        let subject: String
        let event: String
        let on: Day
        let by: String
        var covers: [String] = []
        var purpose: String?
        var grantee: String?
        var method: Authorisation.Method?
        var from: Day?
        var until: Day?
        var evidence: String?

        init(subject: String, event: Entry.Event, on: Day, by: String) {
            self.subject = subject
            self.on = on
            self.by = by
            switch event {
            case .withdrawn(let covers):
                self.event = "withdrawn"
                self.covers = covers
            case .granted(let granted):
                self.event = "granted"
                (covers, purpose, grantee, method) = (granted.covers, granted.purpose, granted.grantee, granted.method)
                (from, until, evidence) = (granted.from, granted.until, granted.evidence)
            }
        }

        var entryEvent: Entry.Event? {
            switch event {
            case "withdrawn": return .withdrawn(covers: covers)
            case "granted":
                guard let purpose, let grantee, let method, let from, let until, let evidence else { return nil }
                return .granted(Authorisation(
                    subject: subject, covers: covers, purpose: purpose, grantee: grantee, method: method, from: from, until: until,
                    evidence: evidence))
            default: return nil
            }
        }
    }

    // MARK: Lists from outside

    /// Columns of a list that is imported; `withdrawn` may be missing.
    package static let columns = ["subject", "items", "purpose", "grantee", "method", "notice", "valid_from", "valid_until", "evidence"]
    private static let withdrawal = "withdrawn"

    /// Reads a list, all of it or nothing.
    ///
    /// - Parameter today: on which day it is entered.
    /// - Throws: `authorisationRefused` with the line, `missingColumn`, what is wrong with the file.
    package static func importing(_ source: DataSource, today: Day) throws(Fault) -> [(subject: String, event: Entry.Event, on: Day)] {
        var events: [(subject: String, event: Entry.Event, on: Day)] = []
        var positions: [String: Int] = [:]
        try source.read { names throws(Fault) in
            for column in columns + [withdrawal] {
                if let index = names.firstIndex(of: column) { positions[column] = index }
                else if column != withdrawal { throw Fault(.missingColumn, at: source.name, column) }
            }
        } row: { record throws(Fault) in
            func cell(_ column: String) -> String {
                positions[column].map { record.text($0).trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
            }
            let place = "\(source.name):\(record.line)"
            var written = Authorisation.Written()
            (written.subject, written.items, written.purpose) = (cell("subject"), cell("items"), cell("purpose"))
            (written.grantee, written.method, written.notice) = (cell("grantee"), cell("method"), cell("notice"))
            (written.from, written.until, written.evidence) = (cell("valid_from"), cell("valid_until"), cell("evidence"))
            let granted = try Authorisation(written, at: place)
            events.append((granted.subject, .granted(granted), min(today, max(granted.from, Day(number: 0)))))
            let withdrawn = cell(withdrawal)
            guard !withdrawn.isEmpty else { return }
            guard let day = Day(cell: withdrawn), day <= today else {
                throw Fault(.authorisationRefused, at: place, "withdrawn is a day that has come", "withdrawn 须为已到来的日期")
            }
            events.append((granted.subject, .withdrawn(covers: granted.covers), day))
        }
        return events
    }
}
