import Foundation
import LinearAlgebra

/// Logistic regression on one party's own columns in the clear, by Newton's method: the bank's benchmark and warm start.
package enum LogisticRegression {
    /// Minimises mean log-loss + sum ridge_k w_k^2 / 2.
    ///
    /// Steps are halved until the objective falls, so separable data ends at large finite weights instead of overflowing.
    package static func fit(_ design: Design, bad: [Bool], ridge: [Double], iterations: Int = 50) -> [Double] {
        var weights = [Double](repeating: 0, count: design.columns.count)
        var best = objective(design, bad, weights, ridge)
        for _ in 0..<iterations {
            let probabilities = design.scores(weights).map(SeparableSigmoid.sigmoid)
            var gradient = design.gradient(zip(probabilities, bad).map { $0 - ($1 ? 1 : 0) })
            for index in gradient.indices { gradient[index] += ridge[index] * weights[index] }
            let curvature = design.curvature(weights: probabilities.map { max($0 * (1 - $0), 1e-12) }, ridge: ridge)
            let step = Preconditioner(curvature: curvature)(gradient)
            var scale = 1.0
            var improved = false
            while scale > 1e-4 {
                let candidate = zip(weights, step).map { $0 - scale * $1 }
                let value = objective(design, bad, candidate, ridge)
                if value < best {
                    improved = best - value > 1e-14
                    (weights, best) = (candidate, value)
                    break
                }
                scale /= 2
            }
            if !improved { break }
        }
        return weights
    }

    private static func objective(_ design: Design, _ bad: [Bool], _ weights: [Double], _ ridge: [Double]) -> Double {
        var sum = 0.0
        for (score, label) in zip(design.scores(weights), bad) { sum += SeparableSigmoid.softplus(label ? -score : score) }
        return sum / Double(design.rows) + zip(ridge, weights).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / 2
    }
}
