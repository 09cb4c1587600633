import CGMP

/// Joins remainders modulo p^2 and q^2 into the number modulo (p q)^2 (Garner 1959). Immutable.
package final class RemainderPair: @unchecked Sendable {
    private let limbs: Int
    private let first: ResidueBuffer
    private let second: ResidueBuffer
    private let factor: ResidueBuffer
    private let modulus: jl_modulus

    package final class Workspace {
        /// `pairs` remainders modulo p^2 and behind them those modulo q^2, to be filled in.
        package let remainders: ResidueBuffer
        fileprivate let scratch: ResidueBuffer

        fileprivate let pairs: Int

        fileprivate init(limbs: Int, pairs: Int) {
            self.pairs = pairs
            remainders = ResidueBuffer(count: 2 * pairs, limbsPerResidue: limbs)
            scratch = ResidueBuffer(count: 1, limbsPerResidue: 6 * limbs)
        }
    }

    /// - Parameters: odd primes of equal length, a multiple of 64 bits, each above 3/4 of the next power of two.
    package init(_ p: Natural, _ q: Natural, kernels: Kernels = .chosen) {
        precondition(p.bitWidth == q.bitWidth && p.bitWidth % 64 == 0)
        let (pSquare, qSquare) = (p * p, q * q)
        limbs = p.bitWidth / 32
        first = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        factor = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        second = ResidueBuffer(count: 1, limbsPerResidue: limbs)
        guard let inverse = (pSquare % qSquare).inverse(modulo: qSquare) else { preconditionFailure("the primes are distinct") }
        pSquare.copyLimbs(to: first.limbs(0), count: limbs)
        qSquare.copyLimbs(to: second.limbs(0), count: limbs)
        ((inverse << (64 * limbs)) % qSquare).copyLimbs(to: factor.limbs(0), count: limbs)
        modulus = jl_modulus(limbs: second.limbs(0), count: limbs, inverse: 0 &- BigNumber.inverse(ofOdd: second.limbs(0)[0]),
                             wide: limbs % 8 == 0 && kernels != .library ? jl_has_wide() : 0)
    }

    package func makeWorkspace(pairs: Int) -> Workspace { Workspace(limbs: limbs, pairs: pairs) }

    /// Writes the number joined from one pair, big-endian, 16 bytes for each limb of p^2.
    package func join(_ workspace: Workspace, _ pair: Int, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == 16 * limbs)
        let scratch = workspace.scratch.limbs(0)
        let (a, b) = (workspace.remainders.limbs(pair), workspace.remainders.limbs(workspace.pairs + pair))
        jl_join_remainders(scratch, a, b, first.limbs(0), modulus, factor.limbs(0),
                           scratch + 2 * limbs)
        jl_bytes_from_limbs(bytes.bindMemory(to: UInt8.self).baseAddress, scratch, 2 * limbs)
    }
}
