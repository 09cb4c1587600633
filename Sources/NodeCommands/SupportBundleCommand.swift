import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import NodeRuntime
import Wire

/// One document for whoever helps from afar.
package struct SupportBundleCommand<Program: NodeRoleProgram>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "support-bundle",
            abstract: "Write what helps to find a defect into one file, without secrets and data; read it before you send it. (生成排障信息文件，不含密钥与数据，发送前请先阅读)",
            discussion: "Example: \(Program.name) support-bundle --out bundle.json \(Program.configurationExample)")
    }

    @Option(name: .long, help: ArgumentHelp("The file to write. (输出文件)", valueName: "file"), completion: .file(extensions: ["json"])) var out: String
    @Option(name: .long, help: ArgumentHelp("What the node has logged; the last MiB goes in. (节点日志，收入末尾 1 MiB)", valueName: "file"), completion: .file())
    var log: String?
    @OptionGroup var options: NodeOptions

    package init() {}

    package func run() async throws {
        let language = options.language
        do throws(Fault) {
            let version = CommandLineProgram.version(Program.name, protocol: ProtocolVersion.current)
            let bundle = try await SupportBundle.collect(options.config, log: log, role: Program.role, program: version)
            try PrivateFile.create(Array(bundle.prettyText().utf8), at: out)
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
        Console.say(Phrase(en: "written: \(out); read it before you send it", zh: "已写入：\(out)；发送前请先阅读")(language))
    }
}
