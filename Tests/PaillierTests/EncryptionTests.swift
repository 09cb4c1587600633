import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

@Suite("Encryption") struct EncryptionTests {
    static let edges: [Int64] = [0, 1, -1, 2, -2, 4096, -4096, 1 << 24, -(1 << 24), 1 << 52, -(1 << 52), .max, -.max, .min]

    @Test("what the owner encrypts, the textbook decrypts, and the owner too")
    func ownerEncryption() throws {
        let key = Keys.bank
        var random = Numbers(state: 1)
        let values = Self.edges + (0..<50).map { _ in Int64.random(in: .min ... .max, using: &random) }
        let wire = key.encrypt(values, random: randomness(2), address: address(1))
        #expect(wire.count == values.count * 128 && numbers(wire, key.publicKey).map(Keys.textbook.signed) == values.map { BigInt($0) })
        let batch = try CiphertextBatch(wire: wire, count: values.count, key: key.publicKey)
        #expect(key.signedValues(batch) == values.map { BigInt($0) } && batch.wire == wire)
    }

    @Test("what the public key encrypts, the textbook decrypts, and the owner too")
    func publicEncryption() throws {
        let key = Keys.bank
        let n = Keys.textbook.n
        var random = Numbers(state: 2)
        let plaintexts = [0, 1, 2, n - 1, n - 2, n / 2, n / 2 + 1, Keys.textbook.primes[0].prime] + (0..<20).map { _ in BigUInt.randomInteger(lessThan: n, using: &random) }
        let batch = key.publicKey.encrypt(plaintexts.map(natural), random: randomness(3), address: address(1))
        #expect(numbers(batch.wire, key.publicKey).map(Keys.textbook.decrypt) == plaintexts)
        #expect(key.decrypt(try batch.sent()).map { big($0) } == plaintexts)
    }

    @Test("what the textbook encrypts, the owner decrypts")
    func textbookEncryption() throws {
        let values = Self.edges.map { BigInt($0) } + [BigInt(1) << 500, -(BigInt(1) << 500)]
        let ciphers = values.enumerated().map { Keys.textbook.encrypt($1, randomiser: BigUInt(1_000_003 + $0)) }
        #expect(Keys.bank.signedValues(try batch(ciphers, Keys.bank.publicKey)) == values)
    }

    /// rho, the random part of an owner's ciphertext, is to be uniform among all n-th residues. p - 1 = 2ab: an element of
    /// Z*_p lacks a prime factor l of the group's order exactly if its power (p - 1) / l is one.
    @Test("the owner's randomness fills the group of n-th residues")
    func fullOrder() {
        let (key, textbook) = (Keys.bank, Keys.textbook)
        let draws = 400
        let wire = key.encrypt((0..<draws).map { Int64($0 % 5) }, random: randomness(4), address: address(1))
        let random = numbers(wire, key.publicKey).map(textbook.randomPart)
        for rho in random.prefix(20) { #expect(rho.power(textbook.carmichael, modulus: textbook.squared) == 1) }
        var signs: [[Bool]] = []
        for half in textbook.primes {
            let order = half.prime - 1
            for factor in [half.a, half.b] {
                #expect(random.allSatisfy { ($0 % half.prime).power(order / factor, modulus: half.prime) != 1 })
            }
            signs.append(random.map { ($0 % half.prime).power(order / 2, modulus: half.prime) == 1 })
        }
        // Squares and others modulo p and q, in all four combinations: 100 each, 8.7 the standard deviation.
        for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
            let count = zip(signs[0], signs[1]).count { $0 == first && $1 == second }
            #expect(abs(count - draws / 4) < 45)
        }
        // Uniform at the top as well: sixteen parts of Z_n.
        var parts = [Int](repeating: 0, count: 16)
        for rho in random { parts[Int(rho % textbook.n * 16 / textbook.n)] += 1 }
        #expect(parts.allSatisfy { abs($0 - draws / 16) < 25 })
    }

    @Test("the check of randomness notices a base that is a square, or lacks one of the long factors")
    func fullOrderControl() {
        let half = Keys.textbook.primes[0]
        let order = half.prime - 1
        let base = (2...).lazy.map { BigUInt($0) }.first { base in
            [2, half.a, half.b].allSatisfy { base.power(order / $0, modulus: half.prime) != 1 }
        } ?? 0
        for factor in [2, half.a, half.b] {
            let poor = base.power(factor, modulus: half.prime)
            for exponent in [1, 5, 12345] as [BigUInt] {
                #expect(poor.power(exponent, modulus: half.prime).power(order / factor, modulus: half.prime) == 1)
            }
        }
    }

    @Test("a ciphertext depends on key, value and address, and on nothing else")
    func determinism() {
        let key = Keys.bank
        let values = [Int64](repeating: 5, count: 100)
        let wire = key.encrypt(values, random: randomness(5), address: address(1))
        #expect(key.encrypt(values, random: randomness(5), address: address(1)) == wire)
        #expect(Set(numbers(wire, key.publicKey)).count == 100)
        // One by one, last first, gives the same bytes.
        let width = key.publicKey.ciphertextBytes
        for index in (0..<100).reversed() {
            let single = key.encrypt([5], random: randomness(5)) { _ in DrawAddress(message: 1, row: UInt32(index)) }
            #expect(single == Array(wire[index * width..<(index + 1) * width]))
        }
        #expect(key.encrypt(values, random: randomness(6), address: address(1)) != wire)
        let places = [DrawAddress(message: 2), DrawAddress(message: 1, round: 1), DrawAddress(message: 1, row: 1 << 31),
                      DrawAddress(message: 1, column: 1), DrawAddress(message: 1, draw: 1), DrawAddress(message: 1)]
        let elsewhere = key.encrypt([Int64](repeating: 5, count: 6), random: randomness(5)) { places[$0] }
        #expect(Set(numbers(elsewhere, key.publicKey)).count == 6)
        #expect(Array(elsewhere.suffix(width)) == Array(wire.prefix(width)))
    }

    @Test("products of ciphertexts are ciphertexts of sums, and powers of multiples")
    func homomorphism() throws {
        let key = Keys.bank
        let values = Self.edges
        let a = try CiphertextBatch(wire: key.encrypt(values, random: randomness(7), address: address(1)), count: values.count, key: key.publicKey)
        let b = try CiphertextBatch(wire: key.encrypt(values.reversed(), random: randomness(7), address: address(2)), count: values.count, key: key.publicKey)
        let sums = zip(values, values.reversed()).map { BigInt($0) + BigInt($1) }
        #expect(key.signedValues(a.adding(b)) == sums)
        #expect(numbers(a.adding(b).wire, key.publicKey).map(Keys.textbook.signed) == sums)

        let multiples: [Int64] = [0, 1, -1, 2, -2, 3, 255, -256, 1 << 40, .max, .min, 0, -7, 1]
        let base = b.slice(6..<7)
        let shifted = a.adding(multiples: multiples, of: base)
        #expect(key.signedValues(shifted) == zip(values, multiples).map { BigInt($0) + BigInt($1) * BigInt(values.reversed()[6]) })
        let unshifted = a.adding(multiples: multiples.map { abs($0 / 2) }, of: base)
        #expect(key.signedValues(unshifted) == zip(values, multiples).map { BigInt($0) + BigInt(abs($1 / 2)) * BigInt(values.reversed()[6]) })
    }

    @Test("batches are joined and cut in order")
    func joining() throws {
        let key = Keys.bank.publicKey
        let batches = [3, 0, 1, 5].enumerated().map { part, count in
            key.encrypt((0..<count).map { Natural(UInt64(10 * part + $0)) }, random: randomness(8), address: address(UInt8(part)))
        }
        let joined = CiphertextBatch.joined(batches, key: key)
        #expect(joined.count == 9 && joined.wire == batches.flatMap(\.wire))
        #expect(joined.slice(3..<4).wire == batches[2].wire && joined.slice(4..<9).wire == batches[3].wire && joined.slice(9..<9).count == 0)
        #expect(CiphertextBatch.joined([], key: key).wire == [])
    }
}
