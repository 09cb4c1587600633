import Canary
import Faults
import Features
import Foundation
import Jobs
import Ledger
import NodeRuntime
import Roles
import Tables
import Wire

/// What this party's jobs made of its columns: standardised as the model keeps it, in the order in which the job had its rows.
/// A leak would most likely hold those, and not the columns as the file has them.
struct JobColumns {
    private let files: JobFiles
    private let operations: Operations

    /// The part of `model.json` that is needed here.
    private struct Model: Decodable {
        let plan: PreparationPlan
    }

    init(_ files: JobFiles, _ operations: Operations) {
        self.files = files
        self.operations = operations
    }

    /// Adds columns of the newest jobs, until there are as many of them as the file has; of one job in any case.
    ///
    /// - Returns: of which jobs, and of which not.
    func add(to data: inout CanaryData, _ source: DataSource) throws(Fault) -> [Phrase] {
        let most = data.columns.count
        var (added, left, columns) = ([String](), 0, 0)
        for job in jobs {
            guard columns < most else {
                left += 1
                continue
            }
            guard let prepared = try prepared(job, source) else { continue }
            for (name, values) in prepared.columns {
                data.add(name, Phrase(en: "standardised as in job \(job)", zh: "按任务 \(job) 标准化"), numbers: values, lines: prepared.lines)
            }
            columns += prepared.columns.count
            added.append("\(job)")
        }
        var facts = [
            added.isEmpty
                ? Phrase(en: "standardised columns: over the whole file alone, for no job with this data has left its model",
                         zh: "标准化后的列：仅按整个文件，因为没有使用该数据的任务留存模型")
                : Phrase(en: "standardised columns: over the whole file, and as in \(added.joined(separator: ", "))",
                         zh: "标准化后的列：按整个文件，以及按任务 \(added.joined(separator: "、"))"),
        ]
        if left > 0 {
            facts.append(Phrase(en: "standardised columns of \(left) older jobs were not searched", zh: "未搜索 \(left) 个较早任务的标准化列"))
        }
        return facts
    }

    /// Newest first.
    private var jobs: [JobIdentifier] {
        let root = files.directory.appendingPathComponent("ledger", isDirectory: true)
        let found = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: [.contentModificationDateKey])) ?? []
        func date(_ url: URL) -> Date { (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate ?? .distantPast }
        return found.sorted { date($0) > date($1) }.compactMap { JobIdentifier($0.lastPathComponent) }
    }

    /// Nothing where the job has left no model, or the file is not one that it could have read.
    private func prepared(_ job: JobIdentifier, _ source: DataSource) throws(Fault) -> (columns: [(String, [Double])], lines: [Int])? {
        guard let ledger = try? LedgerDirectory.open(files.directory.appendingPathComponent("ledger/\(job)").path),
              let manifest = LedgerManifest(decoding: ledger.manifest), let specification = try? JobSpecification.parse(ledger.specification),
              let bytes = try files.read("model.json", job: specification.scoring?.model ?? "\(job)"),
              let plan = try? JSONDecoder().decode(Model.self, from: Data(bytes)).plan
        else { return nil }
        let identifier = manifest.role == .bank ? specification.population.bankId : specification.population.platformId
        guard let (table, _) = try? Table.read(from: source, identifier: identifier, identifierKind: IdentifierKind(specification.population.idType),
                                               columns: plan.requests)
        else { return nil }
        let rows = try order(of: table, in: job, ledger, manifest, specification) ?? Array(0..<table.rowCount)
        guard let columns = try? plan.standardised(in: table, rows: rows), !columns.isEmpty else { return nil }
        return (columns.map { ($0.column, $0.values) }, rows.map { table.lines[$0] })
    }

    /// Rows of the common subjects in the job's order.
    private func order(
        of table: Table, in job: JobIdentifier, _ ledger: LedgerDirectory, _ manifest: LedgerManifest, _ specification: JobSpecification
    ) throws(Fault) -> [Int]? {
        guard let isCommon = try operations.aligned(in: job) else { return nil }
        var shares: [Direction: [UInt8]] = [:]
        for line in ledger.lines {
            for start in stride(from: 0, through: line.records.count - manifest.recordBytes, by: manifest.recordBytes) {
                guard let record = FrameRecord(decoding: line.records[start..<start + manifest.recordBytes]), record.kind == .seedReveal,
                      let payload = ledger.payload(record.digest, atMost: record.kind.row.maximumPayloadBytes),
                      case .seedReveal(let reveal)? = try? Message.decode(kind: .seedReveal, payload: payload)
                else { continue }
                shares[line.direction] = reveal.seed.octets
            }
        }
        guard let own = shares[.sent], let other = shares[.received] else { return nil }
        let order = RowOrder(specification, role: manifest.role, own: own, other: other)
        return (0..<table.rowCount).filter { isCommon(table.identifiers[$0]) }
            .map { (code: order.code(of: Array(table.identifiers[$0].utf8)), row: $0) }
            .sorted { $0.code.lexicographicallyPrecedes($1.code) }.map(\.row)
    }
}
