import Foundation
import Testing

/// The compliance officer of a node, who wants to know what it did.
@Suite("Operations") struct OperationsTests {
    private func entries(_ lab: TrialLab, _ node: String) throws -> [[String: Any]] {
        try lab.text("\(node)/state/operations/entries.jsonl").split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private func payloads(_ lab: TrialLab, _ node: String, _ job: String) throws -> Int {
        let files = try FileManager.default.subpathsOfDirectory(atPath: lab.path("\(node)/state/ledger/\(job)/payloads"))
        return files.count { $0.contains("/") }
    }

    @Test("payloads go once the ledger was verified, as the retention says; a job that may not find room is refused, with figures")
    func retentionAndRoom() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["retention"] = "digests" }
        try lab.edit("platform/node.json") { $0["retention"] = "inbound" }
        try await lab.start()
        let file = try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }
        let job = try await lab.submit(file)
        #expect(try await lab.job("watch", job).code == 0)
        for name in ["bank", "platform"] {
            #expect(try await eventually { try entries(lab, name).last?["action"] as? String == "payloads.dropped" }, "\(name)")
            #expect(try (entries(lab, name).last?["count"] as? Int ?? 0) > 1_000_000)
        }
        // What crosses as a job ends may come later.
        let (atBank, atPlatform, atArbiter) = (try payloads(lab, "bank", job), try payloads(lab, "platform", job), try payloads(lab, "arbiter", job))
        #expect(atBank <= 2 && atPlatform > 10 && atArbiter > 10, "\(atBank) \(atPlatform) \(atArbiter)")
        for name in ["bank", "platform", "arbiter"] { #expect(try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(job)")).code == 0, "\(name)") }

        try await lab.stop("platform")
        try lab.edit("platform/node.json") { $0["ledger"] = ["disk_limit": 3_000_000] }
        try await lab.start("platform")
        for (language, text) in [("en", "of the 3 MB of ledger.disk_limit are taken"), ("zh", "ledger.disk_limit 的 3 MB 中已占用")] {
            let run = try await lab.job("submit", file, "--watch", "--lang", language)
            #expect(run.code == 1 && run.pair(language).error.contains(text), "\(run)")
        }
        #expect(try entries(lab, "platform").last?["action"] as? String == "job.refused")
    }

    @Test("every read, approval, key, result and look-up is an entry; audit verifies, shows and looks up a subject; no entry names one")
    func operations() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        try await lab.start()
        let file = try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }
        let job = try await lab.submit(file)
        let approved = try await eventually { try lab.log("bank").contains("waits for approval: jobs show \(job)") }
        #expect(approved)
        let bank = ["--config", lab.path("bank/node.json")]
        #expect(try await lab.run("bank-node", ["jobs", "approve", job] + bank).code == 0)
        #expect(try await lab.job("watch", job).code == 0)
        #expect(try await eventually { try entries(lab, "bank").contains { $0["action"] as? String == "job.ended" } })
        // Beside the running nodes.
        #expect(try await lab.run("bank-node", ["report", job] + bank).code == 0)
        #expect(try await lab.run("bank-node", ["models", "retire", job] + bank).code == 0)
        // Data are read by commands, too.
        for verb in [["register", "main"], ["profile", "main"], ["register", "main", "--remove"]] {
            let run = try await lab.run("bank-node", ["data"] + verb + bank)
            #expect(run.code == 0, "\(run)")
        }

        let data = try TrialData.files.get()
        let rows = try String(contentsOf: data.appending(path: "bank.csv"), encoding: .utf8).split(whereSeparator: \.isNewline)
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let column = try #require(rows[0].firstIndex(of: "uscc"))
        let scores = try lab.text("bank/state/jobs/\(job)/scores.csv").split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",").map(String.init) }
        let common = Dictionary(uniqueKeysWithValues: scores.map { ($0[0], $0[2]) })

        // Who was touched, and how.
        func uses(_ code: String) async throws -> [String] {
            let run = try await lab.run("bank-node", ["audit", "subject", code, "--json"] + bank)
            #expect(run.code == 0, "\(run)")
            let answer = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
            #expect(answer?.allSatisfy { $0["job"] as? String == job && $0["purpose"] as? String == "credit_assessment" } == true)
            return answer?.compactMap { $0["use"] as? String } ?? []
        }
        let trained = try #require(common.first { $0.value == "train" }?.key), tested = try #require(common.first { $0.value == "test" }?.key)
        let alone = try #require(rows.dropFirst().map { $0[column] }.first { common[$0] == nil })
        #expect(try await uses(trained) == ["read", "aligned", "trained", "scored"])
        #expect(try await uses(tested.lowercased() + " ") == ["read", "aligned", "scored"])
        #expect(try await uses(alone) == ["read"])
        #expect(try await uses("no such enterprise").isEmpty)
        let words = try await lab.run("bank-node", ["audit", "subject", trained, "--lang", "zh"] + bank)
        #expect(words.output.contains("参与训练") && words.output.contains("与对方对齐") && words.output.contains(job), "\(words)")

        for name in ["bank", "platform", "arbiter"] { #expect(try await lab.stop(name) == 0, "\(name)") }
        let all = try entries(lab, "bank")
        let actions = all.compactMap { $0["action"] as? String }
        let expected = [
            "contract", "node.started", "job.approved", "data.read", "subjects.read", "keys.made", "keys.sealed", "job.started", "subjects.aligned", "subjects.trained",
            "subjects.scored", "keys.destroyed", "job.ended", "result.exported", "model.retired", "data.read", "data.published", "data.read",
            "data.withdrawn",
        ] + [String](repeating: "subject.audited", count: 5) + ["node.stopped"]
        #expect(actions.filter { $0 != "result.kept" } == expected, "\(actions)")
        let kept = all.filter { $0["action"] as? String == "result.kept" }.compactMap { $0["object"] as? String }
        #expect(Set(kept).union(["retired.json"]) == Set(try FileManager.default.contentsOfDirectory(atPath: lab.path("bank/state/jobs/\(job)"))))
        func only(_ action: String) throws -> [String: Any] { try #require(all.first { $0["action"] as? String == action }) }
        #expect(try only("data.read")["count"] as? Int == rows.count - 1 && only("data.read")["object"] as? String == "main")
        #expect(try (only("job.approved")["actor"] as? String)?.hasPrefix("account ") == true && only("job.ended")["object"] as? String == "completed")
        let reads = all.filter { $0["action"] as? String == "data.read" }
        #expect(reads.map { $0["purpose"] as? String } == ["credit_assessment", "description", "profile"])
        #expect(Set(reads.map { "\($0["object"] ?? "") \($0["digest"] ?? "") \($0["count"] ?? "")" }).count == 1)
        #expect(try only("subjects.aligned")["count"] as? Int == common.count)
        let digest = try only("data.read")["digest"] as? String ?? ""
        let check = Process()
        check.executableURL = URL(filePath: "/usr/bin/env")
        check.arguments = ["sh", "-c", "echo '\(digest)  bank.csv' | sha256sum --check --status"]
        check.currentDirectoryURL = data
        try check.run()
        check.waitUntilExit()
        #expect(check.terminationStatus == 0 && digest.count == 64)

        // No entry names a subject or holds a cell of the data.
        let cells = Set(rows.joined().filter { $0.utf8.count >= 7 && !$0.contains("-") })
        for name in ["bank", "platform", "arbiter"] {
            let words = Set(try lab.text("\(name)/state/operations/entries.jsonl").split { !$0.isLetter && !$0.isNumber && $0 != "." }.map(String.init))
            #expect(words.isDisjoint(with: cells), "\(name)")
        }

        // Verified, shown, and held against what the arbiter recorded.
        for name in ["bank", "platform", "arbiter"] {
            let run = try await lab.jointlab("audit", "verify", lab.path("\(name)/state"))
            #expect(run.code == 0, "\(run)")
            #expect(run.output.contains("2 heads of \(name)'s operations"), "\(run)")
            let ledger = try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(job)"))
            #expect(ledger.code == 0, "\(ledger)")
        }
        let witness = ["audit", "reconcile", lab.path("bank/state/operations"), lab.path("arbiter/state/ledger/\(job)")]
        #expect(try await lab.run("jointlab", witness).code == 0)
        // Each party has recorded how far the arbiter's had come.
        for name in ["bank", "platform"] {
            let run = try await lab.jointlab("audit", "reconcile", lab.path("arbiter/state/operations"), lab.path("\(name)/state/ledger/\(job)"))
            #expect(run.code == 0 && run.output.contains("1 heads of arbiter's operations"), "\(run)")
        }
        for (language, text) in [("en", "data set read (rows)  main"), ("zh", "读取数据集（行）  main")] {
            let shown = try await lab.jointlab("audit", "show", lab.path("bank/state/operations"), "--lang", language)
            #expect(shown.code == 0 && shown.output.contains(text) && shown.output.split(separator: "\n").count == all.count, "\(shown)")
        }

        // What is no ledger, and what is not in one.
        let ledger = lab.path("bank/state/ledger/\(job)")
        for (arguments, en, zh) in [
            (["verify", lab.path("bank/state/ledger")], "is no ledger of a job", "不是任务账本"),
            (["ciphertexts", lab.path("bank/state/operations")], "is no ledger of a job", "不是任务账本"),
            (["report", lab.path("bank/node.json")], "is no ledger of a job", "不是任务账本"),
            (["show", ledger, "--frame", "99999"], "has nothing of that line", "没有符合该线路"),
            (["show", ledger, "--line", "nobody"], "has nothing of that line", "没有符合该线路"),
            (["show", lab.path("bank/state"), "--frame", "99999"], "has nothing of that line", "没有符合该线路"),
            (["verify", lab.path("nowhere")], "nowhere: cannot be read", "nowhere：无法读取"),
        ] {
            for (language, text) in [("en", en), ("zh", zh)] {
                let run = try await lab.run("jointlab", ["audit"] + arguments + ["--lang", language])
                #expect(run.code == 2 && run.pair(language).error.contains(text), "\(run)")
            }
        }

        // Cut back with its heads, it holds alone and not beside the arbiter's; with one number changed, the node does not start.
        let lines = try lab.text("bank/state/operations/entries.jsonl"), heads = try lab.text("bank/state/operations/heads")
        func write(_ text: String, _ name: String) throws { try text.write(toFile: lab.path("bank/state/operations/\(name)"), atomically: false, encoding: .utf8) }
        try write(lines.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n", "entries.jsonl")
        try write(heads.components(separatedBy: "\n\n").prefix(6).joined(separator: "\n\n") + "\n\n", "heads")
        #expect(try await lab.jointlab("audit", "verify", lab.path("bank/state/operations")).code == 1)
        let found = try await lab.run("jointlab", witness)
        #expect(found.code == 1 && found.output.contains("[witness]"), "\(found)")
        try write(lines.replacing("\"object\":\"completed\"", with: "\"object\":\"cancelled\""), "entries.jsonl")
        try write(heads, "heads")
        for (language, text) in [("en", "not what this node has signed"), ("zh", "与本节点签署的内容不符")] {
            let run = try await lab.run("bank-node", ["serve", "--lang", language] + bank)
            #expect(run.code == 4 && run.pair(language).error.contains(text), "\(run)")
        }
        #expect(try await lab.jointlab("audit", "verify", lab.path("bank/state/operations")).code == 1)
        try write(lines, "entries.jsonl")
        try await lab.start("arbiter", "bank")
    }
}
