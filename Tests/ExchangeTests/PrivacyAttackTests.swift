import BigInt
import Faults
import Foundation
import Roles
import Testing
import Wire

/// What anyone who holds the recorded frames can try with the public keys alone. It opens every ciphertext of a
/// well-known implementation that leaves out the randomness "because sums are randomised later".
private struct PublicKeyAttack {
    /// Plaintexts read off: c = 1 + m n.
    var opened: [BigUInt] = []
    /// Ciphertexts with the same randomness as another one under the same key: their quotient opens.
    var related = 0
    var tried = 0

    init(_ crossings: [Crossing], moduli: [Role: BigUInt]) throws {
        var residues: [Role: Set<BigUInt>] = [:]
        for crossing in crossings {
            guard let bytes = try Message.decode(kind: crossing.kind, payload: crossing.payload).ciphertexts else { continue }
            let owner = keyOwner(crossing.kind, from: crossing.from)
            let n = try #require(moduli[owner])
            for start in stride(from: 0, to: bytes.count, by: 128) {
                let cipher = BigUInt(Data(bytes[start..<start + 128]))
                tried += 1
                let residue = cipher % n
                if residue == 1 { opened.append((cipher - 1) / n) }
                // c mod n is r^n mod n, whatever the plaintext is.
                if !residues[owner, default: []].insert(residue).inserted { related += 1 }
            }
        }
    }
}

/// The seven that are known from the literature and from other implementations. Each fails against the product, and succeeds
/// against a control: a few lines that do what a product without the one defence would do.
@Suite("Privacy attacks") struct PrivacyAttackTests {
    // 1 and 7: opening ciphertexts, dividing them

    private static let recorded = Result {
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 1100, seed: 14), rounds: 4))
        let outcome = try conversation.run()
        try #require(outcome.completed.count == 2)
        return outcome
    }

    @Test("the public keys open none of the ciphertexts of a whole job, alone or by division")
    func publicKeys() throws {
        let crossings = try Self.recorded.get().crossings
        let attack = try PublicKeyAttack(crossings, moduli: moduli(crossings))
        // Rows of both sides and all rounds, sums, answers and scores.
        let rounds = crossings.count { $0.kind == .verdict } / 2
        #expect(rounds >= 3 && attack.tried >= 2 * rounds * 5 * 1100 + 4 * rounds + 1100 / 12)
        #expect(attack.opened.isEmpty && attack.related == 0)
    }

    @Test("the public key opens a message whose randomness was left out, and the machine refuses that message")
    func publicKeyOnControl() throws {
        let recorded = try Self.recorded.get().crossings
        let keys = try moduli(recorded)
        let n = try #require(keys[.platform])
        let secret = BigUInt(4096)
        let bare = Ciphertexts.bytes(1 + secret * n)
        var refused = 0
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 1100, seed: 14), rounds: 2))
        conversation.probe = { machine, role, message, _ in
            guard role == .bank, message.kind == .roundRows, let honest = message.ciphertexts else { return }
            let bad = try #require(message.withCiphertexts(bare + honest.dropFirst(128)))
            let crossing = Crossing(from: .platform, to: .bank, kind: .roundRows, payload: bad.encodePayload())
            #expect(try PublicKeyAttack([crossing], moduli: keys).opened == [secret])
            #expect(fault(machine, bad)?.code == .cryptographicCheck)
            refused += 1
        }
        try conversation.run()
        #expect(refused >= 3)
    }

    @Test("a quotient opens two ciphertexts whose randomness is one and the same")
    func divisionOnControl() throws {
        let recorded = try Self.recorded.get().crossings
        let keys = try moduli(recorded)
        let n = try #require(keys[.bank])
        let frame = try #require(recorded.first { $0.kind == .roundRows && $0.from == .bank })
        let message = try Message.decode(kind: .roundRows, payload: frame.payload)
        let honest = try #require(message.ciphertexts)
        // The second is the first plus seven.
        let first = BigUInt(Data(honest.prefix(128)))
        let shifted = Ciphertexts.bytes(first * (1 + 7 * n) % (n * n))
        let bad = try #require(message.withCiphertexts(Array(honest.prefix(128)) + shifted + honest.dropFirst(256)))
        let crossing = Crossing(from: .bank, to: .platform, kind: .roundRows, payload: bad.encodePayload())
        #expect(try PublicKeyAttack([crossing], moduli: keys).related == 1)
    }
}
