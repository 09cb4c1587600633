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
                let drawn = ResidueBuffer(count: chosen.count, limbsPerResidue: bits / 64)
                for (place, index) in chosen.enumerated() { drawn.set(place, natural(exponents[index])) }
                table.powers(drawn, messages: chosen.map { messages[$0 % messages.count] }, factors: factors, into: result, 0, workspace)
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

    @Test("bytes are reduced modulo a number of fewer words: at the ends of both, and random ones", arguments: [64, 128, 512])
    func exponents(bits: Int) {
        var numbers = Numbers(state: UInt64(bits) + 3)
        let top = BigUInt(1) << bits
        for modulus in [top - 1, top - 2, (top >> 1) + 1, top - (top >> 32), top >> 63, numbers.below(bits) | top >> 1] {
            let modulo = ResidueBuffer(count: 2, limbsPerResidue: bits / 64)
            modulo.set(1, natural(modulus))
            for value in numbers.operands(bits + 128) + [modulus, modulus - 1, modulus + 1, modulus << 128, (modulus << 128) - 1] {
                let residue = ResidueBuffer(count: 3, limbsPerResidue: bits / 64)
                natural(value).bytes(count: bits / 8 + 16).withUnsafeBytes { residue.set(2, bytes: $0, modulo: modulo, 1) }
                #expect(big(residue.number(2)) == value % modulus)
            }
        }
    }

    @Test("remainders modulo two squares are joined", arguments: [64, 128, 256, 512, 1024, 1536], Kernels.here)
    func remainders(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits) + 5)
        for first in Self.moduli(bits, &numbers) {
            let second: BigUInt = (1...).lazy.map { first ^ (BigUInt($0) << 1) }.first { $0.greatestCommonDivisor(with: first) == 1 } ?? 1
            for (p, q) in [(first, second), (second, first)] where p >> (bits - 2) == 3 && q >> (bits - 2) == 3 {
                let pair = RemainderPair(natural(p), natural(q), kernels: kernels)
                let (n, pSquare, qSquare) = (p * q, p * p, q * q)
                let square = n * n
                var values: [BigUInt] = [0, 1, n - 1, n, n + 1, square - 1, pSquare, qSquare, pSquare - 1, square - pSquare, square - qSquare]
                for _ in 0..<8 { values.append(numbers.below(4 * bits - 2)) }
                let workspace = pair.makeWorkspace(pairs: values.count)
                // As many at once as there are values, and fewer.
                for chosen in [values.indices, 3..<4, 0..<8] {
                    for (place, index) in chosen.enumerated() {
                        workspace.remainders.set(place, natural(values[index] % pSquare))
                        workspace.remainders.set(values.count + place, natural(values[index] % qSquare))
                    }
                    var bytes = [UInt8](repeating: 0, count: chosen.count * bits / 2)
                    bytes.withUnsafeMutableBytes { pair.join(workspace, count: chosen.count, into: $0) }
                    for (place, index) in chosen.enumerated() {
                        #expect(big(Natural(bytes: bytes[place * bits / 2..<(place + 1) * bits / 2])) == values[index])
                    }
                }
            }
        }
    }
}
