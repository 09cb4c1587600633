import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Wire

/// Heads against the records that they speak of, and against the keys of the contract.
enum HeadChecks {
    /// - Parameter isData: on the line between bank and platform.
    static func check(_ flow: AuditedFlow, isData: Bool, _ ledger: AuditedLedger, _ report: inout AuditReport) {
        guard isData else {
            if !flow.heads.isEmpty {
                report.add(.headForm, at: flow.place(heads: nil), en: "a line to the arbiter has no heads", zh: "与仲裁方的线路不应有树头")
            }
            return
        }
        let heads = heads(flow, ledger, &report)
        missing(flow, heads, &report)
        granted(flow, ledger, &report)
    }

    /// - Returns: heads whose text is that of this direction.
    private static func heads(_ flow: AuditedFlow, _ ledger: AuditedLedger, _ report: inout AuditReport) -> [Head] {
        let signers = [flow.from.name, flow.to.name, ledger.contract.arbiter.name].compactMap { name in
            ledger.contract.parties.first { $0.name == name }.flatMap { party in
                (try? Ed25519.VerifyingKey(bytes: party.ledgerKey)).map { (name: name, key: $0) }
            }
        }
        var heads: [Head] = []
        // Two that differ, at most.
        var roots: [UInt64: [[UInt8]]] = [:]
        for entry in flow.heads {
            let place = flow.place(heads: entry.offset)
            guard let note = entry.note, let head = entry.head else {
                report.add(.headForm, at: place, en: "is no signed head", zh: "不是有效的签名树头")
                continue
            }
            guard head.job == ledger.manifest.job, head.attempt == ledger.manifest.attempt, head.sender == flow.from.name,
                  head.receiver == flow.to.name
            else {
                report.add(.headOrigin, at: place, en: "speaks of another job, attempt or direction", zh: "属于其他任务、尝试或方向")
                continue
            }
            let missing = signers.filter { !ledger.signatures.isSigned(note, by: $0.name, $0.key) }.map(\.name)
            if !missing.isEmpty {
                report.add(.headSignatures, at: place, en: "no valid signature of \(missing.joined(separator: ", "))",
                           zh: "缺少 \(missing.joined(separator: "、")) 的有效签名")
            } else if note.signatures.count != signers.count {
                report.add(.headSignatures, at: place, en: "carries signatures of others", zh: "含有其他方的签名")
            }
            if let earlier = heads.last, head.size < earlier.size {
                report.add(.headGrowth, at: place, en: "size \(head.size) follows \(earlier.size)", zh: "大小 \(head.size) 出现在 \(earlier.size) 之后")
            }
            let earlier = roots[head.size, default: []]
            if let other = earlier.first(where: { $0 != head.root }) {
                report.add(.twoRoots, at: place, en: "two roots were signed for \(head.size) frames: \(short(other)) and \(short(head.root))",
                           zh: "对同一 \(head.size) 帧签署了两个树根：\(short(other)) 与 \(short(head.root))")
            }
            if earlier.count < 2, !earlier.contains(head.root) { roots[head.size] = earlier + [head.root] }
            heads.append(head)
            guard let root = flow.tree.root(at: head.size) else {
                report.add(.headRoot, at: place, en: "\(head.size) frames were signed, \(flow.records.count) are there",
                           zh: "已签署 \(head.size) 帧，现有 \(flow.records.count) 帧")
                continue
            }
            if root != head.root {
                report.add(.headRoot, at: place, en: "the first \(head.size) frames are not those that were signed",
                           zh: "前 \(head.size) 帧与签署时不符")
            }
        }
        return heads
    }

    /// Each time that the arbiter signed is a head of each direction; the last may have come too late for that.
    private static func granted(_ flow: AuditedFlow, _ ledger: AuditedLedger, _ report: inout AuditReport) {
        guard let control = ledger.line(to: ledger.contract.arbiter.name) else { return }
        let signed = control.received.records.count { $0?.kind == .headSignatures }
        let (kept, isCompleted) = (flow.heads.count - midway(flow).count, control.sent.records.contains { $0?.kind == .jobEnd && $0?.length == 0 })
        if kept != signed, isCompleted || kept + 1 != signed {
            report.add(.headMissing, at: flow.place(heads: nil), en: "holds \(kept) heads; the arbiter signed \(signed) times",
                       zh: "存有 \(kept) 个树头，而仲裁方签署了 \(signed) 次")
        }
    }

    /// A phase, and a round, does not go on before its end is signed.
    private static func missing(_ flow: AuditedFlow, _ heads: [Head], _ report: inout AuditReport) {
        let sizes = Set(heads.map(\.size))
        for boundary in boundaries(flow.records) where !sizes.contains(UInt64(boundary.size)) {
            report.add(.headMissing, at: flow.place(boundary.size),
                       en: "comes after the end of \(boundary.of.en), where \(boundary.size) frames should have been signed",
                       zh: "位于\(boundary.of.zh)结束之后，此前的 \(boundary.size) 帧本应已签署")
        }
    }

    /// Indexes of the frames that began something new, with the name of what had ended.
    private static func boundaries(_ records: [FrameRecord?]) -> [(size: Int, of: Phrase)] {
        var boundaries: [(size: Int, of: Phrase)] = stride(from: Int(Head.interval), to: records.count, by: Int(Head.interval))
            .filter { records[$0]?.kind != .abort }.map { ($0, Phrase(en: "\(Head.interval) frames", zh: " \(Head.interval) 帧")) }
        var round = 0
        for (index, record) in records.enumerated() {
            guard let record, record.kind != .abort, index > 0, let earlier = records[index - 1] else { continue }
            if earlier.kind == .returnedBits {
                round += 1
                boundaries.append((index, Phrase(en: "round \(round)", zh: "第 \(round) 轮")))
            } else if record.phase != earlier.phase, earlier.phase.rawValue >= Phase.alignment.rawValue {
                boundaries.append((index, earlier.phase.name))
            }
        }
        return boundaries
    }

    /// Sizes at which a head was made in the middle of a phase: beside it there may be one of the phase's end.
    static func midway(_ flow: AuditedFlow) -> Set<UInt64> {
        Set(flow.heads.compactMap { $0.note.flatMap { Head(text: $0.text)?.size } }.filter { Head.isDue($0) })
    }

    /// - Parameter party: at whose line with the arbiter it was.
    static func differs(_ head: DirectionHead, in ledger: AuditedLedger, of party: AuditedFlow.End) -> Bool {
        guard let line = ledger.dataLine else { return false }
        let flow = head.sent == (party.name == ledger.manifest.node) ? line.sent : line.received
        return flow.tree.root(at: head.size) != head.root.octets
    }

    /// Whether what was submitted to the arbiter is not what a party's ledger holds.
    /// - Parameter from: who submitted.
    static func differs(_ submission: HeadSubmission, in ledger: AuditedLedger, from: AuditedFlow.End) -> Bool {
        guard let line = ledger.dataLine else { return false }
        let heads = submission.heads
        let isOwn = from.name == ledger.manifest.node
        let (sent, received) = isOwn ? (line.sent, line.received) : (line.received, line.sent)
        return sent.tree.root(at: heads.sentSize) != heads.sentRoot.octets || received.tree.root(at: heads.receivedSize) != heads.receivedRoot.octets
    }
}
