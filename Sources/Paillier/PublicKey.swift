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

    init(modulus: Natural, kernels: Kernels = .chosen) {
        self.modulus = modulus
        squared = modulus * modulus
        bits = modulus.bitWidth
        arithmetic = SquareModulus(base: modulus, kernels: kernels)
    }

    /// A peer's key as it came over the wire: `bits`/8 bytes, with its certificate bound to `context`.
    package init(wire: [UInt8], certificate: [UInt8], bits: Int, context: [UInt8], kernels: Kernels = .chosen) throws(PaillierError) {
        guard wire.count == bits / 8 else { throw .malformedModulus }
        let modulus = Natural(bytes: wire)
        guard modulus.isOdd, modulus.bitWidth == bits else { throw .malformedModulus }
        var divisor: UInt64 = 3
        while divisor < PublicKey.smallestFactor {
            if modulus.remainder(by: divisor) == 0 { throw .malformedModulus }
            divisor += 2
        }
        self.init(modulus: modulus, kernels: kernels)
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
            let randomisers = arithmetic.powers(range.map { uniform(random, at: address($0)) }, exponent: modulus, isSecret: false, workspace)
            let ciphers = zip(range, randomisers).map { (Natural.one + plaintexts[$0] * modulus) * $1 % squared }
            arithmetic.load(ciphers, into: batch.residues, range.lowerBound, workspace)
        }
        return batch
    }

    /// Uniform below n up to a statistical distance of 2^-128.
    package func uniform(_ random: AddressedRandom, at address: DrawAddress) -> Natural {
        Natural(bytes: random.bytes(modulusBytes + 16, at: address)) % modulus
    }
}
