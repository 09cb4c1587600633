import Faults
import Jobs
import Ledger
import Primitives
import Wire

/// Holds one ledger to its own documents, to the table of messages, to the order of the protocol and to the heads that
/// others have signed. Needs no node and no secret. Source: `Protocols/ledger.md`.
package enum Verification {
    package static func verify(_ directory: LedgerDirectory) -> AuditReport {
        var report = AuditReport()
        guard let ledger = AuditedLedger.open(directory, report: &report) else { return report }
        return verify(ledger, report)
    }

    /// - Parameters:
    ///   - report: what opening it has found.
    ///   - file: of records or heads. Only the direction whose file that is, is checked: a part of all that is checked otherwise.
    package static func verify(_ ledger: AuditedLedger, _ report: AuditReport = AuditReport(), only file: String? = nil) -> AuditReport {
        var checks = Checks(ledger: ledger, counts: TransferCounts(ledger), report: report)
        for line in ledger.lines {
            for flow in line.flows where file.map({ $0 == flow.recordsFile || $0 == flow.headsFile }) ?? true {
                let isData = line.carriesData(ledger.manifest.role)
                checks.check(flow, isData: isData)
                HeadChecks.check(flow, isData: isData, ledger, &checks.report)
            }
        }
        guard file == nil else { return checks.report }
        checks.completeness()
        checks.leftovers()
        checks.state()
        return checks.report
    }

    /// How many findings there are in the ledger at a path, its ciphertexts included; nothing where it cannot be read.
    @Sendable package static func findings(_ path: String) -> Int? {
        guard let directory = try? LedgerDirectory.open(path) else { return nil }
        return [verify(directory), CiphertextChecks.check(directory)].reduce(0) { $0 + $1.findings.count + $1.furtherFindings }
    }

    private struct Checks {
        let ledger: AuditedLedger
        let counts: TransferCounts
        var report: AuditReport
        var frames = 0
        var opened = 0
        var bytes: UInt64 = 0
        /// Directions of the data line that end with `Closing`.
        var closed = 0

        // Record by record

        mutating func check(_ flow: AuditedFlow, isData: Bool) {
            if flow.surplusBytes > 0 {
                report.add(.recordLength, at: flow.place(records: flow.records.count * flow.recordBytes),
                           en: "\(flow.surplusBytes) bytes are no whole record", zh: "末尾 \(flow.surplusBytes) 字节不构成完整记录")
            }
            var order = FrameOrder(from: flow.from.role, counts)
            var control = ControlOrder()
            var isInOrder = true
            var earlier: FrameRecord?
            let midway = isData ? HeadChecks.midway(flow) : []
            let headsAt: [UInt64: Int] = flow.heads.compactMap(\.head).reduce(into: [:]) { $0[$1.size, default: 0] += 1 }
            for (index, record) in flow.records.enumerated() {
                frames += 1
                guard let record else {
                    report.add(.recordFields, at: flow.place(index, offset: index * flow.recordBytes),
                               en: "names a kind or phase that does not exist", zh: "所列的消息种类或阶段不存在")
                    isInOrder = false
                    continue
                }
                bytes += min(record.length, UInt64(record.kind.row.maximumPayloadBytes))
                let place = flow.place(index)
                fields(record, flow, place)
                let framed = headsAt[UInt64(index), default: 0] - (midway.contains(UInt64(index)) ? 1 : 0)
                follow(earlier, record, at: index, heads: framed, isData: isData, place)
                earlier = record
                let message = payload(record, flow, place)
                guard isInOrder else { continue }
                if isData {
                    isInOrder = self.order(&order, record, message, index, place)
                } else if !control.take(record.kind, message) {
                    report.add(.order, at: place, en: "\(record.kind.name) may not come here", zh: "\(record.kind.name) 不应出现在此处")
                    isInOrder = false
                }
            }
            if isData, order.isClosed { closed += 1 }
        }

        private mutating func fields(_ record: FrameRecord, _ flow: AuditedFlow, _ place: Place) {
            let row = record.kind.row
            let (from, to) = (flow.from.role, flow.to.role)
            if !record.kind.isRecorded || !record.kind.allows(from: from, to: to) {
                report.add(.kind, at: place, en: "\(record.kind.name) may not go from \(from.name.en) to \(to.name.en)",
                           zh: "\(record.kind.name) 不允许由\(from.name.zh)发送给\(to.name.zh)")
            }
            if !row.phases.contains(record.phase) {
                report.add(.phase, at: place, en: "\(record.kind.name) does not belong to the phase \(record.phase.name.en)",
                           zh: "\(record.kind.name) 不属于“\(record.phase.name.zh)”阶段")
            }
            if record.attempt != ledger.manifest.attempt {
                report.add(.attempt, at: place, en: "is of attempt \(record.attempt), the ledger of \(ledger.manifest.attempt)",
                           zh: "属于第 \(record.attempt) 次尝试，账本属于第 \(ledger.manifest.attempt) 次")
            }
            if record.length > UInt64(row.maximumPayloadBytes) {
                report.add(.length, at: place, en: "\(record.length) bytes are more than \(record.kind.name) may hold (\(row.maximumPayloadBytes))",
                           zh: "\(record.length) 字节超过 \(record.kind.name) 的上限（\(row.maximumPayloadBytes)）")
            }
        }

        /// Frames of heads have numbers and no records: one is missing for every head that was made at this place, and perhaps
        /// one more before an abort.
        private mutating func follow(_ earlier: FrameRecord?, _ record: FrameRecord, at index: Int, heads: Int, isData: Bool, _ place: Place) {
            let expected = earlier.map { $0.sequence &+ 1 } ?? 0
            let skipped = record.sequence &- expected
            let isRising = earlier.map { record.sequence > $0.sequence } ?? true
            let isCounted = !isData || skipped == UInt64(heads) || record.kind == .abort && skipped == UInt64(heads) + 1
            if !isRising || !isCounted {
                let due = isData ? expected &+ UInt64(heads) : expected
                report.add(.sequence, at: place, en: "has number \(record.sequence) where \(due) follows",
                           zh: "序号为 \(record.sequence)，此处应为 \(due)")
            }
            if isData, let earlier, record.kind != .abort, record.phase.rawValue < earlier.phase.rawValue {
                report.add(.phase, at: place, en: "goes back to the phase \(record.phase.name.en)", zh: "退回到“\(record.phase.name.zh)”阶段")
            }
        }

        private mutating func payload(_ record: FrameRecord, _ flow: AuditedFlow, _ place: Place) -> Message? {
            switch ledger.payload(record, flow.direction) {
            case .notKept:
                return nil
            case .missing:
                report.add(.payloadKept, at: place, en: "its payload \(short(record.digest)) is not kept", zh: "其载荷 \(short(record.digest)) 未留存")
                return nil
            case .altered:
                report.add(.payloadDigest, at: place, en: "the kept payload is not the one that crossed (\(short(record.digest)))",
                           zh: "留存的载荷与传输时不符（\(short(record.digest))）")
                return nil
            case .bytes(let bytes):
                opened += 1
                do throws(WireFault) {
                    let message = try Message.decode(kind: record.kind, payload: bytes)
                    if let text = content(message, flow) { report.add(.payloadContent, at: place, en: text.en, zh: text.zh) }
                    return message
                } catch {
                    report.add(.payloadForm, at: place, en: "is no \(record.kind.name) as the table has it (\(error.rawValue))",
                               zh: "不符合消息表中 \(record.kind.name) 的形式（\(error.rawValue)）")
                    return nil
                }
            }
        }

        /// What in a message follows from the ledger's own documents and trees.
        private func content(_ message: Message, _ flow: AuditedFlow) -> Phrase? {
            let manifest = ledger.manifest
            switch message {
            case .jobOffer(let offer) where offer.specification.octets != ledger.directory.specification,
                 .jobOffer(let offer) where SHA256.hash(offer.specification.octets) != manifest.specificationDigest:
                return Phrase(en: "offers another specification", zh: "所发布的任务说明与账本不符")
            case .jobStart(let start) where start.specificationDigest.octets != manifest.specificationDigest:
                return Phrase(en: "starts another specification", zh: "所启动的任务说明与账本不符")
            case .hello(let hello) where hello.specificationDigest.octets != manifest.specificationDigest
                    || hello.contractDigest.octets != manifest.contractDigest:
                return Phrase(en: "names another specification or contract", zh: "所指的任务说明或契约与账本不符")
            case .hello(let hello) where flow.direction == .sent && !manifest.commitments.isEmpty
                    && hello.secretCommitments.octets != Purpose.allCases.flatMap({ manifest.commitments[$0] ?? [] }):
                return Phrase(en: "commits to other secrets than the manifest", zh: "对密钥的承诺与清单不符")
            case .headSubmission(let submission):
                return HeadChecks.differs(submission, in: ledger, from: flow.from)
                    ? Phrase(en: "shows the arbiter another head than this ledger has", zh: "提交给仲裁方的树头与本账本不符") : nil
            case .directionHead(let head):
                return HeadChecks.differs(head, in: ledger, of: flow.from.role == .arbiter ? flow.to : flow.from)
                    ? Phrase(en: "speaks of another head than this ledger has", zh: "所述的树头与本账本不符") : nil
            case .roundShare(let share):
                let most = (ledger.specification.training?.settings.history ?? 0) + 1
                let entries = share.paddedGram.count / 24
                return (1...most).contains { $0 * ($0 + 1) / 2 == entries } ? nil
                    : Phrase(en: "holds \(entries) sums, which no round has", zh: "含 \(entries) 个份额，任何轮次均不应如此")
            case .verdict(let verdict):
                let most = ledger.specification.training?.settings.history ?? 0
                let entries = verdict.gamma.count / 8
                return entries <= most ? nil : Phrase(en: "holds \(entries) coefficients of at most \(most)", zh: "含 \(entries) 个系数，最多为 \(most)")
            default:
                return nil
            }
        }

        // Order and counts

        /// - Returns: whether what follows can still be held to the order.
        private mutating func order(_ order: inout FrameOrder, _ record: FrameRecord, _ message: Message?, _ index: Int, _ place: Place) -> Bool {
            let position: FrameOrder.Position
            do throws(FrameOrder.Fault) {
                position = try order.take(record.kind)
            } catch {
                switch error {
                case .order(let allowed):
                    let names = allowed.map(\.name).joined(separator: ", ")
                    report.add(.order, at: place, en: "\(record.kind.name) may not come here" + (names.isEmpty ? "" : "; expected \(names)"),
                               zh: "\(record.kind.name) 不应出现在此处" + (names.isEmpty ? "" : "；应为 \(names)"))
                case .blocks(let kind, let found, let expected):
                    report.add(.count, at: place, en: "\(found) frames of \(kind.name) came before it, \(expected) were due",
                               zh: "此前有 \(found) 帧 \(kind.name)，应为 \(expected) 帧")
                }
                return false
            }
            count(record, message, position, index, place)
            return true
        }

        private mutating func count(_ record: FrameRecord, _ message: Message?, _ position: FrameOrder.Position, _ index: Int, _ place: Place) {
            let role = ledger.dataLine?.flows.first { $0.direction == place.direction }?.from.role ?? .bank
            if let expected = counts.payloadBytes(record.kind, from: role, round: position.round, block: position.block, index: index),
               record.length != UInt64(expected) {
                report.add(.length, at: place, en: "\(record.kind.name) has \(record.length) bytes; public counts give \(expected)",
                           zh: "\(record.kind.name) 为 \(record.length) 字节，由公开计数应为 \(expected)")
            }
            if record.kind == .maskedValues, let range = counts.maskedRange(role), let masked = counts.masked[role], !range.contains(masked) {
                report.add(.count, at: place, en: "asks for \(masked) ciphertexts to be decrypted, at most \(range.upperBound) are due",
                           zh: "请求解密 \(masked) 个密文，最多应为 \(range.upperBound)")
            }
            guard let message, let stated = message.stated else { return }
            let isInPlace = (stated.round ?? position.round) == position.round && (stated.block ?? position.block) == position.block
                && (stated.total ?? counts.aligned) == counts.aligned && (stated.framesSent ?? index + 1) == index + 1
            if !isInPlace {
                report.add(.count, at: place, en: "\(record.kind.name) states another round, block or count than its place gives",
                           zh: "\(record.kind.name) 所述的轮次、块号或计数与其位置不符")
            }
        }

        // The whole

        mutating func completeness() {
            let controls = ledger.controlLines.flatMap(\.flows)
            let kinds = controls.flatMap { flow in flow.records.compactMap { $0 } }
            // A job that ended well says nothing: the message is empty.
            let isCompleted = ledger.manifest.role != .arbiter && kinds.contains { $0.kind == .jobEnd && $0.length == 0 }
            ByteChecks.check(ledger, isCompleted: isCompleted, &report)
            let hasSubmitted = kinds.contains { $0.kind == .headSubmission }
            if ledger.manifest.role != .arbiter {
                if ledger.dataLine == nil, isCompleted || hasSubmitted || controls.isEmpty && !isBarelyBegun {
                    report.add(.file, at: Place(ledger: ledger.manifest.node), en: "holds no line to the other party", zh: "缺少与另一参与方的线路")
                }
                if isCompleted, closed < 2, let line = ledger.dataLine {
                    report.add(.order, at: Place(ledger: ledger.manifest.node, line: line.peer.name),
                               en: "the job was reported as completed, but this line was not closed", zh: "任务已报告完成，但该线路未正常结束")
                }
            } else if ledger.lines.isEmpty, !isBarelyBegun {
                report.add(.file, at: Place(ledger: ledger.manifest.node), en: "holds no line", zh: "没有任何线路")
            }
        }

        /// Nothing is kept that did not cross, but for what a node leaves that is stopped in the middle of a write.
        /// Source: `Protocols/ledger.md`, "What a stop leaves".
        mutating func leftovers() {
            let flows = ledger.lines.flatMap(\.flows)
            let known = Set(flows.flatMap(\.records).compactMap { $0.map { LedgerFile.payload($0.digest) } })
            let payloads = ledger.directory.payloads.subtracting(known).sorted()
            let drafts = ledger.directory.drafts
            guard ledger.hasEnded || payloads.count > flows.count else {
                let count = payloads.count + drafts.count
                if count > 0 {
                    report.state(en: "\(count) files were being written when the node stopped or this was read: \((payloads + drafts).joined(separator: ", "))",
                                 zh: "节点停止或读取时有 \(count) 个文件正在写入：\((payloads + drafts).joined(separator: "、"))")
                }
                return
            }
            for name in payloads {
                report.add(.file, at: Place(ledger: ledger.manifest.node, file: name), en: "is the payload of no frame", zh: "不是任何帧的载荷")
            }
            for name in drafts {
                report.add(.file, at: Place(ledger: ledger.manifest.node, file: name), en: "belongs to no ledger", zh: "不属于账本")
            }
        }

        /// Documents alone: the node was stopped before anything crossed.
        private var isBarelyBegun: Bool { ledger.lines.isEmpty && ledger.directory.lines.isEmpty && ledger.directory.payloads.isEmpty }

        mutating func state() {
            let lines = ledger.lines.map(\.peer.name).joined(separator: ", ")
            report.state(en: "\(ledger.manifest.node) (\(ledger.manifest.role.name.en)), job \(ledger.manifest.job), attempt \(ledger.manifest.attempt)",
                         zh: "\(ledger.manifest.node)（\(ledger.manifest.role.name.zh)），任务 \(ledger.manifest.job)，第 \(ledger.manifest.attempt) 次尝试")
            report.state(en: "\(frames) frames of \(bytes) payload bytes on the lines to \(lines); \(opened) payloads opened",
                         zh: "与 \(lines) 的线路共 \(frames) 帧，载荷 \(bytes) 字节；已打开 \(opened) 个载荷")
            guard let line = ledger.dataLine else { return }
            for flow in line.flows {
                let signed = flow.heads.compactMap { $0.head?.size }.max() ?? 0
                let open = UInt64(flow.records.count) - min(UInt64(flow.records.count), signed)
                report.state(en: "line to \(line.peer.name), \(flow.direction.name.en): \(flow.heads.count) heads, \(open) frames after the last",
                             zh: "与 \(line.peer.name) 的线路，\(flow.direction.name.zh)：\(flow.heads.count) 个树头，其后另有 \(open) 帧")
            }
            if closed < 2 { report.state(en: "the job did not close in order", zh: "任务未正常结束") }
        }
    }
}

extension Message {
    /// What a message says of its own place.
    fileprivate var stated: (round: Int?, block: Int?, total: Int?, framesSent: Int?)? {
        switch self {
        case .blindedPoints(let body): (nil, Int(body.block), nil, nil)
        case .doublyBlindedPoints(let body): (nil, Int(body.block), nil, nil)
        case .sortedPoints(let body): (nil, Int(body.block), nil, nil)
        case .intersectionSize(let body): (nil, nil, Int(clamping: body.total), nil)
        case .matches(let body): (nil, Int(body.block), Int(body.total), nil)
        case .roundRows(let body): (Int(body.round), Int(body.block), nil, nil)
        case .maskedValues(let body): (Int(body.round), nil, nil, nil)
        case .returnedBits(let body): (Int(body.round), nil, nil, nil)
        case .partialScores(let body): (nil, Int(body.block), nil, nil)
        case .closing(let body): (nil, nil, nil, Int(clamping: body.framesSent))
        default: nil
        }
    }
}
