import Audit
import Faults
import Jobs
import Ledger
import Pages
import Wire

/// The report of a job as a page that needs nothing beside it.
struct AuditPage {
    let summary: AuditSummary

    func page(_ language: Language) -> Page {
        let manifest = summary.manifest
        return Page(
            title: Phrase(en: "What crossed in job \(summary.specification.name)", zh: "任务“\(summary.specification.name)”的传输内容核查报告"),
            facts: [
                KeyFigure(Phrase(en: "ledger of", zh: "账本所属"), Phrase(en: "\(manifest.node) (\(manifest.role.name.en))", zh: "\(manifest.node)（\(manifest.role.name.zh)）")),
                KeyFigure(Phrase(en: "job", zh: "任务编号"), "\(manifest.job)"),
                KeyFigure(Phrase(en: "attempt", zh: "尝试"), "\(manifest.attempt)"),
            ],
            language: language,
            content: [verdict, asked, consent, crossed, course, checked, limits])
    }

    private var verdict: Markup {
        let findings = summary.checks.reduce(0) { $0 + $1.report.findings.count + $1.report.furtherFindings }
        let words = summary.holds
            ? Phrase(en: "Everything that was checked holds.", zh: "所核查的各项全部成立。")
            : Phrase(en: "Not everything holds: \(findings) findings, below.", zh: "核查未全部通过：共 \(findings) 项问题，见下文。")
        return .group([
            .callout(summary.holds ? .good : .warning, [.paragraph(.strong(Markup(words))), .paragraph(summary.ending)]),
            .figures([
                KeyFigure(Phrase(en: "frames", zh: "帧"), Figures.count(summary.traffic.reduce(0) { $0 + $1.frames })),
                KeyFigure(Phrase(en: "bytes of payloads", zh: "载荷"), Figures.bytes(summary.traffic.reduce(0) { $0 + $1.bytes })),
                KeyFigure(Phrase(en: "kinds of messages", zh: "消息种类"), Figures.count(Set(summary.traffic.map(\.kind)).count)),
                KeyFigure(Phrase(en: "checks that hold", zh: "通过的核查"), "\(summary.checks.count { $0.report.holds }) / \(summary.checks.count)"),
            ]),
        ])
    }

    private var asked: Markup {
        .section(Phrase(en: "What was asked", zh: "任务内容"), [
            .table(columns: [.words(Phrase(en: "item", zh: "项目")), .words(Phrase(en: "as specified", zh: "任务说明"))],
                   rows: summary.asked.map { [Markup($0.label), Markup($0.value)] }),
        ])
    }

    private var consent: Markup {
        .section(Phrase(en: "Who consented", zh: "由谁同意"), [
            .table(columns: [.words(Phrase(en: "party", zh: "参与方")), .words(Phrase(en: "recorded answer", zh: "记录的答复"))],
                   rows: summary.answers.map { answer in
                       [Markup(Phrase(en: "\(answer.party.name) (\(answer.party.role.name.en))", zh: "\(answer.party.name)（\(answer.party.role.name.zh)）")),
                        Markup(AuditSummary.words(answer.answer))]
                   }),
        ])
    }

    // What crossed

    private struct Line: Hashable {
        let from: AuditedFlow.End
        let to: AuditedFlow.End
    }

    private var crossed: Markup {
        let grouped = Dictionary(grouping: summary.traffic) { Line(from: $0.from, to: $0.to) }
        // The parties first, then the arbiter's lines.
        let lines = grouped.keys.sorted { a, b in
            let (rankA, rankB) = ([a.from, a.to].contains { $0.role == .arbiter }, [b.from, b.to].contains { $0.role == .arbiter })
            return rankA != rankB ? rankB : (a.from.name, a.to.name) < (b.from.name, b.to.name)
        }
        let tables = lines.map { line -> Markup in
            let rows = grouped[line] ?? []
            return .table(
                Phrase(en: "\(line.from.name) to \(line.to.name)", zh: "\(line.from.name) 至 \(line.to.name)"),
                columns: [
                    .words(Phrase(en: "message", zh: "消息")), .number(Phrase(en: "frames", zh: "帧数")), .number(Phrase(en: "bytes", zh: "字节")),
                    .words(Phrase(en: "what the receiver learns", zh: "接收方获知")),
                ],
                wide: true,
                rows: rows.map { [.code($0.kind.name), .text(Figures.count($0.frames)), .text(Figures.count($0.bytes)), Markup($0.kind.row.reveals)] }
                    + [[.strong(Markup(Phrase(en: "together", zh: "合计"))), .text(Figures.count(rows.reduce(0) { $0 + $1.frames })),
                        .text(Figures.count(rows.reduce(0) { $0 + $1.bytes })), .empty]])
        }
        var content = tables
        if let account = summary.account {
            content.append(.table(
                Phrase(en: "On the socket between bank and platform", zh: "银行与平台之间的套接字"),
                columns: [
                    .words(Phrase(en: "direction", zh: "方向")), .number(Phrase(en: "bytes of frames", zh: "帧字节")),
                    .number(Phrase(en: "TLS records of 22 bytes overhead", zh: "TLS 记录（各附加 22 字节）")),
                    .number(Phrase(en: "bytes on the socket", zh: "套接字字节")), .number(Phrase(en: "handshake before", zh: "此前握手字节")),
                ],
                rows: [(Phrase(en: "sent", zh: "发送"), account.sent), (Phrase(en: "received", zh: "接收"), account.received)].map { name, flow in
                    [Markup(name)] + [flow.frame_bytes, flow.tls_records, flow.socket_bytes, flow.opening_bytes].map { .text(Figures.count($0)) }
                }))
        }
        return .section(Phrase(en: "What crossed", zh: "传输了什么"), content)
    }

    private var course: Markup {
        guard !summary.course.isEmpty else { return .empty }
        let tones: [Phase: Tone] = [.opening: .grey, .alignment: .purple, .preparation: .orange, .training: .sky, .scoring: .green, .closing: .grey]
        let lanes = summary.course.enumerated().map { index, flow -> Timeline.Lane in
            var spans: [Timeline.Span] = []
            var marks: [Timeline.Mark] = []
            var (frames, bytes) = (0, UInt64(0))
            for point in flow.points {
                let name = point.phase.name
                if spans.last?.name == name { spans[spans.count - 1].end = Double(point.frames) } else {
                    spans.append(Timeline.Span(name, tones[point.phase] ?? .grey, from: Double(frames), to: Double(point.frames)))
                }
                marks.append(Timeline.Mark(Double(point.frames), Double(point.bytes - bytes)))
                (frames, bytes) = (point.frames, point.bytes)
            }
            return Timeline.Lane(Phrase(en: "\(flow.from.name) to \(flow.to.name)", zh: "\(flow.from.name) 至 \(flow.to.name)"),
                                 index == 0 ? .blue : .vermillion, spans: spans, marks: marks)
        }
        let chart = Timeline(
            Phrase(en: "Bytes of frames in their order", zh: "各帧字节（按顺序）"),
            description: Phrase(en: "Records hold an order and no clock: the axis counts frames of each direction.", zh: "记录只有顺序而无时钟：横轴为各方向的帧序。"),
            time: Axis(Phrase(en: "frame", zh: "帧序")), amounts: .bytes, lanes: lanes)
        return .section(Phrase(en: "Frames from beginning to end", zh: "帧的先后"), [chart.markup])
    }

    private var checked: Markup {
        .section(Phrase(en: "What was checked", zh: "核查了什么"), summary.checks.map { check in
            let badge = check.report.holds
                ? Markup.badge(Phrase(en: "holds", zh: "通过"), .good)
                : .badge(Phrase(en: "does not hold", zh: "未通过"), .warning)
            let further = check.report.findings.count - 50 + check.report.furtherFindings
            return .group([
                .subheading(check.name), .paragraph(badge), .list(check.report.facts.map { Markup($0) }),
                .list(check.report.findings.prefix(50).map { finding in
                    Markup(Phrase(en: finding.text(.en), zh: finding.text(.zh)))
                }),
                further > 0 ? .note(Phrase(en: "and \(further) further findings", zh: "另有 \(further) 项")) : .empty,
            ])
        })
    }

    private var limits: Markup {
        .section(Phrase(en: "What cannot be proven from such records", zh: "此类记录不能证明什么"), [
            .list(summary.limits.map { Markup($0) }),
            .note(Phrase(en: "What each rule means, and how to check one frame by hand, stands in Protocols/ledger.md.",
                         zh: "各规则的含义及手工核对一帧的方法见 Protocols/ledger.md。")),
        ])
    }
}
