import ArbiterRole
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Primitives
import Synchronization
import Transport
import Wire

/// The arbiter's node: brings lines and machine together, and keeps a record of each job.
package actor ArbiterNode: ServingNode {
    /// Lines at once, and of one name: an analyst may watch each of its open jobs (`ArbiterMachine.mostOpenJobsPerAnalyst`), and has some
    /// beside that to ask; a node has one, and for a moment another that takes its place.
    private static let (mostLines, mostLinesPerName) = (256, 40)

    private let installation: NodeInstallation
    private let contract: Contract
    private let identity: TransportIdentity
    private let address: String
    private let files: JobFiles
    private let records: URL
    private let ledgers: LedgerBook
    private let operations: Operations
    private let log: NodeLog
    private let monitor: NodeMonitor
    private var machine: ArbiterMachine
    private var lines: [ArbiterLine: PostedLine] = [:]
    private var connections: UInt64 = 0

    package init(_ installation: NodeInstallation, log: NodeLog) throws(Fault) {
        let configuration = installation.configuration
        guard let listen = configuration.listen else { throw Fault(.defect, at: "configuration") }
        self.installation = installation
        contract = installation.contract
        identity = installation.identity
        address = listen.description
        self.log = log
        monitor = NodeMonitor(configuration, role: .arbiter)
        files = try JobFiles(configuration.dataDirectory)
        records = files.directory.appendingPathComponent("records", isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: records, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Fault(.unwritable, at: configuration.dataDirectory)
        }
        operations = try Operations(installation)
        ledgers = LedgerBook(directory: files.directory, node: configuration.name, role: .arbiter, contract: installation.contractBytes,
                             retention: .all, hasSM3: contract.suite == .sm2SM3, breakdown: operations.breakdown)
        machine = ArbiterMachine(contract: contract, contractDigest: installation.contractDigest, ledgerKey: installation.ledgerKey,
                                 records: ArbiterNode.load(records), specifications: ArbiterNode.specifications(records))
    }

    /// `records/JOB.json` beside `records/JOB.record`.
    private static func specifications(_ directory: URL) -> [JobIdentifier: [UInt8]] {
        let files = (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)) ?? []
        let found = files.filter { $0.pathExtension == "json" }.compactMap { file -> (JobIdentifier, [UInt8])? in
            guard let id = JobIdentifier(file.deletingPathExtension().lastPathComponent), let data = try? Data(contentsOf: file) else { return nil }
            return (id, [UInt8](data))
        }
        return Dictionary(found) { first, _ in first }
    }

    private static func load(_ directory: URL) -> [JobRecord] {
        let files = (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "record" }.compactMap { file in
            guard let data = try? Data(contentsOf: file),
                  case .jobRecord(let record)? = try? Message.decode(kind: .jobRecord, payload: [UInt8](data))
            else { return nil }
            return record
        }
    }

    /// Serves until the task is cancelled, or until a ledger or a record cannot be written.
    package func serve() async throws(Fault) {
        Allocator.keepLittle()
        try await operations.breakdown.stopping { [self] () async throws(Fault) in try await attend() }
    }

    /// Its records stand on the disk, and what its parties do it cannot finish for them: their jobs are interrupted.
    package func drain() async {}

    private func attend() async throws(Fault) {
        let lock = try DirectoryLock(files.directory)
        defer { withExtendedLifetime(lock) {} }
        try operations.record(.nodeStarted)
        defer { _ = try? operations.record(.nodeStopped) }
        try files.takeUp(installation, operations)
        let listener = try await Transport.listen(
            at: address, identity: identity, peer: { [contract] pin in
                contract.party(withHexadecimalPin: pin)?.name ?? contract.person(withHexadecimalPin: pin)?.name
            }, maximumConnections: Self.mostLines, maximumConnectionsPerPeer: Self.mostLinesPerName,
            maximumPayloadBytes: MessageKind.maximumPayloadBytes(to: .arbiter),
            onRefusal: { [log] in log.warning($0) },
            handler: { [self] in await welcome($0) })
        let watched = try await monitor.listen { [self] in await condition }
        log.info(en: "listening at \(address)", zh: "正在监听 \(address)")
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            step(.tick)
        }
        await watched?.close()
        await listener.close()
    }

    private var condition: NodeMonitor.Condition {
        let open = machine.openJobs
        return NodeMonitor.Condition(isReady: true, jobs: ["waiting": open.waiting, "running": open.running])
    }

    private func welcome(_ connection: Connection) async {
        let end: ArbiterLine
        let role: Role
        if let party = contract.party(withHexadecimalPin: connection.peerPin) {
            end = .party(party.name)
            role = party.role == .bank ? .bank : .platform
        } else if let person = contract.person(withHexadecimalPin: connection.peerPin) {
            connections += 1
            end = .person(person.name, connection: connections)
            role = .person
        } else {
            return
        }
        let line = Line(connection, ownRole: .arbiter, peerRole: role, peerName: connection.peerDescription,
                        ledgers: role == .person ? nil : ledgers)
        // A node that dials again has lost its earlier line.
        if let earlier = lines[end] { await earlier.line.close() }
        let posted = PostedLine(line)
        lines[end] = posted
        step(.connected(end))
        do throws(Fault) {
            while let received = try await line.receive() {
                guard !received.isTooMuch else {
                    step(.tooMuch(job: received.job, from: connection.peerDescription))
                    continue
                }
                guard let fresh = JobIdentifier(octets: SystemRandom.bytes(16)) else { break }
                step(.heard(received.message, job: received.job, from: end, fresh: fresh))
                // A person's next question is read once the answers to those before have left.
                if role == .person { await posted.drained() }
            }
        } catch {
            if error.code != .peerLost { log.warning(error) }
        }
        if lines[end] === posted {
            lines[end] = nil
            step(.lost(end))
        }
        await posted.finish()
    }

    private func step(_ event: ArbiterEvent) {
        for effect in machine.step(event, unixSeconds: UInt64(Date().timeIntervalSince1970)) {
            switch effect {
            case .send(let message, let job, let end):
                lines[end]?.post(message, job: job, attempt: machine.attempt(of: job))
            case .keep(let record):
                keep(record)
            case .keepSpecification(let bytes, let job):
                keep(bytes, as: "\(job).json")
            case .close(let end, let fault):
                log.warning(fault)
                if let line = lines[end] { Task { await line.dismiss() } }
            }
        }
    }

    private func keep(_ record: JobRecord) {
        guard let id = JobIdentifier(octets: record.job.octets) else { return }
        let bytes = Message.jobRecord(record).encodePayload()
        do {
            if record.state == .running {
                // Both parties witness how far the arbiter's operations have come: they record the frame.
                let head = try operations.record(.jobStarted, job: id)
                for name in [record.bank, record.platform] { lines[.party(name)]?.post(.operationsHead(head), job: id, attempt: record.attempt) }
            }
            if record.state.isFinal {
                try operations.record(.jobEnded, job: id, object: record.state == .completed ? "completed" : "\(record.fault.code)")
            }
        } catch {
            log.warning(error)
        }
        if record.state.isFinal || record.state == .interrupted { ledgers.end(id) }
        if record.state.isFinal {
            monitor.jobEnded(completed: record.state == .completed)
        }
        log.of(id).info(en: "\(record.name): \(record.state.name.en)", zh: "\(record.name)：\(record.state.name.zh)")
        keep(bytes, as: "\(id).record")
    }

    private func keep(_ bytes: [UInt8], as name: String) {
        do throws(Fault) {
            try PrivateFile.replace(bytes, at: records.appendingPathComponent(name).path)
        } catch {
            // What it decided would be forgotten when it starts again.
            operations.breakdown.report(Fault(.unwritable, at: "records"))
        }
    }
}
