import Faults
import Wire

/// How far the two ends of one attempt's line have come: what was sent and may have to be sent again, what came and has not
/// been taken up. Without I/O. Source: `Protocols/wire.md`, "A line that is cut".
package struct FrameWindow: Sendable {
    /// Beyond either a sender holds back.
    package static let mostBytes = 16 << 20
    package static let mostFrames = 4096
    /// After either that was taken up the other end is told.
    package static let tellingBytes = 1 << 20
    package static let tellingFrames: UInt64 = 64

    private let job: JobIdentifier
    private let attempt: UInt32
    private let peerName: String

    /// Sent and not acknowledged, oldest first.
    private var kept: [Frame] = []
    private var keptBytes = 0
    private var acknowledged: UInt64 = 0
    /// Number of the frame that is to be written next.
    private var next: UInt64 = 0

    /// Has come, in order, and was not taken up.
    private var arrived: [Frame] = []
    private var arrivedBytes = 0
    /// Number of the frame that has to come next on this connection.
    private var expected: UInt64 = 0
    private var taken: UInt64 = 0
    private var takenBytes = 0
    /// The last count that the other end was told.
    private var told: UInt64 = 0

    package init(job: JobIdentifier, attempt: UInt32, peerName: String) {
        self.job = job
        self.attempt = attempt
        self.peerName = peerName
    }

    private var refusal: Fault { Fault(.unexpectedMessage, at: peerName) }

    // MARK: - Connections

    /// For the greeting of a new connection.
    package var greeting: Frame { acknowledgement(taken) }

    /// The count in the first frame of a connection. Throws `unexpectedMessage` for anything but an acknowledgement of this attempt.
    package func count(in frame: Frame) throws(Fault) -> UInt64 {
        guard case .acknowledgement(let body)? = try? frame.message(), frame == acknowledgement(body.taken) else { throw refusal }
        return body.taken
    }

    /// Whether a greeting tells less than is known already: it was under way while a newer connection took the place of its own.
    package func isOvertaken(_ greeting: Frame) -> Bool { ((try? count(in: greeting)) ?? 0) < acknowledged }

    /// Both have greeted: what the other end has not taken up is to be written anew.
    package mutating func resume(greeted: Frame, by other: Frame) throws(Fault) {
        let (own, others) = (try count(in: greeted), try count(in: other))
        try acknowledge(others)
        next = acknowledged
        (told, expected, takenBytes) = (own, own, 0)
    }

    // MARK: - Sending

    package mutating func put(_ frame: Frame) {
        precondition(frame.sequence == sent, "frames are sent in order")
        kept.append(frame)
        keptBytes += frame.byteCount
    }

    /// To be written now.
    package var upcoming: Frame? { next < sent ? kept[Int(next - acknowledged)] : nil }

    package mutating func wrote(_ frame: Frame) { next = max(next, frame.sequence + 1) }

    /// Whether it has left at least once, and others may follow.
    package func isPast(_ frame: Frame) -> Bool { next > frame.sequence && keptBytes < Self.mostBytes && kept.count < Self.mostFrames }

    /// How many frames have come to the end of their way, in both directions.
    package var carried: UInt64 { acknowledged + taken }

    package var isAcknowledged: Bool { kept.isEmpty }

    private var sent: UInt64 { acknowledged + UInt64(kept.count) }

    private mutating func acknowledge(_ count: UInt64) throws(Fault) {
        guard (acknowledged...sent).contains(count) else { throw refusal }
        keptBytes -= kept.prefix(Int(count - acknowledged)).reduce(0) { $0 + $1.byteCount }
        kept.removeFirst(Int(count - acknowledged))
        acknowledged = count
        next = max(next, count)
    }

    // MARK: - Receiving

    /// A frame has come, or an acknowledgement. Throws `unexpectedMessage` for one that is out of order or too much.
    package mutating func accept(_ frame: Frame) throws(Fault) {
        guard frame.kind != .acknowledgement else { return try acknowledge(try count(in: frame)) }
        guard frame.sequence == expected else { throw refusal }
        expected += 1
        // It came on an earlier connection, too.
        guard frame.sequence == taken + UInt64(arrived.count) else { return }
        arrived.append(frame)
        arrivedBytes += frame.byteCount
        guard arrivedBytes <= 2 * Self.mostBytes, arrived.count <= 2 * Self.mostFrames else { throw refusal }
    }

    /// The next frame for those above.
    package mutating func take() -> Frame? {
        guard !arrived.isEmpty else { return nil }
        let frame = arrived.removeFirst()
        arrivedBytes -= frame.byteCount
        taken += 1
        takenBytes += frame.byteCount
        return frame
    }

    /// Whether something was taken up that the other end has not been told of, and whether so much that it has to be.
    package var isOwed: Bool { taken > told }
    package var isOverdue: Bool { takenBytes >= Self.tellingBytes || taken - told >= Self.tellingFrames }

    /// Tells of all that was taken up.
    package mutating func acknowledgement() -> Frame {
        told = taken
        takenBytes = 0
        return acknowledgement(taken)
    }

    /// Nothing can be sent or taken any more; the counts stay.
    package mutating func close() {
        acknowledged = sent
        (kept, arrived, keptBytes, arrivedBytes) = ([], [], 0, 0)
    }

    private func acknowledgement(_ count: UInt64) -> Frame {
        Frame(.acknowledgement(.filled { $0.taken = count }), phase: .waiting, job: job, attempt: attempt, sequence: 0,
              salt: [UInt8](repeating: 0, count: Frame.saltBytes))
    }
}
