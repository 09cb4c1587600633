/// Eigenvalues and eigenvectors of a small symmetric matrix.
///
/// Cyclic Jacobi: Golub and Van Loan, Matrix Computations, 4th edition, 8.5.3. It is slow beyond some dozens of rows
/// and there finds small eigenvalues of scaled matrices more accurately than the faster methods.
struct SymmetricEigen {
    /// In no particular order.
    private(set) var values: [Double]
    /// Column k belongs to `values[k]`; orthonormal.
    private(set) var vectors: Matrix

    init(_ matrix: Matrix) {
        precondition(matrix.rows == matrix.columns)
        let size = matrix.rows
        var a = matrix
        var v = Matrix.zeros(rows: size, columns: size)
        for i in 0..<size { v[i, i] = 1 }

        let negligible = a.elements.reduce(0) { max($0, abs($1)) } * 0x1p-60
        // Convergence is quadratic: about six sweeps. The bound only makes the end certain.
        for _ in 0..<40 {
            var rotated = false
            for p in 0..<size {
                for q in (p + 1)..<max(size, p + 1) {
                    let off = a[p, q]
                    guard abs(off) > negligible else { continue }
                    rotated = true
                    let tau = (a[q, q] - a[p, p]) / (2 * off)
                    let tangent = (tau >= 0 ? 1.0 : -1.0) / (abs(tau) + (1 + tau * tau).squareRoot())
                    let cosine = 1 / (1 + tangent * tangent).squareRoot()
                    let sine = tangent * cosine
                    for k in 0..<size {
                        (a[k, p], a[k, q]) = (cosine * a[k, p] - sine * a[k, q], sine * a[k, p] + cosine * a[k, q])
                    }
                    for k in 0..<size {
                        (a[p, k], a[q, k]) = (cosine * a[p, k] - sine * a[q, k], sine * a[p, k] + cosine * a[q, k])
                        (v[k, p], v[k, q]) = (cosine * v[k, p] - sine * v[k, q], sine * v[k, p] + cosine * v[k, q])
                    }
                    a[p, q] = 0
                    a[q, p] = 0
                }
            }
            if !rotated { break }
        }
        values = (0..<size).map { a[$0, $0] }
        vectors = v
    }
}
