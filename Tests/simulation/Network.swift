import Faults
import Foundation
import Ledger
import Transport
import Wire

/// One end of a connection: bytes go in at one and come out at the other, in order, through the real decoder.
final class End {
    let owner: Name
    let other: Name
    private(set) unowned var world: World
    fileprivate(set) weak var far: End?
    private var decoder = FrameDecoder()
    fileprivate var lastArrival = 0
    /// Whether this end can still send and hear.
    fileprivate(set) var isOpen = true { didSet { if !isOpen { wake = {} } } }
    /// Everything that came has been taken, and nothing more comes.
    private(set) var isOver = false
    private var arrivals = 0
    /// Something came, or the line is over.
    var wake: () throws -> Void = {}
    fileprivate var held: [UInt8]?

    init(_ owner: Name, _ other: Name, _ world: World) {
        self.owner = owner
        self.other = other
        self.world = world
    }

    fileprivate func arrive(_ bytes: [UInt8]) throws {
        guard isOpen, !isOver else { return }
        arrivals += 1
        decoder.append(bytes)
        try wake()
    }

    fileprivate func finish() throws {
        guard isOpen, !isOver else { return }
        isOver = true
        try wake()
    }

    /// The next whole frame that has come. Throws what the decoder refuses.
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
            if arrivals == before { try finish() }
        }
    }
}

/// Lines between nodes, and everything that can happen to them. Under TLS a line loses nothing and changes nothing: it is there or
/// lost. Doubled, overtaken, altered and old frames come from a peer or a relay that is not honest, or from broken memory.
final class Network {
    private unowned let world: World
    private var frames: [Set<Name>: Int] = [:]
    private var ends: [End] = []
    /// Frames between the parties, by attempt, for who wants to send them again.
    private var seen: [Frame] = []
    var accept: (End) throws -> Void = { _ in }

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
            let (near, far) = (End(from, to, world), End(to, from, world))
            near.far = far
            far.far = near
            ends += [near, far]
            world.after(0, to) { [self] in try accept(far) }
            try done(near)
        }
    }

    /// - Parameter frame: in a line's own order; a mischief may befall it.
    func send(_ frame: Frame, from end: End) throws {
        guard end.isOpen, !end.isOver, end.far != nil else { throw Fault(.peerLost, at: end.other.rawValue) }
        let link: Set = [end.owner, end.other]
        if let held = end.held {
            end.held = nil
            carry(frame.encode(), end)
            return carry(held, end)
        }
        guard !link.contains(.ann) else { return carry(frame.encode(), end) }
        defer { frames[link, default: 0] += 1 }
        let mischief = world.now < world.plan.healing ? world.plan.mischief[link]?[frames[link, default: 0]] : nil
        if let mischief { world.log(end.owner, "\(mischief) at frame \(frames[link, default: 0]) to \(end.other.rawValue)") }
        switch mischief {
        case nil: carry(frame.encode(), end)
        case .loss(let isHalfOpen):
            lose(end, tells: [end.owner, end.other].filter { _ in !isHalfOpen || world.draw(0...1) == 0 })
        case .duplicate:
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
            if let old = seen.first(where: { $0.job != frame.job && $0.kind.allows(from: end.owner.role, to: end.other.role) }) {
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

    private func carry(_ bytes: [UInt8], _ end: End) {
        guard let far = end.far else { return }
        let time = max(far.lastArrival, world.now + delay([end.owner, end.other]))
        far.lastArrival = time
        world.after(time - world.now, far.owner) { try far.arrive(bytes) }
    }

    /// The owner closes the line in order: what it sent arrives before that is seen.
    func close(_ end: End) {
        guard end.isOpen else { return }
        end.isOpen = false
        guard let far = end.far else { return }
        let time = max(far.lastArrival, world.now + delay([end.owner, end.other]))
        far.lastArrival = time
        world.after(time - world.now, far.owner) { try far.finish() }
    }

    /// Gone in the middle: what is under way is lost. Who is not told finds out when a silent line is probed.
    func lose(_ end: End, tells: [Name]) {
        guard let far = end.far else { return }
        let connection = [end, far]
        for one in connection { one.far = nil }
        for one in connection {
            world.after(tells.contains(one.owner) ? world.draw(0...50) : 60_000, one.owner) { try one.finish() }
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
    }
}
