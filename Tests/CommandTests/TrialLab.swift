import Foundation
import Synchronization
import Testing

/// Generated data, made once for all tests.
enum TrialData {
    static let common = 2200

    static let files = made(common: common)

    /// For what is tried thousands of times: aligning takes most of a small job, and grows with the rows.
    static let few = made(common: 1100)

    private static func made(common: Int) -> Result<URL, any Error> { Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "command-data-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = folder.appending(path: "make.log")
        let process = try Programs.process("jointlab", ["data", "make", folder.path, "--common", "\(common)", "--seed", "4", "--records"], output: log, errors: log)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        try "uscc,tax\n".write(to: folder.appending(path: "header.csv"), atomically: true, encoding: .utf8)
        try "".write(to: folder.appending(path: "empty.csv"), atomically: true, encoding: .utf8)
        return folder
    } }
}

/// A lab of its own for a test: files, and its nodes as processes, which end with it.
final class TrialLab {
    let folder: URL
    private let furtherPlatforms: [String]
    private let furtherBanks: [String]
    private var nodes: [String: Process] = [:]
    /// What a node is started with from now on.
    var interposers: [String: Interposer] = [:]

    /// - Parameters:
    ///   - files: its parties' data.
    ///   - limits: in place of the contract's own.
    ///   - platforms: a data file for each besides that of the lab's first.
    ///   - banks: names of further ones, with the first one's data.
    ///   - arguments: for `lab init`.
    init(_ files: Result<URL, any Error> = TrialData.files, limits: [String: Any] = [:], platforms: [String: URL] = [:], banks: [String] = [],
         arguments: [String] = []) async throws {
        furtherPlatforms = platforms.keys.sorted()
        furtherBanks = banks
        folder = FileManager.default.temporaryDirectory.appending(path: "command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let data = try files.get()
        let made = try await run("jointlab", [
            "lab", "init", folder.appending(path: "lab").path, "--bank-data", data.appending(path: "bank.csv").path,
            "--platform-data", data.appending(path: "platform.csv").path, "--port", "\(try Self.freePorts(2 + platforms.count))", "--trial", "--days", "2",
            "--analyst", "ann", "--analyst", "ben",
        ] + (platforms.isEmpty ? [] : (["platform"] + furtherPlatforms).flatMap { ["--platform", $0] })
            + (banks.isEmpty ? [] : (["bank"] + banks).flatMap { ["--bank", $0] }) + arguments)
        try #require(made.code == 0, "\(made.errors)")
        try edit("contract.json") { contract in
            var all = contract["limits"] as? [String: Any] ?? [:]
            // Keys that a laptop factors in a day, for speed.
            for (key, value) in ["insecure_key_bits": true, "minimum_key_bits": 512, "minimum_rows": 500, "bads_per_column": 5] as [String: Any] {
                all[key] = value
            }
            for (key, value) in limits { all[key] = value }
            contract["limits"] = all
        }
        for (name, file) in platforms { try edit("\(name)/node.json") { $0["datasets"] = ["main": ["path": file.path]] } }
        for (name, files) in ["bank": ["empty", "header"], "platform": ["empty"]] {
            try edit("\(name)/node.json") { node in
                var datasets = node["datasets"] as? [String: Any] ?? [:]
                for file in files { datasets[file] = ["path": data.appending(path: "\(file).csv").path] }
                node["datasets"] = datasets
            }
        }
    }

    deinit {
        for process in nodes.values where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Neighbouring ports that nobody listens at; lower than those that connections are given.
    static func freePorts(_ count: Int = 2) throws -> Int {
        // Test processes side by side have a thousand each: while one's node is down another must not take its port.
        let first = 15_000 + Int(getpid()) % 17 * 1_000
        for _ in 0..<200 {
            let port = Int.random(in: first..<first + 1_000 - count)
            if (port..<port + count).allSatisfy(isFree) { return port }
        }
        throw POSIXError(.EADDRINUSE)
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }

    // Files

    func path(_ name: String) -> String { folder.appending(path: "lab/\(name)").path }

    func text(_ name: String) throws -> String { try String(contentsOf: folder.appending(path: "lab/\(name)"), encoding: .utf8) }

    /// Changes a document; the contract is changed at everyone alike.
    func edit(_ name: String, at places: [String]? = nil, _ change: (inout [String: Any]) -> Void) throws {
        let everyone = (["arbiter", "bank", "platform", "second", "ann", "ben"] + furtherPlatforms + furtherBanks).map { "\($0)/\(name)" }.filter { FileManager.default.fileExists(atPath: path($0)) }
        let places = places ?? (name == "contract.json" ? everyone : [name])
        for place in places {
            let file = folder.appending(path: "lab/\(place)")
            let document = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
            var changed = try #require(document)
            change(&changed)
            try JSONSerialization.data(withJSONObject: changed, options: [.sortedKeys]).write(to: file)
        }
    }

    /// What lies in a node's folder of results, by job; hidden entries included.
    func results(_ node: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path("\(node)/state/jobs"))) ?? []).sorted()
    }

    func json(_ name: String) throws -> [String: Any] {
        let document = try JSONSerialization.jsonObject(with: Data(text(name).utf8)) as? [String: Any]
        return try #require(document)
    }

    // Commands

    func begin(_ program: String, _ arguments: [String], locale: String = "C.UTF-8") throws -> Running {
        let name = UUID().uuidString
        let (output, errors) = (folder.appending(path: "\(name).out"), folder.appending(path: "\(name).err"))
        let process = try Programs.process(program, arguments, output: output, errors: errors, locale: locale)
        try process.run()
        return Running(process: process, output: output, errors: errors)
    }

    func run(_ program: String, _ arguments: [String], locale: String = "C.UTF-8") async throws -> Run {
        try await begin(program, arguments, locale: locale).end()
    }

    func jointlab(_ arguments: String..., locale: String = "C.UTF-8") async throws -> Run { try await run("jointlab", arguments, locale: locale) }

    /// As an analyst of the lab.
    func job(_ arguments: String..., by person: String = "ann") async throws -> Run { try await beginJob(arguments, by: person).end() }

    func beginJob(_ arguments: [String], by person: String = "ann") throws -> Running {
        try begin("jointlab", ["job"] + arguments + ["--as", path("\(person)/person.json")])
    }

    /// A data node's part of a job once more, from its sealed secrets, its data and what it heard, with both keys: the run that nothing
    /// disturbed, to every byte it sent and every result it kept.
    func replay(_ node: String, _ job: String, _ more: [String] = []) async throws -> Run {
        try await run("\(node)-node", [
            "audit", "replay", job, "--config", path("\(node)/node.json"), "--owner-key", path("\(node)/owner-seal.key"),
            "--auditor-key", path("\(node)-auditor/auditor-seal.key"),
        ] + more)
    }

    // Nodes

    func start(_ names: String...) async throws {
        for name in names.isEmpty ? ["arbiter", "platform"] + furtherPlatforms + ["bank"] + furtherBanks : names {
            let (isUp, text) = (try await launch(name), try log(name))
            try #require(isUp, "\(text)")
        }
    }

    /// - Returns: whether it is up; it may have ended instead.
    func launch(_ name: String) async throws -> Bool {
        let log = folder.appending(path: "\(name).log")
        let before = try self.log(name).utf8.count
        let kind = furtherPlatforms.contains(name) ? "platform" : furtherBanks.contains(name) ? "bank" : name
        let program = kind == "arbiter" ? kind : "\(kind)-node"
        let process = try Programs.process(
            program, ["serve", "--config", path("\(name)/node.json")], output: log, errors: log, environment: interposers[name]?.environment ?? [:])
        try process.run()
        nodes[name] = process
        let sign = name == "arbiter" ? "listening at" : "registered with"
        let isUp = try await eventually { try !process.isRunning || String(self.log(name).utf8.dropFirst(before))?.contains(sign) == true }
        return isUp && process.isRunning
    }

    /// How a node ended that nobody has stopped: its exit code or its signal; nothing while it runs.
    func ending(_ name: String) -> (code: Int32, isSignal: Bool)? {
        guard let process = nodes[name], !process.isRunning else { return nil }
        return (process.terminationStatus, process.terminationReason == .uncaughtSignal)
    }

    /// - Returns: its exit code.
    @discardableResult
    func stop(_ name: String, _ signal: Int32 = SIGTERM) async throws -> Int32 {
        let process = try #require(nodes[name])
        nodes[name] = nil
        kill(process.processIdentifier, signal)
        let hasEnded = try await eventually { !process.isRunning }
        if !hasEnded {
            let log = try log(name).suffix(2000)
            Issue.record("\(name) does not end when asked: \(log)")
            kill(process.processIdentifier, SIGKILL)
        }
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// To a node that goes on being one of the lab's.
    func signal(_ name: String, _ signal: Int32) throws { kill(try #require(nodes[name]).processIdentifier, signal) }

    /// How many files and sockets a node that runs may have open from now on.
    func limitDescriptors(_ name: String, to count: Int) throws {
        let limiter = Process()
        limiter.executableURL = URL(filePath: "/usr/bin/env")
        limiter.arguments = ["prlimit", "--pid", "\(try #require(nodes[name]).processIdentifier)", "--nofile=\(count):"]
        try limiter.run()
        limiter.waitUntilExit()
        try #require(limiter.terminationStatus == 0)
    }

    /// Has a policy pinned by the contract that everybody holds.
    func govern(_ name: String, by policy: String) async throws {
        try policy.write(toFile: path("\(name)/policy.json"), atomically: true, encoding: .utf8)
        let digest = try await RolesTests.sha256(path("\(name)/policy.json"))
        try edit("\(name)/node.json") { $0["policy"] = "policy.json" }
        try edit("contract.json") { contract in
            contract["parties"] = (contract["parties"] as? [[String: Any]])?.map { $0["name"] as? String == name ? $0.merging(["policy": digest]) { $1 } : $0 }
        }
    }

    /// What a node has had in memory at most, in MiB.
    func peakMemory(_ name: String) throws -> Int { try memory(name, "VmHWM") }

    /// What it has there now of its own, without the program, in MiB.
    func heldMemory(_ name: String) throws -> Int { try memory(name, "RssAnon") }

    private func memory(_ name: String, _ kind: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(try #require(nodes[name]).processIdentifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(kind):") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) / 1024
    }

    func log(_ name: String) throws -> String {
        (try? String(contentsOf: folder.appending(path: "\(name).log"), encoding: .utf8)) ?? ""
    }

    // Jobs

    /// A specification in a file; `change` makes it another.
    func specification(_ name: String = "spec", _ change: (inout [String: Any]) -> Void = { _ in }) throws -> String {
        var document: [String: Any] = [
            "version": 1, "name": "trial", "purpose": ["code": "credit_assessment", "statement": "A test on generated data."],
            "parties": ["bank": "bank", "platform": "platform"],
            "population": ["id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc"], "label": ["column": "default_12m"],
            "features": [
                "bank": [["column": "industry", "type": "category"], "tenure_months", ["column": "turnover_12m", "log1p": true], "limit_utilisation"],
                "platform": [
                    ["column": "vat_paid_12m", "log1p": true, "missing": "mean"], ["column": "elec_default_count_24m", "missing": "mean"],
                    ["column": "consecutive_normal_tax_months", "missing": "mean"],
                ],
            ],
            "training": ["key_bits": 512, "maximum_rounds": 12],
        ]
        change(&document)
        let file = folder.appending(path: "\(name).json")
        try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys]).write(to: file)
        return file.path
    }

    /// Submits without waiting; the job's id.
    func submit(_ specification: String) async throws -> String {
        let run = try await job("submit", specification)
        try #require(run.code == 0, "\(run.errors)")
        return run.output.split(separator: "\n").first.map(String.init) ?? ""
    }
}
