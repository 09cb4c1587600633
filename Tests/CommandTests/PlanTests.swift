import Foundation
import Testing

/// The data scientist before a job runs: what columns there are, whether the specification fits, what the job will take.
@Suite("Columns, validation and plans") struct PlanTests {
    private func node(_ lab: TrialLab, _ name: String, _ arguments: String...) async throws -> Run {
        try await lab.run("\(name)-node", arguments + ["--config", lab.path("\(name)/node.json")])
    }

    private func columns(_ lab: TrialLab, _ arguments: String...) async throws -> Run {
        try await lab.run("jointlab", ["data", "columns"] + arguments + ["--as", lab.path("ann/person.json")])
    }

    /// What a node publishes reaches the arbiter soon, not at once.
    private func soon(_ run: () async throws -> Run, _ holds: (Run) -> Bool) async throws -> Run {
        for _ in 0..<100 {
            let last = try await run()
            if holds(last) { return last }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await run()
    }

    @Test("owners describe their data, specifications are checked against that, a plan is made, and the job takes the bytes that it says")
    func descriptions() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        // Before the node runs: kept, and sent when it does.
        let registered = try await node(lab, "bank", "data", "register", "main")
        #expect(registered.code == 0 && registered.output.contains("main: ") && registered.output.contains("default_12m"), "\(registered)")
        #expect(registered.errors.contains("when the node is next connected"))
        let kept = try lab.text("bank/state/descriptions/main.json")
        #expect(kept.contains("tenure_months") && !kept.contains("91") && !kept.contains("manufactur"))
        try await lab.start()
        let early = try await soon({ try await columns(lab) }, { $0.output.contains("bank / main") && $0.output.contains("platform: has published") })
        #expect(early.code == 0 && early.output.contains("bank / main") && early.output.contains("platform: has published no data set"), "\(early)")
        let live = try await node(lab, "platform", "data", "register", "main", "--lang", "zh")
        #expect(live.code == 0 && live.errors.contains("已发送至仲裁方"), "\(live)")

        // A data set without a name in node.json; one that cannot be read: nothing is kept of either.
        let unknown = try await node(lab, "bank", "data", "register", "mian")
        #expect(unknown.code == 2 && unknown.pair().error.contains("mian"))
        let empty = try await node(lab, "bank", "data", "register", "empty")
        #expect(empty.code == 2)
        _ = empty.pair()

        let saved = lab.path("columns.json")
        let both = try await soon({ try await columns(lab, "--save", saved, "--lang", "zh") }, { $0.output.contains("platform / main") })
        #expect(both.code == 0 && both.output.contains("platform / main") && both.output.contains("数值"), "\(both)")
        let stranger = try await columns(lab, "--node", "nobody")
        #expect(stranger.code == 2 && stranger.pair().error.contains("nobody"))

        // Everything that is wrong, at once, offline.
        let wrong = try lab.specification("wrong") { specification in
            specification["label"] = ["column": "default_12"]
            specification["features"] = ["bank": ["tenure_month", "industry"], "platform": [["column": "vat_paid_12m", "tpye": "number"]]]
        }
        let checked = try await lab.jointlab("job", "validate", wrong, "--columns", saved)
        #expect(checked.code == 2, "\(checked)")
        for text in ["#/label/column", "did you mean 'default_12m'", "#/features/bank/0", "did you mean 'tenure_months'", "#/features/bank/1: column 'industry'",
                     "#/features/platform/0/tpye", "did you mean 'type'"] {
            #expect(checked.errors.contains(text), "\(text): \(checked.errors)")
        }
        let json = try await lab.jointlab("job", "validate", wrong, "--columns", saved, "--json")
        #expect(json.code == 2 && json.output.contains(#""valid":false"#) && json.output.contains("/features/bank/0"), "\(json)")
        let file = try lab.specification()
        let right = try await lab.job("validate", file)
        #expect(right.code == 0 && right.output.contains("Columns checked as described by bank, platform"), "\(right)")

        // The plan, for the analyst and for the approver.
        let common = "\(TrialData.common)"
        // Nodes measure their machines beside the line to the arbiter.
        let plan = try await soon({ try await lab.job("plan", file, "--common", common) }, { $0.output.contains("Time: about") })
        #expect(plan.code == 0, "\(plan)")
        for text in ["Training rows: 1540", "Rounds: about 9, most often 7 to 10, at most 12", "Time: about", "one machine", "bank asks a person", "What each side will learn"] {
            #expect(plan.output.contains(text), "\(text): \(plan.output)")
        }
        let offline = try await lab.jointlab("job", "plan", file, "--columns", saved, "--contract", lab.path("ann/contract.json"), "--lang", "zh")
        #expect(offline.code == 0 && offline.output.contains("各方将获知"), "\(offline)")
        let without = try await lab.jointlab("job", "plan", file)
        #expect(without.code == 2 && without.pair().error.contains("--as"))
        let job = try await lab.submit(file)
        #expect(try await eventually { try lab.log("bank").contains("waits for approval: jobs show \(job)") })
        let shown = try await node(lab, "bank", "jobs", "show", job)
        for text in ["Columns of platform after treatment", "Time: about", "Bytes bank to platform", "What each side will learn"] {
            #expect(shown.code == 0 && shown.output.contains(text), "\(shown)")
        }
        let approved = try await node(lab, "bank", "jobs", "approve", job)
        #expect(approved.code == 0)
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")

        // With the counts that turned out, bytes are right to the guessed number of the other side's columns.
        for (side, role) in [("bank", "bank"), ("platform", "platform")] {
            let record = try lab.json("\(side)/state/jobs/\(job)/plan.json")
            let real = try #require((record["real"] as? [String: Any])?["bytes"] as? [String: Any])
            let estimated = try #require((record["with_real_counts"] as? [String: Any])?["bytes"] as? [String: Any])
            for line in ["bank_to_platform", "platform_to_bank"] {
                let (a, b) = (try #require(real[line] as? Double), try #require(estimated[line] as? Double))
                #expect(abs(a - b) / a < 0.001, "\(role) \(line): \(a), \(b)")
            }
            let seconds = try #require((record["with_real_counts"] as? [String: Any])?["seconds"] as? [String: Any])
            #expect((seconds["total"] as? Double ?? 0) > 0)
        }

        // Taken back.
        let removed = try await node(lab, "platform", "data", "register", "--remove")
        #expect(removed.code == 0, "\(removed)")
        #expect(try await eventually { !FileManager.default.fileExists(atPath: lab.path("platform/state/descriptions/main.json")) })
        let gone = try await soon({ try await lab.job("plan", file) }, { $0.code == 2 })
        #expect(gone.code == 2 && gone.pair().error.contains("platform has published no data set"), "\(gone)")
    }

    @Test("an arbiter that falls silent ends the job at both parties after the deadline, which says whom it waits for")
    func silentArbiter() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 4])
        try await lab.start()
        _ = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 1024, "maximum_rounds": 40, "tolerance": 0.0001] })
        #expect(try await eventually { try lab.log("bank").contains("phase training") })
        try lab.signal("arbiter", SIGSTOP)
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("waiting for arbiter since") && lab.log(name).contains("arbiter did not answer within 4 s") },
                    "\(name)")
            #expect(lab.results(name).isEmpty)
        }
    }
}
