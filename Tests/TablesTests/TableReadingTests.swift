import Faults
import Foundation
import Tables
import Testing

/// Runs `body` on a file of that content, named bank.csv.
func withFile<T>(_ content: String, _ body: (URL) throws -> T) throws -> T {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appendingPathComponent("bank.csv")
    try Data(content.utf8).write(to: file)
    return try body(file)
}

private func read(
    _ content: String, identifier: String = "id", kind: IdentifierKind = .text, _ columns: [(String, ColumnKind)]
) throws -> (Table, IngestReport) {
    try withFile(content) { file in
        try Table.read(from: DataSource(file), identifier: identifier, identifierKind: kind, columns: columns.map { .init(name: $0.0, kind: $0.1) })
    }
}

private func fault(_ content: String, identifier: String = "id", _ columns: [(String, ColumnKind)]) -> Fault? {
    do {
        _ = try read(content, identifier: identifier, columns)
        return nil
    } catch {
        return error as? Fault
    }
}

private func counts(_ normalised: IngestReport.Normalised) -> [Int] {
    [normalised.lowerCase, normalised.spaces, normalised.fullWidth]
}

struct TableReadingTests {
    @Test("requested columns are typed, in the order of the file; others are not looked at")
    func typed() throws {
        let (table, report) = try read(
            "\u{FEFF}id, amount ,junk,city,ok,note\r\nu1,\"1,200.5\",?,济宁,1, 无 \r\nu2,NA,?,无,TRUE,x\r\nu3, -3 ,?,乌海,,\r\nu4,0,?,济宁,0.0,-\r\n",
            [("amount", .number), ("city", .category), ("ok", .flag), ("note", .text)])
        #expect(table.identifiers == ["u1", "u2", "u3", "u4"])
        #expect(table.lines == [2, 3, 4, 5])
        guard case .numbers(let amounts) = table["amount"] else { throw Fault(.defect) }
        #expect(amounts.map { $0.isNaN ? nil : $0 } == [1200.5, nil, -3, 0])
        #expect(table["city"] == .categories(codes: [0, -1, 1, 0], levels: ["济宁", "乌海"]))
        #expect(table["ok"] == .flags([1, 1, -1, 0]))
        #expect(table["note"] == .text(["无", "x", "", "-"]))
        #expect(table["junk"] == nil)
        #expect(report.columns.map(\.name) == ["amount", "city", "ok", "note"])
        #expect(report.columns.map(\.missing) == [1, 1, 1, 1])
        #expect(report.columns.map(\.levels) == [nil, 2, nil, nil])
    }

    @Test("each spelling of a missing value is missing", arguments: ["", "NA", "N/A", "#N/A", "NULL", "null", "nan", "NaN", "-", "无", "空", " \u{3000}"])
    func missing(spelling: String) throws {
        let (table, _) = try read("id,a,b,c\n1,\(spelling),\(spelling),\(spelling)\n", [("a", .number), ("b", .category), ("c", .flag)])
        guard case .numbers(let numbers) = table["a"] else { throw Fault(.defect) }
        #expect(numbers[0].isNaN)
        #expect(table["b"] == .categories(codes: [-1], levels: []))
        #expect(table["c"] == .flags([-1]))
    }

    @Test("faults name file, line and column, never a path or a cell")
    func places() {
        #expect(fault("id,a\n1,2\n\n2,secret\n", [("a", .number)])?.place == "bank.csv:4")
        let number = fault("id,a\n1,secret\n", [("a", .number)])
        #expect(number?.code == .notANumber)
        #expect(number?.arguments.contains { $0.contains("secret") } == false)
        #expect(number?.arguments.first == "a")
        #expect(fault("id,a\n1,2\n", [("a", .flag)])?.code == .unknownLevel)
        #expect(fault("id,a\n1,2\n2\n", [("a", .number)])?.code == .malformedCSV)
        #expect(fault("id,a\n1,2\n2\n", [("a", .number)])?.place == "bank.csv:3")
        #expect(fault("id,a\n1,2\n", [("b", .number)]) == Fault(.missingColumn, at: "bank.csv", "b"))
        #expect(fault("id,a\n1,2\n", identifier: "ID", [("a", .number)]) == Fault(.missingColumn, at: "bank.csv", "ID"))
        #expect(fault("id,a,a\n1,2,3\n", [("a", .number)])?.code == .malformedCSV)
        #expect(fault("id,a\n1,2\n", [("a", .number), ("a", .category)]) == Fault(.duplicateName, at: "bank.csv", "a"))
        #expect(fault("", [("a", .number)]) == Fault(.emptyTable, at: "bank.csv"))
        #expect(fault("id,a\n", [("a", .number)]) == Fault(.emptyTable, at: "bank.csv"))
        #expect(fault("id,a\n ,1\n", [("a", .number)]) == Fault(.emptyTable, at: "bank.csv"))
        let absent = URL(fileURLWithPath: "/absent/x.csv")
        #expect(throws: Fault(.unreadableFile, at: "x.csv")) {
            try Table.read(from: DataSource(absent), identifier: "id", identifierKind: .text, columns: [])
        }
        let directory = FileManager.default.temporaryDirectory
        #expect(throws: Fault(.unreadableFile, at: directory.lastPathComponent)) {
            try Table.read(from: DataSource(directory), identifier: "id", identifierKind: .text, columns: [])
        }
    }

    @Test("a category with too many levels is refused")
    func levelLimit() {
        let lines = (0...Table.levelLimit).map { "\($0),l\($0)" }.joined(separator: "\n")
        #expect(fault("id,a\n\(lines)", [("a", .category)]) == Fault(.tooManyLevels, at: "bank.csv:\(Table.levelLimit + 2)", "a", "10000"))
    }

    @Test("repeated rows are kept once, contradicting rows not at all, by the requested columns alone")
    func duplicates() throws {
        let content = """
            id,a,b
            k,1,x
            twice,1,x
            twice,1.0,y
            against,1,x
            against,2,x
            against,1,x
            against,2,x
            gone,,x
            gone,NA,z
            """
        let (table, report) = try read(content, [("a", .number)])
        #expect(table.identifiers == ["k", "twice", "gone"])
        #expect(table.lines == [2, 3, 9])
        #expect(report.rowsRead == 9)
        #expect(report.rowsKept == 3)
        #expect(report.exactDuplicates.rows == 3)
        #expect(report.exactDuplicates.firstLines == [4, 7, 10])
        #expect(report.conflictingSubjects == 1)
        #expect(report.conflictingRows.rows == 3)
        #expect(report.conflictingRows.firstLines == [5, 6, 8])
        let (all, _) = try read(content, [("a", .number), ("b", .category)])
        #expect(all.identifiers == ["k"])
    }

    @Test("rows without a usable code are counted by defect and line, and their cells are not read")
    func rejected() throws {
        let (table, report) = try read(
            """
            id,a
            91370811MA36QB6Q05,1
            91370811MA36QB6Q06,broken
            ,2
            91370811ma36qb6q05,1
            ９２３７０８８３MA312EQG9k ,3
            N23708269493087140,4
            """, kind: .creditCode, [("a", .number)])
        #expect(table.identifiers == ["91370811MA36QB6Q05", "92370883MA312EQG9K", "N23708269493087140"])
        #expect(report.rejected.map(\.defect) == [.empty, .wrongFinalCheck])
        #expect(report.rejected.map(\.found.firstLines) == [[4], [3]])
        #expect(counts(report.normalised) == [2, 1, 1])
        #expect(report.exactDuplicates.firstLines == [5])
    }

    @Test("the report survives JSON")
    func reportCoding() throws {
        let (_, report) = try read("id,a\n1,x\n1,x\n,y\n", [("a", .category)])
        #expect(try JSONDecoder().decode(IngestReport.self, from: JSONEncoder().encode(report)) == report)
    }

    @Test("kinds are guessed from all cells")
    func inference() throws {
        var content = "id,one,x,grade,flag,none\n"
        for row in 0...Table.inferredLevelLimit { content += "n\(row),1,\(row).5,\(row % 3 == 0 ? "A" : "B"),\(row % 2),NA\n" }
        content += "last,,NA,,true,\n"
        let found = try withFile(content) { try Table.inferTypes(from: DataSource($0)) }
        #expect(found.map(\.name) == ["id", "one", "x", "grade", "flag", "none"])
        #expect(found.map(\.kind) == [.text, .flag, .number, .category, .flag, .text])
        #expect(found.map(\.missing) == [0, 1, 1, 1, 0, 102])
        #expect(found.map(\.distinct) == [nil, 1, nil, 2, 3, 0])
    }
}

/// The project's shared data, beside the repository; nil where there are none.
let sharedData: URL? = {
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

struct SharedDataTests {
    @Test("the dirty table gives exactly its known defects", .enabled(if: sharedData != nil))
    func dirty() throws {
        let file = try #require(sharedData).appendingPathComponent("synthetic/n3000_dirty/platform.csv")
        let (table, report) = try Table.read(
            from: DataSource(file), identifier: "uscc", identifierKind: .creditCode,
            columns: [.init(name: "vat_payable_12m", kind: .number), .init(name: "tax_credit_grade", kind: .category)])
        #expect(report.rowsRead == 5_080)
        #expect(counts(report.normalised) == [20, 20, 10])
        #expect(Dictionary(uniqueKeysWithValues: report.rejected.map { ($0.defect, $0.found.rows) })
            == [.wrongFinalCheck: 10, .nineCharacterOrganisationCode: 5, .empty: 5, .invalidCharacter: 5])
        #expect(report.exactDuplicates.rows == 60)
        #expect(report.conflictingSubjects == 20)
        #expect(report.conflictingRows.rows == 40)
        #expect(report.rowsKept == 4_955)
        #expect(table.rowCount == 4_955)
        #expect(Set(table.identifiers).count == 4_955)
    }
}
