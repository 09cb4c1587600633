import LinearAlgebra
import Testing

/// Small multiplicative generator, so that a test's matrices are the same everywhere.
struct Numbers {
    var state: UInt64
    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) * 0x1p-52 - 1
    }
}

func product(_ a: Matrix, _ x: [Double]) -> [Double] {
    (0..<a.rows).map { row in (0..<a.columns).reduce(0) { $0 + a[row, $1] * x[$1] } }
}

/// C^T diag(w) C one entry at a time.
func gramByDefinition(_ block: [[Double]], _ weights: [Double]) -> Matrix {
    var gram = Matrix.zeros(rows: block.count, columns: block.count)
    for i in block.indices {
        for j in block.indices {
            for row in weights.indices { gram[i, j] += block[i][row] * weights[row] * block[j][row] }
        }
    }
    return gram
}

@Suite struct CholeskyTests {
    @Test("a hand-computed system is solved")
    func handComputed() throws {
        let matrix = Matrix(rows: 3, columns: 3, elements: [4, 12, -16, 12, 37, -43, -16, -43, 98])
        let factor = try #require(Cholesky(matrix))
        // L = [2 | 6 1 | -8 5 3]; the right side belongs to x = (1, 2, 3).
        let x = factor.solve([-20, -43, 192])
        for (found, expected) in zip(x, [1.0, 2, 3]) { #expect(abs(found - expected) < 1e-12) }
    }

    @Test("sizes around the unrolled inner product are solved alike", arguments: [1, 2, 7, 8, 9, 15, 16, 17, 33, 120])
    func residual(size: Int) throws {
        var numbers = Numbers(state: UInt64(size))
        let block = (0..<size).map { _ in (0..<size + 5).map { _ in numbers.next() } }
        var matrix = Matrix.zeros(rows: size, columns: size)
        matrix.symmetricRankUpdate(block, weights: Array(repeating: 1, count: size + 5))
        for i in 0..<size { matrix[i, i] += 0.1 }
        let wanted = (0..<size).map { _ in numbers.next() }
        let found = try #require(Cholesky(matrix)).solve(product(matrix, wanted))
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 1e-9) }
    }

    @Test("six hundred columns are factored and solved")
    func large() throws {
        let size = 600
        var numbers = Numbers(state: 5)
        let block = (0..<size).map { _ in (0..<64).map { _ in numbers.next() } }
        var matrix = Matrix.zeros(rows: size, columns: size)
        matrix.symmetricRankUpdate(block, weights: Array(repeating: 1, count: 64))
        for i in 0..<size { matrix[i, i] += 1 }
        let wanted = (0..<size).map { _ in numbers.next() }
        let found = try #require(Cholesky(matrix)).solve(product(matrix, wanted))
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 1e-9) }
    }

    @Test("matrices that are not positive definite have no factor", arguments: [
        [1.0, 2, 2, 1], [0, 0, 0, 0], [-1, 0, 0, 1], [1, 0, 0, -1e-300],
        [.nan, 0, 0, 1], [1, .nan, .nan, 1], [.infinity, 0, 0, 1], [1, .infinity, .infinity, 1],
    ])
    func indefinite(elements: [Double]) {
        #expect(Cholesky(Matrix(rows: 2, columns: 2, elements: elements)) == nil)
    }

    @Test("a column that repeats others has no factor, whatever its scale", arguments: [1.0, 1e-9, 1e9])
    func dependentColumn(scale: Double) {
        var numbers = Numbers(state: 11)
        var block = (0..<10).map { _ in (0..<50).map { _ in numbers.next() } }
        block.append((0..<50).map { scale * (block[1][$0] - 0.3 * block[4][$0]) })
        var matrix = Matrix.zeros(rows: 11, columns: 11)
        matrix.symmetricRankUpdate(block, weights: Array(repeating: 1, count: 50))
        #expect(Cholesky(matrix) == nil)
    }

    @Test("scale alone does not make a matrix indefinite")
    func scaled() throws {
        let matrix = Matrix(rows: 2, columns: 2, elements: [1e-30, 1e-16, 1e-16, 1e30])
        let x = try #require(Cholesky(matrix)).solve([1e-30, 1e-16])
        #expect(abs(x[0] - 1) < 1e-12)
        #expect(abs(x[1]) < 1e-40)
    }

    @Test("a weighted rank update is the sum by definition and adds to what is there")
    func rankUpdate() {
        var numbers = Numbers(state: 3)
        for (size, length) in [(1, 1), (3, 0), (5, 7), (4, 19), (6, 64)] {
            let block = (0..<size).map { _ in (0..<length).map { _ in numbers.next() } }
            let weights = (0..<length).map { _ in abs(numbers.next()) }
            var matrix = Matrix.zeros(rows: size, columns: size)
            matrix.symmetricRankUpdate(block, weights: weights)
            matrix.symmetricRankUpdate(block, weights: weights)
            let expected = gramByDefinition(block, weights)
            for i in 0..<size {
                for j in 0..<size {
                    #expect(abs(matrix[i, j] - 2 * expected[i, j]) < 1e-13)
                    #expect(matrix[i, j] == matrix[j, i])
                }
            }
        }
    }
}
