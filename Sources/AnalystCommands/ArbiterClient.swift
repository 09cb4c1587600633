import Console
import Faults
import Foundation
import Installation
import Jobs
import Primitives
import Transport
import Wire

/// A person's line to the arbiter: one question, one answer.
actor ArbiterClient {
    nonisolated let arbiterName: String
    private let connection: Connection
    private var sequence: UInt64 = 0
    private var heard: UInt64 = 0

    private init(_ connection: Connection, _ arbiterName: String) {
        self.connection = connection
        self.arbiterName = arbiterName
    }

    static func open(_ configurationFile: String) async throws -> ArbiterClient {
        let (_, installation) = try Installation.person(configurationFile)
        let arbiter = installation.contract.arbiter
        guard let address = arbiter.address?.description else { throw Fault(.defect, at: "contract") }
        let connection = try await Transport.connect(
            to: address, identity: installation.identity, pins: arbiter.presentPins, name: arbiter.name, timeoutSeconds: 10)
        return ArbiterClient(connection, arbiter.name)
    }

    func close() async { await connection.close() }

    private func send(_ message: Message, job: JobIdentifier) async throws {
        let frame = Frame(message, phase: .waiting, job: job, attempt: 1, sequence: sequence, salt: SystemRandom.bytes(Frame.saltBytes))
        sequence += 1
        try await connection.send(frame)
    }

    /// The arbiter's next word about a job.
    func next() async throws -> Message {
        guard let frame = try await connection.receive() else { throw Fault(.peerLost, at: arbiterName) }
        guard frame.sequence == heard, frame.kind.allows(from: .arbiter, to: .person) else { throw Fault(.unexpectedMessage, at: arbiterName) }
        heard += 1
        do {
            let message = try frame.message()
            if case .refusal(let refusal) = message { throw FaultList(faults: refusal.faults.map { $0.fault(from: arbiterName) }) }
            return message
        } catch let fault as WireFault {
            throw fault.fault(from: arbiterName)
        }
    }

    func ask(_ message: Message, job: JobIdentifier) async throws -> JobRecord {
        try await send(message, job: job)
        guard case .jobRecord(let record) = try await next() else { throw Fault(.unexpectedMessage, at: arbiterName) }
        return record
    }

    func submit(_ specification: [UInt8]) async throws -> JobRecord {
        try await ask(.submitJob(.filled { $0.specification = specification.data }), job: .none)
    }

    func list() async throws -> [JobRecord] {
        try await send(.listJobs(.init()), job: .none)
        guard case .jobList(let list) = try await next() else { throw Fault(.unexpectedMessage, at: arbiterName) }
        return list.jobs
    }
}

/// Follows a job: a line that renews itself on a terminal, plain lines elsewhere.
struct JobWatcher {
    private let client: ArbiterClient
    private let job: JobIdentifier
    private let person: JobCommand.PersonOption
    private let language: Language

    init(_ client: ArbiterClient, _ job: JobIdentifier, _ person: JobCommand.PersonOption) {
        self.client = client
        self.job = job
        self.person = person
        language = person.options.language
    }

    /// Returns when the job has completed; throws why it has not.
    func run() async throws {
        var record = try await client.ask(.watchJob(.init()), job: job)
        var shown = ""
        while true {
            shown = show(record, after: shown)
            if record.state == .completed || record.state == .failed || record.state == .cancelled { break }
            guard case .jobRecord(let next) = try await client.next() else { throw Fault(.unexpectedMessage, at: client.arbiterName) }
            record = next
        }
        if Console.isTerminal, !person.json { Console.note("") }
        if record.hasFault { throw record.fault.fault(from: record.faultParty) }
        if !person.json { Console.note(record.state.name(language)) }
    }

    /// Plain output tells each phase and round once.
    private func show(_ record: JobRecord, after shown: String) -> String {
        if person.json {
            person.show(record)
            return ""
        }
        let state = record.state == .running ? record.progressText(language) : record.stateText(language)
        if Console.isTerminal {
            FileHandle.standardError.write(Data("\r\u{1B}[K\(state)".utf8))
            return state
        }
        let step = "\(record.state.rawValue) \(record.bankApproved) \(record.platformApproved) \(record.progress.phase.rawValue) \(record.progress.round)"
        if step != shown, record.state == .offered || record.state == .running {
            Console.note(record.state == .running ? record.progressText(language, withPercent: false) : state)
        }
        return step
    }
}
