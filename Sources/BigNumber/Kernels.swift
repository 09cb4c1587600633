import CVectorKernels

/// Which code multiplies modulo a square. Results are the same numbers with each.
package enum Kernels: Sendable, CaseIterable {
    /// GMP alone: the reference.
    case library
    /// GMP, and rows of mulx, adcx and adox where the processor has them.
    case portable
    /// Eight residues at a time with the 52-bit multiplications of AVX-512.
    case vector

    /// What this process uses, by its processor and JOINTLAB_KERNELS.
    package static let chosen: Kernels = jk_uses_ifma() != 0 ? .vector : .portable

    /// Whether this processor can run them.
    package var areThere: Bool { self != .vector || jk_has_ifma() != 0 }

    /// - Parameter slackBits: by how much more than n R has to be longer with vector kernels.
    func modulus(_ base: Natural, slackBits: Int = 4) -> any ModulusKernels {
        switch self {
        case .library: PortableKernels(base: base, rows: false)
        case .portable: PortableKernels(base: base, rows: true)
        case .vector: VectorKernels(base: base, slackBits: slackBits)
        }
    }
}

/// Arithmetic on residues modulo n^2 as pairs x0 - n x1, in whatever limbs and Montgomery form suit the processor.
///
/// Scratch is `scratchBytes` of one thread, at a multiple of 64 bytes.
protocol ModulusKernels: Sendable {
    /// 64-bit words from one residue to the next, and of its low half. The high half follows the low one.
    var residueWords: Int { get }
    var halfWords: Int { get }
    /// log2 of R.
    var radixBits: Int { get }
    /// Halves are below this multiple of n.
    var bound: UInt64 { get }
    var scratchBytes: Int { get }

    /// target = a b, of which no two touch the same target.
    func multiply(_ target: Residues, _ a: Residues, _ b: Residues, count: Int, _ scratch: UnsafeMutableRawPointer)
    func square(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer)
    /// target *= a, in any order; targets may repeat.
    func accumulate(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer)
    /// Low halves alone, modulo n.
    func multiplyLow(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer)
    /// A number t below n^2, as `write` left it over both halves, becomes a pair that stands for t / R.
    func split(_ target: Residues, count: Int, _ scratch: UnsafeMutableRawPointer)

    /// `SquareModulus.powers`.
    func powers(_ bases: [Natural], exponent: Natural, isSecret: Bool, in arithmetic: SquareModulus,
                _ workspace: SquareModulus.Workspace) -> [Natural]

    /// log2 of what the factor of a message's logarithm is multiplied by.
    var logarithmBits: Int { get }
    /// target[t + k] = prod_i v_i (1 - p (sum_i l_i + messages[k]) / R) / R^(positions - 1) modulo p^2, for each message one number in
    /// 64-bit words: v and l of a table's entries stand as low and high half at index[count i + k], positions are even in number.
    func entriesProducts(_ target: ResidueBuffer, _ t: Int, _ table: ResidueBuffer, index: UnsafeBufferPointer<UInt32>, positions: Int,
                         messages: [Int64], factors: ResidueBuffer, _ scratch: UnsafeMutableRawPointer)
    /// target[k] = the number below m n that is remainders[k] modulo m and remainders[r + k] modulo this n, as 64-bit words of both; m is
    /// below 2 n. In limbs of a half, constants are m and R / m modulo n.
    func join(_ target: ResidueBuffer, _ remainders: ResidueBuffer, _ r: Int, count: Int, constants: ResidueBuffer,
              _ scratch: UnsafeMutableRawPointer)

    /// Writes a number as limbs of a half, or of both.
    func write(_ words: UnsafePointer<UInt>, _ count: Int, to target: UnsafeMutablePointer<UInt>, halves: Int)
    func number(half: UnsafePointer<UInt>) -> Natural
}

extension ModulusKernels {
    /// value = x0 - n x1
    func write(_ value: Natural, asPairIn target: UnsafeMutablePointer<UInt>, base: Natural) {
        let (quotient, remainder) = value.divided(by: base)
        write(remainder, to: target, halves: 1)
        write(quotient.isZero ? quotient : base - quotient, to: target + halfWords, halves: 1)
    }

    func write(_ number: Natural, to target: UnsafeMutablePointer<UInt>, halves: Int) {
        let count = max(1, (number.bitWidth + 63) / 64)
        withUnsafeTemporaryAllocation(of: UInt.self, capacity: count) { words in
            guard let first = words.baseAddress else { return }
            number.copyLimbs(to: first, count: count)
            write(first, count, to: target, halves: halves)
        }
    }
}
