import Foundation
import Testing

/// The commands of the README, as a newcomer types them: in order, in an empty folder, with real nodes.
@Suite("README") struct ReadmeTests {
    private struct Block {
        let language: String
        let lines: [String]

        var text: String { lines.joined(separator: "\n") }
    }

    private static func blocks(_ file: String) throws -> [Block] {
        let text = try String(contentsOf: Programs.repository.appending(path: file), encoding: .utf8)
        return text.matches(of: /(?m)^```([a-z]+)\n((?:.|\n)*?)^```$/).map { match in
            Block(language: String(match.1), lines: match.2.split(separator: "\n").map(String.init))
        }
    }

    @Test("both READMEs have the same commands and documents")
    func same() throws {
        let (english, chinese) = (try Self.blocks("README.md"), try Self.blocks("README.zh.md"))
        #expect(english.count > 10)
        #expect(english.map(\.language) == chinese.map(\.language))
        // What people write to people is in their own language.
        func common(_ block: Block) -> String {
            block.language == "json" ? block.text.replacing(/"statement": "[^"]*"/, with: "") : block.text.replacing(/--reason "[^"]*"/, with: "")
        }
        for (one, other) in zip(english, chinese) { #expect(common(one) == common(other)) }
    }

    @Test("from two files to a trained model, scores, approval and a new certificate, by the README's commands alone")
    func newcomer() async throws {
        let newcomer = try Newcomer()
        var documents = ["spec.json", "score.json"][...]
        for block in try Self.blocks("README.md") {
            switch block.language {
            case "json":
                let document = documents.popFirst()
                try newcomer.write(block.text, to: try #require(document))
            case "sh" where block.lines.contains("swift build -c release"):
                // What has built these tests; a build inside of a test would wait for itself.
                #expect(block.lines == ["Examples/packages", "swift build -c release", "export PATH=$PWD/.build/release:$PATH"])
            case "sh":
                try await newcomer.prepare(for: block.text)
                for line in block.lines { try await newcomer.type(line) }
            default:
                break
            }
        }
        #expect(documents.isEmpty && newcomer.typed > 25)
        // The bank's new certificate opens its lines.
        try await newcomer.restart()
        let results = newcomer.completed
        #expect(results.count == 3, "\(results)")
        for job in results {
            #expect(newcomer.exists("lab/bank/state/jobs/\(job)/scores.csv") && newcomer.exists("lab/platform/state/jobs/\(job)/report.json"))
        }
    }
}

/// A folder, a shell and three terminals.
private final class Newcomer {
    private let folder: URL
    private var nodes: [(name: String, line: String, process: Process)] = []
    private(set) var typed = 0
    /// The last id that a command has printed, and the first.
    private var job = ""
    private var trained: String?

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "readme-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        for node in nodes where node.process.isRunning {
            kill(node.process.processIdentifier, SIGKILL)
            node.process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: path).path) }

    var completed: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "lab/bank/state/jobs").path)) ?? []).sorted()
    }

    /// The specification asks for few rounds and keys that a laptop factors in a day, so that this takes seconds.
    func write(_ text: String, to name: String) throws {
        var document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        if name == "spec.json" { document["training"] = ["maximum_rounds": 3, "key_bits": 512] }
        try JSONSerialization.data(withJSONObject: document).write(to: folder.appending(path: name))
    }

    private func edit(_ path: String, _ change: (inout [String: Any]) -> Void) throws {
        let file = folder.appending(path: path)
        var document = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        change(&document)
        try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys]).write(to: file)
    }

    // What the prose between the commands asks for

    func prepare(for block: String) async throws {
        if block.contains("score.json") {
            for name in ["bank", "platform"] {
                try FileManager.default.copyItem(at: folder.appending(path: "\(name).csv"), to: folder.appending(path: "lab/\(name)/applicants.csv"))
                try edit("lab/\(name)/node.json") { node in
                    var datasets = node["datasets"] as? [String: Any] ?? [:]
                    datasets["applicants"] = ["path": "applicants.csv"]
                    node["datasets"] = datasets
                }
            }
            let text = try String(contentsOf: folder.appending(path: "score.json"), encoding: .utf8)
            try text.replacing("JOB", with: job).write(to: folder.appending(path: "score.json"), atomically: true, encoding: .utf8)
            try await restart()
        }
        if block.contains("jobs list"), block.contains("jobs approve") {
            try edit("lab/bank/node.json") { $0["approve"] = "manual" }
            try await restart()
        }
        if block.contains("jobs approve JOB") || block.contains("jobs refuse JOB") { try await submitForApproval() }
        if block.contains(" audit ") {
            // What crossed is looked at for the job that trained, not for the one that was refused last.
            job = try #require(trained)
            try? FileManager.default.removeItem(at: folder.appending(path: "bank.log"))
            try FileManager.default.copyItem(at: folder.appending(path: ".bank.log"), to: folder.appending(path: "bank.log"))
        }
        if block.contains("keys activate") { try await restart() }
    }

    private func submitForApproval() async throws {
        let run = try await shell("jointlab job submit spec.json --as lab/analyst/person.json")
        #expect(run.code == 0, "\(run)")
        job = run.output.trimmingCharacters(in: .newlines)
        #expect(try await eventually { try log("bank").contains("waits for approval: jobs show \(job)") })
    }

    /// After `lab init`: free ports in place of the usual ones, and the limit on the length of keys set aside.
    private func adapt() throws {
        let port = try TrialLab.freePorts()
        for name in ["arbiter", "platform", "bank", "analyst"] {
            for file in ["contract.json", "node.json"] where exists("lab/\(name)/\(file)") {
                let place = folder.appending(path: "lab/\(name)/\(file)")
                let text = try String(contentsOf: place, encoding: .utf8).replacing("127.0.0.1:7600", with: "127.0.0.1:\(port)")
                    .replacing("127.0.0.1:7601", with: "127.0.0.1:\(port + 1)")
                try text.write(to: place, atomically: true, encoding: .utf8)
            }
            try edit("lab/\(name)/contract.json") { contract in
                var limits = contract["limits"] as? [String: Any] ?? [:]
                limits["insecure_key_bits"] = true
                limits["minimum_key_bits"] = 512
                contract["limits"] = limits
            }
        }
    }

    // The terminal

    func type(_ line: String) async throws {
        typed += 1
        let words = line.split(separator: " ").map(String.init)
        if words.count > 1, words[1] == "serve" { return try await start(line) }
        let run = try await shell(line.replacing(/\bJOB\b/, with: job).replacing(/\bCODE\b/, with: try code()))
        #expect(run.code == 0, "\(line): \(run)")
        if let id = run.output.split(separator: "\n").first, id.count == 32, id.allSatisfy(\.isHexDigit) {
            job = String(id)
            trained = trained ?? job
        }
        if line.hasPrefix("jointlab lab init") { try adapt() }
        if line.contains("jobs approve") {
            let watched = try await shell("jointlab job watch \(job) --as lab/analyst/person.json")
            #expect(watched.code == 0, "\(watched)")
        }
    }

    /// A subject's identifier; nothing before there are data.
    private func code() throws -> String {
        guard exists("bank.csv") else { return "" }
        let lines = try String(contentsOf: folder.appending(path: "bank.csv"), encoding: .utf8).split(whereSeparator: \.isNewline)
        let names = try #require(lines.first).split(separator: ",", omittingEmptySubsequences: false)
        let index = try #require(names.firstIndex(of: "uscc"))
        return String(try #require(lines.dropFirst().first).split(separator: ",", omittingEmptySubsequences: false)[index])
    }

    private func shell(_ line: String) async throws -> Run {
        let name = UUID().uuidString
        let (output, errors) = (folder.appending(path: ".\(name).out"), folder.appending(path: ".\(name).err"))
        let process = try Programs.process("jointlab", [], output: output, errors: errors)
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = folder
        process.environment?["PATH"] = Programs.url("jointlab").deletingLastPathComponent().path + ":/usr/bin:/bin"
        try process.run()
        #expect(try await eventually(240) { !process.isRunning }, "\(line) did not end")
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return Run(code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                   errors: try String(contentsOf: errors, encoding: .utf8))
    }

    private func log(_ name: String) throws -> String {
        (try? String(contentsOf: folder.appending(path: ".\(name).log"), encoding: .utf8)) ?? ""
    }

    private func start(_ line: String) async throws {
        let words = line.split(separator: " ").map(String.init)
        let name = words[0].split(separator: "-").first.map(String.init) ?? words[0]
        let file = folder.appending(path: ".\(name).log")
        let before = try log(name).utf8.count
        let process = try Programs.process(words[0], Array(words.dropFirst()), output: file, errors: file)
        process.currentDirectoryURL = folder
        try process.run()
        nodes.append((name, line, process))
        let sign = name == "arbiter" ? "listening at" : "registered with"
        let isUp = try await eventually { try !process.isRunning || String(log(name).utf8.dropFirst(before))?.contains(sign) == true }
        let text = try log(name)
        try #require(isUp && process.isRunning, "\(text)")
    }

    func restart() async throws {
        let lines = nodes.map(\.line)
        for node in nodes.reversed() {
            kill(node.process.processIdentifier, SIGTERM)
            #expect(try await eventually { !node.process.isRunning })
            node.process.waitUntilExit()
        }
        nodes = []
        for line in lines { try await start(line) }
    }
}
