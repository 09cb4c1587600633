import Faults
import Jobs
import Ledger
import Wire

/// Holds the ledgers of two or three nodes of one job against each other: what one sent, the other received, frame by
/// frame; and every head that anyone signed or submitted is one of the same trees.
package enum Reconciliation {
    /// - Parameter operations: ledgers of operations, held against what their nodes showed in these ledgers.
    package static func reconcile(_ directories: [LedgerDirectory], operations: [OperationsDirectory] = []) -> AuditReport {
        var report = AuditReport()
        var ledgers: [AuditedLedger] = []
        for directory in directories {
            if let ledger = AuditedLedger.open(directory, report: &report) { ledgers.append(ledger) }
        }
        guard ledgers.count == directories.count else { return report }
        report = reconcile(ledgers, report)
        for directory in operations { OperationsChecks.hold(AuditedOperations(directory, &report), against: ledgers, &report) }
        return report
    }

    /// - Parameter report: what opening them has found.
    package static func reconcile(_ ledgers: [AuditedLedger], _ report: AuditReport = AuditReport()) -> AuditReport {
        var report = report
        guard sameJob(ledgers, &report) else { return report }
        for (index, first) in ledgers.enumerated() {
            for second in ledgers[(index + 1)...] { compare(first, second, &report) }
        }
        for ledger in ledgers { submissions(of: ledger, among: ledgers, &report) }
        return report
    }

    private static func sameJob(_ ledgers: [AuditedLedger], _ report: inout AuditReport) -> Bool {
        guard let first = ledgers.first else { return false }
        var isSame = true
        for other in ledgers.dropFirst() {
            let (a, b) = (first.manifest, other.manifest)
            guard a.job == b.job, a.attempt == b.attempt, a.contractDigest == b.contractDigest, a.specificationDigest == b.specificationDigest else {
                report.add(.sameJob, at: Place(ledger: b.node, file: LedgerFile.manifest),
                           en: "is of another job, attempt, contract or specification than \(a.node)'s", zh: "与 \(a.node) 的任务、尝试、契约或任务说明不一致")
                isSame = false
                continue
            }
        }
        if Set(ledgers.map(\.manifest.node)).count < ledgers.count {
            report.add(.sameJob, at: Place(ledger: first.manifest.node), en: "was given twice", zh: "重复给出")
            isSame = false
        }
        return isSame
    }

    private static func compare(_ first: AuditedLedger, _ second: AuditedLedger, _ report: inout AuditReport) {
        let (a, b) = (first.line(to: second.manifest.node), second.line(to: first.manifest.node))
        guard let a, let b else {
            for (line, ledger, peer) in [(a, first, second), (b, second, first)] where line == nil && (a != nil || b != nil) {
                report.add(.frameMissing, at: Place(ledger: ledger.manifest.node, line: peer.manifest.node),
                           en: "has no record of this line; the other end has", zh: "没有该线路的记录，而另一端有")
            }
            return
        }
        compare(sent: a.sent, received: b.received, &report)
        compare(sent: b.sent, received: a.received, &report)
        ByteChecks.compare(first, second, &report)
    }

    private static func compare(sent: AuditedFlow, received: AuditedFlow, _ report: inout AuditReport) {
        let (from, to) = (sent.from.name, sent.to.name)
        let common = min(sent.records.count, received.records.count)
        if sent.tree.root(at: UInt64(common)) != received.tree.root(at: UInt64(common)),
           let index = (0..<common).first(where: { sent.records[$0] != received.records[$0] || sent.records[$0] == nil }) {
            let words = difference(sent.records[index], received.records[index])
            report.add(.frameDiffers, at: sent.place(index), en: "is the first that differs from what \(to) recorded: \(words.en)",
                       zh: "自此帧起与 \(to) 的记录不符：\(words.zh)")
        } else if sent.records.count != received.records.count {
            let isAtSender = sent.records.count > common
            let (holder, other) = isAtSender ? (sent, to) : (received, from)
            let further = holder.records.count - common - 1
            report.add(.frameMissing, at: holder.place(common), en: "and \(further) frames after it are recorded here and not at \(other)",
                       zh: "及其后 \(further) 帧仅见于此，\(other) 没有记录")
        }
        heads(sent, received, &report)
        report.state(en: "\(from) to \(to): \(sent.records.count) frames sent, \(received.records.count) received",
                     zh: "\(from) 至 \(to)：发送 \(sent.records.count) 帧，接收 \(received.records.count) 帧")
    }

    private static func difference(_ sent: FrameRecord?, _ received: FrameRecord?) -> Phrase {
        guard let sent, let received else { return Phrase(en: "it is no record at one end", zh: "一端的内容不是有效记录") }
        var fields: [Phrase] = []
        if sent.sequence != received.sequence { fields.append(Phrase(en: "number", zh: "序号")) }
        if sent.kind != received.kind { fields.append(Phrase(en: "kind", zh: "种类")) }
        if sent.phase != received.phase { fields.append(Phrase(en: "phase", zh: "阶段")) }
        if sent.attempt != received.attempt { fields.append(Phrase(en: "attempt", zh: "尝试")) }
        if sent.length != received.length { fields.append(Phrase(en: "length", zh: "长度")) }
        if sent.salt != received.salt { fields.append(Phrase(en: "salt", zh: "盐")) }
        if sent.digest != received.digest || sent.sm3Digest != received.sm3Digest { fields.append(Phrase(en: "digest", zh: "摘要")) }
        return Phrase(en: fields.map(\.en).joined(separator: ", "), zh: fields.map(\.zh).joined(separator: "、"))
    }

    /// Every head that either end keeps is of one history.
    private static func heads(_ sent: AuditedFlow, _ received: AuditedFlow, _ report: inout AuditReport) {
        func roots(_ flow: AuditedFlow) -> [UInt64: [UInt8]] {
            return Dictionary(flow.heads.compactMap(\.head).map { ($0.size, $0.root) }, uniquingKeysWith: { first, _ in first })
        }
        let (own, other) = (roots(sent), roots(received))
        for size in Set(own.keys).union(other.keys).sorted() {
            guard let a = own[size], let b = other[size] else {
                let holder = own[size] == nil ? received : sent
                report.add(.headMissing, at: holder.place(heads: nil), en: "the head of \(size) frames is kept here and not at the other end",
                           zh: "\(size) 帧的树头仅见于此，另一端没有")
                continue
            }
            if a != b {
                report.add(.twoRoots, at: sent.place(heads: nil), en: "two roots were signed for \(size) frames: \(short(a)) here, \(short(b)) at the other end",
                           zh: "对同一 \(size) 帧签署了两个树根：此处 \(short(a))，另一端 \(short(b))")
            }
        }
    }

    /// What a party showed the arbiter is what the other party's ledger holds.
    private static func submissions(of ledger: AuditedLedger, among ledgers: [AuditedLedger], _ report: inout AuditReport) {
        for line in ledger.lines {
            for flow in line.flows where flow.to.role == .arbiter {
                for (index, record) in flow.records.enumerated() {
                    if let record, record.kind == .directionHead, case .directionHead(let head)? = ledger.message(record, flow.direction) {
                        for other in ledgers where HeadChecks.differs(head, in: other, of: flow.from) {
                            report.add(.twoRoots, at: flow.place(index),
                                       en: "\(flow.from.name) showed the arbiter another head than \(other.manifest.node)'s ledger has",
                                       zh: "\(flow.from.name) 提交给仲裁方的树头与 \(other.manifest.node) 的账本不符")
                        }
                    }
                    guard let record, record.kind == .headSubmission, case .headSubmission(let submission)? = ledger.message(record, flow.direction)
                    else { continue }
                    for other in ledgers where HeadChecks.differs(submission, in: other, from: flow.from) {
                        report.add(.twoRoots, at: flow.place(index),
                                   en: "\(flow.from.name) showed the arbiter another head than \(other.manifest.node)'s ledger has",
                                   zh: "\(flow.from.name) 提交给仲裁方的树头与 \(other.manifest.node) 的账本不符")
                    }
                }
            }
        }
    }
}
