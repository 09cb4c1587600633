import BigNumber
import Primitives

/// A Paillier private key, made fresh for one attempt of one job, wiped when released.
///
/// p = 2ab + 1 with a and b prime, so that a generator of Z*_p can be proven to be one and owner encryption below has
/// exactly the distribution of the textbook's. Never leaves its node.
package struct PrivateKey: Sendable {
    package let publicKey: PublicKey
    private let p: PrimeHalf
    private let q: PrimeHalf
    private let tables: OwnerTables
    /// p^-1 mod q
    private let primeInverse: Natural

    /// Everything about one of the two primes.
    private struct PrimeHalf: Sendable {
        let prime: Natural
        let arithmetic: SquareModulus
        let order: Natural
        /// (L_p((n + 1)^(p - 1) mod p^2))^-1 mod p
        let decryption: Natural
        /// Generates the residues of order p - 1 modulo p^2: the n-th residues.
        let residueGenerator: Natural

        init(_ prime: SafePrime, modulus: Natural, kernels: Kernels) {
            self.prime = prime.prime
            arithmetic = SquareModulus(base: prime.prime, kernels: kernels)
            let squared = arithmetic.modulus
            order = prime.prime - Natural.one
            let lifted = (modulus + Natural.one).power(secret: order, modulo: squared)
            guard let inverse = ((lifted - Natural.one).quotient(by: prime.prime)).inverse(modulo: prime.prime) else {
                preconditionFailure("primes of a key are distinct")
            }
            decryption = inverse
            residueGenerator = prime.generator.power(secret: prime.prime, modulo: squared)
        }

        /// m mod p, of each
        func decrypt(_ ciphers: [Natural]) -> [Natural] {
            arithmetic.powers(ciphers.map { $0 % arithmetic.modulus }, exponent: order, isSecret: true, arithmetic.makeWorkspace()).map { lifted in
                (lifted - Natural.one).quotient(by: prime) * decryption % prime
            }
        }
    }

    /// Allowed lengths of n in products.
    package static let allowedBits = [2048, 3072]

    /// A key of `bits` bits from the randomness at addresses of `random`; the same randomness gives the same key.
    package static func generate(bits: Int, random: AddressedRandom, kernels: Kernels = .chosen) -> PrivateKey {
        precondition(allowedBits.contains(bits))
        return generate(anyBits: bits, random: random, kernels)
    }

    /// For tests alone: keys that a laptop factors.
    package static func generateInsecure(bits: Int, random: AddressedRandom, kernels: Kernels = .chosen) -> PrivateKey {
        precondition(bits >= 512 && bits % 128 == 0)
        return generate(anyBits: bits, random: random, kernels)
    }

    private static func generate(anyBits bits: Int, random: AddressedRandom, _ kernels: Kernels) -> PrivateKey {
        var stream = PrimeStream(random: random)
        while true {
            let first = SafePrime.find(bits: bits / 2, from: &stream)
            let second = SafePrime.find(bits: bits / 2, from: &stream)
            let distance = first.prime > second.prime ? first.prime - second.prime : second.prime - first.prime
            guard distance.bitWidth > bits / 2 - 100 else { continue }
            let modulus = first.prime * second.prime
            guard modulus.bitWidth == bits,
                  modulus.greatestCommonDivisor(with: (first.prime - .one) * (second.prime - .one)) == .one
            else { continue }
            return PrivateKey(first, second, modulus, kernels)
        }
    }

    private init(_ first: SafePrime, _ second: SafePrime, _ modulus: Natural, _ kernels: Kernels) {
        publicKey = PublicKey(modulus: modulus, kernels: kernels)
        p = PrimeHalf(first, modulus: modulus, kernels: kernels)
        q = PrimeHalf(second, modulus: modulus, kernels: kernels)
        guard let primeInverse = p.prime.inverse(modulo: q.prime) else { preconditionFailure("primes of a key are distinct") }
        self.primeInverse = primeInverse
        tables = OwnerTables(.init(prime: p.prime, base: p.residueGenerator), .init(prime: q.prime, base: q.residueGenerator), kernels: kernels)
    }

    /// Encrypts the owner's own values: (1 + m n) rho mod n^2 with rho a uniform n-th residue, found by fixed-base powers
    /// mod p^2 and q^2. The distribution is that of r^n with r uniform, up to a statistical distance of 2^-127.
    ///
    /// The tables are read at indexes that depend on the secret exponent: an attacker on the same processor who sees
    /// cache lines is outside the threat model (Protocols/protocol.md, "What is not defended").
    ///
    /// - Returns: `values.count` ciphertexts of `publicKey.ciphertextBytes` bytes.
    package func encrypt(_ values: [Int64], random: AddressedRandom, address: @Sendable (Int) -> DrawAddress) -> [UInt8] {
        let width = publicKey.ciphertextBytes
        let encryption = tables.ready(encryptions: values.count)
        return [UInt8](unsafeUninitializedCapacity: values.count * width) { buffer, initialized in
            nonisolated(unsafe) let target = UnsafeMutableRawBufferPointer(buffer)
            Parallel.ranges(values.count) { range in
                let workspace = encryption.makeWorkspace()
                for first in stride(from: range.lowerBound, to: range.upperBound, by: OwnerEncryption.mostValues) {
                    let chosen = first..<min(first + OwnerEncryption.mostValues, range.upperBound)
                    encryption.encrypt(Array(values[chosen]), random, chosen.map { address($0) },
                                       into: UnsafeMutableRawBufferPointer(rebasing: target[first * width..<chosen.upperBound * width]), workspace)
                }
            }
            initialized = values.count * width
        }
    }

    /// Makes the tables of `encrypt` for about so many encryptions under this key; without it the first call makes them, for
    /// as many values as it has. What is encrypted does not depend on it.
    package func prepare(encryptions: Int) { _ = tables.ready(encryptions: encryptions) }

    /// Table entries that one encryption multiplies, once tables are there.
    package var entriesPerEncryption: Int { tables.ready(encryptions: 1).entriesPerEncryption }

    /// The plaintexts, below n. Ciphertexts have passed the checks of `CiphertextBatch`.
    package func decrypt(_ batch: CiphertextBatch) -> [Natural] {
        let results = Slots<Natural>(count: batch.count, initial: .zero)
        Parallel.ranges(batch.count) { range in
            let workspace = publicKey.arithmetic.makeWorkspace()
            let ciphers = publicKey.arithmetic.values(batch.residues[.from(range.lowerBound)], count: range.count, workspace)
            for (index, (modP, modQ)) in zip(range, zip(p.decrypt(ciphers), q.decrypt(ciphers))) {
                results[index] = join(modP, modQ)
            }
        }
        return results.values
    }

    /// The number below n with these remainders.
    private func join(_ modP: Natural, _ modQ: Natural) -> Natural {
        let difference = (modQ + q.prime - modP % q.prime) * primeInverse % q.prime
        return modP + p.prime * difference
    }

    /// x with x^n = value mod n: only the owner can take n-th roots.
    func root(of value: Natural) -> Natural {
        func root(_ half: PrimeHalf) -> Natural {
            guard let exponent = (publicKey.modulus % half.order).inverse(modulo: half.order) else {
                preconditionFailure("n is prime to its totient")
            }
            return (value % half.prime).power(secret: exponent, modulo: half.prime)
        }
        return join(root(p), root(q))
    }
}

/// Results of a parallel loop: each index is written by one thread only.
final class Slots<Element: Sendable>: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<Element>

    init(count: Int, initial: Element) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: initial)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    subscript(index: Int) -> Element {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    var values: [Element] { Array(storage) }
}
