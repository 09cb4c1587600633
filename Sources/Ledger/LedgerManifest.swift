import Foundation
import Primitives
import Wire

/// Which payloads a ledger keeps; digests of all are kept in any case.
package enum Retention: String, Sendable, Hashable, CaseIterable, Codable {
    case all, inbound, digests

    package func keeps(_ direction: Direction) -> Bool {
        switch self {
        case .all: true
        case .inbound: direction == .received
        case .digests: false
        }
    }
}

/// Whose ledger of which job a directory holds. Source: `Protocols/ledger.md`, "Files of one job".
package struct LedgerManifest: Sendable, Hashable {
    package static let currentVersion = 1

    package let job: JobIdentifier
    package let attempt: UInt32
    /// The node's name in the contract, and its role.
    package let node: String
    package let role: Role
    /// SHA-256 of `contract.json` and `specification.json`.
    package let contractDigest: [UInt8]
    package let specificationDigest: [UInt8]
    package let retention: Retention
    /// Whether records hold the SM3 digest of the payload beside the SHA-256: where the contract's suite is `SM2-SM3`.
    package let hasSM3: Bool
    /// To the secrets from which everything random of a data party follows, 32 bytes each: all purposes, or none at the arbiter.
    package let commitments: [Purpose: [UInt8]]

    package init(job: JobIdentifier, attempt: UInt32, node: String, role: Role, contract: [UInt8], specification: [UInt8], retention: Retention,
                 hasSM3: Bool = false, commitments: [Purpose: [UInt8]] = [:]) {
        self.job = job
        self.attempt = attempt
        self.node = node
        self.role = role
        contractDigest = SHA256.hash(contract)
        specificationDigest = SHA256.hash(specification)
        self.retention = retention
        self.hasSM3 = hasSM3
        self.commitments = commitments
    }

    private struct Document: Codable {
        let version: Int
        let job: String
        let attempt: UInt32
        let node: String
        let role: Role
        let contract_digest: String
        let specification_digest: String
        let retention: Retention
        let secret_commitments: [String: String]?
        /// Left out where it is not true.
        let sm3: Bool?
    }

    /// Canonical JSON (RFC 8785).
    package func encode() -> [UInt8] {
        let document = Document(
            version: Self.currentVersion, job: "\(job)", attempt: attempt, node: node, role: role, contract_digest: hexadecimal(contractDigest),
            specification_digest: hexadecimal(specificationDigest), retention: retention,
            secret_commitments: commitments.isEmpty ? nil : Dictionary(uniqueKeysWithValues: commitments.map { ($0.rawValue, hexadecimal($1)) }),
            sm3: hasSM3 ? true : nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(document))
        } catch {
            preconditionFailure("a manifest of texts and numbers was not written: \(error)")
        }
    }

    /// Bytes of each record.
    package var recordBytes: Int { FrameRecord.byteCount(withSM3: hasSM3) }

    /// Nothing for bytes that `encode` does not write.
    package init?(decoding bytes: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)), document.version == Self.currentVersion,
              let job = JobIdentifier(document.job), let contractDigest = octets(document.contract_digest),
              let specificationDigest = octets(document.specification_digest)
        else { return nil }
        self.job = job
        attempt = document.attempt
        node = document.node
        role = document.role
        self.contractDigest = contractDigest
        self.specificationDigest = specificationDigest
        retention = document.retention
        hasSM3 = document.sm3 == true
        var commitments: [Purpose: [UInt8]] = [:]
        for (name, digits) in document.secret_commitments ?? [:] {
            guard let purpose = Purpose(rawValue: name), let commitment = octets(digits), commitment.count == 32 else { return nil }
            commitments[purpose] = commitment
        }
        guard commitments.isEmpty || commitments.count == Purpose.allCases.count else { return nil }
        self.commitments = commitments
        guard encode() == bytes else { return nil }
    }
}

/// Lower-case digits.
package func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// Nothing unless there are pairs of hexadecimal digits.
package func octets(_ digits: String) -> [UInt8]? {
    let values = digits.compactMap(\.hexDigitValue)
    guard values.count == digits.count, values.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] * 16 + values[$0 + 1]) }
}
