/// An integer modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, the field of P-256, in Montgomery form: a is kept as
/// a 2^256 mod p, below p, in four limbs of 64 bits, least significant first. Written without branches on values.
struct FieldElement: Equatable, Sendable {
    private var limb0, limb1, limb2, limb3: UInt64

    private init(_ limb0: UInt64, _ limb1: UInt64, _ limb2: UInt64, _ limb3: UInt64) {
        (self.limb0, self.limb1, self.limb2, self.limb3) = (limb0, limb1, limb2, limb3)
    }

    private static let prime = FieldElement(0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001)

    static let zero = FieldElement(0, 0, 0, 0)
    /// 2^256 mod p.
    static let one = powerOfTwo(256)
    /// Multiplying by them brings limbs of weight 1 and of weight 2^256 to Montgomery form.
    private static let weight1 = powerOfTwo(512)
    private static let weight2to256 = powerOfTwo(768)

    /// 2^exponent mod p as plain limbs, for the constants.
    private static func powerOfTwo(_ exponent: Int) -> FieldElement {
        (0..<exponent).reduce(into: FieldElement(1, 0, 0, 0)) { power, _ in power = power + power }
    }

    init(_ small: UInt64) {
        self = FieldElement(small, 0, 0, 0) * Self.weight1
    }

    /// The big-endian integer in up to 64 bytes, reduced.
    init(reducing bytes: ArraySlice<UInt8>) {
        let low = Self.limbs(bytes.suffix(32))
        let high = Self.limbs(bytes.dropLast(32))
        self = low * Self.weight1 + high * Self.weight2to256
    }

    private static func limbs(_ bytes: ArraySlice<UInt8>) -> FieldElement {
        var limbs = FieldElement(0, 0, 0, 0)
        for byte in bytes {
            limbs.limb3 = limbs.limb3 << 8 | limbs.limb2 >> 56
            limbs.limb2 = limbs.limb2 << 8 | limbs.limb1 >> 56
            limbs.limb1 = limbs.limb1 << 8 | limbs.limb0 >> 56
            limbs.limb0 = limbs.limb0 << 8 | UInt64(byte)
        }
        return limbs
    }

    /// The value as four limbs, out of Montgomery form.
    private var plain: FieldElement { self * FieldElement(1, 0, 0, 0) }

    /// Adds the value in 32 big-endian bytes.
    func append(to bytes: inout [UInt8]) {
        let plain = plain
        for limb in [plain.limb3, plain.limb2, plain.limb1, plain.limb0] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: limb >> UInt64(shift))) }
        }
    }

    /// sgn0 of RFC 9380, 4.1: the parity of the value.
    var isOdd: Bool { plain.limb0 & 1 == 1 }

    var isZero: Bool { limb0 | limb1 | limb2 | limb3 == 0 }

    /// `first` where `condition` holds, else `second`.
    @inline(__always)
    static func select(_ condition: Bool, _ first: FieldElement, _ second: FieldElement) -> FieldElement {
        let mask = 0 &- UInt64(condition ? 1 : 0)
        return FieldElement(
            second.limb0 ^ mask & (first.limb0 ^ second.limb0), second.limb1 ^ mask & (first.limb1 ^ second.limb1),
            second.limb2 ^ mask & (first.limb2 ^ second.limb2), second.limb3 ^ mask & (first.limb3 ^ second.limb3))
    }

    // MARK: Arithmetic

    @inline(__always)
    static func + (left: FieldElement, right: FieldElement) -> FieldElement {
        var carry: UInt64 = 0
        let sum = FieldElement(
            add(left.limb0, right.limb0, &carry), add(left.limb1, right.limb1, &carry),
            add(left.limb2, right.limb2, &carry), add(left.limb3, right.limb3, &carry))
        return sum.reducedOnce(overflow: carry)
    }

    @inline(__always)
    static func - (left: FieldElement, right: FieldElement) -> FieldElement {
        let (difference, borrow) = left.subtracting(right)
        var carry: UInt64 = 0
        let mask = 0 &- borrow
        return FieldElement(
            add(difference.limb0, mask & prime.limb0, &carry), add(difference.limb1, mask & prime.limb1, &carry),
            add(difference.limb2, mask & prime.limb2, &carry), add(difference.limb3, mask & prime.limb3, &carry))
    }

    static prefix func - (element: FieldElement) -> FieldElement { zero - element }

    /// Montgomery product. One factor may be any four limbs, the other is below p.
    static func * (left: FieldElement, right: FieldElement) -> FieldElement {
        var row = Row()
        row.add(left, times: right.limb0)
        row.reduce()
        row.add(left, times: right.limb1)
        row.reduce()
        row.add(left, times: right.limb2)
        row.reduce()
        row.add(left, times: right.limb3)
        row.reduce()
        return FieldElement(row.limb0, row.limb1, row.limb2, row.limb3).reducedOnce(overflow: row.limb4)
    }

    var squared: FieldElement { self * self }

    func squared(times count: Int) -> FieldElement {
        (0..<count).reduce(into: self) { power, _ in power = power.squared }
    }

    /// self^((p - 3) / 4). In binary the exponent is 32 ones, 31 zeros, a one, 96 zeros, 94 ones.
    var raisedToQuarter: FieldElement {
        /// From self^e and self^f to self^(2^count e + f).
        func shift(_ power: FieldElement, by count: Int, adding other: FieldElement) -> FieldElement {
            power.squared(times: count) * other
        }
        let ones2 = shift(self, by: 1, adding: self)
        let ones4 = shift(ones2, by: 2, adding: ones2)
        let ones8 = shift(ones4, by: 4, adding: ones4)
        let ones16 = shift(ones8, by: 8, adding: ones8)
        let ones32 = shift(ones16, by: 16, adding: ones16)
        var power = shift(ones32, by: 32, adding: self)
        power = shift(power, by: 96 + 32, adding: ones32)
        for (count, ones) in [(32, ones32), (16, ones16), (8, ones8), (4, ones4), (2, ones2)] {
            power = shift(power, by: count, adding: ones)
        }
        return power
    }

    /// self^(p - 2); zero for zero. As p - 2 = 4 (p - 3) / 4 + 1.
    var inverse: FieldElement { raisedToQuarter.squared(times: 2) * self }

    /// Inverts all at the price of one inversion (Montgomery's trick). None may be zero.
    static func invert(_ elements: inout [FieldElement]) {
        var prefixes: [FieldElement] = []
        prefixes.reserveCapacity(elements.count)
        var product = one
        for element in elements {
            prefixes.append(product)
            product = product * element
        }
        var inverse = product.inverse
        for index in elements.indices.reversed() {
            let element = elements[index]
            elements[index] = inverse * prefixes[index]
            inverse = inverse * element
        }
    }

    // MARK: Limbs

    /// Subtracts p once where overflow 2^256 + limbs is not below it; the result must then be below p.
    @inline(__always)
    private func reducedOnce(overflow: UInt64) -> FieldElement {
        let (difference, borrow) = subtracting(Self.prime)
        return Self.select(overflow | (borrow ^ 1) == 0, self, difference)
    }

    @inline(__always)
    private func subtracting(_ other: FieldElement) -> (FieldElement, borrow: UInt64) {
        var borrow: UInt64 = 0
        let difference = FieldElement(
            Self.subtract(limb0, other.limb0, &borrow), Self.subtract(limb1, other.limb1, &borrow),
            Self.subtract(limb2, other.limb2, &borrow), Self.subtract(limb3, other.limb3, &borrow))
        return (difference, borrow)
    }

    @inline(__always)
    private static func add(_ left: UInt64, _ right: UInt64, _ carry: inout UInt64) -> UInt64 {
        let wide = UInt128(left) &+ UInt128(right) &+ UInt128(carry)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
        return UInt64(truncatingIfNeeded: wide)
    }

    @inline(__always)
    private static func subtract(_ left: UInt64, _ right: UInt64, _ borrow: inout UInt64) -> UInt64 {
        let wide = UInt128(left) &- UInt128(right) &- UInt128(borrow)
        borrow = UInt64(truncatingIfNeeded: wide >> 64) & 1
        return UInt64(truncatingIfNeeded: wide)
    }

    /// The running sum of a product: five limbs and, between adding and reducing, one more.
    private struct Row {
        var limb0: UInt64 = 0, limb1: UInt64 = 0, limb2: UInt64 = 0, limb3: UInt64 = 0, limb4: UInt64 = 0, limb5: UInt64 = 0

        @inline(__always)
        mutating func add(_ element: FieldElement, times factor: UInt64) {
            var carry: UInt64 = 0
            limb0 = Self.multiply(element.limb0, factor, adding: limb0, &carry)
            limb1 = Self.multiply(element.limb1, factor, adding: limb1, &carry)
            limb2 = Self.multiply(element.limb2, factor, adding: limb2, &carry)
            limb3 = Self.multiply(element.limb3, factor, adding: limb3, &carry)
            var top: UInt64 = 0
            limb4 = FieldElement.add(limb4, carry, &top)
            limb5 = top
        }

        /// Adds m p with m = limb0, which clears limb0 because p = -1 mod 2^64, and drops that limb.
        /// Without limb0 m p is m 2^96 + m (2^64 - 2^32 + 1) 2^192.
        @inline(__always)
        mutating func reduce() {
            let factor = limb0
            var borrow: UInt64 = 0
            let low = FieldElement.subtract(factor, factor << 32, &borrow)
            let high = factor &- factor >> 32 &- borrow
            var carry: UInt64 = 0
            limb0 = FieldElement.add(limb1, factor << 32, &carry)
            limb1 = FieldElement.add(limb2, factor >> 32, &carry)
            limb2 = FieldElement.add(limb3, low, &carry)
            limb3 = FieldElement.add(limb4, high, &carry)
            limb4 = limb5 &+ carry
        }

        @inline(__always)
        private static func multiply(_ left: UInt64, _ right: UInt64, adding addend: UInt64, _ carry: inout UInt64) -> UInt64 {
            let wide = UInt128(left) &* UInt128(right) &+ UInt128(addend) &+ UInt128(carry)
            carry = UInt64(truncatingIfNeeded: wide >> 64)
            return UInt64(truncatingIfNeeded: wide)
        }
    }
}
