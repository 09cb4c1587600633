import ArbiterRole
import Faults
import Jobs
import Testing
import Wire

@Suite("Interrupted jobs at the arbiter") struct InterruptionTests {
    @Test("the next attempt is the next job, offered to both once the lost node is back and a pause is over; who watches follows it")
    func takenUp() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let watcher = TrialArbiter.person("ida", 6)
        lab.hear(.watchJob(.init()), job, from: watcher)
        lab.step(.lost(.party("south")))
        lab.tick(seconds: 5)
        #expect(try lab.record(job).state == .interrupted)
        lab.comesBack("south")
        _ = lab.take(.party("north"))
        lab.step(.tick)
        #expect(try lab.record(job).state == .failed)
        let next = try lab.record(job.next)
        #expect(next.state == .offered && next.attempt == 2 && next.name == "trial" && next.analyst == "ann" && !next.bankApproved)
        #expect(lab.machine.attempt(of: job.next) == 2 && lab.machine.attempt(of: job) == 1)
        for name in ["north", "south"] { #expect(lab.take(.party(name)).filter { $0.message.kind == .jobOffer }.map(\.job) == [job.next]) }
        let told = lab.take(watcher).compactMap { sent -> JobRecord? in if case .jobRecord(let record) = sent.message { record } else { nil } }
        #expect(told.map(\.state) == [.running, .interrupted, .offered] && JobIdentifier(octets: told[2].job.octets) == job.next)

        // Whoever asks for the earlier one later is shown what it has become, and may cancel that.
        lab.approve(job.next)
        lab.hear(.watchJob(.init()), job, from: watcher)
        guard case .jobRecord(let shown)? = lab.take(watcher).last?.message else { throw Missing() }
        #expect(JobIdentifier(octets: shown.job.octets) == job.next && shown.state == .running)
        for name in ["north", "south"] { lab.hear(.end(), job.next, from: .party(name)) }
        #expect(try lab.record(job.next).state == .completed)
        lab.tick(seconds: 100)
        #expect(try lab.record(job.next).state == .completed && lab.record(job).state == .failed)
    }

    private struct Missing: Error {}

    @Test("a node that is not back within the deadline is lost for good, and whoever watches is told")
    func deadline() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let watcher = TrialArbiter.person("ann", 6)
        lab.hear(.watchJob(.init()), job, from: watcher)
        lab.step(.lost(.party("north")))
        lab.tick(seconds: 599)
        #expect(try lab.record(job).state == .interrupted)
        lab.tick(seconds: 3)
        let record = try lab.record(job)
        #expect(record.state == .failed && record.fault.fault(from: "") == Fault(.peerLost, at: "north"))
        #expect(lab.take(watcher).count == 3)
        lab.comesBack("north")
        lab.tick(seconds: 10)
        #expect(lab.take(.party("north")).isEmpty)
    }

    @Test("a line that is lost again and again ends the fifth attempt for good, each after a longer pause")
    func attempts() throws {
        var lab = try TrialArbiter()
        var job = try lab.running()
        for attempt in 1...4 as ClosedRange<UInt64> {
            lab.hear(.end(Fault(.peerLost, at: "south")), job, from: .party("north"))
            lab.hear(.end(Fault(.peerLost, at: "north")), job, from: .party("south"))
            lab.tick(seconds: (1 << attempt) - 1)
            #expect(try lab.record(job).state == .interrupted, "\(attempt)")
            lab.tick(seconds: 1)
            #expect(try lab.record(job).state == .failed && lab.record(job.next).attempt == UInt32(attempt) + 1)
            job = job.next
            lab.approve(job)
        }
        lab.hear(.end(Fault(.peerLost, at: "south")), job, from: .party("north"))
        lab.hear(.end(Fault(.peerLost, at: "north")), job, from: .party("south"))
        #expect(try lab.record(job).state == .failed)
        lab.tick(seconds: 100)
        #expect(lab.specifications.count == 5)
    }

    @Test("whatever would happen again ends a job for good", arguments: [
        Fault(.cryptographicCheck, at: "south"), Fault(.deadlinePassed, at: "south", "600"), Fault(.ledgersDiffer, at: "south"),
        Fault(.intersectionTooSmall, at: "", "1", "2"), Fault(.malformedMessage, at: "south"), Fault(.unwritable, at: "ledger"),
    ])
    func forGood(fault: Fault) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(fault), job, from: .party("north"))
        #expect(try lab.record(job).state == .failed)
        lab.tick(seconds: 100)
        #expect(lab.specifications.count == 1)
    }

    @Test("of a party that cannot be reached, the loss of its line interrupts the job, though it is seen later; its own word ends it for good",
          arguments: [true, false])
    func unreachable(isLost: Bool) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(Fault(.peerUnreachable, at: "south", "")), job, from: .party("north"))
        #expect(lab.stop("south")?.code == .peerUnreachable)
        if isLost { lab.step(.lost(.party("south"))) } else { lab.hear(.end(Fault(.peerUnreachable, at: "south", "")), job, from: .party("south")) }
        #expect(try lab.record(job).state == (isLost ? .interrupted : .failed))
        #expect(try lab.record(job).fault.fault(from: "").code == (isLost ? .peerLost : .peerUnreachable))
    }

    @Test("an interrupted job can be cancelled, counts as open, and hears no more of its parties")
    func cancelled() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.step(.lost(.party("south")))
        lab.hear(.end(), job, from: .party("north"))
        #expect(try lab.record(job).state == .interrupted && lab.machine.openJobs == (waiting: 1, running: 0))
        lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann"))
        #expect(try lab.record(job).state == .cancelled)
        lab.comesBack("south")
        lab.tick(seconds: 100)
        #expect(lab.specifications.count == 1)
    }

    @Test("a party that does not say how it ended, though the other has and its line is there, ends the job at the deadline by its name",
          arguments: [nil, Fault(.peerLost, at: "south")])
    func silentAtTheEnd(told: Fault?) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.hear(.end(told), job, from: .party("north"))
        lab.tick(seconds: 600)
        #expect(try lab.record(job).state == .running)
        // A clock that is set back prolongs nothing.
        lab.now -= 300
        lab.step(.tick)
        lab.tick(seconds: 602)
        let record = try lab.record(job)
        #expect(record.state == .failed && record.fault.fault(from: "") == Fault(.deadlinePassed, at: "south", "600"))
        #expect(lab.stop("south")?.code == .deadlinePassed && lab.take(.party("north")).isEmpty)
    }

    @Test("a clock that is set back does not prolong an interruption")
    func clockSetBack() throws {
        var lab = try TrialArbiter()
        lab.now = 1_000_000
        let job = try lab.running()
        lab.step(.lost(.party("south")))
        lab.now = 1000
        lab.step(.tick)
        lab.comesBack("south")
        lab.tick(seconds: 5)
        #expect(try lab.record(job.next).state == .offered)
    }

    @Test("wherever the arbiter dies while it takes a job up again, the job goes on, and once")
    func deathWhileTakingUp() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        lab.step(.lost(.party("south")))
        lab.comesBack("south")
        lab.now += 5
        let before = lab.kept
        let specifications = lab.specifications
        let effects = lab.step(.tick)
        for count in 0...effects.count {
            var records: [JobIdentifier: JobRecord] = [:]
            var specifications = specifications
            for record in before { records[try #require(JobIdentifier(octets: record.job.octets))] = record }
            for effect in effects.prefix(count) {
                if case .keep(let record) = effect { records[try #require(JobIdentifier(octets: record.job.octets))] = record }
                if case .keepSpecification(let bytes, let id) = effect { specifications[id] = bytes }
            }
            var restarted = try TrialArbiter(records: Array(records.values), specifications: specifications)
            restarted.now = 2000
            for _ in 0..<3 { restarted.tick(seconds: 20) }
            restarted.hear(.listJobs(.init()), from: TrialArbiter.person("ida"))
            guard case .jobList(let list)? = restarted.take(TrialArbiter.person("ida")).last?.message else { throw Missing() }
            #expect(list.jobs.filter { $0.state == .offered }.count == 1, "\(count) effects")
            #expect(!list.jobs.contains { $0.state == .interrupted || $0.state == .queued }, "\(count) effects")
        }
        #expect(effects.count > 2 && lab.machine.attempt(of: job.next) == 2)
    }

    @Test("a job that was open when the arbiter went is kept as what its return made it, once")
    func keptAtStart() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let record = try #require(lab.kept.last)
        // Its last attempt, or of one whose specification was lost, nothing more follows.
        for (isKnown, state) in [(true, JobState.interrupted), (false, .failed)] {
            var restarted = try TrialArbiter(records: [record], specifications: isKnown ? lab.specifications : [:], registering: [])
            restarted.step(.tick)
            #expect(restarted.kept.map(\.state) == [state] && restarted.kept.map(\.job) == [job.octets.data])
            restarted.step(.tick)
            #expect(restarted.kept.count == 1)
        }
    }

    @Test("a lost line that one side tells of interrupts the job, though the other side heard only of an end", arguments: [false, true])
    func lossBeforeEnd(lossFirst: Bool) throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let told = [("north", Fault(.endedByPeer, at: "south")), ("south", Fault(.peerLost, at: "north"))]
        for (name, fault) in lossFirst ? told.reversed() : told { lab.hear(.end(fault), job, from: .party(name)) }
        let record = try lab.record(job)
        #expect(record.state == .interrupted && record.fault.fault(from: "").code == .peerLost)
    }
}
