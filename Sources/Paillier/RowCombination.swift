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
            let ladder = JointLadder(key.arithmetic, groups: groups)
            for row in range {
                ladder.combine(residues, first: row * stride, exponents: exponents, firstExponent: row * (stride - 1),
                               bits: exponentBits, into: result.residues, row)
            }
        }
        return result
    }
}

/// Tables of subset products and the ladder over them, for one thread.
private final class JointLadder {
    private let arithmetic: SquareModulus
    private let workspace: SquareModulus.Workspace
    private let groups: [Range<Int>]
    private let tables: [ResidueBuffer]

    /// Bases in groups of at most four: a table of 16 products is cheaper than the multiplications that a larger saves.
    static func groups(of bases: Int) -> [Range<Int>] {
        let parts = (bases + 3) / 4
        return (0..<parts).map { bases * $0 / parts..<bases * ($0 + 1) / parts }
    }

    init(_ arithmetic: SquareModulus, groups: [Range<Int>]) {
        self.arithmetic = arithmetic
        self.groups = groups
        workspace = arithmetic.makeWorkspace()
        tables = groups.map { arithmetic.makeBuffer(count: 1 << $0.count) }
    }

    func combine(_ source: ResidueBuffer, first: Int, exponents: [UInt32], firstExponent: Int, bits: Int,
                 into target: ResidueBuffer, _ row: Int) {
        for (group, table) in zip(groups, tables) {
            for subset in 1..<table.count {
                let lowest = subset.trailingZeroBitCount
                let rest = subset & (subset - 1)
                let base = first + 1 + group.lowerBound + lowest
                if rest == 0 {
                    table.copy(from: source, base, to: subset)
                } else {
                    arithmetic.multiply(table, subset, table, rest, source, base, workspace)
                }
            }
        }
        var started = false
        for bit in stride(from: bits - 1, through: 0, by: -1) {
            if started { arithmetic.square(target, row, target, row, workspace) }
            for (group, table) in zip(groups, tables) {
                var subset = 0
                for (offset, base) in group.enumerated() {
                    subset |= Int(exponents[firstExponent + base] >> UInt32(bit) & 1) << offset
                }
                guard subset != 0 else { continue }
                if started {
                    arithmetic.multiply(target, row, target, row, table, subset, workspace)
                } else {
                    target.copy(from: table, subset, to: row)
                    started = true
                }
            }
        }
        if started {
            arithmetic.multiply(target, row, target, row, source, first, workspace)
        } else {
            target.copy(from: source, first, to: row)
        }
    }
}
