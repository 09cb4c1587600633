import BigNumber
import Primitives

/// Ciphertexts under one key, in the form that products are computed in. Immutable to everyone but this module.
package struct CiphertextBatch: Sendable {
    package let key: PublicKey
    package let count: Int
    let residues: ResidueBuffer

    init(key: PublicKey, count: Int) {
        self.key = key
        self.count = count
        residues = key.arithmetic.makeBuffer(count: count)
    }

    /// Ciphertexts from a peer: `count` of fixed width, each a unit modulo n^2 that carries randomness.
    ///
    /// One greatest common divisor serves the whole batch: a product is prime to n exactly if every factor is.
    package init(wire: some Collection<UInt8>, count: Int, key: PublicKey) throws(PaillierError) {
        let bytes = [UInt8](wire)
        let width = key.ciphertextBytes
        guard bytes.count == count * width else { throw .wrongLength }
        self.init(key: key, count: count)
        let target = residues
        try Parallel.tryRanges(count) { (range) throws(PaillierError) in
            let standing = bytes.withUnsafeBytes { bytes in
                key.arithmetic.load(UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * width..<range.upperBound * width]), into: target, range,
                                    key.arithmetic.makeWorkspace())
            }
            switch standing {
            case .units: return
            case .outside: throw .outsideGroup
            case .trivial: throw .withoutRandomness
            }
        }
    }

    /// Fixed-width big-endian bytes, in order.
    package var wire: [UInt8] {
        let width = key.ciphertextBytes
        return [UInt8](unsafeUninitializedCapacity: count * width) { buffer, initialized in
            nonisolated(unsafe) let target = buffer
            Parallel.ranges(count) { range in
                let ciphers = key.arithmetic.values(residues[.from(range.lowerBound)], count: range.count, key.arithmetic.makeWorkspace())
                for (index, cipher) in zip(range, ciphers) {
                    _ = UnsafeMutableBufferPointer(rebasing: target[index * width..<(index + 1) * width])
                        .update(fromContentsOf: cipher.bytes(count: width))
                }
            }
            initialized = count * width
        }
    }

    /// Element by element: ciphertexts of the sums of the plaintexts.
    package func adding(_ other: CiphertextBatch) -> CiphertextBatch {
        precondition(other.count == count)
        let result = CiphertextBatch(key: key, count: count)
        Parallel.ranges(count) { range in
            let places = Places.from(range.lowerBound)
            key.arithmetic.multiply(result.residues[places], residues[places], other.residues[places], count: range.count,
                                    key.arithmetic.makeWorkspace())
        }
        return result
    }

    /// The batches one behind the other.
    package static func joined(_ batches: [CiphertextBatch], key: PublicKey) -> CiphertextBatch {
        let result = CiphertextBatch(key: key, count: batches.reduce(0) { $0 + $1.count })
        var next = 0
        for batch in batches {
            for index in 0..<batch.count {
                result.residues.copy(from: batch.residues, index, to: next)
                next += 1
            }
        }
        return result
    }
}

/// Refuses a ciphertext that came before: encryption without fresh randomness would show which values are equal.
///
/// Remembers 16 bytes of each ciphertext; two different honest ones agree in them with probability 2^-128.
package struct RepetitionGuard: Sendable {
    private var seen: Set<UInt128> = []

    package init() {}

    /// - Parameter wire: whole ciphertexts of `width` bytes.
    package mutating func admit(_ wire: some Collection<UInt8>, width: Int) throws(PaillierError) {
        let bytes = [UInt8](wire)
        var start = 0
        while start + width <= bytes.count {
            var low: UInt128 = 0
            for byte in bytes[start + width - 16..<start + width] { low = low << 8 | UInt128(byte) }
            guard seen.insert(low).inserted else { throw .repeated }
            start += width
        }
    }
}
