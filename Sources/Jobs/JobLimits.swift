import Faults

/// Limits that need the counts of a job, as pure functions: each party applies them to itself and to its peer before
/// the step that they protect. Why each exists: `Protocols/specification.md`, "Limits".
///
/// Counts may come from a peer: every function is total and overflows nowhere.
package enum JobLimits {
    /// Bits of each value that a party returns to the other in a round: a sign bit more than the largest honest
    /// |gradient sum| in fixed point.
    ///
    /// - Parameters:
    ///   - rows: training rows.
    ///   - columnBound: largest |x'| in units of the columns' fixed point.
    ///   - residualBound: largest |d'| in units of the residuals' fixed point.
    /// - Returns: `nil` where the value would not fit in 128 bits.
    package static func valueBits(rows: Int, columnBound: Int, residualBound: Int) -> Int? {
        var product: UInt128 = 1
        for factor in [rows, columnBound, residualBound] {
            let (next, overflows) = product.multipliedReportingOverflow(by: UInt128(factor.magnitude))
            if overflows { return nil }
            product = next
        }
        return 1 + (UInt128.bitWidth - product.leadingZeroBitCount)
    }

    /// How much a party could extract at most by asking for other values than gradients, in percent of the training
    /// rows: residuals of single rows, of 25 bits each, laid side by side in the packed values of a round.
    ///
    /// - Parameter valuesPerRound: what the answering party decrypts for the other, the loss included.
    package static func exposurePercent(rounds: Int, valuesPerRound: Int, valueBits: Int, rows: Int) -> Double {
        guard rows > 0 else { return .infinity }
        return 100 * Double(rounds) * (Double(valuesPerRound) * Double(valueBits) / 25).rounded(.down) / Double(rows)
    }

    /// Both ends of alignment: `minimum` is the greater of the specification's and the contract's.
    package static func checkIntersection(count: Int, minimum: Int, maximum: Int? = nil) -> Fault? {
        if count < minimum { return Fault(.intersectionTooSmall, at: "", "\(count)", "\(minimum)") }
        if let maximum, count > maximum { return Fault(.intersectionTooLarge, at: "", "\(count)", "\(maximum)") }
        return nil
    }

    /// By how many subjects two jobs with the same party must differ, if they differ at all: results of both together say
    /// something about those in which they differ.
    package static let leastDifference = 100

    package static func checkSetSize(_ size: Int, of party: String, limits: Contract.Limits) -> Fault? {
        size > limits.maximumSetSize ? Fault(.setTooLarge, at: party, "\(size)", "\(limits.maximumSetSize)") : nil
    }

    /// Enough rows that honest gradients determine no single residual: two for each round and column of one side, and
    /// the contract's minimum.
    package static func checkRows(_ rows: Int, columns: Int, rounds: Int, limits: Contract.Limits) -> Fault? {
        let values = saturatingProduct(rounds, columns)
        let needed = max(limits.minimumRows, saturatingProduct(values, 2))
        guard rows < needed else { return nil }
        return Fault(.tooFewRows, at: "", "\(rows)", "\(needed)", "\(columns)", "\(rounds)")
    }

    /// The bank's check before the first round: with few bads the residuals are sparse, and a platform with many
    /// columns could solve for them. The fault says nothing about the labels' counts.
    package static func checkPlatformColumns(_ columns: Int, bads: Int, goods: Int, limits: Contract.Limits) -> Fault? {
        guard columns > min(bads, goods) / max(1, limits.badsPerColumn) else { return nil }
        return Fault(.tooFewBads, at: "", "\(columns)", "\(limits.badsPerColumn)")
    }

    package static func checkExposure(percent: Double, limits: Contract.Limits) -> Fault? {
        guard let limit = limits.exposurePercent, !(percent <= limit) else { return nil }
        return Fault(.exposureTooLarge, at: "", tenths(percent), tenths(limit))
    }

    /// The platform's check of its own weights before it scores.
    ///
    /// - Parameter largestShare: largest share of one feature in the variance of the platform's partial score.
    package static func checkDominance(largestShare: Double, limits: Contract.Limits) -> Fault? {
        guard let limit = limits.dominanceShare, !(largestShare <= limit) else { return nil }
        return Fault(.singleFeatureDominates, at: "", tenths(100 * largestShare))
    }

    private static func saturatingProduct(_ a: Int, _ b: Int) -> Int {
        let (product, overflows) = a.multipliedReportingOverflow(by: b)
        return overflows ? .max : product
    }

    /// Rounded up to a tenth, so that a value above its limit never prints as the limit.
    private static func tenths(_ value: Double) -> String { "\((value * 10).rounded(.up) / 10)" }
}
