import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import NodeCommands
import NodeRuntime
import Wire

/// What has outlived its lifetime; the running node deletes it by itself, every day.
package struct RetentionCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "retention", abstract: "Delete what jobs have left beyond its lifetime, with receipts. (删除任务的期满内容并留存凭证)",
            discussion: """
                Example: \(Program.name) retention --plan --config lab/\(Program.role.rawValue)/node.json

                Lifetimes stand under "retention" in node.json. The node does the same when it starts and once a day.
                (期限见 node.json 的 retention；节点启动时及此后每日自动执行)
                """)
    }
    @Flag(name: .long, help: "Only say what would go. (仅列出将删除的内容)") var plan = false
    @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
    @OptionGroup var options: NodeOptions

    package init() {}

    package func run() throws {
        try options.reporting {
            let language = options.language
            let installation = try Installation.node(options.config, role: Program.role)
            guard installation.configuration.lifetimes.isLimited else { throw Fault(.missingKey, at: "node.json#/retention", "payload_days") }
            let expiry = try Expiry(installation, files: try JobFiles(installation), operations: try Operations(installation),
                                    tools: Program.tools, by: .ownAccount)
            let due = try expiry.due()
            let shown = plan ? due : try expiry.apply(due)
            if json { return Console.say(JSONValue.array(shown.map(\.json)).canonicalText()) }
            for item in shown { Console.say(item.words(language)) }
            if due.isEmpty { Console.say(Phrase(en: "Nothing has outlived its lifetime.", zh: "没有期满的内容。")(language)) }
            guard !plan else { return }
            if !shown.isEmpty { Console.say(Phrase(en: "deleted; receipts are in the ledger of operations", zh: "已删除；凭证在操作账本中")(language)) }
            let kept = due.count { !shown.contains($0) }
            if kept > 0 {
                Console.say(Phrase(en: "kept of \(kept) jobs: payloads whose ledger does not hold (audit verify says why), or a list that another job names",
                                   zh: "\(kept) 个任务仍有保留：账本核查未通过的载荷（见 audit verify），或其他任务也使用的名单")(language))
            }
        }
    }
}

extension Expiry.Due {
    fileprivate func words(_ language: Language) -> String {
        var parts = paths
        if hasPayloads { parts.append(Phrase(en: "payloads and sealed secrets", zh: "载荷与封存密钥")(language)) }
        if !lists.isEmpty { parts.append(Phrase(en: "\(lists.count) lists of subjects", zh: "\(lists.count) 份主体名单")(language)) }
        return "\(job)  \(ended.formatted(.iso8601))  " + parts.joined(separator: language == .zh ? "、" : ", ")
    }

    fileprivate var json: JSONValue {
        .object(["job": .text("\(job)"), "ended": .text(ended.formatted(.iso8601)), "payloads": .bool(hasPayloads), "lists": .integer(lists.count),
                 "files": .array(paths.map { .text($0) })])
    }
}
