/// An integer modulo the prime p of `Field`, in Montgomery form: a is kept as a 2^256 mod p, below p, in four limbs of
/// 64 bits, least significant first. Written without branches on values.
struct FieldElement<Field: CurveField>: Equatable, Sendable {
    private var limb0, limb1, limb2, limb3: UInt64

    @inline(__always)
    private init(_ limb0: UInt64, _ limb1: UInt64, _ limb2: UInt64, _ limb3: UInt64) {
        (self.limb0, self.limb1, self.limb2, self.limb3) = (limb0, limb1, limb2, limb3)
    }

    @inline(__always)
    private static var prime: FieldElement { FieldElement(Field.prime.0, Field.prime.1, Field.prime.2, Field.prime.3) }

    static var zero: FieldElement { FieldElement(0, 0, 0, 0) }
    /// 2^256 mod p.
    static var one: FieldElement { Field.constants.one }

    /// Powers of two modulo p as plain limbs.
    struct Constants: Sendable {
        let one = powerOfTwo(256)
        /// Multiplying by them brings limbs of weight 1 and of weight 2^256 to Montgomery form.
        fileprivate let weight1 = powerOfTwo(512)
        fileprivate let weight2to256 = powerOfTwo(768)

        private static func powerOfTwo(_ exponent: Int) -> FieldElement {
            (0..<exponent).reduce(into: FieldElement(1, 0, 0, 0)) { power, _ in power = power + power }
        }
    }

    init(_ small: UInt64) {
        self = FieldElement(small, 0, 0, 0) * Field.constants.weight1
    }

    /// The big-endian integer in up to 64 bytes, reduced.
    init(reducing bytes: ArraySlice<UInt8>) {
        let low = Self.limbs(bytes.suffix(32))
        let high = Self.limbs(bytes.dropLast(32))
        self = low * Field.constants.weight1 + high * Field.constants.weight2to256
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
            Limb.add(left.limb0, right.limb0, &carry), Limb.add(left.limb1, right.limb1, &carry),
            Limb.add(left.limb2, right.limb2, &carry), Limb.add(left.limb3, right.limb3, &carry))
        return sum.reducedOnce(overflow: carry)
    }

    @inline(__always)
    static func - (left: FieldElement, right: FieldElement) -> FieldElement {
        let (difference, borrow) = left.subtracting(right)
        var carry: UInt64 = 0
        let mask = 0 &- borrow
        return FieldElement(
            Limb.add(difference.limb0, mask & prime.limb0, &carry), Limb.add(difference.limb1, mask & prime.limb1, &carry),
            Limb.add(difference.limb2, mask & prime.limb2, &carry), Limb.add(difference.limb3, mask & prime.limb3, &carry))
    }

    static prefix func - (element: FieldElement) -> FieldElement { zero - element }

    /// Montgomery product. One factor may be any four limbs, the other is below p.
    static func * (left: FieldElement, right: FieldElement) -> FieldElement {
        var row = Sum()
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

    /// self^((p - 3) / 4).
    var raisedToQuarter: FieldElement { Field.raiseToQuarter(self) }

    /// From self^e and other = self^f to self^(2^count e + f).
    func shifted(by count: Int, adding other: FieldElement) -> FieldElement { squared(times: count) * other }

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
            Limb.subtract(limb0, other.limb0, &borrow), Limb.subtract(limb1, other.limb1, &borrow),
            Limb.subtract(limb2, other.limb2, &borrow), Limb.subtract(limb3, other.limb3, &borrow))
        return (difference, borrow)
    }
}

/// Steps on single limbs.
enum Limb {
    @inline(__always)
    static func add(_ left: UInt64, _ right: UInt64, _ carry: inout UInt64) -> UInt64 {
        let wide = UInt128(left) &+ UInt128(right) &+ UInt128(carry)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
        return UInt64(truncatingIfNeeded: wide)
    }

    @inline(__always)
    static func subtract(_ left: UInt64, _ right: UInt64, _ borrow: inout UInt64) -> UInt64 {
        let wide = UInt128(left) &- UInt128(right) &- UInt128(borrow)
        borrow = UInt64(truncatingIfNeeded: wide >> 64) & 1
        return UInt64(truncatingIfNeeded: wide)
    }

    @inline(__always)
    static func multiply(_ left: UInt64, _ right: UInt64, adding addend: UInt64, _ carry: inout UInt64) -> UInt64 {
        let wide = UInt128(left) &* UInt128(right) &+ UInt128(addend) &+ UInt128(carry)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
        return UInt64(truncatingIfNeeded: wide)
    }
}

extension FieldElement {
    /// The running sum of a product: five limbs and, between adding and reducing, one more.
    struct Sum {
        private(set) var limb0: UInt64 = 0, limb1: UInt64 = 0, limb2: UInt64 = 0, limb3: UInt64 = 0, limb4: UInt64 = 0
        private var limb5: UInt64 = 0

        @inline(__always)
        mutating func add(_ element: FieldElement, times factor: UInt64) {
            var carry: UInt64 = 0
            limb0 = Limb.multiply(element.limb0, factor, adding: limb0, &carry)
            limb1 = Limb.multiply(element.limb1, factor, adding: limb1, &carry)
            limb2 = Limb.multiply(element.limb2, factor, adding: limb2, &carry)
            limb3 = Limb.multiply(element.limb3, factor, adding: limb3, &carry)
            var top: UInt64 = 0
            limb4 = Limb.add(limb4, carry, &top)
            limb5 = top
        }

        /// Adds m p with m = limb0, which clears limb0 because p = -1 mod 2^64, and drops that limb.
        @inline(__always)
        mutating func reduce() {
            let rest = Field.multipleWithoutLowLimb(limb0)
            var carry: UInt64 = 0
            limb0 = Limb.add(limb1, rest.0, &carry)
            limb1 = Limb.add(limb2, rest.1, &carry)
            limb2 = Limb.add(limb3, rest.2, &carry)
            limb3 = Limb.add(limb4, rest.3, &carry)
            limb4 = limb5 &+ carry
        }
    }
}
