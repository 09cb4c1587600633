import Faults
import Foundation
import Jobs
import Ledger
import Planning
import Primitives
import Wire

/// Who is at the other end of one of the arbiter's lines, by its certificate.
package enum ArbiterLine: Sendable, Hashable {
    case party(String)
    /// A person may have several lines at once.
    case person(String, connection: UInt64)
}

package enum ArbiterEvent: Sendable {
    case connected(ArbiterLine)
    case lost(ArbiterLine)
    /// `fresh` is a random identifier for a job that this message may start.
    case heard(Message, job: JobIdentifier, from: ArbiterLine, fresh: JobIdentifier)
    /// A party has sent more of a job than its ledger takes.
    case tooMuch(job: JobIdentifier, from: String)
    /// Time has passed: about once a second.
    case tick
}

package enum ArbiterEffect: Sendable {
    case send(Message, job: JobIdentifier, to: ArbiterLine)
    /// Keep this record: the job changed.
    case keep(JobRecord)
    /// Keep what a new job asks for, canonical JSON, so that it can be taken up again.
    case keepSpecification([UInt8], job: JobIdentifier)
    /// The other end broke the rules.
    case close(ArbiterLine, Fault)
}

/// The arbiter as a state machine: it takes in specifications, asks the owners, keeps parties in step, rules on stopping,
/// and knows how each job stands. It holds no key, no identifier and no data, and its module can reach none.
package struct ArbiterMachine: Sendable {
    /// Jobs that are remembered; the oldest ended ones give way. So many records of the longest kind fit into one frame.
    package static let mostJobs = 500
    /// Jobs that may be open at once, and of one analyst.
    package static let mostOpenJobs = 50
    package static let mostOpenJobsPerAnalyst = 30
    /// Jobs that may be with their owners at once, besides those that wait for people: each holds data in memory there.
    package static let mostOfferedJobs = 10

    private let contract: Contract
    private let contractDigest: [UInt8]
    private let ledgerKey: Ed25519.SigningKey
    private var registered: Set<String> = []
    /// What each data party published last.
    private var publications: [String: Publication] = [:]
    private var jobs: [JobIdentifier: ArbiterJob] = [:]
    private var order: [JobIdentifier] = []
    private var watchers: [JobIdentifier: Set<ArbiterLine>] = [:]
    /// Jobs that this arbiter's start changed, whose records have not been kept since.
    private var changedAtStart: [JobIdentifier] = []

    /// - Parameters:
    ///   - records: what an earlier run kept; jobs that were open then were interrupted by its end.
    ///   - specifications: what they asked for, as it was kept.
    package init(contract: Contract, contractDigest: [UInt8], ledgerKey: Ed25519.SigningKey, records: [JobRecord] = [],
                 specifications: [JobIdentifier: [UInt8]] = [:]) {
        self.contract = contract
        self.contractDigest = contractDigest
        self.ledgerKey = ledgerKey
        // Another number is none of this arbiter's.
        let records = records.filter { (1...JobIdentifier.mostAttempts).contains($0.attempt) }
        let attempts = Dictionary(records.map { ($0.job, $0.attempt) }, uniquingKeysWith: max)
        for record in records.sorted(by: { $0.submittedUnixSeconds < $1.submittedUnixSeconds }) {
            guard let id = JobIdentifier(octets: record.job.octets) else { continue }
            let isOver = record.state.isFinal
            var job = ArbiterJob(record: record, specification: isOver ? nil : specifications[id].flatMap { try? JobSpecification.parse($0) })
            if [.queued, .offered, .running].contains(record.state) {
                let fault = Fault(.peerLost, at: contract.arbiter.name)
                job.record.fault = FaultNote(fault)
                job.record.faultParty = contract.arbiter.name
                job.record.state = state(of: job, after: fault)
                job.record.clearAwaited()
                changedAtStart.append(id)
            }
            let isTakenUp = attempts[id.next.octets.data] == record.attempt + 1
            if isTakenUp, job.record.state == .interrupted { job.record.state = .failed }
            jobs[id] = job
            order.append(id)
        }
        forgetOldest(keeping: Self.mostJobs)
    }

    /// How many jobs wait for their owners, and how many run.
    package var openJobs: (waiting: Int, running: Int) {
        let open = jobs.values.filter(\.isOpen)
        let running = open.count { $0.record.state == .running }
        return (open.count - running, running)
    }

    /// What the frames of that job carry.
    package func attempt(of id: JobIdentifier) -> UInt32 { jobs[id]?.record.attempt ?? 1 }

    package mutating func step(_ event: ArbiterEvent, unixSeconds: UInt64) -> [ArbiterEffect] {
        // Whatever happens may make room for a job that waits.
        take(event, unixSeconds) + offerQueued(unixSeconds)
    }

    private mutating func take(_ event: ArbiterEvent, _ unixSeconds: UInt64) -> [ArbiterEffect] {
        switch event {
        case .tick:
            defer { changedAtStart = [] }
            for id in changedAtStart { jobs[id]?.record.changedUnixSeconds = unixSeconds }
            return changedAtStart.compactMap { jobs[$0] }.map { .keep($0.record) } + endSilent(unixSeconds) + takeUpInterrupted(unixSeconds)
        case .connected(let line):
            // Whoever dials again has lost what it was doing, though nobody may have seen it go.
            return lost(line, unixSeconds)
        case .lost(let line):
            return lost(line, unixSeconds)
        case .heard(let message, let id, .party(let name), _):
            do throws(Fault) { return try hearParty(message, id, name, unixSeconds) } catch { return refuse(error, id, name, unixSeconds) }
        case .tooMuch(let id, let name):
            return refuse(Fault(.unexpectedMessage, at: name), id, name, unixSeconds)
        case .heard(let message, let id, let line, let fresh):
            return hearPerson(message, id, line, fresh, unixSeconds)
        }
    }

    /// A party broke the rules, for which the job ends, or its line where the job is not its own.
    private mutating func refuse(_ fault: Fault, _ id: JobIdentifier, _ name: String, _ now: UInt64) -> [ArbiterEffect] {
        guard jobs[id]?.involves(name) == true else { return [.close(.party(name), fault)] }
        return end(id, with: fault, at: name, now)
    }

    private mutating func lost(_ line: ArbiterLine, _ now: UInt64) -> [ArbiterEffect] {
        switch line {
        case .person:
            for id in watchers.keys { watchers[id]?.remove(line) }
            return []
        case .party(let name):
            registered.remove(name)
            return order.flatMap { id -> [ArbiterEffect] in
                guard let job = jobs[id], job.isWithParties || job.record.state == .queued, job.involves(name), !job.ended.contains(name)
                else { return [] }
                return end(id, with: Fault(.peerLost, at: name), at: name, now)
            }
        }
    }

    // Nodes

    private mutating func hearParty(_ message: Message, _ id: JobIdentifier, _ name: String, _ now: UInt64) throws(Fault) -> [ArbiterEffect] {
        if case .nodeRegister(let register) = message {
            let answer = ArbiterEffect.send(.nodeRegistered(.filled { $0.version = ProtocolVersion.current }), job: .none, to: .party(name))
            // A node of another version is told which one this is.
            guard register.version == ProtocolVersion.current else {
                let fault = Fault(.versionMismatch, at: name, "\(register.version)", "\(ProtocolVersion.current)")
                return [answer, .close(.party(name), fault)]
            }
            // Nor does one that holds another contract take this for a line that was lost.
            guard register.contractDigest.octets == contractDigest else {
                let refusal = Message.jobStop(.filled { $0.fault = FaultNote(Fault(.contractMismatch, at: contract.arbiter.name)) })
                return [.send(refusal, job: .none, to: .party(name)), .close(.party(name), Fault(.contractMismatch, at: name))]
            }
            registered.insert(name)
            return [answer]
        }
        guard registered.contains(name) else { throw Fault(.unexpectedMessage, at: name) }
        if case .nodePublication(let publication) = message {
            // What is sent on is the canonical form, which may be longer than what came.
            guard let document = try? Publication.parse(publication.document.octets), document.party == name,
                  document.document.count <= Publication.maximumBytes
            else { throw Fault(.malformedMessage, at: name) }
            publications[name] = document
            return []
        }
        guard var job = jobs[id], job.involves(name) else { throw Fault(.unexpectedMessage, at: name) }
        // A message that crossed with the end of its job.
        guard job.isWithParties else { return [] }
        guard job.offeredTo.contains(name) else { throw Fault(.unexpectedMessage, at: name) }
        jobs[id] = nil
        defer { jobs[id] = jobs[id] ?? job }
        switch message {
        case .jobAnswer(let answer) where job.record.state == .offered && !job.approved.contains(name):
            guard !answer.hasRefusal else {
                job.ended.insert(name)
                jobs[id] = job
                return end(id, with: answer.refusal.fault(from: name), at: name, now)
            }
            job.approved.insert(name)
            if name == job.record.bank { job.record.bankApproved = true } else { job.record.platformApproved = true }
            guard job.approved.count == 2 else {
                guard job.offeredTo == job.approved else { return notify(job, id, now) }
                // The other party has not been asked yet, and is as soon as there is a place.
                job.record.clearAwaited()
                job.record.state = .queued
                jobs[id] = job
                let offers = offerQueued(now)
                guard var waiting = jobs[id], waiting.record.state == .queued else { return offers }
                defer { jobs[id] = waiting }
                return offers + changed(&waiting, id, now)
            }
            job.record.state = .running
            job.record.clearAwaited()
            return [job.record.bank, job.record.platform].map { party in
                .send(.jobStart(.filled { $0.specificationDigest = job.specificationDigest.data }), job: id, to: .party(party))
            } + changed(&job, id, now)

        case .jobProgress(let progress) where job.record.state == .running:
            // The later of the two parties is what the job has reached, and whom it waits for.
            job.progress[name] = progress
            job.heard[name] = now
            func order(_ name: String) -> (Int, UInt32, UInt64) {
                job.progress[name].map { ($0.phase.rawValue, $0.round, $0.done) } ?? (0, 0, 0)
            }
            let (bank, platform) = (job.record.bank, job.record.platform)
            let awaited = order(bank) == order(platform) ? "" : order(bank) < order(platform) ? bank : platform
            // Of equals the bank's words are shown; either may be the first to see the line between them again.
            var reached = [bank, platform].filter { job.progress[$0] != nil }.min { order($0) < order($1) }.flatMap { job.progress[$0] }
            reached?.cutUnixSeconds = job.progress.values.map(\.cutUnixSeconds).max() ?? 0
            guard let reached, reached != job.record.progress || awaited != job.record.awaited else { return [] }
            job.record.progress = reached
            job.record.awaited = awaited
            job.record.awaitedSinceUnixSeconds = awaited.isEmpty ? 0 : job.heard[awaited] ?? job.record.changedUnixSeconds
            return notify(job, id, now)

        case .roundShare(let share) where job.record.state == .running && job.referee != nil:
            let role = name == job.record.bank ? Role.bank : .platform
            guard let verdict = try job.referee?.hear(share, from: role, named: name) else { return [] }
            job.record.rounds = verdict.round
            return [job.record.bank, job.record.platform].map { .send(.verdict(verdict), job: id, to: .party($0)) }

        case .operationsHead(let head):
            try witness(head, from: name)
            return []

        case .headSubmission(let submission) where job.record.state == .running:
            let signed = try job.heads?.hear(submission, from: name, key: ledgerKey) ?? [:]
            return signed.sorted { $0.key < $1.key }.map { .send(.headSignatures($0.value), job: id, to: .party($0.key)) }

        case .directionHead(let head) where job.record.state == .running:
            let signed = try job.heads?.hear(head, from: name, key: ledgerKey) ?? [:]
            return signed.sorted { $0.key < $1.key }.map { .send(.directionHead($0.value), job: id, to: .party($0.key)) }

        case .jobEnd(let end):
            var fault = end.hasFault ? end.fault.fault(from: name) : nil
            job.ended.insert(name)
            job.firstEndUnixSeconds = job.firstEndUnixSeconds ?? now
            let other = name == job.record.bank ? job.record.platform : job.record.bank
            // Who waits in vain for the arbiter's word waits for the other party, without which there is none.
            if let given = fault, [.deadlinePassed, .headMissing].contains(given.code), given.place == contract.arbiter.name {
                fault = Fault(given.code, at: other, arguments: given.arguments)
            }
            // "The other side ended it" is no reason, nor is that it cannot be reached, which may be the first that is heard of its loss:
            // the other side's own word is awaited, or the loss of its line.
            if let fault, fault.saysOnlyThatThePeerEnded || fault.code == .peerUnreachable, job.offeredTo.contains(other), !job.ended.contains(other),
               registered.contains(other) {
                job.held = fault
                return [.send(.jobStop(.filled { $0.fault = FaultNote(fault) }), job: id, to: .party(other))]
            }
            // A lost line explains an end, and lets the job be taken up again; that an end was heard of does not.
            let told = [job.held, fault].compactMap(\.self)
            if let reason = told.first(where: { !$0.saysOnlyThatThePeerEnded }) ?? told.first(where: { $0.code == .peerLost }) ?? told.first {
                jobs[id] = job
                return self.end(id, with: reason, at: name, now)
            }
            guard job.ended.count == 2 else { return [] }
            job.record.state = .completed
            job.record.clearAwaited()
            return changed(&job, id, now)

        default:
            throw Fault(.unexpectedMessage, at: name)
        }
    }

    /// A head that a node shows is in the record of the line, where an audit finds it: here it must be the node's own.
    private func witness(_ head: OperationsHead, from name: String) throws(Fault) {
        let checkpoint = Checkpoint.operations(of: name, size: head.size, root: head.root.octets)
        guard let key = ledgerKeys([name])[name], key.accepts(head.signature.octets, for: checkpoint.text) else {
            throw Fault(.cryptographicCheck, at: name)
        }
    }

    // People

    private mutating func hearPerson(_ message: Message, _ id: JobIdentifier, _ line: ArbiterLine, _ fresh: JobIdentifier,
                                     _ now: UInt64) -> [ArbiterEffect] {
        guard case .person(let name, _) = line, let person = contract.people.first(where: { $0.name == name }) else {
            return [.close(line, Fault(.notPermitted, at: ""))]
        }
        func refuse(_ faults: [Fault], _ job: JobIdentifier = .none) -> [ArbiterEffect] {
            [.send(.refusal(.filled { $0.faults = faults.map(FaultNote.init) }), job: job, to: line)]
        }
        switch message {
        case .submitJob(let submission):
            guard person.role == .analyst else { return refuse([Fault(.notPermitted, at: "job submit")]) }
            return submit(submission.specification.octets, by: name, line, fresh, now, refuse: { refuse($0) })
        case .listJobs:
            return [.send(.jobList(.filled { $0.jobs = order.compactMap { jobs[$0]?.record } }), job: .none, to: line)]
        case .showPublication(let question):
            let owners = contract.parties.filter(\.role.holdsData).map(\.name)
            guard owners.contains(question.party) else {
                return refuse([Fault(.unknownParty, at: "", question.party, owners.joined(separator: ", "))])
            }
            return [.send(.publicationRecord(.filled { $0.document = publications[question.party]?.document ?? .init() }), job: .none, to: line)]
        case .showJob, .watchJob, .cancelJob:
            // Who follows or cancels a job means what it has become.
            var id = id
            if message.kind != .showJob { while jobs[id.next]?.record.attempt == attempt(of: id) + 1 { id = id.next } }
            guard let job = jobs[id] else { return refuse([Fault(.unknownJob, at: "", "\(id)")]) }
            if case .cancelJob = message {
                guard person.role == .analyst, job.record.analyst == name else { return refuse([Fault(.notPermitted, at: "job cancel")]) }
                guard job.isOpen else { return [.send(.jobRecord(job.record), job: id, to: line)] }
                let effects = end(id, with: Fault(.cancelled, at: name), at: name, now)
                return effects + [.send(.jobRecord(jobs[id]?.record ?? job.record), job: id, to: line)]
            }
            if case .watchJob = message, job.isOpen { watchers[id, default: []].insert(line) }
            return [.send(.jobRecord(job.record), job: id, to: line)]
        default:
            return [.close(line, Fault(.unexpectedMessage, at: name))]
        }
    }

    private mutating func submit(_ bytes: [UInt8], by analyst: String, _ line: ArbiterLine, _ id: JobIdentifier, _ now: UInt64,
                                 refuse: ([Fault]) -> [ArbiterEffect]) -> [ArbiterEffect] {
        let specification: JobSpecification
        do {
            specification = try JobSpecification.parse(bytes)
        } catch {
            return refuse(Array(error.faults.prefix(20)))
        }
        let faults = contract.check(specification)
        guard faults.isEmpty else { return refuse(Array(faults.prefix(20))) }
        let parties = [specification.parties.bank, specification.parties.platform]
        for party in parties where !registered.contains(party) {
            return refuse([Fault(.peerUnreachable, at: party, contract.arbiter.name)])
        }
        let open = jobs.values.filter(\.isOpen)
        guard open.count < Self.mostOpenJobs, open.count(where: { $0.record.analyst == analyst }) < Self.mostOpenJobsPerAnalyst else {
            return refuse([Fault(.overloaded, at: contract.arbiter.name)])
        }
        let effects = enqueue(specification, by: analyst, as: id, attempt: 1, now) + offerQueued(now)
        return effects + [.send(.jobRecord(jobs[id]?.record ?? JobRecord()), job: id, to: line)]
    }

    private mutating func enqueue(_ specification: JobSpecification, by analyst: String, as id: JobIdentifier, attempt: UInt32,
                                  _ now: UInt64) -> [ArbiterEffect] {
        forgetOldest(keeping: Self.mostJobs - 1)
        let parties = [specification.parties.bank, specification.parties.platform]
        let canonical = Array(specification.canonicalJSON().utf8)
        var record = JobRecord()
        record.job = id.octets.data
        record.name = specification.name
        record.kind = specification.kind.rawValue
        record.analyst = analyst
        record.bank = parties[0]
        record.platform = parties[1]
        record.state = .queued
        record.attempt = attempt
        record.submittedUnixSeconds = now
        record.changedUnixSeconds = now
        if let training = specification.training {
            let forecast = RoundForecast(training, earlier: specification.earlierRounds(in: jobs.values.map(\.record)))
            record.expectedRounds = UInt32(forecast.likely)
        }
        var job = ArbiterJob(record: record, specification: specification)
        job.canonical = canonical
        job.referee = (specification.training?.settings).map(RoundReferee.init)
        job.specificationDigest = SHA256.hash(canonical)
        job.heads = HeadRegister(job: id, attempt: attempt, bank: parties[0], platform: parties[1], keys: ledgerKeys(parties))
        jobs[id] = job
        order.append(id)
        return [.keepSpecification(canonical, job: id), .keep(record)]
    }

    /// Jobs go to their owners in the order in which they came, but first of the analyst who has fewest there. Parties at which a
    /// person decides are asked before a party that approves by itself, whose node would hold its data meanwhile.
    private mutating func offerQueued(_ now: UInt64) -> [ArbiterEffect] {
        var effects: [ArbiterEffect] = []
        while jobs.values.contains(where: { $0.record.state == .queued }) {
            let offered = jobs.values.filter(\.isWithParties)
            guard offered.count(where: takesPlace) < Self.mostOfferedJobs else { return effects }
            func share(_ id: JobIdentifier) -> Int { offered.count { $0.record.analyst == jobs[id]?.record.analyst } }
            // Of equals the first is taken.
            guard let id = order.filter({ jobs[$0]?.record.state == .queued }).min(by: { share($0) < share($1) }), var job = jobs[id]
            else { return effects }
            guard let specification = job.specification else {
                effects += end(id, with: Fault(.defect, at: "ArbiterMachine.offerQueued"), at: contract.arbiter.name, now)
                continue
            }
            let awaited = job.parties.filter { !job.offeredTo.contains($0) }
            let people = awaited.filter { waitsForPerson($0, specification) }
            let asked = job.offeredTo.isEmpty && !people.isEmpty ? people : awaited
            job.offeredTo.formUnion(asked)
            job.record.state = .offered
            if asked.count == 1 { job.record.await(asked[0], since: now) }
            effects += tellPeers(of: specification, asked)
            effects += asked.map { party in
                .send(.jobOffer(.filled {
                    $0.specification = job.canonical.data
                    $0.analyst = job.record.analyst
                }), job: id, to: .party(party))
            }
            effects += changed(&job, id, now)
            jobs[id] = job
        }
        return effects
    }

    /// By what the owner has published.
    private func waitsForPerson(_ party: String, _ specification: JobSpecification) -> Bool {
        publications[party].map { !$0.approval.consents(to: specification) } ?? false
    }

    /// Whether nodes hold data for the job that no person's decision holds up: until an owner answers, its node has nothing for it.
    private func takesPlace(_ job: ArbiterJob) -> Bool {
        guard job.record.state == .offered else { return job.record.state == .running }
        guard job.offeredTo.count == 2, let specification = job.specification else { return false }
        return job.parties.allSatisfy { job.approved.contains($0) || !waitsForPerson($0, specification) }
    }

    /// One party has ended, and the other does not say for the contract's deadline how it did, though its line is there.
    private mutating func endSilent(_ now: UInt64) -> [ArbiterEffect] {
        order.flatMap { id -> [ArbiterEffect] in
            guard let job = jobs[id], job.isWithParties, let first = job.firstEndUnixSeconds,
                  let silent = [job.record.bank, job.record.platform].first(where: { !job.ended.contains($0) })
            else { return [] }
            // A clock that is set back prolongs nothing.
            let since = min(first, now)
            jobs[id]?.firstEndUnixSeconds = since
            guard now > since + UInt64(contract.limits.deadlineSeconds) else { return [] }
            return end(id, with: Fault(.deadlinePassed, at: silent, "\(contract.limits.deadlineSeconds)"), at: silent, now)
        }
    }

    // Interrupted jobs

    /// A lost line or node may come back, whatever else went wrong would go wrong again.
    private func state(of job: ArbiterJob, after fault: Fault) -> JobState {
        guard fault.code != .cancelled else { return .cancelled }
        // Whom the bank cannot reach has been lost, unless it says itself that it is there.
        let isPassing = fault.code == .peerLost || fault.code == .peerUnreachable && !registered.contains(fault.place)
        return isPassing && job.record.attempt < JobIdentifier.mostAttempts && job.specification != nil ? .interrupted : .failed
    }

    /// For whose return an interrupted job waits: one of its parties, or nobody.
    private func absentee(of job: ArbiterJob) -> String { job.parties.first { !registered.contains($0) } ?? "" }

    /// A new attempt begins once both nodes are here, after a pause that doubles each time; who is not back within the
    /// contract's deadline is lost for good.
    private mutating func takeUpInterrupted(_ now: UInt64) -> [ArbiterEffect] {
        order.filter { jobs[$0]?.record.state == .interrupted }.flatMap { id -> [ArbiterEffect] in
            guard var job = jobs[id] else { return [] }
            // Nothing is known at the first tick after a restart of the arbiter; a clock that is set back prolongs nothing.
            let since = min(job.interruptedUnixSeconds ?? now, now)
            job.interruptedUnixSeconds = since
            jobs[id] = job
            let isReady = registered.isSuperset(of: [job.record.bank, job.record.platform]) && now >= since + 1 << UInt64(job.record.attempt)
            guard isReady || now > since + UInt64(contract.limits.deadlineSeconds) else {
                let before = job.record
                job.record.await(absentee(of: job), since: since)
                jobs[id] = job
                return job.record == before ? [] : notify(job, id, now)
            }
            // A job that is over lets go of it.
            let specification = job.specification
            job.record.state = .failed
            job.record.clearAwaited()
            guard isReady, let specification, contract.check(specification).isEmpty else {
                defer { jobs[id] = job }
                return changed(&job, id, now)
            }
            job.record.changedUnixSeconds = now
            jobs[id] = job
            // Who watches is told of the next attempt, not of the end of this one.
            watchers[id.next] = watchers.removeValue(forKey: id)
            // Whenever the arbiter dies, one of the two records says that the job goes on.
            return enqueue(specification, by: job.record.analyst, as: id.next, attempt: job.record.attempt + 1, now) + [.keep(job.record)]
        }
    }

    /// Each side's description of the data set that is asked for goes to the other, whose owner sees a plan of the job.
    private func tellPeers(of specification: JobSpecification, _ asked: [String]) -> [ArbiterEffect] {
        let (bank, platform) = (specification.parties.bank, specification.parties.platform)
        return [(bank, specification.data.bank, platform), (platform, specification.data.platform, bank)].compactMap { party, data, peer in
            guard asked.contains(peer), var publication = publications[party] else { return nil }
            publication.datasets = publication.datasets.filter { $0.key == data }
            return .send(.peerPublication(.filled { $0.document = publication.document }), job: .none, to: .party(peer))
        }
    }

    private func ledgerKeys(_ names: [String]) -> [String: Ed25519.VerifyingKey] {
        var keys: [String: Ed25519.VerifyingKey] = [:]
        for party in contract.parties where names.contains(party.name) { keys[party.name] = try? Ed25519.VerifyingKey(bytes: party.ledgerKey) }
        return keys
    }

    private mutating func forgetOldest(keeping most: Int) {
        while order.count > most, let index = order.firstIndex(where: { jobs[$0]?.isOpen != true }) {
            let id = order.remove(at: index)
            jobs[id] = nil
            watchers[id] = nil
        }
    }

    // How jobs change

    private mutating func changed(_ job: inout ArbiterJob, _ id: JobIdentifier, _ now: UInt64) -> [ArbiterEffect] {
        job.record.changedUnixSeconds = now
        return [.keep(job.record)] + notify(job, id, now)
    }

    private mutating func notify(_ job: ArbiterJob, _ id: JobIdentifier, _ now: UInt64) -> [ArbiterEffect] {
        let lines = watchers[id] ?? []
        if job.record.state.isFinal { watchers[id] = nil }
        return lines.map { .send(.jobRecord(job.record), job: id, to: $0) }
    }

    /// The job is over for every party that has not said so itself, also for one that broke the rules.
    private mutating func end(_ id: JobIdentifier, with fault: Fault, at name: String, _ now: UInt64) -> [ArbiterEffect] {
        guard var job = jobs[id], job.isOpen else { return [] }
        job.record.state = state(of: job, after: fault)
        job.interruptedUnixSeconds = now
        job.record.fault = FaultNote(fault)
        job.record.faultParty = name
        job.record.clearAwaited()
        if job.record.state == .interrupted { job.record.await(absentee(of: job), since: now) }
        let told = job.parties.filter { job.offeredTo.contains($0) && registered.contains($0) && !job.ended.contains($0) }
        let effects: [ArbiterEffect] = told.map {
            .send(.jobStop(.filled { $0.fault = FaultNote(fault) }), job: id, to: .party($0))
        } + changed(&job, id, now)
        jobs[id] = job
        return effects
    }
}

/// One job as the arbiter knows it.
struct ArbiterJob: Sendable {
    var record: JobRecord { didSet { if record.state.isFinal { letGo() } } }
    /// Of a job that is over, or that an earlier run has forgotten, nothing.
    private(set) var specification: JobSpecification?
    /// The same as canonical JSON, as it is offered.
    var canonical: [UInt8] = []
    var specificationDigest: [UInt8] = []
    var offeredTo: Set<String> = []
    var approved: Set<String> = []
    var ended: Set<String> = []
    /// When the first of them said so.
    var firstEndUnixSeconds: UInt64?
    /// What one party said of the other's leaving.
    var held: Fault?
    var progress: [String: JobProgress] = [:]
    /// When each party last told how far it is.
    var heard: [String: UInt64] = [:]
    var referee: RoundReferee?
    var heads: HeadRegister?
    /// Nothing for a job that an earlier run of the arbiter left.
    var interruptedUnixSeconds: UInt64?

    init(record: JobRecord, specification: JobSpecification?) {
        self.record = record
        self.specification = specification
        if record.state.isFinal { letGo() }
    }

    /// Of a job that is over its record is all that is asked for.
    private mutating func letGo() {
        (specification, canonical, referee, heads, progress, heard) = (nil, [], nil, nil, [:], [:])
    }

    var isOpen: Bool { !record.state.isFinal }
    /// Also where it waits in between for the offer to its second party.
    var isWithParties: Bool { record.state == .offered || record.state == .running || record.state == .queued && !offeredTo.isEmpty }
    var parties: [String] { [record.bank, record.platform] }
    func involves(_ party: String) -> Bool { parties.contains(party) }
}

extension Fault {
    fileprivate var saysOnlyThatThePeerEnded: Bool { code == .endedByPeer || code == .peerLost }
}

extension JobRecord {
    fileprivate mutating func clearAwaited() {
        awaited = ""
        awaitedSinceUnixSeconds = 0
    }

    fileprivate mutating func await(_ name: String, since unixSeconds: UInt64) {
        awaited = name
        awaitedSinceUnixSeconds = unixSeconds
    }
}

extension JobState {
    package var isFinal: Bool { self == .completed || self == .failed || self == .cancelled }
}

extension Publication {
    fileprivate var document: Data { Array(json.canonicalText().utf8).data }
}
