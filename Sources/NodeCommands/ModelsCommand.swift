import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Wire

/// The halves of models that lie at this node.
package struct ModelsCommand<Program: DataNodeProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "models", abstract: "List, show and retire this party's halves of models. (列出、查看与停用本方的模型部分)",
            discussion: "Example: \(Program.name) models list --config lab/\(Program.role.rawValue)/node.json",
            subcommands: [List.self, Show.self, Retire.self])
    }

    package init() {}

    struct List: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "list", abstract: "All halves, newest first. (列出全部)",
                                 discussion: "Example: \(Program.name) models list --config lab/\(Program.role.rawValue)/node.json")
        }
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let halves = try ModelFiles(try JobFiles(try Installation.node(options.config, role: Program.role))).all()
                if json { return Console.say(JSONValue.array(halves.map(\.json)).canonicalText()) }
                for half in halves { Console.say(half.line(options.language)) }
                if halves.isEmpty { Console.say(Phrase(en: "No model here yet.", zh: "此处尚无模型。")(options.language)) }
            }
        }
    }

    struct Show: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "show", abstract: "One half: its columns, what it came from. (查看一个模型部分)",
                                 discussion: "Example: \(Program.name) models show JOB --config lab/\(Program.role.rawValue)/node.json")
        }
        @Argument(help: "The training job's id. (训练任务编号)") var job: String
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let half = try ModelFiles(try JobFiles(try Installation.node(options.config, role: Program.role))).one(job)
                let language = options.language
                if json { return Console.say(half.json.canonicalText()) }
                Console.say(half.line(language))
                Console.say(Phrase(en: "the other half is at \(half.peer), under the same job id", zh: "另一部分在 \(half.peer)，任务编号相同")(language))
                Console.say(Phrase(en: "columns: ", zh: "列：")(language) + half.columns.joined(separator: language == .zh ? "、" : ", "))
                if let retirement = half.retirement {
                    let (by, at) = (retirement["by"]?.string ?? "", retirement["at"]?.string ?? "")
                    Console.say(Phrase(en: "retired by \(by) at \(at)", zh: "由 \(by) 于 \(at) 停用")(language))
                }
            }
        }
    }

    struct Retire: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "retire", abstract: "Score with this half no more, for good. (永久停用)",
                                 discussion: "Example: \(Program.name) models retire JOB --config lab/\(Program.role.rawValue)/node.json\n\n"
                                    + "The file stays for the record; no verb takes a retirement back. (文件留存备查；停用不可撤销)")
        }
        @Argument(help: "The training job's id. (训练任务编号)") var job: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let installation = try Installation.node(options.config, role: Program.role)
                let models = ModelFiles(try JobFiles(installation))
                if try models.one(job).retirement == nil {
                    try Operations(installation).record(.modelRetired, by: .ownAccount, job: JobIdentifier(job))
                }
                try models.retire(job, account: NSUserName())
                Console.say(Phrase(en: "retired for good: scoring with it is refused from now on", zh: "已永久停用：此后拒绝以其评分")(options.language))
            }
        }
    }
}

extension ModelFiles.Half {
    fileprivate var rows: Int? { report?["rows"]?["train"]?.integer }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "job": .text(job), "role": .text(role), "peer": .text(peer), "made": .text(made.formatted(.iso8601)),
            "state": .text(retirement == nil ? "usable" : "retired"), "columns": .array(columns.map { .text($0) }),
        ]
        if let name = report?["name"] { members["name"] = name }
        if let rows { members["training_rows"] = .integer(rows) }
        if let retirement { members["retirement"] = retirement }
        return .object(members)
    }

    fileprivate func line(_ language: Language) -> String {
        let state = retirement == nil ? Phrase(en: "usable", zh: "可用") : Phrase(en: "retired", zh: "已停用")
        let half = Phrase(en: "\(role) half", zh: role == "bank" ? "银行部分" : "平台部分")
        let size = Phrase(en: "\(rows ?? 0) training rows, \(columns.count) columns", zh: "训练 \(rows ?? 0) 行，\(columns.count) 列")
        return [job, state(language), made.formatted(.iso8601), report?["name"]?.string ?? "", half(language), size(language)].joined(separator: "  ")
    }
}
