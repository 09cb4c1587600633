import Faults
import Transport
import Wire

/// As Transport's `ResumableConnection`, around the same `FrameWindow`: the line between bank and platform for one attempt of a job. The
/// bank dials again when a connection is lost, and both send what the other has not taken up.
final class ResumableLine: Carrier {
    private static let tellingMilliseconds = 1000
    private static let openingMilliseconds = min(60, Lab.deadlineSeconds) * 1000
    private static let dialMilliseconds = 15_000
    private static let greetingMilliseconds = 15_000
    private static let shortestPauseMilliseconds = 500
    private static let longestPauseMilliseconds = 15_000

    let owner: Name
    let other: Name
    private unowned let network: Network
    /// For a bug alone.
    private(set) var window: FrameWindow
    var wake: () throws -> Void = {}
    private var current: End?
    private var last: End?
    private(set) var hasConnected = false
    private var opensUntil = 0
    /// Sent, and not yet out of this program.
    private var leaving: Frame?
    private var pauseMilliseconds = 0
    private var carriedBefore: UInt64 = 0
    private var isTellingDue = false
    private var isTellingPlanned = false
    private var isWriting = false
    private var isFinishing = false
    private var isClosing = false
    /// How the line ended: in order, here or at the other end, or for a reason.
    private(set) var ending: Result<Void, Fault>?
    private(set) var isCut = false
    /// Since when that has been so, in milliseconds.
    private(set) var since = 0
    private var awayBefore = 0
    /// Numbers behind the last frame that was ever written, and that ever came: for the trace, the counts and bugs.
    private var written: UInt64 = 0
    private var came: UInt64 = 0
    private var taken: UInt64 = 0
    /// Of bugs: what the window has dropped or refused and is taken up all the same.
    private var smuggled: [Frame] = []
    /// Of a bug: a record of a frame that is sent again.
    var recordsAgain: (Frame) throws -> Void = { _ in }

    private var dials: Bool { owner == .north }
    var world: World { network.world }

    init(_ owner: Name, _ network: Network, job: JobIdentifier, attempt: UInt32) {
        self.owner = owner
        other = owner == .north ? .south : .north
        self.network = network
        window = FrameWindow(job: job, attempt: attempt, peerName: other.rawValue)
    }

    /// How long the line has been away in all, in milliseconds.
    var away: Int { awayBefore + (isCut ? world.now - since : 0) }

    // For those above

    /// The first connection: dials, or waits for the peer that does. One that is cut while it opens is dialled again.
    func open() {
        if dials {
            opensUntil = world.now + Self.openingMilliseconds
            return dial()
        }
        world.after(Self.openingMilliseconds, owner) { [self] in
            guard !hasConnected, ending == nil else { return }
            try end(.failure(Fault(.deadlinePassed, at: other.rawValue, "\(Self.openingMilliseconds / 1000)")))
        }
    }

    func send(_ frame: Frame) throws {
        guard !isClosing else { throw peerLost }
        window.put(frame)
        leaving = frame.kind == .abort ? nil : frame
        try write()
        if leaving != nil, let fault { throw fault }
    }

    /// Whether what was sent has left, so that more may follow. Throws why it never will.
    func hasLeft() throws -> Bool {
        guard leaving != nil else { return true }
        if let fault { throw fault }
        return false
    }

    /// Why the line is over, if it is: the end in order is the loss of a peer to whoever waits.
    var fault: Fault? {
        switch ending {
        case nil: nil
        case .success: peerLost
        case .failure(let fault): fault
        }
    }

    private var peerLost: Fault { Fault(.peerLost, at: other.rawValue) }

    var isOver: Bool { ending != nil }

    /// Whether `next` would give or throw anything, or the line is over.
    var isReady: Bool { !smuggled.isEmpty || came > taken || isOver }

    func next() throws -> Frame? {
        if !smuggled.isEmpty { return smuggled.removeFirst() }
        if let frame = window.take() {
            taken += 1
            try tellInTime()
            return frame
        }
        if case .failure(let fault) = ending { throw fault }
        return nil
    }

    /// The session has ended well.
    ///
    /// - Returns: whether the peer has taken up all that was sent and knows that this end has; then the line is closed.
    func finish() throws -> Bool {
        if !isFinishing {
            isFinishing = true
            try write()
        }
        // The end that cannot dial closes first: the other stays reachable for it.
        guard ending != nil || !dials && window.isAcknowledged && !window.isOwed else { return false }
        if case .failure(let fault) = ending { throw fault }
        guard window.isAcknowledged else { throw peerLost }
        close()
        return true
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        ending = ending ?? .success(())
        world.after(0, owner) { [self] in
            try write()
            last?.close()
            (current, last) = (nil, nil)
            window.close()
        }
    }

    // Connections

    /// A connection that the bank opened with this greeting.
    func attach(_ connection: End, greeted other: Frame) throws {
        guard (try? window.count(in: other)) != nil else { return connection.close() }
        try world.point(owner, "before it answers a greeting")
        let greeting = window.greeting
        do {
            try connection.send(greeting)
            // After the end the count was all that there is to say.
            guard !isClosing, !window.isOvertaken(other) else { return connection.close() }
            try use(connection, greeted: greeting, by: other)
        } catch is Fault {
            connection.close()
        }
    }

    private func dial() {
        network.dial(from: owner, to: other, timeoutMilliseconds: Self.dialMilliseconds) { [self] connection in
            guard let connection else { return try fail(Fault(.peerUnreachable, at: other.rawValue, "127.0.0.1:1")) }
            guard ending == nil else { return connection.close() }
            try world.point(owner, "before it greets")
            let greeting = window.greeting
            do { try connection.send(greeting) } catch let fault as Fault { return try fail(fault) }
            try connection.first(withinMilliseconds: Self.greetingMilliseconds) { [self] answer in
                guard ending == nil else { return connection.close() }
                do {
                    if let answer = try answer.get() { return try use(connection, greeted: greeting, by: answer) }
                } catch let fault as Fault {
                    connection.abandon()
                    return try fail(fault)
                }
                // The other end knows of no such attempt, or no more.
                connection.close()
                try end(.success(()))
            }
        }
    }

    /// A try to dial has failed.
    private func fail(_ fault: Fault) throws {
        // Who the peer is does not change by asking again, nor what is wrong with what it says.
        let isLasting = [.pinMismatch, .versionMismatch, .unexpectedMessage, .malformedFrame].contains(fault.code)
        if hasConnected, !isLasting { return redial() }
        guard !hasConnected, fault.code == .peerLost, world.now < opensUntil else { return try end(.failure(fault)) }
        world.after(Self.shortestPauseMilliseconds, owner) { [self] in if ending == nil { dial() } }
    }

    private func redial() {
        if world.bug == .cutIsEnd { return }
        let pause = pauseMilliseconds * world.draw(75...125) / 100
        pauseMilliseconds = min(max(2 * pauseMilliseconds, Self.shortestPauseMilliseconds), Self.longestPauseMilliseconds)
        world.after(pause, owner) { [self] in if ending == nil { dial() } }
    }

    private func use(_ connection: End, greeted greeting: Frame, by other: Frame) throws {
        do {
            try window.resume(greeted: greeting, by: other)
        } catch {
            try end(.failure(error))
            throw error
        }
        if world.bug != .oldConnectionRead { current?.abandon() }
        (current, last, hasConnected) = (connection, connection, true)
        note(isCut: false)
        connection.wake = { [self] in try read(from: connection) }
        try write()
        try read(from: connection)
    }

    private func lose(_ connection: End) throws {
        guard connection === current else { return }
        connection.abandon()
        current = nil
        if ending == nil {
            note(isCut: true)
            if window.carried > carriedBefore { pauseMilliseconds = 0 }
            carriedBefore = window.carried
            if dials { redial() }
        }
        try wake()
    }

    private func note(isCut: Bool) {
        if isCut != self.isCut { world.log(owner, "its line to \(other.rawValue) is \(isCut ? "cut" : "back")") }
        awayBefore = away
        (self.isCut, since) = (isCut, world.now)
    }

    private func write() throws {
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while let connection = current {
            if isTelling {
                try world.point(owner, "before it acknowledges")
                isTellingDue = false
                do { try connection.send(window.acknowledgement()) } catch is Fault { return try lose(connection) }
                continue
            }
            guard var frame = window.upcoming else { break }
            if frame.sequence < written {
                if world.bug == .unreadForgotten {
                    window.wrote(frame)
                    continue
                }
                try world.point(owner, "before it sends \(frame.kind.name) again")
                if world.bug == .resentRecorded { try recordsAgain(frame) }
                if world.bug == .resentAltered { frame = frame.salted(world.bytes(Frame.saltBytes)) }
            }
            do { try connection.send(frame) } catch is Fault { return try lose(connection) }
            window.wrote(frame)
            written = max(written, frame.sequence + 1)
        }
        if let frame = leaving, window.isPast(frame) { leaving = nil }
    }

    private var isTelling: Bool { window.isOwed && (window.isOverdue || isTellingDue || isFinishing) }

    private func read(from connection: End) throws {
        guard connection === current || world.bug == .oldConnectionRead else { return }
        do {
            while let frame = try connection.next() { try accept(frame) }
            if connection.isOver, connection === current {
                if connection.isLost { return try lose(connection) }
                current = nil
                if !isClosing { ending = ending ?? .success(()) }
            }
        } catch let fault as Fault {
            // A peer that says what it may not is not asked again.
            ending = ending ?? .failure(fault)
        }
        try write()
        try wake()
    }

    private func accept(_ frame: Frame) throws {
        let isOld = frame.kind != .acknowledgement && frame.sequence < came
        var changed = window
        do {
            try changed.accept(frame)
        } catch {
            guard world.bug == .duplicateAccepted && isOld || world.bug == .reorderAccepted && !isOld else { throw error }
            return smuggled.append(frame)
        }
        window = changed
        if isOld {
            world.count(.resend)
            if world.bug == .resentAccepted { smuggled.append(frame) }
        } else if frame.kind != .acknowledgement {
            came = frame.sequence + 1
        }
    }

    /// What was taken up is acknowledged now, or once it is enough or some time has passed.
    private func tellInTime() throws {
        if isTelling { return try write() }
        guard !isTellingPlanned, window.isOwed else { return }
        isTellingPlanned = true
        world.after(Self.tellingMilliseconds, owner) { [self] in
            (isTellingPlanned, isTellingDue) = (false, true)
            try write()
            try wake()
        }
    }

    /// The first reason is the one that counts.
    private func end(_ reason: Result<Void, Fault>) throws {
        ending = ending ?? reason
        try wake()
    }
}

extension Frame {
    fileprivate func salted(_ salt: [UInt8]) -> Frame {
        Frame(kind: kind, phase: phase, job: job, attempt: attempt, sequence: sequence, salt: salt, payload: payload)
    }
}
