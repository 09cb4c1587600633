import Catalogue
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Wire

/// A node's jobs of a period, as its ledgers tell them: the ledger of operations, and the specifications in the ledgers of jobs.
struct LedgerPeriod {
    struct Job {
        enum Outcome: Hashable {
            case completed
            /// By this node, or at its end: number of the fault.
            case refused(String), ended(String)
        }

        fileprivate(set) var outcome: Outcome?
        /// Of the outcome.
        fileprivate(set) var day = Day(number: 0)
        /// Nothing where the job's ledger is not there any more.
        fileprivate(set) var specification: JobSpecification?
        /// Of the catalogue, that its features read: its own, or those of the model that scores.
        fileprivate(set) var items: Set<String> = []
        /// Of the node's subjects.
        fileprivate(set) var aligned = 0, trained = 0, scored = 0, excluded = 0
        /// SHA-256 of its report.
        fileprivate(set) var reportDigest: [UInt8]?

        fileprivate mutating func take(_ entry: OperationsEntry) {
            let count = Int(clamping: entry.count ?? 0)
            switch entry.action {
            case .jobRefused: (outcome, day) = (.refused(entry.object ?? ""), entry.day)
            case .jobEnded: (outcome, day) = (entry.object == "completed" ? .completed : .ended(entry.object ?? ""), entry.day)
            case .subjectsAligned: aligned = aligned.saturatingAdding(count)
            case .subjectsTrained: trained = trained.saturatingAdding(count)
            case .subjectsScored: scored = scored.saturatingAdding(count)
            case .subjectsExcluded: excluded = excluded.saturatingAdding(count)
            case .resultKept where entry.object == "report.json": reportDigest = entry.digest
            default: break
            }
        }
    }

    let days: ClosedRange<Day>
    /// Everything up to the last day.
    let history: [OperationsEntry]
    /// Those whose outcome fell into the period.
    private(set) var jobs: [JobIdentifier: Job] = [:]
    /// Training jobs whose models were in use when the period ended.
    private(set) var models: [Job] = []
    /// In force when the period ended.
    let contract: Contract?

    /// - Throws: `unreadableFile`.
    init(_ dataDirectory: String, _ days: ClosedRange<Day>) throws(Fault) {
        self.days = days
        let ledger: OperationsDirectory
        do { ledger = try OperationsDirectory.open(dataDirectory) } catch { throw Fault(.unreadableFile, at: error.name) }
        history = ledger.entries.split(separator: UInt8(ascii: "\n")).compactMap { OperationsEntry(decoding: Array($0)) }
            .filter { $0.day <= days.upperBound }
        let digest = history.last { $0.action == .contract }?.digest
        contract = digest.flatMap { digest in ledger.contract(digest).flatMap { SHA256.hash($0) == digest ? try? Contract.parse($0) : nil } }
        func specification(_ job: String) -> JobSpecification? {
            let file = URL(fileURLWithPath: dataDirectory, isDirectory: true).appendingPathComponent("ledger/\(job)/specification.json")
            return (try? Data(contentsOf: file)).flatMap { try? JobSpecification.parse([UInt8]($0)) }
        }
        var found: [JobIdentifier: Job] = [:]
        for entry in history { if let job = entry.job { found[job, default: Job()].take(entry) } }
        let retired = Set(history.filter { $0.action == .modelRetired }.compactMap(\.job))
        for (id, job) in found where job.outcome != nil {
            var job = job
            job.specification = specification("\(id)")
            let training = job.specification?.training ?? job.specification?.scoring.flatMap { specification($0.model)?.training }
            job.items = Set(training?.features.platform.flatMap(\.items) ?? [])
            if days.contains(job.day) { jobs[id] = job }
            if job.outcome == .completed, job.specification?.training != nil, !retired.contains(id) { models.append(job) }
        }
    }

    /// Of the period alone.
    var entries: [OperationsEntry] { history.filter { days.contains($0.day) } }

    func count(_ counts: (Job.Outcome) -> Bool) -> Int { jobs.values.count { $0.outcome.map(counts) ?? false } }
    var completed: Int { count { $0 == .completed } }
    var refused: Int { count { if case .refused = $0 { true } else { false } } }
    var ended: Int { count { if case .ended = $0 { true } else { false } } }

    /// Completed jobs by what their specification says.
    func completed(by name: (JobSpecification) -> String?) -> [String: Int] {
        jobs.values.filter { $0.outcome == .completed }.compactMap { $0.specification.flatMap(name) }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    func words(_ language: Language) -> String {
        Phrase(en: "From \(days.lowerBound) to \(days.upperBound): jobs completed \(completed), ended otherwise \(ended), refused \(refused)",
               zh: "\(days.lowerBound) 至 \(days.upperBound)：完成任务 \(completed)，其他结束 \(ended)，拒绝 \(refused)")(language)
    }
}

extension OperationsEntry {
    var day: Day { Day(of: time) }
}

extension JobSpecification.Feature {
    /// Of the catalogue.
    var items: Set<String> { Set(fields.compactMap { FieldPath($0)?.item }) }
}

extension Int {
    /// Of counts, which a ledger on a disk may say to be anything.
    func saturatingAdding(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}

extension [String: Int] {
    var json: JSONValue { .object(mapValues { .integer($0) }) }
    var words: String { isEmpty ? "–" : sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }
}
