import BigNumber
import Faults
import Jobs
import Paillier
import Primitives
import Roles
import Wire

/// The platform's partial scores go to the bank, encrypted under the bank's key and packed; the bank adds its own.
///
///     P -> B   PartialScores, in blocks
///
/// The bank learns the total of each row, which is the product; it can subtract its own part. The platform rounds at
/// source to the contract's resolution. Source: Protocols/protocol.md, "Scoring".
struct Scoring: Sendable {
    private let context: JobContext
    private let keys: Opening.Keys
    private let slots: ValueSlots
    /// Own parts; at the bank, totals in the end.
    private(set) var scores: [Double]
    private var done = 0
    private var repetitions = RepetitionGuard()

    /// Rows of one frame: whole ciphertexts.
    private var rowsPerBlock: Int { TransferCounts.scoreCiphertextsPerBlock * slots.perCiphertext }

    init(context: JobContext, keys: Opening.Keys, partial: [Double]) {
        self.context = context
        self.keys = keys
        slots = ValueSlots(bits: TransferCounts.scoreBits, keyBits: (context.role == .bank ? keys.own.publicKey : keys.peer).bits)
        scores = partial
    }

    var isDone: Bool { done == scores.count }
    var isListening: Bool { context.role == .bank && !isDone }
    var wantsToProceed: Bool { context.role == .platform && !isDone }

    private var unit: Double { 1 / Double(UInt64(1) << UInt64(context.limits.scoreResolutionBits)) }

    mutating func proceed() throws(Fault) -> [RoleEffect] {
        let range = done..<min(done + rowsPerBlock, scores.count)
        let limit = Double((1 << (TransferCounts.scoreBits - 1)) - 1)
        let values = scores[range].map { Int64(min(max(($0 / unit).rounded(), -limit), limit)) }
        let random = keys.secrets.random(.randomiser, "scores")
        let (first, kind) = (slots.ciphertexts(range.lowerBound), UInt8(MessageKind.partialScores.rawValue))
        let batch = keys.peer.encrypt(slots.pack(values, modulus: keys.peer.modulus), random: random) {
            DrawAddress(message: kind, row: UInt32(first + $0))
        }
        let block = range.lowerBound / rowsPerBlock
        done = range.upperBound
        return [.send(.partialScores(.filled {
            $0.block = UInt32(block)
            $0.ciphertexts = batch.wire.data
        }), to: .peer), progress()]
    }

    mutating func hear(_ message: Message) throws(Fault) -> [RoleEffect] {
        guard case .partialScores(let message) = message, isListening, Int(message.block) == done / rowsPerBlock else {
            throw context.fault(.unexpectedMessage)
        }
        let range = done..<min(done + rowsPerBlock, scores.count)
        let key = keys.own.publicKey
        let batch = try context.load(message.ciphertexts, count: slots.ciphertexts(range.count), key: key, &repetitions)
        for (offset, value) in slots.unpack(keys.own.decrypt(batch), count: range.count, modulus: key.modulus).enumerated() {
            scores[range.lowerBound + offset] += Double(value) * unit
        }
        done = range.upperBound
        return [progress()]
    }

    private func progress() -> RoleEffect {
        .progress(.filled {
            $0.phase = .scoring
            $0.done = UInt64(done)
            $0.total = UInt64(scores.count)
        })
    }
}
