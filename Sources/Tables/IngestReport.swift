import Faults

/// What the reader of a data set found. Counts, line numbers and column names only; for the owner's eyes.
///
/// `rowsRead = rowsKept + rejected rows + exactDuplicateRows + conflictingRows`.
package struct IngestReport: Sendable, Hashable, Codable {
    /// How many of the lines of each finding are listed.
    package static let listedLines = 5

    package struct Finding: Sendable, Hashable, Codable {
        package var rows = 0
        /// Where the first of them start.
        package var firstLines: [Int] = []

        package init(rows: Int = 0, firstLines: [Int] = []) {
            self.rows = rows
            self.firstLines = firstLines
        }

        mutating func add(line: Int) {
            rows += 1
            if firstLines.count < listedLines { firstLines.append(line) }
        }
    }

    /// Rows with an accepted identifier that had to be rewritten; a row may count under several.
    package struct Normalised: Sendable, Hashable, Codable {
        package var lowerCase = 0
        package var spaces = 0
        package var fullWidth = 0

        package init(lowerCase: Int = 0, spaces: Int = 0, fullWidth: Int = 0) {
            self.lowerCase = lowerCase
            self.spaces = spaces
            self.fullWidth = fullWidth
        }
    }

    package struct Rejection: Sendable, Hashable, Codable {
        package var defect: CreditCodeDefect
        package var found: Finding
    }

    package struct ColumnSummary: Sendable, Hashable, Codable {
        package var name: String
        /// Kept rows without a value.
        package var missing: Int
        /// Distinct levels among the kept rows; categories only.
        package var levels: Int?
    }

    package var file: String
    package var rowsRead = 0
    package var rowsKept = 0
    package var normalised = Normalised()
    /// Rows without a usable identifier, in the order of ``CreditCodeDefect``; only defects that occur.
    package var rejected: [Rejection] = []
    /// Rows that repeat an earlier row of the same subject in every requested column: the first is kept.
    package var exactDuplicates = Finding()
    /// Subjects whose rows contradict each other: none of these rows is kept.
    package var conflictingSubjects = 0
    package var conflictingRows = Finding()
    package var columns: [ColumnSummary] = []

    /// For data sets whose owner wants no row dropped. Throws `.unusableIdentifier`, `.contradictingIdentifier` or
    /// `.repeatedIdentifier`, with the first line and the number of such rows.
    package func requireNoDefects() throws(Fault) {
        func place(_ found: Finding) -> String { "\(file):\(found.firstLines.first ?? 0)" }
        if let rejection = rejected.first {
            let reason = rejection.defect.phrase
            throw Fault(.unusableIdentifier, at: place(rejection.found), "\(rejection.found.rows)", reason.en, reason.zh)
        }
        if conflictingRows.rows > 0 { throw Fault(.contradictingIdentifier, at: place(conflictingRows), "\(conflictingRows.rows)") }
        if exactDuplicates.rows > 0 { throw Fault(.repeatedIdentifier, at: place(exactDuplicates), "\(exactDuplicates.rows)") }
    }
}
