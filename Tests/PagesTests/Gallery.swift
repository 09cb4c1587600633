import Faults
import Foundation
import Pages

/// One of everything that a page can hold.
enum Gallery {
    static let hostile = "</td><script>alert(1)</script>&\"'\u{202E}\u{0}"

    static func phrase(_ en: String, _ zh: String) -> Phrase { Phrase(en: en, zh: zh) }

    static func page(_ language: Language = .zh) -> Page {
        Page(
            title: phrase("Gallery of drawings", "图样"),
            facts: [KeyFigure(phrase("Job", "任务"), "0011"), KeyFigure(phrase("Party", "参与方"), "bank-a")], language: language,
            content: [
                .callout(.good, [.paragraph(phrase("Joint is better.", "联合模型更好。"))]),
                .figures([KeyFigure(phrase("AUC", "AUC"), "0.812", note: phrase("95 % interval", "95 % 区间")), KeyFigure(phrase("Rows", "行数"), "12,000")]),
                .section(phrase("Curves", "曲线"), [.beside([roc.markup, calibration.markup]), loss.markup]),
                .section(phrase("Bars", "条形"), newPage: true, [.beside([lift.markup, intervals.markup]), coefficients.markup, stacked.markup, timeline.markup]),
                .section(phrase("Words", "文字"), [
                    .table(phrase("Columns", "列"), columns: [.words(phrase("Name", "名称")), .number(phrase("Weight", "权重"))], rows: [
                        [.code(hostile), .text("0.1")], [.text("income"), .text("−0.2")],
                    ]),
                    .note(phrase("Counted on the test part.", "在测试集上计算。")),
                    .list([Markup(phrase("one", "一")), .badge(phrase("valid", "有效"), .good)]),
                    .subheading(phrase("Small", "小标题")), .paragraph(.strong(Markup(phrase("loud", "强调")))),
                ]),
            ])
    }

    static let roc = LineChart(
        phrase("ROC", "ROC 曲线"), description: phrase("Closer to the upper left corner is better.", "越靠近左上角越好。"),
        x: Axis(phrase("share of good subjects", "好客户占比"), .percent, bounds: 0...1), y: Axis(phrase("share of bad subjects", "坏客户占比"), .percent, bounds: 0...1),
        series: [
            .init(phrase("joint", "联合"), .vermillion, (0...50).map { .init(Double($0) / 50, pow(Double($0) / 50, 0.3)) }),
            .init(phrase("bank only", "仅银行"), .blue, (0...50).map { .init(Double($0) / 50, pow(Double($0) / 50, 0.5)) }),
        ], references: [.init(.init(0, 0), .init(1, 1), label: phrase("chance", "随机"))])

    static let calibration = LineChart(
        phrase("Calibration", "校准"), x: Axis(phrase("predicted", "预测"), .percent), y: Axis(phrase("observed", "实际"), .percent),
        series: [.init(phrase("joint", "联合"), .vermillion, [.init(0.1, 0.12), .init(0.3, 0.28)], isJoined: false, whiskers: [.init(0.1, 0.05, 0.2), .init(0.3, 0.2, 0.37)])],
        references: [.init(.init(0, 0), .init(0.3, 0.3))])

    static let loss = LineChart(
        phrase("Loss per round", "每轮损失"), x: Axis(phrase("round", "轮次")), y: Axis(phrase("mean loss", "平均损失")),
        series: [.init(phrase("joint", "联合"), .vermillion, (0..<30).map { .init(Double($0), 0.3 + exp(-Double($0) / 5)) }, isFilled: true, hasDots: true,
                       band: (0..<30).map { .init(Double($0), 0.2, 1.4) })],
        size: .full)

    static let lift = BarChart(
        phrase("Lift", "提升度"), x: phrase("riskiest", "风险最高"), y: Axis(phrase("times the average", "平均值的倍数")),
        groups: (1...10).map { Phrase.same("\($0 * 10) %") },
        series: [.init(phrase("bank only", "仅银行"), .blue, (1...10).map { 3 - Double($0) / 5 }), .init(phrase("joint", "联合"), .vermillion, (1...10).map { 4 - Double($0) / 3.4 })])

    static let intervals = IntervalChart(
        phrase("AUC", "AUC"), axis: Axis(phrase("AUC", "AUC")),
        rows: [.init(phrase("bank only", "仅银行"), .blue, value: 0.71, lower: 0.69, upper: 0.73), .init(phrase("joint", "联合"), .vermillion, value: 0.79, lower: 0.77, upper: 0.81)])

    static let coefficients = SignedBars(
        phrase("Coefficients", "系数"), axis: Axis(phrase("log-odds", "对数几率")),
        bars: [.init(.same(hostile), -0.4, interval: -0.5 ... -0.3), .init(.same("a column with a very long name that does not fit"), 0.8), .init(.same("注册资本"), 0.1)])

    static let stacked = StackedBars(
        phrase("Seconds", "用时"), axis: Axis(phrase("seconds", "秒"), .seconds),
        parts: [.init(phrase("align", "对齐"), .blue), .init(phrase("train", "训练"), .vermillion), .init(phrase("score", "评分"), .green)],
        bars: [.init(phrase("estimated", "预计"), [20, 300, 4]), .init(phrase("real", "实际"), [22, 280, 5])])

    static let timeline = Timeline(
        phrase("Frames", "帧"), time: Axis(phrase("seconds", "秒"), .seconds), amounts: .bytes,
        lanes: [
            .init(phrase("phases", "阶段"), spans: [.init(phrase("align", "对齐"), .blue, from: 0, to: 20), .init(phrase("train", "训练"), .vermillion, from: 20, to: 240)]),
            .init(phrase("sent", "发送"), .sky, marks: (0..<500).map { .init(Double($0) / 2.1, Double($0 % 7) * 1000) }),
        ])
}
