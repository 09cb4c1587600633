import CGMP

/// A fixed number of residues of one modulus, side by side, each of the same number of 64-bit limbs, least significant
/// first; overwritten when released.
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
    package func prefetch(_ index: Int) { jl_prefetch(limbs(index), limbsPerResidue) }

    /// A residue as the plain number that its limbs are.
    package func number(_ index: Int) -> Natural { Natural(limbs: limbs(index), count: limbsPerResidue) }

    /// Sets the limbs of a residue to a number that fits them.
    package func set(_ index: Int, _ number: Natural) { number.copyLimbs(to: limbs(index), count: limbsPerResidue) }

    package func copy(from source: ResidueBuffer, _ sourceIndex: Int, to index: Int) {
        limbs(index).update(from: source.limbs(sourceIndex), count: limbsPerResidue)
    }
}
