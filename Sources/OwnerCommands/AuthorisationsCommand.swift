import ArgumentParser
import Authorisation
import Console
import Faults
import Features
import Foundation
import Installation
import Jobs
import Ledger
import NodeCommands
import NodeRuntime
import Tables
import Wire

/// The platform's list of who has authorised what: entered, withdrawn, looked at, and what a job would lose by it.
package struct AuthorisationsCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "authorisations", abstract: "Who has authorised what: the list, and what a job loses by it. (信息主体授权清单)",
            discussion: "Example: \(Program.name) authorisations import authorisations.csv --config lab/platform/node.json",
            subcommands: [Import.self, Add.self, Withdraw.self, List.self, Plan.self, Check.self])
    }

    package init() {}

    struct Import: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "import", abstract: "Enter authorisations from a CSV file, all of it or nothing. (从 CSV 导入授权，全部导入或全不导入)",
                discussion: """
                    Example: \(Program.name) authorisations import authorisations.csv --config lab/platform/node.json

                    Columns: \(AuthorisationList.columns.joined(separator: ", ")), and withdrawn where some are.
                    (列名如上；有撤回时另加 withdrawn 列)
                    """)
        }
        @Argument(help: "The file. (文件)") var file: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let events = try AuthorisationList.importing(DataSource(URL(fileURLWithPath: file)), today: .today)
                let list = try enter(events, "import", options, role: Program.role)
                Console.say(Phrase(en: "\(events.count) lines entered; the list has \(list.size).", zh: "已录入 \(events.count) 条；清单共 \(list.size) 条。")(options.language))
            }
        }
    }

    struct Add: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "add", abstract: "Enter one authorisation. (录入一条授权)",
                discussion: """
                    Example: \(Program.name) authorisations add 91370811MA36QB6Q05 --items JN-01,JN-04 --purpose credit_assessment --grantee bank \
                    --method online --notice --from 2026-01-01 --until 2027-12-31 --evidence FILE --config lab/platform/node.json
                    """)
        }
        @Argument(help: "The subject. (信息主体)") var subject: String
        @Option(name: .long, help: "Items or fields of the catalogue, separated by commas. (信息项或字段)") var items: String
        @Option(name: .long, help: "Code of the purpose. (用途代码)") var purpose: String
        @Option(name: .long, help: "The bank's name in the contract. (被授权银行)") var grantee: String
        @Option(name: .long, help: "written or online. (书面或线上)") var method: String
        @Flag(name: .long, help: "The subject was told of the risks. (已告知风险)") var notice = false
        @Option(name: .customLong("from"), help: "First day. (起始日)") var from: String
        @Option(name: .customLong("until"), help: "Last day. (截止日)") var until: String
        @Option(name: .long, help: ArgumentHelp("The signed document, whose SHA-256 is kept, or 64 hexadecimal digits. (授权文书或其 SHA-256)", valueName: "file"))
        var evidence: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                var written = Authorisation.Written()
                (written.subject, written.items, written.purpose, written.grantee) = (subject, items, purpose, grantee)
                (written.method, written.notice, written.from, written.until) = (method, notice ? "1" : "0", from, until)
                written.evidence = FileManager.default.fileExists(atPath: evidence)
                    ? try FileDigest.of(URL(fileURLWithPath: evidence), at: evidence).hexadecimal : evidence
                let granted = try Authorisation(written, at: "authorisations add")
                let list = try enter([(granted.subject, .granted(granted), .today)], "add", options, role: Program.role)
                Console.say(Phrase(en: "entered; the list has \(list.size) lines", zh: "已录入；清单共 \(list.size) 条")(options.language))
            }
        }
    }

    struct Withdraw: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "withdraw", abstract: "A subject takes its authorisation back, from now on. (主体撤回授权，即时生效)",
                discussion: """
                    Example: \(Program.name) authorisations withdraw 91370811MA36QB6Q05 --config lab/platform/node.json

                    It holds from the next job on, for scoring too. With --items for those alone, otherwise for everything.
                    (自下一个任务起生效，评分亦然；给出 --items 时仅撤回所列，否则全部撤回)
                    """)
        }
        @Argument(help: "The subject. (信息主体)") var subject: String
        @Option(name: .long, help: "Items or fields of the catalogue, separated by commas. (信息项或字段)") var items: String?
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let subject = try Authorisation.subject(subject, at: "authorisations withdraw")
                let covers = items.map { $0.split(separator: ",").map(String.init) } ?? []
                for name in covers where !Authorisation.isItemOrField(name) {
                    throw Fault(.unknownCatalogueItem, at: "--items", String(name.prefix(64)))
                }
                let directory = try options.dataDirectory(Program.role)
                guard !(try AuthorisationList.read(directory).entries(of: subject)).isEmpty else {
                    throw Fault(.authorisationMissing, at: "authorisations withdraw", covers.first ?? "*")
                }
                let list = try enter([(subject, .withdrawn(covers: covers), .today)], "withdraw", options, role: Program.role)
                Console.say(Phrase(en: "withdrawn; the list has \(list.size) lines", zh: "已撤回；清单共 \(list.size) 条")(options.language))
            }
        }
    }

    struct List: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "list", abstract: "Show the list, or what stands in it about one subject. (查看授权清单)",
                discussion: "Example: \(Program.name) authorisations list --subject 91370811MA36QB6Q05 --config lab/platform/node.json")
        }
        @Option(name: .long, help: "This subject alone. (仅此主体)") var subject: String?
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let list = try AuthorisationList.read(try options.dataDirectory(Program.role))
                let entries = try subject.map { list.entries(of: try Authorisation.subject($0, at: "--subject")) } ?? list.entries
                if json {
                    let members: [String: JSONValue] = [
                        "lines": .integer(list.size), "root": .text(list.root.hexadecimal), "entries": .array(entries.map(\.json)),
                    ]
                    return Console.say(JSONValue.object(members).canonicalText())
                }
                for entry in entries { Console.say("\(entry.number)  \(entry.subject)  \(entry.words(options.language))") }
                Console.say(Phrase(en: "\(list.size) lines, root \(list.root.hexadecimal)", zh: "共 \(list.size) 条，根 \(list.root.hexadecimal)")(options.language))
            }
        }
    }

    struct Plan: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "plan", abstract: "How many subjects a job would lose, item by item, before it runs. (任务运行前按信息项统计授权减少的行数)",
                discussion: """
                    Example: \(Program.name) authorisations plan spec.json --config lab/platform/node.json

                    'lost here' adds up: a subject counts at the first item that it lacks, in the order of the specification.
                    (“本项减少”可累加：主体计入按任务说明顺序首个缺少授权的信息项)
                    """)
        }
        @Argument(help: "The specification. (任务说明文件)") var specification: String
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let job = try PlannedJob(specification, options, Program.tools, role: Program.role)
                let admission = job.check.admit(try job.subjects())
                if json { return Console.say(admission.json.canonicalText()) }
                guard !job.check.needs.isEmpty else {
                    return Console.say(Phrase(en: "The job uses nothing that takes a subject's authorisation.", zh: "该任务未使用须经授权的信息。")(options.language))
                }
                for line in admission.lines(options.language) { Console.say(line) }
            }
        }
    }

    struct Check: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "check", abstract: "Whether one subject may enter a job, or why not. (核查某一主体可否进入任务)",
                discussion: "Example: \(Program.name) authorisations check 91370811MA36QB6Q05 --job spec.json --config lab/platform/node.json")
        }
        @Argument(help: "The subject. (信息主体)") var subject: String
        @Option(name: .long, help: ArgumentHelp("The specification. (任务说明文件)", valueName: "file")) var job: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let planned = try PlannedJob(job, options, Program.tools, role: Program.role)
                try planned.check.require(try Authorisation.subject(subject, at: "authorisations check"), at: planned.name)
                Console.say(Phrase(en: "It may enter.", zh: "可以进入。")(options.language))
            }
        }
    }
}

/// A specification against the platform's data and list, before anything runs.
private struct PlannedJob {
    let name: String
    let check: AuthorisationCheck
    private let dataset: NodeConfiguration.Dataset
    private let specification: JobSpecification

    init(_ file: String, _ options: NodeOptions, _ tools: DataTools, role: Role) throws {
        name = URL(fileURLWithPath: file).lastPathComponent
        let installation = try Installation.node(options.config, role: role)
        let configuration = installation.configuration
        do {
            specification = try JobSpecification.parse(try Installation.read(file))
        } catch let list as FaultList {
            throw list.located(in: name)
        }
        let data = specification.data.platform
        guard let dataset = configuration.datasets[data] else { throw Fault(.unknownDataset, at: "\(name)#/data/platform", data) }
        self.dataset = dataset
        var features = specification.training?.features.platform ?? []
        if let job = specification.scoring?.model {
            features = try JobFiles(installation).read("model.json", job: job).map(tools.modelFeatures) ?? []
            guard !features.isEmpty else { throw Fault(.unknownModel, at: "\(name)#/model", job) }
        }
        check = AuthorisationCheck(
            try AuthorisationList.read(configuration.dataDirectory),
            needs: CatalogueRules.needs(of: features, followsStricter: try installation.policy()?.followsStricter ?? true),
            purpose: specification.purpose.code, grantee: specification.parties.bank, day: .today)
    }

    func subjects() throws -> [String] {
        let people = specification.population
        return try Table.read(
            from: DataSource(dataset), identifier: people.platformId, identifierKind: IdentifierKind(people.idType), columns: []).0.identifiers
    }
}

/// On the disk, and in the ledger of operations, when it returns.
private func enter(_ events: [(subject: String, event: AuthorisationList.Entry.Event, on: Day)], _ verb: String, _ options: NodeOptions,
                   role: Role) throws -> AuthorisationList {
    let installation = try Installation.node(options.config, role: role)
    // Opened first: what could not be recorded does not happen.
    let operations = try Operations(installation)
    let list = try AuthorisationList.append(events, by: NSUserName(), to: installation.configuration.dataDirectory)
    try operations.record(.authorisationsChanged, by: .ownAccount, object: verb, digest: list.root, count: list.size)
    return list
}

extension AuthorisationList.Entry {
    func words(_ language: Language) -> String {
        switch event {
        case .granted(let granted):
            Phrase(en: "\(on) authorised \(granted.covers.joined(separator: ", ")) for \(granted.purpose) to \(granted.grantee), "
                    + "\(granted.method.rawValue), \(granted.from) to \(granted.until)",
                   zh: "\(on) 授权 \(granted.covers.joined(separator: "、"))，用途 \(granted.purpose)，被授权方 \(granted.grantee)，"
                    + "\(granted.method == .written ? "书面" : "线上")，\(granted.from) 至 \(granted.until)")(language)
        case .withdrawn(let covers):
            covers.isEmpty ? Phrase(en: "\(on) withdrew everything", zh: "\(on) 撤回全部授权")(language)
                : Phrase(en: "\(on) withdrew \(covers.joined(separator: ", "))", zh: "\(on) 撤回 \(covers.joined(separator: "、"))")(language)
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["number": .integer(number), "subject": .text(subject), "on": .text("\(on)"), "by": .text(by)]
        switch event {
        case .granted(let granted):
            members["event"] = .text("granted")
            members["covers"] = .array(granted.covers.map { .text($0) })
            for (key, value) in [("purpose", granted.purpose), ("grantee", granted.grantee), ("method", granted.method.rawValue),
                                 ("from", "\(granted.from)"), ("until", "\(granted.until)"), ("evidence", granted.evidence)] {
                members[key] = .text(value)
            }
        case .withdrawn(let covers):
            members["event"] = .text("withdrawn")
            members["covers"] = .array(covers.map { .text($0) })
        }
        return .object(members)
    }
}
