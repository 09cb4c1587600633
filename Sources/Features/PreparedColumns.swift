/// One column of the model in fixed point: the real value is `value / 2^fractionBits`.
package struct PreparedColumn: Sendable, Hashable {
    package var name: String
    /// 0 for columns of zeros and ones.
    package var fractionBits: Int
    /// In the order of the rows that were asked for.
    package var values: [Int32]
    /// The least value that the plan allows, whatever the data hold: no bound tells anything about a row.
    package var lowerBound: Int32
    /// The greatest value that the plan allows.
    package var upperBound: Int32

    package init(name: String, fractionBits: Int, values: [Int32], lowerBound: Int32, upperBound: Int32) {
        self.name = name
        self.fractionBits = fractionBits
        self.values = values
        self.lowerBound = lowerBound
        self.upperBound = upperBound
    }
}

/// One owner's part of the design matrix. Never leaves the owner.
package struct PreparedColumns: Sendable, Hashable {
    package var rowCount: Int
    /// Empty where no column survived the plan.
    package var columns: [PreparedColumn]
    package var report: PreparationReport

    package init(rowCount: Int, columns: [PreparedColumn], report: PreparationReport) {
        self.rowCount = rowCount
        self.columns = columns
        self.report = report
    }
}

/// What became of the declared features, for their owner.
package struct PreparationReport: Sendable, Hashable, Codable {
    package struct Dropped: Sendable, Hashable, Codable {
        package var name: String
        package var reason: DropReason
        /// The kept column that this one repeats.
        package var duplicateOf: String?
    }

    package enum DropReason: String, Sendable, Hashable, Codable {
        /// No training row has a value.
        case allMissing
        /// All training rows have the same value.
        case constant
        /// Fewer than ``PreparationPlan/minimumVaryingRows`` training rows differ from the commonest value.
        case sparse
        /// A level with fewer training rows than the feature's `minimum_count`: merged into the base.
        case rareLevel
        /// The same value as an earlier column on every training row.
        case duplicate
    }

    /// Names of the prepared columns, in order.
    package var kept: [String] = []
    package var dropped: [Dropped] = []
    /// Declared features with missing values among the rows prepared, and how many.
    package var missing: [String: Int] = [:]
    /// Rows whose level no training row had: they count as the base.
    package var unseenLevels: [String: Int] = [:]
}
