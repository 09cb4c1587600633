import Faults
import Features
import Foundation
import Jobs
import Tables
import Testing

typealias Feature = JobSpecification.Feature

func number(
    _ column: String, cap: [Double]? = nil, log1p: Bool = false, clip: Double = 4, missing: JobSpecification.MissingPolicy = .indicator
) -> Feature {
    var feature = Feature(column: column, type: .number, missing: missing)
    feature.cap = cap
    feature.log1p = log1p
    feature.clip = clip
    return feature
}

func category(_ column: String, minimumCount: Int = 50) -> Feature {
    var feature = Feature(column: column, type: .category)
    feature.minimumCount = minimumCount
    return feature
}

func flag(_ column: String) -> Feature { Feature(column: column, type: .flag) }

func label(column: String, bad: String, good: String) throws -> JobSpecification.Label {
    try JSONDecoder().decode(JobSpecification.Label.self, from: JSONEncoder().encode(["column": column, "bad": bad, "good": good]))
}

private func table(_ columns: [String: Column]) -> Table {
    let rows = columns.values.first?.count ?? 0
    return Table(file: "bank.csv", identifiers: (0..<rows).map { "u\($0)" }, columns: columns)
}

private func prepared(_ features: [Feature], _ table: Table, fractionBits: Int = 8) throws -> PreparedColumns {
    let rows = Array(0..<table.rowCount)
    return try PreparationPlan.fit(features: features, table: table, trainingRows: rows, fractionBits: fractionBits).apply(to: table, rows: rows)
}

private func fault(_ features: [Feature], _ table: Table, fractionBits: Int = 8) -> Fault? {
    do {
        _ = try prepared(features, table, fractionBits: fractionBits)
        return nil
    } catch {
        return error as? Fault
    }
}

private let nan = Double.nan
private let ramp = (0..<200).map(Double.init)

struct NumberPreparationTests {
    @Test("cap, logarithm, standardisation and clip come in this order")
    func order() throws {
        let raw = ramp.map { $0 - 50 } + [1e6]
        let found = try prepared([number("x", cap: [-20, 1000], log1p: true, clip: 1.5)], table(["x": .numbers(raw)]))
        let logs = raw.map { log(1 + max(min(max($0, -20), 1000), 0)) }
        let mean = logs.reduce(0, +) / 201
        let deviation = (logs.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 201).squareRoot()
        let expected = logs.map { Int32((min(max(($0 - mean) / deviation, -1.5), 1.5) * 256).rounded()) }
        #expect(found.columns.map(\.name) == ["x"])
        #expect(found.columns[0].values == expected)
        #expect(found.columns[0].fractionBits == 8)
        #expect(found.columns[0].values[200] == 384)
    }

    @Test("only present training values make mean and deviation; a missing value becomes the mean")
    func training() throws {
        let values = (0..<100).flatMap { _ in [1.0, 3.0, nan] } + [1e9, nan, -1e9]
        let source = table(["x": .numbers(values)])
        let plan = try PreparationPlan.fit(features: [number("x")], table: source, trainingRows: Array(0..<300), fractionBits: 8)
        let found = try plan.apply(to: source, rows: [302, 2, 1, 0, 301, 300])
        #expect(plan.columnNames == ["x", "x.missing"])
        #expect(found.columns[0].values == [-1024, 0, 256, -256, 0, 1024])
        #expect(found.columns[1].values == [0, 1, 0, 0, 1, 0])
        #expect(found.columns[1].fractionBits == 0)
        #expect(found.report.missing == ["x": 2])
    }

    @Test("bounds follow from the plan alone")
    func bounds() throws {
        let found = try prepared([number("x", clip: 3.3), flag("f")], table(["x": .numbers(ramp), "f": .flags((0..<200).map { Int8($0 % 2) })]))
        #expect(found.columns.map(\.upperBound) == [845, 1])
        #expect(found.columns.map(\.lowerBound) == [-845, 0])
        for column in found.columns {
            #expect(column.values.allSatisfy { (column.lowerBound...column.upperBound).contains($0) })
        }
    }

    @Test("a missing value that the policy refuses ends the fit and the application, with its line")
    func refusal() throws {
        let source = table(["x": .numbers(ramp + [nan])])
        #expect(fault([number("x", missing: .refuse)], source) == Fault(.missingValueRefused, at: "bank.csv:202", "x"))
        let plan = try PreparationPlan.fit(features: [number("x", missing: .refuse)], table: source, trainingRows: Array(0..<200), fractionBits: 8)
        #expect(throws: Fault(.missingValueRefused, at: "bank.csv:202", "x")) { try plan.apply(to: source, rows: [3, 200]) }
    }

    @Test("the policy 'mean' makes no indicator, nor does a complete column")
    func indicators() throws {
        let holes = (0..<200).map { $0 % 2 == 0 ? nan : Double($0) }
        let found = try prepared([number("a", missing: .mean), number("b")], table(["a": .numbers(holes), "b": .numbers(ramp)]))
        #expect(found.columns.map(\.name) == ["a", "b"])
    }

    @Test("a clip beyond the precision's range is refused")
    func range() {
        #expect(fault([number("x", clip: 5000)], table(["x": .numbers(ramp)]))?.code == .valueOutOfRange)
        #expect(fault([number("x", clip: .infinity)], table(["x": .numbers(ramp)]))?.code == .valueOutOfRange)
        #expect(fault([number("x")], table(["x": .numbers(ramp)]), fractionBits: 62)?.code == .valueOutOfRange)
    }
}

struct CategoryPreparationTests {
    @Test("levels are sorted by code points and the first is the base")
    func levels() throws {
        let source = table(["c": .categories(codes: (0..<400).map { Int32($0 % 4) }, levels: ["ｂ", "a", "Z", "中"])])
        let found = try prepared([category("c")], source)
        #expect(found.columns.map(\.name) == ["c=a", "c=中", "c=ｂ"])
        #expect(found.columns[0].values.prefix(4) == [0, 1, 0, 0])
        #expect(found.columns[2].values.prefix(4) == [1, 0, 0, 0])
    }

    @Test("rare, unseen and missing levels are the base")
    func base() throws {
        let codes = (0..<300).map { Int32($0 % 2) } + [Int32](repeating: 2, count: 59) + [Int32](repeating: -1, count: 60)
        let source = table(["c": .categories(codes: codes, levels: ["a", "b", "rare"])])
        let plan = try PreparationPlan.fit(features: [category("c", minimumCount: 60)], table: source, trainingRows: Array(codes.indices), fractionBits: 8)
        #expect(plan.columnNames == ["c=b", "c.missing"])
        let later = table(["c": .categories(codes: [0, 1, 2, 3, -1], levels: ["b", "new", "rare", "a"])])
        let found = try plan.apply(to: later, rows: [0, 1, 2, 3, 4])
        #expect(found.columns.map(\.values) == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])
        #expect(found.report.unseenLevels == ["c": 1])
        #expect(found.report.dropped.map(\.name) == ["c=rare"])
        #expect(found.report.dropped.map(\.reason) == [.rareLevel])
    }

    @Test("a flag is itself, 0 where it is missing")
    func flags() throws {
        let found = try prepared([flag("f")], table(["f": .flags((0..<180).map { Int8($0 % 3) - 1 })]))
        #expect(found.columns.map(\.name) == ["f", "f.missing"])
        #expect(found.columns[0].values.prefix(3) == [0, 0, 1])
        #expect(found.columns[1].values.prefix(3) == [1, 0, 0])
    }
}

struct DroppedColumnTests {
    @Test("a column needs fifty training rows off its commonest value", arguments: [49, 50, 950, 951])
    func sparse(ones: Int) throws {
        let source = table(["f": .flags((0..<1000).map { $0 < ones ? 1 : 0 })])
        let found = try prepared([flag("f")], source)
        let isKept = (50...950).contains(ones)
        #expect(found.columns.count == (isKept ? 1 : 0))
        #expect(found.report.dropped.map(\.reason) == (isKept ? [] : [.sparse]))
    }

    @Test("the quantised values count, so that a column hidden by one outlier is dropped")
    func outlier() throws {
        let found = try prepared([number("x", clip: 100)], table(["x": .numbers(ramp.map { $0 / 1e6 } + [1e9])]))
        #expect(found.columns.isEmpty)
        #expect(found.report.dropped.map(\.reason) == [.sparse])
    }

    @Test("empty and constant columns and repetitions are dropped with their reason")
    func reasons() throws {
        let holes = (0..<200).map { $0 % 2 == 0 ? nan : 0.1 }
        let columns: [String: Column] = [
            "x": .numbers(ramp), "empty": .numbers(ramp.map { _ in nan }), "same": .numbers(holes),
            "again": .numbers(ramp.map { $0 * 2 + 7 }), "mirror": .numbers(ramp.map { -$0 }),
            "one": .categories(codes: ramp.map { _ in 0 }, levels: ["a"]), "none": .flags(ramp.map { _ in -1 }),
            "alike": .flags(holes.map { $0.isNaN ? 1 : 0 }), "other": .flags(holes.map { $0.isNaN ? 0 : 1 }),
        ]
        let features: [Feature] = [
            number("x"), number("empty"), number("same"), number("again"), number("mirror"), category("one"), flag("none"),
            flag("alike"), flag("other"),
        ]
        let found = try prepared(features, table(columns))
        #expect(found.columns.map(\.name) == ["x", "same.missing", "mirror", "other"])
        #expect(found.report.kept == found.columns.map(\.name))
        let dropped = found.report.dropped.map { "\($0.name) \($0.reason) \($0.duplicateOf ?? "")" }
        #expect(dropped == [
            "empty allMissing ", "empty.missing constant ", "same constant ", "again duplicate x", "one constant ", "none constant ",
            "none.missing constant ", "alike duplicate same.missing",
        ])
    }

    @Test("columns that the table does not have in that kind are missing, and names must differ")
    func mismatches() {
        let source = table(["x": .numbers(ramp), "x.missing": .flags(ramp.map { Int8(Int($0) % 2) })])
        #expect(fault([number("y")], source) == Fault(.missingColumn, at: "bank.csv", "y"))
        #expect(fault([category("x")], source) == Fault(.missingColumn, at: "bank.csv", "x"))
        #expect(fault([number("x"), number("x")], source) == Fault(.duplicateName, at: "bank.csv", "x"))
        #expect(fault([number("x")], table(["x": .numbers([])])) == Fault(.emptyTable, at: "bank.csv"))
    }
}

struct StoredPlanTests {
    @Test("a plan read back from JSON prepares the same values")
    func coding() throws {
        let numbers = (0..<200).map { $0 % 7 == 0 ? nan : Double($0) / 3 }
        let codes = (0..<200).map { Int32($0 % 3) }
        let source = table([
            "x": .numbers(numbers), "c": .categories(codes: codes, levels: ["a", "b", "c"]), "f": .flags((0..<200).map { Int8($0 % 2) }),
        ])
        let features = [number("x", cap: [1, 60], log1p: true, missing: .mean), category("c"), flag("f")]
        let rows = Array(0..<200)
        let plan = try PreparationPlan.fit(features: features, table: source, trainingRows: rows, fractionBits: 10)
        let read = try JSONDecoder().decode(PreparationPlan.self, from: JSONEncoder().encode(plan))
        #expect(read == plan)
        #expect(try read.apply(to: source, rows: rows) == plan.apply(to: source, rows: rows))
        #expect(read.requests.map(\.name) == ["x", "c", "f"])
        #expect(read.requests.map(\.kind) == [.number, .category, .flag])
    }
}

struct LabelTests {
    @Test("labels are read in the order of the rows, by text or by number")
    func reading() throws {
        let source = table(["y": .text(["1", "0.0", "1.0", "0", "anything"])])
        #expect(try Labels.read(label(column: "y", bad: "1", good: "0"), in: source, rows: [3, 2, 1, 0]) == [false, true, false, true])
        let words = table(["y": .text(["有", "无"])])
        #expect(try Labels.read(label(column: "y", bad: "有", good: "无"), in: words, rows: [0, 1]) == [true, false])
    }

    @Test("anything else is refused with its line", arguments: ["", "2", "bad", "10"])
    func refusing(cell: String) {
        let source = table(["y": .text(["1", cell])])
        #expect(throws: Fault(.labelNotBinary, at: "bank.csv:3", "y")) { try Labels.read(label(column: "y", bad: "1", good: "0"), in: source, rows: [0, 1]) }
    }

    @Test("two spellings of one number cannot be told apart")
    func ambiguous() {
        let source = table(["y": .text(["1"])])
        #expect(throws: Fault(.labelNotBinary, at: "bank.csv:2", "y")) {
            try Labels.read(label(column: "y", bad: "1", good: "1.0"), in: source, rows: [0])
        }
    }
}
