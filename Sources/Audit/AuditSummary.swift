import Faults
import Foundation
import Jobs
import Ledger
import Wire

/// A job in words for people who were not there: what was asked, who consented, what crossed, what was checked, and what no
/// check of this kind can show.
package struct AuditSummary: Sendable {
    /// Frames of one kind in one direction.
    package struct Traffic: Sendable {
        package let from: AuditedFlow.End
        package let to: AuditedFlow.End
        package let kind: MessageKind
        package fileprivate(set) var frames = 0
        /// Of payloads.
        package fileprivate(set) var bytes: UInt64 = 0
    }

    /// How far one direction had come at a frame.
    package struct Point: Sendable {
        package let frames: Int
        package let bytes: UInt64
        package let phase: Phase
    }

    /// What a party answered when it was asked, as far as this ledger has it.
    package enum Answer: Sendable {
        case consented
        case refused(Phrase)
        /// A start says that all had consented.
        case followsFromStart
        case unknown
    }

    package struct Check: Sendable {
        package let name: Phrase
        package let report: AuditReport
    }

    package let manifest: LedgerManifest
    /// When all payloads were deleted, their lifetime over.
    let expiry: Date?
    package let contract: Contract
    package let specification: JobSpecification
    package private(set) var traffic: [Traffic] = []
    /// Of the line between bank and platform, by direction.
    package private(set) var course: [(from: AuditedFlow.End, to: AuditedFlow.End, points: [Point])] = []
    package private(set) var answers: [(party: AuditedFlow.End, answer: Answer)] = []
    /// How the job ended, as this node reported it, or was told.
    package private(set) var ending: Phrase
    package private(set) var account: ByteAccount?
    package let checks: [Check]

    /// - Parameter others: ledgers of the same job at other nodes, to be held against this one.
    /// - Returns: nothing where the documents are so broken that nothing can be told; `report` says why.
    package static func of(_ directory: LedgerDirectory, others: [LedgerDirectory], report: inout AuditReport) -> AuditSummary? {
        guard let ledger = AuditedLedger.open(directory, report: &report) else { return nil }
        var checks = [
            Check(name: Phrase(en: "records, payloads, order, lengths, signed heads, bytes on the socket", zh: "记录、载荷、顺序、长度、签名树头、套接字字节"),
                  report: Verification.verify(directory)),
        ]
        if ledger.dataLine != nil {
            checks.append(Check(name: Phrase(en: "every kept ciphertext, with the public keys", zh: "以公钥核查留存的全部密文"),
                                report: CiphertextChecks.check(directory)))
        }
        if !others.isEmpty {
            checks.append(Check(name: Phrase(en: "frame by frame beside the ledgers of the other nodes", zh: "与其他节点的账本逐帧核对"),
                                report: Reconciliation.reconcile([directory] + others)))
        }
        return AuditSummary(ledger, checks)
    }

    private init(_ ledger: AuditedLedger, _ checks: [Check]) {
        manifest = ledger.manifest
        expiry = ledger.expiry
        contract = ledger.contract
        specification = ledger.specification
        self.checks = checks
        ending = Phrase(en: "the ledger does not say how the job ended", zh: "账本未记载任务如何结束")
        for line in ledger.lines {
            for flow in line.flows { count(flow) }
        }
        answers = Self.answers(ledger)
        ending = Self.ending(ledger) ?? ending
        account = ledger.dataLine.flatMap { ledger.account(of: $0.peer.name) }
        for flow in ledger.dataLine?.flows ?? [] { course.append((flow.from, flow.to, Self.points(flow))) }
    }

    package var holds: Bool { checks.allSatisfy(\.report.holds) }

    private mutating func count(_ flow: AuditedFlow) {
        var byKind: [MessageKind: Traffic] = [:]
        for record in flow.records.lazy.compactMap({ $0 }) {
            var traffic = byKind[record.kind] ?? Traffic(from: flow.from, to: flow.to, kind: record.kind)
            traffic.frames += 1
            traffic.bytes += min(record.length, UInt64(record.kind.row.maximumPayloadBytes))
            byKind[record.kind] = traffic
        }
        traffic += byKind.values.sorted { $0.kind.rawValue < $1.kind.rawValue }
    }

    /// At most some hundreds, the first and the last among them.
    private static func points(_ flow: AuditedFlow) -> [Point] {
        let stride = max(1, flow.records.count / 300)
        var points: [Point] = []
        var bytes: UInt64 = 0
        for (index, record) in flow.records.enumerated() {
            guard let record else { continue }
            bytes += min(record.length, UInt64(record.kind.row.maximumPayloadBytes))
            let isNewPhase = points.last.map { $0.phase != record.phase } ?? true
            if index % stride == 0 || isNewPhase || index == flow.records.count - 1 {
                points.append(Point(frames: index + 1, bytes: bytes, phase: record.phase))
            }
        }
        return points
    }

    private static func answers(_ ledger: AuditedLedger) -> [(party: AuditedFlow.End, answer: Answer)] {
        let own = AuditedFlow.End(name: ledger.manifest.node, role: ledger.manifest.role)
        var ends = ledger.lines.map(\.peer).filter { $0.role != .arbiter }
        if own.role != .arbiter { ends.append(own) }
        let hasStarted = ledger.lines.flatMap(\.flows).contains { flow in flow.records.contains { $0?.kind == .jobStart } }
        return ends.sorted { $0.role.rawValue < $1.role.rawValue }.map { end in
            for flow in ledger.lines.flatMap(\.flows) where flow.from == end {
                guard let record = flow.records.lazy.compactMap({ $0 }).first(where: { $0.kind == .jobAnswer }) else { continue }
                // Consent is the empty message.
                if record.length == 0 { return (end, .consented) }
                guard case .jobAnswer(let answer)? = ledger.message(record, flow.direction) else { return (end, .refused(Phrase(en: "reason not kept", zh: "理由未留存"))) }
                return (end, .refused(answer.refusal.fault(from: end.name).message))
            }
            return (end, hasStarted ? .followsFromStart : .unknown)
        }
    }

    private static func ending(_ ledger: AuditedLedger) -> Phrase? {
        let flows = ledger.controlLines.flatMap(\.flows)
        var completed: [String] = []
        for flow in flows {
            for record in flow.records.lazy.compactMap({ $0 }) where record.kind == .jobEnd || record.kind == .jobStop {
                if record.kind == .jobEnd, record.length == 0 {
                    completed.append(flow.from.name)
                    continue
                }
                let reason: Phrase? = switch ledger.message(record, flow.direction) {
                case .jobEnd(let end): end.fault.fault(from: flow.from.name).message
                case .jobStop(let stop): stop.fault.fault(from: flow.from.name).message
                default: nil
                }
                let why = reason ?? Phrase(en: "the reason was not kept", zh: "原因未留存")
                return Phrase(en: "ended by \(flow.from.name): \(why.en)", zh: "由 \(flow.from.name) 终止：\(why.zh)")
            }
        }
        guard !completed.isEmpty else { return nil }
        return Phrase(en: "reported as completed by \(completed.joined(separator: ", "))", zh: "\(completed.joined(separator: "、")) 报告已完成")
    }
}

// In words

extension AuditSummary {
    package var asked: [(label: Phrase, value: Phrase)] {
        func same(_ text: String) -> Phrase { Phrase(en: text, zh: text) }
        let parties = specification.parties
        var rows: [(label: Phrase, value: Phrase)] = [
            (Phrase(en: "job", zh: "任务"), same("\(specification.name) (\(manifest.job))")),
            (Phrase(en: "kind", zh: "类型"), specification.kind.phrase),
            (Phrase(en: "purpose", zh: "用途"), same("\(specification.purpose.code): \(specification.purpose.statement)")),
            (Phrase(en: "bank", zh: "银行"), same("\(parties.bank) (\(specification.data.bank), \(specification.population.bankId))")),
            (Phrase(en: "platform", zh: "平台"), same("\(parties.platform) (\(specification.data.platform), \(specification.population.platformId))")),
        ]
        if let training = specification.training {
            rows += [
                (Phrase(en: "label", zh: "标签"), same(training.label.column)),
                (Phrase(en: "columns of the bank", zh: "银行的列"), same(training.features.bank.map(\.column).joined(separator: ", "))),
                (Phrase(en: "columns of the platform", zh: "平台的列"), same(training.features.platform.map(\.column).joined(separator: ", "))),
                (Phrase(en: "key length", zh: "密钥长度"), Phrase(en: "\(training.settings.keyBits) bits", zh: "\(training.settings.keyBits) 位")),
                (Phrase(en: "rounds at most", zh: "轮数上限"), same("\(training.settings.maximumRounds)")),
            ]
        }
        if let within = specification.alignment?.within { rows.append((Phrase(en: "within the result of job", zh: "限于任务的结果"), same(within))) }
        if let scoring = specification.scoring { rows.append((Phrase(en: "model of job", zh: "所用模型的任务"), same(scoring.model))) }
        return rows
    }

    package static func words(_ answer: Answer) -> Phrase {
        switch answer {
        case .consented: Phrase(en: "consented; the answer is recorded", zh: "已同意，答复有记录")
        case .refused(let reason): Phrase(en: "refused: \(reason.en)", zh: "已拒绝：\(reason.zh)")
        case .followsFromStart: Phrase(en: "its answer is not in this ledger; the arbiter's recorded start says that it consented", zh: "其答复不在本账本；仲裁方的启动记录表明其已同意")
        case .unknown: Phrase(en: "no answer is recorded, and no start", zh: "没有答复记录，也没有启动记录")
        }
    }

    /// What such records cannot show, whoever checks them.
    package var limits: [Phrase] {
        var limits = [
            Phrase(en: "Which numbers were encrypted. That ciphertexts are well formed, randomised and never repeated is checked; what is in them only their owner can show, by running the job again from the recorded frames.",
                   zh: "密文中是什么数。可以核查密文格式正确、加了随机数且从不重复；其中的内容只有数据方自己能证明，即以记录的帧重新运行任务。"),
            Phrase(en: "That the data a party brought were true.", zh: "参与方所用数据是否真实。"),
            Phrase(en: "That nothing crossed in another way: over another connection, by mail, by hand.", zh: "是否另有途径传输：其他连接、邮件或人工传递。"),
            Phrase(en: "Anything against bank, platform and arbiter together: with all three ledger keys a whole history can be written anew.",
                   zh: "对三方合谋无能为力：银行、平台、仲裁方三把账本密钥合在一起，可以重写全部历史。"),
            Phrase(en: "What came after the last head that all three signed, and the lines to the arbiter, from one ledger alone: these show beside the other end's ledger.",
                   zh: "仅凭一份账本，无法证明最后一个三方签名树头之后的帧以及与仲裁方的线路；须与对端账本核对。"),
            Phrase(en: "When a frame crossed: records hold an order, and no clock.", zh: "帧在何时传输：记录只有顺序，没有时钟。"),
        ]
        if manifest.retention != .all {
            limits.append(Phrase(en: "What payloads said that this node did not keep (\(manifest.retention.rawValue)): only their lengths and digests are here.",
                                 zh: "本节点未留存的载荷（\(manifest.retention.rawValue)）的内容：此处只有其长度与摘要。"))
        }
        if let expiry {
            limits.append(Phrase(en: "What payloads said: their lifetime ended, and this node deleted them at \(expiry.formatted(.iso8601)), by a signed receipt.",
                                 zh: "载荷内容：其留存期满，本节点已于 \(expiry.formatted(.iso8601)) 删除，并留有签名凭证。"))
        }
        return limits
    }

    /// Without pictures.
    package func lines(_ language: Language) -> [String] {
        let colon = Phrase(en: ": ", zh: "：")(language)
        var lines = asked.map { $0.label(language) + colon + $0.value(language) }
        lines += answers.map { $0.party.name + colon + Self.words($0.answer)(language) }
        lines.append(ending(language))
        for traffic in traffic {
            lines.append(Phrase(en: "\(traffic.from.name) to \(traffic.to.name): \(traffic.frames) x \(traffic.kind.name), \(traffic.bytes) bytes: \(traffic.kind.row.reveals.en)",
                                zh: "\(traffic.from.name) 至 \(traffic.to.name)：\(traffic.kind.name) \(traffic.frames) 帧，\(traffic.bytes) 字节：\(traffic.kind.row.reveals.zh)")(language))
        }
        for check in checks { lines += [check.name(language) + colon] + check.report.lines(language).map { "  " + $0 } }
        lines.append(Phrase(en: "What this cannot show:", zh: "以上不能证明：")(language))
        return lines + limits.map { "  " + $0(language) }
    }

    package func json(_ language: Language) -> JSONValue {
        .object([
            "job": .text("\(manifest.job)"), "attempt": .integer(manifest.attempt), "node": .text(manifest.node), "role": .text(manifest.role.rawValue),
            "retention": .text(manifest.retention.rawValue), "holds": .bool(holds), "ending": .text(ending(language)),
            "specification": (try? JSONValue.parse(Array(specification.canonicalJSON().utf8), as: "specification")) ?? .null,
            "answers": .object(Dictionary(answers.map { ($0.party.name, .text(Self.words($0.answer)(language))) }, uniquingKeysWith: { first, _ in first })),
            "traffic": .array(traffic.map {
                .object(["from": .text($0.from.name), "to": .text($0.to.name), "message": .text($0.kind.name), "frames": .integer($0.frames),
                         "bytes": .integer($0.bytes), "reveals": .text($0.kind.row.reveals(language))])
            }),
            "course": .array(course.map { flow in
                .object(["from": .text(flow.from.name), "to": .text(flow.to.name), "points": .array(flow.points.map {
                    .object(["frames": .integer($0.frames), "bytes": .integer($0.bytes), "phase": .text($0.phase.name.en)])
                })])
            }),
            "socket": account.map { .object(["sent": $0.sent.json, "received": $0.received.json]) } ?? .null,
            "checks": .array(checks.map { .object(["check": .text($0.name(language)), "report": $0.report.json(language)]) }),
            "limits": .array(limits.map { .text($0(language)) }),
        ])
    }
}

extension ByteAccount.Flow {
    fileprivate var json: JSONValue {
        .object(["frames": .integer(frames), "frame_bytes": .integer(frame_bytes), "opening_bytes": .integer(opening_bytes),
                 "tls_records": .integer(tls_records), "socket_bytes": .integer(socket_bytes), "acknowledgement_bytes": .integer(acknowledgement_bytes ?? 0),
                 "connections": .integer(connections ?? 1)])
    }
}

extension JobSpecification.Kind {
    fileprivate var phrase: Phrase {
        switch self {
        case .train: Phrase(en: "train a joint model", zh: "联合训练")
        case .score: Phrase(en: "score", zh: "评分")
        case .align: Phrase(en: "align", zh: "样本对齐")
        }
    }
}
