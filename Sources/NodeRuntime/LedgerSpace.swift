import Faults
import Foundation
import Jobs
import Wire

/// Whether the frames of a job will find room on the disk, from public counts, before they cross: all payloads stay until the
/// job's end, whatever the retention rule drops then.
struct LedgerSpace: Sendable {
    /// `DATA/ledger`.
    private let directory: URL
    /// Bytes that all ledgers of the node may take; nothing where only the disk limits them.
    private let limitBytes: Int?
    private let specification: JobSpecification

    /// Left for everything else: results, operations, logs.
    static let reserveBytes = 64 << 20

    init(_ directory: URL, limitBytes: Int?, specification: JobSpecification) {
        self.directory = directory
        self.limitBytes = limitBytes
        self.specification = specification
    }

    /// Before the job: own list sent, as large a one received, one of both back; the smallest intersection.
    func check(listed: Int) throws(Fault) {
        try check(bytes: 3 * listed * TransferCounts.pointBytes + Self.bytes(specification, aligned: specification.population.minimumIntersection))
    }

    /// After alignment, before anything else: the intersection is known.
    func check(aligned: Int) throws(Fault) { try check(bytes: Self.bytes(specification, aligned: aligned)) }

    /// What a scoring job has at least, and what it most often has.
    private static let scoringKeyBits = 2048

    /// Of both directions, after alignment: rows of all rounds, and scores. Records, heads and small frames add some percent.
    static func bytes(_ specification: JobSpecification, aligned: Int) -> Int {
        let settings = specification.training?.settings
        let ciphertext = (settings?.keyBits ?? scoringKeyBits) / 4
        let scores = aligned / (ciphertext / 8) * ciphertext
        guard let settings, let share = specification.training?.split.share else { return scores }
        let rows = Int((share * Double(aligned)).rounded())
        return (2 * settings.maximumRounds * rows * (settings.degree + 1) * ciphertext + scores) / 100 * 105
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
