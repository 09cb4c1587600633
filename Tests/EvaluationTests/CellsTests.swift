import Evaluation
import Foundation
import Testing

@Suite struct CellsTests {
    private let ten = (
        probabilities: [0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, 0.60, 0.80, 0.90],
        labels: [false, false, false, true, false, false, true, false, true, true])

    private func coordinates(_ point: CurvePoint) -> [Double] { [point.probability, point.depth, point.bads, point.goods] }

    @Test("calibration of ten rows in five bins")
    func calibration() throws {
        let bins = try LabelledScores(probabilities: ten.probabilities, labels: ten.labels).calibration(bins: 5)
        #expect(bins.map(\.rows) == [2, 2, 2, 2, 2])
        #expect(bins.map(\.observed) == [0, 0.5, 0, 0.5, 1])
        for (bin, expected) in zip(bins, [0.075, 0.175, 0.35, 0.55, 0.85]) { #expect(abs(bin.meanPredicted - expected) < 1e-15) }
    }

    @Test("lift of ten rows")
    func lift() throws {
        let points = try LabelledScores(probabilities: ten.probabilities, labels: ten.labels).lift()
        #expect(points.map(\.rows) == Array(1...10))
        #expect(points[1].probability == 0.8)
        #expect(points[1].lift == 2.5)
        #expect(points[1].captured == 0.5)
        #expect(points[9].lift == 1)
        #expect(points[9].captured == 1)
    }

    @Test("the curve of ten rows runs from (0, 0) to (1, 1) and touches the statistic")
    func curve() throws {
        let scores = try LabelledScores(probabilities: ten.probabilities, labels: ten.labels)
        let points = scores.curve()
        #expect(points.count == 11)
        #expect(points.first.map(coordinates) == [1, 0, 0, 0])
        #expect(points.last.map(coordinates) == [0.05, 1, 1, 1])
        let measures = scores.measures
        #expect(points.map { abs($0.bads - $0.goods) }.max() == measures.kolmogorovSmirnov.value)
        // Without ties at a point the trapezoids are the area.
        let area = zip(points, points.dropFirst()).reduce(0) { $0 + ($1.1.goods - $1.0.goods) * ($1.0.bads + $1.1.bads) / 2 }
        #expect(abs(area - measures.areaUnderCurve) < 1e-15)
    }

    @Test("a tie is never split")
    func ties() throws {
        let scores = try LabelledScores(
            probabilities: [0.9, 0.5, 0.5, 0.5, 0.5, 0.1], labels: [true, true, false, false, false, false])
        #expect(scores.lift(parts: 3).map(\.rows) == [5, 6])
        #expect(scores.calibration(bins: 3).map(\.rows) == [1, 5])
        #expect(scores.curve(points: 2).map(\.depth) == [0, 5.0 / 6, 1])
    }

    @Test("cells hold every row once, none below the minimum, in order",
          arguments: [(1, 2), (2, 30), (10, 2), (10, 30), (10, 1_000_000), (50, 1_000_000)], [1, 7, 50, 300])
    func cells(of shape: (count: Int, levels: Int), minimumCell: Int) throws {
        let (count, levels) = shape
        let (probabilities, labels) = sample(331, levels: levels, seed: UInt64(count * minimumCell + levels))
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)

        let bins = scores.calibration(bins: count, minimumCell: minimumCell)
        #expect(!bins.isEmpty)
        #expect(bins.count <= count)
        #expect(bins.reduce(0) { $0 + $1.rows } == 331)
        #expect(bins.allSatisfy { $0.rows >= minimumCell })
        #expect(zip(bins, bins.dropFirst()).allSatisfy { $0.meanPredicted < $1.meanPredicted })
        let found = bins.reduce(0) { $0 + Double($1.rows) * $1.observed }
        #expect(abs(found - Double(scores.bads)) < 1e-9)

        let points = scores.curve(points: count, minimumCell: minimumCell)
        #expect(points.count <= count + 1)
        #expect(zip(points, points.dropFirst()).allSatisfy { ($1.depth - $0.depth) * 331 > Double(minimumCell) - 1e-9 })
        #expect(points.last?.depth == 1)

        let bars = scores.histogram(minimumCell: minimumCell)
        #expect(bars.reduce(0) { $0 + $1.goods } == scores.goods)
        #expect(bars.reduce(0) { $0 + $1.bads } == scores.bads)
        #expect(bars.allSatisfy { $0.goods + $0.bads >= minimumCell && $0.lower < $0.upper })
        #expect(zip(bars, bars.dropFirst()).allSatisfy { $0.upper == $1.lower })
    }

    @Test("equal-count bins without ties differ by one row at most")
    func equalCounts() throws {
        let (probabilities, labels) = sample(1003, levels: 1 << 50, seed: 6)
        let bins = try LabelledScores(probabilities: probabilities, labels: labels).calibration()
        #expect(bins.count == 10)
        #expect(bins.allSatisfy { $0.rows == 100 || $0.rows == 101 })
    }

    @Test("fewer rows than the minimum show nothing")
    func tooFew() throws {
        let scores = try LabelledScores(probabilities: ten.probabilities, labels: ten.labels)
        #expect(scores.calibration(minimumCell: 11).isEmpty)
        #expect(scores.lift(minimumCell: 11).isEmpty)
        #expect(scores.curve(minimumCell: 11).isEmpty)
        #expect(scores.histogram(minimumCell: 11).isEmpty)
    }

    @Test("the histogram puts a hand-computed row where it belongs")
    func histogram() throws {
        // Log-odds: 0, ln 3 = 1.0986, beyond the ends on both sides.
        let bars = try LabelledScores(probabilities: [0.5, 0.75, 0, 1], labels: [false, true, false, true]).histogram(width: 1)
        #expect(bars.map(\.lower) == [-10, -9, 1, 2])
        #expect(bars.map(\.upper) == [-9, 1, 2, 10])
        #expect(bars.map(\.goods) == [1, 1, 0, 0])
        #expect(bars.map(\.bads) == [0, 0, 1, 1])
    }

    @Test("scores without labels lie in the bins of scores with labels")
    func distribution() throws {
        let (probabilities, labels) = sample(400, levels: 90, seed: 3)
        let bars = try LabelledScores(probabilities: probabilities, labels: labels).histogram(minimumCell: 20)
        let bins = ScoreBin.distribution(probabilities.reversed(), minimumCell: 20)
        #expect(bins.map(\.rows) == bars.map { $0.goods + $0.bads } && bins.map(\.lower) == bars.map(\.lower) && bins.map(\.upper) == bars.map(\.upper))
        #expect(bins.count > 3 && ScoreBin.distribution([0.5], minimumCell: 20).isEmpty)
    }

    @Test("the interval of a share is Wilson's: examples of Newcombe (1998), table I",
          arguments: [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)])
    func proportion(count: Int, rows: Int, lower: Double, upper: Double) throws {
        let interval = try #require(ProportionInterval(share: Double(count) / Double(rows), rows: rows))
        #expect(abs(interval.lower - lower) < 5e-5 && abs(interval.upper - upper) < 5e-5)
    }

    @Test("no interval of what is no share of rows")
    func noProportion() {
        for (share, rows) in [(-0.1, 10), (1.1, 10), (.nan, 10), (0.5, 0)] { #expect(ProportionInterval(share: share, rows: rows) == nil) }
    }

    @Test("what a report stores is read back unchanged")
    func codable() throws {
        let (probabilities, labels) = sample(200, levels: 50, seed: 2)
        let scores = try LabelledScores(probabilities: probabilities, labels: labels)
        func roundTrip<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
            try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value
        }
        #expect(try roundTrip(scores.measures))
        #expect(try roundTrip(scores.calibration()))
        #expect(try roundTrip(scores.lift()))
        #expect(try roundTrip(scores.curve()))
        #expect(try roundTrip(scores.histogram()))
        #expect(try roundTrip(Bootstrap(replicates: 20, seed: 1).uplift(joint: probabilities, baseline: probabilities, labels: labels)))
    }
}
