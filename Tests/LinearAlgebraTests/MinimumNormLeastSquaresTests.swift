import LinearAlgebra
import Testing

@Suite struct MinimumNormLeastSquaresTests {
    /// Inner products of [F | f], the rows split between two parties whose shares are added.
    private func gram(_ columns: [[Double]], _ right: [Double]) -> Matrix {
        let all = columns + [right]
        let half = right.count / 3
        let ones = Array(repeating: 1.0, count: right.count)
        var sum = Matrix.zeros(rows: all.count, columns: all.count)
        for rows in [0..<half, half..<right.count] {
            sum.symmetricRankUpdate(all.map { Array($0[rows]) }, weights: Array(ones[rows]))
        }
        return sum
    }

    private func combine(_ columns: [[Double]], _ gamma: [Double], rows: Int) -> [Double] {
        (0..<rows).map { row in zip(columns, gamma).reduce(0) { $0 + $1.0[row] * $1.1 } }
    }

    /// Orthogonality of the residual to every column is what characterises a least-squares solution.
    private func largestCosine(_ columns: [[Double]], _ right: [Double], _ gamma: [Double]) -> Double {
        let fitted = combine(columns, gamma, rows: right.count)
        let residual = zip(right, fitted).map { $0 - $1 }
        func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        return columns.map { column in
            abs(zip(column, residual).reduce(0) { $0 + $1.0 * $1.1 }) / (norm(column) * norm(right))
        }.max() ?? 0
    }

    @Test("a hand-computed line is fitted")
    func handComputed() throws {
        // Points (0, 1), (1, 3), (2, 4): intercept 7/6, slope 3/2.
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram([[1, 1, 1], [0, 1, 2]], [1, 3, 4])))
        #expect(abs(gamma[0] - 7.0 / 6) < 1e-13)
        #expect(abs(gamma[1] - 1.5) < 1e-13)
    }

    @Test("the residual is orthogonal to columns of very different length", arguments: [1, 2, 8, 12])
    func orthogonal(count: Int) throws {
        var numbers = Numbers(state: UInt64(count))
        var scale = 1.0
        let columns = (0..<count).map { _ in
            scale *= 0.2
            return (0..<60).map { _ in scale * numbers.next() }
        }
        let right = (0..<60).map { _ in numbers.next() }
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram(columns, right)))
        #expect(largestCosine(columns, right, gamma) < 1e-13)
    }

    @Test("a nearly dependent column is still told apart")
    func nearlyDependent() throws {
        var numbers = Numbers(state: 4)
        var columns = (0..<7).map { _ in (0..<60).map { _ in numbers.next() } }
        columns.append((0..<60).map { columns[0][$0] + 1e-5 * numbers.next() })
        let right = combine(columns, [0, 1, 0, 0, 0, 0, 0, 1], rows: 60)
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram(columns, right)))
        #expect(abs(gamma[7] - 1) < 1e-3)
    }

    @Test("a repeated column shares its coefficient: the least norm")
    func repeatedColumn() throws {
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram([[1, 2, 2], [1, 2, 2], [0, 1, -1]], [3, 6, 6])))
        #expect(abs(gamma[0] - 1.5) < 1e-12)
        #expect(abs(gamma[1] - 1.5) < 1e-12)
        #expect(abs(gamma[2]) < 1e-12)
    }

    @Test("more columns than rows give a bounded solution that fits exactly")
    func underdetermined() throws {
        var numbers = Numbers(state: 8)
        let columns = (0..<8).map { _ in (0..<3).map { _ in numbers.next() } }
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram(columns, [1, -2, 0.5])))
        for (found, expected) in zip(combine(columns, gamma, rows: 3), [1, -2, 0.5]) { #expect(abs(found - expected) < 1e-12) }
        #expect(gamma.allSatisfy { abs($0) < 10 })
    }

    @Test("a column of zeros gets the coefficient zero")
    func zeroColumn() throws {
        let gamma = try #require(MinimumNormLeastSquares.coefficients(gram: gram([[0, 0, 0], [1, 1, 1]], [2, 2, 2])))
        #expect(gamma[0] == 0)
        #expect(abs(gamma[1] - 2) < 1e-14)
    }

    @Test("no column at all gives no coefficient")
    func empty() {
        #expect(MinimumNormLeastSquares.coefficients(gram: Matrix(rows: 1, columns: 1, elements: [4])) == [])
    }

    @Test("what cannot be inner products is refused", arguments: [
        [-1.0, 0, 0, 1], [1, 0, 0, -1], [.nan, 0, 0, 1], [1, .infinity, .infinity, 1],
    ])
    func impossible(elements: [Double]) {
        #expect(MinimumNormLeastSquares.coefficients(gram: Matrix(rows: 2, columns: 2, elements: elements)) == nil)
    }

    @Test("numbers at the ends of the range neither trap nor turn into NaN", arguments: [Double.leastNonzeroMagnitude, 1e-300, 1e-30, 1e30, 1e300])
    func extremes(scale: Double) throws {
        let elements = [2, 1, 1, 1, 2, 0, 1, 0, 3].map { $0 * scale }
        let gamma = MinimumNormLeastSquares.coefficients(gram: Matrix(rows: 3, columns: 3, elements: elements))
        if let gamma, scale > 1e-301 {
            #expect(abs(gamma[0] - 2.0 / 3) < 1e-12)
            #expect(abs(gamma[1] + 1.0 / 3) < 1e-12)
        }
    }
}
