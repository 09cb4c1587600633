import Faults
import Jobs
import LinearAlgebra
import Wire

/// The arbiter's one piece of arithmetic: it adds the two parties' padded shares of a Gram matrix, whose pads cancel, and
/// finds from the sum how to combine earlier steps; and it rules whether training goes on.
///
/// It sees inner products of joint steps, two bits that a side has settled, and a bit that the loss rose. Source:
/// Protocols/protocol.md, "Few rounds".
struct RoundReferee: Sendable {
    /// After so many half steps in one job the last accepted point is kept.
    static let mostBacks = 8
    /// Directions of the scaled Gram matrix with smaller eigenvalues are left out: they hold what fixed point has left of
    /// columns that repeat each other across the parties. Honest data stay above 1e-3.
    static let cutoff = 1e-6

    private let history: Int
    private let maximumRounds: Int
    private var round: UInt32 = 1
    /// Accepted points since the last return, as each party counts them.
    private var accepted = 0
    private var backs = 0
    private var shares: [Role: RoundShare] = [:]

    init(_ settings: JobSpecification.TrainingSettings) {
        history = settings.history
        maximumRounds = settings.maximumRounds
    }

    private var depth: Int { min(accepted, history) }

    /// - Returns: the verdict for both parties once both shares are there.
    mutating func hear(_ share: RoundShare, from role: Role, named name: String) throws(Fault) -> Verdict? {
        let entries = (depth + 1) * (depth + 2) / 2
        guard share.round == round, shares[role] == nil else { throw Fault(.unexpectedMessage, at: name) }
        guard share.paddedGram.count == entries * RingElement.byteCount else { throw Fault(.wrongCount, at: name) }
        shares[role] = share
        guard let bank = shares[.bank], let platform = shares[.platform] else { return nil }
        shares = [:]
        let verdict = rule(bank, platform)
        round += 1
        return verdict
    }

    private mutating func rule(_ bank: RoundShare, _ platform: RoundShare) -> Verdict {
        let isLast = round >= UInt32(maximumRounds)
        var verdict = Verdict()
        verdict.round = round
        if bank.rose {
            backs += 1
            verdict.decision = isLast || backs > RoundReferee.mostBacks ? .keep : .back
            accepted = 1
        } else {
            verdict.decision = isLast || (bank.settled && platform.settled) ? .finish : .step
            verdict.gamma = gamma(bank.paddedGram.octets, platform.paddedGram.octets).data
            accepted = min(accepted + 1, history + 1)
        }
        return verdict
    }

    /// How to combine the earlier steps, as a verdict carries it.
    private func gamma(_ bank: [UInt8], _ platform: [UInt8]) -> [UInt8] {
        let size = depth + 1
        var gram = Matrix.zeros(rows: size, columns: size)
        var start = 0
        for row in 0..<size {
            for column in row..<size {
                let range = start..<start + RingElement.byteCount
                guard let left = RingElement(bytes: bank[range]), let right = RingElement(bytes: platform[range]) else { continue }
                let value = (left + right).value
                gram[row, column] = value
                gram[column, row] = value
                start = range.upperBound
            }
        }
        let coefficients = MinimumNormLeastSquares.coefficients(gram: gram, cutoff: RoundReferee.cutoff) ?? [Double](repeating: 0, count: depth)
        return FixedPointGamma.encode(coefficients)
    }
}
