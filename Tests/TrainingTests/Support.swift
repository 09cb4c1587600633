import LinearAlgebra
import Training

/// SplitMix64, so that a test's numbers are the same everywhere.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }

    /// Nearly normal: the sum of twelve uniform numbers.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform(0...1) } }
}

/// x with A x = b, by Gaussian elimination with pivots; A row by row.
func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var a = zip(matrix, right).map { $0 + [$1] }
    let size = right.count
    for column in 0..<size {
        let pivot = (column..<size).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
        a.swapAt(column, pivot)
        for row in 0..<size where row != column {
            let factor = a[row][column] / a[column][column]
            for k in column...size { a[row][k] -= factor * a[column][k] }
        }
    }
    return (0..<size).map { a[$0][size] / a[$0][$0] }
}

/// The x of least |A x - b|, by modified Gram-Schmidt done twice; A by its columns, which are independent.
func leastSquares(_ columns: [[Double]], _ right: [Double]) -> [Double] {
    func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    var basis: [[Double]] = []
    var triangle = [[Double]](repeating: [Double](repeating: 0, count: columns.count), count: columns.count)
    for (index, column) in columns.enumerated() {
        var rest = column
        for _ in 0..<2 {
            for (k, direction) in basis.enumerated() {
                let part = inner(direction, rest)
                triangle[k][index] += part
                rest = zip(rest, direction).map { $0 - part * $1 }
            }
        }
        let length = inner(rest, rest).squareRoot()
        triangle[index][index] = length
        basis.append(rest.map { $0 / length })
    }
    var rest = right
    let projections = basis.map { direction in
        let part = inner(direction, rest)
        rest = zip(rest, direction).map { $0 - part * $1 }
        return part
    }
    var solution = [Double](repeating: 0, count: columns.count)
    for row in columns.indices.reversed() {
        let known = (row + 1..<max(columns.count, row + 1)).reduce(0) { $0 + triangle[row][$1] * solution[$1] }
        solution[row] = (projections[row] - known) / triangle[row][row]
    }
    return solution
}

/// Columns of one party, as real numbers and rounded.
struct Table {
    let design: Design

    /// - Parameter columns: real values; every column gets `fractionBits` bits.
    init(_ columns: [[Double]], fractionBits: Int = 8) {
        design = Design(rows: columns.first?.count ?? 0, columns: columns.map { column in
            Design.Column(fractionBits: fractionBits, values: column.map { Int32(($0 * Double(1 << fractionBits)).rounded()) })
        })
    }

    /// The rounded values, row by row.
    var rows: [[Double]] {
        let columns = design.columns.map { column in column.values.map { Double($0) * column.unit } }
        return (0..<design.rows).map { row in columns.map { $0[row] } }
    }
}

/// Penalised logistic regression by Newton's method, one entry at a time.
func newton(_ rows: [[Double]], bad: [Bool], ridge: [Double]) -> [Double] {
    var weights = [Double](repeating: 0, count: ridge.count)
    for _ in 0..<30 {
        var gradient = zip(ridge, weights).map { $0 * $1 }
        var curvature = ridge.indices.map { i in ridge.indices.map { $0 == i ? ridge[i] : 0 } }
        for (row, label) in zip(rows, bad) {
            let p = SeparableSigmoid.sigmoid(zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 })
            for i in ridge.indices {
                gradient[i] += row[i] * (p - (label ? 1 : 0)) / Double(rows.count)
                for j in ridge.indices { curvature[i][j] += row[i] * row[j] * p * (1 - p) / Double(rows.count) }
            }
        }
        weights = zip(weights, solve(curvature, gradient)).map { $0 - $1 }
    }
    return weights
}

func objective(_ rows: [[Double]], bad: [Bool], ridge: [Double], weights: [Double]) -> Double {
    zip(rows, bad).reduce(0) { sum, row in
        let u = zip(row.0, weights).reduce(0) { $0 + $1.0 * $1.1 }
        return sum + SeparableSigmoid.softplus(row.1 ? -u : u)
    } / Double(rows.count) + zip(ridge, weights).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / 2
}
