/// Finds the common identifiers of two lists from their doubled elements: k_P k_B H(id) is the same from either side.
/// Fed block by block, both lists in any interleaving; 16 bytes an element, and as much again while matching.
package struct Matcher: Sendable {
    /// Positions in the two first-pass lists, from 0.
    package struct Match: Sendable, Hashable {
        package let own: UInt32
        package let peer: UInt32

        package init(own: UInt32, peer: UInt32) {
            self.own = own
            self.peer = peer
        }
    }

    private let suite: Suite
    private let ownLimit: Int
    private let peerLimit: Int
    private var own: [PointKey] = []
    private var peer: [PointKey] = []

    /// For lists declared to hold at most that many elements.
    package init(suite: Suite, ownLimit: Int, peerLimit: Int) {
        precondition(max(ownLimit, peerLimit) <= Int(UInt32.max))
        self.suite = suite
        self.ownLimit = ownLimit
        self.peerLimit = peerLimit
    }

    package var ownCount: Int { own.count }
    package var peerCount: Int { peer.count }

    /// Own elements that the peer has doubled, in the order in which they were sent to it. Validate them before.
    /// Throws `wrongByteCount` or `tooManyPoints`.
    package mutating func appendOwn(_ doubled: ArraySlice<UInt8>) throws(SetIntersectionError) {
        try Self.append(doubled, to: &own, limit: ownLimit, suite: suite)
    }

    /// The peer's elements, doubled here, in the order in which they were received. Throws as `appendOwn`.
    package mutating func appendPeer(_ doubled: ArraySlice<UInt8>) throws(SetIntersectionError) {
        try Self.append(doubled, to: &peer, limit: peerLimit, suite: suite)
    }

    /// All matches, in the order of the peer's list, which says nothing about the own one. Throws `repeatedPoint` with
    /// the position in its list where a list holds an element twice: no honest doubling makes that of distinct elements.
    package func matches() throws(SetIntersectionError) -> [Match] {
        var positions: [PointKey: UInt32] = [:]
        positions.reserveCapacity(own.count)
        for (position, key) in own.enumerated() {
            guard positions.updateValue(UInt32(position), forKey: key) == nil else { throw .repeatedPoint(index: position) }
        }
        var matches: [Match] = []
        for (position, key) in peer.enumerated() {
            guard let ownPosition = positions[key] else { continue }
            matches.append(Match(own: ownPosition, peer: UInt32(position)))
        }
        return matches
    }

    private static func append(
        _ doubled: ArraySlice<UInt8>, to keys: inout [PointKey], limit: Int, suite: Suite
    ) throws(SetIntersectionError) {
        let new = try PointKey.keys(of: doubled, suite: suite)
        guard new.count <= limit - keys.count else { throw .tooManyPoints }
        keys += new
    }
}
