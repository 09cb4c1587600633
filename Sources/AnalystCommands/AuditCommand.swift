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
            Example: jointlab audit verify lab/bank/state/ledger/JOB

            A ledger is the directory ledger/JOB of a node's data directory, or its directory operations. The exit code is 0 only if
            all that was asked holds.

            What each rule means stands in Protocols/ledger.md.
            (账本为节点数据目录下的 ledger/JOB 或 operations；所查各项全部成立时退出码才为 0；各规则的含义见 Protocols/ledger.md)
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
            discussion: "Example: jointlab audit verify lab/bank/state/ledger/JOB")
        @Argument(help: "The ledger's directory. (账本目录)", completion: .directory) var directory: String
        @OptionGroup var output: Output

        func run() async throws {
            let report = try await output.options.checking {
                guard OperationsDirectory.isOne(directory) else { return Verification.verify(try LedgerDirectory.reading(directory)) }
                do throws(LedgerDirectory.Unreadable) {
                    return try OperationsChecks.verify(at: directory)
                } catch {
                    throw Fault(.unreadableFile, at: error.name)
                }
            }
            try output.tell(report)
        }
    }

    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold the ledgers of two or three nodes against each other, frame by frame. (逐帧核对两方或三方账本)",
            discussion: """
                Example: jointlab audit reconcile lab/bank/state/ledger/JOB lab/platform/state/ledger/JOB

                With a ledger of operations among them, what its node showed the others is held against it:

                jointlab audit reconcile lab/bank/state/operations lab/arbiter/state/ledger/JOB
                (一并给出操作账本时，核对该节点向他方出示的内容)
                """)
        @Argument(help: "Two or three ledgers of one job, and ledgers of operations. (同一任务的两个或三个账本目录，可含操作账本)", completion: .directory) var directories: [String]
        @OptionGroup var output: Output

        func validate() throws {
            let operations = directories.count { OperationsDirectory.isOne($0) }
            guard (operations == 0 ? 2...3 : 1...3).contains(directories.count - operations), operations <= 3 else {
                throw ValidationError("two or three directories are compared (须给出两个或三个目录)")
            }
        }

        func run() async throws {
            let report = try await output.options.checking {
                Reconciliation.reconcile(
                    try directories.filter { !OperationsDirectory.isOne($0) }.map { try LedgerDirectory.reading($0) },
                    operations: try directories.filter { OperationsDirectory.isOne($0) }.map { try OperationsDirectory.reading($0) })
            }
            try output.tell(report)
        }
    }

    struct Ciphertexts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every kept ciphertext with the public keys. (以公钥核查留存的全部密文)",
            discussion: "Example: jointlab audit ciphertexts lab/platform/state/ledger/JOB")
        @Argument(help: "The ledger's directory. (账本目录)", completion: .directory) var directory: String
        @OptionGroup var output: Output

        func run() async throws {
            let report = try await output.options.checking { CiphertextChecks.check(try LedgerDirectory.reading(directory)) }
            try output.tell(report)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the frames of a ledger, or open some of them. (列出或解读账本中的帧)",
            discussion: "Example: jointlab audit show lab/bank/state/ledger/JOB --line platform --direction sent --frame 3")
        @Argument(help: "The ledger's directory. (账本目录)", completion: .directory) var directory: String
        @Option(name: .long, help: "Only the line to this party. (仅显示与该方的线路)") var line: String?
        @Option(name: .long, help: "Only frames sent, or only frames received. (sent 或 received)") var direction: Direction?
        @Option(name: .long, help: "Open the frame of this index, from 0. (解读该序位的帧，从 0 起)") var frame: Int?
        @OptionGroup var output: Output

        func run() async throws {
            let language = output.options.language
            var report = AuditReport()
            if OperationsDirectory.isOne(directory) {
                let operations = try await output.options.checking { AuditedOperations(try OperationsDirectory.reading(directory), &report) }
                let lines = operations.entries.enumerated().filter { frame == nil || frame == $0.offset }
                    .compactMap { entry in entry.element.map { output.json ? $0.json(language).canonicalText() : $0.line(language) } }
                for line in lines { Console.say(line) }
                if lines.isEmpty { throw output.options.refusal(Fault(.noSuchFrame, at: directory)) }
                return
            }
            let ledger = try await output.options.checking { AuditedLedger.open(try LedgerDirectory.reading(directory), report: &report) }
            guard let ledger else { return try output.tell(report) }
            let frames = FrameDescription.list(ledger, line: line, direction: direction, frame: frame, opened: frame != nil)
            if frames.isEmpty { throw output.options.refusal(Fault(.noSuchFrame, at: directory)) }
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
            throw refusal(error)
        }
    }

    /// Shows the fault's two lines, and ends the verb with its exit code.
    func refusal(_ error: any Error) -> ArgumentParser.ExitCode { ArgumentParser.ExitCode(Console.report(error, language).rawValue) }
}

extension LedgerDirectory {
    static func reading(_ path: String) throws(Fault) -> LedgerDirectory {
        do {
            return try LedgerDirectory.open(path)
        } catch {
            let files = FileManager.default
            let isThere = files.fileExists(atPath: path)
            if isThere, !files.fileExists(atPath: "\(path)/\(LedgerFile.manifest)") { throw Fault(.notALedger, at: path) }
            throw Fault(.unreadableFile, at: isThere ? "\(path)/\(error.name)" : path)
        }
    }
}

extension OperationsDirectory {
    fileprivate static func reading(_ path: String) throws(Fault) -> OperationsDirectory {
        do {
            return try OperationsDirectory.open(path)
        } catch {
            throw Fault(.unreadableFile, at: error.name)
        }
    }
}

extension OperationsEntry {
    /// A sentence of columns: when, who, what, on what, how many, for which purpose, in which job.
    fileprivate func line(_ language: Language) -> String {
        let reason = [.jobRefused, .jobEnded].contains(action) ? object.flatMap(UInt16.init) : nil
        let parts: [String?] = [
            "\(sequence)", time.formatted(.iso8601), who(language), action.phrase(language), reason.map { Phrase(en: "fault \($0)", zh: "故障 \($0)")(language) } ?? object,
            count.map { "\($0)" }, purpose, job.map { "\($0)" }, digest.map { "SHA-256 \($0.hexadecimal.prefix(12))…" },
        ]
        return parts.compactMap(\.self).joined(separator: "  ")
    }

    /// The actor in words; a name stays as it is.
    private func who(_ language: Language) -> String {
        let words: [(String, Phrase)] = [
            ("node", Phrase(en: "node", zh: "节点")), ("configuration", Phrase(en: "configuration", zh: "配置")),
            ("account", Phrase(en: "account", zh: "账户")), ("approver", Phrase(en: "approver", zh: "审批人")),
        ]
        let parts = actor.split(separator: " ", maxSplits: 1)
        guard let kind = parts.first, let word = words.first(where: { $0.0 == kind }) else { return actor }
        return ([word.1(language)] + parts.dropFirst().map(String.init)).joined(separator: " ")
    }

    fileprivate func json(_ language: Language) -> JSONValue {
        var members = (try? JSONValue.parse(encode(), as: "entry")).flatMap { value -> [String: JSONValue]? in
            if case .object(let members) = value { members } else { nil }
        } ?? [:]
        members["words"] = .text(action.phrase(language))
        return .object(members)
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
        if let digest = record.sm3Digest { members["sm3_digest"] = .text(digest.hexadecimal) }
        members["salt"] = .text(record.salt.hexadecimal)
        if let fields {
            members["fields"] = .object(Dictionary(fields.map { ($0.name, .text($0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
        return .object(members)
    }
}
