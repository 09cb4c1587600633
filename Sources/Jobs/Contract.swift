import Faults

/// The collaboration contract: who takes part, with which keys, and what no job may undercut. Every party holds the
/// same file; parties compare the digest of its bytes before anything else.
///
/// Holds no secret. Source: `Protocols/specification.md`, "Contract".
package struct Contract: Sendable, Hashable {
    package static let currentVersion = 1

    package let version: Int
    package let name: String
    /// SHA-256 of the file of the contract that this one replaces, 32 bytes; `nil` for a lab's first.
    package let amends: [UInt8]?
    /// The one arbiter; also among `parties`.
    package let arbiter: Party
    /// In the order of the file.
    package let parties: [Party]
    package let people: [Person]
    package let suite: Suite
    package let limits: Limits

    package enum Role: String, Sendable, Hashable, CaseIterable {
        case arbiter, bank, platform

        /// Whether others connect to this role; a bank opens every connection itself.
        package var listens: Bool { self != .bank }
        package var holdsData: Bool { self != .arbiter }
    }

    package struct Party: PinnedMember, Sendable, Hashable {
        package let name: String
        package let role: Role
        /// Present exactly where the role listens.
        package let address: Endpoint?
        /// SHA-256 of the certificate's subject public key info, 32 bytes.
        package let pin: [UInt8]
        /// Of the key that the party is giving up.
        package let formerPin: FormerPin?
        /// Ed25519 public key of the party's ledger, 32 bytes.
        package let ledgerKey: [UInt8]
        /// SHA-256 of the file of the node's policy, 32 bytes; `nil` where it has none.
        package let policy: [UInt8]?
    }

    package struct FormerPin: Sendable, Hashable {
        package let pin: [UInt8]
        /// It opens no line from then on.
        package let untilUnixSeconds: Int
    }

    package enum PersonRole: String, Sendable, Hashable, CaseIterable { case analyst, approver, auditor }

    package struct Person: PinnedMember, Sendable, Hashable {
        package let name: String
        package let role: PersonRole
        /// The party whose node this person may command; `nil` for all.
        package let party: String?
        /// As those of a party.
        package let pin: [UInt8]
        package let formerPin: FormerPin?
    }

    /// The algorithms in use everywhere under this contract.
    package enum Suite: String, Sendable, Hashable, CaseIterable {
        case p256SHA256 = "P256-SHA256"
        case sm2SM3 = "SM2-SM3"
    }

    /// What no job may undercut. `nil` sets a limit aside.
    package struct Limits: Sendable, Hashable {
        /// Lengths of Paillier keys that jobs may ask for, tests with `insecureKeyBits` aside.
        package static let keyBits = [2048, 3072]

        package var minimumIntersection = 1000
        /// Common subjects that a job may have at most; `nil` sets no limit.
        package var maximumIntersection: Int?
        /// Identifiers that one party may bring to an alignment.
        package var maximumSetSize = 50_000_000
        package var minimumKeyBits = 2048
        /// For tests: lets `minimumKeyBits` go below 2048, where keys can be broken.
        package var insecureKeyBits = false
        /// Training rows.
        package var minimumRows = 1000
        package var maximumRounds = 40
        /// See `JobLimits.exposurePercent`.
        package var exposurePercent: Double? = 10
        /// Why `exposurePercent` is set aside.
        package var exposureNote: String?
        /// Largest share of the variance of the platform's partial score that one feature may carry.
        package var dominanceShare: Double? = 0.5
        /// Partial scores are rounded to multiples of 2^-this in log-odds.
        package var scoreResolutionBits = 12
        /// Rows of the rarer label class for each column of the platform.
        package var badsPerColumn = 10
        /// A party that is silent for longer ends the job.
        package var deadlineSeconds = 600

        package init() {}
    }
}

/// Who is known by the key of a certificate, and for a while by the one before it.
package protocol PinnedMember {
    var pin: [UInt8] { get }
    var formerPin: Contract.FormerPin? { get }
}

extension PinnedMember {
    /// The keys by which it is known at a time, the present one first.
    package func pins(atUnixSeconds now: Int) -> [[UInt8]] {
        [pin] + (formerPin.map { now < $0.untilUnixSeconds ? [$0.pin] : [] } ?? [])
    }
}

extension Contract {
    /// - Throws: `.unknownParty` at `place`.
    package func party(_ name: String, in role: Role, at place: String) throws(Fault) -> Party {
        let fitting = parties.filter { $0.role == role }
        guard let party = fitting.first(where: { $0.name == name }) else {
            throw Fault(.unknownParty, at: place, shown(name), fitting.map(\.name).joined(separator: ", "))
        }
        return party
    }

    /// What in the specification the contract does not allow; places are JSON pointers into the specification.
    package func check(_ specification: JobSpecification) -> [Fault] {
        var faults: [Fault] = []
        for (key, name, role) in [
            ("bank", specification.parties.bank, Role.bank), ("platform", specification.parties.platform, .platform),
        ] {
            do {
                _ = try party(name, in: role, at: "/parties/\(key)")
            } catch {
                faults.append(error)
            }
        }
        let intersection = specification.population.minimumIntersection
        if intersection < limits.minimumIntersection {
            let allowed = limits.minimumIntersection...JobSpecification.Population.minimumIntersectionRange.upperBound
            faults.append(Fault(
                .valueOutOfRange, at: "/population/minimum_intersection", "\(intersection)",
                "\(allowed.lowerBound)...\(allowed.upperBound)"))
        }
        if let settings = specification.training?.settings {
            if settings.keyBits < limits.minimumKeyBits {
                faults.append(Fault(
                    .keyBitsNotAllowed, at: "/training/key_bits", "\(settings.keyBits)", "\(limits.minimumKeyBits)"))
            } else if !limits.insecureKeyBits, !Limits.keyBits.contains(settings.keyBits) {
                faults.append(Fault(.valueOutOfRange, at: "/training/key_bits", "\(settings.keyBits)", "2048, 3072"))
            }
            if settings.maximumRounds > limits.maximumRounds {
                faults.append(Fault(
                    .valueOutOfRange, at: "/training/maximum_rounds", "\(settings.maximumRounds)",
                    "1...\(limits.maximumRounds)"))
            }
        }
        return faults
    }
}
