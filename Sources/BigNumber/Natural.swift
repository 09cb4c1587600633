import CGMP

/// A non-negative integer of any size over GMP, with value semantics; its memory is overwritten when it is released.
///
/// For keys, masks and the few exponentiations of a protocol. Bulk work on ciphertexts goes through `SquareModulus`.
/// Operations whose result could be negative trap: operands come from our own code, never unchecked from a peer.
package struct Natural: @unchecked Sendable {
    // Shared between copies and never written after `init` returns, hence safe to send.
    private final class Storage {
        let value = UnsafeMutablePointer<mpz_t>.allocate(capacity: 1)
        init() {
            _ = Storage.wipingMemory
            jl_init(pointer)
        }
        deinit {
            jl_clear(pointer)
            value.deallocate()
        }
        var pointer: mpz_ptr { UnsafeMutableRawPointer(value).assumingMemoryBound(to: __mpz_struct.self) }
        static let wipingMemory: Void = jl_install_wiping_memory()
    }

    private let storage: Storage

    private var pointer: mpz_srcptr { UnsafePointer(storage.pointer) }

    private init(_ storage: Storage) { self.storage = storage }

    private init(_ fill: (mpz_ptr) -> Void) {
        storage = Storage()
        fill(storage.pointer)
    }

    package init(_ word: UInt64) {
        self.init { jl_set_word($0, word) }
    }

    /// Big-endian bytes; leading zeros are allowed.
    package init(bytes: some Collection<UInt8>) {
        let contiguous = [UInt8](bytes)
        self.init { jl_import($0, contiguous, contiguous.count) }
    }

    package init(rawBytes: UnsafeRawBufferPointer) {
        self.init { jl_import($0, rawBytes.baseAddress, rawBytes.count) }
    }

    init(limbs: UnsafePointer<UInt>, count: Int) {
        self.init { jl_set_limbs($0, limbs, count) }
    }

    package static let zero = Natural(0)
    package static let one = Natural(1)

    package var bitWidth: Int { jl_bits(pointer) }
    package var isOdd: Bool { jl_is_odd(pointer) != 0 }
    package var isZero: Bool { bitWidth == 0 }

    /// Big-endian bytes, exactly `count` of them.
    package func bytes(count: Int) -> [UInt8] {
        let needed = (bitWidth + 7) / 8
        precondition(needed <= count, "a number does not fit the width that it is written in")
        var result = [UInt8](repeating: 0, count: count)
        if needed > 0 {
            result.withUnsafeMutableBytes { jl_export($0.baseAddress! + (count - needed), pointer) }
        }
        return result
    }

    /// Writes limbs, least significant first, filling up with zeros.
    func copyLimbs(to target: UnsafeMutablePointer<UInt>, count: Int) {
        let present = jl_limb_count(pointer)
        precondition(present <= count)
        if present > 0 { target.update(from: jl_limbs(pointer), count: present) }
        for index in present..<count { target[index] = 0 }
    }

    package static func + (a: Natural, b: Natural) -> Natural { Natural { jl_add($0, a.pointer, b.pointer) } }
    package static func - (a: Natural, b: Natural) -> Natural {
        precondition(a >= b)
        return Natural { jl_subtract($0, a.pointer, b.pointer) }
    }
    package static func * (a: Natural, b: Natural) -> Natural { Natural { jl_multiply($0, a.pointer, b.pointer) } }
    package static func % (a: Natural, modulus: Natural) -> Natural { Natural { jl_modulo($0, a.pointer, modulus.pointer) } }
    package static func << (a: Natural, bits: Int) -> Natural { Natural { jl_shift_left($0, a.pointer, UInt64(bits)) } }
    package static func >> (a: Natural, bits: Int) -> Natural { Natural { jl_shift_right($0, a.pointer, UInt64(bits)) } }

    package func quotient(by divisor: Natural) -> Natural { divided(by: divisor).quotient }

    package func divided(by divisor: Natural) -> (quotient: Natural, remainder: Natural) {
        let remainder = Storage()
        let quotient = Natural { jl_divide($0, remainder.pointer, pointer, divisor.pointer) }
        return (quotient, Natural(remainder))
    }

    package func remainder(by word: UInt64) -> UInt64 { jl_modulo_word(pointer, word) }

    /// The number modulo 2^bits.
    package func lowBits(_ bits: Int) -> Natural { Natural { jl_low_bits($0, pointer, UInt64(bits)) } }

    /// The low 64 bits.
    package var word: UInt64 { lowBits(64).bytes(count: 8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Time depends on the exponent: for public exponents only.
    package func power(_ exponent: Natural, modulo modulus: Natural) -> Natural {
        Natural { jl_power($0, pointer, exponent.pointer, modulus.pointer) }
    }

    /// Time and memory accesses do not depend on base and exponent. The modulus is odd, the exponent positive.
    package func power(secret exponent: Natural, modulo modulus: Natural) -> Natural {
        Natural { jl_power_secret($0, pointer, exponent.pointer, modulus.pointer) }
    }

    /// `nil` where the number shares a factor with the modulus.
    package func inverse(modulo modulus: Natural) -> Natural? {
        var exists = false
        let result = Natural { exists = jl_invert($0, pointer, modulus.pointer) != 0 }
        return exists ? result : nil
    }

    package func greatestCommonDivisor(with other: Natural) -> Natural {
        Natural { jl_gcd($0, pointer, other.pointer) }
    }

    /// Baillie-PSW and further Miller-Rabin rounds as GMP does them; an error with probability below 4^-rounds.
    package func isProbablyPrime(rounds: Int = 40) -> Bool {
        jl_is_probably_prime(pointer, Int32(rounds)) != 0
    }

    /// A signed value as a residue of `modulus`.
    package init(_ value: Int64, modulo modulus: Natural) {
        let magnitude = Natural(value.magnitude) % modulus
        self = value >= 0 || magnitude.isZero ? magnitude : modulus - magnitude
    }
}

extension Natural: Comparable, Hashable {
    package static func == (a: Natural, b: Natural) -> Bool { jl_compare(a.pointer, b.pointer) == 0 }
    package static func < (a: Natural, b: Natural) -> Bool { jl_compare(a.pointer, b.pointer) < 0 }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes(count: (bitWidth + 7) / 8)) }
}

extension Natural: CustomStringConvertible {
    /// Only the size: a number may be a secret, and descriptions end up in logs.
    package var description: String { "Natural(\(bitWidth) bits)" }
}
