import Evaluation
import Testing

@Suite struct BootstrapTests {
    private func bounds(_ interval: Interval) -> [Double] { [interval.lower, interval.value, interval.upper] }

    @Test("the same seed gives the same intervals, another seed others")
    func deterministic() throws {
        let (probabilities, labels) = sample(500, levels: 100, seed: 1)
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)
        let first = Bootstrap(seed: 7).intervals(scores)
        #expect(first == Bootstrap(seed: 7).intervals(scores))
        #expect(first != Bootstrap(seed: 8).intervals(scores))
    }

    @Test("bounds enclose the value and widen with the level")
    func bounds() throws {
        let (probabilities, labels) = sample(500, levels: 100, seed: 3)
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)
        let narrow = Bootstrap(level: 0.5, seed: 7).intervals(scores).areaUnderCurve
        let wide = Bootstrap(level: 0.99, seed: 7).intervals(scores).areaUnderCurve
        #expect(wide.value == scores.measures.areaUnderCurve)
        #expect(wide.lower < narrow.lower && narrow.lower < wide.value)
        #expect(wide.value < narrow.upper && narrow.upper < wide.upper)
    }

    @Test("the width of the area's interval is near Hanley and McNeil's")
    func width() throws {
        // Hanley and McNeil, Radiology 143 (1982): the variance for exponential scores, good enough for others.
        let (probabilities, labels) = sample(2000, levels: 1 << 40, seed: 5)
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)
        let area = scores.measures.areaUnderCurve
        let (bads, goods) = (Double(scores.bads), Double(scores.goods))
        let variance = (area * (1 - area) + (bads - 1) * (area / (2 - area) - area * area)
            + (goods - 1) * (2 * area * area / (1 + area) - area * area)) / (bads * goods)
        let interval = Bootstrap(replicates: 400, seed: 9).intervals(scores).areaUnderCurve
        let ratio = (interval.upper - interval.lower) / (2 * 1.96 * variance.squareRoot())
        #expect(0.8 < ratio && ratio < 1.2)
    }

    @Test("a model has no uplift over itself, on any resample")
    func noUplift() throws {
        let (probabilities, labels) = sample(300, levels: 30, seed: 1)
        let uplift = try Bootstrap(replicates: 50, seed: 2).uplift(joint: probabilities, baseline: probabilities, labels: labels)
        #expect(bounds(uplift.difference.areaUnderCurve) == [0, 0, 0])
        #expect(bounds(uplift.difference.kolmogorovSmirnov) == [0, 0, 0])
        #expect(uplift.joint == uplift.baseline)
    }

    @Test("the uplift agrees with the two models and uses resamples that both share")
    func uplift() throws {
        let (baseline, labels) = sample(800, levels: 500, seed: 11)
        let joint = zip(baseline, labels).map { min($0 + ($1 ? 0.1 : 0), 1) }
        let bootstrap = Bootstrap(seed: 3)
        let uplift = try bootstrap.uplift(joint: joint, baseline: baseline, labels: labels)
        #expect(uplift.joint == bootstrap.intervals(try LabelledScores(probabilities: joint, labels: labels)))
        #expect(uplift.baseline == bootstrap.intervals(try LabelledScores(probabilities: baseline, labels: labels)))
        let area = uplift.difference.areaUnderCurve
        #expect(abs(area.value - (uplift.joint.areaUnderCurve.value - uplift.baseline.areaUnderCurve.value)) < 1e-15)
        #expect(area.lower > 0)
        #expect(area.upper - area.lower < uplift.baseline.areaUnderCurve.upper - uplift.baseline.areaUnderCurve.lower)
    }

    @Test("resamples of one class are drawn again")
    func oneClassResamples() throws {
        let scores = try LabelledScores(probabilities: [0.9, 0.1], labels: [true, false])
        let intervals = Bootstrap(replicates: 30, seed: 1).intervals(scores)
        #expect(bounds(intervals.areaUnderCurve) == [1, 1, 1])
    }

    @Test("models of unequal length are refused")
    func unequal() {
        #expect(throws: EvaluationError.unequalCounts) {
            try Bootstrap(seed: 1).uplift(joint: [0.1, 0.2], baseline: [0.1], labels: [true, false])
        }
    }
}
