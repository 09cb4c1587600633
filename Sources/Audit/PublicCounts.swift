import Jobs
import Ledger
import Wire

/// Counts from which the lengths of frames follow, as far as the specification and the kept payloads give them.
///
/// Source: the column of lengths in `Protocols/wire.md`; block sizes and rounding in `Protocols/protocol.md`.
struct PublicCounts: Sendable {
    static let rowsPerBlock = 512
    static let pointsPerBlock = 8192
    static let positionsPerBlock = 65536
    static let pointBytes = 65
    /// Of one partial score in a plaintext.
    static let scoreBits = 32
    /// Left free at the top of a packed plaintext.
    static let headroomBits = 128
    /// Ciphertexts of one `PartialScores` frame.
    static let scoreCiphertextsPerBlock = 64
    static let certificateRoots = 11
    /// No returned value has more bits.
    static let mostValueBits = 62

    let isTraining: Bool
    let degree: Int
    /// Bytes of a Paillier modulus.
    private(set) var keyBytes: Int?
    /// Identifiers in each party's list.
    private(set) var listed: [Role: Int] = [:]
    /// Common subjects.
    private(set) var aligned: Int?
    /// Columns that each party trains on.
    private(set) var columns: [Role: Int] = [:]
    /// Ciphertexts in a party's `MaskedValues`.
    private(set) var masked: [Role: Int] = [:]
    private let share: Double

    init(_ ledger: AuditedLedger) {
        let training = ledger.specification.training
        isTraining = training != nil
        degree = training?.settings.degree ?? 0
        share = training?.split.share ?? 0
        keyBytes = (training?.settings.keyBits).map { $0 / 8 }
        for flow in ledger.dataLine?.flows ?? [] {
            for record in flow.records.lazy.compactMap({ $0 }) { gather(record, flow, ledger) }
            derive(flow)
        }
    }

    private mutating func gather(_ record: FrameRecord, _ flow: AuditedFlow, _ ledger: AuditedLedger) {
        let role = flow.from.role
        switch record.kind {
        case .paillierKey where keyBytes == nil:
            keyBytes = stride(from: 64, through: 512, by: 32).first {
                UInt64(canonical(.bytes($0), .bytes(Self.certificateRoots * $0))) == record.length
            }
        case .alignmentOpening where listed[role] == nil:
            guard case .alignmentOpening(let opening)? = ledger.message(record, flow.direction) else { return }
            listed[role] = Int(UInt32(clamping: opening.count))
        case .matches where aligned == nil:
            guard case .matches(let matches)? = ledger.message(record, flow.direction) else { return }
            aligned = Int(matches.total)
        case .columns where columns[role] == nil:
            guard case .columns(let columns)? = ledger.message(record, flow.direction) else { return }
            self.columns[role] = Int(columns.count)
        case .maskedValues where masked[role] == nil:
            guard let ciphertextBytes else { return }
            masked[role] = Int(min(record.length, UInt64(record.kind.row.maximumPayloadBytes))) / ciphertextBytes
        default:
            break
        }
    }

    /// Counts that no kept payload states, from the length of the last block.
    private mutating func derive(_ flow: AuditedFlow) {
        let records = flow.records.lazy.compactMap { $0 }
        func last(_ kind: MessageKind) -> (block: Int, length: Int)? {
            let lengths = records.filter { $0.kind == kind }.map(\.length)
            return lengths.last.map { (lengths.count - 1, Int(clamping: min($0, UInt64(kind.row.maximumPayloadBytes)))) }
        }
        if listed[flow.from.role] == nil, let (block, length) = last(.blindedPoints) {
            listed[flow.from.role] = (0...length / Self.pointBytes).last { canonical(.number(block), .bytes(Self.pointBytes * $0)) == length }
                .map { block * Self.pointsPerBlock + $0 }
        }
        if aligned == nil, let (block, length) = last(.matches) {
            let before = block * Self.positionsPerBlock
            aligned = (0...length / 4).last { canonical(.number(before + $0), .number(block), .bytes(4 * $0)) == length }.map { before + $0 }
        }
    }

    var ciphertextBytes: Int? { keyBytes.map { max(1, 2 * $0) } }

    var trainingRows: Int? { aligned.map { min($0, Int((share * Double($0)).rounded())) } }

    private var scoreSlots: Int? { keyBytes.map { max(1, (8 * $0 - Self.headroomBits) / Self.scoreBits) } }

    /// Elements that a sender's blocks of one kind hold together, and how many of them a full block holds.
    func blocks(_ kind: MessageKind, from role: Role) -> (total: Int?, perBlock: Int)? {
        switch kind {
        case .blindedPoints: (listed[role], Self.pointsPerBlock)
        case .doublyBlindedPoints: (listed[.bank], Self.pointsPerBlock)
        case .matches: (aligned, Self.positionsPerBlock)
        case .roundRows: (trainingRows, Self.rowsPerBlock)
        case .partialScores: (aligned, Self.scoreCiphertextsPerBlock * (scoreSlots ?? 1))
        default: nil
        }
    }

    /// How many ciphertexts a party's `MaskedValues` may hold: one at least, and as many as its values need at most.
    func maskedRange(_ role: Role) -> ClosedRange<Int>? {
        guard let columns = columns[role], let keyBytes else { return nil }
        let values = columns + (role == .bank ? 1 : 0)
        let fewestSlots = max(1, (8 * keyBytes - Self.headroomBits) / Self.mostValueBits)
        return 1...max(1, (values + fewestSlots - 1) / fewestSlots)
    }

    /// Bytes of a canonical payload, where counts give them.
    /// - Parameters:
    ///   - block: position among the blocks of the kind, in this round.
    ///   - index: of the record in its direction.
    func payloadBytes(_ kind: MessageKind, from role: Role, round: Int, block: Int, index: Int) -> Int? {
        func inBlock() -> Int? {
            guard let (total, perBlock) = blocks(kind, from: role), let total else { return nil }
            return max(0, min(perBlock, total - block * perBlock))
        }
        switch kind {
        case .paillierKey:
            return keyBytes.map { canonical(.bytes($0), .bytes(Self.certificateRoots * $0)) }
        case .alignmentOpening:
            return listed[role].map { canonical(.number($0), .bytes(32), .bytes(32)) }
        case .blindedPoints, .doublyBlindedPoints:
            return inBlock().map { canonical(.number(block), .bytes(Self.pointBytes * $0)) }
        case .matches:
            guard let aligned, let positions = inBlock() else { return nil }
            return canonical(.number(aligned), .number(block), .bytes(4 * positions))
        case .columns:
            return columns[role].map { canonical(.number($0)) }
        case .roundRows:
            guard let ciphertextBytes, let rows = inBlock() else { return nil }
            return canonical(.number(round), .number(block), .bytes((degree + 1) * rows * ciphertextBytes))
        case .maskedValues, .returnedBits:
            let requester: Role = kind == .maskedValues ? role : role == .bank ? .platform : .bank
            guard let ciphertextBytes, let count = masked[requester] else { return nil }
            return canonical(.number(round), .bytes(count * ciphertextBytes))
        case .partialScores:
            guard let ciphertextBytes, let rows = inBlock(), let scoreSlots else { return nil }
            return canonical(.number(block), .bytes((rows + scoreSlots - 1) / scoreSlots * ciphertextBytes))
        case .closing:
            return canonical(.number(index + 1))
        default:
            return nil
        }
    }

    private enum Field {
        case number(Int)
        case bytes(Int)
    }

    /// Fields are numbered below 16, and those that hold their default are left out.
    private func canonical(_ fields: Field...) -> Int {
        func digits(_ number: Int) -> Int { max(1, (Int.bitWidth - number.leadingZeroBitCount + 6) / 7) }
        return fields.reduce(0) { sum, field in
            switch field {
            case .number(0), .bytes(0): sum
            case .number(let value): sum + 1 + digits(value)
            case .bytes(let count): sum + 1 + digits(count) + count
            }
        }
    }
}
