import ArgumentParser
import Catalogue
import Console
import Faults
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Pages
import Primitives
import Wire

/// The periodic statistics for whoever supervises the platform (发改办财金〔2024〕548号, 四(一)), from this node's ledgers alone.
package struct StatisticsCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "statistics", abstract: "What was collected, modelled and connected in a period, for reporting. (定期统计：归集、建模与联通情况)",
            discussion: """
                Example: \(Program.name) data statistics --from 2026-01-01 --until 2026-06-30 \
                --html statistics.html --config lab/\(Program.role.rawValue)/node.json

                Counts from the ledger of operations, the ledgers of jobs, and descriptions of data that the ledger has the digest of.
                (取自操作账本、各任务账本以及摘要已入账的数据集描述)
                """)
    }

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: NodeOptions

    package init() {}

    package func run() throws {
        try options.reporting {
            let installation = try Installation.node(options.config, role: Program.role)
            let files = DescriptionFiles(try JobFiles(installation))
            try period.tell(options.language) { days in
                let period = try LedgerPeriod(installation.configuration.dataDirectory, days)
                return PeriodStatistics(period, files, installation.configuration.name, Program.role)
            }
        }
    }
}

struct PeriodStatistics: PeriodReport {
    private struct Dataset {
        /// As published last; nothing where no description is there that the ledger knows.
        var description: DataDescription?
        /// As read for a job last.
        var subjects: Int?
        /// Of the period, that were opened on it.
        var jobs: Set<JobIdentifier> = []

        /// Number of registered fields by item of the catalogue.
        var items: [String: Int] {
            (description?.columns ?? []).compactMap { FieldPath($0.name)?.item }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    private let period: LedgerPeriod
    private let node: String
    private let isBank: Bool
    private var datasets: [String: Dataset] = [:]
    private let others: [String]

    /// - Parameter role: of the node.
    init(_ period: LedgerPeriod, _ files: DescriptionFiles, _ node: String, _ role: Role) {
        self.period = period
        self.node = node
        isBank = role == .bank
        let other: Contract.Role = isBank ? .platform : .bank
        others = period.contract?.parties.filter { $0.role == other }.map(\.name).sorted() ?? []
        var published: [String: [UInt8]] = [:]
        for entry in period.history {
            guard let name = entry.object else { continue }
            switch entry.action {
            case .dataPublished: published[name] = entry.digest
            case .dataWithdrawn: published[name] = nil
            case .subjectsRead:
                datasets[name, default: Dataset()].subjects = entry.count.map { Int(clamping: $0) }
                if period.days.contains(entry.day), let job = entry.job { datasets[name, default: Dataset()].jobs.insert(job) }
            default: break
            }
        }
        let kept = files.all(published.keys)
        for (name, digest) in published {
            let known = kept[name].flatMap { SHA256.hash(Array($0.json.canonicalText().utf8)) == digest ? $0 : nil }
            datasets[name, default: Dataset()].description = known
        }
    }

    private var sorted: [(key: String, value: Dataset)] { datasets.sorted { $0.key < $1.key } }

    /// What is collected, item by item in the order of the lists.
    private var items: [(item: Catalogue.Item, dataset: String, fields: Int, rows: Int)] {
        Catalogue.current.items.flatMap { item in
            sorted.compactMap { name, data in data.items[item.id].map { (item, name, $0, data.description?.rows ?? 0) } }
        }
    }

    private func acts(_ action: OperationsEntry.Action, _ object: String? = nil) -> [OperationsEntry] {
        period.entries.filter { $0.action == action && (object == nil || $0.object == object) }
    }

    /// Of the list of authorisations: its lines at the end of the period, and what was done to it.
    private var authorisations: [String: Int] {
        [
            "lines": Int(clamping: period.history.last { $0.action == .authorisationsChanged }?.count ?? 0),
            "imports": acts(.authorisationsChanged, "import").count, "additions": acts(.authorisationsChanged, "add").count,
            "withdrawals": acts(.authorisationsChanged, "withdraw").count,
        ]
    }

    private var calls: [String: Int] {
        ["calls": acts(.dataCalled).count, "subjects": acts(.dataCalled).reduce(0) { $0.saturatingAdding(Int(clamping: $1.count ?? 0)) }]
    }

    private var modelsMade: Int { period.jobs.values.count { $0.outcome == .completed && $0.specification?.training != nil } }

    /// How often each fault refused or ended a job.
    private var faults: [String: Int] {
        period.jobs.values.reduce(into: [:]) { counts, job in
            switch job.outcome {
            case .refused(let code), .ended(let code): counts[code, default: 0] += 1
            case .completed, nil: break
            }
        }
    }

    private func sum(_ count: KeyPath<LedgerPeriod.Job, Int>) -> Int { period.jobs.values.reduce(0) { $0.saturatingAdding($1[keyPath: count]) } }

    /// Completed jobs with each party of the other side.
    private var connections: [(party: String, completed: Int)] {
        let counts = period.completed { $0.parties.bank }.merging(period.completed { $0.parties.platform }) { $1 }
        return others.map { ($0, counts[$0] ?? 0) }
    }

    var json: JSONValue {
        let collection: [String: JSONValue] = [
            "datasets": .array(sorted.map { name, data in
                .object([
                    "dataset": .text(name), "rows": data.description.map { .integer($0.rows) } ?? .null, "subjects": data.subjects.map { .integer($0) } ?? .null,
                    "jobs": .integer(data.jobs.count),
                ])
            }),
            "items": .array(items.map { item, dataset, fields, rows in
                .object([
                    "item": .text(item.id), "list": .text(item.document.rawValue), "dataset": .text(dataset), "fields": .integer(fields),
                    "rows": .integer(rows),
                ])
            }),
            "authorisations": authorisations.json, "called": calls.json,
        ]
        let modelling: [String: JSONValue] = [
            "jobs": ["completed": period.completed, "ended": period.ended, "refused": period.refused].json, "faults": faults.json,
            "kinds": period.completed { $0.kind.rawValue }.json, "purposes": period.completed { $0.purpose.code }.json,
            "products": period.completed { $0.purpose.product }.json, "stages": period.completed { $0.purpose.stage?.rawValue }.json,
            "models_made": .integer(modelsMade), "models_retired": .integer(acts(.modelRetired).count), "models_in_use": .integer(period.models.count),
            "rows": ["aligned": sum(\.aligned), "trained": sum(\.trained), "scored": sum(\.scored), "excluded": sum(\.excluded)].json,
        ]
        return .object([
            "version": .integer(1), "node": .text(node), "from": .text("\(period.days.lowerBound)"), "until": .text("\(period.days.upperBound)"),
            "collection": .object(collection), "modelling": .object(modelling),
            "connections": .array(connections.map { .object(["party": .text($0.party), "completed": .integer($0.completed)]) }),
        ])
    }

    private var collected: [Phrase] {
        let data = sorted.map { name, data in
            let rows = data.description.map { Shown.count($0.rows) }, subjects = data.subjects.map { Shown.count($0) }
            return Phrase(
                en: "data set \(name): \(rows ?? "unknown") rows as published, \(subjects ?? "unknown") subjects as last read for a job; \(data.jobs.count) jobs",
                zh: "数据集 \(name)：公布 \(rows ?? "未知") 行，最近一次任务读取主体 \(subjects ?? "未知") 个；任务 \(data.jobs.count) 个")
        }
        let lists = items.map { item, dataset, fields, rows in
            let isLocal = item.document == .jining
            return Phrase(
                en: "\(isLocal ? "local" : "national") list, \(item.id) \(item.name.en): \(fields) fields, in data set \(dataset) of \(Shown.count(rows)) rows",
                zh: "\(isLocal ? "地方清单" : "国家清单") \(item.id) \(item.name.zh)：\(fields) 个字段，登记于 \(Shown.count(rows)) 行的数据集 \(dataset)")
        }
        // A bank collects nothing by authorisation and calls for nothing.
        guard !isBank else { return data }
        func count(_ name: String) -> Int { authorisations[name] ?? 0 }
        return data + lists + [
            Phrase(en: "authorisations: \(Shown.count(count("lines"))) lines; imports \(count("imports")), additions \(count("additions")), withdrawals \(count("withdrawals"))",
                   zh: "授权清单 \(Shown.count(count("lines"))) 条；导入 \(count("imports")) 次，新增 \(count("additions")) 次，撤回 \(count("withdrawals")) 次"),
            Phrase(en: "interface calls: \(calls["calls"] ?? 0), for \(Shown.count(calls["subjects"] ?? 0)) subjects",
                   zh: "接口调用 \(calls["calls"] ?? 0) 次，涉及主体 \(Shown.count(calls["subjects"] ?? 0)) 个次"),
        ]
    }

    private var modelled: [Phrase] {
        func named(_ en: String, _ zh: String, _ counts: [String: Int]) -> Phrase { Phrase(en: "\(en): \(counts.words)", zh: "\(zh)：\(counts.words)") }
        return [
            named("completed jobs by kind", "完成任务按类型", period.completed { $0.kind.rawValue }),
            named("by purpose", "按用途", period.completed { $0.purpose.code }), named("by product", "按金融产品", period.completed { $0.purpose.product }),
            named("by stage of the loan", "按信贷环节", period.completed { $0.purpose.stage?.rawValue }),
            named("refused or ended otherwise, by fault", "拒绝或其他结束按故障编号", faults),
            Phrase(en: "models: \(modelsMade) made, \(acts(.modelRetired).count) retired, \(period.models.count) in use",
                   zh: "模型：新建 \(modelsMade) 个，停用 \(acts(.modelRetired).count) 个，在用 \(period.models.count) 个"),
            Phrase(en: "rows, once for each job: aligned \(sum(\.aligned)), trained on \(sum(\.trained)), scored \(sum(\.scored)), left out \(sum(\.excluded))",
                   zh: "行数（每个任务各计一次）：对齐 \(sum(\.aligned))，训练 \(sum(\.trained))，评分 \(sum(\.scored))，未进入 \(sum(\.excluded))"),
        ]
    }

    private var connected: [Phrase] {
        connections.map { Phrase(en: "\($0.party), party of the contract: \($0.completed) jobs completed", zh: "\($0.party)（契约当事方）：完成任务 \($0.completed) 个") }
            + (period.contract == nil ? [Phrase(en: "the contract of that time is not in the ledger", zh: "账本中没有当时的契约")] : [])
    }

    private var sections: [(title: Phrase, rows: [Phrase])] {
        [
            (Phrase(en: "Credit information collected", zh: "公共信用信息与特色信息归集情况"), collected),
            (Phrase(en: "Joint modelling and products", zh: "联合建模与开发产品情况"), modelled),
            (Phrase(en: "Connection of platform and banks", zh: "平台与银行机构系统联通情况"), connected),
        ]
    }

    private static let note = Phrase(
        en: "From this node's ledgers alone. Records of further tables are counted in no ledger; which items are a place's own specialities is for the platform to say: here they stand by list.",
        zh: "仅取自本节点账本。附表的记录数未入账本；哪些信息项属于特色信息由平台认定，此处按清单列示。")

    func lines(_ language: Language) -> [String] {
        [period.words(language)] + sections.flatMap { section in ["", section.title(language)] + section.rows.map { "  " + $0(language) } }
            + ["", Self.note(language)]
    }

    func page(_ language: Language) -> Page {
        let (from, until) = (period.days.lowerBound, period.days.upperBound)
        return Page(
            title: Phrase(en: "Statistics of \(node)", zh: "\(node) 定期统计"),
            facts: [KeyFigure(Phrase(en: "period", zh: "期间"), Phrase(en: "\(from) to \(until)", zh: "\(from) 至 \(until)"))], language: language,
            content: [
                .figures([
                    KeyFigure(Phrase(en: "Jobs completed", zh: "完成任务"), Figures.count(period.completed)),
                    KeyFigure(Phrase(en: "Ended otherwise", zh: "其他结束"), Figures.count(period.ended)),
                    KeyFigure(Phrase(en: "Refused", zh: "拒绝"), Figures.count(period.refused)),
                    KeyFigure(Phrase(en: "Models in use", zh: "在用模型"), Figures.count(period.models.count)),
                ])
            ] + sections.map { section in .section(section.title, [.list(section.rows.map { Markup($0) })]) } + [.note(Self.note)])
    }
}
