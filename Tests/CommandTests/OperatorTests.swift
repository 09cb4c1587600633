import Foundation
import Testing

/// The owner of a data set, and whoever keeps its node running.
@Suite("Approver and operator") struct OperatorTests {
    private func node(_ lab: TrialLab, _ name: String, _ arguments: String...) async throws -> Run {
        try await lab.run("\(name)-node", arguments + ["--config", lab.path("\(name)/node.json")])
    }

    private func waits(_ lab: TrialLab, _ name: String, for job: String) async throws {
        #expect(try await eventually { try lab.log(name).contains("waits for approval: jobs show \(job)") }, "\(name)")
    }

    @Test("a job waits for its owner, is told why it is refused, and starts once it is approved; the model is retired for good")
    func approvalAndModels() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        try lab.edit("platform/node.json") { $0["approve"] = ["maximum_rounds": 2, "kinds": ["train"]] }
        try lab.edit("contract.json") { contract in
            var people = contract["people"] as? [[String: Any]] ?? []
            for index in people.indices where people[index]["name"] as? String == "ben" {
                people[index]["role"] = "approver"
                people[index]["party"] = "bank"
            }
            contract["people"] = people
        }
        let early = try await node(lab, "bank", "jobs", "list")
        #expect(early.code == 3 && early.pair().error.contains("no running node"))
        try await lab.start()
        let mode = try FileManager.default.attributesOfItem(atPath: lab.path("bank/state/control.socket"))[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let file = try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }

        // Refused, with a reason in any script.
        let first = try await lab.submit(file)
        try await waits(lab, "bank", for: first)
        let shown = try await node(lab, "bank", "jobs", "show", first)
        for text in ["Purpose: credit_assessment", "tenure_months", "vat_paid_12m", "At most 2 rounds", "512 bits", "What each side will learn"] {
            #expect(shown.code == 0 && shown.output.contains(text), "\(shown)")
        }
        let status = try await lab.job("status", first)
        #expect(status.code == 0 && status.output.contains("waiting for approval of bank since "), "\(status)")
        // Which would approve by itself, and hold its data for as long as the bank's owner takes.
        #expect(try !lab.log("platform").contains("approved"))
        for language in ["en", "zh"] {
            for reason in ["", "two\nlines", String(repeating: "a", count: 129)] {
                let run = try await node(lab, "bank", "jobs", "refuse", first, "--reason", reason, "--lang", language)
                #expect(run.code == 2 && run.pair(language).error.contains("--reason"), "\(run)")
            }
            let analyst = try await node(lab, "bank", "jobs", "approve", first, "--as", lab.path("ann/person.json"), "--lang", language)
            #expect(analyst.code == 4 && analyst.pair(language).error.contains("ann"), "\(analyst)")
            let account = try await node(lab, "bank", "jobs", "approve", first, "--lang", language)
            #expect(account.code == 4 && account.pair(language).error.contains("R13"), "\(account)")
            let other = try await node(lab, "bank", "jobs", "approve", String(repeating: "0", count: 32), "--lang", language)
            #expect(other.code == 2)
            _ = other.pair(language)
        }
        let refused = try await node(lab, "bank", "jobs", "refuse", first, "--reason", "用途未经同意", "--as", lab.path("ben/person.json"))
        #expect(refused.code == 0, "\(refused)")
        for (language, text) in [("en", "bank refused the job: 用途未经同意"), ("zh", "bank 拒绝了该任务：用途未经同意")] {
            let run = try await lab.job("watch", first, "--lang", language)
            #expect(run.code == 1 && run.errors.contains(text), "\(run)")
        }
        let kept = try lab.json("bank/state/approvals/\(first).json")
        #expect(kept["by"] as? String == "ben" && kept["decision"] as? String == "refused" && kept["reason"] as? String == "用途未经同意")
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)

        // Approved: beyond the platform's limits both owners are asked.
        let second = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 3] })
        for name in ["bank", "platform"] {
            try await waits(lab, name, for: second)
            let listed = try await node(lab, name, "jobs", "list")
            #expect(listed.output.contains("\(second)  waits for approval since"), "\(listed)")
            let proof = name == "bank" ? ["--as", lab.path("ben/person.json")] : []
            let run = try await lab.run("\(name)-node", ["jobs", "approve", second, "--config", lab.path("\(name)/node.json")] + proof)
            #expect(run.code == 0, "\(run)")
        }
        let again = try await node(lab, "bank", "jobs", "approve", second)
        #expect(again.code == 2)
        let trained = try await lab.job("watch", second)
        #expect(trained.code == 0, "\(trained)")
        #expect(try lab.json("platform/state/approvals/\(second).json")["decision"] as? String == "approved")

        // Models.
        for name in ["bank", "platform"] {
            let list = try await node(lab, name, "models", "list")
            #expect(list.code == 0 && list.output.contains(second) && list.output.contains("\(name) half") && list.output.contains("usable"), "\(list)")
        }
        let unknown = try await node(lab, "bank", "models", "retire", first)
        #expect(unknown.code == 2 && unknown.pair().error.contains("no stored model"))
        let retired = try await node(lab, "platform", "models", "retire", second, "--lang", "zh")
        #expect(retired.code == 0 && retired.output.contains("已永久停用"))
        let state = try await node(lab, "platform", "models", "show", second, "--json")
        #expect(state.output.contains(#""state":"retired""#), "\(state)")
        let scoring = try lab.specification("score") { specification in
            for key in ["label", "features", "training"] { specification[key] = nil }
            specification["kind"] = "score"
            specification["model"] = second
        }
        for (language, text) in [("en", "platform has retired its half"), ("zh", "platform 已停用")] {
            let run = try await lab.job("submit", scoring, "--watch", "--lang", language)
            #expect(run.code == 1 && run.pair(language).error.contains(text), "\(run)")
        }
        // The bank, which was asked for its consent, is not asked for ever.
        var left = try await node(lab, "bank", "jobs", "list", "--json")
        for _ in 0..<200 where !left.output.contains(#""jobs":[]"#) {
            try await Task.sleep(for: .milliseconds(50))
            left = try await node(lab, "bank", "jobs", "list", "--json")
        }
        #expect(left.output.contains(#""jobs":[]"#), "\(left)")
    }

    @Test("an owner is not asked about a job that ended while its offer was on its way")
    func endedBeforeAsked() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        try await lab.start()
        // Offers and ends come to the bank together.
        try lab.signal("bank", SIGSTOP)
        for _ in 1...4 {
            let job = try await lab.submit(try lab.specification())
            let cancelled = try await lab.job("cancel", job)
            #expect(cancelled.code == 0, "\(cancelled)")
        }
        try lab.signal("bank", SIGCONT)
        // Those before it have come to the bank as well.
        let asked = try await lab.submit(try lab.specification())
        try await waits(lab, "bank", for: asked)
        try await Task.sleep(for: .seconds(1))
        let listed = try await node(lab, "bank", "jobs", "list")
        #expect(listed.output.contains(asked) && listed.output.components(separatedBy: "waits for approval").count == 2, "\(listed)")
    }

    @Test("a second node on one data directory, and a data directory that is none")
    func directories() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        for program in ["arbiter", "bank-node", "platform-node"] {
            let name = program.split(separator: "-").first.map(String.init) ?? program
            for (language, text) in [("en", "another node already serves"), ("zh", "已有节点在运行")] {
                let run = try await lab.run(program, ["serve", "--config", lab.path("\(name)/node.json"), "--lang", language])
                #expect(run.code == 3 && run.pair(language).error.contains(text), "\(run)")
            }
        }
        // A node that was killed leaves no lock behind.
        try await lab.stop("bank", SIGKILL)
        try await lab.start("bank")
        try await lab.stop("platform")
        try lab.edit("platform/node.json") { $0["data_directory"] = "contract.json" }
        for language in ["en", "zh"] {
            let run = try await lab.run("platform-node", ["serve", "--config", lab.path("platform/node.json"), "--lang", language])
            #expect(run.code == 3, "\(run)")
            _ = run.pair(language)
        }
    }

    @Test("a node that is asked to end as soon as it serves does so, however late its signals come to be listened for")
    func askedAtOnce() async throws {
        let lab = try await TrialLab()
        let late = try Interposer.late()
        defer { late.remove() }
        lab.interposers["arbiter"] = late
        try await lab.start("arbiter")
        let code = try await lab.stop("arbiter")
        #expect(code == 0 && late.struck == "sigaction")
    }

    @Test("doctor says which step fails and what to do about it")
    func doctor() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["datasets"] = ["main": ["path": "no-such.csv"]] }
        let alone = try await node(lab, "bank", "doctor")
        #expect(alone.code == 1, "\(alone)")
        for text in ["failed  data set main", "failed  arbiter: TCP", "skipped arbiter: pin", "ok      mode of private_key", "ok      contract's history", "hint: ", "ok      arithmetic: "] {
            #expect(alone.output.contains(text), "\(alone.output)")
        }
        try await lab.start("arbiter", "platform")
        let whole = try await node(lab, "platform", "doctor", "--json")
        #expect(whole.code == 0 && !whole.output.contains(#""outcome":"failed""#), "\(whole.output)")
        let dialled = try await node(lab, "bank", "doctor", "--lang", "zh")
        #expect(dialled.code == 1 && dialled.output.contains("通过 arbiter：版本与契约") && dialled.output.contains("通过 platform：固定密钥"), "\(dialled.output)")
        // Looking did not end the line of the platform's running node.
        #expect(try lab.log("platform").components(separatedBy: "registered with").count == 2)
        try lab.edit("contract.json", at: ["bank/contract.json"]) { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["name"] as? String == "platform" { parties[index]["pin"] = String(repeating: "ab", count: 32) }
            contract["parties"] = parties
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: lab.path("bank/ledger.key"))
        let wrong = try await node(lab, "bank", "doctor")
        #expect(wrong.code == 1 && wrong.output.contains("failed  mode of ledger_key"), "\(wrong.output)")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: lab.path("bank/ledger.key"))
        let pin = try await node(lab, "bank", "doctor")
        #expect(pin.output.contains("failed  platform: pin") && pin.output.contains("failed  arbiter: version and contract"), "\(pin.output)")
        let arbiter = try await lab.run("arbiter", ["doctor", "--config", lab.path("arbiter/node.json")])
        #expect(arbiter.code == 0, "\(arbiter.output)")
        // A contract that does not follow on the one that was served is told before the node refuses to start under it.
        try await lab.stop("platform")
        try lab.edit("contract.json", at: ["platform/contract.json"]) { $0["limits"] = ["maximum_rounds": 7] }
        let other = try await node(lab, "platform", "doctor")
        #expect(other.code == 1 && other.output.contains("failed  contract's history"), "\(other.output)")
    }

    @Test("a party that falls silent ends the job after the contract's deadline, by name, at the other party and for whoever watches",
          arguments: [("bank", "platform"), ("platform", "bank")])
    func silence(silent: String, other: String) async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 8])
        try await lab.start()
        let job = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 1024, "maximum_rounds": 40, "tolerance": 0.0001] })
        #expect(try await eventually { try lab.log(silent).contains("phase training") }, "\(silent)")
        try lab.signal(silent, SIGSTOP)
        for (language, text) in [("en", "\(silent) did not answer within 8 s"), ("zh", "\(silent) 在 8 秒内没有回应")] {
            let run = try await lab.job("watch", job, "--lang", language)
            #expect(run.code == 3 && run.pair(language).error.contains(text), "\(run)")
        }
        #expect(try lab.log(other).contains("\(silent) did not answer within 8 s"))
        #expect(lab.results(other).isEmpty)
    }

    @Test("a node that had no descriptor left for a moment answers its operator again")
    func descriptors() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        try lab.limitDescriptors("bank", to: 3)
        // It may have had a place left for one.
        let running = try lab.begin("bank-node", ["jobs", "list", "--config", lab.path("bank/node.json")])
        try await Task.sleep(for: .seconds(1))
        try lab.limitDescriptors("bank", to: 256)
        _ = try await running.end()
        let listed = try await node(lab, "bank", "jobs", "list")
        #expect(listed.code == 0, "\(listed)")
    }

    @Test("a report that says a number beyond all measure exhausts the budget of exposure, and ends no node")
    func exposure() async throws {
        let lab = try await TrialLab()
        let rules = #"{"version": 1, "name": "rules", "purposes": {"credit_assessment": {}}, "exposure_budget": {"percent": 50, "days": 30}}"#
        try await lab.govern("platform", by: rules)
        let folder = lab.path("platform/state/jobs/\(String(repeating: "ab", count: 16))")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try """
            {"disclosed": {"exposure_percent": 1e300}, "finished": "\(Date().formatted(.iso8601))"}
            """.write(toFile: "\(folder)/report.json", atomically: true, encoding: .utf8)
        try await lab.start()
        let refused = try await lab.job("submit", try lab.specification(), "--watch")
        #expect(refused.code == 1 && refused.pair().error.contains("rules#/exposure_budget"), "\(refused)")
        #expect(lab.ending("platform") == nil)
    }
}
