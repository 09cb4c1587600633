import ArbiterRole
import Faults
import Foundation
import Jobs
import Testing
import Wire

@Suite("Wrong messages to the arbiter") struct WrongMessageTests {
    /// One of each that a node may send.
    private static let fromNodes: [Message] = [
        .jobAnswer(.init()), .jobProgress(.init()), .roundShare(.init()), .jobEnd(.init()),
    ]

    @Test("a node that has not registered, or holds another contract or version, is closed")
    func registration() throws {
        for message in Self.fromNodes {
            var lab = try TrialArbiter(registering: [])
            lab.hear(message, from: .party("north"))
            #expect(lab.closed[.party("north")]?.code == .unexpectedMessage && lab.take(.party("north")).isEmpty)
        }
        for (message, code) in [
            (Message.nodeRegister(.filled { $0.version = ProtocolVersion.current; $0.contractDigest = Data(count: 32) }), Fault.Code.contractMismatch),
            (.nodeRegister(.filled { $0.version = ProtocolVersion.current + 1; $0.contractDigest = TrialArbiter.digest.data }), .versionMismatch),
            (.nodeRegister(.filled { $0.contractDigest = TrialArbiter.digest.data }), .versionMismatch),
        ] {
            var lab = try TrialArbiter(registering: ["south"])
            lab.hear(message, from: .party("north"))
            #expect(lab.closed[.party("north")]?.code == code)
            // It is told why, and nothing else: without a word it would take this for a lost line, and dial again.
            let answer = code == .versionMismatch ? Message.nodeRegistered(.filled { $0.version = ProtocolVersion.current })
                : .jobStop(.filled { $0.fault = FaultNote(Fault(.contractMismatch, at: "middle")) })
            #expect(lab.take(.party("north")) == [TrialArbiter.Sent(message: answer, job: .none)])
            lab.hear(.submitJob(.filled { $0.specification = Data(TrialArbiter.specification().utf8) }), from: TrialArbiter.person("ann"))
            #expect(try lab.refusal().map(\.code) == [.peerUnreachable])
        }
    }

    @Test("a node that speaks of a job that is not its own, or not known, is closed, and the job goes on")
    func foreignJob() throws {
        for message in Self.fromNodes {
            var lab = try TrialArbiter()
            let job = try lab.running()
            lab.hear(message, job, from: .party("east"))
            #expect(lab.closed[.party("east")]?.code == .unexpectedMessage)
            #expect(try lab.record(job).state == .running)
            lab.hear(message, JobIdentifier("0123456789abcdef0123456789abcdef") ?? .none, from: .party("west"))
            #expect(lab.closed[.party("west")]?.code == .unexpectedMessage)
        }
    }

    @Test("a message that the job's state does not allow ends that job for its sender's fault, and no other job")
    func wrongState() throws {
        func tried(_ messages: [Message], running: Bool, specification: String = TrialArbiter.specification()) throws {
            var lab = try TrialArbiter()
            let other = try lab.submit(TrialArbiter.specification(bank: "east", platform: "west"))
            let job = running ? try lab.running(specification) : try lab.submit(specification)
            for message in messages { lab.hear(message, job, from: .party("south")) }
            let record = try lab.record(job)
            #expect(record.state == .failed && record.fault.fault(from: "") == Fault(.unexpectedMessage, at: "south"), "\(messages)")
            // Also who sent it is told: it may have approved, and would wait for ever.
            for name in ["north", "south"] { #expect(lab.stop(name)?.code == .unexpectedMessage) }
            #expect(try lab.record(other).state == .offered)
        }
        let score = """
            { "version": 1, "kind": "score", "name": "s", "purpose": { "code": "test", "statement": "A test." },
              "parties": { "bank": "north", "platform": "south" },
              "population": { "id_type": "text", "bank_id": "id", "platform_id": "id" }, "model": "00112233445566778899aabbccddeeff" }
            """
        try tried([.jobProgress(.init())], running: false)
        try tried([.roundShare(.init())], running: false)
        try tried([.jobAnswer(.init()), .jobAnswer(.init())], running: false)
        try tried([.jobAnswer(.init())], running: true)
        try tried([.roundShare(.filled { $0.round = 1 })], running: true, specification: score)
    }

    @Test("a party that sends more of a job than its ledger takes ends that job by its name, and no other; of a foreign job, its own line")
    func tooMuch() throws {
        var lab = try TrialArbiter()
        let other = try lab.submit(TrialArbiter.specification(bank: "east", platform: "west"))
        let job = try lab.running()
        lab.step(.tooMuch(job: job, from: "south"))
        let record = try lab.record(job)
        #expect(record.state == .failed && record.fault.fault(from: "") == Fault(.unexpectedMessage, at: "south") && record.faultParty == "south")
        for name in ["north", "south"] { #expect(lab.stop(name) == Fault(.unexpectedMessage, at: "south")) }
        // All that comes after the end changes nothing.
        #expect(lab.step(.tooMuch(job: job, from: "south")).isEmpty && lab.closed.isEmpty)
        lab.step(.tooMuch(job: other, from: "south"))
        #expect(lab.closed == [.party("south"): Fault(.unexpectedMessage, at: "south")])
        #expect(try lab.record(other).state == .offered)
    }

    @Test("a kind that is not for the arbiter, from a node or a person")
    func wrongKinds() throws {
        let other: [Message] = [.verdict(.init()), .jobStart(.init()), .hello(.init()), .jobRecord(.init()), .refusal(.init()), .roundRows(.init())]
        for message in other {
            var lab = try TrialArbiter()
            let job = try lab.running()
            lab.hear(message, job, from: .party("north"))
            #expect(try lab.record(job).fault.fault(from: "").code == .unexpectedMessage)
            lab.hear(message, from: .party("east"))
            #expect(lab.closed[.party("east")]?.code == .unexpectedMessage)
        }
        for message in other + Self.fromNodes + [TrialArbiter.registration] {
            var lab = try TrialArbiter()
            lab.hear(message, from: TrialArbiter.person("ann"))
            #expect(lab.closed[TrialArbiter.person("ann")]?.code == .unexpectedMessage)
        }
        for message in [Message.submitJob(.init()), .listJobs(.init()), .showJob(.init()), .watchJob(.init()), .cancelJob(.init())] {
            var lab = try TrialArbiter()
            let job = try lab.running()
            lab.hear(message, job, from: .party("north"))
            #expect(try lab.record(job).state == .failed && lab.take(.party("north")).map(\.message.kind) == [.jobStop])
        }
    }
}
