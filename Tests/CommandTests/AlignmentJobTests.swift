import Foundation
import Testing

/// Jobs that only align, as their analysts and owners meet them.
@Suite("Alignment alone") struct AlignmentJobTests {
    private func specification(_ lab: TrialLab, _ name: String, reveal: String = "subjects", bank: String = "main") throws -> String {
        try lab.specification(name) { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "align"
            document["reveal"] = reveal
            document["data"] = ["bank": bank, "platform": "main"]
        }
    }

    private static func lines(_ file: URL) throws -> [Substring] { try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline) }

    /// Column `uscc`; names in this file need no quotes.
    private static func subjects(_ file: URL) throws -> Set<Substring> {
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
}
