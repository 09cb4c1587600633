import Dispatch
import Faults
import Foundation
import Ledger
import Planning
import Primitives
import Roles
import Synchronization
import Transport
import Wire

/// Drives one machine through one attempt of a job: brings it messages and time to work, carries out what it wants.
///
/// The machine is stepped away from the threads that serve lines. What it sends waits in a short queue, so that its own
/// work, the line's transfer and the peer's work overlap.
package final class JobSession: Sendable {
    package let job: JobIdentifier
    package let attempt: UInt32
    private let machine: MachineBox
    private let mailbox = Mailbox()
    private let arbiter: PostedLine
    private let log: NodeLog
    private let deadlineSeconds: Int
    private let files: JobFiles
    private let ledgers: LedgerBook
    private let operations: JobOperations
    private let signers: HeadSigners
    private let midway: MidwayHeads
    /// Since when a phase has waited for its heads.
    private let checkpointSince = Mutex<ContinuousClock.Instant?>(nil)
    private let peerName: String
    private let line: Line
    private let connection: ResumableConnection
    private let plan: JobPlan?
    private let expectedRounds: Int
    private let role: Role
    /// Whom the job waits for: nobody while it has work of its own.
    private let awaited = Mutex<Wait?>(nil)
    /// What the arbiter was told last.
    private let reached = Mutex(JobProgress())
    /// Why it ends at its next checkpoint.
    private let leaving = Mutex<Fault?>(nil)

    private final class MachineBox: @unchecked Sendable {
        // Used by one step at a time: `run` awaits each.
        var machine: any RoleMachine
        init(_ machine: any RoleMachine) { self.machine = machine }
    }

    /// Stands where a machine was: what that held is gone.
    private struct NoMachine: RoleMachine {
        var listening: Set<LineEnd> { [] }
        var phase: Phase { .closing }
        var wantsToProceed: Bool { false }
        var subjects: IdentifierList { IdentifierList([]) }
        mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] { throw Fault(.defect, at: "JobSession.dismiss") }
        func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] { throw Fault(.defect, at: "JobSession.dismiss") }
    }

    init(job: JobIdentifier, attempt: UInt32, machine: any RoleMachine, line: Line, connection: ResumableConnection, arbiter: PostedLine,
         files: JobFiles, ledgers: LedgerBook, operations: JobOperations, signers: HeadSigners, deadlineSeconds: Int,
         role: Role, plan: JobPlan?, expectedRounds: Int, log: NodeLog) {
        self.job = job
        self.attempt = attempt
        self.machine = MachineBox(machine)
        self.line = line
        self.connection = connection
        self.arbiter = arbiter
        self.files = files
        self.ledgers = ledgers
        self.operations = operations
        self.signers = signers
        peerName = signers.peer
        midway = MidwayHeads(job: job, attempt: attempt, ledgers: ledgers, signers: signers, arbiter: arbiter)
        self.deadlineSeconds = deadlineSeconds
        self.role = role
        self.plan = plan
        self.expectedRounds = expectedRounds
        self.log = log
    }

    /// What a job waits for.
    package struct Wait: Sendable {
        package let party: String
        package let sinceUnixSeconds: Int
        /// It is the line that the job waits for.
        package var isCut = false
        fileprivate let since: ContinuousClock.Instant
        /// How long the line had been away by then.
        fileprivate var away = Duration.zero
        fileprivate var isTold = false
    }

    package var waitsFor: Wait? {
        let line = connection.state
        guard line.isCut else { return awaited.withLock { $0 } }
        return Wait(party: peerName, sinceUnixSeconds: line.sinceUnixSeconds, isCut: true, since: line.since)
    }

    private func wait(for party: String) async {
        awaited.withLock { wait in
            guard wait?.party != party else { return }
            wait = Wait(party: party, sinceUnixSeconds: Int(Date().timeIntervalSince1970), since: .now, away: connection.state.away)
        }
        await mailbox.wait()
    }

    /// Something came, or there is own work.
    private func endWait() {
        let told = awaited.withLock { wait -> String? in
            defer { wait = nil }
            return wait?.isTold == true ? wait?.party : nil
        }
        if let told { log.info(en: "\(told) is back", zh: "\(told) 已恢复响应") }
    }

    /// From the arbiter's line.
    package func deliver(_ message: Message) async {
        if case .headSignatures(let signatures) = message { return await mailbox.deliver(signatures) }
        if case .directionHead(let head) = message {
            do throws(Fault) {
                try midway.accept(head)
                return await mailbox.notify()
            } catch {
                return await end(error)
            }
        }
        await mailbox.deliver(message, from: .arbiter)
    }

    package func end(_ fault: Fault) async {
        await mailbox.end(fault)
        midway.end(fault)
    }

    /// Ends the job once both ledgers are at one point whose heads all three have signed; a job that is all but done is done.
    package func endAtCheckpoint(_ fault: Fault) { leaving.withLock { $0 = $0 ?? fault } }

    /// After `run`, or instead of it: lets go of the machine, whose secrets are overwritten with that.
    func dismiss() { machine.machine = NoMachine() }

    /// Runs the job to its end.
    package func run() async throws(Fault) {
        let watchdog = Task { await self.watch() }
        let result: Result<Void, Fault>
        do throws(Fault) { result = .success(try await work()) } catch { result = .failure(error) }
        watchdog.cancel()
        // The arbiter hears nothing of the job's progress after its end.
        await watchdog.value
        // Whoever still delivers a frame would wait for ever, and hold all that the job has.
        await mailbox.end(Fault(.cancelled))
        try result.get()
    }

    private func work() async throws(Fault) {
        let clock = ContinuousClock()
        let started = clock.now
        var phases = PhaseClock(started)
        let (connection, opening) = (connection, min(60, deadlineSeconds))
        try await unlessEnded { () async throws(Fault) in try await connection.open(withinSeconds: opening) }
        let outbox = Outbox(line, job: job, attempt: attempt, mailbox: mailbox, midway: midway)
        let reader = Task { await self.read() }
        defer { reader.cancel() }
        do throws(Fault) {
            try await loop(outbox, &phases, clock)
            try await drain(outbox)
            await outbox.finish()
            try await settle()
            try await unlessEnded { () async throws(Fault) in try await connection.finish() }
        } catch {
            // A peer that has ended the job has gone, and its abort is in the ledger here and in no head of its own.
            let abort = [.peerLost, .ledgersDiffer].contains(error.code) ? await mailbox.abort : nil
            let error = abort ?? error
            // A peer that can still be reached is told that, not why. Nothing is waited for.
            midway.end(error)
            await outbox.abandon()
            try? await line.send(.abort(.filled { $0.code = UInt32(Fault.Code.endedByPeer.rawValue) }), phase: machine.machine.phase,
                                 job: job, attempt: attempt)
            throw error
        }
        phases.close(clock.now)
        var measurements = phases.measurements
        measurements.secondsTotal = seconds(clock.now - started)
        measurements.bytesSent = await line.bytesSent
        measurements.bytesReceived = await line.bytesReceived
        measurements.bytesByPhase = await line.bytesByPhase
        measurements.finished = .now
        let machine = machine
        let run = measurements
        let (language, plan, role) = (log.language, plan, role)
        let results = try await compute { () throws(Fault) in
            let results = try machine.machine.results(run)
            // The page shows the plan beside what became of it.
            let kept = results + [plan?.record(beside: results, role: role)].compactMap(\.self)
            return kept + [machine.machine.page(of: kept, language: language)].compactMap(\.self)
        }
        try operations.record(results)
        try files.keep(results, job: job)
    }

    /// What `work` does; it is given up when the job ends before.
    private func unlessEnded(_ work: @escaping @Sendable () async throws(Fault) -> Void) async throws(Fault) {
        let (outcome, mailbox) = (Outcome(), mailbox)
        let task = Task {
            let result: Result<Void, Fault>
            do throws(Fault) { result = .success(try await work()) } catch { result = .failure(error) }
            outcome.result.withLock { $0 = result }
            await mailbox.notify()
        }
        defer { task.cancel() }
        try await waiting(for: peerName) { () throws(Fault) in try outcome.result.withLock { $0 }?.get() }
    }

    private final class Outcome: Sendable {
        let result = Mutex<Result<Void, Fault>?>(nil)
    }

    private func loop(_ outbox: Outbox, _ phases: inout PhaseClock, _ clock: ContinuousClock) async throws(Fault) {
        var event: RoleEvent? = .start
        var told: (at: ContinuousClock.Instant, phase: Phase, round: UInt32)?
        let started = clock.now
        var estimate = ProgressEstimate(expectedRounds: expectedRounds, planned: plan?.likely.seconds)
        var log = log
        defer { log.endProgress() }
        while true {
            if let current = event {
                let effects = try await step(current)
                for effect in effects {
                    switch effect {
                    case .send(let message, to: .peer): outbox.post(message, phase: machine.machine.phase)
                    case .send(let message, to: .arbiter): arbiter.post(message, phase: machine.machine.phase, job: job, attempt: attempt)
                    case .used(let use, let subjects):
                        let operations = operations
                        try await compute { () throws(Fault) in try operations.record(use, subjects) }
                    case .checkpoint(let phase, let round):
                        try await checkpoint(phase, round, outbox)
                        if !effects.contains(where: \.closes), let fault = leaving.withLock({ $0 }) { throw fault }
                    case .progress(let progress):
                        phases.enter(progress.phase, clock.now)
                        // The arbiter is told of every new phase and round, and otherwise once a second.
                        let now = clock.now
                        if let last = told, last.phase == progress.phase, last.round == progress.round, now - last.at < .seconds(1) { continue }
                        log = self.log.at(progress.phase)
                        if told?.phase != progress.phase { log.info(en: "phase \(progress.phase.name.en)", zh: "阶段：\(progress.phase.name.zh)") }
                        estimate.note(progress, at: seconds(now - started))
                        log.progress(estimate.words(log.language, at: seconds(now - started)),
                                     isNewRound: progress.phase == .training && told?.round != progress.round)
                        told = (now, progress.phase, progress.round)
                        tell(progress)
                    case .completed:
                        return
                    }
                }
            }
            try await outbox.check()
            event = try await next(outbox)
            if event == nil { await wait(for: machine.machine.listening == [.arbiter] ? signers.arbiter : peerName) } else { endWait() }
        }
    }

    private func tell(_ progress: JobProgress) {
        reached.withLock { $0 = progress }
        let line = connection.state
        var progress = progress
        progress.cutUnixSeconds = line.isCut ? UInt64(line.sinceUnixSeconds) : 0
        arbiter.post(.jobProgress(progress), phase: progress.phase, job: job, attempt: attempt)
    }

    /// Own work comes first while the line is idle; then what has arrived; then own work up to a short queue.
    private func next(_ outbox: Outbox) async throws(Fault) -> RoleEvent? {
        let wants = machine.machine.wantsToProceed
        let queued = outbox.count
        if wants, queued == 0 { return .proceed }
        if queued < Outbox.most, let (message, end) = try await mailbox.take(from: machine.machine.listening) {
            return .message(message, from: end)
        }
        return wants && queued < 2 ? .proceed : nil
    }

    /// Both ends' ledgers are at one point: the heads of both directions are signed by both parties and the arbiter.
    private func checkpoint(_ phase: Phase, _ round: UInt32, _ outbox: Outbox) async throws(Fault) {
        checkpointSince.withLock { $0 = .now }
        defer { checkpointSince.withLock { $0 = nil } }
        try await drain(outbox)
        try await settle()
        guard let ledger = try ledgers.writer(job, line: peerName) else { throw Fault(.defect, at: "JobSession.checkpoint") }
        let signers = signers
        var exchange = try await compute { () throws(Fault) in
            do { try ledger.synchronize() } catch { throw Fault(.unwritable, at: "ledger") }
            return HeadExchange(ledger, signers: signers, round: round)
        }
        let (line, heads) = (line, exchange.heads)
        try await unlessEnded { [job, attempt] () async throws(Fault) in
            try await line.send(.ledgerHeads(heads), phase: phase, job: job, attempt: attempt)
        }
        try exchange.accept(try await waiting(for: peerName) { () async throws(Fault) in try await self.mailbox.takeHeads() })
        // Before the peer can go on, which needs this: its next frames follow these heads.
        let submission = exchange.submission(ledger, since: midway.last)
        midway.follow(exchange.sizes)
        arbiter.post(.headSubmission(submission), phase: phase, job: job, attempt: attempt)
        try exchange.accept(try await waiting(for: signers.arbiter) { () async throws(Fault) in try await self.mailbox.takeSignatures() })
        try exchange.keep(in: ledger)
    }

    /// Lets everything go out.
    private func drain(_ outbox: Outbox) async throws(Fault) {
        try await waiting(for: peerName) { () async throws(Fault) in
            try await outbox.check()
            return outbox.count == 0 ? () : nil
        }
    }

    /// Until no head of the phase is open. Who does not sign is waited for as long as one who does not send.
    private func settle() async throws(Fault) {
        let midway = midway
        try await unlessEnded { () async throws(Fault) in try await midway.settle() }
    }

    /// Asks again whenever something has changed, until the job is over.
    private func waiting<Value>(for party: String, _ take: () async throws(Fault) -> Value?) async throws(Fault) -> Value {
        while true {
            try await mailbox.check()
            if let value = try await take() {
                endWait()
                return value
            }
            await wait(for: party)
        }
    }

    private func step(_ event: RoleEvent) async throws(Fault) -> [RoleEffect] {
        let box = machine
        return try await compute { () throws(Fault) in try box.machine.step(event) }
    }

    private func read() async {
        do throws(Fault) {
            while let received = try await line.receive(if: { [job, attempt] in ($0.job, $0.attempt) == (job, attempt) }) {
                if case .ledgerHeads(let heads) = received.message {
                    await mailbox.deliver(heads)
                } else {
                    if case .abort = received.message { await mailbox.note(abort: Fault(.endedByPeer, at: peerName)) }
                    try await midway.passed(received.message.kind, received.phase, .received)
                    await mailbox.deliver(received.message, from: .peer)
                }
            }
            await mailbox.close(.peer, Fault(.peerLost, at: peerName))
        } catch {
            guard error.code == .peerLost || error.code == .cancelled else { return await end(error) }
            await mailbox.close(.peer, Fault(.peerLost, at: peerName))
        }
    }

    /// A party that is waited for in vain for the contract's deadline has gone for good. Before that it is said who it is.
    private func watch() async {
        let patienceSeconds = min(10, max(1, deadlineSeconds / 2))
        var wasCut = false
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let deadline = Duration.seconds(deadlineSeconds)
            let line = connection.state
            if line.isCut != wasCut {
                wasCut = line.isCut
                tell(reached.withLock { $0 })
            }
            if line.isCut, ContinuousClock.now - line.since > deadline { return await end(Fault(.peerLost, at: peerName)) }
            guard let wait = awaited.withLock({ $0 }) else { continue }
            // Nothing could come while the line was away; but that it comes back again and again is no sign of life.
            let silence = ContinuousClock.now - wait.since - min(line.away - wait.away, deadline)
            guard !line.isCut else {
                if silence > deadline { return await end(Fault(.peerLost, at: peerName)) }
                continue
            }
            let isPast = { (since: ContinuousClock.Instant?) in since.map { ContinuousClock.now - max($0, line.since) > deadline } ?? false }
            if isPast(midway.since) || silence > deadline && isPast(checkpointSince.withLock { $0 }) {
                return await end(Fault(.headMissing, at: wait.party, "\(deadlineSeconds)"))
            }
            if silence > deadline { return await end(Fault(.deadlinePassed, at: wait.party, "\(deadlineSeconds)")) }
            guard silence > .seconds(patienceSeconds), !wait.isTold else { continue }
            _ = awaited.withLock { $0?.isTold = true }
            let since = Date(timeIntervalSince1970: Double(wait.sinceUnixSeconds)).formatted(.iso8601)
            let end = Date(timeIntervalSince1970: Double(wait.sinceUnixSeconds + deadlineSeconds)).formatted(.iso8601)
            log.info(en: "waiting for \(wait.party) since \(since); the job ends at \(end) if nothing comes",
                     zh: "自 \(since) 起等待 \(wait.party)；若一直无响应，任务将于 \(end) 终止")
        }
    }
}

extension RoleEffect {
    fileprivate var closes: Bool {
        if case .send(.closing, _) = self { true } else { false }
    }
}

/// Frames on their way to the peer: at most a few, sent in order by a task of their own.
private final class Outbox: Sendable {
    /// Beyond this many, nothing more is taken in either: the peer is not reading.
    static let most = 16

    private let stream: AsyncStream<(Message, Phase)>.Continuation
    private let writer: Task<Void, any Error>
    private let state = State()

    init(_ line: Line, job: JobIdentifier, attempt: UInt32, mailbox: Mailbox, midway: MidwayHeads) {
        let (messages, continuation) = AsyncStream<(Message, Phase)>.makeStream()
        stream = continuation
        let state = state
        writer = Task {
            for await (message, phase) in messages {
                do throws(Fault) {
                    try await line.send(message, phase: phase, job: job, attempt: attempt)
                    try await midway.passed(message.kind, phase, .sent)
                    try await midway.settle(.sent)
                } catch {
                    state.fail(error)
                    await mailbox.notify()
                    throw error
                }
                state.sent()
                await mailbox.notify()
            }
        }
    }

    private final class State: Sendable {
        private let inner = Mutex<(queued: Int, failure: Fault?)>((0, nil))
        func posted() { inner.withLock { $0.queued += 1 } }
        func sent() { inner.withLock { $0.queued -= 1 } }
        func fail(_ fault: Fault) { inner.withLock { $0.failure = fault } }
        var queued: Int { inner.withLock { $0.queued } }
        var failure: Fault? { inner.withLock { $0.failure } }
    }

    var count: Int { state.queued }

    func post(_ message: Message, phase: Phase) {
        state.posted()
        stream.yield((message, phase))
    }

    func check() async throws(Fault) {
        if let fault = state.failure { throw fault }
    }

    /// After everything has gone out: a writer that waits for more would hold the job's memory for ever.
    func finish() async {
        stream.finish()
        _ = try? await writer.value
    }

    /// Drops what has not gone out.
    func abandon() async {
        stream.finish()
        writer.cancel()
        _ = try? await writer.value
    }
}

/// How long each phase took.
private struct PhaseClock {
    private(set) var measurements = RunMeasurements()
    private var phase = Phase.opening
    private var since: ContinuousClock.Instant

    init(_ start: ContinuousClock.Instant) { since = start }

    mutating func enter(_ next: Phase, _ now: ContinuousClock.Instant) {
        guard next != phase else { return }
        close(now)
        phase = next
    }

    mutating func close(_ now: ContinuousClock.Instant) {
        let spent = seconds(now - since)
        since = now
        switch phase {
        case .opening, .alignment: measurements.secondsAligning += spent
        case .preparation, .training: measurements.secondsTraining += spent
        case .scoring, .closing: measurements.secondsScoring += spent
        default: break
        }
    }
}

private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

private let computing = DispatchQueue(label: "jointlab.compute", attributes: .concurrent)

/// Runs heavy work on a thread of its own, so that lines are served meanwhile.
func compute<Value: Sendable>(_ work: @escaping @Sendable () throws(Fault) -> Value) async throws(Fault) -> Value {
    let result: Result<Value, Fault> = await withCheckedContinuation { continuation in
        computing.async { continuation.resume(returning: Result { () throws(Fault) in try work() }) }
    }
    return try result.get()
}
