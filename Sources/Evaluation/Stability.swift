import Foundation

/// How far a distribution over the same bins has moved: the sum over bins of (a - e) ln(a / e), with e and a the shares
/// of the expected and of the actual counts. Below 0.1 is customarily called stable, above 0.25 changed.
///
/// An empty bin counts as half a row, so that the index stays finite.
///
/// - Parameters:
///   - expected: counts per bin where the model was made.
///   - actual: counts in the same bins now.
/// - Returns: nil unless both have the same number of bins, at least one, no negative count and at least one row.
package func populationStabilityIndex(expected: [Int], actual: [Int]) -> Double? {
    guard expected.count == actual.count, (expected + actual).allSatisfy({ $0 >= 0 }) else { return nil }
    let totals = (expected: expected.reduce(0.0) { $0 + Double($1) }, actual: actual.reduce(0.0) { $0 + Double($1) })
    guard totals.expected > 0, totals.actual > 0 else { return nil }
    return zip(expected, actual).reduce(0) { sum, bin in
        guard bin.0 > 0 || bin.1 > 0 else { return sum }
        let e = max(Double(bin.0), 0.5) / totals.expected
        let a = max(Double(bin.1), 0.5) / totals.actual
        return sum + (a - e) * log(a / e)
    }
}
