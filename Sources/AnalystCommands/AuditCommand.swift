import ArgumentParser
import Audit
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Wire

/// Checks of ledgers, offline: they read directories and ask nobody.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Check what a node recorded of a job. (核查节点所记录的任务账本)",
        discussion: """
            A ledger is the directory ledger/JOB of a node's data directory. The exit code is 0 only if all that was asked holds.

            What each rule means stands in Protocols/ledger.md.
            """,
        subcommands: [Verify.self, Reconcile.self, Ciphertexts.self, Show.self, Report.self])

    struct Output: ParsableArguments {
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: LanguageOption

        /// Prints what was found; ends with exit code 1 if that is anything.
        func tell(_ report: AuditReport) throws {
            let language = options.language
            if json {
                Console.say(report.json(language).canonicalText())
            } else {
                for line in report.lines(language) { Console.say(line) }
            }
            if !report.holds { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check one ledger: records, payloads, order, lengths, heads, signatures. (核查单个账本)",
            discussion: "Example: jointlab audit verify lab/bank/data/ledger/JOB")
        @Argument(help: "The ledger's directory. (账本目录)") var directory: String
        @OptionGroup var output: Output

        func run() async throws {
            let report = try await output.options.checking { Verification.verify(try LedgerDirectory.reading(directory)) }
            try output.tell(report)
        }
    }

    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold the ledgers of two or three nodes against each other, frame by frame. (逐帧核对两方或三方账本)",
            discussion: "Example: jointlab audit reconcile lab/bank/data/ledger/JOB lab/platform/data/ledger/JOB")
        @Argument(help: "Two or three ledgers of one job. (同一任务的两个或三个账本目录)") var directories: [String]
        @OptionGroup var output: Output

        func validate() throws {
            guard (2...3).contains(directories.count) else { throw ValidationError("two or three directories are compared (须给出两个或三个目录)") }
        }

        func run() async throws {
            let report = try await output.options.checking {
                Reconciliation.reconcile(try directories.map { try LedgerDirectory.reading($0) })
            }
            try output.tell(report)
        }
    }

    struct Ciphertexts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every kept ciphertext with the public keys. (以公钥核查留存的全部密文)",
            discussion: "Example: jointlab audit ciphertexts lab/platform/data/ledger/JOB")
        @Argument(help: "The ledger's directory. (账本目录)") var directory: String
        @OptionGroup var output: Output

        func run() async throws {
            let report = try await output.options.checking { CiphertextChecks.check(try LedgerDirectory.reading(directory)) }
            try output.tell(report)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the frames of a ledger, or open some of them. (列出或解读账本中的帧)",
            discussion: "Example: jointlab audit show lab/bank/data/ledger/JOB --line platform --direction sent --frame 3")
        @Argument(help: "The ledger's directory. (账本目录)") var directory: String
        @Option(name: .long, help: "Only the line to this party. (仅显示与该方的线路)") var line: String?
        @Option(name: .long, help: "Only frames sent, or only frames received. (sent 或 received)") var direction: Direction?
        @Option(name: .long, help: "Open the frame of this index, from 0. (解读该序位的帧，从 0 起)") var frame: Int?
        @OptionGroup var output: Output

        func run() async throws {
            let language = output.options.language
            var report = AuditReport()
            let ledger = try await output.options.checking { AuditedLedger.open(try LedgerDirectory.reading(directory), report: &report) }
            guard let ledger else { return try output.tell(report) }
            let frames = FrameDescription.list(ledger, line: line, direction: direction, frame: frame, opened: frame != nil)
            if output.json {
                Console.say(JSONValue.array(frames.map { $0.json(language) }).canonicalText())
            } else {
                var heading: Place?
                for description in frames {
                    guard frame == nil else {
                        Console.say(description.text(language))
                        continue
                    }
                    var place = description.place
                    place.frame = nil
                    if place != heading {
                        heading = place
                        Console.say(place.text(language))
                    }
                    Console.say(description.line(language))
                }
            }
            if frames.isEmpty { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
        }
    }
}

extension Direction: ExpressibleByArgument {}

extension LanguageOption {
    /// As `reporting`, for a verb that has a result.
    func checking<Value>(_ body: () throws -> Value) async throws -> Value {
        do {
            return try body()
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
    }
}

extension LedgerDirectory {
    static func reading(_ path: String) throws(Fault) -> LedgerDirectory {
        do {
            return try LedgerDirectory.open(path)
        } catch {
            throw Fault(.unreadableFile, at: error.name)
        }
    }
}

extension FrameDescription {
    fileprivate func json(_ language: Language) -> JSONValue {
        var members = place.json
        members["message"] = .text(record.kind.name)
        members["kind"] = .integer(record.kind.rawValue)
        members["phase"] = .text("\(record.phase)")
        members["from"] = .text(from.name)
        members["to"] = .text(to.name)
        members["attempt"] = .integer(record.attempt)
        members["sequence"] = .integer(record.sequence)
        members["length"] = .integer(record.length)
        members["digest"] = .text(record.digest.hexadecimal)
        members["salt"] = .text(record.salt.hexadecimal)
        if let fields {
            members["fields"] = .object(Dictionary(fields.map { ($0.name, .text($0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
        return .object(members)
    }
}
