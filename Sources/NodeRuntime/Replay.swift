import Faults
import Ledger
import Primitives
import Roles
import Wire

/// Runs a data party's part of a recorded job again, on what it heard, and holds every byte that comes out against what it
/// recorded as sent. Source: Protocols/ledger.md, "Replay".
package struct Replay: Sendable {
    /// Names are stable: programs may compare them.
    package enum Rule: String, Sendable, Hashable {
        /// What comes out is not what was recorded.
        case replayDiffers = "replay-differs"
        /// A recorded frame does not come out, or one comes out that is not recorded.
        case replayMissing = "replay-missing"
        case replayAdditional = "replay-additional"
        /// A recorded frame that was heard is not the recorded one, or is not kept.
        case payloadDigest = "payload-digest"
        case payloadKept = "payload-kept"
        case recordFields = "record-fields"
        /// The secret is not the one to which the manifest commits; a receipt of its destruction is not signed by this node.
        case secretCommitment = "secret-commitment"
        case secretReceipt = "secret-receipt"
        /// A file of results is not the one that comes out.
        case resultDiffers = "result-differs"
    }

    package struct Finding: Sendable, Hashable {
        package let rule: Rule
        /// The other end of the line; nothing where it is about no line.
        package let line: String?
        package let direction: Direction?
        /// Index of the record, from 0.
        package let frame: Int?
        package let kind: MessageKind?
        /// In the payload.
        package let offset: Int?
        package let message: Phrase

        package init(_ rule: Rule, line: String? = nil, direction: Direction? = nil, frame: Int? = nil, kind: MessageKind? = nil, offset: Int? = nil,
                     en: String, zh: String) {
            self.rule = rule
            self.line = line
            self.direction = direction
            self.frame = frame
            self.kind = kind
            self.offset = offset
            message = Phrase(en: en, zh: zh)
        }
    }

    package struct Outcome: Sendable {
        package static let mostFindings = 50
        package fileprivate(set) var findings: [Finding] = []
        package fileprivate(set) var furtherFindings = 0
        /// Recorded frames that came out again, and their bytes.
        package fileprivate(set) var frames = 0
        package fileprivate(set) var bytes: UInt64 = 0
        package fileprivate(set) var heard = 0
        /// Frames that cannot come out again because a secret is gone.
        package fileprivate(set) var lost = 0
        /// How the job ended at this party, where it did not complete.
        package fileprivate(set) var ended: Fault?
        /// The machine at its end, where the whole job came out again.
        package fileprivate(set) var completed: (any RoleMachine)?

        /// Whether every recorded byte came out again.
        package var holds: Bool { findings.isEmpty && lost == 0 }

        package init() {}

        package mutating func add(_ finding: Finding) {
            guard findings.count < Self.mostFindings else {
                furtherFindings += 1
                return
            }
            findings.append(finding)
        }
    }

    private struct Recorded: Sendable {
        let index: Int
        let record: FrameRecord
    }

    private struct Flow: Sendable {
        var frames: [Recorded] = []
        var done = 0
        var next: Recorded? { done < frames.count ? frames[done] : nil }
    }

    private let ledger: LedgerDirectory
    private let names: [LineEnd: String]
    private let destroyed: Set<Purpose>
    private let isClosed: Bool
    private var machine: any RoleMachine
    private var heard: [LineEnd: Flow]
    private var sent: [LineEnd: Flow]
    private var outcome = Outcome()
    private var isOver = false
    private var isCompleted = false

    /// - Parameters:
    ///   - peer, arbiter: names of the lines' other ends.
    ///   - machine: opened on the job's data with the job's secrets, and not stepped.
    ///   - destroyed: purposes whose secrets are stand-ins.
    ///   - outcome: what was found before.
    package init(_ ledger: LedgerDirectory, peer: String, arbiter: String, machine: any RoleMachine, destroyed: Set<Purpose> = [],
                 outcome: Outcome = Outcome()) {
        self.ledger = ledger
        self.machine = machine
        self.destroyed = destroyed
        names = [.peer: peer, .arbiter: arbiter]
        var outcome = outcome
        let width = LedgerManifest(decoding: ledger.manifest)?.recordBytes ?? FrameRecord.byteCount
        func flow(_ name: String, _ direction: Direction, _ isMachines: (MessageKind) -> Bool) -> Flow {
            let bytes = ledger.lines.first { $0.peer == name && $0.direction == direction }?.records ?? []
            var flow = Flow()
            for index in 0..<bytes.count / width {
                guard let record = FrameRecord(decoding: bytes[index * width..<(index + 1) * width]) else {
                    outcome.add(Finding(.recordFields, line: name, direction: direction, frame: index, en: "is no record", zh: "不是有效记录"))
                    continue
                }
                if isMachines(record.kind) { flow.frames.append(Recorded(index: index, record: record)) }
            }
            return flow
        }
        // Everything else is the runtime's: answers to offers, progress, heads, how a job was broken off.
        heard = [.peer: flow(peer, .received) { $0 != .abort }, .arbiter: flow(arbiter, .received) { $0 == .verdict }]
        sent = [.peer: flow(peer, .sent) { $0 != .abort }, .arbiter: flow(arbiter, .sent) { $0 == .roundShare }]
        isClosed = heard[.peer]?.frames.last?.record.kind == .closing && sent[.peer]?.frames.last?.record.kind == .closing
        self.outcome = outcome
    }

    /// Frames that the machine heard and sent.
    package var total: Int { (heard.values.map(\.frames.count) + sent.values.map(\.frames.count)).reduce(0, +) }
    private var done: Int { (heard.values.map(\.done) + sent.values.map(\.done)).reduce(0, +) }

    /// - Parameter progress: frames done, and the phase.
    package mutating func run(_ progress: (Int, Phase) -> Void) -> Outcome {
        step(.start)
        while !isOver, !isCompleted {
            // A job that was broken off had begun work of which nothing is recorded.
            if !isClosed, sent.values.allSatisfy({ $0.next == nil }) { break }
            guard let event = nextEvent() else { break }
            step(event)
            progress(done, machine.phase)
        }
        if !isOver {
            for end in [LineEnd.peer, .arbiter] {
                guard let next = sent[end]?.next else { continue }
                add(.replayMissing, end, .sent, next, en: "does not come out again, nor do those after it", zh: "及其后各帧未能重现")
            }
        }
        if isCompleted { outcome.completed = machine }
        return outcome
    }

    /// Own work, then what was heard, in its order. The machine listens to one line at a time, and what it sends does not
    /// depend on when it hears: so this order gives the recorded one.
    private mutating func nextEvent() -> RoleEvent? {
        if machine.wantsToProceed { return .proceed }
        for end in [LineEnd.arbiter, .peer] where machine.listening.contains(end) {
            guard let next = heard[end]?.next else { continue }
            guard let bytes = ledger.payload(next.record.digest, atMost: next.record.kind.row.maximumPayloadBytes) else {
                add(.payloadKept, end, .received, next, en: "is not kept: the replay ends here", zh: "未留存：重放至此为止")
                isOver = true
                return nil
            }
            guard next.record.isPayload(bytes) else {
                add(.payloadDigest, end, .received, next, en: "is not what was recorded: the replay ends here", zh: "与记录的摘要不符：重放至此为止")
                isOver = true
                return nil
            }
            heard[end]?.done += 1
            outcome.heard += 1
            // Something malformed was recorded, and ended the job.
            guard let message = try? Message.decode(kind: next.record.kind, payload: bytes) else { return nil }
            return .message(message, from: end)
        }
        return nil
    }

    private mutating func step(_ event: RoleEvent) {
        do throws(Fault) {
            for effect in try machine.step(event) {
                switch effect {
                case .send(let message, let end): compare(message, end)
                case .completed: isCompleted = true
                case .progress, .checkpoint, .used: break
                }
                if isOver { return }
            }
        } catch {
            isOver = true
            if sent.values.allSatisfy({ $0.next == nil }), !isClosed {
                outcome.ended = error
            } else if isWithoutCourse {
                loseTheRest()
            } else {
                outcome.add(Finding(.replayDiffers, en: "the replay ends with: \(error.message.en)", zh: "重放终止：\(error.message.zh)"))
            }
        }
    }

    private mutating func compare(_ message: Message, _ end: LineEnd) {
        guard let next = sent[end]?.next else {
            // Broken off: what would have followed.
            if isClosed || end == .arbiter && sent[.peer]?.next != nil {
                outcome.add(Finding(.replayAdditional, line: names[end], direction: .sent, kind: message.kind,
                                    en: "a frame comes out that is not recorded", zh: "重放产生了未记录的帧"))
            }
            return
        }
        let payload = message.encodePayload()
        if message.kind == next.record.kind, next.record.isPayload(payload) {
            sent[end]?.done += 1
            outcome.frames += 1
            outcome.bytes += next.record.length
            return
        }
        if message.kind == next.record.kind, destroyed.contains(where: { $0.kinds.contains(message.kind) }) {
            sent[end]?.done += 1
            outcome.lost += 1
            return
        }
        if isWithoutCourse { return loseTheRest() }
        guard message.kind == next.record.kind else {
            isOver = true
            return add(.replayDiffers, end, .sent, next, en: "a \(message.kind.name) comes out in its place: the replay ends here",
                       zh: "重放产生的是 \(message.kind.name)：重放至此为止")
        }
        sent[end]?.done += 1
        let kept = ledger.payload(next.record.digest, atMost: next.record.kind.row.maximumPayloadBytes)
        let offset = kept.map { kept in zip(kept, payload).enumerated().first { $1.0 != $1.1 }?.offset ?? min(kept.count, payload.count) }
        add(.replayDiffers, end, .sent, next, offset: offset, en: "other bytes come out than were sent", zh: "重放得到的字节与所发送的不同")
    }

    /// A secret is gone on which more than single frames depend.
    private var isWithoutCourse: Bool { destroyed.contains { $0.steersTheRest } }

    private mutating func loseTheRest() {
        outcome.lost += sent.values.map { $0.frames.count - $0.done }.reduce(0, +)
        isOver = true
    }

    private mutating func add(_ rule: Rule, _ end: LineEnd, _ direction: Direction, _ recorded: Recorded, offset: Int? = nil,
                              en: String, zh: String) {
        outcome.add(Finding(rule, line: names[end], direction: direction, frame: recorded.index, kind: recorded.record.kind, offset: offset,
                            en: en, zh: zh))
    }
}

extension Purpose {
    /// What does not come out again without the secret, even where nothing else is missing.
    fileprivate var kinds: Set<MessageKind> {
        switch self {
        case .paillierKey: [.paillierKey, .roundRows]
        case .randomiser: [.roundRows, .returnedBits, .partialScores]
        case .mask, .maskRandomiser: [.maskedValues]
        case .intersection: [.alignmentOpening, .blindedPoints, .doublyBlindedPoints, .sortedPoints]
        case .shuffle: [.nonce, .alignmentOpening, .blindedPoints, .seedReveal]
        case .pad: [.hello, .roundShare]
        }
    }

    /// Whether the party needs the secret to read what it heard: then nothing follows that depends on that.
    fileprivate var steersTheRest: Bool {
        switch self {
        case .paillierKey, .mask, .intersection, .shuffle: true
        case .randomiser, .maskRandomiser, .pad: false
        }
    }
}
