import ArbiterRole
import Faults
import Foundation
import Jobs
import Primitives
import Testing
import Wire

/// An arbiter of one lab with two banks, two platforms and people of every role; what it wants done is kept by receiver.
struct TrialArbiter {
    static let digest = [UInt8](repeating: 7, count: 32)
    static let parties = ["north", "east", "south", "west"]

    private(set) var machine: ArbiterMachine
    private(set) var kept: [JobRecord] = []
    private(set) var specifications: [JobIdentifier: [UInt8]] = [:]
    private(set) var closed: [ArbiterLine: Fault] = [:]
    private var sent: [ArbiterLine: [Sent]] = [:]
    private var jobs: UInt64 = 0
    var now: UInt64 = 1000

    struct Sent: Equatable {
        let message: Message
        let job: JobIdentifier
    }

    /// Signs the heads of the party with that digit.
    static func key(_ digit: UInt8) -> Ed25519.SigningKey { Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: digit, count: 32))) }

    static let contract: Result<Contract, any Error> = Result {
        func party(_ name: String, _ role: String, _ digit: Int) -> String {
            let address = role == "bank" ? "" : "\"address\": \"127.0.0.1:\(digit)\","
            let key = Data(key(UInt8(digit)).verifyingKey.bytes).base64EncodedString()
            return "{ \"name\": \"\(name)\", \"role\": \"\(role)\", \(address) \"pin\": \"\(pin(digit))\", \"ledger_key\": \"\(key)\" }"
        }
        func person(_ name: String, _ role: String, _ digit: Int) -> String {
            "{ \"name\": \"\(name)\", \"role\": \"\(role)\", \"pin\": \"\(pin(digit))\" }"
        }
        func pin(_ digit: Int) -> String { String(repeating: String(digit, radix: 16), count: 64) }
        let parties = [
            party("middle", "arbiter", 1), party("north", "bank", 2), party("east", "bank", 3), party("south", "platform", 4),
            party("west", "platform", 5),
        ]
        let people = [person("ann", "analyst", 6), person("ben", "analyst", 7), person("ida", "auditor", 8), person("paul", "approver", 9)]
        return try Contract.parse(Array("""
            { "version": 1, "name": "trial", "suite": "P256-SHA256", "parties": [\(parties.joined(separator: ","))],
              "people": [\(people.joined(separator: ","))] }
            """.utf8))
    }

    init(records: [JobRecord] = [], specifications: [JobIdentifier: [UInt8]] = [:], registering: [String] = TrialArbiter.parties) throws {
        machine = ArbiterMachine(contract: try Self.contract.get(), contractDigest: Self.digest,
                                 ledgerKey: Ed25519.SigningKey(seed: SecretBytes(copying: Self.digest)), records: records,
                                 specifications: specifications)
        for name in registering {
            hear(Self.registration, from: .party(name))
            #expect(take(.party(name)) == [Sent(message: .nodeRegistered(.filled { $0.version = ProtocolVersion.current }), job: .none)])
        }
    }

    static let registration = Message.nodeRegister(.filled { $0.version = ProtocolVersion.current; $0.contractDigest = digest.data })

    static func specification(bank: String = "north", platform: String = "south", rounds: Int = 12, history: Int = 8, name: String = "trial") -> String {
        """
        { "version": 1, "name": "\(name)", "purpose": { "code": "test", "statement": "A test." },
          "parties": { "bank": "\(bank)", "platform": "\(platform)" },
          "population": { "id_type": "text", "bank_id": "id", "platform_id": "id" }, "label": { "column": "y" },
          "features": { "bank": ["a"], "platform": ["b"] }, "training": { "maximum_rounds": \(rounds), "history": \(history) } }
        """
    }

    static func person(_ name: String, _ connection: UInt64 = 1) -> ArbiterLine { .person(name, connection: connection) }

    @discardableResult
    mutating func step(_ event: ArbiterEvent) -> [ArbiterEffect] {
        now += 1
        let effects = machine.step(event, unixSeconds: now)
        for effect in effects {
            switch effect {
            case .send(let message, let job, let line): sent[line, default: []].append(Sent(message: message, job: job))
            case .keep(let record): kept.append(record)
            case .keepSpecification(let bytes, let job): specifications[job] = bytes
            case .close(let line, let fault): closed[line] = fault
            }
            // Whatever it says is on the published list for that receiver.
            if case .send(let message, _, let line) = effect {
                switch line {
                case .party: #expect(message.kind.allows(from: .arbiter, to: .bank))
                case .person: #expect(message.kind.allows(from: .arbiter, to: .person))
                }
            }
        }
        return effects
    }

    @discardableResult
    mutating func hear(_ message: Message, _ job: JobIdentifier = .none, from line: ArbiterLine) -> [ArbiterEffect] {
        jobs += 1
        let fresh = JobIdentifier(octets: withUnsafeBytes(of: jobs.bigEndian, Array.init) + [UInt8](repeating: 0xab, count: 8)) ?? .none
        return step(.heard(message, job: job, from: line, fresh: fresh))
    }

    /// What has been sent there since this was last asked.
    mutating func take(_ line: ArbiterLine) -> [Sent] { sent.removeValue(forKey: line) ?? [] }

    // What people and parties do

    mutating func submit(_ specification: String = TrialArbiter.specification(), by name: String = "ann") throws -> JobIdentifier {
        hear(.submitJob(.filled { $0.specification = Data(specification.utf8) }), from: Self.person(name))
        let answer = try #require(take(Self.person(name)).last)
        guard case .jobRecord(let record) = answer.message else {
            Issue.record("refused: \(answer.message)")
            return .none
        }
        return try #require(JobIdentifier(octets: record.job.octets))
    }

    /// The faults with which the arbiter refuses.
    mutating func refusal(_ name: String = "ann") throws -> [Fault] {
        guard case .refusal(let refusal)? = take(Self.person(name)).last?.message else { return [] }
        return refusal.faults.map { $0.fault(from: "middle") }
    }

    mutating func approve(_ job: JobIdentifier, by names: [String] = ["north", "south"]) {
        for name in names { hear(.jobAnswer(.init()), job, from: .party(name)) }
    }

    mutating func tick(seconds: UInt64) {
        now += seconds - 1
        step(.tick)
    }

    mutating func comesBack(_ name: String) {
        step(.connected(.party(name)))
        hear(Self.registration, from: .party(name))
        _ = take(.party(name))
    }

    /// A job that both parties have started.
    mutating func running(_ specification: String = TrialArbiter.specification()) throws -> JobIdentifier {
        let job = try submit(specification)
        approve(job)
        for name in ["north", "south"] { #expect(take(.party(name)).map(\.message.kind) == [.jobOffer, .jobStart]) }
        return job
    }

    mutating func record(_ job: JobIdentifier) throws -> JobRecord {
        hear(.showJob(.init()), job, from: Self.person("ida", 99))
        guard case .jobRecord(let record)? = take(Self.person("ida", 99)).last?.message else {
            Issue.record("no record")
            return JobRecord()
        }
        return record
    }

    /// The fault with which a party is told that the job is over; nothing where it is not told.
    mutating func stop(_ name: String) -> Fault? {
        for sent in take(.party(name)).reversed() {
            if case .jobStop(let stop) = sent.message { return stop.fault.fault(from: "middle") }
        }
        return nil
    }
}

extension Message {
    static func end(_ fault: Fault? = nil) -> Message { .jobEnd(.filled { end in if let fault { end.fault = FaultNote(fault) } }) }
}
