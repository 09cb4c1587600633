import Faults
import Foundation
import Installation
import Jobs
import NodeRuntime
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

/// An arbiter of the test's that offers what no arbiter would.
@Suite("Hostile arbiter") struct HostileArbiterTests {
    private func job(_ number: Int) throws -> JobIdentifier { try #require(JobIdentifier(octets: [UInt8](repeating: UInt8(number), count: 16))) }

    @Test("a job that is offered again is left alone while it waits, is open or has ended; beyond sixty at once offers are refused")
    func offers() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["approve"] = "manual" }
        let contract = try Amendment(lab.path("bank/contract.json")).contract
        let answers = Mutex<[JobIdentifier: [JobAnswer]]>([:])
        let (lines, arrived) = AsyncStream<Line>.makeStream()
        let listener = try await Transport.listen(
            at: try #require(contract.arbiter.address).description, identity: try LineEnds.identity(lab, "arbiter"),
            peer: { contract.party(withHexadecimalPin: $0)?.name }, maximumConnections: 4
        ) { connection in
            let line = Line(connection, ownRole: .arbiter, peerRole: .bank, peerName: "bank", ledgers: nil)
            while let received = try? await line.receive() {
                switch received.message {
                case .nodeRegister:
                    try? await line.send(.nodeRegistered(.filled { $0.version = ProtocolVersion.current }), phase: .waiting, job: .none, attempt: 0)
                    arrived.yield(line)
                case .jobAnswer(let answer):
                    answers.withLock { $0[received.job, default: []].append(answer) }
                default: break
                }
            }
        }
        let nodes = try InProcessNodes(lab, of: [.bank]) { _ in IdleMachine() }
        defer { nodes.cancel() }
        let line = try #require(await lines.first { _ in true })
        let specification = Data(try String(contentsOfFile: lab.specification(), encoding: .utf8).utf8)
        func offer(_ number: Int) async throws {
            try await line.send(.jobOffer(.filled { $0.specification = specification }), phase: .waiting, job: try job(number), attempt: 1)
        }
        func approve(_ number: Int) throws {
            _ = try ControlSocket.ask(.approve(try job(number), proof: nil), dataDirectory: lab.path("bank/state"))
        }
        func listed() throws -> [String: String] {
            let jobs = try ControlSocket.ask(.jobs, dataDirectory: lab.path("bank/state"))["jobs"]?.list ?? []
            return Dictionary(jobs.map { ($0["job"]?.string ?? "", $0["state"]?.string ?? "") }) { $1 }
        }
        func answered(_ number: Int) throws -> [JobAnswer] {
            let job = try job(number)
            return answers.withLock { $0[job] ?? [] }
        }

        // While it waits.
        try await offer(1)
        #expect(try await eventually { try listed() == ["\(try job(1))": "waiting"] })
        try await offer(1)
        // Whatever the second has done shows once a third has been heard.
        for number in 2...61 { try await offer(number) }
        #expect(try await eventually { try !answered(61).isEmpty })
        #expect(try answered(61).map { $0.hasRefusal ? $0.refusal.code : 0 } == [UInt32(Fault.Code.overloaded.rawValue)])
        #expect(try await eventually { try listed().count == 60 })
        try approve(1)
        #expect(try await eventually { try !answered(1).isEmpty })
        #expect(try answered(1).map(\.hasRefusal) == [false])
        // While it is open, and once it has ended.
        try await offer(1)
        try await line.send(.jobStop(.filled { $0.fault = FaultNote(Fault(.cancelled)) }), phase: .waiting, job: try job(1), attempt: 1)
        try await offer(1)
        try await offer(62)
        #expect(try await eventually { try listed()["\(try job(62))"] == "waiting" })
        try approve(62)
        #expect(try await eventually { try !answered(62).isEmpty })
        #expect(try answered(62).map(\.hasRefusal) == [false] && answered(1).map(\.hasRefusal) == [false])
        #expect(try listed()["\(try job(1))"] == nil)
        let entries = try lab.text("bank/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.count { $0.contains("job.refused") } == 1)
        await line.close()
        await listener.close()
    }
}
