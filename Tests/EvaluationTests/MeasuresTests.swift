import Evaluation
import Foundation
import Testing

@Suite struct MeasuresTests {
    @Test("a hand-computed example of six rows")
    func handComputed() throws {
        let scores = try LabelledScores(
            probabilities: [0.9, 0.8, 0.8, 0.4, 0.2, 0.1], labels: [true, true, false, false, true, false])
        let measures = scores.measures
        // Pairs of bad and good: 0.9 beats all three; 0.8 ties one and beats two; 0.2 beats one: 6.5 of 9.
        #expect(abs(measures.areaUnderCurve - 6.5 / 9) < 1e-15)
        #expect(abs(measures.gini - 4.0 / 9) < 1e-15)
        // At or above 0.9: 1/3 against 0. At or above 0.8: 2/3 against 1/3. The first is reported.
        #expect(abs(measures.kolmogorovSmirnov.value - 1.0 / 3) < 1e-15)
        #expect(measures.kolmogorovSmirnov.probability == 0.9)
        #expect(abs(measures.brierScore - (0.01 + 0.04 + 0.64 + 0.16 + 0.64 + 0.01) / 6) < 1e-15)
        #expect(abs(measures.meanPredicted - 3.2 / 6) < 1e-15)
        #expect(measures.badRate == 0.5)
        #expect(abs(measures.predictedToActual - 3.2 / 3) < 1e-15)
        #expect(abs(measures.logLoss - -log(0.9 * 0.8 * 0.2 * 0.6 * 0.2 * 0.9) / 6) < 1e-14)
        #expect(measures.rows == 6)
        #expect(measures.bads == 3)
    }

    @Test("definitions by pairs give the same", arguments: [2, 3, 10, 97, 400], [1, 3, 10, 1_000_000])
    func naive(rows: Int, levels: Int) throws {
        let (probabilities, labels) = sample(rows, levels: levels, seed: UInt64(rows * levels))
        let naive = NaiveMeasures(probabilities: probabilities, labels: labels)
        let measures = try LabelledScores(probabilities: probabilities, labels: labels).measures
        #expect(abs(measures.areaUnderCurve - naive.areaUnderCurve) < 1e-12)
        #expect(abs(measures.kolmogorovSmirnov.value - naive.kolmogorovSmirnov) < 1e-12)
        #expect(abs(naive.distance(at: measures.kolmogorovSmirnov.probability) - naive.kolmogorovSmirnov) < 1e-12)
        #expect(abs(measures.logLoss - naive.logLoss) < 1e-12)
        #expect(abs(measures.brierScore - naive.brierScore) < 1e-12)
    }

    @Test("the order of rows changes nothing")
    func order() throws {
        let (probabilities, labels) = sample(300, levels: 20, seed: 4)
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)
        let reversed = try LabelledScores(probabilities: probabilities.reversed(), labels: labels.reversed())
        #expect(scores.measures == reversed.measures)
        #expect(scores.calibration() == reversed.calibration())
        #expect(scores.lift() == reversed.lift())
        #expect(scores.curve() == reversed.curve())
        #expect(scores.histogram() == reversed.histogram())
    }

    @Test("perfect, inverted and constant scores")
    func ends() throws {
        let labels = [true, true, false, false, false]
        let perfect = try LabelledScores(probabilities: [1, 1, 0, 0, 0], labels: labels).measures
        #expect(perfect.areaUnderCurve == 1)
        #expect(perfect.kolmogorovSmirnov.value == 1)
        #expect(perfect.kolmogorovSmirnov.probability == 1)
        #expect(perfect.logLoss < 1e-14)
        let inverted = try LabelledScores(probabilities: [0, 0, 1, 1, 1], labels: labels).measures
        #expect(inverted.areaUnderCurve == 0)
        #expect(inverted.gini == -1)
        #expect(inverted.kolmogorovSmirnov.value == 1)
        #expect(abs(inverted.logLoss - 34.54) < 0.01)
        let constant = try LabelledScores(probabilities: [0.4, 0.4, 0.4, 0.4, 0.4], labels: labels).measures
        #expect(constant.areaUnderCurve == 0.5)
        #expect(constant.kolmogorovSmirnov.value == 0)
        #expect(constant.kolmogorovSmirnov.probability == 0.4)
        #expect(constant.predictedToActual == 1)
    }

    @Test("input without an answer is refused by name")
    func refused() {
        #expect(throws: EvaluationError.empty) { try LabelledScores(probabilities: [], labels: []) }
        #expect(throws: EvaluationError.unequalCounts) { try LabelledScores(probabilities: [0.5], labels: []) }
        #expect(throws: EvaluationError.oneClass) { try LabelledScores(probabilities: [0.5], labels: [true]) }
        #expect(throws: EvaluationError.oneClass) { try LabelledScores(probabilities: [0.5, 0.1], labels: [false, false]) }
        for bad in [Double.nan, -0.1, 1.1, .infinity] {
            #expect(throws: EvaluationError.notAProbability) {
                try LabelledScores(probabilities: [0.5, bad], labels: [true, false])
            }
        }
    }
}
