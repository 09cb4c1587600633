import Foundation
import LinearAlgebra
import Testing
import Training

@Suite("Designs and plain logistic regression") struct RegressionTests {
    /// Columns of different widths of fraction, labels that follow them.
    struct Sample {
        let design: Design
        let rows: [[Double]]
        let bad: [Bool]

        init(rows count: Int, columns: Int, seed: UInt64) {
            var random = Numbers(state: seed)
            let columns = (0..<columns).map { index in
                let bits = index == 0 ? 0 : 6 + index % 5
                return Design.Column(fractionBits: bits, values: (0..<count).map { _ in
                    index == 0 ? 1 : Int32((max(-4, min(4, random.normal())) * Double(1 << bits)).rounded())
                })
            }
            design = Design(rows: count, columns: columns)
            rows = (0..<count).map { row in columns.map { Double($0.values[row]) / pow(2, Double($0.fractionBits)) } }
            bad = rows.map { row in
                let u = row.enumerated().reduce(-1) { $0 + $1.element * ($1.offset % 2 == 0 ? 0.5 : -0.7) }
                return random.uniform(0...1) < 1 / (1 + exp(-u))
            }
        }
    }

    @Test("scores, gradients and curvatures are the plain sums", arguments: [1, 7, 512, 513, 1300])
    func sums(rows: Int) {
        let sample = Sample(rows: rows, columns: 6, seed: UInt64(rows))
        var random = Numbers(state: 4)
        let weights = (0..<6).map { _ in random.normal() }
        for (score, row) in zip(sample.design.scores(weights), sample.rows) {
            #expect(abs(score - zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-12)
        }
        let residuals = (0..<rows).map { _ in random.uniform(-1...1) }
        let gradient = sample.design.gradient(residuals)
        let curvature = sample.design.curvature(weights: residuals.map(abs), ridge: [0, 1, 2, 3, 4, 5])
        for i in 0..<6 {
            let expected = zip(sample.rows, residuals).reduce(0) { $0 + $1.0[i] * $1.1 } / Double(rows)
            #expect(abs(gradient[i] - expected) < 1e-12)
            for j in 0..<6 {
                let expected = zip(sample.rows, residuals).reduce(0) { $0 + $1.0[i] * $1.0[j] * abs($1.1) } / Double(rows) + (i == j ? Double(i) : 0)
                #expect(abs(curvature[i, j] - expected) < 1e-12)
            }
        }
    }

    @Test("the preconditioner solves with the curvature, and repeated columns do not stop it")
    func preconditioner() {
        let sample = Sample(rows: 400, columns: 5, seed: 9)
        let curvature = sample.design.curvature(weights: [Double](repeating: 0.25, count: 400), ridge: [Double](repeating: 1e-4, count: 5))
        let step = Preconditioner(curvature: curvature)([1, 2, 3, 4, 5])
        for i in 0..<5 { #expect(abs((0..<5).reduce(0) { $0 + curvature[i, $1] * step[$1] } - Double(i + 1)) < 1e-10) }

        let twice = Design(rows: 400, columns: sample.design.columns + sample.design.columns)
        let singular = twice.curvature(weights: [Double](repeating: 0.25, count: 400), ridge: [Double](repeating: 0, count: 10))
        let shared = Preconditioner(curvature: singular)([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
        #expect(shared.allSatisfy { $0.isFinite })
        for i in 0..<10 { #expect(abs((0..<10).reduce(0) { $0 + singular[i, $1] * shared[$1] } - Double(i % 5 + 1)) < 1e-5) }
        #expect(Preconditioner(curvature: .zeros(rows: 3, columns: 3))([0, 0, 0]) == [0, 0, 0])
    }

    @Test("weights are those of a plain Newton iteration", arguments: [0.0, 1e-4, 0.1])
    func fit(penalty: Double) {
        for (rows, columns) in [(200, 3), (1500, 8)] {
            let sample = Sample(rows: rows, columns: columns, seed: UInt64(rows))
            let ridge = [0] + [Double](repeating: penalty, count: columns - 1)
            let weights = LogisticRegression.fit(sample.design, bad: sample.bad, ridge: ridge)
            let expected = newton(sample.rows, bad: sample.bad, ridge: ridge)
            for (found, expected) in zip(weights, expected) { #expect(abs(found - expected) < 1e-7) }
        }
    }

    @Test("labels that one column separates, or that are all the same, give finite weights")
    func separable() {
        let x = (0..<100).map { Double($0) / 25 - 2 }
        let table = Table([[Double](repeating: 1, count: 100), x])
        for bad in [x.map { $0 > 0.5 }, x.map { _ in false }, x.map { _ in true }] {
            let weights = LogisticRegression.fit(table.design, bad: bad, ridge: [0, 0])
            #expect(weights.allSatisfy { $0.isFinite })
            let loss = objective(table.rows, bad: bad, ridge: [0, 0], weights: weights)
            #expect(loss < 0.01)
        }
    }

    @Test("an objective without gradient is the start")
    func noInformation() {
        let table = Table([[1, 1, 1, 1], [1, -1, 1, -1]])
        #expect(LogisticRegression.fit(table.design, bad: [true, true, false, false], ridge: [0, 1]) == [0, 0])
    }
}
