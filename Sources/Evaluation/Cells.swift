import Foundation

/// Rows of neighbouring scores, counted together.
package struct CalibrationBin: Codable, Sendable, Hashable {
    package let rows: Int
    package let meanPredicted: Double
    /// Share of bads.
    package let observed: Double
}

/// The riskiest rows down to some depth.
package struct LiftPoint: Codable, Sendable, Hashable {
    /// Share of all rows, from 0 (exclusive) to 1.
    package let depth: Double
    package let rows: Int
    /// Lowest probability among them.
    package let probability: Double
    /// Share of bads among them.
    package let badRate: Double
    /// `badRate` over that of all rows.
    package let lift: Double
    /// Share of all bads found among them.
    package let captured: Double
}

/// Both classes at or above a probability: a point of the ROC curve and of the KS curve at once.
package struct CurvePoint: Codable, Sendable, Hashable {
    /// 1 at the point before the first row.
    package let probability: Double
    /// Share of all rows.
    package let depth: Double
    /// Share of all bads: the true positive rate.
    package let bads: Double
    /// Share of all goods: the false positive rate.
    package let goods: Double
}

/// One bar of the distribution of scores, on the scale of log-odds ln(p / (1 - p)).
package struct HistogramBin: Codable, Sendable, Hashable {
    /// Bounds in log-odds: `lower` belongs to the bin, `upper` to the next.
    package let lower: Double
    package let upper: Double
    package let goods: Int
    package let bads: Int
}

/// One bar of the distribution of scores of rows whose class is not known, on the scale of log-odds.
package struct ScoreBin: Codable, Sendable, Hashable {
    package let lower: Double
    package let upper: Double
    package let rows: Int

    /// As `LabelledScores.histogram`.
    ///
    /// - Parameter probabilities: from 0 to 1.
    package static func distribution(_ probabilities: [Double], width: Double = 0.5, minimumCell: Int = 1) -> [ScoreBin] {
        let groups = probabilities.map { LabelledScores.Group(probability: $0, rows: 1) }
        return LabelledScores.histogram(groups, width: width, minimumCell: minimumCell).map {
            ScoreBin(lower: $0.lower, upper: $0.upper, rows: $0.goods)
        }
    }
}

extension LabelledScores {
    /// Numbers of leading tie groups (riskiest first) that end a cell, the last one ending at the last row.
    ///
    /// The rows are to be cut into `count` equal parts. A cut moves on to the end of the tie group that it would split,
    /// then to where its cell has `minimumCell` rows; a last cell of fewer joins the one before. So every cell has
    /// `minimumCell` rows at least, and there are none where all rows together are fewer.
    private func cuts(_ count: Int, minimumCell: Int) -> [Int] {
        precondition(count > 0)
        guard rows >= minimumCell else { return [] }
        var cuts: [Int] = []
        var (above, start, part) = (0, 0, 1)
        for (index, group) in groups.enumerated() {
            above += group.rows
            // The part ends behind the row `part * rows / count`, rounded up.
            guard above * count >= part * rows, above - start >= minimumCell else { continue }
            cuts.append(index + 1)
            start = above
            part = above * count / rows + 1
        }
        if start < rows {
            if !cuts.isEmpty { cuts.removeLast() }
            cuts.append(groups.count)
        }
        return cuts
    }

    private func cells(_ count: Int, minimumCell: Int) -> [ArraySlice<Group>] {
        var start = 0
        return cuts(count, minimumCell: minimumCell).map { cut in
            defer { start = cut }
            return groups[start..<cut]
        }
    }

    /// Predicted against observed in bins of equal count, the safest bin first.
    ///
    /// - Parameters:
    ///   - bins: how many are wanted. Ties and `minimumCell` leave fewer.
    ///   - minimumCell: fewest rows of a bin; smaller ones are merged. No bin if all rows are fewer.
    package func calibration(bins: Int = 10, minimumCell: Int = 1) -> [CalibrationBin] {
        cells(bins, minimumCell: minimumCell).reversed().map { cell in
            let count = cell.reduce(0) { $0 + $1.rows }
            let predicted = cell.reduce(0) { $0 + Double($1.rows) * $1.probability }
            let bads = cell.reduce(0) { $0 + $1.bads }
            return CalibrationBin(
                rows: count, meanPredicted: predicted / Double(count), observed: Double(bads) / Double(count))
        }
    }

    /// How much richer in bads the riskiest rows are than all, at `parts` equal steps of depth: with 10, the top 10 %,
    /// 20 % and so on to all rows. The depth is that of the rows really taken, ties included.
    ///
    /// - Parameter minimumCell: fewest rows between two depths. No point if all rows are fewer.
    package func lift(parts: Int = 10, minimumCell: Int = 1) -> [LiftPoint] {
        var (count, found) = (0, 0)
        return cells(parts, minimumCell: minimumCell).map { cell in
            for group in cell {
                count += group.rows
                found += group.bads
            }
            let badRate = Double(found) / Double(count)
            return LiftPoint(
                depth: Double(count) / Double(rows), rows: count,
                probability: cell.last?.probability ?? 0,
                badRate: badRate, lift: badRate * Double(rows) / Double(bads), captured: Double(found) / Double(bads))
        }
    }

    /// ROC curve (`bads` over `goods`) and KS curve (both over `depth` or `probability`) for drawing, from (0, 0) to
    /// (1, 1). The measures themselves use every row.
    ///
    /// - Parameters:
    ///   - points: the most that are wanted besides the first, (0, 0).
    ///   - minimumCell: fewest rows between two points. Empty if all rows are fewer.
    package func curve(points: Int = 100, minimumCell: Int = 1) -> [CurvePoint] {
        let cells = cells(points, minimumCell: minimumCell)
        guard !cells.isEmpty else { return [] }
        var (badsAbove, goodsAbove) = (0, 0)
        return [CurvePoint(probability: 1, depth: 0, bads: 0, goods: 0)] + cells.map { cell in
            for group in cell {
                badsAbove += group.bads
                goodsAbove += group.goods
            }
            return CurvePoint(
                probability: cell.last?.probability ?? 0,
                depth: Double(badsAbove + goodsAbove) / Double(rows),
                bads: Double(badsAbove) / Double(bads), goods: Double(goodsAbove) / Double(goods))
        }
    }

    /// The distribution of scores by class over log-odds, the safest bin first.
    ///
    /// Bounds are multiples of `width` from -10 to 10, the same for every set of scores; what lies beyond counts to the
    /// outermost bins. A bin of fewer than `minimumCell` rows, an empty one too, is merged with the next, a last one
    /// with the one before. No bin if all rows are fewer.
    package func histogram(width: Double = 0.5, minimumCell: Int = 1) -> [HistogramBin] {
        LabelledScores.histogram(groups, width: width, minimumCell: minimumCell)
    }

    /// The same of rows in any order.
    static func histogram(_ groups: [Group], width: Double, minimumCell: Int) -> [HistogramBin] {
        precondition(0.01 <= width && width <= 10)
        guard groups.reduce(0, { $0 + $1.rows }) >= minimumCell else { return [] }
        let last = Int((20 / width).rounded(.up)) - 1
        var counts = [(goods: Int, bads: Int)](repeating: (0, 0), count: last + 1)
        for group in groups {
            let logOdds = log(group.probability) - log1p(-group.probability)
            let bin = Int(min(max(((logOdds + 10) / width).rounded(.down), 0), Double(last)))
            counts[bin].goods += group.goods
            counts[bin].bads += group.bads
        }

        var bins: [HistogramBin] = []
        var (lower, goods, bads) = (0, 0, 0)
        for (index, count) in counts.enumerated() {
            goods += count.goods
            bads += count.bads
            // Empty bins before the first row say nothing.
            if goods + bads == 0, bins.isEmpty { lower = index + 1 }
            guard goods + bads >= max(minimumCell, 1) else { continue }
            bins.append(HistogramBin(
                lower: Double(lower) * width - 10, upper: Double(index + 1) * width - 10, goods: goods, bads: bads))
            (lower, goods, bads) = (index + 1, 0, 0)
        }
        if goods + bads > 0, let previous = bins.popLast() {
            let end = (counts.lastIndex { $0.goods + $0.bads > 0 } ?? last) + 1
            bins.append(HistogramBin(
                lower: previous.lower, upper: Double(end) * width - 10,
                goods: previous.goods + goods, bads: previous.bads + bads))
        }
        return bins
    }
}
