import CGMP

/// Arithmetic modulo an odd number in Montgomery form on GMP's limb functions.
///
/// Values in a `ResidueBuffer` are below 2^(64 limbs), congruent to x * R modulo the modulus with R = 2^(64 limbs), and
/// not necessarily below the modulus; `store` gives the canonical bytes. Source: Montgomery, "Modular multiplication
/// without trial division", Math. Comp. 44 (1985).
///
/// Time does not depend on values, up to GMP's own final corrections. Safe to use from several threads with a
/// `Workspace` each.
package final class Montgomery: @unchecked Sendable {
    package let modulus: Natural
    package let limbs: Int
    /// Bytes of the canonical form.
    package let byteCount: Int
    private let modulusLimbs: ResidueBuffer
    private let inverse: ResidueBuffer
    private let usesLimbwiseReduction: Bool
    /// R mod m and R^2 mod m.
    private let constants: ResidueBuffer

    /// Scratch memory of one thread.
    package final class Workspace {
        fileprivate let product: UnsafeMutablePointer<UInt>
        private let count: Int

        fileprivate init(limbs: Int) {
            count = 2 * limbs + 2
            product = .allocate(capacity: count)
            product.initialize(repeating: 0, count: count)
        }

        deinit {
            jl_wipe(product, count * MemoryLayout<UInt>.size)
            product.deallocate()
        }
    }

    package init(modulus: Natural) {
        precondition(modulus.isOdd && modulus.bitWidth > 1)
        self.modulus = modulus
        limbs = (modulus.bitWidth + 63) / 64
        byteCount = (modulus.bitWidth + 7) / 8
        modulusLimbs = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        modulus.copyLimbs(to: modulusLimbs.limbs(0), count: limbs)
        inverse = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        let scratch = ResidueBuffer(count: 1, limbsPerResidue: jl_mpn_invert_binary_scratch(limbs) + 1)
        jl_mpn_invert_binary(inverse.limbs(0), modulusLimbs.limbs(0), limbs, scratch.limbs(0))
        // Measured on x86-64 with GMP 6.2: limb by limb wins for p^2 and q^2, the other for n^2.
        usesLimbwiseReduction = limbs < 40
        constants = ResidueBuffer(count: 2, limbsPerResidue: limbs)
        ((Natural.one << (64 * limbs)) % modulus).copyLimbs(to: constants.limbs(0), count: limbs)
        ((Natural.one << (128 * limbs)) % modulus).copyLimbs(to: constants.limbs(1), count: limbs)
    }

    package func makeBuffer(count: Int) -> ResidueBuffer { ResidueBuffer(count: count, limbsPerResidue: limbs) }
    package func makeWorkspace() -> Workspace { Workspace(limbs: limbs) }

    @inline(__always)
    private func reduce(_ workspace: Workspace, into target: UnsafeMutablePointer<UInt>) {
        if usesLimbwiseReduction {
            jl_mpn_reduce_1(target, workspace.product, modulusLimbs.limbs(0), limbs, inverse.limbs(0))
        } else {
            jl_mpn_reduce_n(target, workspace.product, modulusLimbs.limbs(0), limbs, inverse.limbs(0))
        }
    }

    /// target[t] = a[i] * b[j]; the target may be either operand.
    @inline(__always)
    package func multiply(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ b: ResidueBuffer, _ j: Int, _ workspace: Workspace) {
        jl_mpn_multiply(workspace.product, a.limbs(i), b.limbs(j), limbs)
        reduce(workspace, into: target.limbs(t))
    }

    /// target[t] = a[i]^2; the target may be the operand.
    @inline(__always)
    package func square(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) {
        jl_mpn_square(workspace.product, a.limbs(i), limbs)
        reduce(workspace, into: target.limbs(t))
    }

    package func setOne(_ target: ResidueBuffer, _ t: Int) {
        target.copy(from: constants, 0, to: t)
    }

    /// target[t] = value, which is below the modulus.
    package func load(_ value: Natural, into target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        value.copyLimbs(to: target.limbs(t), count: limbs)
        multiply(target, t, target, t, constants, 1, workspace)
    }

    /// The canonical value of a[i], below the modulus.
    package func value(_ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) -> Natural {
        workspace.product.update(from: a.limbs(i), count: limbs)
        (workspace.product + limbs).update(repeating: 0, count: limbs)
        let plain = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        reduce(workspace, into: plain.limbs(0))
        if jl_mpn_compare(plain.limbs(0), modulusLimbs.limbs(0), limbs) >= 0 {
            _ = jl_mpn_subtract(plain.limbs(0), plain.limbs(0), modulusLimbs.limbs(0), limbs)
        }
        return Natural(limbs: plain.limbs(0), count: limbs)
    }
}
