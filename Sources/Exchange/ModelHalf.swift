import Features
import Foundation

/// A party's own part of a joint model, as it lies in its own file: useless without the other half, and never sent.
package struct ModelHalf: Sendable, Codable {
    package static let fileName = "model.json"
    package static let currentVersion = 1
    /// Of a standardised column no honest weight comes near it: there a training ends.
    static let largestWeight = 1e6

    package var version = ModelHalf.currentVersion
    /// The training job: both halves carry the same.
    package var job: String
    package var role: String
    /// The party that holds the other half: with no other is this one used.
    package var peer: String
    /// The bank's alone.
    package var intercept: Double?
    /// One for each column of `plan`.
    package var weights: [Double]
    package var plan: PreparationPlan

    package init(job: String, role: String, peer: String, intercept: Double?, weights: [Double], plan: PreparationPlan) {
        self.job = job
        self.role = role
        self.peer = peer
        self.intercept = intercept
        self.weights = weights
        self.plan = plan
    }

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return [UInt8](try encoder.encode(self)) + [0x0a]
    }

    /// `nil` where the bytes are no half of this version, or one that no training makes: with weights as large as end one, or
    /// a plan that does not give a column for each of them.
    package static func decoded(_ bytes: [UInt8]) -> ModelHalf? {
        guard let half = try? JSONDecoder().decode(ModelHalf.self, from: Data(bytes)), half.version == currentVersion,
              half.plan.isWellFormed, half.weights.count == half.plan.columnNames.count,
              (half.weights + [half.intercept ?? 0]).allSatisfy({ abs($0) < largestWeight })
        else { return nil }
        return half
    }
}
