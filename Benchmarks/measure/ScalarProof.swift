import CLibcrypto
import Foundation
import Primitives

/// What it would cost if the platform proved that it doubled all of the bank's points with one scalar: the batched proof of RFC
/// 9497, 2.2, block by block, its composites with coefficients of 128 bits from a hash over the block. P-256 alone; measured
/// here and part of no job.
enum ScalarProof {
    static let pointsPerBlock = 8192

    /// Costs of the two sides for `count` points; nothing where an honest proof fails or one over a wrong point holds.
    static func measure(count: Int) -> (prover: Cost, verifier: Cost)? {
        guard let secret = scalar(SystemRandom.secret(32)), let key = try? multiple(generator, by: secret) else { return nil }
        let points = EllipticCurve.p256.points(mappedFrom: SystemRandom.bytes(count * EllipticCurve.uniformByteCount))
        guard let doubled = try? EllipticCurve.multiply(points[...], encoding: .uncompressed, by: secret.scalar) else { return nil }
        let blocks = stride(from: 0, to: count, by: pointsPerBlock).map { 65 * $0..<65 * min($0 + pointsPerBlock, count) }
        var proofs: [Proof?] = []
        let prover = Cost.of {
            proofs = blocks.map { try? prove(secret, key: key, points[$0], doubled[$0]) }
        }
        var holds = true
        let verifier = Cost.of {
            for (block, proof) in zip(blocks, proofs) { holds = holds && proof.map { verify($0, key: key, points[block], doubled[block]) } == true }
        }
        // The last block with another multiple in place of one point's.
        guard holds, let last = blocks.last, let proof = proofs.last ?? nil else { return nil }
        let wrong = doubled[last].dropLast(65) + points[last].suffix(65)
        return verify(proof, key: key, points[last], wrong) ? nil : (prover, verifier)
    }

    private struct Proof {
        let challenge, response: [UInt8]
    }

    private struct Secret {
        let bytes: [UInt8]
        let scalar: EllipticCurve.Scalar
    }

    private static func scalar(_ bytes: SecretBytes) -> Secret? {
        EllipticCurve.Scalar(bytes, of: .p256).map { Secret(bytes: bytes.withUnsafeBytes { [UInt8]($0) }, scalar: $0) }
    }

    private static let generator = P256Point.generator.bytes

    private static func multiple(_ point: [UInt8], by secret: Secret) throws -> [UInt8] {
        try EllipticCurve.multiply(point[...], encoding: .uncompressed, by: secret.scalar)
    }

    /// GenerateProof: the composite of the products is the product of the composite.
    private static func prove(_ secret: Secret, key: [UInt8], _ points: ArraySlice<UInt8>, _ doubled: ArraySlice<UInt8>) throws -> Proof? {
        guard let nonce = scalar(SystemRandom.secret(32)) else { return nil }
        let composite = P256Point.sum(of: points, times: coefficients(key, points, doubled)).bytes
        let product = try multiple(composite, by: secret)
        let challenge = challenge(key, composite, product, try multiple(generator, by: nonce), try multiple(composite, by: nonce))
        return Proof(challenge: challenge, response: Scalars.difference(nonce.bytes, challenge, secret.bytes))
    }

    /// VerifyProof.
    private static func verify(_ proof: Proof, key: [UInt8], _ points: ArraySlice<UInt8>, _ doubled: ArraySlice<UInt8>) -> Bool {
        let coefficients = coefficients(key, points, doubled)
        let composite = P256Point.sum(of: points, times: coefficients).bytes, product = P256Point.sum(of: doubled, times: coefficients).bytes
        let first = Scalars.sum(proof.response, generator, proof.challenge, key)
        let second = Scalars.sum(proof.response, composite, proof.challenge, product)
        return challenge(key, composite, product, first, second) == proof.challenge
    }

    private static func coefficients(_ key: [UInt8], _ points: ArraySlice<UInt8>, _ doubled: ArraySlice<UInt8>) -> [UInt128] {
        // All of the block goes into each coefficient: none can be known before all points are fixed.
        let seed = SHA256.hash(Array("JointLab measurement seed ".utf8) + key + points + doubled)
        return (0..<points.count / 65).map { index in
            SHA256.hash(seed + withUnsafeBytes(of: UInt32(index).bigEndian, Array.init)).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
        }
    }

    private static func challenge(_ parts: [UInt8]...) -> [UInt8] {
        Scalars.reduced(SHA256.hash(Array("JointLab measurement challenge ".utf8) + parts.flatMap(\.self)))
    }
}

/// Arithmetic of single scalars and points by libcrypto.
private enum Scalars {
    nonisolated(unsafe) private static let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)
    nonisolated(unsafe) private static let context = BN_CTX_new()
    private static var order: OpaquePointer? { EC_GROUP_get0_order(group) }

    private static func number(_ bytes: [UInt8]) -> OpaquePointer? { BN_bin2bn(bytes, Int32(bytes.count), nil) }

    private static func bytes(_ number: OpaquePointer?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        BN_bn2binpad(number, &bytes, 32)
        return bytes
    }

    static func reduced(_ bytes: [UInt8]) -> [UInt8] {
        let value = number(bytes)
        defer { BN_free(value) }
        BN_nnmod(value, value, order, context)
        return Self.bytes(value)
    }

    /// nonce - challenge secret modulo the order.
    static func difference(_ nonce: [UInt8], _ challenge: [UInt8], _ secret: [UInt8]) -> [UInt8] {
        let (nonce, challenge, secret) = (number(nonce), number(challenge), number(secret))
        defer { [nonce, challenge, secret].forEach { BN_free($0) } }
        BN_mod_mul(challenge, challenge, secret, order, context)
        BN_mod_sub(nonce, nonce, challenge, order, context)
        return bytes(nonce)
    }

    /// a P + b Q, uncompressed.
    static func sum(_ a: [UInt8], _ p: [UInt8], _ b: [UInt8], _ q: [UInt8]) -> [UInt8] {
        let (first, second) = (EC_POINT_new(group), EC_POINT_new(group))
        let (a, b) = (number(a), number(b))
        defer {
            [first, second].forEach { EC_POINT_free($0) }
            [a, b].forEach { BN_free($0) }
        }
        EC_POINT_oct2point(group, first, p, 65, context)
        EC_POINT_oct2point(group, second, q, 65, context)
        EC_POINT_mul(group, first, nil, first, a, context)
        EC_POINT_mul(group, second, nil, second, b, context)
        EC_POINT_add(group, first, first, second, context)
        var bytes = [UInt8](repeating: 0, count: 65)
        EC_POINT_point2oct(group, first, POINT_CONVERSION_UNCOMPRESSED, &bytes, 65, context)
        return bytes
    }
}

/// An integer modulo the prime of P-256 in Montgomery form. The values are public: branches may depend on them.
struct P256Number: Equatable {
    private var a, b, c, d: UInt64

    private init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

    static let zero = P256Number(0, 0, 0, 0)
    /// 2^256 and 2^512 modulo p.
    static let one = power(256)
    private static let square = power(512)

    private static func power(_ exponent: Int) -> P256Number { (0..<exponent).reduce(P256Number(1, 0, 0, 0)) { power, _ in power + power } }

    init(_ bytes: ArraySlice<UInt8>) {
        func limb(_ index: Int) -> UInt64 { bytes.dropFirst(8 * index).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
        self = P256Number(limb(3), limb(2), limb(1), limb(0)) * .square
    }

    var bytes: [UInt8] {
        let plain = self * P256Number(1, 0, 0, 0)
        return [plain.d, plain.c, plain.b, plain.a].flatMap { withUnsafeBytes(of: $0.bigEndian, Array.init) }
    }

    @inline(__always) private static func add(_ x: UInt64, _ y: UInt64, _ carry: inout UInt64) -> UInt64 {
        let wide = UInt128(x) &+ UInt128(y) &+ UInt128(carry)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
        return UInt64(truncatingIfNeeded: wide)
    }

    @inline(__always) private static func subtract(_ x: UInt64, _ y: UInt64, _ borrow: inout UInt64) -> UInt64 {
        let wide = UInt128(x) &- UInt128(y) &- UInt128(borrow)
        borrow = UInt64(truncatingIfNeeded: wide >> 64) & 1
        return UInt64(truncatingIfNeeded: wide)
    }

    @inline(__always) private static func multiply(_ x: UInt64, _ y: UInt64, _ sum: UInt64, _ carry: inout UInt64) -> UInt64 {
        let wide = UInt128(x) &* UInt128(y) &+ UInt128(sum) &+ UInt128(carry)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
        return UInt64(truncatingIfNeeded: wide)
    }

    private static let prime = (UInt64.max, UInt64(0xffff_ffff), UInt64(0), UInt64(0xffff_ffff_0000_0001))

    @inline(__always) private func reduced(_ overflow: UInt64) -> P256Number {
        var borrow: UInt64 = 0
        let less = P256Number(Self.subtract(a, .max, &borrow), Self.subtract(b, 0xffff_ffff, &borrow), Self.subtract(c, 0, &borrow),
                              Self.subtract(d, 0xffff_ffff_0000_0001, &borrow))
        return overflow == 0 && borrow == 1 ? self : less
    }

    @inline(__always) static func + (x: P256Number, y: P256Number) -> P256Number {
        var carry: UInt64 = 0
        return P256Number(add(x.a, y.a, &carry), add(x.b, y.b, &carry), add(x.c, y.c, &carry), add(x.d, y.d, &carry)).reduced(carry)
    }

    @inline(__always) static func - (x: P256Number, y: P256Number) -> P256Number {
        var borrow: UInt64 = 0
        let less = P256Number(subtract(x.a, y.a, &borrow), subtract(x.b, y.b, &borrow), subtract(x.c, y.c, &borrow), subtract(x.d, y.d, &borrow))
        guard borrow == 1 else { return less }
        var carry: UInt64 = 0
        return P256Number(add(less.a, .max, &carry), add(less.b, 0xffff_ffff, &carry), add(less.c, 0, &carry), add(less.d, 0xffff_ffff_0000_0001, &carry))
    }

    /// p is -1 modulo 2^64, so the lowest limb m of the sum is its own multiplier, and (m p + m) / 2^64 is added.
    @inline(__always) static func * (x: P256Number, y: P256Number) -> P256Number {
        var (a, b, c, d, e): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        @inline(__always) func addRow(_ factor: UInt64) {
            var carry: UInt64 = 0
            let m = multiply(x.a, factor, a, &carry)
            b = multiply(x.b, factor, b, &carry)
            c = multiply(x.c, factor, c, &carry)
            d = multiply(x.d, factor, d, &carry)
            let (sum, top) = e.addingReportingOverflow(carry)
            var borrow: UInt64 = 0
            let low = subtract(m, m << 32, &borrow)
            carry = 0
            a = add(b, m << 32, &carry)
            b = add(c, m >> 32, &carry)
            c = add(d, low, &carry)
            d = add(sum, m &- m >> 32 &- borrow, &carry)
            e = carry &+ (top ? 1 : 0)
        }
        addRow(y.a)
        addRow(y.b)
        addRow(y.c)
        addRow(y.d)
        return P256Number(a, b, c, d).reduced(e)
    }

    /// self^(p - 2).
    var inverse: P256Number {
        let exponent = [P256Number.prime.3, P256Number.prime.2, P256Number.prime.1, P256Number.prime.0 &- 2]
        return exponent.reduce(.one) { power, limb in
            stride(from: 63, through: 0, by: -1).reduce(power) { limb >> UInt64($1) & 1 == 1 ? $0 * $0 * self : $0 * $0 }
        }
    }

    /// All at the price of one; none is zero.
    static func invert(_ numbers: inout [P256Number]) {
        var prefixes: [P256Number] = []
        prefixes.reserveCapacity(numbers.count)
        var product = one
        for number in numbers {
            prefixes.append(product)
            product = product * number
        }
        var inverse = product.inverse
        for index in numbers.indices.reversed() {
            let number = numbers[index]
            numbers[index] = inverse * prefixes[index]
            inverse = inverse * number
        }
    }
}

/// A point of P-256 but the identity.
struct P256Point {
    let x, y: P256Number

    init(x: P256Number, y: P256Number) { (self.x, self.y) = (x, y) }

    /// Uncompressed, of the curve.
    init(_ bytes: ArraySlice<UInt8>) { self.init(x: P256Number(bytes.dropFirst().prefix(32)), y: P256Number(bytes.suffix(32))) }

    var bytes: [UInt8] { [4] + x.bytes + y.bytes }

    static let generator: P256Point = {
        let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)
        defer { EC_GROUP_free(group) }
        var bytes = [UInt8](repeating: 0, count: 65)
        EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED, &bytes, 65, nil)
        return P256Point(bytes[...])
    }()

    /// Bits of a digit, which is signed.
    private static let digitBits = 11

    /// The sum of all points times their coefficients (Pippenger 1976): for each digit the points are summed by its value, in pairs
    /// that share one inversion, and the sums of the values are folded.
    static func sum(of bytes: ArraySlice<UInt8>, times coefficients: [UInt128]) -> P256Point {
        let points = coefficients.indices.map { P256Point(bytes.dropFirst(65 * $0).prefix(65)) }
        let digits = coefficients.map(digits)
        var total = Jacobian.identity
        for place in (0..<128 / digitBits + 1).reversed() {
            for _ in 0..<digitBits { total = total.doubled }
            var buckets = [[P256Point]](repeating: [], count: 1 << (digitBits - 1))
            for (point, digits) in zip(points, digits) where digits[place] != 0 {
                let digit = digits[place]
                buckets[Int(digit.magnitude) - 1].append(digit > 0 ? point : P256Point(x: point.x, y: .zero - point.y))
            }
            addUp(&buckets)
            var running = Jacobian.identity, sum = Jacobian.identity
            for bucket in buckets.reversed() {
                if let point = bucket.first { running = running + point }
                sum = sum + running
            }
            total = total + sum
        }
        return total.point
    }

    private static func digits(_ coefficient: UInt128) -> [Int] {
        var rest = coefficient
        var carry = 0
        return (0..<128 / digitBits + 1).map { _ in
            var digit = Int(truncatingIfNeeded: rest & (1 << UInt128(digitBits) - 1)) + carry
            rest >>= UInt128(digitBits)
            carry = digit > 1 << (digitBits - 1) ? 1 : 0
            digit -= carry << digitBits
            return digit
        }
    }

    /// Leaves one point in each bucket that has any. No two that meet have one x: whoever finds such has found a relation between
    /// points by chance.
    private static func addUp(_ buckets: inout [[P256Point]]) {
        while buckets.contains(where: { $0.count > 1 }) {
            var differences: [P256Number] = []
            for bucket in buckets {
                for pair in 0..<bucket.count / 2 { differences.append(bucket[2 * pair + 1].x - bucket[2 * pair].x) }
            }
            P256Number.invert(&differences)
            var next = 0
            for index in buckets.indices where buckets[index].count > 1 {
                let bucket = buckets[index]
                var sums: [P256Point] = []
                sums.reserveCapacity(bucket.count / 2 + 1)
                for pair in 0..<bucket.count / 2 {
                    let (p, q) = (bucket[2 * pair], bucket[2 * pair + 1])
                    let slope = (q.y - p.y) * differences[next]
                    next += 1
                    let x = slope * slope - p.x - q.x
                    sums.append(P256Point(x: x, y: slope * (p.x - x) - p.y))
                }
                if bucket.count % 2 == 1 { sums.append(bucket[bucket.count - 1]) }
                buckets[index] = sums
            }
        }
    }
}

/// (X / Z^2, Y / Z^3); the identity has Z = 0. Formulas of Bernstein and Lange, "Explicit-Formulas Database".
private struct Jacobian {
    let x, y, z: P256Number

    static let identity = Jacobian(x: .one, y: .one, z: .zero)

    /// dbl-2001-b.
    var doubled: Jacobian {
        let delta = z * z, gamma = y * y, beta = x * gamma
        let product = (x - delta) * (x + delta)
        let alpha = product + product + product
        let four = beta + beta + beta + beta
        let next = alpha * alpha - four - four
        let squared = gamma * gamma
        let eight = squared + squared + squared + squared
        let sum = y + z
        return Jacobian(x: next, y: alpha * (four - next) - eight - eight, z: sum * sum - gamma - delta)
    }

    static func + (p: Jacobian, q: P256Point) -> Jacobian { p + Jacobian(x: q.x, y: q.y, z: .one) }

    /// add-1998-cmo-2.
    static func + (p: Jacobian, q: Jacobian) -> Jacobian {
        if p.z == .zero { return q }
        if q.z == .zero { return p }
        let zz = p.z * p.z, ww = q.z * q.z
        let u = p.x * ww, s = p.y * q.z * ww
        let h = q.x * zz - u, r = q.y * p.z * zz - s
        if h == .zero { return r == .zero ? p.doubled : .identity }
        let square = h * h, cube = square * h, v = u * square
        let x = r * r - cube - v - v
        return Jacobian(x: x, y: r * (v - x) - s * cube, z: p.z * q.z * h)
    }

    var point: P256Point {
        let inverse = z.inverse, square = inverse * inverse
        return P256Point(x: x * square, y: y * square * inverse)
    }
}
