import BigInt
import BigNumber
import Testing

/// Against an implementation in Swift that shares no code with GMP.
@Suite("Powers of a fixed base") struct FixedBaseTests {
    /// Odd numbers of full limbs; the table needs no prime, only a base prime to it.
    static func moduli(_ bits: Int, _ numbers: inout Numbers) -> [BigUInt] {
        let top = BigUInt(1) << bits
        return [top - 1, top - 1 - (BigUInt(1) << (bits / 2)), (top >> 1) | (top >> 2) | 1, numbers.below(bits - 2) | top >> 1 | top >> 2 | 1]
    }

    static func base(_ p: BigUInt) -> BigUInt {
        (3...).lazy.map { (p * p >> 1) + BigUInt($0) }.first { $0.greatestCommonDivisor(with: p) == 1 } ?? 2
    }

    @Test("powers with a message are right at every length and window, for edge and random exponents", arguments: [64, 128, 320, 512, 1024], Kernels.here)
    func powers(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits))
        for (index, p) in Self.moduli(bits, &numbers).enumerated() {
            let (base, square, factor) = (Self.base(p), p * p, numbers.below(bits))
            let window = [1, 5, 7, 4][index]
            let table = FixedBaseTable(base: natural(base), prime: natural(p), exponentBits: bits, windowBits: window, kernels: kernels)
            let middle = table.positions / 3
            table.fill(middle..<table.positions)
            table.fill(0..<middle)
            let workspace = table.makeWorkspace()
            let factors = table.messageFactors(natural(factor))
            let exponents = numbers.operands(bits)
            let messages: [Int64] = [0, 1, -1, .max, .min, 1 << 24, -(1 << 40)]
            // As many at once as a call takes, and fewer.
            var first = 0
            for count in [8, 3, 1, 5, 8, 8] where first < exponents.count {
                let chosen = first..<min(first + count, exponents.count)
                let result = ResidueBuffer(count: chosen.count, limbsPerResidue: bits / 32)
                table.powers(chosen.map { natural(exponents[$0]).bytes(count: bits / 8) }, messages: chosen.map { messages[$0 % messages.count] },
                             factors: factors, into: result, 0, workspace)
                for (place, index) in chosen.enumerated() {
                    let multiplier = (1 + BigInt(factor) * BigInt(p) * BigInt(messages[index % messages.count])).modulus(BigInt(square)).magnitude
                    #expect(big(result.number(place)) == base.power(exponents[index], modulus: square) * multiplier % square)
                }
                first = chosen.upperBound
            }
        }
    }

    @Test("the number of windows is even, and their entries cover every exponent", arguments: 1...13)
    func windows(width: Int) {
        for bits in [64, 256, 1024, 1536] {
            let positions = FixedBaseTable.positions(exponentBits: bits, windowBits: width)
            let entries = FixedBaseTable.entries(exponentBits: bits, windowBits: width)
            #expect(positions % 2 == 0 && positions * width >= bits && (positions - 2) * width < bits)
            #expect(entries >= positions && entries <= positions << width)
        }
    }

    @Test("remainders modulo two squares are joined", arguments: [64, 128, 256, 512, 1024, 1536], Kernels.here)
    func remainders(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits) + 5)
        for first in Self.moduli(bits, &numbers) {
            let second: BigUInt = (1...).lazy.map { first ^ (BigUInt($0) << 1) }.first { $0.greatestCommonDivisor(with: first) == 1 } ?? 1
            for (p, q) in [(first, second), (second, first)] where p >> (bits - 2) == 3 && q >> (bits - 2) == 3 {
                let pair = RemainderPair(natural(p), natural(q), kernels: kernels)
                let workspace = pair.makeWorkspace(pairs: 3)
                let (n, pSquare, qSquare) = (p * q, p * p, q * q)
                let square = n * n
                var values: [BigUInt] = [0, 1, n - 1, n, n + 1, square - 1, pSquare, qSquare, pSquare - 1, square - pSquare, square - qSquare]
                for _ in 0..<5 { values.append(numbers.below(4 * bits - 2)) }
                for value in values {
                    workspace.remainders.set(2, natural(value % pSquare))
                    workspace.remainders.set(5, natural(value % qSquare))
                    var bytes = [UInt8](repeating: 0, count: bits / 2)
                    bytes.withUnsafeMutableBytes { pair.join(workspace, 2, into: $0) }
                    #expect(big(Natural(bytes: bytes)) == value)
                }
            }
        }
    }
}
