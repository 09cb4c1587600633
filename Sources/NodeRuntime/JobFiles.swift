import Faults
import Foundation
import Installation
import Jobs
import Roles
import Wire

/// The data directory of a node: results of completed jobs, all files of a job or none.
///
///     jobs/JOB/report.json   jobs/JOB/model.json   jobs/JOB/scores.csv
package struct JobFiles: Sendable {
    package let directory: URL
    /// All files of `jobs` lie under it.
    package let storage: Storage

    package init(_ installation: NodeInstallation) throws(Fault) {
        try self.init(installation.configuration.dataDirectory, installation.storage)
    }

    package init(_ path: String, _ storage: Storage = .plain) throws(Fault) {
        self.storage = storage
        directory = URL(fileURLWithPath: path, isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Fault(.unwritable, at: path)
        }
        guard FileManager.default.isWritableFile(atPath: path) else { throw Fault(.unwritable, at: path) }
        try requireKnownFormat()
    }

    private static let results = "jobs"

    private static let asideSuffix = ".partial"
    private static func aside(_ job: String) -> String { ".\(job)\(asideSuffix)" }

    /// What programs that ended had not put in place yet: scores that nobody will look for, keys that were never used. A key without a
    /// byte is what programs once left; only who holds the lock removes it, or two could remove each other's.
    func removeUnfinished() throws(Fault) {
        let key = directory.appendingPathComponent(Operations.subjectsKey)
        let secrets = key.deletingLastPathComponent()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: secrets.path)) ?? []
        where PrivateFile.isDraft(name, of: key.lastPathComponent) {
            guard unlink(secrets.appendingPathComponent(name).path) == 0 else { throw Fault(.unwritable, at: secrets.path) }
        }
        var status = stat()
        if stat(key.path, &status) == 0, status.st_size == 0, unlink(key.path) != 0 { throw Fault(.unwritable, at: key.path) }
        let results = directory.appendingPathComponent(Self.results, isDirectory: true)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: results.path)) ?? [] where name.hasSuffix(Self.asideSuffix) {
            do { try FileManager.default.removeItem(at: results.appendingPathComponent(name)) } catch { throw Fault(.unwritable, at: results.path) }
        }
    }

    private func folder(_ job: String) -> URL { directory.appendingPathComponent("\(Self.results)/\(job)", isDirectory: true) }

    /// A file of a completed job, `nil` where there is none. `job` is 32 hexadecimal digits.
    ///
    /// - Throws: those of `Storage.open`.
    package func read(_ name: String, job: String) throws(Fault) -> [UInt8]? {
        guard JobIdentifier(job) != nil, let data = try? Data(contentsOf: folder(job).appendingPathComponent(name)) else { return nil }
        let path = "\(Self.results)/\(job)/\(name)"
        return try storage.open([UInt8](data), as: path, at: path)
    }

    /// Paths of all files of results, below the data directory.
    package var allResults: [String] {
        let jobs = (try? FileManager.default.contentsOfDirectory(atPath: directory.appendingPathComponent(Self.results).path)) ?? []
        return jobs.sorted().flatMap(results)
    }

    /// The same of one job; none of what is not 32 hexadecimal digits.
    package func results(of job: String) -> [String] {
        guard JobIdentifier(job) != nil else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder(job).path)) ?? []).sorted().map { "\(Self.results)/\(job)/\($0)" }
    }

    /// A small document of the node's own, by its path below the data directory; replaced whole.
    package func keep(_ document: JSONValue, at path: String) throws(Fault) { try keep(Array(document.prettyText().utf8), at: path) }

    package func keep(_ bytes: [UInt8], at path: String) throws(Fault) {
        let file = directory.appendingPathComponent(path)
        let bytes = path.hasPrefix("\(Self.results)/") ? storage.seal(bytes, as: path) : bytes
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try PrivateFile.replace(bytes, at: file.path)
        } catch {
            throw Fault(.unwritable, at: directory.path)
        }
    }

    /// Written aside, made durable, then put in place by one rename.
    package func keep(_ results: [ResultFile], job: JobIdentifier) throws(Fault) {
        let target = folder("\(job)")
        let aside = folder(Self.aside("\(job)"))
        let files = FileManager.default
        do {
            try? files.removeItem(at: aside)
            try files.createDirectory(at: aside, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for result in results {
                let file = aside.appendingPathComponent(result.name)
                guard files.createFile(atPath: file.path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
                    throw Fault(.unwritable, at: directory.path)
                }
                let handle = try FileHandle(forWritingTo: file)
                if !storage.isSealed {
                    try result.forEachPiece { try handle.write(contentsOf: $0) }
                } else {
                    try handle.write(contentsOf: storage.seal(result.bytes, as: "\(Self.results)/\(job)/\(result.name)"))
                }
                try handle.synchronize()
                try handle.close()
            }
            try PrivateFile.synchronize(folder: aside.path)
            try files.moveItem(at: aside, to: target)
            try PrivateFile.synchronize(folder: target.deletingLastPathComponent().path)
        } catch {
            try? files.removeItem(at: aside)
            throw Fault(.unwritable, at: directory.path)
        }
    }
}

// What a node's own records say of earlier jobs

extension JobFiles {
    private func since(_ days: Int) -> Date { Date(timeIntervalSinceNow: -Double(days) * 86_400) }

    /// Of a job that was completed here.
    func report(_ job: String) -> JSONValue? { ((try? read("report.json", job: job)) ?? nil).flatMap { try? JSONValue.parse($0, as: "report.json") } }

    /// The list of common subjects that the bank's part of a job is restricted to; nothing where it is to none.
    ///
    /// - Throws: `noAlignedSubjects` where no job of the same purpose has left one here; those of `read`.
    func subjects(within specification: JobSpecification, role: Role) throws(Fault) -> [UInt8]? {
        guard role == .bank, let job = specification.alignment?.within else { return nil }
        guard report(job)?["order"]?["purpose_code"]?.string == specification.purpose.code, let list = try read(ResultFile.alignedName, job: job)
        else { throw Fault(.noAlignedSubjects, at: "/within", job) }
        return list
    }

    /// The record of the decision on a job.
    func approval(_ job: JobIdentifier) -> JSONValue? {
        let name = "\(job).json"
        guard let data = try? Data(contentsOf: directory.appendingPathComponent("approvals/\(name)")) else { return nil }
        return try? JSONValue.parse([UInt8](data), as: name)
    }

    /// Other jobs that this node has consented to within so many days, whatever became of them.
    func approvals(withinDays days: Int, besides job: JobIdentifier) -> Int {
        let folder = directory.appendingPathComponent("approvals", isDirectory: true)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.count { name in
            guard name.hasSuffix(".json"), let id = JobIdentifier(String(name.dropLast(5))), id != job, let record = approval(id),
                  record["decision"]?.string == "approved", let at = record["at"]?.string.flatMap({ try? Date($0, strategy: .iso8601) })
            else { return false }
            return at > since(days)
        }
    }

    /// What the reports of jobs that were completed within so many days add up to: 0 or more, infinite where a report says so.
    func exposurePercent(withinDays days: Int) -> Double {
        let folder = directory.appendingPathComponent("jobs", isDirectory: true)
        let jobs = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return jobs.reduce(0) { sum, job in
            guard let report = report(job), let at = report["finished"]?.string.flatMap({ try? Date($0, strategy: .iso8601) }), at > since(days),
                  case .number(let percent)? = report["disclosed"]?["exposure_percent"]
            else { return sum }
            return sum + max(0, Double(percent) ?? 0)
        }
    }
}
