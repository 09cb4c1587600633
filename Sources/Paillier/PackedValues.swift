import BigNumber
import Primitives

/// Many signed values of k bits in one plaintext: sum_c v_c 2^(k c), each |v_c| < 2^(k - 1).
///
/// At least 128 bits of n stay unused, so that adding a mask uniform below n wraps around with probability below 2^-127.
package struct ValueSlots: Sendable, Hashable {
    /// Bits of n that stay unused.
    package static let headroomBits = 128

    /// k, at most 63.
    package let bits: Int
    package let perCiphertext: Int

    package init(bits: Int, keyBits: Int) {
        precondition((2...63).contains(bits))
        self.bits = bits
        perCiphertext = (keyBits - Self.headroomBits) / bits
    }

    /// How many ciphertexts hold `values` values.
    package func ciphertexts(_ values: Int) -> Int { (values + perCiphertext - 1) / perCiphertext }

    /// How many values the ciphertext at `index` holds.
    func count(_ index: Int, of values: Int) -> Int { min(perCiphertext, values - index * perCiphertext) }

    /// Puts encrypted values side by side under encryption, by squarings: value c of a ciphertext at bit k c.
    package func packing(_ values: CiphertextBatch) -> CiphertextBatch {
        let arithmetic = values.key.arithmetic
        let packed = CiphertextBatch(key: values.key, count: ciphertexts(values.count))
        Parallel.ranges(packed.count) { range in
            let workspace = arithmetic.makeWorkspace()
            // Ciphertexts side by side; only the last one may hold fewer.
            for value in Swift.stride(from: perCiphertext - 1, through: 0, by: -1) {
                let started = range.prefix { value < count($0, of: values.count) - 1 }
                let places = packed.residues[.from(range.lowerBound)]
                if !started.isEmpty {
                    for _ in 0..<bits { arithmetic.square(places, places, count: started.count, workspace) }
                    let factors = values.residues[.list(started.map { UInt32($0 * perCiphertext + value) })]
                    arithmetic.multiply(places, places, factors, count: started.count, workspace)
                }
                for index in range where value == count(index, of: values.count) - 1 {
                    packed.residues.copy(from: values.residues, index * perCiphertext + value, to: index)
                }
            }
        }
        return packed
    }

    package func pack(_ values: [Int64], modulus: Natural) -> [Natural] {
        (0..<ciphertexts(values.count)).map { index in
            let range = index * perCiphertext..<index * perCiphertext + count(index, of: values.count)
            return values[range].reversed().reduce(Natural.zero) { sum, value in
                ((sum << bits) + Natural(value, modulo: modulus)) % modulus
            }
        }
    }

    /// Reads back what `pack` made, after decryption.
    package func unpack(_ plaintexts: [Natural], count: Int, modulus: Natural) -> [Int64] {
        plaintexts.enumerated().flatMap { index, plaintext in
            let held = self.count(index, of: count)
            let bits = self.bits * held
            // A negative sum stands as n minus its magnitude.
            let negative = plaintext > modulus >> 1
            let residue = negative
                ? ((Natural.one << bits) - (modulus - plaintext).lowBits(bits)).lowBits(bits) : plaintext.lowBits(bits)
            return unpack(residue, count: held)
        }
    }

    /// Reads the values back from a number modulo 2^(k count).
    package func unpack(_ packed: Natural, count: Int) -> [Int64] {
        var rest = packed
        let half = Natural.one << (bits - 1)
        return (0..<count).map { _ in
            let digit = rest.lowBits(bits)
            let magnitude: Int64
            if digit >= half {
                magnitude = -Int64(truncatingIfNeeded: ((Natural.one << bits) - digit).word)
                rest = (rest >> bits) + .one
            } else {
                magnitude = Int64(truncatingIfNeeded: digit.word)
                rest = rest >> bits
            }
            return magnitude
        }
    }
}

/// The requester's half of having values decrypted: what it sends, and the masks that only it can take off again.
package struct MaskedRequest: Sendable {
    package let ciphertexts: CiphertextBatch
    private let masks: [Natural]
    private let slots: ValueSlots
    private let count: Int

    /// Packs the values and masks each ciphertext *uniformly modulo n*.
    ///
    /// A mask of bounded length would let the key's owner, who chose the plaintexts, read what lies above it; under a
    /// uniform one its decryption is uniform whatever it put in.
    ///
    /// - Parameters:
    ///   - values: ciphertexts of signed values below 2^(k - 1) in magnitude, under the answering party's key.
    ///   - mask: randomness of the masks, which nobody else may ever see.
    ///   - randomiser: randomness of the encryptions of the masks, from another key than `mask`: both draw at the same addresses.
    package init(_ values: CiphertextBatch, slots: ValueSlots, mask: AddressedRandom, randomiser: AddressedRandom,
                 address: @Sendable (Int) -> DrawAddress) {
        let key = values.key
        self.slots = slots
        count = values.count
        let packed = slots.packing(values)
        masks = (0..<packed.count).map { key.uniform(mask, at: address($0)) }
        ciphertexts = packed.adding(key.encrypt(masks, random: randomiser, address: address))
    }

    /// Takes the masks off the low bits that came back.
    package func values(fromLowBits answers: [Natural]) -> [Int64]? {
        guard answers.count == masks.count else { return nil }
        var values: [Int64] = []
        for (index, answer) in answers.enumerated() {
            let held = slots.count(index, of: count)
            let bits = slots.bits * held
            // Nothing is refused here: whether a value was refused would tell the answering party something about it.
            let difference = (answer.lowBits(bits) + (Natural.one << bits) - masks[index].lowBits(bits)).lowBits(bits)
            values += slots.unpack(difference, count: held)
        }
        return values
    }
}

extension PrivateKey {
    /// The answering party's half: decrypts and keeps exactly the low bits of the declared number of values. No check and
    /// no error depends on what was decrypted.
    package func lowBits(of request: CiphertextBatch, values: Int, slots: ValueSlots) -> [Natural] {
        precondition(request.count == slots.ciphertexts(values))
        return decrypt(request).enumerated().map { index, plaintext in
            plaintext.lowBits(slots.bits * slots.count(index, of: values))
        }
    }
}
