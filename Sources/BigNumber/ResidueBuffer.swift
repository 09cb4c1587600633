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
        storage = .allocate(capacity: max(1, count * limbsPerResidue))
        storage.initialize(repeating: 0, count: max(1, count * limbsPerResidue))
    }

    deinit {
        jl_wipe(storage, count * limbsPerResidue * MemoryLayout<UInt>.size)
        storage.deallocate()
    }

    @inline(__always)
    func limbs(_ index: Int) -> UnsafeMutablePointer<UInt> {
        precondition(index >= 0 && index < count)
        return storage + index * limbsPerResidue
    }

    package func copy(from source: ResidueBuffer, _ sourceIndex: Int, to index: Int) {
        limbs(index).update(from: source.limbs(sourceIndex), count: limbsPerResidue)
    }
}
