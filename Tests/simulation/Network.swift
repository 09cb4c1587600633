import Faults
import Foundation
import Ledger
import Transport
import Wire

/// As Transport's `FrameCarrier`: moves the frames of a `Line`.
protocol Carrier: AnyObject {
    var owner: Name { get }
    var other: Name { get }
    var world: World { get }
    /// Something came, or the line is over.
    var wake: () throws -> Void { get set }
    /// Nothing more comes after what `next` still gives.
    var isOver: Bool { get }
    func send(_ frame: Frame) throws
    /// The next whole frame that has come. Throws why no more will.
    func next() throws -> Frame?
    func close()
}

/// One end of a connection: bytes go in at one and come out at the other, in order, through the real decoder.
final class End: Carrier {
    let owner: Name
    let other: Name
    private unowned let network: Network
    fileprivate(set) weak var far: End?
    private var decoder = FrameDecoder()
    fileprivate var lastArrival = 0
    /// Whether this end can still send and hear.
    fileprivate(set) var isOpen = true { didSet { if !isOpen { wake = {} } } }
    /// Everything that came has been taken, and nothing more comes.
    private(set) var isOver = false
    /// Whether it is over without a farewell between two frames.
    private(set) var isLost = false
    fileprivate var isAbandoned = false
    /// Nothing that is written here from now on arrives.
    fileprivate var isMute = false
    private var arrivals = 0
    var wake: () throws -> Void = {}
    fileprivate var held: [UInt8]?
    var world: World { network.world }

    init(_ owner: Name, _ other: Name, _ network: Network) {
        self.owner = owner
        self.other = other
        self.network = network
    }

    func send(_ frame: Frame) throws { try network.send(frame, from: self) }
    func close() { network.close(self) }
    /// Ends it at once and without a word.
    func abandon() { network.abandon(self) }

    /// The first frame, nothing where the peer closes instead; a peer that sends none in time has lost the connection.
    func first(withinMilliseconds milliseconds: Int, _ done: @escaping (Result<Frame?, Fault>) throws -> Void) throws {
        var isDone = false
        let tell = { [self] (outcome: Result<Frame?, Fault>) in
            guard !isDone else { return }
            isDone = true
            wake = {}
            try done(outcome)
        }
        let lost = Fault(.peerLost, at: other.rawValue)
        wake = { [self] in
            let outcome = Result { try next() }.mapError { $0 as? Fault ?? lost }
            if case .success(nil) = outcome {
                if isOver { try tell(isLost ? .failure(lost) : outcome) }
            } else {
                try tell(outcome)
            }
        }
        world.after(milliseconds, owner) { [self] in
            guard !isDone else { return }
            abandon()
            try tell(.failure(lost))
        }
        try wake()
    }

    fileprivate func arrive(_ bytes: [UInt8]) throws {
        guard isOpen, !isOver else {
            if isAbandoned { world.count(.late) }
            return
        }
        arrivals += 1
        decoder.append(bytes)
        try wake()
    }

    fileprivate func finish(isLost: Bool) throws {
        guard isOpen, !isOver else { return }
        isOver = true
        self.isLost = isLost || decoder.isInsideFrame
        try wake()
    }

    func next() throws -> Frame? {
        guard isOpen else { return nil }
        do {
            if let frame = try decoder.next() { return frame }
        } catch {
            throw error.fault(from: other.rawValue)
        }
        if decoder.isInsideFrame { awaitRest() }
        return nil
    }

    private func awaitRest() {
        let before = arrivals
        world.after(Transport.restSeconds * 1000, owner) { [self] in
            if arrivals == before { try finish(isLost: true) }
        }
    }
}

/// Lines between nodes, and everything that can happen to them. Under TLS a line loses nothing and changes nothing: it is there or
/// lost. Doubled, overtaken, altered and old frames come from a peer or a relay that is not honest, or from broken memory.
final class Network {
    unowned let world: World
    private var frames: [Set<Name>: Int] = [:]
    private var ends: [End] = []
    /// Frames between the parties, by attempt, for who wants to send them again.
    private var seen: [Frame] = []
    /// An old frame is due, and there was none yet.
    private var isStaleDue = false
    /// Losses that an end had to find out by itself.
    private(set) var silentLosses = 0
    /// How many frames between the parties have left in an attempt since its first `Closing`.
    private var closing: (job: JobIdentifier, frames: Int)?
    var accept: (End) throws -> Void = { _ in }
    /// Told of every frame that is written.
    var leaves: (Frame, End) -> Void = { _, _ in }

    init(_ world: World) { self.world = world }

    private func delay(_ link: Set<Name>) -> Int {
        let leaves = world.plan.passes(link, at: world.now)
        return leaves - world.now + world.draw(world.plan.delayMilliseconds)
    }

    /// Calls back with an end, or with nothing where there is nobody or the time is over.
    func dial(from: Name, to: Name, timeoutMilliseconds: Int, _ done: @escaping (End?) throws -> Void) {
        let link: Set = [from, to]
        let wait = delay(link) + delay(link)
        guard wait < timeoutMilliseconds else { return world.after(timeoutMilliseconds, from) { try done(nil) } }
        world.after(wait, from) { [self] in
            guard world.isUp.contains(to) else { return try done(nil) }
            let (near, far) = (End(from, to, self), End(to, from, self))
            near.far = far
            far.far = near
            ends += [near, far]
            world.after(0, to) { [self] in try accept(far) }
            try done(near)
        }
    }

    /// - Parameter frame: in a line's own order; a mischief may befall it.
    func send(_ frame: Frame, from end: End) throws {
        guard end.isOpen, !end.isOver else { throw Fault(.peerLost, at: end.other.rawValue) }
        leaves(frame, end)
        let link: Set = [end.owner, end.other]
        if let held = end.held {
            end.held = nil
            world.count(.reorder)
            carry(frame.encode(), end)
            return carry(held, end)
        }
        guard !link.contains(.ann) else { return carry(frame.encode(), end) }
        defer { frames[link, default: 0] += 1 }
        var mischief = world.now < world.plan.healing ? world.plan.mischief[link]?[frames[link, default: 0]] : nil
        if link == Plan.links[0] {
            if frame.kind == .closing, closing?.job != frame.job { closing = (frame.job, 0) }
            if let farewell = world.plan.farewell, closing?.frames == farewell.frame, world.now < world.plan.healing { mischief = farewell.mischief }
            closing?.frames += 1
        }
        if mischief == nil, isStaleDue, link == Plan.links[0], world.now < world.plan.healing { mischief = .stale }
        if let mischief { world.log(end.owner, "\(mischief) at frame \(frames[link, default: 0]) to \(end.other.rawValue)") }
        switch mischief {
        case nil: carry(frame.encode(), end)
        case .loss(let isHalfOpen):
            dropped(end)
            lose(end, tells: told(end, isHalfOpen))
        case .drop(let milliseconds, let isHalfOpen):
            end.isMute = true
            carry(frame.encode(), end)
            world.after(milliseconds, nil) { [self] in lose(end, tells: told(end, isHalfOpen)) }
        case .late(let milliseconds):
            guard let far = end.far else { break }
            far.lastArrival = max(far.lastArrival, world.now + milliseconds)
            carry(frame.encode(), end)
            (end.far, far.far) = (nil, nil)
            world.after(world.draw(0...50), end.owner) { try end.finish(isLost: true) }
            world.after(far.lastArrival - world.now + world.draw(0...50), far.owner) { try far.finish(isLost: true) }
        case .cut:
            carry(frame.encode(), end)
            let arrival = end.far?.lastArrival ?? world.now
            world.after(arrival - world.now, nil) { [self] in lose(end, tells: told(end, false)) }
        case .duplicate:
            world.count(.duplicate)
            carry(frame.encode(), end)
            carry(frame.encode(), end)
        case .reorder:
            // Overtaken by the next frame, if one comes soon.
            end.held = frame.encode()
            world.after(1000, end.owner) { [self] in
                guard let held = end.held else { return }
                end.held = nil
                carry(held, end)
            }
        case .stale:
            // With the number that the line expects next; the honest one comes after it.
            let old = seen.first { $0.job != frame.job && $0.kind.allows(from: end.owner.role, to: end.other.role) }
            isStaleDue = old == nil
            if let old {
                world.count(.stale)
                carry(Frame(kind: old.kind, phase: old.phase, job: old.job, attempt: old.attempt, sequence: frame.sequence, salt: old.salt,
                            payload: old.payload).encode(), end)
            }
            carry(frame.encode(), end)
        case .corrupt(let place, let bit):
            var bytes = frame.encode()
            bytes[Int(place * Double(bytes.count))] ^= 1 << UInt8(bit)
            carry(bytes, end)
        }
        if link == Plan.links[0], frame.kind.isRecorded { seen.append(frame) }
    }

    private func told(_ end: End, _ isHalfOpen: Bool) -> [Name] {
        let told = [end.owner, end.other].filter { _ in !isHalfOpen || world.draw(0...1) == 0 }
        if told.count < 2 { silentLosses += 1 }
        return told
    }

    private func dropped(_ end: End) {
        if Plan.links[0] == [end.owner, end.other] { world.count(.drop) }
    }

    private func carry(_ bytes: [UInt8], _ end: End) {
        guard let far = end.far, !end.isMute else { return dropped(end) }
        let time = max(far.lastArrival, world.now + delay([end.owner, end.other]))
        far.lastArrival = time
        world.after(time - world.now, far.owner) { try far.arrive(bytes) }
    }

    /// The owner closes the line in order: what it sent arrives before that is seen.
    func close(_ end: End) {
        guard end.isOpen else { return }
        end.isOpen = false
        guard let far = end.far, !end.isMute else { return }
        let time = max(far.lastArrival, world.now + delay([end.owner, end.other]))
        far.lastArrival = time
        world.after(time - world.now, far.owner) { try far.finish(isLost: false) }
    }

    /// The owner ends it without a farewell, for it is lost or another has taken its place.
    func abandon(_ end: End) {
        guard end.isOpen else { return }
        (end.isOpen, end.isAbandoned) = (false, true)
        if let far = end.far { lose(end, tells: end.isMute ? [] : [far.owner]) }
    }

    /// Gone in the middle: what is under way is lost. Who is not told finds out when a silent line is probed.
    func lose(_ end: End, tells: [Name]) {
        guard let far = end.far else { return }
        let connection = [end, far]
        for one in connection { one.far = nil }
        for one in connection {
            world.after(tells.contains(one.owner) ? world.draw(0...50) : 60_000, one.owner) { try one.finish(isLost: true) }
        }
    }

    /// The node's sockets go with it. A machine without power tells nobody.
    func fall(_ node: Name, silently: Bool) {
        for end in ends where end.owner == node && end.isOpen {
            end.isOpen = false
            if let far = end.far { lose(far, tells: silently ? [] : [far.owner]) }
        }
        ends.removeAll { !$0.isOpen }
    }

    /// Lets go of whoever waits at an end.
    func dissolve() {
        for end in ends { end.isOpen = false }
        ends = []
        accept = { _ in }
        leaves = { _, _ in }
    }
}
