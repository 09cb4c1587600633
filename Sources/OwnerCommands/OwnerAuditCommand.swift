import ArgumentParser
import Audit
import Authorisation
import Canary
import Console
import Faults
import Features
import Foundation
import Installation
import Jobs
import NodeCommands
import NodeRuntime
import Tables
import Wire

/// What the owner's verbs need of a program that holds data.
package protocol OwnerProgram: DataNodeProgram {
    static var tools: DataTools { get }
}

/// Checks that take the owner's data or secrets, and therefore run at its node's machine and nowhere else.
package struct OwnerAuditCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "audit", abstract: "Check what this node keeps and did, with the owner's own data and secrets. (以本方数据与密钥核查本节点)",
            discussion: "Checks that need neither are verbs of jointlab audit. (不需要本方数据与密钥的核查见 jointlab audit)\n\n"
                + "Example: \(Program.name) audit canary --data data.csv --config lab/\(Program.role.rawValue)/node.json",
            subcommands: [Canary.self, Subject.self, Replay.self, Destroy.self])
    }

    package init() {}

    struct Canary: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "canary",
                abstract: "Search everything kept for the data's values, in every encoding. (以各种编码在全部留存内容中搜索数据值)",
                discussion: """
                    Searches recorded payloads, records and all other files of the node's data directory, and with --also logs that lie elsewhere. \
                    It says where a value was found, never the value. The exit code is 0 only if none was.

                    Example: \(Program.name) audit canary --data data.csv --also node.log \
                    --config lab/\(Program.role.rawValue)/node.json
                    (搜索数据目录中的载荷、记录与其他全部文件，--also 另指定日志；只指出出现之处，不显示取值；未发现时退出码才为 0)
                    """)
        }
        @Option(name: .long, help: ArgumentHelp("The data set whose values are searched for: a file, or a name of node.json. (其值被搜索的数据集：文件或 node.json 中的名称)", valueName: "data")) var data: String
        @Option(name: .long, help: ArgumentHelp(
            "The column of identifiers, by default every text column without repetition. (标识列)", valueName: "column")) var identifier: String?
        @Option(name: .long, help: ArgumentHelp("A log or a directory to be searched as well; may be repeated. (另行搜索的日志或目录)", valueName: "path"))
        var also: [String] = []
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            let language = options.language
            let report: AuditReport
            do {
                let installation = try Installation.node(options.config, role: Program.role)
                let configuration = installation.configuration
                let set = configuration.datasets.first { $0.key == data || $0.value.path == URL(fileURLWithPath: data).path }
                let source = set.map { DataSource($0.value) } ?? DataSource(URL(fileURLWithPath: data))
                let operations = try Operations(installation)
                let (values, facts) = try operations.reading([source.url.path], set?.key, for: .canary) {
                    var values = try CanaryData(source, identifier: identifier)
                    let facts = try JobColumns(try JobFiles(installation), operations).add(to: &values, source)
                    return ((values, facts), rows: values.rowCount)
                }
                let search = try CanarySearch(
                    values, directory: URL(fileURLWithPath: configuration.dataDirectory, isDirectory: true),
                    others: also.map { URL(fileURLWithPath: $0) },
                    own: [source.url, AuthorisationList.file(configuration.dataDirectory)]
                        + configuration.datasets.values.flatMap(\.paths).map { URL(fileURLWithPath: $0) })
                var told = 0
                var found = try search.run { done, total in
                    guard Console.isTerminal, done - told >= 64 << 20 else { return }
                    told = done
                    Console.note(Phrase(en: "searched \(done >> 20) of \(total >> 20) MiB", zh: "已搜索 \(done >> 20) / \(total >> 20) MiB")(language))
                }
                for fact in facts { found.state(en: fact.en, zh: fact.zh) }
                report = found
            } catch {
                throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
            }
            if json {
                Console.say(report.json(language).canonicalText())
            } else {
                for line in report.lines(language) { Console.say(line) }
            }
            if !report.holds { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
        }
    }
}
