import Faults
import Foundation
import Jobs
import Ledger
import Primitives

/// The parties' consent to a contract: a signed note over its digest, in a file beside it. Source:
/// `Protocols/specification.md`, "Amendments".
package struct ContractSignatures: Sendable {
    private let contract: Contract
    package private(set) var note: SignedNote

    /// Of nobody yet.
    package init(_ contract: Contract, digest: [UInt8]) {
        self.contract = contract
        note = SignedNote(text: Self.text(contract.name, digest))
    }

    /// Those beside the contract, of nobody where there is no file. Throws `unreadableFile` for a file that is no such note
    /// or is one over another text.
    package init(beside file: String, _ contract: Contract, digest: [UInt8]) throws(Fault) {
        self.init(contract, digest: digest)
        let path = Self.file(of: file)
        guard FileManager.default.fileExists(atPath: path) else { return }
        let text = note.text
        guard let note = try? SignedNote.decode(try Installation.read(path)), note.text == text else { throw Fault(.unreadableFile, at: path) }
        self.note = note
    }

    /// `contract.json` has `contract.signatures`.
    package static func file(of contract: String) -> String {
        (contract.hasSuffix(".json") ? String(contract.dropLast(5)) : contract) + ".signatures"
    }

    private static func text(_ name: String, _ digest: [UInt8]) -> [UInt8] {
        Array("jointlab/contract/\(name)\n\(Data(digest).base64EncodedString())\n".utf8)
    }

    package mutating func sign(as name: String, with key: Ed25519.SigningKey) {
        if !isSigned(by: name, key.verifyingKey) { note.sign(as: name, with: key) }
    }

    private func isSigned(by name: String, _ key: Ed25519.VerifyingKey) -> Bool { note.isSigned(by: name, key) }

    /// Parties whose signature is not there: every party of the contract signs, with the key that the predecessor knows it
    /// by, so that nobody's key is replaced without its consent.
    package func missing(since predecessor: Contract) -> [String] {
        contract.everyone.filter { party in
            let known = predecessor.everyone.first { $0.name == party.name } ?? party
            guard let key = try? Ed25519.VerifyingKey(bytes: known.ledgerKey) else { return true }
            return !isSigned(by: party.name, key)
        }.map(\.name)
    }
}

/// One contract put in the place of another.
package struct Amendment: Sendable {
    package let contract: Contract
    package let bytes: [UInt8]
    package let digest: [UInt8]
    package let signatures: ContractSignatures
    /// Without directories.
    private let place: String

    /// Reads a contract and the signatures beside it. Throws `Fault` or `FaultList`.
    package init(_ file: String) throws {
        place = URL(fileURLWithPath: file).lastPathComponent
        bytes = try Installation.read(file)
        do {
            contract = try Contract.parse(bytes)
        } catch {
            throw error.located(in: place)
        }
        digest = SHA256.hash(bytes)
        signatures = try ContractSignatures(beside: file, contract, digest: digest)
    }

    package init(_ installation: NodeInstallation) throws(Fault) {
        place = URL(fileURLWithPath: installation.configuration.contract).lastPathComponent
        contract = installation.contract
        bytes = installation.contractBytes
        digest = installation.contractDigest
        signatures = try ContractSignatures(beside: installation.configuration.contract, contract, digest: digest)
    }

    /// - Throws: `contractReplaced` for one that amends another contract, or none.
    package func requireSuccessor(of predecessor: [UInt8]) throws(Fault) { try contract.requireSuccessor(of: predecessor, at: place) }

    /// The same, and `contractUnsigned`. `predecessor` is a contract that was held.
    package func requireConsent(since predecessor: [UInt8]) throws(Fault) {
        try requireSuccessor(of: predecessor)
        guard let earlier = try? Contract.parse(predecessor) else { throw Fault(.contractReplaced, at: place, "") }
        let missing = signatures.missing(since: earlier)
        guard missing.isEmpty else { throw Fault(.contractUnsigned, at: place, missing.joined(separator: ", ")) }
    }
}

extension Contract {
    /// - Throws: `contractReplaced` for one that amends another contract than `predecessor`, or none.
    package func requireSuccessor(of predecessor: [UInt8], at place: String) throws(Fault) {
        let held = SHA256.hash(predecessor)
        guard amends == held else { throw Fault(.contractReplaced, at: place, "\(held.hexadecimal.prefix(12))…") }
    }
}
