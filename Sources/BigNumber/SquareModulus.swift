import CGMP
import Synchronization

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
    let half: Int
    private let baseLimbs: ResidueBuffer
    let raw: jl_modulus
    private let squareLimbs: ResidueBuffer
    /// The residues 1 and R^2 in Montgomery form, and those by which a split number gets into it and out.
    private let constants: ResidueBuffer
    /// 1/R and -1/R modulo n.
    private let trivials: ResidueBuffer
    private let counter = Counter()

    /// Products and squares computed so far, without those of workspaces that are still in use. For benchmarks and for tests
    /// of cost.
    package var multiplications: Int { counter.value.load(ordering: .relaxed) }

    fileprivate final class Counter: Sendable {
        let value = Atomic(0)
    }

    /// Scratch memory of one thread.
    package final class Workspace {
        fileprivate let limbs: UnsafeMutablePointer<UInt>
        fileprivate var multiplications = 0
        private let count: Int
        private let counter: Counter

        fileprivate init(count: Int, _ counter: Counter) {
            self.count = count
            self.counter = counter
            limbs = .allocate(capacity: count)
            limbs.initialize(repeating: 0, count: count)
        }

        deinit {
            counter.value.add(multiplications, ordering: .relaxed)
            jl_wipe(limbs, count * MemoryLayout<UInt>.size)
            limbs.deallocate()
        }
    }

    /// The longest n, in limbs.
    package static let mostLimbs = 64

    /// - Parameter portable: leaves all products to GMP, also where the processor could do better; for comparison.
    package init(base: Natural, portable: Bool = false) {
        precondition(base.isOdd && base.bitWidth > 1 && base.bitWidth <= 64 * SquareModulus.mostLimbs)
        self.base = base
        modulus = base * base
        half = (base.bitWidth + 63) / 64
        baseLimbs = ResidueBuffer(count: 1, limbsPerResidue: half)
        base.copyLimbs(to: baseLimbs.limbs(0), count: half)
        // Newton: each step doubles the number of correct bits, from 3.
        let low = baseLimbs.limbs(0)[0]
        var found = low
        for _ in 0..<5 { found = found &* (2 &- low &* found) }
        raw = jl_modulus(limbs: baseLimbs.limbs(0), count: half, inverse: 0 &- found,
                         wide: half % 8 == 0 && !portable ? jl_has_wide() : 0)
        squareLimbs = ResidueBuffer(count: 1, limbsPerResidue: 2 * half)
        modulus.copyLimbs(to: squareLimbs.limbs(0), count: 2 * half)
        constants = ResidueBuffer(count: 3, limbsPerResidue: 2 * half)
        trivials = ResidueBuffer(count: 2, limbsPerResidue: half)
        guard let unit = (Natural.one << (64 * half)).inverse(modulo: base) else { preconditionFailure("an odd n is prime to R") }
        unit.copyLimbs(to: trivials.limbs(0), count: half)
        (base - unit).copyLimbs(to: trivials.limbs(1), count: half)
        split((Natural.one << (64 * half)) % modulus, into: constants, 0)
        split((Natural.one << (192 * half)) % modulus, into: constants, 1)
        split(.one, into: constants, 2)
    }

    package func makeBuffer(count: Int) -> ResidueBuffer { ResidueBuffer(count: count, limbsPerResidue: 2 * half) }
    package func makeWorkspace() -> Workspace { Workspace(count: 6 * half, counter) }

    /// target[t] = a[i] * b[j]; the target may be either operand.
    @inline(__always)
    package func multiply(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ b: ResidueBuffer, _ j: Int, _ workspace: Workspace) {
        workspace.multiplications &+= 1
        jl_square_modulus_multiply(target.limbs(t), a.limbs(i), b.limbs(j), raw, workspace.limbs)
    }

    /// target[t] = a[i]^2; the target may be the operand.
    @inline(__always)
    package func square(_ target: ResidueBuffer, _ t: Int, _ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) {
        workspace.multiplications &+= 1
        jl_square_modulus_square(target.limbs(t), a.limbs(i), raw, workspace.limbs)
    }

    package func setOne(_ target: ResidueBuffer, _ t: Int) {
        target.copy(from: constants, 0, to: t)
    }

    /// target[t] = value, which is below n^2.
    package func load(_ value: Natural, into target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        value.copyLimbs(to: workspace.limbs + 2 * half, count: 2 * half)
        enter(target, t, workspace)
    }

    /// A number in the last `2 half` of the first `4 half` limbs of scratch.
    private func enter(_ target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        jl_square_modulus_split(target.limbs(t), workspace.limbs + 2 * half, raw, workspace.limbs)
        multiply(target, t, target, t, constants, 1, workspace)
    }

    /// What `load` tells of a number in fixed-width bytes.
    package enum Standing: Sendable {
        case unit
        /// 0, or not below n^2.
        case outside
        /// 1 or -1 modulo n.
        case trivial
    }

    /// Takes in big-endian bytes, 16 for each limb of n, and multiplies what the number is modulo n into `product`, as a
    /// residue modulo n in Montgomery form: prime to n exactly if all numbers so far are.
    package func load(_ bytes: UnsafeRawBufferPointer, into target: ResidueBuffer, _ t: Int, product: ResidueBuffer,
                      _ workspace: Workspace) -> Standing {
        precondition(bytes.count == 16 * half && product.limbsPerResidue == 2 * half)
        let scratch = workspace.limbs
        let number = scratch + 2 * half
        guard let source = bytes.bindMemory(to: UInt8.self).baseAddress else { return .outside }
        jl_limbs_from_bytes(number, source, 2 * half)
        guard jl_is_zero(number, 2 * half) == 0, jl_compare_limbs(number, squareLimbs.limbs(0), 2 * half) < 0 else { return .outside }
        jl_square_modulus_split(target.limbs(t), number, raw, scratch)
        // x0 is the number divided by R, modulo n.
        let low = target.limbs(t)
        for trivial in 0..<2 where jl_compare_limbs(low, trivials.limbs(trivial), half) == 0 { return .trivial }
        jl_montgomery(product.limbs(0), product.limbs(0), low, raw, scratch)
        multiply(target, t, target, t, constants, 1, workspace)
        return .unit
    }

    /// Whether what `load` has multiplied into a[i] is prime to n.
    package func isUnit(_ a: ResidueBuffer, _ i: Int) -> Bool {
        Natural(limbs: a.limbs(i), count: half).greatestCommonDivisor(with: base) == .one
    }

    /// The value of a[i], below n^2.
    package func value(_ a: ResidueBuffer, _ i: Int, _ workspace: Workspace) -> Natural {
        let plain = makeBuffer(count: 2)
        multiply(plain, 0, a, i, constants, 2, workspace)
        jl_square_modulus_join(plain.limbs(1), plain.limbs(0), squareLimbs.limbs(0), raw)
        return Natural(limbs: plain.limbs(1), count: 2 * half)
    }

    /// value = x0 - n x1
    private func split(_ value: Natural, into target: ResidueBuffer, _ t: Int) {
        let (quotient, remainder) = value.divided(by: base)
        remainder.copyLimbs(to: target.limbs(t), count: half)
        (quotient.isZero ? quotient : base - quotient).copyLimbs(to: target.limbs(t) + half, count: half)
    }
}
