import ArgumentParser
import Console
import Faults
import Foundation
import Jobs
import Wire

extension JobCommand {
    struct AlignAll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "align-all",
            abstract: "Find what a bank has in common with all of several platforms. (求一家银行与多个平台全部共有的主体)",
            discussion: """
                Example: jointlab job align-all south.json east.json west.json --as lab/analyst/person.json

                Each specification is an alignment of the same bank with one platform, of kind 'align'. The jobs run one after another, \
                twice as many as platforms less one, each between two parties and each with its approvals. On the way down the bank alone \
                learns who is common; of each platform it learns only about subjects that all platforms before hold, so let the most \
                sensitive be last. On the way back every platform is told which of its subjects all hold. The first job that fails ends it.
                (每份说明为同一银行与一个平台的对齐任务，依次执行并各自审批；前半程仅银行获知共有主体，请将最敏感的平台排在最后；\
                后半程各平台获知全部参与方共有的主体；遇到失败即停止)
                """)
        @Argument(help: "An alignment for each platform, two at least. (每个平台一份对齐任务说明，至少两份)", completion: .file(extensions: ["json"]))
        var specifications: [String]
        @OptionGroup var person: PersonOption

        func validate() throws {
            if specifications.count < 2 { throw ValidationError("align-all takes two specifications at least (至少需要两份任务说明)") }
        }

        func run() async throws {
            try await person.options.reporting {
                let chain = try AlignmentChain(specifications)
                var completed: [JobIdentifier] = []
                while let (specification, path) = chain.next(after: completed) {
                    note(Phrase(en: "\(completed.count + 1) of \(chain.count): \(specification.name), \(specification.parties.bank) + \(specification.parties.platform)",
                                zh: "第 \(completed.count + 1) 个，共 \(chain.count) 个：\(specification.name)，\(specification.parties.bank) + \(specification.parties.platform)"))
                    let client = try await person.open()
                    let id = try await person.submit(Array(specification.canonicalJSON().utf8), of: path, by: client)
                    var watcher = JobWatcher(client, id, person)
                    try await watcher.run()
                    await client.close()
                    completed.append(watcher.job)
                }
                note(Phrase(en: "Each party's subjects that all hold are in aligned.csv of its job; the number is in its report (bank-node report JOB):",
                            zh: "各方名单中为全部参与方共有的主体见其任务的 aligned.csv，数量见其报告（bank-node report JOB）："))
                for (platform, job) in chain.results(completed) { note(Phrase(en: "  \(platform)  \(job)", zh: "  \(platform)  \(job)")) }
            }
        }

        private func note(_ words: Phrase) {
            if !person.json { Console.note(words(person.options.language)) }
        }
    }
}

/// The jobs by which a bank finds what it has in common with all of several platforms, each between the two of them alone.
///
/// Source: Protocols/protocol.md, "Several platforms".
struct AlignmentChain {
    private let steps: [(specification: JobSpecification, path: String)]

    /// - Parameter paths: an alignment of the bank with each platform, in the order in which they are asked.
    /// - Throws: what is wrong with one of them; `wrongType` where they do not fit together, `duplicateName` for a platform that
    ///   comes twice.
    init(_ paths: [String]) throws {
        steps = try paths.map { (try Specification.read($0), $0) }
        let first = steps[0]
        func place(_ path: String, _ pointer: String) -> String { "\(URL(fileURLWithPath: path).lastPathComponent)#\(pointer)" }
        let common: [(pointer: String, value: (JobSpecification) -> AnyHashable)] = [
            ("/parties/bank", { $0.parties.bank }), ("/data/bank", { $0.data.bank }), ("/purpose", { $0.purpose }),
            ("/population/id_type", { $0.population.idType }), ("/population/bank_id", { $0.population.bankId }),
        ]
        var platforms: Set<String> = []
        for (specification, path) in steps {
            guard let alignment = specification.alignment, alignment.reveals == .subjects, alignment.within == nil else {
                let pointer = specification.alignment == nil ? "/kind" : specification.alignment?.within == nil ? "/reveal" : "/within"
                throw Fault(.wrongType, at: place(path, pointer), "kind 'align' with reveal 'subjects', and no 'within'",
                            " kind 为 align、reveal 为 subjects 且不含 within")
            }
            for (pointer, value) in common where value(specification) != value(first.specification) {
                let name = URL(fileURLWithPath: first.path).lastPathComponent
                throw Fault(.wrongType, at: place(path, pointer), "the same as in \(name)", "与 \(name) 相同的内容")
            }
            guard platforms.insert(specification.parties.platform).inserted else {
                throw Fault(.duplicateName, at: place(path, "/parties/platform"), specification.parties.platform)
            }
        }
    }

    /// How many jobs there are.
    var count: Int { 2 * steps.count - 1 }

    /// The job that follows, and the file that it comes from. Down the chain each is within the result of the one before, and the
    /// bank alone learns the subjects; the last platform and, on the way back, the others are told what all hold.
    func next(after completed: [JobIdentifier]) -> (specification: JobSpecification, path: String)? {
        guard completed.count < count else { return nil }
        var (specification, path) = steps[completed.count % steps.count]
        let isClosing = completed.count >= steps.count
        specification.alignment?.reveals = completed.count < steps.count - 1 ? .bank : .subjects
        specification.alignment?.within = (isClosing ? completed[steps.count - 1] : completed.last).map { "\($0)" }
        return (specification, path)
    }

    /// Every platform with the job that told it.
    func results(_ completed: [JobIdentifier]) -> [(platform: String, job: JobIdentifier)] {
        zip(steps.suffix(1) + steps.dropLast(), completed.suffix(steps.count)).map { ($0.specification.parties.platform, $1) }
    }
}
