/// What a secret of an attempt is for. Each purpose has an independent secret, so that one can be opened or destroyed
/// without the others. The order is that of the commitments in `Hello`. Source: Protocols/protocol.md, "Randomness".
package enum Purpose: String, Sendable, CaseIterable {
    case paillierKey = "paillier-key"
    case randomiser = "randomiser"
    case mask = "mask"
    case maskRandomiser = "mask-randomiser"
    case intersection = "intersection"
    case shuffle = "shuffle"
    case pad = "pad"
}
