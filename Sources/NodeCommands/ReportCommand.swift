import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Wire

/// `report JOB`: the figures of a completed job, for the eyes of the node's owner, and the page that shows them, made anew.
package enum NodeReport {
    /// The page from the bytes of `report.json` and of `plan.json`; `nil` where the first is no report. Programs bring it, since
    /// this module is the arbiter's as well.
    package typealias MakePage = (_ report: [UInt8], _ plan: [UInt8]?, Language) -> [UInt8]?

    /// - Parameters:
    ///   - out: where the page goes; beside the report where it is not given.
    ///   - name: another result in place of the page.
    package static func show(_ job: String, _ options: NodeOptions, out: String?, file name: String?, json: Bool, role: Role,
                             makePage: MakePage) -> Faults.ExitCode {
        let language = options.language
        do {
            let installation = try Installation.node(options.config, role: role)
            let files = try JobFiles(installation)
            if let name { return try export(name, of: job, to: out, files, installation, language) }
            guard let bytes = try files.read("report.json", job: job) else { throw Fault(.unknownJob, at: "", String(job.prefix(64))) }
            let place = "jobs/\(job)/report.json"
            guard let page = makePage(bytes, try files.read("plan.json", job: job), language) else { throw Fault(.unreadableReport, at: place) }
            try Operations(installation).record(.resultExported, by: .ownAccount, job: JobIdentifier(job), object: "report.json", count: bytes.count)
            let kept = "jobs/\(job)/report.html"
            if let out { try PrivateFile.replace(page, at: out) } else { try files.keep(page, at: kept) }
            let report = try JSONValue.parse(bytes, as: place)
            if json {
                Console.say(report.canonicalText())
            } else {
                for line in ReportLines(report, language).lines { Console.say(line) }
                if out == nil, files.storage.isSealed {
                    Console.say(Phrase(en: "page: sealed with the other results; --out FILE writes it to be read", zh: "报告页面：与其他结果一并封存；以 --out 输出可读文件")(language))
                } else {
                    let path = out ?? files.directory.appendingPathComponent(kept).path
                    Console.say(Phrase(en: "page: \(path)", zh: "报告页面：\(path)")(language))
                }
            }
            return .success
        } catch {
            return Console.report(error, language)
        }
    }

    /// One result as it is, in a file of the owner's, or on standard output.
    private static func export(_ name: String, of job: String, to out: String?, _ files: JobFiles, _ installation: NodeInstallation,
                               _ language: Language) throws -> Faults.ExitCode {
        let names = files.results(of: job).map { String($0.dropFirst("jobs/\(job)/".count)) }
        guard !names.isEmpty else { throw Fault(.unknownJob, at: "", String(job.prefix(64))) }
        guard names.contains(name), let bytes = try files.read(name, job: job) else {
            throw Fault(.valueOutOfRange, at: "--file", String(name.prefix(64)), names.joined(separator: " | "))
        }
        try Operations(installation).record(.resultExported, by: .ownAccount, job: JobIdentifier(job), object: name, count: bytes.count)
        if let out { try PrivateFile.replace(bytes, at: out) } else { Console.say(String(decoding: bytes, as: UTF8.self)) }
        return .success
    }
}

/// The main figures of `report.json` in words; what a report does not hold is left out.
struct ReportLines {
    private let report: JSONValue
    private let language: Language

    init(_ report: JSONValue, _ language: Language) {
        self.report = report
        self.language = language
    }

    var lines: [String] {
        [
            text("rows", en: "rows", zh: "行数", ["bank", "platform", "aligned", "train", "test"]),
            measures("auc", en: "AUC", zh: "AUC"),
            measures("ks", en: "KS", zh: "KS"),
            measures("log_loss", en: "log-loss", zh: "对数损失"),
            number(["rounds"]).map { phrase(en: "rounds: \($0)", zh: "轮数：\($0)") },
            text("seconds", en: "seconds", zh: "用时（秒）", ["align", "train", "score", "total"]),
            text("bytes", en: "bytes", zh: "传输字节", ["bank_to_platform", "platform_to_bank"]),
        ].compactMap { $0 }
    }

    private func phrase(en: String, zh: String) -> String { Phrase(en: en, zh: zh)(language) }

    private func number(_ path: [String]) -> String? {
        var value = report
        for key in path {
            guard case .object(let members) = value, let next = members[key] else { return nil }
            value = next
        }
        guard case .number(let text) = value else { return nil }
        return text
    }

    private func text(_ group: String, en: String, zh: String, _ keys: [String]) -> String? {
        let parts = keys.compactMap { key in number([group, key]).map { "\(phrase(en: key, zh: Self.chinese[key] ?? key)) \($0)" } }
        return parts.isEmpty ? nil : phrase(en: "\(en): ", zh: "\(zh)：") + parts.joined(separator: phrase(en: ", ", zh: "，"))
    }

    private static let chinese = [
        "bank": "银行", "platform": "平台", "aligned": "对齐", "train": "训练", "test": "测试", "align": "对齐", "score": "评分", "total": "合计",
        "bank_to_platform": "银行至平台", "platform_to_bank": "平台至银行",
    ]

    /// Test part where there is one, otherwise the training part.
    private func measures(_ key: String, en: String, zh: String) -> String? {
        for (part, partEn, partZh) in [("test", "test part", "测试集"), ("train", "training part", "训练集")] {
            guard let alone = number(["bank_only", part, key]).flatMap(Double.init), let joint = number(["joint", part, key]).flatMap(Double.init)
            else { continue }
            func shown(_ value: Double) -> String { "\((value * 1e6).rounded() / 1e6)" }
            return phrase(en: "\(en) (\(partEn)): bank only \(shown(alone)), joint \(shown(joint))",
                          zh: "\(zh)（\(partZh)）：仅银行 \(shown(alone))，联合 \(shown(joint))")
        }
        return nil
    }
}
