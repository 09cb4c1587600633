import Faults
import Foundation
import Ledger
import NodeRuntime
import Primitives
import Roles
import Wire

/// As NodeRuntime's `JobSession` with its mailbox and outbox: drives one machine through one attempt. Heads within a phase are not among it:
/// no simulated direction has 1,000 frames.
final class Session {
    /// For a bug alone: where a node could go on after a crash.
    struct Snapshot {
        let job: JobIdentifier
        let attempt: UInt32
        let machine: any RoleMachine
        let sent: UInt64
    }

    private enum Checkpoint {
        case outbox, heads(HeadExchange), signatures(HeadExchange)
    }

    private static let mostQueued = 16
    private static let places = 2

    let job: JobIdentifier
    let attempt: UInt32
    /// The line by which the offer came.
    let arbiter: Line
    private var machine: any RoleMachine
    private unowned let shell: DataShell
    private var line: Line?
    private(set) var ending: Fault?
    private var isOver = false
    private var isBusy = false
    private var isPumping = false
    private var effects: [RoleEffect] = []
    private var checkpoint: (state: Checkpoint, phase: Phase, round: UInt32)?
    private var last: (sent: UInt64, received: UInt64) = (0, 0)
    private var isCompleted = false
    private var hasStarted = false
    // Mailbox
    private var queues: [LineEnd: [Message]] = [:]
    private var closedPeer: Fault?
    private var abort: Fault?
    private var heads: LedgerHeads?
    private var signatures: HeadSignatures?
    // Outbox
    private var outbox: [(Message, Phase)] = []
    private var isSending = false
    private var outboxFault: Fault?
    /// Whom the job waits for, since when in milliseconds, and by the clock of the wall.
    private var awaited: (party: Name, since: Int, unixSeconds: UInt64)?

    private var world: World { shell.run.world }
    private var name: Name { shell.name }
    private var peer: Name { name == .north ? .south : .north }

    init(_ job: JobIdentifier, _ attempt: UInt32, _ machine: any RoleMachine, _ shell: DataShell, arbiter: Line) {
        self.job = job
        self.attempt = attempt
        self.machine = machine
        self.shell = shell
        self.arbiter = arbiter
    }

    var isRunning: Bool { line != nil }

    func deliver(_ message: Message) throws {
        if case .headSignatures(let signatures) = message { self.signatures = signatures } else { queues[.arbiter, default: []].append(message) }
        try pump()
    }

    /// Ends the job from outside; the first reason stands.
    func end(_ fault: Fault) throws {
        ending = ending ?? fault
        if line != nil { try pump() }
    }

    func run(_ line: Line, first: Message?) throws {
        self.line = line
        if let first { queues[.peer, default: []].append(first) }
        line.end.wake = { [self] in
            try read()
            try pump()
        }
        effects = []
        try watch()
        try step(.start)
        hasStarted = true
        try line.end.wake()
    }

    // Reading

    private func read() throws {
        guard let line, !isOver else { return }
        do {
            while queues[.peer, default: []].count < Self.places, closedPeer == nil,
                  let received = try line.receive(if: { ($0.job, $0.attempt) == (job, attempt) }) {
                if case .ledgerHeads(let heads) = received.message {
                    self.heads = heads
                } else {
                    if case .abort = received.message { abort = Fault(.endedByPeer, at: peer.rawValue) }
                    queues[.peer, default: []].append(received.message)
                }
            }
            if line.end.isOver, try line.end.next() == nil { closedPeer = Fault(.peerLost, at: peer.rawValue) }
        } catch let fault as Fault {
            if fault.code == .peerLost { closedPeer = fault } else { ending = ending ?? fault }
        }
    }

    // The loop

    private func pump() throws {
        guard let line, hasStarted || !effects.isEmpty, !isOver, !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        do {
            while !isBusy, !isOver {
                if checkpoint != nil {
                    guard try advance(line) else { break }
                } else if !effects.isEmpty {
                    try perform(effects.removeFirst())
                } else if isCompleted {
                    if let outboxFault { throw outboxFault }
                    guard outbox.isEmpty else { break }
                    try complete(line)
                } else {
                    if let outboxFault { throw outboxFault }
                    guard let event = try next() else {
                        wait(for: machine.listening == [.arbiter] ? .middle : peer)
                        break
                    }
                    awaited = nil
                    try step(event)
                    // A place is free.
                    try read()
                }
            }
        } catch let fault as Fault {
            try fail(fault, line)
        }
    }

    /// Own work comes first while the line is idle; then what has arrived; then own work up to a short queue.
    private func next() throws -> RoleEvent? {
        let wants = machine.wantsToProceed
        if wants, outbox.isEmpty { return .proceed }
        if outbox.count < Self.mostQueued {
            if let ending { throw ending }
            for end in [LineEnd.arbiter, .peer] where machine.listening.contains(end) {
                guard let message = queues[end]?.first else {
                    if end == .peer, let closedPeer { throw closedPeer }
                    continue
                }
                queues[end]?.removeFirst()
                if case .closing = message { shell.run.observer.hearsClosing(name, job) }
                return .message(message, from: end)
            }
        }
        return wants && outbox.count < 2 ? .proceed : nil
    }

    private func step(_ event: RoleEvent) throws {
        // It computes: what comes meanwhile waits.
        isBusy = true
        world.after(world.draw(0...10), name) { [self] in
            guard !isOver, let line else { return }
            isBusy = false
            do {
                effects += try machine.step(event)
                world.log(name, "\(machine.phase) has made \(effects.count) effects")
            } catch let fault as Fault {
                return try fail(fault, line)
            }
            try pump()
        }
    }

    private func perform(_ effect: RoleEffect) throws {
        switch effect {
        case .send(let message, to: .peer):
            outbox.append((message, machine.phase))
            sendNext()
            if world.bug == .resultOneSided, case .closing = message { try keepEarly() }
        case .send(let message, to: .arbiter):
            try shell.post(message, phase: machine.phase, job: job, attempt: attempt, to: arbiter)
        case .used(let use, _):
            let action: OperationsEntry.Action = use == .aligned ? .subjectsAligned : use == .trained ? .subjectsTrained : .subjectsScored
            try shell.record(action, job: job, object: peer.rawValue)
        case .checkpoint(let phase, let round): checkpoint = (.outbox, phase, round)
        case .progress(let progress):
            try shell.post(.jobProgress(progress), phase: progress.phase, job: job, attempt: attempt, to: arbiter)
        case .completed: isCompleted = true
        }
    }

    /// - Returns: whether it is past what it waited for.
    private func advance(_ line: Line) throws -> Bool {
        guard let (state, phase, round) = checkpoint else { return true }
        if let outboxFault { throw outboxFault }
        switch state {
        case .outbox:
            guard outbox.isEmpty else { return wait(for: peer) }
            guard let ledger = try shell.book.writer(job, line: peer) else { throw Fault(.defect, at: "checkpoint") }
            if world.bug != .unsyncedHead { try shell.book.synchronize(ledger) }
            try world.point(name, "after its ledger is on the disk")
            let signers = try HeadSigners(own: name.rawValue, key: Lab.key(name), peer: peer.rawValue, contract: shell.run.lab.contract)
            let exchange = HeadExchange(ledger, signers: signers, round: round)
            try line.send(.ledgerHeads(exchange.heads), phase: phase, job: job, attempt: attempt)
            checkpoint?.state = .heads(exchange)
        case .heads(var exchange):
            if let ending { throw ending }
            guard let heads else {
                if let fault = abort ?? (queues[.peer, default: []].isEmpty ? closedPeer : nil) { throw fault }
                return wait(for: peer)
            }
            self.heads = nil
            try exchange.accept(heads)
            guard let ledger = try shell.book.writer(job, line: peer) else { throw Fault(.defect, at: "checkpoint") }
            try shell.post(.headSubmission(exchange.submission(ledger, since: last)), phase: phase, job: job, attempt: attempt, to: arbiter)
            checkpoint?.state = .signatures(exchange)
        case .signatures(var exchange):
            if let ending { throw ending }
            if world.bug != .signatureDropped {
                guard let signatures else { return wait(for: .middle) }
                self.signatures = nil
                try exchange.accept(signatures)
            }
            guard let ledger = try shell.book.writer(job, line: peer) else { throw Fault(.defect, at: "checkpoint") }
            try world.point(name, "before it has kept the heads")
            try exchange.keep(in: ledger)
            last = exchange.sizes
            checkpoint = nil
            if world.bug == .maskReuse, machine.wantsToProceed {
                shell.disk.snapshot = Snapshot(job: job, attempt: attempt, machine: machine, sent: line.sentSoFar)
            }
        }
        awaited = nil
        return true
    }

    @discardableResult
    private func wait(for party: Name) -> Bool {
        if awaited?.party != party { awaited = (party, world.now, world.unixSeconds(name)) }
        return false
    }

    // Sending

    private func sendNext() {
        guard !isSending, !outbox.isEmpty, let line else { return }
        isSending = true
        world.after(world.diskDelay(), name) { [self] in
            isSending = false
            guard !outbox.isEmpty, !isOver else { return }
            let (message, phase) = outbox[0]
            do {
                try line.send(message, phase: phase, job: job, attempt: attempt)
                outbox.removeFirst()
                sendNext()
            } catch let fault as Fault {
                outboxFault = fault
            }
            try pump()
        }
    }

    // Ends

    private func complete(_ line: Line) throws {
        isOver = true
        let files = try machine.results(RunMeasurements())
        try shell.record(.resultKept, job: job)
        try keep(files.map { ($0.name, $0.bytes) })
        line.close()
        try shell.finished(job, nil)
    }

    /// Written aside, made durable, then put in place by one rename.
    private func keep(_ files: [(name: String, bytes: [UInt8])]) throws {
        for file in files {
            try world.point(name, "before it writes a file of results")
            if world.bug == .halfResults { shell.disk.results[job, default: [:]][file.name] = file.bytes }
        }
        try world.point(name, "before its results are in place")
        shell.disk.results[job] = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.bytes) })
        shell.run.observer.keepsResults(name, job)
        try world.point(name, "after its results are in place")
    }

    private func fail(_ fault: Fault, _ line: Line) throws {
        guard !isOver else { return }
        isOver = true
        // A peer that has ended the job has gone, and its abort is in the ledger here and in no head of its own.
        let fault = [.peerLost, .ledgersDiffer].contains(fault.code) ? abort ?? fault : fault
        // A peer that can still be reached is told that, not why.
        do {
            try line.send(.abort(.filled { $0.code = UInt32(Fault.Code.endedByPeer.rawValue) }), phase: machine.phase, job: job, attempt: attempt)
        } catch is Fault {}
        line.close()
        try shell.finished(job, fault)
    }

    /// A party that is waited for in vain for the contract's deadline has gone for good.
    private func watch() throws {
        world.after(1000, name) { [self] in
            guard !isOver else { return }
            if let awaited {
                let silence = world.now - awaited.since
                if silence > (Lab.deadlineSeconds + 3) * 1000 { world.violate(.outcome, "\(name.rawValue) waits longer than the deadline") }
                let byTheWall = (Int(world.unixSeconds(name)) - Int(awaited.unixSeconds)) * 1000
                if world.bug != .deadlineNever, (world.bug == .clockProlongs ? byTheWall : silence) > Lab.deadlineSeconds * 1000 {
                    let code = checkpoint == nil ? Fault.Code.deadlinePassed : .headMissing
                    try end(Fault(code, at: awaited.party.rawValue, "\(Lab.deadlineSeconds)"))
                }
            }
            try watch()
        }
    }

    // Bugs

    /// `resultOneSided`: as if the other party had said that it has finished.
    private func keepEarly() throws {
        guard let line else { return }
        for heard in line.receivedRecords...line.receivedRecords + 2 {
            var copy = machine
            guard (try? copy.step(.message(.closing(.filled { $0.framesSent = heard }), from: .peer))) != nil,
                  let files = try? copy.results(RunMeasurements())
            else { continue }
            return try keep(files.map { ($0.name, $0.bytes) })
        }
    }

    /// `maskReuse`: from an earlier state, on a line of its own, without a ledger.
    static func goOn(_ snapshot: Snapshot, _ shell: DataShell) throws {
        shell.run.network.dial(from: shell.name, to: .south, timeoutMilliseconds: 15_000) { end in
            guard let end else { return }
            let line = Line(end, shell.run.network, book: nil, observer: shell.run.observer, nextSent: snapshot.sent)
            var machine = snapshot.machine
            for _ in 0..<8 where machine.wantsToProceed {
                for effect in (try? machine.step(.proceed)) ?? [] {
                    guard case .send(let message, to: .peer) = effect else { continue }
                    do {
                        try line.send(message, phase: machine.phase, job: snapshot.job, attempt: snapshot.attempt)
                    } catch is Fault {
                        return
                    }
                }
            }
        }
    }
}
