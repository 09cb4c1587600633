import Foundation

/// The weighted least-squares projection of t -> sigma(s + t), t in [-R, R], on Chebyshev polynomials of degree m, as far as
/// it depends on m and R alone: nodes, matrix, and the bounds of all coefficients. Public numbers.
///
/// Source: Protocols/protocol.md, "Separable sigmoid".
package struct SigmoidProjection: Sendable {
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

    package static let nodeCount = 64
    package let nodes: [Double]
    package let matrix: Matrix

    package init(degree: Int, range: Double) {
        precondition((1...12).contains(degree) && range > 0)
        self.degree = degree
        self.range = range
        let count = SigmoidProjection.nodeCount
        nodes = (0..<count).map { cos(.pi * (Double($0) + 0.5) / Double(count)) }
        let polynomials = nodes.map { SigmoidProjection.polynomials($0, degree: degree) }
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
        matrix = projection

        // The slope of a_j in s is at most sum_q |A_jq| / 4, which bounds what lies between the points of the grid; beyond
        // it the sigmoid is constant to 1e-17 and so are its coefficients.
        let step = 1.0 / 64
        let reach = range + 40
        var rows = [Double](repeating: 0, count: degree + 1)
        for point in stride(from: -reach, through: reach, by: step) {
            let sigmoids = nodes.map { SigmoidProjection.sigmoid(point + range * $0) }
            for j in 1...degree {
                var value = 0.0
                for node in 0..<count { value += projection[j, node] * sigmoids[node] }
                rows[j] = max(rows[j], abs(value))
            }
        }
        var largest = 0.0
        for j in 1...degree {
            var slope = 0.0
            for node in 0..<count { slope += abs(projection[j, node]) / 4 }
            largest = max(largest, rows[j] + slope * step / 2)
        }
        coefficientShift = SigmoidProjection.powerOfTwo(atLeast: largest * 0x1p12)
        // softplus(s + t) lies between a constant and s + t in t, so its linear coefficient lies within R.
        lossShiftFactor = SigmoidProjection.powerOfTwo(atLeast: range * 0x1p12 / Double(coefficientShift))
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

    package static func polynomials(_ x: Double, degree: Int) -> [Double] {
        var values = [1.0, x]
        while values.count <= degree { values.append(2 * x * values[values.count - 1] - values[values.count - 2]) }
        return Array(values.prefix(degree + 1))
    }

    /// The largest |d| of honest data, in units of the residuals' fixed point: |a_0 - y| + sum_j |a_j T_j|.
    package var residualBound: Int {
        (degree + 2) * max(Int(coefficientShift) << SigmoidProjection.factorBits, 1 << SigmoidProjection.residualBits)
    }
}
