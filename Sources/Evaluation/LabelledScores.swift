/// Why a set of scores has no measures.
package enum EvaluationError: Error, Sendable, Hashable {
    case empty
    /// As many probabilities as labels are needed.
    case unequalCounts
    /// A probability is not a number from 0 to 1.
    case notAProbability
    /// Every row is bad, or none is: nothing can be told apart.
    case oneClass
}

/// Predicted probabilities of being bad beside the labels, ranked once for every measure of this module.
///
/// Only the owner of the labels can hold one. Rows of equal probability cannot be told apart by a model: they are one
/// *tie group*, no measure splits a group, and none depends on the order of the rows.
package struct LabelledScores: Sendable {
    /// Rows of one probability.
    struct Group {
        let probability: Double
        var rows = 0
        var bads = 0
        var goods: Int { rows - bads }
    }

    package let rows: Int
    package let bads: Int
    package var goods: Int { rows - bads }

    /// By falling probability: the riskiest first.
    let groups: [Group]
    /// Row numbers by falling probability, for resampling; the order within a group is without meaning.
    let order: [Int]
    let labels: [Bool]

    /// - Parameters:
    ///   - probabilities: one per row, from 0 to 1, of the row being bad.
    ///   - labels: one per row, true for bad.
    package init(probabilities: [Double], labels: [Bool]) throws(EvaluationError) {
        guard probabilities.count == labels.count else { throw .unequalCounts }
        guard !labels.isEmpty else { throw .empty }
        guard probabilities.allSatisfy({ 0 <= $0 && $0 <= 1 }) else { throw .notAProbability }
        let bads = labels.count { $0 }
        guard bads > 0, bads < labels.count else { throw .oneClass }

        let order = labels.indices.sorted { probabilities[$0] > probabilities[$1] }
        var groups: [Group] = []
        for row in order {
            let probability = probabilities[row]
            if groups.last?.probability != probability { groups.append(Group(probability: probability)) }
            groups[groups.count - 1].rows += 1
            groups[groups.count - 1].bads += labels[row] ? 1 : 0
        }
        self.rows = labels.count
        self.bads = bads
        self.groups = groups
        self.order = order
        self.labels = labels
    }
}
