import Faults
import Foundation
import Jobs
import Primitives
import Transport
import Wire

/// What a program finds on its own disk before it does anything: its configuration, the contract, its identity.
package struct Installation: Sendable {
    package let contract: Contract
    package let contractBytes: [UInt8]
    /// SHA-256 of the contract's file: both ends of a line compare it.
    package let contractDigest: [UInt8]
    package let identity: TransportIdentity

    /// Reads a small document whole; refuses what cannot be one by its size.
    package static func read(_ path: String) throws(Fault) -> [UInt8] {
        let place = URL(fileURLWithPath: path).lastPathComponent
        guard let handle = FileHandle(forReadingAtPath: path) else { throw Fault(.unreadableFile, at: path) }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: JSONValue.maximumSizeBytes + 1) else { throw Fault(.unreadableFile, at: place) }
        return [UInt8](data)
    }

    /// A key's file, which only its owner may read.
    package static func readSecret(_ path: String) throws(Fault) -> String {
        try PrivateFile.requireSecret(path)
        return String(decoding: try read(path), as: UTF8.self)
    }

    private init(contractFile: String, authority: String, certificate: String, privateKey: String, storage: Storage = .plain,
                 insecureKeyLog: String? = nil) throws {
        let bytes = try Installation.read(contractFile)
        do {
            contract = try Contract.parse(bytes)
        } catch {
            throw error.located(in: URL(fileURLWithPath: contractFile).lastPathComponent)
        }
        contractBytes = bytes
        contractDigest = SHA256.hash(bytes)
        // With it anyone reads what crossed: not where a contract protects real data.
        guard insecureKeyLog == nil || contract.limits.insecureKeyBits else { throw Fault(.notALaboratory, at: "/insecure_key_log") }
        identity = try TransportIdentity(
            authorityFile: authority, certificateFile: certificate, privateKeyFile: privateKey,
            privateKeyPEM: Array(try storage.readSecret(privateKey, as: Storage.privateKey).utf8), insecureKeyLog: insecureKeyLog)
    }

    private static func requireTimely(_ files: String...) throws(Fault) {
        for file in files {
            let text = String(decoding: try read(file), as: UTF8.self)
            guard let certificate = try? Certificate(pem: text) else { throw Fault(.unreadableFile, at: file) }
            try certificate.requireTimely(at: file)
        }
    }

    /// A node's configuration alone. Throws `Fault` or `FaultList`.
    package static func configuration(_ file: String, role: Role) throws -> NodeConfiguration {
        guard let role = Contract.Role(rawValue: role.rawValue) else { throw Fault(.defect, at: "Installation.configuration") }
        do {
            return try NodeConfiguration.parse(try read(file), directory: directory(of: file), role: role)
        } catch let list as FaultList {
            throw list.located(in: URL(fileURLWithPath: file).lastPathComponent)
        }
    }

    /// - Parameter isForLines: whether the certificate has to open lines. To consent to a contract it need not: otherwise a
    ///   node whose certificate has expired could not agree to the next.
    /// - Throws: `Fault` or `FaultList`.
    package static func node(_ configurationFile: String, role: Role, isForLines: Bool = true) throws -> NodeInstallation {
        guard let contractRole = Contract.Role(rawValue: role.rawValue) else { throw Fault(.defect, at: "Installation.node") }
        let configuration = try configuration(configurationFile, role: role)
        let storage = try Storage(configuration.storageKey)
        let installation = try Installation(contractFile: configuration.contract, authority: configuration.authority,
                                            certificate: configuration.certificate, privateKey: configuration.privateKey, storage: storage,
                                            insecureKeyLog: configuration.insecureKeyLog)
        _ = try installation.contract.party(configuration.name, in: contractRole, at: "/name")
        if isForLines {
            try requireTimely(configuration.authority, configuration.certificate)
            try installation.checkOwnPin(configuration.name)
            for (name, key) in [("owner_seal_key", configuration.sealKeys?.owner), ("auditor_seal_key", configuration.sealKeys?.auditor)] {
                // Some 32 bytes are no key that anything could be sealed to.
                guard let key, (try? X25519(secret: SystemRandom.secret(32)).sharedSecret(with: key)) == nil else { continue }
                throw Fault(.wrongType, at: "node.json#/audit/\(name)", "an X25519 public key, as 'keys seal' prints it", "keys seal 所输出的 X25519 公钥")
            }
        }
        let ledgerKey = try installation.ledgerKey(configuration.ledgerKey, of: configuration.name, storage)
        return NodeInstallation(configuration: configuration, installation: installation, ledgerKey: ledgerKey, storage: storage)
    }

    /// - Throws: `Fault` or `FaultList`.
    package static func person(_ configurationFile: String) throws -> (PersonConfiguration, Installation) {
        let configuration: PersonConfiguration
        do {
            configuration = try PersonConfiguration.parse(try read(configurationFile), directory: directory(of: configurationFile))
        } catch let list as FaultList {
            throw list.located(in: URL(fileURLWithPath: configurationFile).lastPathComponent)
        }
        let installation = try Installation(contractFile: configuration.contract, authority: configuration.authority,
                                            certificate: configuration.certificate, privateKey: configuration.privateKey)
        try requireTimely(configuration.authority, configuration.certificate)
        return (configuration, installation)
    }

    private static func directory(of file: String) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().path
    }

    private func ledgerKey(_ path: String, of name: String, _ storage: Storage) throws(Fault) -> Ed25519.SigningKey {
        let text = try storage.readSecret(path, as: Storage.ledgerKey)
        guard let key = try? Ed25519.SigningKey(pem: text) else { throw Fault(.unreadableFile, at: path) }
        guard contract.everyone.first(where: { $0.name == name })?.ledgerKey == key.verifyingKey.bytes else { throw Fault(.pinMismatch, at: path) }
        return key
    }

    /// A node whose own key is not the one in the contract would be refused by everyone: better said here.
    private func checkOwnPin(_ name: String) throws(Fault) {
        guard let party = contract.everyone.first(where: { $0.name == name }), party.presentPins.contains(identity.pin) else {
            throw Fault(.pinMismatch, at: name)
        }
    }
}

/// A node's installation with its own configuration.
package struct NodeInstallation: Sendable {
    package let configuration: NodeConfiguration
    package let installation: Installation
    /// Signs the heads of this node's ledgers.
    package let ledgerKey: Ed25519.SigningKey
    package let storage: Storage

    package var contract: Contract { installation.contract }
    package var contractBytes: [UInt8] { installation.contractBytes }
    package var contractDigest: [UInt8] { installation.contractDigest }
    package var identity: TransportIdentity { installation.identity }
}

extension [UInt8] {
    /// Lower-case digits.
    package var hexadecimal: String {
        map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}

extension Certificate {
    /// - Parameter place: its file.
    /// - Throws: `certificateNotTimely`.
    package func requireTimely(at place: String) throws(Fault) {
        guard validFrom <= Date(), Date() < validUntil else {
            throw Fault(.certificateNotTimely, at: place, validFrom.formatted(.iso8601), validUntil.formatted(.iso8601))
        }
    }
}

extension PinnedMember {
    /// Pins of the keys by which this one is known at this moment, as lines give them.
    package var presentPins: Set<String> { Set(pins(atUnixSeconds: Int(Date().timeIntervalSince1970)).map(\.hexadecimal)) }
}

extension Contract {
    /// Whoever is known by this key at this moment.
    package func party(withHexadecimalPin pin: String) -> Party? { parties.first { $0.presentPins.contains(pin) } }

    package func person(withHexadecimalPin pin: String) -> Person? { people.first { $0.presentPins.contains(pin) } }

    /// Arbiter and data parties.
    package var everyone: [Party] { parties.contains { $0.role == .arbiter } ? parties : [arbiter] + parties }
}

extension NodeInstallation {
    /// The node's policy as it is on the disk now, which must be the one that the contract pins; `nil` where it has none.
    ///
    /// - Throws: `policyDiffers`, `unreadableFile`; the first fault of a file that is no policy.
    package func policy() throws(Fault) -> LabPolicy? {
        let pinned = contract.parties.first { $0.name == configuration.name }?.policy
        guard pinned != nil || configuration.policy != nil else { return nil }
        let wanted = pinned.map { $0.hexadecimal } ?? "-"
        guard let file = configuration.policy else { throw Fault(.policyDiffers, at: "node.json#/policy", wanted) }
        let bytes = try Installation.read(file)
        guard SHA256.hash(bytes) == pinned else { throw Fault(.policyDiffers, at: URL(fileURLWithPath: file).lastPathComponent, wanted) }
        do {
            return try LabPolicy.parse(bytes)
        } catch {
            throw error.located(in: URL(fileURLWithPath: file).lastPathComponent).faults.first ?? Fault(.unreadableFile, at: file)
        }
    }
}

extension Day {
    /// By the machine's clock.
    package static var today: Day { Day(of: Date()) }

    /// By the machine's time zone.
    package init(of time: Date) {
        self.init(number: Int(((time.timeIntervalSince1970 + Double(TimeZone.current.secondsFromGMT(for: time))) / 86_400).rounded(.down)))
    }
}
