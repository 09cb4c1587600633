import BigInt
import BigNumber
import Dispatch
import Testing

/// Against an implementation in Swift that shares no code with GMP.
@Suite("Arithmetic modulo a square") struct SquareModulusTests {
    /// Of n: at full limbs, next to them and between them; of the primes and moduli of products, and of tests.
    static let widths = [2, 63, 64, 65, 127, 128, 256, 521, 1024, 1280, 1536, 2047, 2048, 3072]

    /// Odd, of exactly `bits` bits: all ones, a single one at either end, just below a power of two, and of no kind.
    static func bases(_ bits: Int, _ numbers: inout Numbers) -> [BigUInt] {
        let top = BigUInt(1) << bits
        return [top - 1, (top >> 1) + 1, (top - 1 - numbers.below(bits / 2)) | 1, numbers.below(bits - 1) | 1 | top >> 1]
    }

    /// Below n^2, with everything that is special in base n.
    static func operands(_ n: BigUInt, _ numbers: inout Numbers) -> [BigUInt] {
        let square = n * n
        return ([square - 1, square - 2, n, n - 1, n + 1, n * (n - 1), n * (n - 1) + 1, square - n - 1, 2 * n, square >> 1]
            + numbers.operands(n.bitWidth) + numbers.operands(square.bitWidth)).filter { $0 < square }
    }

    @Test("products and squares of edge and random operands are right, with all kernels", arguments: widths, Kernels.here)
    func products(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits))
        for n in Self.bases(bits, &numbers) {
            let square = n * n
            let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
            #expect(big(arithmetic.base) == n && big(arithmetic.modulus) == square)
            let workspace = arithmetic.makeWorkspace()
            let operands = Self.operands(n, &numbers)
            let buffer = arithmetic.makeBuffer(count: operands.count)
            let result = arithmetic.makeBuffer(count: 2)
            for (index, operand) in operands.enumerated() {
                arithmetic.load([natural(operand)], into: buffer, index, workspace)
                #expect(big(arithmetic.value(buffer, index, workspace)) == operand)
            }
            for (i, x) in operands.enumerated() {
                arithmetic.square(result[.only(1)], buffer[.only(i)], count: 1, workspace)
                #expect(big(arithmetic.value(result, 1, workspace)) == x * x % square)
                for (j, y) in operands.enumerated() where bits <= 1024 || (i + j) % 4 == 0 {
                    arithmetic.multiply(result[.only(0)], buffer[.only(i)], buffer[.only(j)], count: 1, workspace)
                    #expect(big(arithmetic.value(result, 0, workspace)) == x * y % square)
                }
            }
        }
    }

    @Test("a long chain of products in place stays right", arguments: widths, Kernels.here)
    func chains(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits) + 1)
        for n in Self.bases(bits, &numbers) {
            let square = n * n
            let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
            let workspace = arithmetic.makeWorkspace()
            let buffer = arithmetic.makeBuffer(count: 2)
            let factor = square - 1 - (numbers.below(2 * bits) % (square >> 1))
            var expected = square - 2
            arithmetic.load([natural(expected)], into: buffer, 0, workspace)
            arithmetic.load([natural(factor)], into: buffer, 1, workspace)
            for step in 0..<200 {
                switch step % 4 {
                case 0:
                    arithmetic.square(buffer[.only(0)], buffer[.only(0)], count: 1, workspace)
                    expected = expected * expected % square
                case 1:
                    arithmetic.multiply(buffer[.only(0)], buffer[.only(0)], buffer[.only(0)], count: 1, workspace)
                    expected = expected * expected % square
                case 2:
                    arithmetic.multiply(buffer[.only(0)], buffer[.only(0)], buffer[.only(1)], count: 1, workspace)
                    expected = expected * factor % square
                default:
                    arithmetic.multiply(buffer[.only(0)], buffer[.only(1)], buffer[.only(0)], count: 1, workspace)
                    expected = expected * factor % square
                }
                if step % 10 == 9 { #expect(big(arithmetic.value(buffer, 0, workspace)) == expected) }
            }
        }
    }

    @Test("a product that is a multiple of n^2 is zero", arguments: widths)
    func zero(bits: Int) {
        var numbers = Numbers(state: UInt64(bits) + 2)
        for n in Self.bases(bits, &numbers) {
            let arithmetic = SquareModulus(base: natural(n))
            let workspace = arithmetic.makeWorkspace()
            let buffer = arithmetic.makeBuffer(count: 2)
            arithmetic.load([natural(n)], into: buffer, 0, workspace)
            arithmetic.load([natural(n * (n - 1))], into: buffer, 1, workspace)
            arithmetic.multiply(buffer[.only(1)], buffer[.only(0)], buffer[.only(1)], count: 1, workspace)
            arithmetic.square(buffer[.only(0)], buffer[.only(0)], count: 1, workspace)
            #expect(arithmetic.value(buffer, 0, workspace) == .zero && arithmetic.value(buffer, 1, workspace) == .zero)
            arithmetic.multiply(buffer[.only(0)], buffer[.only(0)], buffer[.only(1)], count: 1, workspace)
            #expect(arithmetic.value(buffer, 0, workspace) == .zero)
        }
    }

    @Test("one is neutral, and copies are independent")
    func one() {
        let arithmetic = SquareModulus(base: Natural(1_000_003))
        let workspace = arithmetic.makeWorkspace()
        let buffer = arithmetic.makeBuffer(count: 3)
        arithmetic.setOne(buffer, 0)
        #expect(arithmetic.value(buffer, 0, workspace) == .one)
        arithmetic.load([Natural(77_000_231)], into: buffer, 1, workspace)
        arithmetic.multiply(buffer[.only(2)], buffer[.only(0)], buffer[.only(1)], count: 1, workspace)
        #expect(arithmetic.value(buffer, 2, workspace) == Natural(77_000_231))
        buffer.copy(from: buffer, 1, to: 0)
        arithmetic.square(buffer[.only(1)], buffer[.only(1)], count: 1, workspace)
        #expect(arithmetic.value(buffer, 0, workspace) == Natural(77_000_231))
        #expect(arithmetic.value(buffer, 1, workspace) == Natural(77_000_231) * Natural(77_000_231) % arithmetic.modulus)
    }

    @Test("numbers from bytes: those outside, those that are 1 or -1 modulo n, and a factor of n, alone and among others", arguments: Kernels.here)
    func loading(kernels: Kernels) {
        var numbers = Numbers(state: 4)
        // A prime of 89 bits divides n, of 512 bits.
        let p = BigUInt(1) << 89 - 1
        let n = p * (((BigUInt(1) << 511) / p + numbers.below(400)) | 1)
        let square = n * n
        let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
        let workspace = arithmetic.makeWorkspace()
        let buffer = arithmetic.makeBuffer(count: 40)
        func standing(_ values: [BigUInt]) -> SquareModulus.Standing {
            values.flatMap { natural($0).bytes(count: 128) }.withUnsafeBytes { arithmetic.load($0, into: buffer, 3..<3 + values.count, workspace) }
        }
        var values = [2, n - 2, n + 2, square - 2, BigUInt(1) << 512, BigUInt(1) << 1020]
        while values.count < 37 {
            let value = numbers.below(1020)
            if value.greatestCommonDivisor(with: n) == 1 { values.append(value) }
        }
        #expect(standing([]) == .units)
        for count in [1, 7, 8, 9, 16, 37] {
            #expect(standing(Array(values[..<count])) == .units)
            #expect(arithmetic.values(buffer[.from(3)], count: count, workspace).map(big) == Array(values[..<count]))
        }
        let wrong: [(SquareModulus.Standing, [BigUInt])] = [
            (.outside, [0, square, square + 1, BigUInt(1) << 1024 - 1, 5 * p, 17 * n, n, square - p]),
            (.trivial, [1, n + 1, n - 1, square - 1, 1 + 5 * n, 7 * n - 1, square - n - 1, square - n + 1]),
        ]
        for (expected, numbers) in wrong {
            for value in numbers {
                #expect(standing([value]) == expected)
                for place in [0, 5, 8, 20, 36] {
                    var others = values
                    others[place] = value
                    #expect(standing(others) == expected)
                }
            }
        }
    }

    @Test("threads with a workspace each do not disturb each other")
    func threads() {
        var numbers = Numbers(state: 3)
        let n = numbers.below(511) | 1 | BigUInt(1) << 511
        let arithmetic = SquareModulus(base: natural(n))
        let buffer = arithmetic.makeBuffer(count: 8)
        let operands = (0..<8).map { _ in numbers.below(1022) }
        let wanted = operands.map { $0.power(BigUInt(1) << 300, modulus: n * n) }
        DispatchQueue.concurrentPerform(iterations: 8) { index in
            let workspace = arithmetic.makeWorkspace()
            arithmetic.load([natural(operands[index])], into: buffer, index, workspace)
            for _ in 0..<300 { arithmetic.square(buffer[.only(index)], buffer[.only(index)], count: 1, workspace) }
        }
        let workspace = arithmetic.makeWorkspace()
        for index in 0..<8 { #expect(big(arithmetic.value(buffer, index, workspace)) == wanted[index]) }
    }
}
