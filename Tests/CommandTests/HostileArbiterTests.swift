import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Primitives
import Roles
import Synchronization
import Testing
import Transport
import Wire

/// Waits for the start of a job, which never comes.
private struct IdleMachine: RoleMachine {
    var listening: Set<LineEnd> { [.peer] }
    var phase: Phase { .opening }
    var wantsToProceed: Bool { false }
    var subjects: IdentifierList { IdentifierList(["a"]) }

    mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] { [] }
    func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] { [] }
}

/// An arbiter of the test's that tells a node what no arbiter would, or at a moment of the test's choosing.
private struct HostileArbiter: Sendable {
    private let state: String
    private let specification: Data
    private let listener: Listener
    private let line: Line
    private let answers: Answers

    private final class Answers: Sendable {
        private let byJob = Mutex<[JobIdentifier: [JobAnswer]]>([:])
        private let ends = Mutex<[JobIdentifier: JobEnd]>([:])
        func note(_ answer: JobAnswer, _ job: JobIdentifier) { byJob.withLock { $0[job, default: []].append(answer) } }
        func note(_ end: JobEnd, _ job: JobIdentifier) { ends.withLock { $0[job] = end } }
        func of(_ job: JobIdentifier) -> [JobAnswer] { byJob.withLock { $0[job] ?? [] } }
        func end(of job: JobIdentifier) -> JobEnd? { ends.withLock { $0[job] } }
    }

    /// Returns once the node has registered.
    init(_ lab: TrialLab, of role: Role = .bank) async throws {
        let name = role.rawValue
        state = lab.path("\(name)/state")
        specification = Data(try String(contentsOfFile: lab.specification(), encoding: .utf8).utf8)
        let contract = try Amendment(lab.path("\(name)/contract.json")).contract
        let answers = Answers()
        self.answers = answers
        let (lines, arrived) = AsyncStream<Line>.makeStream()
        listener = try await Transport.listen(
            at: try #require(contract.arbiter.address).description, identity: try LineEnds.identity(lab, "arbiter"),
            peer: { contract.party(withHexadecimalPin: $0)?.name }, maximumConnections: 4
        ) { await Self.hear(Line($0, ownRole: .arbiter, peerRole: role, peerName: name, ledgers: nil), answers, arrived) }
        line = try #require(await lines.first { _ in true })
    }

    private static func hear(_ line: Line, _ answers: Answers, _ arrived: AsyncStream<Line>.Continuation) async {
        while let received = try? await line.receive() {
            switch received.message {
            case .nodeRegister:
                try? await line.send(.nodeRegistered(.filled { $0.version = ProtocolVersion.current }), phase: .waiting, job: .none, attempt: 0)
                arrived.yield(line)
            case .jobAnswer(let answer): answers.note(answer, received.job)
            case .jobEnd(let end): answers.note(end, received.job)
            default: break
            }
        }
    }

    func job(_ number: Int) throws -> JobIdentifier { try #require(JobIdentifier(octets: [UInt8](repeating: UInt8(number), count: 16))) }

    func offer(_ number: Int) async throws {
        try await line.send(.jobOffer(.filled { $0.specification = specification }), phase: .waiting, job: try job(number), attempt: 1)
    }

    func start(_ number: Int) async throws {
        let digest = Data(SHA256.hash(specification.octets))
        try await line.send(.jobStart(.filled { $0.specificationDigest = digest }), phase: .waiting, job: try job(number), attempt: 1)
    }

    func stop(_ number: Int, _ fault: Fault = Fault(.cancelled)) async throws {
        try await line.send(.jobStop(.filled { $0.fault = FaultNote(fault) }), phase: .waiting, job: try job(number), attempt: 1)
    }

    /// As the node's operator.
    func approve(_ number: Int) throws {
        _ = try ControlSocket.ask(.approve(try job(number), proof: nil), dataDirectory: state)
    }

    /// States of the node's jobs, by their number.
    func listed() throws -> [String: String] {
        let jobs = try ControlSocket.ask(.jobs, dataDirectory: state)["jobs"]?.list ?? []
        return Dictionary(jobs.map { ($0["job"]?.string ?? "", $0["state"]?.string ?? "") }) { $1 }
    }

    func state(_ number: Int) throws -> String? { try listed()["\(try job(number))"] }

    /// What the node has answered to offers of a job: nothing, or a refusal's code.
    func answered(_ number: Int) throws -> [UInt32?] { answers.of(try job(number)).map { $0.hasRefusal ? $0.refusal.code : nil } }

    func end(of number: Int) throws -> JobEnd? { answers.end(of: try job(number)) }

    func end() async {
        await line.close()
        await listener.close()
    }
}

@Suite("Hostile arbiter") struct HostileArbiterTests {
    @Test("a job that is offered again is left alone while it waits, is open or has ended; beyond sixty at once offers are refused")
    func offers() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        let nodes = try InProcessNodes(lab, of: [.bank]) { _ in IdleMachine() }
        defer { nodes.cancel() }
        let arbiter = try await HostileArbiter(lab)
        try await whileItWaits(arbiter)
        try await openAndEnded(arbiter)
        let entries = try lab.text("bank/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.count { $0.contains("job.refused") } == 1)
        await arbiter.end()
    }

    private func whileItWaits(_ arbiter: HostileArbiter) async throws {
        try await arbiter.offer(1)
        #expect(try await eventually { try arbiter.state(1) == "waiting" })
        try await arbiter.offer(1)
        // Whatever the second has done shows once a third has been heard.
        for number in 2...61 { try await arbiter.offer(number) }
        #expect(try await eventually { try !arbiter.answered(61).isEmpty })
        #expect(try arbiter.answered(61) == [UInt32(Fault.Code.overloaded.rawValue)])
        #expect(try await eventually { try arbiter.listed().count == 60 })
        try arbiter.approve(1)
        #expect(try await eventually { try !arbiter.answered(1).isEmpty })
        #expect(try arbiter.answered(1) == [nil])
    }

    private func openAndEnded(_ arbiter: HostileArbiter) async throws {
        try await arbiter.offer(1)
        try await arbiter.stop(1)
        try await arbiter.offer(1)
        try await arbiter.offer(62)
        #expect(try await eventually { try arbiter.state(62) == "waiting" })
        try arbiter.approve(62)
        #expect(try await eventually { try !arbiter.answered(62).isEmpty })
        #expect(try arbiter.answered(62) == [nil])
        #expect(try arbiter.answered(1) == [nil])
        #expect(try arbiter.state(1) == nil)
    }

    @Test("a node to which the arbiter says more of a job than its ledger takes ends that job by name, records no more of it, and goes on")
    func flood() async throws {
        let lab = try await TrialLab()
        let nodes = try InProcessNodes(lab, of: [.platform], mostRecords: 20) { _ in IdleMachine() }
        defer { nodes.cancel() }
        let arbiter = try await HostileArbiter(lab, of: .platform)
        try await arbiter.offer(1)
        #expect(try await eventually { try arbiter.answered(1) == [nil] })
        // The offer is one more.
        for _ in 1...19 { try await arbiter.start(1) }
        try await arbiter.offer(2)
        #expect(try await eventually { try arbiter.answered(2) == [nil] })
        #expect(try arbiter.end(of: 1) == nil)
        for _ in 1...100 { try await arbiter.start(1) }
        #expect(try await eventually { try arbiter.end(of: 1) != nil })
        #expect(try arbiter.end(of: 1)?.fault.fault(from: "platform") == Fault(.unexpectedMessage, at: "arbiter"))
        // All of it has been heard once this is answered.
        try await arbiter.offer(3)
        #expect(try await eventually { try arbiter.answered(3) == [nil] })
        let records = lab.path("platform/state/ledger/\(try arbiter.job(1))/arbiter.received.records")
        #expect(FileManager.default.contents(atPath: records)?.count == 20 * FrameRecord.byteCount)
        #expect(try arbiter.state(2) == "approved")
        await arbiter.end()
    }

    @Test("a node that an arbiter does not register closes its connection, and dials again")
    func unregistered() async throws {
        let lab = try await TrialLab()
        let contract = try Amendment(lab.path("bank/contract.json")).contract
        let (ends, ended) = AsyncStream<Bool>.makeStream()
        let listener = try await Transport.listen(
            at: try #require(contract.arbiter.address).description, identity: try LineEnds.identity(lab, "arbiter"),
            peer: { contract.party(withHexadecimalPin: $0)?.name }, maximumConnections: 4
        ) { connection in
            let line = Line(connection, ownRole: .arbiter, peerRole: .bank, peerName: "bank", ledgers: nil)
            _ = try? await line.receive()
            let refusal = Message.jobStop(.filled { $0.fault = FaultNote(Fault(.overloaded, at: "arbiter")) })
            try? await line.send(refusal, phase: .waiting, job: .none, attempt: 1)
            let alarm = Task {
                try await Task.sleep(for: .seconds(10))
                ended.yield(false)
            }
            // Nothing comes but the end.
            _ = try? await line.receive()
            ended.yield(true)
            alarm.cancel()
        }
        let nodes = try InProcessNodes(lab, of: [.bank]) { _ in IdleMachine() }
        var seen: [Bool] = []
        for await end in ends {
            seen.append(end)
            if seen.count == 2 || !end { break }
        }
        #expect(seen == [true, true])
        nodes.cancel()
        await listener.close()
    }

    @Test("a node of which the arbiter hears that its peer has lost it says how its part ended: that word is waited for")
    func lostByThePeer() async throws {
        let lab = try await TrialLab()
        // Waits for the bank to dial.
        let nodes = try InProcessNodes(lab, of: [.platform]) { _ in IdleMachine() }
        defer { nodes.cancel() }
        let arbiter = try await HostileArbiter(lab, of: .platform)
        try await arbiter.offer(1)
        #expect(try await eventually { try arbiter.answered(1) == [nil] })
        try await arbiter.start(1)
        try await arbiter.stop(1, Fault(.peerLost, at: "platform"))
        #expect(try await eventually { try arbiter.end(of: 1) != nil })
        #expect(try arbiter.end(of: 1)?.fault.code == UInt32(Fault.Code.peerLost.rawValue))
        await arbiter.end()
    }
}
