import ArgumentParser
import Catalogue
import Console
import Faults
import Installation
import Jobs
import NodeCommands
import NodeRuntime
import Pages
import Wire

/// What became of each item that providers have supplied, from this node's ledgers alone.
package struct FeedbackCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "feedback", abstract: "Uses of each item of the catalogue and what came of them, for its providers. (向数据提供单位反馈使用情况及成效)",
            discussion: """
                Example: \(Program.name) data feedback --from 2026-01-01 --until 2026-06-30 \
                --html feedback.html --config lab/\(Program.role.rawValue)/node.json

                Counts from the ledger of operations and the specifications in the ledgers of jobs. AUC is told where it is known, at the bank.
                (取自操作账本与各任务账本中的任务说明；AUC 仅银行掌握)
                """)
    }

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: NodeOptions

    package init() {}

    package func run() throws {
        try options.reporting {
            let installation = try Installation.node(options.config, role: Program.role)
            try period.tell(options.language) { days in
                let period = try LedgerPeriod(installation.configuration.dataDirectory, days)
                return ItemFeedback(period, Program.role == .bank ? try AreaGains(period, try JobFiles(installation)) : nil)
            }
        }
    }
}

struct ItemFeedback: PeriodReport {
    private struct Item {
        var completed = 0, ended = 0, refused = 0
        /// Uses of subjects' rows: a subject counts once for each job.
        var aligned = 0, trained = 0, scored = 0, excluded = 0
        var modelsInUse = 0
    }

    private let period: LedgerPeriod
    /// Nothing at a platform, which sees no label, no score and no measure.
    private let gains: AreaGains?
    private var items: [String: Item] = [:]

    init(_ period: LedgerPeriod, _ gains: AreaGains?) {
        self.period = period
        self.gains = gains
        for job in period.jobs.values {
            for name in job.items {
                var item = items[name] ?? Item()
                switch job.outcome {
                case .completed: item.completed += 1
                case .refused: item.refused += 1
                case .ended, nil: item.ended += 1
                }
                item.aligned = item.aligned.saturatingAdding(job.aligned)
                item.trained = item.trained.saturatingAdding(job.trained)
                item.scored = item.scored.saturatingAdding(job.scored)
                item.excluded = item.excluded.saturatingAdding(job.excluded)
                items[name] = item
            }
        }
        for name in period.models.flatMap(\.items) { items[name, default: Item()].modelsInUse += 1 }
    }

    private var sorted: [(key: String, value: Item)] { items.sorted { $0.key < $1.key } }
    private var banks: [String] { Set(period.jobs.values.compactMap(\.specification?.parties.bank)).sorted() }
    private var purposes: [String: Int] { period.completed { $0.purpose.code } }

    var json: JSONValue {
        .object([
            "version": .integer(1), "from": .text("\(period.days.lowerBound)"), "until": .text("\(period.days.upperBound)"),
            "jobs": ["completed": period.completed, "ended": period.ended, "refused": period.refused].json,
            "purposes": purposes.json, "banks": .array(banks.map { .text($0) }), "auc_known": .bool(gains != nil),
            "items": .array(sorted.map { id, item in
                .object([
                    "item": .text(id), "completed": .integer(item.completed), "ended": .integer(item.ended), "refused": .integer(item.refused),
                    "rows_aligned": .integer(item.aligned), "rows_trained": .integer(item.trained), "rows_scored": .integer(item.scored),
                    "rows_excluded": .integer(item.excluded), "models_in_use": .integer(item.modelsInUse),
                    "auc_gain_of_jobs": gains?.ofJobs(using: id).json(of: "jobs") ?? .null,
                    "auc_marginal": gains?.marginal(of: id).json(of: "pairs") ?? .null, "information_value": .null,
                ])
            }),
        ])
    }

    func lines(_ language: Language) -> [String] {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        var lines = [
            period.words(language), text("Purposes: ", "用途：") + purposes.words,
            text("Banks: ", "银行：") + banks.joined(separator: ", "),
        ]
        for (id, item) in sorted {
            let name = Catalogue.current.item(id)?.name(language) ?? ""
            let worth = worth(of: id).map { Phrase(en: "; \($0.en)", zh: "；\($0.zh)") } ?? .same("")
            lines.append(text(
                "\(id) \(name): completed \(item.completed), ended \(item.ended), refused \(item.refused); rows aligned \(item.aligned), trained on "
                    + "\(item.trained), scored \(item.scored), left out \(item.excluded); models in use \(item.modelsInUse)" + worth.en,
                "\(id) \(name)：完成 \(item.completed)，其他结束 \(item.ended)，拒绝 \(item.refused)；对齐 \(item.aligned) 行，训练 \(item.trained) 行，"
                    + "评分 \(item.scored) 行，未进入 \(item.excluded) 行；在用模型 \(item.modelsInUse)" + worth.zh))
        }
        if items.isEmpty { lines.append(text("No job used an item of the catalogue.", "没有任务使用目录中的信息项。")) }
        return lines + notes.map { $0(language) }
    }

    private func worth(of item: String) -> Phrase? {
        guard let gains else { return nil }
        let jobs = gains.ofJobs(using: item), pairs = gains.marginal(of: item)
        let whole = jobs.range.map {
            Phrase(en: "AUC gain of the \(jobs.count) jobs that used it \($0.en)", zh: "使用该项的 \(jobs.count) 个任务的 AUC 提升 \($0.zh)")
        } ?? Phrase(en: "no AUC of a job that used it", zh: "使用该项的任务均无 AUC")
        let own = pairs.range.map {
            Phrase(en: "marginal AUC \($0.en), of \(pairs.count) pairs of jobs", zh: "边际 AUC \($0.zh)，取自 \(pairs.count) 对任务")
        } ?? Phrase(en: "marginal AUC not known: no two jobs differ by it alone", zh: "边际 AUC 未知：没有仅相差该项的两个任务")
        return Phrase(en: "\(whole.en); \(own.en)", zh: "\(whole.zh)；\(own.zh)")
    }

    /// How the figures are meant, and which are not there.
    private var notes: [Phrase] {
        guard let gains else {
            return [Phrase(
                en: "AUC is not known here: labels, scores and measures are the bank's, whose own data feedback tells it. No information value is computed.",
                zh: "本节点不掌握 AUC：标签、评分与评估指标均在银行，见银行节点的 data feedback。未计算信息值（IV）。")]
        }
        let untold = gains.untold == 0 ? [] : [Phrase(
            en: "Of \(gains.untold) completed training jobs no AUC is told: the report is gone or not the one of the ledger, or there was no test part.",
            zh: "另有 \(gains.untold) 个已完成的训练任务无 AUC：报告已删除或与账本不符，或没有测试集。")]
        return [Phrase(
            en: "An AUC gain is that of a whole joint model over the bank's own columns on the test part, and no single item's. A marginal AUC is the gain of "
                + "a job less that of one that is the same but for the item, each with its own rows and split. No information value is computed.",
            zh: "AUC 提升指联合模型较仅用银行数据的模型在测试集的提升，并非单个信息项所致；边际 AUC 指一个任务与仅缺该项的另一任务的提升之差，两者的样本与划分各自不同。"
                + "未计算信息值（IV）。")] + untold
    }

    func page(_ language: Language) -> Page {
        func head(_ en: String, _ zh: String) -> TableColumn { .number(Phrase(en: en, zh: zh)) }
        let (from, until) = (period.days.lowerBound, period.days.upperBound)
        let item: [TableColumn] = [.words(Phrase(en: "item", zh: "信息项")), .words(Phrase(en: "name", zh: "名称"))]
        func name(_ id: String) -> [Markup] { [.code(id), Markup(Catalogue.current.item(id)?.name ?? .same(""))] }
        return Page(
            title: Phrase(en: "Uses of the catalogue's items", zh: "信息项使用情况反馈"),
            facts: [KeyFigure(Phrase(en: "period", zh: "期间"), Phrase(en: "\(from) to \(until)", zh: "\(from) 至 \(until)"))], language: language,
            content: [
                .figures([
                    KeyFigure(Phrase(en: "Jobs completed", zh: "完成任务"), Figures.count(period.completed)),
                    KeyFigure(Phrase(en: "Ended otherwise", zh: "其他结束"), Figures.count(period.ended)),
                    KeyFigure(Phrase(en: "Refused", zh: "拒绝"), Figures.count(period.refused)), KeyFigure(Phrase(en: "Banks", zh: "银行"), Figures.count(banks.count)),
                ]),
                .table(
                    columns: item + [
                        head("completed", "完成"), head("ended", "其他结束"), head("refused", "拒绝"), head("rows aligned", "对齐行"),
                        head("trained on", "训练行"), head("scored", "评分行"), head("left out", "未进入行"), head("models in use", "在用模型"),
                    ],
                    wide: true,
                    rows: sorted.map { id, item in
                        let jobs = [item.completed, item.ended, item.refused], rows = [item.aligned, item.trained, item.scored, item.excluded]
                        return name(id) + (jobs + rows + [item.modelsInUse]).map { .text(Figures.count($0)) }
                    }),
                .note(Phrase(en: "Counts from this node's ledgers; a subject counts once for each job.", zh: "计数取自本节点账本；同一主体在每个任务中计一次。")),
                gains.map { gains in
                    .table(
                        columns: item + [head("AUC gain of the jobs that used it", "使用该项的任务的 AUC 提升"), head("marginal AUC", "边际 AUC")],
                        wide: true,
                        rows: sorted.map { id, _ in
                            name(id) + [gains.ofJobs(using: id), gains.marginal(of: id)].map { Markup($0.range ?? .same("–")) }
                        })
                } ?? .empty,
            ] + notes.map { .note($0) })
    }
}
