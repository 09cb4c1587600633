import Foundation
import Testing

/// Nodes whose wall clock is wrong, or is put right while they work.
@Suite("Clocks", .timeLimit(.minutes(5))) struct ClockTests {
    private static let year = 366 * 86_400

    /// - Returns: a lab whose nodes' clocks can be moved.
    private func lab() async throws -> TrialLab {
        let lab = try await TrialLab(TrialData.few)
        for node in ["arbiter", "platform", "bank"] { lab.interposers[node] = try Interposer.clock(secondsAhead: 0) }
        return lab
    }

    private func specification(_ lab: TrialLab) throws -> String {
        try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 4, "degree": 2] }
    }

    @Test("clocks that jump by hours in the middle of a job, forwards and backwards, change nothing: one attempt, its exact result, ledgers that hold")
    func jump() async throws {
        let lab = try await lab()
        defer { lab.interposers.values.forEach { $0.remove() } }
        try await lab.start()
        let job = try await lab.submit(try specification(lab))
        #expect(try await eventually { try lab.log("bank").contains("phase alignment") })
        for (node, hours) in [("bank", 5), ("platform", -7), ("arbiter", 9)] { try lab.interposers[node]?.setClock(secondsAhead: hours * 3600) }
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")
        // The clocks did jump: what is logged first is of another time than what is logged last.
        for node in ["bank", "platform", "arbiter"] {
            #expect(try await eventually { try lab.log(node).contains("completed") }, "\(node)")
            let times = try lab.log(node).split(separator: "\n").compactMap { try? Date(String($0.prefix(20)), strategy: .iso8601) }
            #expect(abs(try #require(times.last).timeIntervalSince(try #require(times.first))) > 4 * 3600, "\(node)")
        }
        #expect(lab.results("bank") == [job] && lab.results("platform") == [job])
        let reconciled = try await lab.run("jointlab", ["audit", "reconcile"] + ["bank", "platform", "arbiter"].map { lab.path("\($0)/state/ledger/\(job)") })
        #expect(reconciled.code == 0, "\(reconciled)")
        for node in ["bank", "platform"] {
            let replayed = try await lab.replay(node, job)
            #expect(replayed.code == 0, "\(replayed)")
        }
        for node in ["bank", "platform", "arbiter"] {
            let operations = try await lab.jointlab("audit", "verify", lab.path("\(node)/state"))
            #expect(operations.code == 0, "\(operations)")
        }
        tried(1)
    }

    @Test("a node whose clock is a year off is refused by name: by itself when it begins, at a line that is opened while it runs; once the clock is right the next job is done")
    func yearOff() async throws {
        let lab = try await lab()
        let clocks = lab.interposers
        defer { clocks.values.forEach { $0.remove() } }
        try await lab.start()
        try clocks["bank"]?.setClock(secondsAhead: Self.year)
        let refused = try await lab.job("submit", try specification(lab), "--watch")
        #expect(refused.code == 4 && refused.pair().error.contains("the certificate was refused"), "\(refused)")
        for node in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(node).contains("ended: ") && lab.log(node).contains("the certificate was refused") }, "\(node)")
            #expect(lab.results(node).isEmpty)
        }
        try clocks["bank"]?.setClock(secondsAhead: 0)
        let done = try await lab.job("submit", try specification(lab), "--watch")
        #expect(done.code == 0, "\(done)")

        for node in ["bank", "platform", "arbiter"] {
            try await lab.stop(node)
            for seconds in [Self.year, -Self.year] {
                try clocks[node]?.setClock(secondsAhead: seconds)
                let before = try lab.log(node).utf8.count
                let isUp = try await lab.launch(node)
                #expect(!isUp && lab.ending(node).map { $0 == (4, false) } == true, "\(node)")
                let said = try lab.log(node).utf8.dropFirst(before)
                #expect(String(said)?.contains("the certificate is valid from") == true && String(said)?.contains("check the clock of this machine") == true)
            }
        }
        tried(7)
    }
}
