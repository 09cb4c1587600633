import Faults

/// What a data scientist asks for, with every default filled in: the run's manifest holds this in full.
///
/// A request is read by `parse` alone, so that it has passed every check that needs no data and no contract; `Codable`
/// serves a node's own records. Source: `Protocols/specification.md`.
package struct JobSpecification: Sendable, Hashable, Codable {
    package static let currentVersion = 1

    package var version: Int
    package var kind: Kind
    package var name: String
    package var purpose: Purpose
    package var parties: Parties
    package var data: DataNames
    /// The last day on which the job may start.
    package var validUntil: Day?
    /// Observation date: what happened later does not count, nor what had ended by then.
    package var asOf: Day?
    package var population: Population
    /// Training jobs only.
    package var training: TrainingPart?
    /// Scoring jobs only.
    package var scoring: ScoringPart?
    /// Jobs that only align.
    package var alignment: AlignmentPart?

    /// What keeps it from starting on a day.
    package func faults(on day: Day) -> [Fault] {
        var faults: [Fault] = []
        if let validUntil, validUntil < day { faults.append(Fault(.specificationExpired, at: "/valid_until", "\(validUntil)", "\(day)")) }
        if let asOf, asOf > day { faults.append(Fault(.valueOutOfRange, at: "/as_of", "\(asOf)", "...\(day)")) }
        return faults
    }

    /// Bits of each party's Paillier modulus: what a training asks for; otherwise the shortest that products have and the contract
    /// allows.
    package func keyBits(_ limits: Contract.Limits) -> Int {
        training?.settings.keyBits ?? Contract.Limits.keyBits.first { $0 >= limits.minimumKeyBits } ?? limits.minimumKeyBits
    }

    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable { case train, score, align }

    package struct Purpose: Sendable, Hashable, Codable {
        /// Short code, compared exactly by policies.
        package var code: String
        package var statement: String
        /// Name of the financial product.
        package var product: String?
        package var stage: Stage?

        package init(code: String, statement: String, product: String? = nil, stage: Stage? = nil) {
            self.code = code
            self.statement = statement
            self.product = product
            self.stage = stage
        }
    }

    /// Of a loan.
    package enum Stage: String, Sendable, Hashable, Codable, CaseIterable {
        case preLoan = "pre_loan", inLoan = "in_loan", postLoan = "post_loan"

        package var words: Phrase {
            switch self {
            case .preLoan: Phrase(en: "before the loan", zh: "贷前")
            case .inLoan: Phrase(en: "during approval", zh: "贷中")
            case .postLoan: Phrase(en: "after the loan", zh: "贷后")
            }
        }
    }

    /// Names of the contract's parties.
    package struct Parties: Sendable, Hashable, Codable {
        package var bank: String
        package var platform: String
    }

    /// Names under which each owner has registered a data set in its own configuration; never paths.
    package struct DataNames: Sendable, Hashable, Codable {
        /// The name that is meant where none is given.
        package static let main = "main"

        package var bank: String
        package var platform: String
    }

    package struct Population: Sendable, Hashable, Codable {
        package static let defaultMinimumIntersection = 1000
        /// Below 100 subjects in common, membership in the intersection says too much about each of them.
        package static let minimumIntersectionRange = 100...1_000_000_000

        package var idType: IdentifierType
        /// Column that holds the identifier at each party.
        package var bankId: String
        package var platformId: String
        /// At least the contract's own minimum.
        package var minimumIntersection: Int
        /// A guess of the subjects in common, for plans alone; no job depends on it.
        package var expectedCommon: Int?
    }

    package enum IdentifierType: String, Sendable, Hashable, Codable, CaseIterable {
        /// Unified social credit code, GB 32100-2015; rows that fail a check are rejected and reported.
        case uscc
        /// Any text, compared after trimming.
        case text
    }

    package struct TrainingPart: Sendable, Hashable, Codable {
        package var label: Label
        package var features: Features
        package var split: Split
        package var settings: TrainingSettings
    }

    /// A column of the bank; cells equal to `bad` are 1, cells equal to `good` are 0, anything else is an error.
    package struct Label: Sendable, Hashable, Codable {
        package var column: String
        package var bad: String
        package var good: String

        package init(column: String, bad: String = "1", good: String = "0") {
            self.column = column
            self.bad = bad
            self.good = good
        }
    }

    package struct Features: Sendable, Hashable, Codable {
        /// Per party; at least one is declared.
        package static let maximumCount = 500

        package var bank: [Feature]
        package var platform: [Feature]
    }

    /// One declared column and its treatment at its owner; see `Protocols/specification.md`, "Treatment of features".
    package struct Feature: Sendable, Hashable, Codable {
        /// Of the owner's table, or a path of the catalogue; with `derive` the name of what is computed.
        package var column: String
        /// From fields of the catalogue; platforms only.
        package var derive: Derivation?
        package var type: FeatureType
        /// Lower and upper bound applied to present values first; numbers only.
        package var cap: [Double]?
        /// log(1 + max(x, 0)) after the cap; numbers only.
        package var log1p: Bool
        /// Standardise with mean and population deviation of the present training values, then clip at this many
        /// deviations; numbers only. `nil` for categories and flags, which stay 0/1.
        package var clip: Double?
        package var missing: MissingPolicy
        /// Categories with fewer training rows are merged into the base category; categories only.
        package var minimumCount: Int

        package static let defaultClip = 4.0

        /// The treatment that the type has by default.
        package init(column: String, type: FeatureType = .number, missing: MissingPolicy = .indicator) {
            self.column = column
            self.type = type
            self.cap = nil
            self.log1p = false
            self.clip = type == .number ? Self.defaultClip : nil
            self.missing = missing
            self.minimumCount = 50
        }
    }

    package enum FeatureType: String, Sendable, Hashable, Codable, CaseIterable { case number, category, flag }

    package enum MissingPolicy: String, Sendable, Hashable, Codable, CaseIterable {
        /// The mean (0 after standardising; for a flag 0; for a category the base) and an indicator column of its own.
        case indicator
        /// The same value without an indicator column.
        case mean
        /// A missing value ends the job with a fault.
        case refuse
    }

    /// `share` of the aligned rows train; 1.0 has no test part.
    package struct Split: Sendable, Hashable, Codable {
        package var share: Double
        /// At most 2^53 - 1.
        package var seed: UInt64

        package init(share: Double = 0.7, seed: UInt64 = 1) {
            self.share = share
            self.seed = seed
        }
    }

    package struct TrainingSettings: Sendable, Hashable, Codable {
        /// Bits of the Paillier modulus, a multiple of 256. Under 2048 only where the contract says
        /// `insecure_key_bits`, for tests.
        package var keyBits: Int
        package var l2: Double
        /// Degree m and half range R of the separable sigmoid.
        package var degree: Int
        package var range: Double
        package var maximumRounds: Int
        /// Training ends when no step is longer than this.
        package var tolerance: Double
        /// Rounds that the acceleration looks back on.
        package var history: Int

        package init(
            keyBits: Int = 2048, l2: Double = 1e-4, degree: Int = 4, range: Double = 4, maximumRounds: Int = 40,
            tolerance: Double = 1e-3, history: Int = 8
        ) {
            self.keyBits = keyBits
            self.l2 = l2
            self.degree = degree
            self.range = range
            self.maximumRounds = maximumRounds
            self.tolerance = tolerance
            self.history = history
        }
    }

    package struct AlignmentPart: Sendable, Hashable, Codable {
        package var reveals: Reveals
        /// Id of an earlier job that only aligned: no other subjects of the bank's count than those that it found.
        package var within: String?

        /// Who learns what.
        package enum Reveals: String, Sendable, Hashable, Codable, CaseIterable {
            /// Both sides, which of their own subjects the other holds too.
            case subjects
            /// Both sides, how many.
            case size
            /// The bank alone, which of its own subjects the platform holds too.
            case bank
        }
    }

    package struct ScoringPart: Sendable, Hashable, Codable {
        /// Id of the training job whose two model halves are used: 32 lower-case hexadecimal digits.
        package var model: String
    }
}
