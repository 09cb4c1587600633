import Faults
import Pages
import Wire

/// In plain words and with the job's own counts: what crossed, and what each party learned. Normative are
/// Protocols/protocol.md, "Parties and trust", and the table of messages in Protocols/wire.md.
struct DisclosureSection {
    private let isBank: Bool
    private let rows: TrainingReport.Rows
    private let disclosed: TrainingReport.Disclosed?
    private let training: TrainingReport?

    init(_ report: TrainingReport, _ role: Role) {
        isBank = role == .bank
        rows = report.rows
        disclosed = report.disclosed
        training = report
    }

    init(_ report: ScoringReport, _ role: Role) {
        isBank = role == .bank
        rows = report.rows
        disclosed = report.disclosed
        training = nil
    }

    var markup: Markup {
        .section(Phrase(en: "What was disclosed, and to whom", zh: "向谁披露了什么"), newPage: true, [
            .callout(.plain, [.paragraph(.strong(Markup(Phrase(
                en: "No identifier, no feature value and no label left its owner's node in the clear.",
                zh: "主体标识、特征取值与标签均未以明文离开其所有方的节点。")))), .paragraph(Phrase(
                en: "What follows is what each party could learn all the same, by following the protocol, from this job. The counts are this job's.",
                zh: "以下列出在遵守协议的前提下，各方从本任务中仍可获知的内容；数量均为本任务的实际值。"))]),
            .beside([
                .group([.subheading(Phrase(en: "The bank learned", zh: "银行获知")), .lines(bank)]),
                .group([.subheading(Phrase(en: "The platform learned", zh: "平台获知")), .lines(platform)]),
            ]),
            .beside([
                .group([.subheading(Phrase(en: "The arbiter learned", zh: "仲裁方获知")), .lines(arbiter)]),
                .group([.subheading(Phrase(en: "Crossed encrypted or masked only", zh: "仅以密文或掩码形式传输")), .lines(hidden)]),
            ]),
            .subheading(Phrase(en: "How far this holds", zh: "上述结论的前提")), .lines(limits),
        ])
    }

    private var resolution: Phrase {
        guard let bits = disclosed?.scoreResolutionBits else { return .same("") }
        let superscripts: [Character: Character] = [
            "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹", "-": "⁻",
        ]
        let power = String("-\(bits)".map { superscripts[$0] ?? $0 })
        return Phrase(en: ", in steps of 2\(power)", zh: "（精度 2\(power)）")
    }

    private func common(_ own: Int, _ other: Int, en: String, zh: String) -> [Phrase] {
        let rest = other - min(max(rows.aligned, 0), max(other, 0))
        return [
            Phrase(en: "which \(Figures.count(rows.aligned)) of its \(Figures.count(own)) subjects \(en) has as well;",
                   zh: "其 \(Figures.count(own)) 个主体中，哪 \(Figures.count(rows.aligned)) 个亦为\(zh)所有；"),
            Phrase(en: "that the list of \(en) has \(Figures.count(other)) subjects; of the other \(Figures.count(rest)) nothing more than that they are not its own;",
                   zh: "\(zh)名单共 \(Figures.count(other)) 个主体；对其余 \(Figures.count(rest)) 个，仅知其不在本方名单中；"),
        ]
    }

    /// So many numbers in each of so many rounds.
    private func gradient(_ columns: Int?, _ rounds: Int, loss: Bool) -> Phrase {
        let train = Figures.count(rows.train)
        guard let columns else {
            return Phrase(en: "its own gradient in each of \(Figures.count(rounds)) rounds, sums over all \(train) training subjects;",
                          zh: "\(Figures.count(rounds)) 轮中各轮的自身梯度，每个数均为全部 \(train) 个训练主体之和；")
        }
        let all = Figures.product(rounds, columns)
        return Phrase(
            en: "\(all) numbers of its own gradient (\(Figures.count(rounds)) rounds × \(Figures.count(columns)) columns)" + (loss ? " and \(Figures.count(rounds)) values of the loss" : "")
                + ", each a sum over all \(train) training subjects;",
            zh: "自身梯度共 \(all) 个数（\(Figures.count(rounds)) 轮 × \(Figures.count(columns)) 列）" + (loss ? "及 \(Figures.count(rounds)) 个损失值" : "")
                + "，每个数均为全部 \(train) 个训练主体之和；")
    }

    private var bank: [Phrase] {
        var lines = common(rows.bank, rows.platform, en: "the platform", zh: "平台")
        if let training {
            if let columns = disclosed?.platformColumns {
                lines.append(Phrase(en: "that the platform trained on \(Figures.count(columns)) columns; not their values, weights or treatment;",
                                    zh: "平台以 \(Figures.count(columns)) 列参与训练，但不知其取值、权重与处理结果；"))
            }
            lines.append(gradient(disclosed?.bankColumns, training.rounds, loss: true))
        }
        lines.append(Phrase(
            en: "the joint score of each of the \(Figures.count(rows.aligned)) common subjects, and so, by taking off its own part, the platform's part of each score\(resolution.en). This is one number for a subject: a weighted sum of the platform's columns.",
            zh: "\(Figures.count(rows.aligned)) 个共有主体各自的联合得分；减去自身部分即可得到平台对每个得分的贡献\(resolution.zh)。每个主体仅一个数，即平台各列的加权和。"))
        return lines
    }

    private var platform: [Phrase] {
        var lines = common(rows.platform, rows.bank, en: "the bank", zh: "银行")
        if let training {
            if let columns = disclosed?.bankColumns {
                lines.append(Phrase(en: "that the bank trained on \(Figures.count(columns)) columns, the intercept included; not their values, weights or treatment;",
                                    zh: "银行以 \(Figures.count(columns)) 列（含截距）参与训练，但不知其取值、权重与处理结果；"))
            }
            lines.append(gradient(disclosed?.platformColumns, training.rounds, loss: false))
            lines.append(Phrase(en: "the rate of bad subjects to about a factor of two, as one power of two.", zh: "违约率的大致水平（以 2 的幂表示，误差约两倍以内）。"))
            lines.append(Phrase(en: "It learned no label, no score, no loss and no measure of the model.", zh: "未获知任何标签、得分、损失或模型指标。"))
        } else {
            lines.append(Phrase(en: "It learned no score.", zh: "未获知任何得分。"))
        }
        return lines
    }

    private var arbiter: [Phrase] {
        var lines = [
            Phrase(en: "the specification in full, names of columns included, and the progress of the job;", zh: "任务说明全文（含列名）与任务进度；"),
            Phrase(en: "the sizes of both lists and the number of common subjects;", zh: "双方名单规模与共有主体数量；"),
        ]
        if let training {
            let rounds = Figures.count(training.rounds)
            lines.append(Phrase(en: "in each of \(rounds) rounds a few inner products of both parties' joint steps, and whether the loss rose;",
                                zh: "\(rounds) 轮中各轮的若干联合步长内积，以及损失是否上升；"))
        }
        lines.append(Phrase(en: "how many frames crossed, and the roots of their hashes, which it countersigned.", zh: "传输的帧数及其哈希树根（由其会签）。"))
        lines.append(Phrase(en: "It saw no subject, no column's value, no weight, no score, and held no key.", zh: "未接触任何主体、列值、权重或得分，也不持有任何密钥。"))
        return lines
    }

    private var hidden: [Phrase] {
        var lines = [
            Phrase(en: "all identifiers, as points of a curve under a secret number of each party; a list of codes cannot be tried against them;",
                   zh: "全部主体标识：以各方秘密数盲化为曲线上的点，无法用代码清单试探；"),
        ]
        if let training {
            let copies = training.expansion.degree &+ 1
            let ciphertexts = Figures.product(training.rounds, training.rows.train, copies)
            lines.append(Phrase(
                en: "labels and parts of scores of the training rows: \(ciphertexts) ciphertexts each way (\(Figures.count(training.rounds)) rounds × \(Figures.count(training.rows.train)) rows × \(copies)), under Paillier keys of \(training.keyBits) bits that were made for this job and wiped after it;",
                zh: "训练样本的标签与部分得分：每个方向 \(ciphertexts) 个密文（\(Figures.count(training.rounds)) 轮 × \(Figures.count(training.rows.train)) 行 × \(copies)），采用仅为本任务生成、结束后清除的 \(training.keyBits) 位 Paillier 密钥；"))
            lines.append(Phrase(en: "gradients and the loss on their way to decryption, each hidden by a uniform mask that only its receiver can take off.",
                                zh: "送往解密的梯度与损失：均加有均匀随机掩码，仅接收方能够去除。"))
        }
        lines.append(Phrase(en: "the platform's part of each score, under the bank's key.", zh: "平台对每个得分的贡献，以银行密钥加密。"))
        return lines
    }

    private var limits: [Phrase] {
        var lines = [Phrase(
            en: "It holds for parties that follow the protocol and are curious. The parties must not pool what they hold: the arbiter is one of them.",
            zh: "前提是各方遵守协议、仅出于好奇进行推断，且不相互串通（包括仲裁方）。")]
        if let percent = disclosed?.exposurePercent {
            // Rounded up, so that the bound holds as printed.
            let shown = Figures.fixed((percent * 10).rounded(.up) / 10, 1)
            lines.append(Phrase(
                en: "Had the other party cheated in every round, it could have asked for the residuals of at most \(shown) % of the training rows instead of its gradients; the contract limits this share.",
                zh: "即使对方在每一轮中都作弊，至多也只能以 \(shown) % 训练样本的残差代替其梯度；合作契约对该比例设有上限。"))
        }
        lines.append(Phrase(
            en: "Every frame stands in the ledgers of both parties, whose heads all three have signed. Anybody with a ledger can check it: jointlab audit.",
            zh: "每一帧均记录于双方账本，账本树头由三方签名；持有账本者可自行核验：jointlab audit。"))
        lines.append(isBank
            ? Phrase(en: "This page describes the bank's results and is for the bank alone.", zh: "本页载有银行的结果，仅供银行内部使用。")
            : Phrase(en: "This page describes the platform's half of the model and is for the platform alone.", zh: "本页载有平台的模型部分，仅供平台内部使用。"))
        return lines
    }
}
