import LinearAlgebra
import Testing

@Suite("Combination coefficients") struct FixedPointGammaTests {
    @Test("what one end writes the other reads, to 2^-41, and no further than 2^22")
    func bothWays() {
        var numbers = Numbers(state: 40)
        let values = (0..<200).map { _ in numbers.next() * 100 } + [0, 1, -1, 0x1p22, -0x1p22, 0x1p-40]
        let read = FixedPointGamma.decode(FixedPointGamma.encode(values))
        #expect(read.count == values.count && zip(read, values).allSatisfy { abs($0 - $1) <= 0x1p-41 })
        #expect(FixedPointGamma.decode(FixedPointGamma.encode([1e9, -.infinity])) == [0x1p22, -0x1p22])
        #expect(FixedPointGamma.encode([]).isEmpty && FixedPointGamma.decode([]).isEmpty)
    }

    @Test("a coefficient is eight bytes, the highest first, negative ones in two's complement")
    func bytes() {
        #expect(FixedPointGamma.encode([1, -0.5]) == [0, 0, 1, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x80, 0, 0, 0, 0])
    }
}
