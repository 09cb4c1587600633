import Faults
import Foundation

/// Where a data set lies and how it is written: the one way by which rows come in.
package struct DataSource: Sendable, Hashable {
    package enum Encoding: String, Sendable, Hashable, Codable, CaseIterable {
        case utf8 = "utf-8"
        /// With GBK and GB2312, which are parts of it.
        case gb18030
    }

    package enum Separator: String, Sendable, Hashable, Codable, CaseIterable {
        case comma = ","
        case semicolon = ";"
        case tab

        var byte: UInt8 {
            switch self {
            case .comma: UInt8(ascii: ",")
            case .semicolon: UInt8(ascii: ";")
            case .tab: UInt8(ascii: "\t")
            }
        }
    }

    package enum Form: Sendable, Hashable {
        /// A `sep=` line at the beginning of the file takes precedence over the separator.
        case text(Encoding, Separator)
        /// A text in UTF-8 with commas that is on no disk; the URL only names it.
        case memory([UInt8])
        /// A table or a view of an SQLite database.
        case database(table: String)
    }

    package let url: URL
    package let form: Form

    package init(_ url: URL, _ form: Form = .text(.utf8, .comma)) {
        self.url = url
        self.form = form
    }

    /// The file's name without its directories, and the table's: what faults and reports give as the place.
    package var name: String {
        switch form {
        case .text, .memory: url.lastPathComponent
        case .database(let table): "\(url.lastPathComponent)/\(table)"
        }
    }

    /// Calls `header` once with the trimmed column names, then `row` with every record, all of them at least as wide as
    /// the header. One pass, constant memory.
    ///
    /// As spreadsheets write them, columns at the end that have no name, fields beyond the header that are blank and
    /// records of blanks alone are passed over.
    /// - Returns: how a text file is written; nil for a database.
    /// - Throws: `.unreadableFile`, `.emptyTable` for a file without a header, and whatever `header` and `row` throw. Of text
    ///   files `.malformedCSV`, `.notUTF8`, `.malformedText`, `.separatorNotSaid`, `.tableNotSaid`, `.spreadsheetFile`; of
    ///   databases `.malformedDatabase`, `.unknownTable`, `.lockedDatabase`, `.notUTF8`.
    @discardableResult
    package func read(
        header: ([String]) throws(Fault) -> Void, row: (TableRecord) throws(Fault) -> Void
    ) throws(Fault) -> Writing? {
        switch form {
        case .text(let encoding, let separator):
            return try TextFile(url: url, encoding: encoding, separator: separator).read(header: header, row: row)
        case .memory(let contents):
            return try TextFile(url: url, encoding: .utf8, separator: .comma, contents: contents).read(header: header, row: row)
        case .database(let table):
            try DatabaseTable(url: url, table: table, name: name).read(header: header, row: row)
            return nil
        }
    }
}

extension DataSource {
    /// How a text file turned out to be written.
    package struct Writing: Sendable, Hashable, Codable {
        package var encoding: Encoding
        package var separator: Separator
        package var hasByteOrderMark = false
        package var hasSeparatorLine = false
        /// Ends of lines outside of quotes: LF alone, and CR LF.
        package var lineFeeds = 0
        package var carriageReturnLineFeeds = 0
        /// Lines without anything but blanks and separators, which were passed over.
        package var blankLines = 0
    }

    /// What the bytes of a text file speak for: UTF-8 where all of them are; GB18030 where all of them are that, and those
    /// beyond ASCII are for the most part not also UTF-8. For what a person is told, never for reading: a damaged UTF-8
    /// file most often passes for GB18030, with every character wrong.
    ///
    /// Throws `.unreadableFile`. What can be read only once, a pipe, counts as UTF-8.
    package func likelyEncoding() throws(Fault) -> Encoding {
        try TextFile(url: url, encoding: .utf8, separator: .comma).likelyEncoding()
    }
}

/// One record of a data set.
package struct TableRecord: Sendable {
    /// Line of a text file on which the record starts, or number of a database's row, from 1.
    package var line = 1
    /// The fields' bytes, UTF-8, one byte between neighbours.
    var bytes: [UInt8] = []
    var ends: [Int] = []

    package var count: Int { ends.count }

    /// Where field `index` lies in `bytes`.
    func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1] + 1)..<ends[index]
    }

    package func text(_ index: Int) -> String {
        Cell.text(bytes.span.extracting(range(index)))
    }

    /// Whether no field from `index` on holds anything but blanks.
    func isBlank(from index: Int = 0) -> Bool {
        (index..<count).allSatisfy { Blank.trimmed(bytes.span.extracting(range($0))).isEmpty }
    }

    var trimmedNames: [String] {
        (0..<count).map { index in
            let field = bytes.span.extracting(range(index))
            return Cell.text(field.extracting(Blank.trimmed(field)))
        }
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}
