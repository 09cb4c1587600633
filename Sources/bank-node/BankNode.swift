import ArgumentParser
import BankRole
import Faults
import NodeCommands
import NodeRuntime
import Wire

@main
struct BankNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bank-node",
        abstract: "The bank's node of a lab: approves and runs jobs on its own data. (银行节点：在本方数据上审批并运行任务)",
        version: NodeProgram.version, subcommands: [Serve.self])

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve until stopped. (启动服务)", discussion: "Example: bank-node serve --config lab/bank/node.json")
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let code = await NodeProgram.serve(options, role: .bank) { installation, logger in
                try await DataNode(installation, role: .bank, logger: logger, makeMachine: BankJob.open).serve()
            }
            throw ArgumentParser.ExitCode(code.rawValue)
        }
    }
}
