import Faults
import Ledger
import Primitives
import Synchronization
import Wire

/// Heads in the middle of a phase: after every 1,000 frames of a direction its sender waits until both parties and the arbiter
/// have signed them. Nothing more crosses the line for that: both count, and each tells the arbiter, which tells each the
/// other's signature; so neither waits for frames that stand behind others. Source: Protocols/ledger.md, "Heads".
final class MidwayHeads: Sendable {
    private struct Pending: Sendable {
        let head: Head
        var note: SignedNote
        let since: ContinuousClock.Instant
    }

    private struct State: Sendable {
        /// Sizes that the arbiter signs last, of all that were submitted.
        var last: [Ledger.Direction: UInt64] = [:]
        var pending: [Ledger.Direction: Pending] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
        var ending: Fault?
    }

    private let job: JobIdentifier
    private let attempt: UInt32
    private let ledgers: LedgerBook
    private let signers: HeadSigners
    private let arbiter: PostedLine
    private let state = Mutex(State())

    init(job: JobIdentifier, attempt: UInt32, ledgers: LedgerBook, signers: HeadSigners, arbiter: PostedLine) {
        self.job = job
        self.attempt = attempt
        self.ledgers = ledgers
        self.signers = signers
        self.arbiter = arbiter
    }

    /// A frame of that direction is in the ledger: its head is submitted if it is due, once the one before it is signed. Called by
    /// one task for each direction.
    func passed(_ kind: MessageKind, _ phase: Phase, _ direction: Ledger.Direction) async throws(Fault) {
        // Nothing follows the frames that close a line.
        guard kind.isRecorded, kind != .closing, kind != .abort, let ledger = try ledgers.writer(job, line: signers.peer),
              Head.isDue(ledger.size(direction))
        else { return }
        // Who receives may hear of the arbiter later than who sends, and goes on without waiting: it can be a thousand frames on.
        try await settle(direction)
        let signers = signers
        let last = state.withLock { $0.last[direction, default: 0] }
        let (pending, submission) = try await compute { () throws(Fault) in
            do { try ledger.synchronize() } catch { throw Fault(.unwritable, at: "ledger") }
            let head = ledger.head(direction)
            var note = SignedNote(text: head.text)
            note.sign(as: signers.own, with: signers.key)
            let submission = DirectionHead.filled {
                $0.sent = direction == .sent
                $0.size = head.size
                $0.root = head.root.data
                $0.signature = signers.key.signature(for: head.text).data
                $0.proof = (ledger.consistencyProof(direction, from: last, to: head.size) ?? []).flatMap(\.self).data
            }
            return (Pending(head: head, note: note, since: .now), submission)
        }
        state.withLock {
            $0.pending[direction] = pending
            $0.last[direction] = pending.head.size
        }
        arbiter.post(.directionHead(submission), phase: phase, job: job, attempt: attempt)
    }

    /// From the arbiter.
    func accept(_ answer: DirectionHead) throws(Fault) {
        let direction: Ledger.Direction = answer.sent ? .sent : .received
        guard var open = state.withLock({ $0.pending[direction] }), answer.size == open.head.size, answer.root.octets == open.head.root,
              signers.arbiterKey.accepts(answer.signature.octets, for: open.head.text),
              signers.peerKey.accepts(answer.peerSignature.octets, for: open.head.text)
        else { throw Fault(.ledgersDiffer, at: signers.arbiter) }
        open.note.add(answer.peerSignature.octets, of: signers.peer, signers.peerKey)
        open.note.add(answer.signature.octets, of: signers.arbiter, signers.arbiterKey)
        do {
            try ledgers.writer(job, line: signers.peer)?.keep(open.note, direction)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.unwritable, at: "ledger")
        }
        release { $0.pending[direction] = nil }
    }

    /// Returns when no head of that direction, or of either, is open.
    func settle(_ direction: Ledger.Direction? = nil) async throws(Fault) {
        while true {
            let (waits, ending) = state.withLock { (Self.isOpen($0, direction), $0.ending) }
            if let ending { throw ending }
            guard waits else { return }
            await withCheckedContinuation { continuation in
                let isPast = state.withLock { state in
                    guard state.ending == nil, Self.isOpen(state, direction) else { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isPast { continuation.resume() }
            }
        }
    }

    private static func isOpen(_ state: State, _ direction: Ledger.Direction?) -> Bool {
        direction.map { state.pending[$0] != nil } ?? !state.pending.isEmpty
    }

    /// Whoever waits is told why nothing more comes.
    func end(_ fault: Fault) { release { $0.ending = $0.ending ?? fault } }

    private func release(_ change: (inout State) -> Void) {
        for continuation in state.withLock({ state in
            change(&state)
            defer { state.waiting = [] }
            return state.waiting
        }) { continuation.resume() }
    }

    /// The oldest that is open.
    var since: ContinuousClock.Instant? { state.withLock { $0.pending.values.map(\.since).min() } }

    /// What the next consistency proofs start from.
    var last: (sent: UInt64, received: UInt64) { state.withLock { ($0.last[.sent, default: 0], $0.last[.received, default: 0]) } }

    /// A phase has ended with heads of these sizes.
    func follow(_ sizes: (sent: UInt64, received: UInt64)) { state.withLock { $0.last = [.sent: sizes.sent, .received: sizes.received] } }
}
