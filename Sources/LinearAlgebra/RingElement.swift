/// An integer modulo 2^192 that carries a real number with 96 fractional bits.
///
/// Two parties add a pad that is uniform in the ring, one with each sign: each share alone is uniform, the sum is exact.
package struct RingElement: Sendable, Hashable {
    package static let byteCount = 24
    package static let fractionBits = 96

    /// Least significant word first.
    private var words: (UInt64, UInt64, UInt64)

    private init(_ words: (UInt64, UInt64, UInt64)) { self.words = words }

    /// Rounds toward zero. Values of 2^94 and more in magnitude, and what is no number, count as 0.
    package init(_ value: Double) {
        guard value.isFinite, value.magnitude < 0x1p94, value != 0 else {
            self.init((0, 0, 0))
            return
        }
        // significand = an integer of 53 bits, times 2^(exponent - 52)
        let significand = UInt64(value.magnitude.significand * 0x1p52)
        let shift = Int(value.magnitude.exponent) - 52 + RingElement.fractionBits
        var magnitude = RingElement((0, 0, 0))
        if shift < 0 {
            magnitude.words.0 = shift > -64 ? significand >> UInt64(-shift) : 0
        } else {
            let pair = UInt128(significand) << UInt128(shift % 64)
            let (low, high) = (UInt64(truncatingIfNeeded: pair), UInt64(pair >> 64))
            switch shift / 64 {
            case 0: magnitude.words = (low, high, 0)
            case 1: magnitude.words = (0, low, high)
            default: magnitude.words = (0, 0, low)
            }
        }
        self = value < 0 ? RingElement((0, 0, 0)) - magnitude : magnitude
    }

    /// Big-endian; exactly 24 bytes.
    package init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == RingElement.byteCount else { return nil }
        var words: [UInt64] = []
        var start = bytes.startIndex
        for _ in 0..<3 {
            words.append(bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
            start += 8
        }
        self.init((words[2], words[1], words[0]))
    }

    package var bytes: [UInt8] {
        [words.2, words.1, words.0].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
    }

    /// The centred representative as a real number, to within a unit in the last place.
    package var value: Double {
        if words.2 >> 63 == 1 { return -(RingElement((0, 0, 0)) - self).magnitude }
        return magnitude
    }

    private var magnitude: Double {
        Double(words.2) * 0x1p32 + Double(words.1) * 0x1p-32 + Double(words.0) * 0x1p-96
    }

    package static func + (a: RingElement, b: RingElement) -> RingElement {
        let (low, carry0) = a.words.0.addingReportingOverflow(b.words.0)
        let (middle, carry1) = a.words.1.addingReportingOverflow(b.words.1)
        let (middleCarried, carry2) = middle.addingReportingOverflow(carry0 ? 1 : 0)
        return RingElement((low, middleCarried, a.words.2 &+ b.words.2 &+ (carry1 ? 1 : 0) &+ (carry2 ? 1 : 0)))
    }

    package static func - (a: RingElement, b: RingElement) -> RingElement {
        a + RingElement((~b.words.0, ~b.words.1, ~b.words.2)) + RingElement((1, 0, 0))
    }

    package static func == (a: RingElement, b: RingElement) -> Bool { a.words == b.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
    }
}
