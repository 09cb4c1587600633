import Faults
import Foundation
import Synchronization
import Wire

/// Moves the frames of a line, in order, to a peer whose key has been proven.
package protocol FrameCarrier: Sendable {
    func send(_ frame: Frame) async throws(Fault)
    /// Nothing once the peer, or this side, has ended the line in order.
    func receive() async throws(Fault) -> Frame?
    func close() async
    /// What the sockets have carried; complete once `close` has returned.
    var traffic: (sent: SocketCount, received: SocketCount) { get async }
}

/// The line between bank and platform for one attempt of a job. It goes on over connections that are cut: the dialling end
/// connects again, and both send what the other has not taken up. Source: `Protocols/wire.md`, "A line that is cut".
///
/// One task may send while another receives. What comes is read at once, so that acknowledgements stand behind nothing that
/// waits to be taken up; the window bounds it.
package actor ResumableConnection: FrameCarrier {
    /// Whether there is a connection at this moment, and since when that has been so.
    package struct State: Sendable {
        package let isCut: Bool
        package let since: ContinuousClock.Instant
        package let sinceUnixSeconds: Int
        private let awayBefore: Duration

        /// How long the line has been away in all.
        package var away: Duration { awayBefore + (isCut ? ContinuousClock.now - since : .zero) }

        fileprivate init(isCut: Bool, awayBefore: Duration = .zero) {
            self.isCut = isCut
            self.awayBefore = awayBefore
            since = .now
            sinceUnixSeconds = Int(Date().timeIntervalSince1970)
        }
    }

    /// How long a peer may take, at the end, for what is still to be written.
    private static let farewell = Duration.seconds(5)
    private static let tellingDelay = Duration.seconds(1)
    private static let shortestPauseSeconds = 0.5
    private static let longestPauseSeconds = 15.0

    private let peerName: String
    /// At the bank's end.
    private let dial: (@Sendable () async throws(Fault) -> Connection)?
    private let onChange: @Sendable (State) -> Void
    private let held = Mutex(State(isCut: false))

    private var window: FrameWindow
    /// Of all connections so far.
    private var meters: [ByteMeter] = []
    /// Until the line is closed: a platform remembers closed lines, and their buffers would stay with them.
    private var last: Connection?
    private var current: Connection?
    private var writer: Task<Void, Never>?
    private var dialling: Task<Void, Never>?
    private var telling: Task<Void, Never>?
    private var acknowledgementBytes = (sent: 0, received: 0)
    private var isTellingDue = false
    /// Before the line is dialled again; it starts anew once a connection has carried something.
    private var pauseSeconds = 0.0
    private var carriedBefore: UInt64 = 0
    private var isFinishing = false
    private var isClosing = false
    private var isClosed = false
    /// How the line ended: in order, here or at the other end, or for a reason.
    private var ending: Result<Void, Fault>?
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - dial: at the end that connects; the other waits until it is given connections.
    ///   - onChange: told when a connection is lost and when there is one again.
    package init(job: JobIdentifier, attempt: UInt32, peerName: String, dial: (@Sendable () async throws(Fault) -> Connection)?,
                 onChange: @escaping @Sendable (State) -> Void) {
        self.peerName = peerName
        self.dial = dial
        self.onChange = onChange
        window = FrameWindow(job: job, attempt: attempt, peerName: peerName)
    }

    package nonisolated var state: State { held.withLock { $0 } }

    package var traffic: (sent: SocketCount, received: SocketCount) {
        var sum = meters.reduce(into: (sent: SocketCount(connections: 0), received: SocketCount(connections: 0))) {
            $0.sent += $1.traffic.sent
            $0.received += $1.traffic.received
        }
        (sum.sent.acknowledgementBytes, sum.received.acknowledgementBytes) = acknowledgementBytes
        return sum
    }

    // MARK: - For those above

    /// The first connection: dials, or waits for the peer that does. One that is cut while it opens is dialled again. Throws what
    /// `Transport.connect` throws, or `deadlinePassed`.
    package func open(withinSeconds seconds: Int) async throws(Fault) {
        if let dial {
            let deadline = ContinuousClock.now + .seconds(seconds)
            while meters.isEmpty, ending == nil {
                do throws(Fault) {
                    try await connect(dial)
                } catch {
                    guard error.code == .peerLost, ContinuousClock.now < deadline else { throw error }
                    try? await Task.sleep(for: .seconds(Self.shortestPauseSeconds))
                }
            }
        } else {
            let alarm = Task {
                try await Task.sleep(for: .seconds(seconds))
                if meters.isEmpty { end(.failure(Fault(.deadlinePassed, at: peerName, "\(seconds)"))) }
            }
            defer { alarm.cancel() }
            guard await wait(until: { !meters.isEmpty || ending != nil }) else { throw Fault(.cancelled) }
        }
        if let ending { throw fault(of: ending) }
    }

    /// Returns when the frame has left and others may follow. It is sent again where it has to be. Nothing waits for an `Abort`.
    package func send(_ frame: Frame) async throws(Fault) {
        try frame.requireSendable()
        guard !isClosing else { throw Fault(.peerLost, at: peerName) }
        window.put(frame)
        change()
        guard frame.kind != .abort else { return }
        guard await wait(until: { window.isPast(frame) || ending != nil }) else { throw Fault(.cancelled) }
        if let ending, !window.isPast(frame) { throw fault(of: ending) }
    }

    package func receive() async throws(Fault) -> Frame? {
        var frame: Frame?
        let isAwake = await wait {
            frame = window.take()
            return frame != nil || ending != nil
        }
        if let frame {
            tellInTime()
            return frame
        }
        guard isAwake else { throw Fault(.cancelled) }
        if case .failure(let fault) = ending { throw fault }
        return nil
    }

    /// The session has ended well: returns when the peer has taken up all that was sent and knows that this end has. Then the line
    /// is closed. Throws `peerLost` where the peer ended without.
    package func finish() async throws(Fault) {
        isFinishing = true
        change()
        // The end that cannot dial closes first: the other stays reachable for it.
        let closesFirst = dial == nil
        guard await wait(until: { ending != nil || closesFirst && window.isAcknowledged && !window.isOwed }) else { throw Fault(.cancelled) }
        if case .failure(let fault) = ending { throw fault }
        guard window.isAcknowledged else { throw Fault(.peerLost, at: peerName) }
        await close()
    }

    /// The session is over: what was sent goes out if there is a connection and the peer takes it, within seconds; then the line
    /// ends in order, and nobody dials any more. May be called more than once.
    package func close() async {
        guard !isClosing else {
            _ = await wait { isClosed }
            return
        }
        isClosing = true
        ending = ending ?? .success(())
        dialling?.cancel()
        change()
        // Where the peer has ended the line there is no current one, and what was written last may not have been counted yet.
        if let last {
            let alarm = Task {
                try await Task.sleep(for: Self.farewell)
                last.abandon()
            }
            await writer?.value
            alarm.cancel()
            await last.close()
        }
        (current, last) = (nil, nil)
        window.close()
        isClosed = true
        change()
    }

    // MARK: - Connections

    /// The first frame on a connection. A peer that does not greet in time has lost it.
    package static func greeting(on connection: Connection, withinSeconds seconds: Int = 15) async throws(Fault) -> Frame? {
        let alarm = Task {
            try await Task.sleep(for: .seconds(seconds))
            connection.abandon()
        }
        defer { alarm.cancel() }
        return try await connection.receive()
    }

    /// A connection that the peer opened with this greeting. Returns when it serves no more: at once where it greets for another attempt,
    /// or was overtaken by a newer one.
    package func attach(_ connection: Connection, greeted other: Frame) async {
        guard (try? window.count(in: other)) != nil else { return }
        let greeting = window.greeting
        do throws(Fault) {
            try await connection.send(greeting)
            // After the end the count was all that there is to say.
            if !isClosing, !window.isOvertaken(other) { try use(connection, greeted: greeting, by: other) }
        } catch {
            return
        }
        _ = await wait { current !== connection }
    }

    private func connect(_ dial: @Sendable () async throws(Fault) -> Connection) async throws(Fault) {
        let connection = try await dial()
        let greeting = window.greeting
        do throws(Fault) {
            try await connection.send(greeting)
            if let other = try await Self.greeting(on: connection) {
                try use(connection, greeted: greeting, by: other)
            } else {
                // The other end knows of no such attempt, or no more.
                end(.success(()))
                await connection.close()
            }
        } catch {
            connection.abandon()
            throw error
        }
    }

    private func use(_ connection: Connection, greeted greeting: Frame, by other: Frame) throws(Fault) {
        guard !isClosing else { throw Fault(.cancelled) }
        do throws(Fault) {
            try window.resume(greeted: greeting, by: other)
        } catch {
            end(.failure(error))
            throw error
        }
        acknowledgementBytes.sent += greeting.byteCount
        acknowledgementBytes.received += other.byteCount
        current?.abandon()
        current = connection
        meters.append(connection.meter)
        last = connection
        note(isCut: false)
        writer = Task { await write(to: connection) }
        Task { await read(from: connection) }
        change()
    }

    private func lose(_ connection: Connection) {
        guard connection === current else { return }
        connection.abandon()
        current = nil
        change()
        guard ending == nil else { return }
        note(isCut: true)
        if window.carried > carriedBefore { pauseSeconds = 0 }
        carriedBefore = window.carried
        if let dial { dialling = Task { await redial(dial) } }
    }

    private func redial(_ dial: @Sendable () async throws(Fault) -> Connection) async {
        while ending == nil {
            try? await Task.sleep(for: .seconds(pauseSeconds * Double.random(in: 0.75...1.25)))
            pauseSeconds = min(max(2 * pauseSeconds, Self.shortestPauseSeconds), Self.longestPauseSeconds)
            guard ending == nil else { return }
            do throws(Fault) {
                return try await connect(dial)
            } catch {
                // Who the peer is does not change by asking again, nor what is wrong with what it says.
                if [.pinMismatch, .versionMismatch, .unexpectedMessage, .malformedFrame].contains(error.code) { return end(.failure(error)) }
            }
        }
    }

    private func note(isCut: Bool) {
        let isChanged = held.withLock { state in
            defer { state = State(isCut: isCut, awayBefore: state.away) }
            return state.isCut != isCut
        }
        if isChanged { onChange(state) }
    }

    // MARK: - What goes over a connection

    private func write(to connection: Connection) async {
        while connection === current {
            let isAcknowledging = isTelling
            guard let frame = isAcknowledging ? window.acknowledgement() : window.upcoming else {
                if isClosing { return }
                _ = await wait { connection !== current || isClosing || window.upcoming != nil || isTelling }
                continue
            }
            do throws(Fault) { try await connection.send(frame) } catch { return lose(connection) }
            if isAcknowledging {
                isTellingDue = false
                acknowledgementBytes.sent += frame.byteCount
            } else if connection === current {
                window.wrote(frame)
            }
            change()
        }
    }

    private var isTelling: Bool { window.isOwed && (window.isOverdue || isTellingDue || isFinishing) }

    private func read(from connection: Connection) async {
        do throws(Fault) {
            while let frame = try await connection.receive() {
                guard connection === current else { return }
                try window.accept(frame)
                if frame.kind == .acknowledgement { acknowledgementBytes.received += frame.byteCount }
                change()
            }
            guard connection === current, !isClosing else { return }
            current = nil
            end(.success(()))
        } catch {
            guard connection === current else { return }
            // A line that is lost is taken up again; a peer that says what it may not is not asked again.
            if error.code == .peerLost { lose(connection) } else { end(.failure(error)) }
        }
    }

    /// What was taken up is acknowledged now, or once it is enough or some time has passed.
    private func tellInTime() {
        if isTelling { return change() }
        guard telling == nil, window.isOwed else { return }
        telling = Task {
            try? await Task.sleep(for: Self.tellingDelay)
            telling = nil
            isTellingDue = true
            change()
        }
    }

    // MARK: - Waiting

    private func fault(of ending: Result<Void, Fault>) -> Fault {
        if case .failure(let fault) = ending { return fault }
        return Fault(.peerLost, at: peerName)
    }

    /// The first reason is the one that counts.
    private func end(_ reason: Result<Void, Fault>) {
        ending = ending ?? reason
        change()
    }

    private func change() {
        let continuations = waiting
        waiting = []
        for continuation in continuations { continuation.resume() }
    }

    /// Asks again whenever something has changed. False where the task was cancelled before.
    private func wait(until isDone: () -> Bool) async -> Bool {
        await withTaskCancellationHandler {
            while !isDone() {
                if Task.isCancelled { return false }
                await withCheckedContinuation { waiting.append($0) }
            }
            return true
        } onCancel: {
            Task { await self.change() }
        }
    }
}
