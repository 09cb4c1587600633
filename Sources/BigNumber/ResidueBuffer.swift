import CGMP

/// A fixed number of residues of one modulus, side by side, each of the same number of 64-bit words, least significant
/// first; overwritten when released. What the words mean is the modulus's affair.
///
/// A reference, because bulk work shares it between threads that write to different indexes; owners keep it private.
package final class ResidueBuffer: @unchecked Sendable {
    package let count: Int
    package let limbsPerResidue: Int
    private let storage: UnsafeMutablePointer<UInt>

    package init(count: Int, limbsPerResidue: Int) {
        self.count = count
        self.limbsPerResidue = limbsPerResidue
        let limbs = max(1, count * limbsPerResidue)
        guard let memory = jl_allocate_zeros(limbs * MemoryLayout<UInt>.size) else { fatalError("out of memory") }
        storage = memory.bindMemory(to: UInt.self, capacity: limbs)
    }

    deinit {
        jl_wipe(storage, count * limbsPerResidue * MemoryLayout<UInt>.size)
        jl_release(storage)
    }

    @inline(__always)
    func limbs(_ index: Int) -> UnsafeMutablePointer<UInt> {
        precondition(index >= 0 && index < count)
        return storage + index * limbsPerResidue
    }

    /// Asks the memory for a residue that will be changed soon.
    @inline(__always)
    func prefetch(_ index: Int) { jl_prefetch(limbs(index), limbsPerResidue) }

    /// A residue as the plain number that its limbs are.
    package func number(_ index: Int) -> Natural { Natural(limbs: limbs(index), count: limbsPerResidue) }

    /// Sets the limbs of a residue to a number that fits them.
    package func set(_ index: Int, _ number: Natural) { number.copyLimbs(to: limbs(index), count: limbsPerResidue) }

    /// Sets a residue to big-endian bytes, eight for each of some words, modulo the number that a residue of `modulus` is, of as many
    /// words as a residue here; its highest one is not 0.
    package func set(_ index: Int, bytes: UnsafeRawBufferPointer, modulo modulus: ResidueBuffer, _ m: Int) {
        precondition(modulus.limbsPerResidue == limbsPerResidue && bytes.count % 8 == 0 && bytes.count >= 8 * limbsPerResidue)
        let words = bytes.count / 8
        withUnsafeTemporaryAllocation(of: UInt.self, capacity: 2 * words) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            jl_limbs_from_bytes(scratch, bytes.bindMemory(to: UInt8.self).baseAddress, words)
            jl_remainder(limbs(index), scratch, words, modulus.limbs(m), limbsPerResidue, scratch + words)
            jl_wipe(scratch, 2 * words * MemoryLayout<UInt>.size)
        }
    }

    /// A residue's memory.
    package func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: limbs(index), count: limbsPerResidue * MemoryLayout<UInt>.size)
    }

    package func copy(from source: ResidueBuffer, _ sourceIndex: Int, to index: Int) {
        limbs(index).update(from: source.limbs(sourceIndex), count: limbsPerResidue)
    }

    package subscript(_ places: Places) -> Residues { Residues(buffer: self, places: places) }
}

/// Where the operands of many products are: the k-th at `list[k]`, or at `first + step k`.
package struct Places: Sendable {
    let first: Int
    let step: Int
    let list: [UInt32]?

    /// One behind the other.
    package static func from(_ first: Int) -> Places { Places(first: first, step: 1, list: nil) }
    /// The same for every product.
    package static func only(_ index: Int) -> Places { Places(first: index, step: 0, list: nil) }
    package static func list(_ list: [UInt32]) -> Places { Places(first: 0, step: 0, list: list) }

    @inline(__always)
    subscript(_ k: Int) -> Int { list.map { Int($0[k]) } ?? first + step * k }
}

/// Residues of a buffer, for a call that takes many at once.
package struct Residues: Sendable {
    let buffer: ResidueBuffer
    let places: Places

    @inline(__always)
    func limbs(_ k: Int) -> UnsafeMutablePointer<UInt> { buffer.limbs(places[k]) }

    /// Traps where one of the first `count` is outside.
    func check(_ count: Int) {
        if let list = places.list {
            precondition(list.count >= count && list.prefix(count).allSatisfy { Int($0) < buffer.count })
        } else {
            precondition(count == 0 || (places.first >= 0 && places.first + places.step * (count - 1) < buffer.count))
        }
    }
}
