import Faults
import Pages

/// A job that only aligns: how many subjects are common, and what each party learned by that.
struct AlignmentSections {
    private let report: AlignmentReport

    init(_ report: AlignmentReport) { self.report = report }

    private var count: String { report.rows.aligned.map { Figures.count($0) } ?? "–" }

    private var outcome: Phrase {
        switch report.reveal {
        case "subjects":
            Phrase(en: "\(count) subjects are common. This party's are in aligned.csv, in an order that is the same at both.",
                   zh: "共有主体 \(count) 个。本方名单中的共有主体见 aligned.csv，双方顺序一致。")
        case "bank" where report.rows.aligned == nil:
            Phrase(en: "Which of its subjects this party holds, the bank alone was to learn. This party was told neither which nor how many.",
                   zh: "本任务仅由银行获知其哪些主体为本方所有；本方未获知具体主体及数量。")
        case "bank":
            Phrase(en: "\(count) subjects are common. They are in aligned.csv; the platform was told neither which nor how many.",
                   zh: "共有主体 \(count) 个，见 aligned.csv；平台未获知具体主体及数量。")
        default:
            Phrase(en: "\(count) subjects are common. Which they are was not asked for, and neither party learned it.",
                   zh: "共有主体 \(count) 个。本任务未要求、双方也均未获知具体是哪些主体。")
        }
    }

    var result: Markup {
        .section(Phrase(en: "Result", zh: "对齐结果"), [
            .callout(.plain, [.paragraph(outcome)] + (report.within.map {
                [.paragraph(Phrase(en: "Of the bank's subjects only those counted that job \($0) had found; random elements made its list as long as without that.",
                                   zh: "银行主体仅限任务 \($0) 已找到的主体；其名单以随机元素补足至原有规模。"))]
            } ?? [])),
            .figures([
                KeyFigure(Phrase(en: "Common subjects", zh: "共有主体"), count),
                KeyFigure(Phrase(en: "Subjects of the bank", zh: "银行主体数"), Figures.count(report.rows.bank)),
                KeyFigure(Phrase(en: "Subjects of the platform", zh: "平台主体数"), Figures.count(report.rows.platform)),
                KeyFigure(Phrase(en: "Duration", zh: "用时"), Figures.duration(seconds: report.seconds.total),
                          note: .same(Figures.bytes(report.bytes.total))),
            ]),
        ])
    }

    private var disclosed: [Phrase] {
        switch report.reveal {
        case "subjects":
            [Phrase(en: "Bank and platform: which subjects of their own list the other holds too, and the size of the other's list.",
                    zh: "银行与平台：本方名单中哪些主体为对方共有，以及对方名单的规模。")]
        case "bank":
            [Phrase(en: "Bank: which subjects of its list the platform holds too, and the size of the platform's list.",
                    zh: "银行：其名单中哪些主体为平台共有，以及平台名单的规模。"),
             Phrase(en: "Platform: the size of the bank's list. It has the bank's word that the common subjects are within the limits on their number.",
                    zh: "平台：银行名单的规模。共有主体数量符合限制，由银行保证。")]
        default:
            [Phrase(en: "Bank and platform: how many subjects are common, and the size of the other's list. The platform has the bank's word for the number.",
                    zh: "银行与平台：共有主体的数量，以及对方名单的规模。其中平台所知数量由银行告知。")]
        }
    }

    var disclosure: Markup {
        .section(Phrase(en: "What was disclosed, and to whom", zh: "向谁披露了什么"), [
            .callout(.plain, [.paragraph(.strong(Markup(Phrase(
                en: "No identifier left its owner's node in the clear, and no plain or salted hash of one.",
                zh: "任何标识均未以明文离开其所有方的节点，也未发送标识的普通或加盐哈希。"))))]),
            .lines(disclosed + [
                Phrase(en: "Arbiter: both sizes and the course of the job.",
                       zh: "仲裁方：双方名单的规模与任务进程。"),
                Phrase(en: "The other party was trusted to list only subjects that it may ask about: it can put in codes that it merely guesses.",
                       zh: "前提：对方仅列入其有权查询的主体；对方可能将猜测的代码列入名单。"),
            ]),
        ])
    }
}
