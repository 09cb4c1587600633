import BigInt
import BigNumber
import Exchange
import Faults
import Foundation
import Jobs
import Paillier
import Primitives
import Roles
import Testing
import Wire

/// What a party sends follows from its secrets and what it has heard: never from threads, timing or chance.
@Suite("Order of events") struct OrderTests {
    private static let job = Result { SmallJob(data: try SmallData(common: 620, seed: 7), rounds: 4) }
    private static let plain = Result { try run(try job.get(), seed: nil) }

    private static func run(_ job: SmallJob, seed: UInt64?) throws -> Outcome {
        var conversation = try Conversation(job, seed: seed)
        let outcome = try conversation.run()
        try #require(outcome.completed.count == 2)
        return outcome
    }

    @Test("the same secrets and events give the same bytes")
    func repeats() throws {
        let (first, second) = (try Self.plain.get(), try Self.run(try Self.job.get(), seed: nil))
        #expect(first.crossings == second.crossings)
        for role in [Role.bank, .platform] { #expect(try first.files(role) == second.files(role)) }
    }

    @Test("in whatever order messages and work come, each direction has the same bytes and the models are the same", arguments: 1...6)
    func interleavings(seed: UInt64) throws {
        let (first, second) = (try Self.plain.get(), try Self.run(try Self.job.get(), seed: seed))
        let directions: [(Role, Role)] = [(.bank, .platform), (.platform, .bank), (.bank, .arbiter), (.platform, .arbiter), (.arbiter, .bank), (.arbiter, .platform)]
        for (from, to) in directions { #expect(first.bytes(from: from, to: to) == second.bytes(from: from, to: to), "\(from) to \(to)") }
        for role in [Role.bank, .platform] { #expect(try first.files(role) == second.files(role)) }
    }

    @Test("the orders that are tried differ")
    func ordersDiffer() throws {
        let runs = try (1...3).map { try Self.run(try Self.job.get(), seed: $0).crossings.map { [$0.from, $0.to] } }
        #expect(Set(runs).count == 3)
    }

    @Test("other secrets, other bytes everywhere; the same model up to the order of rows")
    func otherSecrets() throws {
        var other = try Self.job.get()
        other.secretSeed = 9
        let (first, second) = (try Self.plain.get(), try Self.run(other, seed: nil))
        let own: Set<MessageKind> = [
            .hello, .nonce, .paillierKey, .alignmentOpening, .blindedPoints, .doublyBlindedPoints, .seedReveal, .matches, .roundRows, .maskedValues,
            .returnedBits, .partialScores, .roundShare,
        ]
        let before = Set(first.crossings.filter { own.contains($0.kind) })
        #expect(second.crossings.allSatisfy { !before.contains($0) })
        for role in [Role.bank, .platform] {
            for (column, weight) in try first.weights(role) { #expect(abs(weight - (try #require(second.weights(role)[column]))) < 0.02) }
        }
    }

    /// Another encryption of the same plaintext, as only the bytes show.
    private static func rerandomised(_ ciphertext: ArraySlice<UInt8>, _ modulus: BigUInt) -> [UInt8] {
        let squared = modulus * modulus
        let bytes = (BigUInt(Data(ciphertext)) * BigUInt(12345).power(modulus, modulus: squared) % squared).serialize()
        return [UInt8](repeating: 0, count: ciphertext.count - bytes.count) + bytes
    }

    @Test("a byte heard in one round changes every mask from then on, and none before; it does not change the model")
    func transcript() throws {
        let job = try Self.job.get()
        let plain = try Self.plain.get()
        var modulus = BigUInt(0)
        var conversation = try Conversation(job)
        conversation.tamper = { message, from, _ in
            guard from == .platform else { return }
            if case .paillierKey(let key) = message { modulus = BigUInt(key.modulus) }
            if case .roundRows(var rows) = message, rows.round == 2, rows.block == 1 {
                let width = 128
                let bytes = rows.ciphertexts.octets
                rows.ciphertexts = (bytes.dropLast(width) + Self.rerandomised(bytes.suffix(width), modulus)).data
                message = .roundRows(rows)
            }
        }
        let touched = try conversation.run()
        #expect(touched.completed.count == 2)

        // The platform's key, as its owner makes it, opens the bank's masked sums; what is below the masks is the same.
        var secrets = job.secrets(.platform)
        guard case .nonce(let nonce)? = try plain.message(.nonce, from: .bank) else { return }
        secrets.bind(peerNonce: nonce.nonce.octets)
        let key = PrivateKey.generateInsecure(bits: 512, random: secrets.random(.paillierKey, "key"))
        func masked(_ outcome: Outcome, _ round: UInt32) throws -> [[UInt8]] {
            let frames = outcome.bytes(from: .bank, to: .platform).filter { $0.kind == .maskedValues }
            let frame = try #require(frames.dropFirst(Int(round) - 1).first)
            guard case .maskedValues(let values) = try Message.decode(kind: frame.kind, payload: frame.payload) else { return [] }
            #expect(values.round == round)
            let batch = try CiphertextBatch(wire: values.ciphertexts.octets, count: values.ciphertexts.count / 128, key: key.publicKey)
            return key.decrypt(batch).map { $0.bytes(count: 64) }
        }
        for round: UInt32 in 1...4 {
            let (before, after) = (try masked(plain, round), try masked(touched, round))
            #expect(!before.isEmpty && (before == after) == (round < 2), "round \(round)")
        }
        for kind in [MessageKind.roundRows, .maskedValues, .returnedBits] {
            let pair = [plain, touched].map { $0.bytes(from: .bank, to: .platform).filter { $0.kind == kind }.map(\.payload) }
            for (index, (before, after)) in zip(pair[0], pair[1]).enumerated() {
                // Rows come in two blocks a round; those of round 2 are encrypted before its byte is heard.
                let unchanged = kind == .roundRows ? index < 4 : index < 1
                #expect((before == after) == unchanged, "\(kind.name) \(index)")
            }
        }
        for role in [Role.bank, .platform] { #expect(try plain.weights(role) == touched.weights(role)) }
    }
}

extension Outcome {
    /// The first message of a kind.
    func message(_ kind: MessageKind, from: Role) throws -> Message? {
        try crossings.first { $0.kind == kind && $0.from == from }.map { try Message.decode(kind: kind, payload: $0.payload) }
    }
}
