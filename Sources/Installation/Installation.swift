import Faults
import Foundation
import Jobs
import Primitives
import Transport
import Wire

/// What a program finds on its own disk before it does anything: its configuration, the contract, its identity.
package struct Installation: Sendable {
    package let contract: Contract
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

    private init(contractFile: String, authority: String, certificate: String, privateKey: String) throws {
        let bytes = try Installation.read(contractFile)
        do {
            contract = try Contract.parse(bytes)
        } catch {
            throw error.located(in: URL(fileURLWithPath: contractFile).lastPathComponent)
        }
        contractDigest = SHA256.hash(bytes)
        identity = try TransportIdentity(authorityFile: authority, certificateFile: certificate, privateKeyFile: privateKey)
    }

    /// - Throws: `Fault` or `FaultList`.
    package static func node(_ configurationFile: String, role: Role) throws -> NodeInstallation {
        guard let role = Contract.Role(rawValue: role.rawValue) else { throw Fault(.defect, at: "Installation.node") }
        let configuration: NodeConfiguration
        do {
            configuration = try NodeConfiguration.parse(try read(configurationFile), directory: directory(of: configurationFile), role: role)
        } catch let list as FaultList {
            throw list.located(in: URL(fileURLWithPath: configurationFile).lastPathComponent)
        }
        let installation = try Installation(contractFile: configuration.contract, authority: configuration.authority,
                                            certificate: configuration.certificate, privateKey: configuration.privateKey)
        _ = try installation.contract.party(configuration.name, in: role, at: "/name")
        try installation.checkOwnPin(configuration.name)
        return NodeInstallation(configuration: configuration, installation: installation)
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
        return (configuration, installation)
    }

    private static func directory(of file: String) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().path
    }

    /// A node whose own key is not the one in the contract would be refused by everyone: better said here.
    private func checkOwnPin(_ name: String) throws(Fault) {
        guard let party = ([contract.arbiter] + contract.parties).first(where: { $0.name == name }), party.pin.hexadecimal == identity.pin else {
            throw Fault(.pinMismatch, at: name)
        }
    }
}

/// A node's installation with its own configuration.
package struct NodeInstallation: Sendable {
    package let configuration: NodeConfiguration
    package let installation: Installation

    package var contract: Contract { installation.contract }
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

extension JobSpecification {
    /// SHA-256 of the canonical form.
    package var digest: [UInt8] { SHA256.hash(Array(canonicalJSON().utf8)) }
}
