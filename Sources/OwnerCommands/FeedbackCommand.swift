import ArgumentParser
import Catalogue
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Pages

/// What became of each item that providers have supplied, from this node's ledgers alone: for them, and for statistics.
package struct FeedbackCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "feedback", abstract: "Uses of each item of the catalogue, for its providers and for statistics. (向数据提供单位反馈使用情况，并作定期统计)",
            discussion: """
                Example: \(Program.name) data feedback --from 2026-01-01 --until 2026-06-30 --html feedback.html --config lab/platform/node.json

                Counts alone, from the ledger of operations and the specifications in the ledgers of jobs.
                """)
    }

    @Option(name: .customLong("from"), help: "First day. (起始日)") var from: String?
    @Option(name: .customLong("until"), help: "Last day. (截止日)") var until: String?
    @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
    @Option(name: .long, help: ArgumentHelp("Write a page for the browser instead. (改为写出网页)", valueName: "file")) var html: String?
    @OptionGroup var options: NodeOptions

    package init() {}

    package func run() throws {
        try options.reporting {
            if let html, FileManager.default.fileExists(atPath: html) { throw Fault(.alreadyExists, at: html) }
            func day(_ text: String?, _ option: String, else other: Day) throws(Fault) -> Day {
                guard let text else { return other }
                guard let day = Day(text) else { throw Fault(.wrongType, at: option, "a day such as 2026-03-31", "形如 2026-03-31 的日期") }
                return day
            }
            let period = (try day(from, "--from", else: Day(number: 0)), try day(until, "--until", else: .today))
            let use = try CatalogueUse(dataDirectory: try options.dataDirectory(Program.role), from: period.0, until: period.1)
            if let html { try PrivateFile.create(use.page(options.language).bytes, at: html) }
            if json { Console.say(use.json.canonicalText()) }
            if html == nil, !json { for line in use.lines(options.language) { Console.say(line) } }
        }
    }
}

/// Uses of the catalogue in a period, as one node's ledgers tell them.
struct CatalogueUse {
    struct Item {
        var completed = 0, ended = 0, refused = 0
        /// Uses of subjects' rows: a subject counts once for each job.
        var aligned = 0, trained = 0, scored = 0, excluded = 0
        var modelsInUse = 0
    }

    private struct Job {
        var purpose = ""
        var end: String?
        var isRefused = false
        var aligned = 0, trained = 0, scored = 0, excluded = 0
    }

    let from: Day
    let until: Day
    private(set) var items: [String: Item] = [:]
    private(set) var purposes: [String: Int] = [:]
    private(set) var completed = 0
    private(set) var ended = 0
    private(set) var refused = 0
    private(set) var banks: Set<String> = []

    /// - Throws: `unreadableFile`.
    init(dataDirectory: String, from: Day, until: Day) throws(Fault) {
        self.from = from
        self.until = until
        let ledger: OperationsDirectory
        do { ledger = try OperationsDirectory.open(dataDirectory) } catch { throw Fault(.unreadableFile, at: error.name) }
        var jobs: [String: Job] = [:]
        var trained: Set<String> = []
        var retired: Set<String> = []
        for line in ledger.entries.split(separator: UInt8(ascii: "\n")) {
            guard let entry = OperationsEntry(decoding: Array(line)), let id = entry.job.map({ "\($0)" }) else { continue }
            if entry.action == .modelRetired { retired.insert(id) }
            let day = Day(number: Int((entry.time.timeIntervalSince1970 / 86_400).rounded(.down)))
            guard from <= day, day <= until else { continue }
            var job = jobs[id] ?? Job()
            job.purpose = entry.purpose ?? job.purpose
            let count = Int(clamping: entry.count ?? 0)
            switch entry.action {
            case .jobRefused: job.isRefused = true
            case .jobEnded: job.end = entry.object
            case .subjectsAligned: job.aligned += count
            case .subjectsTrained: job.trained += count
            case .subjectsScored: job.scored += count
            case .subjectsExcluded: job.excluded += count
            default: break
            }
            jobs[id] = job
        }
        func specification(_ job: String) -> JobSpecification? {
            let file = URL(fileURLWithPath: dataDirectory, isDirectory: true).appendingPathComponent("ledger/\(job)/specification.json")
            return (try? Data(contentsOf: file)).flatMap { try? JobSpecification.parse([UInt8]($0)) }
        }
        for (id, job) in jobs where job.isRefused || job.end != nil {
            let isCompleted = job.end == "completed"
            if isCompleted { completed += 1 } else if job.isRefused { refused += 1 } else { ended += 1 }
            guard let asked = specification(id) else { continue }
            banks.insert(asked.parties.bank)
            if isCompleted { purposes[asked.purpose.code, default: 0] += 1 }
            let features = asked.training?.features.platform ?? asked.scoring.flatMap { specification($0.model)?.training?.features.platform } ?? []
            if isCompleted, asked.training != nil { trained.insert(id) }
            for name in Set(features.flatMap(\.fields).compactMap { FieldPath($0)?.item }) {
                var item = items[name] ?? Item()
                if isCompleted { item.completed += 1 } else if job.isRefused { item.refused += 1 } else { item.ended += 1 }
                item.aligned += job.aligned
                item.trained += job.trained
                item.scored += job.scored
                item.excluded += job.excluded
                if trained.contains(id), !retired.contains(id) { item.modelsInUse += 1 }
                items[name] = item
            }
        }
    }

    private var sorted: [(key: String, value: Item)] { items.sorted { $0.key < $1.key } }

    var json: JSONValue {
        .object([
            "version": .integer(1), "from": .text("\(from)"), "until": .text("\(until)"),
            "jobs": .object(["completed": .integer(completed), "ended": .integer(ended), "refused": .integer(refused)]),
            "purposes": .object(purposes.mapValues { .integer($0) }), "banks": .array(banks.sorted().map { .text($0) }),
            "items": .array(sorted.map { id, item in
                .object([
                    "item": .text(id), "completed": .integer(item.completed), "ended": .integer(item.ended), "refused": .integer(item.refused),
                    "rows_aligned": .integer(item.aligned), "rows_trained": .integer(item.trained), "rows_scored": .integer(item.scored),
                    "rows_excluded": .integer(item.excluded), "models_in_use": .integer(item.modelsInUse),
                ])
            }),
        ])
    }

    func lines(_ language: Language) -> [String] {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        var lines = [
            text("From \(from) to \(until): jobs completed \(completed), ended otherwise \(ended), refused \(refused)",
                 "\(from) 至 \(until)：完成任务 \(completed)，其他结束 \(ended)，拒绝 \(refused)"),
            text("Purposes: ", "用途：") + purposes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            text("Banks: ", "银行：") + banks.sorted().joined(separator: ", "),
        ]
        for (id, item) in sorted {
            let name = Catalogue.current.item(id)?.name(language) ?? ""
            lines.append(text(
                "\(id) \(name): completed \(item.completed), ended \(item.ended), refused \(item.refused); rows aligned \(item.aligned), trained on "
                    + "\(item.trained), scored \(item.scored), left out \(item.excluded); models in use \(item.modelsInUse)",
                "\(id) \(name)：完成 \(item.completed)，其他结束 \(item.ended)，拒绝 \(item.refused)；对齐 \(item.aligned) 行，训练 \(item.trained) 行，"
                    + "评分 \(item.scored) 行，未进入 \(item.excluded) 行；在用模型 \(item.modelsInUse)"))
        }
        if items.isEmpty { lines.append(text("No job used an item of the catalogue.", "没有任务使用目录中的信息项。")) }
        return lines
    }

    func page(_ language: Language) -> Page {
        func head(_ en: String, _ zh: String) -> TableColumn { .number(Phrase(en: en, zh: zh)) }
        return Page(
            title: Phrase(en: "Uses of the catalogue's items", zh: "信息项使用情况反馈"),
            facts: [KeyFigure(Phrase(en: "period", zh: "期间"), Phrase(en: "\(from) to \(until)", zh: "\(from) 至 \(until)"))], language: language,
            content: [
                .figures([
                    KeyFigure(Phrase(en: "Jobs completed", zh: "完成任务"), Figures.count(completed)),
                    KeyFigure(Phrase(en: "Ended otherwise", zh: "其他结束"), Figures.count(ended)),
                    KeyFigure(Phrase(en: "Refused", zh: "拒绝"), Figures.count(refused)), KeyFigure(Phrase(en: "Banks", zh: "银行"), Figures.count(banks.count)),
                ]),
                .table(
                    columns: [
                        .words(Phrase(en: "item", zh: "信息项")), .words(Phrase(en: "name", zh: "名称")), head("completed", "完成"), head("ended", "其他结束"),
                        head("refused", "拒绝"), head("rows aligned", "对齐行"), head("trained on", "训练行"), head("scored", "评分行"),
                        head("left out", "未进入行"), head("models in use", "在用模型"),
                    ],
                    wide: true,
                    rows: sorted.map { id, item in
                        [.code(id), Markup(Catalogue.current.item(id)?.name ?? .same(""))]
                            + [item.completed, item.ended, item.refused, item.aligned, item.trained, item.scored, item.excluded, item.modelsInUse]
                            .map { .text(Figures.count($0)) }
                    }),
                .note(Phrase(en: "Counts from this node's ledgers; a subject counts once for each job.", zh: "计数取自本节点账本；同一主体在每个任务中计一次。")),
            ])
    }
}
