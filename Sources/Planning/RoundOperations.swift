/// How many products modulo n^2 the two expensive parts of a round take. Source: `Protocols/protocol.md`, "Inner products"
/// and "Row combination". The engine's own counts are tested to be these.
package enum RoundOperations {
    /// For each row: one ladder for the powers of all but the first of `stride` ciphertexts.
    package static func combinationProducts(stride: Int, exponentBits: Int) -> Double {
        let bases = stride - 1
        let parts = (bases + 3) / 4
        let groups = (0..<parts).map { bases * ($0 + 1) / parts - bases * $0 / parts }
        let tables = groups.reduce(0) { $0 + (1 << $1) - 1 - $1 }
        let perBit = groups.reduce(1.0) { $0 + 1 - 1 / Double(1 << $1) }
        // Nothing is squared at the highest bit.
        return Double(tables) + Double(exponentBits) * perBit - 1
    }

    /// For all rows and the fold at the end.
    ///
    /// - Parameters:
    ///   - bits: of a row, all columns side by side.
    ///   - ciphertextBytes: bounds the buckets.
    package static func innerProducts(bits: Int, rows: Int, ciphertextBytes: Int) -> Double {
        // A fold spares as many products as putting the bits of a column together takes.
        let width = patternBits(bits: bits, rows: rows, ciphertextBytes: ciphertextBytes)
        return Double(patterns(width, of: bits).reduce(0) { $0 + products($1, rows: rows) })
    }

    /// Bytes of the tables by which a key's owner encrypts so many values: windows of 4 to 13 bits of the exponent, of a width
    /// that takes the fewest products. Source: `Protocols/protocol.md`, "Owner encryption".
    package static func tableBytes(keyBits: Int, encryptions: Int) -> Int {
        let bits = keyBits / 2
        func positions(_ width: Int) -> Int {
            let least = (bits + width - 1) / width
            return max(4, least + least % 2)
        }
        func entries(_ width: Int) -> Int {
            let count = positions(width)
            return (0..<count).reduce(0) { $0 + 1 << (bits * ($1 + 1) / count - bits * $1 / count) }
        }
        func bytes(_ width: Int) -> Int { entries(width) * bits / 2 }
        func cost(_ width: Int) -> Int { 5 * entries(width) + 2 * positions(width) * encryptions }
        let width = (4...13).filter { $0 == 4 || bytes($0) <= 320 << 20 }.min { cost($0) < cost($1) } ?? 4
        return bytes(width)
    }

    /// Bytes of the buckets of one round.
    package static func bucketBytes(bits: Int, rows: Int, ciphertextBytes: Int) -> Int {
        let width = patternBits(bits: bits, rows: rows, ciphertextBytes: ciphertextBytes)
        return patterns(width, of: bits).reduce(0) { $0 + ciphertextBytes << $1 }
    }

    private static let mostBucketBytes = 256 << 20

    private static func patternBits(bits: Int, rows: Int, ciphertextBytes: Int) -> Int {
        func cost(_ width: Int) -> Int { patterns(width, of: bits).reduce(0) { $0 + products($1, rows: rows) } }
        func bytes(_ width: Int) -> Int { patterns(width, of: bits).reduce(0) { $0 + ciphertextBytes << $1 } }
        return (1...14).filter { $0 == 1 || bytes($0) <= mostBucketBytes }.min { cost($0) < cost($1) } ?? 1
    }

    /// Bits of each pattern: as wide as allowed, and the last with what is left.
    private static func patterns(_ width: Int, of bits: Int) -> [Int] {
        [Int](repeating: width, count: bits / width) + (bits % width > 0 ? [bits % width] : [])
    }

    /// Of one pattern: each bucket's first row is copied, and a bucket is folded by two products.
    private static func products(_ width: Int, rows: Int) -> Int { rows - rows >> width + 1 << width }
}
