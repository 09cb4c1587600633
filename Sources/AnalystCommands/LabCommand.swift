import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Primitives

struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Found a lab, amend its contract, certify its nodes. (建立实验室、修订契约、签发证书)",
        discussion: "Example: jointlab lab init lab --bank-data bank.csv --platform-data platform.csv", subcommands: [Init.self, Amend.self, Certify.self])

    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Make a private authority, certificates, keys, the contract and a configuration for each node and person. (生成试用证书机构、证书、密钥、合作契约与各方配置)",
            discussion: """
                Example: jointlab lab init lab --bank-data bank.csv --platform-data platform.csv

                Every folder below the lab's is complete in itself: hand each to its party, and keep the authority's apart. \
                Sites with certificates of their own name those in node.json and their keys' pins in contract.json.
                (各目录自成一体，分别交给相应一方，机构目录单独保管；自有证书者在 node.json 中指明证书，并在 contract.json 中写入公钥固定值)
                """)

        @Argument(help: "The folder to make; it must not exist. (新建目录)") var directory: String
        @Option(name: .long, help: "Name of a bank; may be given several times. (银行名称)") var bank: [String] = ["bank"]
        @Option(name: .long, help: "Name of a platform; may be given several times. (平台名称)") var platform: [String] = ["platform"]
        @Option(name: .long, help: "Name of an analyst; may be given several times. (数据分析员)") var analyst: [String] = ["analyst"]
        @Option(name: .long, help: "Name of an approver, who signs decisions about jobs; may be given several times. (审批人)") var approver: [String] = []
        @Option(name: .long, help: "Name of an auditor, who reads; may be given several times. (审计员)") var auditor: [String] = []
        @Option(name: .long, help: "Host at which arbiter and platforms listen. (监听主机)") var host = "127.0.0.1"
        @Option(name: .long, help: "Port of the arbiter; platforms take those that follow. (起始端口)") var port = 7600
        @Option(name: .long, help: "CSV file of the bank's data set 'main'. (银行数据文件)", completion: .file()) var bankData: String?
        @Option(name: .long, help: "CSV file of the platform's data set 'main'. (平台数据文件)", completion: .file()) var platformData: String?
        @Option(name: .long, help: "Take the names of bank, platform and data sets from this specification. (按任务说明命名)", completion: .file(extensions: ["json"])) var spec: String?
        @Option(name: .long, help: ArgumentHelp("Cryptography of the alignment: P256-SHA256 or SM2-SM3. (样本对齐的密码套件)", valueName: "suite"))
        var suite = Contract.Suite.p256SHA256.rawValue
        @Option(name: .long, help: "How long certificates are valid, in days. (证书有效天数)") var days = 825
        @Flag(name: .long, help: "For synthetic or public data alone: sets aside the limits on exposure and on a single feature's share. (仅限合成或公开数据)")
        var trial = false
        @OptionGroup var options: LanguageOption

        func run() async throws {
            try await options.reporting {
                let wanted = try spec.map(Specification.read)
                guard let suite = Contract.Suite(rawValue: suite) else {
                    let names = Contract.Suite.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Fault(.wrongType, at: "--suite", names, names)
                }
                let bank = wanted.map { [$0.parties.bank] } ?? bank
                let platform = wanted.map { [$0.parties.platform] } ?? platform
                let lab = LabPlan(
                    banks: bank, platforms: platform, analysts: analyst, approvers: approver, auditors: auditor, dataNames: wanted?.data, host: host,
                    port: port, bankData: bankData, platformData: platformData, days: days, isTrial: trial, suite: suite)
                try lab.write(to: URL(fileURLWithPath: directory, isDirectory: true))
                let done = Phrase(
                    en: "The lab is at \(directory). Start its nodes:\n  arbiter serve --config \(directory)/arbiter/node.json\n"
                        + platform.map { "  platform-node serve --config \(directory)/\($0)/node.json\n" }.joined()
                        + bank.map { "  bank-node serve --config \(directory)/\($0)/node.json\n" }.joined()
                        + "and submit a job:\n  jointlab job submit SPEC.json --as \(directory)/\(analyst[0])/person.json --watch",
                    zh: "实验室已建立于 \(directory)。启动各节点：\n  arbiter serve --config \(directory)/arbiter/node.json\n"
                        + platform.map { "  platform-node serve --config \(directory)/\($0)/node.json\n" }.joined()
                        + bank.map { "  bank-node serve --config \(directory)/\($0)/node.json\n" }.joined()
                        + "然后提交任务：\n  jointlab job submit SPEC.json --as \(directory)/\(analyst[0])/person.json --watch")
                Console.say(done(options.language))
                if trial {
                    Console.say(Phrase(
                        en: "This contract sets the limits on exposure and dominance aside: use it with synthetic or public data only.",
                        zh: "该契约不限制暴露度与单一特征占比：仅可用于合成或公开数据。")(options.language))
                }
            }
        }
    }
}

/// What `lab init` makes, all of it or nothing.
struct LabPlan {
    let banks: [String]
    let platforms: [String]
    let analysts: [String]
    let approvers: [String]
    let auditors: [String]
    /// Names of the data sets; "main" where nothing else is wanted.
    let dataNames: JobSpecification.DataNames?
    let host: String
    let port: Int
    let bankData: String?
    let platformData: String?
    let days: Int
    let isTrial: Bool
    let suite: Contract.Suite

    private struct Member {
        let name: String
        let role: String
        let credential: CertificateAuthority.Credential
        let ledgerKey: Ed25519.SigningKey
        let address: String?
        let data: String?

        func pin() throws -> String { try Certificate(pem: credential.certificatePEM).spkiSHA256.hexadecimal }
    }

    /// The folder of a data party's own auditor.
    private static func auditor(of name: String) -> String { "\(name)-auditor" }

    func write(to target: URL) throws {
        try checkNames()
        let files = FileManager.default
        guard !files.fileExists(atPath: target.path) else { throw Fault(.alreadyExists, at: target.relativePath) }
        let aside = target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).partial", isDirectory: true)
        try? files.removeItem(at: aside)
        do {
            try writeFiles(in: aside)
            try files.moveItem(at: aside, to: target)
        } catch {
            try? files.removeItem(at: aside)
            throw error is Fault || error is FaultList ? error : Fault(.unwritable, at: target.path)
        }
    }

    private func checkNames() throws(Fault) {
        var seen: Set<String> = ["arbiter", "authority"]
        for name in banks + platforms + analysts + approvers + auditors {
            let allowed = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: ".-_".utf8.contains(byte)
                }
            }
            guard allowed, (1...64).contains(name.count), !name.hasPrefix(".") else {
                throw Fault(.wrongType, at: "lab init '\(name.prefix(64))'", "a name of 1 to 64 characters from A-Z a-z 0-9 . _ -",
                            "由 A-Z a-z 0-9 . _ - 组成的 1 至 64 个字符的名称")
            }
            guard seen.insert(name).inserted else { throw Fault(.duplicateName, at: "lab init", name) }
        }
        for name in (banks + platforms).map(Self.auditor) where !seen.insert(name).inserted { throw Fault(.duplicateName, at: "lab init", name) }
        guard (1...65_000).contains(port) else { throw Fault(.valueOutOfRange, at: "lab init --port", "\(port)", "1...65000") }
        guard (1...3650).contains(days) else { throw Fault(.valueOutOfRange, at: "lab init --days", "\(days)", "1...3650") }
    }

    private func writeFiles(in folder: URL) throws {
        let authority = try CertificateAuthority.make(name: "JointLab trial authority", validDays: days)
        let until = Date(timeIntervalSinceNow: Double(days) * 86_400 - 3600)
        func member(_ name: String, _ role: String, port: Int?, data: String? = nil) throws -> Member {
            Member(name: name, role: role,
                   credential: try authority.issue(commonName: name, subjectAlternativeNames: [host], validUntil: until),
                   ledgerKey: Ed25519.SigningKey(seed: SystemRandom.secret(32)), address: port.map { "\(host):\($0)" }, data: data)
        }
        let nodes = [try member("arbiter", "arbiter", port: port)]
            + (try platforms.enumerated().map { try member($1, "platform", port: port + 1 + $0, data: platformData ?? "data.csv") })
            + (try banks.map { try member($0, "bank", port: nil, data: bankData ?? "data.csv") })
        let people = try [("analyst", analysts), ("approver", approvers), ("auditor", auditors)].flatMap { role, names in
            try names.map { try member($0, role, port: nil) }
        }
        let isPerson = Set(people.map(\.name))
        let contract = Array(try contract(nodes, people).prettyText().utf8)
        try FileWriting.write(authority.certificatePEM, to: folder.appendingPathComponent("authority/authority.pem"))
        try FileWriting.write(authority.privateKeyPEM, to: folder.appendingPathComponent("authority/authority.key"), isSecret: true)
        for member in nodes + people {
            let own = folder.appendingPathComponent(member.name, isDirectory: true)
            try FileWriting.write(member.credential.certificatePEM, to: own.appendingPathComponent("certificate.pem"))
            try FileWriting.write(member.credential.privateKeyPEM, to: own.appendingPathComponent("private.key"), isSecret: true)
            try FileWriting.write(authority.certificatePEM, to: own.appendingPathComponent("authority.pem"))
            try FileWriting.write(String(decoding: contract, as: UTF8.self), to: own.appendingPathComponent("contract.json"))
            var configuration: [String: JSONValue] = [
                "name": .text(member.name), "contract": .text("contract.json"), "authority": .text("authority.pem"),
                "certificate": .text("certificate.pem"), "private_key": .text("private.key"),
            ]
            if !isPerson.contains(member.name) {
                try FileWriting.write(member.ledgerKey.pem, to: own.appendingPathComponent("ledger.key"), isSecret: true)
                configuration["ledger_key"] = .text("ledger.key")
                configuration["data_directory"] = .text("state")
            }
            if let address = member.address { configuration["listen"] = .text(address) }
            if let data = member.data {
                let path = data == "data.csv" ? data : URL(fileURLWithPath: data).path
                let name = (member.role == "bank" ? dataNames?.bank : dataNames?.platform) ?? JobSpecification.DataNames.main
                configuration["datasets"] = .object([name: .object(["path": .text(path)])])
                // To whom the node seals its jobs' secrets: their private halves are for two people, and for no node.
                let (owner, auditor) = (X25519(secret: SystemRandom.secret(32)), X25519(secret: SystemRandom.secret(32)))
                try FileWriting.write(owner.pem, to: own.appendingPathComponent("owner-seal.key"), isSecret: true)
                let folder = folder.appendingPathComponent(Self.auditor(of: member.name), isDirectory: true)
                try FileWriting.write(auditor.pem, to: folder.appendingPathComponent("auditor-seal.key"), isSecret: true)
                configuration["audit"] = .object([
                    "owner_seal_key": .text(Data(owner.publicKey).base64EncodedString()),
                    "auditor_seal_key": .text(Data(auditor.publicKey).base64EncodedString()),
                ])
            }
            try FileWriting.write(JSONValue.object(configuration).prettyText(),
                                  to: own.appendingPathComponent(isPerson.contains(member.name) ? "person.json" : "node.json"))
        }
    }

    private func contract(_ nodes: [Member], _ people: [Member]) throws -> JSONValue {
        var limits: [String: JSONValue] = ["minimum_intersection": .integer(1000)]
        if isTrial {
            limits["exposure_percent"] = .null
            limits["exposure_note"] = .text("Synthetic or public data: the limit on exposure is set aside for trials. / 合成或公开数据：试用中不设暴露度上限。")
            limits["dominance_share"] = .null
        }
        return .object([
            "version": .integer(1), "name": .text("trial-lab"), "suite": .text(suite.rawValue), "limits": .object(limits),
            "parties": .array(try nodes.map { node in
                var fields: [String: JSONValue] = [
                    "name": .text(node.name), "role": .text(node.role), "pin": .text(try node.pin()),
                    "ledger_key": .text(Data(node.ledgerKey.verifyingKey.bytes).base64EncodedString()),
                ]
                if let address = node.address { fields["address"] = .text(address) }
                return .object(fields)
            }),
            "people": .array(try people.map { .object(["name": .text($0.name), "role": .text($0.role), "pin": .text(try $0.pin())]) }),
        ])
    }
}

enum FileWriting {
    /// Makes the folders on the way; a secret file is its owner's alone from the start.
    static func write(_ text: String, to file: URL, isSecret: Bool = false) throws {
        let files = FileManager.default
        try files.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard files.createFile(atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: isSecret ? 0o600 : 0o644]) else {
            throw Fault(.unwritable, at: file.path)
        }
    }
}
