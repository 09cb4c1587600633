import Jobs
import LinearAlgebra
import Wire

/// What follows from a specification and public counts alone, the same at both parties and at whoever plans the job.
package enum JobShape {
    /// Fractional bits of a column where it multiplies ciphertexts.
    package static let columnFactorBits = 8

    /// k: bits of one value that a party has decrypted in a round. Source: `Protocols/protocol.md`, "One round".
    ///
    /// - Parameter rows: training rows.
    /// - Returns: nothing where no packing could hold it.
    package static func valueBits(_ training: JobSpecification.TrainingPart, rows: Int) -> Int? { valueBits(training)(rows) }

    /// The same as a function of the training rows, for who asks it of many: what does not depend on them takes milliseconds.
    static func valueBits(_ training: JobSpecification.TrainingPart) -> (_ rows: Int) -> Int? {
        let features = training.features.bank + training.features.platform
        let columnBound = features.map { Int(($0.clip ?? 0) * Double(1 << columnFactorBits)) + 1 }.max() ?? 1
        let sigmoid = SigmoidProjection(degree: training.settings.degree, range: training.settings.range)
        return { JobLimits.valueBits(rows: $0, columnBound: max(columnBound, Int(sigmoid.lossShiftFactor)), residualBound: sigmoid.residualBound) }
    }

    /// Ciphertexts of one request for `values` values of `bits` bits.
    package static func maskedCiphertexts(values: Int, bits: Int, keyBits: Int) -> Int {
        let slots = max(1, (keyBits - TransferCounts.headroomBits) / bits)
        return (values + slots - 1) / slots
    }

    /// Columns after treatment of one side: fewest, most, and a guess. Most of them depends on the data.
    ///
    /// - Parameters:
    ///   - described: the data set, where its owner has described it.
    ///   - rows: training rows at most.
    package static func columns(_ features: [JobSpecification.Feature], intercept: Bool, described: DataDescription?, rows: Int) -> Expected {
        var sum = intercept ? Expected(lower: 1, likely: 1, upper: 1) : Expected(lower: 0, likely: 0, upper: 0)
        for feature in features {
            var most = 1
            var likely = 1
            if feature.type == .category {
                let levels = switch described?[column: feature.column]?.type {
                case .flag: 2
                case .category: 100
                default: 10_000
                }
                // The base has no column, and a level has one only if enough rows show it.
                most = max(0, min(levels - 1, rows / max(1, feature.minimumCount)))
                likely = min(5, most)
            }
            sum.likely += likely
            sum.upper += most + (feature.missing == .indicator ? 1 : 0)
        }
        return sum
    }
}

/// A number that is not known before the job: its bounds, and a guess.
package struct Expected: Sendable, Hashable {
    package var lower: Int
    package var likely: Int
    package var upper: Int

    package init(lower: Int, likely: Int, upper: Int) {
        self.lower = lower
        self.likely = likely
        self.upper = upper
    }
}
