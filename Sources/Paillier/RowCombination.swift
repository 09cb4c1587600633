import BigNumber

extension CiphertextBatch {
    /// Combines the ciphertexts of each row with that row's small exponents: row i gives
    /// c_i0 * prod_{j >= 1} c_ij^e_ij, a ciphertext of m_i0 + sum_j e_ij m_ij.
    ///
    /// One ladder walks the bits of all exponents of a row together. Source: Straus, "Addition chains of vectors", Amer.
    /// Math. Monthly 71 (1964). Which products a row takes depends on its exponents, which are the caller's own and of
    /// which the key's owner sees neither time nor result (Protocols/protocol.md, "What is not defended").
    ///
    /// - Parameters:
    ///   - stride: ciphertexts in a row, m + 1; `count` is a multiple of it.
    ///   - exponents: m for each row, each below 2^`exponentBits`.
    /// - Returns: one ciphertext for each row.
    package func combiningRows(stride: Int, exponents: [UInt32], exponentBits: Int) -> CiphertextBatch {
        precondition(stride >= 1 && count % stride == 0 && exponents.count == count / stride * (stride - 1))
        precondition((1...32).contains(exponentBits) && exponents.allSatisfy { UInt64($0) >> UInt64(exponentBits) == 0 })
        let rows = count / stride
        let result = CiphertextBatch(key: key, count: rows)
        let groups = JointLadder.groups(of: stride - 1)
        Parallel.ranges(rows) { range in
            let ladder = JointLadder(key.arithmetic, groups: groups, bits: exponentBits)
            for first in Swift.stride(from: range.lowerBound, to: range.upperBound, by: JointLadder.mostRows) {
                ladder.combine(residues, stride: stride, exponents: exponents, rows: first..<min(first + JointLadder.mostRows, range.upperBound),
                               into: result.residues)
            }
        }
        return result
    }
}

/// Tables of subset products and the ladder over them, for one thread and several rows side by side.
private final class JointLadder {
    /// Rows that go side by side: their tables stay in the cache.
    static let mostRows = 32

    private let arithmetic: SquareModulus
    private let workspace: SquareModulus.Workspace
    private let groups: [Range<Int>]
    private let bits: Int
    /// Of each group: the table of one row behind that of the other.
    private let tables: [ResidueBuffer]

    /// Bases in groups of at most four: a table of 16 products is cheaper than the multiplications that a larger saves.
    static func groups(of bases: Int) -> [Range<Int>] {
        let parts = (bases + 3) / 4
        return (0..<parts).map { bases * $0 / parts..<bases * ($0 + 1) / parts }
    }

    init(_ arithmetic: SquareModulus, groups: [Range<Int>], bits: Int) {
        self.arithmetic = arithmetic
        self.groups = groups
        self.bits = bits
        workspace = arithmetic.makeWorkspace()
        tables = groups.map { arithmetic.makeBuffer(count: JointLadder.mostRows << $0.count) }
    }

    func combine(_ source: ResidueBuffer, stride: Int, exponents: [UInt32], rows: Range<Int>, into target: ResidueBuffer) {
        for (group, table) in zip(groups, tables) { fill(table, group, from: source, stride: stride, rows: rows) }
        var started = [Bool](repeating: false, count: rows.count)
        for bit in Swift.stride(from: bits - 1, through: 0, by: -1) {
            let squared = target[.list(rows.filter { started[$0 - rows.lowerBound] }.map { UInt32($0) })]
            arithmetic.square(squared, squared, count: started.count { $0 }, workspace)
            for (group, table) in zip(groups, tables) {
                var targets: [UInt32] = []
                var factors: [UInt32] = []
                for (place, row) in rows.enumerated() {
                    var subset = 0
                    for (offset, base) in group.enumerated() {
                        subset |= Int(exponents[row * (stride - 1) + base] >> UInt32(bit) & 1) << offset
                    }
                    guard subset != 0 else { continue }
                    let entry = place << group.count | subset
                    if started[place] {
                        targets.append(UInt32(row))
                        factors.append(UInt32(entry))
                    } else {
                        target.copy(from: table, entry, to: row)
                        started[place] = true
                    }
                }
                let places = target[.list(targets)]
                arithmetic.multiply(places, places, table[.list(factors)], count: targets.count, workspace)
            }
        }
        let raised = rows.filter { started[$0 - rows.lowerBound] }
        let places = target[.list(raised.map { UInt32($0) })]
        arithmetic.multiply(places, places, source[.list(raised.map { UInt32($0 * stride) })], count: raised.count, workspace)
        for row in rows where !started[row - rows.lowerBound] { target.copy(from: source, row * stride, to: row) }
    }

    /// The products of all subsets of the group's bases, for each row.
    private func fill(_ table: ResidueBuffer, _ group: Range<Int>, from source: ResidueBuffer, stride: Int, rows: Range<Int>) {
        for subset in 1..<1 << group.count {
            let rest = subset & (subset - 1)
            let base = 1 + group.lowerBound + subset.trailingZeroBitCount
            if rest == 0 {
                for (place, row) in rows.enumerated() { table.copy(from: source, row * stride + base, to: place << group.count | subset) }
            } else {
                func entries(_ subset: Int) -> Residues { table[.list(rows.indices.map { UInt32(($0 - rows.lowerBound) << group.count | subset) })] }
                let bases = source[.list(rows.map { UInt32($0 * stride + base) })]
                arithmetic.multiply(entries(subset), entries(rest), bases, count: rows.count, workspace)
            }
        }
    }
}
