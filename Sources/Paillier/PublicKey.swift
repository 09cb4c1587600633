import BigNumber
import Primitives

/// A Paillier public key: n, with generator n + 1. Source: Paillier, "Public-key cryptosystems based on composite degree
/// residuosity classes", EUROCRYPT 1999.
package struct PublicKey: Sendable {
    package let modulus: Natural
    package let squared: Natural
    /// Length of n in bits.
    package let bits: Int
    package let arithmetic: SquareModulus

    /// Bytes of one ciphertext on the wire: big-endian, fixed width.
    package var ciphertextBytes: Int { bits / 4 }
    package var modulusBytes: Int { bits / 8 }

    /// Trial division up to here belongs to the key certificate: its error bound counts on it.
    static let smallestFactor: UInt64 = 6370

    init(modulus: Natural) {
        self.modulus = modulus
        squared = modulus * modulus
        bits = modulus.bitWidth
        arithmetic = SquareModulus(base: modulus)
    }

    /// A peer's key as it came over the wire: `bits`/8 bytes, with its certificate bound to `context`.
    package init(wire: [UInt8], certificate: [UInt8], bits: Int, context: [UInt8]) throws(PaillierError) {
        guard wire.count == bits / 8 else { throw .malformedModulus }
        let modulus = Natural(bytes: wire)
        guard modulus.isOdd, modulus.bitWidth == bits else { throw .malformedModulus }
        var divisor: UInt64 = 3
        while divisor < PublicKey.smallestFactor {
            if modulus.remainder(by: divisor) == 0 { throw .malformedModulus }
            divisor += 2
        }
        self.init(modulus: modulus)
        try KeyCertificate.verify(certificate, for: self, context: context)
    }

    package var wire: [UInt8] { modulus.bytes(count: modulusBytes) }

    /// Encryption with the public key alone: (1 + m n) r^n mod n^2 with r uniform. For the few values that go to the
    /// key's owner; the randomiser takes a full-length power, since the owner chose n and could undo a shorter one.
    ///
    /// - Parameters:
    ///   - plaintexts: below n.
    ///   - address: of each value's randomness; never used twice under one key of `random`.
    package func encrypt(_ plaintexts: [Natural], random: AddressedRandom, address: @Sendable (Int) -> DrawAddress) -> CiphertextBatch {
        let batch = CiphertextBatch(key: self, count: plaintexts.count)
        Parallel.ranges(plaintexts.count) { range in
            let workspace = arithmetic.makeWorkspace()
            for index in range {
                let base = uniform(random, at: address(index))
                let cipher = (Natural.one + plaintexts[index] * modulus) * base.power(modulus, modulo: squared) % squared
                arithmetic.load(cipher, into: batch.residues, index, workspace)
            }
        }
        return batch
    }

    /// Uniform below n up to a statistical distance of 2^-128.
    package func uniform(_ random: AddressedRandom, at address: DrawAddress) -> Natural {
        Natural(bytes: random.bytes(modulusBytes + 16, at: address)) % modulus
    }
}
