import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Planning
import Wire

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Validate, submit and follow jobs. (校验、提交与跟踪任务)",
        discussion: "Example: jointlab job submit spec.json --as lab/analyst/person.json --watch",
        subcommands: [Validate.self, Plan.self, Submit.self, AlignAll.self, List.self, Status.self, Watch.self, Cancel.self])

    struct PersonOption: ParsableArguments {
        @Option(name: .customLong("as"), help: ArgumentHelp(
            "The person's configuration; by default the environment's JOINTLAB_PERSON. (人员配置文件)", valueName: "person.json"),
            completion: .file(extensions: ["json"]))
        var person: String?
        @Flag(name: .long, help: "Print JSON, one line for each record. (以 JSON 输出，每条记录一行)") var json = false
        @OptionGroup var options: LanguageOption

        private var file: String? { person ?? ProcessInfo.processInfo.environment["JOINTLAB_PERSON"] }
        var isGiven: Bool { file != nil }

        func open() async throws -> ArbiterClient {
            guard let file else { throw Fault(.missingOption, at: "--as person.json") }
            return try await ArbiterClient.open(file)
        }

        /// Prints the job's id, or its record; faults of the specification name its file.
        func submit(_ specification: [UInt8], of path: String, by client: ArbiterClient) async throws -> JobIdentifier {
            let name = URL(fileURLWithPath: path).lastPathComponent
            let record: JobRecord
            do {
                record = try await client.submit(specification)
            } catch let list as FaultList {
                throw FaultList(faults: list.faults.map { $0.place.hasPrefix("/") ? Fault($0.code, at: "\(name)#\($0.place)", arguments: $0.arguments) : $0 })
            }
            guard let id = JobIdentifier(octets: record.job.octets) else { throw Fault(.malformedMessage, at: client.arbiterName) }
            if json { show(record, client) } else { Console.say("\(id)") }
            return id
        }

        func show(_ record: JobRecord, _ client: ArbiterClient) {
            let line = json ? record.json(options.language).canonicalText()
                : record.line(deadlineSeconds: client.contract.limits.deadlineSeconds, options.language)
            Console.say(line)
        }

        /// The contract of the person's configuration, if there is one.
        func contract() throws -> Contract? { try file.map { try Installation.person($0).1.contract } }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a specification, with all that is known: form, contract, columns. (校验任务说明：格式、契约、列名)",
            discussion: """
                Example: jointlab job validate spec.json --contract lab/analyst/contract.json --columns columns.json

                Offline it checks the form. With --contract or --as it checks the contract's rules, and with --columns or --as the \
                columns that the owners have published. Every error is told at once.
                (离线校验格式；给出 --contract 或 --as 时校验契约规则，给出 --columns 或 --as 时核对已公布的列；一次报告全部错误)
                """)
        @Argument(help: "The specification. (任务说明文件)", completion: .file(extensions: ["json"])) var specification: String
        @Option(name: .long, help: "Check against this contract as well. (合作契约文件)", completion: .file(extensions: ["json"])) var contract: String?
        @Flag(name: .long, help: "Print the names of bank and platform instead of a verdict in words. (仅输出银行与平台名称)") var parties = false
        @OptionGroup var description: DescriptionOption
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                let language = person.options.language
                let name = URL(fileURLWithPath: specification).lastPathComponent
                let bytes = try Installation.read(specification)
                let parsed = try? JobSpecification.parse(bytes)
                var publications: [String: Publication] = [:]
                if !parties, let names = JobSpecification.parties(of: bytes) {
                    publications = try await description.publications(names, person, note: !person.json)
                }
                let faults = JobSpecification.examine(
                    bytes, contract: try contract.map { try Validate.read(contract: $0) } ?? person.contract(), publications: publications)
                let located = FaultList(faults: faults).located(in: name)
                if person.json {
                    Console.say(JSONValue.object([
                        "valid": .bool(faults.isEmpty), "columns_checked": .array(publications.keys.sorted().map { .text($0) }),
                        "errors": .array(zip(faults, located.faults).map { fault, shown in
                            .object(["place": .text(fault.place), "code": .integer(fault.code.rawValue), "error": .text(shown.message(language)),
                                     "hint": .text(fault.hint(language))])
                        }),
                    ]).canonicalText())
                    guard faults.isEmpty else { throw ArgumentParser.ExitCode(Faults.ExitCode.usage.rawValue) }
                    return
                }
                guard faults.isEmpty, let parsed else { throw located }
                guard !parties else { return Console.say("\(parsed.parties.bank) \(parsed.parties.platform)") }
                Console.say(Phrase(en: "\(name) is valid.", zh: "\(name) 有效。")(language))
                let checked = publications.keys.sorted()
                if !checked.isEmpty {
                    Console.say(Phrase(en: "Columns checked as described by \(checked.joined(separator: ", ")).",
                                       zh: "已按 \(checked.joined(separator: "、")) 公布的描述核对列名。")(language))
                }
            }
        }

        static func read(contract file: String) throws -> Contract {
            do {
                return try Contract.parse(try Installation.read(file))
            } catch let list as FaultList {
                throw list.located(in: URL(fileURLWithPath: file).lastPathComponent)
            }
        }
    }

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Submit a specification; prints the job's id. (提交任务)",
            discussion: "Example: jointlab job submit spec.json --as lab/analyst/person.json --watch")
        @Argument(help: "The specification. (任务说明文件)", completion: .file(extensions: ["json"])) var specification: String
        @Flag(name: .long, help: "Follow the job to its end. (跟踪至结束)") var watch = false
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                _ = try Specification.read(specification)
                let client = try await person.open()
                let id = try await person.submit(try Installation.read(specification), of: specification, by: client)
                if watch {
                    var watcher = JobWatcher(client, id, person)
                    try await watcher.run()
                }
                await client.close()
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the lab's jobs. (任务列表)", discussion: "Example: jointlab job list --as lab/analyst/person.json")
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                let client = try await person.open()
                for record in try await client.list() { person.show(record, client) }
                await client.close()
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show where a job stands. (任务状态)", discussion: "Example: jointlab job status JOB --as lab/analyst/person.json")
        @Argument(help: "The job's id. (任务编号)") var job: String
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                let id = try JobName.parse(job)
                let client = try await person.open()
                let record = try await client.ask(.showJob(.init()), job: id)
                person.show(record, client)
                await client.close()
                if record.hasFault { throw record.fault.fault(from: record.faultParty) }
            }
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow a job to its end. (跟踪任务)", discussion: "Example: jointlab job watch JOB --as lab/analyst/person.json")
        @Argument(help: "The job's id. (任务编号)") var job: String
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                let id = try JobName.parse(job)
                var watcher = JobWatcher(try await person.open(), id, person)
                try await watcher.run()
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel an open job. (取消任务)", discussion: "Example: jointlab job cancel JOB --as lab/analyst/person.json")
        @Argument(help: "The job's id. (任务编号)") var job: String
        @OptionGroup var person: PersonOption

        func run() async throws {
            try await person.options.reporting {
                let id = try JobName.parse(job)
                let client = try await person.open()
                person.show(try await client.ask(.cancelJob(.init()), job: id), client)
                await client.close()
            }
        }
    }
}

enum JobName {
    static func parse(_ text: String) throws(Fault) -> JobIdentifier {
        guard let id = JobIdentifier(text) else { throw Fault(.unknownJob, at: "", String(text.prefix(64))) }
        return id
    }
}

enum Specification {
    /// Faults name the file.
    static func read(_ path: String) throws -> JobSpecification {
        let bytes = try Installation.read(path)
        do {
            return try JobSpecification.parse(bytes)
        } catch {
            throw error.located(in: URL(fileURLWithPath: path).lastPathComponent)
        }
    }
}

extension JobRecord {
    /// For programs; times are Unix seconds. `fault` is there where the job has one.
    func json(_ language: Language) -> JSONValue {
        var members: [String: JSONValue] = [
            "job": .text(JobIdentifier(octets: job.octets).map { "\($0)" } ?? ""), "state": .text("\(state)"), "name": .text(name), "kind": .text(kind),
            "analyst": .text(analyst), "bank": .text(bank), "platform": .text(platform), "submitted": .integer(submittedUnixSeconds),
            "changed": .integer(changedUnixSeconds), "bank_approved": .bool(bankApproved), "platform_approved": .bool(platformApproved),
            "expected_rounds": .integer(expectedRounds), "attempt": .integer(attempt),
            "progress": .object([
                "phase": .text("\(progress.phase)"), "round": .integer(progress.round), "done": .integer(progress.done), "total": .integer(progress.total),
            ].merging(progress.cutUnixSeconds > 0 ? ["cut": .integer(progress.cutUnixSeconds)] : [:]) { $1 }),
        ]
        if hasFault {
            let fault = fault.fault(from: faultParty)
            members["fault"] = .object([
                "code": .integer(fault.code.rawValue), "party": .text(faultParty), "place": .text(fault.place),
                "message": .text(fault.message(language)), "hint": .text(fault.hint(language)),
            ])
        }
        return .object(members)
    }
}
