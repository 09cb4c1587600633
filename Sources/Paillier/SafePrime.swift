import BigNumber
import Primitives

/// A prime p = 2ab + 1 with a and b prime and a generator of Z*_p.
///
/// A random element generates the whole group in well under half of the tries, and only the factors of p - 1 can tell:
/// hence the form. a is long, so p - 1 is not smooth (Pollard 1974); b gives the freedom to search.
struct SafePrime {
    let prime: Natural
    let generator: Natural

    static func find(bits: Int, from stream: inout PrimeStream) -> SafePrime {
        let longBits = bits * 55 / 64
        while true {
            let long = stream.prime(bits: longBits)
            // p between 1.5 * 2^(bits - 1) and 2^bits, so that a product of two such primes has full length.
            let low = ((Natural(3) << (bits - 2)).quotient(by: long + long)) + .one
            let high = (Natural.one << bits).quotient(by: long + long)
            for _ in 0..<20_000 {
                let short = low + stream.number(bits: bits) % (high - low)
                guard short.isOdd, short.remainder(by: 3) != 0, short.isProbablyPrime(rounds: 1) else { continue }
                let prime = long * short + long * short + Natural.one
                guard prime.bitWidth == bits, prime.isProbablyPrime(rounds: 1), short.isProbablyPrime(), prime.isProbablyPrime(),
                      short != long
                else { continue }
                return SafePrime(prime: prime, generator: generator(of: prime, factors: [Natural(2), long, short], from: &stream))
            }
        }
    }

    private static func generator(of prime: Natural, factors: [Natural], from stream: inout PrimeStream) -> Natural {
        let order = prime - .one
        while true {
            let candidate = stream.number(bits: prime.bitWidth + 128) % prime
            guard candidate > .one else { continue }
            if factors.allSatisfy({ candidate.power(secret: order.quotient(by: $0), modulo: prime) != .one }) {
                return candidate
            }
        }
    }
}

/// Numbers in the order of their counters, for key generation alone.
struct PrimeStream {
    let random: AddressedRandom
    private var drawn: UInt32 = 0

    init(random: AddressedRandom) { self.random = random }

    /// Uniform below 2^bits.
    mutating func number(bits: Int) -> Natural {
        drawn += 1
        let bytes = random.bytes((bits + 7) / 8, at: DrawAddress(message: 0, round: 0, row: drawn, column: 0))
        return Natural(bytes: bytes).lowBits(bits)
    }

    /// A prime of exactly `bits` bits.
    mutating func prime(bits: Int) -> Natural {
        while true {
            let top = Natural.one << (bits - 1)
            let candidate = top + number(bits: bits - 1)
            if candidate.isOdd, candidate.isProbablyPrime(rounds: 1), candidate.isProbablyPrime() { return candidate }
        }
    }
}
