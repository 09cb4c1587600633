import Foundation

/// The Kolmogorov-Smirnov statistic and where it occurs.
package struct KolmogorovSmirnov: Codable, Sendable, Hashable {
    /// The greatest distance between the shares of bads and of goods at or above a probability, from 0 to 1.
    package let value: Double
    /// That probability; the greatest one if several give the same distance.
    package let probability: Double
}

/// What one number can say about scores. All are of the rows given, none is an estimate for others.
package struct Measures: Codable, Sendable, Hashable {
    package let rows: Int
    package let bads: Int
    /// Probability that a random bad has the higher score than a random good, ties counting one half.
    package let areaUnderCurve: Double
    /// `2 * areaUnderCurve - 1`.
    package let gini: Double
    package let kolmogorovSmirnov: KolmogorovSmirnov
    /// Mean negative log-likelihood in nats. Probabilities are kept 1e-15 away from 0 and 1, so that a certain and wrong
    /// prediction costs 34.5 and not infinity.
    package let logLoss: Double
    /// Mean square of probability minus label.
    package let brierScore: Double
    package let meanPredicted: Double
    /// `bads / rows`.
    package let badRate: Double
    /// `meanPredicted / badRate`: 1 if the level is right.
    package let predictedToActual: Double
}

/// The two measures of ranking, which the bootstrap needs again and again.
struct Ranking {
    let areaUnderCurve: Double
    let kolmogorovSmirnov: KolmogorovSmirnov

    /// `groups` by falling probability, with `bads` and `goods` above zero in all. Empty groups do no harm.
    ///
    /// The area is counted in whole numbers: half pairs, each good below a bad for 2 and each tied one for 1.
    init(_ groups: [LabelledScores.Group], bads: Int, goods: Int) {
        var halfPairs = 0
        var (badsAbove, goodsAbove) = (0, 0)
        // Distances in units of 1 / (bads * goods), exactly.
        var greatest = 0
        var probability = groups.first?.probability ?? 1
        for group in groups {
            badsAbove += group.bads
            goodsAbove += group.goods
            halfPairs += group.bads * (2 * (goods - goodsAbove) + group.goods)
            let distance = abs(badsAbove * goods - goodsAbove * bads)
            if distance > greatest { (greatest, probability) = (distance, group.probability) }
        }
        let pairs = Double(bads) * Double(goods)
        areaUnderCurve = Double(halfPairs) / (2 * pairs)
        kolmogorovSmirnov = KolmogorovSmirnov(value: Double(greatest) / pairs, probability: probability)
    }
}

extension LabelledScores {
    package var measures: Measures {
        let ranking = Ranking(groups, bads: bads, goods: goods)
        var (logLoss, squares, total) = (0.0, 0.0, 0.0)
        for group in groups {
            let p = group.probability
            let kept = min(max(p, 1e-15), 1 - 1e-15)
            let (bads, goods) = (Double(group.bads), Double(group.goods))
            logLoss -= bads * log(kept) + goods * log1p(-kept)
            squares += bads * (1 - p) * (1 - p) + goods * p * p
            total += Double(group.rows) * p
        }
        let count = Double(rows)
        let badRate = Double(bads) / count
        return Measures(
            rows: rows, bads: bads,
            areaUnderCurve: ranking.areaUnderCurve, gini: 2 * ranking.areaUnderCurve - 1,
            kolmogorovSmirnov: ranking.kolmogorovSmirnov,
            logLoss: logLoss / count, brierScore: squares / count,
            meanPredicted: total / count, badRate: badRate, predictedToActual: total / count / badRate)
    }
}
