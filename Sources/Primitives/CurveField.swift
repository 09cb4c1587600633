/// The field of 256 bits over which a curve y^2 = x^3 - 3 x + b lies, and what else hashing to that curve needs. Both primes
/// are 3 mod 4 and -1 mod 2^64.
protocol CurveField: Sendable {
    typealias Element = FieldElement<Self>

    /// p in limbs of 64 bits, least significant first.
    static var prime: (UInt64, UInt64, UInt64, UInt64) { get }
    /// (m p + m) / 2^64 for a Montgomery reduction by m.
    static func multipleWithoutLowLimb(_ m: UInt64) -> (UInt64, UInt64, UInt64, UInt64)
    /// element^((p - 3) / 4).
    static func raiseToQuarter(_ element: Element) -> Element
    static var constants: Element.Constants { get }
    static var map: SimplifiedMap<Self> { get }
}

/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
enum P256Field: CurveField {
    @inline(__always)
    static var prime: (UInt64, UInt64, UInt64, UInt64) { (0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001) }

    /// m 2^32 + m (2^64 - 2^32 + 1) 2^128.
    @inline(__always)
    static func multipleWithoutLowLimb(_ m: UInt64) -> (UInt64, UInt64, UInt64, UInt64) {
        var borrow: UInt64 = 0
        let low = Limb.subtract(m, m << 32, &borrow)
        return (m << 32, m >> 32, low, m &- m >> 32 &- borrow)
    }

    /// In binary the exponent is 32 ones, 31 zeros, a one, 96 zeros, 94 ones.
    static func raiseToQuarter(_ element: Element) -> Element {
        let ones2 = element.shifted(by: 1, adding: element)
        let ones4 = ones2.shifted(by: 2, adding: ones2)
        let ones8 = ones4.shifted(by: 4, adding: ones4)
        let ones16 = ones8.shifted(by: 8, adding: ones8)
        let ones32 = ones16.shifted(by: 16, adding: ones16)
        var power = ones32.shifted(by: 32, adding: element)
        power = power.shifted(by: 96 + 32, adding: ones32)
        for (count, ones) in [(32, ones32), (16, ones16), (8, ones8), (4, ones4), (2, ones2)] {
            power = power.shifted(by: count, adding: ones)
        }
        return power
    }

    static let constants = Element.Constants()

    /// RFC 9380, 8.2.
    static let map = SimplifiedMap<P256Field>(
        b: [
            0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
            0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
        ],
        minusZ: 10)
}

/// p = 2^256 - 2^224 - 2^96 + 2^64 - 1.
enum SM2Field: CurveField {
    @inline(__always)
    static var prime: (UInt64, UInt64, UInt64, UInt64) {
        (0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff)
    }

    /// m (2^192 - 2^160 - 2^32 + 1).
    @inline(__always)
    static func multipleWithoutLowLimb(_ m: UInt64) -> (UInt64, UInt64, UInt64, UInt64) {
        var borrow: UInt64 = 0
        let limb0 = Limb.subtract(m, m << 32, &borrow)
        let limb1 = Limb.subtract(0, m >> 32, &borrow)
        let limb2 = Limb.subtract(0, m << 32, &borrow)
        return (limb0, limb1, limb2, m &- m >> 32 &- borrow)
    }

    /// In binary the exponent is 31 ones, a zero, 128 ones, 32 zeros, 62 ones.
    static func raiseToQuarter(_ element: Element) -> Element {
        let ones2 = element.shifted(by: 1, adding: element)
        let ones4 = ones2.shifted(by: 2, adding: ones2)
        let ones8 = ones4.shifted(by: 4, adding: ones4)
        let ones16 = ones8.shifted(by: 8, adding: ones8)
        let ones24 = ones16.shifted(by: 8, adding: ones8)
        let ones28 = ones24.shifted(by: 4, adding: ones4)
        let ones31 = ones28.shifted(by: 2, adding: ones2).shifted(by: 1, adding: element)
        let ones62 = ones31.shifted(by: 31, adding: ones31)
        let ones64 = ones62.shifted(by: 2, adding: ones2)
        let ones128 = ones64.shifted(by: 64, adding: ones64)
        return ones31.shifted(by: 1 + 128, adding: ones128).shifted(by: 32 + 62, adding: ones62)
    }

    static let constants = Element.Constants()

    /// `Protocols/protocol.md`, "Alignment": z by RFC 9380, appendix H.2.
    static let map = SimplifiedMap<SM2Field>(
        b: [
            0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
            0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
        ],
        minusZ: 9)
}
