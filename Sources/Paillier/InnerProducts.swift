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
            var chosen: [UInt16] = []
            for index in range {
                let pattern = index / shares
                let ofPattern = numbers[pattern * batch.count..<(pattern + 1) * batch.count]
                collect(batch, ofPattern, into: buckets[pattern], share: index % shares, of: shares, &chosen, workspace)
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

    /// How many rows ahead a bucket is asked for: a product takes longer than memory does.
    private static let ahead = 2

    private func collect(_ batch: CiphertextBatch, _ numbers: ArraySlice<UInt16>, into buckets: Buckets, share: Int, of shares: Int,
                         _ chosen: inout [UInt16], _ workspace: SquareModulus.Workspace) {
        chosen.removeAll(keepingCapacity: true)
        numbers.withUnsafeBufferPointer { numbers in
            for (row, number) in numbers.enumerated() {
                let number = Int(number)
                // Low bits alone would not share evenly: digits are often 0.
                guard number != 0, (number ^ number >> 2 ^ number >> 5 ^ number >> 9) % shares == share else { continue }
                chosen.append(UInt16(row))
            }
            for (index, row) in chosen.enumerated() {
                if index + Self.ahead < chosen.count { buckets.residues.prefetch(Int(numbers[Int(chosen[index + Self.ahead])])) }
                let (row, number) = (Int(row), Int(numbers[Int(row)]))
                if buckets.filled[number] {
                    key.arithmetic.multiply(buckets.residues, number, buckets.residues, number, batch.residues, row, workspace)
                } else {
                    buckets.residues.copy(from: batch.residues, row, to: number)
                    buckets.filled[number] = true
                }
            }
        }
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
            let workspace = key.arithmetic.makeWorkspace()
            for column in range {
                combine(products, starts[column], columns[column].multiples, into: result.residues, column, workspace)
            }
        }
        return result
    }

    /// From the highest digit down: the buckets with one value of it are multiplied together, then merged into those where
    /// it is 0, and the next digit is the highest.
    private func fold(_ buckets: Buckets, _ pattern: InnerProductPattern, into products: ResidueBuffer, _ starts: [Int],
                      _ workspace: SquareModulus.Workspace) {
        for digit in pattern.digits.reversed() {
            for value in 1..<digit.radix {
                let product = starts[digit.column] + digit.firstMultiple + value - 1
                var started = false
                for merged in 0..<digit.weight {
                    let number = value * digit.weight + merged
                    guard buckets.filled[number] else { continue }
                    if started {
                        key.arithmetic.multiply(products, product, products, product, buckets.residues, number, workspace)
                    } else {
                        products.copy(from: buckets.residues, number, to: product)
                        started = true
                    }
                    guard merged != 0 else { continue }
                    if buckets.filled[merged] {
                        key.arithmetic.multiply(buckets.residues, merged, buckets.residues, merged, buckets.residues, number, workspace)
                    } else {
                        buckets.residues.copy(from: buckets.residues, number, to: merged)
                        buckets.filled[merged] = true
                    }
                }
                if !started { key.arithmetic.setOne(products, product) }
            }
        }
    }

    /// The product of all powers products[start + i]^multiples[i].
    private func combine(_ products: ResidueBuffer, _ start: Int, _ multiples: [UInt32], into target: ResidueBuffer, _ t: Int,
                         _ workspace: SquareModulus.Workspace) {
        var started = false
        let bits = 32 - (multiples.max() ?? 0).leadingZeroBitCount
        for bit in Swift.stride(from: bits - 1, through: 0, by: -1) {
            if started { key.arithmetic.square(target, t, target, t, workspace) }
            for (index, multiple) in multiples.enumerated() where multiple >> UInt32(bit) & 1 == 1 {
                if started {
                    key.arithmetic.multiply(target, t, target, t, products, start + index, workspace)
                } else {
                    target.copy(from: products, start + index, to: t)
                    started = true
                }
            }
        }
        if !started { key.arithmetic.setOne(target, t) }
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
