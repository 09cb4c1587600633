import CGMP

/// One product after the other, on GMP's limb functions and rows of mulx where asked for. R = 2^(64 words of n); halves are
/// below R, high halves below n.
struct PortableKernels: ModulusKernels, @unchecked Sendable {
    let raw: jl_modulus
    private let limbs: ResidueBuffer
    private let square: ResidueBuffer
    private let half: Int

    var residueWords: Int { 2 * half }
    var halfWords: Int { half }
    var radixBits: Int { 64 * half }
    var bound: UInt64 { 1 }
    var scratchBytes: Int { (11 * half + 1) * MemoryLayout<UInt>.size }

    init(base: Natural, rows: Bool) {
        half = (base.bitWidth + 63) / 64
        limbs = ResidueBuffer(count: 1, limbsPerResidue: half)
        limbs.set(0, base)
        square = ResidueBuffer(count: 1, limbsPerResidue: 2 * half)
        square.set(0, base * base)
        raw = jl_modulus(limbs: limbs.limbs(0), count: half, inverse: 0 &- inverse(ofOdd: limbs.limbs(0)[0]),
                         wide: half % 8 == 0 && rows ? jl_has_wide() : 0)
    }

    func multiply(_ target: Residues, _ a: Residues, _ b: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        for k in 0..<count { jl_square_modulus_multiply(target.limbs(k), a.limbs(k), b.limbs(k), raw, scratch) }
    }

    func square(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        for k in 0..<count { jl_square_modulus_square(target.limbs(k), a.limbs(k), raw, scratch) }
    }

    /// How many products ahead a target is asked for: a product takes longer than memory does.
    private static let ahead = 2

    func accumulate(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        for k in 0..<count {
            if k + Self.ahead < count { target.buffer.prefetch(target.places[k + Self.ahead]) }
            let limbs = target.limbs(k)
            jl_square_modulus_multiply(limbs, limbs, a.limbs(k), raw, scratch)
        }
    }

    func multiplyLow(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        for k in 0..<count { jl_montgomery(target.limbs(k), target.limbs(k), a.limbs(k), raw, scratch) }
    }

    func split(_ target: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        let number = scratch + 2 * half
        for k in 0..<count {
            number.update(from: target.limbs(k), count: 2 * half)
            jl_square_modulus_split(target.limbs(k), number, raw, scratch)
        }
    }

    func powers(_ bases: [Natural], exponent: Natural, isSecret: Bool, in arithmetic: SquareModulus,
                _ workspace: SquareModulus.Workspace) -> [Natural] {
        let modulus = arithmetic.modulus
        return bases.map { isSecret ? $0.power(secret: exponent, modulo: modulus) : $0.power(exponent, modulo: modulus) }
    }

    var logarithmBits: Int { radixBits }

    func entriesProducts(_ target: ResidueBuffer, _ t: Int, _ table: ResidueBuffer, index: UnsafeBufferPointer<UInt32>, positions: Int,
                         messages: [Int64], factors: ResidueBuffer, _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        let sum = scratch + 10 * half
        guard let index = index.baseAddress else { return }
        for (k, message) in messages.enumerated() {
            jl_multiply_word(sum, factors.limbs(message < 0 ? 1 : 0), half, message.magnitude)
            jl_entries_product(target.limbs(t + k), sum, table.limbs(0), index + k, positions, messages.count, square.limbs(0), raw, scratch)
        }
    }

    func join(_ target: ResidueBuffer, _ remainders: ResidueBuffer, _ r: Int, count: Int, constants: ResidueBuffer,
              _ scratch: UnsafeMutableRawPointer) {
        let scratch = scratch.assumingMemoryBound(to: UInt.self)
        for k in 0..<count {
            jl_join_remainders(target.limbs(k), remainders.limbs(k), remainders.limbs(r + k), constants.limbs(0), raw, constants.limbs(1), scratch)
        }
    }

    func write(_ words: UnsafePointer<UInt>, _ count: Int, to target: UnsafeMutablePointer<UInt>, halves: Int) {
        let width = halves * half
        precondition(count <= width || words[width..<count].allSatisfy { $0 == 0 })
        for index in 0..<width { target[index] = index < count ? words[index] : 0 }
    }

    func number(half: UnsafePointer<UInt>) -> Natural { Natural(limbs: half, count: self.half) }
}

extension UnsafePointer where Pointee == UInt {
    fileprivate subscript(_ range: Range<Int>) -> UnsafeBufferPointer<UInt> {
        UnsafeBufferPointer(start: self + range.lowerBound, count: range.count)
    }
}

/// Modulo 2^64. Newton: each step doubles the number of correct bits, from 3.
func inverse(ofOdd low: UInt) -> UInt {
    var found = low
    for _ in 0..<5 { found = found &* (2 &- low &* found) }
    return found
}
