import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

/// What a party could try with what it sees; each attack also runs against a control without the defence, where it works.
@Suite("Attacks on what crosses") struct AttackTests {
    let key = Keys.bank
    let textbook = Keys.textbook

    func encrypt(_ values: [Int64], seed: UInt8 = 60, message: UInt8 = 1) -> [UInt8] {
        key.encrypt(values, random: randomness(seed), address: address(message))
    }

    // Opening ciphertexts with the public key

    /// With r known, c r^-n = 1 + m n shows m. Tries r = +-1 ... +-32.
    func opened(_ ciphertexts: [BigUInt]) -> [BigUInt?] {
        let n = textbook.n
        let inverses = (1...32).flatMap { r in
            [BigUInt(r), n - BigUInt(r)].compactMap { $0.power(n, modulus: n).inverse(n) }
        }
        let squareInverses = (1...32).flatMap { r in
            [BigUInt(r), textbook.squared - BigUInt(r)].compactMap { $0.power(n, modulus: textbook.squared).inverse(textbook.squared) }
        }
        return ciphertexts.map { cipher in
            zip(inverses, squareInverses).lazy.filter { cipher % n * $0.0 % n == 1 }.map { (cipher * $0.1 % textbook.squared - 1) / n }.first
        }
    }

    @Test("the public key alone opens nothing that is sent")
    func publicKeyOnly() throws {
        let values = (0..<120).map { Int64($0 % 3 - 1) }
        let rows = try CiphertextBatch(wire: encrypt(values), count: 120, key: key.publicKey)
        let request = MaskedRequest(rows, slots: ValueSlots(bits: 24, keyBits: 512), mask: randomness(61), randomiser: randomness(62), address: address(2))
        let answer = key.publicKey.encrypt(key.lowBits(of: request.ciphertexts, values: 120, slots: ValueSlots(bits: 24, keyBits: 512)),
                                           random: randomness(63), address: address(3))
        for batch in [rows, request.ciphertexts, answer] {
            #expect(opened(numbers(batch.wire, key.publicKey)).allSatisfy { $0 == nil })
        }
    }

    @Test("the public key opens a control without randomness, which a receiver refuses", arguments: [1, -1, 2, -31])
    func publicKeyOnlyControl(randomiser: Int) {
        let r = BigInt(randomiser).modulus(BigInt(textbook.squared)).magnitude
        let plaintexts = (0..<40).map { BigInt($0 * $0 - 7) }
        let ciphers = plaintexts.map { textbook.encrypt($0, randomiser: r) }
        #expect(opened(ciphers) == plaintexts.map { $0.modulus(BigInt(textbook.n)).magnitude })
        if abs(randomiser) == 1 {
            for cipher in ciphers { #expect(throws: PaillierError.withoutRandomness) { try batch([cipher], key.publicKey) } }
        }
    }

    // Packed plaintexts

    static let rows = 28
    static let columns = 4
    static let entryBits = 12

    static let entries: [[UInt32]] = {
        var random = Numbers(state: 60)
        return (0..<rows).map { _ in (0..<columns).map { _ in UInt32(random.next() % (1 << UInt64(entryBits))) } }
    }()

    /// The key's owner cheats: 2^(160 + 12 i) in row i. Each sum then holds the other's whole column above bit 160.
    func packedSums() throws -> CiphertextBatch {
        let plaintexts = (0..<Self.rows).map { BigInt(1) << (160 + Self.entryBits * $0) }
        let sent = try batch(plaintexts.enumerated().map { textbook.encrypt($1, randomiser: BigUInt(99 + $0)) }, key.publicKey)
        let products = InnerProducts(key: key.publicKey, columnBits: [Int](repeating: Self.entryBits, count: Self.columns), rows: Self.rows)
        products.add(sent, entries: Self.entries.flatMap { $0 })
        return products.finish()
    }

    /// How many bits of the other's entries the owner reads right from what it decrypts, and how many entries in full.
    func read(_ decrypted: [Natural]) -> (bits: Int, entries: Int) {
        var (bits, whole) = (0, 0)
        for (column, value) in decrypted.enumerated() {
            for row in 0..<Self.rows {
                let guess = UInt32((value >> (160 + Self.entryBits * row)).lowBits(Self.entryBits).word)
                bits += Self.entryBits - (guess ^ Self.entries[row][column]).nonzeroBitCount
                whole += guess == Self.entries[row][column] ? 1 : 0
            }
        }
        return (bits, whole)
    }

    @Test("packed plaintexts read nothing from under a mask that is uniform modulo n")
    func packedPlaintexts() throws {
        let sums = try packedSums()
        let slots = ValueSlots(bits: 52, keyBits: 512)
        var (bits, entries) = (0, 0)
        let attempts = 10
        for attempt in 0..<UInt8(attempts) {
            let decrypted = (0..<Self.columns).flatMap { column in
                key.decrypt(MaskedRequest(sums.slice(column..<column + 1), slots: slots, mask: randomness(70 + attempt), randomiser: randomness(90)) { _ in
                    DrawAddress(message: 2, row: UInt32(column))
                }.ciphertexts)
            }
            let found = read(decrypted)
            (bits, entries) = (bits + found.bits, entries + found.entries)
        }
        // Half of 13,440 bits by chance, 58 the standard deviation; 0.27 entries.
        let all = attempts * Self.rows * Self.columns * Self.entryBits
        #expect(abs(bits - all / 2) < 290 && entries < 6)
    }

    @Test("packed plaintexts read everything from under a control's bounded mask")
    func packedPlaintextsControl() throws {
        let sums = try packedSums()
        let masks = (0..<Self.columns).map { Natural(bytes: randomness(71).bytes(16, at: DrawAddress(message: 2, row: UInt32($0)))) }
        let masked = sums.adding(key.publicKey.encrypt(masks, random: randomness(72), address: address(2)))
        let found = read(key.decrypt(masked))
        #expect(found.entries == Self.rows * Self.columns && found.bits == Self.rows * Self.columns * Self.entryBits)
    }

    // Dividing ciphertexts

    @Test("no quotient of two ciphertexts shows the difference of their values")
    func quotients() throws {
        let (n, squared) = (textbook.n, textbook.squared)
        func readable(_ ciphers: [BigUInt]) -> Int {
            var count = 0
            for (i, first) in ciphers.enumerated() {
                guard let inverse = first.inverse(squared) else { continue }
                for second in ciphers[(i + 1)...] {
                    let quotient = second * inverse % squared
                    if quotient % n == 1 || quotient % n == n - 1 { count += 1 }
                }
            }
            return count
        }
        let values = (0..<30).map { Int64($0 / 10) }
        #expect(readable(numbers(encrypt(values), key.publicKey)) == 0)
        // The same randomness for every ten rows.
        let control = values.enumerated().map { textbook.encrypt(BigInt($1), randomiser: BigUInt(1000 + $0 % 3)) }
        #expect(readable(control) == 3 * 45)
    }

    /// The owner of the key guesses the other's column, computes the sum's ciphertext for the guess, and divides.
    @Test("dividing a masked sum by guesses of it confirms none")
    func guesses() throws {
        let (n, squared) = (textbook.n, textbook.squared)
        let sent = encrypt((0..<10).map { Int64($0) * 3 - 11 })
        let ciphers = numbers(sent, key.publicKey)
        let column: [UInt32] = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1]
        let products = InnerProducts(key: key.publicKey, columnBits: [1], rows: 10)
        products.add(try CiphertextBatch(wire: sent, count: 10, key: key.publicKey), entries: column)
        let sum = products.finish()

        func confirmed(_ masked: CiphertextBatch) -> [Int] {
            let cipher = numbers(masked.wire, key.publicKey)[0]
            return (0..<1 << 10).filter { guess in
                let product = ciphers.indices.reduce(BigUInt(1)) { guess >> $1 & 1 == 1 ? $0 * ciphers[$1] % squared : $0 }
                guard let inverse = product.inverse(squared) else { return false }
                let quotient = cipher * inverse % n
                return quotient == 1 || quotient == n - 1
            }
        }
        let truth = column.enumerated().reduce(0) { $0 | Int($1.element) << $1.offset }
        let request = MaskedRequest(sum, slots: ValueSlots(bits: 52, keyBits: 512), mask: randomness(80), randomiser: randomness(81), address: address(2))
        #expect(confirmed(request.ciphertexts) == [])
        // A mask is added, but without randomness of its own.
        let mask = textbook.encrypt(BigInt(big(randomness(80).bytes(60, at: DrawAddress(message: 2)))), randomiser: 1)
        let control = try batch([numbers(sum.wire, key.publicKey)[0] * mask % squared], key.publicKey)
        #expect(confirmed(control) == [truth])
    }

    // Masks

    func masked(_ values: [Int64], mask: UInt8 = 82, randomiser: UInt8 = 83, message: UInt8 = 2) throws -> MaskedRequest {
        let batch = try CiphertextBatch(wire: encrypt(values), count: values.count, key: key.publicKey)
        return MaskedRequest(batch, slots: ValueSlots(bits: 52, keyBits: 512), mask: randomness(mask), randomiser: randomness(randomiser), address: address(message))
    }

    @Test("a mask depends on its key and address, and on nothing else")
    func masks() throws {
        let first = try masked([1, 2, 3])
        #expect(try masked([1, 2, 3]).ciphertexts.wire == first.ciphertexts.wire)
        let plain = key.decrypt(first.ciphertexts)
        // Other randomness, other bytes, the same mask; another mask's key or another address, another mask.
        let rerandomised = try masked([1, 2, 3], randomiser: 84)
        #expect(rerandomised.ciphertexts.wire != first.ciphertexts.wire && key.decrypt(rerandomised.ciphertexts) == plain)
        let others = try [masked([1, 2, 3], mask: 85), masked([1, 2, 3], message: 3), masked([4, 2, 3], message: 4)].flatMap { key.decrypt($0.ciphertexts) }
        #expect(Set(others + plain).count == 4)
        let pieces = try masked((0..<30).map { Int64($0) })
        #expect(Set(key.decrypt(pieces.ciphertexts)).count == pieces.ciphertexts.count)
    }

    @Test("a mask used again shows the difference of what it hid, and another address shows none")
    func maskReuse() throws {
        let n = BigInt(textbook.n)
        func difference(_ a: MaskedRequest, _ b: MaskedRequest) -> BigInt {
            let values = [a, b].map { BigInt(big(key.decrypt($0.ciphertexts)[0])) }
            return (values[1] - values[0]).modulus(n)
        }
        #expect(try difference(masked([1000]), masked([1234])) == 234)
        let elsewhere = try difference(masked([1000]), masked([1234], message: 3))
        #expect(min(elsewhere, n - elsewhere).bitWidth > 400)
    }

    @Test("what the owner decrypts is spread evenly over all of [0, n), whatever was masked")
    func uniformity() throws {
        let slots = ValueSlots(bits: 52, keyBits: 512)
        let one = key.publicKey.encrypt([Natural(1)], random: randomness(86), address: address(1))
        var parts = [Int](repeating: 0, count: 8)
        for draw in 0..<800 {
            let request = MaskedRequest(one, slots: slots, mask: randomness(87), randomiser: randomness(88)) { _ in DrawAddress(message: 2, row: UInt32(draw)) }
            parts[Int(big(key.decrypt(request.ciphertexts)[0]) * 8 / textbook.n)] += 1
        }
        // 100 each, 9.4 the standard deviation.
        #expect(parts.allSatisfy { abs($0 - 100) < 48 })
    }
}
