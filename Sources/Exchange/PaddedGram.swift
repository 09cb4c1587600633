import LinearAlgebra
import Primitives
import Wire

/// A party's share of the Gram matrix, hidden from the arbiter by pads that cancel when both shares are added.
package enum PaddedGram {
    /// - Parameters:
    ///   - entries: the upper triangle of the party's own Gram matrix.
    ///   - sequence: counts the shares of an attempt and never repeats in it.
    package static func encode(_ entries: [Double], pads: AddressedRandom, role: Role, sequence: UInt16) -> [UInt8] {
        entries.enumerated().flatMap { index, value in
            let draw = pads.bytes(RingElement.byteCount, at: DrawAddress(
                message: UInt8(MessageKind.roundShare.rawValue), round: sequence, row: UInt32(index)))
            guard let pad = RingElement(bytes: draw[...]) else { preconditionFailure("a draw has the length of an element") }
            let element = RingElement(value)
            return (role == .bank ? element + pad : element - pad).bytes
        }
    }
}
