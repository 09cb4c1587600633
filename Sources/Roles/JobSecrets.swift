import Primitives
import Wire

/// The secrets of one party for one attempt, and everything random that follows from them.
///
/// Keys are HKDF(secret, salt = the peer's nonce): the commitments are sent before that nonce is known, so neither side
/// can choose its keys, and a replay with the same secrets and the same inbound frames gives the same bytes. Source:
/// Protocols/protocol.md, "Randomness".
package struct JobSecrets: Sendable {
    private let secrets: [Purpose: SecretBytes]
    private let label: [UInt8]
    private var salt: [UInt8] = []
    /// A hash of each secret, 32 bytes; binding, and hiding because the secrets are random.
    package private(set) var commitments: [Purpose: [UInt8]] = [:]

    /// - Parameters:
    ///   - secrets: 32 bytes for each purpose, never used for another attempt.
    ///   - role: of the party itself.
    package init(secrets: [Purpose: SecretBytes], job: JobIdentifier, attempt: UInt32, role: Role) {
        precondition(Purpose.allCases.allSatisfy { secrets[$0]?.count == 32 })
        self.secrets = secrets
        // The number is that of this derivation: what is sealed outlives versions of the lines.
        label = Array("JointLab 1 \(job) \(attempt) \(role.rawValue) ".utf8)
        for purpose in Purpose.allCases {
            let info = label + Array("commitment \(purpose.rawValue)".utf8)
            commitments[purpose] = HKDF.derive(secret: secret(purpose), salt: [], info: info, count: 32).octets
        }
    }

    /// The same under other commitments: for a replay in which others stand in for secrets that are gone.
    package func announcing(_ commitments: [Purpose: [UInt8]]) -> JobSecrets {
        var secrets = self
        secrets.commitments = commitments
        return secrets
    }

    /// Fresh secrets from the system.
    package static func fresh(job: JobIdentifier, attempt: UInt32, role: Role) -> JobSecrets {
        JobSecrets(secrets: Dictionary(uniqueKeysWithValues: Purpose.allCases.map { ($0, SystemRandom.secret(32)) }),
                   job: job, attempt: attempt, role: role)
    }

    /// For sealing, and for nothing else but what is derived here.
    package func secret(_ purpose: Purpose) -> SecretBytes {
        guard let secret = secrets[purpose] else { preconditionFailure("init checked all purposes") }
        return secret
    }

    package var agreement: X25519 {
        X25519(secret: HKDF.derive(secret: secret(.pad), salt: [], info: label + Array("agreement".utf8), count: 32))
    }

    /// Sent after the peer's commitments arrived.
    package var nonce: [UInt8] {
        HKDF.derive(secret: secret(.shuffle), salt: [], info: label + Array("nonce".utf8), count: 32).octets
    }

    package mutating func bind(peerNonce: [UInt8]) { salt = peerNonce }

    /// A party's share of the seed that orders the rows.
    package var seedShare: [UInt8] { derive(.shuffle, "seed").octets }

    /// The randomness of a purpose, bound to everything heard so far where `transcript` is given: a node that was rolled
    /// back to a snapshot never uses it on other data.
    package func random(_ purpose: Purpose, _ use: String, transcript: Transcript? = nil) -> AddressedRandom {
        AddressedRandom(key: derive(purpose, use, transcript?.digest ?? []))
    }

    private func derive(_ purpose: Purpose, _ use: String, _ context: [UInt8] = []) -> SecretBytes {
        precondition(!salt.isEmpty, "keys follow from the peer's nonce")
        return HKDF.derive(secret: secret(purpose), salt: salt, info: label + Array("\(purpose.rawValue) \(use) ".utf8) + context, count: 32)
    }
}

extension SecretBytes {
    /// The bytes of something that is about to be sent or is secret no longer than this expression lives.
    package var octets: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

/// A running hash of the messages that a party has acted on, in its order of acting.
package struct Transcript: Sendable, Hashable {
    package private(set) var digest = [UInt8](repeating: 0, count: 32)

    package init() {}

    package mutating func add(_ message: Message) {
        var hash = SHA256()
        hash.update(digest)
        hash.update([UInt8(message.kind.rawValue >> 8), UInt8(message.kind.rawValue & 0xff)])
        hash.update(message.encodePayload())
        digest = hash.finalize()
    }
}
