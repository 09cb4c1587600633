import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Primitives

extension LabCommand {
    /// Drafts: nobody is bound before every party has signed.
    struct Amend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draft an amendment of the contract, for every party to sign. (起草契约修订，供各方签署)",
            discussion: """
                Example: jointlab lab amend contract.json --rotate bank=certificate.next.pem --out amendment.json

                Anything else of the draft may be edited before the first signature.
                (首个签名之前，草案的其他内容均可修改)
                """)

        @Argument(help: "The contract in force. (现行契约文件)", completion: .file(extensions: ["json"])) var contract: String
        @Option(name: .long, help: ArgumentHelp("A party's or a person's new certificate; may be given several times. (参与方或人员的新证书)", valueName: "name=file"))
        var rotate: [String] = []
        @Option(name: .long, help: ArgumentHelp("A party or a person that leaves; may be given several times. (退出的参与方或人员)", valueName: "name"))
        var remove: [String] = []
        @Option(name: .long, help: ArgumentHelp("A party's policy, whose digest is pinned; may be given several times. (某方的策略文件，写入其摘要)", valueName: "name=file"))
        var policy: [String] = []
        @Option(name: .long, help: "For how many days the former certificate opens lines as well. (旧证书继续有效的天数)") var overlapDays = 30
        @Option(name: .long, help: "The file to write; it must not exist. (输出文件)", completion: .file(extensions: ["json"])) var out = "amendment.json"
        @OptionGroup var options: LanguageOption

        func run() async throws {
            try await options.reporting {
                guard (0...366).contains(overlapDays) else { throw Fault(.valueOutOfRange, at: "--overlap-days", "\(overlapDays)", "0...366") }
                let draft = try ContractDraft(of: contract)
                for name in remove { try draft.remove(name) }
                let until = Date(timeIntervalSinceNow: Double(overlapDays) * 86_400)
                func pair(_ text: String, _ option: String, _ en: String, _ zh: String) throws(Fault) -> (name: String, file: String) {
                    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                    guard parts.count == 2 else { throw Fault(.wrongType, at: option, en, zh) }
                    return (parts[0], parts[1])
                }
                for text in rotate {
                    let (name, file) = try pair(text, "--rotate", "NAME=CERTIFICATE", "“名称=证书文件”")
                    try draft.rotate(name, to: file, formerUntil: until)
                }
                for text in policy {
                    let (name, file) = try pair(text, "--policy", "NAME=POLICY", "“名称=策略文件”")
                    try draft.pin(file, of: name)
                }
                let text = try draft.text(for: out)
                guard !FileManager.default.fileExists(atPath: out) else { throw Fault(.alreadyExists, at: out) }
                try FileWriting.write(text, to: URL(fileURLWithPath: out))
                Console.say(Phrase(
                    en: "Draft: \(out). At every party: contract show \(out), contract sign \(out), and once all have signed: contract adopt \(out)",
                    zh: "草案：\(out)。请各方依次执行：contract show \(out)、contract sign \(out)；全部签署后执行：contract adopt \(out)")(options.language))
            }
        }
    }

    struct Certify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Certify a node's new key with the lab's own authority. (以实验室自建机构为新密钥签发证书)",
            discussion: "Example: jointlab lab certify lab/bank/certificate.request.pem --authority lab/authority")

        @Argument(help: "The request that 'keys rotate' made. (keys rotate 生成的证书申请)", completion: .file(extensions: ["pem"])) var request: String
        @Option(name: .long, help: "The folder of the authority's certificate and key. (机构证书与密钥目录)", completion: .directory) var authority: String
        @Option(name: .long, help: "The file to write; by default certificate.next.pem beside the request. (输出文件)", completion: .file(extensions: ["pem"]))
        var out: String?
        @Option(name: .long, help: "How long the certificate is valid, in days; no longer than the authority's. (有效天数)") var days = 825
        @OptionGroup var options: LanguageOption

        func run() async throws {
            try await options.reporting {
                guard (1...3650).contains(days) else { throw Fault(.valueOutOfRange, at: "--days", "\(days)", "1...3650") }
                let folder = URL(fileURLWithPath: authority, isDirectory: true)
                let (certificateFile, keyFile) = (folder.appendingPathComponent("authority.pem").path, folder.appendingPathComponent("authority.key").path)
                let certificate = String(decoding: try Installation.read(certificateFile), as: UTF8.self)
                guard let own = try? Certificate(pem: certificate) else { throw Fault(.unreadableFile, at: certificateFile) }
                try own.requireTimely(at: certificateFile)
                guard let issuer = try? CertificateAuthority(
                    certificatePEM: certificate, privateKeyPEM: try Installation.readSecret(keyFile))
                else { throw Fault(.unreadableFile, at: keyFile) }
                guard let asked = try? CertificateRequest(pem: String(decoding: try Installation.read(request), as: UTF8.self)) else {
                    throw Fault(.unreadableFile, at: request)
                }
                let until = min(Date(timeIntervalSinceNow: Double(days) * 86_400), own.validUntil)
                let target = out.map { URL(fileURLWithPath: $0) }
                    ?? URL(fileURLWithPath: request).deletingLastPathComponent().appendingPathComponent("certificate.next.pem")
                guard !FileManager.default.fileExists(atPath: target.path) else { throw Fault(.alreadyExists, at: target.path) }
                try FileWriting.write(try issuer.issue(asked, validUntil: until), to: target)
                let (name, pin, day) = (asked.commonName, asked.spkiSHA256.hexadecimal, until.formatted(.iso8601))
                Console.say(Phrase(en: "\(target.path): certificate of \(name), pin \(pin), valid until \(day)",
                                   zh: "\(target.path)：\(name) 的证书，固定值 \(pin)，有效期至 \(day)")(options.language))
            }
        }
    }
}

/// A contract under change, as a document.
private final class ContractDraft {
    private var document: JSONValue
    private let contract: Contract

    init(of file: String) throws {
        let bytes = try Installation.read(file)
        let name = URL(fileURLWithPath: file).lastPathComponent
        do {
            contract = try Contract.parse(bytes)
        } catch {
            throw error.located(in: name)
        }
        guard case .object(var members) = try JSONValue.parse(bytes, as: name) else { throw Fault(.defect, at: name) }
        members["amends"] = .text(SHA256.hash(bytes).hexadecimal)
        document = .object(members)
    }

    /// - Throws: what makes the changed document no contract, with places in `file`.
    func text(for file: String) throws(FaultList) -> String {
        let text = document.prettyText()
        do {
            _ = try Contract.parse(Array(text.utf8))
        } catch {
            throw error.located(in: URL(fileURLWithPath: file).lastPathComponent)
        }
        return text
    }

    /// Parties and people have names of their own throughout.
    private func change(_ name: String, _ change: ([String: JSONValue]) throws(Fault) -> JSONValue?) throws(Fault) {
        let names = contract.parties.map(\.name) + contract.people.map(\.name)
        guard names.contains(name) else { throw Fault(.unknownParty, at: "lab amend", name, names.joined(separator: ", ")) }
        guard case .object(var members) = document else { throw Fault(.defect, at: "lab amend") }
        for key in ["parties", "people"] {
            guard case .array(let entries)? = members[key] else { continue }
            var changed: [JSONValue] = []
            for entry in entries {
                guard case .object(let own) = entry, own["name"] == .text(name) else {
                    changed.append(entry)
                    continue
                }
                if let entry = try change(own) { changed.append(entry) }
            }
            members[key] = .array(changed)
        }
        document = .object(members)
    }

    func remove(_ name: String) throws(Fault) {
        try change(name) { _ in nil }
    }

    func rotate(_ name: String, to file: String, formerUntil: Date) throws(Fault) {
        guard let certificate = try? Certificate(pem: String(decoding: try Installation.read(file), as: UTF8.self)) else {
            throw Fault(.unreadableFile, at: file)
        }
        guard certificate.commonName == name else { throw Fault(.certificateRefused, at: file) }
        try change(name) { (member) throws(Fault) in
            var member = member
            member["former_pin"] = member["pin"]
            member["former_pin_until"] = .text(formerUntil.formatted(.iso8601))
            member["pin"] = .text(certificate.spkiSHA256.hexadecimal)
            return .object(member)
        }
    }

    func pin(_ file: String, of name: String) throws {
        let bytes = try Installation.read(file)
        do {
            _ = try LabPolicy.parse(bytes)
        } catch {
            throw error.located(in: URL(fileURLWithPath: file).lastPathComponent)
        }
        try change(name) { (party) throws(Fault) in
            var party = party
            party["policy"] = .text(SHA256.hash(bytes).hexadecimal)
            return .object(party)
        }
    }
}
