import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Wire

/// The contract of this node: look at it, consent to an amendment, take it up. Source: `Protocols/specification.md`,
/// "Amendments".
package struct ContractCommand<Program: NodeRoleProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "contract", abstract: "Show, sign and adopt amendments of the contract. (查看、签署与采用契约修订)",
            discussion: "Example: \(Program.name) contract show \(Program.configurationExample)",
            subcommands: [Show.self, Sign.self, Adopt.self])
    }

    package init() {}

    struct Show: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "show", abstract: "The contract's digest; of an amendment also what it changes and who has signed. (查看契约摘要、修订内容与签署情况)",
                discussion: "Example: \(Program.name) contract show amendment.json \(Program.configurationExample)")
        }
        @Argument(help: "An amendment; by default this node's contract. (修订文件，默认本节点契约)", completion: .file(extensions: ["json"]))
        var file: String?
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let own = try options.configuration(Program.role).contract
                let held = try Amendment(own)
                let amendment = try file.map { try Amendment($0) } ?? held
                let changes = ContractChanges(from: held.bytes, to: amendment.bytes).lines
                let missing = amendment.contract.amends == nil ? nil : amendment.signatures.missing(since: held.contract)
                let signed = amendment.signatures.note.signatures.map(\.name)
                if json {
                    var members: [String: JSONValue] = [
                        "name": .text(amendment.contract.name), "digest": .text(amendment.digest.hexadecimal), "signed": .array(signed.map { .text($0) }),
                        "changes": .array(changes.map { .text($0) }),
                    ]
                    if let amends = amendment.contract.amends { members["amends"] = .text(amends.hexadecimal) }
                    if let missing { members["missing"] = .array(missing.map { .text($0) }) }
                    return Console.say(JSONValue.object(members).canonicalText())
                }
                let language = options.language
                func names(_ list: [String]) -> String { list.isEmpty ? Phrase(en: "nobody", zh: "无")(language) : list.joined(separator: ", ") }
                Console.say(Phrase(en: "contract: \(amendment.contract.name)", zh: "契约：\(amendment.contract.name)")(language))
                Console.say(Phrase(en: "digest: \(amendment.digest.hexadecimal)", zh: "摘要：\(amendment.digest.hexadecimal)")(language))
                if let amends = amendment.contract.amends {
                    Console.say(Phrase(en: "amends: \(amends.hexadecimal)", zh: "修订对象：\(amends.hexadecimal)")(language))
                }
                Console.say(Phrase(en: "signed by: \(names(signed))", zh: "已签署：\(names(signed))")(language))
                if let missing, file != nil {
                    Console.say(Phrase(en: "not signed by: \(names(missing))", zh: "未签署：\(names(missing))")(language))
                }
                for change in changes { Console.say(change) }
            }
        }
    }

    struct Sign: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "sign", abstract: "Consent to an amendment with this node's ledger key. (以账本密钥签署契约修订)",
                discussion: """
                    Example: \(Program.name) contract sign amendment.json \(Program.configurationExample)

                    The signature is added to the file .signatures beside it, which goes from party to party.
                    (签名写入同目录的 .signatures 文件，由各方依次传递)
                    """)
        }
        @Argument(help: "The amendment. (修订文件)", completion: .file(extensions: ["json"])) var file: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let node = try Installation.node(options.config, role: Program.role, isForLines: false)
                let amendment = try Amendment(file)
                try amendment.requireSuccessor(of: node.contractBytes)
                guard amendment.contract.everyone.contains(where: { $0.name == node.configuration.name }) else {
                    throw Fault(.unknownParty, at: file, node.configuration.name, amendment.contract.everyone.map(\.name).joined(separator: ", "))
                }
                var signatures = amendment.signatures
                signatures.sign(as: node.configuration.name, with: node.ledgerKey)
                try PrivateFile.replace(signatures.note.encode(), at: ContractSignatures.file(of: file), mode: 0o644)
                let missing = signatures.missing(since: node.contract).joined(separator: ", ")
                Console.say(missing.isEmpty
                    ? Phrase(en: "signed; every party has signed", zh: "已签署；各方均已签署")(options.language)
                    : Phrase(en: "signed; still missing: \(missing)", zh: "已签署；尚缺：\(missing)")(options.language))
            }
        }
    }

    struct Adopt: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "adopt", abstract: "Put an amendment that all parties have signed in the contract's place. (采用各方均已签署的修订)",
                discussion: """
                    Example: \(Program.name) contract adopt amendment.json \(Program.configurationExample)

                    A running node holds it from its next start. All nodes have to hold the same contract.
                    (运行中的节点下次启动时生效；所有节点须持有同一契约)
                    """)
        }
        @Argument(help: "The amendment. (修订文件)", completion: .file(extensions: ["json"])) var file: String
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let own = try options.configuration(Program.role).contract
                let amendment = try Amendment(file)
                try amendment.requireConsent(since: try Amendment(own).bytes)
                // Signatures over another contract than the one beside them mean nothing, so they go first.
                try PrivateFile.replace(amendment.signatures.note.encode(), at: ContractSignatures.file(of: own), mode: 0o644)
                try PrivateFile.replace(amendment.bytes, at: own, mode: 0o644)
                Console.say(Phrase(en: "adopted: restart the node", zh: "已采用：请重启节点")(options.language))
            }
        }
    }
}

/// What differs between two contracts, value by value, as JSON pointers; parties and people by their names.
struct ContractChanges {
    let lines: [String]

    init(from old: [UInt8], to new: [UInt8]) {
        guard let before = try? JSONValue.parse(old, as: "contract"), let after = try? JSONValue.parse(new, as: "contract") else {
            lines = []
            return
        }
        var values: [String: (old: String?, new: String?)] = [:]
        Self.list(before) { values[$0, default: (nil, nil)].old = $1 }
        Self.list(after) { values[$0, default: (nil, nil)].new = $1 }
        lines = values.filter { $0.value.old != $0.value.new && $0.key != "/amends" }.sorted { $0.key < $1.key }.flatMap { place, value in
            [value.old.map { "- \(place): \($0)" }, value.new.map { "+ \(place): \($0)" }].compactMap { $0 }
        }
    }

    private static func list(_ value: JSONValue, at place: String = "", _ found: (String, String) -> Void) {
        switch value {
        case .object(let members):
            for (key, member) in members { list(member, at: "\(place)/\(key)", found) }
        case .array(let elements):
            for (index, element) in elements.enumerated() { list(element, at: "\(place)/\(element["name"]?.string ?? "\(index)")", found) }
        default:
            found(place, value.canonicalText())
        }
    }
}
