import ArgumentParser
import Console
import Faults
import Foundation
import Synthetic

struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "See what data sets the lab has, make trial data. (查看各方数据集、生成试用数据)",
        discussion: "Example: jointlab data make .", subcommands: [Columns.self, Make.self])

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Generate enterprises with known truth: bank.csv, platform.csv, truth.json. (生成已知真值的合成企业数据)",
            discussion: """
                Example: jointlab data make data --common 7200 --seed 2

                Each side holds common / 0.6 enterprises. With --records also the platform's records and departments' tables and \
                the enterprises' authorisations: \(SyntheticLab.recordFiles.joined(separator: ", ")).
                (每方企业数为 common / 0.6；--records 另生成平台与各部门的记录表及企业授权)
                """)

        @Argument(help: "The folder for the files. (输出目录)", completion: .directory) var directory: String
        @Option(name: .long, help: "Enterprises that both sides hold. (双方共有企业数)") var common = 7200
        @Option(name: .long, help: "Equal seeds give equal files. (随机种子)") var seed: UInt64 = 1
        @Flag(name: .long, help: "Also tables of records and authorisations. (另生成逐条记录表与授权清单)") var records = false
        @Option(name: .long, help: "The bank that authorisations name. (被授权银行名称)") var grantee = "bank"
        @OptionGroup var options: LanguageOption

        func run() async throws {
            try await options.reporting {
                let folder = URL(fileURLWithPath: directory, isDirectory: true)
                do {
                    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                } catch {
                    throw Fault(.unwritable, at: directory)
                }
                try SyntheticLab.write(common: common, seed: seed, bank: folder.appendingPathComponent("bank.csv"),
                                       platform: folder.appendingPathComponent("platform.csv"),
                                       truth: folder.appendingPathComponent("truth.json"))
                Console.say(Phrase(en: "Wrote bank.csv, platform.csv and truth.json to \(directory).",
                                   zh: "已将 bank.csv、platform.csv 与 truth.json 写入 \(directory)。")(options.language))
                guard records else { return }
                try SyntheticLab.writeRecords(common: common, seed: seed, grantee: grantee, in: folder)
                Console.say(Phrase(en: "Wrote \(SyntheticLab.recordFiles.joined(separator: ", ")) beside them.",
                                   zh: "并写入 \(SyntheticLab.recordFiles.joined(separator: "、"))。")(options.language))
            }
        }
    }
}
