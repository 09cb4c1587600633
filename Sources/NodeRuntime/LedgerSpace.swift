import Faults
import Foundation
import Jobs
import Planning
import Wire

/// Whether the frames of a job will find room on the disk, from public counts, before they cross: all payloads stay until the
/// job's end, whatever the retention rule drops then.
package struct LedgerSpace: Sendable {
    /// `DATA/ledger`.
    private let directory: URL
    /// Bytes that all ledgers of the node may take; nothing where only the disk limits them.
    private let limitBytes: Int?
    private let specification: JobSpecification
    private let keyBits: Int

    /// Left for everything else: results, operations, logs.
    static let reserveBytes = 64 << 20

    package init(_ directory: URL, limitBytes: Int?, specification: JobSpecification, limits: Contract.Limits) {
        self.directory = directory
        self.limitBytes = limitBytes
        self.specification = specification
        keyBits = specification.keyBits(limits)
    }

    /// Before the job: both lists as long as the own, the smallest intersection.
    func check(listed: Int) throws(Fault) {
        try check(bytes: bytes(listed: listed, aligned: specification.population.minimumIntersection))
    }

    /// After alignment, before anything else: the intersection is known, and the lists are there already.
    func check(aligned: Int) throws(Fault) { try check(bytes: bytes(listed: 0, aligned: aligned)) }

    /// Of both directions and all rounds: what a plan says of a node that keeps everything.
    private func bytes(listed: Int, aligned: Int) -> Int {
        let training = specification.training
        let columns = Dictionary(uniqueKeysWithValues: JobEstimate.roles.map { role in
            (role, JobShape.columns(training?.features(role) ?? [], intercept: role == .bank, described: nil, rows: aligned).likely)
        })
        let estimate = JobEstimate(
            specification, keyBits: keyBits,
            counts: .init(listed: [.bank: listed, .platform: listed], aligned: aligned, columns: columns,
                          rounds: training?.settings.maximumRounds ?? 0),
            machines: [:], megabitsPerSecond: nil)
        return estimate.diskBytes(.bank, .all)
    }

    private func check(bytes needed: Int) throws(Fault) {
        let free = Disk.freeBytes(at: directory.deletingLastPathComponent().path) ?? .max
        if needed > free - Self.reserveBytes { throw Fault(.diskTooSmall, at: directory.path, Self.megabytes(needed), Self.megabytes(free)) }
        guard let limitBytes else { return }
        let used = used
        if needed > limitBytes - used {
            throw Fault(.ledgersTooLarge, at: directory.path, Self.megabytes(needed), Self.megabytes(used), Self.megabytes(limitBytes))
        }
    }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000)" }

    private var used: Int {
        let files = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: [.fileSizeKey])
        return (files?.compactMap { ($0 as? URL).flatMap { try? $0.resourceValues(forKeys: [.fileSizeKey]).fileSize } } ?? []).reduce(0, +)
    }
}

enum Disk {
    /// Free space where `path` is; nothing where the system does not say.
    static func freeBytes(at path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
    }
}
