import ArbiterRole
import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Roles
import Wire

/// One seed: three nodes and an analyst, from the start to the checks after everything has healed.
final class Run {
    struct Result {
        let seed: UInt64
        let violations: [Violation]
        let digest: String
        let trace: [String]
        let attempts: Int
        let counts: [FaultClass: Int]
        let isCompleted: Bool
    }

    let lab: Lab
    let world: World
    let network: Network
    private(set) var observer: Observer!
    let disks: [Name: Disk]
    private let arbiterDisk: ArbiterDisk
    private(set) var shells: [Name: DataShell] = [:]
    private(set) var arbiter: ArbiterShell?
    private var draws: [Name: Int] = [:]
    private var submissions = 0
    private let folder: URL
    private(set) var isProbing = false
    /// Jobs from before the probe.
    private(set) var earlier: Set<JobIdentifier> = []

    private init(_ seed: UInt64, _ lab: Lab, wanted: FaultClass?, bug: Bug?, keepsTrace: Bool) {
        self.lab = lab
        world = World(plan: Plan(seed: seed, wanted: wanted), bug: bug, keepsTrace: keepsTrace)
        network = Network(world)
        folder = lab.folder.appending(path: "run")
        let folder = folder
        disks = Dictionary(uniqueKeysWithValues: [Name.north, .south].map { ($0, Disk(folder.appending(path: $0.rawValue))) })
        arbiterDisk = ArbiterDisk(folder.appending(path: Name.middle.rawValue))
        observer = Observer(self)
        network.accept = { [unowned self] end in
            switch end.owner {
            case .middle: try arbiter?.welcome(end)
            default: try shells[end.owner]?.welcome(end)
            }
        }
        network.leaves = { [unowned self] in observer.leaves($0, $1) }
        world.onFall = { [unowned self] in fall($0, losesTail: $1) }
        world.onStart = { [unowned self] in try start($0) }
    }

    /// - Parameter wanted: a kind of fault that is among the seed's in any case.
    static func of(_ seed: UInt64, _ lab: Lab, wanted: FaultClass? = nil, bug: Bug? = nil, keepsTrace: Bool = false) throws -> Result {
        let run = Run(seed, lab, wanted: wanted, bug: bug, keepsTrace: keepsTrace)
        try? FileManager.default.removeItem(at: run.folder)
        defer { run.dissolve() }
        return try run.run()
    }

    private func dissolve() {
        world.dissolve()
        network.dissolve()
        (shells, arbiter) = ([:], nil)
        try? FileManager.default.removeItem(at: folder)
    }

    private func run() throws -> Result {
        let plan = world.plan
        world.log(.ann, "seed \(plan.seed): \(plan.classes.map { "\($0)" }.sorted())")
        for name in [Name.middle, .south, .north] { world.after(0, name) { [self] in try start(name) } }
        let analyst = Analyst(self, lab.specification(rounds: plan.rounds), cancellation: plan.cancellation)
        world.after(500, .ann) { analyst.start() }
        // As long as something can still go wrong or something is still open, and then a little: what has ended has to stay ended.
        let bound = plan.healing + 2 * Lab.deadlineSeconds * 1000 + 60_000
        world.run(until: bound) { [self] in analyst.isDone && world.now > 20_000 && isQuiet }
        world.run(until: world.now + 3000)
        // A line that was lost meanwhile may come back, over whatever stands in its way.
        if !isQuiet { world.run(until: bound) { [self] in isQuiet } }
        if analyst.wasForgotten { world.violate(.outcome, "the arbiter does not know a job that it has confirmed") }
        if analyst.job == nil { world.violate(.healing, "the arbiter never took the job") }
        if analyst.isCancelling, !analyst.isDone { world.violate(.outcome, "a cancellation is not answered") }
        let isCompleted = analyst.record?.state == .completed
        let attempts = Int(analyst.record?.attempt ?? 0)
        let isUnreachable = analyst.record?.fault.fault(from: "").code == .peerUnreachable
        // Two silences, of a minute each, are longer than the deadline.
        let isShort = network.silentLosses < 2
        if plan.isPassing, isShort, !isCompleted, attempts < Int(JobIdentifier.mostAttempts), !isUnreachable {
            world.violate(.healing, "what went wrong was passing, and the job is \(analyst.record?.state.name.en ?? "nowhere")")
        }
        if plan.cutsAlone, isShort, !isCompleted || attempts > 1 {
            world.violate(.healing, "nothing but the line between the parties was cut, and the job is \(analyst.record?.state.name.en ?? "nowhere") "
                + "in attempt \(attempts)")
        }
        if plan.probes, world.bug == nil { probe() }
        try observer.finish()
        return Result(seed: plan.seed, violations: world.violations, digest: world.digest, trace: world.trace, attempts: attempts,
                      counts: world.counts, isCompleted: isCompleted)
    }

    private var isQuiet: Bool { world.isUp.count == Name.allCases.count && shells.values.allSatisfy(\.isIdle) }

    /// After everything has healed another job is done in a minute.
    private func probe() {
        world.run(until: max(world.now, world.plan.healing + 60_000))
        isProbing = true
        earlier = Set((arbiter?.records ?? []).compactMap { JobIdentifier(octets: $0.job.octets) })
        let analyst = Analyst(self, lab.specification(rounds: 1), cancellation: nil)
        world.after(0, .ann) { analyst.start() }
        world.run(until: world.now + 60_000) { [self] in analyst.isDone && isQuiet }
        if analyst.record?.state != .completed {
            let words = analyst.record.map { "\($0.state.name.en) \($0.fault.code)" } ?? "never taken"
            world.violate(.healing, "another job is not done in a minute: \(words)")
        }
    }

    private func start(_ name: Name) throws {
        switch name {
        case .middle:
            let shell = try ArbiterShell(arbiterDisk, self)
            arbiter = shell
            try shell.start()
        case .north, .south:
            guard let disk = disks[name] else { return }
            let shell = try DataShell(name, disk, self)
            shells[name] = shell
            try shell.start()
        case .ann: break
        }
    }

    private func fall(_ name: Name, losesTail: Bool) {
        network.fall(name, silently: losesTail)
        if losesTail {
            (shells[name]?.book ?? arbiter?.book)?.loseTail(world)
            if world.bug == .unsyncedOperations { for (path, bytes) in disks[name]?.operationsBefore ?? [] { truncate(path, off_t(bytes)) } }
        }
        shells[name] = nil
        if name == .middle { arbiter = nil }
    }

    // What is drawn

    func freshJob() -> JobIdentifier {
        submissions += 1
        return JobIdentifier(octets: SHA256.hash(Array("job \(world.plan.draw) \(submissions)".utf8)).prefix(16)) ?? .none
    }

    func freshSecrets(_ name: Name, _ job: JobIdentifier, _ attempt: UInt32) -> JobSecrets {
        draws[name, default: 0] += 1
        let label = "\(world.plan.draw) \(name.rawValue) \(draws[name, default: 0])"
        return JobSecrets(secrets: Dictionary(uniqueKeysWithValues: Purpose.allCases.map { purpose in
            (purpose, SecretBytes(copying: SHA256.hash(Array("\(label) \(purpose.rawValue)".utf8))))
        }), job: job, attempt: attempt, role: name.role)
    }

    // What is on the disks

    func record(_ job: JobIdentifier) -> JobRecord? { arbiter?.records.first { $0.job.octets == job.octets } }

    func record(_ job: JobIdentifier, in machine: ArbiterMachine) -> JobRecord? {
        var copy = machine
        for effect in copy.step(.heard(.showJob(.init()), job: job, from: .person("ann", connection: 0), fresh: .none), unixSeconds: 0) {
            if case .send(.jobRecord(let record), _, _) = effect { return record }
        }
        return nil
    }

    func books(_ job: JobIdentifier) -> [String] { [Name.north, .south, .middle].map { folder.appending(path: "\($0.rawValue)/ledger/\(job)").path } }

    func records(_ job: JobIdentifier, of name: Name, _ file: String) -> [UInt8] {
        (try? [UInt8](Data(contentsOf: folder.appending(path: "\(name.rawValue)/ledger/\(job)/\(file)")))) ?? []
    }
}
