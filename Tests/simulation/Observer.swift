import ArbiterRole
import Audit
import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Roles
import Wire

/// Sees everything that leaves, is kept or is told, and holds it to the invariants. Nodes know nothing of it.
final class Observer {
    private unowned let run: Run
    private var frames: [String: [UInt8]] = [:]
    private var heads: [String: [UInt8]] = [:]
    private var secretOwners: [[UInt8]: String] = [:]
    private var secretBytes: [[UInt8]] = []
    private(set) var offers: [JobIdentifier: (offer: JobOffer, attempt: UInt32)] = [:]
    private(set) var secrets: [JobIdentifier: [Role: JobSecrets]] = [:]
    private var closings: Set<String> = []
    private var refusals: [JobIdentifier: Fault] = [:]
    private var found: [String: Fault] = [:]
    /// Jobs whose end for good the arbiter has heard while they ran.
    private var endedForGood: Set<JobIdentifier> = []
    private var world: World { run.world }

    init(_ run: Run) { self.run = run }

    private func violate(_ invariant: Invariant, _ sentence: String) { world.violate(invariant, sentence) }

    /// A frame leaves its node, for the first time or again.
    func leaves(_ frame: Frame, _ end: End) {
        let bytes = frame.encode()
        let digest = SHA256.hash(bytes)
        // Entries of the operations hold the time of this machine.
        let shown = frame.kind == .operationsHead ? [] : digest.prefix(4)
        world.log(end.owner, "-> \(end.other.rawValue) \(frame.kind.name) \(frame.sequence) \(shown)")
        let text = "\(end.owner.rawValue) \(end.other.rawValue) \(frame.job) \(frame.attempt)"
        // A line to the arbiter serves many jobs and counts its own frames.
        // An acknowledgement belongs to no sequence.
        if Plan.links[0] == [end.owner, end.other], frame.kind != .acknowledgement {
            let place = "\(text) \(frame.sequence)"
            if let earlier = frames[place], earlier != digest { violate(.bytes, "two byte strings for \(place)") }
            frames[place] = digest
        }
        for secret in secretBytes + [Array(Lab.canary.utf8)] where Self.holds(bytes, secret) {
            violate(.silence, "a frame \(frame.kind.name) holds a secret or a subject")
        }
        guard let message = try? frame.message() else { return }
        switch message {
        case .ledgerHeads(let heads): sees(heads, end.owner, frame)
        case .headSubmission(let submission): sees(submission.heads, end.owner, frame)
        case .operationsHead(let head): signs(end.owner, "operations", head.size, head.root.octets)
        case .jobOffer(let offer): sees(offer, frame)
        case .jobRecord(let record):
            world.checkSilence("\(record.fault.place) \(record.fault.arguments)")
        default: break
        }
    }

    private static func holds(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var start = 0
            while start + part.count <= bytes.count, let found = memchr(base + start, Int32(part[0]), bytes.count - start - part.count + 1) {
                if memcmp(found, part, part.count) == 0 { return true }
                start = UnsafeRawPointer(found) - base + 1
            }
            return false
        }
    }

    private func sees(_ heads: LedgerHeads, _ signer: Name, _ frame: Frame) {
        signs(signer, "\(frame.job) \(frame.attempt) sent", heads.sentSize, heads.sentRoot.octets)
        signs(signer, "\(frame.job) \(frame.attempt) received", heads.receivedSize, heads.receivedRoot.octets)
        signedSizes["\(signer.rawValue) \(frame.job)"] = (heads.sentSize, heads.receivedSize)
    }

    /// What each party's signed heads say at least of its own ledger.
    private var signedSizes: [String: (sent: UInt64, received: UInt64)] = [:]

    private func signs(_ signer: Name, _ tree: String, _ size: UInt64, _ root: [UInt8]) {
        let place = "\(signer.rawValue) \(tree) \(size)"
        if let earlier = heads[place], earlier != root { violate(.ledgers, "two heads of one size: \(place)") }
        heads[place] = root
    }

    private func sees(_ offer: JobOffer, _ frame: Frame) {
        offers[frame.job] = (offer, frame.attempt)
        if let earlier = offers[frame.job.previous] {
            if frame.attempt != earlier.attempt + 1 { violate(.outcome, "attempt \(frame.attempt) comes after attempt \(earlier.attempt)") }
            if endedForGood.contains(frame.job.previous) { violate(.outcome, "a job that ended for good is taken up again") }
        }
        if frame.attempt > JobIdentifier.mostAttempts { violate(.outcome, "attempt \(frame.attempt)") }
    }

    func secrets(_ secrets: JobSecrets, of name: Name, job: JobIdentifier, _ attempt: UInt32) {
        self.secrets[job, default: [:]][name.role] = secrets
        for purpose in Purpose.allCases {
            let secret = secrets.secret(purpose).octets
            let use = "\(name.rawValue) \(job) \(attempt)"
            if let earlier = secretOwners[secret], earlier != use { violate(.bytes, "the secret \(purpose.rawValue) serves \(earlier) and \(use)") }
            if secretOwners[secret] == nil { secretBytes.append(secret) }
            secretOwners[secret] = use
        }
    }

    func refuses(_ fault: Fault, job: JobIdentifier) { refusals[job] = refusals[job] ?? fault }
    func hearsClosing(_ name: Name, _ job: JobIdentifier) { closings.insert("\(name.rawValue) \(job)") }

    func keepsResults(_ name: Name, _ job: JobIdentifier) {
        if !closings.contains("\(name.rawValue) \(job)") { violate(.outcome, "\(name.rawValue) keeps results before the other party has finished") }
    }

    /// Whether trying again would be wrong: a cryptographic or protocol failure.
    static func isForGood(_ fault: Fault) -> Bool {
        [.unexpectedMessage, .malformedMessage, .wrongCount, .cryptographicCheck, .ledgersDiffer, .contractMismatch].contains(fault.code)
    }

    func found(_ fault: Fault, by name: Name, job: JobIdentifier) { found["\(name.rawValue) \(job)"] = fault }

    /// What a node says of an end that it found for good has to be heard as that.
    func arbiterHears(_ fault: Fault, from name: Name, _ job: JobIdentifier, before: ArbiterMachine) {
        guard let own = found["\(name.rawValue) \(job)"], Self.isForGood(own) else { return }
        if run.record(job, in: before)?.state == .running { endedForGood.insert(job) }
    }

    // When the run is over

    func finish() throws {
        let records = run.arbiter?.records ?? []
        for record in records { try check(record, records) }
        for name in [Name.north, .south] {
            guard let shell = run.shells[name] else { continue }
            if !shell.isIdle { violate(.outcome, "\(name.rawValue) still has a job open, or no line: \(shell.jobs.count) \(shell.considered.count)") }
        }
        for job in offers.keys.sorted(by: { "\($0)" < "\($1)" }) { try checkLedgers(job) }
    }

    private func check(_ record: JobRecord, _ all: [JobRecord]) throws {
        guard let job = JobIdentifier(octets: record.job.octets) else { return }
        guard record.state.isFinal else { return violate(.outcome, "\(job) is \(record.state.name.en) for ever") }
        if record.state != .completed, record.fault.code == 0 { violate(.outcome, "\(job) ended without a reason") }
        if let refusal = refusals[job], record.state == .failed, record.fault.code != UInt32(refusal.code.rawValue),
           record.fault.fault(from: "").code != .peerLost {
            violate(.outcome, "a refusal for \(refusal.code) is told as \(record.fault.fault(from: "").code)")
        }
        for name in [Name.north, .south] {
            guard let files = run.disks[name]?.results[job] else {
                if record.state == .completed { violate(.outcome, "\(name.rawValue) has no results of a completed job") }
                continue
            }
            guard let (offer, attempt) = offers[job], let secrets = secrets[job], secrets.count == 2 else { continue }
            let honest = try run.lab.undisturbed(offer, job, attempt, secrets)[name.role] ?? [:]
            if files != honest, !isShownByAudit(job) {
                violate(.outcome, "\(name.rawValue) has other results than the undisturbed run: \(files.keys.sorted()) of \(honest.keys.sorted())")
            }
        }
    }

    /// A word of the arbiter that was altered on its line changes a model, and no head speaks of it: the ledgers of both ends do.
    private func isShownByAudit(_ job: JobIdentifier) -> Bool {
        guard world.plan.classes.contains(.corruption) else { return false }
        let directories = run.books(job).compactMap { try? LedgerDirectory.open($0) }
        return directories.count == 3 && !Reconciliation.reconcile(directories).findings.isEmpty
    }

    private func checkLedgers(_ job: JobIdentifier) throws {
        for (from, to) in [(Name.north, Name.south), (.south, .north)] {
            let sent = run.records(job, of: from, LedgerFile.records(to.rawValue, .sent))
            let received = run.records(job, of: to, LedgerFile.records(from.rawValue, .received))
            let losesTail = world.plan.crashes.contains { $0.losesTail }
            let isAltered = world.plan.classes.contains(.corruption)
            // What was received has been sent; of what was sent the sender's power failure may have lost the record.
            let common = losesTail ? min(sent.count, received.count) : received.count
            if !isAltered, Array(sent.prefix(common)) != Array(received.prefix(common)) {
                violate(.ledgers, "\(to.rawValue) has received in \(job) what \(from.rawValue) has not sent, or in another order")
            }
            // The ledger under a head that was signed is there.
            let signed = (signedSizes["\(from.rawValue) \(job)"]?.sent, signedSizes["\(to.rawValue) \(job)"]?.received)
            for (name, size, records) in [(from, signed.0, sent), (to, signed.1, received)] {
                if let size, records.count / FrameRecord.byteCount < Int(size) {
                    violate(.ledgers, "\(name.rawValue) signed a head of \(size) records in \(job) and has \(records.count / FrameRecord.byteCount)")
                }
            }
        }
        guard run.record(job)?.state == .completed, !world.plan.classes.contains(.corruption), !world.plan.crashes.contains(where: \.losesTail)
        else { return }
        for path in run.books(job) {
            guard let directory = try? LedgerDirectory.open(path) else { continue }
            // Sockets, whose bytes are counted, are not simulated.
            for finding in Verification.verify(directory).findings.filter({ $0.rule != .bytes }).prefix(1) { violate(.ledgers, finding.text(.en)) }
        }
    }
}
