import BigInt
import BigNumber
import Foundation
import Paillier
import Primitives

/// SplitMix64, so that a test's numbers are the same everywhere.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// Randomness of a test, by name and number.
func randomness(_ seed: UInt8) -> AddressedRandom {
    AddressedRandom(key: SecretBytes(copying: (0..<32).map { $0 &* 7 &+ seed }))
}

func address(_ message: UInt8) -> @Sendable (Int) -> DrawAddress { { DrawAddress(message: message, row: UInt32($0)) } }

func big(_ bytes: some Collection<UInt8>) -> BigUInt { BigUInt(Data(bytes)) }
func big(_ number: Natural) -> BigUInt { big(number.bytes(count: (number.bitWidth + 7) / 8)) }
func natural(_ number: BigUInt) -> Natural { Natural(bytes: number.serialize()) }

/// Ciphertexts as numbers.
func numbers(_ wire: [UInt8], _ key: PublicKey) -> [BigUInt] {
    stride(from: 0, to: wire.count, by: key.ciphertextBytes).map { big(wire[$0..<$0 + key.ciphertextBytes]) }
}

/// Numbers as ciphertexts that the product has checked.
func batch(_ ciphertexts: [BigUInt], _ key: PublicKey) throws -> CiphertextBatch {
    try CiphertextBatch(wire: ciphertexts.flatMap { natural($0).bytes(count: key.ciphertextBytes) }, count: ciphertexts.count, key: key)
}

/// Paillier's scheme as the paper writes it, in another implementation of integers, by the factors of the fixed key.
struct Textbook {
    struct Prime: Sendable {
        let prime, a, b: BigUInt
    }

    let primes: [Prime]
    let n, squared, carmichael, inverse: BigUInt

    init(primes: [Prime]) {
        self.primes = primes
        n = primes[0].prime * primes[1].prime
        squared = n * n
        let orders = (primes[0].prime - 1, primes[1].prime - 1)
        carmichael = orders.0 * orders.1 / orders.0.greatestCommonDivisor(with: orders.1)
        inverse = carmichael.inverse(n) ?? 0
    }

    func encrypt(_ plaintext: BigInt, randomiser r: BigUInt) -> BigUInt {
        (1 + plaintext.modulus(BigInt(n)).magnitude * n) * r.power(n, modulus: squared) % squared
    }

    func decrypt(_ cipher: BigUInt) -> BigUInt {
        (cipher.power(carmichael, modulus: squared) - 1) / n * inverse % n
    }

    /// The representative nearest to 0.
    func signed(_ cipher: BigUInt) -> BigInt {
        let plaintext = decrypt(cipher)
        return plaintext > n / 2 ? BigInt(plaintext) - BigInt(n) : BigInt(plaintext)
    }

    /// What multiplies 1 + m n.
    func randomPart(_ cipher: BigUInt) -> BigUInt {
        let plaintext = decrypt(cipher)
        return cipher * (1 + (n - plaintext) % n * n) % squared
    }
}

/// Keys of 512 bits, which anyone could factor; of the first, everybody has: it stands in key.json.
enum Keys {
    static let bank = PrivateKey.generateInsecure(bits: 512, random: AddressedRandom(key: SecretBytes(copying: Vector.key.bytes(\.seed))))
    static let platform = PrivateKey.generateInsecure(bits: 512, random: randomness(1))
    static let textbook = Textbook(primes: (Vector.key.primes ?? []).map {
        Textbook.Prime(prime: big(hex($0.prime)), a: big(hex($0.a)), b: big(hex($0.b)))
    })
}

extension CiphertextBatch {
    /// The peer's bytes and back, as between two parties.
    func sent() throws -> CiphertextBatch { try CiphertextBatch(wire: wire, count: count, key: key) }
}

extension PrivateKey {
    func signedValues(_ batch: CiphertextBatch) -> [BigInt] {
        let n = BigInt(big(publicKey.modulus))
        return decrypt(batch).map { plaintext in
            let value = BigInt(big(plaintext))
            return value > n / 2 ? value - n : value
        }
    }
}
