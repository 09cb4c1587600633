import ArgumentParser
import Console
import Faults
import Jobs
import Wire

/// The tool of data scientists, lab founders and compliance officers. Reaches the arbiter alone; links neither Paillier nor
/// set intersection.
package struct JointLab: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "jointlab",
        abstract: "Set up a lab, make trial data, submit and watch jobs, see what may cross. (联合实验室工具：建立实验室、提交与查看任务、查看传输内容)",
        discussion: """
            Example: jointlab job submit spec.json --as lab/analyst/person.json --watch

            Completion for bash, zsh and fish (命令补全): jointlab --generate-completion-script bash
            """,
        version: CommandLineProgram.version("jointlab", protocol: ProtocolVersion.current),
        subcommands: [LabCommand.self, DataCommand.self, JobCommand.self, AuditCommand.self, WireCommand.self, CatalogueCommand.self])

    package init() {}
}

struct WireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire", abstract: "Print every message that may cross: who to whom, when, how long, what it reveals. (列出全部可能传输的消息)",
        discussion: "Example: jointlab wire --lang zh")
    @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
    @OptionGroup var options: LanguageOption

    func run() async throws {
        guard json else { return Console.say(MessageTable.text(options.language)) }
        Console.say(JSONValue.array(MessageKind.allCases.map { kind in
            let row = kind.row
            return .object([
                "number": .integer(kind.rawValue), "message": .text(kind.name), "fields": .text(row.shape),
                "directions": .array(row.directions.map { .object(["from": .text($0.from.rawValue), "to": .text($0.to.rawValue)]) }),
                "phases": .array(row.phases.map { .text("\($0)") }), "payload_at_most_bytes": .integer(row.maximumPayloadBytes),
                "reveals": .text(row.reveals(options.language)),
            ])
        }).canonicalText())
    }
}
