import CVectorKernels

/// Eight products at a time: what modulus.h of CVectorKernels says of limbs and bounds holds here.
struct VectorKernels: ModulusKernels, @unchecked Sendable {
    private let raw: jk_modulus
    private let limbs: ResidueBuffer

    var residueWords: Int { jk_residue_words(raw.blocks) }
    var halfWords: Int { jk_block_limbs * raw.blocks }
    var radixBits: Int { 52 * halfWords }
    var bound: UInt64 { 2 }
    var scratchBytes: Int { max(jk_scratch_bytes(), jk_entries_scratch_bytes()) }

    /// - Parameter slackBits: R is at least so many bits longer than n; 4 or more.
    init(base: Natural, slackBits: Int) {
        let blockBits = 52 * jk_block_limbs
        let blocks = (base.bitWidth + slackBits + blockBits - 1) / blockBits
        precondition(blocks <= jk_most_blocks)
        limbs = ResidueBuffer(count: 1, limbsPerResidue: blocks * jk_block_limbs)
        raw = jk_modulus(limbs: limbs.words(0), blocks: blocks, inverse: UInt64(0 &- inverse(ofOdd: UInt(base.word))) & (1 << 52 - 1))
        write(base, to: limbs.limbs(0), halves: 1)
    }

    func multiply(_ target: Residues, _ a: Residues, _ b: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        target.withPlaces { target in
            a.withPlaces { a in b.withPlaces { jk_multiply(target, a, $0, count, raw, scratch) } }
        }
    }

    func square(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        target.withPlaces { target in a.withPlaces { jk_square(target, $0, count, raw, scratch) } }
    }

    func accumulate(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        target.withPlaces { target in a.withPlaces { jk_accumulate(target, $0, count, raw, scratch) } }
    }

    func multiplyLow(_ target: Residues, _ a: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        target.withPlaces { target in a.withPlaces { jk_multiply_low(target, target, $0, count, raw, scratch) } }
    }

    func split(_ target: Residues, count: Int, _ scratch: UnsafeMutableRawPointer) {
        target.withPlaces { jk_split($0, $0, count, raw, scratch) }
    }

    func powers(_ bases: [Natural], exponent: Natural, isSecret: Bool, in arithmetic: SquareModulus,
                _ workspace: SquareModulus.Workspace) -> [Natural] {
        // Behind the residues stands 1.
        let residues = arithmetic.makeBuffer(count: bases.count + 1)
        arithmetic.load(bases, into: residues, 0, workspace)
        arithmetic.setOne(residues, bases.count)
        let words = (exponent.bitWidth + 63) / 64
        let digits = ResidueBuffer(count: 1, limbsPerResidue: words)
        digits.set(0, exponent)
        let scratch = ResidueBuffer(count: 1, limbsPerResidue: (jk_power_scratch_bytes() + 7) / 8)
        residues[.from(0)].withPlaces {
            jk_power($0, $0, digits.words(0), words, isSecret ? 1 : 0, bases.count, residues.words(bases.count), raw, scratch.limbs(0))
        }
        return arithmetic.values(residues[.from(0)], count: bases.count, workspace)
    }

    var logarithmBits: Int { 2 * radixBits }

    func entriesProducts(_ target: ResidueBuffer, _ t: Int, _ table: ResidueBuffer, index: UnsafeBufferPointer<UInt32>, positions: Int,
                         messages: [Int64], factors: ResidueBuffer, _ scratch: UnsafeMutableRawPointer) {
        let count = messages.count
        precondition((1...8).contains(count) && t + count <= target.count && (4...2000).contains(positions) && index.count >= positions * count)
        jk_entries_product(target.words(t), target.limbsPerResidue, count, table.words(0), index.baseAddress, positions, messages, factors.words(0),
                           raw, scratch)
    }

    func join(_ target: ResidueBuffer, _ remainders: ResidueBuffer, _ r: Int, count: Int, constants: ResidueBuffer,
              _ scratch: UnsafeMutableRawPointer) {
        precondition(target.limbsPerResidue == 2 * remainders.limbsPerResidue && count <= target.count && r + count <= remainders.count)
        for first in stride(from: 0, to: count, by: 8) {
            jk_join_remainders(target.words(first), remainders.words(first), remainders.words(r + first), remainders.limbsPerResidue,
                               min(8, count - first), constants.words(0), constants.words(1), raw, scratch)
        }
    }

    func write(_ words: UnsafePointer<UInt>, _ count: Int, to target: UnsafeMutablePointer<UInt>, halves: Int) {
        words.withMemoryRebound(to: UInt64.self, capacity: count) { words in
            target.withMemoryRebound(to: UInt64.self, capacity: halves * halfWords) {
                jk_limbs_from_words($0, halves * halfWords, words, count)
            }
        }
    }

    func number(half: UnsafePointer<UInt>) -> Natural {
        let count = (52 * halfWords + 63) / 64
        return withUnsafeTemporaryAllocation(of: UInt.self, capacity: count) { words in
            guard let first = words.baseAddress else { return .zero }
            half.withMemoryRebound(to: UInt64.self, capacity: halfWords) { half in
                first.withMemoryRebound(to: UInt64.self, capacity: count) { jk_words_from_limbs($0, count, half, halfWords) }
            }
            return Natural(limbs: first, count: count)
        }
    }
}

extension ResidueBuffer {
    fileprivate func words(_ index: Int) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(limbs(index)).assumingMemoryBound(to: UInt64.self)
    }
}

extension Residues {
    fileprivate func withPlaces(_ body: (jk_places) -> Void) {
        guard buffer.count > 0 else { return }
        guard let list = places.list else {
            return body(jk_places(residues: buffer.words(0), at: nil, first: places.first, step: places.step))
        }
        list.withUnsafeBufferPointer { body(jk_places(residues: buffer.words(0), at: $0.baseAddress, first: 0, step: 0)) }
    }
}
