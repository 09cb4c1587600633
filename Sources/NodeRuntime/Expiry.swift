import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Roles
import Wire

/// Deletes what has outlived the lifetimes of `retention`, job by job: what remains is the ledger, the own half of the model, and
/// for each deletion an entry of the ledger of operations. Source: Protocols/specification.md, "Lifetimes".
package struct Expiry {
    private let configuration: NodeConfiguration
    private let key: Ed25519.SigningKey
    private let files: JobFiles
    private let operations: Operations
    private let verify: DataTools.Verify
    private let actor: Operations.Actor
    /// Days for which decisions and reports count for quotas and budgets.
    private let countedDays: Int
    private let now = Date()

    /// What one job has left that is to go.
    package struct Due: Sendable, Hashable {
        package let job: JobIdentifier
        package let ended: Date
        package var hasPayloads = false
        /// SHA-256 of lists in the ledger of operations.
        package fileprivate(set) var lists: [[UInt8]] = []
        /// Jobs whose lists have outlived their lifetime: what another names stays.
        fileprivate var over: Set<JobIdentifier> = []
        /// Below the data directory.
        package fileprivate(set) var paths: [String] = []

        package var isNothing: Bool { !hasPayloads && lists.isEmpty && paths.isEmpty }
    }

    /// - Throws: `operationsAltered`, `unwritable`, faults of the policy.
    package init(_ installation: NodeInstallation, files: JobFiles, operations: Operations, tools: DataTools,
                 by actor: Operations.Actor) throws(Fault) {
        configuration = installation.configuration
        key = installation.ledgerKey
        self.files = files
        self.operations = operations
        verify = tools.verify
        self.actor = actor
        let policy = try installation.policy()
        countedDays = max(policy?.jobs?.days ?? 0, policy?.exposureBudget?.days ?? 0)
    }

    /// At the start of a node, and once a day.
    ///
    /// - Parameter open: jobs that the node runs or considers.
    static func daily(_ installation: NodeInstallation, _ files: JobFiles, _ operations: Operations, _ tools: DataTools, _ log: NodeLog,
                      open: @escaping @Sendable () -> Set<JobIdentifier>) async {
        while installation.configuration.lifetimes.isLimited, !Task.isCancelled {
            do throws(Fault) {
                let jobs = try await compute { () throws(Fault) -> Int in
                    let expiry = try Expiry(installation, files: files, operations: operations, tools: tools, by: .node)
                    return try expiry.apply(try expiry.due(besides: open)).count
                }
                if jobs > 0 { log.info(en: "deleted what \(jobs) jobs had left beyond its lifetime", zh: "已删除 \(jobs) 个任务的期满内容") }
            } catch {
                log.warning(error)
            }
            do { try await Task.sleep(for: .seconds(86_400)) } catch { return }
        }
    }

    // What is due

    private struct Course {
        var last: Date
        var isEnded = false
        var lists: Set<[UInt8]> = []
    }

    private func isOver(_ days: Int?, since end: Date) -> Bool {
        guard let days else { return false }
        return now.timeIntervalSince(end) >= Double(days) * 86_400
    }

    /// - Parameter open: jobs of the running node, which are left alone; without it, every job is whose end is not recorded.
    /// - Throws: `unreadableFile`.
    package func due(besides open: (() -> Set<JobIdentifier>)? = nil) throws(Fault) -> [Due] {
        guard configuration.lifetimes.isLimited else { return [] }
        let lifetimes = configuration.lifetimes
        var courses: [JobIdentifier: Course] = [:]
        try operations.forEachEntry { entry in
            guard let job = entry.job else { return }
            var course = courses[job] ?? Course(last: entry.time)
            if !entry.action.isOfDeletion { course.last = entry.time }
            if [.jobEnded, .jobRefused].contains(entry.action) { course.isEnded = true }
            if entry.action.namesSubjects, let digest = entry.digest { course.lists.insert(digest) }
            courses[job] = course
        }
        // Asked for behind the entries: a job that has come since has none of them.
        let open = open?()
        let closed = courses.filter { job, course in open.map { !$0.contains(job) } ?? course.isEnded }
        let over = Set(closed.filter { isOver(lifetimes.identifierDays, since: $0.value.last) }.keys)
        // Equal lists of several jobs are one file.
        let needed = Set(courses.filter { !over.contains($0.key) }.flatMap(\.value.lists))
        return closed.sorted { ("\($0.value.last)", "\($0.key)") < ("\($1.value.last)", "\($1.key)") }.compactMap { job, course in
            var due = Due(job: job, ended: course.last)
            due.hasPayloads = isOver(lifetimes.payloadDays, since: course.last) && hasPayloads(job)
            if over.contains(job) {
                due.over = over
                due.lists = course.lists.subtracting(needed).filter(operations.hasList).sorted { $0.hexadecimal < $1.hexadecimal }
            }
            due.paths = paths(job, since: course.last)
            return due.isNothing ? nil : due
        }
    }

    private func ledger(_ job: JobIdentifier) -> String { files.directory.appendingPathComponent("ledger/\(job)", isDirectory: true).path }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: files.directory.appendingPathComponent(path).path) }

    private func hasPayloads(_ job: JobIdentifier) -> Bool {
        let secrets = (try? FileManager.default.contentsOfDirectory(atPath: files.directory.appendingPathComponent("secrets/\(job)").path)) ?? []
        if secrets.contains(where: { $0.hasSuffix(".sealed") }) { return true }
        return (try? LedgerDirectory.open(ledger(job)))?.payloads.isEmpty == false
    }

    private func paths(_ job: JobIdentifier, since end: Date) -> [String] {
        let lifetimes = configuration.lifetimes
        let results = files.results(of: "\(job)")
        let isOld = isOver(lifetimes.resultDays.map { max($0, countedDays) }, since: end)
        let kept: Set = ["model.json", ModelFiles.retirement], bySubject: Set = ["scores.csv", ResultFile.alignedName]
        var paths = results.filter { path in
            let name = URL(fileURLWithPath: path).lastPathComponent
            if kept.contains(name) { return false }
            // A report and a decision count for quotas as long as the policy says.
            return bySubject.contains(name) ? isOver(lifetimes.identifierDays, since: end) || isOver(lifetimes.resultDays, since: end)
                : name == "report.json" ? isOld : isOver(lifetimes.resultDays, since: end)
        }
        if isOld { paths += ["approvals/\(job).json"].filter(exists) }
        if isOver(lifetimes.resultDays, since: end) { paths += ["jobs/.\(job).partial", "secrets/.\(job).partial"].filter(exists) }
        return paths
    }

    // Deleting

    /// Stops at the first that cannot be deleted; what was deleted has its receipt, and the rest is due still.
    ///
    /// - Returns: what went: evidence stays, and a list that another job has named since.
    /// - Throws: `unwritable`, `operationsAltered`.
    @discardableResult
    package func apply(_ due: [Due]) throws(Fault) -> [Due] {
        try operations.destroyUnnamedLists()
        var gone = due
        for index in gone.indices {
            let item = due[index]
            if item.hasPayloads { gone[index].hasPayloads = try deletePayloads(item.job) }
            gone[index].lists = []
            for list in item.lists where try operations.expire(list, of: item.over, by: actor) { gone[index].lists.append(list) }
            for path in item.paths { try delete(path, of: item.job) }
        }
        return gone.filter { !$0.isNothing }
    }

    /// - Returns: whether they went.
    private func deletePayloads(_ job: JobIdentifier) throws(Fault) -> Bool {
        let path = ledger(job)
        guard let directory = try? LedgerDirectory.open(path), let manifest = LedgerManifest(decoding: directory.manifest) else { return false }
        // What does not hold is evidence, as under the retention rule.
        if let findings = verify(path), findings > 0 {
            try operations.record(.payloadsHeld, by: actor, job: job, count: findings)
            return false
        }
        let vault = SecretVault(files.directory)
        let sealed = SealedJob(job: job, attempt: manifest.attempt, role: manifest.role)
        for purpose in Purpose.allCases where vault.isSealed(purpose, of: job) {
            _ = try vault.destroy(purpose, of: sealed, commitment: manifest.commitments[purpose] ?? [], node: manifest.node, by: actor.text, key: key)
            try operations.record(.keysDestroyed, by: actor, job: job, object: purpose.rawValue)
        }
        let bytes: Int
        do throws(LedgerError) {
            try PayloadExpiry.sign(path, manifest, key: key)
            bytes = try PayloadRetention.apply(path, isExpired: true)
        } catch {
            throw Fault(.unwritable, at: path)
        }
        try operations.record(.payloadsExpired, by: actor, job: job, count: bytes)
        return true
    }

    private func delete(_ path: String, of job: JobIdentifier) throws(Fault) {
        let url = files.directory.appendingPathComponent(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return }
        guard !isFolder.boolValue else {
            do { try FileManager.default.removeItem(at: url) } catch { throw Fault(.unwritable, at: url.path) }
            return
        }
        let name = url.lastPathComponent
        // Of a file that does not open nothing is known but that it went.
        let bytes = path.hasPrefix("jobs/") ? ((try? files.read(name, job: "\(job)")) ?? nil)
            : (try? Data(contentsOf: url)).map { [UInt8]($0) }
        try PrivateFile.destroy(url.path)
        try operations.record(.resultExpired, by: actor, job: job, object: path.hasPrefix("jobs/") ? name : path,
                              digest: bytes.map { SHA256.hash($0) }, count: bytes?.count)
    }
}

extension OperationsEntry.Action {
    /// Comes after a job, and starts no lifetime anew.
    fileprivate var isOfDeletion: Bool {
        [
            .payloadsExpired, .payloadsHeld, .payloadsDropped, .resultExpired, .subjectsExpired, .keysDestroyed, .resultExported, .keysOpened,
            .modelRetired,
        ].contains(self)
    }
}
