import Foundation
import Testing

/// Nobody does another's act: by certificate, not by name.
@Suite("Roles apart") struct RolesTests {
    @Test("only analysts submit, only approvers of the node decide, auditors and operators do neither; a policy holds at its node")
    func apart() async throws {
        let lab = try await TrialLab(arguments: ["--approver", "amy", "--auditor", "eve"])
        // The platform's own rules, pinned by the contract that everybody holds.
        let policy = """
            {"version": 1, "name": "platform-rules", "analysts": ["ann"], "purposes": {"credit_assessment": {}}, "quota": {"jobs": 2, "days": 30}, "limits": {"maximum_rounds": 12}}
            """
        try policy.write(toFile: lab.path("platform/policy.json"), atomically: true, encoding: .utf8)
        let digest = try await Self.sha256(lab.path("platform/policy.json"))
        try lab.edit("platform/node.json") { $0["policy"] = "policy.json" }
        // Longer jobs are for a person to decide.
        try lab.edit("bank/node.json") { $0["approve"] = ["maximum_rounds": 2] }
        try lab.edit("contract.json", at: ["arbiter/contract.json"]) { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["name"] as? String == "platform" { parties[index]["policy"] = digest }
            contract["parties"] = parties
            // Amy gives up her key, and it still holds for a day.
            var people = contract["people"] as? [[String: Any]] ?? []
            for index in people.indices where people[index]["name"] as? String == "amy" {
                people[index]["former_pin"] = people[index]["pin"]
                people[index]["former_pin_until"] = Date(timeIntervalSinceNow: 86_400).formatted(.iso8601)
                people[index]["pin"] = String(repeating: "ab", count: 32)
            }
            contract["people"] = people
        }
        for place in ["bank", "platform", "ann", "ben", "amy", "eve"] {
            try lab.text("arbiter/contract.json").write(toFile: lab.path("\(place)/contract.json"), atomically: true, encoding: .utf8)
        }
        try await lab.start()
        let spec = try lab.specification()

        // To submit.
        for person in ["amy", "eve"] {
            for (language, text) in [("en", "not permitted"), ("zh", "无权")] {
                let run = try await lab.run("jointlab", ["job", "submit", spec, "--as", lab.path("\(person)/person.json"), "--lang", language])
                #expect(run.code == 4 && run.pair(language).error.contains(text), "\(run)")
            }
            #expect(try await lab.job("list", by: person).code == 0)
        }
        // To decide.
        let job = try await lab.submit(spec)
        #expect(try await eventually { try lab.log("bank").contains("waits for approval: jobs show \(job)") })
        let approve = ["jobs", "approve", job, "--config", lab.path("bank/node.json")]
        for person in ["ann", "eve"] {
            let run = try await lab.run("bank-node", approve + ["--as", lab.path("\(person)/person.json")])
            #expect(run.code == 4 && run.pair().error.contains(person), "\(run)")
        }
        let account = try await lab.run("bank-node", approve)
        #expect(account.code == 4 && account.pair().error.contains("rule R13"), "\(account)")
        let approved = try await lab.run("bank-node", approve + ["--as", lab.path("amy/person.json")])
        #expect(approved.code == 0, "\(approved)")
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")
        let entries = try lab.text("bank/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.contains { $0.contains("job.approved") && $0.contains("approver amy") })

        // To read: an auditor needs no key and no node.
        #expect(try await lab.jointlab("audit", "verify", lab.path("bank/state/ledger/\(job)")).code == 0)

        // What the platform's policy does not allow, it refuses, with the rule and its place.
        func short(_ name: String, by person: String = "ann", _ change: (inout [String: Any]) -> Void = { _ in }) async throws -> Run {
            let specification = try lab.specification(name) {
                $0["training"] = ["key_bits": 512, "maximum_rounds": 2]
                change(&$0)
            }
            return try await lab.job("submit", specification, "--watch", by: person)
        }
        let purpose = try await short("purpose") { $0["purpose"] = ["code": "marketing", "statement": "Another purpose."] }
        #expect(purpose.code == 2 && purpose.pair().error.contains("/purpose/code") && purpose.pair().error.contains("platform-rules#/purposes, rule R10"), "\(purpose)")
        let analyst = try await short("analyst", by: "ben")
        #expect(analyst.code == 2 && analyst.pair().error.contains("'ben'") && analyst.pair().error.contains("platform-rules#/analysts, rule R13"), "\(analyst)")
        let second = try await lab.submit(spec)
        #expect(try await eventually { try lab.log("bank").contains("waits for approval: jobs show \(second)") })
        let refused = try await lab.run("bank-node", [
            "jobs", "refuse", second, "--reason", "enough", "--as", lab.path("amy/person.json"), "--config", lab.path("bank/node.json"),
        ])
        #expect(refused.code == 0, "\(refused)")
        // The platform was not asked about it, which would count.
        #expect(!FileManager.default.fileExists(atPath: lab.path("platform/state/approvals/\(second).json")))
        let counted = try await short("counted")
        #expect(counted.code == 0, "\(counted)")
        let third = try await short("third")
        #expect(third.code == 1 && third.pair().error.contains("platform-rules#/quota") && third.pair().error.contains("2 of 2"), "\(third)")
        // A policy that has changed since both sides pinned it stops every job.
        try policy.replacing("\"jobs\": 2", with: "\"jobs\": 200").write(toFile: lab.path("platform/policy.json"), atomically: true, encoding: .utf8)
        let changed = try await short("changed")
        #expect(changed.code == 4 && changed.pair().error.contains("policy.json") && changed.pair().error.contains("rule R28"), "\(changed)")
        // A node's certificate is no person's; it takes the node's line away for a moment.
        let disguise = try lab.json("ann/person.json").merging(["certificate": lab.path("bank/certificate.pem"), "private_key": lab.path("bank/private.key")]) { $1 }
        try JSONSerialization.data(withJSONObject: disguise).write(to: URL(filePath: lab.path("ann/disguise.json")))
        let operatorRun = try await lab.run("jointlab", ["job", "submit", spec, "--as", lab.path("ann/disguise.json")])
        #expect(operatorRun.code != 0 && operatorRun.code != 70, "\(operatorRun)")
        _ = operatorRun.pair()
    }

    static func sha256(_ path: String) async throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sha256sum", path]
        process.standardOutput = pipe
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return String(text.prefix(64))
    }
}
