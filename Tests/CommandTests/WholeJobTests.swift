import Foundation
import Testing

@Suite("Three processes") struct WholeJobTests {
    /// Cells of a file by column.
    private static func table(_ text: String) -> (header: [String], rows: [[String]]) {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        return (lines.first ?? [], Array(lines.dropFirst()))
    }

    @Test("train and score one joint model; every result is where it belongs, and no log names a subject or a value")
    func trainsAndScores() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification(), "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)
        #expect(job.count == 32 && job.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(submitted.lines.last == "completed" && submitted.lines.contains { $0.hasPrefix("training round 1") })

        // The bank: scores of every common subject, a model and a report; the platform: a model and a report.
        #expect(lab.results("bank") == [job] && lab.results("platform") == [job])
        let files = FileManager.default
        #expect(try files.contentsOfDirectory(atPath: lab.path("bank/state/jobs/\(job)")).sorted() == ["model.json", "report.html", "report.json", "scores.csv"])
        #expect(try files.contentsOfDirectory(atPath: lab.path("platform/state/jobs/\(job)")).sorted() == ["model.json", "report.html", "report.json"])
        for file in ["bank/state/jobs/\(job)/scores.csv", "bank/state/jobs/\(job)/model.json", "platform/state/jobs/\(job)/model.json"] {
            #expect(try files.attributesOfItem(atPath: lab.path(file))[.posixPermissions] as? Int == 0o600)
        }

        let data = try TrialData.files.get()
        let bank = Self.table(try String(contentsOf: data.appending(path: "bank.csv"), encoding: .utf8))
        let platform = Self.table(try String(contentsOf: data.appending(path: "platform.csv"), encoding: .utf8))
        let (idAtBank, idAtPlatform) = (try #require(bank.header.firstIndex(of: "uscc")), try #require(platform.header.firstIndex(of: "uscc")))
        let label = try #require(bank.header.firstIndex(of: "default_12m"))
        let common = Set(bank.rows.map { $0[idAtBank] }).intersection(platform.rows.map { $0[idAtPlatform] })
        let scores = Self.table(try lab.text("bank/state/jobs/\(job)/scores.csv"))
        #expect(scores.header == ["id", "probability", "part"])
        #expect(Set(scores.rows.map { $0[0] }) == common && scores.rows.count == TrialData.common)
        let train = Int((0.7 * Double(TrialData.common)).rounded())
        #expect(scores.rows.count { $0[2] == "train" } == train && scores.rows.count { $0[2] == "test" } == TrialData.common - train)
        let probabilities = try scores.rows.map { try #require(Double($0[1])) }
        #expect(probabilities.allSatisfy { $0 > 0 && $0 < 1 })

        // The report's figures again from scores.csv and the labels.
        let bads = Dictionary(uniqueKeysWithValues: bank.rows.map { ($0[idAtBank], $0[label] == "1") })
        let report = try lab.json("bank/state/jobs/\(job)/report.json")
        for part in ["train", "test"] {
            let measured = try #require((report["joint"] as? [String: Any])?[part] as? [String: Any])
            let rows = zip(scores.rows, probabilities).filter { $0.0[2] == part }.map { ($0.1, bads[$0.0[0]] == true) }
            let logLoss = rows.reduce(0) { $0 - log($1.1 ? $1.0 : 1 - $1.0) } / Double(rows.count)
            #expect(abs(try #require(measured["log_loss"] as? Double) - logLoss) < 1e-9)
            let (bad, good) = (rows.filter(\.1), rows.filter { !$0.1 })
            let wins = bad.reduce(0.0) { sum, row in sum + good.reduce(0) { $0 + (row.0 > $1.0 ? 1 : row.0 == $1.0 ? 0.5 : 0) } }
            #expect(abs(try #require(measured["auc"] as? Double) - wins / Double(bad.count * good.count)) < 1e-9)
            // On the rows that train, more columns cannot fit worse; which rows these are is drawn anew in every job.
            let alone = try #require((report["bank_only"] as? [String: Any])?[part] as? [String: Any])
            if part == "train" { #expect(try #require(measured["log_loss"] as? Double) < (try #require(alone["log_loss"] as? Double))) }
        }
        let sizes = ["bank": bank.rows.count, "platform": platform.rows.count, "aligned": TrialData.common, "train": train, "test": TrialData.common - train]
        let other = try lab.json("platform/state/jobs/\(job)/report.json")
        #expect(report["rows"] as? [String: Int] == sizes && other["rows"] as? [String: Int] == sizes)
        #expect(report["job"] as? String == job)
        // Both ends count the same bytes, and every byte belongs to a phase.
        let bytes = try #require(report["bytes"] as? [String: Any])
        #expect(bytes as NSDictionary == (try #require(other["bytes"] as? [String: Any])) as NSDictionary)
        let phases = try #require(bytes["phases"] as? [String: [String: Int]])
        #expect(phases.keys.sorted() == ["align", "score", "train"])
        for flow in ["bank_to_platform", "platform_to_bank"] {
            #expect(phases.values.compactMap { $0[flow] }.reduce(0, +) == bytes[flow] as? Int)
            #expect(phases.values.allSatisfy { ($0[flow] ?? 0) > 0 })
        }
        try await pages(lab, job, common)
        for key in ["joint", "bank_only", "uplift", "loss_per_round"] { #expect(other[key] == nil || other[key] is NSNull) }

        // Scoring with the stored halves gives every probability again.
        let scoring = try lab.specification("score") { specification in
            for key in ["label", "features", "training"] { specification[key] = nil }
            specification["kind"] = "score"
            specification["model"] = job
        }
        let scored = try await lab.job("submit", scoring, "--watch")
        #expect(scored.code == 0, "\(scored.errors)")
        let second = Self.table(try lab.text("bank/state/jobs/\(scored.output.trimmingCharacters(in: .newlines))/scores.csv"))
        #expect(second.header == ["id", "probability"])
        #expect(Set(second.rows.map { "\($0[0]) \($0[1])" }) == Set(scores.rows.map { "\($0[0]) \($0[1])" }))

        // What people see of it, in either language.
        let list = try await lab.job("list", by: "ben")
        #expect(list.code == 0 && list.output.split(separator: "\n").count == 2 && list.output.contains("\(job)  completed  trial"))
        let status = try await lab.job("status", job, "--lang", "zh")
        #expect(status.code == 0 && status.output.contains("已完成"))
        #expect(try await lab.job("watch", job).code == 0)
        let cancel = try await lab.job("cancel", job)
        #expect(cancel.code == 0 && cancel.output.contains("completed"))
        let notOwner = try await lab.job("cancel", job, by: "ben")
        #expect(notOwner.code == 4 && notOwner.pair().error.contains("not permitted"))

        for name in ["arbiter", "bank", "platform"] { #expect(try await lab.stop(name) == 0, "\(name)") }
        // The ledgers hold, to the last byte on the socket; nothing that is kept holds a value of the data, in any encoding.
        let ledgers = ["bank", "platform", "arbiter"].map { lab.path("\($0)/state/ledger/\(job)") }
        for ledger in ledgers {
            let verified = try await lab.jointlab("audit", "verify", ledger)
            #expect(verified.code == 0, "\(verified.output)")
        }
        let reconciled = try await lab.jointlab("audit", "reconcile", ledgers[0], ledgers[1], ledgers[2])
        #expect(reconciled.code == 0, "\(reconciled.output)")
        let page = lab.folder.appending(path: "audit.html").path
        let told = try await lab.jointlab("audit", "report", ledgers[0], ledgers[1], ledgers[2], "--html", page)
        #expect(told.code == 0 && told.output.contains("What this cannot show"), "\(told)")
        let html = try String(contentsOfFile: page, encoding: .utf8)
        for words in ["What was checked", "核查了什么", "consented", "RoundRows", "<svg", "cannot be proven"] { #expect(html.contains(words), "\(words)") }
        for name in ["bank", "platform"] {
            let arguments = ["audit", "canary", "--data", data.appending(path: "\(name).csv").path, "--config", lab.path("\(name)/node.json"), "--also"]
            let clean = try await lab.run("\(name)-node", arguments + [lab.folder.appending(path: "\(name).log").path])
            #expect(clean.code == 0 && clean.output.contains("identifiers: uscc"), "\(clean)")
            let found = try await lab.run("\(name)-node", arguments + [data.appending(path: name == "bank" ? "platform.csv" : "bank.csv").path])
            #expect(found.code == 1 && found.output.contains("holds column 'uscc'"), "\(found)")
        }
        try await prepared(lab, job, bank, scores.rows.map { $0[0] })
        // Identifiers, and cells long enough to be no count or part of a time.
        let cells = (bank.rows + platform.rows).joined().filter { $0.utf8.count >= 7 && !$0.contains("-") }
        for name in ["arbiter", "bank", "platform"] {
            let words = Set(try lab.log(name).split { !$0.isLetter && !$0.isNumber && $0 != "." }.map(String.init))
            #expect(words.count > 20 && words.isDisjoint(with: cells), "\(name): \(words.intersection(cells))")
            #expect(!words.contains { $0.count == 18 && common.contains($0) })
        }
    }

    /// What of `model.json` says how columns were prepared.
    private struct Model: Decodable {
        struct Plan: Decodable { let outputs: [Output] }
        struct Output: Decodable {
            let column: String
            let treatment: Treatment
        }
        struct Treatment: Decodable { let standardised: Associated? }
        struct Associated: Decodable { let _0: Standardised }
        struct Standardised: Decodable {
            let mean: Double, deviation: Double
            let log1p: Bool
            let cap: [Double]?
        }
        let plan: Plan
    }

    /// A column as the job had it, prepared and in its order of rows, is found: as the fixed point of a round, and as floats.
    private func prepared(_ lab: TrialLab, _ job: String, _ bank: (header: [String], rows: [[String]]), _ order: [String]) async throws {
        // Not by JSONSerialization, which misses some numbers by one unit in the last place.
        let model = try JSONDecoder().decode(Model.self, from: Data(lab.text("bank/state/jobs/\(job)/model.json").utf8))
        let output = try #require(model.plan.outputs.first { $0.treatment.standardised.map { $0._0.cap == nil && !$0._0.log1p } == true })
        let (name, treatment) = (output.column, try #require(output.treatment.standardised?._0))
        let (mean, deviation) = (treatment.mean, treatment.deviation)
        let (id, column) = (try #require(bank.header.firstIndex(of: "uscc")), try #require(bank.header.firstIndex(of: name)))
        let values = Dictionary(bank.rows.map { ($0[id], Double($0[column]) ?? .nan) }, uniquingKeysWith: { first, _ in first })
        let standardised = order.prefix(60).map { max(-4, min(4, ((values[$0] ?? .nan) - mean) / deviation)) }
        func bytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] { numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian, Array.init) } }
        for (encoding, dumped) in [
            ("32-bit fixed point, little-endian", bytes(standardised.map { $0.isNaN ? 0 : Int32(($0 * 65536).rounded(.toNearestOrEven)) })),
            ("64-bit float, little-endian", bytes(standardised.map(\.bitPattern))),
        ] {
            let dump = lab.folder.appending(path: "dump.bin")
            try Data(dumped).write(to: dump)
            let run = try await lab.run("bank-node", ["audit", "canary", "--data", "main", "--also", dump.path, "--config", lab.path("bank/node.json")])
            #expect(run.code == 1 && run.output.contains("holds column '\(name)', standardised as in job \(job), of line")
                && run.output.contains("as \(encoding)"), "\(encoding) \(run)")
        }
    }

    /// The pages beside the reports, and made anew.
    private func pages(_ lab: TrialLab, _ job: String, _ common: Set<String>) async throws {
        for name in ["bank", "platform"] {
            let config = ["--config", lab.path("\(name)/node.json")]
            let written = try lab.text("\(name)/state/jobs/\(job)/report.html")
            #expect(written.contains(">AUC<") == (name == "bank"))
            let words = Set(written.split { !$0.isLetter && !$0.isNumber }.map(String.init))
            #expect(words.isDisjoint(with: common))
            let again = try await lab.run("\(name)-node", ["report", job, "--out", lab.path("\(name).html")] + config)
            #expect(again.code == 0 && again.output.contains("page: \(lab.path("\(name).html"))"), "\(again.errors)")
            #expect(try lab.text("\(name).html") == written)
            #expect(try FileManager.default.attributesOfItem(atPath: lab.path("\(name).html"))[.posixPermissions] as? Int == 0o600)
            let chinese = try await lab.run("\(name)-node", ["report", job, "--lang", "zh"] + config)
            #expect(chinese.code == 0 && chinese.output.contains("报告页面"))
            #expect(try lab.text("\(name)/state/jobs/\(job)/report.html") != written)
            let nowhere = try await lab.run("\(name)-node", ["report", job, "--out", lab.path("nowhere/report.html")] + config)
            #expect(nowhere.pair().error.contains("nowhere/report.html"))
        }
        let file = URL(filePath: lab.path("platform/state/jobs/\(job)/report.json"))
        let kept = try Data(contentsOf: file)
        try Data("{}".utf8).write(to: file)
        let damaged = try await lab.run("platform-node", ["report", job, "--lang", "zh", "--config", lab.path("platform/node.json")])
        #expect(damaged.pair("zh").error.contains("report.json"))
        try kept.write(to: file)
    }

    @Test("a platform that is killed in training and not started again ends the job for the bank and for who watches, and nothing is half written")
    func killed() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 12])
        try await lab.start()
        let specification = try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8] }
        let job = try await lab.submit(specification)
        #expect(try await eventually { try lab.log("platform").contains("phase training") })
        try await lab.stop("platform", SIGKILL)
        let watched = try await lab.job("watch", job)
        let pair = watched.pair()
        #expect(watched.code == 3 && pair.error.contains("connection to platform was lost"), "\(pair)")
        let chinese = try await lab.job("status", job, "--lang", "zh")
        #expect(chinese.code == 3 && chinese.pair("zh").error.contains("platform") && chinese.output.contains("失败"))
        #expect(try await eventually { try lab.log("bank").contains("ended") })
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)

        // With the platform back, the next job is done.
        try await lab.start("platform")
        let again = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(again.code == 0, "\(again.errors)")
        let second = again.output.trimmingCharacters(in: .newlines)
        #expect(lab.results("bank") == [second] && lab.results("platform") == [second])
    }

    @Test("a job that is cancelled is over everywhere, and leaves no result")
    func cancelled() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let job = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8] })
        #expect(try await eventually { try lab.log("bank").contains("phase") })
        let refused = try await lab.job("cancel", job, by: "ben")
        #expect(refused.code == 4 && refused.pair().error.contains("not permitted"))
        let cancelled = try await lab.job("cancel", job)
        #expect(cancelled.code == 0 && cancelled.output.contains("cancelled"), "\(cancelled)")
        for (language, text) in [("en", "cancelled"), ("zh", "已取消")] {
            let watched = try await lab.job("watch", job, "--lang", language)
            #expect(watched.code == 1 && watched.pair(language).error.contains(text))
        }
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("ended") }, "\(name)")
            #expect(lab.results(name).isEmpty)
        }
    }
}
