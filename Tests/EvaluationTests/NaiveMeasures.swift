import Evaluation
import Foundation

/// Every measure from its definition, pair by pair and row by row.
struct NaiveMeasures {
    let probabilities: [Double]
    let labels: [Bool]

    var bads: [Double] { zip(probabilities, labels).filter(\.1).map(\.0) }
    var goods: [Double] { zip(probabilities, labels).filter { !$0.1 }.map(\.0) }

    var areaUnderCurve: Double {
        var sum = 0.0
        for bad in bads {
            for good in goods { sum += bad > good ? 1 : bad == good ? 0.5 : 0 }
        }
        return sum / Double(bads.count * goods.count)
    }

    /// Share of `scores` at or above `threshold`.
    func share(_ scores: [Double], from threshold: Double) -> Double {
        Double(scores.filter { $0 >= threshold }.count) / Double(scores.count)
    }

    func distance(at threshold: Double) -> Double {
        abs(share(bads, from: threshold) - share(goods, from: threshold))
    }

    var kolmogorovSmirnov: Double { probabilities.map { distance(at: $0) }.max() ?? 0 }

    var logLoss: Double {
        -zip(probabilities, labels).reduce(0) { $0 + ($1.1 ? log($1.0) : log(1 - $1.0)) } / Double(labels.count)
    }

    var brierScore: Double {
        zip(probabilities, labels).reduce(0) { $0 + ($1.0 - ($1.1 ? 1 : 0)) * ($1.0 - ($1.1 ? 1 : 0)) } / Double(labels.count)
    }
}

/// Scores with ties: a grid of `levels` probabilities strictly between 0 and 1, bads drawn to be likelier above.
func sample(_ rows: Int, levels: Int, seed: UInt64) -> (probabilities: [Double], labels: [Bool]) {
    var state = seed
    func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) * 0x1p-53
    }
    let probabilities = (0..<rows).map { _ in ((next() * Double(levels)).rounded(.down) + 0.5) / Double(levels) }
    var labels = probabilities.map { next() < 0.6 * $0 }
    labels[0] = true
    labels[1] = false
    return (probabilities, labels)
}
