import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import NodeRuntime
import Primitives
import Planning
import Wire

/// One of the two programs that hold data.
package protocol DataNodeProgram: NodeRoleProgram {}

extension NodeOptions {
    /// Runs a verb; faults go to standard error and into the exit code.
    package func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
    }

    /// Without the files that it names. Throws `Fault` or `FaultList`.
    func configuration(_ role: Role) throws -> NodeConfiguration { try Installation.configuration(config, role: role) }

    package func dataDirectory(_ role: Role) throws -> String { try Installation.node(config, role: role).configuration.dataDirectory }
}

/// The approver's verbs: they reach the running node through its local door.
package struct JobsCommand<Program: DataNodeProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "jobs", abstract: "See, approve and refuse the jobs that this node is asked for. (查看、批准或拒绝请求本节点的任务)",
            discussion: "Example: \(Program.name) jobs list --config lab/\(Program.role.rawValue)/node.json",
            subcommands: [List.self, Show.self, Approve.self, Refuse.self])
    }

    package init() {}

    struct List: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "list", abstract: "Jobs that wait for approval or run. (等待审批或运行中的任务)",
                                 discussion: "Example: \(Program.name) jobs list --config lab/\(Program.role.rawValue)/node.json")
        }
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let answer = try ControlSocket.ask(.jobs, dataDirectory: try options.dataDirectory(Program.role))
                if json { return Console.say(answer.canonicalText()) }
                let language = options.language
                let jobs = (answer["jobs"]?.list ?? []).sorted { ($0["since"]?.integer ?? 0) < ($1["since"]?.integer ?? 0) }
                for job in jobs {
                    let since = Date(timeIntervalSince1970: Double(job["since"]?.integer ?? 0)).formatted(.iso8601)
                    let state = switch job["state"]?.string {
                    case "waiting": Phrase(en: "waits for approval since \(since)", zh: "自 \(since) 起等待审批")
                    case "running": Phrase(en: "running since \(since)", zh: "自 \(since) 起运行")
                    default: Phrase(en: "approved; waits for the other side since \(since)", zh: "已批准，自 \(since) 起等待对方")
                    }
                    Console.say([job["job"]?.string ?? "", state(language), job["kind"]?.string ?? "", job["name"]?.string ?? "",
                                 job["purpose"]?.string ?? "", wait(job, language)].filter { !$0.isEmpty }.joined(separator: "  "))
                }
                if jobs.isEmpty { Console.say(Phrase(en: "No job waits or runs here.", zh: "此处没有等待或运行中的任务。")(language)) }
            }
        }

        /// Whom a running job waits for at this moment.
        private func wait(_ job: JSONValue, _ language: Language) -> String {
            guard let party = job["waits_for"]?.string, let seconds = job["waits_since"]?.integer else { return "" }
            let since = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            if case .bool(true)? = job["cut"] {
                return Phrase(en: "the line to \(party) has been cut since \(since) and is being taken up again",
                              zh: "与 \(party) 的线路自 \(since) 起中断，正在重新接通")(language)
            }
            return Phrase(en: "waits for \(party) since \(since)", zh: "自 \(since) 起等待 \(party)")(language)
        }
    }

    struct Show: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "show", abstract: "What a job asks for, what each side will learn, which limits hold. (任务内容、各方所得与限制)",
                                 discussion: "Example: \(Program.name) jobs show JOB --config lab/\(Program.role.rawValue)/node.json")
        }
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Flag(name: .long, help: "Print the specification as JSON. (输出 JSON 任务说明)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let id = try jobIdentifier(job)
                let installation = try Installation.node(options.config, role: Program.role)
                let answer = try ControlSocket.ask(.show(id), dataDirectory: installation.configuration.dataDirectory)
                let text = answer["specification"]?.string ?? ""
                if json { return Console.say(text) }
                let specification = try JobSpecification.parse(Array(text.utf8))
                let words = JobWords(specification, installation.contract.limits, options.language)
                for line in words.lines { Console.say(line) }
                for line in try planLines(answer, specification, installation.contract.limits) { Console.say(line) }
                if case .bool(true)? = answer["waiting"] {
                    Console.say(Phrase(en: "This job waits for approval: jobs approve \(id), or jobs refuse \(id) --reason TEXT",
                                       zh: "该任务等待审批：jobs approve \(id)，或 jobs refuse \(id) --reason 理由")(options.language))
                }
            }
        }

        /// The plan, where both sides have described their data; what each side will learn in any case.
        private func planLines(_ answer: JSONValue, _ specification: JobSpecification, _ limits: Contract.Limits) throws -> [String] {
            var publications: [String: Publication] = [:]
            for document in answer["publications"]?.list ?? [] {
                let publication = try Publication.parse(Array(document.canonicalText().utf8))
                publications[publication.party] = publication
            }
            do throws(Fault) {
                return try JobPlan(specification, limits: limits, publications: publications,
                                   common: specification.population.expectedCommon ?? answer["earlier_common"]?.integer,
                                   earlierRounds: answer["earlier_rounds"]?.list.compactMap(\.integer) ?? []).lines(options.language)
            } catch {
                return ["\(error.message(options.language))" + Phrase(en: ": no plan", zh: "：无预估")(options.language)]
                    + Disclosure.lines(specification, limits, options.language)
            }
        }
    }

    struct Approve: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "approve", abstract: "Consent to a job. (批准任务)",
                                 discussion: "Example: \(Program.name) jobs approve JOB --config lab/\(Program.role.rawValue)/node.json")
        }
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Option(name: .customLong("as"), help: ArgumentHelp("The approver's person.json, whose key signs the decision. (审批人的 person.json，以其私钥签署)", valueName: "file"))
        var approver: String?
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let id = try jobIdentifier(job)
                let proof = try approver.map { try signedDecision($0, options, Program.role, id, refusedFor: nil) }
                _ = try ControlSocket.ask(.approve(id, proof: proof), dataDirectory: try options.dataDirectory(Program.role))
                Console.say(Phrase(en: "approved", zh: "已批准")(options.language))
            }
        }
    }

    struct Refuse: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "refuse", abstract: "Refuse a job; the data scientist reads the reason. (拒绝任务并告知理由)",
                                 discussion: "Example: \(Program.name) jobs refuse JOB --reason \"purpose not agreed\" --config lab/\(Program.role.rawValue)/node.json")
        }
        @Argument(help: "The job's id. (任务编号)") var job: String
        @Option(name: .long, help: "Why: one line of at most 128 bytes; no data. (理由：一行，至多 128 字节，不得含数据)") var reason: String
        @Option(name: .customLong("as"), help: ArgumentHelp("The approver's person.json, whose key signs the decision. (审批人的 person.json，以其私钥签署)", valueName: "file"))
        var approver: String?
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let id = try jobIdentifier(job)
                guard Fault.isReason(reason) else {
                    throw Fault(.wrongType, at: "--reason", "one line of printable text, 1 to 128 bytes of UTF-8", "一行可打印文本，UTF-8 编码 1 至 128 字节")
                }
                let proof = try approver.map { try signedDecision($0, options, Program.role, id, refusedFor: reason) }
                _ = try ControlSocket.ask(.refuse(id, reason: reason, proof: proof), dataDirectory: try options.dataDirectory(Program.role))
                Console.say(Phrase(en: "refused", zh: "已拒绝")(options.language))
            }
        }
    }
}

/// A person's signature under a decision; whether the contract lets that person decide is for the node to say.
private func signedDecision(
    _ file: String, _ options: NodeOptions, _ role: Role, _ job: JobIdentifier, refusedFor reason: String?
) throws -> ApproverProof {
    let (person, _) = try Installation.person(file)
    let node = try Installation.node(options.config, role: role).configuration.name
    let message = ApproverProof.message(node: node, job: job, refusedFor: reason)
    guard let signature = try? Certificate.sign(message, privateKeyPEM: try Installation.readSecret(person.privateKey)) else {
        throw Fault(.unreadableFile, at: person.privateKey)
    }
    return ApproverProof(certificate: String(decoding: try Installation.read(person.certificate), as: UTF8.self), signature: signature)
}

func jobIdentifier(_ text: String) throws(Fault) -> JobIdentifier {
    guard let id = JobIdentifier(text) else { throw Fault(.unknownJob, at: "", String(text.prefix(64))) }
    return id
}

/// A specification in words, for whoever has to consent to it.
struct JobWords {
    private let specification: JobSpecification
    private let limits: Contract.Limits
    private let language: Language

    init(_ specification: JobSpecification, _ limits: Contract.Limits, _ language: Language) {
        self.specification = specification
        self.limits = limits
        self.language = language
    }

    private func text(en: String, zh: String) -> String { Phrase(en: en, zh: zh)(language) }

    var lines: [String] {
        let parties = specification.parties
        var lines = [
            text(en: "Job: \(specification.name)", zh: "任务：\(specification.name)"),
            text(en: "Purpose: \(specification.purpose.code). \(specification.purpose.statement)",
                 zh: "用途：\(specification.purpose.code)。\(specification.purpose.statement)"),
            text(en: "Bank: \(parties.bank), data set \(specification.data.bank)", zh: "银行：\(parties.bank)，数据集 \(specification.data.bank)"),
            text(en: "Platform: \(parties.platform), data set \(specification.data.platform)",
                 zh: "平台：\(parties.platform)，数据集 \(specification.data.platform)"),
            text(en: "Subjects matched by \(specification.population.bankId) and \(specification.population.platformId); at least "
                    + "\(specification.population.minimumIntersection) in common, or the job ends",
                 zh: "以 \(specification.population.bankId) 与 \(specification.population.platformId) 对齐主体；共有主体少于 "
                    + "\(specification.population.minimumIntersection) 个则任务终止"),
        ]
        if let within = specification.alignment?.within {
            lines.append(text(en: "Of the bank's subjects only those that job \(within) found; random elements keep its list as long as without that",
                              zh: "银行主体仅限任务 \(within) 找到的主体；其名单以随机元素补足至原有规模"))
        }
        if let training = specification.training { lines += trainingLines(training) }
        if let scoring = specification.scoring {
            lines.append(text(en: "Scores by the model of job \(scoring.model)", zh: "以任务 \(scoring.model) 的模型评分"))
        }
        return lines
    }

    private func trainingLines(_ training: JobSpecification.TrainingPart) -> [String] {
        let settings = training.settings
        let bank = training.features.bank.map(\.column), platform = training.features.platform.map(\.column)
        return [
            text(en: "Trains on the bank's label \(training.label.column)", zh: "训练标签：银行的 \(training.label.column)"),
            text(en: "Columns of the bank (\(bank.count)): \(bank.joined(separator: ", "))", zh: "银行列（\(bank.count)）：\(bank.joined(separator: "、"))"),
            text(en: "Columns of the platform (\(platform.count)): \(platform.joined(separator: ", "))",
                 zh: "平台列（\(platform.count)）：\(platform.joined(separator: "、"))"),
            text(en: "At most \(settings.maximumRounds) rounds; Paillier keys of \(settings.keyBits) bits",
                 zh: "至多 \(settings.maximumRounds) 轮；Paillier 密钥 \(settings.keyBits) 位"),
            limits.exposurePercent.map {
                text(en: "Exposure: the job ends before training if it would be above \($0) % of the training rows",
                     zh: "暴露度：若将超过训练行数的 \($0) %，任务在训练前终止")
            } ?? text(en: "Exposure: the contract sets no limit (\(limits.exposureNote ?? ""))", zh: "暴露度：契约未设上限（\(limits.exposureNote ?? "")）"),
            text(en: "Training rows: at least \(limits.minimumRows), and two for each round and column of either side",
                 zh: "训练行数：至少 \(limits.minimumRows)，且不少于轮数与任一方列数之积的两倍"),
        ]
    }
}
