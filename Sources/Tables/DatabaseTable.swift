import CSQLite
import Faults
import Foundation

/// A table or a view of an SQLite database, opened for reading alone and read row by row.
///
/// The rows are those of one moment: a single statement reads them all.
struct DatabaseTable {
    /// SQLite allocates nothing larger for a row of the file.
    private static let rowBytesLimit: Int32 = 16 << 20
    /// How long a writer is waited for.
    private static let busyMilliseconds: Int32 = 2_000

    let url: URL
    let table: String
    /// The place of faults.
    let name: String

    /// Numbers come as SQLite holds them, to the last bit; NULL is an empty cell.
    func read(header: ([String]) throws(Fault) -> Void, row: (TableRecord) throws(Fault) -> Void) throws(Fault) {
        guard FileManager.default.isReadableFile(atPath: url.path) else { throw Fault(.unreadableFile, at: url.lastPathComponent) }
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(url.path, &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        defer { sqlite3_close(opened) }
        try check(result)
        guard let database = opened else { throw Fault(.unreadableFile, at: url.lastPathComponent) }
        try check(jl_distrust_schema(database))
        sqlite3_busy_timeout(database, Self.busyMilliseconds)
        sqlite3_limit(database, SQLITE_LIMIT_LENGTH, Self.rowBytesLimit)

        try requireTable(database)
        // A name and nothing else: it is one that the database has, and quoted.
        let statement = try prepare(database, "SELECT * FROM \"\(table.replacing("\"", with: "\"\""))\"")
        defer { sqlite3_finalize(statement) }
        let width = sqlite3_column_count(statement)
        guard width <= CSVScanner.columnLimit else { throw Fault(.malformedDatabase, at: name, "> \(CSVScanner.columnLimit) columns") }
        try header((0..<width).map { column in
            sqlite3_column_name(statement, column).map { String(cString: $0).trimmingCharacters(in: .whitespaces) } ?? ""
        })
        var record = TableRecord()
        while try step(statement) {
            try take(statement, width, into: &record)
            try row(record)
            record.line += 1
        }
    }

    private func requireTable(_ database: OpaquePointer) throws(Fault) {
        let statement = try prepare(database, "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?")
        defer { sqlite3_finalize(statement) }
        try check(jl_bind_text(statement, 1, table, Int32(table.utf8.count)))
        guard !table.utf8.contains(0), try step(statement) else { throw Fault(.unknownTable, at: url.lastPathComponent, table) }
    }

    private func prepare(_ database: OpaquePointer, _ text: String) throws(Fault) -> OpaquePointer? {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(database, text, -1, &statement, nil))
        return statement
    }

    /// Whether there is a row.
    private func step(_ statement: OpaquePointer?) throws(Fault) -> Bool {
        let result = sqlite3_step(statement)
        if result == SQLITE_ROW { return true }
        if result == SQLITE_DONE { return false }
        try check(result)
        return false
    }
    private func take(_ statement: OpaquePointer?, _ width: Int32, into record: inout TableRecord) throws(Fault) {
        record.removeAll()
        for column in 0..<width {
            if column > 0 { record.bytes.append(UInt8(ascii: ",")) }
            switch sqlite3_column_type(statement, column) {
            case SQLITE_NULL: break
            case SQLITE_INTEGER: record.bytes.append(contentsOf: "\(sqlite3_column_int64(statement, column))".utf8)
            case SQLITE_FLOAT: record.bytes.append(contentsOf: "\(sqlite3_column_double(statement, column))".utf8)
            case SQLITE_TEXT:
                guard let text = sqlite3_column_text(statement, column) else { throw outOfMemory }
                try append(UnsafeRawBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column))), to: &record)
            default: throw Fault(.malformedDatabase, at: "\(name):\(record.line)", "BLOB")
            }
            record.ends.append(record.bytes.count)
        }
    }

    private func append(_ text: UnsafeRawBufferPointer, to record: inout TableRecord) throws(Fault) {
        guard text.count <= CSVScanner.fieldLimit, record.bytes.count + text.count <= CSVScanner.recordLimit else {
            throw Fault(.malformedDatabase, at: "\(name):\(record.line)", "> 64 KiB")
        }
        let start = record.bytes.count
        record.bytes.append(contentsOf: text)
        guard (try? UTF8Span(validating: record.bytes.span.extracting(start..<record.bytes.count))) != nil else {
            throw .notUTF8(at: "\(name):\(record.line)")
        }
    }

    /// Throws the fault that a result of SQLite stands for, in SQLite's standing words: its messages of the moment may
    /// name things of the file.
    private func check(_ result: Int32) throws(Fault) {
        switch result & 0xFF {
        case SQLITE_OK: return
        case SQLITE_BUSY, SQLITE_LOCKED: throw Fault(.lockedDatabase, at: name)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: throw Fault(.unreadableFile, at: url.lastPathComponent)
        default: throw Fault(.malformedDatabase, at: name, sqlite3_errstr(result).map { String(cString: $0) } ?? "\(result)")
        }
    }

    private var outOfMemory: Fault { Fault(.malformedDatabase, at: name, "out of memory") }
}
