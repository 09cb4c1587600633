import ArgumentParser
import Audit
import Console
import Exchange
import Faults
import Features
import Jobs
import NodeCommands
import NodeRuntime
import OwnerCommands
import PlatformRole
import Reports
import Wire

@main
struct PlatformNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platform-node",
        abstract: "The platform's node of a lab: approves and runs jobs on its own data. (平台节点：在本方数据上审批并运行任务)",
        discussion: """
            Example: platform-node serve --config lab/platform/node.json

            Completion for bash, zsh and fish (命令补全): platform-node --generate-completion-script bash
            """,
        version: CommandLineProgram.version("platform-node", protocol: ProtocolVersion.current), subcommands: [
            Serve.self, Report.self, JobsCommand<Program>.self, ModelsCommand<Program>.self, DataCommand<Program>.self,
            AuthorisationsCommand<Program>.self,
            OwnerAuditCommand<Program>.self, RetentionCommand<Program>.self, KeysCommand<Program>.self, ContractCommand<Program>.self, Doctor.self,
            SupportBundleCommand<Program>.self,
        ])

    static func main() async { await CommandLineProgram.run(Self.self) }

    enum Program: OwnerProgram {
        static let role = Role.platform
        static let name = "platform-node"
        static let tools = DataTools(
            makeMachine: PlatformJob.open, describe: DataDescription.describing, measure: Calibration.measure, verify: Verification.findings,
            modelFeatures: { ModelHalf.decoded($0)?.plan.features ?? [] })
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve until stopped. (启动服务)", discussion: "Example: platform-node serve --config lab/platform/node.json")
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let code = await NodeProgram.serve(options, role: .platform) { installation, log in
                try DataNode(installation, role: .platform, log: log, tools: Program.tools)
            }
            throw ArgumentParser.ExitCode(code.rawValue)
        }
    }

    struct Report: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the figures of a completed job and make its page anew. (查看已完成任务的结果并重新生成报告页面)",
            discussion: """
                Example: platform-node report JOB --config lab/platform/node.json --out report.html

                The page is one file in both languages, which any browser shows and prints; --lang is the language shown first.
                (报告页面为一个双语文件，任何浏览器均可查看与打印；--lang 决定首先显示的语言)
                """)
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Option(name: .long, help: ArgumentHelp("Where the page goes; by default report.html beside the job's results. (页面输出位置)", valueName: "file"))
        var out: String?
        @Option(name: .long, help: ArgumentHelp("Another result in place of the page, such as model.json. (改为输出其他结果文件)", valueName: "name"))
        var file: String?
        @Flag(name: .long, help: "Print report.json. (输出 report.json)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            throw ArgumentParser.ExitCode(NodeReport.show(job, options, out: out, file: file, json: json, role: .platform) {
                ReportPage(report: $0, plan: $1, role: .platform)?.bytes($2)
            }.rawValue)
        }
    }

    struct Doctor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look at configuration, keys, machine, data and lines, step by step. (逐项检查配置、密钥、本机、数据与线路)",
            discussion: "Example: platform-node doctor --config lab/platform/node.json\n\nThe exit code is 1 if a step failed. (任一步骤未通过则退出码为 1)")
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            throw ArgumentParser.ExitCode(await NodeDoctor.run(options, json: json, role: .platform).rawValue)
        }
    }
}
