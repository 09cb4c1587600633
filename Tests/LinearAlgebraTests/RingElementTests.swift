import BigInt
import Foundation
import LinearAlgebra
import Testing

/// Against an independent implementation of integers.
@Suite("Fixed point in a ring") struct RingElementTests {
    static let modulus = BigInt(1) << 192

    static func integer(_ element: RingElement) -> BigInt { BigInt(BigUInt(Data(element.bytes))) }

    static func element(_ integer: BigInt) -> RingElement? {
        let bytes = [UInt8](integer.modulus(modulus).magnitude.serialize())
        return RingElement(bytes: ([UInt8](repeating: 0, count: 24 - bytes.count) + bytes)[...])
    }

    /// value 2^96, cut off toward zero: exact, since a double is an integer times a power of two.
    static func scaled(_ value: Double) -> BigInt {
        guard value != 0 else { return 0 }
        let significand = BigInt(Int64(value.magnitude.significand * 0x1p52))
        let shift = Int(value.magnitude.exponent) + 96 - 52
        let magnitude = shift >= 0 ? significand << shift : significand >> -shift
        return value < 0 ? -magnitude : magnitude
    }

    static let values: [Double] = {
        var numbers = Numbers(state: 192)
        let magnitudes = [0, 1, 1.5, .pi, 1e-20, 1e-28, 0x1p-95, 0x1p-96, 0x1.8p-96, 0x1.fffffffffffffp-97, 0x1p-97, .leastNonzeroMagnitude, .leastNormalMagnitude,
                          0x1p31, 0x1p32, 0x1p63, 0x1p64, 0x1p93, 0x1.fffffffffffffp93, 0x1p-32, 0x1p-33, 0x1p-31, 0x1.fffffffffffffp-44, 0x1p-44]
        let drawn = (0..<600).map { numbers.next() * pow(2, Double($0 % 200) - 105) }
        return magnitudes + magnitudes.map { -$0 } + drawn
    }()

    @Test("a real number becomes its multiple of 2^-96, cut off toward zero")
    func encoding() {
        for value in Self.values {
            #expect(Self.integer(RingElement(value)) == Self.scaled(value).modulus(Self.modulus))
        }
    }

    @Test("what is out of range or no number counts as zero")
    func outOfRange() {
        for value in [0x1p94, -0x1p94, 1e300, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan, .signalingNaN, -0.0] {
            #expect(RingElement(value) == RingElement(0) && RingElement(value).value == 0)
        }
    }

    @Test("sums and differences are those of integers modulo 2^192")
    func arithmetic() throws {
        let one = BigInt(1)
        var integers = [0, 1, -1, one << 64, (one << 64) - 1, one << 128, (one << 128) - 1, one << 191, (one << 191) - 1, -(one << 128)]
        var numbers = Numbers(state: 7)
        integers += (0..<30).map { index in Self.scaled(numbers.next() * pow(2, Double(index * 3))) }
        for a in integers {
            for b in integers {
                let (x, y) = (try #require(Self.element(a)), try #require(Self.element(b)))
                #expect(Self.integer(x + y) == (a + b).modulus(Self.modulus))
                #expect(Self.integer(x - y) == (a - b).modulus(Self.modulus))
                #expect((x == y) == (a.modulus(Self.modulus) == b.modulus(Self.modulus)))
            }
        }
    }

    @Test("the real number that is read back is the one that was put in, to within its last place")
    func decoding() {
        for value in Self.values {
            let exact = Double(sign: .plus, exponent: -96, significand: 1)
            let error = abs(RingElement(value).value - value)
            #expect(error <= max(exact, abs(value) * 0x1p-51))
            // Down to 2^-44 every bit of a double is held.
            if abs(value) >= 0x1p-44 || value == 0 { #expect(RingElement(value).value == value) }
        }
    }

    @Test("the ends of the ring are read as the ends of the centred range")
    func ends() throws {
        let one = BigInt(1)
        #expect(try #require(Self.element((one << 191) - 1)).value == 0x1p95)
        #expect(try #require(Self.element(one << 191)).value == -0x1p95)
        #expect(try #require(Self.element(-1)).value == -0x1p-96)
        #expect(try #require(Self.element(1)).value == 0x1p-96)
    }

    @Test("pads of either sign cancel to the last bit, and a padded share shows nothing of the value")
    func pads() throws {
        var numbers = Numbers(state: 8)
        for value in Self.values {
            let other = numbers.next()
            let pad = try #require(RingElement(bytes: (0..<24).map { _ in UInt8((numbers.next() + 1) * 127.99) }[...]))
            let (mine, theirs) = (RingElement(value) + pad, RingElement(other) - pad)
            #expect(mine + theirs == RingElement(value) + RingElement(other))
            #expect(Self.integer(mine + theirs) == (Self.scaled(value) + Self.scaled(other)).modulus(Self.modulus))
            // Any value explains the share, under some pad.
            #expect(RingElement(1234) + (mine - RingElement(1234)) == mine)
        }
    }

    @Test("bytes are big-endian, of exactly 24, and give the element again")
    func bytes() throws {
        #expect(RingElement(1).bytes == [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 0, count: 12))
        #expect(RingElement(-0x1p-96).bytes == [UInt8](repeating: 0xff, count: 24))
        let bytes = (1...24).map { UInt8($0) }
        let long = [9] + bytes + [9]
        #expect(try #require(RingElement(bytes: bytes[...])).bytes == bytes)
        #expect(try #require(RingElement(bytes: long[1..<25])).bytes == bytes)
        for count in [0, 1, 23, 25, 48] { #expect(RingElement(bytes: [UInt8](repeating: 0, count: count)[...]) == nil) }
        #expect(Set([RingElement(2), RingElement(1) + RingElement(1), RingElement(3)]).count == 2)
    }
}
