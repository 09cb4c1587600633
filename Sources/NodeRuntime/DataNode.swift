import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Planning
import Primitives
import Roles
import Synchronization
import Transport
import Wire

/// A bank's or a platform's node: keeps a line to the arbiter, approves and runs jobs.
package final class DataNode: ServingNode {
    /// How long running jobs may take to their next checkpoint when the node is asked to stop, and then to their ends.
    private static let (drainSeconds, endSeconds) = (60, 10)
    /// At a platform, and of one bank: each of the ten jobs that an arbiter lets run has one, and may have another that takes its place.
    private static let (mostConnections, mostConnectionsPerBank) = (64, 32)

    private let name: String
    private let role: Role
    private let contract: Contract
    private let installation: NodeInstallation
    private let files: JobFiles
    private let ledgers: LedgerBook
    private let operations: Operations
    private let vault: SecretVault
    private let sealKeys: NodeConfiguration.SealKeys?
    private let log: NodeLog
    private let monitor: NodeMonitor
    private let tools: DataTools
    private let survey: MachineSurvey
    private let descriptions: DescriptionFiles
    /// Nothing until it has been measured.
    private let speeds = Mutex<[MachineSpeed]>([])
    /// What the other parties of offered jobs have published.
    private let peers = Mutex<[String: Publication]>([:])
    private let arbiterLine = Mutex<PostedLine?>(nil)
    private let jobs = Mutex<[JobIdentifier: OpenJob]>([:])
    /// At a platform, of jobs that have ended: a bank that dials again is told how far they came.
    private let earlierLines = Mutex<[(bank: String, job: JobIdentifier, connection: ResumableConnection)]>([])
    private static let mostEarlierLines = 32
    /// Considered and open at once: more than an arbiter has open of all its jobs.
    private static let mostJobs = 60
    /// How many jobs have been offered since the start.
    private let offers = Mutex(0)
    /// Offers under consideration; one that was stopped meanwhile is not opened, and the first reason stands.
    private let considered = Mutex<[JobIdentifier: Result<Void, Fault>]>([:])
    private let approvals: Approvals
    private let isRegistered = Mutex(false)
    private let isDraining = Mutex(false)
    /// Sessions whose ends are not in the ledgers yet.
    private let running = Mutex(0)

    /// A job between its offer and its end.
    private struct OpenJob: Sendable {
        let specification: JobSpecification
        let session: JobSession
        let operations: JobOperations
        let line: Line
        /// The bank's connection may arrive before the arbiter's start.
        let connection: ResumableConnection
        let sinceUnixSeconds: Int
        var started = false
    }

    private var configuration: NodeConfiguration { installation.configuration }

    package init(_ installation: NodeInstallation, role: Role, log: NodeLog, tools: DataTools,
                 mostRecords: UInt64 = LedgerBook.mostRecords) throws(Fault) {
        let configuration = installation.configuration
        name = configuration.name
        self.role = role
        contract = installation.contract
        self.installation = installation
        files = try JobFiles(installation)
        operations = try Operations(installation)
        approvals = Approvals(configuration.approval, node: configuration.name, people: installation.contract.people, files: files,
                              operations: operations)
        ledgers = LedgerBook(directory: files.directory, node: name, role: role, contract: installation.contractBytes,
                             retention: Retention(configuration.retention), hasSM3: contract.suite == .sm2SM3, breakdown: operations.breakdown,
                             mostRecords: mostRecords)
        vault = SecretVault(files.directory)
        // Without what the node heard there is nothing to replay, and secrets that nobody needs are not kept.
        sealKeys = configuration.retention == .digests ? nil : configuration.sealKeys
        self.log = log
        monitor = NodeMonitor(configuration, role: role)
        self.tools = tools
        survey = MachineSurvey(files, retention: configuration.retention, contractDigest: installation.contractDigest)
        descriptions = DescriptionFiles(files)
    }

    /// Serves until the task is cancelled, or until a ledger cannot be written.
    package func serve() async throws(Fault) {
        Allocator.keepLittle()
        try await operations.breakdown.stopping { [self] () async throws(Fault) in try await attend() }
    }

    private func attend() async throws(Fault) {
        let lock = try DirectoryLock(files.directory)
        defer { withExtendedLifetime(lock) {} }
        try operations.record(.nodeStarted)
        defer { _ = try? operations.record(.nodeStopped) }
        try files.takeUp(installation, operations)
        for (name, dataset) in configuration.datasets where dataset.paths.contains(where: { !FileManager.default.isReadableFile(atPath: $0) }) {
            throw Fault(.unreadableFile, at: "datasets/\(name)")
        }
        let door = try ControlSocket.Listener(directory: files.directory.path) { [self] (request, account) throws(Fault) in
            try answer(request, account)
        }
        defer { door.close() }
        var listener: Listener?
        if let listenAddress = configuration.listen?.description {
            listener = try await Transport.listen(
                at: listenAddress, identity: installation.identity,
                peer: { [contract] in contract.party(withHexadecimalPin: $0).flatMap { $0.role == .bank ? $0.name : nil } },
                maximumConnections: Self.mostConnections, maximumConnectionsPerPeer: Self.mostConnectionsPerBank,
                onRefusal: { [log] in log.warning($0) }, handler: { [self] in await welcome($0) })
            log.info(en: "listening at \(listenAddress)", zh: "正在监听 \(listenAddress)")
        }
        let watched = try await monitor.listen { [self] in condition }
        let measuring = Task { await self.measure() }
        defer { measuring.cancel() }
        let expiring = Task {
            await Expiry.daily(installation, files, operations, tools, log) { [self] in
                Set(considered.withLock { Array($0.keys) }).union(jobs.withLock { $0.keys })
            }
        }
        defer { expiring.cancel() }
        var delaySeconds = 1.0
        while !Task.isCancelled {
            do throws(Fault) {
                try await serveArbiter { delaySeconds = 1 }
            } catch {
                if error.code == .cancelled { break }
                log.error(en: "no line to the arbiter", zh: "与仲裁方的连接不可用", error)
                // Who the arbiter is, or what it holds, does not change by asking again.
                if [.pinMismatch, .versionMismatch, .contractMismatch].contains(error.code) { throw error }
            }
            await endAll(Fault(.peerLost, at: contract.arbiter.name))
            try? await Task.sleep(for: .seconds(delaySeconds * Double.random(in: 0.75...1.25)))
            delaySeconds = min(delaySeconds * 2, 30)
        }
        // Whoever waits for this node loses it, and may wait for its return.
        await endAll(Fault(.peerLost, at: name))
        await unlessIdle(forSeconds: Self.endSeconds)
        await listener?.close()
        await watched?.close()
    }

    /// Takes up nothing more, and lets running jobs end where both ledgers are at one point whose heads all three have signed.
    /// Returns when none runs any more, within a minute. What is then still open ends with `serve`.
    package func drain() async {
        isDraining.withLock { $0 = true }
        let open = jobs.withLock { $0.values.filter(\.started) }
        guard !open.isEmpty else { return }
        log.info(en: "stopping: running jobs (\(open.count)) end at their next checkpoint; a second signal ends them at once",
                 zh: "正在停止：运行中的任务（\(open.count) 个）将在下一检查点结束；再次发送信号则立即结束")
        for job in open { job.session.endAtCheckpoint(Fault(.peerLost, at: name)) }
        await unlessIdle(forSeconds: Self.drainSeconds)
    }

    /// Waits until no job runs, at most so long; by a task of its own, since the one that serves may be cancelled by then.
    private func unlessIdle(forSeconds seconds: Int) async {
        await Task {
            let end = ContinuousClock.now + .seconds(seconds)
            while running.withLock({ $0 }) > 0, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(50)) }
        }.value
    }

    private func endAll(_ fault: Fault) async {
        considered.withLock { $0 = $0.mapValues { $0.flatMap { .failure(fault) } } }
        approvals.endAll()
        for id in jobs.withLock({ Array($0.keys) }) { await end(id, fault) }
    }

    /// A job that runs ends by itself when its session does.
    private func end(_ id: JobIdentifier, _ fault: Fault) async {
        considered.withLock { $0[id] = $0[id]?.flatMap { .failure(fault) } }
        approvals.end(id)
        guard let open = jobs.withLock({ $0[id] }) else { return }
        await open.session.end(fault)
        guard !open.started else { return }
        await open.line.close()
        ended(open, fault)
        forget(open, id)
    }

    /// - Returns: the head of the operations with this in them, for the arbiter to record.
    @discardableResult
    private func ended(_ open: OpenJob, _ fault: Fault?) -> OperationsHead? {
        open.session.dismiss()
        monitor.jobEnded(completed: fault == nil)
        do throws(Fault) {
            try open.operations.record(.keysDestroyed)
            return try open.operations.record(.jobEnded, object: fault.map { "\($0.code.rawValue)" } ?? "completed")
        } catch {
            log.warning(error)
            return nil
        }
    }

    private func forget(_ open: OpenJob, _ id: JobIdentifier) {
        if role == .platform {
            earlierLines.withLock {
                $0 = $0.suffix(Self.mostEarlierLines - 1) + [(open.specification.parties.bank, id, open.connection)]
            }
        }
        jobs.withLock { $0[id] = nil }
        ledgers.end(id)
    }

    // The arbiter's line

    private func serveArbiter(onRegistered: () -> Void) async throws(Fault) {
        let arbiter = contract.arbiter
        guard let address = arbiter.address?.description else { throw Fault(.defect, at: "contract") }
        let connection = try await Transport.connect(
            to: address, identity: installation.identity, pins: arbiter.presentPins, name: arbiter.name, timeoutSeconds: 10)
        let line = Line(connection, ownRole: role, peerRole: .arbiter, peerName: arbiter.name, ledgers: ledgers)
        // Also where it does not register: each attempt would leave its connection behind.
        defer { Task { await line.close() } }
        try await line.register(installation.contractDigest)
        isRegistered.withLock { $0 = true }
        onRegistered()
        defer { isRegistered.withLock { $0 = false } }
        log.info(en: "registered with \(arbiter.name)", zh: "已在 \(arbiter.name) 登记")
        let posted = PostedLine(line)
        arbiterLine.withLock { $0 = posted }
        defer { arbiterLine.withLock { $0 = nil } }
        do throws(Fault) { try publish() } catch { log.warning(error) }
        while let received = try await line.receive() {
            await hear(received, from: posted)
        }
        throw Fault(.peerLost, at: arbiter.name)
    }

    // What is published

    /// Beside the line to the arbiter, and published once it is known. Processor time is what is measured, so a job that runs
    /// meanwhile would be taken for slowness: it goes first.
    private func measure() async {
        let least = contract.limits.minimumKeyBits
        let lengths = contract.limits.insecureKeyBits ? [least] : Contract.Limits.keyBits.filter { $0 >= least }
        let (survey, tools, suite) = (survey, tools, contract.suite.rawValue)
        var known = survey.known(suite, lengths)
        speeds.withLock { $0 = known }
        guard known.count < lengths.count else { return }
        log.info(en: "measuring the speed of this machine, once, for plans", zh: "正在测量本机速度（仅一次），用于任务预估")
        var pauseSeconds = 2
        while known.count < lengths.count {
            let (length, before) = (lengths[known.count], offers.withLock { $0 })
            guard jobs.withLock(\.isEmpty), considered.withLock(\.isEmpty) else {
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
                continue
            }
            let speed = try? await compute { () throws(Fault) in survey.measure(suite, length, tools.measure) }
            guard !Task.isCancelled, let speed else { return }
            guard before == offers.withLock({ $0 }) else {
                // A node that is hardly ever idle would measure for ever, beside its jobs.
                do { try await Task.sleep(for: .seconds(pauseSeconds)) } catch { return }
                pauseSeconds = min(2 * pauseSeconds, 600)
                continue
            }
            known.append(speed)
            survey.keep(known, suite)
            speeds.withLock { $0 = known }
            do throws(Fault) { try publish() } catch { log.warning(error) }
        }
        log.info(en: "the speed of this machine has been measured", zh: "本机速度测量完毕")
    }

    private var publication: Publication {
        Publication(party: name, datasets: descriptions.all(configuration.datasets.keys), approval: configuration.approval,
                    machine: survey.description(speeds.withLock { $0 }))
    }

    /// Nothing where a side has not described its data.
    private func plan(_ specification: JobSpecification) -> JobPlan? {
        let earlier = files.earlierJobs(like: specification)
        return try? JobPlan(specification, limits: contract.limits, publications: publications(for: specification),
                            common: specification.population.expectedCommon ?? earlier.first?.aligned, earlierRounds: earlier.map(\.rounds))
    }

    /// Without descriptions, too; 0 where nothing is trained.
    private func expectedRounds(_ specification: JobSpecification) -> Int {
        specification.training.map { RoundForecast($0, earlier: files.earlierJobs(like: specification).map(\.rounds)).likely } ?? 0
    }

    /// Both sides' descriptions of the columns that a job names.
    private func publications(for specification: JobSpecification) -> [String: Publication] {
        var found = peers.withLock { $0 }.filter { [specification.parties.bank, specification.parties.platform].contains($0.key) }
        found[name] = publication
        return found.mapValues { $0.reduced(to: specification) }
    }

    /// Tells the arbiter, where there is a line to it.
    /// - Returns: whether there is.
    @discardableResult
    private func publish() throws(Fault) -> Bool {
        let document = Array(publication.json.canonicalText().utf8)
        guard document.count <= Publication.maximumBytes else { throw Fault(.cannotDescribe, at: name, "\(DataDescription.mostColumns)") }
        guard let line = arbiterLine.withLock({ $0 }) else { return false }
        line.post(.nodePublication(.filled { $0.document = document.data }), job: .none, attempt: 0)
        return true
    }

    private func hear(_ publication: PeerPublication) {
        guard let publication = try? Publication.parse(publication.document.octets), publication.party != name,
              contract.parties.contains(where: { $0.name == publication.party && $0.role.holdsData })
        else { return log.warning(en: "the arbiter sent a description that cannot be read", zh: "仲裁方发来无法读取的数据描述") }
        peers.withLock { $0[publication.party] = publication }
    }

    private func hear(_ received: Line.Received, from arbiter: PostedLine) async {
        let id = received.job
        guard !received.isTooMuch else { return await end(id, Fault(.unexpectedMessage, at: contract.arbiter.name)) }
        switch received.message {
        case .peerPublication(let publication):
            hear(publication)
        // The next start is offered it again.
        case .jobOffer where isDraining.withLock { $0 }:
            return
        case .jobOffer(let offer):
            // Once for each ledger: of a job that is known here there are none left.
            guard let secrets = ledgers.takeSecrets(id) else {
                return log.of(id).warning(en: "the arbiter offered a job again that it had offered before", zh: "仲裁方重复发来已发过的任务")
            }
            offers.withLock { $0 += 1 }
            guard considered.withLock(\.count) + jobs.withLock(\.count) < Self.mostJobs else {
                return refuse(id, received.attempt, Fault(.overloaded, at: name), arbiter)
            }
            considered.withLock { $0[id] = .success(()) }
            Task { await self.consider(offer, id, received.attempt, secrets, arbiter) }
        case .jobStart:
            let open = jobs.withLock { jobs -> OpenJob? in
                guard !isDraining.withLock({ $0 }), let open = jobs[id], !open.started else { return nil }
                jobs[id]?.started = true
                running.withLock { $0 += 1 }
                return open
            }
            if let open {
                Task {
                    await self.run(open, id, arbiter)
                    running.withLock { $0 -= 1 }
                }
            }
        case .operationsHead(let head):
            // It is in this node's ledger, where an audit finds it; that is all a witness does.
            let checkpoint = Checkpoint.operations(of: contract.arbiter.name, size: head.size, root: head.root.octets)
            guard let key = try? Ed25519.VerifyingKey(bytes: contract.arbiter.ledgerKey), key.accepts(head.signature.octets, for: checkpoint.text)
            else { return await end(id, Fault(.cryptographicCheck, at: contract.arbiter.name)) }
        case .verdict, .headSignatures, .directionHead:
            await jobs.withLock { $0[id] }?.session.deliver(received.message)
        case .jobStop(let stop):
            await end(id, stop.fault.fault(from: contract.arbiter.name))
        default:
            log.warning(en: "the arbiter sent something that is not for this node", zh: "仲裁方发来不属于本节点的消息")
        }
    }

    /// Opens the job on this party's own data; a job that cannot be opened is refused with the reason.
    private func consider(_ offer: JobOffer, _ id: JobIdentifier, _ attempt: UInt32, _ secrets: JobSecrets, _ arbiter: PostedLine) async {
        let log = log.of(id)
        do throws(Fault) {
            let offered = try self.request(offer, id, attempt)
            let name = offered.specification.name
            let approver = try await approvals.consent(to: offered.specification, id, attempt: attempt) {
                // It may have ended before anybody could be asked.
                guard case .success? = considered.withLock({ $0[id] }) else { return approvals.end(id) }
                log.info(en: "\(name) waits for approval: jobs show \(id)", zh: "\(name) 等待审批：jobs show \(id)")
            }
            guard let approver, case .success? = considered.withLock({ $0[id] }) else {
                considered.withLock { _ = $0.removeValue(forKey: id) }
                return ledgers.end(id)
            }
            let request = try approvals.settle(id) { () throws(Fault) in try self.request(offer, id, attempt) }
            let (machine, operations) = try await open(request, secrets)
            if sealKeys == nil {
                log.info(en: "no seal keys are configured, or retention is 'digests': this job cannot be replayed",
                         zh: "未配置封存公钥或留存规则为 digests：此任务日后无法重放")
            }
            let peer = request.specification.party(role.otherOwner)
            let connection = try installation.peerLine(to: peer, for: id, attempt, role: role, log)
            let line = Line(connection, ownRole: role, peerRole: role.otherOwner, peerName: peer, ledgers: ledgers)
            let session = JobSession(
                job: id, attempt: attempt, machine: machine, line: line, connection: connection, arbiter: arbiter, files: files,
                ledgers: ledgers, operations: operations,
                signers: try HeadSigners(own: self.name, key: installation.ledgerKey, peer: peer, contract: contract),
                deadlineSeconds: contract.limits.deadlineSeconds, role: role, plan: plan(request.specification),
                expectedRounds: expectedRounds(request.specification), log: log)
            let open = OpenJob(specification: request.specification, session: session, operations: operations, line: line,
                               connection: connection, sinceUnixSeconds: Int(Date().timeIntervalSince1970))
            jobs.withLock { $0[id] = open }
            if case .failure(let fault) = considered.withLock({ $0.removeValue(forKey: id) ?? .failure(Fault(.cancelled)) }) {
                await line.close()
                ended(open, fault)
                return forget(open, id)
            }
            log.info(en: "approved by \(approver): \(name); waiting for \(peer)", zh: "已由 \(approver) 批准：\(name)；等待 \(peer)")
            // What led to the answer is witnessed with it.
            arbiter.post(.operationsHead(operations.opened), job: id, attempt: attempt)
            arbiter.post(.jobAnswer(.init()), job: id, attempt: attempt)
        } catch {
            considered.withLock { _ = $0.removeValue(forKey: id) }
            refuse(id, attempt, error, arbiter)
        }
    }

    private func refuse(_ id: JobIdentifier, _ attempt: UInt32, _ fault: Fault, _ arbiter: PostedLine) {
        log.of(id).error(en: "refused", zh: "已拒绝", fault)
        // A person's refusal was recorded with the person.
        if fault.code != .refusedByApprover { _ = try? operations.record(.jobRefused, job: id, object: "\(fault.code.rawValue)") }
        arbiter.post(.jobAnswer(.filled { $0.refusal = FaultNote(fault) }), job: id, attempt: attempt)
        ledgers.end(id)
    }

    /// Reads the data, and seals the secrets before anything follows from them. Data were read, too, where they cannot be used.
    private func open(_ request: RoleRequest, _ secrets: JobSecrets) async throws(Fault) -> (any RoleMachine, JobOperations) {
        try await compute { [self] () throws(Fault) in
            let specification = request.specification
            let name = specification.dataset(role)
            let space = LedgerSpace(ledgers.root, limitBytes: configuration.ledgerBytes, specification: specification, limits: contract.limits)
            try operations.reserve(name, for: request.job, atMost: request.dataset.maximumJobs)
            defer { operations.release(name, for: request.job) }
            let file = try DatasetFile(request.dataset.paths, at: "datasets/\(name)")
            let machine: any RoleMachine
            do throws(Fault) {
                machine = try tools.makeMachine(request, secrets)
            } catch {
                if let digest = try? file.digest() {
                    try operations.record(.dataRead, job: request.job, purpose: specification.purpose.code, object: name, digest: digest)
                }
                throw error
            }
            let digest = try file.digest()
            let opened = try JobOperations(operations, job: request.job, specification: specification, dataset: name, digest: digest,
                                           peer: specification.party(role.otherOwner), subjects: machine.subjects, listed: machine.listed,
                                           admitted: machine.admitted, scratch: request.scratch, space: space, isSealed: sealKeys != nil)
            guard let sealKeys else { return (machine, opened) }
            do throws(Fault) {
                try vault.seal(secrets, of: SealedJob(job: request.job, attempt: request.attempt, role: role),
                               inputs: SecretVault.Inputs(dataset: name, dataDigest: digest, modelDigest: request.model.map { SHA256.hash($0) },
                                                          withinDigest: request.within.map { SHA256.hash($0) },
                                                          limits: .init(request.limits),
                                                          authorised: machine.admitted.map {
                                                              .init(lines: $0.lines, day: $0.day, followsStricter: request.followsStricter)
                                                          }),
                               to: sealKeys)
            } catch {
                try opened.record(.keysDestroyed)
                throw error
            }
            return (machine, opened)
        }
    }

    private func request(_ offer: JobOffer, _ id: JobIdentifier, _ attempt: UInt32) throws(Fault) -> RoleRequest {
        let bytes = offer.specification.octets
        let specification: JobSpecification
        do {
            specification = try JobSpecification.parse(bytes)
        } catch {
            throw error.faults.first ?? Fault(.defect, at: "specification")
        }
        if let fault = contract.check(specification).first { throw fault }
        let own = specification.party(role)
        guard own == name else { throw Fault(.unknownParty, at: "/parties", own, name) }
        let today = Day.today
        if let fault = specification.faults(on: today).first { throw fault }
        let dataName = specification.dataset(role)
        guard let dataset = configuration.datasets[dataName] else { throw Fault(.unknownDataset, at: "/data/\(role.rawValue)", dataName) }
        let model = try specification.scoring.flatMap { scoring throws(Fault) in try files.read("model.json", job: scoring.model) }
        let policy = try installation.policy()
        if let policy, let contractRole = Contract.Role(rawValue: role.rawValue) {
            let model = model.map(tools.modelFeatures) ?? []
            if let fault = policy.check(specification, role: contractRole, model: model, analyst: offer.analyst).first { throw fault }
            let used = specification.training?.features(role) ?? model
            if let fault = policy.stale(used, in: dataset, named: dataName, asOf: specification.asOf ?? today).first { throw fault }
            try files.requireQuota(policy, specification, id)
        }
        // A model that is not there is refused where the data are opened, one that was retired here.
        if let model = specification.scoring?.model, try files.read(ModelFiles.retirement, job: model) != nil {
            throw Fault(.modelRetired, at: "/model", model, name)
        }
        return RoleRequest(
            job: id, attempt: attempt, specification: specification, specificationDigest: SHA256.hash(bytes), suite: contract.suite.rawValue,
            limits: policy?.tightening(contract.limits) ?? contract.limits, contractDigest: installation.contractDigest,
            dataset: dataset, model: model, within: try files.subjects(within: specification, role: role),
            authority: role == .platform ? .init(directory: files.directory.path, day: today) : nil, followsStricter: policy?.followsStricter ?? true,
            scratch: try FileScratch(in: files.directory, memoryBytes: configuration.memoryBytes),
            call: operations.calling(for: id, specification.purpose.code))
    }

    /// What the operator asks through the local door.
    private func answer(_ request: ControlRequest, _ account: String) throws(Fault) -> JSONValue {
        switch request {
        case .jobs:
            let waiting = approvals.all.map { JSONValue.job($0, "waiting", $1.specification, $1.sinceUnixSeconds) }
            let open = jobs.withLock { $0 }.map { id, job in
                JSONValue.job(id, job.started ? "running" : "approved", job.specification, job.sinceUnixSeconds, waitsFor: job.session.waitsFor)
            }
            return .object(["jobs": .array(waiting + open), "registered": .bool(isRegistered.withLock { $0 })])
        case .show(let id):
            let waiting = approvals.all[id]
            guard let specification = waiting?.specification ?? jobs.withLock({ $0[id]?.specification }) else { throw Fault(.unknownJob, at: "", "\(id)") }
            let earlier = files.earlierJobs(like: specification)
            let common: [String: JSONValue] = earlier.first.map { ["earlier_common": .integer($0.aligned)] } ?? [:]
            return .object(["specification": .text(specification.canonicalJSON()), "waiting": .bool(waiting != nil),
                            "since": .integer(waiting?.sinceUnixSeconds ?? 0),
                            "publications": .array(publications(for: specification).values.map(\.json)),
                            "earlier_rounds": .array(earlier.map { .integer($0.rounds) })].merging(common) { $1 })
        case .approve(let id, let proof):
            try approvals.decide(id, by: proof, account: account)
        case .refuse(let id, let reason, let proof):
            try approvals.decide(id, by: proof, account: account, reason: reason)
        case .publish:
            return .object(["published": .bool(try publish())])
        }
        return .object([:])
    }

    private var condition: NodeMonitor.Condition {
        let open = jobs.withLock { $0.values.map(\.started) }
        let running = open.count { $0 }
        return NodeMonitor.Condition(isReady: isRegistered.withLock { $0 } && !isDraining.withLock { $0 },
                                     jobs: ["waiting": approvals.all.count, "approved": open.count - running, "running": running])
    }

    private func run(_ open: OpenJob, _ id: JobIdentifier, _ arbiter: PostedLine) async {
        let log = log.of(id)
        do throws(Fault) {
            try open.operations.record(.jobStarted)
            do throws(Fault) {
                try await open.session.run()
            } catch {
                try? await closeLine(of: open, id)
                throw error
            }
            try await closeLine(of: open, id)
            log.info(en: "completed", zh: "已完成")
            if let head = ended(open, nil) { arbiter.post(.operationsHead(head), job: id, attempt: open.session.attempt) }
            arbiter.post(.jobEnd(.init()), job: id, attempt: open.session.attempt)
        } catch {
            log.error(en: "ended", zh: "已终止", error)
            if let head = ended(open, error) { arbiter.post(.operationsHead(head), job: id, attempt: open.session.attempt) }
            // A node that goes tells so by losing its line: at a word, it would be offered the next attempt. Any other's is waited for.
            if !isDraining.withLock({ $0 }) || error.code != .peerLost || error.place != name {
                arbiter.post(.jobEnd(.filled { $0.fault = FaultNote(error) }), job: id, attempt: open.session.attempt)
            }
        }
        forget(open, id)
        await dropPayloads(open, id)
        Allocator.giveBack()
    }

    private func closeLine(of open: OpenJob, _ id: JobIdentifier) async throws(Fault) {
        await open.line.close()
        let account = await open.line.account
        if account.sent.connections != 0 { try ledgers.keep(account, id, line: open.line.peerName) }
    }

    /// What the retention rule does not keep goes once the ledger holds.
    private func dropPayloads(_ open: OpenJob, _ id: JobIdentifier) async {
        guard configuration.retention != .all else { return }
        let (verify, path) = (tools.verify, ledgers.path(id))
        do throws(Fault) {
            let holds = try await compute { () throws(Fault) -> Bool in
                let findings = verify(path)
                guard findings == 0 else {
                    try open.operations.record(.payloadsHeld, count: findings)
                    return false
                }
                let dropped: Int
                do throws(LedgerError) { dropped = try PayloadRetention.apply(path) } catch { throw Fault(.unwritable, at: path) }
                try open.operations.record(.payloadsDropped, count: dropped)
                return true
            }
            if !holds { log.of(id).warning(en: "its ledger does not hold, so all payloads stay: jointlab audit verify \(path)",
                                           zh: "账本核查未通过，保留全部载荷：jointlab audit verify \(path)") }
        } catch {
            log.of(id).warning(error)
        }
    }

    // The line between bank and platform

    /// A bank has connected, for the first time or again: its greeting says for which job.
    private func welcome(_ connection: Connection) async {
        let bank = connection.peerDescription
        guard let greeting = try? await ResumableConnection.greeting(on: connection),
              let line = jobs.withLock({ $0[greeting.job] }).map({ (bank: $0.specification.parties.bank, connection: $0.connection) })
                ?? earlierLines.withLock({ $0.last { $0.job == greeting.job } }).map({ (bank: $0.bank, connection: $0.connection) }),
              line.bank == bank
        else {
            return log.warning(en: "a line for no job that is open here was closed", zh: "已关闭一条不属于任何进行中任务的连接")
        }
        await line.connection.attach(connection, greeted: greeting)
    }
}
