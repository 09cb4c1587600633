import Faults
import Jobs
import Tables

/// The label column of the bank. Never leaves it.
package enum Labels {
    /// What the label column must be read as.
    package static func request(for label: JobSpecification.Label) -> ColumnRequest {
        ColumnRequest(name: label.column, kind: .text)
    }

    /// Whether each of `rows` is bad, in their order. A cell equals a declared value if the texts are the same or both
    /// are the same number ("1" and "1.0"). Rows that are not asked for may hold anything.
    /// - Throws: `.missingColumn`, `.labelNotBinary` with the line.
    package static func read(_ label: JobSpecification.Label, in table: Table, rows: [Int]) throws(Fault) -> [Bool] {
        guard case .text(let cells) = table[label.column] else { throw Fault(.missingColumn, at: table.file, label.column) }
        let bad = Declared(label.bad)
        let good = Declared(label.good)
        var labels: [Bool] = []
        labels.reserveCapacity(rows.count)
        for row in rows {
            let isBad = bad.equals(cells[row])
            guard isBad != good.equals(cells[row]) else {
                throw Fault(.labelNotBinary, at: table.place(ofRow: row), label.column)
            }
            labels.append(isBad)
        }
        return labels
    }

    private struct Declared {
        let text: String
        let number: Double?

        init(_ text: String) {
            self.text = text
            self.number = Table.number(text)
        }

        func equals(_ cell: String) -> Bool {
            if cell == text { return true }
            guard let number else { return false }
            return Table.number(cell) == number
        }
    }
}
