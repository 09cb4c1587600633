import Foundation
import Testing

/// The owner looks at its own data before it registers them.
@Suite("Owner's profile of data") struct ProfileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "profile-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func file(_ name: String, _ bytes: some Swift.Sequence<UInt8>) throws -> String {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    private func run(_ program: String, _ arguments: String...) throws -> Run { try run(program, arguments) }

    private func run(_ program: String, _ arguments: [String]) throws -> Run {
        let (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
        for file in [output, errors] { try Data().write(to: file) }
        let process = try Programs.process(program, ["data", "profile"] + arguments, output: output, errors: errors)
        try process.run()
        process.waitUntilExit()
        return Run(code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                   errors: try String(contentsOf: errors, encoding: .utf8))
    }

    /// 91…Q05 twice, once in lower case; 92…G9K twice with another grade; one code whose check is wrong.
    private static let table = """
        uscc,amount,行业
        91370811MA36QB6Q05,"1,234.50",制造业
        91370811ma36qb6q05,"1,234.50",制造业
        92370883MA312EQG9K,,建筑业
        92370883MA312EQG9K,３,制造业
        91370811MA36QB6Q06,2,制造业

        """

    @Test("both owners' programs show types, gaps and identifiers in either language, and say that it must not leave the house")
    func words() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try file("a.csv", Array(Self.table.utf8))
        for program in ["bank-node", "platform-node"] {
            let english = try run(program, path)
            #expect(english.code == 0 && english.errors == "", "\(english)")
            for text in [
                "must not leave the house", "a.csv: text, UTF-8, separated by ',', line ends LF", "rows: 5, columns: 3", "different usable identifiers: 2",
                "lower case 1", "wrong final check character: 1 row (lines 6)", "repeat an earlier one exactly: 1 row (lines 3)",
                "contradict each other: 1, in 2 rows (lines 4, 5)", "制造业 80.0 %, 建筑业 20.0 %", "1 (20.0 %)",
            ] {
                #expect(english.output.contains(text), "\(text) in \(english.output)")
            }
            let chinese = try run(program, path, "--lang", "zh")
            for text in ["不得外传", "行数：5，列数：3", "末位校验码错误：1 行（第 6 行）", "数值", "类别"] {
                #expect(chinese.output.contains(text), "\(text) in \(chinese.output)")
            }
        }
    }

    @Test("a program can read the profile as JSON")
    func json() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try run("bank-node", try file("a.csv", Array(Self.table.utf8)), "--json")
        #expect(run.code == 0 && run.errors.contains("must not leave the house"))
        let profile = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(profile["rows"] as? Int == 5)
        let identifier = try #require(profile["identifier"] as? [String: Any])
        #expect(identifier["kind"] as? String == "creditCode" && identifier["conflicting_subjects"] as? Int == 1)
        let columns = try #require(profile["columns"] as? [[String: Any]])
        #expect(columns.map { $0["kind"] as? String } == ["category", "number", "category"])
        #expect((columns[1]["numbers"] as? [String: Any])?["maximum"] as? Double == 1234.5)
    }

    @Test("the page holds both languages and no markup of the data, is its owner's alone, and replaces nothing")
    func page() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try file("a.csv", Array("<b>x,y\n1,\"<script>\"\n2,b\n3,\n".utf8))
        let page = folder.appending(path: "a.html").path
        let run = try run("bank-node", path, "--html", page)
        #expect(run.code == 0 && run.output == "" && run.errors.contains("must not leave the house"), "\(run)")
        let text = try String(contentsOfFile: page, encoding: .utf8)
        for part in ["must not leave the house", "不得外传", "&lt;script&gt;", "&lt;b&gt;x", "50.0 %"] { #expect(text.contains(part), "\(part)") }
        #expect(!text.contains("<script") && !text.contains("<b>"))
        let mode = try FileManager.default.attributesOfItem(atPath: page)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        for language in ["en", "zh"] {
            let again = try self.run("bank-node", path, "--html", page, "--lang", language)
            #expect(again.code == 2 && again.pair(language).error.contains("a.html"))
        }
        #expect(try String(contentsOfFile: page, encoding: .utf8) == text)
    }

    @Test("GB18030 is recognised, and read as such where it is said")
    func chinese() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // 编号,行业 / a,制造
        let path = try file("g.csv", [0xB1, 0xE0, 0xBA, 0xC5, 0x2C, 0xD0, 0xD0, 0xD2, 0xB5, 0x0D, 0x0A, 0x61, 0x2C, 0xD6, 0xC6, 0xD4, 0xEC, 0x0D, 0x0A])
        for arguments in [[], ["--encoding", "gb18030"]] {
            let run = try run("bank-node", [path] + arguments)
            #expect(run.code == 0 && run.output.contains("GB18030, separated by ',', line ends CRLF") && run.output.contains("制造"), "\(run)")
        }
        let wrong = try run("bank-node", path, "--encoding", "utf-8")
        #expect(wrong.code == 2 && wrong.pair().error.contains("g.csv:1: not UTF-8 text; it looks like GB18030"))
        #expect(wrong.pair().hint.contains("--encoding gb18030"))
    }

    @Test("each mistake has one error with its place and one hint, in both languages")
    func misuse() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let plain = try file("a.csv", Array(Self.table.utf8))
        let database = try file("d.db", Array("SQLite format 3\0".utf8) + [UInt8](repeating: 0, count: 100))
        let sheet = try file("s.xlsx", [0x50, 0x4B, 0x03, 0x04, 0x00])
        let other = try file("o.csv", Array("id;a\n1;2\n".utf8))
        let cases: [(arguments: [String], error: String, code: Int32)] = [
            ([folder.appending(path: "none.csv").path], "none.csv", 2), ([database], "d.db", 2), ([database, "--table", "t"], "d.db/t", 2), ([sheet], "s.xlsx", 2),
            ([other], "o.csv:1", 2), ([plain, "--id", "none"], "none", 2), ([plain, "--table", "t"], "a.csv/t", 2),
            ([try file("e.csv", [])], "e.csv", 2), ([plain, "--config", folder.appending(path: "none.json").path], "none.json", 2),
        ]
        for (arguments, error, code) in cases {
            for language in ["en", "zh"] {
                let run = try run("platform-node", arguments + ["--lang", language])
                #expect(run.pair(language).error.contains(error), "\(arguments) \(run)")
                #expect(run.code == code && run.output == "", "\(arguments) \(run)")
            }
        }
    }

    @Test("names and levels of a file cannot move the cursor")
    func controls() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try run("bank-node", try file("a.csv", Array("a\u{1B}[2Jb,c\nx,\u{202E}y\n".utf8)))
        #expect(run.code == 0 && run.output.contains("a?[2Jb") && run.output.contains("?y"))
        #expect(!run.output.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test("a data set is profiled by its name, as the node's configuration has it")
    func registered() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = try await TrialLab()
        let path = try file("b.csv", Array("sep=;\r\nid;x\r\n1;\"1,000\"\r\n".utf8))
        try lab.edit("bank/node.json") { $0["datasets"] = ["main": ["path": path], "gone": ["path": path, "encoding": "gb18030"]] }
        for name in ["main", "gone"] {
            let run = try run("bank-node", name, "--config", lab.path("bank/node.json"), "--id", "id")
            #expect(run.code == 0 && run.output.contains("separated by ';' (sep=), line ends CRLF") && run.output.contains("rows: 1, columns: 2"), "\(run)")
            #expect(run.output.contains(name == "main" ? "UTF-8" : "GB18030"))
        }
        let unknown = try run("bank-node", "other", "--config", lab.path("bank/node.json"))
        #expect(unknown.code == 2 && unknown.pair().error.contains("other"))
    }
}
