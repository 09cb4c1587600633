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
    package static let factorBits = SigmoidProjection.factorBits
    package static let residualBits = SigmoidProjection.residualBits

    private let projection: SigmoidProjection

    /// m
    package var degree: Int { projection.degree }
    /// R
    package var range: Double { projection.range }
    /// K
    package var coefficientShift: Int64 { projection.coefficientShift }
    /// lambda
    package var lossShiftFactor: Int64 { projection.lossShiftFactor }

    package init(degree: Int, range: Double) {
        projection = SigmoidProjection(degree: degree, range: range)
    }

    package static func sigmoid(_ u: Double) -> Double { SigmoidProjection.sigmoid(u) }

    /// log(1 + e^u)
    package static func softplus(_ u: Double) -> Double { SigmoidProjection.softplus(u) }

    /// T_1 ... T_m of t / R, 12 fractional bits, each within [-4096, 4096]; what a platform encrypts of a row.
    package func factors(_ t: Double) -> [Int64] {
        let x = min(max(t / range, -1), 1)
        return SigmoidProjection.polynomials(x, degree: degree).dropFirst().map { Int64(($0 * 0x1p12).rounded()) }
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
        for node in 0..<SigmoidProjection.nodeCount {
            let u = s + range * projection.nodes[node]
            let probability = SeparableSigmoid.sigmoid(u)
            let loss = SeparableSigmoid.softplus(bad ? -u : u)
            for j in 0...degree {
                a[j] += projection.matrix[j, node] * probability
                l[j] += projection.matrix[j, node] * loss
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
