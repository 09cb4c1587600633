/// Powers of one base modulo the square of a prime p, by one table entry for each window of the exponent: no squarings at
/// use. Source: Brickell, Gordon, McCurley, Wilson, "Fast exponentiation with precomputation", EUROCRYPT 1992; the form of
/// the entries: Protocols/protocol.md, "Arithmetic modulo n^2".
///
/// Filled position by position before its first use, by any number of threads; afterwards safe to share. Wiped on release.
package final class FixedBaseTable: @unchecked Sendable {
    /// Windows of the exponent, from its low end: an even number of them.
    package let positions: Int

    private let widths: [Int]
    /// First bit of the exponent, and first entry, of each position.
    private let bits: [Int]
    private let starts: [Int]
    private let arithmetic: SquareModulus
    private let entries: ResidueBuffer
    /// base^(2^bits) for each position, and in the low halves its inverse modulo p, in Montgomery form.
    private let bases: ResidueBuffer
    private let inverses: ResidueBuffer

    private var kernels: any ModulusKernels { arithmetic.kernels }

    package final class Workspace {
        fileprivate let scratch: SquareModulus.Workspace
        /// Entries of each power, position by position.
        fileprivate var index: [UInt32]

        fileprivate init(_ table: FixedBaseTable) {
            scratch = table.arithmetic.makeWorkspace()
            index = [UInt32](repeating: 0, count: FixedBaseTable.mostPowers * table.positions)
        }

        deinit { for position in index.indices { index[position] = 0 } }
    }

    /// How many powers a call computes.
    package static let mostPowers = 8

    /// - Parameters:
    ///   - base: prime to p.
    ///   - prime: p, of a length that is a multiple of 64 bits.
    ///   - windowBits: at most 16; the memory is that of `entries(exponentBits:windowBits:)` residues.
    package init(base: Natural, prime: Natural, exponentBits: Int, windowBits: Int, kernels choice: Kernels = .chosen) {
        precondition(prime.bitWidth % 64 == 0 && (1...16).contains(windowBits))
        widths = FixedBaseTable.widths(exponentBits: exponentBits, windowBits: windowBits)
        positions = widths.count
        bits = widths.indices.map { [widths] in widths[..<$0].reduce(0, +) }
        starts = widths.indices.map { [widths] in widths[..<$0].reduce(0) { $0 + 1 << $1 } }
        // Sums of two thousand logarithms, each below 2 p, stay below R.
        arithmetic = SquareModulus(base: prime, kernels: choice, slackBits: 12)
        entries = arithmetic.makeBuffer(count: widths.reduce(0) { $0 + 1 << $1 })
        bases = arithmetic.makeBuffer(count: positions)
        inverses = arithmetic.makeBuffer(count: positions)
        guard let inverse = (base % prime).inverse(modulo: prime) else { preconditionFailure("the base is prime to p") }
        let workspace = arithmetic.makeWorkspace()
        arithmetic.load([base], into: bases, 0, workspace)
        kernels.write((inverse << kernels.radixBits) % prime, to: inverses.limbs(0), halves: 1)
        for position in 1..<positions {
            bases.copy(from: bases, position - 1, to: position)
            inverses.copy(from: inverses, position - 1, to: position)
            let (base, inverse) = (bases[.only(position)], inverses[.only(position)])
            for _ in 0..<widths[position - 1] {
                arithmetic.square(base, base, count: 1, workspace)
                kernels.multiplyLow(inverse, inverse, count: 1, workspace.memory)
            }
        }
    }

    /// Windows of at most `windowBits`, as equal as can be, an even number and four at least.
    private static func widths(exponentBits: Int, windowBits: Int) -> [Int] {
        let least = (exponentBits + windowBits - 1) / windowBits
        let count = max(4, least + least % 2)
        return (0..<count).map { exponentBits * ($0 + 1) / count - exponentBits * $0 / count }
    }

    package static func entries(exponentBits: Int, windowBits: Int) -> Int {
        widths(exponentBits: exponentBits, windowBits: windowBits).reduce(0) { $0 + 1 << $1 }
    }

    package static func positions(exponentBits: Int, windowBits: Int) -> Int {
        widths(exponentBits: exponentBits, windowBits: windowBits).count
    }

    /// Makes the entries of some positions: base^(digit 2^bits).
    ///
    /// An entry e is kept as the low half x0 of its Montgomery form and l = x1 / e, so that x0 - p x1 = x0 (1 - p l / R).
    /// The first position has a further factor 1/R, which the product of all positions then lacks.
    package func fill(_ range: Range<Int>) {
        let workspace = arithmetic.makeWorkspace()
        let half = kernels.halfWords
        let entry = arithmetic.makeBuffer(count: Self.mostPowers)
        let inverse = arithmetic.makeBuffer(count: Self.mostPowers)
        let logarithm = arithmetic.makeBuffer(count: Self.mostPowers)
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.mostPowers) {
            let chosen = first..<min(first + Self.mostPowers, range.upperBound)
            for (place, position) in chosen.enumerated() {
                // R, which stands for 1, and for the first position 1.
                let factor = position == 0 ? 0 : 1
                kernels.write((Natural.one << (factor * kernels.radixBits)) % arithmetic.modulus, asPairIn: entry.limbs(place), base: arithmetic.base)
                kernels.write((Natural.one << ((2 - factor) * kernels.radixBits)) % arithmetic.base, to: inverse.limbs(place), halves: 1)
            }
            for digit in 0..<1 << (widths[chosen].max() ?? 0) {
                for place in chosen.indices { logarithm.limbs(place - first).update(from: entry.limbs(place - first) + half, count: half) }
                kernels.multiplyLow(logarithm[.from(0)], inverse[.from(0)], count: chosen.count, workspace.memory)
                for (place, position) in chosen.enumerated() where digit < 1 << widths[position] {
                    let target = entries.limbs(starts[position] + digit)
                    target.update(from: entry.limbs(place), count: half)
                    (target + half).update(from: logarithm.limbs(place), count: half)
                }
                arithmetic.multiply(entry[.from(0)], entry[.from(0)], bases[.from(first)], count: chosen.count, workspace)
                kernels.multiplyLow(inverse[.from(0)], inverses[.from(first)], count: chosen.count, workspace.memory)
            }
        }
    }

    package func makeWorkspace() -> Workspace { Workspace(self) }

    /// target[t + k] = base^exponents[k] (1 + factor p messages[k]) modulo p^2, as numbers in 64-bit words, for at most `mostPowers`.
    ///
    /// Every position takes the same steps whatever its digit; which entry it reads depends on the digit.
    ///
    /// - Parameters:
    ///   - exponents: one for each message, in 64-bit words, of no more bits than the table was made for.
    ///   - factors: see `messageFactors`.
    package func powers(_ exponents: ResidueBuffer, messages: [Int64], factors: ResidueBuffer, into target: ResidueBuffer, _ t: Int,
                        _ workspace: Workspace) {
        let count = messages.count
        precondition((1...Self.mostPowers).contains(count) && count <= exponents.count && t + count <= target.count)
        precondition(target.limbsPerResidue == arithmetic.base.bitWidth / 32)
        workspace.index.withUnsafeMutableBufferPointer { index in
            for power in 0..<count {
                for position in 0..<positions {
                    let digit = FixedBaseTable.digit(exponents, power, at: bits[position], width: widths[position])
                    index[position * count + power] = UInt32(starts[position] + digit)
                }
            }
            kernels.entriesProducts(target, t, entries, index: UnsafeBufferPointer(index), positions: positions, messages: messages, factors: factors,
                                    workspace.scratch.memory)
        }
    }

    /// What a message enters `powers` with: logarithms of 1 + factor p and 1 - factor p.
    package func messageFactors(_ factor: Natural) -> ResidueBuffer {
        let prime = arithmetic.base
        let positive = (factor << kernels.logarithmBits) % prime
        let factors = arithmetic.makeBuffer(count: 2)
        kernels.write(prime - positive, to: factors.limbs(0), halves: 1)
        kernels.write(positive, to: factors.limbs(1), halves: 1)
        return factors
    }

    /// At most 16 bits from a bit on, spread over at most two words.
    @inline(__always)
    private static func digit(_ exponents: ResidueBuffer, _ power: Int, at bit: Int, width: Int) -> Int {
        let words = exponents.limbs(power), word = bit / 64, shift = bit % 64
        var value = words[word] >> UInt(shift)
        if shift + width > 64, word + 1 < exponents.limbsPerResidue { value |= words[word + 1] << UInt(64 - shift) }
        return Int(value & (1 << UInt(width) - 1))
    }
}
