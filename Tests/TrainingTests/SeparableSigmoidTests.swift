import Foundation
import Testing
import Training

@Suite("The separable sigmoid") struct SeparableSigmoidTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        let degree: Int
        let range: Double
        var testDescription: String { "m = \(degree), R = \(range)" }
    }

    static let settings = [Setting(degree: 1, range: 1), Setting(degree: 2, range: 3), Setting(degree: 3, range: 4), Setting(degree: 4, range: 4),
                           Setting(degree: 6, range: 5), Setting(degree: 9, range: 5), Setting(degree: 12, range: 8), Setting(degree: 4, range: 0.5)]

    /// The weighted least squares on T_j(x) = cos(j arccos x) as one linear system for each s.
    static func projection(_ setting: Setting, _ function: (Double) -> Double) -> [Double] {
        let nodes = (0..<64).map { cos(.pi * (Double($0) + 0.5) / 64) }
        var normal = [[Double]](repeating: [Double](repeating: 0, count: setting.degree + 1), count: setting.degree + 1)
        var right = [Double](repeating: 0, count: setting.degree + 1)
        for node in nodes {
            let t = setting.range * node
            let weight = (0.95 * exp(-t * t / 2) / (2 * .pi).squareRoot() + 0.05 / (2 * setting.range)) * (1 - node * node).squareRoot()
            for i in 0...setting.degree {
                right[i] += weight * cos(Double(i) * acos(node)) * function(t)
                for j in 0...setting.degree { normal[i][j] += weight * cos(Double(i) * acos(node)) * cos(Double(j) * acos(node)) }
            }
        }
        return solve(normal, right)
    }

    /// s around everything that happens, and far out.
    static let scores: [Double] = {
        var random = Numbers(state: 1)
        return [0, 4, -4, 5, -5, 44, -44, 1e3, -1e3, 1e6, -1e6, 1e-300] + (0..<300).map { _ in random.normal() * 3 }
            + (0..<300).map { _ in random.uniform(-60...60) }
    }()

    @Test("coefficients are those of the weighted least squares", arguments: settings)
    func leastSquares(setting: Setting) {
        let sigmoid = SeparableSigmoid(degree: setting.degree, range: setting.range)
        for s in Self.scores.prefix(80) {
            for bad in [false, true] {
                let found = sigmoid.coefficients(s, bad: bad)
                let a = Self.projection(setting) { 1 / (1 + exp(-(s + $0))) }
                let l = Self.projection(setting) { t in max(0, bad ? -s - t : s + t) + log(1 + exp(-abs(s + t))) }
                #expect(abs(Double(found.constant) - a[0] * 0x1p24) < 1)
                #expect(abs(found.lossConstant - l[0]) < 1e-9 * max(1, abs(s)))
                for j in 1...setting.degree {
                    #expect(abs(Double(found.slopes[j - 1]) - a[j] * 0x1p12) < 0.51)
                    #expect(abs(Double(found.lossSlopes[j - 1]) - l[j] * 0x1p12) < 0.51 + 1e-10 * abs(s) * 0x1p12)
                }
            }
        }
    }

    @Test("no coefficient exceeds the shifts, which the setting alone decides", arguments: settings)
    func shifts(setting: Setting) {
        let sigmoid = SeparableSigmoid(degree: setting.degree, range: setting.range)
        let (shift, lossShift) = (sigmoid.coefficientShift, sigmoid.lossShiftFactor * sigmoid.coefficientShift)
        #expect(shift.nonzeroBitCount == 1 && sigmoid.lossShiftFactor.nonzeroBitCount == 1)
        let dense = stride(from: -setting.range - 45, through: setting.range + 45, by: 0.037).map { $0 }
        var largest: Int64 = 0
        for s in Self.scores + dense {
            for bad in [false, true] {
                let found = sigmoid.coefficients(s, bad: bad)
                #expect(found.slopes.count == setting.degree && found.lossSlopes.count == setting.degree)
                #expect(found.slopes.allSatisfy { abs($0) <= shift } && found.lossSlopes.allSatisfy { abs($0) <= lossShift })
                #expect((-(1 << 20)...(1 << 24) + (1 << 20)).contains(found.constant))
                largest = found.slopes.reduce(largest) { max($0, abs($1)) }
            }
        }
        // A power of two, and not a needless one more.
        #expect(largest * 4 > shift)
    }

    @Test("the default setting shifts by 2^12")
    func defaultShift() {
        let sigmoid = SeparableSigmoid(degree: 4, range: 4)
        #expect(sigmoid.coefficientShift == 4096 && sigmoid.lossShiftFactor == 4)
    }

    @Test("no coefficient of the loss has to be cut off", arguments: settings)
    func noClipping(setting: Setting) {
        let sigmoid = SeparableSigmoid(degree: setting.degree, range: setting.range)
        let limit = Double(sigmoid.lossShiftFactor * sigmoid.coefficientShift)
        for s in stride(from: -setting.range - 45, through: setting.range + 45, by: 0.25) {
            let l = Self.projection(setting) { max(0, s + $0) + log(1 + exp(-abs(s + $0))) }
            for value in l.dropFirst() { #expect(abs(value) * 0x1p12 <= limit + 1e-6) }
        }
    }

    @Test("factors are the Chebyshev polynomials of the clipped score, within 4096", arguments: settings)
    func factors(setting: Setting) {
        let sigmoid = SeparableSigmoid(degree: setting.degree, range: setting.range)
        var random = Numbers(state: 2)
        let scores = [0, setting.range, -setting.range, setting.range.nextUp, 1e9, -1e9, .infinity, -.infinity, .leastNonzeroMagnitude]
            + (0..<500).map { _ in random.uniform(-1.2 * setting.range...1.2 * setting.range) }
        for t in scores {
            let x = max(-1, min(1, t / setting.range))
            let found = sigmoid.factors(t)
            #expect(found.count == setting.degree)
            for (j, value) in found.enumerated() {
                #expect(abs(value) <= 4096 && abs(Double(value) - 4096 * cos(Double(j + 1) * acos(x))) < 0.5001)
            }
        }
        #expect(sigmoid.factors(.infinity) == [Int64](repeating: 4096, count: setting.degree))
    }

    /// Largest errors of residuals and losses over the grid, as fixed point gives them.
    static func errors(_ setting: Setting, within reach: Double) -> (residual: Double, loss: Double) {
        let sigmoid = SeparableSigmoid(degree: setting.degree, range: setting.range)
        var (residual, loss) = (0.0, 0.0)
        for s in stride(from: -9.0, through: 9, by: 0.19) {
            for bad in [false, true] {
                let found = sigmoid.coefficients(s, bad: bad)
                for t in stride(from: -reach, through: reach, by: reach / 32) {
                    let factors = sigmoid.factors(t)
                    let a = found.constant + zip(found.slopes, factors).reduce(0) { $0 + $1.0 * $1.1 }
                    let l = zip(found.lossSlopes, factors).reduce(0) { $0 + $1.0 * $1.1 }
                    let u = s + t
                    residual = max(residual, abs(Double(a) * 0x1p-24 - 1 / (1 + exp(-u))))
                    loss = max(loss, abs(found.lossConstant + Double(l) * 0x1p-24 - log1p(exp(bad ? -u : u))))
                }
            }
        }
        return (residual, loss)
    }

    struct Accuracy: Sendable {
        let setting: Setting
        let reach, residual, loss: Double
    }

    static let accuracies = [
        Accuracy(setting: Setting(degree: 4, range: 4), reach: 1, residual: 0.009, loss: 0.007),
        Accuracy(setting: Setting(degree: 4, range: 4), reach: 2, residual: 0.017, loss: 0.013),
        Accuracy(setting: Setting(degree: 4, range: 4), reach: 4, residual: 0.11, loss: 0.09),
        Accuracy(setting: Setting(degree: 9, range: 5), reach: 1, residual: 0.0009, loss: 0.001),
        Accuracy(setting: Setting(degree: 9, range: 5), reach: 2, residual: 0.0015, loss: 0.0012),
        Accuracy(setting: Setting(degree: 9, range: 5), reach: 5, residual: 0.013, loss: 0.008),
    ]

    /// The bounds are what the projection itself leaves in double precision, rounded up: fixed point adds nothing to see.
    @Test("in fixed point the approximation is as close as the projection", arguments: accuracies)
    func accuracy(accuracy: Accuracy) {
        let found = Self.errors(accuracy.setting, within: accuracy.reach)
        #expect(found.residual < accuracy.residual && found.loss < accuracy.loss)
    }

    @Test("sigmoid and softplus keep their digits and their ends")
    func functions() {
        #expect(SeparableSigmoid.sigmoid(0) == 0.5 && SeparableSigmoid.sigmoid(1e3) == 1 && SeparableSigmoid.sigmoid(-1e3) == 0)
        #expect(SeparableSigmoid.softplus(1e3) == 1e3 && SeparableSigmoid.softplus(-1e3) == 0 && SeparableSigmoid.softplus(0) == log(2))
        for u in stride(from: -30.0, through: 30, by: 0.3) {
            #expect(abs(SeparableSigmoid.sigmoid(u) + SeparableSigmoid.sigmoid(-u) - 1) < 1e-15)
            #expect(abs(SeparableSigmoid.softplus(u) - SeparableSigmoid.softplus(-u) - u) < 1e-14)
            let slope = (SeparableSigmoid.softplus(u + 1e-5) - SeparableSigmoid.softplus(u - 1e-5)) / 2e-5
            #expect(abs(slope - SeparableSigmoid.sigmoid(u)) < 1e-8)
        }
        #expect(abs(SeparableSigmoid.softplus(-40) / exp(-40) - 1) < 1e-15 && abs(SeparableSigmoid.sigmoid(-700) / exp(-700) - 1) < 1e-15)
    }
}
