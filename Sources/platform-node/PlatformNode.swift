import ArgumentParser
import PlatformRole
import Faults
import NodeCommands
import NodeRuntime
import Wire

@main
struct PlatformNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platform-node",
        abstract: "The platform's node of a lab: approves and runs jobs on its own data. (平台节点：在本方数据上审批并运行任务)",
        version: NodeProgram.version, subcommands: [Serve.self])

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve until stopped. (启动服务)", discussion: "Example: platform-node serve --config lab/platform/node.json")
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let code = await NodeProgram.serve(options, role: .platform) { installation, logger in
                try await DataNode(installation, role: .platform, logger: logger, makeMachine: PlatformJob.open).serve()
            }
            throw ArgumentParser.ExitCode(code.rawValue)
        }
    }
}
