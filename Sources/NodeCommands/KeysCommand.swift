import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Primitives
import Transport
import Wire

/// A program that serves a node of one role.
package protocol NodeRoleProgram: Sendable {
    static var role: Role { get }
    /// As typed.
    static var name: String { get }
}

extension NodeRoleProgram {
    static var configurationExample: String { "--config lab/\(role.rawValue)/node.json" }
}

/// The node's certificate: look at it, and put another in its place; keys that people of a data party hold. Source: `Protocols/specification.md`, "Rotation".
package struct KeysCommand<Program: NodeRoleProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "keys", abstract: "Certificate and keys of this node. (节点证书与密钥)",
            discussion: "Example: \(Program.name) keys rotate \(Program.configurationExample)",
            subcommands: [Show.self, Rotate.self, Activate.self, Protect.self] + (Program.role == .arbiter ? [] : [Seal.self]))
    }

    package init() {}

    struct Show: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(commandName: "show", abstract: "Pins and dates of the certificate in use and of the next. (查看当前与下一证书)",
                                 discussion: "Example: \(Program.name) keys show \(Program.configurationExample)")
        }
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let files = KeyFiles(try options.configuration(Program.role))
                var shown = [("current", Phrase(en: "in use", zh: "当前"), try KeyFiles.certificate(files.certificate))]
                if FileManager.default.fileExists(atPath: files.nextCertificate) {
                    shown.append(("next", Phrase(en: "next", zh: "下一个"), try KeyFiles.certificate(files.nextCertificate)))
                }
                if json {
                    return Console.say(JSONValue.object(Dictionary(uniqueKeysWithValues: shown.map { key, _, certificate in
                        (key, .object(["pin": .text(certificate.spkiSHA256.hexadecimal), "valid_from": .text(certificate.validFrom.formatted(.iso8601)),
                                       "valid_until": .text(certificate.validUntil.formatted(.iso8601))]))
                    })).canonicalText())
                }
                for (_, name, certificate) in shown {
                    let (from, until) = (certificate.validFrom.formatted(.iso8601), certificate.validUntil.formatted(.iso8601))
                    Console.say(Phrase(en: "\(name.en): pin \(certificate.spkiSHA256.hexadecimal), valid from \(from) to \(until)",
                                       zh: "\(name.zh)：固定值 \(certificate.spkiSHA256.hexadecimal)，有效期 \(from) 至 \(until)")(options.language))
                }
            }
        }
    }

    struct Rotate: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "rotate", abstract: "Make a new key and a request for its certificate; nothing changes yet. (生成新密钥与证书申请，暂不启用)",
                discussion: """
                    Example: \(Program.name) keys rotate \(Program.configurationExample)

                    The private key stays beside the present one; the request goes to the authority.
                    (新私钥与现用私钥存放在一起；证书申请交给机构)
                    """)
        }
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let installation = try Installation.node(options.config, role: Program.role, isForLines: false)
                let configuration = installation.configuration
                let files = KeyFiles(configuration)
                for path in [files.nextPrivateKey, files.request, files.nextCertificate] where FileManager.default.fileExists(atPath: path) {
                    throw Fault(.alreadyExists, at: path)
                }
                let (request, privateKey) = try CertificateRequest.make(commonName: configuration.name)
                try Operations(installation).record(
                    .keysMade, by: .ownAccount, object: URL(fileURLWithPath: files.nextPrivateKey).lastPathComponent, digest: request.spkiSHA256)
                let sealed = installation.storage.seal(Array(privateKey.utf8), as: Storage.privateKey)
                try PrivateFile.create(sealed, at: files.nextPrivateKey)
                do {
                    try KeyFiles.write(request.pem, to: files.request, mode: 0o644)
                } catch {
                    try? FileManager.default.removeItem(atPath: files.nextPrivateKey)
                    throw error
                }
                Console.say(Phrase(
                    en: """
                        Request: \(files.request)
                        Have it certified: jointlab lab certify \(files.request) --authority lab/authority
                        then amend the contract: jointlab lab amend contract.json --rotate \(configuration.name)=\(files.nextCertificate)
                        """,
                    zh: """
                        证书申请：\(files.request)
                        请机构签发：jointlab lab certify \(files.request) --authority lab/authority
                        然后修订契约：jointlab lab amend contract.json --rotate \(configuration.name)=\(files.nextCertificate)
                        """)(options.language))
            }
        }
    }

    struct Activate: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "activate", abstract: "Use the new certificate, once the contract names it. (契约认可后启用新证书)",
                discussion: """
                    Example: \(Program.name) keys activate \(Program.configurationExample)

                    A running node uses it from its next start. The former key is kept beside it.
                    (节点下次启动时启用；旧密钥保留在旁)
                    """)
        }
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let installation = try Installation.node(options.config, role: Program.role, isForLines: false)
                let configuration = installation.configuration
                let contract = installation.contract
                let files = KeyFiles(configuration)
                let next = try KeyFiles.certificate(files.nextCertificate)
                try next.requireTimely(at: files.nextCertificate)
                // Refuses a key that is not the certificate's, or that others can read.
                let privateKey = try installation.storage.readSecret(files.nextPrivateKey, as: Storage.privateKey)
                _ = try TransportIdentity(authorityFile: configuration.authority, certificateFile: files.nextCertificate,
                                          privateKeyFile: files.nextPrivateKey, privateKeyPEM: Array(privateKey.utf8))
                let authority = try KeyFiles.certificate(configuration.authority)
                guard next.isSigned(by: authority) else { throw Fault(.certificateRefused, at: files.nextCertificate) }
                guard contract.everyone.first(where: { $0.name == configuration.name })?.pin == next.spkiSHA256 else {
                    throw Fault(.pinMismatch, at: files.nextCertificate)
                }
                try Operations(installation).record(
                    .keysActivated, by: .ownAccount, object: URL(fileURLWithPath: files.certificate).lastPathComponent, digest: next.spkiSHA256)
                try files.activate()
                Console.say(Phrase(en: "in use from the node's next start", zh: "节点下次启动时生效")(options.language))
            }
        }
    }
}

/// The files of a node's key beside each other: in use, next, former.
struct KeyFiles {
    let certificate: String
    let privateKey: String

    init(_ configuration: NodeConfiguration) {
        certificate = configuration.certificate
        privateKey = configuration.privateKey
    }

    private func beside(_ name: String) -> String { URL(fileURLWithPath: privateKey).deletingLastPathComponent().appendingPathComponent(name).path }

    var nextPrivateKey: String { beside("private.next.key") }
    var nextCertificate: String { beside("certificate.next.pem") }
    var request: String { beside("certificate.request.pem") }
    var formerPrivateKey: String { beside("private.former.key") }
    private var formerCertificate: String { beside("certificate.former.pem") }

    static func certificate(_ path: String) throws(Fault) -> Certificate {
        guard let certificate = try? Certificate(pem: String(decoding: try Installation.read(path), as: UTF8.self)) else {
            throw Fault(.unreadableFile, at: path)
        }
        return certificate
    }

    /// A new file that belongs to its owner alone from the start, or to everyone's eyes.
    static func write(_ text: String, to path: String, mode: Int) throws(Fault) {
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]) else {
            throw Fault(.unwritable, at: path)
        }
    }

    /// Both files change or neither: the former ones are kept, and put back where a step fails.
    func activate() throws(Fault) {
        let files = FileManager.default
        do {
            for (path, former) in [(privateKey, formerPrivateKey), (certificate, formerCertificate)] {
                try? files.removeItem(atPath: former)
                try files.copyItem(atPath: path, toPath: former)
            }
        } catch {
            throw Fault(.unwritable, at: formerPrivateKey)
        }
        guard rename(nextPrivateKey, privateKey) == 0 else { throw Fault(.unwritable, at: privateKey) }
        guard rename(nextCertificate, certificate) == 0 else {
            rename(privateKey, nextPrivateKey)
            try? files.copyItem(atPath: formerPrivateKey, toPath: privateKey)
            throw Fault(.unwritable, at: certificate)
        }
        unlink(request)
    }
}
