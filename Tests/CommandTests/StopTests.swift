import Foundation
import Ledger
import Testing

/// A node that is asked to end while a job runs.
@Suite("Stopped nodes", .timeLimit(.minutes(10))) struct StopTests {
    private func training(_ lab: TrialLab) async throws -> String {
        try await lab.start()
        let job = try await lab.submit(try lab.specification {
            $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8]
        })
        #expect(try await eventually { try lab.log("bank").contains("training round 2") })
        return job
    }

    private func actions(_ lab: TrialLab, _ node: String) throws -> [String] {
        try lab.text("\(node)/state/operations/entries.jsonl").split(separator: "\n").compactMap { line in
            (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["action"] as? String
        }
    }

    @Test("a node that is asked to stop ends its job where all three have signed both ledgers, and then itself; the job goes on when it is back",
          arguments: ["bank", "platform"])
    func drained(node: String) async throws {
        let lab = try await TrialLab()
        let job = try await training(lab)
        let watcher = try lab.beginJob(["watch", job])
        #expect(try await lab.stop(node) == 0)
        #expect(try lab.log(node).contains("end at their next checkpoint"))
        #expect(try actions(lab, node).suffix(3) == ["keys.destroyed", "job.ended", "node.stopped"])
        let peer = node == "bank" ? "platform" : "bank"
        let ledger = "\(node)/state/ledger/\(job)"
        for direction in ["sent", "received"] {
            let records = try Data(contentsOf: URL(filePath: lab.path("\(ledger)/\(peer).\(direction).records"))).count / FrameRecord.byteCount
            let lines = try lab.text("\(ledger)/\(peer).\(direction).heads").split(separator: "\n")
            let signed = try #require(lines.compactMap { Int($0) }.last)
            // What tells the other side of the end follows.
            #expect(signed >= records - 1, "\(direction): \(signed) of \(records)")
            let (heads, signatures) = (lines.count { $0.hasPrefix("jointlab/") }, lines.count { $0.hasPrefix("\u{2014} ") })
            #expect(heads > 0 && signatures == 3 * heads, "\(lines.suffix(6))")
        }
        try await lab.start(node)
        let watched = try await watcher.end()
        #expect(watched.code == 0, "\(watched)")
        let last = try #require(watched.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
        #expect(try await lab.job("status", last).output.contains("completed, attempt 2"))
    }

    @Test("a node that is asked twice ends at once, and what it did stands in its ledger")
    func twice() async throws {
        let lab = try await TrialLab()
        _ = try await training(lab)
        // No checkpoint comes.
        try lab.signal("platform", SIGSTOP)
        try lab.signal("bank", SIGTERM)
        #expect(try await eventually { try lab.log("bank").contains("end at their next checkpoint") })
        try await Task.sleep(for: .seconds(1))
        #expect(lab.ending("bank") == nil)
        #expect(try await lab.stop("bank") == 0)
        #expect(try actions(lab, "bank").suffix(3) == ["keys.destroyed", "job.ended", "node.stopped"])
        try lab.signal("platform", SIGCONT)
    }
}
