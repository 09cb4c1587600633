import Faults
import Jobs
import Tables

extension PreparationPlan {
    /// Fixes the treatment of `features` from the training rows alone.
    ///
    /// `fractionBits` (0 to 20) is the precision of standardised columns. The plan may end without a column; whether
    /// that ends the job is for the caller to say.
    /// - Throws: `.emptyTable` without training rows, `.missingColumn` where the table was read without a column or with
    ///   another kind, `.missingValueRefused` with the line, `.duplicateName` where two prepared columns would have one
    ///   name, `.valueOutOfRange` for a clip too large for the precision.
    package static func fit(
        features: [JobSpecification.Feature], table: Table, trainingRows: [Int], fractionBits: Int
    ) throws(Fault) -> PreparationPlan {
        guard !trainingRows.isEmpty else { throw Fault(.emptyTable, at: table.file) }
        var fitting = Fitting(table: table, rows: trainingRows, fractionBits: fractionBits)
        for feature in features { try fitting.add(feature) }
        return PreparationPlan(
            features: features, levels: fitting.levels, outputs: fitting.outputs, dropped: fitting.dropped)
    }
}

/// Columns as they are found worth keeping. Prepared values are made anew when they are wanted, so
/// that memory holds one column at a time.
private struct Fitting {
    typealias Output = PreparationPlan.Output

    let table: Table
    let rows: [Int]
    let fractionBits: Int
    var levels: [String: [String]] = [:]
    var outputs: [Output] = []
    var dropped: [PreparationReport.Dropped] = []
    private var names: Set<String> = []
    private var outputsOfHash: [Int: [Output]] = [:]

    init(table: Table, rows: [Int], fractionBits: Int) {
        self.table = table
        self.rows = rows
        self.fractionBits = fractionBits
    }

    mutating func add(_ feature: JobSpecification.Feature) throws(Fault) {
        let column = try PreparationPlan.column(of: feature, in: table, rows: rows)
        switch column {
        case .numbers(let numbers):
            try addNumber(feature, numbers, column)
        case .categories(let codes, let names):
            try addLevels(feature, codes, names, column)
        case .flags, .text:
            try screen(Output(name: feature.column, column: feature.column, treatment: .flag, fractionBits: 0), column)
        }
        if feature.missing == .indicator, column.missing.contains(true) {
            let name = "\(feature.column).missing"
            try screen(Output(name: name, column: feature.column, treatment: .missing, fractionBits: 0), column)
        }
    }

    private mutating func addNumber(
        _ feature: JobSpecification.Feature, _ numbers: [Double], _ column: Column
    ) throws(Fault) {
        guard let clip = feature.clip else { throw Fault(.defect, at: "PreparationPlan.fit") }
        var treatment = Standardisation(cap: feature.cap, log1p: feature.log1p, clip: clip)
        guard treatment.isValid(fractionBits: fractionBits) else {
            throw Fault(.valueOutOfRange, at: feature.column, "clip", "2^20 / 2^\(fractionBits)")
        }
        let present = numbers.filter { !$0.isNaN }.map(treatment.transformed)
        guard let least = present.min(), let greatest = present.max() else { return try drop(feature.column, .allMissing) }
        let count = Double(present.count)
        treatment.mean = present.reduce(0, +) / count
        let squares = present.reduce(0) { $0 + ($1 - treatment.mean) * ($1 - treatment.mean) }
        treatment.deviation = (squares / count).squareRoot()
        guard greatest > least, treatment.deviation > 0 else { return try drop(feature.column, .constant) }
        let output = Output(
            name: feature.column, column: feature.column, treatment: .standardised(treatment), fractionBits: fractionBits)
        try screen(output, column)
    }

    private mutating func addLevels(
        _ feature: JobSpecification.Feature, _ codes: [Int32], _ names: [String], _ column: Column
    ) throws(Fault) {
        var counts = [Int](repeating: 0, count: names.count)
        for code in codes where code >= 0 { counts[Int(code)] += 1 }
        let present = names.indices.filter { counts[$0] > 0 }
            .sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
        levels[feature.column] = present.map { names[$0] }
        if present.isEmpty { return try drop(feature.column, .allMissing) }
        if present.count == 1 { return try drop(feature.column, .constant) }
        for index in present.dropFirst() {
            let name = "\(feature.column)=\(names[index])"
            if counts[index] < feature.minimumCount {
                try drop(name, .rareLevel)
            } else {
                let treatment = PreparationPlan.Treatment.level(names[index])
                try screen(Output(name: name, column: feature.column, treatment: treatment, fractionBits: 0), column)
            }
        }
    }

    /// Keeps the column if it varies enough on the training rows and repeats no earlier one.
    private mutating func screen(_ output: Output, _ column: Column) throws(Fault) {
        let values = try output.values(of: column)
        var counts = [Int](repeating: 0, count: Int(output.upperBound) - Int(output.lowerBound) + 1)
        for value in values { counts[Int(value) - Int(output.lowerBound)] += 1 }
        let varying = values.count - (counts.max() ?? 0)
        guard varying > 0 else { return try drop(output.name, .constant) }
        guard varying >= PreparationPlan.minimumVaryingRows else { return try drop(output.name, .sparse) }

        let hash = values.hashValue
        for earlier in outputsOfHash[hash, default: []] where earlier.fractionBits == output.fractionBits {
            if let source = table[earlier.column], try earlier.values(of: source.selecting(rows)) == values {
                return try drop(output.name, .duplicate, of: earlier.name)
            }
        }
        outputsOfHash[hash, default: []].append(output)
        try claim(output.name)
        outputs.append(output)
    }

    private mutating func drop(
        _ name: String, _ reason: PreparationReport.DropReason, of earlier: String? = nil
    ) throws(Fault) {
        try claim(name)
        dropped.append(.init(name: name, reason: reason, duplicateOf: earlier))
    }

    private mutating func claim(_ name: String) throws(Fault) {
        guard names.insert(name).inserted else { throw Fault(.duplicateName, at: table.file, name) }
    }
}
