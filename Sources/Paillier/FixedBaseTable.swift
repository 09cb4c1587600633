import BigNumber

/// Powers of one base, by one table entry for each byte of the exponent: no squarings at use. Source: Brickell, Gordon,
/// McCurley, Wilson, "Fast exponentiation with precomputation", EUROCRYPT 1992.
///
/// 256 entries for each of `exponentBytes` positions: 8 MiB for the square of a 1024-bit prime.
struct FixedBaseTable: Sendable {
    let exponentBytes: Int
    private let arithmetic: Montgomery
    private let entries: ResidueBuffer

    final class Workspace {
        fileprivate let montgomery: Montgomery.Workspace
        fileprivate let accumulator: ResidueBuffer

        fileprivate init(_ arithmetic: Montgomery) {
            montgomery = arithmetic.makeWorkspace()
            accumulator = arithmetic.makeBuffer(count: 1)
        }
    }

    init(base: Natural, modulus: Natural, exponentBytes: Int) {
        self.exponentBytes = exponentBytes
        arithmetic = Montgomery(modulus: modulus)
        entries = arithmetic.makeBuffer(count: 256 * exponentBytes)
        let workspace = arithmetic.makeWorkspace()
        let step = arithmetic.makeBuffer(count: 1)
        arithmetic.load(base, into: step, 0, workspace)
        for position in 0..<exponentBytes {
            let start = 256 * position
            arithmetic.setOne(entries, start)
            for digit in 1..<256 {
                arithmetic.multiply(entries, start + digit, entries, start + digit - 1, step, 0, workspace)
            }
            arithmetic.multiply(step, 0, entries, start + 255, step, 0, workspace)
        }
    }

    func makeWorkspace() -> Workspace { Workspace(arithmetic) }

    /// base^exponent; the exponent in `exponentBytes` big-endian bytes. Every position costs one multiplication whatever
    /// its digit.
    func power(_ exponent: [UInt8], _ workspace: Workspace) -> Natural {
        let accumulator = workspace.accumulator
        arithmetic.setOne(accumulator, 0)
        for position in 0..<exponentBytes {
            let digit = Int(exponent[exponentBytes - 1 - position])
            arithmetic.multiply(accumulator, 0, accumulator, 0, entries, 256 * position + digit, workspace.montgomery)
        }
        return arithmetic.value(accumulator, 0, workspace.montgomery)
    }
}
