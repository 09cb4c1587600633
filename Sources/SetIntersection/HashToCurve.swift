import Primitives

/// Hashes messages to points whose logarithms nobody knows: suite `P256_XMD:SHA-256_SSWU_RO_` of RFC 9380, 8.2.
enum HashToCurve {
    /// Points in SEC 1 uncompressed form, 65 bytes each, in the order of the messages. A message that hashes to the
    /// identity (once in 2^256) gives zeros, which no reader of points accepts.
    static func points(_ messages: some Collection<[UInt8]>, tag: DomainSeparationTag) -> [UInt8] {
        let expander = MessageExpander(tag: tag)
        var pairs: [(first: MappedPoint, second: MappedPoint)] = []
        pairs.reserveCapacity(messages.count)
        for message in messages {
            // hash_to_field (5.2) with m = 1, L = 48, count = 2.
            let uniform = expander.expand(message)
            pairs.append((map(FieldElement(reducing: uniform[..<48])), map(FieldElement(reducing: uniform[48...]))))
        }
        var points: [UInt8] = []
        points.reserveCapacity(pairs.count * P256.Encoding.uncompressed.byteCount)
        for sum in sums(pairs) {
            guard let sum else {
                points.append(contentsOf: repeatElement(0, count: P256.Encoding.uncompressed.byteCount))
                continue
            }
            points.append(4)
            sum.x.append(to: &points)
            sum.y.append(to: &points)
        }
        return points
    }

    /// A point with x as a fraction, so that inversions can be shared by a batch.
    private struct MappedPoint {
        var numerator, denominator, y: FieldElement
    }

    /// The curve is y^2 = x^3 + a x + b; z of the map is -10 (8.2).
    private static let a = -FieldElement(3)
    private static let b = FieldElement(reducing: [
        0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
        0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
    ])
    private static let z = -FieldElement(10)
    /// sqrt(-z) = 10^((p + 1) / 4).
    private static let rootOfMinusZ = FieldElement(10).raisedToQuarter * FieldElement(10)

    /// Simplified Shallue-van de Woestijne-Ulas map, straight line (appendix F.2). Its denominator is never zero.
    private static func map(_ u: FieldElement) -> MappedPoint {
        let zu2 = z * u.squared
        let sum = zu2.squared + zu2
        let numerator = b * (sum + .one)
        let denominator = a * .select(sum.isZero, z, -sum)
        // g(x) = x^3 + a x + b as a fraction over denominator^3.
        let denominator2 = denominator.squared
        let denominator3 = denominator2 * denominator
        let g = (numerator.squared + a * denominator2) * numerator + b * denominator3
        let (isSquare, root) = squareRootOfRatio(g, denominator3)
        let y = FieldElement.select(isSquare, root, zu2 * u * root)
        return MappedPoint(
            numerator: .select(isSquare, numerator, zu2 * numerator), denominator: denominator,
            y: .select(u.isOdd == y.isOdd, y, -y))
    }

    /// sqrt(u / v), or sqrt(z u / v) where u / v is no square; for p = 3 mod 4 (appendix F.2.1.2).
    private static func squareRootOfRatio(_ u: FieldElement, _ v: FieldElement) -> (isSquare: Bool, root: FieldElement) {
        let uv = u * v
        let root = (v.squared * uv).raisedToQuarter * uv
        let isSquare = root.squared * v == u
        return (isSquare, .select(isSquare, root, root * rootOfMinusZ))
    }

    /// The sums of the pairs as affine points; nil is the identity. The group has prime order, so there is no cofactor to clear.
    private static func sums(_ pairs: [(first: MappedPoint, second: MappedPoint)]) -> [(x: FieldElement, y: FieldElement)?] {
        var denominators = pairs.flatMap { [$0.first.denominator, $0.second.denominator] }
        FieldElement.invert(&denominators)
        let affine = pairs.indices.map { index in
            let (first, second) = pairs[index]
            return (x1: first.numerator * denominators[2 * index], y1: first.y,
                    x2: second.numerator * denominators[2 * index + 1], y2: second.y)
        }
        // The slope is the chord's, or the tangent's where both points are the same; no y is zero in odd order.
        let slopes = affine.map { pair in
            pair.x1 == pair.x2
                ? (rise: FieldElement(3) * pair.x1.squared + a, run: pair.y1 + pair.y1)
                : (rise: pair.y2 - pair.y1, run: pair.x2 - pair.x1)
        }
        var runs = slopes.map(\.run)
        FieldElement.invert(&runs)
        return affine.indices.map { index in
            let pair = affine[index]
            guard pair.x1 != pair.x2 || pair.y1 == pair.y2 else { return nil }
            let slope = slopes[index].rise * runs[index]
            let x = slope.squared - pair.x1 - pair.x2
            return (x, slope * (pair.x1 - x) - pair.y1)
        }
    }
}

/// expand_message_xmd of RFC 9380, 5.3.1, with SHA-256, to 96 bytes.
private struct MessageExpander {
    /// After one zero block, which every message begins with.
    private let start: SHA256
    /// DST_prime.
    private let tag: [UInt8]

    init(tag: DomainSeparationTag) {
        var start = SHA256()
        start.update([UInt8](repeating: 0, count: 64))
        self.start = start
        self.tag = tag.bytes + [UInt8(tag.bytes.count)]
    }

    func expand(_ message: [UInt8]) -> ArraySlice<UInt8> {
        var hash = start
        hash.update(message + [0, 96, 0] + tag)
        let seed = hash.finalize()
        var block = SHA256.hash(seed + [1] + tag)
        var uniform = block
        for index: UInt8 in 2...3 {
            block = SHA256.hash(zip(seed, block).map(^) + [index] + tag)
            uniform += block
        }
        return uniform[...]
    }
}
