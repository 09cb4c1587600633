import Foundation
import Testing

/// Nodes that go away in the middle of jobs, and come back.
@Suite("Interrupted jobs", .timeLimit(.minutes(10))) struct InterruptionTests {
    /// When faults come is drawn, where the usual run has them at the same places each time.
    private static let isDrawn = ProcessInfo.processInfo.environment["JOINTLAB_DRAWN_LINES"] != nil

    private static func moment(_ usual: String) -> String {
        isDrawn ? ["phase alignment", "phase preparation", "training round 1", "training round 3", "training round 5"].randomElement() ?? usual : usual
    }

    private func started(_ lab: TrialLab) async throws -> String {
        try await lab.start()
        return try await lab.submit(try lab.specification {
            $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8]
        })
    }

    /// Both sides have the result of that job alone, and its ledgers hold.
    private func completed(_ lab: TrialLab, _ run: Run, attemptsOf job: String) async throws -> String {
        try #require(run.code == 0, "\(run)")
        let last = try #require(run.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
        #expect(last != job && last.dropLast(4) == job.dropLast(4), "\(run)")
        for name in ["bank", "platform"] {
            #expect(lab.results(name) == [last], "\(name)")
            let audit = try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(last)"))
            #expect(audit.code == 0, "\(audit)")
        }
        let status = try await lab.job("status", last)
        #expect(status.output.contains("completed, attempt 2"), "\(status)")
        return last
    }

    @Test("a node that is killed and started again: the job is taken up without anybody's help, with other keys, and whoever watches is led to its result",
          arguments: [("platform", "phase alignment"), ("bank", "phase training"), ("arbiter", "phase training")])
    func killed(name: String, moment: String) async throws {
        let lab = try await TrialLab()
        let job = try await started(lab)
        let watcher = try lab.beginJob(["watch", job])
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        try await lab.stop(name, SIGKILL)
        if name != "arbiter" {
            #expect(try await eventually { try String(contentsOf: watcher.errors, encoding: .utf8).contains("interrupted since ") })
        }
        try await lab.start(name)
        let watched = try await watcher.end()
        let last = try await completed(lab, watched, attemptsOf: job)
        // What the attempts are made from has nothing in common.
        let (first, second) = (try commitments(lab.path("bank/state"), job), try commitments(lab.path("bank/state"), last))
        #expect(!first.isEmpty && first.count == second.count && first.isDisjoint(with: second))
        #expect(try lab.json("bank/state/ledger/\(last)/manifest.json")["attempt"] as? Int == 2)
    }

    private func commitments(_ state: String, _ job: String) throws -> Set<String> {
        let manifest = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: "\(state)/ledger/\(job)/manifest.json"))) as? [String: Any]
        return Set(try #require(manifest?["secret_commitments"] as? [String: String]).values)
    }

    @Test("consent given before a node was stopped holds for the next attempt")
    func consent() async throws {
        let lab = try await TrialLab()
        for name in ["bank", "platform"] { try lab.edit("\(name)/node.json") { $0["approve"] = "manual" } }
        let job = try await started(lab)
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("waits for approval: jobs show \(job)") })
            let approved = try await lab.run("\(name)-node", ["jobs", "approve", job, "--config", lab.path("\(name)/node.json")])
            #expect(approved.code == 0, "\(approved)")
        }
        #expect(try await eventually { try lab.log("bank").contains("phase alignment") })
        try await lab.stop("platform")
        try await lab.start("platform")
        let watched = try await lab.job("watch", job)
        _ = try await completed(lab, watched, attemptsOf: job)
    }

    @Test("a node restored in the middle of a job from a back-up made before it: the next attempt is done with new secrets, and the operations that were rolled back are found")
    func restored() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        try await lab.stop("platform")
        // Configuration, keys and data directory.
        let (place, backUp, lost) = (lab.path("platform"), lab.folder.appending(path: "back-up").path, lab.folder.appending(path: "lost").path)
        try FileManager.default.copyItem(atPath: place, toPath: backUp)
        try await lab.start("platform")
        let job = try await lab.submit(try lab.specification {
            $0["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8]
        })
        #expect(try await eventually { try lab.log("bank").contains("training round 2") })
        try await lab.stop("platform")
        try FileManager.default.moveItem(atPath: place, toPath: lost)
        try FileManager.default.moveItem(atPath: backUp, toPath: place)
        #expect(!FileManager.default.fileExists(atPath: lab.path("platform/state/ledger/\(job)")))
        let doctor = try await lab.run("platform-node", ["doctor", "--config", lab.path("platform/node.json")])
        #expect(doctor.code == 0, "\(doctor)")
        try await lab.start("platform")
        let watched = try await lab.job("watch", job)
        let last = try await completed(lab, watched, attemptsOf: job)

        // Of neither party do two attempts have a secret in common, those included that the copy knows nothing of.
        let attempts = [
            try commitments("\(lost)/state", job), try commitments(lab.path("platform/state"), last), try commitments(lab.path("bank/state"), job),
            try commitments(lab.path("bank/state"), last),
        ]
        #expect(attempts.allSatisfy { !$0.isEmpty } && Set(attempts.joined()).count == attempts.map(\.count).reduce(0, +))
        for name in ["bank", "platform"] {
            let replayed = try await lab.replay(name, last)
            #expect(replayed.code == 0, "\(replayed)")
        }
        let ledgers = ["bank", "platform", "arbiter"].map { lab.path("\($0)/state/ledger/\(last)") }
        let reconciled = try await lab.run("jointlab", ["audit", "reconcile"] + ledgers)
        #expect(reconciled.code == 0, "\(reconciled)")

        // Alone the copy holds; beside what the arbiter was shown before it does not, and what was lost does.
        let alone = try await lab.jointlab("audit", "verify", lab.path("platform/state"))
        #expect(alone.code == 0, "\(alone)")
        let shown = lab.path("arbiter/state/ledger/\(job)")
        let rolledBack = try await lab.jointlab("audit", "reconcile", lab.path("platform/state/operations"), shown)
        #expect(rolledBack.code == 1 && rolledBack.output.contains("[witness]") && rolledBack.output.contains("entries were changed or cut"), "\(rolledBack)")
        for operations in ["\(lost)/state/operations", lab.path("bank/state/operations")] {
            let whole = try await lab.jointlab("audit", "reconcile", operations, shown)
            #expect(whole.code == 0, "\(whole)")
        }
    }

    // Lines

    /// One attempt, whose result both sides have, and whose ledgers hold alone and together.
    private func undisturbed(_ lab: TrialLab, _ job: String) async throws {
        let status = try await lab.job("status", job)
        #expect(status.output.contains("completed") && !status.output.contains("attempt"), "\(status)")
        let ledgers = ["bank", "platform"].map { lab.path("\($0)/state/ledger/\(job)") }
        for (name, ledger) in zip(["bank", "platform"], ledgers) {
            #expect(lab.results(name).contains(job), "\(name)")
            let audit = try await lab.jointlab("audit", "verify", ledger)
            #expect(audit.code == 0, "\(audit)")
        }
        let reconciled = try await lab.run("jointlab", ["audit", "reconcile"] + ledgers + [lab.path("arbiter/state/ledger/\(job)")])
        #expect(reconciled.code == 0, "\(reconciled)")
        let verified = try MidwayHeadTests.verifier(lab, ["bank/state/ledger/\(job)", "platform/state/ledger/\(job)"])
        #expect(verified.code == 0, "\(verified.output)")
    }

    /// Each party makes what it sent, and its model, again from its secrets.
    private func replayed(_ lab: TrialLab, _ job: String) async throws {
        for name in ["bank", "platform"] {
            let replayed = try await lab.replay(name, job)
            #expect(replayed.code == 0 && replayed.output.contains("model.json") && replayed.output.hasSuffix("holds\n"), "\(replayed)")
        }
    }

    /// The plain join, on both sides.
    private func isExact(_ lab: TrialLab, _ job: String) throws -> Bool {
        let data = try TrialData.files.get()
        let wanted = try AlignmentJobTests.subjects(data.appending(path: "bank.csv")).intersection(AlignmentJobTests.subjects(data.appending(path: "platform.csv")))
        let files = try ["bank", "platform"].map { try AlignmentJobTests.lines(lab.folder.appending(path: "lab/\($0)/state/jobs/\(job)/aligned.csv")) }
        return files[0] == files[1] && Set(files[0].dropFirst()) == wanted && files[0].count == wanted.count + 1
    }

    private func alignment(_ lab: TrialLab) throws -> String {
        try lab.specification("align") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            (document["kind"], document["reveal"]) = ("align", "subjects")
        }
    }

    /// Submits, and waits for the end.
    private func completed(_ lab: TrialLab, _ specification: String) async throws -> String {
        let run = try await lab.job("submit", specification, "--watch")
        try #require(run.code == 0, "\(run)")
        return try #require(run.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
    }

    @Test("a line that is cut, or on which a bit was flipped, is taken up again, and the attempt goes on",
          arguments: [("phase alignment", false), ("training round 2", true)])
    func broken(moment: String, isFlipped: Bool) async throws {
        let lab = try await TrialLab()
        let proxy = try lab.proxied()
        defer { proxy.end() }
        let job = try await started(lab)
        let moment = Self.moment(moment)
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        if isFlipped { proxy.set(.flip) } else { proxy.cut() }
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")
        #expect(lab.results("bank") == [job] && lab.results("platform") == [job])
        #expect(proxy.connections == 2)
        for name in ["bank", "platform"] { #expect(try lab.log(name).contains("was cut") && lab.log(name).contains("is back"), "\(name)") }
        try await undisturbed(lab, job)
        try await replayed(lab, job)
    }

    @Test("ten cuts of one job, wherever they fall: one attempt, the exact result, and ledgers that hold and agree")
    func tenCuts() async throws {
        let lab = try await TrialLab()
        let proxy = try lab.proxied()
        defer { proxy.end() }
        try await lab.start()
        for specification in [try alignment(lab), try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 8, "degree": 8] }] {
            let start = proxy.carried
            _ = try await completed(lab, specification)
            let (each, connections, before) = ((proxy.carried - start) / 11, proxy.connections, proxy.cuts)
            // A connection takes some kilobytes by itself; what falls into them is cut while it opens.
            let drawn = (0..<10).map { _ in Int.random(in: 1...10 * each) }.sorted()
            proxy.cut(afterBytes: Self.isDrawn ? zip(drawn, [0] + drawn).map { max($0 - $1, 1) } : (1...10).map { $0 % 3 == 1 ? 1500 : each })
            let job = try await completed(lab, specification)
            // What is on its way over a connection that is cut may reach the next cut.
            #expect(proxy.connections > connections + 5 && proxy.cuts == before + 10)
            try await undisturbed(lab, job)
            if specification.hasSuffix("align.json") { #expect(try isExact(lab, job)) } else { try await replayed(lab, job) }
            tried(10)
        }
    }

    @Test("a cut during the very last frames, the last acknowledgements and the farewell: the job ends well, at once and everywhere")
    func lastFrames() async throws {
        let lab = try await TrialLab()
        let proxy = try lab.proxied()
        defer { proxy.end() }
        try await lab.start()
        let specification = try alignment(lab)
        _ = try await completed(lab, specification)
        let whole = proxy.carried
        for missing in Self.isDrawn ? (0..<10).map({ _ in Int.random(in: 1...900) }) : [1, 24, 60, 110, 160, 210, 260, 310, 500, 900] {
            proxy.cut(afterBytes: [whole - missing])
            let job = try await completed(lab, specification)
            #expect(try isExact(lab, job), "\(missing)")
            try await undisturbed(lab, job)
        }
        #expect(proxy.cuts >= 5)
        tried(proxy.cuts)
    }

    @Test("a line that never comes back is told of in words, and ends the attempt at the deadline as lost")
    func lost() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 8])
        let proxy = try lab.proxied()
        let job = try await started(lab)
        // Is told of states that do not last.
        let watcher = try lab.beginJob(["watch", job])
        defer { watcher.process.terminate() }
        func told() throws -> String { try String(contentsOf: watcher.errors, encoding: .utf8) }
        #expect(try await eventually { try lab.log("bank").contains("training round 1") })
        proxy.end()
        for name in ["bank", "platform"] { #expect(try await eventually { try lab.log(name).contains("was cut") }, "\(name)") }
        let listed = try await lab.run("platform-node", ["jobs", "list", "--config", lab.path("platform/node.json")])
        #expect(listed.output.contains("the line to bank has been cut since"), "\(listed)")
        #expect(try await eventually { try told().contains("the line between bank and platform has been cut since") })
        for name in ["bank", "platform"] { #expect(try await eventually { try lab.log(name).contains("ended: ") }, "\(name)") }
        #expect(try lab.log("bank").contains("the connection to platform was lost") || lab.log("platform").contains("the connection to bank was lost"))
        let isInterrupted = try await eventually { try told().contains("interrupted since ") }
        let (watched, logs) = (try told(), try ["bank", "platform"].map { try lab.log($0).suffix(1500) })
        #expect(isInterrupted, "\(watched) \(logs)")
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)
        tried(1)
    }

    @Test("a job that is cancelled while its line is cut is over at once at both ends")
    func cancelled() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 3600])
        let proxy = try lab.proxied()
        let job = try await started(lab)
        #expect(try await eventually { try lab.log("bank").contains("training round 1") })
        proxy.end()
        for name in ["bank", "platform"] { #expect(try await eventually { try lab.log(name).contains("was cut") }, "\(name)") }
        let run = try await lab.job("cancel", job)
        #expect(run.code == 0, "\(run)")
        for name in ["bank", "platform"] { #expect(try await eventually { try lab.log(name).contains("ended: ") }, "\(name)") }
        tried(1)
    }

    @Test("a peer that is silent, does not read, or sends a byte a second ends the job at the deadline, at every node and by name; the next job is done",
          arguments: [FaultProxy.Mode.deaf, .swallow, .trickle])
    func silent(mode: FaultProxy.Mode) async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 8])
        let proxy = try lab.proxied()
        defer { proxy.end() }
        let job = try await started(lab)
        let moment = Self.moment("training round 1")
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        proxy.set(mode)
        let watched = try await lab.job("watch", job)
        #expect(watched.code != 0 && watched.pair().error.contains("within 8 s"), "\(watched)")
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.log(name).contains("ended: ") }, "\(name)")
            #expect(lab.results(name).isEmpty)
        }
        proxy.cut()
        proxy.set(.pass)
        let next = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 1] }, "--watch")
        #expect(next.code == 0, "\(next)")
        for name in ["bank", "platform", "arbiter"] { #expect(try lab.peakMemory(name) < 512, "\(name)") }
    }

    @Test("lines to the arbiter that are cut in the middle of a job interrupt it, and its next attempt is done with an exact result; ones that fall silent end it at the deadline, by name at both parties, and it is done once they are back",
          arguments: [false, true])
    func arbiterLine(isSilent: Bool) async throws {
        let lab = try await TrialLab(limits: isSilent ? ["deadline_seconds": 8] : [:])
        // Whoever watches is not behind the proxy.
        let proxy = try lab.proxied("arbiter", except: "ann")
        defer { proxy.end() }
        let job = try await started(lab)
        let moment = Self.moment("training round 1")
        #expect(try await eventually { try lab.log("bank").contains(moment) })
        if isSilent {
            proxy.set(.swallow)
            for name in ["bank", "platform"] { #expect(try await eventually { try lab.log(name).contains("ended: ") }, "\(name)") }
            #expect(try ["bank", "platform"].contains { try lab.log($0).contains("arbiter did not answer within 8 s") })
            #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)
            for name in ["bank", "platform", "arbiter"] { #expect(try lab.peakMemory(name) < 512, "\(name)") }
        }
        proxy.cut()
        proxy.set(.pass)
        let watched = try await lab.job("watch", job)
        let last = try await completed(lab, watched, attemptsOf: job)
        try await replayed(lab, last)
    }

    @Test("a line to the arbiter on which a frame has begun and nothing more comes is lost, at either end, and the job is offered anew")
    func halfAFrame() async throws {
        let lab = try await TrialLab()
        let proxy = try lab.proxied("arbiter", except: "ben")
        defer { proxy.end() }
        try await lab.start()
        // No data have these columns: who has the whole offer refuses it.
        let columns = (0..<500).map { "\(String(repeating: "long", count: 15))\($0)" }
        let specification = try lab.specification { $0["features"] = ["bank": columns, "platform": columns] }
        proxy.set(.half)
        let submitted = try lab.beginJob(["submit", specification])
        let run = try await lab.job("submit", specification, by: "ben")
        let job = try #require(run.output.split(separator: "\n").first.map(String.init))
        #expect(try await eventually { try lab.log("bank").contains("no line to the arbiter") })
        let lost = try await submitted.end()
        #expect(lost.code == 3 && lost.pair().error.contains("the connection to arbiter was lost"), "\(lost)")
        proxy.set(.pass)
        let watched = try await lab.job("watch", job, by: "ben")
        #expect(watched.code != 0 && watched.errors.contains("longlong"), "\(watched)")
    }
}
