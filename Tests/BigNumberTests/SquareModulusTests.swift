import BigInt
import BigNumber
import Dispatch
import Foundation
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

    /// Lengths at, below and above a whole number of vector blocks too.
    static let batchWidths = [64, 515, 516, 517, 1024, 1536, 2048, 3072, 4096]

    @Test("many products in one call are those one by one: in lanes, with a list, in place, whatever their number", arguments: batchWidths, Kernels.here)
    func batches(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits) + 7)
        let n = Self.bases(bits, &numbers)[Int(numbers.next() % 4)]
        let square = n * n
        let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
        let workspace = arithmetic.makeWorkspace()
        let operands = (Self.operands(n, &numbers) + Self.operands(n, &numbers)).prefix(37)
        let buffer = arithmetic.makeBuffer(count: operands.count)
        arithmetic.load(operands.map(natural), into: buffer, 0, workspace)
        for count in [0, 1, 7, 8, 9, operands.count] {
            let result = arithmetic.makeBuffer(count: max(1, count))
            let chosen = (0..<count).map { _ in Int(numbers.next() % UInt64(operands.count)) }
            arithmetic.multiply(result[.from(0)], buffer[.from(0)], buffer[.list(chosen.map { UInt32($0) })], count: count, workspace)
            arithmetic.square(result[.from(0)], result[.from(0)], count: count, workspace)
            arithmetic.multiply(result[.from(0)], result[.from(0)], buffer[.only(1)], count: count, workspace)
            for (index, value) in arithmetic.values(result[.from(0)], count: count, workspace).enumerated() {
                let product = operands[index] * operands[chosen[index]] % square
                #expect(big(value) == product * product % square * operands[1] % square)
            }
        }
    }

    @Test("factors reach their targets, however often a target comes", arguments: [[1], [1, 1, 1, 30], [90, 1, 1], [3, 3, 3, 3, 3, 3, 3, 3, 3]], Kernels.here)
    func accumulation(shares: [Int], kernels: Kernels) {
        var numbers = Numbers(state: 11)
        let n = numbers.below(1023) | 1 | BigUInt(1) << 1023
        let square = n * n
        let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
        let workspace = arithmetic.makeWorkspace()
        let operands = (0..<50).map { _ in numbers.below(2046) }
        let factors = arithmetic.makeBuffer(count: operands.count)
        arithmetic.load(operands.map(natural), into: factors, 0, workspace)
        for count in [0, 1, 8, 9, 64, 65, 500] {
            let buckets = arithmetic.makeBuffer(count: shares.count)
            for bucket in shares.indices { arithmetic.setOne(buckets, bucket) }
            let lots = shares.enumerated().flatMap { [Int](repeating: $0, count: $1) }
            let targets = (0..<count).map { _ in lots[Int(numbers.next() % UInt64(lots.count))] }
            let sources = (0..<count).map { _ in Int(numbers.next() % 50) }
            var expected = [BigUInt](repeating: 1, count: shares.count)
            for (target, source) in zip(targets, sources) { expected[target] = expected[target] * operands[source] % square }
            arithmetic.accumulate(targets.map { UInt32($0) }, of: buckets, factors[.list(sources.map { UInt32($0) })], workspace)
            #expect(arithmetic.values(buckets[.from(0)], count: shares.count, workspace).map(big) == expected)
            let all = expected.reduce(BigUInt(1)) { $0 * $1 % square }
            arithmetic.reduce(shares.indices.reversed().map { UInt32($0) }, of: buckets, workspace)
            #expect(big(arithmetic.value(buckets, shares.count - 1, workspace)) == all)
        }
    }

    @Test("powers are right for secret and public exponents of every length", arguments: [64, 516, 1024], Kernels.here)
    func powers(bits: Int, kernels: Kernels) {
        var numbers = Numbers(state: UInt64(bits) + 9)
        let n = Self.bases(bits, &numbers)[3]
        let arithmetic = SquareModulus(base: natural(n), kernels: kernels)
        let bases = Self.operands(n, &numbers)
        for exponent in [1, 2, 31, 32, BigUInt(1) << 64, BigUInt(1) << 65 - 1, n - 1, numbers.below(bits) | 1] {
            let expected = bases.map { $0.power(exponent, modulus: n * n) }
            for isSecret in [true, false] {
                let powers = arithmetic.powers(bases.map(natural), exponent: natural(exponent), isSecret: isSecret, arithmetic.makeWorkspace())
                #expect(powers.map(big) == expected)
            }
        }
    }

    @Test("vector kernels agree with the portable ones in random chains of products",
          .enabled(if: Kernels.vector.areThere, "this processor lacks AVX-512 IFMA"), arguments: [2048, 1024, 3072, 4096])
    func agreement(bits: Int) {
        var numbers = Numbers(state: UInt64(bits) + 13)
        let n = Self.bases(bits, &numbers)[2]
        let isLong = ProcessInfo.processInfo.environment["JOINTLAB_EXHAUSTIVE"] != nil
        let all = [Kernels.portable, .vector].map { SquareModulus(base: natural(n), kernels: $0) }
        let starts = (0..<64).map { _ in natural(numbers.below(2 * bits - 1)) }
        let buffers = all.map { $0.makeBuffer(count: 64) }
        let workspaces = all.map { $0.makeWorkspace() }
        for kind in 0..<2 { all[kind].load(starts, into: buffers[kind], 0, workspaces[kind]) }
        // With JOINTLAB_EXHAUSTIVE ten million products in all.
        for step in 0..<(isLong ? 40_000 : 40) {
            let factors = (0..<64).map { _ in UInt32(numbers.next() % 64) }
            for kind in 0..<2 {
                let (arithmetic, buffer) = (all[kind], buffers[kind])
                let result = arithmetic.makeBuffer(count: 64)
                arithmetic.multiply(result[.from(0)], buffer[.from(0)], buffer[.list(factors)], count: 64, workspaces[kind])
                if step % 3 == 0 { arithmetic.square(result[.from(0)], result[.from(0)], count: 64, workspaces[kind]) }
                for index in 0..<64 { buffer.copy(from: result, index, to: index) }
            }
            if step % 20 == 19 {
                let values = (0..<2).map { all[$0].values(buffers[$0][.from(0)], count: 64, workspaces[$0]) }
                #expect(values[0] == values[1])
            }
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
        let values = [2, n - 2, n + 2, square - 2, square - 3, numbers.below(1021), BigUInt(1) << 512, BigUInt(1) << 1020]
            + (0..<100).map { _ in numbers.below(1020) }.filter { $0.greatestCommonDivisor(with: n) == 1 }.prefix(29)
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
