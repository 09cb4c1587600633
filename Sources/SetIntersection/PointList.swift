import Scratch

/// What tells two elements apart: the leading 16 bytes of x. A point and its negative count as one. Two different
/// honest points share a key with probability below m^2 / 2^129 among m; a dishonest one that is made to collide
/// only brings itself to be refused.
struct PointKey: Hashable, Comparable, Sendable {
    let leading: UInt128

    /// The keys of a whole number of elements.
    static func keys(of points: ArraySlice<UInt8>, suite: Suite) throws(SetIntersectionError) -> [PointKey] {
        let width = suite.elementByteCount
        guard points.count.isMultiple(of: width) else { throw .wrongByteCount }
        return stride(from: points.startIndex, to: points.endIndex, by: width).map { start in
            PointKey(leading: points[(start + 1)..<(start + 17)].reduce(0) { $0 << 8 | UInt128($1) })
        }
    }

    static func < (left: PointKey, right: PointKey) -> Bool { left.leading < right.leading }
}

/// How two lists that are held against each other are spread over buckets. The peer chooses its points, so a bucket is chosen
/// by a hash that it does not know; no result depends on it. Distinct keys therefore fill buckets evenly, however they are
/// chosen; and as no block holds a key twice, at least 8,192 distinct ones make up a list of many blocks.
package struct Buckets: Sendable {
    let count: Int

    /// - Parameter elements: in both lists together, as declared.
    package init(elements: Int, memoryBytes: Int) {
        // Keys, positions, and both again while they are sorted.
        count = Spill.buckets(records: elements, recordBytes: 128, memoryBytes: memoryBytes)
    }

    fileprivate func bucket(of key: PointKey) -> Int {
        var hasher = Hasher()
        hasher.combine(key)
        return Spill.bucket(of: UInt64(bitPattern: Int64(hasher.finalize())), among: count)
    }
}

/// The keys of one list of elements in its order, fed block by block; 20 bytes an element in scratch storage. Whether
/// elements are points is not its business.
package struct PointList: Sendable {
    private let suite: Suite
    private let limit: Int
    fileprivate let buckets: Buckets
    private var spill: Spill
    package private(set) var count = 0

    /// For a list declared to hold at most `limit` elements.
    package init(suite: Suite, limit: Int, buckets: Buckets) {
        precondition(limit <= Int(UInt32.max))
        self.suite = suite
        self.limit = limit
        self.buckets = buckets
        spill = Spill(buckets: buckets.count)
    }

    /// Takes a whole block of the list or nothing of it. Throws `wrongByteCount`, `tooManyPoints`, `repeatedPoint` where the
    /// block itself holds a repeat: all copies would fall into one bucket; or `storage`.
    package mutating func append(_ points: ArraySlice<UInt8>, to scratch: inout any Scratch) throws(SetIntersectionError) {
        guard points.count / suite.elementByteCount <= limit - count else { throw .tooManyPoints }
        let keys = try PointKey.keys(of: points, suite: suite)
        var seen = Set<PointKey>(minimumCapacity: keys.count)
        for (offset, key) in keys.enumerated() where !seen.insert(key).inserted { throw .repeatedPoint(index: count + offset) }
        var record = [UInt8](repeating: 0, count: Self.recordBytes)
        for key in keys {
            record.withUnsafeMutableBytes {
                $0.storeBytes(of: key.leading.littleEndian, as: UInt128.self)
                $0.storeBytes(of: UInt32(count).littleEndian, toByteOffset: 16, as: UInt32.self)
            }
            do { try spill.append(record, to: buckets.bucket(of: key), in: &scratch) } catch { throw .storage }
            count += 1
        }
    }

    private static let recordBytes = 20

    fileprivate struct Element {
        let key: PointKey
        let position: UInt32
    }

    private var bucketCount: Int { buckets.count }

    /// By key, equal ones by position.
    fileprivate func sorted(_ bucket: Int, _ scratch: any Scratch) throws(SetIntersectionError) -> [Element] {
        let bytes: [UInt8]
        do { bytes = try spill.bytes(of: bucket, in: scratch) } catch { throw .storage }
        var elements = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: Self.recordBytes).map { start in
                Element(key: PointKey(leading: UInt128(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt128.self))),
                        position: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 16, as: UInt32.self)))
            }
        }
        elements.sort { ($0.key, $0.position) < ($1.key, $1.position) }
        return elements
    }

    /// Refuses repeats across blocks of the list, and elements of `own` in it. Throws `repeatedPoint`, `reflectedPoint` or `storage`; of
    /// several offenders the first in the list is named.
    package func check(against own: PointList?, in scratch: any Scratch) throws(SetIntersectionError) {
        precondition(own == nil || own?.bucketCount == bucketCount)
        let offenders = try inBuckets(bucketCount) { bucket throws(SetIntersectionError) -> [SetIntersectionError] in
            let elements = try sorted(bucket, scratch)
            var repeated: Int?, reflected: Int?
            for (one, next) in zip(elements, elements.dropFirst()) where one.key == next.key {
                repeated = min(repeated ?? .max, Int(next.position))
            }
            if let own {
                let keys = Set(try own.sorted(bucket, scratch).map(\.key))
                reflected = elements.lazy.filter { keys.contains($0.key) }.map { Int($0.position) }.min()
            }
            return [repeated.map { .repeatedPoint(index: $0) }, reflected.map { .reflectedPoint(index: $0) }].compactMap(\.self)
        }.joined()
        if let first = offenders.min(by: { $0.index < $1.index }) { throw first }
    }

    /// Positions of common elements in the two lists, from 0.
    package struct Match: Sendable, Hashable {
        package let own: UInt32
        package let peer: UInt32

        package init(own: UInt32, peer: UInt32) {
            self.own = own
            self.peer = peer
        }
    }

    /// Finds the common identifiers of two lists from their doubled elements: k_P k_B H(id) is the same from either side.
    /// This list holds the own elements that the peer has doubled, `peer` the peer's, doubled here. `take` is given some
    /// matches at a time, in no order. Throws `repeatedPoint` where a list holds an element twice: no honest doubling makes
    /// that of distinct elements; `storage`, and whatever `take` throws.
    package func matches(
        with peer: PointList, in scratch: any Scratch, take: ([Match]) throws(SetIntersectionError) -> Void
    ) throws(SetIntersectionError) {
        precondition(peer.bucketCount == bucketCount)
        let together = 8
        for start in stride(from: 0, to: bucketCount, by: together) {
            let found = try inBuckets(min(together, bucketCount - start)) { offset throws(SetIntersectionError) -> [Match] in
                let own = try sorted(start + offset, scratch), peers = try peer.sorted(start + offset, scratch)
                for list in [own, peers] {
                    for (one, next) in zip(list, list.dropFirst()) where one.key == next.key {
                        throw .repeatedPoint(index: Int(next.position))
                    }
                }
                var matches: [Match] = []
                var index = 0
                for element in own {
                    while index < peers.count, peers[index].key < element.key { index += 1 }
                    if index < peers.count, peers[index].key == element.key {
                        matches.append(Match(own: element.position, peer: peers[index].position))
                    }
                }
                return matches
            }
            for matches in found { try take(matches) }
        }
    }
}

extension SetIntersectionError {
    fileprivate var index: Int {
        switch self {
        case .invalidPoint(let index), .repeatedPoint(let index), .reflectedPoint(let index): index
        case .wrongByteCount, .tooManyPoints, .storage: 0
        }
    }
}

/// Buckets on all cores; the results in order.
private func inBuckets<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws(SetIntersectionError) -> Value
) throws(SetIntersectionError) -> [Value] {
    let results = inParallel(count, length: 1) { range in
        Result { () throws(SetIntersectionError) in try body(range.lowerBound) }
    }
    var values: [Value] = []
    for result in results { values.append(try result.get()) }
    return values
}
