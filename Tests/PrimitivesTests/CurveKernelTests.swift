import Foundation
import Primitives
import Testing

/// Eight points at a time against libcrypto and the arithmetic of `FieldElement`, on the same bytes.
@Suite("Kernels of points", .enabled(if: EllipticCurve.Kernels.vector.areThere, "this processor has no AVX-512 IFMA"))
struct CurveKernelTests {
    private static let curves: [EllipticCurve] = [.p256, .sm2]
    /// Ten million points of P-256 and a million of SM2, whose reference is slower; a few thousand otherwise.
    private static let isExhaustive = ProcessInfo.processInfo.environment["JOINTLAB_EXHAUSTIVE"] == "1"

    private static func prime(_ curve: EllipticCurve) -> [UInt8] {
        curve == .p256 ? hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
            : hex("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff")
    }

    private static func order(_ curve: EllipticCurve) -> [UInt8] {
        curve == .p256 ? hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
            : hex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123")
    }

    private static func generator(_ curve: EllipticCurve) -> [UInt8] {
        curve == .p256 ? hex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
            : hex("0232c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7")
    }

    /// number + difference, of 32 bytes big-endian.
    private static func sum(_ number: [UInt8], _ difference: Int) -> [UInt8] {
        var bytes = number, carry = difference
        for index in bytes.indices.reversed() {
            carry += Int(bytes[index])
            bytes[index] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
        }
        return bytes
    }

    private static func power(_ bit: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        bytes[31 - bit / 8] = 1 << UInt8(bit % 8)
        return bytes
    }

    private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in generator.next() }
    }

    /// The ends of field and group, every limb's first and last bit alone and with runs of ones below it, and p with one bit changed.
    private static func edges(_ curve: EllipticCurve) -> [[UInt8]] {
        let bits = [0, 1, 51, 52, 53, 63, 64, 65, 95, 96, 103, 104, 105, 127, 128, 155, 156, 157, 191, 192, 207, 208, 209, 223, 224, 225, 254, 255]
        let ends = (-2...2).flatMap { [sum(prime(curve), $0), sum(order(curve), $0), sum([UInt8](repeating: 0, count: 32), $0)] }
        let neighbours = bits.flatMap { bit in [-1, 0, 1].map { sum(power(bit), $0) } }
        let changed: [[UInt8]] = bits.map { bit in zip(prime(curve), power(bit)).map { $0 ^ $1 } }
        return ends + neighbours + changed
    }

    private static func scalars(_ curve: EllipticCurve) -> [EllipticCurve.Scalar] {
        // The ends that only the reference takes, those next to them, and every digit's extremes.
        let near = (126...132).flatMap { [sum([UInt8](repeating: 0, count: 32), $0), sum(order(curve), -$0)] }
        let digits = [0x00, 0x55, 0xaa, 0xff].map { [UInt8](repeating: $0, count: 31) + [0x81] }.map { [0x7f] + $0.dropFirst() }
        let drawn = (0..<8).map { _ in random(32) }
        return (edges(curve) + near + digits + drawn).compactMap { EllipticCurve.Scalar(SecretBytes(copying: $0), of: curve) }
    }

    /// Compressed points whose x is near one that is given, and a few multiples of the generator.
    private static func points(_ curve: EllipticCurve) throws -> [[UInt8]] {
        let near = edges(curve).compactMap { x -> [UInt8]? in
            (0..<64).lazy.map { [UInt8($0 % 2 + 2)] + sum(x, $0 / 2) }
                .first { (try? curve.validate($0[...], encoding: .compressed, kernels: .portable)) != nil }
        }
        let multiples = try (1...40).map { factor in
            let scalar = try #require(EllipticCurve.Scalar(SecretBytes(copying: sum([UInt8](repeating: 0, count: 32), factor)), of: curve))
            return try EllipticCurve.multiply(generator(curve)[...], encoding: .compressed, by: scalar, kernels: .portable)
        }
        return near + multiples
    }

    /// By mapping, which both kernels do and another test compares.
    private static func uncompressed(_ curve: EllipticCurve, _ count: Int) -> [UInt8] {
        curve.points(mappedFrom: random(96 * count), kernels: .vector)
    }

    @Test("products are the same bytes: scalars and points at the edges, both encodings", arguments: curves)
    func products(curve: EllipticCurve) throws {
        let points = try Self.points(curve)
        #expect(points.count > 120)
        let compressed = points.flatMap(\.self)
        let plain = Self.uncompressed(curve, 21)
        for scalar in Self.scalars(curve) {
            for (bytes, encoding) in [(compressed, EllipticCurve.Encoding.compressed), (plain, .uncompressed)] {
                let vector = try EllipticCurve.multiply(bytes[...], encoding: encoding, by: scalar, kernels: .vector)
                #expect(try vector == EllipticCurve.multiply(bytes[...], encoding: encoding, by: scalar, kernels: .portable))
            }
        }
    }

    @Test("products and mapped points are the same bytes for random input, in batches of any size", arguments: curves)
    func random(curve: EllipticCurve) throws {
        var left = Self.isExhaustive ? (curve == .p256 ? 10_000_000 : 1_000_000) : 4_000
        for size in [0, 1, 7, 8, 9, 255, 256, 257] + [Int](repeating: 1 << 14, count: 1_000) where left > 0 || size < 300 {
            let count = min(size, max(left, size < 300 ? size : 0))
            let uniform = Self.random(96 * count)
            let points = curve.points(mappedFrom: uniform, kernels: .vector)
            #expect(points == curve.points(mappedFrom: uniform, kernels: .portable))
            let scalar = try #require(EllipticCurve.Scalar(SecretBytes(copying: [0x7f] + Self.random(31)), of: curve))
            let vector = try EllipticCurve.multiply(points[...], encoding: .uncompressed, by: scalar, kernels: .vector)
            #expect(try vector == EllipticCurve.multiply(points[...], encoding: .uncompressed, by: scalar, kernels: .portable))
            left -= count
        }
    }

    @Test("mapped points are the same bytes at the edges: zeros, ones, the prime, twice one element, an element and its negative", arguments: curves)
    func maps(curve: EllipticCurve) {
        let zeros = [UInt8](repeating: 0, count: 16)
        var halves = Self.edges(curve).map { zeros + $0 } + Self.edges(curve).map { Array($0[..<16]) + $0 }
        halves += [[UInt8](repeating: 0xff, count: 48), [UInt8](repeating: 0xff, count: 16) + [UInt8](repeating: 0, count: 32)]
        let prime = Self.prime(curve)
        var uniform: [UInt8] = []
        for (half, next) in zip(halves, halves.dropFirst() + halves.prefix(1)) {
            for other in [Self.random(48), half, next] { uniform += half + other }
        }
        // u and p - u give a point and its negative: the identity.
        let negatives = [1, 2, 77]
        for small in negatives {
            uniform += zeros + Self.sum([UInt8](repeating: 0, count: 32), small)
            uniform += zeros + Self.sum(prime, -small)
        }
        let vector = curve.points(mappedFrom: uniform, kernels: .vector)
        #expect(vector == curve.points(mappedFrom: uniform, kernels: .portable))
        #expect(vector.suffix(65 * negatives.count).allSatisfy { $0 == 0 })
    }

    @Test("what is no point is refused alike, whichever lane it is in, and what is one is taken", arguments: curves)
    func refusals(curve: EllipticCurve) throws {
        func index(_ bytes: [UInt8], _ encoding: EllipticCurve.Encoding, _ kernels: EllipticCurve.Kernels) -> PrimitiveError? {
            do throws(PrimitiveError) {
                try curve.validate(bytes[...], encoding: encoding, kernels: kernels)
                return nil
            } catch {
                return error
            }
        }
        // Half of all x have a point.
        var taken = 0
        for x in Self.edges(curve) + (0..<500).map({ _ in Self.random(32) }) {
            for prefix: UInt8 in [0, 2, 3, 4] {
                let bytes = [prefix] + x
                let portable = index(bytes, .compressed, .portable)
                #expect(index(bytes, .compressed, .vector) == portable, "\(bytes)")
                taken += portable == nil ? 1 : 0
            }
            #expect(index([4] + x + x, .uncompressed, .vector) == index([4] + x + x, .uncompressed, .portable))
        }
        #expect(taken > 400)
        let valid = Self.uncompressed(curve, 19)
        let scalar = try #require(EllipticCurve.Scalar(SecretBytes(copying: [0x7f] + Self.random(31)), of: curve))
        #expect(index(valid, .uncompressed, .vector) == nil)
        for lane in 0..<19 {
            for (offset, change) in [(0, 1 as UInt8), (1, 0x80), (32, 1), (33, 0x80), (64, 1)] {
                var bytes = valid
                bytes[65 * lane + offset] ^= change
                #expect(index(bytes, .uncompressed, .vector) == .invalidPoint(index: lane))
                #expect(throws: PrimitiveError.invalidPoint(index: lane)) {
                    try EllipticCurve.multiply(bytes[...], encoding: .uncompressed, by: scalar, kernels: .vector)
                }
            }
        }
        // Of several the first is named; half an element is none.
        var several = valid
        for lane in [17, 9, 12] { several[65 * lane] = 5 }
        #expect(index(several, .uncompressed, .vector) == .invalidPoint(index: 9))
        #expect(index(Array(valid.dropLast()), .uncompressed, .vector) == .wrongByteCount)
    }
}
