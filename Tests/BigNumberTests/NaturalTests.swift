import BigInt
import BigNumber
import Testing

/// Against an implementation in Swift that shares no code with GMP.
@Suite("Natural numbers") struct NaturalTests {
    @Test("sums, products, differences and quotients are those of another implementation", arguments: [64, 127, 512, 1024, 2048, 6144])
    func arithmetic(bits: Int) {
        var numbers = Numbers(state: UInt64(bits))
        for x in numbers.operands(bits) {
            for y in numbers.operands(bits) + numbers.operands(bits / 2) {
                let (a, b) = (natural(x), natural(y))
                #expect(big(a + b) == x + y)
                #expect(big(a * b) == x * y)
                if x >= y { #expect(big(a - b) == x - y) }
                if y > 0 {
                    let (quotient, remainder) = x.quotientAndRemainder(dividingBy: y)
                    #expect(big(a % b) == remainder)
                    #expect(big(a.quotient(by: b)) == quotient)
                    let both = a.divided(by: b)
                    #expect(big(both.quotient) == quotient && big(both.remainder) == remainder)
                }
                #expect((a < b) == (x < y) && (a == b) == (x == y) && (a >= b) == (x >= y))
            }
        }
    }

    @Test("bits, shifts and short remainders are those of another implementation", arguments: [1, 63, 64, 65, 512, 2047])
    func bits(bits: Int) {
        var numbers = Numbers(state: UInt64(bits))
        for x in [0, 1, (BigUInt(1) << bits) - 1, BigUInt(1) << bits, numbers.below(bits)] {
            let a = natural(x)
            #expect(a.bitWidth == x.bitWidth && a.isZero == (x == 0) && a.isOdd == (x & 1 == 1))
            #expect(a.word == UInt64(truncatingIfNeeded: x))
            for shift in [0, 1, 63, 64, 65, 200, bits] {
                #expect(big(a << shift) == x << shift)
                #expect(big(a >> shift) == x >> shift)
                #expect(big(a.lowBits(shift)) == x & ((BigUInt(1) << shift) - 1))
            }
            for divisor: UInt64 in [1, 2, 3, 6367, 0xffff_ffff, .max] {
                #expect(a.remainder(by: divisor) == UInt64(x % BigUInt(divisor)))
            }
        }
    }

    @Test("powers, in both forms, are those of another implementation", arguments: [64, 512, 1024])
    func powers(bits: Int) {
        var numbers = Numbers(state: UInt64(bits))
        for modulus in [(BigUInt(1) << bits) - 1, numbers.below(bits) | 1 | BigUInt(1) << (bits - 1)] {
            for base in [0, 1, modulus - 1, modulus + 5, numbers.below(bits)] {
                for exponent in [1, 2, (BigUInt(1) << 65) - 1, numbers.below(bits / 2) + 1] {
                    let expected = base.power(exponent, modulus: modulus)
                    #expect(big(natural(base).power(natural(exponent), modulo: natural(modulus))) == expected)
                    #expect(big(natural(base).power(secret: natural(exponent), modulo: natural(modulus))) == expected)
                }
            }
        }
        #expect(Natural(7).power(.zero, modulo: Natural(11)) == .one)
    }

    @Test("common divisors and inverses are those of another implementation", arguments: [64, 512, 2048])
    func inverses(bits: Int) {
        var numbers = Numbers(state: UInt64(bits))
        let factor = numbers.below(bits / 4) | 1
        for x in numbers.operands(bits) + [factor, factor * 6] {
            for modulus in [2, 3, numbers.below(bits) | 1, factor * (numbers.below(bits / 2) + 1)] where modulus > 1 {
                #expect(big(natural(x).greatestCommonDivisor(with: natural(modulus))) == x.greatestCommonDivisor(with: modulus))
                let inverse = natural(x).inverse(modulo: natural(modulus))
                #expect(inverse.map(big) == (x % modulus).inverse(modulus))
            }
        }
    }

    @Test("bytes have the width that is asked for, and leading zeros change nothing")
    func bytes() {
        #expect(Natural(bytes: []).isZero && Natural(bytes: [0, 0]).isZero)
        #expect(Natural.zero.bytes(count: 0) == [] && Natural.zero.bytes(count: 3) == [0, 0, 0])
        #expect(Natural(0x0102).bytes(count: 2) == [1, 2] && Natural(0x0102).bytes(count: 5) == [0, 0, 0, 1, 2])
        var numbers = Numbers(state: 9)
        for count in [1, 7, 8, 9, 64, 255, 256, 257, 768] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            #expect(Natural(bytes: bytes).bytes(count: count) == bytes)
            #expect(Natural(bytes: [0, 0, 0] + bytes).bytes(count: count) == bytes)
            #expect(Natural(bytes: bytes[...].dropFirst(0)) == bytes.withUnsafeBytes { Natural(rawBytes: $0) })
            #expect(Natural(bytes: bytes).bytes(count: count + 9) == [UInt8](repeating: 0, count: 9) + bytes)
            let ones = [UInt8](repeating: 0xff, count: count)
            #expect(big(Natural(bytes: ones)) == (BigUInt(1) << (8 * count)) - 1)
        }
    }

    @Test("a signed value becomes its residue, whatever the modulus")
    func signedResidues() {
        let values: [Int64] = [0, 1, -1, 2, -2, 41, -41, 42, -42, .max, .min, .min + 1, -4096, 1 << 52]
        for modulus in [BigInt(1), 2, 41, 42, BigInt(1) << 63, BigInt(1) << 64, (BigInt(1) << 512) - 569] {
            for value in values {
                let expected = BigInt(value).modulus(modulus).magnitude
                #expect(big(Natural(value, modulo: natural(modulus.magnitude))) == expected)
            }
        }
    }

    @Test("known primes are told from composites that look like them")
    func primes() {
        let one = BigUInt(1)
        // 2^255 - 19, the order of P-256's field, and Mersenne's; then Carmichael numbers, strong pseudoprimes to the bases
        // up to 31 (Jaeschke 1993, Zhang 2001), and squares and products of primes.
        let field = (one << 256) - (one << 224) + (one << 192) + (one << 96) - 1
        for prime in [2, 3, 6367, (one << 61) - 1, (one << 255) - 19, field, (one << 521) - 1] {
            #expect(natural(prime).isProbablyPrime() && natural(prime).isProbablyPrime(rounds: 1))
        }
        for composite in [0, 1, 561, 41041, 3_215_031_751, 3_825_123_056_546_413_051, ((one << 61) - 1) * ((one << 61) - 1),
                          field * ((one << 255) - 19), (one << 523) - 1] {
            #expect(!natural(composite).isProbablyPrime() && !natural(composite).isProbablyPrime(rounds: 1))
        }
    }

    @Test("equal numbers are equal keys, and a description shows no digit")
    func values() {
        let wide = Natural(bytes: [UInt8](repeating: 0, count: 40) + [0x30, 0x39])
        #expect(wide == Natural(12345) && Set([wide, Natural(12345), Natural(1)]).count == 2)
        #expect("\(wide)" == "Natural(14 bits)" && !String(reflecting: wide).contains("12345"))
    }
}
