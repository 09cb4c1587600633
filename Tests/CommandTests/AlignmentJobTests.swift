import Foundation
import Testing

/// Jobs that only align, as their analysts and owners meet them.
@Suite("Alignment alone") struct AlignmentJobTests {
    private func specification(
        _ lab: TrialLab, _ name: String, reveal: String = "subjects", bank: String = "main", platform: String = "platform", within: String? = nil
    ) throws -> String {
        try lab.specification(name) { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "align"
            document["reveal"] = reveal
            document["within"] = within
            document["parties"] = ["bank": "bank", "platform": platform]
            document["data"] = ["bank": bank, "platform": "main"]
        }
    }

    static func lines(_ file: URL) throws -> [Substring] { try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline) }

    /// Column `uscc`; names in this file need no quotes.
    static func subjects(_ file: URL) throws -> Set<Substring> {
        let lines = try lines(file).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let column = try #require(lines.first?.firstIndex(of: "uscc"))
        return Set(lines.dropFirst().map { $0[column] })
    }

    @Test("both sides keep the plain join in one order; a size leaves no list; sets of other jobs are held apart and data sets serve as many as their owner says")
    func jobs() async throws {
        let lab = try await TrialLab()
        let data = try TrialData.files.get()
        let bank = data.appending(path: "bank.csv")
        let wanted = try Self.subjects(bank).intersection(Self.subjects(data.appending(path: "platform.csv")))
        #expect(wanted.count == TrialData.common)
        // A client more or less: who is told both results is told which.
        let near = lab.folder.appending(path: "near.csv")
        let dropped = wanted.sorted().prefix(3)
        let remaining = try Self.lines(bank).filter { line in !dropped.contains { line.contains($0) } }
        try remaining.joined(separator: "\n").write(to: near, atomically: true, encoding: .utf8)
        try lab.edit("bank/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            var main = datasets["main"] as? [String: Any] ?? [:]
            main["maximum_jobs"] = 3
            datasets["main"] = main
            datasets["near"] = ["path": near.path]
            node["datasets"] = datasets
            node["memory_mib"] = 64
        }
        try await lab.start()

        var aligned: [[Substring]] = []
        for _ in 0..<2 {
            let done = try await lab.job("submit", try specification(lab, "subjects"), "--watch")
            try #require(done.code == 0, "\(done.errors)")
            let job = try #require(done.output.split(whereSeparator: \.isWhitespace).last)
            let files = try ["bank", "platform"].map { try Self.lines(lab.folder.appending(path: "lab/\($0)/state/jobs/\(job)/aligned.csv")) }
            #expect(files[0] == files[1] && files[0].first == "id" && Set(files[0].dropFirst()) == wanted && files[0].count == wanted.count + 1)
            aligned.append(files[0])
            let page = try lab.text("bank/state/jobs/\(job)/report.html")
            #expect(page.contains("2,200") || page.contains("2200"))
            for name in ["bank", "platform"] {
                let audit = try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(job)"))
                #expect(audit.code == 0, "\(audit)")
            }
        }
        // The order is drawn anew for each job.
        #expect(aligned[0] != aligned[1])

        let sized = try await lab.job("submit", try specification(lab, "size", reveal: "size"), "--watch")
        try #require(sized.code == 0, "\(sized.errors)")
        let job = try #require(sized.output.split(whereSeparator: \.isWhitespace).last)
        for name in ["bank", "platform"] {
            #expect(!FileManager.default.fileExists(atPath: lab.path("\(name)/state/jobs/\(job)/aligned.csv")))
            let rows = try #require(try lab.json("\(name)/state/jobs/\(job)/report.json")["rows"] as? [String: Any])
            #expect(rows["aligned"] as? Int == wanted.count)
        }

        for (language, used, differing) in [("en", "3", "the earlier job"), ("zh", "3", "此前")] {
            let fourth = try await lab.job("submit", try specification(lab, "fourth"), "--watch", "--lang", language)
            #expect(fourth.pair(language).error.contains(used), "\(fourth)")
            let close = try await lab.job("submit", try specification(lab, "near", bank: "near"), "--watch", "--lang", language)
            #expect(close.pair(language).error.contains(differing), "\(close)")
        }
    }

    @Test("a bank and three platforms each keep what all hold; on the way the bank alone learns, every platform sees a list of one length, and every ledger holds")
    func severalPlatforms() async throws {
        let data = try TrialData.files.get()
        let bank = try Self.subjects(data.appending(path: "bank.csv")), platform = try Self.subjects(data.appending(path: "platform.csv"))
        let common = bank.intersection(platform).sorted()
        // The sets along the chain lie close to each other: none of them is a result that others could compare.
        let held = ["platform": platform, "east": platform.subtracting(common.prefix(50)), "west": platform.subtracting(common.suffix(30))]
        let folder = FileManager.default.temporaryDirectory.appending(path: "platforms-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var files: [String: URL] = [:]
        for name in ["east", "west"] {
            let file = folder.appending(path: "\(name).csv")
            try (["uscc"] + (held[name] ?? []).sorted()).joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
            files[name] = file
        }
        let lab = try await TrialLab(platforms: files)
        try await lab.start()
        let specifications = try ["platform", "east", "west"].map { try specification(lab, $0, platform: $0) }
        let run = try await lab.run("jointlab", ["job", "align-all"] + specifications + ["--as", lab.path("ann/person.json")])
        try #require(run.code == 0, "\(run.errors)")
        let jobs = run.output.split(whereSeparator: \.isWhitespace).map(String.init)
        try #require(jobs.count == 5)
        #expect(run.errors.contains("5 of 5") && run.errors.contains("west  \(jobs[2])") && run.errors.contains("east  \(jobs[4])"), "\(run.errors)")

        let first = bank.intersection(platform), second = first.intersection(held["east"] ?? []), all = second.intersection(held["west"] ?? [])
        #expect(all.count == common.count - 80)
        let courses = zip(jobs, [("platform", first, true), ("east", second, true), ("west", all, false), ("platform", all, false), ("east", all, false)])
        for (job, (name, wanted, isBankAlone)) in courses {
            let list = try Self.lines(lab.folder.appending(path: "lab/bank/state/jobs/\(job)/aligned.csv"))
            #expect(Set(list.dropFirst()) == wanted && list.count == wanted.count + 1, "\(name)")
            let own = lab.path("\(name)/state/jobs/\(job)/aligned.csv")
            if isBankAlone { #expect(!FileManager.default.fileExists(atPath: own)) } else { #expect(try Self.lines(URL(filePath: own)) == list) }
            let rows = try #require(try lab.json("\(name)/state/jobs/\(job)/report.json")["rows"] as? [String: Any])
            #expect(rows["bank"] as? Int == bank.count && rows["aligned"] as? Int == (isBankAlone ? nil : wanted.count), "\(rows)")
            for party in ["bank", name] {
                let audit = try await lab.jointlab("audit", "verify", lab.path("\(party)/state/ledger/\(job)"))
                #expect(audit.code == 0, "\(audit)")
            }
            let page = try lab.text("\(name)/state/jobs/\(job)/report.html")
            #expect(page.contains("neither which nor how many") == isBankAlone && page.contains(jobs[0]) == (job == jobs[0] || job == jobs[1]))
        }
        let replay = try await lab.run("bank-node", [
            "audit", "replay", jobs[1], "--config", lab.path("bank/node.json"), "--owner-key", lab.path("bank/owner-seal.key"),
            "--auditor-key", lab.path("bank-auditor/auditor-seal.key"),
        ])
        #expect(replay.code == 0 && replay.output.contains("aligned.csv"), "\(replay)")

        // Lists go with what else names subjects; nothing is aligned within a list that is gone.
        try lab.edit("bank/node.json") { $0["retention"] = ["identifier_days": 0] }
        let expired = try await lab.run("bank-node", ["retention", "--config", lab.path("bank/node.json")])
        #expect(expired.code == 0, "\(expired)")
        for job in jobs {
            #expect(!FileManager.default.fileExists(atPath: lab.path("bank/state/jobs/\(job)/aligned.csv")))
            #expect(FileManager.default.fileExists(atPath: lab.path("bank/state/jobs/\(job)/report.json")))
        }

        let other = try lab.specification("other") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "align"
            document["parties"] = ["bank": "bank", "platform": "east"]
            document["population"] = ["id_type": "uscc", "bank_id": "another", "platform_id": "uscc"]
        }
        for language in ["en", "zh"] {
            let unlike = try await lab.job("align-all", specifications[0], other, "--lang", language)
            #expect(unlike.code == 2 && unlike.pair(language).error.contains("other.json#/population/bank_id"), "\(unlike)")
            let twice = try await lab.job("align-all", specifications[0], specifications[0], "--lang", language)
            #expect(twice.code == 2 && twice.pair(language).error.contains("/parties/platform"), "\(twice)")
            let gone = try await lab.job("submit", try specification(lab, "within", within: jobs[2]), "--watch", "--lang", language)
            #expect(gone.code == 2 && gone.pair(language).error.contains("/within") && gone.pair(language).error.contains(jobs[2]), "\(gone)")
        }
    }
}
