import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Wire

extension DataCommand {
    struct Columns: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what the owners have published of their data sets: columns, types, rows. (列出各方已公布的数据集：列名、类型、行数)",
            discussion: """
                Example: jointlab data columns --as lab/analyst/person.json --save columns.json

                The saved file serves 'job validate' and 'job plan' offline.
                (所存文件可供 job validate 与 job plan 离线使用)
                """)

        @Option(name: .long, help: "Only this party's. (仅该参与方)") var node: String?
        @Option(name: .long, help: ArgumentHelp("Write the descriptions to a file for later. (保存到文件)", valueName: "file")) var save: String?
        @OptionGroup var person: JobCommand.PersonOption

        func run() async throws {
            try await person.options.reporting {
                let language = person.options.language
                let client = try await person.open()
                let owners = client.contract.parties.filter(\.role.holdsData).map(\.name)
                if let node, !owners.contains(node) { throw Fault(.unknownParty, at: "--node", node, owners.joined(separator: ", ")) }
                let asked = node.map { [$0] } ?? owners
                var publications: [Publication] = []
                for party in asked {
                    if let publication = try await client.publication(of: party) { publications.append(publication) }
                }
                await client.close()
                if let save {
                    do {
                        try Data(Publication.json(of: publications).prettyText().utf8).write(to: URL(fileURLWithPath: save), options: .atomic)
                    } catch {
                        throw Fault(.unwritable, at: save)
                    }
                }
                if person.json { return Console.say(Publication.json(of: publications).canonicalText()) }
                for party in asked {
                    let publication = publications.first { $0.party == party }
                    Console.say(publication?.lines(language).joined(separator: "\n")
                        ?? Phrase(en: "\(party): has not connected since the arbiter started", zh: "\(party)：仲裁方启动后尚未连接")(language))
                }
            }
        }
    }
}

extension Publication {
    fileprivate func lines(_ language: Language) -> [String] {
        guard !datasets.isEmpty else {
            return [Phrase(en: "\(party): has published no data set; its owner does so with 'data register'",
                           zh: "\(party)：尚未公布数据集；由该方执行 data register 公布")(language)]
        }
        return datasets.sorted { $0.key < $1.key }.flatMap { $0.value.lines("\(party) / \($0.key)", language) }
    }
}

/// Descriptions of data that a verb works with: saved ones, or those that the arbiter knows now.
struct DescriptionOption: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Descriptions saved by 'data columns --save'; by default those that the arbiter has. (data columns --save 所存文件；默认向仲裁方查询)", valueName: "file"))
    var columns: String?

    /// - Returns: by party; empty where neither is to be had, and then `note` says so.
    func publications(_ parties: JobSpecification.Parties, _ person: JobCommand.PersonOption, note: Bool) async throws -> [String: Publication] {
        var found: [String: Publication] = [:]
        if let columns {
            do {
                for publication in try Publication.parseAll(try Installation.read(columns)) { found[publication.party] = publication }
            } catch let list as FaultList {
                throw list.located(in: URL(fileURLWithPath: columns).lastPathComponent)
            }
            return found
        }
        guard person.isGiven else { return [:] }
        do {
            let client = try await person.open()
            let known = client.contract.parties.filter(\.role.holdsData).map(\.name)
            for party in [parties.bank, parties.platform] where known.contains(party) { found[party] = try await client.publication(of: party) }
            await client.close()
        } catch let fault as Fault where [.peerUnreachable, .deadlinePassed, .peerLost].contains(fault.code) {
            if note {
                Console.note(Phrase(en: "The arbiter cannot be reached: columns are not checked.", zh: "无法连接仲裁方：未核对列名。")(person.options.language))
            }
        }
        return found
    }
}
