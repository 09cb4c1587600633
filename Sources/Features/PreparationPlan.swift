import Faults
import Foundation
import Jobs
import Tables

/// How an owner turns its declared features into columns of the model, fixed by the training rows and stored with the
/// model, so that scoring treats later rows in the same way.
///
/// The treatment is that of `Protocols/specification.md`, "Treatment of features". The plan holds means, deviations
/// and level names of its owner's data and never leaves the owner.
package struct PreparationPlan: Sendable, Hashable, Codable {
    /// A column in which fewer training rows differ from its commonest value is dropped: its gradient would add up the
    /// residuals of so few subjects that their labels could be read from it.
    package static let minimumVaryingRows = 50

    /// No prepared value is larger in magnitude.
    static let largestValue = Double(1 << 20)

    /// How one prepared column follows from one table column.
    enum Treatment: Sendable, Hashable, Codable {
        case standardised(Standardisation)
        /// The flag itself; missing is 0.
        case flag
        /// 1 where the category is that level.
        case level(String)
        /// 1 where the value is missing.
        case missing
    }

    struct Output: Sendable, Hashable, Codable {
        var name: String
        /// Column of the table.
        var column: String
        var treatment: Treatment
        var fractionBits: Int

        var upperBound: Int32 {
            guard case .standardised(let treatment) = treatment else { return 1 }
            return Standardisation.rounded(treatment.clip, fractionBits)
        }

        var lowerBound: Int32 {
            guard case .standardised = treatment else { return 0 }
            return -upperBound
        }
    }

    package let features: [JobSpecification.Feature]
    /// Levels of each category among the training rows, sorted by code points; the first is the base.
    var levels: [String: [String]]
    var outputs: [Output]
    var dropped: [PreparationReport.Dropped]

    /// Names of the columns that `apply` makes, in order.
    package var columnNames: [String] { outputs.map(\.name) }

    /// What a table must be read with for this plan.
    package var requests: [ColumnRequest] { Self.requests(for: features) }

    /// What a table must be read with for these features.
    package static func requests(for features: [JobSpecification.Feature]) -> [ColumnRequest] {
        features.map { ColumnRequest(name: $0.column, kind: .init($0.type)) }
    }

    /// Whether `fit` could have made it; one that was stored may say anything. Its columns are then those of its outputs.
    package var isWellFormed: Bool {
        let columns = Set(features.map(\.column))
        return columns.count == features.count && Set(columnNames).count == outputs.count
            && features.allSatisfy { $0.derive?.windowMonths.map(JobSpecification.Derivation.windowMonthsBounds.contains) ?? true }
            && outputs.allSatisfy { columns.contains($0.column) && $0.isWellFormed }
    }

    /// Prepares table rows, in the order of `rows`.
    /// - Throws: `.missingColumn` where the table was read without a column or with another kind,
    ///   `.missingValueRefused` with the line, `.defect` for a plan that `fit` cannot have made.
    package func apply(to table: Table, rows: [Int]) throws(Fault) -> PreparedColumns {
        var prepared = PreparedColumns(rowCount: rows.count, columns: [], report: .init(kept: columnNames, dropped: dropped))
        for feature in features {
            let column = try Self.column(of: feature, in: table, rows: rows)
            let missing = column.missing.count(where: \.self)
            if missing > 0 { prepared.report.missing[feature.column] = missing }
            let unseen = unseenLevels(in: column, of: feature)
            if unseen > 0 { prepared.report.unseenLevels[feature.column] = unseen }
            for output in outputs where output.column == feature.column {
                prepared.columns.append(PreparedColumn(
                    name: output.name, fractionBits: output.fractionBits, values: try output.values(of: column),
                    lowerBound: output.lowerBound, upperBound: output.upperBound))
            }
        }
        return prepared
    }

    /// Standardised columns as they are before they are rounded to `fractionBits`, for a search of what a node keeps; NaN
    /// where a value is missing. Never leaves the owner.
    /// - Throws: `.missingColumn` where the table was read without a column or with another kind.
    package func standardised(in table: Table, rows: [Int]) throws(Fault) -> [(column: String, values: [Double])] {
        var found: [(column: String, values: [Double])] = []
        for output in outputs {
            guard case .standardised(let treatment) = output.treatment else { continue }
            guard case .numbers(let numbers)? = table[output.column] else { throw Fault(.missingColumn, at: table.file, output.column) }
            found.append((output.column, rows.map { numbers[$0].isNaN ? .nan : treatment.standardised(numbers[$0]) }))
        }
        return found
    }

    /// The values of one declared feature, in the order of `rows`, provided that its policy allows them.
    static func column(of feature: JobSpecification.Feature, in table: Table, rows: [Int]) throws(Fault) -> Column {
        guard let column = table[feature.column], column.kind == ColumnKind(feature.type) else {
            throw Fault(.missingColumn, at: table.file, feature.column)
        }
        let selected = column.selecting(rows)
        if feature.missing == .refuse, let first = selected.missing.firstIndex(of: true) {
            throw Fault(.missingValueRefused, at: table.place(ofRow: rows[first]), feature.column)
        }
        return selected
    }

    private func unseenLevels(in column: Column, of feature: JobSpecification.Feature) -> Int {
        guard case .categories(let codes, let names) = column, let levels = levels[feature.column] else { return 0 }
        let seen = Set(levels)
        let isUnseen = names.map { !seen.contains($0) }
        return codes.count { $0 >= 0 && isUnseen[Int($0)] }
    }
}

extension PreparationPlan.Output {
    fileprivate var isWellFormed: Bool {
        guard case .standardised(let treatment) = treatment else { return fractionBits == 0 }
        return treatment.isValid(fractionBits: fractionBits)
    }

    /// The prepared values of the column's rows.
    func values(of column: Column) throws(Fault) -> [Int32] {
        switch (treatment, column) {
        case (.standardised(let treatment), .numbers(let numbers)):
            guard treatment.isValid(fractionBits: fractionBits) else { throw Fault(.defect, at: "PreparationPlan") }
            return numbers.map { treatment.prepared($0, fractionBits) }
        case (.flag, .flags(let flags)):
            return flags.map { $0 == 1 ? 1 : 0 }
        case (.level(let level), .categories(let codes, let levels)):
            guard let code = levels.firstIndex(of: level) else { return [Int32](repeating: 0, count: codes.count) }
            return codes.map { $0 == Int32(code) ? 1 : 0 }
        case (.missing, _):
            return column.missing.map { $0 ? 1 : 0 }
        default:
            throw Fault(.defect, at: "PreparationPlan")
        }
    }
}

/// The treatment of a number: cap, logarithm, standardisation, clip, in that order.
struct Standardisation: Sendable, Hashable, Codable {
    /// Lower and upper bound.
    var cap: [Double]?
    var log1p: Bool
    var mean = 0.0
    var deviation = 1.0
    /// In deviations.
    var clip: Double

    /// What comes before standardising.
    func transformed(_ value: Double) -> Double {
        var value = value
        if let cap, let lower = cap.first, let upper = cap.last { value = min(max(value, lower), upper) }
        return log1p ? Foundation.log1p(max(value, 0)) : value
    }

    /// 0, the mean, where the value is missing.
    func prepared(_ value: Double, _ fractionBits: Int) -> Int32 {
        value.isNaN ? 0 : Self.rounded(standardised(value), fractionBits)
    }

    /// Clipped.
    func standardised(_ value: Double) -> Double { min(max((transformed(value) - mean) / deviation, -clip), clip) }

    /// To the nearest multiple of `2^-fractionBits`, ties to even.
    static func rounded(_ value: Double, _ fractionBits: Int) -> Int32 {
        Int32((value * Double(1 << fractionBits)).rounded(.toNearestOrEven))
    }

    func isValid(fractionBits: Int) -> Bool {
        (0...20).contains(fractionBits) && mean.isFinite && deviation.isFinite && deviation > 0 && clip > 0
            && clip * Double(1 << fractionBits) <= PreparationPlan.largestValue
    }
}

extension ColumnKind {
    /// How a table reads a declared feature.
    package init(_ type: JobSpecification.FeatureType) {
        self =
            switch type {
            case .number: .number
            case .category: .category
            case .flag: .flag
            }
    }
}

extension IdentifierKind {
    /// How a table reads a declared identifier.
    package init(_ type: JobSpecification.IdentifierType) {
        self =
            switch type {
            case .uscc: .creditCode
            case .text: .text
            }
    }
}
