import CVectorKernels

/// Eight products at a time: what modulus.h of CVectorKernels says of limbs and bounds holds here.
struct VectorKernels: ModulusKernels, @unchecked Sendable {
    private let raw: jk_modulus
    private let limbs: ResidueBuffer
    /// The same modulus in 64-bit words.
    private let settling: PortableKernels

    var residueWords: Int { jk_residue_words(raw.blocks) }
    var halfWords: Int { jk_block_limbs * raw.blocks }
    var radixBits: Int { 52 * halfWords }
    var bound: UInt64 { 2 }
    var scratchBytes: Int { jk_scratch_bytes() }

    /// - Parameter slackBits: R is at least so many bits longer than n; 4 or more.
    init(base: Natural, slackBits: Int) {
        settling = PortableKernels(base: base, rows: true)
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

    var logarithmBits: Int { 2 * radixBits }

    func entriesProducts(_ products: ResidueBuffer, _ table: ResidueBuffer, index: UnsafeBufferPointer<UInt32>, positions: Int, messages: [Int64],
                         factors: ResidueBuffer, _ scratch: UnsafeMutableRawPointer) {
        precondition(messages.count <= products.count && (1...2000).contains(positions) && index.count >= positions * messages.count)
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 8 * positions) { all in
            // Lanes without a message repeat the last one.
            guard let last = messages.indices.last, let first = all.baseAddress else { return }
            for position in 0..<positions {
                for lane in 0..<8 { first[8 * position + lane] = index[messages.count * position + min(lane, last)] }
            }
            let eight = (0..<8).map { messages[min($0, last)] }
            jk_entries_product(products.words(0), table.words(0), first, positions, eight, factors.words(0), raw, scratch)
            all.update(repeating: 0)
        }
    }

    func settle(_ products: ResidueBuffer, _ k: Int, into words: UnsafeMutablePointer<UInt>, base: Natural) {
        let half = (base.bitWidth + 63) / 64
        let low = products.words(k)
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * half + 2) { plain in
            guard let plain = plain.baseAddress else { return }
            jk_words_from_limbs(plain, half + 1, low, halfWords)
            jk_words_from_limbs(plain + half + 1, half + 1, low + halfWords, halfWords)
            plain.withMemoryRebound(to: UInt.self, capacity: 2 * half + 2) { settling.settle(words, $0) }
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
