import BigInt
import BigNumber
import Dispatch
import Testing

/// Against an implementation in Swift that shares no code with GMP. The widths stand on both sides of the one where the
/// reduction changes (40 limbs), at full limbs and between them.
@Suite("Montgomery arithmetic") struct MontgomeryTests {
    static let widths = [64, 65, 512, 521, 1024, 2048, 2495, 2496, 2497, 2560, 4096, 6144]

    /// Odd, of exactly `bits` bits: all ones, a single one at either end, and of no kind.
    static func moduli(_ bits: Int, _ numbers: inout Numbers) -> [BigUInt] {
        let top = BigUInt(1) << bits
        return [top - 1, (top >> 1) + 1, numbers.below(bits - 1) | 1 | top >> 1]
    }

    @Test("products and squares of edge and random operands are right", arguments: widths)
    func products(bits: Int) {
        var numbers = Numbers(state: UInt64(bits))
        for modulus in Self.moduli(bits, &numbers) {
            let arithmetic = Montgomery(modulus: natural(modulus))
            #expect(arithmetic.limbs == (bits + 63) / 64 && arithmetic.byteCount == (bits + 7) / 8)
            let workspace = arithmetic.makeWorkspace()
            let operands = ([modulus - 1, modulus - 2, modulus >> 1] + numbers.operands(bits - 1)).filter { $0 < modulus }
            let buffer = arithmetic.makeBuffer(count: operands.count)
            let result = arithmetic.makeBuffer(count: 2)
            for (index, operand) in operands.enumerated() {
                arithmetic.load(natural(operand), into: buffer, index, workspace)
                #expect(big(arithmetic.value(buffer, index, workspace)) == operand)
            }
            for (i, x) in operands.enumerated() {
                arithmetic.square(result, 1, buffer, i, workspace)
                #expect(big(arithmetic.value(result, 1, workspace)) == x * x % modulus)
                for (j, y) in operands.enumerated() {
                    arithmetic.multiply(result, 0, buffer, i, buffer, j, workspace)
                    #expect(big(arithmetic.value(result, 0, workspace)) == x * y % modulus)
                }
            }
        }
    }

    @Test("a long chain of products in place stays right", arguments: widths)
    func chains(bits: Int) {
        var numbers = Numbers(state: UInt64(bits) + 1)
        for modulus in Self.moduli(bits, &numbers) {
            let arithmetic = Montgomery(modulus: natural(modulus))
            let workspace = arithmetic.makeWorkspace()
            let buffer = arithmetic.makeBuffer(count: 2)
            let factor = modulus - 1 - (numbers.below(bits) % (modulus >> 1))
            var expected = modulus - 1
            arithmetic.load(natural(expected), into: buffer, 0, workspace)
            arithmetic.load(natural(factor), into: buffer, 1, workspace)
            for step in 0..<150 {
                if step % 3 == 0 {
                    arithmetic.square(buffer, 0, buffer, 0, workspace)
                    expected = expected * expected % modulus
                } else {
                    arithmetic.multiply(buffer, 0, buffer, 0, buffer, 1, workspace)
                    expected = expected * factor % modulus
                }
                if step % 10 == 9 { #expect(big(arithmetic.value(buffer, 0, workspace)) == expected) }
            }
            #expect(big(arithmetic.value(buffer, 0, workspace)) == expected)
        }
    }

    @Test("a product that is a multiple of the modulus is zero, not the modulus", arguments: widths)
    func zero(bits: Int) {
        var numbers = Numbers(state: UInt64(bits) + 2)
        let (p, q) = (numbers.below(bits / 2) | 1, numbers.below(bits - bits / 2) | 1 | BigUInt(1) << (bits - bits / 2 - 1))
        let arithmetic = Montgomery(modulus: natural(p * q))
        let workspace = arithmetic.makeWorkspace()
        let buffer = arithmetic.makeBuffer(count: 2)
        arithmetic.load(natural(p), into: buffer, 0, workspace)
        arithmetic.load(natural(q), into: buffer, 1, workspace)
        arithmetic.multiply(buffer, 0, buffer, 0, buffer, 1, workspace)
        #expect(arithmetic.value(buffer, 0, workspace) == .zero)
        arithmetic.multiply(buffer, 0, buffer, 0, buffer, 1, workspace)
        #expect(arithmetic.value(buffer, 0, workspace) == .zero)
    }

    @Test("one is neutral, and copies are independent")
    func one() {
        let arithmetic = Montgomery(modulus: Natural(1_000_003))
        let workspace = arithmetic.makeWorkspace()
        let buffer = arithmetic.makeBuffer(count: 3)
        arithmetic.setOne(buffer, 0)
        #expect(arithmetic.value(buffer, 0, workspace) == .one)
        arithmetic.load(Natural(77), into: buffer, 1, workspace)
        arithmetic.multiply(buffer, 2, buffer, 0, buffer, 1, workspace)
        #expect(arithmetic.value(buffer, 2, workspace) == Natural(77))
        buffer.copy(from: buffer, 1, to: 0)
        arithmetic.square(buffer, 1, buffer, 1, workspace)
        #expect(arithmetic.value(buffer, 0, workspace) == Natural(77) && arithmetic.value(buffer, 1, workspace) == Natural(77 * 77))
    }

    @Test("threads with a workspace each do not disturb each other")
    func threads() {
        var numbers = Numbers(state: 3)
        let modulus = numbers.below(1023) | 1 | BigUInt(1) << 1023
        let arithmetic = Montgomery(modulus: natural(modulus))
        let buffer = arithmetic.makeBuffer(count: 8)
        let operands = (0..<8).map { _ in numbers.below(1023) }
        let wanted = operands.map { $0.power(BigUInt(1) << 300, modulus: modulus) }
        DispatchQueue.concurrentPerform(iterations: 8) { index in
            let workspace = arithmetic.makeWorkspace()
            arithmetic.load(natural(operands[index]), into: buffer, index, workspace)
            for _ in 0..<300 { arithmetic.square(buffer, index, buffer, index, workspace) }
        }
        let workspace = arithmetic.makeWorkspace()
        for index in 0..<8 { #expect(big(arithmetic.value(buffer, index, workspace)) == wanted[index]) }
    }
}
