import ArbiterRole
import Exchange
import Faults
import Foundation
import Roles
import Testing
import Wire

/// One message on its way.
struct Crossing: Sendable, Hashable {
    let from: Role
    let to: Role
    let kind: MessageKind
    let payload: [UInt8]
}

/// Both data parties and the arbiter in memory: carries what one sends to the other, in an order that a seed chooses.
///
/// Whatever crosses is encoded, held to the published table, and decoded again.
struct Conversation {
    private let job: SmallJob
    private var outcome: Outcome
    private var inbox: [Role: [LineEnd: [Message]]] = [.bank: [:], .platform: [:]]
    private var random: Numbers
    private let isOrderly: Bool

    /// Changes what is under way to a data party.
    var tamper: (_ message: inout Message, _ from: Role, _ to: Role) -> Void = { _, _, _ in }
    /// Sees each message and the receiver before it is delivered; a copy of the receiver may be tried out.
    var probe: (_ machine: any RoleMachine, _ role: Role, _ message: Message, _ end: LineEnd) throws -> Void = { _, _, _, _ in }

    /// - Parameter seed: of the order of events; without one, each party works and hears in turn.
    init(_ job: SmallJob, seed: UInt64? = nil) throws {
        self.job = job
        outcome = Outcome(machines: [.bank: try job.machine(.bank), .platform: try job.machine(.platform)], arbiter: try job.arbiter())
        random = Numbers(state: seed ?? 0)
        isOrderly = seed == nil
    }

    /// Until both are done, one fails, or nothing moves.
    @discardableResult
    mutating func run() throws -> Outcome {
        for role in [Role.bank, .platform] { try step(role, .start) }
        while outcome.faults.isEmpty, outcome.completed.count < 2 {
            let events = candidates()
            guard !events.isEmpty else { break }
            let (role, event) = events[isOrderly ? 0 : Int.random(in: events.indices, using: &random)]
            switch event {
            case .message(_, let end):
                guard let message = inbox[role]?[end]?.removeFirst(), let machine = outcome.machines[role] else { break }
                try probe(machine, role, message, end)
                try step(role, .message(message, from: end))
            default:
                try step(role, event)
            }
        }
        return outcome
    }

    private func candidates() -> [(Role, RoleEvent)] {
        var events: [(Role, RoleEvent)] = []
        for role in [Role.bank, .platform] where !outcome.completed.contains(role) {
            guard let machine = outcome.machines[role] else { continue }
            for end in [LineEnd.arbiter, .peer] where machine.listening.contains(end) {
                if let message = inbox[role]?[end]?.first { events.append((role, .message(message, from: end))) }
            }
            if machine.wantsToProceed { events.append((role, .proceed)) }
        }
        return events
    }

    private mutating func step(_ role: Role, _ event: RoleEvent) throws {
        do {
            for effect in try outcome.machines[role]?.step(event) ?? [] {
                switch effect {
                case .send(let message, to: .peer): try carry(message, from: role, to: role == .bank ? .platform : .bank)
                case .send(let message, to: .arbiter): try consult(message, from: role)
                case .progress, .checkpoint, .used: break
                case .completed:
                    outcome.completed.insert(role)
                    try consult(.jobEnd(.init()), from: role)
                }
            }
        } catch let fault as Fault {
            outcome.faults[role] = fault
        }
    }

    private mutating func carry(_ message: Message, from: Role, to: Role) throws {
        #expect(message.kind.allows(from: from, to: to), "\(message.kind.name)")
        var message = message
        tamper(&message, from, to)
        let payload = message.encodePayload()
        outcome.crossings.append(Crossing(from: from, to: to, kind: message.kind, payload: payload))
        let end: LineEnd = from == .arbiter ? .arbiter : .peer
        inbox[to]?[end, default: []].append(try Message.decode(kind: message.kind, payload: payload))
    }

    private mutating func consult(_ message: Message, from role: Role) throws {
        #expect(message.kind.allows(from: role, to: .arbiter), "\(message.kind.name)")
        outcome.crossings.append(Crossing(from: role, to: .arbiter, kind: message.kind, payload: message.encodePayload()))
        let name = role == .bank ? "north" : "south"
        for effect in outcome.arbiter.step(.heard(message, job: job.job, from: .party(name), fresh: .none), unixSeconds: 2) {
            switch effect {
            case .send(let reply, _, to: .party(let name)): try carry(reply, from: .arbiter, to: name == "north" ? .bank : .platform)
            case .close(_, let fault): Issue.record("the arbiter refuses: \(fault)")
            default: break
            }
        }
    }
}

/// What came of a job.
struct Outcome: Sendable {
    fileprivate(set) var machines: [Role: any RoleMachine]
    fileprivate(set) var arbiter: ArbiterMachine
    fileprivate(set) var crossings: [Crossing] = []
    fileprivate(set) var completed: Set<Role> = []
    fileprivate(set) var faults: [Role: Fault] = [:]

    fileprivate init(machines: [Role: any RoleMachine], arbiter: ArbiterMachine) {
        self.machines = machines
        self.arbiter = arbiter
    }

    /// What one party sent to another, in order.
    func bytes(from: Role, to: Role) -> [Crossing] { crossings.filter { $0.from == from && $0.to == to } }

    func files(_ role: Role) throws -> [String: [UInt8]] {
        let results = try #require(machines[role]).results(RunMeasurements())
        return Dictionary(uniqueKeysWithValues: results.map { ($0.name, $0.bytes) })
    }

    func page(_ role: Role) throws -> [UInt8] {
        let machine = try #require(machines[role])
        return try #require(machine.page(of: try machine.results(RunMeasurements()), language: .en)).bytes
    }

    func report(_ role: Role) throws -> [String: Any] {
        let bytes = try #require(try files(role)["report.json"])
        return try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    /// Columns of a party's report by name, and their weights.
    func weights(_ role: Role) throws -> [String: Double] {
        let rows = try #require(try report(role)["coefficients"] as? [[String: Any]])
        return try Dictionary(uniqueKeysWithValues: rows.map { (try #require($0["column"] as? String), try #require($0["weight"] as? Double)) })
    }

    struct Score: Hashable {
        let probability: Double
        let part: String
    }

    /// scores.csv by identifier.
    func scores() throws -> [String: Score] {
        let text = String(decoding: try #require(try files(.bank)["scores.csv"]), as: UTF8.self)
        var scores: [String: Score] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: ",").map(String.init)
            scores[cells[0]] = Score(probability: try #require(Double(cells[1])), part: cells.count > 2 ? cells[2] : "")
        }
        return scores
    }
}
