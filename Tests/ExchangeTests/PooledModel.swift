import Foundation

/// Logistic regression on both parties' columns in one place, in double precision and without the product's code: what a
/// joint job has to come to.
struct PooledModel {
    /// Intercept first, then the bank's columns, then the platform's.
    let weights: [Double]
    private let means: [Double]
    private let deviations: [Double]
    private let columns: Int

    /// Newton's method on the objective's own gradient and curvature.
    /// - Parameter usesPlatform: without it, what the bank could do alone.
    init(_ firms: [SmallData.Firm], l2: Double, usesPlatform: Bool = true) {
        let raw = firms.map { Self.raw($0, usesPlatform) }
        columns = raw[0].count
        let (count, size) = (Double(firms.count), raw[0].count + 1)
        let means = raw[0].indices.map { j in raw.reduce(0) { $0 + $1[j] } / count }
        let deviations = raw[0].indices.map { j in (raw.reduce(0) { $0 + pow($1[j] - means[j], 2) } / count).squareRoot() }
        let rows = raw.map { [1] + Self.standardised($0, means: means, deviations: deviations) }
        var weights = [Double](repeating: 0, count: size)
        for _ in 0..<40 {
            var gradient = weights.enumerated().map { $0.offset == 0 ? 0 : l2 * $0.element }
            var curvature = (0..<size).map { i in (0..<size).map { i == $0 && i > 0 ? l2 : 0 } }
            for (row, firm) in zip(rows, firms) {
                let p = sigmoid(zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 })
                for i in 0..<size {
                    gradient[i] += (p - (firm.bad ? 1 : 0)) * row[i] / count
                    for j in 0..<size { curvature[i][j] += p * (1 - p) * row[i] * row[j] / count }
                }
            }
            let step = Self.solve(curvature, gradient)
            for i in 0..<size { weights[i] -= step[i] }
            if step.allSatisfy({ abs($0) < 1e-12 }) { break }
        }
        (self.weights, self.means, self.deviations) = (weights, means, deviations)
    }

    private static func raw(_ firm: SmallData.Firm, _ usesPlatform: Bool) -> [Double] { firm.bank + (usesPlatform ? firm.platform : []) }

    /// Numbers in deviations, clipped at 4; the flag, which stands last among the platform's, as it is.
    private static func standardised(_ raw: [Double], means: [Double], deviations: [Double]) -> [Double] {
        raw.enumerated().map { j, value in j == 6 ? value : min(max((value - means[j]) / deviations[j], -4), 4) }
    }

    func probability(_ firm: SmallData.Firm) -> Double {
        let values = Self.standardised(Self.raw(firm, columns > 3), means: means, deviations: deviations)
        return sigmoid(zip([1] + values, weights).reduce(0) { $0 + $1.0 * $1.1 })
    }

    static func logLoss(_ probabilities: [Double], _ firms: [SmallData.Firm]) -> Double {
        zip(probabilities, firms).reduce(0) { $0 - log($1.1.bad ? $1.0 : 1 - $1.0) } / Double(firms.count)
    }

    private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var (a, b) = (matrix, right)
        for k in b.indices {
            let pivot = (k..<b.count).max { abs(a[$0][k]) < abs(a[$1][k]) } ?? k
            a.swapAt(k, pivot)
            b.swapAt(k, pivot)
            for i in (k + 1)..<max(k + 1, b.count) {
                let factor = a[i][k] / a[k][k]
                for j in k..<b.count { a[i][j] -= factor * a[k][j] }
                b[i] -= factor * b[k]
            }
        }
        for k in b.indices.reversed() {
            for j in (k + 1)..<max(k + 1, b.count) { b[k] -= a[k][j] * b[j] }
            b[k] /= a[k][k]
        }
        return b
    }
}
