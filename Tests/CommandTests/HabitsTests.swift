import Faults
import Foundation
import Testing

/// What people may count on in every program: help, versions, languages, exit codes, output for programs.
@Suite("Habits") struct HabitsTests {
    static let programs = ["arbiter", "platform-node", "bank-node", "jointlab"]

    private static func run(_ program: String, _ arguments: [String], locale: [String: String] = ["LANG": "C.UTF-8"]) async throws -> Run {
        let folder = FileManager.default.temporaryDirectory.appending(path: "habits-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
        let process = try Programs.process(program, arguments, output: output, errors: errors)
        // Whatever an example writes goes with the folder.
        process.currentDirectoryURL = folder
        process.environment = process.environment?.filter { !["LANG", "LC_ALL", "LC_MESSAGES"].contains($0.key) }.merging(locale) { $1 }
        try process.run()
        #expect(try await eventually { !process.isRunning })
        process.waitUntilExit()
        return Run(code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                   errors: try String(contentsOf: errors, encoding: .utf8))
    }

    private static func isChinese(_ text: String) -> Bool { text.unicodeScalars.contains { (0x4e00...0x9fff).contains($0.value) } }
    private static func isEnglish(_ text: String) -> Bool { text.contains(/[A-Za-z]{2}/) }

    // Help

    private struct Command {
        let path: String
        let abstract: String
        let discussion: String
        let arguments: [(name: String, abstract: String)]
    }

    /// Every command of a program, as it describes itself.
    private static func commands(_ program: String) async throws -> [Command] {
        let dump = try await run(program, ["--experimental-dump-help"])
        #expect(dump.code == 0)
        let document = try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any]
        func list(_ command: [String: Any], _ parents: [String]) -> [Command] {
            let path = parents + [command["commandName"] as? String ?? ""]
            let arguments = (command["arguments"] as? [[String: Any]] ?? []).map { argument in
                (argument["valueName"] as? String ?? "", argument["abstract"] as? String ?? "")
            }
            let own = Command(path: path.joined(separator: " "), abstract: command["abstract"] as? String ?? "",
                              discussion: command["discussion"] as? String ?? "", arguments: arguments)
            return [own] + (command["subcommands"] as? [[String: Any]] ?? []).flatMap { list($0, path) }
        }
        return list(try #require(document?["command"] as? [String: Any]), [])
            // ArgumentParser's own.
            .filter { $0.path != "\(program) help" }
    }

    @Test("every command says in both languages what it is for and what each option means, with an example of itself", arguments: programs)
    func help(program: String) async throws {
        let commands = try await Self.commands(program)
        #expect(commands.count >= 3 && Set(commands.map(\.path)).count == commands.count)
        for command in commands {
            #expect(Self.isChinese(command.abstract) && Self.isEnglish(command.abstract), "\(command.path): \(command.abstract)")
            let example = command.discussion.split(separator: "\n").first { $0.hasPrefix("Example: ") }.map { $0.dropFirst(9) } ?? ""
            #expect(example.hasPrefix(command.path), "\(command.path): \(example)")
            for argument in command.arguments where !["help", "version"].contains(argument.name) {
                #expect(Self.isChinese(argument.abstract) && Self.isEnglish(argument.abstract), "\(command.path) \(argument)")
            }
        }
        // What people see of it, ArgumentParser's own words among it.
        for command in commands {
            let shown = try await Self.run(program, command.path.split(separator: " ").dropFirst().map(String.init) + ["--help"])
            #expect(shown.code == 0 && shown.errors.isEmpty && shown.output.contains("Example: "), "\(command.path)")
            for line in shown.output.split(separator: "\n") where line.contains(/^[A-Z]+( \(|:)|Show .*\.|detailed help/) {
                #expect(Self.isChinese(String(line)), "\(command.path): \(line)")
            }
        }
    }

    @Test("the examples in the help are command lines that are understood", arguments: programs)
    func examples(program: String) async throws {
        for command in try await Self.commands(program) {
            for line in command.discussion.split(separator: "\n") where line.hasPrefix("Example: ") {
                // A file that is not there ends the verb; a line that is not understood would end it with 64.
                let words = line.dropFirst(9).replacing("\"purpose not agreed\"", with: "no").replacing("lab/", with: "/nowhere/lab/")
                    .replacing("spec.json", with: "/nowhere/spec.json").split(separator: " ").dropFirst().map(String.init)
                if words.starts(with: ["data", "make"]) || words.starts(with: ["lab", "init"]) { continue }
                let run = try await Self.run(program, words)
                #expect(run.code != 64, "\(line): \(run.errors)")
            }
        }
    }

    @Test("--version names the program and the protocol", arguments: programs)
    func version(program: String) async throws {
        let run = try await Self.run(program, ["--version"])
        let form = try Regex("^\(program) [0-9]+\\.[0-9]+\\.[0-9]+, protocol [0-9]+\n$")
        #expect(run.code == 0 && run.output.contains(form), "\(run.output)")
    }

    @Test("completion for each shell knows every verb", arguments: programs)
    func completion(program: String) async throws {
        let verbs = try await Self.commands(program).flatMap { $0.path.split(separator: " ").dropFirst() }
        for shell in ["bash", "zsh", "fish"] {
            let run = try await Self.run(program, ["--generate-completion-script", shell])
            #expect(run.code == 0)
            for verb in verbs { #expect(run.output.contains(verb), "\(shell) \(verb)") }
        }
        if FileManager.default.isExecutableFile(atPath: "/bin/bash") {
            let script = try await Self.run(program, ["--generate-completion-script", "bash"]).output
            let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).bash")
            try script.write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/bash")
            shell.arguments = ["-n", file.path]
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 0)
        }
    }

    @Test("a reader that goes away early, such as head, changes neither the end nor the exit code")
    func closedPipe() throws {
        for arguments in [["catalogue", "list"], ["wire"]] {
            let process = Process()
            process.executableURL = Programs.url("jointlab")
            process.arguments = arguments
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try pipe.fileHandleForReading.close()
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(arguments)")
        }
    }

    // Languages

    @Test("a mistake on the command line is one error and one hint, in the language asked for", arguments: programs)
    func commandLines(program: String) async throws {
        let verb = program == "jointlab" ? ["job", "submit"] : ["serve"]
        let whole = verb + (program == "jointlab" ? ["a"] : ["--config", "a"])
        let place = ([program] + verb).joined(separator: " ")
        let cases: [(arguments: [String], en: String, zh: String)] = [
            (verb, "missing expected argument", "缺少参数"),
            (whole + ["--no-such"], "unknown option '--no-such'", "未知选项 '--no-such'"),
            (whole + ["--lang", "fr"], "'fr' is invalid", "'fr' 不适用于"),
            (whole + ["b"], "unexpected argument 'b'", "多余的参数 'b'"),
            (whole + [program == "jointlab" ? "--as" : "--config"], "missing value for", "缺少取值"),
        ]
        for (arguments, english, chinese) in cases {
            for (language, locale, text) in [("en", "en_GB.UTF-8", english), ("zh", "zh_CN.UTF-8", chinese)] {
                let run = try await Self.run(program, arguments, locale: ["LANG": locale])
                let pair = run.pair(language)
                #expect(run.code == 64 && run.output.isEmpty && run.lines.count == 2, "\(run)")
                #expect(pair.error.contains(text) && pair.hint.contains("\(place) --help"), "\(pair)")
            }
        }
        let asked = try await Self.run(program, verb + ["--no-such", "--lang", "zh"])
        #expect(asked.code == 64)
        _ = asked.pair("zh")
    }

    @Test("speeds that no line has and rounds that there cannot be are refused before anything is read")
    func planOptions() async throws {
        for (option, values) in [("--line", ["inf", "nan", "0", "-1", "0.0009", "1e7", "1e308"]), ("--rounds", ["0", "-1"])] {
            for value in values {
                let run = try await Self.run("jointlab", ["job", "plan", "/nowhere/spec.json", "\(option)=\(value)"])
                #expect(run.code == 64 && run.lines.count == 2 && run.errors.contains(option), "\(run)")
            }
        }
    }

    @Test("the language is that of the first of LC_ALL, LC_MESSAGES and LANG that is set; --lang goes before them")
    func locales() async throws {
        let (chinese, english) = ("zh_CN.UTF-8", "en_US.UTF-8")
        for (locale, language) in [
            ([:], "en"), (["LANG": chinese], "zh"), (["LANG": chinese, "LC_MESSAGES": english], "en"), (["LANG": english, "LC_MESSAGES": chinese], "zh"),
            (["LC_ALL": english, "LC_MESSAGES": chinese, "LANG": chinese], "en"), (["LC_ALL": "", "LC_MESSAGES": "", "LANG": chinese], "zh"),
            (["LANG": "fr_FR.UTF-8"], "en"),
        ] {
            let run = try await Self.run("jointlab", ["job", "validate", "/nowhere/spec.json"], locale: locale)
            #expect(run.code == 2)
            _ = run.pair(language)
            for other in ["en", "zh"] {
                _ = try await Self.run("jointlab", ["job", "validate", "/nowhere/spec.json", "--lang", other], locale: locale).pair(other)
            }
        }
    }

    /// A sentence without what is filled in.
    private static func words(_ template: String) -> String { template.replacing(/\{(place|[0-9])\}/, with: "") }

    @Test("every fault has a message and a hint in both languages", arguments: Fault.Code.allCases)
    func faults(code: Fault.Code) {
        for phrase in [code.entry.message, code.entry.hint] {
            let (en, zh) = (Self.words(phrase.en), Self.words(phrase.zh))
            // A few are filled in altogether; then in both languages.
            let isOpen = !Self.isEnglish(en) && !Self.isChinese(zh)
            if isOpen {
                #expect(phrase.en.contains("{") && phrase.zh.contains("{"), "\(code)")
            } else {
                #expect(Self.isEnglish(en) && !Self.isChinese(en) && Self.isChinese(zh), "\(code): \(phrase)")
            }
            #expect(!phrase.en.isEmpty && !phrase.zh.isEmpty && !phrase.en.contains("\n") && !phrase.zh.contains("\n"))
        }
        #expect(code.entry.exit != .success)
    }

    @Test("every sentence of the sources that is written in two languages is written in both")
    func sentences() throws {
        let folder = Programs.repository.appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)).compactMap { $0 as? URL }
        var count = 0
        for file in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /en:\s*"((?:[^"\\]|\\.)*)",\s*zh:\s*"((?:[^"\\]|\\.)*)"/) {
                count += 1
                let (en, zh) = (String(match.1), String(match.2))
                // Names of techniques are the same in both; what is filled in altogether has no words of its own.
                let isOpen = !Self.isEnglish(Self.words(en.replacing(/\\\([^)]*\)+/, with: "")))
                #expect(!Self.isChinese(en) && (Self.isChinese(zh) || zh.replacing("：", with: ": ") == en || isOpen), "\(file.lastPathComponent): \(en) | \(zh)")
            }
        }
        #expect(count > 200)
    }

    // Arithmetic

    @Test("a node that is told to use an arithmetic does not start with another", arguments: ["arbiter", "platform-node", "bank-node"])
    func kernels(program: String) async throws {
        let arguments = ["serve", "--config", "/nowhere/node.json"]
        for (language, named) in [("en", "'sse' is none of portable, ifma"), ("zh", "“sse”不在可选项 portable, ifma 之内")] {
            let unknown = try await Self.run(program, arguments + ["--lang", language], locale: ["LANG": "C.UTF-8", "JOINTLAB_KERNELS": "sse"])
            #expect(unknown.code == 2 && unknown.pair(language).error.contains(named), "\(unknown)")
        }
        // What comes next is the configuration that is not there.
        let portable = try await Self.run(program, arguments, locale: ["LANG": "C.UTF-8", "JOINTLAB_KERNELS": "portable"])
        #expect(portable.code == 2 && portable.pair().error.contains("/nowhere/node.json"), "\(portable)")
        let features = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let vector = try await Self.run(program, arguments, locale: ["LANG": "C.UTF-8", "JOINTLAB_KERNELS": "ifma"])
        let expected: (Int32, String) = features.contains(" avx512ifma") ? (2, "/nowhere/node.json") : (3, "this processor has no AVX-512 IFMA")
        #expect(vector.code == expected.0 && vector.pair().error.contains(expected.1), "\(vector)")
    }

    // Exit codes

    /// Exit code by fault, as a table of a document says: single numbers go before ranges.
    private static func documented(_ file: String) throws -> [(exit: Int, numbers: [ClosedRange<Int>])] {
        let text = try String(contentsOf: Programs.repository.appending(path: file), encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("|"), cells.count == 3, let exit = Int(cells[0]) else { return nil }
            return (exit, cells[2].matches(of: /([0-9]{3})(?:-([0-9]{3}))?/).compactMap { match in
                guard let first = Int(match.1), let last = match.2.map({ Int($0) }) ?? first, first <= last else { return nil }
                return first...last
            })
        }
    }

    @Test("exit codes are those of the documents", arguments: ["README.md", "README.zh.md", "Protocols/specification.md"])
    func exitCodes(file: String) throws {
        let table = try Self.documented(file)
        #expect(table.map(\.exit) == [0, 1, 2, 3, 4, 64, 70])
        for code in Fault.Code.allCases {
            let number = Int(code.rawValue)
            let fitting = table.flatMap { row in row.numbers.filter { $0.contains(number) }.map { (row.exit, $0.count) } }
            let narrowest = fitting.map(\.1).min()
            let exits = fitting.filter { $0.1 == narrowest }.map(\.0)
            #expect(exits == [Int(code.entry.exit.rawValue)], "\(code) \(number)")
        }
    }
}
