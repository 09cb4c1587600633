import BigInt
import BigNumber

/// SplitMix64, so that a test's numbers are the same everywhere.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func below(_ bits: Int) -> BigUInt { BigUInt.randomInteger(withMaximumWidth: bits, using: &self) }

    /// What arithmetic gets wrong first, and some of no kind.
    mutating func operands(_ bits: Int) -> [BigUInt] {
        let top = BigUInt(1) << bits
        let ends = [0, 1, 2, top - 1, top - 2, top >> 1, (top >> 1) - 1, (top >> 1) + 1]
        let words = [BigUInt(UInt64.max), BigUInt(1) << 64, (top - 1) ^ (BigUInt(UInt64.max) << 64), top - (BigUInt(1) << min(64, bits))]
        return (ends + words + [below(bits), below(bits), below(bits / 2)]).filter { $0 < top }
    }
}

/// The same number in the independent implementation.
func big(_ number: Natural) -> BigUInt {
    let bytes = number.bytes(count: (number.bitWidth + 63) / 64 * 8)
    return BigUInt(words: stride(from: bytes.count - 8, through: 0, by: -8).map { start in
        bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt($1) }
    })
}

func natural(_ number: BigUInt) -> Natural {
    Natural(bytes: number.words.reversed().flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt(56 - 8 * $0)) } })
}

extension Kernels {
    /// Those that this processor runs.
    static let here = allCases.filter(\.areThere)
}

extension SquareModulus {
    func value(_ buffer: ResidueBuffer, _ index: Int, _ workspace: Workspace) -> Natural {
        values(buffer[.from(index)], count: 1, workspace)[0]
    }
}
