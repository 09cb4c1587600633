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

/// The bank greets and is at a checkpoint; the platform comes to it when `isReleased` says so.
private struct LateCheckpoint: RoleMachine {
    static var hello: Hello {
        .filled {
            $0.version = ProtocolVersion.current
            for field in [\Hello.specificationDigest, \.contractDigest, \.agreementKey] { $0[keyPath: field] = Data(count: 32) }
            $0.secretCommitments = Data(count: 224)
        }
    }

    let role: Role
    let isReleased: @Sendable () -> Bool

    var listening: Set<LineEnd> { [.peer] }
    var phase: Phase { .opening }
    var wantsToProceed: Bool { false }
    var subjects: IdentifierList { IdentifierList(["a"]) }

    mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] {
        switch event {
        case .start where role == .bank:
            return [.send(.hello(Self.hello), to: .peer), .checkpoint(.alignment, round: 0)]
        case .message(.hello, .peer):
            for _ in 0..<600 where !isReleased() { Thread.sleep(forTimeInterval: 0.1) }
            return [.checkpoint(.alignment, round: 0)]
        case .message(.abort, .peer):
            throw Fault(.endedByPeer, at: "bank")
        default:
            return []
        }
    }

    func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] { [] }
    func page(of files: [ResultFile], language: Language) -> ResultFile? { nil }
}

/// The bank sends more than the platform takes, which fails at the first.
private struct Flood: RoleMachine {
    let role: Role
    private var sent = 0

    init(_ role: Role) { self.role = role }

    var listening: Set<LineEnd> { [.peer] }
    var phase: Phase { sent > 0 ? .alignment : .opening }
    var wantsToProceed: Bool { role == .bank && sent < 8 }
    var subjects: IdentifierList { IdentifierList(["a"]) }

    mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] {
        switch event {
        case .start where role == .bank:
            return [.send(.hello(LateCheckpoint.hello), to: .peer)]
        case .proceed:
            sent += 1
            return [.send(.blindedPoints(.filled { $0.points = Data(count: 65) }), to: .peer)]
        case .message(.hello, .peer):
            Thread.sleep(forTimeInterval: 1)
            throw Fault(.cryptographicCheck, at: "bank")
        default:
            return []
        }
    }

    func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] { [] }
    func page(of files: [ResultFile], language: Language) -> ResultFile? { nil }
}

@Suite("Ends of jobs") struct EndingTests {
    private func ends(_ lab: TrialLab, _ name: String) throws -> [String] {
        try lab.text("\(name)/state/operations/entries.jsonl").split(separator: "\n").compactMap { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return entry?["action"] as? String == "job.ended" ? entry?["object"] as? String : nil
        }
    }

    /// A job that is cancelled while the platform waits for the bank's line, and is over there. What the bank says is lost on its way.
    private func cancelled(_ lab: TrialLab) async throws -> (nodes: InProcessNodes, proxy: FaultProxy, job: String) {
        let proxy = try lab.proxied()
        proxy.set(.swallow)
        try await lab.start("arbiter")
        let nodes = try InProcessNodes(lab) { LateCheckpoint(role: $0) { false } }
        let job = try await nodes.submit()
        #expect(try await eventually { try lab.text("platform/state/operations/entries.jsonl").contains("job.started") })
        #expect(try await lab.job("cancel", job).code == 0)
        #expect(try await eventually { try ["bank", "platform"].allSatisfy { try !ends(lab, $0).isEmpty } })
        return (nodes, proxy, job)
    }

    @Test("a party that is told why a job is over while it waits for the other's line says that, and not that a deadline has passed")
    func stoppedBeforeTheLine() async throws {
        let lab = try await TrialLab()
        let (nodes, proxy, _) = try await cancelled(lab)
        defer {
            nodes.cancel()
            proxy.end()
        }
        for name in ["bank", "platform"] {
            let ended = try ends(lab, name)
            #expect(ended == ["\(Fault.Code.cancelled.rawValue)"], "\(name)")
        }
    }

    @Test("a greeting for a job that is over opens no line and is in no ledger")
    func lateGreeting() async throws {
        let lab = try await TrialLab()
        let (nodes, proxy, job) = try await cancelled(lab)
        defer {
            nodes.cancel()
            proxy.end()
        }
        proxy.set(.pass)
        let contract = try Amendment(lab.path("platform/contract.json")).contract
        let platform = try #require(contract.parties.first { $0.name == "platform" })
        let line = Line(try await Transport.connect(to: try #require(platform.address).description, identity: try LineEnds.identity(lab, "bank"),
                                                    pins: platform.presentPins, name: "platform", timeoutSeconds: 10),
                        ownRole: .bank, peerRole: .platform, peerName: "platform", ledgers: nil)
        try await line.send(.hello(LateCheckpoint.hello), phase: .opening, job: try #require(JobIdentifier(job)), attempt: 1)
        #expect(try await line.receive()?.message == nil)
        #expect(!FileManager.default.fileExists(atPath: lab.path("platform/state/ledger/\(job)/bank.received.records")))
    }

    @Test("a peer whose line comes back again and again, and who says nothing, is not waited for without end")
    func comesBack() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 3])
        let proxy = try lab.proxied()
        defer { proxy.end() }
        try await lab.start("arbiter")
        let isOver = Mutex(false)
        let nodes = try InProcessNodes(lab) { role in LateCheckpoint(role: role) { isOver.withLock { $0 } } }
        defer { nodes.cancel() }
        _ = try await nodes.submit()
        #expect(try await eventually { proxy.connections > 0 })
        var cuts = 0
        while try ends(lab, "bank").isEmpty, cuts < 60 {
            try await Task.sleep(for: .milliseconds(500))
            proxy.cut()
            cuts += 1
        }
        #expect(cuts > 5 && cuts < 60)
        isOver.withLock { $0 = true }
    }

    @Test("a peer that gave up while this party was not yet at the checkpoint has ended the job; its ledger is not said to differ")
    func abortAheadOfCheckpoint() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 2])
        try await lab.start("arbiter")
        let hasEnded = Mutex(false)
        let nodes = try InProcessNodes(lab) { role in LateCheckpoint(role: role) { hasEnded.withLock { $0 } } }
        defer { nodes.cancel() }
        let job = try await nodes.submit()
        let frames = "platform/state/ledger/\(job)/bank.received.records"
        #expect(try await eventually { FileManager.default.fileExists(atPath: lab.path(frames)) })
        // It would say why the bank ended.
        try lab.signal("arbiter", SIGSTOP)
        #expect(try await eventually { try ends(lab, "bank") == ["\(Fault.Code.headMissing.rawValue)"] })
        hasEnded.withLock { $0 = true }
        #expect(try await eventually { try !ends(lab, "platform").isEmpty })
        let ended = try ends(lab, "platform")
        #expect(ended == ["\(Fault.Code.endedByPeer.rawValue)"])
    }
    @Test("a job that fails while frames wait to be taken lets go of everything, its file without a name too")
    func failsWhileFramesWait() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let nodes = try InProcessNodes(lab) { Flood($0) }
        defer { nodes.cancel() }
        _ = try await nodes.submit()
        #expect(try await eventually { try ends(lab, "platform") == ["\(Fault.Code.cryptographicCheck.rawValue)"] })
        let scratch = lab.path("platform/state/scratch")
        let isGone = try await eventually(10) {
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return !open.contains { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(scratch) == true }
        }
        #expect(isGone)
    }
}
