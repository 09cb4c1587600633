import CVectorKernels

/// Eight products at a time: what modulus.h of CVectorKernels says of limbs and bounds holds here.
struct VectorKernels: ModulusKernels, @unchecked Sendable {
    private let raw: jk_modulus
    private let limbs: ResidueBuffer

    var residueWords: Int { jk_residue_words(raw.blocks) }
    var halfWords: Int { jk_block_limbs * raw.blocks }
    var radixBits: Int { 52 * halfWords }
    var bound: UInt64 { 2 }
    var scratchBytes: Int { jk_scratch_bytes() }

    init(base: Natural) {
        let blockBits = 52 * jk_block_limbs
        // R is at least 16 n.
        let blocks = (base.bitWidth + 4 + blockBits - 1) / blockBits
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

    /// target = a^exponent. The scratch is wiped.
    func power(_ target: Residues, _ a: Residues, exponent: Natural, isSecret: Bool, one: Residues, count: Int) {
        let words = (exponent.bitWidth + 63) / 64
        let digits = ResidueBuffer(count: 1, limbsPerResidue: words)
        digits.set(0, exponent)
        let bytes = jk_power_scratch_bytes()
        let scratch = ResidueBuffer(count: 1, limbsPerResidue: (bytes + 7) / 8)
        target.withPlaces { target in
            a.withPlaces { jk_power(target, $0, digits.words(0), words, isSecret ? 1 : 0, count, one.words, raw, scratch.limbs(0)) }
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
    fileprivate var words: UnsafeMutablePointer<UInt64> { buffer.words(places[0]) }

    fileprivate func withPlaces(_ body: (jk_places) -> Void) {
        guard buffer.count > 0 else { return }
        guard let list = places.list else {
            return body(jk_places(residues: buffer.words(0), at: nil, first: places.first, step: places.step))
        }
        list.withUnsafeBufferPointer { body(jk_places(residues: buffer.words(0), at: $0.baseAddress, first: 0, step: 0)) }
    }
}
