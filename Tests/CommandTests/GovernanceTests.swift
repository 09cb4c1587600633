import Foundation
import Ledger
import Testing
import Wire

/// The platform's data under the catalogue and its subjects' authorisations, with real nodes.
@Suite("Rules of the lab") struct GovernanceTests {
    private static let root = Programs.repository

    /// A lab whose platform has registered records, and the specification of the examples on them.
    static func lab(limits: [String: Any] = [:]) async throws -> (TrialLab, (String, (inout [String: Any]) -> Void) throws -> String) {
        let lab = try await TrialLab(limits: limits)
        let data = try TrialData.files.get()
        let text = try String(contentsOf: root.appending(path: "Examples/records/dataset.json"), encoding: .utf8)
        let dataset = try JSONSerialization.jsonObject(with: Data(text.replacing("\"path\": \"", with: "\"path\": \"\(data.path)/").utf8))
        try lab.edit("platform/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            datasets["records"] = dataset
            node["datasets"] = datasets
        }
        let example = try Data(contentsOf: root.appending(path: "Examples/specs/records.json"))
        return (lab, { name, change in
            var document = try #require(try JSONSerialization.jsonObject(with: example) as? [String: Any])
            document["$schema"] = nil
            document["training"] = ["key_bits": 512, "maximum_rounds": 4]
            var features = document["features"] as? [String: Any] ?? [:]
            // With so few bads not every column is allowed.
            let few = ["JN-01/tax_credit_grade", "JN-05/env_credit_score"]
            features["platform"] = (features["platform"] as? [[String: Any]] ?? []).filter { !few.contains($0["column"] as? String ?? "") }
            document["features"] = features
            change(&document)
            let file = lab.folder.appending(path: "\(name).json")
            try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys]).write(to: file)
            return file.path
        })
    }

    static func rows(_ name: String) throws -> [[String]] {
        try String(contentsOf: TrialData.files.get().appending(path: name), encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    @Test("records train by catalogue paths on who has authorised everything; a withdrawal holds in the next scoring; all of it is told to providers and supervisors")
    func course() async throws {
        let (lab, specification) = try await Self.lab()
        let config = ["--config", lab.path("platform/node.json")]
        let data = try TrialData.files.get()
        let spec = try specification("records") { _ in }

        // Without a list nobody enters, and nothing is registered that is not there.
        let none = try await lab.run("platform-node", ["authorisations", "plan", spec, "--json"] + config)
        #expect(none.code == 0 && none.output.contains("\"admitted\":0"), "\(none)")
        let imported = try await lab.run("platform-node", ["authorisations", "import", data.appending(path: "authorisations.csv").path] + config)
        #expect(imported.code == 0, "\(imported)")
        let bank = try await lab.run("bank-node", ["data", "register", "main", "--config", lab.path("bank/node.json")])
        #expect(bank.code == 0, "\(bank)")
        let registered = try await lab.run("platform-node", ["data", "register", "records"] + config)
        #expect(registered.code == 0 && registered.output.contains("JN-04/vat_paid_12m") && !registered.output.contains("tax_arrears_amount"), "\(registered)")

        // Rows lost by the plan, and again from the file.
        let items = ["JN-01", "JN-03", "JN-04", "GB-07.1", "JN-11", "JN-12", "JN-13", "GB-10.1"]
        let list = try Self.rows("authorisations.csv")
        let timely = list.filter { $0[2] == "credit_assessment" && $0[7] > "2026" && $0[9].isEmpty }
        let valid = Set(timely.filter { Set($0[1].split(separator: ";").map(String.init)).isSuperset(of: items) }.map { $0[0] })
        let subjects = try Self.rows("platform.csv").map { $0[0] }
        let planned = try await lab.run("platform-node", ["authorisations", "plan", spec, "--json"] + config)
        let plan = try #require(try JSONSerialization.jsonObject(with: Data(planned.output.utf8)) as? [String: Any])
        let lost = (plan["items"] as? [[String: Any]] ?? []).compactMap { $0["lost"] as? Int }
        #expect(plan["subjects"] as? Int == subjects.count && plan["admitted"] as? Int == valid.count && valid.count < subjects.count)
        #expect(lost.reduce(0, +) == subjects.count - valid.count && lost.count == 8 && lost.filter { $0 > 0 }.count >= 3, "\(lost)")
        let words = try await lab.run("platform-node", ["authorisations", "plan", spec, "--lang", "zh"] + config)
        #expect(words.output.contains("进入任务：\(valid.count)") && words.output.contains("电费信息"), "\(words)")

        try await lab.start()
        let validated = try await lab.job("validate", spec)
        #expect(validated.code == 0, "\(validated)")
        let submitted = try await lab.job("submit", spec, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)
        let report = try lab.json("platform/state/jobs/\(job)/report.json")
        #expect((report["rows"] as? [String: Int])?["platform"] == valid.count)
        let told = try lab.json("platform/state/jobs/\(job)/authorisations.json")
        #expect(told as NSDictionary == plan as NSDictionary)
        func scores(_ job: String) throws -> [String] {
            try lab.text("bank/state/jobs/\(job)/scores.csv").split(separator: "\n").dropFirst().map { String($0.split(separator: ",")[0]) }
        }
        let scored = try scores(job)
        #expect(Set(scored) == valid.intersection(Set(try Self.rows("bank.csv").map { $0[0] })) && scored.count > 1000)

        // The same without one item, for what that item adds.
        let without = try specification("without") { document in
            var features = document["features"] as? [String: Any] ?? [:]
            features["platform"] = (features["platform"] as? [[String: Any]] ?? []).filter { $0["column"] as? String != "penalties" }
            document["features"] = features
        }
        let reduced = try await lab.job("submit", without, "--watch")
        #expect(reduced.code == 0, "\(reduced.errors)")

        // One of them withdraws.
        let gone = try #require(scored.first)
        let check = ["authorisations", "check", gone, "--job", spec] + config
        #expect(try await lab.run("platform-node", check).code == 0)
        let withdrawn = try await lab.run("platform-node", ["authorisations", "withdraw", gone.lowercased()] + config)
        #expect(withdrawn.code == 0, "\(withdrawn)")
        for (language, rule) in [("en", "rule R25"), ("zh", "规则 R25")] {
            let refused = try await lab.run("platform-node", check + ["--lang", language])
            #expect(refused.code == 1 && refused.pair(language).error.contains(rule) && !refused.errors.contains(gone), "\(refused)")
        }
        let expired = try #require(list.first { $0[7] < "2026" }?[0])
        let old = try await lab.run("platform-node", ["authorisations", "check", expired, "--job", spec] + config)
        #expect(old.code == 1 && old.pair().error.contains("valid until 2025-06-30 (rule R04)"), "\(old)")

        let scoring = try specification("score") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "score"
            document["model"] = job
        }
        let second = try await lab.job("submit", scoring, "--watch")
        #expect(second.code == 0, "\(second.errors)")
        let next = second.output.trimmingCharacters(in: .newlines)
        #expect(try Set(scores(next)) == Set(scored).subtracting([gone]))

        // Its whole history, at the platform; the list's roots stand in the ledger of operations.
        let history = try await lab.run("platform-node", ["audit", "subject", gone] + config)
        let lines = history.output.split(separator: "\n").map(String.init)
        for text in ["authorised JN-01", "withdrew everything", "\(job)  credit_assessment  scored", "\(next)  credit_assessment  left out for want of authorisation"] {
            #expect(lines.contains { $0.contains(text) }, "\(text) in \(lines)")
        }
        #expect(!lines.contains { $0.contains("\(next)  credit_assessment  scored") })
        let entries = try lab.text("platform/state/operations/entries.jsonl")
        let root = try #require((told["authorisations"] as? [String: Any])?["root"] as? String)
        #expect(entries.split(separator: "\n").contains { $0.contains("authorisations.applied") && $0.contains(root) && $0.contains(job) })
        #expect(!entries.contains(gone))
        let operations = try await lab.jointlab("audit", "verify", lab.path("platform/state/operations"))
        #expect(operations.code == 0, "\(operations)")
        // What was computed from the list as it was then comes out again.
        let replayed = try await lab.replay("platform", job)
        #expect(replayed.code == 0, "\(replayed)")

        // The list names subjects by definition; nothing else that is kept does.
        let canary = try await lab.run("platform-node", ["audit", "canary", "--data", "records"] + config)
        #expect(canary.code == 0 && canary.output.contains("authorisations.jsonl"), "\(canary)")

        // What providers are told of it, in counts.
        let feedback = try await lab.run("platform-node", ["data", "feedback", "--json"] + config)
        let told2 = try Self.object(feedback)
        let taxes = try Self.item("JN-04", told2)
        #expect(told2["jobs"] as? [String: Int] == ["completed": 3, "ended": 0, "refused": 0] && told2["banks"] as? [String] == ["bank"])
        #expect(taxes["completed"] as? Int == 3 && taxes["models_in_use"] as? Int == 2 && taxes["rows_scored"] as? Int == 3 * scored.count - 1)
        #expect(taxes["rows_excluded"] as? Int == 3 * (subjects.count - valid.count) + 1 && !feedback.output.contains(gone))
        #expect(told2["auc_known"] as? Bool == false && taxes["auc_gain_of_jobs"] is NSNull && taxes["auc_marginal"] is NSNull)
        for (language, texts) in [("zh", ["JN-04 纳税信息：完成 3", "本节点不掌握 AUC"]), ("en", ["AUC is not known here"])] {
            let words = try await lab.run("platform-node", ["data", "feedback", "--lang", language] + config)
            for text in texts { #expect(words.output.contains(text), "\(words)") }
        }

        // The bank alone knows what it has gained: the jobs', and an item's where two jobs differ by it.
        func gain(_ job: String) throws -> Double {
            let report = try lab.json("bank/state/jobs/\(job)/report.json")
            func area(_ model: String) throws -> Double {
                try #require(((report[model] as? [String: Any])?["test"] as? [String: Any])?["auc"] as? Double)
            }
            return try area("joint") - area("bank_only")
        }
        let gains = [try gain(job), try gain(reduced.output.trimmingCharacters(in: .newlines))]
        let ownConfig = ["--config", lab.path("bank/node.json")]
        let own = try Self.object(try await lab.run("bank-node", ["data", "feedback", "--json"] + ownConfig))
        func mean(_ id: String, _ key: String, _ things: String) throws -> (count: Int?, mean: Double?) {
            let value = try Self.item(id, own)[key] as? [String: Any]
            return (value?[things] as? Int, value?["mean"] as? Double)
        }
        func isNear(_ one: Double?, _ other: Double) -> Bool { one.map { abs($0 - other) < 1e-6 } ?? false }
        let (used, penalties) = (try mean("JN-04", "auc_gain_of_jobs", "jobs"), try mean("JN-09", "auc_marginal", "pairs"))
        #expect(used.count == 2 && isNear(used.mean, (gains[0] + gains[1]) / 2), "\(used)")
        #expect(penalties.count == 1 && isNear(penalties.mean, gains[0] - gains[1]), "\(penalties)")
        #expect(try Self.item("JN-04", own)["auc_marginal"] is NSNull && Self.item("JN-04", own)["information_value"] is NSNull)
        let none2 = try await lab.run("bank-node", ["data", "feedback", "--lang", "zh"] + ownConfig)
        #expect(none2.output.contains("边际 AUC 未知：没有仅相差该项的两个任务") && none2.output.contains("未计算信息值"), "\(none2)")
        // A report that is not the ledger's tells nothing.
        try lab.text("bank/state/jobs/\(job)/report.json").replacing("\"auc\" : 0.", with: "\"auc\" : 0.9")
            .write(toFile: lab.path("bank/state/jobs/\(job)/report.json"), atomically: true, encoding: .utf8)
        let altered = try Self.object(try await lab.run("bank-node", ["data", "feedback", "--json"] + ownConfig))
        #expect((try Self.item("JN-04", altered)["auc_gain_of_jobs"] as? [String: Any])?["jobs"] as? Int == 1)

        // A job beyond what is declared or valid is refused by the node, with rule and place.
        for (name, place, rule, change) in [
            ("late", "/valid_until", "R10", { $0["valid_until"] = "2026-01-31" }),
            ("more", "/features/platform/0", "R10", { (document: inout [String: Any]) in
                document["features"] = ["bank": ["tenure_months"], "platform": ["tax_arrears_amount"]]
            }),
        ] as [(String, String, String, (inout [String: Any]) -> Void)] {
            let run = try await lab.job("submit", try specification(name, change), "--watch")
            #expect(run.code == 2 && run.pair().error.contains(place) && run.pair().error.contains("rule \(rule)"), "\(run)")
        }

        // And what is told of all that to those who supervise.
        let statistics = try Self.object(try await lab.run("platform-node", ["data", "statistics", "--json"] + config))
        let modelling = try #require(statistics["modelling"] as? [String: Any]), collection = try #require(statistics["collection"] as? [String: Any])
        #expect(modelling["jobs"] as? [String: Int] == ["completed": 3, "ended": 0, "refused": 2])
        #expect(modelling["faults"] as? [String: Int] == ["173": 1, "176": 1] && modelling["kinds"] as? [String: Int] == ["score": 1, "train": 2])
        #expect(modelling["products"] as? [String: Int] == ["信易贷": 3] && modelling["models_made"] as? Int == 2)
        let collected = try Self.item("JN-04", collection)
        #expect(collected["list"] as? String == "jining-2022" && collected["fields"] as? Int == 3 && collected["rows"] as? Int == subjects.count)
        let lines2 = list.count + list.count { !$0[9].isEmpty } + 1
        #expect(collection["authorisations"] as? [String: Int] == ["lines": lines2, "imports": 1, "additions": 0, "withdrawals": 1])
        #expect((statistics["connections"] as? [[String: Any]])?.first?["completed"] as? Int == 3)
        for (language, title) in [("en", "Connection of platform and banks"), ("zh", "平台与银行机构系统联通情况")] {
            let words = try await lab.run("platform-node", ["data", "statistics", "--lang", language] + config)
            #expect(words.code == 0 && words.output.contains(title) && !words.output.contains(gone), "\(words)")
        }
        let before = try Self.object(try await lab.run("platform-node", ["data", "statistics", "--until", "2020-12-31", "--json"] + config))
        #expect((before["modelling"] as? [String: Any])?["jobs"] as? [String: Int] == ["completed": 0, "ended": 0, "refused": 0])
        let turned = try await lab.run("platform-node", ["data", "statistics", "--from", "2026-02-01", "--until", "2026-01-31"] + config)
        #expect(turned.code == 2 && turned.pair().error.contains("--from"), "\(turned)")
    }

    @Test("counts of a ledger that no sum holds end at the largest number, in what providers and supervisors are told")
    func largestCounts() async throws {
        let (lab, specification) = try await Self.lab()
        let config = ["--config", lab.path("platform/node.json")]
        let spec = try Data(contentsOf: URL(fileURLWithPath: try specification("records") { _ in }))
        var lines: [UInt8] = []
        func add(_ action: OperationsEntry.Action, _ job: JobIdentifier, object: String? = nil, count: UInt64? = nil) {
            lines += OperationsEntry(sequence: 0, time: Date(), actor: "node", action: action, job: job, object: object, count: count,
                                     salt: [UInt8](repeating: 0, count: OperationsEntry.saltBytes)).encode() + [0x0A]
        }
        for job in try ["000102030405060708090a0b0c0d0e0f", "100102030405060708090a0b0c0d0e0f"].map({ try #require(JobIdentifier($0)) }) {
            let counted: [OperationsEntry.Action] = [.subjectsAligned, .subjectsTrained, .subjectsScored, .subjectsExcluded, .dataCalled]
            for action in counted + counted { add(action, job, count: .max) }
            add(.jobEnded, job, object: "completed")
            let folder = URL(fileURLWithPath: lab.path("platform/state/ledger/\(job)"))
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try spec.write(to: folder.appending(path: "specification.json"))
        }
        let operations = URL(fileURLWithPath: lab.path("platform/state/operations"))
        try FileManager.default.createDirectory(at: operations, withIntermediateDirectories: true)
        try Data(lines).write(to: operations.appending(path: "entries.jsonl"))

        // JSON writes it to seventeen digits.
        func isLargest(_ number: Any?) -> Bool { (number as? NSNumber)?.doubleValue == Double(Int.max) }
        let feedback = try Self.object(try await lab.run("platform-node", ["data", "feedback", "--json"] + config))
        let taxes = try Self.item("JN-04", feedback)
        for rows in ["rows_aligned", "rows_trained", "rows_scored", "rows_excluded"] { #expect(isLargest(taxes[rows]), "\(taxes)") }
        let statistics = try Self.object(try await lab.run("platform-node", ["data", "statistics", "--json"] + config))
        #expect(isLargest(((statistics["modelling"] as? [String: Any])?["rows"] as? [String: Any])?["scored"]))
        let called = (statistics["collection"] as? [String: Any])?["called"] as? [String: Any]
        #expect(called?["calls"] as? Int == 4 && isLargest(called?["subjects"]), "\(called ?? [:])")
        for verb in ["feedback", "statistics"] { #expect(try await lab.run("platform-node", ["data", verb] + config).code == 0) }
    }

    @Test("a penalty past its publication or repaired leaves every score as it was; one that is published still does not")
    func penalties() async throws {
        let (lab, specification) = try await Self.lab()
        let data = try TrialData.files.get()
        let file = lab.folder.appending(path: "penalties.csv"), config = ["--config", lab.path("platform/node.json")]
        let given = try String(contentsOf: data.appending(path: "penalties.csv"), encoding: .utf8)
        try given.write(to: file, atomically: true, encoding: .utf8)
        let node = try lab.text("platform/node.json").replacing("\\/", with: "/")
        try node.replacing(data.appending(path: "penalties.csv").path, with: file.path)
            .write(toFile: lab.path("platform/node.json"), atomically: true, encoding: .utf8)
        let imported = try await lab.run("platform-node", ["authorisations", "import", data.appending(path: "authorisations.csv").path] + config)
        #expect(imported.code == 0, "\(imported)")
        try await lab.start()
        let trained = try await lab.job("submit", try specification("records") { _ in }, "--watch")
        try #require(trained.code == 0, "\(trained.errors)")
        let scoring = try specification("score") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "score"
            document["model"] = trained.output.trimmingCharacters(in: .newlines)
        }
        func scores(_ more: String) async throws -> [String: String] {
            try (given + more).write(to: file, atomically: true, encoding: .utf8)
            let run = try await lab.job("submit", scoring, "--watch")
            try #require(run.code == 0, "\(run.errors)")
            let rows = try lab.text("bank/state/jobs/\(run.output.trimmingCharacters(in: .newlines))/scores.csv").split(separator: "\n").dropFirst()
            return Dictionary(uniqueKeysWithValues: rows.map { ($0.split(separator: ",").map(String.init)[0], String($0)) })
        }
        let before = try await scores("")
        let subjects = before.keys.sorted().prefix(40)
        func records(_ rest: String) -> String { subjects.map { "\($0),n9,2025-03-01,\(rest)\n" }.joined() }
        #expect(try await scores(records("2025-12-30,") + records("2027-01-01,2025-06-30")) == before)
        let after = try await scores(records("2027-01-01,"))
        #expect(subjects.contains { after[$0] != before[$0] } && before.keys.allSatisfy { subjects.contains($0) || after[$0] == before[$0] })
    }

    private static func object(_ run: Run) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run)")
    }

    private static func item(_ id: String, _ document: [String: Any]) throws -> [String: Any] {
        try #require((document["items"] as? [[String: Any]])?.first { $0["item"] as? String == id })
    }
}
