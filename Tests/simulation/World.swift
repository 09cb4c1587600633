import Faults
import Foundation
import Primitives
import Wire

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// Who takes part, by the names of the contract.
enum Name: String, CaseIterable {
    case middle, north, south, ann

    var role: Role {
        switch self {
        case .middle: .arbiter
        case .north: .bank
        case .south: .platform
        case .ann: .person
        }
    }
}

/// Unwinds whatever a node was doing when it fell.
struct Crash: Error {
    let node: Name
    let fall: Plan.Fall
}

enum Invariant: String, CaseIterable {
    /// The undisturbed model, or a typed end at every node, in time.
    case outcome = "I1"
    /// One byte string for each job, attempt, direction and sequence; no secret in two attempts.
    case bytes = "I2"
    /// Ledgers are prefixes, and no node signs two heads of one size.
    case ledgers = "I3"
    /// Nothing that is shown or logged names a subject or holds a secret.
    case silence = "I4"
    /// What heals goes on.
    case healing = "I5"
}

struct Violation {
    let invariant: Invariant
    let sentence: String
}

/// Virtual time, the order of events, and everything that is drawn: one generator, one thread, so that a seed is a run.
final class World {
    private struct Event {
        let time: Int
        let order: Int
        let node: Name?
        let incarnation: Int
        let action: () throws -> Void
    }

    let plan: Plan
    let bug: Bug?
    /// Milliseconds since the start.
    private(set) var now = 0
    private(set) var violations: [Violation] = []
    private(set) var trace: [String] = []
    /// How many frames have suffered a kind of fault.
    private(set) var counts: [FaultClass: Int] = [:]
    private let keepsTrace: Bool
    private var hash = SHA256()
    private var random: Numbers
    private var queue: [Event] = []
    private var order = 0
    private(set) var incarnations: [Name: Int] = [:]
    private var points: [String: Int] = [:]
    private var wallShift: [Name: Int] = [:]
    /// What a node does when it falls; whether its disk keeps only what was synchronised.
    var onFall: (Name, _ losesTail: Bool) -> Void = { _, _ in }
    var onStart: (Name) throws -> Void = { _ in }
    private(set) var isUp: Set<Name> = Set(Name.allCases)

    init(plan: Plan, bug: Bug?, keepsTrace: Bool) {
        self.plan = plan
        self.bug = bug
        self.keepsTrace = keepsTrace
        random = Numbers(state: plan.seed &* 0x5851_f42d_4c95_7f2d)
        for jump in plan.jumps {
            after(jump.at, nil) { [self] in
                wallShift[jump.node, default: 0] += jump.seconds
                log(jump.node, "its clock jumps by \(jump.seconds) s")
            }
        }
    }

    // Draws

    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }

    /// How long the node's disk takes.
    func diskDelay() -> Int { plan.isSlow(at: now) ? draw(0...2000) : draw(0...4) }

    /// The node's clock of the wall; that of the world itself cannot be set.
    func unixSeconds(_ node: Name) -> UInt64 { UInt64(max(0, 1_800_000_000 + now / 1000 + wallShift[node, default: 0])) }

    // Events

    /// - Parameter node: whose event it is: with its fall it is gone.
    func after(_ milliseconds: Int, _ node: Name?, _ action: @escaping () throws -> Void) {
        order += 1
        let incarnation = node.map { incarnations[$0, default: 0] } ?? 0
        let event = Event(time: now + milliseconds, order: order, node: node, incarnation: incarnation, action: action)
        // Latest first: the next one is popped from the end.
        var (low, high) = (0, queue.count)
        while low < high {
            let middle = (low + high) / 2
            if (queue[middle].time, queue[middle].order) > (event.time, event.order) { low = middle + 1 } else { high = middle }
        }
        queue.insert(event, at: low)
    }

    /// - Parameter isDone: asked after every event.
    func run(until end: Int, isDone: () -> Bool = { false }) {
        while let event = queue.last, event.time <= end {
            queue.removeLast()
            now = event.time
            if let node = event.node, !isUp.contains(node) || incarnations[node, default: 0] != event.incarnation { continue }
            do {
                try event.action()
            } catch let crash as Crash {
                fall(crash)
            } catch {
                violate(.outcome, "an error that nobody takes: \(error)")
            }
            if isDone() { return }
        }
        now = max(now, end)
    }

    /// Lets go of everything that was to happen.
    func dissolve() {
        queue = []
        (onFall, onStart) = ({ _, _ in }, { _ in })
    }

    /// A place at which the node may fall; each is counted, and each word of its label.
    func point(_ node: Name, _ label: String) throws {
        points["\(node)", default: 0] += 1
        for word in plan.fallingWords where label.contains(word) { points["\(node) \(word)", default: 0] += 1 }
        let fall = plan.crashes.first { fall in
            let place = fall.word.map { "\(node) \($0)" } ?? "\(node)"
            return fall.node == node && fall.point == points[place] && (fall.word.map { label.contains($0) } ?? true)
        }
        guard let fall, now < plan.healing else { return }
        log(node, "\(fall.losesTail ? "loses its power" : "is killed"): \(label)")
        throw Crash(node: node, fall: fall)
    }

    private func fall(_ crash: Crash) {
        let node = crash.node
        isUp.remove(node)
        incarnations[node, default: 0] += 1
        onFall(node, crash.fall.losesTail)
        after(min(crash.fall.downMilliseconds, max(1, plan.healing - now)), nil) { [self] in
            isUp.insert(node)
            log(node, "starts again")
            do {
                try onStart(node)
            } catch let crash as Crash {
                fall(crash)
            }
        }
    }

    // What is seen

    func log(_ node: Name, _ text: @autoclosure () -> String) {
        let line = "\(now) \(node.rawValue) \(text())"
        hash.update(Array(line.utf8))
        if keepsTrace { trace.append(line) }
        // Whatever is written is read by people.
        checkSilence(line)
    }

    func log(_ node: Name, _ fault: Fault) {
        log(node, "\(fault.code): \(fault.lines(.en)) \(fault.lines(.zh))")
    }

    func count(_ kind: FaultClass) { counts[kind, default: 0] += 1 }

    func checkSilence(_ text: String) {
        if text.contains(Lab.canary) { violate(.silence, "a line that people read names a subject") }
    }

    func violate(_ invariant: Invariant, _ sentence: String) {
        violations.append(Violation(invariant: invariant, sentence: sentence))
        if keepsTrace { trace.append("\(now) !!! \(invariant.rawValue) \(sentence)") }
    }

    var digest: String { hash.finalize().prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
