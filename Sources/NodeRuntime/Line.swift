import Faults
import Ledger
import Primitives
import Synchronization
import Transport
import Wire

/// A connection on which this program stands in one role and the peer in another: the one path by which messages leave
/// and arrive. Every frame is in the ledger before it is sent or acted on.
///
/// One task may send while one receives.
package actor Line {
    package nonisolated let peerName: String
    package nonisolated let peerRole: Role
    private let ownRole: Role
    private let connection: any FrameCarrier
    private let ledgers: LedgerBook?
    private var nextSent: UInt64 = 0
    private var nextReceived: UInt64 = 0
    /// Frames with their headers, by what they are marked with.
    private(set) var bytesByPhase: [Phase: (sent: UInt64, received: UInt64)] = [:]
    private var framesSent = ByteAccount.Flow()
    private var framesReceived = ByteAccount.Flow()

    package struct Received: Sendable {
        package let message: Message
        package let job: JobIdentifier
        package let attempt: UInt32
        package let phase: Phase
        /// The job's ledger takes no more from this peer: the frame is in none, and not to be acted on; the job is to be ended.
        package let isTooMuch: Bool
    }

    package init(_ connection: any FrameCarrier, ownRole: Role, peerRole: Role, peerName: String, ledgers: LedgerBook?) {
        self.connection = connection
        self.ownRole = ownRole
        self.peerRole = peerRole
        self.peerName = peerName
        self.ledgers = ledgers
    }

    /// Frames with their headers, before encryption.
    package var bytesSent: UInt64 { framesSent.frame_bytes }
    package var bytesReceived: UInt64 { framesReceived.frame_bytes }

    /// Returns when the frame has left. Callers take turns: this is not a queue.
    package func send(_ message: Message, phase: Phase, job: JobIdentifier, attempt: UInt32) async throws(Fault) {
        guard message.kind.allows(from: ownRole, to: peerRole) else { throw Fault(.defect, at: "Line.send \(message.kind.name)") }
        await ledgers?.room(job, line: peerName)
        let frame = Frame(message, phase: phase, job: job, attempt: attempt, sequence: nextSent, salt: SystemRandom.bytes(Frame.saltBytes))
        try ledgers?.record(frame, .sent, line: peerName)
        nextSent += 1
        bytesByPhase[frame.phase, default: (0, 0)].sent += UInt64(frame.byteCount)
        try await connection.send(frame)
        framesSent.count(frame)
    }

    /// The next message, or nothing when the peer has closed the line in order.
    ///
    /// - Parameter isExpected: asked once about a frame that is in order; one that is not expected is refused before any ledger has it.
    package func receive(if isExpected: @Sendable (Frame) -> Bool = { _ in true }) async throws(Fault) -> Received? {
        guard let frame = try await connection.receive() else { return nil }
        guard frame.sequence == nextReceived, frame.kind.allows(from: peerRole, to: ownRole), frame.kind.row.phases.contains(frame.phase),
              frame.job == .none || !frame.kind.concernsNode, isExpected(frame)
        else { throw Fault(.unexpectedMessage, at: peerName) }
        nextReceived += 1
        bytesByPhase[frame.phase, default: (0, 0)].received += UInt64(frame.byteCount)
        framesReceived.count(frame)
        let isTooMuch = [ownRole, peerRole].contains(.arbiter) && ledgers?.isFull(frame.job, line: peerName) == true
        if !isTooMuch {
            try ledgers?.record(frame, .received, line: peerName)
            await ledgers?.room(frame.job, line: peerName)
        }
        do {
            return Received(message: try frame.message(), job: frame.job, attempt: frame.attempt, phase: frame.phase, isTooMuch: isTooMuch)
        } catch {
            throw error.fault(from: peerName)
        }
    }

    /// A node's first words to the arbiter.
    ///
    /// - Throws: `versionMismatch`, `contractMismatch`; `peerLost` where the arbiter closes without an answer, as one that stops does, or
    ///   gives none in time.
    package func register(_ contractDigest: [UInt8], withinSeconds seconds: Int = 15) async throws(Fault) {
        let alarm = Task {
            try await Task.sleep(for: .seconds(seconds))
            await close()
        }
        defer { alarm.cancel() }
        try await send(.nodeRegister(.filled {
            $0.version = ProtocolVersion.current
            $0.contractDigest = contractDigest.data
        }), phase: .waiting, job: .none, attempt: 0)
        switch try await receive()?.message {
        case nil:
            throw Fault(.peerLost, at: peerName)
        case .jobStop(let stop):
            throw stop.fault.fault(from: peerName)
        case .nodeRegistered(let answer):
            guard answer.version == ProtocolVersion.current else {
                throw Fault(.versionMismatch, at: peerName, "\(answer.version)", "\(ProtocolVersion.current)")
            }
        default:
            throw Fault(.unexpectedMessage, at: peerName)
        }
    }

    package func close() async { await connection.close() }

    /// Complete once the line is closed.
    package var account: ByteAccount {
        get async {
            let traffic = await connection.traffic
            return ByteAccount(sent: framesSent.on(traffic.sent), received: framesReceived.on(traffic.received))
        }
    }
}

extension ByteAccount.Flow {
    fileprivate mutating func count(_ frame: Frame) {
        frames += 1
        frame_bytes += UInt64(frame.byteCount)
        guard !frame.kind.isRecorded else { return }
        head_frames += 1
        head_bytes += UInt64(frame.byteCount)
    }

    fileprivate func on(_ socket: SocketCount) -> ByteAccount.Flow {
        var flow = self
        flow.opening_bytes = UInt64(socket.openingBytes)
        flow.tls_records = UInt64(socket.records)
        flow.socket_bytes = UInt64(socket.bytes)
        flow.acknowledgement_bytes = UInt64(socket.acknowledgementBytes)
        flow.connections = UInt64(socket.connections)
        return flow
    }
}

/// A line that many tasks send on: messages go out one by one, in the order in which they were posted.
package final class PostedLine: Sendable {
    package let line: Line
    private let posts: AsyncStream<Post>.Continuation
    private let writer: Task<Void, Never>
    private let queue: Queue

    private struct Post: Sendable {
        let message: Message
        let phase: Phase
        let job: JobIdentifier
        let attempt: UInt32
    }

    /// How many posts have not left, and who waits until there are none.
    private final class Queue: Sendable {
        private let state = Mutex<(unsent: Int, isOver: Bool, waiting: [CheckedContinuation<Void, Never>])>((0, false, []))

        var unsent: Int { state.withLock { $0.unsent } }
        func posted() { state.withLock { $0.unsent += 1 } }
        func left() { change { $0.unsent -= 1 } }
        func end() { change { $0.isOver = true } }

        func becomesEmpty() async {
            await withCheckedContinuation { continuation in
                change { $0.waiting.append(continuation) }
            }
        }

        private func change(_ change: (inout (unsent: Int, isOver: Bool, waiting: [CheckedContinuation<Void, Never>])) -> Void) {
            let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                change(&state)
                guard state.unsent == 0 || state.isOver else { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in ready { continuation.resume() }
        }
    }

    package init(_ line: Line) {
        self.line = line
        let (stream, continuation) = AsyncStream<Post>.makeStream(bufferingPolicy: .bufferingNewest(10_000))
        posts = continuation
        let queue = Queue()
        self.queue = queue
        writer = Task {
            defer { queue.end() }
            for await post in stream {
                do {
                    try await line.send(post.message, phase: post.phase, job: post.job, attempt: post.attempt)
                    queue.left()
                } catch {
                    // The reader of the line finds out why.
                    await line.close()
                    break
                }
            }
        }
    }

    /// Nobody can post any more: what waits goes out, or the line is closed.
    deinit { posts.finish() }

    package func post(_ message: Message, phase: Phase = .waiting, job: JobIdentifier, attempt: UInt32 = 1) {
        queue.posted()
        guard case .enqueued = posts.yield(Post(message: message, phase: phase, job: job, attempt: attempt)) else { return queue.left() }
    }

    /// How many posts have not left.
    package var unsent: Int { queue.unsent }

    /// Returns once all that was posted has left, or nothing can leave any more: whoever is served only then cannot fill this
    /// program's memory with answers that it does not read.
    package func drained() async { await queue.becomesEmpty() }

    /// Lets what was posted go out, then ends.
    package func finish() async {
        posts.finish()
        await writer.value
    }

    /// The same and closes the line, at the latest in some seconds: whoever is sent away need not read why.
    package func dismiss() async {
        let alarm = Task {
            try await Task.sleep(for: .seconds(5))
            await line.close()
        }
        await finish()
        alarm.cancel()
        await line.close()
    }
}
