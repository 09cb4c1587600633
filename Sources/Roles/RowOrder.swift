import Jobs
import Primitives
import Wire

/// Where a subject stands among a job's rows: they ascend by a keyed hash of their identifier under the joint seed, the same
/// at both sides and chosen by neither. Source: `Protocols/protocol.md`, "Alignment".
package struct RowOrder: Sendable {
    private let key: SecretBytes

    /// - Parameters:
    ///   - role: of the party whose share is `own`.
    ///   - own: its share of the seed, 32 bytes, secret until it is revealed.
    package init(_ specification: JobSpecification, role: Role, own: [UInt8], other: [UInt8]) {
        let shares = role == .bank ? own + other : other + own
        key = SecretBytes(copying: SHA256.hash(Array("JointLab row order \(specification.training?.split.seed ?? 0) ".utf8) + shares))
    }

    /// - Parameter identifier: normalised, in UTF-8.
    package func code(of identifier: [UInt8]) -> [UInt8] { HMACSHA256.code(for: identifier, key: key) }
}
