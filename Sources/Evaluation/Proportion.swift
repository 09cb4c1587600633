/// Between which shares that of the population lies, seen a share in a sample: Wilson, "Probable inference, the law of
/// succession, and statistical inference" (1927). Unlike the share plus and minus some deviations it stays within 0 and 1
/// and tells something where no row, or every row, is counted.
package struct ProportionInterval: Sendable, Hashable {
    package let lower: Double
    package let upper: Double

    /// With 95 % confidence.
    ///
    /// - Parameters:
    ///   - share: from 0 to 1.
    ///   - rows: at least 1.
    package init?(share: Double, rows: Int) {
        guard 0 <= share, share <= 1, rows >= 1 else { return nil }
        // 97.5 % of a normal distribution lie below.
        let deviations = 1.959963984540054
        let (rows, square) = (Double(rows), deviations * deviations)
        let middle = (share + square / (2 * rows)) / (1 + square / rows)
        let half = deviations / (1 + square / rows) * (share * (1 - share) / rows + square / (4 * rows * rows)).squareRoot()
        lower = max(middle - half, 0)
        upper = min(middle + half, 1)
    }
}
