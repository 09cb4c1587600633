import Faults
import Foundation
import Pages
import Roles
import Wire

/// `report.html`: the report of a completed job for people, made from `report.json` and, where it is there, `plan.json`.
///
/// Each party's page holds what that party may know: the platform's has no label, score, loss or metric, since its report
/// has none. Like the report it is for the eyes of the node's owner.
package struct ReportPage: Sendable {
    package static let fileName = "report.html"
    private static let mostBytes = 64 << 20

    private enum Report: Sendable {
        case training(TrainingReport)
        case scoring(ScoringReport)
        case alignment(AlignmentReport)
    }

    private let report: Report
    private let plan: PlanRecord?
    private let role: Role

    /// - Parameters:
    ///   - report: the bytes of `report.json`.
    ///   - plan: those of `plan.json`; passed over where they cannot be read, for the page does not depend on them.
    ///   - role: of the party whose report it is.
    /// - Returns: `nil` where `report` is no report.
    package init?(report: [UInt8], plan: [UInt8]?, role: Role) {
        guard report.count <= ReportPage.mostBytes else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        if let training = try? decoder.decode(TrainingReport.self, from: Data(report)) {
            self.report = .training(training)
        } else if let alignment = try? decoder.decode(AlignmentReport.self, from: Data(report)) {
            self.report = .alignment(alignment)
        } else if let scoring = try? decoder.decode(ScoringReport.self, from: Data(report)) {
            self.report = .scoring(scoring)
        } else {
            return nil
        }
        self.plan = plan.flatMap { $0.count <= ReportPage.mostBytes ? try? decoder.decode(PlanRecord.self, from: Data($0)) : nil }
        self.role = role
    }

    /// From the files of a completed job.
    package static func file(from files: [ResultFile], role: Role, language: Language) -> ResultFile? {
        func bytes(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }
        guard let report = bytes("report.json"), let page = ReportPage(report: report, plan: bytes("plan.json"), role: role) else { return nil }
        return ResultFile(name: fileName, bytes: page.bytes(language))
    }

    /// UTF-8; the language is the one shown first.
    package func bytes(_ language: Language) -> [UInt8] {
        switch report {
        case .training(let report): page(report, language).bytes
        case .scoring(let report): page(report, language).bytes
        case .alignment(let report): page(report, language).bytes
        }
    }

    private func page(_ report: TrainingReport, _ language: Language) -> Page {
        let course = CourseSections(plan: plan)
        var content = report.joint == nil ? [CourseSections.summary(report)] : QualitySections(report).summary
        if report.joint != nil { content += QualitySections(report).sections }
        content += [
            course.training(report), CoefficientSection(report, role).markup,
            course.resources(seconds: report.seconds, bytes: report.bytes, aligned: report.rows.aligned, rounds: report.rounds),
            DisclosureSection(report, role).markup, Glossary.section(role, measures: report.joint != nil),
        ]
        return Page(title: Phrase(en: "Training report: \(report.name)", zh: "训练报告：\(report.name)"),
                    facts: facts(job: report.job, party: report.party, finished: report.finished, order: report.order),
                    language: language, content: content)
    }

    private func page(_ report: ScoringReport, _ language: Language) -> Page {
        Page(title: Phrase(en: "Scoring report: \(report.name)", zh: "评分报告：\(report.name)"),
             facts: facts(job: report.job, party: report.party, finished: report.finished, order: report.order),
             language: language,
             content: [ScoringSections(report, role).markup]
                + [CourseSections(plan: plan).resources(seconds: report.seconds, bytes: report.bytes, aligned: report.rows.aligned, rounds: nil)]
                + [DisclosureSection(report, role).markup, Glossary.section(role, measures: false)])
    }

    private func page(_ report: AlignmentReport, _ language: Language) -> Page {
        Page(title: Phrase(en: "Alignment report: \(report.name)", zh: "对齐报告：\(report.name)"),
             facts: facts(job: report.job, party: report.party, finished: report.finished, order: report.order),
             language: language,
             content: [AlignmentSections(report).result]
                + [CourseSections(plan: plan).resources(seconds: report.seconds, bytes: report.bytes, aligned: report.rows.aligned, rounds: nil)]
                + [AlignmentSections(report).disclosure])
    }

    private func facts(job: String, party: String, finished: String?, order: TrainingReport.Order?) -> [KeyFigure] {
        let whose = role == .bank ? Phrase(en: "bank, owner of the labels", zh: "银行，标签持有方") : Phrase(en: "platform", zh: "平台")
        var facts = [
            KeyFigure(Phrase(en: "Report of", zh: "报告所属"), Phrase(en: "\(party) (\(whose.en))", zh: "\(party)（\(whose.zh)）")),
        ]
        if let order { facts.append(KeyFigure(Phrase(en: "With", zh: "合作方"), role == .bank ? order.platform : order.bank)) }
        if let finished {
            let shown = finished.replacing("T", with: " ").replacing("Z", with: " UTC")
            facts.append(KeyFigure(Phrase(en: "Finished", zh: "完成时间"), shown))
        }
        facts.append(KeyFigure(Phrase(en: "Job", zh: "任务编号"), job))
        if let order {
            facts.append(KeyFigure(Phrase(en: "Purpose", zh: "用途"), "\(order.purpose) (\(order.purposeCode))"))
        }
        return facts
    }
}

/// `plan.json`, as far as the page shows it.
struct PlanRecord: Sendable, Codable {
    struct Estimate: Sendable, Codable {
        var aligned: Int?
        var rounds: Int?
        var bytes: TrainingReport.Flows?
        var seconds: Seconds?
    }

    struct Seconds: Sendable, Codable {
        var align: Double
        var train: Double
        var score: Double
        var total: Double
    }

    struct Plan: Sendable, Codable {
        var likely: Estimate
        var most: Estimate
    }

    var plan: Plan
    /// The same formulas with the counts that the job turned out to have.
    var withRealCounts: Estimate?
}

extension Phrase {
    static let bankOnly = Phrase(en: "bank only", zh: "仅银行")
    static let joint = Phrase(en: "joint", zh: "联合")
}

extension Figures {
    /// A product of counts that a file may hold as large as it likes.
    static func product(_ factors: Int...) -> String { fixed(factors.reduce(1) { $0 * Double($1) }, 0) }
}

extension TrainingReport.Bytes {
    var total: UInt64 {
        let (sum, overflows) = bankToPlatform.addingReportingOverflow(platformToBank)
        return overflows ? .max : sum
    }
}

extension Markup {
    /// A name from a specification or a table, shortened where it is longer than a page can show.
    static func name(_ name: String) -> Markup { .code(name.count > 120 ? name.prefix(120) + "…" : name) }

    static func lines(_ phrases: [Phrase]) -> Markup { list(phrases.map { Markup($0) }) }
}
