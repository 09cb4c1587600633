import ArgumentParser
import Console
import Faults
import Foundation
import Wire

/// The tool of data scientists, lab founders and compliance officers. Reaches the arbiter alone; links neither Paillier nor
/// set intersection.
package struct JointLab: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "jointlab",
        abstract: "Set up a lab, make trial data, submit and watch jobs, see what may cross. (联合实验室工具：建立实验室、提交与查看任务、查看传输内容)",
        version: "0.1.0",
        subcommands: [LabCommand.self, DataCommand.self, JobCommand.self, AuditCommand.self, WireCommand.self, CatalogueCommand.self])

    package init() {}
}

struct LanguageOption: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Language of messages: en or zh; by default that of the locale. (消息语言)", valueName: "lang"))
    var lang: String?

    var language: Language { Console.language(lang) }

    /// Runs a verb; faults go to standard error and decide the exit code.
    func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
    }
}

struct WireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire", abstract: "Print every message that may cross: who to whom, when, how long, what it reveals. (列出全部可能传输的消息)",
        discussion: "Example: jointlab wire --lang zh")
    @OptionGroup var options: LanguageOption

    func run() async throws {
        Console.say(MessageTable.text(options.language))
    }
}
