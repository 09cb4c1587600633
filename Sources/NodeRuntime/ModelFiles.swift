import Faults
import Foundation
import Jobs
import Wire

/// The halves of models in a node's data directory, by the training job that made them: both owners' halves carry its id.
/// Numbers and names for the owner's eyes; the weights are not among them.
package struct ModelFiles: Sendable {
    static let retirement = "retired.json"
    private let files: JobFiles

    package init(_ files: JobFiles) { self.files = files }

    package struct Half: Sendable {
        package let job: String
        package let role: String
        package let peer: String
        package let columns: [String]
        package let report: JSONValue?
        package let made: Date
        /// By whom and when, once retired.
        package let retirement: JSONValue?
    }

    /// Newest first.
    ///
    /// - Throws: those of `Storage.open`.
    package func all() throws(Fault) -> [Half] {
        let folder = files.directory.appendingPathComponent("jobs").path
        let jobs = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var halves: [Half] = []
        for job in jobs {
            if let half = try half(job) { halves.append(half) }
        }
        return halves.sorted { ($0.made, $0.job) > ($1.made, $1.job) }
    }

    /// - Throws: `unknownModel`.
    package func one(_ job: String) throws(Fault) -> Half {
        guard let half = try half(job) else { throw Fault(.unknownModel, at: "models", String(job.prefix(64))) }
        return half
    }

    private func half(_ job: String) throws(Fault) -> Half? {
        guard let bytes = try files.read("model.json", job: job), let model = try? JSONValue.parse(bytes, as: "model.json"),
              let role = model["role"]?.string, let peer = model["peer"]?.string
        else { return nil }
        let attributes = try? FileManager.default.attributesOfItem(atPath: files.directory.appendingPathComponent("jobs/\(job)/model.json").path)
        let report = try document("report.json", job)
        return Half(job: job, role: role, peer: peer, columns: report?["coefficients"]?.list.compactMap { $0["column"]?.string } ?? [],
                    report: report, made: attributes?[.modificationDate] as? Date ?? .distantPast, retirement: try document(Self.retirement, job))
    }

    private func document(_ name: String, _ job: String) throws(Fault) -> JSONValue? {
        try files.read(name, job: job).flatMap { try? JSONValue.parse($0, as: name) }
    }

    /// For good: no verb takes it back. The half itself stays, for the record. A second retirement changes nothing.
    package func retire(_ job: String, account: String) throws(Fault) {
        guard try one(job).retirement == nil else { return }
        try files.keep(.object(["by": .text(account), "at": .text(Date().formatted(.iso8601))]), at: "jobs/\(job)/\(Self.retirement)")
    }
}
