import Faults
import Foundation
import Roles
import Testing
import Wire

/// Sends so many frames each way that heads are due within the phase. The platform hears nothing before its own have gone, as in
/// alignment.
private struct LongPhase: RoleMachine {
    let role: Role
    let frames: Int
    /// Of the other party.
    let others: Int
    /// In a phase of its own, of one frame.
    let hasFurtherPhase: Bool
    /// Before each frame.
    let hold: @Sendable (_ sent: Int) -> Void
    private var sent = 0
    private var heard = 0
    private var isClosing = false
    private var hasGreeted = false

    init(_ role: Role, frames: Int = 2300, others: Int? = nil, hasFurtherPhase: Bool = false, hold: @escaping @Sendable (Int) -> Void = { _ in }) {
        (self.role, self.frames, self.others, self.hasFurtherPhase, self.hold) = (role, frames, others ?? frames, hasFurtherPhase, hold)
    }

    private var due: Int { others + (role == .platform ? 1 : 0) }

    var listening: Set<LineEnd> { role == .bank || sent == frames ? [.peer] : [] }
    var phase: Phase { isClosing ? .closing : hasGreeted ? .alignment : .opening }
    var wantsToProceed: Bool { sent < frames }
    var subjects: IdentifierList { IdentifierList(["a"]) }

    mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] {
        switch event {
        case .start:
            guard role == .bank else { return [] }
            return [.send(.hello(.filled {
                $0.version = ProtocolVersion.current
                for field in [\Hello.specificationDigest, \.contractDigest, \.agreementKey] { $0[keyPath: field] = Data(count: 32) }
                $0.secretCommitments = Data(count: 224)
            }), to: .peer)]
        case .proceed:
            hold(sent)
            hasGreeted = true
            sent += 1
            return [points] + closingIfDue()
        case .message(.closing, _):
            return [.completed]
        case .message:
            heard += 1
            return heard > due ? [.checkpoint(.preparation, round: 0), closing] : closingIfDue()
        }
    }

    private mutating func closingIfDue() -> [RoleEffect] {
        guard sent == frames, heard == due, !isClosing else { return [] }
        isClosing = true
        return [.checkpoint(.alignment, round: 0), hasFurtherPhase ? points : closing]
    }

    private var points: RoleEffect { .send(.blindedPoints(.filled { $0.points = Data(count: 65) }), to: .peer) }
    private var closing: RoleEffect { .send(.closing(.filled { $0.framesSent = 1 }), to: .peer) }

    func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] { [] }
    func page(of files: [ResultFile], language: Language) -> ResultFile? { nil }
}

@Suite("Heads within a phase") struct MidwayHeadTests {
    static func verifier(_ lab: TrialLab, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", Programs.repository.appending(path: "Protocols/verifier/verify.py").path] + arguments.map { lab.path($0) }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private func sizes(_ lab: TrialLab, _ name: String) throws -> [Int] {
        try lab.text(name).split(separator: "\n").compactMap { Int($0) }
    }

    @Test("every 1,000 frames of a direction are signed by all three while the phase goes on, and a head that is gone is found")
    func everyThousand() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let nodes = try InProcessNodes(lab) { LongPhase($0) }
        defer { nodes.cancel() }
        let job = try await nodes.submit()
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")
        let (bank, platform, arbiter) = ("bank/state/ledger/\(job)", "platform/state/ledger/\(job)", "arbiter/state/ledger/\(job)")
        for (file, last) in [("\(bank)/platform.sent", 2301), ("\(bank)/platform.received", 2300), ("\(platform)/bank.sent", 2300), ("\(platform)/bank.received", 2301)] {
            #expect(try sizes(lab, "\(file).heads") == [1000, 2000, last], "\(file)")
        }
        let reconciled = try await lab.jointlab("audit", "reconcile", lab.path(bank), lab.path(platform), lab.path(arbiter))
        #expect(reconciled.code == 0, "\(reconciled)")
        for ledgers in [[bank], [platform], [arbiter], [bank, platform, arbiter]] {
            let run = try Self.verifier(lab, ledgers)
            #expect(run.code == 0, "\(run.output)")
        }
        // What these frames say is not of the protocol; heads and sequences have no fault.
        func rules() async throws -> Set<String> {
            let run = try await lab.jointlab("audit", "verify", lab.path(bank), "--json")
            let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            return Set((report?["findings"] as? [[String: Any]])?.compactMap { $0["rule"] as? String } ?? [])
        }
        let found = try await rules()
        #expect(found.isDisjoint(with: ["head-missing", "head-root", "head-signatures", "sequence", "two-roots"]), "\(found)")

        // Without its second head.
        let file = lab.path("\(bank)/platform.sent.heads")
        let notes = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\n\n")
        try (notes[0..<2] + notes[4...]).joined(separator: "\n\n").write(toFile: file, atomically: false, encoding: .utf8)
        #expect(try await rules().contains("head-missing"))
        let run = try Self.verifier(lab, [bank])
        #expect(run.code == 1 && run.output.contains("no head of 2000 records"), "\(run.output)")
    }

    @Test("a receiver to whom the arbiter's answer comes when the sender is a thousand frames on takes it for the head that it answers")
    func lateAnswer() async throws {
        let lab = try await TrialLab()
        let proxy = try lab.proxied("arbiter")
        defer { proxy.end() }
        try await lab.start("arbiter")
        // With few frames of its own it waits for no head of theirs, and takes what comes.
        let platform = try InProcessNodes(lab, of: [.platform]) { LongPhase($0, frames: 10, others: 2300) }
        defer { platform.cancel() }
        #expect(try await eventually { proxy.connections == 1 })
        let bank = try InProcessNodes(lab, of: [.bank]) { role in
            LongPhase(role, others: 10) { sent in
                // Before its thousandth frame, and before its two thousandth, of which the greeting was the first.
                if sent == 900 { proxy.set(.oneWay) }
                if sent == 1998 { DispatchQueue.global().asyncAfter(deadline: .now() + 2) { proxy.set(.pass) } }
            }
        }
        defer { bank.cancel() }
        let watched = try await lab.job("watch", try await bank.submit())
        #expect(watched.code == 0, "\(watched)")
    }

    @Test("whoever waits at the end of a phase for heads that never come ends the job by name at the deadline, at both nodes")
    func frozenArbiter() async throws {
        let lab = try await TrialLab(limits: ["deadline_seconds": 3])
        try await lab.start("arbiter")
        // With the greeting, the thousandth frame is the bank's last of the phase.
        let isFrozen = DispatchSemaphore(value: 0)
        let nodes = try InProcessNodes(lab) { LongPhase($0, frames: 999) { if $0 == 900 { isFrozen.wait() } } }
        defer { nodes.cancel() }
        let job = try await nodes.submit()
        #expect(try await eventually { FileManager.default.fileExists(atPath: lab.path("platform/state/ledger/\(job)/bank.received.records")) })
        try lab.signal("arbiter", SIGSTOP)
        for _ in 0..<2 { isFrozen.signal() }
        for name in ["bank", "platform"] {
            #expect(try await eventually { try lab.text("\(name)/state/operations/entries.jsonl").contains("job.ended") }, "\(name)")
        }
    }

    @Test("a head that is due right after a phase has ended follows the heads of its end")
    func dueAtOnce() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        // The bank's direction ends its first phase with 999 frames; the next one is the thousandth.
        let nodes = try InProcessNodes(lab) { LongPhase($0, frames: 998, hasFurtherPhase: true) }
        defer { nodes.cancel() }
        let job = try await nodes.submit()
        let watched = try await lab.job("watch", job)
        #expect(watched.code == 0, "\(watched)")
        // The second phase ends with the thousandth, too.
        let signed = try sizes(lab, "bank/state/ledger/\(job)/platform.sent.heads")
        #expect(signed.first == 999 && Set(signed) == [999, 1000], "\(signed)")
    }
}
