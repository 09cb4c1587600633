import ArbiterRole
import Faults
import Foundation
import Jobs
import Primitives
import Testing
import Wire

@Suite("The life of a job at the arbiter") struct JobLifeTests {
    @Test("offered to both owners, started when both approve, completed when both are done")
    func life() throws {
        var lab = try TrialArbiter()
        let job = try lab.submit()
        let canonical = try JobSpecification.parse(Array(TrialArbiter.specification().utf8)).canonicalJSON()
        for name in ["north", "south"] {
            let offers = lab.take(.party(name))
            #expect(offers == [.init(message: .jobOffer(.filled {
                $0.specification = Data(canonical.utf8)
                $0.analyst = "ann"
            }), job: job)])
        }
        #expect(lab.take(.party("east")).isEmpty && lab.take(.party("west")).isEmpty)
        #expect(try lab.record(job).state == .offered)

        lab.approve(job, by: ["south"])
        #expect(lab.take(.party("north")).isEmpty && lab.take(.party("south")).isEmpty)
        #expect(try lab.record(job).state == .offered)
        lab.approve(job, by: ["north"])
        let start = Message.jobStart(.filled { $0.specificationDigest = SHA256.hash(Array(canonical.utf8)).data })
        for name in ["north", "south"] { #expect(lab.take(.party(name)) == [.init(message: start, job: job)]) }
        #expect(try lab.record(job).state == .running)

        lab.hear(.end(), job, from: .party("north"))
        #expect(try lab.record(job).state == .running)
        lab.hear(.end(), job, from: .party("south"))
        let record = try lab.record(job)
        #expect(record.state == .completed && !record.hasFault)
        #expect(record.analyst == "ann" && record.bank == "north" && record.platform == "south" && record.name == "trial" && record.kind == "train")
        #expect(record.submittedUnixSeconds < record.changedUnixSeconds)
        #expect(lab.kept.map(\.state) == [.queued, .offered, .running, .completed])
        #expect(lab.stop("north") == nil && lab.stop("south") == nil && lab.closed.isEmpty)
    }

    @Test("an owner that refuses ends the job with its reason, and the other is told", arguments: [("north", "south"), ("south", "north")])
    func refusal(refuser: String, other: String) throws {
        var lab = try TrialArbiter()
        let job = try lab.submit()
        lab.approve(job, by: [other])
        let reason = Fault(.missingColumn, at: "bank.csv", "a")
        lab.hear(.jobAnswer(.filled { $0.refusal = FaultNote(reason) }), job, from: .party(refuser))
        let record = try lab.record(job)
        #expect(record.state == .failed && record.fault.fault(from: "") == reason && record.faultParty == refuser)
        #expect(lab.stop(other) == reason && lab.stop(refuser) == nil)
        // What crosses with the end is let be.
        lab.approve(job, by: [refuser, other])
        #expect(try lab.record(job).state == .failed && lab.closed.isEmpty)
    }

    @Test("progress is that of the party that is behind, and watchers are told of every change until the end")
    func progress() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let watchers = [TrialArbiter.person("ann", 5), TrialArbiter.person("ida", 6)]
        for watcher in watchers { lab.hear(.watchJob(.init()), job, from: watcher) }
        for watcher in watchers { #expect(lab.take(watcher).count == 1) }
        func told(_ lab: inout TrialArbiter) -> [JobRecord] {
            let told = watchers.map { lab.take($0).compactMap { sent -> JobRecord? in if case .jobRecord(let record) = sent.message { record } else { nil } } }
            #expect(told[0] == told[1])
            return told[0]
        }
        func at(_ phase: Phase, _ round: UInt32 = 0) -> Message { .jobProgress(.filled { $0.phase = phase; $0.round = round; $0.done = 1; $0.total = 2 }) }
        lab.hear(at(.training, 3), job, from: .party("north"))
        lab.hear(at(.alignment), job, from: .party("south"))
        #expect(told(&lab).map(\.progress.phase) == [.training, .alignment])
        lab.hear(at(.training, 4), job, from: .party("north"))
        #expect(told(&lab).isEmpty)
        lab.hear(at(.training, 2), job, from: .party("south"))
        #expect(told(&lab).map(\.progress.round) == [2])
        // One leaves, the other is told to the end.
        lab.step(.lost(watchers[0]))
        lab.hear(.end(), job, from: .party("north"))
        lab.hear(.end(), job, from: .party("south"))
        #expect(lab.take(watchers[0]).isEmpty)
        let states = lab.take(watchers[1]).map { sent -> JobState? in if case .jobRecord(let record) = sent.message { record.state } else { nil } }
        #expect(states == [.completed])
        // Of an ended job there is one word.
        lab.hear(.watchJob(.init()), job, from: watchers[0])
        #expect(lab.take(watchers[0]).count == 1)
    }

    @Test("of two parties that are equally far the bank's words are shown, in every run alike")
    func equallyFar() throws {
        for _ in 0..<32 {
            var lab = try TrialArbiter()
            let job = try lab.running()
            for (name, total) in [("south", UInt64(8)), ("north", 5)] {
                lab.hear(.jobProgress(.filled { $0.phase = .alignment; $0.done = 2; $0.total = total }), job, from: .party(name))
            }
            #expect(try lab.record(job).progress.total == 5)
        }
    }

    // Losses

    @Test("a node lost before or during a job interrupts it as the loss of that node", arguments: ["offered", "running"], ["north", "south"])
    func lost(stage: String, name: String) throws {
        var lab = try TrialArbiter()
        let job = stage == "offered" ? try lab.submit() : try lab.running()
        let other = name == "north" ? "south" : "north"
        _ = lab.take(.party(other))
        lab.step(.lost(.party(name)))
        let record = try lab.record(job)
        #expect(record.state == .interrupted && record.fault.fault(from: "") == Fault(.peerLost, at: name) && record.faultParty == name)
        #expect(lab.stop(other) == Fault(.peerLost, at: name) && lab.stop(name) == nil)
        // And nothing is started with it until it is back.
        lab.hear(.submitJob(.filled { $0.specification = Data(TrialArbiter.specification().utf8) }), from: TrialArbiter.person("ann"))
        #expect(try lab.refusal() == [Fault(.peerUnreachable, at: name, "middle")])
        lab.step(.connected(.party(name)))
        lab.hear(TrialArbiter.registration, from: .party(name))
        #expect(try lab.record(try lab.submit()).state == .offered)
    }

    @Test("a node that connects again has lost its jobs, though nobody saw it go")
    func connectedAgain() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let elsewhere = try lab.submit(TrialArbiter.specification(bank: "east", platform: "west"))
        lab.step(.connected(.party("south")))
        #expect(try lab.record(job).state == .interrupted && lab.stop("north") == Fault(.peerLost, at: "south"))
        #expect(try lab.record(elsewhere).state == .offered)
        // It is not asked for anything before it has registered.
        lab.hear(.submitJob(.filled { $0.specification = Data(TrialArbiter.specification().utf8) }), from: TrialArbiter.person("ann"))
        #expect(try lab.refusal().map(\.code) == [.peerUnreachable])
        lab.hear(TrialArbiter.registration, from: .party("south"))
        #expect(try lab.record(try lab.submit()).state == .offered)
    }

    @Test("a node that has finished its part may go")
    func finishedAndGone() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(), job, from: .party("south"))
        lab.step(.lost(.party("south")))
        #expect(try lab.record(job).state == .running)
        lab.hear(.end(), job, from: .party("north"))
        #expect(try lab.record(job).state == .completed)
    }

    @Test("a loss concerns the jobs of that node alone")
    func othersGoOn() throws {
        var lab = try TrialArbiter()
        let job = try lab.submit(TrialArbiter.specification(bank: "east", platform: "west"))
        lab.step(.lost(.party("north")))
        #expect(try lab.record(job).state == .offered)
        #expect(lab.take(.party("east")).map(\.message.kind) == [.jobOffer])
    }

    // Whose reason counts

    @Test("'the other ended it' waits for the other's own reason", arguments: [Fault.Code.peerLost, .endedByPeer])
    func heldForReason(code: Fault.Code) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(Fault(code, at: "south")), job, from: .party("north"))
        #expect(try lab.record(job).state == .running)
        // The other is told in case it does not know.
        #expect(lab.stop("south") == Fault(code, at: "south"))
        lab.hear(.end(Fault(.singleFeatureDominates, at: "", "61.5")), job, from: .party("south"))
        let record = try lab.record(job)
        #expect(record.state == .failed && record.fault.fault(from: "") == Fault(.singleFeatureDominates, at: "", "61.5") && record.faultParty == "south")
        #expect(lab.stop("north") == nil)
    }

    @Test("'the other ended it' stands where the other has no better reason, or says that it completed")
    func heldForNothing() throws {
        for answer in [Fault(.endedByPeer, at: "north"), nil] {
            var lab = try TrialArbiter()
            let job = try lab.running()
            lab.hear(.end(Fault(.peerLost, at: "south")), job, from: .party("north"))
            lab.hear(.end(answer), job, from: .party("south"))
            let record = try lab.record(job)
            #expect(record.state == .interrupted && record.fault.fault(from: "") == Fault(.peerLost, at: "south"))
        }
    }

    @Test("'the other ended it' becomes the loss of the other's node when that goes too")
    func heldForLoss() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(Fault(.endedByPeer, at: "south")), job, from: .party("north"))
        lab.step(.lost(.party("south")))
        let record = try lab.record(job)
        #expect(record.state == .interrupted && record.fault.fault(from: "") == Fault(.peerLost, at: "south") && record.faultParty == "south")
    }

    @Test("a specific reason ends the job at once")
    func specific() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(Fault(.intersectionTooSmall, at: "", "900", "1000")), job, from: .party("north"))
        let record = try lab.record(job)
        #expect(record.state == .failed && record.faultParty == "north" && lab.stop("south")?.code == .intersectionTooSmall)
        lab.hear(.end(Fault(.endedByPeer, at: "north")), job, from: .party("south"))
        #expect(try lab.record(job) == record)
    }

    @Test("a party that ends twice is heard once")
    func endsTwice() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(), job, from: .party("north"))
        lab.hear(.end(), job, from: .party("north"))
        #expect(try lab.record(job).state == .running || lab.record(job).state == .failed)
        #expect(try lab.record(job).state != .completed)
    }

    // People

    @Test("an analyst cancels an own job; both parties are told, and the job is not cancelled twice", arguments: ["offered", "running"])
    func cancel(stage: String) throws {
        var lab = try TrialArbiter()
        let job = stage == "offered" ? try lab.submit() : try lab.running()
        lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann", 3))
        guard case .jobRecord(let record)? = lab.take(TrialArbiter.person("ann", 3)).last?.message else {
            Issue.record("no answer")
            return
        }
        #expect(record.state == .cancelled && record.fault.fault(from: "").code == .cancelled && record.faultParty == "ann")
        for name in ["north", "south"] { #expect(lab.stop(name)?.code == .cancelled) }
        lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann", 3))
        #expect(lab.take(TrialArbiter.person("ann", 3)).count == 1 && lab.stop("north") == nil)
        #expect(lab.kept.filter { $0.state == .cancelled }.count == 1)
    }

    @Test("only analysts submit, and only the one who submitted cancels", arguments: ["ida", "paul", "ben"])
    func permissions(name: String) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person(name))
        #expect(try lab.refusal(name) == [Fault(.notPermitted, at: "job cancel")])
        #expect(try lab.record(job).state == .running && lab.stop("north") == nil)
        if name != "ben" {
            lab.hear(.submitJob(.filled { $0.specification = Data(TrialArbiter.specification().utf8) }), from: TrialArbiter.person(name))
            #expect(try lab.refusal(name) == [Fault(.notPermitted, at: "job submit")])
            #expect(lab.take(.party("north")).isEmpty)
        }
        // Everyone of the contract may look.
        for question in [Message.showJob(.init()), .watchJob(.init())] {
            lab.hear(question, job, from: TrialArbiter.person(name))
            #expect(lab.take(TrialArbiter.person(name)).map(\.message.kind) == [.jobRecord])
        }
        lab.hear(.listJobs(.init()), from: TrialArbiter.person(name))
        guard case .jobList(let list)? = lab.take(TrialArbiter.person(name)).last?.message else { return }
        #expect(list.jobs.count == 1)
    }

    @Test("someone who is not in the contract is shown the door")
    func stranger() throws {
        var lab = try TrialArbiter()
        let line = TrialArbiter.person("mallory")
        lab.hear(.listJobs(.init()), from: line)
        #expect(lab.take(line).isEmpty && lab.closed[line]?.code == .notPermitted)
    }

    @Test("a job that is not known, whatever is asked about it", arguments: [Message.showJob(.init()), .watchJob(.init()), .cancelJob(.init())])
    func unknown(question: Message) throws {
        var lab = try TrialArbiter()
        let job = try #require(JobIdentifier("00000000000000000000000000000001"))
        lab.hear(question, job, from: TrialArbiter.person("ann"))
        #expect(try lab.refusal() == [Fault(.unknownJob, at: "", "\(job)")])
    }

    @Test("a specification that is none, or that the contract does not allow, with every fault and no offer")
    func badSpecifications() throws {
        var lab = try TrialArbiter()
        for (text, codes) in [
            ("", [Fault.Code.notJSON]), ("{", [.notJSON]), ("[]", [.wrongType]),
            (TrialArbiter.specification(bank: "nobody"), [.unknownParty]), (TrialArbiter.specification(bank: "south"), [.unknownParty]),
            (TrialArbiter.specification(bank: "nobody", platform: "nobody"), [.unknownParty, .unknownParty]),
            (TrialArbiter.specification(rounds: 41), [.valueOutOfRange]),
            (TrialArbiter.specification().replacing("\"name\"", with: "\"nmae\""), [.unknownKey, .missingKey]),
        ] {
            lab.hear(.submitJob(.filled { $0.specification = Data(text.utf8) }), from: TrialArbiter.person("ann"))
            let refusal = try lab.refusal()
            #expect(Set(refusal.map(\.code)) == Set(codes) && refusal.count == codes.count, "\(text)")
        }
        let many = "{" + (0..<100).map { "\"key\($0)\": 1" }.joined(separator: ",") + "}"
        lab.hear(.submitJob(.filled { $0.specification = Data(many.utf8) }), from: TrialArbiter.person("ann"))
        #expect(try lab.refusal().count == 20)
        for name in TrialArbiter.parties { #expect(lab.take(.party(name)).isEmpty) }
        #expect(lab.kept.isEmpty)
    }

    // Limits

    @Test("fifty jobs may be open, thirty of one analyst; the next is told so, and has room when one ends")
    func overload() throws {
        var lab = try TrialArbiter()
        var open: [JobIdentifier] = []
        for name in [String](repeating: "ann", count: 30) + [String](repeating: "ben", count: 20) { open.append(try lab.submit(by: name)) }
        #expect(ArbiterMachine.mostOpenJobsPerAnalyst == 30 && ArbiterMachine.mostOpenJobs == 50 && Set(open).count == 50)
        for name in ["ann", "ben"] {
            lab.hear(.submitJob(.filled { $0.specification = Data(TrialArbiter.specification().utf8) }), from: TrialArbiter.person(name))
            #expect(try lab.refusal(name) == [Fault(.overloaded, at: "middle")])
        }
        lab.hear(.cancelJob(.init()), open[0], from: TrialArbiter.person("ann"))
        _ = lab.take(TrialArbiter.person("ann"))
        #expect(try lab.record(try lab.submit()).state == .queued)
    }

    @Test("ten jobs are with their owners; the others follow in order, but first of the analyst who has fewest there, and none is forgotten")
    func queue() throws {
        var lab = try TrialArbiter()
        let anns = try (0..<30).map { _ in try lab.submit(by: "ann") }
        let bens = try (0..<10).map { _ in try lab.submit(by: "ben") }
        func offered(_ lab: inout TrialArbiter) -> [JobIdentifier] {
            lab.take(.party("north")).filter { $0.message.kind == .jobOffer }.map(\.job)
        }
        #expect(offered(&lab) == Array(anns[..<10]) && lab.machine.openJobs.running == 0)
        #expect(try lab.record(bens[0]).state == .queued)
        var done: [JobIdentifier] = []
        var next = Array(anns[..<10])
        while let job = next.first {
            lab.approve(job)
            for name in ["north", "south"] { lab.hear(.end(), job, from: .party(name)) }
            done.append(job)
            next = next.dropFirst() + offered(&lab)
            #expect(next.count <= ArbiterMachine.mostOfferedJobs)
        }
        #expect(Set(done) == Set(anns + bens) && done.count == 40)
        // Half of what is offered is the second analyst's, until there is no more.
        #expect(Array(done[10..<15]) == Array(bens[..<5]))
        #expect(done.filter(anns.contains) == anns && done.filter(bens.contains) == bens)
    }

    @Test("a job that waits for people takes nobody's place")
    func people() throws {
        var lab = try TrialArbiter()
        let publication = Publication(party: "north", datasets: [:], approval: .manual, machine: nil)
        lab.hear(.nodePublication(.filled { $0.document = Data(publication.json.canonicalText().utf8) }), from: .party("north"))
        for _ in 0..<20 { #expect(try lab.record(try lab.submit()).state == .offered) }
    }

    @Test("five hundred jobs are remembered; the oldest ended one gives way, an open one never")
    func memory() throws {
        var lab = try TrialArbiter()
        let first = try lab.running()
        var second = first
        for number in 0..<ArbiterMachine.mostJobs {
            let job = try lab.submit()
            if number == 0 { second = job }
            lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann"))
            _ = lab.take(TrialArbiter.person("ann"))
        }
        lab.hear(.listJobs(.init()), from: TrialArbiter.person("ann"))
        guard case .jobList(let list)? = lab.take(TrialArbiter.person("ann")).last?.message else {
            Issue.record("no list")
            return
        }
        #expect(list.jobs.count == ArbiterMachine.mostJobs)
        #expect(try lab.record(first).state == .running)
        lab.hear(.showJob(.init()), second, from: TrialArbiter.person("ann"))
        #expect(try lab.refusal().map(\.code) == [.unknownJob])
    }

    @Test("a full list, with the longest of everything, fits into its frame, also where more was kept than is remembered")
    func longestList() throws {
        let longest = String(repeating: "n", count: 64)
        let arguments = [String](repeating: String(repeating: "a", count: 128), count: 8)
        let records = (0..<2 * ArbiterMachine.mostJobs).map { number in
            JobRecord.filled {
                $0.job = (withUnsafeBytes(of: UInt64(number).bigEndian, Array.init) + [UInt8](repeating: 1, count: 8)).data
                $0.name = longest
                $0.kind = "train"
                $0.analyst = longest
                $0.bank = longest
                $0.platform = longest
                $0.state = .failed
                $0.fault = FaultNote(Fault(.missingColumn, at: String(repeating: "p", count: 256), arguments: arguments))
                $0.faultParty = longest
                $0.submittedUnixSeconds = UInt64(number)
                $0.attempt = JobIdentifier.mostAttempts
                $0.changedUnixSeconds = .max
            }
        }
        var lab = try TrialArbiter(records: records)
        lab.hear(.listJobs(.init()), from: TrialArbiter.person("ann"))
        let list = try #require(lab.take(TrialArbiter.person("ann")).last?.message)
        guard case .jobList(let kept) = list else { throw Fault(.defect) }
        #expect(kept.jobs == records.suffix(ArbiterMachine.mostJobs))
        #expect(list.encodePayload().count <= MessageKind.jobList.row.maximumPayloadBytes)
        #expect(try Message.decode(kind: .jobList, payload: list.encodePayload()) == list)
    }

    // Restart

    @Test("what was kept is known after a restart; what was open then was interrupted, and is taken up once both nodes are back")
    func restart() throws {
        var before = try TrialArbiter()
        let done = try before.running()
        for name in ["north", "south"] { before.hear(.end(), done, from: .party(name)) }
        let cancelled = try before.submit()
        before.hear(.cancelJob(.init()), cancelled, from: TrialArbiter.person("ann"))
        for name in ["north", "south"] { _ = before.take(.party(name)) }
        let running = try before.running()
        let offered = try before.submit()
        // The last word on each, as files keep it.
        var files: [Data: [UInt8]] = [:]
        for record in before.kept { files[record.job] = Message.jobRecord(record).encodePayload() }
        let records = try files.values.compactMap { bytes -> JobRecord? in
            guard case .jobRecord(let record) = try Message.decode(kind: .jobRecord, payload: bytes) else { return nil }
            return record
        }
        var after = try TrialArbiter(records: records, specifications: before.specifications)
        #expect(try after.record(done).state == .completed && after.record(cancelled).state == .cancelled)
        for job in [running, offered] {
            let record = try after.record(job)
            #expect(record.state == .interrupted && record.fault.fault(from: "") == Fault(.peerLost, at: "middle") && record.faultParty == "middle")
        }
        after.hear(.listJobs(.init()), from: TrialArbiter.person("ann"))
        guard case .jobList(let list)? = after.take(TrialArbiter.person("ann")).last?.message else { return }
        #expect(list.jobs.map(\.submittedUnixSeconds) == list.jobs.map(\.submittedUnixSeconds).sorted() && list.jobs.count == 4)
        // A party's word on a job that is over is let be.
        after.hear(.end(), running, from: .party("north"))
        #expect(after.closed.isEmpty && after.stop("south") == nil)
        after.tick(seconds: 1)
        after.tick(seconds: 2)
        for job in [running, offered] {
            let (earlier, next) = (try after.record(job), try after.record(job.next))
            #expect(earlier.state == .failed && next.state == .offered && next.attempt == 2)
        }
        #expect(after.take(.party("south")).map(\.job) == [running.next, offered.next])
        #expect(try after.record(try after.submit()).state == .offered)
        // Without what it asked for, nothing can be taken up.
        var poor = try TrialArbiter(records: records)
        #expect(try poor.record(running).state == .failed)
    }
}
