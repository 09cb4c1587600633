import BigNumber

/// Inner products of many columns of small integers with one column of ciphertexts, fed block by block.
///
/// The entries of a row, side by side, are one string of bits. Cut into patterns of g bits whatever column they belong
/// to, each pattern costs one multiplication: of the row's ciphertext into the bucket of that pattern. In the end the
/// buckets are folded into one product for each bit, and these into the columns. Cost: about (bits of a row / g)
/// (rows + 2^(g + 1)) multiplications. Source: Pippenger, "On the evaluation of powers and related problems", FOCS 1976,
/// with joint patterns; Protocols/protocol.md, "Inner products".
///
/// A reference: it holds the buckets of a whole round and belongs to one round of one party.
package final class InnerProducts: @unchecked Sendable {
    private let key: PublicKey
    private let widths: [Int]
    private let offsets: [Int]
    private let patternBits: Int
    private let patterns: [Range<Int>]
    private var buckets: [Buckets]

    /// Products of the rows that showed one pattern; bucket 0 is never used.
    private struct Buckets {
        let residues: ResidueBuffer
        var filled: [Bool]
    }

    /// - Parameters:
    ///   - columnBits: entries of column c are below 2^columnBits[c]; 1 to 32.
    ///   - rows: how many are expected; decides the pattern width only.
    package init(key: PublicKey, columnBits: [Int], rows: Int) {
        precondition(columnBits.allSatisfy { (1...32).contains($0) })
        self.key = key
        widths = columnBits
        var total = 0
        offsets = columnBits.map { width in
            defer { total += width }
            return total
        }
        let width = InnerProducts.patternBits(total: total, rows: rows, ciphertextBytes: key.ciphertextBytes)
        patternBits = width
        let end = total
        patterns = stride(from: 0, to: total, by: width).map { $0..<min($0 + width, end) }
        buckets = patterns.map {
            Buckets(residues: key.arithmetic.makeBuffer(count: 1 << $0.count), filled: [Bool](repeating: false, count: 1 << $0.count))
        }
    }

    /// The buckets of one round take no more memory than this.
    static let mostBucketBytes = 256 << 20

    /// The width with the fewest multiplications among those whose buckets fit.
    static func patternBits(total: Int, rows: Int, ciphertextBytes: Int) -> Int {
        func count(_ width: Int) -> Int { (total + width - 1) / width }
        func cost(_ width: Int) -> Int { count(width) * (rows + 2 << width) }
        return (1...14).filter { $0 == 1 || count($0) << $0 * ciphertextBytes <= mostBucketBytes }.min { cost($0) < cost($1) } ?? 1
    }

    /// Adds a block of rows.
    ///
    /// - Parameter entries: the block's rows one behind the other, one entry for each column.
    package func add(_ batch: CiphertextBatch, entries: [UInt32]) {
        precondition(entries.count == batch.count * widths.count)
        let words = ((offsets.last ?? 0) + (widths.last ?? 0) + 63) >> 6
        var strings = [UInt64](repeating: 0, count: batch.count * (words + 1))
        for row in 0..<batch.count {
            let start = row * (words + 1)
            for (column, offset) in offsets.enumerated() {
                let entry = UInt64(entries[row * widths.count + column])
                precondition(entry >> UInt64(widths[column]) == 0, "an entry would reach into the next column")
                strings[start + offset >> 6] |= entry << UInt64(offset & 63)
                if offset & 63 + widths[column] > 64 {
                    strings[start + offset >> 6 + 1] |= entry >> UInt64(64 - offset & 63)
                }
            }
        }
        let strides = words + 1
        buckets.withUnsafeMutableBufferPointer { pointer in
            nonisolated(unsafe) let buckets = pointer
            let strings = strings
            Parallel.ranges(patterns.count) { range in
                let workspace = key.arithmetic.makeWorkspace()
                for index in range {
                    collect(batch, strings, strides, patterns[index], &buckets[index], workspace)
                }
            }
        }
    }

    private func collect(_ batch: CiphertextBatch, _ strings: [UInt64], _ strides: Int, _ bits: Range<Int>,
                         _ buckets: inout Buckets, _ workspace: SquareModulus.Workspace) {
        let word = bits.lowerBound >> 6
        let shift = UInt64(bits.lowerBound & 63)
        let mask = UInt64(1) << UInt64(bits.count) - 1
        for row in 0..<batch.count {
            let low = strings[row * strides + word] >> shift
            let high = shift == 0 ? 0 : strings[row * strides + word + 1] << (64 - shift)
            let pattern = Int((low | high) & mask)
            guard pattern != 0 else { continue }
            if buckets.filled[pattern] {
                key.arithmetic.multiply(buckets.residues, pattern, buckets.residues, pattern, batch.residues, row, workspace)
            } else {
                buckets.residues.copy(from: batch.residues, row, to: pattern)
                buckets.filled[pattern] = true
            }
        }
    }

    /// One ciphertext for each column: of the sum over all rows of entry times plaintext. The buckets are used up.
    package func finish() -> CiphertextBatch {
        let total = (offsets.last ?? 0) + (widths.last ?? 0)
        let bitProducts = key.arithmetic.makeBuffer(count: max(1, total))
        buckets.withUnsafeMutableBufferPointer { pointer in
            nonisolated(unsafe) let buckets = pointer
            Parallel.ranges(patterns.count) { range in
                let workspace = key.arithmetic.makeWorkspace()
                for index in range {
                    fold(&buckets[index], patterns[index], into: bitProducts, workspace)
                }
            }
        }
        let result = CiphertextBatch(key: key, count: widths.count)
        Parallel.ranges(widths.count) { range in
            let workspace = key.arithmetic.makeWorkspace()
            for column in range {
                let (offset, width) = (offsets[column], widths[column])
                result.residues.copy(from: bitProducts, offset + width - 1, to: column)
                for bit in Swift.stride(from: width - 2, through: 0, by: -1) {
                    key.arithmetic.square(result.residues, column, result.residues, column, workspace)
                    key.arithmetic.multiply(result.residues, column, result.residues, column, bitProducts, offset + bit, workspace)
                }
            }
        }
        return result
    }

    /// The upper half of the buckets has the top bit set: their product is that bit's. Then the halves are merged, and the
    /// next bit is at the top.
    private func fold(_ buckets: inout Buckets, _ bits: Range<Int>, into products: ResidueBuffer, _ workspace: SquareModulus.Workspace) {
        for top in Swift.stride(from: bits.count - 1, through: 0, by: -1) {
            let half = 1 << top
            let product = bits.lowerBound + top
            var started = false
            for pattern in half..<2 * half where buckets.filled[pattern] {
                if started {
                    key.arithmetic.multiply(products, product, products, product, buckets.residues, pattern, workspace)
                } else {
                    products.copy(from: buckets.residues, pattern, to: product)
                    started = true
                }
                let merged = pattern - half
                guard merged != 0 else { continue }
                if buckets.filled[merged] {
                    key.arithmetic.multiply(buckets.residues, merged, buckets.residues, merged, buckets.residues, pattern, workspace)
                } else {
                    buckets.residues.copy(from: buckets.residues, pattern, to: merged)
                    buckets.filled[merged] = true
                }
            }
            if !started { key.arithmetic.setOne(products, product) }
        }
    }
}

extension CiphertextBatch {
    /// Element by element: ciphertexts of m_i + multiple_i * s, with s the plaintext of `base`, a batch of one. Takes one
    /// inversion if a multiple is negative.
    package func adding(multiples: [Int64], of base: CiphertextBatch) -> CiphertextBatch {
        precondition(multiples.count == count && base.count == 1)
        let arithmetic = key.arithmetic
        let workspace = arithmetic.makeWorkspace()
        let signed = arithmetic.makeBuffer(count: 2)
        signed.copy(from: base.residues, 0, to: 0)
        if multiples.contains(where: { $0 < 0 }) {
            guard let inverse = arithmetic.value(base.residues, 0, workspace).inverse(modulo: key.squared) else {
                preconditionFailure("ciphertexts are units")
            }
            arithmetic.load(inverse, into: signed, 1, workspace)
        }
        let result = CiphertextBatch(key: key, count: count)
        Parallel.ranges(count) { range in
            let workspace = arithmetic.makeWorkspace()
            for index in range {
                let multiple = multiples[index]
                result.residues.copy(from: residues, index, to: index)
                guard multiple != 0 else { continue }
                let source = multiple > 0 ? 0 : 1
                let magnitude = multiple.magnitude
                let power = arithmetic.makeBuffer(count: 1)
                power.copy(from: signed, source, to: 0)
                for bit in Swift.stride(from: 62 - magnitude.leadingZeroBitCount, through: 0, by: -1) {
                    arithmetic.square(power, 0, power, 0, workspace)
                    if magnitude >> UInt64(bit) & 1 == 1 { arithmetic.multiply(power, 0, power, 0, signed, source, workspace) }
                }
                arithmetic.multiply(result.residues, index, result.residues, index, power, 0, workspace)
            }
        }
        return result
    }

    /// A part of the batch.
    package func slice(_ range: Range<Int>) -> CiphertextBatch {
        let result = CiphertextBatch(key: key, count: range.count)
        for (target, source) in range.enumerated() { result.residues.copy(from: residues, source, to: target) }
        return result
    }
}
