import Evaluation
import Faults
import Pages
import Wire

/// A scoring job: how many were scored, and at the bank how the scores lie.
struct ScoringSections {
    private let report: ScoringReport
    private let isBank: Bool

    init(_ report: ScoringReport, _ role: Role) {
        self.report = report
        isBank = role == .bank
    }

    var markup: Markup {
        let rows = Figures.count(report.rows.aligned)
        var content: [Markup] = [
            .callout(.plain, [.paragraph(isBank
                ? Phrase(en: "\(rows) common subjects were scored with the model of job \(report.model). The scores are in scores.csv.",
                         zh: "使用任务 \(report.model) 的模型对 \(rows) 个共有主体评分，结果见 scores.csv。")
                : Phrase(en: "\(rows) common subjects were scored with the model of job \(report.model). The scores are at the bank.",
                         zh: "使用任务 \(report.model) 的模型对 \(rows) 个共有主体评分，评分结果仅银行持有。"))]),
            .figures([
                KeyFigure(Phrase(en: "Common subjects", zh: "共有主体"), rows),
                KeyFigure(Phrase(en: "Subjects of the bank", zh: "银行主体数"), Figures.count(report.rows.bank)),
                KeyFigure(Phrase(en: "Subjects of the platform", zh: "平台主体数"), Figures.count(report.rows.platform)),
                KeyFigure(Phrase(en: "Duration", zh: "用时"), Figures.duration(seconds: report.seconds.total),
                          note: .same(Figures.bytes(report.bytes.total))),
            ]),
        ]
        if isBank, let bins = report.distribution?.filter({ $0.upper > $0.lower }), !bins.isEmpty {
            let total = bins.reduce(0) { $0 + Double($1.rows) }
            content.append(LineChart(
                Phrase(en: "Scores", zh: "得分分布"),
                description: Phrase(en: "No step counts fewer than \(TrainingReport.Part.minimumCell) subjects.", zh: "每一格不少于 \(TrainingReport.Part.minimumCell) 个主体。"),
                x: Axis(Phrase(en: "predicted probability of being bad", zh: "预测违约概率"), .logOdds),
                y: Axis(Phrase(en: "share of subjects", zh: "主体占比"), .percent),
                series: [.init(Phrase(en: "all", zh: "全部"), .blue, LineChart.steps(bins.map {
                    ($0.lower, $0.upper, Double($0.rows) / total * 0.5 / ($0.upper - $0.lower))
                }), isFilled: true)],
                size: .full).markup)
        }
        return .section(Phrase(en: "Result", zh: "评分结果"), content)
    }
}

/// Words of the page, for readers who do not use them every day.
enum Glossary {
    static func section(_ role: Role, measures: Bool) -> Markup {
        var words: [(Phrase, Phrase)] = []
        if measures {
            words += [
                (.same("AUC"), Phrase(en: "the chance that a bad subject has a higher score than a good one; 0.5 is guessing, 1 is perfect.", zh: "随机取一个违约主体与一个正常主体，前者得分更高的概率；0.5 等于猜测，1 为完全区分。")),
                (.same("Gini"), Phrase(en: "2 AUC − 1: the same from 0 to 1.", zh: "2 AUC − 1，即换算到 0 至 1。")),
                (.same("KS"), Phrase(en: "the widest gap between the shares of bad and of good subjects found above one score.", zh: "某一得分以上，违约主体与正常主体累计占比的最大差距。")),
                (Phrase(en: "Lift", zh: "提升度"), Phrase(en: "the rate of bad among the riskiest subjects over that of all.", zh: "风险最高部分的违约率与总体违约率之比。")),
                (Phrase(en: "Calibration", zh: "校准"), Phrase(en: "whether of subjects with a predicted 10 % about one in ten is bad.", zh: "预测为 10 % 的主体中，是否约有十分之一违约。")),
                (Phrase(en: "Log-loss, Brier score", zh: "对数损失、Brier 分数"), Phrase(en: "distances of the probabilities from what happened; smaller is better.", zh: "预测概率与实际结果的距离，越小越好。")),
                (Phrase(en: "95 % interval", zh: "95 % 区间"), Phrase(en: "drawn anew from the same population, figures would lie within it 95 times of 100.", zh: "从同一总体重复抽样，约 95 % 的结果落在该区间内。")),
                (Phrase(en: "Bank only", zh: "仅银行"), Phrase(en: "a model of the bank's columns alone, fitted to the same training rows.", zh: "以相同训练样本、仅用银行自有列拟合的模型。")),
            ]
        }
        words += [
            (Phrase(en: "Log-odds", zh: "对数几率"), Phrase(en: "ln(p / (1 − p)) of a probability p; the scale on which parts of a score add up.", zh: "概率 p 的 ln(p / (1 − p))；各部分得分在此尺度上相加。")),
            (Phrase(en: "Common subjects", zh: "共有主体"), Phrase(en: "those in both parties' lists.", zh: "同时出现在双方名单中的主体。")),
            (Phrase(en: "Paillier key", zh: "Paillier 密钥"), Phrase(en: "lets others add encrypted numbers without reading them.", zh: "使他人可对密文求和而无法读取其内容。")),
        ]
        return .section(Phrase(en: "Words used here", zh: "术语说明"), [.list(words.map { .group([.strong(Markup($0)), .text(" – "), Markup($1)]) })])
    }
}
