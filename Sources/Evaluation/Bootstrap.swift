/// A percentile interval around the value of all rows.
package struct Interval: Codable, Sendable, Hashable {
    package let value: Double
    package let lower: Double
    package let upper: Double
}

/// Intervals of the two measures of ranking, or of their differences.
package struct RankingIntervals: Codable, Sendable, Hashable {
    package let areaUnderCurve: Interval
    package let kolmogorovSmirnov: Interval
}

/// Two models on the same rows.
package struct Uplift: Codable, Sendable, Hashable {
    package let joint: RankingIntervals
    package let baseline: RankingIntervals
    /// Joint minus baseline, both on the same resamples: far narrower than the two intervals suggest, because what a
    /// resample does to one model it does to the other.
    package let difference: RankingIntervals
}

/// How intervals are made: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
///
/// Each replicate draws as many rows as there are, with replacement; one that holds a single class is drawn again.
/// Bounds are quantiles of the replicates, interpolated between neighbours. Equal scores, labels and seed give equal
/// bits.
package struct Bootstrap: Sendable {
    /// Number of replicates, at least 1.
    package let replicates: Int
    /// Share of the replicates within the bounds, between 0 and 1.
    package let level: Double
    package let seed: UInt64

    package init(replicates: Int = 200, level: Double = 0.95, seed: UInt64) {
        precondition(replicates >= 1 && 0 < level && level < 1)
        self.replicates = replicates
        self.level = level
        self.seed = seed
    }

    package func intervals(_ scores: LabelledScores) -> RankingIntervals {
        let replicates = resample([scores])
        return intervals(Ranking(scores.groups, bads: scores.bads, goods: scores.goods), replicates.map { $0[0] })
    }

    /// - Parameters:
    ///   - joint: probabilities of the model with both parties' columns, one per row.
    ///   - baseline: probabilities of the bank's own model on the same rows in the same order.
    ///   - labels: true for bad.
    package func uplift(joint: [Double], baseline: [Double], labels: [Bool]) throws(EvaluationError) -> Uplift {
        let joint = try LabelledScores(probabilities: joint, labels: labels)
        let baseline = try LabelledScores(probabilities: baseline, labels: labels)
        let replicates = resample([joint, baseline])
        let jointly = Ranking(joint.groups, bads: joint.bads, goods: joint.goods)
        let alone = Ranking(baseline.groups, bads: baseline.bads, goods: baseline.goods)
        return Uplift(
            joint: intervals(jointly, replicates.map { $0[0] }),
            baseline: intervals(alone, replicates.map { $0[1] }),
            difference: RankingIntervals(
                areaUnderCurve: interval(
                    jointly.areaUnderCurve - alone.areaUnderCurve,
                    replicates.map { $0[0].areaUnderCurve - $0[1].areaUnderCurve }),
                kolmogorovSmirnov: interval(
                    jointly.kolmogorovSmirnov.value - alone.kolmogorovSmirnov.value,
                    replicates.map { $0[0].kolmogorovSmirnov.value - $0[1].kolmogorovSmirnov.value })))
    }

    /// For each replicate the ranking of every model, all of one set of rows and labels.
    private func resample(_ models: [LabelledScores]) -> [[Ranking]] {
        let labels = models[0].labels
        var random = SplitMix64(seed: seed)
        return (0..<replicates).map { _ in
            var drawn = [Int](repeating: 0, count: labels.count)
            var bads = 0
            repeat {
                for row in drawn.indices { drawn[row] = 0 }
                bads = 0
                for _ in drawn.indices {
                    let row = random.next(below: drawn.count)
                    drawn[row] += 1
                    bads += labels[row] ? 1 : 0
                }
            } while bads == 0 || bads == labels.count
            return models.map { Ranking($0.regrouped(drawn), bads: bads, goods: labels.count - bads) }
        }
    }

    private func intervals(_ ranking: Ranking, _ replicates: [Ranking]) -> RankingIntervals {
        RankingIntervals(
            areaUnderCurve: interval(ranking.areaUnderCurve, replicates.map(\.areaUnderCurve)),
            kolmogorovSmirnov: interval(ranking.kolmogorovSmirnov.value, replicates.map(\.kolmogorovSmirnov.value)))
    }

    private func interval(_ value: Double, _ replicates: [Double]) -> Interval {
        let sorted = replicates.sorted()
        func quantile(_ share: Double) -> Double {
            let position = share * Double(sorted.count - 1)
            let index = Int(position)
            let next = min(index + 1, sorted.count - 1)
            return sorted[index] + (position - Double(index)) * (sorted[next] - sorted[index])
        }
        return Interval(value: value, lower: quantile((1 - level) / 2), upper: quantile((1 + level) / 2))
    }
}

extension LabelledScores {
    /// The tie groups when each row stands as often as `drawn` says.
    fileprivate func regrouped(_ drawn: [Int]) -> [Group] {
        var position = 0
        return groups.map { group in
            var copy = Group(probability: group.probability)
            for row in order[position..<position + group.rows] {
                copy.rows += drawn[row]
                copy.bads += labels[row] ? drawn[row] : 0
            }
            position += group.rows
            return copy
        }
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Not for secrets.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform below `bound` but for a bias of less than bound / 2^64. The standard library's own method may change
    /// between its versions, and the intervals with it.
    mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
