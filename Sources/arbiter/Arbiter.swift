import ArbiterRuntime
import ArgumentParser
import Console
import Faults
import NodeCommands
import Wire

/// The lightweight coordinator of a lab. Links no Paillier, no set intersection, no table.
@main
struct Arbiter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arbiter",
        abstract: "Coordinates the jobs of a lab; holds no key and no data. (联合实验室仲裁方，不持有密钥与数据)",
        discussion: """
            Example: arbiter serve --config lab/arbiter/node.json

            Completion for bash, zsh and fish (命令补全): arbiter --generate-completion-script bash
            """,
        version: CommandLineProgram.version("arbiter", protocol: ProtocolVersion.current), subcommands: [
            Serve.self, KeysCommand<Program>.self, ContractCommand<Program>.self, Doctor.self, SupportBundleCommand<Program>.self,
        ])

    enum Program: NodeRoleProgram {
        static let role = Wire.Role.arbiter
        static let name = "arbiter"
    }

    static func main() async { await CommandLineProgram.run(Self.self) }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve until stopped. (启动服务)", discussion: "Example: arbiter serve --config lab/arbiter/node.json")
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let code = await NodeProgram.serve(options, role: .arbiter) { try ArbiterNode($0, log: $1) }
            throw ArgumentParser.ExitCode(code.rawValue)
        }
    }

    struct Doctor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at configuration, keys, machine, data and lines, step by step. (逐项检查配置、密钥、本机、数据与线路)",
            discussion: "Example: arbiter doctor --config lab/arbiter/node.json\n\nThe exit code is 1 if a step failed. (任一步骤未通过则退出码为 1)")
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            throw ArgumentParser.ExitCode(await NodeDoctor.run(options, json: json, role: .arbiter).rawValue)
        }
    }
}
