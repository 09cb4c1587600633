/// The factor L of A = L L^T for a symmetric positive definite A.
///
/// Golub and Van Loan, Matrix Computations, 4th edition, 4.2: row by row, so that every inner product runs along two
/// rows in memory.
package struct Cholesky: Sendable {
    package let size: Int
    /// Row by row, the upper triangle zero.
    private let factor: [Double]

    /// Nil if the matrix, of which only the lower triangle is read, is not positive definite to working precision: a
    /// pivot is at most size * 2^-52 of its diagonal entry, which is what rounding leaves of a column that others
    /// determine. Entries that are not finite give nil as well.
    package init?(_ matrix: Matrix) {
        precondition(matrix.rows == matrix.columns)
        let size = matrix.rows
        let threshold = Double(size) * .ulpOfOne
        var factor = matrix.elements
        let isDefinite = factor.withUnsafeMutableBufferPointer { factor in
            for i in 0..<size {
                for j in 0..<i {
                    let rest = factor[i * size + j] - Self.product(of: i, and: j, upTo: j, in: factor, size)
                    factor[i * size + j] = rest / factor[j * size + j]
                }
                let diagonal = factor[i * size + i]
                let pivot = diagonal - Self.product(of: i, and: i, upTo: i, in: factor, size)
                guard pivot > threshold * diagonal, pivot.isFinite else { return false }
                factor[i * size + i] = pivot.squareRoot()
                for j in (i + 1)..<max(size, i + 1) { factor[i * size + j] = 0 }
            }
            return true
        }
        guard isDefinite else { return nil }
        self.size = size
        self.factor = factor
    }

    /// x with A x = `vector`, whose length is `size`.
    package func solve(_ vector: [Double]) -> [Double] { solveTranspose(solveLower(vector)) }

    /// x with L x = `vector`.
    package func solveLower(_ vector: [Double]) -> [Double] {
        precondition(vector.count == size)
        var x = vector
        factor.withUnsafeBufferPointer { factor in
            x.withUnsafeMutableBufferPointer { x in
                for i in 0..<size {
                    let row = UnsafeBufferPointer(rebasing: factor[i * size..<i * size + i])
                    x[i] = (x[i] - dot(row, UnsafeBufferPointer(x))) / factor[i * size + i]
                }
            }
        }
        return x
    }

    /// x with L^T x = `vector`.
    package func solveTranspose(_ vector: [Double]) -> [Double] {
        precondition(vector.count == size)
        var x = vector
        factor.withUnsafeBufferPointer { factor in
            x.withUnsafeMutableBufferPointer { x in
                for i in (0..<size).reversed() {
                    let value = x[i] / factor[i * size + i]
                    x[i] = value
                    for j in 0..<i { x[j] -= value * factor[i * size + j] }
                }
            }
        }
        return x
    }

    /// L^T `vector`.
    package func multipliedByTranspose(_ vector: [Double]) -> [Double] {
        precondition(vector.count == size)
        var x = [Double](repeating: 0, count: size)
        for i in 0..<size {
            for j in 0...i { x[j] += factor[i * size + j] * vector[i] }
        }
        return x
    }

    private static func product(
        of first: Int, and second: Int, upTo count: Int, in factor: UnsafeMutableBufferPointer<Double>, _ size: Int
    ) -> Double {
        let first = UnsafeBufferPointer(rebasing: factor[first * size..<first * size + count])
        let second = UnsafeBufferPointer(rebasing: factor[second * size..<second * size + count])
        return dot(first, second)
    }
}
