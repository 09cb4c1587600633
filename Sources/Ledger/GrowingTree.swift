import Primitives

/// A Merkle tree that only grows: a leaf is appended, and roots and consistency proofs of every earlier size stay at hand.
///
/// Keeps the hashes of all complete subtrees, 64 bytes a leaf. Source: RFC 6962, section 2.1; RFC 9162, section 2.1.
package struct GrowingTree: Sendable {
    package static let hashBytes = SHA256.byteCount
    /// The root of no leaves.
    package static let emptyRoot = SHA256.hash([UInt8]())

    /// Of complete subtrees, each behind the leaves that are below it; in one piece, since many trees lie in memory at a time.
    private var hashes: [UInt8] = []
    private var count = 0

    package init() {}

    package var size: UInt64 { UInt64(count) }

    package mutating func append(_ leaf: [UInt8]) {
        var hash = Self.leafHash(leaf)
        var (level, index) = (0, count)
        hashes += hash
        while index % 2 == 1 {
            hash = Self.nodeHash(subtree(level, index - 1), hash)
            hashes += hash
            (level, index) = (level + 1, index / 2)
        }
        count += 1
    }

    package var root: [UInt8] { count == 0 ? Self.emptyRoot : hash(0..<count) }

    /// The root that the tree had at `size` leaves; nothing where it has never been so large.
    package func root(at size: UInt64) -> [UInt8]? {
        guard size <= self.size else { return nil }
        return size == 0 ? Self.emptyRoot : hash(0..<Int(size))
    }

    /// Shows that the first `older` of `newer` leaves are those of the tree of `older` leaves: hashes in the order of the
    /// RFC, none from size 0 or to the same size. Nothing where the sizes do not rise or the tree is smaller.
    package func consistencyProof(from older: UInt64, to newer: UInt64) -> [[UInt8]]? {
        guard older <= newer, newer <= size else { return nil }
        return older == 0 ? [] : proof(Int(older), in: 0..<Int(newer), isKnown: true)
    }

    /// Whether a tree with the newer root starts with the leaves of the one with the older root. All arguments may be a
    /// peer's. Source: RFC 9162, section 2.1.4.2.
    package static func verifyConsistency(from older: UInt64, root olderRoot: [UInt8], to newer: UInt64, root newerRoot: [UInt8],
                                          proof: [[UInt8]]) -> Bool {
        guard older <= newer, proof.allSatisfy({ $0.count == hashBytes }), proof.count <= 128 else { return false }
        if older == newer { return proof.isEmpty && olderRoot == newerRoot && (older > 0 || olderRoot == emptyRoot) }
        if older == 0 { return proof.isEmpty && olderRoot == emptyRoot }
        var path = proof[...]
        if older & (older - 1) == 0 { path = ([olderRoot] + proof)[...] }
        guard let first = path.popFirst() else { return false }
        let common = (older - 1).trailingOnes
        var (olderIndex, newerIndex) = ((older - 1) >> common, (newer - 1) >> common)
        var (olderHash, newerHash) = (first, first)
        for sibling in path {
            guard newerIndex != 0 else { return false }
            if olderIndex & 1 == 1 || olderIndex == newerIndex {
                olderHash = nodeHash(sibling, olderHash)
                newerHash = nodeHash(sibling, newerHash)
                while olderIndex & 1 == 0, olderIndex != 0 {
                    olderIndex >>= 1
                    newerIndex >>= 1
                }
            } else {
                newerHash = nodeHash(newerHash, sibling)
            }
            olderIndex >>= 1
            newerIndex >>= 1
        }
        return newerIndex == 0 && olderHash == olderRoot && newerHash == newerRoot
    }

    /// SHA-256(0x00 || leaf).
    package static func leafHash(_ leaf: [UInt8]) -> [UInt8] { SHA256.hash([0] + leaf) }

    /// SHA-256(0x01 || left || right).
    fileprivate static func nodeHash(_ left: some Collection<UInt8>, _ right: [UInt8]) -> [UInt8] { SHA256.hash([1] + left + right) }

    /// Of 2^level leaves. The complete subtrees of the n leaves before it are 2 n less the bits that are set in n; it is the last of its own.
    private func subtree(_ level: Int, _ index: Int) -> ArraySlice<UInt8> {
        let leaves = index << level
        let place = 2 * leaves - leaves.nonzeroBitCount + (2 << level) - 2
        return hashes[place * Self.hashBytes..<(place + 1) * Self.hashBytes]
    }

    /// MTH of the RFC. The range's start is a multiple of every power of two up to its length.
    private func hash(_ range: Range<Int>) -> [UInt8] {
        if range.count & (range.count - 1) == 0 {
            let level = range.count.trailingZeroBitCount
            return Array(subtree(level, range.lowerBound >> level))
        }
        let middle = split(range)
        return Self.nodeHash(hash(range.lowerBound..<middle), hash(middle..<range.upperBound))
    }

    /// SUBPROOF of the RFC.
    private func proof(_ older: Int, in range: Range<Int>, isKnown: Bool) -> [[UInt8]] {
        guard older < range.count else { return isKnown ? [] : [hash(range)] }
        let middle = split(range)
        let left = middle - range.lowerBound
        return older <= left
            ? proof(older, in: range.lowerBound..<middle, isKnown: isKnown) + [hash(middle..<range.upperBound)]
            : proof(older - left, in: middle..<range.upperBound, isKnown: false) + [hash(range.lowerBound..<middle)]
    }

    /// Behind the largest power of two of leaves that leaves some.
    private func split(_ range: Range<Int>) -> Int {
        range.lowerBound + 1 << (Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount)
    }
}

/// A Merkle tree of which only the present root is asked: it keeps one hash for each power of two of its leaves.
///
/// Source: as of `GrowingTree`.
package struct TreeFrontier: Sendable {
    package private(set) var size: UInt64 = 0
    /// Of the complete subtrees that no larger one holds, from the largest.
    private var peaks: [[UInt8]] = []

    package init() {}

    package mutating func append(_ leaf: [UInt8]) {
        var hash = GrowingTree.leafHash(leaf)
        for _ in 0..<size.trailingOnes { hash = GrowingTree.nodeHash(peaks.removeLast(), hash) }
        peaks.append(hash)
        size += 1
    }

    package var root: [UInt8] {
        guard let smallest = peaks.last else { return GrowingTree.emptyRoot }
        return peaks.dropLast().reversed().reduce(smallest) { GrowingTree.nodeHash($1, $0) }
    }
}

extension UInt64 {
    fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}
