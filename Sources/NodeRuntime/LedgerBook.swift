import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Roles
import Synchronization
import Wire

/// The ledgers of a node's jobs: every frame of a job passes here before it is sent or acted on.
///
///     ledger/JOB/   as in Protocols/ledger.md
///
/// A job's ledger begins with its offer, which brings the specification. Frames of no job say only that a node is up, and
/// are not kept.
package final class LedgerBook: Sendable {
    private let directory: URL
    private let node: String
    private let role: Role
    private let contract: [UInt8]
    private let retention: Retention
    private let hasSM3: Bool
    private let breakdown: Breakdown
    private let open = Mutex<[JobIdentifier: OpenLedger]>([:])
    private let ended = Mutex<[JobIdentifier]>([])
    /// Ledgers of ended jobs stay open for frames that crossed with the end, until so many newer ones have ended.
    private static let mostEnded = 32
    /// Of one line to or from the arbiter, in one job: a word a second for twelve days. Between data parties the roles know what has to come.
    package static let mostRecords: UInt64 = 1 << 20
    private let mostRecords: UInt64

    private struct OpenLedger: Sendable {
        let manifest: LedgerManifest
        let specification: [UInt8]
        /// Of a data party, until its offer is considered.
        var secrets: JobSecrets?
        var lines: [String: LedgerWriter] = [:]
    }

    /// `DATA/ledger`.
    package var root: URL { directory }

    func path(_ job: JobIdentifier) -> String { directory.appendingPathComponent("\(job)", isDirectory: true).path }

    /// - Parameters:
    ///   - hasSM3: whether the contract's suite wants SM3 digests in records.
    ///   - breakdown: is told where a ledger cannot be written; after that no frame is recorded, and so none is sent.
    ///   - mostRecords: after which `isFull`.
    package init(directory: URL, node: String, role: Role, contract: [UInt8], retention: Retention, hasSM3: Bool, breakdown: Breakdown,
                 mostRecords: UInt64 = LedgerBook.mostRecords) {
        self.breakdown = breakdown
        self.mostRecords = mostRecords
        self.directory = directory.appendingPathComponent("ledger", isDirectory: true)
        self.node = node
        self.role = role
        self.contract = contract
        self.retention = retention
        self.hasSM3 = hasSM3
    }

    func record(_ frame: Frame, _ direction: Direction, line: String) throws(Fault) {
        if let fault = breakdown.fault { throw fault }
        guard frame.job != .none, frame.kind.isRecorded else { return }
        if frame.kind == .jobOffer { begin(frame) }
        // A frame that crossed with the end of its job is not acted on.
        guard let writer = try writer(frame.job, line: line) else { return }
        do {
            try writer.append(frame, direction)
        } catch {
            throw Fault(.unwritable, at: "ledger")
        }
    }

    /// Whether the arbiter, or that party to it, has sent all of an open job that its ledger takes.
    func isFull(_ job: JobIdentifier, line: String) -> Bool {
        open.withLock { $0[job]?.lines[line] }.map { $0.size(.received) >= mostRecords } ?? false
    }

    /// Returns once little enough of that line waits for the disk.
    func room(_ job: JobIdentifier, line: String) async { await open.withLock { $0[job]?.lines[line] }?.room() }

    private func begin(_ frame: Frame) {
        guard case .jobOffer(let offer)? = try? frame.message() else { return }
        let specification = offer.specification.octets
        open.withLock { open in
            guard open[frame.job] == nil else { return }
            // Drawn now, for the manifest commits to them.
            let secrets = role == .arbiter ? nil : JobSecrets.fresh(job: frame.job, attempt: frame.attempt, role: role)
            let manifest = LedgerManifest(job: frame.job, attempt: frame.attempt, node: node, role: role, contract: contract,
                                          specification: specification, retention: retention, hasSM3: hasSM3,
                                          commitments: secrets?.commitments ?? [:])
            open[frame.job] = OpenLedger(manifest: manifest, specification: specification, secrets: secrets)
        }
    }

    /// The secrets to which the job's manifest commits: given out once, to whoever considers its offer, and kept here no longer.
    func takeSecrets(_ job: JobIdentifier) -> JobSecrets? {
        open.withLock { open in
            defer { open[job]?.secrets = nil }
            return open[job]?.secrets
        }
    }

    /// The writer of one line of an open job.
    func writer(_ job: JobIdentifier, line: String) throws(Fault) -> LedgerWriter? {
        try open.withLock { (open) throws(Fault) -> LedgerWriter? in
            guard let ledger = open[job] else { return nil }
            if let writer = ledger.lines[line] { return writer }
            do throws(LedgerError) {
                let writer = try LedgerWriter(directory: directory.appendingPathComponent("\(job)", isDirectory: true),
                                              manifest: ledger.manifest, contract: contract, specification: ledger.specification, peer: line,
                                              onFailure: { [breakdown] in breakdown.report($0, at: "ledger") })
                open[job]?.lines[line] = writer
                return writer
            } catch {
                breakdown.report(error, at: "ledger")
                throw Fault(.unwritable, at: "ledger")
            }
        }
    }

    /// What the line has carried: once it is closed, and before the job's `end`.
    func keep(_ account: ByteAccount, _ job: JobIdentifier, line: String) throws(Fault) {
        do {
            try writer(job, line: line)?.keep(account)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.unwritable, at: "ledger")
        }
    }

    /// The job is over: what it wrote is brought to the disk.
    package func end(_ job: JobIdentifier) {
        _ = takeSecrets(job)
        guard let ledger = open.withLock({ $0[job] }) else { return }
        for writer in ledger.lines.values { try? writer.synchronize() }
        let oldest = ended.withLock { ended -> JobIdentifier? in
            if !ended.contains(job) { ended.append(job) }
            return ended.count > LedgerBook.mostEnded ? ended.removeFirst() : nil
        }
        if let oldest { open.withLock { $0[oldest] = nil } }
    }
}

extension Retention {
    package init(_ configured: NodeConfiguration.Retention) {
        self = switch configured {
        case .all: .all
        case .inbound: .inbound
        case .digests: .digests
        }
    }
}
