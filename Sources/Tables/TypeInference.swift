import Faults
import Foundation

/// What the cells of a column look like, over a whole data set.
package struct InferredColumn: Sendable, Hashable, Codable {
    package var name: String
    package var kind: ColumnKind
    /// Cells, missing ones included.
    package var rows: Int
    package var missing: Int
    /// Distinct present cells, nil where there are more than ``Table/inferredLevelLimit``.
    package var distinct: Int?
}

extension Table {
    /// A column of text with more distinct cells than this is taken for free text, not for a category.
    package static let inferredLevelLimit = 100

    /// Guesses the kind of every column: flag where all present cells are 0 or 1, number where all are numbers,
    /// category where they are few, text otherwise. For proposals to a person, never for reading.
    package static func inferTypes(from source: DataSource) throws(Fault) -> [InferredColumn] {
        var columns: [Impression] = []
        try source.read { names throws(Fault) in
            columns = names.map { Impression(name: $0) }
        } row: { record throws(Fault) in
            for index in columns.indices {
                let field = record.bytes.span.extracting(record.range(index))
                columns[index].take(field.extracting(Blank.trimmed(field)))
            }
        }
        return columns.map(\.conclusion)
    }
}

private struct Impression {
    let name: String
    private var present = 0
    private var missing = 0
    private var areFlags = true
    private var areNumbers = true
    private var levels: Set<String>? = []

    init(name: String) {
        self.name = name
    }

    mutating func take(_ cell: Span<UInt8>) {
        if Cell.isMissing(cell) {
            missing += 1
            return
        }
        present += 1
        if areFlags { areFlags = Cell.flag(cell) != nil }
        if areNumbers { areNumbers = Cell.number(cell) != nil }
        levels?.insert(Cell.text(cell))
        if let count = levels?.count, count > Table.inferredLevelLimit { levels = nil }
    }

    var conclusion: InferredColumn {
        let kind: ColumnKind =
            switch (present > 0, areFlags, areNumbers, levels != nil) {
            case (true, true, _, _): .flag
            case (true, false, true, _): .number
            case (true, false, false, true): .category
            default: .text
            }
        return InferredColumn(name: name, kind: kind, rows: present + missing, missing: missing, distinct: levels?.count)
    }
}
