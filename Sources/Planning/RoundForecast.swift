import Foundation
import Jobs
import Wire

/// How many rounds a training takes until both parties have settled, guessed before it runs: from its columns, and from
/// what earlier jobs of the same name took.
///
/// Source: `Protocols/protocol.md`, "Rounds before a job runs".
package struct RoundForecast: Sendable, Hashable {
    package let likely: Int
    /// Four of five jobs of the simulation ended within these.
    package let usual: ClosedRange<Int>

    /// So many of the latest jobs are looked at.
    package static let mostEarlier = 5
    /// How much the formula weighs beside one earlier job: which rows train is drawn anew in each, by which rounds of one
    /// data set vary by a tenth; data sets of equal columns differ by more.
    private static let formulaWeight = 0.5

    /// - Parameter earlier: rounds of completed jobs of the same name between the same parties, latest first.
    package init(_ training: JobSpecification.TrainingPart, earlier: [Int] = []) {
        let known = earlier.prefix(Self.mostEarlier).filter { $0 > 0 }.map { Double($0) }
        let expected = (Self.formulaWeight * Self.formula(training) + known.reduce(0, +)) / (Self.formulaWeight + Double(known.count))
        self.init(expected, spread: known.isEmpty ? 0.2 : 0.12, most: training.settings.maximumRounds)
    }

    /// What someone expects.
    package init(_ rounds: Int, most: Int) { self.init(Double(rounds), spread: 0, most: most) }

    private init(_ expected: Double, spread: Double, most: Int) {
        // No larger than `most` before it becomes an integer, which would trap.
        func bounded(_ value: Double) -> Int { Int(min(max(value.rounded(), 1), Double(most))) }
        likely = bounded(expected)
        usual = bounded(expected * (1 - spread))...bounded(expected * (1 + spread))
    }

    /// Numbers cost the acceleration next to nothing. What seldom holds does: p (1 - p) of the rows where it holds is not that
    /// of the others, which the platform's preconditioner takes for equal.
    private static func formula(_ training: JobSpecification.TrainingPart) -> Double {
        let flags = training.features.platform.reduce(0.0) { $0 + ($1.type == .flag ? 1 : $1.type == .category ? 3 : 0) }
        let decades = 3 + log10(training.settings.tolerance)
        return (8.5 + 24 * flags / (16 + flags)) * min(1 - 0.21 * decades, 1.2 - 0.41 * decades)
    }
}

extension JobSpecification {
    /// What completed jobs of the same name between the same parties took, latest first.
    package func earlierRounds(in records: [JobRecord]) -> [Int] {
        records
            .filter { $0.state == .completed && $0.rounds > 0 && $0.name == name && $0.bank == parties.bank && $0.platform == parties.platform }
            .sorted { $0.changedUnixSeconds > $1.changedUnixSeconds }.map { Int($0.rounds) }
    }
}
