import Foundation

/// Public counts of a job, and what follows from them: the lengths of all frames between bank and platform. The one place
/// of these formulas; audits and plans both come here.
///
/// Source: the column of lengths in `Protocols/wire.md`; block sizes and rounding in `Protocols/protocol.md`.
package struct TransferCounts: Sendable, Hashable {
    /// Of one `RoundRows` frame.
    package static let rowsPerBlock = 512
    /// Of one frame of alignment.
    package static let pointsPerBlock = 8192
    /// Of one `Matches` frame.
    package static let positionsPerBlock = 65536
    package static let pointBytes = 65
    /// Identifiers that are blinded between two `BlindingProgress`.
    package static let blindedPerNotice = 1 << 20
    /// Of one partial score in a packed plaintext, and so the bound 2^(bits - 1) on its fixed-point value.
    package static let scoreBits = 32
    /// Left free at the top of a packed plaintext.
    package static let headroomBits = 128
    /// Ciphertexts of one `PartialScores` frame.
    package static let scoreCiphertextsPerBlock = 64
    package static let certificateRoots = 11
    /// No returned value has more bits.
    package static let mostValueBits = 62

    package let isTraining: Bool
    /// The job ends with alignment; where only the number of common subjects is asked for, `revealsSizeOnly`, and where the
    /// platform is told nothing of them, `revealsToBankAlone`.
    package var isAligning = false
    package var revealsSizeOnly = false
    package var revealsToBankAlone = false
    package let degree: Int
    /// Share of the common subjects that train.
    package let share: Double
    /// Bytes of a Paillier modulus.
    package var keyBytes: Int?
    /// Identifiers in each party's list.
    package var listed: [Role: Int] = [:]
    /// Common subjects.
    package var aligned: Int?
    /// Columns that each party trains on.
    package var columns: [Role: Int] = [:]
    /// Ciphertexts in a party's `MaskedValues`.
    package var masked: [Role: Int] = [:]

    /// - Parameters:
    ///   - degree: of the expansion, 0 where nothing is trained.
    ///   - share: the same.
    package init(isTraining: Bool, degree: Int, share: Double, keyBytes: Int?) {
        self.isTraining = isTraining
        self.degree = degree
        self.share = share
        self.keyBytes = keyBytes
    }

    package var ciphertextBytes: Int? { keyBytes.map { max(1, 2 * $0) } }

    package var trainingRows: Int? { aligned.map { Self.trainingRows(of: $0, share: share) } }

    /// How many of the aligned rows train: the first of the job's order.
    package static func trainingRows(of aligned: Int, share: Double) -> Int { min(aligned, Int((share * Double(aligned)).rounded())) }

    var scoreSlots: Int? { keyBytes.map { max(1, (8 * $0 - Self.headroomBits) / Self.scoreBits) } }

    /// Elements that a sender's blocks of one kind hold together, and how many of them a full block holds.
    package func blocks(_ kind: MessageKind, from role: Role) -> (total: Int?, perBlock: Int)? {
        switch kind {
        case .blindedPoints: (listed[role], Self.pointsPerBlock)
        case .doublyBlindedPoints, .sortedPoints: (listed[.bank], Self.pointsPerBlock)
        case .matches: (aligned, Self.positionsPerBlock)
        case .roundRows: (trainingRows, Self.rowsPerBlock)
        case .partialScores: (aligned, Self.scoreCiphertextsPerBlock * (scoreSlots ?? 1))
        default: nil
        }
    }

    /// How many ciphertexts a party's `MaskedValues` may hold: one at least, and as many as its values need at most.
    package func maskedRange(_ role: Role) -> ClosedRange<Int>? {
        guard let columns = columns[role], let keyBytes else { return nil }
        let values = columns + (role == .bank ? 1 : 0)
        let fewestSlots = max(1, (8 * keyBytes - Self.headroomBits) / Self.mostValueBits)
        return 1...max(1, (values + fewestSlots - 1) / fewestSlots)
    }

    /// Bytes of a canonical payload, where counts give them.
    /// - Parameters:
    ///   - block: position among the blocks of the kind, in this round.
    ///   - index: of the record in its direction.
    package func payloadBytes(_ kind: MessageKind, from role: Role, round: Int, block: Int, index: Int) -> Int? {
        func inBlock() -> Int? {
            guard let (total, perBlock) = blocks(kind, from: role), let total else { return nil }
            return max(0, min(perBlock, total - block * perBlock))
        }
        switch kind {
        case .paillierKey:
            return keyBytes.map { Self.canonical(.bytes($0), .bytes(Self.certificateRoots * $0)) }
        case .alignmentOpening:
            return listed[role].map { Self.canonical(.number($0), .bytes(32), .bytes(32)) }
        case .intersectionSize:
            return aligned.map { Self.canonical(.number($0)) }
        case .blindedPoints, .doublyBlindedPoints, .sortedPoints:
            return inBlock().map { Self.canonical(.number(block), .bytes(Self.pointBytes * $0)) }
        case .matches:
            guard let aligned, let positions = inBlock() else { return nil }
            return Self.canonical(.number(aligned), .number(block), .bytes(4 * positions))
        case .columns:
            return columns[role].map { Self.canonical(.number($0)) }
        case .roundRows:
            guard let ciphertextBytes, let rows = inBlock() else { return nil }
            return Self.canonical(.number(round), .number(block), .bytes((degree + 1) * rows * ciphertextBytes))
        case .maskedValues, .returnedBits:
            let requester: Role = kind == .maskedValues ? role : role.otherOwner
            guard let ciphertextBytes, let count = masked[requester] else { return nil }
            return Self.canonical(.number(round), .bytes(count * ciphertextBytes))
        case .partialScores:
            guard let ciphertextBytes, let rows = inBlock(), let scoreSlots else { return nil }
            return Self.canonical(.number(block), .bytes((rows + scoreSlots - 1) / scoreSlots * ciphertextBytes))
        case .closing:
            return Self.canonical(.number(index + 1))
        default:
            return nil
        }
    }

    package enum Field: Sendable {
        case number(Int)
        case bytes(Int)
    }

    /// Fields are numbered below 16, and those that hold their default are left out.
    package static func canonical(_ fields: Field...) -> Int {
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

/// What one party sends to the other over a whole job that goes to its end.
package struct LineTotal: Sendable, Hashable {
    /// Frames with their headers, in bytes.
    package var bytes = 0
    package var frames = 0
    /// Bytes of the frames' payloads that a ledger may keep: heads of ledgers are none of them.
    package var payloadBytes = 0
    /// Frames that have a record.
    package var records = 0

    package init() {}
}

extension TransferCounts {
    /// - Parameter rounds: that are run.
    /// - Returns: nothing while a count is missing.
    package func total(from role: Role, rounds: Int) -> LineTotal? {
        var line = LineWriter(counts: self, role: role)
        for message in Self.openingMessages { line.add(message) }
        line.add(.paillierKey)
        for notice in 0..<((listed[role] ?? 1) - 1) / Self.blindedPerNotice {
            line.add(.blindingProgress(.filled { $0.count = UInt64((notice + 1) * Self.blindedPerNotice) }))
        }
        line.add(.alignmentOpening)
        line.addBlocks(.blindedPoints)
        if role == .platform { line.addBlocks(revealsSizeOnly ? .sortedPoints : .doublyBlindedPoints) }
        if revealsSizeOnly {
            if role == .bank { line.add(.intersectionSize) }
        } else if !revealsToBankAlone {
            line.add(.seedReveal(.filled { $0.seed = Self.zeros(32) }))
            if role == .bank { line.addBlocks(.matches) }
        }
        // Sizes in heads are those of both directions, which differ by little: only their digits count.
        line.addHeads(round: 0, received: line.total.records)
        if isAligning {
            line.add(.closing)
            return line.isComplete ? line.total : nil
        }
        guard isTraining else { return finish(&line) }
        line.add(.columns)
        if role == .bank { line.add(.curvature(.filled { $0.exponent = -3 })) }
        line.addHeads(round: 0, received: line.total.records)
        for round in 1...max(1, rounds) {
            line.addBlocks(.roundRows, round: round)
            line.add(.maskedValues, round: round)
            line.add(.returnedBits, round: round)
            line.addHeads(round: round, received: line.total.records)
        }
        return finish(&line)
    }

    private func finish(_ line: inout LineWriter) -> LineTotal? {
        if line.role == .platform { line.addBlocks(.partialScores) }
        line.addHeads(round: 0, received: line.total.records)
        line.add(.closing)
        return line.isComplete ? line.total : nil
    }

    fileprivate static func zeros(_ count: Int) -> Data { Data(count: count) }

    private static let openingMessages: [Message] = [
        .hello(.filled {
            $0.version = ProtocolVersion.current
            $0.specificationDigest = TransferCounts.zeros(32)
            $0.contractDigest = TransferCounts.zeros(32)
            $0.secretCommitments = TransferCounts.zeros(7 * 32)
            $0.agreementKey = TransferCounts.zeros(32)
        }),
        .nonce(.filled { $0.nonce = TransferCounts.zeros(32) }),
    ]
}

/// Adds up the frames of one direction.
private struct LineWriter {
    let counts: TransferCounts
    let role: Role
    private(set) var total = LineTotal()
    private(set) var isComplete = true

    init(counts: TransferCounts, role: Role) {
        self.counts = counts
        self.role = role
    }

    private mutating func add(payload: Int, times: Int = 1, isRecorded: Bool = true) {
        total.frames += times
        total.bytes += times * (Frame.headerBytes + payload)
        guard isRecorded else { return }
        total.records += times
        total.payloadBytes += times * payload
    }

    mutating func add(_ message: Message) { add(payload: message.encodePayload().count) }

    mutating func add(_ kind: MessageKind, round: Int = 0, block: Int = 0) {
        guard let bytes = counts.payloadBytes(kind, from: role, round: round, block: block, index: total.records) else { return isComplete = false }
        add(payload: bytes)
    }

    /// Blocks differ in length by the digits of their number, and the last may hold less.
    mutating func addBlocks(_ kind: MessageKind, round: Int = 0) {
        guard let (count, perBlock) = counts.blocks(kind, from: role), let count else { return isComplete = false }
        let full = count / perBlock
        var first = 0
        while first < full {
            let end = min(full, first == 0 ? 1 : first == 1 ? 128 : first << 7)
            guard let bytes = counts.payloadBytes(kind, from: role, round: round, block: first, index: total.records) else {
                return isComplete = false
            }
            add(payload: bytes, times: end - first)
            first = end
        }
        if count % perBlock > 0 { add(kind, round: round, block: full) }
    }

    mutating func addHeads(round: Int, received: Int) {
        add(payload: Message.ledgerHeads(.filled {
            $0.round = UInt32(clamping: round)
            $0.sentSize = UInt64(total.records)
            $0.sentRoot = TransferCounts.zeros(32)
            $0.sentSignature = TransferCounts.zeros(64)
            $0.receivedSize = UInt64(received)
            $0.receivedRoot = TransferCounts.zeros(32)
            $0.receivedSignature = TransferCounts.zeros(64)
        }).encodePayload().count, isRecorded: false)
    }
}
