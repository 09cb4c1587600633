import Ledger
import Wire

/// Holds one direction of the line between bank and platform to the order of the protocol and to what follows from public
/// counts: which block of which round a frame is, and how long it must be.
struct FrameOrder {
    private let role: Role
    private let counts: TransferCounts
    private var last: MessageKind?
    /// Rounds begun.
    private var round = 0
    /// Blocks so far of each kind, of the present round where the kind belongs to rounds.
    private var blocks: [MessageKind: Int] = [:]

    /// Where the frame stands.
    struct Position: Sendable {
        let round: Int
        let block: Int
    }

    enum Fault: Error {
        /// What was allowed instead.
        case order([MessageKind])
        /// Blocks of `kind` are missing.
        case blocks(MessageKind, found: Int, expected: Int)
    }

    init(from role: Role, _ counts: TransferCounts) {
        self.role = role
        self.counts = counts
    }

    var isClosed: Bool { last == .closing }

    mutating func take(_ kind: MessageKind) throws(Fault) -> Position {
        let allowed = successors
        // After its own Closing, too, an attempt may end before the other's has come.
        guard kind == .abort ? last != .abort : allowed.contains(kind) else { throw .order(allowed) }
        if kind != .abort {
            if let last, last != kind, !(last.isFirstPass && kind.isFirstPass) {
                let returned: MessageKind = counts.revealsSizeOnly ? .sortedPoints : .doublyBlindedPoints
                for done in last.isFirstPass ? [.blindedPoints, returned] : [last] { try complete(done) }
            }
            if kind == .roundRows, last != .roundRows {
                round += 1
                blocks[.roundRows] = 0
            }
        }
        last = kind
        let block = blocks[kind, default: 0]
        blocks[kind] = block + 1
        return Position(round: round, block: block)
    }

    private func complete(_ kind: MessageKind) throws(Fault) {
        guard let (total, perBlock) = counts.blocks(kind, from: role), let total else { return }
        if kind == .doublyBlindedPoints || kind == .sortedPoints, role != .platform { return }
        let expected = (total + perBlock - 1) / perBlock
        let found = blocks[kind, default: 0]
        guard found == expected else { throw .blocks(kind, found: found, expected: expected) }
    }

    private var successors: [MessageKind] {
        let isBank = role == .bank
        return switch last {
        case nil: [.hello]
        case .hello: [.nonce]
        case .nonce: [.paillierKey]
        case .paillierKey, .blindingProgress: [.blindingProgress, .alignmentOpening]
        case .alignmentOpening: isBank || counts.revealsSizeOnly ? [.blindedPoints] : [.blindedPoints, .doublyBlindedPoints]
        case .blindedPoints where counts.revealsSizeOnly: [.blindedPoints, isBank ? .intersectionSize : .sortedPoints]
        case .sortedPoints: [.sortedPoints, .closing]
        case .intersectionSize: [.closing]
        case .blindedPoints, .doublyBlindedPoints:
            (isBank ? [.blindedPoints] : [.blindedPoints, .doublyBlindedPoints]) + [counts.revealsToBankAlone ? .closing : .seedReveal]
        case .seedReveal: isBank ? [.matches] : [counts.isAligning ? .closing : counts.isTraining ? .columns : .partialScores]
        case .matches: [.matches, counts.isTraining ? .columns : .closing]
        case .columns: isBank ? [.curvature] : [.roundRows]
        case .curvature: [.roundRows]
        case .roundRows: [.roundRows, .maskedValues]
        case .maskedValues: [.returnedBits]
        case .returnedBits: [.roundRows, isBank ? .closing : .partialScores]
        case .partialScores: [.partialScores, .closing]
        default: []
        }
    }
}

extension MessageKind {
    /// Points of both passes may alternate.
    fileprivate var isFirstPass: Bool { self == .blindedPoints || self == .doublyBlindedPoints || self == .sortedPoints }
}

/// Holds one direction of a line to the arbiter to its order.
struct ControlOrder {
    private var rank = 0
    private var seen: Set<MessageKind> = []
    private var rounds: [MessageKind: UInt32] = [:]

    /// Whether the frame may come here.
    mutating func take(_ kind: MessageKind, _ message: Message?) -> Bool {
        // A node shows its operations whenever it likes.
        guard kind != .operationsHead else { return true }
        let next = switch kind {
        case .jobOffer, .jobAnswer: 0
        case .jobStart: 1
        case .jobEnd, .jobStop: 3
        default: 2
        }
        let isOnce = next != 2
        guard next >= rank, !isOnce || seen.insert(kind).inserted else { return false }
        rank = next
        let round: UInt32? = switch message {
        case .roundShare(let share): share.round
        case .verdict(let verdict): verdict.round
        default: nil
        }
        guard let round else { return true }
        defer { rounds[kind] = round }
        return round == rounds[kind, default: 0] + 1
    }
}
