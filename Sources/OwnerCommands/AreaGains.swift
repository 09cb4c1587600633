import Faults
import Jobs
import NodeRuntime
import Pages
import Primitives
import Wire

/// What a bank's reports say of the worth of items, by AUC on test parts. A report counts if the ledger has its digest.
struct AreaGains {
    private struct Gain {
        let job: LedgerPeriod.Job
        /// AUC of the joint model less that of the bank's own columns.
        let value: Double
    }

    private var gains: [Gain] = []
    /// Completed training jobs without such a report, or without a test part.
    private(set) var untold = 0

    /// - Throws: those of `Storage.open`.
    init(_ period: LedgerPeriod, _ files: JobFiles) throws(Fault) {
        for (id, job) in period.jobs where job.outcome == .completed && job.specification?.training != nil {
            if let bytes = try files.read("report.json", job: "\(id)"), SHA256.hash(bytes) == job.reportDigest,
               let report = try? JSONValue.parse(bytes, as: "report.json"), let joint = Self.area(report["joint"]), let own = Self.area(report["bank_only"]) {
                gains.append(Gain(job: job, value: joint - own))
            } else {
                untold += 1
            }
        }
    }

    private static func area(_ model: JSONValue?) -> Double? {
        guard case .number(let area)? = model?["test"]?["auc"] else { return nil }
        return Double(area)
    }

    /// Of whole jobs, not of the item: what the joint model gained in each that used it.
    func ofJobs(using item: String) -> [Double] { gains.filter { $0.job.items.contains(item) }.map(\.value).sorted() }

    /// The item's own: the gain of a job less that of one that is the same but for it, of every such pair.
    func marginal(of item: String) -> [Double] {
        gains.flatMap { with in gains.filter { Self.differ(with.job, $0.job, by: item) }.map { with.value - $0.value } }.sorted()
    }

    private static func differ(_ with: LedgerPeriod.Job, _ without: LedgerPeriod.Job, by item: String) -> Bool {
        guard var reduced = with.specification, let other = without.specification, let features = reduced.training?.features.platform
        else { return false }
        let reading = features.filter { $0.items.contains(item) }
        // A feature of several items says nothing of one of them.
        guard !reading.isEmpty, reading.allSatisfy({ $0.items == [item] }) else { return false }
        reduced.training?.features.platform = features.filter { !$0.items.contains(item) }
        // These have no part in the model.
        (reduced.name, reduced.purpose, reduced.validUntil) = (other.name, other.purpose, other.validUntil)
        reduced.population.expectedCommon = other.population.expectedCommon
        return reduced == other
    }
}

extension [Double] {
    private var mean: Double { reduce(0, +) / Double(count) }

    /// Sorted values; nothing where there are none.
    func json(of things: String) -> JSONValue {
        guard let least = first, let most = last else { return .null }
        func number(_ value: Double) -> JSONValue { .real((value * 1e6).rounded() / 1e6) }
        return .object([things: .integer(count), "mean": number(mean), "least": number(least), "most": number(most)])
    }

    /// `+0.0312 (+0.0290 to +0.0334)`.
    var range: Phrase? {
        guard let least = first, let most = last else { return nil }
        let (mean, low, high) = (Figures.fixed(mean, 4, sign: true), Figures.fixed(least, 4, sign: true), Figures.fixed(most, 4, sign: true))
        return count == 1 ? .same(mean) : Phrase(en: "\(mean) (\(low) to \(high))", zh: "\(mean)（\(low) 至 \(high)）")
    }
}
