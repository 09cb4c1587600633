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
        let order: Natural
        let exponentBytes: Int

        init(_ half: Factor, other: Natural, windowBits: Int, kernels: Kernels) {
            table = FixedBaseTable(base: half.base, prime: half.prime, exponentBits: half.prime.bitWidth, windowBits: windowBits,
                                   kernels: kernels)
            factors = table.messageFactors(other)
            order = half.prime - .one
            exponentBytes = half.prime.bitWidth / 8
        }

        func exponent(_ drawn: ArraySlice<UInt8>) -> [UInt8] { (Natural(bytes: drawn) % order).bytes(count: exponentBytes) }
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

        fileprivate init(_ encryption: OwnerEncryption) {
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
    private var drawnBytes: Int { 2 * (p.exponentBytes + 16) }

    /// How many values a call encrypts.
    static let mostValues = FixedBaseTable.mostPowers

    /// Writes the ciphertexts of at most `mostValues` values one behind the other.
    func encrypt(_ values: [Int64], _ random: AddressedRandom, _ addresses: [DrawAddress], into target: UnsafeMutableRawBufferPointer,
                 _ workspace: Workspace) {
        let draws = addresses.map { random.bytes(drawnBytes, at: $0) }
        let middle = drawnBytes / 2
        let remainders = workspace.remainders.remainders
        p.table.powers(draws.map { p.exponent($0[..<middle]) }, messages: values, factors: p.factors, into: remainders, 0, workspace.p)
        q.table.powers(draws.map { q.exponent($0[middle...]) }, messages: values, factors: q.factors, into: remainders, Self.mostValues, workspace.q)
        let width = target.count / values.count
        for index in values.indices {
            let ciphertext = UnsafeMutableRawBufferPointer(rebasing: target[index * width..<(index + 1) * width])
            self.remainders.join(workspace.remainders, index, into: ciphertext)
        }
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
