import Primitives

/// hash_to_curve of RFC 9380 with the simplified SWU map: to points whose logarithms nobody knows.
enum HashToCurve {
    /// Points in SEC 1 uncompressed form, 65 bytes each, in the order of the messages. A message that hashes to the
    /// identity (once in 2^256) gives zeros, which no reader of points accepts.
    static func points<Algorithm>(
        _ messages: some Collection<[UInt8]>, tag: DomainSeparationTag, curve: EllipticCurve, hash: Hash<Algorithm>.Type
    ) -> [UInt8] {
        // hash_to_field (5.2) with m = 1, L = 48, count = 2.
        let expander = MessageExpander<Algorithm>(tag: tag)
        var uniform: [UInt8] = []
        uniform.reserveCapacity(messages.count * EllipticCurve.uniformByteCount)
        for message in messages { uniform += expander.expand(message) }
        return curve.points(mappedFrom: uniform)
    }
}

/// expand_message_xmd of RFC 9380, 5.3.1, to 96 bytes.
private struct MessageExpander<Algorithm: HashAlgorithm> {
    /// After one zero block, which every message begins with.
    private let start: Hash<Algorithm>
    /// DST_prime.
    private let tag: [UInt8]

    init(tag: DomainSeparationTag) {
        var start = Hash<Algorithm>()
        start.update([UInt8](repeating: 0, count: 64))
        self.start = start
        self.tag = tag.bytes + [UInt8(tag.bytes.count)]
    }

    func expand(_ message: [UInt8]) -> ArraySlice<UInt8> {
        var hash = start
        hash.update(message + [0, 96, 0] + tag)
        let seed = hash.finalize()
        var block = Hash<Algorithm>.hash(seed + [1] + tag)
        var uniform = block
        for index: UInt8 in 2...3 {
            block = Hash<Algorithm>.hash(zip(seed, block).map(^) + [index] + tag)
            uniform += block
        }
        return uniform[...]
    }
}
