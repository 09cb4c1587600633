import Features
import Foundation
import Jobs
import Tables
import Testing

/// The project's shared data, beside the repository; nil where there are none.
private let sharedData: URL? = {
    var directory = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    while directory.path != "/" {
        directory.deleteLastPathComponent()
        if FileManager.default.fileExists(atPath: directory.appendingPathComponent("Package.swift").path) {
            let data = directory.appendingPathComponent("../shared/data").standardizedFileURL
            return FileManager.default.fileExists(atPath: data.path) ? data : nil
        }
    }
    return nil
}()

/// A file cut at line ends and commas, by nothing that the product uses.
private struct NaiveFile {
    let names: [String]
    let rows: [[String]]

    init(_ file: URL) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        let lines = text.components(separatedBy: .newlines).filter { !$0.isEmpty }
        names = lines[0].components(separatedBy: ",")
        rows = lines.dropFirst().map { $0.components(separatedBy: ",") }
    }

    func cells(_ name: String) -> [String] {
        let index = names.firstIndex(of: name) ?? 0
        return rows.map { $0[index] }
    }
}

/// The treatment of a number in the plainest form, before rounding.
private func naive(_ cells: [String], log1p: Bool, clip: Double) -> [Double] {
    let values = cells.map { cell in cell.isEmpty ? nil : Double(cell).map { log1p ? log(1 + max($0, 0)) : $0 } }
    let present = values.compactMap(\.self)
    let mean = present.reduce(0, +) / Double(present.count)
    let deviation = (present.reduce(0) { $0 + pow($1 - mean, 2) } / Double(present.count)).squareRoot()
    return values.map { value in value.map { max(-clip, min(clip, ($0 - mean) / deviation)) } ?? 0 }
}

private func largestDifference(_ column: PreparedColumn, _ expected: [Double]) -> Double {
    zip(column.values, expected).map { abs(Double($0) / Double(1 << column.fractionBits) - $1) }.max() ?? .infinity
}

struct SharedDataTests {
    @Test("the public credit data are prepared as a plain computation prepares them",
          .enabled(if: sharedData != nil), arguments: ["bank.csv", "platform.csv"])
    func creditDefault(name: String) throws {
        let file = try #require(sharedData).appendingPathComponent("credit-default/\(name)")
        let plain = try NaiveFile(file)
        let features = plain.names.filter { $0.hasPrefix("x") }.map { number($0) }
        let (table, report) = try Table.read(
            from: DataSource(file), identifier: "id", identifierKind: .text, columns: PreparationPlan.requests(for: features))
        #expect(report.rowsKept == 30_000)
        let rows = Array(0..<table.rowCount)
        let plan = try PreparationPlan.fit(features: features, table: table, trainingRows: rows, fractionBits: 10)
        let found = try plan.apply(to: table, rows: rows)
        #expect(found.columns.map(\.name) == features.map(\.column))
        for column in found.columns {
            #expect(largestDifference(column, naive(plain.cells(column.name), log1p: false, clip: 4)) <= 0.5001 / 1024)
        }
    }

    @Test("the synthetic platform's table is prepared as a plain computation prepares it", .enabled(if: sharedData != nil))
    func synthetic() throws {
        let file = try #require(sharedData).appendingPathComponent("synthetic/n20000/platform.csv")
        let plain = try NaiveFile(file)
        let categories = ["tax_credit_grade"]
        let flags = ["has_tax_arrears", "water_in_arrears", "elec_in_arrears", "gas_in_arrears", "on_dishonest_list"]
        let amounts = Set(plain.names.filter { $0.contains("amount") || $0.hasPrefix("vat_") })
        let features = plain.names.dropFirst().map { name in
            categories.contains(name) ? category(name) : flags.contains(name) ? flag(name) : number(name, log1p: amounts.contains(name))
        }
        let (table, _) = try Table.read(
            from: DataSource(file), identifier: "uscc", identifierKind: .creditCode, columns: PreparationPlan.requests(for: features))
        #expect(table.rowCount == 33_333)
        let rows = Array(0..<table.rowCount)
        let found = try PreparationPlan.fit(features: features, table: table, trainingRows: rows, fractionBits: 8).apply(to: table, rows: rows)

        for column in found.columns {
            let source = column.name.prefix { $0 != "=" && $0 != "." }
            let cells = plain.cells(String(source))
            if column.name.hasSuffix(".missing") {
                #expect(column.values == cells.map { $0.isEmpty ? 1 : 0 })
            } else if let level = column.name.split(separator: "=").dropFirst().first {
                #expect(column.values == cells.map { $0 == level ? 1 : 0 })
            } else if flags.contains(column.name) {
                #expect(column.values == cells.map { $0 == "1" ? 1 : 0 })
            } else {
                #expect(largestDifference(column, naive(cells, log1p: amounts.contains(column.name), clip: 4)) <= 0.5001 / 256)
            }
        }
        // The tax, pension and electricity groups are each missing together.
        #expect(found.report.dropped.allSatisfy { $0.reason == .duplicate && $0.name.hasSuffix(".missing") })
        #expect(found.report.dropped.count == 9)
        #expect(found.columns.count == 17 + 4 + 6)
    }

    @Test("the labels of both banks are read", .enabled(if: sharedData != nil))
    func labels() throws {
        let data = try #require(sharedData)
        for (file, identifier, kind, column, bads) in [
            ("credit-default/bank.csv", "id", IdentifierKind.text, "y", 6_636), ("synthetic/n20000/bank.csv", "uscc", .creditCode, "default_12m", 2_040),
        ] {
            let label = try label(column: column, bad: "1", good: "0")
            let (table, _) = try Table.read(
                from: DataSource(data.appendingPathComponent(file)), identifier: identifier, identifierKind: kind,
                columns: [Labels.request(for: label)])
            let labels = try Labels.read(label, in: table, rows: Array(0..<table.rowCount))
            #expect(labels.count(where: \.self) == bads)
        }
    }
}
