import Jobs
import Ledger
import Wire

/// Counts of a job as its ledger shows them, as far as the specification and the kept payloads give them.
extension TransferCounts {
    init(_ ledger: AuditedLedger) {
        let training = ledger.specification.training
        self.init(isTraining: training != nil, degree: training?.settings.degree ?? 0, share: training?.split.share ?? 0,
                  keyBytes: (training?.settings.keyBits).map { $0 / 8 })
        isAligning = ledger.specification.alignment != nil
        revealsSizeOnly = ledger.specification.alignment?.reveals == .size
        revealsToBankAlone = ledger.specification.alignment?.reveals == .bank
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
                UInt64(Self.canonical(.bytes($0), .bytes(Self.certificateRoots * $0))) == record.length
            }
        case .alignmentOpening where listed[role] == nil:
            guard case .alignmentOpening(let opening)? = ledger.message(record, flow.direction) else { return }
            listed[role] = Int(UInt32(clamping: opening.count))
        case .matches where aligned == nil:
            guard case .matches(let matches)? = ledger.message(record, flow.direction) else { return }
            aligned = Int(matches.total)
        case .intersectionSize where aligned == nil:
            guard case .intersectionSize(let size)? = ledger.message(record, flow.direction) else { return }
            aligned = Int(UInt32(clamping: size.total))
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
            listed[flow.from.role] = (0...length / Self.pointBytes).last { Self.canonical(.number(block), .bytes(Self.pointBytes * $0)) == length }
                .map { block * Self.pointsPerBlock + $0 }
        }
        if aligned == nil, let (block, length) = last(.matches) {
            let before = block * Self.positionsPerBlock
            aligned = (0...length / 4).last { Self.canonical(.number(before + $0), .number(block), .bytes(4 * $0)) == length }.map { before + $0 }
        }
    }
}
