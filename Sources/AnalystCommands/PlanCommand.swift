import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Planning
import Wire

extension JobCommand {
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a job will take and tell, before anything runs. (任务运行前的预估：用时、流量、资源、各方所得)",
            discussion: """
                Example: jointlab job plan spec.json --as lab/analyst/person.json --common 7200

                Counts come from the descriptions that the owners have published, times from what their nodes have measured. How many \
                subjects are common is known after alignment: without --common the specification's expected_common is reckoned with, or else \
                the smaller data set. The exit code is 1 if a limit would not hold. (共有主体数在对齐后方知：未给出 --common 时按任务说明的 \
                expected_common 估算，否则按较小的数据集估算；有限制不能满足时退出码为 1)
                """)
        @Argument(help: "The specification. (任务说明文件)") var specification: String
        @Option(name: .long, help: "Subjects in common, if you know. (已知的共有主体数)") var common: Int?
        @Option(name: .long, help: "Rounds that you expect; by default reckoned from columns and the lab's latest jobs of this name. (预期轮数，默认按列与同名任务推算)") var rounds: Int?
        @Option(name: .long, help: ArgumentHelp("Speed of the line between both nodes. (双方节点间线路速度)", valueName: "Mbit/s")) var line: Double?
        @Option(name: .long, help: "The contract; by default that of --as. (合作契约文件)") var contract: String?
        @OptionGroup var description: DescriptionOption
        @OptionGroup var person: PersonOption

        func validate() throws {
            if let common, common < 1 { throw ValidationError("--common is a positive number (须为正数)") }
            if let rounds, rounds < 1 { throw ValidationError("--rounds is a positive number (须为正数)") }
            if let line, !JobPlan.megabitsPerSecondBounds.contains(line) {
                throw ValidationError("--line is a number from 0.001 to 1000000 (须为 0.001 至 1000000 之间的数)")
            }
        }

        func run() async throws {
            try await person.options.reporting {
                let language = person.options.language
                let parsed = try Specification.read(specification)
                guard let contract = try contract.map({ try Validate.read(contract: $0) }) ?? person.contract() else {
                    throw Fault(.missingOption, at: "--as person.json / --contract contract.json")
                }
                let publications = try await description.publications(parsed.parties, person, note: false)
                let name = URL(fileURLWithPath: specification).lastPathComponent
                let faults = contract.check(parsed) + parsed.check(against: publications)
                guard faults.isEmpty else { throw FaultList(faults: faults).located(in: name) }
                let earlier = rounds == nil ? try await earlierRounds(parsed) : []
                let plan: JobPlan
                do throws(Fault) {
                    plan = try JobPlan(parsed, limits: contract.limits, publications: publications, common: common,
                                       rounds: rounds, earlierRounds: earlier, megabitsPerSecond: line)
                } catch {
                    throw FaultList(faults: [error]).located(in: name)
                }
                if person.json {
                    Console.say(plan.json(language).canonicalText())
                } else {
                    for line in plan.lines(language) { Console.say(line) }
                }
                if plan.standings.contains(where: { $0.standing == .breaks }) { throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue) }
            }
        }

        /// What the lab's latest jobs of the same name between the same parties took, where the arbiter can be asked.
        private func earlierRounds(_ specification: JobSpecification) async throws -> [Int] {
            guard specification.training != nil, description.columns == nil, person.isGiven else { return [] }
            let client = try await person.open()
            let records = try await client.list()
            await client.close()
            return specification.earlierRounds(in: records)
        }
    }
}
