import LinearAlgebra

/// One party's part of Anderson acceleration over both parties' weights.
///
/// The step from point w_k is f_k = -P g_k. With dF and dW the differences of consecutive steps and points, the next point
/// is w_k + f_k - (dW + dF) gamma with gamma = argmin |f_k - dF gamma|. The norm runs over both parties' weights, but its
/// least squares needs inner products only, and those are sums of each party's own. Source: Walker and Ni, "Anderson
/// acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49 (2011); Protocols/protocol.md, "Few rounds".
///
/// Points and steps are in coordinates whitened by each party's own block of the curvature (`Preconditioner.whitened`): an
/// inner product of steps is then about the loss that they gain, and a quarter of the rounds is saved.
package struct Acceleration: Sendable, Hashable, Codable {
    /// Where the party stands: the whitened weights at which the next gradient is taken.
    package private(set) var point: [Double]
    /// Most recent last; at most `history` + 1 of each.
    private var points: [[Double]] = []
    private var steps: [[Double]] = []
    private var scale = 1.0
    private let history: Int

    package init(start: [Double], history: Int) {
        point = start
        self.history = history
    }

    /// h: how many differences the next share covers, the same at both parties.
    package var depth: Int { min(steps.count, history) }

    /// Takes in the step found at `point`.
    ///
    /// - Returns: the upper triangle, row by row, of the party's own Gram matrix of [dF_1 ... dF_h | f], dF_1 the most
    ///   recent: (h + 1)(h + 2)/2 entries.
    package func gramShare(step: [Double]) -> [Double] {
        let columns = differences(of: steps + [step], depth: depth) + [step]
        return columns.indices.flatMap { i in columns[i...].map { inner(columns[i], $0) } }
    }

    /// Accepts the step and moves on; `gamma` has `depth` entries.
    package mutating func advance(step: [Double], gamma: [Double]) {
        precondition(gamma.count == depth)
        points.append(point)
        steps.append(step)
        var next = zip(point, step).map { $0 + scale * $1 }
        let stepDifferences = differences(of: steps, depth: gamma.count)
        let pointDifferences = differences(of: points, depth: gamma.count)
        for (weight, (dF, dW)) in zip(gamma, zip(stepDifferences, pointDifferences)) {
            for index in next.indices { next[index] -= weight * (dW[index] + scale * dF[index]) }
        }
        point = next
        if steps.count > history {
            points.removeFirst()
            steps.removeFirst()
        }
    }

    /// The point turned out worse: back to the one before it, without its history and with half the step.
    package mutating func back() {
        guard let lastPoint = points.last, let lastStep = steps.last else { return }
        scale /= 2
        points = [lastPoint]
        steps = [lastStep]
        point = zip(lastPoint, lastStep).map { $0 + scale * $1 }
    }

    /// The last point that was accepted.
    package mutating func keepAccepted() {
        point = points.last ?? point
    }

    private func differences(of values: [[Double]], depth: Int) -> [[Double]] {
        (0..<depth).map { back in
            let later = values[values.count - 1 - back]
            let earlier = values[values.count - 2 - back]
            return zip(later, earlier).map { $0 - $1 }
        }
    }

    private func inner(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
