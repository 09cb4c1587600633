import LinearAlgebra

/// One party's prepared columns of the training rows, in the job's row order.
///
/// Everything that a party computes in the clear uses the full values. Products under encryption use them rounded to 8
/// fractional bits: rounding a column of few distinct values shifts every row of a value alike, which in scores does not
/// average out (4e-5 of log-loss on the credit-default data), and in a gradient does no harm.
package struct Design: Sendable {
    package struct Column: Sendable {
        /// Of `values`.
        package let fractionBits: Int
        package let values: [Int32]
        /// What multiplies ciphertexts: `values` rounded to `factorBits` fractional bits.
        package let factors: [Int32]
        package let factorBits: Int

        /// The most fractional bits that a factor has.
        package static let mostFactorBits = 8

        package init(fractionBits: Int, values: [Int32]) {
            self.fractionBits = fractionBits
            self.values = values
            factorBits = min(fractionBits, Column.mostFactorBits)
            let dropped = Int32(fractionBits - factorBits)
            let half: Int32 = dropped == 0 ? 0 : 1 << (dropped - 1)
            factors = dropped == 0 ? values : values.map { ($0 + half) >> dropped }
        }

        package var unit: Double { 1 / Double(UInt64(1) << UInt64(fractionBits)) }
        package var factorUnit: Double { 1 / Double(UInt64(1) << UInt64(factorBits)) }
    }

    package let rows: Int
    package let columns: [Column]

    package init(rows: Int, columns: [Column]) {
        precondition(columns.allSatisfy { $0.values.count == rows })
        self.rows = rows
        self.columns = columns
    }

    /// X w
    package func scores(_ weights: [Double]) -> [Double] {
        var scores = [Double](repeating: 0, count: rows)
        for (column, weight) in zip(columns, weights) {
            let factor = weight * column.unit
            scores.withUnsafeMutableBufferPointer { scores in
                column.values.withUnsafeBufferPointer { values in
                    for row in 0..<scores.count { scores[row] += factor * Double(values[row]) }
                }
            }
        }
        return scores
    }

    /// X^T d / rows
    package func gradient(_ residuals: [Double]) -> [Double] {
        columns.map { column in
            var sum = 0.0
            for (value, residual) in zip(column.values, residuals) { sum += Double(value) * residual }
            return sum * column.unit / Double(rows)
        }
    }

    /// X^T diag(weights) X / rows + diag(ridge)
    package func curvature(weights: [Double], ridge: [Double]) -> Matrix {
        var matrix = Matrix.zeros(rows: columns.count, columns: columns.count)
        for start in stride(from: 0, to: rows, by: 512) {
            let range = start..<min(start + 512, rows)
            let block = columns.map { column in column.values[range].map { Double($0) * column.unit } }
            matrix.symmetricRankUpdate(block, weights: weights[range].map { $0 / Double(rows) })
        }
        for (index, value) in ridge.enumerated() { matrix[index, index] += value }
        return matrix
    }
}

/// The inverse of a party's own block of the curvature, applied by the party to its own gradient in the clear.
package struct Preconditioner: Sendable {
    private let factor: Cholesky

    /// Columns that repeat each other make the block singular without a penalty: a ridge far below what the data can tell
    /// is then added until it is not.
    package init(curvature: Matrix) {
        let size = curvature.rows
        var scale = 0.0
        for index in 0..<size { scale = max(scale, curvature[index, index]) }
        var ridge = 0.0
        while true {
            var matrix = curvature
            for index in 0..<size { matrix[index, index] += ridge }
            if let factor = Cholesky(matrix) {
                self.factor = factor
                return
            }
            precondition(ridge.isFinite, "a curvature has finite entries")
            ridge = ridge == 0 ? max(scale, .leastNormalMagnitude) * 1e-10 : ridge * 100
        }
    }

    /// The weights as coordinates in which the block is the identity: L^T w.
    package func whitened(_ weights: [Double]) -> [Double] { factor.multipliedByTranspose(weights) }

    /// L^-T v, the inverse of `whitened`.
    package func weights(_ whitened: [Double]) -> [Double] { factor.solveTranspose(whitened) }

    /// -L^-1 g: the step -P g in whitened coordinates.
    package func whitenedStep(_ gradient: [Double]) -> [Double] { factor.solveLower(gradient).map { -$0 } }

    /// P g
    package func callAsFunction(_ gradient: [Double]) -> [Double] { factor.solve(gradient) }
}
