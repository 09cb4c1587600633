import ArbiterRole
import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Wire

/// What outlives the arbiter's process.
final class ArbiterDisk {
    let folder: URL
    var records: [JobIdentifier: [UInt8]] = [:]
    var specifications: [JobIdentifier: [UInt8]] = [:]

    init(_ folder: URL) { self.folder = folder }
}

/// As ArbiterRuntime's `ArbiterNode` around the real machine.
final class ArbiterShell {
    private let run: Run
    private let disk: ArbiterDisk
    let book: Book
    private let operations: OperationsLedger
    private var machine: ArbiterMachine
    private var lines: [ArbiterLine: Line] = [:]
    private var connections: UInt64 = 0
    private var world: World { run.world }

    init(_ disk: ArbiterDisk, _ run: Run) throws {
        self.run = run
        self.disk = disk
        book = Book(disk.folder, .middle, run.lab) { _, _ in nil }
        operations = try OperationsLedger(directory: disk.folder.appending(path: OperationsFile.directory), node: Name.middle.rawValue,
                                          key: Lab.key(.middle), contract: run.lab.contractBytes)
        var records: [JobRecord] = disk.records.values.compactMap {
            guard case .jobRecord(let record)? = try? Message.decode(kind: .jobRecord, payload: $0) else { return nil }
            return record
        }
        // As a folder is listed: in no order of time.
        records.sort { $0.job.lexicographicallyPrecedes($1.job) }
        if run.world.bug == .jobForgotten { records = [] }
        if run.world.bug == .attemptForgotten { records = records.map { record in JobRecord.filled { $0 = record; $0.attempt = 1 } } }
        machine = run.lab.arbiter(records: records, specifications: disk.specifications)
    }

    func start() throws {
        try operate(.nodeStarted)
        tick()
    }

    private func tick() {
        world.after(1000, .middle) { [self] in
            try step(.tick)
            tick()
        }
    }

    @discardableResult
    private func operate(_ action: OperationsEntry.Action, job: JobIdentifier? = nil, object: String? = nil) throws -> OperationsHead {
        let head: OperationsLedger.SignedHead
        do { head = try operations.append(action, actor: "node", job: job, object: object) } catch { throw Fault(.unwritable, at: "operations") }
        return .filled {
            $0.size = head.checkpoint.size
            $0.root = head.checkpoint.root.data
            $0.signature = head.signature.data
        }
    }

    func welcome(_ connection: End) throws {
        let end: ArbiterLine
        if connection.other == .ann {
            connections += 1
            end = .person("ann", connection: connections)
        } else {
            end = .party(connection.other.rawValue)
        }
        let line = Line(connection, book: connection.other == .ann ? nil : book)
        // A node that dials again has lost its earlier line.
        lines[end]?.close()
        lines[end] = line
        try step(.connected(end))
        connection.wake = { [self] in try hear(line, end) }
        try hear(line, end)
    }

    private func hear(_ line: Line, _ end: ArbiterLine) throws {
        do {
            while lines[end] === line, let received = try line.receive() {
                if world.bug == .cancellationIgnored, case .cancelJob = received.message { continue }
                let before = machine
                let fresh = received.message.kind == .submitJob ? run.freshJob() : .none
                try step(.heard(received.message, job: received.job, from: end, fresh: fresh))
                if case .jobEnd(let told) = received.message, told.hasFault {
                    run.observer.arbiterHears(told.fault.fault(from: line.end.other.rawValue), from: line.end.other, received.job, before: before)
                }
            }
            guard line.end.isOver else { return }
        } catch let fault as Fault {
            world.log(.middle, fault)
        }
        line.close()
        guard lines[end] === line else { return }
        lines[end] = nil
        try step(.lost(end))
    }

    private func step(_ event: ArbiterEvent) throws {
        for effect in machine.step(event, unixSeconds: world.unixSeconds(.middle)) {
            switch effect {
            case .send(let message, let job, let end): try post(message, job, machine.attempt(of: job), end)
            case .keep(let record): try keep(record)
            case .keepSpecification(let bytes, let job):
                disk.specifications[job] = bytes
                try world.point(.middle, "after it kept a specification")
            case .close(let end, let fault):
                world.log(.middle, fault)
                guard let line = lines[end] else { continue }
                line.close()
                world.after(0, .middle) { [self] in
                    guard lines[end] === line else { return }
                    lines[end] = nil
                    try step(.lost(end))
                }
            }
        }
    }

    private func post(_ message: Message, _ job: JobIdentifier, _ attempt: UInt32, _ end: ArbiterLine) throws {
        do {
            try lines[end]?.send(message, job: job, attempt: attempt)
        } catch is Fault {
            // Its reader finds out why.
        }
    }

    private func keep(_ record: JobRecord) throws {
        guard let id = JobIdentifier(octets: record.job.octets) else { return }
        world.log(.middle, "\(id) attempt \(record.attempt) is \(record.state.name.en) \(record.fault.code)")
        do {
            if record.state == .running {
                let head = try operate(.jobStarted, job: id)
                for name in [record.bank, record.platform] { try post(.operationsHead(head), id, record.attempt, .party(name)) }
            }
            if record.state.isFinal { try operate(.jobEnded, job: id, object: record.state == .completed ? "completed" : "\(record.fault.code)") }
        } catch let fault as Fault {
            world.log(.middle, fault)
        }
        if record.state.isFinal || record.state == .interrupted { book.end(id) }
        try world.point(.middle, "before it keeps a record")
        disk.records[id] = Message.jobRecord(record).encodePayload()
        try world.point(.middle, "after it kept a record")
    }

    /// All that it knows, for checks.
    var records: [JobRecord] {
        var copy = machine
        let question = ArbiterEvent.heard(.listJobs(.init()), job: .none, from: .person("ann", connection: 0), fresh: .none)
        for effect in copy.step(question, unixSeconds: world.unixSeconds(.middle)) {
            if case .send(.jobList(let list), _, _) = effect { return list.jobs }
        }
        return []
    }
}

/// The analyst at her tool: asks for a job, follows it until it is over, and asks again where a line is lost.
final class Analyst {
    private let run: Run
    private let specification: [UInt8]
    private let cancellation: Int?
    private var line: Line?
    private(set) var job: JobIdentifier?
    /// What she was told last.
    private(set) var record: JobRecord?
    private(set) var wasForgotten = false
    private(set) var isCancelling = false
    /// Whether she may ask now: she knows what there is, and waits for no answer.
    private var mayAsk = false
    private var world: World { run.world }

    init(_ run: Run, _ specification: [UInt8], cancellation: Int?) {
        self.run = run
        self.specification = specification
        self.cancellation = cancellation
    }

    func start() {
        dial()
        poll()
        if let cancellation { world.after(cancellation, .ann) { [self] in isCancelling = true; try ask() } }
    }

    var isDone: Bool { record.map { $0.state.isFinal } ?? false }

    private func dial() {
        run.network.dial(from: .ann, to: .middle, timeoutMilliseconds: 10_000) { [self] end in
            guard let end else { return world.after(1000, .ann) { [self] in dial() } }
            let line = Line(end, book: nil)
            self.line = line
            end.wake = { [self] in
                while let received = try line.receive() { hear(received) }
                guard end.isOver else { return }
                line.close()
                (self.line, mayAsk) = (nil, false)
                world.after(1000, .ann) { [self] in dial() }
            }
            // Whether an earlier asking came through she does not know.
            try say(.listJobs(.init()), .none)
        }
    }

    private func poll() {
        world.after(2000, .ann) { [self] in
            if !isDone { try ask() }
            poll()
        }
    }

    private func ask() throws {
        guard let job else {
            guard mayAsk else { return }
            mayAsk = false
            return try say(.submitJob(.filled { $0.specification = specification.data }), .none)
        }
        try say(isCancelling && !isDone ? .cancelJob(.init()) : .watchJob(.init()), job)
    }

    private func say(_ message: Message, _ job: JobIdentifier) throws {
        do { try line?.send(message, job: job, attempt: 1) } catch is Fault {}
    }

    private func hear(_ received: Line.Received) {
        switch received.message {
        case .jobList(let list):
            // A probe is another job than those before.
            mayAsk = true
            let known = list.jobs.compactMap { JobIdentifier(octets: $0.job.octets) }.last { !run.earlier.contains($0) }
            job = job ?? known
        case .jobRecord(let record):
            self.record = record
            job = JobIdentifier(octets: record.job.octets) ?? job
        case .refusal(let refusal):
            let faults = refusal.faults.map { $0.fault(from: Name.middle.rawValue) }
            for fault in faults { world.log(.ann, fault) }
            if faults.contains(where: { $0.code == .unknownJob }) { wasForgotten = true }
            mayAsk = true
        default: break
        }
    }
}
