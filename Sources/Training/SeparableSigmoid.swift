import Foundation
import LinearAlgebra

/// The sigmoid of a sum of two parties' scores as a sum of products of one factor each:
/// sigma(s + t) = sum_j a_j(s) T_j(t / R), j = 0...m, with T_j the Chebyshev polynomials and t clipped to [-R, R].
///
/// a(s) are the coefficients of the weighted least-squares projection of t -> sigma(s + t); the bank computes them for its
/// own s in the clear, so nothing is approximated on its side. Source: Protocols/protocol.md, "Separable sigmoid".
///
/// Fixed point: T_j and a_j (j >= 1) with 12 fractional bits, a_0 and products with 24.
package struct SeparableSigmoid: Sendable {
    package static let factorBits = 12
    package static let residualBits = 24

    /// m
    package let degree: Int
    /// R
    package let range: Double
    /// K: every |a_j(s)| for j >= 1 and any s is below K / 2^12. Added to a_j, it makes exponents of ciphertexts
    /// non-negative. A power of two, fixed by (m, R) and never by data, so that both parties know it.
    package let coefficientShift: Int64
    /// lambda: the coefficients of the loss stay below lambda K / 2^12.
    package let lossShiftFactor: Int64

    private static let nodeCount = 64
    private let nodes: [Double]
    private let projection: Matrix

    package init(degree: Int, range: Double) {
        precondition((1...12).contains(degree) && range > 0)
        self.degree = degree
        self.range = range
        let count = SeparableSigmoid.nodeCount
        nodes = (0..<count).map { cos(.pi * (Double($0) + 0.5) / Double(count)) }
        let polynomials = nodes.map { SeparableSigmoid.polynomials($0, degree: degree) }
        // Chebyshev nodes carry the weight 1 / sqrt(1 - x^2): the root undoes it. Scores crowd around 0, hence the normal
        // part; the uniform part keeps the ends from drifting.
        let weights = nodes.map { node in
            (0.95 * exp(-pow(node * range, 2) / 2) / (2 * .pi).squareRoot() + 0.05 / (2 * range)) * (1 - node * node).squareRoot()
        }
        var normal = Matrix.zeros(rows: degree + 1, columns: degree + 1)
        for (row, weight) in zip(polynomials, weights) {
            for i in 0...degree {
                for j in 0...degree { normal[i, j] += weight * row[i] * row[j] }
            }
        }
        guard let factor = Cholesky(normal) else { preconditionFailure("Chebyshev polynomials are independent") }
        var projection = Matrix.zeros(rows: degree + 1, columns: count)
        for node in 0..<count {
            let column = factor.solve(polynomials[node].map { $0 * weights[node] })
            for j in 0...degree { projection[j, node] = column[j] }
        }
        self.projection = projection

        // The slope of a_j in s is at most sum_q |A_jq| / 4, which bounds what lies between the points of the grid; beyond
        // it the sigmoid is constant to 1e-17 and so are its coefficients.
        let step = 1.0 / 64
        let reach = range + 40
        var largest = 0.0
        for j in 1...degree {
            var row = 0.0
            var slope = 0.0
            for node in 0..<count { slope += abs(projection[j, node]) / 4 }
            for point in stride(from: -reach, through: reach, by: step) {
                var value = 0.0
                for node in 0..<count { value += projection[j, node] * SeparableSigmoid.sigmoid(point + range * nodes[node]) }
                row = max(row, abs(value))
            }
            largest = max(largest, row + slope * step / 2)
        }
        coefficientShift = SeparableSigmoid.powerOfTwo(atLeast: largest * 0x1p12)
        // softplus(s + t) lies between a constant and s + t in t, so its linear coefficient lies within R.
        lossShiftFactor = SeparableSigmoid.powerOfTwo(atLeast: range * 0x1p12 / Double(coefficientShift))
    }

    private static func powerOfTwo(atLeast value: Double) -> Int64 {
        var power: Int64 = 1
        while Double(power) < value { power *= 2 }
        return power
    }

    package static func sigmoid(_ u: Double) -> Double {
        u >= 0 ? 1 / (1 + exp(-u)) : exp(u) / (1 + exp(u))
    }

    /// log(1 + e^u)
    package static func softplus(_ u: Double) -> Double {
        max(u, 0) + log1p(exp(-abs(u)))
    }

    private static func polynomials(_ x: Double, degree: Int) -> [Double] {
        var values = [1.0, x]
        while values.count <= degree { values.append(2 * x * values[values.count - 1] - values[values.count - 2]) }
        return Array(values.prefix(degree + 1))
    }

    /// T_1 ... T_m of t / R, 12 fractional bits, each within [-4096, 4096]; what a platform encrypts of a row.
    package func factors(_ t: Double) -> [Int64] {
        let x = min(max(t / range, -1), 1)
        return SeparableSigmoid.polynomials(x, degree: degree).dropFirst().map { Int64(($0 * 0x1p12).rounded()) }
    }

    /// What the bank holds of one row.
    package struct RowCoefficients: Sendable {
        /// a_0(s) with 24 fractional bits.
        package let constant: Int64
        /// a_1(s) ... a_m(s) with 12 fractional bits, each within the shift.
        package let slopes: [Int64]
        /// The constant term of the row's loss.
        package let lossConstant: Double
        /// The loss's coefficients of T_1 ... T_m with 12 fractional bits, each within lambda times the shift.
        package let lossSlopes: [Int64]
    }

    /// - Parameters:
    ///   - s: the bank's score of the row.
    ///   - bad: the row's label.
    package func coefficients(_ s: Double, bad: Bool) -> RowCoefficients {
        var a = [Double](repeating: 0, count: degree + 1)
        var l = a
        for node in 0..<SeparableSigmoid.nodeCount {
            let u = s + range * nodes[node]
            let probability = SeparableSigmoid.sigmoid(u)
            let loss = SeparableSigmoid.softplus(bad ? -u : u)
            for j in 0...degree {
                a[j] += projection[j, node] * probability
                l[j] += projection[j, node] * loss
            }
        }
        let limit = Double(lossShiftFactor * coefficientShift)
        return RowCoefficients(
            constant: Int64((a[0] * 0x1p24).rounded()),
            slopes: a.dropFirst().map { Int64(($0 * 0x1p12).rounded()) },
            lossConstant: l[0],
            lossSlopes: l.dropFirst().map { Int64(min(max(($0 * 0x1p12).rounded(), -limit), limit)) })
    }
}
