import Faults
import Foundation
import Tables
import Testing

private func profile(_ content: String, identifier: String? = nil) throws -> DataProfile {
    try withFile(content) { try DataProfile.of(DataSource($0), identifier: identifier) }
}

/// A set with known defects, where it is at hand.
private let dirty = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/data/synthetic/n3000_dirty/platform.csv").standardized

/// Numbers with a period far longer than any test, from a seed.
private struct Sequence: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Profiles of data") struct ProfileTests {
    @Test("types, gaps, ranges, levels and distinct values of small tables are exact")
    func small() throws {
        var content = "name,amount,flag,grade,note,empty,spoiled,constant\n"
        for row in 0..<200 {
            content += "n\(row),\(row % 10 == 0 ? "" : "\"\(row),000\""),\(row % 2),\(row % 4 == 0 ? "A" : row % 4 == 1 ? "B" : "NA"),"
            content += "\(String(repeating: "x", count: row % 7 + 1))\(row),,\(row == 150 ? "n.a." : "\(-row)"),同\n"
        }
        let found = try profile(content)
        #expect(found.rows == 200 && found.identifier == nil)
        #expect(found.columns.map(\.name) == ["name", "amount", "flag", "grade", "note", "empty", "spoiled", "constant"])
        #expect(found.columns.map(\.kind) == [.text, .number, .flag, .category, .text, .text, .text, .category])
        #expect(found.columns.map(\.missing) == [0, 20, 0, 100, 0, 200, 0, 0])
        #expect(found.columns.map(\.distinct) == [200, 180, 2, 2, 200, 0, 200, 1])
        #expect(found.columns.allSatisfy { $0.isDistinctExact })
        let amount = try #require(found.columns[1].numbers)
        #expect(amount.minimum == 1_000 && amount.maximum == 199_000 && abs(amount.mean - 100_000) < 1e-6 && amount.zeros == 0 && amount.negatives == 0)
        // Of 180 values in order, those at ceil(180 share).
        let values = (0..<200).filter { $0 % 10 != 0 }.map { Double($0) * 1_000 }
        #expect(amount.quantiles == DataProfile.shares.map { values[Int((180 * $0).rounded(.up)) - 1] } && amount.areQuantilesExact)
        #expect(found.columns[2].levels == [.init(name: "0", rows: 100), .init(name: "1", rows: 100)])
        #expect(found.columns[3].levels == [.init(name: "A", rows: 50), .init(name: "B", rows: 50)])
        #expect(found.columns[4].shortestBytes == 2 && found.columns[4].longestBytes == 10)
        #expect(found.columns[6].notNumbers?.rows == 1 && found.columns[6].notNumbers?.firstLines == [152])
        #expect(found.columns[6].numbers?.negatives == 198 && found.columns[6].numbers?.zeros == 1)
        #expect(found.columns[7].levels == [.init(name: "同", rows: 200)])
    }

    @Test("the credit-code column is found by its cells; repetitions and contradictions are told apart by all cells")
    func identifiers() throws {
        let content = """
            note,code,a
            x,91370811MA36QB6Q05,1
            x,91370811ma36qb6q05,1
            x,９２３７０８８３MA312EQG9k ,3
            y,N23708269493087140,4
            z,N23708269493087140,4
            y,N23708269493087140,4
            x,91370811MA36QB6Q06,1
            x,,2
            x,913708110,2
            """
        let found = try #require(try profile(content).identifier)
        #expect(found.column == "code" && found.kind == .creditCode)
        #expect(found.subjects == 3 && found.conflictingSubjects == 1 && found.keptRows == 2)
        #expect(found.normalised == .init(lowerCase: 2, spaces: 1, fullWidth: 1))
        #expect(found.rejected.map(\.defect) == [.empty, .nineCharacterOrganisationCode, .wrongFinalCheck])
        #expect(found.rejected.map(\.found.firstLines) == [[9], [10], [8]])
        #expect(found.exactDuplicates.rows == 2 && found.exactDuplicates.firstLines == [3, 7])
        #expect(found.conflictingRows.rows == 2 && found.conflictingRows.firstLines == [5, 6])

        let named = try #require(try profile("a,b\n1,x\n1,x\n2,y\n", identifier: "a").identifier)
        #expect(named.kind == .text && named.subjects == 2 && named.exactDuplicates.firstLines == [3])
        #expect(throws: Fault(.missingColumn, at: "bank.csv", "c")) { try profile("a,b\n1,x\n", identifier: "c") }
    }

    @Test("every kind of defect is told once, with the rule for it, and the rows add up")
    func rules() throws {
        let content = """
            code,a,b,same
            91370811MA36QB6Q05,1,x,k
            91370811ma36qb6q05,1,x,k
            ９２３７０８８３MA312EQG9K,3,x,k
            92370883MA312EQG9K,3,x,k
            92370883MA312EQG9K,3,x,k
            N2370826 9493087140,4,x,k
            N23708269493087140,5,x,k
            91370811MA36QB6Q06,1,x,k
            91370811MA36QB6Q1X,1,x,k
            91370811MA36QB6QO5,1,x,k
            91370811,1,x,k
            913708110,2,x,k
            ,2,x,k
            """
        let found = try profile(content)
        let defects = Dictionary(uniqueKeysWithValues: found.defects.filter { $0.column == nil }.map { ($0.rule, $0.found.rows) })
        #expect(defects == [
            .codeLowerCase: 1, .codeSpaces: 1, .codeFullWidth: 1, .codeEmpty: 1, .codeNineCharacters: 1, .codeWrongLength: 1,
            .codeInvalidCharacter: 1, .codeWrongOrganisationCheck: 1, .codeWrongFinalCheck: 1, .rowRepeated: 3, .rowContradicted: 2,
        ])
        #expect(found.defects.filter { $0.column != nil }.map(\.rule) == [.columnConstant, .columnConstant])
        let dropped = found.defects.filter { [.rejected, .firstKept, .noneKept].contains($0.outcome) }.reduce(0) { $0 + $1.found.rows }
        #expect(found.rows - dropped == found.identifier?.keptRows && found.identifier?.keptRows == 2)
        // Each rule says what is done in both languages.
        for rule in QualityRule.allCases { #expect(!rule.phrase.en.isEmpty && rule.phrase.zh != rule.phrase.en) }
    }

    @Test("the data set with known defects has exactly those",
          .enabled(if: FileManager.default.fileExists(atPath: dirty.path)))
    func knownDefects() throws {
        let found = try DataProfile.of(DataSource(dirty))
        let defects = Dictionary(uniqueKeysWithValues: found.defects.map { ($0.rule, $0.found.rows) })
        // 20 subjects are contradicted: both of their rows count.
        #expect(defects == [
            .codeLowerCase: 20, .codeSpaces: 20, .codeFullWidth: 10, .codeEmpty: 5, .codeNineCharacters: 5, .codeInvalidCharacter: 5,
            .codeWrongFinalCheck: 10, .rowRepeated: 60, .rowContradicted: 40,
        ])
        #expect(found.identifier?.conflictingSubjects == 20 && found.identifier?.keptRows == 5080 - 25 - 60 - 40)
    }

    @Test("a table without rows has columns and nothing else")
    func empty() throws {
        let found = try profile("id,a\n")
        #expect(found.rows == 0 && found.columns.map(\.missing) == [0, 0] && found.columns.map(\.kind) == [.text, .text] && found.identifier == nil)
    }

    @Test("a profile survives JSON")
    func coding() throws {
        let found = try profile("id,a,b\n91370811MA36QB6Q05,1,x\n91370811MA36QB6Q06,2,\n")
        #expect(try JSONDecoder().decode(DataProfile.self, from: JSONEncoder().encode(found)) == found)
    }

    @Test("progress is told while a large table is read")
    func progress() throws {
        let content = "a\n" + String(repeating: "1\n", count: 100_000)
        var rows: [Int] = []
        _ = try withFile(content) { try DataProfile.of(DataSource($0)) { count, bytes in
            rows.append(count)
            #expect(bytes == 2 * count)
        } }
        #expect(rows == [32_768, 65_536, 98_304])
    }

    @Test("quantiles of a long stream have ranks within the stated bound, in whatever order it comes", arguments: ["up", "down", "drawn"])
    func quantiles(order: String) {
        let count = 200_000, capacity = 2_048
        var random = Sequence(state: 11)
        var values = (0..<count).map(Double.init)
        if order == "down" { values.reverse() }
        if order == "drawn" { values.shuffle(using: &random) }
        var sketch = QuantileSketch(capacity: capacity)
        for value in values { sketch.insert(value) }
        #expect(!sketch.isExact)
        let bound = Double(count) * log2(Double(count) / Double(capacity)) / Double(capacity)
        #expect(bound < 0.005 * Double(count))
        for (share, value) in zip(DataProfile.shares, sketch.quantiles(DataProfile.shares)) {
            #expect(abs(value + 1 - share * Double(count)) <= bound + 1, "\(order) \(share): \(value)")
        }
    }

    @Test("distinct values are exact up to the limit and estimated beyond", arguments: [5_000, 30_000, 1_000_000])
    func distinct(count: Int) {
        var counter = DistinctCounter(limit: 4_096)
        var random = Sequence(state: UInt64(count))
        let hashes = (0..<count).map { _ in random.next() }
        for hash in hashes.prefix(4_096) + hashes.prefix(4_096) { counter.insert(hash) }
        #expect(counter.isExact && counter.count == 4_096)
        for hash in hashes + hashes.prefix(1_000) { counter.insert(hash) }
        // Four standard errors; the hashes are the same in every run.
        #expect(!counter.isExact && abs(Double(counter.count) / Double(count) - 1) < 0.065)
    }
}

@Suite("Profiles of the dirty table") struct DirtyProfileTests {
    @Test("its known defects are what the profile counts", .enabled(if: sharedData != nil))
    func dirty() throws {
        let found = try DataProfile.of(DataSource(try #require(sharedData).appendingPathComponent("synthetic/n3000_dirty/platform.csv")))
        let identifier = try #require(found.identifier)
        #expect(found.rows == 5_080 && identifier.column == "uscc" && identifier.kind == .creditCode)
        #expect(identifier.normalised == .init(lowerCase: 20, spaces: 20, fullWidth: 10))
        #expect(identifier.rejected.map(\.defect) == [.empty, .nineCharacterOrganisationCode, .invalidCharacter, .wrongFinalCheck])
        #expect(identifier.rejected.map(\.found.rows) == [5, 5, 5, 10])
        #expect(identifier.exactDuplicates.rows == 60)
        #expect(identifier.conflictingSubjects == 20 && identifier.conflictingRows.rows == 40)
        #expect(identifier.subjects == 4_975 && identifier.keptRows == 4_955)
        #expect(found.rows == identifier.keptRows + 25 + 60 + 40)
    }

    @Test("missing, distinct, smallest and largest values are those that Python finds", .enabled(if: sharedData != nil && hasPython))
    func python() throws {
        let file = try #require(sharedData).appendingPathComponent("synthetic/n3000_dirty/platform.csv")
        let written = try TablesTests.python(
            """
            import csv, json, sys
            with open(sys.argv[1], newline="", encoding="utf-8-sig") as f:
                rows = list(csv.reader(f))
            found = []
            for name, cells in zip(rows[0], zip(*rows[1:])):
                there = [c.strip() for c in cells if c.strip()]
                column = {"name": name, "missing": len(cells) - len(there), "distinct": len(set(there))}
                try:
                    numbers = [float(c) for c in there]
                    if set(numbers) - {0, 1}:
                        column.update(minimum=min(numbers), maximum=max(numbers), mean=sum(numbers) / len(numbers))
                except ValueError:
                    pass
                found.append(column)
            json.dump(found, sys.stdout)
            """, file.path)
        let expected = try #require(JSONSerialization.jsonObject(with: written) as? [[String: Any]])
        let columns = try DataProfile.of(DataSource(file)).columns
        #expect(columns.map(\.name) == expected.map { $0["name"] as? String ?? "" })
        for (column, other) in zip(columns, expected) {
            #expect(column.missing == (other["missing"] as? NSNumber)?.intValue, "\(column.name)")
            #expect(column.distinct == (other["distinct"] as? NSNumber)?.intValue, "\(column.name)")
            #expect(column.numbers?.minimum == (other["minimum"] as? NSNumber)?.doubleValue, "\(column.name)")
            #expect(column.numbers?.maximum == (other["maximum"] as? NSNumber)?.doubleValue, "\(column.name)")
            if let mean = (other["mean"] as? NSNumber)?.doubleValue { #expect(abs((column.numbers?.mean ?? .nan) - mean) <= 1e-9 * max(1, abs(mean))) }
        }
    }
}
