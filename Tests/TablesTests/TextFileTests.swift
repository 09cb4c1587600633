import Faults
import Foundation
import Tables
import Testing

/// A folder for the time of `body`.
func withDirectory<T>(_ body: (URL) throws -> T) throws -> T {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
}

/// Names, then all rows, each cell as text, and how the file was written.
func contents(_ source: DataSource) throws -> (rows: [[String]], lines: [Int], writing: DataSource.Writing?) {
    var rows: [[String]] = []
    var lines: [Int] = []
    let writing = try source.read { rows.append($0) } row: { record in
        rows.append((0..<rows[0].count).map(record.text))
        lines.append(record.line)
    }
    return (rows, lines, writing)
}

func contents(_ bytes: [UInt8], _ encoding: DataSource.Encoding = .utf8, _ separator: DataSource.Separator = .comma) throws -> (
    rows: [[String]], lines: [Int], writing: DataSource.Writing?
) {
    try withDirectory { directory throws in
        let file = directory.appendingPathComponent("a.csv")
        try Data(bytes).write(to: file)
        return try contents(DataSource(file, .text(encoding, separator)))
    }
}

private func fault(_ bytes: [UInt8], _ encoding: DataSource.Encoding = .utf8, _ separator: DataSource.Separator = .comma) -> Fault? {
    do {
        _ = try contents(bytes, encoding, separator)
        return nil
    } catch {
        return error as? Fault
    }
}

/// 编号,行业 / u1,制造业 / u2,建筑业
private let chinese: [UInt8] =
    [0xB1, 0xE0, 0xBA, 0xC5, 0x2C, 0xD0, 0xD0, 0xD2, 0xB5, 0x0D, 0x0A]
    + Array("u1,".utf8) + [0xD6, 0xC6, 0xD4, 0xEC, 0xD2, 0xB5, 0x0D, 0x0A]
    + Array("u2,".utf8) + [0xBD, 0xA8, 0xD6, 0xFE, 0xD2, 0xB5, 0x0D, 0x0A]

@Suite("Text files") struct TextFileTests {
    @Test("what spreadsheets write around a table is passed over and told")
    func spreadsheet() throws {
        let text = "\u{FEFF}id,amount,,\r\nu1,\"1,234.50\",,\r\n,,,\r\nu2,\u{3000}３，５００．２５,,\r\n\r\n,,,\r\n"
        let (rows, lines, writing) = try contents(Array(text.utf8))
        #expect(rows == [["id", "amount"], ["u1", "1,234.50"], ["u2", "\u{3000}３，５００．２５"]])
        #expect(lines == [2, 4])
        #expect(writing?.hasByteOrderMark == true && writing?.hasSeparatorLine == false)
        #expect(writing?.carriageReturnLineFeeds == 6 && writing?.lineFeeds == 0 && writing?.blankLines == 3)
        let (table, _) = try withFile(text) {
            try Table.read(from: DataSource($0), identifier: "id", identifierKind: .text, columns: [.init(name: "amount", kind: .number)])
        }
        #expect(table["amount"] == .numbers([1234.5, 3500.25]))
    }

    @Test("a cell beyond the header is no table", arguments: ["id,a,\nu1,1,x\n", "id,a\nu1,1,,x\n", "id,a\nu1\n"])
    func beyond(text: String) {
        #expect(fault(Array(text.utf8))?.code == .malformedCSV)
        #expect(fault(Array(text.utf8))?.place == "a.csv:2")
    }

    @Test("a separator line is obeyed and counted as a line", arguments: ["sep=;\n", "sep=;\r\n", "\u{FEFF}SEP=;\n"])
    func separatorLine(line: String) throws {
        let (rows, lines, writing) = try contents(Array((line + "id;a\nu1;\"1;2\"\n").utf8))
        #expect(rows == [["id", "a"], ["u1", "1;2"]])
        #expect(lines == [3])
        #expect(writing?.hasSeparatorLine == true && writing?.separator == .semicolon)
    }

    @Test("a separator is obeyed as configured; one that was not said is asked for")
    func separators() throws {
        #expect(try contents(Array("id;a\nu1;1,5\n".utf8), .utf8, .semicolon).rows == [["id", "a"], ["u1", "1,5"]])
        #expect(try contents(Array("id\ta\nu1\t1\n".utf8), .utf8, .tab).rows == [["id", "a"], ["u1", "1"]])
        #expect(fault(Array("id;a\nu1;1\n".utf8)) == Fault(.separatorNotSaid, at: "a.csv:1", ";"))
        #expect(fault(Array("id\ta\nu1\t1\n".utf8)) == Fault(.separatorNotSaid, at: "a.csv:1", "tab"))
    }

    @Test("GB18030 is read as configured, with two and with four bytes for a character")
    func chineseText() throws {
        #expect(try contents(chinese, .gb18030).rows == [["编号", "行业"], ["u1", "制造业"], ["u2", "建筑业"]])
        // U+20000, U+3400 and the euro sign, after a byte-order mark.
        let rare: [UInt8] = [0x84, 0x31, 0x95, 0x33] + Array("id\n".utf8) + [0x95, 0x32, 0x82, 0x36, 0x81, 0x39, 0xEE, 0x39, 0xA2, 0xE3]
        #expect(try contents(rare, .gb18030).rows == [["id"], ["\u{20000}\u{3400}€"]])
        #expect(try contents(rare, .gb18030).writing?.hasByteOrderMark == true)
    }

    @Test("GB18030 that is not said is recognised in the fault; damaged UTF-8 is not taken for it")
    func recognition() {
        #expect(fault(chinese) == .notUTF8(at: "a.csv:1", looksLikeGB18030: true))
        var damaged = Array("编号,行业\nu1,制造业\nu2,建筑业\n".utf8)
        damaged[damaged.count - 3] = 0xFF
        #expect(fault(damaged) == .notUTF8(at: "a.csv:3"))
        damaged.remove(at: damaged.count - 3)
        #expect(fault(damaged) == .notUTF8(at: "a.csv:3"))
    }

    @Test("bytes that GB18030 does not have are refused with their line", arguments: [[0x80], [0xFF], [0x81, 0x20], [0x81, 0x30], [0x81, 0x30, 0x81], [0xB1]])
    func strict(bytes: [UInt8]) {
        let head = Array("id\nu1\n".utf8)
        #expect(fault(head + bytes + Array("\nu3\nu4\n".utf8), .gb18030) == Fault(.malformedText, at: "a.csv:3", "GB18030"))
        #expect(fault(head + bytes, .gb18030) == Fault(.malformedText, at: "a.csv:3", "GB18030"))
    }

    @Test("characters of GB18030 are whole wherever a large file is cut")
    func largeFile() throws {
        // One byte shifts each character of two bytes across the reader's cuts.
        var bytes = Array("id\n".utf8)
        for row in 0..<300_000 { bytes += Array("\(row % 7)".utf8) + [0xD6, 0xC6, 0xD4, 0xEC, 0x0A] }
        let rows = try contents(bytes, .gb18030).rows
        #expect(rows.count == 300_001)
        #expect(rows.dropFirst().enumerated().allSatisfy { $1 == ["\($0 % 7)制造"] })
    }

    @Test("files that are no text are called by their kind")
    func otherKinds() {
        #expect(fault(Array("SQLite format 3\0".utf8) + [UInt8](repeating: 0, count: 84)) == Fault(.tableNotSaid, at: "a.csv"))
        #expect(fault([0x50, 0x4B, 0x03, 0x04, 0x14, 0x00]) == Fault(.spreadsheetFile, at: "a.csv"))
        #expect(fault([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1]) == Fault(.spreadsheetFile, at: "a.csv"))
        for utf16: [UInt8] in [[0xFF, 0xFE, 0x69, 0x00, 0x64, 0x00], [0xFE, 0xFF, 0x00, 0x69, 0x00, 0x64]] {
            #expect(fault(utf16) == .notUTF8ButUTF16(at: "a.csv") && fault(utf16, .gb18030) == .notUTF8ButUTF16(at: "a.csv"))
        }
    }

    @Test("a data set whose owner wants no row dropped is refused with the first line and the number")
    func defects() throws {
        func report(_ content: String, _ kind: IdentifierKind = .text) throws -> IngestReport {
            try withFile(content) {
                try Table.read(from: DataSource($0), identifier: "id", identifierKind: kind, columns: [.init(name: "a", kind: .number)]).1
            }
        }
        #expect(throws: Never.self) { try report("id,a\n1,1\n2,1\n").requireNoDefects() }
        #expect(throws: Fault(.repeatedIdentifier, at: "bank.csv:3", "1")) { try report("id,a\n1,1\n1,1\n").requireNoDefects() }
        #expect(throws: Fault(.contradictingIdentifier, at: "bank.csv:2", "2")) { try report("id,a\n1,1\n1,2\n2,1\n").requireNoDefects() }
        #expect(throws: Fault(.unusableIdentifier, at: "bank.csv:3", "2", "wrong final check character", "末位校验码错误")) {
            try report("id,a\n91370811MA36QB6Q05,1\n91370811MA36QB6Q06,1\n91370811MA36QB6Q07,1\n", .creditCode).requireNoDefects()
        }
    }
}

let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

@discardableResult
func python(_ script: String, _ arguments: String...) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return data
}

@Suite("Text files against Python", .enabled(if: hasPython)) struct TextFileOracleTests {
    @Test("all of GB18030 is read as Python's codec reads it, save for the characters that the edition of 2005 moved")
    func codec() throws {
        try withDirectory { directory throws in
            let file = directory.appendingPathComponent("all.csv")
            // Those of the edition of 2000 that stood in the area of private use; Python keeps that edition.
            try python(
                """
                import sys
                moved = {0x1e3f, 0xe7c7} | set(range(0x9fb4, 0x9fbc)) | set(range(0xe78d, 0xe797)) | set(range(0xe816, 0xe865)) | set(range(0xfe10, 0xfe1a))
                points = [p for p in range(0x23, 0x30000) if not 0xd800 <= p < 0xe000 and p not in moved]
                with open(sys.argv[1], "wb") as f:
                    f.write(b"point,character\\n")
                    for p in points:
                        f.write(str(p).encode() + b',"' + chr(p).encode("gb18030") + b'"\\n')
                """, file.path)
            let rows = try contents(DataSource(file, .text(.gb18030, .comma))).rows
            #expect(rows.count > 190_000)
            let wrong = rows.dropFirst().filter { row in row[1].unicodeScalars.map { "\($0.value)" } != [row[0]] }
            #expect(wrong.isEmpty, "\(wrong.prefix(3))")
        }
    }

    @Test("CSV of awkward cells is read as Python's module wrote it", arguments: ["\n", "\r\n"], DataSource.Encoding.allCases)
    func csv(lineEnd: String, encoding: DataSource.Encoding) throws {
        try withDirectory { directory throws in
            let file = directory.appendingPathComponent("a.csv")
            let expected = try python(
                """
                import csv, json, random, sys
                path, end, encoding = sys.argv[1:]
                end = end.encode().decode("unicode_escape")
                random.seed(5)
                pieces = ["a", "1,234.50", '"', ",", "\\n", " ", "济宁", "ｘ", "€", "é", "𠀀", ";", "'"]
                rows = [["c%d" % i for i in range(6)]]
                rows += [["r%d" % n] + ["".join(random.choices(pieces, k=random.randrange(5))) for _ in range(5)] for n in range(400)]
                with open(path, "w", newline="", encoding=encoding) as f:
                    csv.writer(f, lineterminator=end).writerows(rows)
                json.dump(rows, sys.stdout)
                """, file.path, lineEnd == "\n" ? "\\n" : "\\r\\n", encoding.rawValue)
            let rows = try JSONDecoder().decode([[String]].self, from: expected)
            #expect(try contents(DataSource(file, .text(encoding, .comma))).rows == rows)
        }
    }

    @Test("full-width numbers are what Unicode's compatibility form of them is")
    func fullWidth() throws {
        let written = try python(
            """
            import json, random, sys
            random.seed(7)
            wide = lambda s: "".join(chr(ord(c) + 0xfee0) if c != " " and random.random() < 0.7 else c for c in s)
            plain = ["%d" % random.randrange(-10**6, 10**6) for _ in range(50)] + ["%.3f" % random.uniform(-1e4, 1e4) for _ in range(50)]
            plain += ["{:,.2f}".format(random.uniform(-1e9, 1e9)) for _ in range(50)] + ["%e" % random.uniform(-1, 1) for _ in range(50)]
            json.dump([[wide(p), float(p.replace(",", ""))] for p in plain], sys.stdout)
            """)
        let cases = try #require(JSONSerialization.jsonObject(with: written) as? [[Any]])
        #expect(cases.count == 200)
        for pair in cases {
            let text = try #require(pair[0] as? String), value = try #require(pair[1] as? NSNumber).doubleValue
            #expect(Table.number(text) == value, "\(text)")
        }
    }
}
