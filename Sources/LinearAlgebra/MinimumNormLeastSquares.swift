/// The mixing coefficients of Anderson acceleration, from inner products alone.
///
/// Walker and Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49 (2011): gamma minimises
/// |f - F gamma| over the columns of F, the differences of past steps. F and f are never needed, only their inner
/// products, which are sums of what each party has of them.
package enum MinimumNormLeastSquares {
    /// The cut-off that `coefficients` uses unless told otherwise.
    ///
    /// Inner products square the condition of F: directions below some 1e-15 of the scaled matrix hold only rounding.
    /// Against a solution from F itself (50 and 600 rows, 8 and 12 columns, one direction weakened), 1e-13 keeps the
    /// residual to a relative 1e-8 for directions down to 1e-6 of F; 1e-11 already loses those, and 1e-16 keeps noise
    /// that more than doubles the length of gamma where a column repeats the others.
    package static let defaultCutoff = 1e-13

    /// gamma from the Gram matrix of [F | f]: symmetric, f in the last row and column, F of some dozen columns at most.
    ///
    /// F^T F is scaled to a unit diagonal, so that old large steps and new small ones weigh the same; directions whose
    /// eigenvalue is at most `cutoff` times the largest are left out, which gives the solution of least norm among the
    /// scaled coefficients. A column of zeros gets the coefficient zero. Equal input gives equal bits on every machine.
    ///
    /// - Returns: one coefficient per column of F, or nil where the matrix cannot be a Gram matrix: an entry is not
    ///   finite or a diagonal entry is negative.
    package static func coefficients(gram: Matrix, cutoff: Double = defaultCutoff) -> [Double]? {
        precondition(gram.rows == gram.columns && gram.rows >= 1)
        let count = gram.rows - 1
        guard gram.elements.allSatisfy(\.isFinite), (0...count).allSatisfy({ gram[$0, $0] >= 0 }) else { return nil }

        let scales = (0..<count).map { gram[$0, $0] > 0 ? 1 / gram[$0, $0].squareRoot() : 0 }
        var scaled = Matrix.zeros(rows: count, columns: count)
        for i in 0..<count {
            for j in 0..<count { scaled[i, j] = gram[i, j] * scales[i] * scales[j] }
        }
        let eigen = SymmetricEigen(scaled)
        let smallest = cutoff * (eigen.values.max() ?? 0)

        var coefficients = [Double](repeating: 0, count: count)
        for (k, value) in eigen.values.enumerated() where value > smallest {
            var projection = 0.0
            for i in 0..<count { projection += eigen.vectors[i, k] * scales[i] * gram[i, count] }
            for i in 0..<count { coefficients[i] += eigen.vectors[i, k] * scales[i] * projection / value }
        }
        return coefficients.allSatisfy(\.isFinite) ? coefficients : nil
    }
}
