import ArgumentParser
import Authorisation
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Tables
import Wire

extension OwnerAuditCommand {
    struct Subject: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "subject", abstract: "Every access of this node that touched one enterprise. (查询触及某一企业的全部访问)",
                discussion: """
                    Example: \(Program.name) audit subject 91370811MA36QB6Q05 --config lab/\(Program.role.rawValue)/node.json

                    The question itself becomes an entry of the ledger of operations, without the enterprise.
                    (查询本身记入操作账本，但不记录该企业)
                    """)
        }
        @Argument(help: "The identifier, in any spelling that a data set may have. (标识，可为数据集中的任一写法)") var code: String
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let language = options.language
                let operations = try Operations(try Installation.node(options.config, role: Program.role))
                // Under which jobs know the subject, of every kind of identifier that fits.
                let spellings = Set(IdentifierKind.allCases.compactMap { $0.normalise(code) })
                let list = try AuthorisationList.read(try options.dataDirectory(Program.role))
                let entries = spellings.flatMap { list.entries(of: $0) }.sorted { $0.number < $1.number }
                let (accesses, expired) = try operations.accesses(to: spellings, by: .ownAccount)
                if expired > 0 {
                    Console.note(Phrase(en: "\(expired) uses of lists of subjects cannot be told any more: their lifetime is over",
                                        zh: "另有 \(expired) 次使用的主体名单已期满删除，无法查询")(language))
                }
                if json {
                    let own = Program.role == .platform ? entries.map(\.json) : []
                    return Console.say(JSONValue.array(own + accesses.map(\.json)).canonicalText())
                }
                for entry in entries { Console.say(entry.words(language)) }
                for access in accesses {
                    Console.say([access.time.formatted(.iso8601), access.job.map { "\($0)" } ?? "", access.purpose, access.words(language)]
                        .joined(separator: "  "))
                }
                if accesses.isEmpty { Console.say(Phrase(en: "No access touched it.", zh: "没有触及该主体的访问。")(language)) }
            }
        }
    }
}

extension Operations.SubjectAccess {
    fileprivate var use: (name: String, words: Phrase) {
        switch action {
        case .subjectsAligned: ("aligned", Phrase(en: "aligned with the other party", zh: "与对方对齐"))
        case .subjectsTrained: ("trained", Phrase(en: "trained on", zh: "参与训练"))
        case .subjectsExcluded: ("excluded", Phrase(en: "left out for want of authorisation", zh: "因无有效授权未进入"))
        case .subjectsScored: ("scored", Phrase(en: "scored", zh: "评分"))
        default: ("read", Phrase(en: "read", zh: "读取"))
        }
    }

    fileprivate func words(_ language: Language) -> String { use.words(language) }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["time": .text(time.formatted(.iso8601)), "purpose": .text(purpose), "use": .text(use.name)]
        if let job { members["job"] = .text("\(job)") }
        return .object(members)
    }
}
