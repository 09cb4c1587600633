import BigNumber

/// Powers of one base, by one table entry for each window of the exponent: no squarings at use. Source: Brickell, Gordon,
/// McCurley, Wilson, "Fast exponentiation with precomputation", EUROCRYPT 1992.
///
/// 2^windowBits entries for each of ceil(exponent bits / windowBits) positions: 26 MiB for the square of a 1024-bit prime.
struct FixedBaseTable: Sendable {
    static let windowBits = 10

    private let positions: Int
    private let arithmetic: SquareModulus
    private let entries: ResidueBuffer

    final class Workspace {
        fileprivate let arithmetic: SquareModulus.Workspace
        fileprivate let accumulator: ResidueBuffer

        fileprivate init(_ arithmetic: SquareModulus) {
            self.arithmetic = arithmetic.makeWorkspace()
            accumulator = arithmetic.makeBuffer(count: 1)
        }
    }

    init(base: Natural, squareOf prime: Natural, exponentBits: Int) {
        positions = (exponentBits + FixedBaseTable.windowBits - 1) / FixedBaseTable.windowBits
        arithmetic = SquareModulus(base: prime)
        let size = 1 << FixedBaseTable.windowBits
        entries = arithmetic.makeBuffer(count: size * positions)
        let workspace = arithmetic.makeWorkspace()
        let step = arithmetic.makeBuffer(count: 1)
        arithmetic.load(base, into: step, 0, workspace)
        for position in 0..<positions {
            let start = size * position
            arithmetic.setOne(entries, start)
            for digit in 1..<size {
                arithmetic.multiply(entries, start + digit, entries, start + digit - 1, step, 0, workspace)
            }
            arithmetic.multiply(step, 0, entries, start + size - 1, step, 0, workspace)
        }
    }

    func makeWorkspace() -> Workspace { Workspace(arithmetic) }

    /// base^exponent. Every position costs one multiplication whatever its digit.
    ///
    /// - Parameter exponent: big-endian, of no more bits than the table was made for.
    func power(_ exponent: [UInt8], _ workspace: Workspace) -> Natural {
        let accumulator = workspace.accumulator
        arithmetic.setOne(accumulator, 0)
        for position in 0..<positions {
            let entry = position << FixedBaseTable.windowBits + FixedBaseTable.digit(exponent, at: position * FixedBaseTable.windowBits)
            arithmetic.multiply(accumulator, 0, accumulator, 0, entries, entry, workspace.arithmetic)
        }
        return arithmetic.value(accumulator, 0, workspace.arithmetic)
    }

    /// The window that starts at a bit: spread over at most three bytes.
    private static func digit(_ exponent: [UInt8], at bit: Int) -> Int {
        var value = 0
        for offset in (0..<3).reversed() {
            let index = exponent.count - 1 - bit / 8 - offset
            value = value << 8 | (index >= 0 ? Int(exponent[index]) : 0)
        }
        return value >> (bit % 8) & (1 << windowBits - 1)
    }
}
