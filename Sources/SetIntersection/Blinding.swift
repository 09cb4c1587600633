import Dispatch
import Primitives

/// One party's secret scalar k for one attempt at a job, and its two uses: k H(id) for own identifiers and k Q for the
/// peer's points (Meadows 1986; protocol in `Protocols/`). Calls use all cores and keep the order of what they are given:
/// callers shuffle identifiers before the first pass.
package struct Blinding: Sendable {
    package let suite: Suite
    private let scalar: EllipticCurve.Scalar

    /// The scalar is uniform in 1..<n: the first draw at message 0, draw 0, 1, ... that is in range. `random` has to have
    /// a key of this purpose only.
    package init(suite: Suite, random: AddressedRandom) {
        var address = DrawAddress(message: 0)
        while true {
            if let scalar = EllipticCurve.Scalar(SecretBytes(count: 32, fill: { random.fill($0, at: address) }), of: suite.curve) {
                self.init(suite: suite, scalar: scalar)
                return
            }
            address.draw += 1
        }
    }

    /// With a scalar of the suite's curve that is given, for test vectors.
    package init(suite: Suite, scalar: EllipticCurve.Scalar) {
        self.suite = suite
        self.scalar = scalar
    }

    /// Elements k H(identifier) side by side, of `suite.elementByteCount` bytes each. Identifiers are hashed as their
    /// UTF-8 bytes: normalise them before.
    package func first(_ identifiers: [String], tag: DomainSeparationTag) -> [UInt8] {
        first(identifiers.map { Array($0.utf8) }, tag: tag)
    }

    /// The same of identifiers in UTF-8.
    package func first(_ identifiers: [[UInt8]], tag: DomainSeparationTag) -> [UInt8] {
        let blinded = inParallel(identifiers.count) { range -> Result<[UInt8], PrimitiveError> in
            let points = suite.hashToCurve(identifiers[range], tag: tag)
            return Result { () throws(PrimitiveError) in
                try EllipticCurve.multiply(points[...], encoding: suite.encoding, by: scalar)
            }
        }
        return blinded.flatMap { block in
            guard case .success(let elements) = block else { fatalError("hash to curve left the curve") }
            return elements
        }
    }

    /// Elements k Q for the peer's elements Q. Every one is checked to be a point of the group and not the identity.
    /// Throws `wrongByteCount`, and `invalidPoint` for the first offender.
    package func second(_ points: ArraySlice<UInt8>) throws(SetIntersectionError) -> [UInt8] {
        var products: [UInt8] = []
        products.reserveCapacity(points.count)
        try forEachBlock(of: points, suite: suite) { block throws(PrimitiveError) in
            try EllipticCurve.multiply(block, encoding: suite.encoding, by: scalar)
        } collect: {
            products += $0
        }
        return products
    }

    package func second(_ points: [UInt8]) throws(SetIntersectionError) -> [UInt8] {
        try second(points[...])
    }
}

extension Suite {
    /// Checks elements that need no multiplication, such as own elements that the peer has doubled. Throws
    /// `wrongByteCount`, and `invalidPoint` for the first offender.
    package func validate(_ points: ArraySlice<UInt8>) throws(SetIntersectionError) {
        try forEachBlock(of: points, suite: self) { block throws(PrimitiveError) in
            try curve.validate(block, encoding: encoding)
        } collect: { _ in }
    }
}

/// Runs `body` on blocks of elements in parallel, and hands the results over in order.
private func forEachBlock<Value: Sendable>(
    of points: ArraySlice<UInt8>, suite: Suite,
    _ body: @Sendable (ArraySlice<UInt8>) throws(PrimitiveError) -> Value, collect: (Value) -> Void
) throws(SetIntersectionError) {
    let width = suite.elementByteCount
    guard points.count.isMultiple(of: width) else { throw .wrongByteCount }
    let blocks = inParallel(points.count / width) { range in
        let start = points.startIndex + range.lowerBound * width
        let block = points[start..<(start + range.count * width)]
        return (range.lowerBound, Result { () throws(PrimitiveError) in try body(block) })
    }
    for (offset, block) in blocks {
        switch block {
        case .success(let value): collect(value)
        case .failure(.invalidPoint(let index)): throw .invalidPoint(index: offset + index)
        case .failure: throw .wrongByteCount
        }
    }
}

/// Results for consecutive ranges of 0..<count, in order. Ranges are large enough to make their overhead vanish and small
/// enough to keep all cores busy to the end.
package func inParallel<Value: Sendable>(_ count: Int, length: Int = 256, _ body: @Sendable (Range<Int>) -> Value) -> [Value] {
    let ranges = stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
    return [Value](unsafeUninitializedCapacity: ranges.count) { values, initialised in
        nonisolated(unsafe) let slots = values
        DispatchQueue.concurrentPerform(iterations: ranges.count) { index in
            slots.initializeElement(at: index, to: body(ranges[index]))
        }
        initialised = ranges.count
    }
}
