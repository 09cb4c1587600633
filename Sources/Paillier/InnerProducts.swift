import BigNumber

/// Inner products of many columns of small integers with one column of ciphertexts, fed block by block.
///
/// A row's entries, side by side, are one string of digits: the bits of an entry, or one digit for a whole entry where its
/// column has few values. Cut into patterns whatever column they belong to, each pattern costs one multiplication: of the
/// row's ciphertext into the bucket of that pattern. In the end the buckets are folded into one product for each value of
/// each digit, and these into the columns. Source: Pippenger, "On the evaluation of powers and related problems", FOCS
/// 1976, with joint patterns; Protocols/protocol.md, "Inner products".
///
/// A reference: it holds the buckets of a whole round and belongs to one round of one party.
package final class InnerProducts: @unchecked Sendable {
    private let key: PublicKey
    private let columns: [InnerProductColumn]
    private let patterns: [InnerProductPattern]
    private let buckets: [Buckets]

    /// Products of the rows that showed one pattern; bucket 0 is never used. Threads write to different buckets.
    private struct Buckets: @unchecked Sendable {
        let residues: ResidueBuffer
        let filled: Slots<Bool>

        init(size: Int, _ arithmetic: SquareModulus) {
            residues = arithmetic.makeBuffer(count: size)
            filled = Slots(count: size, initial: false)
        }
    }

    /// - Parameters:
    ///   - columnBits: entries of column c are below 2^columnBits[c]; 1 to 32.
    ///   - values: for columns of few values, all that occur. Which columns these are changes no result.
    ///   - rows: how many are expected; decides the patterns only.
    package init(key: PublicKey, columnBits: [Int], values: [[UInt32]?]? = nil, rows: Int) {
        precondition(columnBits.allSatisfy { (1...32).contains($0) })
        self.key = key
        columns = columnBits.enumerated().map { InnerProductColumn(bits: $1, values: values?[$0], rows: rows) }
        patterns = InnerProductPattern.cut(columns, rows: rows, ciphertextBytes: key.ciphertextBytes)
        buckets = patterns.map { Buckets(size: $0.size, key.arithmetic) }
    }

    /// Adds a block of rows.
    ///
    /// - Parameter entries: the block's rows, at most 65,536, one behind the other, one entry for each column.
    package func add(_ batch: CiphertextBatch, entries: [UInt32]) {
        precondition(entries.count == batch.count * columns.count && batch.count <= 1 << 16)
        for (index, entry) in entries.enumerated() {
            precondition(columns[index % columns.count].holds(entry), "an entry would reach into the next column")
        }
        let numbers = numbers(entries, rows: batch.count)
        // Few patterns would leave cores idle: each pattern's buckets are shared out as well.
        let shares = Parallel.width
        Parallel.ranges(patterns.count * shares) { range in
            let workspace = key.arithmetic.makeWorkspace()
            for index in range {
                let pattern = index / shares
                let ofPattern = numbers[pattern * batch.count..<(pattern + 1) * batch.count]
                collect(batch, ofPattern, into: buckets[pattern], share: index % shares, of: shares, workspace)
            }
        }
    }

    /// The bucket of each row, pattern by pattern.
    private func numbers(_ entries: [UInt32], rows: Int) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: patterns.count * rows) { buffer, initialized in
            nonisolated(unsafe) let target = buffer
            Parallel.ranges(rows) { range in
                for (index, pattern) in patterns.enumerated() {
                    for row in range { target[index * rows + row] = UInt16(pattern.number(entries, row * columns.count, columns)) }
                }
            }
            initialized = patterns.count * rows
        }
    }

    private func collect(_ batch: CiphertextBatch, _ numbers: ArraySlice<UInt16>, into buckets: Buckets, share: Int, of shares: Int,
                         _ workspace: SquareModulus.Workspace) {
        var targets: [UInt32] = []
        var rows: [UInt32] = []
        for (row, number) in numbers.enumerated() {
            let number = Int(number)
            // Low bits alone would not share evenly: digits are often 0.
            guard number != 0, (number ^ number >> 2 ^ number >> 5 ^ number >> 9) % shares == share else { continue }
            if buckets.filled[number] {
                targets.append(UInt32(number))
                rows.append(UInt32(row))
            } else {
                buckets.residues.copy(from: batch.residues, row, to: number)
                buckets.filled[number] = true
            }
        }
        key.arithmetic.accumulate(targets, of: buckets.residues, batch.residues[.list(rows)], workspace)
    }

    /// One ciphertext for each column: of the sum over all rows of entry times plaintext. The buckets are used up.
    package func finish() -> CiphertextBatch {
        // One product for each multiple of a column: of its bits, or of its values.
        var starts: [Int] = []
        var total = 0
        for column in columns {
            starts.append(total)
            total += column.multiples.count
        }
        let products = key.arithmetic.makeBuffer(count: max(1, total))
        Parallel.ranges(patterns.count) { [starts] range in
            let workspace = key.arithmetic.makeWorkspace()
            for index in range {
                fold(buckets[index], patterns[index], into: products, starts, workspace)
            }
        }
        let result = CiphertextBatch(key: key, count: columns.count)
        Parallel.ranges(columns.count) { [starts] range in
            let ladder = PowerLadder(key.arithmetic)
            let powers = range.map { column in
                columns[column].multiples.enumerated().map { PowerLadder.Factor(place: UInt32(starts[column] + $0), exponent: UInt64($1)) }
            }
            ladder.products(powers, of: products, into: result.residues, range.lowerBound)
        }
        return result
    }

    /// From the highest digit down: the buckets with one value of it are merged into those where it is 0 and multiplied
    /// together, and the next digit is the highest.
    private func fold(_ buckets: Buckets, _ pattern: InnerProductPattern, into products: ResidueBuffer, _ starts: [Int],
                      _ workspace: SquareModulus.Workspace) {
        let residues = buckets.residues
        for digit in pattern.digits.reversed() {
            for value in 1..<digit.radix {
                let filled = (0..<digit.weight).filter { buckets.filled[value * digit.weight + $0] }
                let numbers = filled.map { UInt32(value * digit.weight + $0) }
                var targets: [UInt32] = []
                var sources: [UInt32] = []
                for (merged, number) in zip(filled, numbers) where merged != 0 {
                    if buckets.filled[merged] {
                        targets.append(UInt32(merged))
                        sources.append(number)
                    } else {
                        residues.copy(from: residues, Int(number), to: merged)
                        buckets.filled[merged] = true
                    }
                }
                key.arithmetic.accumulate(targets, of: residues, residues[.list(sources)], workspace)
                let product = starts[digit.column] + digit.firstMultiple + value - 1
                if let first = numbers.first {
                    key.arithmetic.reduce(numbers, of: residues, workspace)
                    products.copy(from: residues, Int(first), to: product)
                } else {
                    key.arithmetic.setOne(products, product)
                }
            }
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
            guard let inverse = arithmetic.values(base.residues[.from(0)], count: 1, workspace)[0].inverse(modulo: key.squared) else {
                preconditionFailure("ciphertexts are units")
            }
            arithmetic.load([inverse], into: signed, 1, workspace)
        }
        let result = CiphertextBatch(key: key, count: count)
        Parallel.ranges(count) { range in
            for index in range { result.residues.copy(from: residues, index, to: index) }
            let others = range.filter { multiples[$0] != 0 }
            let powers = arithmetic.makeBuffer(count: others.count)
            PowerLadder(arithmetic).products(
                others.map { [.init(place: multiples[$0] > 0 ? 0 : 1, exponent: multiples[$0].magnitude)] }, of: signed, into: powers, 0)
            arithmetic.accumulate(others.map { UInt32($0) }, of: result.residues, powers[.from(0)], arithmetic.makeWorkspace())
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
