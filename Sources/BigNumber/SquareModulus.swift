import CGMP

/// Arithmetic modulo the square of an odd number n, on GMP's limb functions: for ciphertexts modulo n^2 and, at a key's
/// owner, modulo p^2 and q^2.
///
/// A residue is held as a pair: x0 - n x1, in Montgomery form with R = 2^(64 limbs of n). A product then costs three
/// products and two reductions of half length, against the work of eight in plain Montgomery form. Sources: Montgomery,
/// "Modular multiplication without trial division", Math. Comp. 44 (1985); Protocols/protocol.md, "Arithmetic modulo n^2".
///
/// Time depends on values only in the last corrections. Safe to use from several threads with a `Workspace` each.
package final class SquareModulus: @unchecked Sendable {
    /// n
    package let base: Natural
    /// n^2
    package let modulus: Natural
    private let half: Int
    private let baseLimbs: ResidueBuffer
    /// -1/n modulo 2^64
    private let inverse: UInt
    /// The residues 1 and R^2 in Montgomery form, and 1 outside it.
    private let constants: ResidueBuffer

    /// Scratch memory of one thread.
    package final class Workspace {
        fileprivate let limbs: UnsafeMutablePointer<UInt>
        private let count: Int

        fileprivate init(count: Int) {
            self.count = count
            limbs = .allocate(capacity: count)
            limbs.initialize(repeating: 0, count: count)
        }

        deinit {
            jl_wipe(limbs, count * MemoryLayout<UInt>.size)
            limbs.deallocate()
        }
    }

    package init(base: Natural) {
        precondition(base.isOdd && base.bitWidth > 1)
        self.base = base
        modulus = base * base
        half = (base.bitWidth + 63) / 64
        baseLimbs = ResidueBuffer(count: 1, limbsPerResidue: half)
        base.copyLimbs(to: baseLimbs.limbs(0), count: half)
        // Newton: each step doubles the number of correct bits, from 3.
        let low = baseLimbs.limbs(0)[0]
        var found = low
        for _ in 0..<5 { found = found &* (2 &- low &* found) }
        inverse = 0 &- found
        constants = ResidueBuffer(count: 3, limbsPerResidue: 2 * half)
        split((Natural.one << (64 * half)) % modulus, into: constants, 0)
        split((Natural.one << (128 * half)) % modulus, into: constants, 1)
        split(.one, into: constants, 2)
    }

    package func makeBuffer(count: Int) -> ResidueBuffer { ResidueBuffer(count: count, limbsPerResidue: 2 * half) }
    package func makeWorkspace() -> Workspace { Workspace(count: 5 * half + 2) }

    /// target[t] = a[i] * b[j]; the target may be either operand.
    @inline(__always)
    package func multiply(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ b: ResidueBuffer, _ j: Int, _ workspace: Workspace) {
        jl_square_modulus_multiply(target.limbs(t), a.limbs(i), b.limbs(j), baseLimbs.limbs(0), half, inverse, workspace.limbs)
    }

    /// target[t] = a[i]^2; the target may be the operand.
    @inline(__always)
    package func square(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) {
        jl_square_modulus_square(target.limbs(t), a.limbs(i), baseLimbs.limbs(0), half, inverse, workspace.limbs)
    }

    package func setOne(_ target: ResidueBuffer, _ t: Int) {
        target.copy(from: constants, 0, to: t)
    }

    /// target[t] = value, which is below n^2.
    package func load(_ value: Natural, into target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        split(value, into: target, t)
        multiply(target, t, target, t, constants, 1, workspace)
    }

    /// The value of a[i], below n^2.
    package func value(_ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) -> Natural {
        let plain = makeBuffer(count: 1)
        multiply(plain, 0, a, i, constants, 2, workspace)
        let low = Natural(limbs: plain.limbs(0), count: half)
        let high = Natural(limbs: plain.limbs(0) + half, count: half)
        return (low + (base - high) * base) % modulus
    }

    /// value = x0 - n x1
    private func split(_ value: Natural, into target: ResidueBuffer, _ t: Int) {
        let (quotient, remainder) = value.divided(by: base)
        remainder.copyLimbs(to: target.limbs(t), count: half)
        (quotient.isZero ? quotient : base - quotient).copyLimbs(to: target.limbs(t) + half, count: half)
    }
}
