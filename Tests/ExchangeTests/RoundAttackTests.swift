import BigInt
import BigNumber
import Exchange
import Foundation
import Paillier
import Primitives
import Roles
import Testing
import Wire

extension RoundExchange {
    /// As `DataParty` does: heard, and then known to the transcript.
    fileprivate mutating func take(_ message: Message, _ transcript: inout Transcript) throws -> [Message] {
        transcript.add(message)
        return try hear(message, transcript).effects.messages
    }
}

extension PrivacyAttackTests {
    // 4: the owner of a key as an oracle

    private static let residuals: [Int64] = {
        var random = Numbers(state: 19)
        return (0..<14).map { _ in Int64.random(in: -(1 << 24)..<1 << 24, using: &random) }
    }()

    /// Instead of its one sum, the platform has single residuals of the bank's decrypted, 14 packed in the one ciphertext.
    private func packedRequest() throws -> (bank: RoundExchange, transcript: Transcript, request: MaskedRequest) {
        let round = try TrialRound.shared.get()
        var bank = try round.party(.bank, columns: [[Int32](repeating: 1, count: 14)], residuals: Self.residuals, peerColumns: 1)
        var platform = try round.party(.platform, columns: [[Int32](repeating: 1, count: 14)], residuals: [Int64](repeating: 5, count: 14), peerColumns: 1)
        var transcript = Transcript()
        let rows = try #require(try bank.proceed(transcript).messages.first)
        for message in try platform.proceed(transcript).messages { _ = try bank.take(message, &transcript) }
        let keys = try round.keys(.platform)
        let batch = try CiphertextBatch(wire: try #require(rows.ciphertexts), count: 28, key: keys.peer)
        let residuals = batch.combiningRows(stride: 2, exponents: [UInt32](repeating: 1, count: 14), exponentBits: 1)
        let request = MaskedRequest(
            residuals, slots: ValueSlots(bits: 26, keyBits: 512), mask: keys.secrets.random(.mask, "attack"),
            randomiser: keys.secrets.random(.maskRandomiser, "attack")
        ) { DrawAddress(message: 2, row: UInt32($0)) }
        return (bank, transcript, request)
    }

    @Test("whoever packs residuals into a request for decryption gets no more of them than exposure counts")
    func oracle() throws {
        var (bank, transcript, request) = try packedRequest()
        let forged = Message.maskedValues(.filled { $0.round = 1; $0.ciphertexts = request.ciphertexts.wire.data })
        let answer = try #require(try bank.take(forged, &transcript).first)
        let own = try TrialRound.shared.get().keys(.platform).own
        let returned = try CiphertextBatch(wire: try #require(answer.ciphertexts), count: 1, key: own.publicKey)
        let read = try #require(request.values(fromLowBits: own.decrypt(returned)))
        let right = zip(read, Self.residuals).count { $0 == $1 }
        #expect(right <= TrialRound.slots.bits / 25)
    }

    @Test("a control that answers with all that it decrypts gives fourteen residuals for one sum")
    func oracleOnControl() throws {
        let (_, _, request) = try packedRequest()
        let whole = try TrialRound.shared.get().keys(.bank).own.decrypt(request.ciphertexts)
        #expect(request.values(fromLowBits: whole) == Self.residuals)
    }

    // 5: labels packed so that sums over bins show who is in them

    private static let bins: [[Int32]] = {
        var random = Numbers(state: 20)
        let bin = (0..<28).map { _ in Int.random(in: 0..<4, using: &random) }
        return (0..<4).map { column in bin.map { $0 == column ? 1 : 0 } }
    }()

    /// In the place of its label, row i has a power of two of its own, above any mask of 128 bits.
    private static let packedLabels = (0..<28).map { Natural.one << (160 + $0) }

    /// Entries of the bins that are read right from what the bank decrypts.
    private func rightEntries(_ decrypted: Natural) -> Int {
        (0..<4).reduce(0) { sum, bin in
            sum + (0..<28).count { row in (decrypted >> (160 + row + TrialRound.slots.bits * bin)).lowBits(1) == (Self.bins[bin][row] == 1 ? .one : .zero) }
        }
    }

    @Test("a bank that packs its labels reads nothing of the platform's bins from their sums")
    func packedBins() throws {
        let round = try TrialRound.shared.get()
        var right = 0
        for seed in 0..<10 as Range<UInt8> {
            var transcript = Transcript()
            var platform = try round.party(.platform, columns: Self.bins, residuals: [Int64](repeating: 5, count: 28), peerColumns: 1)
            _ = try platform.proceed(transcript)
            let sent = try round.rows(of: .bank, Self.packedLabels, seed: seed)
            let sums = try #require(try platform.take(sent, &transcript).first?.ciphertexts)
            let own = try round.keys(.bank).own
            let masked = try CiphertextBatch(wire: sums, count: 1, key: own.publicKey)
            right += rightEntries(try #require(own.decrypt(masked).first))
        }
        // Half of 1,120 by chance, 17 the standard deviation.
        #expect(abs(right - 560) < 100)
    }

    @Test("under a control's mask of 128 bits the bank reads the bin of every row")
    func packedBinsOnControl() throws {
        let round = try TrialRound.shared.get()
        let own = try round.keys(.bank).own
        let sent = try #require(try round.rows(of: .bank, Self.packedLabels, seed: 1).ciphertexts)
        let rows = try CiphertextBatch(wire: sent, count: 56, key: own.publicKey)
        let products = InnerProducts(key: own.publicKey, columnBits: [1, 1, 1, 1], rows: 28)
        products.add(rows.combiningRows(stride: 2, exponents: [UInt32](repeating: 1, count: 28), exponentBits: 1),
                     entries: (0..<28).flatMap { row in Self.bins.map { UInt32($0[row]) } })
        let masks = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 9, count: 32)))
        let mask = Natural(bytes: masks.bytes(16, at: DrawAddress(message: 2)))
        let masked = TrialRound.slots.packing(products.finish()).adding(own.publicKey.encrypt([mask], random: masks) { DrawAddress(message: 3, row: UInt32($0)) })
        #expect(rightEntries(try #require(own.decrypt(masked).first)) == 4 * 28)
    }

    // 6: a mask used again by a node that was rolled back

    /// What the bank decrypts of two lives of a platform that begin with the same secrets at the same snapshot, the second
    /// of which is given other rows; the difference modulo n, or its negative where that is smaller.
    private func difference(_ masked: [Natural]) throws -> BigUInt {
        let n = try TrialRound.shared.get().keys(.bank).own.publicKey.modulus
        let (first, second) = (masked[0] % n, masked[1] % n)
        let difference = (second + n - first) % n
        return BigUInt(Data(min(difference, n - difference).bytes(count: 64)))
    }

    private static let columns: [[Int32]] = [[1, 2, 3, 4]]

    @Test("a platform that was rolled back in the middle of a round masks other sums otherwise")
    func rolledBack() throws {
        let round = try TrialRound.shared.get()
        let own = try round.keys(.bank).own
        func life(_ residuals: [Natural]) throws -> [UInt8] {
            var transcript = Transcript()
            var platform = try round.party(.platform, columns: Self.columns, residuals: [5, 5, 5, 5], peerColumns: 1)
            _ = try platform.proceed(transcript)
            let sent = try round.rows(of: .bank, residuals, seed: 3)
            return try #require(try platform.take(sent, &transcript).first?.ciphertexts)
        }
        let lives = try [[Natural(10), Natural(10), Natural(10), Natural(10)], [Natural(10), Natural(10), Natural(10), Natural(11)]].map(life)
        let decrypted = try lives.flatMap { own.decrypt(try CiphertextBatch(wire: $0, count: 1, key: own.publicKey)) }
        #expect(try difference(decrypted).bitWidth > 400)
        // The same rows again: the same bytes, and nothing new.
        #expect(try life([Natural(10), Natural(10), Natural(10), Natural(10)]) == lives[0])
    }

    @Test("a control whose mask is bound to the round alone shows what the bank's own change weighs in the other's column")
    func rolledBackOnControl() throws {
        let round = try TrialRound.shared.get()
        let (own, secrets) = (try round.keys(.bank).own.publicKey, try round.keys(.platform).secrets)
        let masked = try [UInt64(100), 104].enumerated().map { index, sum in
            let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: UInt8(index), count: 32)))
            let sums = own.encrypt([Natural(sum)], random: random) { DrawAddress(message: 3, row: UInt32($0)) }
            let request = MaskedRequest(sums, slots: TrialRound.slots, mask: secrets.random(.mask, "round 1"),
                                        randomiser: secrets.random(.maskRandomiser, "round 1")) { DrawAddress(message: 2, row: UInt32($0)) }
            return try #require(try round.keys(.bank).own.decrypt(request.ciphertexts).first)
        }
        // The fourth row's value, 4.
        #expect(try difference(masked) == 4)
    }
}
