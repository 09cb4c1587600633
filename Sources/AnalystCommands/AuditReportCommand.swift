import ArgumentParser
import Audit
import Console
import Faults
import Foundation
import Jobs
import Ledger
import Pages

extension AuditCommand {
    /// For people who were not there.
    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell in plain words what was asked, what crossed, what was checked. (以文字说明任务内容、传输与核查结果)",
            discussion: """
                Verifies the ledger and its ciphertexts and says what that shows and what it cannot show. Ledgers of the other nodes, where given, \
                are held against it. The exit code is 0 only if every check holds; the report is written in any case.

                Example: jointlab audit report lab/bank/state/ledger/JOB --html report.html
                (核查账本及其密文，说明能证明与不能证明的内容，并与所给其他节点的账本核对；各项全部通过时退出码才为 0，报告始终写出)
                """)
        @Argument(help: "The ledger's directory, and those of the same job at other nodes. (账本目录，以及同一任务在其他节点的账本目录)") var directories: [String]
        @Option(name: .long, help: ArgumentHelp("Write a page in both languages that needs nothing beside it. (写成独立的双语网页)", valueName: "file"))
        var html: String?
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: LanguageOption

        func validate() throws {
            guard (1...3).contains(directories.count) else { throw ValidationError("one to three directories are read (须给出一至三个目录)") }
        }

        func run() async throws {
            let language = options.language
            var report = AuditReport()
            let summary = try await options.checking {
                let ledgers = try directories.map { try LedgerDirectory.reading($0) }
                return AuditSummary.of(ledgers[0], others: Array(ledgers.dropFirst()), report: &report)
            }
            guard let summary else {
                for line in report.lines(language) { Console.say(line) }
                throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue)
            }
            if let html {
                let bytes = AuditPage(summary: summary).page(language).bytes
                try await options.checking {
                    do { try Data(bytes).write(to: URL(fileURLWithPath: html), options: .atomic) } catch { throw Fault(.unwritable, at: html) }
                }
            }
            if json {
                Console.say(summary.json(language).prettyText())
            } else {
                for line in summary.lines(language) { Console.say(line) }
            }
            if !summary.holds { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
        }
    }
}
