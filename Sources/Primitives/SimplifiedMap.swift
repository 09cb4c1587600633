/// The simplified Shallue-van de Woestijne-Ulas map to a curve y^2 = x^3 - 3 x + b (RFC 9380, 6.6.2).
struct SimplifiedMap<Field: CurveField>: Sendable {
    typealias Element = FieldElement<Field>

    private let a = -Element(3)
    private let b: Element
    private let z: Element
    /// sqrt(-z) = (-z)^((p + 1) / 4).
    private let rootOfMinusZ: Element

    /// - Parameters:
    ///   - b: 32 big-endian bytes.
    ///   - minusZ: a square, for z is none and -1 is none.
    init(b: [UInt8], minusZ: UInt64) {
        self.b = Element(reducing: b[...])
        z = -Element(minusZ)
        rootOfMinusZ = Element(minusZ).raisedToQuarter * Element(minusZ)
    }

    /// A point with x as a fraction, so that inversions can be shared by a batch.
    private struct Point {
        fileprivate let numerator, denominator, y: Element
    }

    /// `EllipticCurve.points(mappedFrom:)`.
    func points(_ uniform: [UInt8]) -> [UInt8] {
        let width = EllipticCurve.uniformByteCount, byteCount = EllipticCurve.Encoding.uncompressed.byteCount
        let pairs = stride(from: 0, to: uniform.count, by: width).map { start in
            let middle = start + width / 2
            return (first: point(.init(reducing: uniform[start..<middle])), second: point(.init(reducing: uniform[middle..<start + width])))
        }
        var points: [UInt8] = []
        points.reserveCapacity(pairs.count * byteCount)
        for sum in sums(pairs) {
            guard let sum else {
                points.append(contentsOf: repeatElement(0, count: byteCount))
                continue
            }
            points.append(4)
            sum.x.append(to: &points)
            sum.y.append(to: &points)
        }
        return points
    }

    /// Straight line (appendix F.2). The denominator is never zero.
    private func point(_ u: Element) -> Point {
        let zu2 = z * u.squared
        let sum = zu2.squared + zu2
        let numerator = b * (sum + .one)
        let denominator = a * .select(sum.isZero, z, -sum)
        // g(x) = x^3 + a x + b as a fraction over denominator^3.
        let denominator2 = denominator.squared
        let denominator3 = denominator2 * denominator
        let g = (numerator.squared + a * denominator2) * numerator + b * denominator3
        let (isSquare, root) = squareRootOfRatio(g, denominator3)
        let y = Element.select(isSquare, root, zu2 * u * root)
        return Point(
            numerator: .select(isSquare, numerator, zu2 * numerator), denominator: denominator,
            y: .select(u.isOdd == y.isOdd, y, -y))
    }

    /// sqrt(u / v), or sqrt(z u / v) where u / v is no square; for p = 3 mod 4 (appendix F.2.1.2).
    private func squareRootOfRatio(_ u: Element, _ v: Element) -> (isSquare: Bool, root: Element) {
        let uv = u * v
        let root = (v.squared * uv).raisedToQuarter * uv
        let isSquare = root.squared * v == u
        return (isSquare, .select(isSquare, root, root * rootOfMinusZ))
    }

    /// The sums of the pairs as affine points; nil is the identity. The group has prime order, so there is no cofactor to clear.
    private func sums(_ pairs: [(first: Point, second: Point)]) -> [(x: Element, y: Element)?] {
        var denominators = pairs.flatMap { [$0.first.denominator, $0.second.denominator] }
        Element.invert(&denominators)
        let affine = pairs.indices.map { index in
            let (first, second) = pairs[index]
            return (x1: first.numerator * denominators[2 * index], y1: first.y,
                    x2: second.numerator * denominators[2 * index + 1], y2: second.y)
        }
        // The slope is the chord's, or the tangent's where both points are the same; no y is zero in odd order.
        let slopes = affine.map { pair in
            pair.x1 == pair.x2
                ? (rise: Element(3) * pair.x1.squared + a, run: pair.y1 + pair.y1)
                : (rise: pair.y2 - pair.y1, run: pair.x2 - pair.x1)
        }
        var runs = slopes.map(\.run)
        Element.invert(&runs)
        return affine.indices.map { index in
            let pair = affine[index]
            guard pair.x1 != pair.x2 || pair.y1 == pair.y2 else { return nil }
            let slope = slopes[index].rise * runs[index]
            let x = slope.squared - pair.x1 - pair.x2
            return (x, slope * (pair.x1 - x) - pair.y1)
        }
    }
}
