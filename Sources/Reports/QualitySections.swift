import Evaluation
import Faults
import Foundation
import Pages

/// How well the models predict: the bank's alone.
struct QualitySections {
    private let report: TrainingReport
    /// The test part where there is one, otherwise the training part.
    private let alone: TrainingReport.Part?
    private let joint: TrainingReport.Part?
    private let isTest: Bool

    init(_ report: TrainingReport) {
        self.report = report
        isTest = report.joint?.test != nil
        alone = report.bankOnly?.test ?? report.bankOnly?.train
        joint = report.joint?.test ?? report.joint?.train
    }

    private var rows: Int { isTest ? report.rows.test : report.rows.train }

    private var part: Phrase { isTest ? Phrase(en: "test part", zh: "测试集") : Phrase(en: "training part", zh: "训练集") }

    // Summary

    var summary: [Markup] {
        guard let joint, let alone else {
            return [.callout(.warning, [.paragraph(Phrase(
                en: "Nothing can be measured: the part that would tell holds no row, or rows of one class only.",
                zh: "无法评估：可供评估的样本为空，或只含一类样本。"))])]
        }
        return [verdict(joint, alone), figures(joint, alone), checks(joint, alone)]
    }

    private func verdict(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        let (with, without) = (Figures.fixed(joint.auc, 3), Figures.fixed(alone.auc, 3))
        var sentences = [Phrase(
            en: isTest
                ? "On the \(Figures.count(rows)) common subjects that were kept out of training, the joint model ranks bad above good with an AUC of \(with); the bank's own columns alone reach \(without)."
                : "On the \(Figures.count(rows)) common subjects, all of which trained, the joint model reaches an AUC of \(with) and the bank's own columns alone \(without). Figures of training rows flatter both.",
            zh: isTest
                ? "在未参与训练的 \(Figures.count(rows)) 个共有主体上，联合模型的 AUC 为 \(with)；仅用银行自有列时为 \(without)。"
                : "全部 \(Figures.count(rows)) 个共有主体均参与了训练：联合模型的 AUC 为 \(with)，仅用银行自有列时为 \(without)。训练样本上的指标会偏乐观。")]
        var weight = Weight.plain
        if let uplift = report.uplift?.auc {
            let (gain, range) = (Figures.fixed(uplift.value, 3, sign: true), interval(uplift, sign: true))
            if uplift.lower > 0 {
                weight = isTest ? .good : .plain
                sentences.append(Phrase(en: "The gain is \(gain), with a 95 % interval of \(range): the platform's columns add to the ranking beyond chance.",
                                        zh: "提升 \(gain)，95 % 区间为 \(range)：平台的列确实改善了排序能力，并非偶然。"))
            } else if uplift.upper < 0 {
                weight = .warning
                sentences.append(Phrase(en: "The difference is \(gain), with a 95 % interval of \(range): the joint model ranks worse than the bank's own.",
                                        zh: "差值 \(gain)，95 % 区间为 \(range)：联合模型的排序能力低于银行自有模型。"))
            } else {
                sentences.append(Phrase(en: "The difference is \(gain), with a 95 % interval of \(range), which holds zero: no gain is shown.",
                                        zh: "差值 \(gain)，95 % 区间为 \(range)，包含零：未能证明存在提升。"))
            }
        }
        if let top = joint.lift.first, let own = matching(top, alone), top.depth < 0.5 {
            let depth = Figures.percent(top.depth, 0)
            sentences.append(Phrase(
                en: "Looking at the riskiest \(depth) of subjects finds \(Figures.percent(top.captured)) of the bad ones with the joint model, \(Figures.percent(own.captured)) with the bank's.",
                zh: "按风险从高到低审查前 \(depth) 的主体，联合模型可找出 \(Figures.percent(top.captured)) 的违约主体，银行自有模型为 \(Figures.percent(own.captured))。"))
        }
        return .callout(weight, sentences.map { .paragraph($0) })
    }

    private func figures(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        func against(_ value: Double, _ places: Int) -> Phrase {
            Phrase(en: "bank only \(Figures.fixed(value, places))", zh: "仅银行 \(Figures.fixed(value, places))")
        }
        var figures = [
            KeyFigure(Phrase(en: "AUC, joint", zh: "AUC（联合）"), Figures.fixed(joint.auc, 3), note: against(alone.auc, 3)),
            KeyFigure(Phrase(en: "KS, joint", zh: "KS（联合）"), Figures.fixed(joint.ks, 3), note: against(alone.ks, 3)),
            KeyFigure(Phrase(en: "Gini, joint", zh: "Gini（联合）"), Figures.fixed(joint.gini, 3), note: against(alone.gini, 3)),
        ]
        if let uplift = report.uplift {
            figures.append(KeyFigure(Phrase(en: "Gain in AUC", zh: "AUC 提升"), Figures.fixed(uplift.auc.value, 3, sign: true),
                                     note: .same(interval(uplift.auc, sign: true))))
        }
        figures += [
            KeyFigure(Phrase(en: "Rate of bad subjects", zh: "违约率"), Figures.percent(joint.badRate), note: Phrase(en: "predicted \(Figures.percent(joint.meanPredicted))", zh: "预测 \(Figures.percent(joint.meanPredicted))")),
            KeyFigure(Phrase(en: "Common subjects", zh: "共有主体"), Figures.count(report.rows.aligned),
                      note: Phrase(en: "\(Figures.count(report.rows.train)) train, \(Figures.count(report.rows.test)) test", zh: "训练 \(Figures.count(report.rows.train))，测试 \(Figures.count(report.rows.test))")),
            KeyFigure(Phrase(en: "Rounds", zh: "训练轮数"), Figures.count(report.rounds), note: Phrase(en: "keys of \(report.keyBits) bits", zh: "密钥 \(report.keyBits) 位")),
            KeyFigure(Phrase(en: "Duration", zh: "用时"), Figures.duration(seconds: report.seconds.total), note: .same(Figures.bytes(report.bytes.total))),
        ]
        return .figures(figures)
    }

    /// What a reader should look at before relying on the model.
    private func checks(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        var rows: [(holds: Bool, what: Phrase, found: Phrase)] = []
        rows.append((report.converged, Phrase(en: "Training settled", zh: "训练收敛"), report.converged
            ? Phrase(en: "after \(Figures.count(report.rounds)) rounds the last step was below the tolerance", zh: "\(Figures.count(report.rounds)) 轮后，最后一步小于容差")
            : Phrase(en: "stopped after \(Figures.count(report.rounds)) rounds before the steps were below the tolerance; more rounds may change the model",
                     zh: "\(Figures.count(report.rounds)) 轮后停止，步长尚未小于容差；增加轮数可能改变模型")))
        rows.append((0.9...1.1 ~= joint.predictedToActual, Phrase(en: "Level of the probabilities", zh: "概率水平"), Phrase(
            en: "the mean prediction is \(Figures.fixed(joint.predictedToActual, 3)) times the actual rate; 0.9 to 1.1 is customary",
            zh: "平均预测值为实际违约率的 \(Figures.fixed(joint.predictedToActual, 3)) 倍；通常要求在 0.9 至 1.1 之间")))
        if isTest, let train = report.joint?.train {
            let gap = train.auc - joint.auc
            rows.append((gap < 0.05, Phrase(en: "Carries over to new subjects", zh: "泛化能力"), Phrase(
                en: "AUC \(Figures.fixed(train.auc, 3)) on training rows, \(Figures.fixed(joint.auc, 3)) on test rows; a gap above 0.05 tells of a model fitted to its training rows",
                zh: "训练集 AUC 为 \(Figures.fixed(train.auc, 3))，测试集为 \(Figures.fixed(joint.auc, 3))；差距超过 0.05 表明存在过拟合")))
        }
        let bads = (Double(self.rows) * joint.badRate).rounded()
        rows.append((bads >= 100, Phrase(en: "Enough bad subjects measured", zh: "违约样本量"), Phrase(
            en: "\(Figures.fixed(bads, 0)) in the \(part.en); below 100 the intervals are wide", zh: "\(part.zh)含 \(Figures.fixed(bads, 0)) 个；少于 100 个时区间较宽")))
        let (yes, no) = (Phrase(en: "as it should be", zh: "正常"), Phrase(en: "look closer", zh: "需关注"))
        return .table(Phrase(en: "Before relying on it", zh: "使用前请核对"), columns: [
            .words(Phrase(en: "What", zh: "项目")), .words(Phrase(en: "State", zh: "状态")), .words(Phrase(en: "Found", zh: "结果")),
        ], wide: true, rows: rows.map { [Markup($0.what), .badge($0.holds ? yes : no, $0.holds ? .good : .warning), Markup($0.found)] })
    }

    private func interval(_ interval: Interval, sign: Bool = false) -> String {
        "[\(Figures.fixed(interval.lower, 3, sign: sign)), \(Figures.fixed(interval.upper, 3, sign: sign))]"
    }

    /// The bank-only point at the same depth; ties may leave none.
    private func matching(_ point: LiftPoint, _ part: TrainingReport.Part) -> LiftPoint? {
        part.lift.min { abs($0.depth - point.depth) < abs($1.depth - point.depth) }.flatMap { abs($0.depth - point.depth) < 0.03 ? $0 : nil }
    }

    // Sections

    var sections: [Markup] {
        guard let joint, let alone else { return [] }
        let source = isTest
            ? Phrase(en: "Counted on the \(Figures.count(rows)) rows of the test part, which no model has seen.", zh: "按测试集 \(Figures.count(rows)) 行计算，模型训练时均未使用这些样本。")
            : Phrase(en: "Counted on the \(Figures.count(rows)) training rows, for there is no test part.", zh: "按训练集 \(Figures.count(rows)) 行计算（未划分测试集）。")
        return [
            .section(Phrase(en: "How well bad is told from good", zh: "区分能力"), newPage: true, [
                .note(source), .beside([roc(joint, alone), kolmogorovSmirnov(joint)]), .beside([areas(joint, alone), differences]),
            ]),
            .section(Phrase(en: "Where the bad subjects are", zh: "违约主体的分布"), [
                .beside([lift(joint, alone), distribution(joint)]), liftTable(joint, alone),
            ]),
            .section(Phrase(en: "Whether the probabilities are right", zh: "概率校准"), [
                .beside([calibration(joint, alone), calibrationTable(joint)]),
            ]),
            .section(Phrase(en: "All measures", zh: "全部指标"), [measures]),
        ]
    }

    private func roc(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        func points(_ part: TrainingReport.Part) -> [LineChart.Point] { (part.curve ?? []).map { .init($0.goods, $0.bads) } }
        return LineChart(
            Phrase(en: "ROC curve", zh: "ROC 曲线"),
            description: Phrase(en: "Of all bad and of all good subjects, the shares above each score. The further to the upper left, the better.",
                                zh: "得分高于各阈值的违约主体与正常主体各占多少；越靠近左上角越好。"),
            x: Axis(Phrase(en: "share of good subjects", zh: "正常主体占比"), .percent, bounds: 0...1),
            y: Axis(Phrase(en: "share of bad subjects", zh: "违约主体占比"), .percent, bounds: 0...1),
            series: [.init(.bankOnly, .blue, points(alone)), .init(.joint, .vermillion, points(joint))],
            references: [.init(.init(0, 0), .init(1, 1))]).markup
    }

    private func kolmogorovSmirnov(_ joint: TrainingReport.Part) -> Markup {
        let curve = joint.curve ?? []
        let widest = curve.max { $0.bads - $0.goods < $1.bads - $1.goods }
        return LineChart(
            Phrase(en: "KS curve, joint model", zh: "KS 曲线（联合模型）"),
            description: Phrase(en: "Shares found when subjects are taken from the riskiest on. KS is the widest gap.",
                                zh: "按风险从高到低依次选取主体时，两类主体各被选中的比例；最大差距即 KS。"),
            x: Axis(Phrase(en: "share of all subjects, riskiest first", zh: "全部主体占比（风险由高到低）"), .percent, bounds: 0...1),
            y: Axis(Phrase(en: "share found", zh: "选中占比"), .percent, bounds: 0...1),
            series: [
                .init(Phrase(en: "bad", zh: "违约"), .vermillion, curve.map { .init($0.depth, $0.bads) }),
                .init(Phrase(en: "good", zh: "正常"), .blue, curve.map { .init($0.depth, $0.goods) }),
            ], references: widest.map {
                [.init(.init($0.depth, $0.goods), .init($0.depth, $0.bads), label: .same("KS \(Figures.fixed(joint.ks, 3))"))]
            } ?? []).markup
    }

    private func areas(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        func row(_ measure: String, _ model: Phrase, _ tone: Tone, _ interval: Interval) -> IntervalChart.Row {
            .init(Phrase(en: "\(measure), \(model.en)", zh: "\(measure)，\(model.zh)"), tone, value: interval.value, lower: interval.lower, upper: interval.upper)
        }
        return IntervalChart(
            Phrase(en: "AUC and KS with their uncertainty", zh: "AUC 与 KS 及其不确定性"),
            description: Phrase(en: "95 % intervals from 200 resamples of the rows.", zh: "95 % 区间，由 200 次重抽样得出。"),
            axis: Axis(Phrase(en: "value", zh: "数值")), rows: [
                row("AUC", .bankOnly, .blue, alone.aucInterval), row("AUC", .joint, .vermillion, joint.aucInterval),
                row("KS", .bankOnly, .blue, alone.ksInterval), row("KS", .joint, .vermillion, joint.ksInterval),
            ]).markup
    }

    private var differences: Markup {
        let rows = report.uplift.map { [("AUC", $0.auc), ("KS", $0.ks)] } ?? []
        return IntervalChart(
            Phrase(en: "Gain of the joint model over the bank's own", zh: "联合模型相对银行自有模型的提升"),
            description: Phrase(en: "Both models on the same resamples. An interval that holds zero shows no gain.", zh: "两个模型使用相同的重抽样；区间包含零则未能证明提升。"),
            axis: Axis(Phrase(en: "joint minus bank only", zh: "联合减仅银行")),
            rows: rows.map { .init(.same($0.0), .green, value: $0.1.value, lower: $0.1.lower, upper: $0.1.upper) },
            marksZero: true).markup
    }

    private func lift(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        BarChart(
            Phrase(en: "Lift", zh: "提升度"),
            description: Phrase(en: "How many times the average rate of bad subjects the riskiest part has.", zh: "风险最高的部分主体，其违约率为平均水平的多少倍。"),
            x: Phrase(en: "riskiest share of subjects", zh: "风险最高的主体占比"),
            y: Axis(Phrase(en: "times the average", zh: "平均水平的倍数")),
            groups: joint.lift.map { .same(Figures.percent($0.depth, 0)) },
            series: [
                .init(.bankOnly, .blue, joint.lift.map { matching($0, alone)?.lift ?? .nan }),
                .init(.joint, .vermillion, joint.lift.map(\.lift)),
            ]).markup
    }

    /// As a share of its class for each half unit of log-odds: merged bins are as high as what they merge.
    private func distribution(_ joint: TrainingReport.Part) -> Markup {
        let bins = (joint.distribution ?? []).filter { $0.upper > $0.lower }
        func cells(_ count: (HistogramBin) -> Int) -> [LineChart.Point] {
            let total = bins.reduce(0) { $0 + Double(count($1)) }
            return LineChart.steps(bins.map { ($0.lower, $0.upper, Double(count($0)) / total * 0.5 / ($0.upper - $0.lower)) })
        }
        return LineChart(
            Phrase(en: "Scores of good and bad subjects, joint model", zh: "两类主体的得分分布（联合模型）"),
            description: Phrase(en: "The less the two overlap, the better. No step counts fewer than \(TrainingReport.Part.minimumCell) subjects.",
                                zh: "两者重叠越少越好。每一格不少于 \(TrainingReport.Part.minimumCell) 个主体。"),
            x: Axis(Phrase(en: "predicted probability of being bad", zh: "预测违约概率"), .logOdds),
            y: Axis(Phrase(en: "share of its class", zh: "占本类的比例"), .percent),
            series: [
                .init(Phrase(en: "good", zh: "正常"), .blue, cells(\.goods), isFilled: true),
                .init(Phrase(en: "bad", zh: "违约"), .vermillion, cells(\.bads), isFilled: true),
            ]).markup
    }

    private func liftTable(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        .table(Phrase(en: "The riskiest subjects, joint model", zh: "风险最高的主体（联合模型）"), columns: [
            .number(Phrase(en: "Riskiest", zh: "前")), .number(Phrase(en: "Subjects", zh: "主体数")), .number(Phrase(en: "Score from", zh: "得分不低于")),
            .number(Phrase(en: "Rate of bad", zh: "违约率")), .number(Phrase(en: "Lift", zh: "提升度")), .number(Phrase(en: "Lift, bank only", zh: "提升度（仅银行）")),
            .number(Phrase(en: "Of all bad", zh: "违约捕获率")), .number(Phrase(en: "Of all bad, bank only", zh: "违约捕获率（仅银行）")),
        ], wide: true, rows: joint.lift.prefix(100).map { point in
            let own = matching(point, alone)
            return [
                Figures.percent(point.depth), Figures.count(point.rows), Figures.percent(point.probability, 2), Figures.percent(point.badRate, 2),
                Figures.fixed(point.lift, 2), Figures.fixed(own?.lift ?? .nan, 2),
                Figures.percent(point.captured), Figures.percent(own?.captured ?? .nan),
            ].map { .text($0) }
        })
    }

    private func calibration(_ joint: TrainingReport.Part, _ alone: TrainingReport.Part) -> Markup {
        func series(_ name: Phrase, _ tone: Tone, _ bins: [CalibrationBin], isJoined: Bool) -> LineChart.Series {
            let whiskers: [LineChart.Range] = isJoined ? [] : bins.compactMap { bin in
                ProportionInterval(share: bin.observed, rows: bin.rows).map { .init(bin.meanPredicted, $0.lower, $0.upper) }
            }
            return .init(name, tone, bins.map { .init($0.meanPredicted, $0.observed) }, isJoined: isJoined, whiskers: whiskers)
        }
        let most = (joint.calibration + alone.calibration).flatMap { bin in
            [bin.meanPredicted, ProportionInterval(share: bin.observed, rows: bin.rows)?.upper ?? bin.observed]
        }.max() ?? 1
        let end = min(max((most * 10).rounded(.up) / 10, 0.1), 1)
        return LineChart(
            Phrase(en: "Calibration", zh: "校准曲线"),
            description: Phrase(en: "Predicted and observed rates by tenths of the rows, with 95 % intervals (Wilson) of the joint model. On the dashed line the two are equal.",
                                zh: "按得分将样本等分后，各组的预测与实际违约率，附联合模型的 95 % 区间（Wilson 法）；虚线上两者相等。"),
            x: Axis(Phrase(en: "predicted", zh: "预测违约率"), .percent, bounds: 0...end), y: Axis(Phrase(en: "observed", zh: "实际违约率"), .percent, bounds: 0...end),
            series: [series(.bankOnly, .sky, alone.calibration, isJoined: true), series(.joint, .vermillion, joint.calibration, isJoined: false)],
            references: [.init(.init(0, 0), .init(end, end))]).markup
    }

    private func calibrationTable(_ joint: TrainingReport.Part) -> Markup {
        .table(Phrase(en: "Calibration, joint model", zh: "校准（联合模型）"), columns: [
            .number(Phrase(en: "Subjects", zh: "主体数")), .number(Phrase(en: "Predicted", zh: "预测")), .number(Phrase(en: "Observed", zh: "实际")),
            .number(Phrase(en: "95 % interval", zh: "95 % 区间")),
        ], rows: joint.calibration.prefix(100).map { bin in
            let interval = ProportionInterval(share: bin.observed, rows: bin.rows)
            return [
                Figures.count(bin.rows), Figures.percent(bin.meanPredicted, 2), Figures.percent(bin.observed, 2),
                interval.map { "\(Figures.percent($0.lower, 2)) – \(Figures.percent($0.upper, 2))" } ?? "–",
            ].map { .text($0) }
        })
    }

    private var measures: Markup {
        let parts = [report.bankOnly?.test, report.joint?.test, report.bankOnly?.train, report.joint?.train]
        func row(_ name: Phrase, _ value: (TrainingReport.Part) -> String) -> [Markup] { [Markup(name)] + parts.map { .text($0.map(value) ?? "–") } }
        func number(_ value: Double) -> String { Figures.fixed(value, 4) }
        return .table(columns: [
            .words(Phrase(en: "Measure", zh: "指标")), .number(Phrase(en: "Test, bank only", zh: "测试集，仅银行")), .number(Phrase(en: "Test, joint", zh: "测试集，联合")),
            .number(Phrase(en: "Training, bank only", zh: "训练集，仅银行")), .number(Phrase(en: "Training, joint", zh: "训练集，联合")),
        ], wide: true, rows: [
            row(.same("AUC")) { number($0.auc) },
            row(Phrase(en: "AUC, 95 % interval", zh: "AUC，95 % 区间")) { interval($0.aucInterval) },
            row(.same("Gini")) { number($0.gini) },
            row(.same("KS")) { number($0.ks) },
            row(Phrase(en: "KS, 95 % interval", zh: "KS，95 % 区间")) { interval($0.ksInterval) },
            row(Phrase(en: "Log-loss", zh: "对数损失")) { number($0.logLoss) },
            row(Phrase(en: "Brier score", zh: "Brier 分数")) { number($0.brier) },
            row(Phrase(en: "Mean predicted probability", zh: "平均预测概率")) { number($0.meanPredicted) },
            row(Phrase(en: "Rate of bad subjects", zh: "实际违约率")) { number($0.badRate) },
            row(Phrase(en: "Predicted to actual", zh: "预测与实际之比")) { number($0.predictedToActual) },
        ])
    }
}
