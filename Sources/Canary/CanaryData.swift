import Faults
import Foundation
import Tables

/// A data set whose values are looked for: its cells as written, and as numbers where they are some.
package struct CanaryData: Sendable {
    package struct Column: Sendable {
        package let name: String
        /// Distinguishes subjects: searched whatever the rule says of chance.
        package fileprivate(set) var isIdentifier = false
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []
        /// By row; NaN where the cell is none.
        fileprivate(set) var numbers: [Double] = []

        package var rowCount: Int { ends.count }

        /// UTF-8, trimmed, the first `mostCellBytes` of it.
        func cell(_ row: Int) -> ArraySlice<UInt8> { bytes[(row == 0 ? 0 : ends[row - 1])..<ends[row]] }

        fileprivate mutating func append(_ text: String) {
            bytes += Array(text.utf8).prefix(CanaryData.mostCellBytes)
            ends.append(bytes.count)
            numbers.append(Table.number(text) ?? .nan)
        }
    }

    static let mostCellBytes = 256

    package private(set) var columns: [Column] = []
    /// Line of the file for each row.
    package private(set) var lines: [Int] = []

    /// - Parameter identifier: name of the column of identifiers; without it, those whose cells are all there and distinct
    ///   and no numbers.
    /// - Throws: faults of the file; `missingColumn`.
    package init(_ source: DataSource, identifier: String?) throws(Fault) {
        var columns: [Column] = []
        var lines: [Int] = []
        try source.read { names throws(Fault) in
            columns = names.map { Column(name: $0) }
        } row: { record throws(Fault) in
            lines.append(record.line)
            for index in columns.indices { columns[index].append(record.text(index).trimmingCharacters(in: .whitespaces)) }
        }
        if let identifier {
            guard let index = columns.firstIndex(where: { $0.name == identifier }) else { throw Fault(.missingColumn, at: source.name, identifier) }
            columns[index].isIdentifier = true
        } else {
            for index in columns.indices {
                let column = columns[index]
                let isText = column.numbers.contains { $0.isNaN }
                columns[index].isIdentifier = isText && Set((0..<column.rowCount).map { column.cell($0) }).count == column.rowCount
                    && !(0..<column.rowCount).contains { column.cell($0).isEmpty }
            }
        }
        self.columns = columns
        self.lines = lines
    }
}
