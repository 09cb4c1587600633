import Faults
import Pages

/// A job that only aligns: how many subjects are common, and what each party learned by that.
struct AlignmentSections {
    private let report: AlignmentReport
    private let tellsSubjects: Bool

    init(_ report: AlignmentReport) {
        self.report = report
        tellsSubjects = report.reveal == "subjects"
    }

    var result: Markup {
        let count = Figures.count(report.rows.aligned)
        return .section(Phrase(en: "Result", zh: "对齐结果"), [
            .callout(.plain, [.paragraph(tellsSubjects
                ? Phrase(en: "\(count) subjects are common. This party's are in aligned.csv, in an order that is the same at both.",
                         zh: "共有主体 \(count) 个。本方名单中的共有主体见 aligned.csv，双方顺序一致。")
                : Phrase(en: "\(count) subjects are common. Which they are was not asked for, and neither party learned it.",
                         zh: "共有主体 \(count) 个。本任务未要求、双方也均未获知具体是哪些主体。"))]),
            .figures([
                KeyFigure(Phrase(en: "Common subjects", zh: "共有主体"), count),
                KeyFigure(Phrase(en: "Subjects of the bank", zh: "银行主体数"), Figures.count(report.rows.bank)),
                KeyFigure(Phrase(en: "Subjects of the platform", zh: "平台主体数"), Figures.count(report.rows.platform)),
                KeyFigure(Phrase(en: "Duration", zh: "用时"), Figures.duration(seconds: report.seconds.total),
                          note: .same(Figures.bytes(report.bytes.total))),
            ]),
        ])
    }

    var disclosure: Markup {
        .section(Phrase(en: "What was disclosed, and to whom", zh: "向谁披露了什么"), [
            .callout(.plain, [.paragraph(.strong(Markup(Phrase(
                en: "No identifier left its owner's node in the clear, and no plain or salted hash of one.",
                zh: "任何标识均未以明文离开其所有方的节点，也未发送标识的普通或加盐哈希。"))))]),
            .lines([
                tellsSubjects
                    ? Phrase(en: "Bank and platform: which subjects of their own list the other holds too, and the size of the other's list.",
                             zh: "银行与平台：本方名单中哪些主体为对方共有，以及对方名单的规模。")
                    : Phrase(en: "Bank and platform: how many subjects are common, and the size of the other's list. The platform has the bank's word for the number.",
                             zh: "银行与平台：共有主体的数量，以及对方名单的规模。其中平台所知数量由银行告知。"),
                Phrase(en: "Arbiter: both sizes and the course of the job.",
                       zh: "仲裁方：双方名单的规模与任务进程。"),
                Phrase(en: "The other party was trusted to list only subjects that it may ask about: it can put in codes that it merely guesses.",
                       zh: "前提：对方仅列入其有权查询的主体；对方可能将猜测的代码列入名单。"),
            ]),
        ])
    }
}
