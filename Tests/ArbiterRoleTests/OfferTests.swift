import ArbiterRole
import Faults
import Foundation
import Jobs
import Testing
import Wire

@Suite("What the arbiter offers, and whom it asks first") struct OfferTests {
    private static func publish(_ lab: inout TrialArbiter, _ approval: NodeConfiguration.Approval, by names: String...) {
        for name in names {
            let publication = Publication(party: name, datasets: [:], approval: approval, machine: nil)
            lab.hear(.nodePublication(.filled { $0.document = Data(publication.json.canonicalText().utf8) }), from: .party(name))
        }
    }

    private static func offers(_ lab: inout TrialArbiter, to name: String) -> [JobIdentifier] {
        lab.take(.party(name)).filter { $0.message.kind == .jobOffer }.map(\.job)
    }

    // One side decides by a person, the other by itself

    @Test("a party that approves by itself is asked once the person at the other has approved; the job runs when both have",
          arguments: [("north", "south"), ("south", "north")])
    func personFirst(person: String, other: String) throws {
        var lab = try TrialArbiter()
        Self.publish(&lab, .manual, by: person)
        Self.publish(&lab, .automatic, by: other)
        let job = try lab.submit()
        #expect(lab.take(.party(person)).map(\.message.kind) == [.peerPublication, .jobOffer] && lab.take(.party(other)).isEmpty)
        #expect(try lab.record(job).awaited == person && lab.record(job).state == .offered)
        lab.approve(job, by: [person])
        #expect(lab.take(.party(other)).map(\.message.kind) == [.peerPublication, .jobOffer] && lab.take(.party(person)).isEmpty)
        #expect(try lab.record(job).awaited == other && lab.record(job).state == .offered)
        lab.approve(job, by: [other])
        #expect(try lab.record(job).awaited.isEmpty && lab.record(job).state == .running)
        for name in [person, other] { #expect(lab.take(.party(name)).map(\.message.kind) == [.jobStart]) }
    }

    @Test("of jobs that people have approved at one side, ten are with the other that approves by itself; the others follow in order")
    func tenAtOnce() throws {
        var lab = try TrialArbiter()
        Self.publish(&lab, .manual, by: "north")
        Self.publish(&lab, .automatic, by: "south")
        let jobs = try (0..<25).map { _ in try lab.submit() }
        #expect(Self.offers(&lab, to: "north") == jobs && Self.offers(&lab, to: "south").isEmpty)
        for job in jobs { lab.approve(job, by: ["north"]) }
        var open = Self.offers(&lab, to: "south")
        #expect(open == Array(jobs[..<10]))
        let waiting = try lab.record(jobs[10])
        #expect(waiting.state == .queued && waiting.bankApproved && !waiting.platformApproved && waiting.awaited.isEmpty)
        var done: [JobIdentifier] = []
        while let job = open.first {
            lab.approve(job, by: ["south"])
            for name in ["north", "south"] { lab.hear(.end(), job, from: .party(name)) }
            #expect(try lab.record(job).state == .completed)
            done.append(job)
            open = open.dropFirst() + Self.offers(&lab, to: "south")
            #expect(open.count <= ArbiterMachine.mostOfferedJobs)
        }
        #expect(done == jobs)
    }

    @Test("where people decide at both sides both are asked at once, and their jobs take nobody's place")
    func peopleAtBoth() throws {
        var lab = try TrialArbiter()
        Self.publish(&lab, .manual, by: "north", "south")
        let jobs = try (0..<20).map { _ in try lab.submit() }
        for name in ["north", "south"] { #expect(Self.offers(&lab, to: name) == jobs) }
        for job in jobs { lab.approve(job, by: ["north"]) }
        #expect(try lab.record(jobs[19]).state == .offered)
        lab.approve(jobs[19], by: ["south"])
        #expect(try lab.record(jobs[19]).state == .running)
    }

    @Test("a job that ends before its second party was asked is not told to that party", arguments: ["cancelled", "refused", "lost", "ended"])
    func endsBefore(how: String) throws {
        var lab = try TrialArbiter()
        Self.publish(&lab, .manual, by: "north")
        let job = try lab.submit()
        switch how {
        case "cancelled": lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann"))
        case "refused": lab.hear(.jobAnswer(.filled { $0.refusal = FaultNote(Fault(.refusedByApprover, at: "north", "no")) }), job, from: .party("north"))
        case "lost": lab.step(.lost(.party("north")))
        default: lab.hear(.end(Fault(.cancelled, at: "north")), job, from: .party("north"))
        }
        #expect(try ![.offered, .queued, .running].contains(lab.record(job).state))
        #expect(lab.take(.party("south")).isEmpty)
    }

    @Test("a party that speaks of a job before it was asked ends the job as its own fault")
    func speaksEarly() throws {
        var lab = try TrialArbiter()
        Self.publish(&lab, .manual, by: "north")
        let job = try lab.submit()
        lab.approve(job, by: ["south"])
        #expect(try lab.record(job).fault.fault(from: "") == Fault(.unexpectedMessage, at: "south"))
        #expect(lab.stop("north")?.code == .unexpectedMessage)
    }

    @Test("a job that a person approved and that waits for a place can be cancelled, refused and interrupted")
    func endsInBetween() throws {
        for how in ["cancelled", "ended", "lost"] {
            var lab = try TrialArbiter()
            Self.publish(&lab, .manual, by: "north")
            let jobs = try (0..<11).map { _ in try lab.submit() }
            for job in jobs { lab.approve(job, by: ["north"]) }
            let job = jobs[10]
            #expect(try lab.record(job).state == .queued)
            for name in ["north", "south"] { _ = lab.take(.party(name)) }
            switch how {
            case "cancelled": lab.hear(.cancelJob(.init()), job, from: TrialArbiter.person("ann"))
            case "ended": lab.hear(.end(Fault(.dataChanged, at: "bank.csv")), job, from: .party("north"))
            default: lab.step(.lost(.party("south")))
            }
            let state = try lab.record(job).state
            #expect(state == (how == "cancelled" ? .cancelled : how == "ended" ? .failed : .interrupted))
            #expect(lab.take(.party("south")).allSatisfy { $0.job != job })
            #expect((lab.stop("north") == nil) == (how == "ended"))
        }
    }

    // What fits

    /// A specification of `platform` features that fill 2 KB each in canonical form, and `further` bytes.
    private static func specification(platform: Int, further: Int) -> String {
        let fields = [String](repeating: "\"JN-14/is_national_high_tech\"", count: 50).joined(separator: ",")
        let wide = String(repeating: "\u{20000}", count: 124)
        let features = (0..<platform).map { "{\"column\":\"\(1000 + $0)\(wide)\",\"derive\":{\"count_true\":[\(fields)]}}" }
        let columns = (0..<100).map { number in "\"\(1000 + number)\(String(repeating: "x", count: min(120, max(0, further - 120 * number))))\"" }
        return """
            {"version":1,"name":"wide","purpose":{"code":"test","statement":"A test."},"parties":{"bank":"north","platform":"south"},\
            "population":{"id_type":"text","bank_id":"id","platform_id":"id"},"label":{"column":"y"},\
            "features":{"bank":[\(columns.joined(separator: ","))],"platform":[\(features.joined(separator: ","))]}}
            """
    }

    @Test("a specification whose canonical form is longer than its offer may be is refused, however short it came; the longest is offered")
    func canonicalForm() throws {
        func canonical(_ platform: Int) throws -> Int {
            try JobSpecification.parse(Array(Self.specification(platform: platform, further: 0).utf8)).canonicalJSON().utf8.count
        }
        let (one, two) = (try canonical(1), try canonical(2))
        let room = JobSpecification.maximumCanonicalBytes - one
        let count = 1 + room / (two - one)
        let rest = room % (two - one)
        var lab = try TrialArbiter()
        let longest = try lab.submit(Self.specification(platform: count, further: rest))
        for name in ["north", "south"] {
            let offer = try #require(lab.take(.party(name)).last)
            guard case .jobOffer(let body) = offer.message else { throw Fault(.defect) }
            #expect(offer.job == longest && body.specification.count == JobSpecification.maximumCanonicalBytes)
            #expect(offer.message.encodePayload().count <= MessageKind.jobOffer.row.maximumPayloadBytes)
        }
        for more in [1, 128, 129, 4000] {
            let text = Self.specification(platform: count, further: rest + more)
            #expect(text.utf8.count < 1 << 20)
            lab.hear(.submitJob(.filled { $0.specification = Data(text.utf8) }), from: TrialArbiter.person("ann"))
            let faults = try lab.refusal()
            #expect(faults.map(\.code) == [.wrongType] && faults.first?.place == "specification", "\(more): \(faults)")
        }
        for name in ["north", "south"] { #expect(lab.take(.party(name)).isEmpty) }
        // Nobody's queue has stopped.
        #expect(try lab.record(try lab.submit()).state == .offered)
    }

    @Test("a publication whose canonical form is longer than it may be ends its sender's line, and nothing of it is sent on")
    func longPublication() throws {
        /// Of so many bytes, without `approve`.
        func document(_ bytes: Int) -> String {
            func text(_ last: Int) -> String {
                let columns = (0..<6800).map { number in
                    "{\"name\":\"\(1000 + number)\(String(repeating: "x", count: number < 6700 ? 123 : max(0, min(123, last - 123 * (number - 6700)))))\",\"type\":\"number\"}"
                }
                return "{\"datasets\":{\"main\":{\"columns\":[\(columns.joined(separator: ","))],\"rows\":1}},\"party\":\"north\",\"version\":1}"
            }
            return text(bytes - text(0).utf8.count)
        }
        for (bytes, isTaken) in [(Publication.maximumBytes - 100, true), (Publication.maximumBytes, false), ((1 << 20) - 8, false)] {
            var lab = try TrialArbiter()
            let text = document(bytes)
            let message = Message.nodePublication(.filled { $0.document = Data(text.utf8) })
            #expect(text.utf8.count == bytes && message.encodePayload().count <= MessageKind.nodePublication.row.maximumPayloadBytes)
            lab.hear(message, from: .party("north"))
            #expect((lab.closed[.party("north")] == nil) == isTaken, "\(bytes)")
            _ = try lab.submit()
            let sent = lab.take(.party("south"))
            #expect(sent.map(\.message.kind) == (isTaken ? [.peerPublication, .jobOffer] : [.jobOffer]))
            #expect(sent.allSatisfy { $0.message.encodePayload().count <= $0.message.kind.row.maximumPayloadBytes })
        }
    }

    // What was kept

    @Test("a record of an attempt that no arbiter makes is let be", arguments: [UInt32(0), 6, .max])
    func attempts(number: UInt32) throws {
        let records = try ["00000000000000000000000000000001", "00000000000000000000000000000002"].map { text in
            let job = try #require(JobIdentifier(text))
            return JobRecord.filled {
                $0.job = job.octets.data
                ($0.name, $0.kind, $0.analyst, $0.bank, $0.platform) = ("trial", "train", "ann", "north", "south")
                ($0.state, $0.attempt) = (.failed, number)
            }
        }
        var lab = try TrialArbiter(records: records)
        for question in [Message.showJob(.init()), .watchJob(.init()), .cancelJob(.init())] {
            lab.hear(question, try #require(JobIdentifier("00000000000000000000000000000001")), from: TrialArbiter.person("ann"))
            #expect(try lab.refusal().map(\.code) == [.unknownJob])
        }
    }

    // Whom an interrupted job waits for

    @Test("an interrupted job names the party that has to come back, and since when it is waited for")
    func awaitedBack() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        let watcher = TrialArbiter.person("ida", 6)
        lab.hear(.watchJob(.init()), job, from: watcher)
        lab.step(.lost(.party("north")))
        let lost = lab.now
        lab.step(.lost(.party("south")))
        #expect(try lab.record(job).awaited == "north" && lab.record(job).awaitedSinceUnixSeconds == lost)
        lab.comesBack("north")
        lab.step(.tick)
        #expect(try lab.record(job).awaited == "south" && lab.record(job).awaitedSinceUnixSeconds == lost)
        let told = lab.take(watcher).compactMap { sent -> String? in if case .jobRecord(let record) = sent.message { record.awaited } else { nil } }
        #expect(told == ["", "north", "south"])
        lab.tick(seconds: 601)
        #expect(try lab.record(job).state == .failed && lab.record(job).awaited.isEmpty)
    }
}
