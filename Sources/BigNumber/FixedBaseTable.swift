import CGMP

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
    private let half: Int
    private let modulus: jl_modulus
    private let entries: ResidueBuffer
    private let squareLimbs: ResidueBuffer
    /// base^(2^bits) for each position, and its inverse modulo p, in Montgomery form.
    private let bases: ResidueBuffer
    private let inverses: ResidueBuffer
    /// R and R^2 modulo p.
    private let powers: ResidueBuffer

    package final class Workspace {
        fileprivate let limbs: ResidueBuffer
        fileprivate var index: [UInt32]

        fileprivate init(limbs: Int, positions: Int) {
            self.limbs = ResidueBuffer(count: 1, limbsPerResidue: limbs)
            index = [UInt32](repeating: 0, count: positions)
        }

        deinit { for position in index.indices { index[position] = 0 } }
    }

    /// - Parameters:
    ///   - base: prime to p.
    ///   - prime: p, of a length that is a multiple of 64 bits.
    ///   - windowBits: at most 16; the memory is `bytes(primeBits:exponentBits:windowBits:)`.
    package init(base: Natural, prime: Natural, exponentBits: Int, windowBits: Int, kernels: Kernels = .chosen) {
        precondition(prime.bitWidth % 64 == 0 && (1...16).contains(windowBits))
        let arithmetic = SquareModulus(base: prime, kernels: kernels == .library ? .library : .portable)
        guard let portable = arithmetic.kernels as? PortableKernels else { preconditionFailure() }
        let half = portable.halfWords
        self.half = half
        widths = FixedBaseTable.widths(exponentBits: exponentBits, windowBits: windowBits)
        positions = widths.count
        bits = widths.indices.map { [widths] in widths[..<$0].reduce(0, +) }
        starts = widths.indices.map { [widths] in widths[..<$0].reduce(0) { $0 + 1 << $1 } }
        self.arithmetic = arithmetic
        modulus = portable.raw
        entries = arithmetic.makeBuffer(count: widths.reduce(0) { $0 + 1 << $1 })
        squareLimbs = arithmetic.makeBuffer(count: 1)
        arithmetic.modulus.copyLimbs(to: squareLimbs.limbs(0), count: 2 * half)
        powers = ResidueBuffer(count: 2, limbsPerResidue: half)
        ((Natural.one << (64 * half)) % prime).copyLimbs(to: powers.limbs(0), count: half)
        ((Natural.one << (128 * half)) % prime).copyLimbs(to: powers.limbs(1), count: half)

        bases = arithmetic.makeBuffer(count: positions)
        inverses = ResidueBuffer(count: positions, limbsPerResidue: half)
        guard let inverse = (base % prime).inverse(modulo: prime) else { preconditionFailure("the base is prime to p") }
        let workspace = arithmetic.makeWorkspace()
        let scratch = ResidueBuffer(count: 1, limbsPerResidue: 3 * half)
        arithmetic.load([base], into: bases, 0, workspace)
        ((inverse << (64 * half)) % prime).copyLimbs(to: inverses.limbs(0), count: half)
        for position in 1..<positions {
            bases.copy(from: bases, position - 1, to: position)
            inverses.copy(from: inverses, position - 1, to: position)
            for _ in 0..<widths[position - 1] {
                arithmetic.square(bases[.only(position)], bases[.only(position)], count: 1, workspace)
                jl_montgomery(inverses.limbs(position), inverses.limbs(position), inverses.limbs(position), modulus, scratch.limbs(0))
            }
        }
    }

    /// Windows of at most `windowBits`, as equal as can be, an even number.
    private static func widths(exponentBits: Int, windowBits: Int) -> [Int] {
        let least = (exponentBits + windowBits - 1) / windowBits
        let count = max(2, least + least % 2)
        return (0..<count).map { exponentBits * ($0 + 1) / count - exponentBits * $0 / count }
    }

    package static func entries(exponentBits: Int, windowBits: Int) -> Int {
        widths(exponentBits: exponentBits, windowBits: windowBits).reduce(0) { $0 + 1 << $1 }
    }

    package static func positions(exponentBits: Int, windowBits: Int) -> Int {
        widths(exponentBits: exponentBits, windowBits: windowBits).count
    }

    /// Makes the entries of one position: base^(digit 2^bits).
    ///
    /// An entry e is kept as the low half x0 of its Montgomery form and l = x1 / e, so that x0 - p x1 = x0 (1 - p l / R).
    /// The first position has a further factor 1/R, which the product of all positions then lacks.
    package func fill(_ position: Int) {
        let workspace = arithmetic.makeWorkspace()
        let entry = arithmetic.makeBuffer(count: 1)
        let inverse = ResidueBuffer(count: 1, limbsPerResidue: half)
        let scratch = ResidueBuffer(count: 1, limbsPerResidue: 3 * half)
        if position == 0 {
            entry.limbs(0)[0] = 1
        } else {
            arithmetic.setOne(entry, 0)
        }
        inverse.copy(from: powers, position == 0 ? 1 : 0, to: 0)
        for digit in 0..<1 << widths[position] {
            let target = entries.limbs(starts[position] + digit)
            target.update(from: entry.limbs(0), count: half)
            jl_montgomery(target + half, entry.limbs(0) + half, inverse.limbs(0), modulus, scratch.limbs(0))
            arithmetic.multiply(entry[.only(0)], entry[.only(0)], bases[.only(position)], count: 1, workspace)
            jl_montgomery(inverse.limbs(0), inverse.limbs(0), inverses.limbs(position), modulus, scratch.limbs(0))
        }
    }

    package func makeWorkspace() -> Workspace { Workspace(limbs: 11 * half + 1, positions: positions) }

    /// target[t] = base^exponent (1 + factor p message) modulo p^2, as a plain number.
    ///
    /// Every position takes the same steps whatever its digit; which entry it reads depends on the digit.
    ///
    /// - Parameters:
    ///   - exponent: big-endian, of no more bits than the table was made for.
    ///   - factors: see `messageFactors`.
    package func power(_ exponent: [UInt8], message: Int64, factors: ResidueBuffer, into target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        for position in 0..<positions {
            workspace.index[position] = UInt32(starts[position] + FixedBaseTable.digit(exponent, at: bits[position], width: widths[position]))
        }
        let scratch = workspace.limbs.limbs(0)
        let sum = scratch + 10 * half
        jl_multiply_word(sum, factors.limbs(message < 0 ? 1 : 0), half, message.magnitude)
        workspace.index.withUnsafeBufferPointer { index in
            jl_entries_product(target.limbs(t), sum, entries.limbs(0), index.baseAddress, positions, squareLimbs.limbs(0), modulus, scratch)
        }
    }

    /// What a message enters `power` with: logarithms of 1 + factor p and 1 - factor p.
    package func messageFactors(_ factor: Natural) -> ResidueBuffer {
        let prime = arithmetic.base
        let positive = (factor << (64 * half)) % prime
        let factors = ResidueBuffer(count: 2, limbsPerResidue: half)
        (prime - positive).copyLimbs(to: factors.limbs(0), count: half)
        positive.copyLimbs(to: factors.limbs(1), count: half)
        return factors
    }

    /// At most 16 bits from a bit on: spread over at most three bytes.
    private static func digit(_ exponent: [UInt8], at bit: Int, width: Int) -> Int {
        var value = 0
        for offset in (0..<3).reversed() {
            let index = exponent.count - 1 - bit / 8 - offset
            value = value << 8 | (index >= 0 ? Int(exponent[index]) : 0)
        }
        return value >> (bit % 8) & (1 << width - 1)
    }
}
