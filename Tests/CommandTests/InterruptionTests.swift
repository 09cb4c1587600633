import Foundation
import Testing

/// Nodes that go away in the middle of jobs, and come back.
@Suite("Interrupted jobs") struct InterruptionTests {
    /// Followed from the start, in a process of its own.
    struct Watcher {
        let process: Process
        let output: URL
        let errors: URL

        init(_ lab: TrialLab, _ job: String) throws {
            let name = UUID().uuidString
            (output, errors) = (lab.folder.appending(path: "\(name).out"), lab.folder.appending(path: "\(name).err"))
            process = try Programs.process("jointlab", ["job", "watch", job, "--as", lab.path("ann/person.json")], output: output, errors: errors)
            try process.run()
        }

        func end() async throws -> Run {
            #expect(try await eventually(120) { !process.isRunning })
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            return Run(code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                       errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }

    private func started(_ lab: TrialLab) async throws -> String {
        try await lab.start()
        return try await lab.submit(try lab.specification {
            $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8]
        })
    }

    /// Both sides have the result of that job alone, and its ledgers hold.
    private func completed(_ lab: TrialLab, _ run: Run, attemptsOf job: String) async throws -> String {
        try #require(run.code == 0, "\(run)")
        let last = try #require(run.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
        #expect(last != job && last.dropLast(4) == job.dropLast(4), "\(run)")
        for name in ["bank", "platform"] {
            #expect(lab.results(name) == [last], "\(name)")
            let audit = try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(last)"))
            #expect(audit.code == 0, "\(audit)")
        }
        let status = try await lab.job("status", last)
        #expect(status.output.contains("completed, attempt 2"), "\(status)")
        return last
    }

    @Test("a node that is killed and started again: the job is taken up without anybody's help, with other keys, and whoever watches is led to its result",
          arguments: [("platform", "phase alignment"), ("bank", "phase training"), ("arbiter", "phase training")])
    func killed(name: String, moment: String) async throws {
        let lab = try await TrialLab()
        let job = try await started(lab)
        let watcher = try Watcher(lab, job)
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        try await lab.stop(name, SIGKILL)
        if name != "arbiter" {
            #expect(try await eventually { try String(contentsOf: watcher.errors, encoding: .utf8).contains("interrupted: ") })
        }
        try await lab.start(name)
        let watched = try await watcher.end()
        let last = try await completed(lab, watched, attemptsOf: job)
        // What the attempts are made from has nothing in common.
        func commitments(_ job: String) throws -> Set<String> {
            Set(try #require(try lab.json("bank/state/ledger/\(job)/manifest.json")["secret_commitments"] as? [String: String]).values)
        }
        let (first, second) = (try commitments(job), try commitments(last))
        #expect(!first.isEmpty && first.count == second.count && first.isDisjoint(with: second))
        #expect(try lab.json("bank/state/ledger/\(last)/manifest.json")["attempt"] as? Int == 2)
    }

    @Test("a node restored from a back-up finishes the interrupted job, and consent given before holds for it")
    func consent() async throws {
        let lab = try await TrialLab()
        for name in ["bank", "platform"] { try lab.edit("\(name)/node.json") { $0["approve"] = "manual" } }
        let job = try await started(lab)
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("waits for approval: jobs show \(job)") })
            let approved = try await lab.run("\(name)-node", ["jobs", "approve", job, "--config", lab.path("\(name)/node.json")])
            #expect(approved.code == 0, "\(approved)")
        }
        #expect(try await eventually { try lab.log("bank").contains("phase alignment") })
        try await lab.stop("platform")
        let (state, copy) = (lab.path("platform/state"), lab.folder.appending(path: "copy").path)
        try FileManager.default.copyItem(atPath: state, toPath: copy)
        try FileManager.default.removeItem(atPath: state)
        try FileManager.default.moveItem(atPath: copy, toPath: state)
        try await lab.start("platform")
        let watched = try await lab.job("watch", job)
        _ = try await completed(lab, watched, attemptsOf: job)
    }

    // Lines

    /// Bank and platform speak through a proxy.
    private func proxied(_ lab: TrialLab) throws -> FaultProxy {
        let contract = try lab.json("bank/contract.json")
        let parties = try #require(contract["parties"] as? [[String: Any]])
        let platform = try #require(parties.first { $0["role"] as? String == "platform" })
        let port = try #require((platform["address"] as? String)?.split(separator: ":").last.flatMap { Int($0) })
        let proxy = try FaultProxy(to: port)
        try lab.edit("contract.json") { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["role"] as? String == "platform" { parties[index]["address"] = "127.0.0.1:\(proxy.port)" }
            contract["parties"] = parties
        }
        return proxy
    }

    @Test("a line that is cut, or on which a bit was flipped, is noticed, and the job is done in its next attempt",
          arguments: [("phase alignment", false), ("training round 2", true)])
    func broken(moment: String, isFlipped: Bool) async throws {
        let lab = try await TrialLab()
        let proxy = try proxied(lab)
        defer { proxy.end() }
        let job = try await started(lab)
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        if isFlipped { proxy.set(.flip) } else { proxy.cut() }
        let watched = try await lab.job("watch", job)
        _ = try await completed(lab, watched, attemptsOf: job)
        #expect(proxy.connections == 2)
    }

    @Test("a peer that is silent, does not read, or sends a byte a second ends the job at the deadline, at every node and by name; the next job is done",
          arguments: [FaultProxy.Mode.deaf, .swallow, .trickle])
    func silent(mode: FaultProxy.Mode) async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 8])
        let proxy = try proxied(lab)
        defer { proxy.end() }
        let job = try await started(lab)
        #expect(try await eventually { try lab.log("bank").contains("training round 1") })
        proxy.set(mode)
        let watched = try await lab.job("watch", job)
        #expect(watched.code != 0 && watched.pair().error.contains("within 8 s"), "\(watched)")
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("ended: ") }, "\(name)")
            #expect(lab.results(name).isEmpty)
        }
        proxy.cut()
        proxy.set(.pass)
        let next = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 1] }, "--watch")
        #expect(next.code == 0, "\(next)")
    }
}
