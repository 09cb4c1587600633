import CGMP

/// Joins remainders modulo p^2 and q^2 into the number modulo (p q)^2 (Garner 1959). Immutable.
package final class RemainderPair: @unchecked Sendable {
    /// Modulo q^2.
    private let kernels: any ModulusKernels
    private let words: Int
    /// p^2 and R p^-2 modulo q^2.
    private let constants: ResidueBuffer

    package final class Workspace {
        /// `pairs` remainders modulo p^2 and behind them those modulo q^2, in 64-bit words, to be filled in.
        package let remainders: ResidueBuffer
        fileprivate let pairs: Int
        fileprivate let joined: ResidueBuffer
        fileprivate let scratch: ResidueBuffer

        fileprivate init(_ pair: RemainderPair, pairs: Int) {
            self.pairs = pairs
            remainders = ResidueBuffer(count: 2 * pairs, limbsPerResidue: pair.words)
            joined = ResidueBuffer(count: pairs, limbsPerResidue: 2 * pair.words)
            scratch = ResidueBuffer(count: 1, limbsPerResidue: pair.kernels.scratchBytes / MemoryLayout<UInt>.size)
        }
    }

    /// - Parameters: odd primes of equal length, a multiple of 64 bits, each above 3/4 of the next power of two.
    package init(_ p: Natural, _ q: Natural, kernels choice: Kernels = .chosen) {
        precondition(p.bitWidth == q.bitWidth && p.bitWidth % 64 == 0)
        let (pSquare, qSquare) = (p * p, q * q)
        kernels = choice.modulus(qSquare)
        words = p.bitWidth / 32
        constants = ResidueBuffer(count: 2, limbsPerResidue: kernels.halfWords)
        guard let inverse = (pSquare % qSquare).inverse(modulo: qSquare) else { preconditionFailure("the primes are distinct") }
        kernels.write(pSquare, to: constants.limbs(0), halves: 1)
        kernels.write((inverse << kernels.radixBits) % qSquare, to: constants.limbs(1), halves: 1)
    }

    package func makeWorkspace(pairs: Int) -> Workspace { Workspace(self, pairs: pairs) }

    /// Writes the numbers joined from the first `count` pairs one behind the other, big-endian, 16 bytes for each 64 bits of p^2.
    package func join(_ workspace: Workspace, count: Int, into bytes: UnsafeMutableRawBufferPointer) {
        let width = 16 * words
        precondition(count <= workspace.pairs && bytes.count == count * width)
        kernels.join(workspace.joined, workspace.remainders, workspace.pairs, count: count, constants: constants, workspace.scratch.limbs(0))
        guard let target = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        for index in 0..<count { jl_bytes_from_limbs(target + index * width, workspace.joined.limbs(index), 2 * words) }
    }
}
