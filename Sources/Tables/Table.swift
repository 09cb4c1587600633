/// How the cells of a column are read.
package enum ColumnKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Decimal numbers.
    case number
    /// Names of levels.
    case category
    /// 0, 1, true, false.
    case flag
    /// Cells as written, trimmed; no spelling counts as missing.
    case text
}

package enum IdentifierKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Unified social credit codes; see ``CreditCode``.
    case creditCode
    /// Any text that is not empty, trimmed.
    case text
}

package struct ColumnRequest: Sendable, Hashable {
    package var name: String
    package var kind: ColumnKind

    package init(name: String, kind: ColumnKind) {
        self.name = name
        self.kind = kind
    }
}

/// The values of a column in the table's row order.
package enum Column: Sendable, Hashable {
    /// NaN is missing; all others are finite.
    case numbers([Double])
    /// Indexes into `levels`, -1 is missing. Levels are distinct, in order of appearance; one may have no row.
    case categories(codes: [Int32], levels: [String])
    /// 0 or 1, -1 is missing.
    case flags([Int8])
    case text([String])

    package var kind: ColumnKind {
        switch self {
        case .numbers: .number
        case .categories: .category
        case .flags: .flag
        case .text: .text
        }
    }

    package var count: Int {
        switch self {
        case .numbers(let values): values.count
        case .categories(let codes, _): codes.count
        case .flags(let values): values.count
        case .text(let cells): cells.count
        }
    }

    /// Which rows have no value. Text always has one.
    package var missing: [Bool] {
        switch self {
        case .numbers(let values): values.map(\.isNaN)
        case .categories(let codes, _): codes.map { $0 < 0 }
        case .flags(let values): values.map { $0 < 0 }
        case .text(let cells): [Bool](repeating: false, count: cells.count)
        }
    }

    /// The values of `rows`, in their order.
    package func selecting(_ rows: [Int]) -> Column {
        switch self {
        case .numbers(let values): .numbers(rows.map { values[$0] })
        case .categories(let codes, let levels): .categories(codes: rows.map { codes[$0] }, levels: levels)
        case .flags(let values): .flags(rows.map { values[$0] })
        case .text(let cells): .text(rows.map { cells[$0] })
        }
    }
}

/// The requested columns of one owner's data set, one row per subject. Everything in it stays with the owner.
package struct Table: Sendable {
    /// Name of the file, for the places of faults.
    package let file: String
    /// Distinct, normalised, in the order of the file.
    package let identifiers: [String]
    /// Line of the file on which each row starts, from 1.
    package let lines: [Int]
    private let columns: [String: Column]

    /// All columns have as many rows as there are identifiers. Without `lines`, rows follow a header line by line.
    package init(file: String, identifiers: [String], lines: [Int]? = nil, columns: [String: Column]) {
        let lines = lines ?? Array(2..<(identifiers.count + 2))
        precondition(lines.count == identifiers.count && columns.values.allSatisfy { $0.count == identifiers.count })
        self.file = file
        self.identifiers = identifiers
        self.lines = lines
        self.columns = columns
    }

    package var rowCount: Int { identifiers.count }

    /// The column of that name, nil where it was not requested.
    package subscript(column: String) -> Column? { columns[column] }

    /// `file:line` of a row.
    package func place(ofRow row: Int) -> String { "\(file):\(lines[row])" }

    /// The table of these rows alone, in their order.
    package func selecting(_ rows: [Int]) -> Table {
        Table(file: file, identifiers: rows.map { identifiers[$0] }, lines: rows.map { lines[$0] }, columns: columns.mapValues { $0.selecting(rows) })
    }

    /// Whether a cell, trimmed, spells no value.
    package static func isMissing(_ cell: String) -> Bool {
        let bytes = cell.utf8Span.span
        return Cell.isMissing(bytes.extracting(Blank.trimmed(bytes)))
    }

    /// The number that a cell spells, as columns of numbers read it; nil where it spells none.
    package static func number(_ cell: String) -> Double? { Cell.number(cell.utf8Span.span) }
}
