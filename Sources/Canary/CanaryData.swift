import Faults
import Foundation
import Tables

/// A data set whose values are looked for: its cells as written, and as numbers where they are some.
package struct CanaryData: Sendable {
    package struct Column: Sendable {
        package let name: String
        /// What was made of the column as written, where this is not that column: numbers alone.
        package fileprivate(set) var treatment: Phrase?
        /// Distinguishes subjects: searched whatever the rule says of chance.
        package fileprivate(set) var isIdentifier = false
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []
        /// By row; NaN where the cell is none.
        fileprivate(set) var numbers: [Double] = []
        /// Line of the file for each row.
        fileprivate(set) var lines: [Int] = []

        package var rowCount: Int { lines.count }

        /// Mean 0 and variance 1 over all rows; nothing for a column without numbers, or with one number alone.
        fileprivate var standardised: Column? {
            let present = numbers.filter(\.isFinite)
            let mean = present.reduce(0, +) / Double(max(1, present.count))
            let deviation = (present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, present.count))).squareRoot()
            guard deviation > 0, deviation.isFinite else { return nil }
            var column = Column(name: name)
            column.treatment = Phrase(en: "standardised over the whole file", zh: "按整个文件标准化")
            column.numbers = numbers.map { ($0 - mean) / deviation }
            column.lines = lines
            return column
        }

        /// UTF-8, trimmed, the first `mostCellBytes` of it.
        func cell(_ row: Int) -> ArraySlice<UInt8> { bytes[(row == 0 ? 0 : ends[row - 1])..<ends[row]] }

        fileprivate mutating func append(_ text: String, line: Int) {
            lines.append(line)
            bytes += Array(text.utf8).prefix(CanaryData.mostCellBytes)
            ends.append(bytes.count)
            numbers.append(Table.number(text) ?? .nan)
        }
    }

    static let mostCellBytes = 256

    package private(set) var columns: [Column] = []
    package let rowCount: Int

    /// - Parameter identifier: name of the column of identifiers; without it, those whose cells are all there and distinct
    ///   and no numbers.
    /// - Throws: faults of the file; `missingColumn`.
    package init(_ source: DataSource, identifier: String?) throws(Fault) {
        var columns: [Column] = []
        var count = 0
        try source.read { names throws(Fault) in
            columns = names.map { Column(name: $0) }
        } row: { record throws(Fault) in
            count += 1
            for index in columns.indices { columns[index].append(record.text(index).trimmingCharacters(in: .whitespaces), line: record.line) }
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
        rowCount = count
        self.columns = columns + columns.compactMap(\.standardised)
    }

    /// Adds what a job made of a column.
    ///
    /// - Parameters:
    ///   - numbers: in the order in which the job has its rows; NaN where there is none.
    ///   - lines: of the file, for each of them.
    package mutating func add(_ name: String, _ treatment: Phrase, numbers: [Double], lines: [Int]) {
        precondition(numbers.count == lines.count)
        var column = Column(name: name)
        column.treatment = treatment
        column.numbers = numbers
        column.lines = lines
        columns.append(column)
    }
}
