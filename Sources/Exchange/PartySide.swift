import Faults
import Roles
import Training

/// What differs between bank and platform: everything else about a job is the same at both, in `DataParty`.
///
/// The label owner's extra duties are the bank's implementations of these: the loss, the curvature, the checks of labels,
/// and receiving the scores.
package protocol PartySide: Sendable {
    /// Own subjects, distinct and normalised; rows below are indexes into this list.
    var identifiers: IdentifierList { get }
    /// By how many elements the list that is sent is longer.
    var fillers: Int { get }
    /// As `RoleMachine.admitted`.
    var admitted: Admitted? { get }

    // Training

    /// Prepares own columns for the aligned rows in the job's order; the first `trainingRows` of them train.
    /// - Returns: the party's columns of the training rows, the intercept included where the party has it.
    mutating func prepare(_ aligned: Alignment.Aligned, trainingRows: Int) throws(Fault) -> Design
    /// The power of two nearest to the mean of p(1 - p), where the party knows labels.
    var curvatureExponent: Int? { get }
    /// The peer's number of columns is known: limits that depend on labels.
    func check(peerColumns: Int) throws(Fault)
    /// Where training starts, and with which penalty on each own weight.
    func start(curvatureExponent: Int) -> (weights: [Double], ridge: [Double], preconditioner: Preconditioner)
    /// What goes into a round at these weights.
    mutating func work(weights: [Double], sigmoid: SeparableSigmoid) -> RoundWork
    /// Turns the returned sums of the last `work` into the gradient of the mean loss (without penalty), in real units.
    mutating func take(_ sums: [Int64]) -> Gradient

    // Scores

    /// The party's part of the score of each aligned row; in a scoring job by its stored half of the model.
    mutating func partialScores(_ aligned: Alignment.Aligned, trained: TrainingSummary?) throws(Fault) -> [Double]

    /// All is done: files to keep.
    func results(_ outcome: JobOutcome, _ run: RunMeasurements) throws(Fault) -> [ResultFile]

    /// As `RoleMachine.page`.
    func page(of files: [ResultFile], language: Language) -> ResultFile?
}

extension PartySide {
    package var fillers: Int { 0 }
    package var admitted: Admitted? { nil }
}

package struct Gradient: Sendable {
    package let values: [Double]
    /// Mean loss of the training rows at these weights; at the bank alone.
    package let loss: Double?

    package init(values: [Double], loss: Double? = nil) {
        self.values = values
        self.loss = loss
    }
}

package struct TrainingSummary: Sendable {
    package let weights: [Double]
    package let rounds: Int
    package let converged: Bool
    /// At the bank alone.
    package let losses: [Double]
    package let peerColumns: Int
    /// `JobLimits.exposurePercent` of what the peer was sent in these rounds.
    package let exposurePercent: Double
}

package struct JobOutcome: Sendable {
    package let aligned: Alignment.Aligned
    package let trained: TrainingSummary?
    /// Scores of the aligned rows in log-odds: of both parties together at the bank, the own part at the platform.
    package let scores: [Double]
}
