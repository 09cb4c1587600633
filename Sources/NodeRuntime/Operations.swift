import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Roles
import Scratch
import Synchronization
import Wire

/// What this node does, written down before it counts: its ledger of operations, and the key of its lists of subjects.
///
/// The running node and the commands beside it open it alike; the file's own lock keeps them in one order. Source:
/// Protocols/ledger.md, "Ledger of operations".
package struct Operations: Sendable {
    private let ledger: OperationsLedger
    private let place: String
    private let lists: SubjectLists
    private let keyFile: URL
    private let storage: Storage
    /// Of the running node, whose other ledgers share it.
    package let breakdown = Breakdown()
    fileprivate let turns = Turns()

    /// Who did it.
    package enum Actor: Sendable, Hashable {
        case node
        /// Limits inside which the node consents by itself.
        case configuration
        /// Of the operating system.
        case account(String)
        /// A person of the contract, whose signature was verified.
        case approver(String)

        /// The account that runs this program.
        package static var ownAccount: Actor { .account(NSUserName()) }

        package var text: String {
            switch self {
            case .node: "node"
            case .configuration: "configuration"
            case .account(let name): "account \(name)"
            case .approver(let name): "approver \(name)"
            }
        }
    }

    /// - Throws: `operationsAltered`, `unwritable`.
    package init(_ installation: NodeInstallation) throws(Fault) {
        let configuration = installation.configuration
        let data = try JobFiles(configuration.dataDirectory).directory
        let directory = data.appendingPathComponent(OperationsFile.directory, isDirectory: true)
        place = directory.path
        lists = SubjectLists(data)
        keyFile = data.appendingPathComponent(Self.subjectsKey)
        storage = installation.storage
        do throws(LedgerError) {
            ledger = try OperationsLedger(directory: directory, node: configuration.name, key: installation.ledgerKey,
                                          contract: installation.contractBytes)
        } catch {
            throw error.fault(at: place)
        }
    }

    /// On the disk, and signed, when it returns: how far the ledger has come, for the arbiter to record.
    @discardableResult
    package func record(_ action: OperationsEntry.Action, by actor: Actor = .node, job: JobIdentifier? = nil, purpose: String? = nil,
                        object: String? = nil, digest: [UInt8]? = nil, count: Int? = nil) throws(Fault) -> OperationsHead {
        do throws(LedgerError) {
            let head = try ledger.append(action, actor: actor.text, purpose: purpose, job: job, object: object, digest: digest,
                                         count: count.map { UInt64(clamping: $0) })
            return .filled {
                $0.size = head.checkpoint.size
                $0.root = head.checkpoint.root.data
                $0.signature = head.signature.data
            }
        } catch {
            breakdown.report(error, at: place)
            throw error.fault(at: place)
        }
    }

    /// What data are read for outside a job.
    package enum DataUse: String, Sendable { case profile, description, canary, replay }

    /// A file of data is read by a command: on the disk before anything of it is shown, also where it could not be used.
    ///
    /// - Parameters:
    ///   - dataset: its name in the configuration; nothing where it has none, for a file's name may say anything.
    ///   - body: reads it, and tells how many rows it has.
    /// - Throws: what `body` throws; `dataChanged`, `unreadableFile`; those of `record`.
    package func reading<Value>(_ paths: [String], _ dataset: String?, for use: DataUse, _ body: () throws -> (Value, rows: Int?)) throws -> Value {
        let file = try DatasetFile(paths, at: dataset.map { "datasets/\($0)" } ?? paths[0])
        func record(rows: Int?) throws {
            try self.record(.dataRead, by: .ownAccount, purpose: use.rawValue, object: dataset, digest: try file.digest(), count: rows)
        }
        let (value, rows): (Value, Int?)
        do {
            (value, rows) = try body()
        } catch {
            try? record(rows: nil)
            throw error
        }
        try record(rows: rows)
        return value
    }

    /// The entries so far of these actions, oldest first, one at a time.
    ///
    /// - Throws: `unreadableFile`.
    func forEachEntry(of actions: Set<OperationsEntry.Action> = Set(OperationsEntry.Action.allCases),
                      _ body: (OperationsEntry) -> Void) throws(Fault) {
        do throws(LedgerDirectory.Unreadable) {
            try OperationsDirectory.forEachEntry(at: place, of: actions, body)
        } catch {
            throw Fault(.unreadableFile, at: error.name)
        }
    }

    func hasList(_ digest: [UInt8]) -> Bool { FileManager.default.fileExists(atPath: lists.path(digest)) }

    /// Deletes a list of subjects that none but these jobs name: others may have come since it was found due. The entry stands before
    /// the list is gone, for without one the ledger would not hold.
    ///
    /// - Returns: whether it went.
    func expire(_ digest: [UInt8], of jobs: Set<JobIdentifier>, by actor: Actor) throws(Fault) -> Bool {
        try lists.hold(alone: true) { () throws(Fault) in
            guard hasList(digest) else { return false }
            var isNeeded = false
            try forEachEntry(of: Self.namingSubjects) { entry in
                if entry.digest == digest, entry.job.map(jobs.contains) != true { isNeeded = true }
            }
            guard !isNeeded else { return false }
            let size = (try? FileManager.default.attributesOfItem(atPath: lists.path(digest)))?[.size] as? NSNumber
            try record(.subjectsExpired, by: actor, digest: digest, count: (size?.intValue ?? 0) / SubjectList.tagBytes)
            try lists.destroy(digest)
            return true
        }
    }

    /// Deletes lists of subjects that no entry names.
    func destroyUnnamedLists() throws(Fault) {
        try lists.destroyUnnamed { () throws(Fault) in
            var named: Set<[UInt8]> = []
            try forEachEntry(of: Self.namingSubjects) { if let digest = $0.digest { named.insert(digest) } }
            return named
        }
    }

    private static let namingSubjects = Set(OperationsEntry.Action.allCases.filter(\.namesSubjects))

    /// Keeps a list of subjects, which nobody deletes before `name` has named it in an entry.
    func keep<Value>(_ list: SubjectTags, _ name: (_ digest: [UInt8]) throws(Fault) -> Value) throws(Fault) -> Value {
        try lists.hold(alone: false) { () throws(Fault) in
            let digest: [UInt8]
            do throws(LedgerError) {
                digest = try ledger.keepSubjects { (take) throws(LedgerError) in
                    for piece in 0..<list.pieces { try take(try list.piece(piece)) }
                }
            } catch {
                breakdown.report(error, at: place)
                throw error.fault(at: place)
            }
            return try name(digest)
        }
    }

    /// 32 bytes that never leave the node: made once, by whichever program comes first, and read by its owner alone.
    ///
    /// - Throws: `secretFileMode`, `unreadableFile`, `unwritable`; those of `Storage.open`.
    package func subjectKey() throws(Fault) -> SecretBytes {
        let folder = keyFile.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Fault(.unwritable, at: folder.path)
        }
        do throws(Fault) {
            try PrivateFile.found(storage.seal(SystemRandom.bytes(Self.keyBytes), as: Self.subjectsKey), at: keyFile.path)
        } catch {
            guard error.code == .alreadyExists else { throw error }
        }
        try PrivateFile.requireSecret(keyFile.path)
        let key = SecretBytes(copying: try storage.open(try Installation.read(keyFile.path), as: Self.subjectsKey, at: keyFile.path))
        guard key.count == Self.keyBytes else { throw Fault(.unreadableFile, at: keyFile.path) }
        return key
    }

    private static let keyBytes = 32
    /// Below the data directory.
    package static let subjectsKey = "secrets/subjects.key"

    /// Which subjects a job had in common with the other party; nothing where no entry or no list says so.
    ///
    /// - Throws: `secretFileMode`, `unreadableFile`, `unwritable`.
    package func aligned(in job: JobIdentifier) throws(Fault) -> ((String) -> Bool)? {
        var last: [UInt8]?
        try? forEachEntry(of: [.subjectsAligned]) { if $0.job == job { last = $0.digest } }
        guard let last, let list = (try? OperationsDirectory.open(place))?.subjects(last) else { return nil }
        let key = try subjectKey()
        return { SubjectList.holds(list, SubjectList.tag($0, key: key)) }
    }

    /// Counts a job among those that a data set has served, before its entry says so, until `release`.
    ///
    /// - Parameter most: nothing where any number may be.
    /// - Throws: `jobQuotaReached`, `unreadableFile`.
    func reserve(_ dataset: String, for job: JobIdentifier, atMost most: Int?) throws(Fault) {
        guard let most else { return }
        try turns.opening.withLock { opening throws(Fault) in
            var jobs = opening[dataset] ?? []
            try forEachEntry(of: [.subjectsRead]) { if $0.object == dataset, let job = $0.job { jobs.insert(job) } }
            guard jobs.count < most else { throw Fault(.jobQuotaReached, at: "datasets/\(dataset)", "\(most)") }
            opening[dataset, default: []].insert(job)
        }
    }

    /// Its entry stands, or it was not opened.
    func release(_ dataset: String, for job: JobIdentifier) {
        turns.opening.withLock { opening in
            opening[dataset]?.remove(job)
            if opening[dataset]?.isEmpty == true { opening[dataset] = nil }
        }
    }

    /// Jobs with a party whose common subjects are not those of `digest`, and differ in fewer than `limit` from them.
    func jobs(with peer: String, near digest: [UInt8], limit: Int) throws(Fault) -> [JobIdentifier] {
        var earlier: [[UInt8]: JobIdentifier] = [:]
        try forEachEntry(of: [.subjectsAligned]) { entry in
            if entry.object == peer, let job = entry.job, let other = entry.digest, other != digest { earlier[other] = job }
        }
        guard !earlier.isEmpty else { return [] }
        let directory = URL(fileURLWithPath: place, isDirectory: true)
        func list(_ digest: [UInt8]) -> URL { directory.appendingPathComponent(OperationsFile.subjects(digest)) }
        // A list that is missing or unreadable could have been any: the audit says so, and it is not ours to guess.
        return earlier.filter { SubjectList.difference(list(digest), list($0.key), upTo: limit).map { $0 < limit } ?? false }.map(\.value)
            .sorted { "\($0)" < "\($1)" }
    }

    /// What an entry says of a subject.
    package struct SubjectAccess: Sendable, Hashable {
        package let time: Date
        package let job: JobIdentifier?
        package let purpose: String
        package let action: OperationsEntry.Action
    }

    /// Every access that touched a subject, oldest first, and how many uses are not known any more because their lists have
    /// outlived their lifetime; the question itself becomes an entry, without the subject.
    ///
    /// - Parameter identifiers: the spellings under which jobs may have known it.
    /// - Throws: `operationsAltered` where a list is missing or another one: what was found would not be all.
    package func accesses(to identifiers: Set<String>, by actor: Actor) throws(Fault) -> (found: [SubjectAccess], expired: Int) {
        let key = try subjectKey()
        let tags = identifiers.map { SubjectList.tag($0, key: key) }
        let directory: OperationsDirectory
        do {
            directory = try OperationsDirectory.open(place)
        } catch {
            throw Fault(.unreadableFile, at: error.name)
        }
        var answers: [[UInt8]: Bool] = [:]
        var found: [SubjectAccess] = []
        var expired = 0
        var deleted: Set<[UInt8]> = []
        var uses: [OperationsEntry] = []
        try forEachEntry { entry in
            if entry.action == .subjectsExpired, let digest = entry.digest { deleted.insert(digest) }
            if entry.action.namesSubjects { uses.append(entry) }
        }
        for entry in uses {
            guard let digest = entry.digest else { continue }
            if deleted.contains(digest), !hasList(digest) {
                expired += 1
                continue
            }
            if answers[digest] == nil {
                guard let list = directory.subjects(digest), SHA256.hash(list) == digest else { throw Fault(.operationsAltered, at: place) }
                answers[digest] = tags.contains { SubjectList.holds(list, $0) }
            }
            guard answers[digest] == true else { continue }
            found.append(SubjectAccess(time: entry.time, job: entry.job, purpose: entry.purpose ?? "", action: entry.action))
        }
        try record(.subjectAudited, by: actor, count: found.count)
        return (found, expired)
    }
}

/// Of all jobs of a running node: between a look at the ledger and the entry that follows from it comes no other job.
private final class Turns: Sendable {
    let aligning = Mutex(())
    /// By data set: looked for, and not in the ledger yet.
    let opening = Mutex<[String: Set<JobIdentifier>]>([:])
}

extension LedgerError {
    fileprivate func fault(at place: String) -> Fault {
        switch self {
        case .altered: Fault(.operationsAltered, at: place)
        case .unwritable, .exists: Fault(.unwritable, at: place)
        }
    }
}

/// The entries of one job at a data node.
package struct JobOperations: Sendable {
    private let operations: Operations
    private let job: JobIdentifier
    private let purpose: String
    private let subjectKey: SecretBytes
    private let scratch: any Scratch
    private let space: LedgerSpace
    private let peer: String
    private let isScoring: Bool
    /// The platform is told nothing of what is common.
    private let isBankAlone: Bool
    /// How far the node's ledger had come when the job was opened.
    let opened: OperationsHead

    /// Data were read, and secrets made; nothing has been told of them yet.
    ///
    /// - Parameters:
    ///   - peer: party on the other side.
    ///   - subjects: all own subjects of the job.
    ///   - listed: elements of the list that is sent.
    ///   - isSealed: whether the secrets are about to be kept, sealed.
    package init(_ operations: Operations, job: JobIdentifier, specification: JobSpecification, dataset: String, digest: [UInt8], peer: String,
                 subjects: IdentifierList, listed: Int, admitted: Admitted?, scratch: any Scratch, space: LedgerSpace, isSealed: Bool) throws(Fault) {
        self.peer = peer
        isScoring = specification.scoring != nil
        isBankAlone = specification.alignment?.reveals == .bank
        self.scratch = scratch
        let key = try operations.subjectKey()
        subjectKey = key
        self.space = space
        self.operations = operations
        self.job = job
        let purpose = specification.purpose.code
        self.purpose = purpose
        func record(_ action: OperationsEntry.Action, _ list: IdentifierList) throws(Fault) {
            _ = try operations.keep(try SubjectTags(list, key: key, scratch: scratch)) { (digest) throws(Fault) in
                try operations.record(action, job: job, purpose: purpose, object: dataset, digest: digest, count: list.count)
            }
        }
        try operations.record(.dataRead, job: job, purpose: purpose, object: dataset, digest: digest, count: subjects.count)
        try record(.subjectsRead, subjects)
        if let admitted {
            try operations.record(.authorisationsApplied, job: job, purpose: purpose, object: "\(admitted.day)", digest: admitted.root, count: admitted.lines)
            try record(.subjectsExcluded, IdentifierList(admitted.excluded))
        }
        try space.check(listed: listed)
        let made = try operations.record(.keysMade, job: job, purpose: purpose)
        opened = isSealed ? try operations.record(.keysSealed, job: job, purpose: purpose, count: Purpose.allCases.count) : made
    }

    @discardableResult
    func record(_ action: OperationsEntry.Action, by actor: Operations.Actor = .node, object: String? = nil, digest: [UInt8]? = nil,
                count: Int? = nil) throws(Fault) -> OperationsHead {
        try operations.record(action, by: actor, job: job, purpose: purpose, object: object, digest: digest, count: count)
    }

    /// These of the own subjects were used.
    ///
    /// - Throws: `alignedSetTooClose`, of two jobs at once for one of them; those of `LedgerSpace`, `unwritable`.
    package func record(_ use: SubjectUse, _ subjects: IdentifierList) throws(Fault) {
        let action: OperationsEntry.Action = switch use {
        case .aligned: .subjectsAligned
        case .trained: .subjectsTrained
        case .scored: .subjectsScored
        }
        try operations.keep(try SubjectTags(subjects, key: subjectKey, scratch: scratch)) { (digest) throws(Fault) in
            guard use == .aligned else { return _ = try record(action, digest: digest, count: subjects.count) }
            try operations.turns.aligning.withLock { _ throws(Fault) in
                // One that is refused is no entry: it would stand against every later set near it. Scores are told subject by subject, so
                // two sets of them say no more than each; results of training and counts are of a set as a whole. What the other party is
                // not told it cannot compare: such a set names no party, and so it is no earlier one either.
                if !isScoring, !isBankAlone, let job = try operations.jobs(with: peer, near: digest, limit: JobLimits.leastDifference).first {
                    throw Fault(.alignedSetTooClose, at: peer, "\(job)")
                }
                _ = try record(action, object: isBankAlone ? nil : peer, digest: digest, count: subjects.count)
            }
        }
        if use == .aligned { try space.check(aligned: subjects.count) }
    }

    func record(_ results: [ResultFile]) throws(Fault) {
        for result in results {
            var hash = SHA256()
            var count = 0
            do {
                try result.forEachPiece {
                    hash.update($0)
                    count += $0.count
                }
            } catch {
                throw Fault(.unwritable, at: "scratch")
            }
            try record(.resultKept, object: result.name, digest: hash.finalize(), count: count)
        }
    }
}

/// The files of a data set, hashed as they were read.
struct DatasetFile {
    private let paths: [String]
    private let place: String
    private let before: [stat]

    /// - Parameter place: for faults.
    init(_ paths: [String], at place: String) throws(Fault) {
        self.paths = paths
        self.place = place
        before = try Self.statuses(paths, place)
    }

    /// As `digest(of:)`, of files that nobody has changed since `init`.
    ///
    /// - Throws: `dataChanged`, `unreadableFile`.
    func digest() throws(Fault) -> [UInt8] {
        let digest = try Self.digest(of: paths, at: place)
        for (before, after) in zip(before, try Self.statuses(paths, place)) {
            guard after.st_ino == before.st_ino, after.st_size == before.st_size, after.st_mtim.tv_sec == before.st_mtim.tv_sec,
                  after.st_mtim.tv_nsec == before.st_mtim.tv_nsec
            else { throw Fault(.dataChanged, at: place) }
        }
        return digest
    }

    /// SHA-256 of the file; of several, of their digests in order.
    static func digest(of paths: [String], at place: String) throws(Fault) -> [UInt8] {
        var digests: [[UInt8]] = []
        for path in paths { digests.append(try FileDigest.of(URL(fileURLWithPath: path), at: place)) }
        return digests.count == 1 ? digests[0] : SHA256.hash(digests.flatMap(\.self))
    }

    private static func statuses(_ paths: [String], _ place: String) throws(Fault) -> [stat] {
        var statuses: [stat] = []
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else { throw Fault(.unreadableFile, at: place) }
            statuses.append(status)
        }
        return statuses
    }
}
