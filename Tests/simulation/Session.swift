import Faults
import Foundation
import Ledger
import NodeRuntime
import Primitives
import Roles
import Transport
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
        let window: FrameWindow
    }

    private enum Stage {
        case waiting, opening, running, finishing
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
    let carrier: ResumableLine
    private let line: Line
    private(set) var ending: Fault?
    private var isOver = false
    private var isBusy = false
    private var isPumping = false
    private var effects: [RoleEffect] = []
    private var checkpoint: (state: Checkpoint, phase: Phase, round: UInt32)?
    private var last: (sent: UInt64, received: UInt64) = (0, 0)
    private var stage = Stage.waiting
    private var openingSince = 0
    /// What the arbiter was told last.
    private var reached = JobProgress()
    private var wasCut = false
    private var checkpointSince: Int?
    // Mailbox
    private var queues: [LineEnd: [Message]] = [:]
    private var closedPeer: Fault?
    private var abort: Fault?
    private var heads: LedgerHeads?
    private var signatures: HeadSignatures?
    // Outbox
    private var outbox: [(Message, Phase)] = []
    private var isReading = false
    private var isSending = false
    /// Whether the first of the outbox was given to the line, and has not left.
    private var isLeaving = false
    private var outboxFault: Fault?
    /// Whom the job waits for, since when in milliseconds, by the clock of the wall, and how long the line had been away by then.
    private var awaited: (party: Name, since: Int, unixSeconds: UInt64, away: Int)?

    private var world: World { shell.run.world }
    private var name: Name { shell.name }
    private var peer: Name { name == .north ? .south : .north }

    init(_ job: JobIdentifier, _ attempt: UInt32, _ machine: any RoleMachine, _ shell: DataShell, arbiter: Line) {
        self.job = job
        self.attempt = attempt
        self.machine = machine
        self.shell = shell
        self.arbiter = arbiter
        carrier = ResumableLine(shell.name, shell.run.network, job: job, attempt: attempt)
        line = Line(carrier, book: shell.book)
        if world.bug == .resentRecorded { carrier.recordsAgain = { [unowned shell, peer] in try shell.book.record($0, .sent, line: peer) } }
    }

    func deliver(_ message: Message) throws {
        if case .headSignatures(let signatures) = message { self.signatures = signatures } else { queues[.arbiter, default: []].append(message) }
        try pump()
    }

    /// Ends the job from outside; the first reason stands.
    func end(_ fault: Fault) throws {
        ending = ending ?? fault
        try pump()
    }

    /// It never ran, and never will.
    func dismiss() {
        isOver = true
        line.close()
    }

    func run() throws {
        (stage, openingSince) = (.opening, world.now)
        carrier.wake = { [weak self] in
            try self?.left()
            self?.read()
            try self?.pump()
        }
        try watch()
        carrier.open()
        try pump()
    }

    // Reading

    /// Each frame in its turn, while there are places: what comes is in the ledger before it is acted on.
    private func read() {
        guard stage == .running || stage == .finishing, !isOver, !isReading, ending == nil, closedPeer == nil, carrier.isReady,
              queues[.peer, default: []].count < Self.places
        else { return }
        isReading = true
        world.after(world.diskDelay(), name) { [self] in
            isReading = false
            guard !isOver else { return }
            try take()
            read()
            try pump()
        }
    }

    private func take() throws {
        do {
            guard let received = try line.receive(if: { ($0.job, $0.attempt) == (job, attempt) }) else {
                if carrier.isOver { closedPeer = Fault(.peerLost, at: peer.rawValue) }
                return
            }
            if case .ledgerHeads(let heads) = received.message {
                self.heads = heads
            } else {
                if case .abort = received.message { abort = Fault(.endedByPeer, at: peer.rawValue) }
                queues[.peer, default: []].append(received.message)
            }
        } catch let fault as Fault {
            if fault.code == .peerLost { closedPeer = fault } else { ending = ending ?? fault }
        }
    }

    // The loop

    private func pump() throws {
        guard stage != .waiting, !isOver, !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        do {
            while !isBusy, !isOver {
                if stage == .opening {
                    if let fault = ending ?? carrier.fault { throw fault }
                    guard carrier.hasConnected else {
                        wait(for: peer)
                        break
                    }
                    stage = .running
                    awaited = nil
                    try step(.start)
                    read()
                } else if checkpoint != nil {
                    guard try advance() else { break }
                } else if !effects.isEmpty {
                    try perform(effects.removeFirst())
                } else if stage == .finishing {
                    if let fault = ending ?? outboxFault { throw fault }
                    guard try outbox.isEmpty && carrier.finish() else {
                        wait(for: peer)
                        break
                    }
                    try complete()
                } else {
                    if let outboxFault { throw outboxFault }
                    guard let event = try next() else {
                        wait(for: machine.listening == [.arbiter] ? .middle : peer)
                        break
                    }
                    awaited = nil
                    try step(event)
                    // A place is free.
                    read()
                }
            }
        } catch let fault as Fault {
            try fail(fault)
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
            guard !isOver else { return }
            isBusy = false
            do {
                effects += try machine.step(event)
                world.log(name, "\(machine.phase) has made \(effects.count) effects")
            } catch let fault as Fault {
                return try fail(fault)
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
        case .checkpoint(let phase, let round): (checkpoint, checkpointSince) = ((.outbox, phase, round), world.now)
        case .progress(let progress): try tell(progress)
        case .completed: stage = .finishing
        }
    }

    private func tell(_ progress: JobProgress) throws {
        reached = progress
        var progress = progress
        progress.cutUnixSeconds = carrier.isCut ? world.unixSeconds(name) - UInt64((world.now - carrier.since) / 1000) : 0
        try shell.post(.jobProgress(progress), phase: progress.phase, job: job, attempt: attempt, to: arbiter)
    }

    /// - Returns: whether it is past what it waited for.
    private func advance() throws -> Bool {
        guard let (state, phase, round) = checkpoint else { return true }
        if let outboxFault { throw outboxFault }
        switch state {
        case .outbox:
            if let ending { throw ending }
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
            guard try carrier.hasLeft() else { return wait(for: peer) }
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
            (checkpoint, checkpointSince) = (nil, nil)
            if world.bug == .maskReuse, machine.wantsToProceed {
                shell.disk.snapshot = Snapshot(job: job, attempt: attempt, machine: machine, sent: line.sentSoFar, window: carrier.window)
            }
        }
        awaited = nil
        return true
    }

    @discardableResult
    private func wait(for party: Name) -> Bool {
        if awaited?.party != party { awaited = (party, world.now, world.unixSeconds(name), carrier.away) }
        return false
    }

    // Sending

    private func sendNext() {
        guard !isSending, !outbox.isEmpty else { return }
        isSending = true
        world.after(world.diskDelay(), name) { [self] in
            guard !isOver else { return }
            let (message, phase) = outbox[0]
            do {
                try line.send(message, phase: phase, job: job, attempt: attempt)
                isLeaving = true
            } catch let fault as Fault {
                outboxFault = fault
            }
            try left()
            try pump()
        }
    }

    /// Once the first has left the next may follow.
    private func left() throws {
        guard isLeaving, !isOver else { return }
        do {
            guard try carrier.hasLeft() else { return }
        } catch let fault as Fault {
            isLeaving = false
            outboxFault = fault
            return
        }
        (isSending, isLeaving) = (false, false)
        outbox.removeFirst()
        sendNext()
    }

    // Ends

    private func complete() throws {
        isOver = true
        let files = try machine.results(RunMeasurements())
        try shell.record(.resultKept, job: job)
        try keep(files.map { ($0.name, $0.bytes) })
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

    private func fail(_ fault: Fault) throws {
        guard !isOver else { return }
        isOver = true
        guard stage != .opening else {
            line.close()
            if name == .south, ending == nil, fault.code == .deadlinePassed, world.now - openingSince < 60_000 {
                world.violate(.outcome, "\(name.rawValue) tells of a deadline that has not passed")
            }
            return try shell.finished(job, fault)
        }
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
            if carrier.isCut != wasCut {
                wasCut = carrier.isCut
                try tell(reached)
            }
            if let fault = lateness() { try end(fault) }
            try watch()
        }
    }

    /// Nothing could come while the line was away; but that it comes back again and again is no sign of life.
    private func lateness() -> Fault? {
        let deadline = Lab.deadlineSeconds * 1000
        func isPast(_ milliseconds: Int) -> Bool {
            if milliseconds > deadline + 3000 { world.violate(.outcome, "\(name.rawValue) waits longer than the deadline") }
            return milliseconds > deadline
        }
        if carrier.isCut, isPast(world.now - carrier.since), world.bug != .cutForever { return Fault(.peerLost, at: peer.rawValue) }
        guard let awaited else { return nil }
        let away = min(carrier.away - awaited.away, deadline)
        let byTheWall = (Int(world.unixSeconds(name)) - Int(awaited.unixSeconds)) * 1000 - away
        let isSilent = isPast(world.now - awaited.since - away)
        guard world.bug == .clockProlongs ? byTheWall > deadline : isSilent, world.bug != .deadlineNever else { return nil }
        guard !carrier.isCut else { return world.bug == .cutForever ? nil : Fault(.peerLost, at: peer.rawValue) }
        let isHead = checkpointSince.map { world.now - max($0, carrier.since) > deadline } ?? false
        return Fault(isHead ? .headMissing : .deadlinePassed, at: awaited.party.rawValue, "\(Lab.deadlineSeconds)")
    }

    // Bugs

    /// `resultOneSided`: as if the other party had said that it has finished.
    private func keepEarly() throws {
        for heard in line.receivedRecords...line.receivedRecords + 2 {
            var copy = machine
            guard (try? copy.step(.message(.closing(.filled { $0.framesSent = heard }), from: .peer))) != nil,
                  let files = try? copy.results(RunMeasurements())
            else { continue }
            return try keep(files.map { ($0.name, $0.bytes) })
        }
    }

    /// `maskReuse`: from an earlier state, as if the line had been cut, whatever the answer counts; without a ledger.
    static func goOn(_ snapshot: Snapshot, _ shell: DataShell) {
        shell.run.network.dial(from: shell.name, to: .south, timeoutMilliseconds: 15_000) { end in
            guard let end else { return }
            do { try end.send(snapshot.window.greeting) } catch is Fault { return }
            let line = Line(end, book: nil, nextSent: snapshot.sent)
            try end.first(withinMilliseconds: 15_000) { _ in
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
}
