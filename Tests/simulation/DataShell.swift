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
    /// At a platform, of jobs that have ended: a bank that dials again is told how far they came.
    private var earlierLines: [(job: JobIdentifier, line: ResumableLine)] = []
    private static let mostEarlierLines = 32
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
        if world.bug == .maskReuse, name == .north, let snapshot = disk.snapshot { Session.goOn(snapshot, self) }
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
            let line = Line(end, book: book)
            arbiter = line
            end.wake = { [self] in try hearArbiter(line) }
            world.after(15_000, name) { [self] in if arbiter === line, !isRegistered { try lostArbiter() } }
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
                session.dismiss()
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
        guard !open.started else { return }
        open.session.dismiss()
        try ended(open, id, fault)
        forget(id)
    }

    @discardableResult
    private func ended(_ open: OpenJob, _ id: JobIdentifier, _ fault: Fault?) throws -> OperationsHead {
        if let fault { world.log(name, fault) } else { world.log(name, "completed") }
        try record(.keysDestroyed, job: id)
        return try record(.jobEnded, job: id, object: fault.map { "\($0.code.rawValue)" } ?? "completed")
    }

    private func forget(_ id: JobIdentifier) {
        if name == .south, let open = jobs[id] {
            earlierLines = earlierLines.suffix(Self.mostEarlierLines - 1) + [(id, open.session.carrier)]
        }
        jobs[id] = nil
        book.end(id)
    }

    // Running

    private func begin(_ open: OpenJob, _ id: JobIdentifier) throws {
        try record(.jobStarted, job: id)
        try open.session.run()
    }

    /// A bank has connected, for the first time or again: its greeting says for which job.
    func welcome(_ connection: End) throws {
        try connection.first(withinMilliseconds: 15_000) { [self] greeting in
            let earlier = world.bug == .lateGreetingIgnored ? [] : earlierLines
            guard let greeting = try? greeting.get(),
                  let line = jobs[greeting.job]?.session.carrier ?? earlier.last(where: { $0.job == greeting.job })?.line
            else { return connection.close() }
            try line.attach(connection, greeted: greeting)
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
