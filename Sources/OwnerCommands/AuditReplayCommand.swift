import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Primitives
import Wire

extension OwnerAuditCommand {
    struct Replay: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "replay", abstract: "Run this party's part again: every byte sent must come out. (重放本方过程，逐字节比对)",
                discussion: "Example: \(Program.name) audit replay JOB --config lab/\(Program.role.rawValue)/node.json --owner-key owner-seal.key "
                    + "--auditor-key auditor-seal.key\n\nBoth private keys are needed together. Takes about as long as this party's share of the job. "
                    + "(须同时提供两把私钥；用时与本方在任务中的用时相当)")
        }
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Option(name: .long, help: ArgumentHelp("The owner's private seal key. (数据所有方封存私钥)", valueName: "file")) var ownerKey: String
        @Option(name: .long, help: ArgumentHelp("The auditor's private seal key. (审计员封存私钥)", valueName: "file")) var auditorKey: String
        @Option(name: .long, help: ArgumentHelp("A kept copy of the data set, where the registered file has changed. (数据集留存副本)", valueName: "file"))
        var data: String?
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            var holds = false
            try options.reporting {
                let language = options.language
                let installation = try Installation.node(options.config, role: Program.role)
                let files = try JobFiles(installation)
                let recorded = try RecordedJob(job, files: files, role: Program.role)
                let means = RecordedJob.Means(
                    files: files,
                    keys: [.owner: (try sealKey(ownerKey, .owner), ownerKey), .auditor: (try sealKey(auditorKey, .auditor), auditorKey)],
                    data: try dataset(recorded, installation.configuration), signer: installation.ledgerKey.verifyingKey,
                    operations: try Operations(installation), open: Program.tools.makeMachine)
                var shown = (phase: Phase.waiting, tenth: 0)
                let result = try recorded.replay(means) { done, total, phase in
                    let tenth = 10 * done / max(1, total)
                    guard phase != shown.phase || tenth != shown.tenth else { return }
                    shown = (phase, tenth)
                    Console.note(Phrase(en: "replay: \(phase.name.en), \(done) of \(total) frames", zh: "重放：\(phase.name.zh)，\(done)/\(total) 帧")(language))
                }
                let report = ReplayReport(recorded, result)
                if json { Console.say(report.json(language).canonicalText()) } else { report.lines(language).forEach(Console.say) }
                holds = result.outcome.holds
            }
            if !holds { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
        }

        private func sealKey(_ path: String, _ holder: SecretVault.Holder) throws -> X25519 {
            let text = try Installation.readSecret(path)
            guard let key = try? X25519(pem: text) else { throw Fault(.sealKeyRefused, at: path, holder.name.en, holder.name.zh) }
            return key
        }

        private func dataset(_ recorded: RecordedJob, _ configuration: NodeConfiguration) throws -> (NodeConfiguration.Dataset, String) {
            let name = recorded.dataset
            guard let set = configuration.datasets[name] else { throw Fault(.unknownDataset, at: "node.json#/datasets", name) }
            var read = set
            read.path = data ?? set.path
            return (read, read.path)
        }
    }

    struct Destroy: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "destroy", abstract: "Destroy sealed secrets of a job, for good, with a receipt. (永久销毁任务密钥并留存凭证)",
                discussion: "Example: \(Program.name) audit destroy JOB --purpose mask --config lab/\(Program.role.rawValue)/node.json\n\n"
                    + "Purposes: \(Purpose.allCases.map(\.rawValue).joined(separator: ", ")). What depends on a secret that is gone no replay can check. "
                    + "(密钥销毁后，依赖它的内容无法再重放核查)")
        }
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Option(name: .long, help: "Which secret; may be given several times. (密钥用途，可多次给出)") var purpose: [String] = []
        @Flag(name: .long, help: "All that are left. (全部)") var all = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let wanted = try purposes()
                let installation = try Installation.node(options.config, role: Program.role)
                let files = try JobFiles(installation)
                let recorded = try RecordedJob(job, files: files, role: Program.role)
                let vault = SecretVault(files.directory)
                let operations = try Operations(installation)
                for purpose in wanted {
                    do throws(Fault) {
                        let receipt = try vault.destroy(
                            purpose, of: recorded.sealed, commitment: recorded.manifest.commitments[purpose] ?? [], node: recorded.manifest.node,
                            by: NSUserName(), key: installation.ledgerKey)
                        try operations.record(.keysDestroyed, by: .ownAccount, job: recorded.manifest.job, object: purpose.rawValue)
                        Console.say(Phrase(en: "\(purpose.rawValue): destroyed at \(receipt.at) by \(receipt.by); receipt in secrets/\(job)/\(purpose.rawValue).destroyed",
                                           zh: "\(purpose.rawValue)：由 \(receipt.by) 于 \(receipt.at) 销毁；凭证位于 secrets/\(job)/\(purpose.rawValue).destroyed")(options.language))
                    } catch {
                        if all, error.code == .secretDestroyed { continue }
                        throw error
                    }
                }
            }
        }

        private func purposes() throws -> [Purpose] {
            let names = Purpose.allCases.map(\.rawValue).joined(separator: " | ")
            if all { return Purpose.allCases }
            guard !purpose.isEmpty else { throw Fault(.missingOption, at: "--purpose") }
            return try purpose.map { name in
                guard let purpose = Purpose(rawValue: name) else { throw Fault(.valueOutOfRange, at: "--purpose", String(name.prefix(64)), names) }
                return purpose
            }
        }
    }
}

/// What a replay found, for people and for programs.
private struct ReplayReport {
    private let recorded: RecordedJob
    private let result: RecordedJob.Result
    private var outcome: NodeRuntime.Replay.Outcome { result.outcome }

    init(_ recorded: RecordedJob, _ result: RecordedJob.Result) {
        self.recorded = recorded
        self.result = result
    }

    private var facts: [Phrase] {
        var facts = [
            Phrase(en: "\(recorded.manifest.node): heard \(outcome.heard) recorded frames again; \(outcome.frames) frames came out as they were sent, \(outcome.bytes) bytes",
                   zh: "\(recorded.manifest.node)：重放所接收的 \(outcome.heard) 帧；所发送的 \(outcome.frames) 帧（\(outcome.bytes) 字节）逐字节重现"),
        ]
        for receipt in result.destroyed {
            facts.append(Phrase(en: "the secret '\(receipt.purpose.rawValue)' was destroyed at \(receipt.at) by \(receipt.by)",
                                zh: "“\(receipt.purpose.rawValue)”密钥已由 \(receipt.by) 于 \(receipt.at) 销毁"))
        }
        if outcome.lost > 0 {
            facts.append(Phrase(en: "\(outcome.lost) frames depend on what was destroyed: nobody can make them again",
                                zh: "\(outcome.lost) 帧依赖已销毁的密钥，任何人都无法重现"))
        }
        if let fault = outcome.ended {
            facts.append(Phrase(en: "the job ended at this party, as recorded: \(fault.message.en)", zh: "任务在本方终止，与记录一致：\(fault.message.zh)"))
        }
        if !result.results.isEmpty {
            facts.append(Phrase(en: "\(result.results.joined(separator: ", ")) came out as kept", zh: "\(result.results.joined(separator: "、")) 与留存一致"))
        }
        return facts
    }

    private var verdict: Phrase {
        if outcome.holds { return Phrase(en: "holds", zh: "核查通过") }
        let count = outcome.findings.count + outcome.furtherFindings
        if count == 0 { return Phrase(en: "not proven: a part cannot be made again", zh: "未能证明：部分内容无法重现") }
        return Phrase(en: "does not hold: \(count) findings", zh: "核查未通过：发现 \(count) 项问题")
    }

    func lines(_ language: Language) -> [String] {
        var lines = facts.map { $0(language) } + outcome.findings.map { text($0, language) }
        if outcome.furtherFindings > 0 {
            lines.append(Phrase(en: "and \(outcome.furtherFindings) further findings", zh: "另有 \(outcome.furtherFindings) 项")(language))
        }
        return lines + [verdict(language)]
    }

    private func text(_ finding: NodeRuntime.Replay.Finding, _ language: Language) -> String {
        var parts = [recorded.manifest.node]
        if let line = finding.line { parts.append(Phrase(en: "line to \(line)", zh: "与 \(line) 的线路")(language)) }
        if let direction = finding.direction {
            parts.append((direction == .sent ? Phrase(en: "sent", zh: "发送") : Phrase(en: "received", zh: "接收"))(language))
        }
        if let frame = finding.frame { parts.append(Phrase(en: "frame \(frame)", zh: "第 \(frame) 帧")(language)) }
        if let kind = finding.kind { parts.append(kind.name) }
        if let offset = finding.offset { parts.append(Phrase(en: "byte \(offset)", zh: "字节 \(offset)")(language)) }
        return "\(parts.joined(separator: language == .zh ? "，" : ", ")): \(finding.message(language)) [\(finding.rule.rawValue)]"
    }

    func json(_ language: Language) -> JSONValue {
        .object([
            "holds": .bool(outcome.holds), "job": .text("\(recorded.manifest.job)"), "ledger": .text(recorded.manifest.node),
            "facts": .array(facts.map { .text($0(language)) }), "frames": .integer(outcome.frames), "bytes": .integer(outcome.bytes),
            "lost": .integer(outcome.lost), "destroyed": .array(result.destroyed.map {
                .object(["purpose": .text($0.purpose.rawValue), "at": .text($0.at), "by": .text($0.by)])
            }),
            "further_findings": .integer(outcome.furtherFindings),
            "findings": .array(outcome.findings.map { finding in
                var members: [String: JSONValue] = ["rule": .text(finding.rule.rawValue), "message": .text(finding.message(language)),
                                                    "ledger": .text(recorded.manifest.node)]
                if let line = finding.line { members["line"] = .text(line) }
                if let direction = finding.direction { members["direction"] = .text(direction.rawValue) }
                if let frame = finding.frame { members["frame"] = .integer(frame) }
                if let kind = finding.kind { members["kind"] = .text(kind.name) }
                if let offset = finding.offset { members["offset"] = .integer(offset) }
                return .object(members)
            }),
        ])
    }
}
