import ArgumentParser
import Console
import Faults
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Primitives
import Wire

/// The owner's verbs about its own data sets.
package struct DataCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "data", abstract: "Look at this party's data sets, and describe them to those who write specifications. (查看并描述本方数据集)",
            discussion: "Example: \(Program.name) data profile \(Program.role.rawValue).csv",
            subcommands: [ProfileCommand<Program>.self, Register.self, FeedbackCommand<Program>.self, StatisticsCommand<Program>.self])
    }

    package init() {}

    struct Register: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "register",
                abstract: "Publish a data set's column names, their types and the number of rows; never a value. (公布数据集的列名、类型与行数，不含任何数据值)",
                discussion: """
                    Example: \(Program.name) data register main --config lab/\(Program.role.rawValue)/node.json

                    Without a name, every data set of node.json is described. Everyone of the contract may see what is published.
                    (不指定名称则描述 node.json 的全部数据集；契约所列各方与人员均可看到)
                    """)
        }
        @Argument(help: "A data set of node.json; by default all. (数据集名称，默认全部)") var dataset: String?
        @Flag(name: .long, help: "Take back what was published. (撤回已公布的描述)") var remove = false
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let installation = try Installation.node(options.config, role: Program.role)
                let configuration = installation.configuration
                let language = options.language
                if let dataset, configuration.datasets[dataset] == nil { throw Fault(.unknownDataset, at: options.config, dataset) }
                let names = dataset.map { [$0] } ?? configuration.datasets.keys.sorted()
                let files = DescriptionFiles(try JobFiles(installation))
                let operations = try Operations(installation)
                var described: [String: DataDescription] = [:]
                if remove {
                    for name in names where try files.remove(name) { try operations.record(.dataWithdrawn, by: .ownAccount, object: name) }
                } else {
                    // All are read before any is kept.
                    for name in names {
                        guard let registered = configuration.datasets[name] else { continue }
                        described[name] = try operations.reading(registered.paths, name, for: .description) {
                            let description = try Program.tools.describe(registered)
                            return (description, rows: description.rows)
                        }
                    }
                    for (name, description) in described.sorted(by: { $0.key < $1.key }) {
                        try operations.record(.dataPublished, by: .ownAccount, object: name,
                                              digest: SHA256.hash(Array(description.json.canonicalText().utf8)))
                        try files.keep(description, of: name)
                    }
                }
                if json {
                    Console.say(JSONValue.object(described.mapValues(\.json)).canonicalText())
                } else {
                    for (name, description) in described.sorted(by: { $0.key < $1.key }) {
                        for line in description.lines(name, language) { Console.say(line) }
                    }
                    if remove { Console.say(Phrase(en: "No longer published: \(names.joined(separator: ", "))", zh: "已撤回：\(names.joined(separator: "、"))")(language)) }
                }
                try tell(configuration.dataDirectory, language)
            }
        }

        /// A node that runs publishes at once, any other when it starts.
        private func tell(_ directory: String, _ language: Language) throws {
            var isPublished = false
            do {
                isPublished = try ControlSocket.ask(.publish, dataDirectory: directory)["published"] == .bool(true)
            } catch {
                guard error.code == .nodeNotRunning else { throw error }
            }
            Console.note(isPublished
                ? Phrase(en: "Sent to the arbiter.", zh: "已发送至仲裁方。")(language)
                : Phrase(en: "Will be sent to the arbiter when the node is next connected.", zh: "节点下次连接时发送至仲裁方。")(language))
        }
    }
}
