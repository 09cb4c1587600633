import CGMP
import Synchronization

/// Arithmetic modulo the square of an odd number n, many residues to a call: for ciphertexts modulo n^2 and, at a key's
/// owner, modulo p^2 and q^2.
///
/// A residue is held as a pair: x0 - n x1, in Montgomery form. A product then costs three products and two reductions of
/// half length, against the work of eight in plain Montgomery form. Sources: Montgomery, "Modular multiplication without
/// trial division", Math. Comp. 44 (1985); Protocols/protocol.md, "Arithmetic modulo n^2".
///
/// Time depends on values only in the last corrections, and with vector kernels not at all. Safe to use from several threads
/// with a `Workspace` each.
package final class SquareModulus: @unchecked Sendable {
    /// n
    package let base: Natural
    /// n^2
    package let modulus: Natural
    let kernels: any ModulusKernels
    /// 64-bit words of n.
    private let half: Int
    private let squareWords: ResidueBuffer
    /// The residues 1 and R^2 in Montgomery form, and that by which a residue gets out of it.
    private let constants: ResidueBuffer
    /// What the low half of a number 1 or -1 modulo n is when it has been split: 1/R and -1/R modulo n.
    private let trivials: ResidueBuffer
    private let counter = Counter()

    /// Products and squares computed so far, without those of `powers` and of workspaces that are still in use. The same
    /// with all kernels. For benchmarks and for tests of cost.
    package var multiplications: Int { counter.value.load(ordering: .relaxed) }

    fileprivate final class Counter: Sendable {
        let value = Atomic(0)
    }

    /// Scratch memory of one thread.
    package final class Workspace {
        let memory: UnsafeMutableRawPointer
        fileprivate var multiplications = 0
        private let bytes: Int
        private let counter: Counter

        fileprivate init(bytes: Int, _ counter: Counter) {
            self.bytes = bytes
            self.counter = counter
            guard let memory = jl_allocate_zeros(bytes) else { fatalError("out of memory") }
            self.memory = memory
        }

        deinit {
            counter.value.add(multiplications, ordering: .relaxed)
            jl_wipe(memory, bytes)
            jl_release(memory)
        }
    }

    /// The longest n, in 64-bit words.
    package static let mostLimbs = 64

    package convenience init(base: Natural, kernels: Kernels = .chosen) { self.init(base: base, kernels: kernels, slackBits: 4) }

    init(base: Natural, kernels choice: Kernels, slackBits: Int) {
        precondition(base.isOdd && base.bitWidth > 1 && base.bitWidth <= 64 * SquareModulus.mostLimbs)
        self.base = base
        modulus = base * base
        half = (base.bitWidth + 63) / 64
        let kernels = choice.modulus(base, slackBits: slackBits)
        self.kernels = kernels
        squareWords = ResidueBuffer(count: 1, limbsPerResidue: 2 * half)
        squareWords.set(0, modulus)
        constants = ResidueBuffer(count: 3, limbsPerResidue: kernels.residueWords)
        trivials = ResidueBuffer(count: 2 * Int(kernels.bound), limbsPerResidue: kernels.halfWords)
        let radix = Natural.one << kernels.radixBits
        guard let unit = radix.inverse(modulo: base) else { preconditionFailure("an odd n is prime to R") }
        for multiple in 0..<kernels.bound {
            kernels.write(unit + Natural(multiple) * base, to: trivials.limbs(Int(2 * multiple)), halves: 1)
            kernels.write(base - unit + Natural(multiple) * base, to: trivials.limbs(Int(2 * multiple) + 1), halves: 1)
        }
        for (place, exponent) in [1, 3, 0].enumerated() {
            kernels.write((Natural.one << (exponent * kernels.radixBits)) % modulus, asPairIn: constants.limbs(place), base: base)
        }
    }

    package func makeBuffer(count: Int) -> ResidueBuffer { ResidueBuffer(count: count, limbsPerResidue: kernels.residueWords) }

    package func makeWorkspace() -> Workspace {
        Workspace(bytes: max(kernels.scratchBytes, 2 * half * MemoryLayout<UInt>.size), counter)
    }

    /// target[k] = a[k] b[k] for all k below `count`. A target may be an operand of its own product, but no other's, nor
    /// another's target.
    package func multiply(_ target: Residues, _ a: Residues, _ b: Residues, count: Int, _ workspace: Workspace) {
        for operand in [target, a, b] { check(operand, count) }
        workspace.multiplications &+= count
        kernels.multiply(target, a, b, count: count, workspace.memory)
    }

    /// target[k] = a[k]^2, likewise.
    package func square(_ target: Residues, _ a: Residues, count: Int, _ workspace: Workspace) {
        for operand in [target, a] { check(operand, count) }
        workspace.multiplications &+= count
        kernels.square(target, a, count: count, workspace.memory)
    }

    /// target[k] *= a[k], in any order: targets may repeat, and are no factors.
    package func accumulate(_ target: [UInt32], of buffer: ResidueBuffer, _ a: Residues, _ workspace: Workspace) {
        let targets = buffer[.list(target)]
        for operand in [targets, a] { check(operand, target.count) }
        workspace.multiplications &+= target.count
        kernels.accumulate(targets, a, count: target.count, workspace.memory)
    }

    /// Multiplies the residues at different places together: the product stands at the first place, the others are used up.
    package func reduce(_ places: [UInt32], of buffer: ResidueBuffer, _ workspace: Workspace) {
        var left = places.count
        while left > 1 {
            let pairs = left / 2
            let kept = left - pairs
            let target = buffer[.list(Array(places[..<pairs]))]
            multiply(target, target, buffer[.list(Array(places[kept..<left]))], count: pairs, workspace)
            left = kept
        }
    }

    private func check(_ residues: Residues, _ count: Int) {
        precondition(residues.buffer.limbsPerResidue == kernels.residueWords)
        residues.check(count)
    }

    package func setOne(_ target: ResidueBuffer, _ t: Int) {
        target.copy(from: constants, 0, to: t)
    }

    /// target[t...] = values, which are below n^2.
    package func load(_ values: [Natural], into target: ResidueBuffer, _ t: Int, _ workspace: Workspace) {
        for (index, value) in values.enumerated() { kernels.write(value, to: target.limbs(t + index), halves: 2) }
        check(target[.from(t)], values.count)
        kernels.split(target[.from(t)], count: values.count, workspace.memory)
        multiply(target[.from(t)], target[.from(t)], constants[.only(1)], count: values.count, workspace)
    }

    /// What `load` tells of numbers in fixed-width bytes.
    package enum Standing: Sendable {
        /// All are prime to n, and neither 1 nor -1 modulo n.
        case units
        /// One is 0, not below n^2, or not prime to n.
        case outside
        /// One is 1 or -1 modulo n.
        case trivial
    }

    /// How many products run side by side that are to show whether numbers are prime to n.
    private static let chains = 8

    /// Takes in numbers of big-endian bytes, 16 for each 64-bit word of n, one for each place of the range.
    ///
    /// One greatest common divisor serves them all: a product is prime to n exactly if every factor is.
    ///
    /// - Returns: `units`, or what was found first; the residues are of no use then.
    package func load(_ bytes: UnsafeRawBufferPointer, into target: ResidueBuffer, _ range: Range<Int>, _ workspace: Workspace) -> Standing {
        let width = 16 * half
        precondition(bytes.count == range.count * width)
        guard let source = bytes.bindMemory(to: UInt8.self).baseAddress else { return .units }
        check(target[.from(range.lowerBound)], range.count)
        let number = workspace.memory.assumingMemoryBound(to: UInt.self)
        for (index, place) in range.enumerated() {
            jl_limbs_from_bytes(number, source + index * width, 2 * half)
            guard jl_is_zero(number, 2 * half) == 0, jl_compare_limbs(number, squareWords.limbs(0), 2 * half) < 0 else { return .outside }
            kernels.write(number, 2 * half, to: target.limbs(place), halves: 2)
        }
        kernels.split(target[.from(range.lowerBound)], count: range.count, workspace.memory)
        for place in range {
            for trivial in 0..<trivials.count
            where jl_compare_limbs(target.limbs(place), trivials.limbs(trivial), kernels.halfWords) == 0 { return .trivial }
        }
        let products = makeBuffer(count: Self.chains)
        for chain in 0..<Self.chains { setOne(products, chain) }
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.chains) {
            kernels.multiplyLow(products[.from(0)], target[.from(first)], count: min(Self.chains, range.upperBound - first), workspace.memory)
        }
        let product = (0..<Self.chains).reduce(Natural.one) { $0 * kernels.number(half: products.limbs($1)) % base }
        guard product.greatestCommonDivisor(with: base) == .one else { return .outside }
        let loaded = target[.from(range.lowerBound)]
        multiply(loaded, loaded, constants[.only(1)], count: range.count, workspace)
        return .units
    }

    /// The numbers that `count` residues are, below n^2.
    package func values(_ a: Residues, count: Int, _ workspace: Workspace) -> [Natural] {
        let plain = makeBuffer(count: count)
        multiply(plain[.from(0)], a, constants[.only(2)], count: count, workspace)
        let above = Natural(kernels.bound) * base
        return (0..<count).map { index in
            let (low, high) = (plain.limbs(index), plain.limbs(index) + kernels.halfWords)
            return (kernels.number(half: low) + base * (above - kernels.number(half: high))) % modulus
        }
    }

    /// bases[k]^exponent modulo n^2.
    ///
    /// - Parameter isSecret: the time and the memory accesses do not depend on the exponent, which is positive, only on its
    ///   length. They never depend on the bases with vector kernels.
    package func powers(_ bases: [Natural], exponent: Natural, isSecret: Bool, _ workspace: Workspace) -> [Natural] {
        let before = workspace.multiplications
        defer { workspace.multiplications = before }
        return kernels.powers(bases, exponent: exponent, isSecret: isSecret, in: self, workspace)
    }
}
