import Foundation
import Ledger
import Testing

/// One call of one node, at a part of all that an undisturbed run makes.
struct Strike: Sendable, CustomTestStringConvertible {
    let node: String
    let call: Interposer.Call
    let kind: Interposer.Kind
    /// Of the calls below the folder `state`; where there is a number, that call below `folder`.
    var part = 0.0
    var folder = "state"
    var number: Int?

    var testDescription: String {
        "\(kind.rawValue) at \(call.rawValue) \(number.map { "\($0) below \(folder)" } ?? "\(Int(part * 1000)) per mille") of \(node)"
    }
}

/// Which strikes a run tries.
private enum Plan {
    static let nodes = ["bank", "platform", "arbiter"]

    /// As many as the variable says, at calls of chance: all combinations in turn, spread over the run. The usual few are the same
    /// each time, so that what they say is of the change under test.
    static func many(_ variable: String, _ usual: Int, _ blows: [(Interposer.Call, Interposer.Kind)]) -> [Strike] {
        let count = number(variable, usual)
        let combinations = nodes.flatMap { node in blows.map { (node, $0.0, $0.1) } }
        let turns = (count + combinations.count - 1) / combinations.count
        func chance() -> Double { isLong(variable) ? Double.random(in: 0..<1) : 0.5 }
        let (first, offset) = (isLong(variable) ? Int.random(in: 0..<combinations.count) : 0, chance())
        return (0..<count).map { index in
            let (node, call, kind) = combinations[(first + index * 7) % combinations.count]
            let part = (Double(index / combinations.count) + (count < combinations.count ? chance() : offset)) / Double(max(turns, 1))
            return Strike(node: node, call: call, kind: kind, part: part)
        }
    }

    static func isLong(_ variable: String) -> Bool { ProcessInfo.processInfo.environment[variable] != nil }

    static func number(_ variable: String, _ usual: Int) -> Int { ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? usual }
}

/// Disks that fail, and nodes that are killed, while a small job is trained: whatever happens at one call of one node, the job ends
/// by name or goes on, nothing stands half-written, no ledger says two things, and once the node is back its jobs are done.
@Suite("Strikes") struct StrikeTests {
    /// Calls of each node in a run that nothing disturbs.
    private static let undisturbed = Task {
        let lab = try await TrialLab(TrialData.few)
        for node in Plan.nodes { lab.interposers[node] = try Interposer.counting(below: lab.path("\(node)/state")) }
        try await lab.start()
        let run = try await lab.job("submit", try specification(lab), "--watch")
        #expect(run.code == 0, "\(run)")
        for node in Plan.nodes.reversed() { try await lab.stop(node) }
        return try lab.interposers.mapValues { interposer in
            defer { interposer.remove() }
            return try interposer.counts()
        }
    }

    private static func specification(_ lab: TrialLab) throws -> String {
        try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2, "degree": 2] }
    }

    @Test("a write without space, an error, half a write, a failed fsync or rename: a node whose ledger it was stops and says why; its jobs are done when the disk is mended",
          arguments: Plan.many("JOINTLAB_DISK_FAULTS", 5, [(.write, .full), (.fsync, .error), (.write, .error), (.write, .short), (.rename, .error), (.link, .error)]))
    func disk(strike: Strike) async throws {
        // To replay takes two seconds of a core: of thousands of trials each tenth.
        try await strikes([strike], replaying: !Plan.isLong("JOINTLAB_DISK_FAULTS") || Int.random(in: 0..<10) == 0)
    }

    @Test("whichever ledger it is, or the arbiter's record, the node stops; of a killed node every ledger holds, and results that were not in place are gone", arguments: [
        Strike(node: "bank", call: .fsync, kind: .error, folder: "state/ledger", number: 9),
        Strike(node: "platform", call: .write, kind: .full, folder: "state/ledger", number: 12),
        // In the middle of the alignment, whose threads are at work when the program ends.
        Strike(node: "bank", call: .fsync, kind: .error, folder: "state/ledger", number: 21),
        Strike(node: "bank", call: .fsync, kind: .error, folder: "state/operations", number: 14),
        Strike(node: "arbiter", call: .rename, kind: .error, folder: "state/records", number: 2),
        Strike(node: "bank", call: .rename, kind: .kill, folder: "state/jobs", number: 1),
        // A payload is kept whose record was still to come.
        Strike(node: "platform", call: .write, kind: .after, folder: "state/ledger", number: 12),
        // The other party ends at once in the opening, and after its own Closing.
        Strike(node: "bank", call: .write, kind: .after, part: 0.261),
        Strike(node: "platform", call: .send, kind: .kill, part: 0.887),
        // The first head of a new ledger of operations.
        Strike(node: "arbiter", call: .write, kind: .full, folder: "state/operations", number: 2),
        // While the key of subjects is made.
        Strike(node: "bank", call: .write, kind: .kill, folder: "state/secrets", number: 1),
        Strike(node: "platform", call: .link, kind: .kill, folder: "state/secrets", number: 1),
    ])
    func known(strike: Strike) async throws { try await strikes([strike]) }

    @Test("a node killed before or after a write, an fsync, a rename, a link, a send, or a receive that has something to receive",
          arguments: Plan.many("JOINTLAB_NAMED_KILLS", 4, Interposer.Call.allCases.flatMap { [($0, .kill), ($0, .after)] }))
    func named(strike: Strike) async throws { try await strikes([strike]) }

    @Test("two nodes killed in one job", arguments: zip(
        Plan.many("JOINTLAB_PAIRED_KILLS", 1, [(.send, .kill), (.fsync, .after)]), Plan.many("JOINTLAB_PAIRED_KILLS", 1, [(.fsync, .kill), (.send, .after)])))
    func paired(first: Strike, second: Strike) async throws {
        try await strikes(first.node == second.node
            ? [first, Strike(node: first.node == "bank" ? "platform" : "bank", call: second.call, kind: second.kind, part: second.part)] : [first, second])
    }

    @Test("a node killed at a time of no choosing", arguments: 0..<Plan.number("JOINTLAB_TIMED_KILLS", 1))
    func timed(number: Int) async throws {
        let node = Plan.nodes[number % 3]
        try await strikes([], killing: node, afterMilliseconds: Plan.isLong("JOINTLAB_TIMED_KILLS") ? Int.random(in: 0..<6000) : 3000)
    }

    @Test("what has a name is on the disk: killed before the first fsync of a list of subjects, a node has a draft alone, and none once it is back")
    func draft() async throws {
        let lab = try await TrialLab(TrialData.few)
        let interposer = try Interposer(below: lab.path("bank/state/operations/subjects"), .fsync, number: 1, .kill)
        defer { interposer.remove() }
        lab.interposers["bank"] = interposer
        try await lab.start()
        _ = try await lab.submit(try Self.specification(lab))
        #expect(try await eventually { lab.ending("bank") != nil })
        func lists() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: lab.path("bank/state/operations/subjects")) }
        let left = try lists()
        #expect(left.count == 1 && left.allSatisfy { $0.utf8.count > 64 }, "\(left)")
        lab.interposers["bank"] = nil
        try await lab.start("bank")
        #expect(try lists().allSatisfy { $0.utf8.count == 64 })
    }

    private func strikes(_ strikes: [Strike], killing victim: String? = nil, afterMilliseconds delay: Int = 0, replaying: Bool = true) async throws {
        let counts = try await Self.undisturbed.value
        let lab = try await TrialLab(TrialData.few)
        defer { lab.interposers.values.forEach { $0.remove() } }
        var open: [String: (strike: Strike, interposer: Interposer)] = [:]
        for strike in strikes {
            let count = try #require(counts[strike.node]?[strike.call])
            let number = strike.number ?? 1 + Int(strike.part * Double(count))
            let interposer = try Interposer(below: lab.path("\(strike.node)/\(strike.folder)"), strike.call, number: number, strike.kind)
            lab.interposers[strike.node] = interposer
            open[strike.node] = (strike, interposer)
        }
        var time: ContinuousClock.Instant?
        /// Those that have ended are started again on a disk without faults; whether there were any.
        func mend() async throws -> Bool {
            var isMended = false
            if let victim, let due = time, due < .now {
                time = nil
                try lab.signal(victim, SIGKILL)
            }
            // The arbiter first: whoever else is started registers with it.
            for node in Plan.nodes.reversed() {
                guard let ending = lab.ending(node) else { continue }
                isMended = true
                if let (strike, interposer) = open.removeValue(forKey: node) {
                    let place: Comment = "\(interposer.struck ?? "nothing struck") \(try lab.log(node).suffix(2000))"
                    if strike.kind.kills {
                        #expect(ending == (SIGKILL, true), place)
                    } else {
                        #expect(!ending.isSignal && (1..<70).contains(ending.code), place)
                        #expect(try lab.log(node).suffix(600).contains("cannot be written"), place)
                    }
                } else {
                    let log = try lab.log(node).suffix(2000)
                    #expect(node == victim && ending == (SIGKILL, true), "\(log)")
                }
                lab.interposers[node] = nil
                let (isUp, log) = (try await lab.launch(node), try lab.log(node).suffix(2000))
                #expect(isUp || lab.ending("arbiter") != nil, "\(node): \(log)")
            }
            return isMended
        }
        for node in ["arbiter", "platform", "bank"] where !(try await lab.launch(node)) {
            let isMended = try await mend()
            #expect(isMended, "\(node)")
        }
        if victim != nil { time = .now + .milliseconds(delay) }
        let jobs = try await done(lab, mend)
        let missed = open.values.filter { $0.strike.number != nil && $0.interposer.struck == nil }
        #expect(missed.isEmpty, "not reached")
        // Where the run was longer than the undisturbed one, or shorter, the call may come as late as the stop, or never.
        for (node, (strike, interposer)) in open {
            if let struck = interposer.struck, strike.kind != .short, ["/ledger/", "/operations/", "/records/"].contains(where: struck.contains) {
                #expect(try await eventually { lab.ending(node) != nil }, "\(node) goes on after \(struck)")
            }
            if lab.ending(node) == nil { try await lab.stop(node) }
            open[node] = nil
            lab.interposers[node] = nil
            try await lab.start(node)
        }
        for node in Plan.nodes.reversed() { try await lab.stop(node) }
        try await check(lab, jobs)
        if replaying { try await replay(lab, jobs.done) }
        if strikes.allSatisfy(\.kind.kills) { try await verifyAll(lab) }
    }

    /// The model is that of the undisturbed run, which each party makes again from its secrets.
    private func replay(_ lab: TrialLab, _ job: String) async throws {
        for node in ["bank", "platform"] {
            let replayed = try await lab.replay(node, job)
            #expect(replayed.code == 0 && replayed.output.contains("model.json") && replayed.output.hasSuffix("holds\n"), "\(replayed)")
        }
    }

    /// What a kill leaves is no finding, whichever attempt it was in.
    private func verifyAll(_ lab: TrialLab) async throws {
        for node in Plan.nodes {
            for job in (try? FileManager.default.contentsOfDirectory(atPath: lab.path("\(node)/state/ledger"))) ?? [] {
                let ledger = lab.path("\(node)/state/ledger/\(job)")
                guard FileManager.default.fileExists(atPath: "\(ledger)/\(LedgerFile.manifest)") else { continue }
                let verified = try await lab.jointlab("audit", "verify", ledger)
                #expect(verified.code == 0, "\(verified)")
            }
        }
    }

    /// Until a job is done. One that ended by name is submitted again.
    /// - Returns: the jobs that were submitted, and the one that is done.
    private func done(_ lab: TrialLab, _ mend: () async throws -> Bool) async throws -> (all: [String], done: String) {
        var jobs: [String] = []
        let end = ContinuousClock.now + .seconds(300)
        while jobs.count < 4, ContinuousClock.now < end {
            let submitted = try await lab.job("submit", try Self.specification(lab))
            guard submitted.code == 0 else {
                // The arbiter has just gone, or is back before the others have found it.
                _ = submitted.pair()
                _ = try await mend()
                try await Task.sleep(for: .milliseconds(500))
                continue
            }
            let job = submitted.output.trimmingCharacters(in: .newlines)
            jobs.append(job)
            let watcher = try lab.beginJob(["watch", job])
            let deadline = ContinuousClock.now + .seconds(240)
            while watcher.process.isRunning, ContinuousClock.now < deadline {
                _ = try await mend()
                try await Task.sleep(for: .milliseconds(50))
            }
            let watched = try await watcher.end()
            if watched.code == 0 {
                let last = watched.output.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? job
                return (jobs, last)
            }
            _ = watched.pair()
            _ = try await mend()
        }
        let logs = try Plan.nodes.map { try lab.log($0) }
        Issue.record("no job was done: \(logs)")
        return (jobs, "")
    }

    private func check(_ lab: TrialLab, _ jobs: (all: [String], done: String)) async throws {
        try #require(!jobs.done.isEmpty)
        for (node, files) in [("bank", ["model.json", "report.json", "scores.csv"]), ("platform", ["model.json", "report.json"])] {
            let results = lab.results(node)
            #expect(results.contains(jobs.done) && !results.contains { $0.hasPrefix(".") }, "\(node): \(results)")
            let secrets = try FileManager.default.contentsOfDirectory(atPath: lab.path("\(node)/state/secrets"))
            #expect(secrets.contains("subjects.key") && !secrets.contains { $0.hasPrefix(".subjects.key") }, "\(node): \(secrets)")
            for job in results {
                let names = Set(try FileManager.default.contentsOfDirectory(atPath: lab.path("\(node)/state/jobs/\(job)")))
                #expect(names.isSuperset(of: files), "\(node): \(names)")
            }
        }
        for node in Plan.nodes {
            let operations = try await lab.jointlab("audit", "verify", lab.path("\(node)/state"))
            #expect(operations.code == 0, "\(operations)")
            let ledger = try await lab.jointlab("audit", "verify", lab.path("\(node)/state/ledger/\(jobs.done)"))
            #expect(ledger.code == 0, "\(ledger)")
        }
        let reconciled = try await lab.run("jointlab", ["audit", "reconcile"] + Plan.nodes.map { lab.path("\($0)/state/ledger/\(jobs.done)") })
        #expect(reconciled.code == 0, "\(reconciled)")
        // Of attempts that were broken off, too, what one has sent is what the other has heard, as far as either came.
        for (from, to) in [("bank", "platform"), ("platform", "bank"), ("bank", "arbiter"), ("arbiter", "bank"), ("platform", "arbiter"), ("arbiter", "platform")] {
            for job in (try? FileManager.default.contentsOfDirectory(atPath: lab.path("\(from)/state/ledger"))) ?? [] {
                let sent = [UInt8]((try? Data(contentsOf: URL(filePath: lab.path("\(from)/state/ledger/\(job)/\(to).sent.records")))) ?? Data())
                let heard = [UInt8]((try? Data(contentsOf: URL(filePath: lab.path("\(to)/state/ledger/\(job)/\(from).received.records")))) ?? Data())
                let common = min(sent.count, heard.count) / FrameRecord.byteCount * FrameRecord.byteCount
                #expect(sent.prefix(common) == heard.prefix(common), "\(job) from \(from) to \(to)")
            }
        }
    }
}
