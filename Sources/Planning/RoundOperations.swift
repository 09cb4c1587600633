/// How many products modulo n^2 the two expensive parts of a round take. Source: `Protocols/protocol.md`, "Inner products"
/// and "Row combination".
package enum RoundOperations {
    /// For each row: one ladder for the powers of all but the first of `stride` ciphertexts.
    package static func combinationProducts(stride: Int, exponentBits: Int) -> Double {
        let bases = stride - 1
        let parts = (bases + 3) / 4
        let groups = (0..<parts).map { bases * ($0 + 1) / parts - bases * $0 / parts }
        let tables = groups.reduce(0) { $0 + (1 << $1) - 1 - $1 }
        let perBit = groups.reduce(1.0) { $0 + 1 - 1 / Double(1 << $1) }
        return Double(tables) + Double(exponentBits) * perBit
    }

    /// For all rows and the fold at the end.
    ///
    /// - Parameters:
    ///   - bits: of a row, all columns side by side.
    ///   - ciphertextBytes: bounds the buckets.
    package static func innerProducts(bits: Int, rows: Int, ciphertextBytes: Int) -> Double {
        let width = patternBits(bits: bits, rows: rows, ciphertextBytes: ciphertextBytes)
        let patterns = Double((bits + width - 1) / width)
        return patterns * Double(products(width, rows: rows)) + 2 * Double(bits)
    }

    /// Bytes of the tables by which a key's owner encrypts so many values: windows of 4 to 13 bits of the exponent, of a width
    /// that takes the fewest products. Source: `Protocols/protocol.md`, "Owner encryption".
    package static func tableBytes(keyBits: Int, encryptions: Int) -> Int {
        let bits = keyBits / 2
        func positions(_ width: Int) -> Int { (bits + width - 1) / width }
        func bytes(_ width: Int) -> Int { (positions(width) << width) * bits / 2 }
        func cost(_ width: Int) -> Int { 5 * (positions(width) << width) + 2 * positions(width) * encryptions }
        let width = (4...13).filter { $0 == 4 || bytes($0) <= 320 << 20 }.min { cost($0) < cost($1) } ?? 4
        return bytes(width)
    }

    /// Bytes of the buckets of one round.
    package static func bucketBytes(bits: Int, rows: Int, ciphertextBytes: Int) -> Int {
        let width = patternBits(bits: bits, rows: rows, ciphertextBytes: ciphertextBytes)
        return (bits + width - 1) / width * (ciphertextBytes << width)
    }

    private static let mostBucketBytes = 256 << 20

    private static func patternBits(bits: Int, rows: Int, ciphertextBytes: Int) -> Int {
        func count(_ width: Int) -> Int { (bits + width - 1) / width }
        return (1...14).filter { $0 == 1 || count($0) * (ciphertextBytes << $0) <= mostBucketBytes }
            .min { count($0) * products($0, rows: rows) < count($1) * products($1, rows: rows) } ?? 1
    }

    /// Of one pattern: each bucket's first row is copied, and a bucket is folded by two products.
    private static func products(_ width: Int, rows: Int) -> Int { rows - rows >> width + 1 << width }
}
