import Faults
import Foundation
import Pages
import Wire

/// How the job went: rounds, time, bytes, and what had been estimated.
struct CourseSections {
    let plan: PlanRecord?

    /// At a party that sees no measure.
    static func summary(_ report: TrainingReport) -> Markup {
        .group([
            .callout(report.converged ? .good : .plain, [
                .paragraph(report.converged
                    ? Phrase(en: "Training settled after \(Figures.count(report.rounds)) rounds on \(Figures.count(report.rows.train)) common subjects. This party holds its half of the model.",
                             zh: "在 \(Figures.count(report.rows.train)) 个共有主体上训练 \(Figures.count(report.rounds)) 轮后收敛。本方持有模型的一部分。")
                    : Phrase(en: "Training stopped after \(Figures.count(report.rounds)) rounds on \(Figures.count(report.rows.train)) common subjects before every step of this party was below the tolerance. This party holds its half of the model.",
                             zh: "在 \(Figures.count(report.rows.train)) 个共有主体上训练 \(Figures.count(report.rounds)) 轮后停止，本方步长尚未全部小于容差。本方持有模型的一部分。")),
                .paragraph(Phrase(en: "How well the model predicts is the bank's to know: here are no label, no score, no loss and no measure, for none of them reaches the platform.",
                                  zh: "模型效果仅银行知晓：标签、得分、损失与指标均不会到达平台，因此本报告不含这些内容。")),
            ]),
            .figures([
                KeyFigure(Phrase(en: "Common subjects", zh: "共有主体"), Figures.count(report.rows.aligned),
                          note: Phrase(en: "\(Figures.count(report.rows.train)) train", zh: "训练 \(Figures.count(report.rows.train))")),
                KeyFigure(Phrase(en: "Own columns", zh: "本方列数"), Figures.count(report.coefficients.count)),
                KeyFigure(Phrase(en: "Rounds", zh: "训练轮数"), Figures.count(report.rounds), note: Phrase(en: "keys of \(report.keyBits) bits", zh: "密钥 \(report.keyBits) 位")),
                KeyFigure(Phrase(en: "Duration", zh: "用时"), Figures.duration(seconds: report.seconds.total), note: .same(Figures.bytes(report.bytes.total))),
            ]),
        ])
    }

    func training(_ report: TrainingReport) -> Markup {
        var content: [Markup] = []
        if let losses = report.lossPerRound {
            let alone = report.bankOnly?.train?.logLoss
            content.append(LineChart(
                Phrase(en: "Loss in each round", zh: "各轮损失"),
                description: Phrase(en: "Mean log-loss of the training rows at the point where each round began; training starts from the bank's own model.",
                                    zh: "各轮开始时训练样本的平均对数损失；训练以银行自有模型为起点。"),
                x: Axis(Phrase(en: "round", zh: "轮次")), y: Axis(Phrase(en: "mean log-loss", zh: "平均对数损失")),
                series: (alone.map { [.init(.bankOnly, .blue, [.init(1, $0), .init(Double(max(losses.count, 1)), $0)])] } ?? [])
                    + [.init(.joint, .vermillion, losses.enumerated().map { .init(Double($0 + 1), $1) }, hasDots: losses.count <= 60)],
                size: .full).markup)
        }
        var settings = [
            Phrase(en: "\(Figures.count(report.rounds)) rounds were run" + (report.converged ? ", then the last step was below the tolerance." : ", which ended training before the last step was below the tolerance."),
                   zh: "共训练 \(Figures.count(report.rounds)) 轮" + (report.converged ? "，最后一步小于容差。" : "，结束时最后一步尚未小于容差。")),
            Phrase(en: "The sigmoid was replaced by an expansion of degree \(report.expansion.degree) on scores from −\(Figures.fixed(report.expansion.range, 1)) to \(Figures.fixed(report.expansion.range, 1)) on each side.",
                   zh: "以 \(report.expansion.degree) 次展开式代替 sigmoid 函数，双方各自得分的范围为 −\(Figures.fixed(report.expansion.range, 1)) 至 \(Figures.fixed(report.expansion.range, 1))。"),
        ]
        if let order = report.order, let share = order.splitShare, let l2 = order.l2, let most = order.maximumRounds {
            settings.append(Phrase(
                en: "Asked for: \(Figures.percent(share, 0)) of the common rows train, L2 penalty \(short(l2)), at most \(Figures.count(most)) rounds.",
                zh: "任务设定：共有样本的 \(Figures.percent(share, 0)) 用于训练，L2 惩罚 \(short(l2))，最多 \(Figures.count(most)) 轮。"))
        }
        content.append(.lines(settings))
        return .section(Phrase(en: "Training", zh: "训练过程"), content)
    }

    private func short(_ value: Double) -> String { String(format: "%.4g", value) }

    // Time and bytes

    private static let phases: [(name: Phrase, tone: Tone)] = [
        (Phrase(en: "opening and alignment", zh: "建立连接与样本对齐"), .blue),
        (Phrase(en: "preparation and training", zh: "准备与训练"), .orange),
        (Phrase(en: "scoring and closing", zh: "评分与收尾"), .green),
    ]

    func resources(seconds: TrainingReport.Seconds, bytes: TrainingReport.Bytes, aligned: Int?, rounds: Int?) -> Markup {
        let parts = Self.phases.map { StackedBars.Part($0.name, $0.tone) }
        let real = Phrase(en: "real", zh: "实际")
        let estimate = plan?.plan.likely
        var times = [StackedBars.Bar(estimate?.seconds == nil ? Phrase(en: "time", zh: "用时") : real, [seconds.align, seconds.train, seconds.score])]
        if let estimated = estimate?.seconds {
            times.append(.init(Phrase(en: "estimated", zh: "预估"), [estimated.align, estimated.train, estimated.score]))
        }
        let names = [Phrase(en: "bank to platform", zh: "银行 → 平台"), Phrase(en: "platform to bank", zh: "平台 → 银行")]
        let flows: [StackedBars.Bar] = if let phases = bytes.phases {
            zip(names, [\TrainingReport.Flows.bankToPlatform, \.platformToBank]).map { name, flow in
                StackedBars.Bar(name, [phases.align, phases.train, phases.score].map { Double($0[keyPath: flow]) })
            }
        } else {
            zip(names, [bytes.bankToPlatform, bytes.platformToBank]).map { .init($0, [Double($1)]) }
        }
        var content = [
            StackedBars(Phrase(en: "Time", zh: "用时"), axis: Axis(Phrase(en: "time", zh: "时间"), .seconds), parts: parts, bars: times).markup,
            StackedBars(Phrase(en: "Bytes on the line between the parties", zh: "双方线路上的传输字节"),
                        description: Phrase(en: "Frames with their headers, before the line's own encryption.", zh: "含帧头，不计线路加密的开销。"),
                        axis: Axis(Phrase(en: "bytes", zh: "字节"), .bytes),
                        parts: bytes.phases == nil ? [.init(Phrase(en: "all phases", zh: "全部阶段"), .blue)] : parts, bars: flows).markup,
            table(seconds, bytes),
        ]
        if let plan { content += estimated(plan, seconds, bytes, aligned, rounds) }
        return .section(Phrase(en: "Time and bytes", zh: "用时与传输"), content)
    }

    private func table(_ seconds: TrainingReport.Seconds, _ bytes: TrainingReport.Bytes) -> Markup {
        let flows = bytes.phases.map { [$0.align, $0.train, $0.score] }
        let rows = Self.phases.enumerated().map { index, phase -> [Markup] in
            [Markup(phase.name), .text(Figures.fixed([seconds.align, seconds.train, seconds.score][index], 1)),
             .text(flows.map { Figures.count($0[index].bankToPlatform) } ?? "–"), .text(flows.map { Figures.count($0[index].platformToBank) } ?? "–")]
        }
        return .table(columns: [
            .words(Phrase(en: "Phase", zh: "阶段")), .number(Phrase(en: "Seconds", zh: "秒")),
            .number(Phrase(en: "Bytes, bank to platform", zh: "字节，银行 → 平台")), .number(Phrase(en: "Bytes, platform to bank", zh: "字节，平台 → 银行")),
        ], wide: true, rows: rows + [[
            .strong(Markup(Phrase(en: "all", zh: "合计"))), .strong(.text(Figures.fixed(seconds.total, 1))),
            .strong(.text(Figures.count(bytes.bankToPlatform))), .strong(.text(Figures.count(bytes.platformToBank))),
        ]])
    }

    private func estimated(_ plan: PlanRecord, _ seconds: TrainingReport.Seconds, _ bytes: TrainingReport.Bytes, _ aligned: Int?, _ rounds: Int?)
        -> [Markup] {
        let (likely, most, known) = (plan.plan.likely, plan.plan.most, plan.withRealCounts)
        func row(_ name: Phrase, _ real: Double?, _ value: (PlanRecord.Estimate) -> Double?, _ written: (Double) -> Phrase) -> [Markup]? {
            guard let real, value(likely) != nil else { return nil }
            func shown(_ estimate: PlanRecord.Estimate?) -> Markup { estimate.flatMap(value).map { Markup(written($0)) } ?? .text("–") }
            let ratio = (known.flatMap(value) ?? value(likely)).map { $0 > 0 ? real / $0 : .nan } ?? .nan
            return [Markup(name), shown(likely), shown(most), shown(known), Markup(written(real)), .text(Figures.fixed(ratio, 2))]
        }
        func count(_ value: Double) -> Phrase { .same(Figures.fixed(value, 0)) }
        func size(_ value: Double) -> Phrase { .same(Figures.bytes(UInt64(min(max(value, 0), 1e18)))) }
        let rows = [
            row(Phrase(en: "common subjects", zh: "共有主体"), aligned.map { Double($0) }, { $0.aligned.map { Double($0) } }, count),
            row(Phrase(en: "rounds", zh: "轮数"), rounds.map { Double($0) }, { $0.rounds.map { Double($0) } }, count),
            row(Phrase(en: "time, all", zh: "总用时"), seconds.total, { $0.seconds?.total }) { Figures.duration(seconds: $0) },
            row(Phrase(en: "time of alignment", zh: "对齐用时"), seconds.align, { $0.seconds?.align }) { Figures.duration(seconds: $0) },
            row(Phrase(en: "time of training", zh: "训练用时"), seconds.train, { $0.seconds?.train }) { Figures.duration(seconds: $0) },
            row(Phrase(en: "time of scoring", zh: "评分用时"), seconds.score, { $0.seconds?.score }) { Figures.duration(seconds: $0) },
            row(Phrase(en: "bytes, bank to platform", zh: "字节，银行 → 平台"), Double(bytes.bankToPlatform), { ($0.bytes?.bankToPlatform).map { Double($0) } }, size),
            row(Phrase(en: "bytes, platform to bank", zh: "字节，平台 → 银行"), Double(bytes.platformToBank), { ($0.bytes?.platformToBank).map { Double($0) } }, size),
        ].compactMap(\.self)
        return [
            .table(Phrase(en: "Estimated and real", zh: "预估与实际"), columns: [
                .words(Phrase(en: "What", zh: "项目")), .number(Phrase(en: "Estimated", zh: "预估")), .number(Phrase(en: "At most", zh: "上限")),
                .number(Phrase(en: "With the real counts", zh: "按实际数量预估")), .number(Phrase(en: "Real", zh: "实际")), .number(Phrase(en: "Real to estimate", zh: "实际 ÷ 预估")),
            ], wide: true, rows: rows),
            .note(Phrase(en: "The plan was made before anything ran, from the counts that the owners had published. The last column compares with the plan's formulas at the counts that the job turned out to have.",
                         zh: "预估在任务运行前根据双方公布的数量作出。最后一列以按实际数量重新计算的预估为准。")),
        ]
    }
}

/// The party's own half of the model.
struct CoefficientSection {
    private let report: TrainingReport
    private let isBank: Bool
    private static let mostDrawn = 40
    private static let mostListed = 200

    init(_ report: TrainingReport, _ role: Role) {
        self.report = report
        isBank = role == .bank
    }

    private func isIntercept(_ index: Int) -> Bool { isBank && index == 0 }

    var markup: Markup {
        let ranked = report.coefficients.enumerated().filter { !isIntercept($0.offset) }.map(\.element)
            .sorted { ($0.weight.magnitude, $1.column) > ($1.weight.magnitude, $0.column) }
        let intercept = isBank ? report.coefficients.first : nil
        let shown = Array(ranked.prefix(Self.mostDrawn))
        func row(_ name: Markup, _ weight: Double) -> [Markup] {
            [name, .text(Figures.fixed(weight, 4, sign: true)), .text(Figures.fixed(exp(weight), 3))]
        }
        let listed = (intercept.map { [row(Markup(Phrase(en: "intercept", zh: "截距")), $0.weight)] } ?? [])
            + ranked.prefix(Self.mostListed).map { row(.name($0.column), $0.weight) }
        let half = (listed.count + 1) / 2
        let columns: [TableColumn] = [
            .words(Phrase(en: "Column", zh: "列")), .number(Phrase(en: "Weight", zh: "权重")), .number(Phrase(en: "Odds times", zh: "几率倍数")),
        ]
        let tables = listed.count > 12
            ? Markup.beside([listed[..<half], listed[half...]].map { .table(columns: columns, wide: true, rows: Array($0)) })
            : .table(columns: columns, rows: listed)
        let unlisted = ranked.count - min(ranked.count, Self.mostListed)
        return .section(Phrase(en: "This party's coefficients", zh: "本方系数"), [
            SignedBars(
                ranked.count > shown.count
                    ? Phrase(en: "The \(shown.count) largest of \(Figures.count(ranked.count)) weights", zh: "\(Figures.count(ranked.count)) 个权重中最大的 \(shown.count) 个")
                    : Phrase(en: "Weights", zh: "权重"),
                description: Phrase(en: "To the right: a larger value makes bad more likely. To the left: less likely.", zh: "向右：数值越大，违约可能性越高；向左：越低。"),
                axis: Axis(Phrase(en: "change of the log-odds of being bad", zh: "违约对数几率的变化")),
                bars: shown.map { .init(.same($0.column), $0.weight) }).markup,
            tables,
            unlisted > 0 ? .note(Phrase(en: "\(Figures.count(unlisted)) smaller weights are in report.json alone.", zh: "另有 \(Figures.count(unlisted)) 个较小的权重，仅见于 report.json。")) : .empty,
            .note(Phrase(
                en: "For one unit of the prepared column: one standard deviation of a number, yes instead of no of a flag, the level instead of the base level of a category. The other party's coefficients are at that party and nowhere else.",
                zh: "对应处理后列的一个单位：数值列为一个标准差，标志列为“是”相对“否”，类别列为该类别相对基准类别。另一方的系数仅由其自行持有。")),
            dropped,
        ])
    }

    private var dropped: Markup {
        guard !report.dropped.isEmpty else { return .empty }
        let shown = report.dropped.prefix(Self.mostListed)
        return .group([
            .table(Phrase(en: "Own columns that were left out", zh: "未采用的本方列"), columns: [.words(Phrase(en: "Column", zh: "列")), .words(Phrase(en: "Why", zh: "原因"))],
                   rows: shown.map { [.name($0.column), Markup(Self.reason($0.reason))] }),
            report.dropped.count > shown.count
                ? .note(Phrase(en: "\(Figures.count(report.dropped.count - shown.count)) more are in report.json.", zh: "其余 \(Figures.count(report.dropped.count - shown.count)) 列见 report.json。")) : .empty,
        ])
    }

    private static func reason(_ reason: String) -> Phrase {
        switch reason {
        case "allMissing": Phrase(en: "no training row has a value", zh: "训练样本中均无取值")
        case "constant": Phrase(en: "all training rows have the same value", zh: "训练样本取值全部相同")
        case "sparse": Phrase(en: "too few training rows differ from the commonest value: its gradient would describe them alone", zh: "与最常见取值不同的训练样本过少，其梯度会暴露个别主体")
        case "rareLevel": Phrase(en: "a level of too few training rows, merged into the base", zh: "该类别的训练样本过少，已并入基准类别")
        case "duplicate": Phrase(en: "repeats another column", zh: "与另一列重复")
        default: .same(String(reason.prefix(60)))
        }
    }
}
