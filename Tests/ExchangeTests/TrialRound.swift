import BigInt
import BigNumber
import Exchange
import Foundation
import Paillier
import Primitives
import Roles
import Testing
import Training
import Wire

/// Both parties at the beginning of a round whose columns and numbers a test makes up, with the keys of any `SmallJob`.
struct TrialRound {
    static let shared = Result { try TrialRound() }
    static let slots = ValueSlots(bits: 52, keyBits: 512)
    let contexts: [Role: JobContext]
    let keys: [Role: Opening.Keys]

    init() throws {
        let job = SmallJob(data: try SmallData(common: 100, seed: 18))
        let roles = [Role.bank, .platform]
        let contexts = try Dictionary(uniqueKeysWithValues: roles.map { ($0, try JobContext(try job.request($0), role: $0)) })
        var openings = contexts.mapValues { Opening(context: $0, secrets: job.secrets($0.role)) }
        var messages = openings.mapValues { $0.start().messages }
        var keys: [Role: Opening.Keys] = [:]
        while keys.count < 2 {
            var next: [Role: [Message]] = [:]
            for role in roles {
                for message in messages[role.otherOwner] ?? [] {
                    let heard = try #require(try openings[role]?.hear(message))
                    next[role, default: []] += heard.effects.messages
                    keys[role] = heard.keys ?? keys[role]
                }
            }
            messages = next
        }
        (self.contexts, self.keys) = (contexts, keys)
    }

    /// The two of a party's key, which no peer has.
    func primes(_ role: Role) throws -> [BigUInt] {
        let key = Mirror(reflecting: try keys(role).own)
        return try ["p", "q"].map { half in
            let prime = try #require(key.descendant(half, "prime") as? Natural)
            return BigUInt(Data(prime.bytes(count: 32)))
        }
    }

    func keys(_ role: Role) throws -> Opening.Keys { try #require(keys[role]) }

    /// - Parameters:
    ///   - columns: of the party, with small numbers.
    ///   - residuals: that the peer is to sum up, one a row.
    func party(_ role: Role, columns: [[Int32]], residuals: [Int64], peerColumns: Int, _ transcript: Transcript = Transcript()) throws -> RoundExchange {
        let rows = residuals.count
        return RoundExchange(
            context: try #require(contexts[role]), keys: try keys(role), slots: Self.slots, round: 1, degree: 1,
            work: RoundWork(plaintexts: residuals.flatMap { [$0, 0] }, exponents: [UInt32](repeating: 1, count: rows), exponentBits: 1),
            design: Design(rows: rows, columns: columns.map { Design.Column(fractionBits: 0, values: $0) }), peerValues: peerColumns,
            transcript: transcript)
    }

    /// Plaintexts of any size in the place of a party's residuals, under its own key.
    func rows(of role: Role, _ plaintexts: [Natural], seed: UInt8) throws -> Message {
        let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: seed, count: 32)))
        let encrypted = try keys(role).own.publicKey.encrypt(plaintexts.flatMap { [$0, Natural.zero] }, random: random) {
            DrawAddress(message: 1, row: UInt32($0))
        }
        return .roundRows(.filled { $0.round = 1; $0.ciphertexts = encrypted.wire.data })
    }
}

extension [RoleEffect] {
    var messages: [Message] { compactMap { if case .send(let message, _) = $0 { message } else { nil } } }
}
