import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

@Suite("Packed and masked values") struct SlotTests {
    static let bits = [2, 3, 24, 31, 52, 62, 63]

    /// Both ends of what a slot holds, and some of no kind.
    static func values(_ count: Int, bits: Int, _ random: inout Numbers) -> [Int64] {
        let largest = Int64.max >> Int64(64 - bits)
        return (0..<count).map { index in
            switch index % 7 {
            case 0: -largest
            case 1: largest
            case 2: 0
            case 3: -1
            default: Int64.random(in: -largest...largest, using: &random)
            }
        }
    }

    @Test("as many slots as leave 128 bits of n unused", arguments: zip([52, 56, 62, 63], [7, 6, 6, 6]))
    func counts(bits: Int, perCiphertext: Int) {
        let slots = ValueSlots(bits: bits, keyBits: 512)
        #expect(slots.perCiphertext == perCiphertext && slots.perCiphertext * bits <= 512 - 128)
        #expect([0, 1, perCiphertext, perCiphertext + 1].map(slots.ciphertexts) == [0, 1, 1, 2])
        #expect(ValueSlots(bits: bits, keyBits: 2048).perCiphertext == 1920 / bits)
    }

    @Test("packing is the sum of the values at their places, and unpacking gives them back", arguments: bits)
    func packing(bits: Int) {
        var random = Numbers(state: UInt64(bits))
        let n = BigInt(Keys.textbook.n)
        let slots = ValueSlots(bits: bits, keyBits: 512)
        for count in [0, 1, 2, slots.perCiphertext - 1, slots.perCiphertext, slots.perCiphertext + 1, 3 * slots.perCiphertext + 2] {
            for values in [Self.values(count, bits: bits, &random), Self.values(count + 1, bits: bits, &random).suffix(count)] {
                let packed = slots.pack(Array(values), modulus: Keys.bank.publicKey.modulus)
                let expected = stride(from: 0, to: count, by: slots.perCiphertext).map { start in
                    values.dropFirst(start).prefix(slots.perCiphertext).enumerated().reduce(BigInt(0)) { $0 + BigInt($1.element) << (bits * $1.offset) }
                }
                #expect(packed.map { BigInt(big($0)) } == expected.map { $0.modulus(n) })
                #expect(slots.unpack(packed, count: count, modulus: Keys.bank.publicKey.modulus) == Array(values))
                for (index, sum) in expected.enumerated() {
                    let held = min(slots.perCiphertext, count - index * slots.perCiphertext)
                    let residue = natural(sum.modulus(BigInt(1) << (bits * held)).magnitude)
                    #expect(slots.unpack(residue, count: held) == Array(values.dropFirst(index * slots.perCiphertext).prefix(held)))
                }
            }
        }
    }

    @Test("whatever plaintext a peer sends is unpacked without a trap")
    func hostilePlaintexts() {
        let modulus = Keys.bank.publicKey.modulus
        for bits in Self.bits {
            let slots = ValueSlots(bits: bits, keyBits: 512)
            for plaintext in [Natural.zero, modulus - .one, modulus >> 1, (modulus >> 1) + .one, Natural.one << 511, (Natural.one << 384) - .one] {
                #expect(slots.unpack([plaintext], count: slots.perCiphertext, modulus: modulus).count == slots.perCiphertext)
            }
        }
    }

    @Test("masked values come back exactly, however many and however large", arguments: bits)
    func requests(bits: Int) throws {
        var random = Numbers(state: UInt64(bits) + 100)
        let key = Keys.bank
        let slots = ValueSlots(bits: bits, keyBits: 512)
        for count in [1, slots.perCiphertext, 2 * slots.perCiphertext + 1] {
            let values = Self.values(count, bits: bits, &random)
            let wire = key.encrypt(values, random: randomness(30), address: address(1))
            let request = MaskedRequest(try CiphertextBatch(wire: wire, count: count, key: key.publicKey), slots: slots,
                                        mask: randomness(31), randomiser: randomness(32), address: address(2))
            #expect(request.ciphertexts.count == slots.ciphertexts(count))
            let answers = key.lowBits(of: try request.ciphertexts.sent(), values: count, slots: slots)
            #expect(request.values(fromLowBits: answers) == values)
            // The answer is the low part of the plain sum modulo n, and no more than the declared values.
            let plain = numbers(request.ciphertexts.wire, key.publicKey).map(Keys.textbook.decrypt)
            for (index, answer) in answers.enumerated() {
                let held = min(slots.perCiphertext, count - index * slots.perCiphertext)
                #expect(big(answer) == plain[index] & ((BigUInt(1) << (bits * held)) - 1))
            }
        }
    }

    @Test("answers of another number are refused; what lies above the declared bits is not looked at")
    func refusedAnswers() throws {
        let key = Keys.bank
        let slots = ValueSlots(bits: 52, keyBits: 512)
        let request = MaskedRequest(key.publicKey.encrypt([Natural](repeating: Natural(5), count: 9), random: randomness(33), address: address(1)),
                                    slots: slots, mask: randomness(31), randomiser: randomness(32), address: address(2))
        let answers = key.lowBits(of: request.ciphertexts, values: 9, slots: slots)
        #expect(request.values(fromLowBits: answers) == [Int64](repeating: 5, count: 9))
        #expect(request.values(fromLowBits: []) == nil && request.values(fromLowBits: [answers[0]]) == nil)
        #expect(request.values(fromLowBits: answers + [.zero]) == nil)
        let above = [answers[0] + Natural.one << 364, answers[1] + Natural.one << 104]
        #expect(request.values(fromLowBits: above) == [Int64](repeating: 5, count: 9))
        #expect(request.values(fromLowBits: [answers[0], (Natural.one << 104) - .one])?.count == 9)
    }
}
