/// The arbiter's combination coefficients: signed fixed point, 40 fractional bits, 8 big-endian bytes for each earlier step.
/// Source: `Protocols/protocol.md`, "Few rounds".
package enum FixedPointGamma {
    package static let byteCount = 8

    /// Rounds to the nearest; what is beyond 2^22 in magnitude counts as 2^22.
    package static func encode(_ coefficients: [Double]) -> [UInt8] {
        coefficients.flatMap { coefficient in
            let bounded = min(max(coefficient * 0x1p40, -0x1p62), 0x1p62)
            let word = UInt64(bitPattern: Int64(bounded.rounded()))
            return (0..<byteCount).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }

    /// - Parameter bytes: whole coefficients, as messages are held to.
    package static func decode(_ bytes: [UInt8]) -> [Double] {
        stride(from: 0, to: bytes.count, by: byteCount).map { start in
            let word = bytes[start..<start + byteCount].reduce(0) { $0 << 8 | UInt64($1) }
            return Double(Int64(bitPattern: word)) * 0x1p-40
        }
    }
}
