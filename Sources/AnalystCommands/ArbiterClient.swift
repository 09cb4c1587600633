import Console
import Faults
import Foundation
import Installation
import Jobs
import Planning
import Primitives
import Synchronization
import Transport
import Wire

/// A person's line to the arbiter: one question, one answer.
actor ArbiterClient {
    nonisolated let contract: Contract
    nonisolated var arbiterName: String { contract.arbiter.name }
    private let connection: Connection
    private var sequence: UInt64 = 0
    private var heard: UInt64 = 0

    private init(_ connection: Connection, _ contract: Contract) {
        self.connection = connection
        self.contract = contract
    }

    static func open(_ configurationFile: String) async throws -> ArbiterClient {
        let (_, installation) = try Installation.person(configurationFile)
        let arbiter = installation.contract.arbiter
        guard let address = arbiter.address?.description else { throw Fault(.defect, at: "contract") }
        let connection = try await Transport.connect(
            to: address, identity: installation.identity, pins: arbiter.presentPins, name: arbiter.name, timeoutSeconds: 10)
        return ArbiterClient(connection, installation.contract)
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

    /// An arbiter that does not answer in time is lost.
    private func answer(to message: Message, job: JobIdentifier = .none) async throws -> Message {
        let alarm = Task {
            try await Task.sleep(for: .seconds(60))
            await connection.close()
        }
        defer { alarm.cancel() }
        try await send(message, job: job)
        return try await next()
    }

    func ask(_ message: Message, job: JobIdentifier) async throws -> JobRecord {
        guard case .jobRecord(let record) = try await answer(to: message, job: job) else { throw Fault(.unexpectedMessage, at: arbiterName) }
        return record
    }

    func submit(_ specification: [UInt8]) async throws -> JobRecord {
        try await ask(.submitJob(.filled { $0.specification = specification.data }), job: .none)
    }

    /// What a data party has published; nothing if it has not.
    func publication(of party: String) async throws -> Publication? {
        let question = Message.showPublication(.filled { $0.party = party })
        guard case .publicationRecord(let record) = try await answer(to: question) else { throw Fault(.unexpectedMessage, at: arbiterName) }
        let document = record.document.octets
        guard !document.isEmpty else { return nil }
        guard let publication = try? Publication.parse(document), publication.party == party else { throw Fault(.malformedMessage, at: arbiterName) }
        return publication
    }

    func list() async throws -> [JobRecord] {
        guard case .jobList(let list) = try await answer(to: .listJobs(.init())) else { throw Fault(.unexpectedMessage, at: arbiterName) }
        return list.jobs
    }
}

/// Follows a job: a bar that renews itself on a terminal, plain lines elsewhere.
struct JobWatcher {
    private var client: ArbiterClient
    /// The attempt that is followed; in the end the one that completed.
    private(set) var job: JobIdentifier
    private let person: JobCommand.PersonOption
    private let language: Language
    /// No news for so long is worth a word.
    private static let patienceSeconds = 10

    init(_ client: ArbiterClient, _ job: JobIdentifier, _ person: JobCommand.PersonOption) {
        self.client = client
        self.job = job
        self.person = person
        language = person.options.language
    }

    /// Returns when the job has completed; throws why it has not. An interrupted job is followed into its next attempt, and an
    /// arbiter that goes away is waited for, for as long as the contract's deadline.
    mutating func run() async throws {
        let display = WatchDisplay(client.contract.limits.deadlineSeconds, Self.patienceSeconds, language)
        let json = person.json
        let ticker = Task {
            while !Task.isCancelled, !json {
                try await Task.sleep(for: .seconds(1))
                display.tick()
            }
        }
        defer {
            ticker.cancel()
            Console.showStatus(nil)
        }
        var record = try await client.ask(.watchJob(.init()), job: job)
        while true {
            if let id = JobIdentifier(octets: record.job.octets), id != job {
                job = id
                if !json { Console.say("\(id)") }
            }
            if json { person.show(record, client) } else { display.show(record) }
            if record.state == .completed || record.state == .failed || record.state == .cancelled { break }
            do {
                guard case .jobRecord(let next) = try await client.next() else { throw Fault(.unexpectedMessage, at: client.arbiterName) }
                record = next
            } catch let fault as Fault where fault.code == .peerLost {
                record = try await again(after: fault)
            }
        }
        ticker.cancel()
        Console.showStatus(nil)
        if record.hasFault { throw record.fault.fault(from: record.faultParty) }
        if !json { Console.note(record.state.name(language)) }
    }

    private mutating func again(after fault: Fault) async throws -> JobRecord {
        let deadline = ContinuousClock.now + .seconds(client.contract.limits.deadlineSeconds)
        Console.showStatus(nil)
        Console.note(Phrase(en: "\(fault.message(language)); trying to reach it again", zh: "\(fault.message(language))；正在尝试重新连接")(language))
        while true {
            try await Task.sleep(for: .seconds(Double.random(in: 1...3)))
            do {
                client = try await person.open()
                return try await client.ask(.watchJob(.init()), job: job)
            } catch let next as Fault where next.code == .peerUnreachable || next.code == .peerLost {
                guard ContinuousClock.now < deadline else { throw fault }
            }
        }
    }
}

/// What is on the screen of whoever watches a job.
private final class WatchDisplay: Sendable {
    private struct State: Sendable {
        var record = JobRecord()
        var progress: ProgressEstimate?
        var news = Date()
        var step = ""
        var isSilenceTold = false
    }

    private let state = Mutex(State())
    private let deadlineSeconds: Int
    private let patienceSeconds: Int
    private let language: Language

    init(_ deadlineSeconds: Int, _ patienceSeconds: Int, _ language: Language) {
        self.deadlineSeconds = deadlineSeconds
        self.patienceSeconds = patienceSeconds
        self.language = language
    }

    /// Plain output tells each phase and round once.
    func show(_ record: JobRecord) {
        let text = state.withLock { state -> String? in
            let awaited = record.state == .running ? "" : record.awaited
            let step = "\(record.state.rawValue) \(record.bankApproved) \(record.platformApproved) \(awaited) \(record.progress.phase.rawValue) "
                + "\(record.progress.round) \(record.progress.cutUnixSeconds)"
            defer {
                state.record = record
                state.news = Date()
                state.step = step
                state.isSilenceTold = false
            }
            var estimate = state.progress ?? ProgressEstimate(expectedRounds: Int(record.expectedRounds))
            estimate.note(record.progress, at: Self.seconds)
            state.progress = record.state == .running ? estimate : nil
            if record.state == .running, record.progress.cutUnixSeconds > 0 { return step == state.step ? nil : record.cutText(language) }
            let words = record.state == .running ? nil : record.stateText(deadlineSeconds: deadlineSeconds, language)
            if Console.isTerminal { return words ?? bar(estimate) }
            guard step != state.step, [.queued, .offered, .running, .interrupted].contains(record.state) else { return nil }
            return words ?? estimate.words(language, at: Self.seconds).plain
        }
        if let text { write(text) }
    }

    private static var seconds: Double { Date().timeIntervalSinceReferenceDate }

    private func bar(_ estimate: ProgressEstimate) -> String {
        let words = estimate.words(language, at: Self.seconds)
        return Console.bar(words.label, words.fraction, words.left)
    }

    /// Time goes on in the bar; says whom a running job waits for when nothing has changed for a while.
    func tick() {
        let text = state.withLock { state -> String? in
            guard state.record.state == .running, let progress = state.progress else { return nil }
            let isSilent = Date().timeIntervalSince(state.news) > Double(patienceSeconds)
            guard state.record.progress.cutUnixSeconds == 0, Console.isTerminal || isSilent && !state.isSilenceTold else { return nil }
            guard isSilent else { return bar(progress) }
            state.isSilenceTold = true
            return progress.words(language, at: Self.seconds).label + "; "
                + state.record.waitText(since: state.news, deadlineSeconds: deadlineSeconds, language)
        }
        if let text { write(text) }
    }

    private func write(_ text: String) {
        if Console.isTerminal { Console.showStatus(text) } else { Console.note(text) }
    }
}

extension JobRecord {
    /// - Parameter news: when this record came.
    fileprivate func waitText(since news: Date, deadlineSeconds: Int, _ language: Language) -> String {
        guard !awaited.isEmpty else {
            let since = news.formatted(.iso8601)
            return Phrase(en: "no news since \(since)", zh: "自 \(since) 起无进展消息")(language)
        }
        let start = Date(timeIntervalSince1970: Double(awaitedSinceUnixSeconds))
        let (since, end) = (start.formatted(.iso8601), start.addingTimeInterval(Double(deadlineSeconds)).formatted(.iso8601))
        return Phrase(en: "waiting for \(awaited), last heard at \(since); the job ends about \(end) if nothing comes",
                      zh: "等待 \(awaited)，其最近消息在 \(since)；若一直无响应，任务将于 \(end) 前后终止")(language)
    }
}
