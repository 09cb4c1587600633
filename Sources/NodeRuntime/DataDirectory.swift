import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives

/// The format of a data directory, and the contract under which it is served.
///
///     format.json   contracts/DIGEST.json, contracts/DIGEST.signatures   contracts/current.json
///
/// Source: `Protocols/specification.md`, "Data directory".
extension JobFiles {
    /// 1, of programs before there was `format.json`, knew no amendments.
    static let currentFormat = 2
    private static let formatFile = "format.json"
    private static let current = "contracts/current.json"

    /// - Throws: `newerDataDirectory`; `unreadableFile` for a format that is none.
    func requireKnownFormat() throws(Fault) { _ = try format() }

    private func format() throws(Fault) -> Int {
        let path = directory.appendingPathComponent(Self.formatFile).path
        guard FileManager.default.fileExists(atPath: path) else { return 1 }
        guard let document = try? JSONValue.parse(try Installation.read(path), as: Self.formatFile), let format = document["format"]?.integer, format > 0
        else { throw Fault(.unreadableFile, at: path) }
        guard format <= Self.currentFormat else {
            throw Fault(.newerDataDirectory, at: directory.path, "\(format)", "\(Self.currentFormat)")
        }
        return format
    }

    /// Before a node serves, and while it holds the lock: an older directory becomes one of the current format, and another
    /// contract than the one last held must be an amendment of it that all parties have signed.
    ///
    /// - Throws: `contractReplaced`, `contractUnsigned`, `unreadableFile`, `unwritable`.
    package func takeUp(_ installation: NodeInstallation, _ operations: Operations) throws(Fault) {
        try removeUnfinished()
        try operations.destroyUnnamedLists()
        switch try history(installation) {
        case .unserved:
            // Under which contract the directory was served so far nobody has recorded: the record begins here.
            try hold(try Amendment(installation))
            try keep(JSONValue.object(["format": .integer(Self.currentFormat)]), at: Self.formatFile)
        case .held: return
        case .amended(let amendment): try hold(amendment)
        }
    }

    /// How a node's contract follows on the one under which the directory was served last.
    enum ContractHistory {
        case unserved
        case held
        /// All parties have signed it.
        case amended(Amendment)
    }

    /// - Throws: `contractReplaced`, `contractUnsigned`, `unreadableFile`.
    func history(_ installation: NodeInstallation) throws(Fault) -> ContractHistory {
        guard try format() >= 2 else { return .unserved }
        let held = try heldContract()
        guard SHA256.hash(held) != installation.contractDigest else { return .held }
        // Before its signatures are looked at, which may be those of the contract that it replaces.
        try installation.contract.requireSuccessor(of: held, at: URL(fileURLWithPath: installation.configuration.contract).lastPathComponent)
        let amendment = try Amendment(installation)
        try amendment.requireConsent(since: held)
        return .amended(amendment)
    }

    private func heldContract() throws(Fault) -> [UInt8] {
        let path = directory.appendingPathComponent(Self.current).path
        guard let document = try? JSONValue.parse(try Installation.read(path), as: Self.current), let digest = document["digest"]?.string,
              digest.utf8.count == 64, digest.allSatisfy(\.isHexDigit),
              let bytes = try? Installation.read(directory.appendingPathComponent("contracts/\(digest).json").path),
              SHA256.hash(bytes).hexadecimal == digest
        else { throw Fault(.unreadableFile, at: path) }
        return bytes
    }

    private func hold(_ amendment: Amendment) throws(Fault) {
        let name = "contracts/\(amendment.digest.hexadecimal)"
        try keep(amendment.bytes, at: "\(name).json")
        if !amendment.signatures.note.signatures.isEmpty { try keep(amendment.signatures.note.encode(), at: "\(name).signatures") }
        try keep(JSONValue.object(["digest": .text(amendment.digest.hexadecimal), "since": .text(Date().formatted(.iso8601))]), at: Self.current)
    }
}
