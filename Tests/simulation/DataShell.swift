import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Roles
import Wire

/// What outlives a data node's process.
final class Disk {
    let folder: URL
    /// Files of results by job; what is written aside is not among them.
    var results: [JobIdentifier: [String: [UInt8]]] = [:]
    var starts = 0
    /// For bugs alone.
    var snapshot: Session.Snapshot?
    var formerSecrets: [Purpose: SecretBytes]?
    var operationsBefore: [(path: String, bytes: Int)] = []

    init(_ folder: URL) { self.folder = folder }
}

/// As NodeRuntime's `DataNode`: keeps a line to the arbiter, answers offers, runs jobs. Descriptions of data are not published, and consent
/// is the configuration's.
final class DataShell {
    final class OpenJob {
        let session: Session
        var started = false
        var hasLine = false
        /// The bank's line, which may arrive before the arbiter's start.
        var arrival: (line: Line, first: Message)?
        var isArrivalOver = false
        /// What the job was ended with from outside.
        var ending: Fault?
        /// When its run began, which waits for the line.
        var beganAt: Int?

        init(_ session: Session) { self.session = session }
    }

    let name: Name
    let run: Run
    let disk: Disk
    let book: Book
    private let operations: OperationsLedger
    private var arbiter: Line?
    private var isRegistered = false
    private(set) var jobs: [JobIdentifier: OpenJob] = [:]
    private(set) var considered: [JobIdentifier: Result<Void, Fault>] = [:]
    private var delayMilliseconds = 1000

    private var world: World { run.world }
    private var observer: Observer { run.observer }

    init(_ name: Name, _ disk: Disk, _ run: Run) throws {
        self.name = name
        self.disk = disk
        self.run = run
        book = Book(disk.folder, name, run.lab) { job, attempt in
            if run.world.bug == .oldSecrets, attempt > 1, let former = disk.formerSecrets {
                return JobSecrets(secrets: former, job: job, attempt: attempt, role: name.role)
            }
            let secrets = run.freshSecrets(name, job, attempt)
            disk.formerSecrets = Dictionary(uniqueKeysWithValues: Purpose.allCases.map { ($0, secrets.secret($0)) })
            return secrets
        }
        operations = try OperationsLedger(directory: disk.folder.appending(path: OperationsFile.directory), node: name.rawValue,
                                          key: Lab.key(name), contract: run.lab.contractBytes)
    }

    func start() throws {
        // What the disk has for certain: nothing of this process would be on it.
        disk.operationsBefore = [OperationsFile.entries, OperationsFile.heads].map {
            let path = disk.folder.appending(path: "\(OperationsFile.directory)/\($0)").path
            let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber
            return (path, size?.intValue ?? 0)
        }
        try record(.nodeStarted)
        dialArbiter()
        if world.bug == .maskReuse, name == .north, let snapshot = disk.snapshot { try Session.goOn(snapshot, self) }
    }

    /// On the disk, and signed, when it returns.
    @discardableResult
    func record(_ action: OperationsEntry.Action, job: JobIdentifier? = nil, object: String? = nil) throws -> OperationsHead {
        try world.point(name, "before its operations hold \(action.rawValue)")
        let head: OperationsLedger.SignedHead
        do { head = try operations.append(action, actor: "node", job: job, object: object) } catch { throw Fault(.unwritable, at: "operations") }
        try world.point(name, "after its operations hold \(action.rawValue)")
        return .filled {
            $0.size = head.checkpoint.size
            $0.root = head.checkpoint.root.data
            $0.signature = head.signature.data
        }
    }

    // The arbiter's line

    private func dialArbiter() {
        run.network.dial(from: name, to: .middle, timeoutMilliseconds: 10_000) { [self] end in
            guard let end else { return try lostArbiter() }
            let line = Line(end, run.network, book: book, observer: observer)
            arbiter = line
            end.wake = { [self] in try hearArbiter(line) }
            do {
                try line.send(run.lab.registration, job: .none, attempt: 0)
                try hearArbiter(line)
            } catch is Fault {
                try lostArbiter()
            }
        }
    }

    private func lostArbiter() throws {
        arbiter?.close()
        arbiter = nil
        isRegistered = false
        try endAll(Fault(.peerLost, at: Name.middle.rawValue))
        world.after(delayMilliseconds * world.draw(75...125) / 100, name) { [self] in dialArbiter() }
        delayMilliseconds = min(delayMilliseconds * 2, 30_000)
    }

    private func hearArbiter(_ line: Line) throws {
        guard arbiter === line else { return }
        do {
            while let received = try line.receive() {
                if case .nodeRegistered = received.message {
                    isRegistered = true
                    delayMilliseconds = 1000
                    world.log(name, "is registered")
                } else {
                    try hear(received, line)
                }
                guard arbiter === line else { return }
            }
            if line.end.isOver { try lostArbiter() }
        } catch let fault as Fault {
            world.log(name, fault)
            try lostArbiter()
        }
    }

    /// Posts to the line that the job came by: a lost one takes nothing any more.
    func post(_ message: Message, phase: Phase = .waiting, job: JobIdentifier, attempt: UInt32, to line: Line) throws {
        do {
            try line.send(message, phase: phase, job: job, attempt: attempt)
        } catch is Fault {
            // Its reader finds out why.
        }
    }

    private func hear(_ received: Line.Received, _ line: Line) throws {
        let id = received.job
        switch received.message {
        case .jobOffer(let offer):
            considered[id] = .success(())
            // Data are read meanwhile.
            world.after(world.draw(1...800), name) { [self] in try consider(offer, id, received.attempt, line) }
        case .jobStart:
            guard let open = jobs[id], !open.started else { return }
            open.started = true
            world.after(0, name) { [self] in try begin(open, id) }
        case .operationsHead(let head):
            let checkpoint = Checkpoint.operations(of: Name.middle.rawValue, size: head.size, root: head.root.octets)
            guard Lab.key(.middle).verifyingKey.accepts(head.signature.octets, for: checkpoint.text) else {
                return try end(id, Fault(.cryptographicCheck, at: Name.middle.rawValue))
            }
        case .verdict, .headSignatures:
            try jobs[id]?.session.deliver(received.message)
        case .jobStop(let stop):
            if world.bug == .stopIgnored, name == .north { return }
            try end(id, stop.fault.fault(from: Name.middle.rawValue))
        default:
            break
        }
    }

    private func consider(_ offer: JobOffer, _ id: JobIdentifier, _ attempt: UInt32, _ line: Line) throws {
        do {
            try record(.jobApproved, job: id)
            guard case .success? = considered[id] else {
                considered[id] = nil
                return book.end(id)
            }
            guard let secrets = book.takeSecrets(id) else { throw Fault(.defect, at: "consider") }
            observer.secrets(secrets, of: name, job: id, attempt)
            let table = world.plan.refusing == name && attempt == 1 && !run.isProbing ? "short" : "main"
            let machine = try run.lab.machine(name, offer, id, attempt, secrets, table: table)
            try record(.dataRead, job: id, object: "main")
            try record(.keysMade, job: id)
            let head = try record(.subjectsRead, job: id, object: "main")
            let session = Session(id, attempt, machine, self, arbiter: line)
            let open = OpenJob(session)
            jobs[id] = open
            if case .failure(let fault) = considered.removeValue(forKey: id) ?? .failure(Fault(.cancelled)) {
                try ended(open, id, fault)
                return forget(id)
            }
            try post(.operationsHead(head), job: id, attempt: attempt, to: line)
            try post(.jobAnswer(.init()), job: id, attempt: attempt, to: line)
        } catch var fault as Fault {
            considered[id] = nil
            if world.bug == .subjectNamed { fault = Fault(fault.code, at: fault.place, arguments: ["\(Lab.canary)7"]) }
            world.log(name, fault)
            observer.refuses(fault, job: id)
            try record(.jobRefused, job: id, object: "\(fault.code.rawValue)")
            if world.bug == .reasonLost { fault = Fault(.defect, at: "") }
            try post(.jobAnswer(.filled { $0.refusal = FaultNote(fault) }), job: id, attempt: attempt, to: line)
            book.end(id)
        }
    }

    private func endAll(_ fault: Fault) throws {
        considered = considered.mapValues { $0.flatMap { .failure(fault) } }
        for id in jobs.keys.sorted(by: { "\($0)" < "\($1)" }) { try end(id, fault) }
    }

    private func end(_ id: JobIdentifier, _ fault: Fault) throws {
        considered[id] = considered[id]?.flatMap { .failure(fault) }
        guard let open = jobs[id] else { return }
        try open.session.end(fault)
        open.isArrivalOver = true
        open.ending = open.ending ?? fault
        if !open.started {
            try ended(open, id, fault)
            forget(id)
        } else if name == .south, open.beganAt != nil, !open.session.isRunning, open.arrival == nil {
            try noArrival(open, id)
        }
    }

    @discardableResult
    private func ended(_ open: OpenJob, _ id: JobIdentifier, _ fault: Fault?) throws -> OperationsHead {
        if let fault { world.log(name, fault) } else { world.log(name, "completed") }
        try record(.keysDestroyed, job: id)
        return try record(.jobEnded, job: id, object: fault.map { "\($0.code.rawValue)" } ?? "completed")
    }

    private func forget(_ id: JobIdentifier) {
        jobs[id] = nil
        book.end(id)
    }

    // Running

    private func begin(_ open: OpenJob, _ id: JobIdentifier) throws {
        try record(.jobStarted, job: id)
        open.beganAt = world.now
        guard name == .north else {
            if let arrival = open.arrival { return try open.session.run(arrival.line, first: arrival.first) }
            if open.isArrivalOver { return try noArrival(open, id) }
            return world.after(min(60, Lab.deadlineSeconds) * 1000, name) { [self] in
                guard jobs[id] === open, open.arrival == nil, !open.isArrivalOver else { return }
                open.isArrivalOver = true
                try noArrival(open, id)
            }
        }
        run.network.dial(from: name, to: .south, timeoutMilliseconds: 15_000) { [self] end in
            guard let end else { return try finished(id, Fault(.peerUnreachable, at: Name.south.rawValue, "127.0.0.1:1")) }
            try open.session.run(Line(end, run.network, book: book, observer: observer), first: nil)
        }
    }

    private func noArrival(_ open: OpenJob, _ id: JobIdentifier) throws {
        if let ending = open.ending { return try finished(id, ending) }
        let fault = Fault(.deadlinePassed, at: Name.north.rawValue, "\(min(60, Lab.deadlineSeconds))")
        if world.now - (open.beganAt ?? 0) < 60_000 { world.violate(.outcome, "\(name.rawValue) tells of a deadline that has not passed") }
        try finished(id, fault)
    }

    /// Whether the frame greets for a job that is open here, and has no line yet.
    private func opensLine(_ frame: Frame) -> Bool {
        guard frame.kind == .hello, let open = jobs[frame.job], open.session.attempt == frame.attempt, !open.hasLine else { return false }
        open.hasLine = true
        return true
    }

    /// A bank has connected: its first frame says for which job.
    func welcome(_ end: End) {
        let line = Line(end, run.network, book: book, observer: observer)
        end.wake = { [self] in
            let received: Line.Received?
            do { received = try line.receive(if: { [self] in opensLine($0) }) } catch is Fault { return line.close() }
            guard let received else {
                if end.isOver { line.close() }
                return
            }
            guard let open = jobs[received.job], !open.isArrivalOver else { return line.close() }
            open.arrival = (line, received.message)
            end.wake = {}
            if open.beganAt != nil { try open.session.run(line, first: received.message) }
        }
    }

    /// The session is over.
    ///
    /// - Parameter fault: nothing where the job is completed.
    func finished(_ id: JobIdentifier, _ fault: Fault?) throws {
        guard let open = jobs[id] else { return }
        var fault = fault
        if let found = fault { observer.found(found, by: name, job: id) }
        if world.bug == .corruptionPasses, let found = fault, Observer.isForGood(found) { fault = Fault(.peerLost, at: found.place) }
        let head = try ended(open, id, fault)
        let session = open.session
        try post(.operationsHead(head), job: id, attempt: session.attempt, to: session.arbiter)
        try post(.jobEnd(.filled { end in if let fault { end.fault = FaultNote(fault) } }), job: id, attempt: session.attempt, to: session.arbiter)
        forget(id)
    }

    /// The line to the arbiter as it is now.
    var isIdle: Bool { jobs.isEmpty && considered.isEmpty && isRegistered }
}
