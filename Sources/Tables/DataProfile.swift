import Faults

/// What a data set looks like: types, gaps, ranges, repetitions. It holds extreme values and names of levels, which may
/// be those of single subjects: for the owner's own screen, never to be sent.
package struct DataProfile: Sendable, Hashable, Codable {
    /// Of the columns' numbers: which shares of all values lie below or at the quantiles.
    package static let shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    /// Most frequent levels that are listed.
    package static let listedLevels = 10

    /// File, and table of a database.
    package var source: String
    /// Of text files.
    package var writing: DataSource.Writing?
    package var rows = 0
    package var columns: [ColumnProfile] = []
    /// Where a column names the subjects.
    package var identifier: IdentifierProfile?
}

extension DataProfile {
    package struct ColumnProfile: Sendable, Hashable, Codable {
        package var name: String
        /// As ``Table/inferTypes(from:)`` has it.
        package var kind: ColumnKind
        /// Rows without a value.
        package var missing: Int
        /// Different cells as written, trimmed, of those that are there.
        package var distinct: Int
        /// Otherwise to about 1.6 %.
        package var isDistinctExact: Bool
        package var numbers: NumberProfile?
        /// Most frequent first; of categories and flags.
        package var levels: [Level] = []
        /// Bytes of the shortest and of the longest cell that is there; of texts.
        package var shortestBytes: Int?
        package var longestBytes: Int?
        /// The other cells of a column of which nine out of ten are numbers, and not all.
        package var notNumbers: IngestReport.Finding?
    }

    package struct NumberProfile: Sendable, Hashable, Codable {
        package var minimum: Double
        package var maximum: Double
        package var mean: Double
        package var zeros: Int
        package var negatives: Int
        /// At ``DataProfile/shares``.
        package var quantiles: [Double]
        /// Otherwise within half a percent of the ranks for millions of rows and up to 500 columns.
        package var areQuantilesExact: Bool
    }

    package struct Level: Sendable, Hashable, Codable {
        package var name: String
        package var rows: Int

        package init(name: String, rows: Int) {
            self.name = name
            self.rows = rows
        }
    }

    /// Rows by what their identifiers are worth. As in ``IngestReport``, but two rows of one subject agree only if all of
    /// their cells do, as written.
    package struct IdentifierProfile: Sendable, Hashable, Codable {
        package var column: String
        package var kind: IdentifierKind
        /// Different usable identifiers.
        package var subjects = 0
        package var normalised = IngestReport.Normalised()
        package var rejected: [IngestReport.Rejection] = []
        package var exactDuplicates = IngestReport.Finding()
        package var conflictingSubjects = 0
        package var conflictingRows = IngestReport.Finding()

        /// Rows that a job would keep if it asked for all columns as text.
        package var keptRows: Int { subjects - conflictingSubjects }
    }
}
