import BigNumber
import Primitives
import Synchronization

/// Encryption by a key's owner: c = (1 + m n) rho mod n^2, rho found by fixed-base powers modulo p^2 and q^2.
///
/// Both parts of a ciphertext are computed modulo each square, the message included, and joined in the end.
struct OwnerEncryption: Sendable {
    private let p: Half
    private let q: Half
    private let remainders: RemainderPair

    private struct Half: Sendable {
        let table: FixedBaseTable
        let factors: ResidueBuffer
        /// p - 1
        let order: ResidueBuffer

        init(_ half: Factor, other: Natural, windowBits: Int, kernels: Kernels) {
            table = FixedBaseTable(base: half.base, prime: half.prime, exponentBits: half.prime.bitWidth, windowBits: windowBits,
                                   kernels: kernels)
            factors = table.messageFactors(other)
            order = ResidueBuffer(count: 1, limbsPerResidue: half.prime.bitWidth / 64)
            order.set(0, half.prime - .one)
        }
    }

    /// One prime, and a generator of the residues of order p - 1 modulo p^2.
    struct Factor: Sendable {
        let prime: Natural
        let base: Natural
    }

    final class Workspace {
        fileprivate let p: FixedBaseTable.Workspace
        fileprivate let q: FixedBaseTable.Workspace
        fileprivate let remainders: RemainderPair.Workspace
        fileprivate let drawn: ResidueBuffer
        fileprivate let exponents: ResidueBuffer

        fileprivate init(_ encryption: OwnerEncryption) {
            drawn = ResidueBuffer(count: OwnerEncryption.mostValues, limbsPerResidue: encryption.drawnBytes / 8)
            exponents = ResidueBuffer(count: OwnerEncryption.mostValues, limbsPerResidue: encryption.p.order.limbsPerResidue)
            p = encryption.p.table.makeWorkspace()
            q = encryption.q.table.makeWorkspace()
            remainders = encryption.remainders.makeWorkspace(pairs: OwnerEncryption.mostValues)
        }
    }

    /// Both tables together take no more memory than this.
    static let mostTableBytes = 320 << 20

    /// The width that costs least for so many encryptions, its table's making included, among those whose tables fit.
    static func windowBits(primeBits: Int, encryptions: Int) -> Int {
        func entries(_ width: Int) -> Int { FixedBaseTable.entries(exponentBits: primeBits, windowBits: width) }
        // An entry's making takes about two and a half times the work of its use.
        func cost(_ width: Int) -> Int {
            5 * entries(width) + 2 * FixedBaseTable.positions(exponentBits: primeBits, windowBits: width) * encryptions
        }
        return (4...13).filter { $0 == 4 || entries($0) * primeBits / 2 <= mostTableBytes }.min { cost($0) < cost($1) } ?? 4
    }

    init(_ first: Factor, _ second: Factor, encryptions: Int, kernels: Kernels) {
        let width = OwnerEncryption.windowBits(primeBits: first.prime.bitWidth, encryptions: encryptions)
        let p = Half(first, other: second.prime, windowBits: width, kernels: kernels)
        let q = Half(second, other: first.prime, windowBits: width, kernels: kernels)
        Parallel.ranges(p.table.positions) { range in
            for half in [p, q] { half.table.fill(range) }
        }
        self.p = p
        self.q = q
        remainders = RemainderPair(first.prime, second.prime, kernels: kernels)
    }

    /// Products and reductions of half length go by pairs of entries; this counts entries, both tables together.
    var entriesPerEncryption: Int { p.table.positions + q.table.positions }

    func makeWorkspace() -> Workspace { Workspace(self) }

    /// Bytes of randomness that one encryption takes: for each prime, 16 more than its length, so that reducing them modulo
    /// p - 1 is uniform up to a statistical distance of 2^-128.
    private var drawnBytes: Int { 2 * (8 * p.order.limbsPerResidue + 16) }

    /// How many values a call encrypts.
    static let mostValues = FixedBaseTable.mostPowers

    /// Writes the ciphertexts of at most `mostValues` values one behind the other.
    func encrypt(_ values: [Int64], _ random: AddressedRandom, _ addresses: [DrawAddress], into target: UnsafeMutableRawBufferPointer,
                 _ workspace: Workspace) {
        for (index, address) in addresses.enumerated() { random.fill(workspace.drawn.bytes(index), at: address) }
        let remainders = workspace.remainders.remainders
        let middle = drawnBytes / 2
        for (half, ofHalf, part, first) in [(p, workspace.p, 0..<middle, 0), (q, workspace.q, middle..<drawnBytes, Self.mostValues)] {
            for index in values.indices {
                workspace.exponents.set(index, bytes: UnsafeRawBufferPointer(rebasing: workspace.drawn.bytes(index)[part]), modulo: half.order, 0)
            }
            half.table.powers(workspace.exponents, messages: values, factors: half.factors, into: remainders, first, ofHalf)
        }
        self.remainders.join(workspace.remainders, count: values.count, into: target)
    }
}

/// The tables of a key: made when they are first needed, for as many encryptions as are expected by then.
final class OwnerTables: Sendable {
    private let factors: (OwnerEncryption.Factor, OwnerEncryption.Factor)
    private let made = Mutex<OwnerEncryption?>(nil)

    private let kernels: Kernels

    init(_ first: OwnerEncryption.Factor, _ second: OwnerEncryption.Factor, kernels: Kernels) {
        factors = (first, second)
        self.kernels = kernels
    }

    func ready(encryptions: Int) -> OwnerEncryption {
        made.withLock { made in
            if let made { return made }
            let fresh = OwnerEncryption(factors.0, factors.1, encryptions: encryptions, kernels: kernels)
            made = fresh
            return fresh
        }
    }
}
