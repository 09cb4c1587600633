/// What tells two elements apart: the leading 16 bytes of x. A point and its negative count as one. Two different
/// honest points share a key with probability below m^2 / 2^129 among m; a dishonest one that is made to collide
/// only brings itself to be refused.
struct PointKey: Hashable, Sendable {
    private let leading: UInt128

    /// The keys of a whole number of elements.
    static func keys(of points: ArraySlice<UInt8>, suite: Suite) throws(SetIntersectionError) -> [PointKey] {
        let width = suite.elementByteCount
        guard points.count.isMultiple(of: width) else { throw .wrongByteCount }
        return stride(from: points.startIndex, to: points.endIndex, by: width).map { start in
            PointKey(leading: points[(start + 1)..<(start + 17)].reduce(0) { $0 << 8 | UInt128($1) })
        }
    }
}

/// The elements of one first-pass list, fed block by block: refuses repeats inside the list, and finds elements of this
/// list in another. About 40 bytes an element. Whether elements are points is not its business.
package struct PointSet: Sendable {
    private let suite: Suite
    private let limit: Int
    private var keys: Set<PointKey> = []

    /// For a list declared to hold at most `limit` elements.
    package init(suite: Suite, limit: Int) {
        self.suite = suite
        self.limit = limit
    }

    package var count: Int { keys.count }

    /// Throws `wrongByteCount`, `tooManyPoints`, or `repeatedPoint` for the first element that this list held before;
    /// the set is not to be used after that.
    package mutating func insert(_ points: ArraySlice<UInt8>) throws(SetIntersectionError) {
        let new = try PointKey.keys(of: points, suite: suite)
        guard new.count <= limit - keys.count else { throw .tooManyPoints }
        for (index, key) in new.enumerated() {
            guard keys.insert(key).inserted else { throw .repeatedPoint(index: index) }
        }
    }

    /// On the set of own elements: throws `reflectedPoint` for the first element of the peer's that is one of them.
    package func refuseReflections(in points: ArraySlice<UInt8>) throws(SetIntersectionError) {
        for (index, key) in try PointKey.keys(of: points, suite: suite).enumerated() {
            guard !keys.contains(key) else { throw .reflectedPoint(index: index) }
        }
    }
}
