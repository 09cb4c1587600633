import Foundation
import Installation
import Testing

/// What running nodes refuse, and values that they call for.
@Suite("Refusals by rule and place") struct RefusalTests {
    private typealias Change = (inout [String: Any]) -> Void

    private static func platformFeatures(_ more: [Any], in document: inout [String: Any], alone: Bool = false) {
        var features = document["features"] as? [String: Any] ?? [:]
        features["platform"] = alone ? more : (features["platform"] as? [Any] ?? []) + more
        document["features"] = features
    }

    /// Makes the table of utilities one that a program gives.
    private static func callUtilities(_ lab: TrialLab, _ program: [String], seconds: Int? = nil) throws {
        try lab.edit("platform/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            var records = datasets["records"] as? [String: Any] ?? [:]
            var tables = records["tables"] as? [String: Any] ?? [:]
            var utilities = tables["utilities"] as? [String: Any] ?? [:]
            utilities["path"] = nil
            utilities["call"] = program
            utilities["call_seconds"] = seconds
            tables["utilities"] = utilities
            records["tables"] = tables
            datasets["records"] = records
            node["datasets"] = datasets
        }
    }

    @Test("ten refusals name their rule and place; called values are asked for authorised subjects alone and kept nowhere")
    func ten() async throws {
        let (lab, specification) = try await GovernanceTests.lab()
        let data = try TrialData.files.get()
        let config = ["--config", lab.path("platform/node.json")]
        // Utilities come from a program of the operator's, for whom it is asked.
        let asked = lab.folder.appending(path: "asked.txt"), table = data.appending(path: "utilities.csv").path
        try Self.callUtilities(lab, ["/bin/sh", "-c", "head -n 1 '\(table)'; tee '\(asked.path)' | grep -F -f - '\(table)'"])
        try lab.edit("platform/node.json") { $0["policy"] = "policy.json" }
        func policy(_ text: String) throws {
            try #"{"version": 1, "name": "platform-rules", "purposes": {"credit_assessment": {}}, \#(text)}"#
                .write(toFile: lab.path("platform/policy.json"), atomically: true, encoding: .utf8)
        }
        try policy(#""quota": {"jobs": 2, "days": 30}"#)
        let digest = try await RolesTests.sha256(lab.path("platform/policy.json"))
        try lab.edit("contract.json") { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["name"] as? String == "platform" { parties[index]["policy"] = digest }
            contract["parties"] = parties
        }
        let imported = try await lab.run("platform-node", ["authorisations", "import", data.appending(path: "authorisations.csv").path] + config)
        #expect(imported.code == 0, "\(imported)")
        try await lab.start()
        let spec = try specification("accepted") { _ in }
        func refuse(_ name: String, _ place: String, _ rule: String, code: Int32 = 2, _ change: Change) async throws {
            let run = try await lab.job("submit", try specification(name, change), "--watch")
            let error = run.pair().error
            #expect(run.code == code && error.contains(place) && error.contains("rule \(rule)"), "\(name): \(run)")
        }

        // By the catalogue, the registration and the specification's own words.
        let rows: [(String, String, String, Change)] = [
            ("personal", "/features/platform/0", "R05", { Self.platformFeatures([["column": "JN-09/legal_rep_name", "type": "category"]], in: &$0, alone: true) }),
            ("verified", "/features/platform/0", "R20", { Self.platformFeatures(["JN-06/property_area"], in: &$0, alone: true) }),
            ("more", "/features/platform/", "R10", { Self.platformFeatures(["tax_arrears_amount"], in: &$0) }),
            ("expired", "/valid_until", "R10", { $0["valid_until"] = "2026-01-31" }),
            ("purpose", "platform-rules#/purposes", "R10", { $0["purpose"] = ["code": "marketing", "statement": "Another purpose."] }),
        ]
        for (name, place, rule, change) in rows { try await refuse(name, place, rule, change) }

        // By the list of authorisations.
        let list = try GovernanceTests.rows("authorisations.csv")
        let expired = try #require(list.first { $0[7] < "2026" }?[0]), withdrawn = try #require(list.first { !$0[9].isEmpty && $0[7] > "2026" }?[0])
        for (subject, rule) in [(expired, "R04"), (withdrawn, "R25")] {
            let run = try await lab.run("platform-node", ["authorisations", "check", subject, "--job", spec] + config)
            #expect(run.code == 1 && run.pair().error.contains("accepted.json") && run.pair().error.contains("rule \(rule)"), "\(run)")
        }

        // Accepted, with called values.
        let accepted = try await lab.job("submit", spec, "--watch")
        #expect(accepted.code == 0, "\(accepted)")
        let job = accepted.output.trimmingCharacters(in: .newlines)
        let told = try lab.json("platform/state/jobs/\(job)/authorisations.json")
        let admitted = try #require(told["admitted"] as? Int)
        let lines = try String(contentsOf: asked, encoding: .utf8).split(separator: "\n")
        #expect(Set(lines).count == admitted && admitted < (told["subjects"] as? Int ?? 0) && !lines.contains { $0 == expired || $0 == withdrawn })
        let entries = try lab.text("platform/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.contains { $0.contains("data.called") && $0.contains(job) && $0.contains("\"count\":\(admitted)") })
        let values = try GovernanceTests.rows("utilities.csv").flatMap { [$0[4], $0[5]] }.filter { $0.utf8.count >= 7 }.prefix(200)
        #expect(values.count > 20)
        let state = URL(filePath: lab.path("platform/state"))
        for path in try FileManager.default.subpathsOfDirectory(atPath: state.path) {
            guard let bytes = try? Data(contentsOf: state.appending(path: path)) else { continue }
            #expect(!values.contains { bytes.range(of: Data($0.utf8)) != nil }, "\(path)")
        }
        let replayed = try await lab.run("platform-node", [
            "audit", "replay", job, "--owner-key", lab.path("platform/owner-seal.key"), "--auditor-key", lab.path("platform-auditor/auditor-seal.key"),
        ] + config)
        #expect(replayed.code == 1 && replayed.pair().error.contains("are not kept"), "\(replayed)")

        // By the policy: the quota is used up; then a level is raised after all that.
        try await refuse("quota", "platform-rules#/quota", "R26", code: 1) { _ in }
        try policy(#""levels": {"JN-04": "local"}"#)
        let draft = lab.path("amendment.json")
        let amended = try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--policy", "platform=\(lab.path("platform/policy.json"))", "--out", draft)
        #expect(amended.code == 0, "\(amended)")
        for verb in ["sign", "adopt"] {
            for name in ["arbiter", "platform", "bank"] {
                let run = try await lab.run(name == "arbiter" ? name : "\(name)-node", ["contract", verb, draft, "--config", lab.path("\(name)/node.json")])
                #expect(run.code == 0, "\(run)")
            }
        }
        try lab.text("amendment.json").write(toFile: lab.path("ann/contract.json"), atomically: true, encoding: .utf8)
        for name in ["bank", "platform", "arbiter"] { try await lab.stop(name) }
        try await lab.start()
        try await refuse("raised", "platform-rules#/levels", "R09") { _ in }
        // A policy that is not the one both sides have pinned.
        try policy(#""levels": {}"#)
        try await refuse("differing", "policy.json", "R28", code: 4) { _ in }
    }

    @Test("a program of the operator's that leaves another one behind, in a session of its own, is waited for no longer than its time", .timeLimit(.minutes(1)))
    func leftBehind() throws {
        let isOver = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { _ = FileManager.default.createFile(atPath: isOver, contents: nil) }
        let words = ["/bin/sh", "-c", "setsid sh -c 'while [ ! -e \(isOver) ]; do sleep 0.1; done; rm \(isOver)' & echo said"]
        #expect(throws: OperatorCommand.Failure.late) { try OperatorCommand.output(of: words, mostBytes: 4096, seconds: 1) }
    }

    @Test("a program for called values that fails, writes another table or is late ends the job at both nodes, and no value is told")
    func failedCalls() async throws {
        let (lab, specification) = try await GovernanceTests.lab()
        let data = try TrialData.files.get()
        let script = lab.folder.appending(path: "fetch.sh"), table = data.appending(path: "utilities.csv").path
        try Self.callUtilities(lab, ["/bin/sh", script.path], seconds: 10)
        let config = ["--config", lab.path("platform/node.json")]
        let imported = try await lab.run("platform-node", ["authorisations", "import", data.appending(path: "authorisations.csv").path] + config)
        #expect(imported.code == 0, "\(imported)")
        try await lab.start()
        let spec = try specification("called") { _ in }
        let secret = "7391846.25"
        let cases = [
            ("head -n 9 '\(table)'; echo \(secret) >&2; exit 3", "it ended with an error"), ("kill -9 $$", "it ended with an error"),
            ("true", "utilities"), ("tail -n +2 '\(table)'", "no column"), ("head -n 1 '\(table)'", "no usable row"),
            ("head -n 1 '\(table)'; grep -F -f - '\(table)' | sed 's/,[^,]*$/,x\(secret)/'", "not a number"),
            ("head -n 2 '\(table)'; (sleep 300); echo late", "it did not end in time"),
        ]
        for (index, (text, why)) in cases.enumerated() {
            try text.write(to: script, atomically: true, encoding: .utf8)
            let run = try await lab.job("submit", spec, "--watch")
            let (error, id) = (run.pair().error, run.output.trimmingCharacters(in: .newlines))
            #expect(run.code == 3 && error.contains("datasets/records/tables/utilities: gave no values") && error.contains(why), "\(text): \(run)")
            #expect(!run.errors.contains(script.path), "\(run)")
            let told = try await lab.job("status", id, "--lang", "zh")
            #expect((told.output + told.errors).contains("未返回取值"), "\(told)")
            for (node, action) in [("platform", "job.refused"), ("bank", "job.ended")] {
                let isWritten = try await eventually {
                    try lab.text("\(node)/state/operations/entries.jsonl").split(separator: "\n").contains {
                        $0.contains(id) && $0.contains("\"action\":\"\(action)\"") && $0.contains("\"object\":\"730\"")
                    }
                }
                #expect(isWritten, "\(node), case \(index)")
            }
        }
        // The program's own errors go to the platform's log; nothing that it wrote as values goes anywhere.
        let rows = try GovernanceTests.rows("utilities.csv").prefix(50)
        let values = rows.flatMap { [$0[4], $0[5]] }.filter { $0.utf8.count >= 7 } + ["x\(secret)"]
        for name in ["arbiter", "platform", "bank"] {
            let log = try lab.log(name)
            #expect(!(values + rows.map { $0[0] }).contains { log.contains($0) }, "\(name)")
            #expect(name == "platform" || !log.contains(secret), "\(name)")
        }
        for node in ["arbiter", "platform", "bank"] {
            let state = URL(filePath: lab.path("\(node)/state"))
            for path in try FileManager.default.subpathsOfDirectory(atPath: state.path) {
                guard let bytes = try? Data(contentsOf: state.appending(path: path)) else { continue }
                #expect(!values.contains { bytes.range(of: Data($0.utf8)) != nil }, "\(path)")
            }
        }
        // Mended, it serves.
        try "head -n 1 '\(table)'; grep -F -f - '\(table)'".write(to: script, atomically: true, encoding: .utf8)
        let mended = try await lab.job("submit", spec, "--watch")
        #expect(mended.code == 0, "\(mended)")
    }
}
