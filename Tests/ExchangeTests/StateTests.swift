import BigInt
import Exchange
import Faults
import Foundation
import Jobs
import Roles
import Testing
import Wire

/// Which message may come when: a list of its own, so that the machine is held to it and not to itself.
private enum Stage: CaseIterable {
    case hello, nonce, key, alignment, columns, curvature, round, verdict, scoring, closing

    func kinds(at role: Role) -> Set<MessageKind> {
        switch self {
        case .hello: [.hello]
        case .nonce: [.nonce]
        case .key: [.paillierKey]
        case .alignment: role == .bank
            ? [.blindingProgress, .alignmentOpening, .blindedPoints, .doublyBlindedPoints, .seedReveal]
            : [.blindingProgress, .alignmentOpening, .blindedPoints, .seedReveal, .matches]
        case .columns: [.columns]
        case .curvature: role == .bank ? [] : [.curvature]
        case .round: [.roundRows, .maskedValues, .returnedBits]
        case .verdict: []
        case .scoring: role == .bank ? [.partialScores] : []
        case .closing: [.closing]
        }
    }

    /// The stage in which an honest party waits for a message of that kind.
    init?(waitingFor kind: MessageKind, at role: Role) {
        if kind == .verdict { self = .verdict } else {
            guard let stage = Stage.allCases.first(where: { $0.kinds(at: role).contains(kind) }) else { return nil }
            self = stage
        }
    }
}

@Suite("Messages out of place") struct StateTests {
    /// One honest job, and a message of every kind for either party to be troubled with.
    private static let honest = Result {
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 600, seed: 8), rounds: 3))
        let outcome = try conversation.run()
        try #require(outcome.completed.count == 2)
        return outcome
    }

    /// Real ones where the job had them in that direction or the other, empty ones otherwise.
    private static func messages(to role: Role) throws -> [MessageKind: Message] {
        var messages: [MessageKind: Message] = [
            .abort: .abort(.init()), .nodeRegister: .nodeRegister(.init()), .nodeRegistered: .nodeRegistered(.init()), .jobOffer: .jobOffer(.init()),
            .jobAnswer: .jobAnswer(.init()), .jobStart: .jobStart(.init()), .jobProgress: .jobProgress(.init()), .roundShare: .roundShare(.init()),
            .verdict: .verdict(.init()), .jobEnd: .jobEnd(.init()), .jobStop: .jobStop(.init()), .submitJob: .submitJob(.init()),
            .listJobs: .listJobs(.init()), .showJob: .showJob(.init()), .watchJob: .watchJob(.init()), .cancelJob: .cancelJob(.init()),
            .jobRecord: .jobRecord(.init()), .jobList: .jobList(.init()), .refusal: .refusal(.init()), .ledgerHeads: .ledgerHeads(.init()),
            .headSubmission: .headSubmission(.init()), .headSignatures: .headSignatures(.init()), .directionHead: .directionHead(.init()),
            .operationsHead: .operationsHead(.init()), .nodePublication: .nodePublication(.init()), .peerPublication: .peerPublication(.init()),
            .blindingProgress: .blindingProgress(.init()), .sortedPoints: .sortedPoints(.init()), .intersectionSize: .intersectionSize(.init()),
            .showPublication: .showPublication(.init()), .publicationRecord: .publicationRecord(.init()), .acknowledgement: .acknowledgement(.init()),
        ]
        let crossings = try honest.get().crossings
        for crossing in crossings.reversed() { messages[crossing.kind] = try Message.decode(kind: crossing.kind, payload: crossing.payload) }
        for crossing in crossings.reversed() where crossing.to == role {
            messages[crossing.kind] = try Message.decode(kind: crossing.kind, payload: crossing.payload)
        }
        return messages
    }

    @Test("in every state, every kind that the state does not allow is an unexpected message, from either line", arguments: [Role.bank, .platform])
    func outOfPlace(victim: Role) throws {
        let messages = try Self.messages(to: victim)
        #expect(Set(messages.keys) == Set(MessageKind.allCases))
        var visited: Set<Stage> = []
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 600, seed: 8), rounds: 3))
        conversation.probe = { machine, role, next, end in
            guard role == victim, let stage = Stage(waitingFor: next.kind, at: role) else { return }
            visited.insert(stage)
            for (kind, message) in messages {
                let here = "\(kind.name) while waiting for \(next.kind.name)"
                if kind == .abort {
                    #expect(fault(machine, message)?.code == .endedByPeer)
                } else if stage.kinds(at: role).contains(kind) {
                    // Of this state, but an earlier or a later one: refused, for whatever reason comes first.
                    if message != next, kind != next.kind {
                        #expect([.unexpectedMessage, .wrongCount, .cryptographicCheck].contains(fault(machine, message)?.code), "\(here)")
                    }
                } else {
                    #expect(fault(machine, message)?.code == .unexpectedMessage, "\(here)")
                }
                if end == .peer || kind != .verdict {
                    #expect(fault(machine, message, from: .arbiter)?.code == .unexpectedMessage, "\(here), from the arbiter")
                }
            }
        }
        let outcome = try conversation.run()
        #expect(outcome.completed.count == 2)
        #expect(visited == Set(Stage.allCases.filter { $0 == .verdict || !$0.kinds(at: victim).isEmpty }))
    }

    @Test("every kind of message that crosses in a job, a thousand times with changed bits, is refused or is another message, and none stops the program")
    func changedBits() throws {
        var random = SystemRandomNumberGenerator()
        let kinds = Dictionary(grouping: try Self.honest.get().crossings, by: \.kind)
        #expect(kinds.count > 10)
        for (kind, crossings) in kinds {
            let payload = try #require(crossings.map(\.payload).filter { !$0.isEmpty }.min { $0.count < $1.count } ?? crossings.first?.payload)
            guard !payload.isEmpty else { continue }
            let original = try Message.decode(kind: kind, payload: payload)
            for _ in 0..<1000 {
                var bytes = payload
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                guard bytes != payload, let message = try? Message.decode(kind: kind, payload: bytes) else { continue }
                #expect(message != original && message.encodePayload() == bytes, "\(kind.name)")
            }
        }
    }

    @Test("40 forms of what nobody encrypts, in every message that has ciphertexts and in every state: refused, and the job is over for good",
          arguments: [Role.bank, .platform])
    func ciphertexts(victim: Role) throws {
        let crossings = try Self.honest.get().crossings
        let (kinds, sender) = ([MessageKind.roundRows, .maskedValues, .returnedBits, .partialScores], victim.otherOwner)
        let moduli = try moduli(crossings)
        var (visited, names): (Set<String>, Set<String>) = ([], [])
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 600, seed: 8), rounds: 3))
        conversation.probe = { machine, role, next, _ in
            guard role == victim, let stage = Stage(waitingFor: next.kind, at: role), visited.insert("\(stage) \(next.kind.name)").inserted else { return }
            for kind in kinds {
                let owner = keyOwner(kind, from: sender)
                let (n, primes) = (try #require(moduli[owner]), try TrialRound.shared.get().primes(owner))
                #expect(primes.reduce(1, *) == n)
                let other = try #require(crossings.first { $0.kind == kind && $0.to == victim } ?? crossings.first { $0.kind == kind })
                let honest = kind == next.kind ? next : try Message.decode(kind: kind, payload: other.payload)
                for field in Ciphertexts.fields(try #require(honest.ciphertexts), under: n, primes: primes) {
                    names.insert(field.name)
                    var copy = machine
                    let bad = try #require(honest.withCiphertexts(field.bytes))
                    let place: Comment = "\(field.name) in \(kind.name) while waiting for \(next.kind.name)"
                    do throws(Fault) {
                        _ = try copy.step(.message(bad, from: .peer))
                        Issue.record(place)
                    } catch {
                        FaultTexts.heard(error)
                        let isHere = stage.kinds(at: role).contains(kind)
                        #expect(kind == next.kind ? error.code == field.code
                            : error.code == .unexpectedMessage || isHere && [.wrongCount, .cryptographicCheck].contains(error.code), place)
                    }
                    // Where the peer is not listened to, the message stays unread and nothing has begun.
                    guard machine.listening.contains(.peer) else { continue }
                    #expect(copy.listening.isEmpty && !copy.wantsToProceed, place)
                    #expect(fault(copy, next)?.code == .unexpectedMessage, place)
                }
            }
        }
        #expect(try conversation.run().completed.count == 2)
        #expect(Set(visited.map { $0.prefix { $0 != " " } }).count == Stage.allCases.count { $0 == .verdict || !$0.kinds(at: victim).isEmpty })
        // Forms, wherever in the field they stand.
        let forms = names.map { $0.hasSuffix(" first") ? String($0.dropLast(6)) : $0.hasSuffix(" last") ? String($0.dropLast(5)) : $0 }
        #expect(Set(forms).count >= 40)
    }

    @Test("where the bank alone learns who is common, the platform takes nothing but the closing once its points are back, has no list and no number, and frames are those that a plan counts")
    func bankAlone() throws {
        let messages = try Self.messages(to: .platform)
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 200, seed: 8), reveal: "bank"))
        var hasClosed = false
        conversation.probe = { machine, role, next, _ in
            guard role == .platform, next.kind == .closing else { return }
            hasClosed = true
            for (kind, message) in messages where kind != .closing && kind != .abort {
                #expect(fault(machine, message)?.code == .unexpectedMessage, "\(kind.name)")
            }
        }
        let outcome = try conversation.run()
        #expect(outcome.completed.count == 2 && hasClosed)
        #expect(Set(outcome.crossings.filter { $0.from == .bank && $0.to == .platform }.map(\.kind))
            == [.hello, .nonce, .paillierKey, .alignmentOpening, .blindedPoints, .closing])
        let files = try Dictionary(uniqueKeysWithValues: outcome.machines.map { ($0, try $1.results(RunMeasurements())) })
        #expect(files[.platform]?.map(\.name) == ["report.json"] && files[.bank]?.map(\.name) == ["aligned.csv", "report.json"])
        let report = try #require(files[.platform]?.first.map { String(decoding: $0.bytes, as: UTF8.self) })
        #expect(!report.contains("\"aligned\""))
        var counts = TransferCounts(isTraining: false, degree: 0, share: 0, keyBytes: 256)
        (counts.isAligning, counts.revealsToBankAlone) = (true, true)
        for role in [Role.bank, .platform] {
            guard case .alignmentOpening(let opening)? = try outcome.message(.alignmentOpening, from: role) else { continue }
            counts.listed[role] = Int(opening.count)
        }
        for role in [Role.bank, .platform] {
            let payloads = outcome.crossings.filter { $0.from == role && $0.to != .arbiter }.map(\.payload.count)
            let total = try #require(counts.total(from: role, rounds: 0))
            #expect(total.records == payloads.count)
            #expect(total.payloadBytes == payloads.reduce(0, +))
        }
    }

    @Test("before the start and after the end, nothing is heard")
    func outside() throws {
        let messages = try Self.messages(to: .bank)
        let fresh = try SmallJob(data: try SmallData(common: 200, seed: 8)).machine(.bank)
        let over = try #require(try Self.honest.get().machines[.bank])
        for machine in [fresh, over] {
            #expect(machine.listening.isEmpty && !machine.wantsToProceed)
            for (kind, message) in messages where kind != .abort {
                #expect(fault(machine, message)?.code == .unexpectedMessage, "\(kind.name)")
            }
        }
    }

    @Test("after a fault a machine is over: it neither works nor hears, and has no results")
    func over() throws {
        var machine = try SmallJob(data: try SmallData(common: 200, seed: 8)).machine(.platform)
        _ = try machine.step(.start)
        #expect(throws: Fault.self) { try machine.step(.message(.closing(.init()), from: .peer)) }
        #expect(machine.listening.isEmpty && !machine.wantsToProceed)
        #expect(throws: Fault.self) { try machine.step(.message(try #require(try Self.messages(to: .platform)[.hello]), from: .peer)) }
        #expect(throws: Fault.self) { try machine.results(RunMeasurements()) }
    }

    @Test("results exist only once the peer has closed in order, with the number of frames that it sent")
    func closing() throws {
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 200, seed: 8), rounds: 2))
        var sent: [Role: UInt64] = [:]
        conversation.tamper = { _, from, _ in sent[from, default: 0] += from == .arbiter ? 0 : 1 }
        conversation.probe = { machine, role, message, _ in
            guard case .closing(let closing) = message else { return }
            #expect(throws: Fault.self) { try machine.results(RunMeasurements()) }
            #expect(closing.framesSent > 0)
            for wrong in [0, closing.framesSent - 1, closing.framesSent + 1, .max] {
                #expect(fault(machine, .closing(.filled { $0.framesSent = wrong }))?.code == .wrongCount, "\(wrong) at \(role)")
            }
        }
        let outcome = try conversation.run()
        #expect(outcome.completed.count == 2)
        for role in [Role.bank, .platform] {
            guard case .closing(let closing)? = try outcome.message(.closing, from: role) else {
                Issue.record("not closed")
                continue
            }
            #expect(closing.framesSent == sent[role])
        }
    }
}
