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
        version: NodeProgram.version, subcommands: [Serve.self, Report.self])

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve until stopped. (启动服务)", discussion: "Example: bank-node serve --config lab/bank/node.json")
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let code = await NodeProgram.serve(options, role: .bank) { installation, log in
                try await DataNode(installation, role: .bank, log: log, makeMachine: BankJob.open).serve()
            }
            throw ArgumentParser.ExitCode(code.rawValue)
        }
    }

    struct Report: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the figures of a completed job. (查看已完成任务的结果)",
            discussion: "Example: bank-node report JOB --config lab/bank/node.json")
        @Argument(help: "The job's id. (任务编号)") var job: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            throw ArgumentParser.ExitCode(NodeReport.show(job, options, role: .bank).rawValue)
        }
    }
}
