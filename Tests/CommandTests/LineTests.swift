import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Primitives
import Testing
import Transport
import Wire

/// The line between bank and platform, of which each end is the product's or the test's.
@Suite("Lines between nodes") struct LineTests {
    @Test("a frame of another job, or attempt, that is open here is refused before any ledger has it")
    func foreignJob() async throws {
        let ends = try await LineEnds()
        let jobs = try [1, 2].map { try #require(JobIdentifier(octets: [UInt8](repeating: $0, count: 16))) }
        try await ends.offer(jobs[0], jobs[1])
        for (job, attempt) in [(jobs[0], UInt32(1)), (jobs[1], 1), (jobs[0], 2)] {
            let (far, near) = try await ends.connect()
            let bank = Line(far, ownRole: .bank, peerRole: .platform, peerName: "platform", ledgers: nil)
            let platform = Line(near, ownRole: .platform, peerRole: .bank, peerName: "bank", ledgers: ends.ledgers)
            try await bank.send(.nonce(.filled { $0.nonce = Data(count: 32) }), phase: .opening, job: job, attempt: attempt)
            do throws(Fault) {
                _ = try await platform.receive { [job = jobs[0]] in ($0.job, $0.attempt) == (job, 1) }
                #expect((job, attempt) == (jobs[0], 1))
            } catch {
                #expect((job, attempt) != (jobs[0], 1) && error == Fault(.unexpectedMessage, at: "bank"))
            }
            await bank.close()
        }
        #expect(ends.recorded(jobs[0]) == 1 && ends.recorded(jobs[1]) == 0)
    }

    @Test("what an arbiter says beyond the records that a job's ledger takes is in none and is marked, and other jobs' frames are neither")
    func full() async throws {
        let ends = try await LineEnds(mostRecords: 3)
        let jobs = try [1, 2].map { try #require(JobIdentifier(octets: [UInt8](repeating: $0, count: 16))) }
        try await ends.offer(jobs[0], jobs[1])
        let (far, near) = try await ends.connect()
        let arbiter = Line(far, ownRole: .arbiter, peerRole: .platform, peerName: "platform", ledgers: nil)
        let node = Line(near, ownRole: .platform, peerRole: .arbiter, peerName: "arbiter", ledgers: ends.ledgers)
        var marks: [Bool?] = []
        for job in [jobs[0], jobs[0], jobs[0], jobs[0], jobs[1]] {
            try await arbiter.send(.jobStart(.filled { $0.specificationDigest = Data(count: 32) }), phase: .waiting, job: job, attempt: 1)
            marks.append(try await node.receive()?.isTooMuch)
        }
        // Each job's offer is one.
        #expect(marks == [false, false, true, true, false])
        #expect(ends.recorded(jobs[0], of: "arbiter") == 3 && ends.recorded(jobs[1], of: "arbiter") == 2)
        // What a node says of itself belongs to no job's ledger.
        try await arbiter.send(.peerPublication(.filled { $0.document = Data("{}".utf8) }), phase: .waiting, job: jobs[1], attempt: 1)
        let fault = await #expect(throws: Fault.self) { try await node.receive() }
        #expect(fault == Fault(.unexpectedMessage, at: "arbiter") && ends.recorded(jobs[1], of: "arbiter") == 2)
        await arbiter.close()
    }

    @Test("an arbiter that closes without an answer is lost, for it may be stopping; one that holds another contract says so")
    func register() async throws {
        let ends = try await LineEnds()
        for answer in [nil, Fault(.contractMismatch, at: "arbiter")] {
            let (far, near) = try await ends.connect()
            let node = Line(far, ownRole: .bank, peerRole: .arbiter, peerName: "arbiter", ledgers: nil)
            let arbiter = Line(near, ownRole: .arbiter, peerRole: .bank, peerName: "bank", ledgers: nil)
            let answering = Task {
                _ = try await arbiter.receive()
                if let answer { try await arbiter.send(.jobStop(.filled { $0.fault = FaultNote(answer) }), phase: .waiting, job: .none, attempt: 1) }
                await arbiter.close()
            }
            let fault = await #expect(throws: Fault.self) { try await node.register([UInt8](repeating: 1, count: 32)) }
            #expect(fault == answer ?? Fault(.peerLost, at: "arbiter"))
            try await answering.value
            await node.close()
        }
    }

    @Test("a line that was lost is held by nothing once nobody posts on it")
    func released() async throws {
        let ends = try await LineEnds()
        weak var lost: Line?
        let far = try await ends.connect().bank
        do {
            let posted = PostedLine(Line(far, ownRole: .bank, peerRole: .arbiter, peerName: "arbiter", ledgers: nil))
            lost = posted.line
            posted.post(.jobEnd(.init()), job: .none)
            await posted.line.close()
        }
        #expect(try await eventually(10) { lost == nil })
    }

    @Test("whoever waits until all that was posted has left goes on when it has, and also when the line ends before")
    func drained() async throws {
        let ends = try await LineEnds()
        let long = Message.jobOffer(.filled { $0.specification = Data(count: 1 << 19) })
        for isRead in [true, false] {
            let (far, near) = try await ends.connect()
            let posted = PostedLine(Line(far, ownRole: .arbiter, peerRole: .platform, peerName: "platform", ledgers: nil))
            let node = Line(near, ownRole: .platform, peerRole: .arbiter, peerName: "arbiter", ledgers: nil)
            await posted.drained()
            for _ in 0..<64 { posted.post(long, job: .none) }
            #expect(posted.unsent > 0)
            if isRead {
                for _ in 0..<64 { #expect(try await node.receive()?.message == long) }
            } else {
                await posted.line.close()
            }
            await posted.drained()
            #expect((posted.unsent == 0) == isRead)
            await posted.finish()
            await node.close()
        }
    }

    @Test("an arbiter that never answers a node's first words is lost")
    func unanswered() async throws {
        let ends = try await LineEnds()
        let far = try await ends.connect().bank
        let node = Line(far, ownRole: .bank, peerRole: .arbiter, peerName: "arbiter", ledgers: nil)
        let fault = await #expect(throws: Fault.self) { try await node.register([UInt8](repeating: 1, count: 32), withinSeconds: 1) }
        #expect(fault == Fault(.peerLost, at: "arbiter"))
    }
}

/// Both ends of lines within the test: bank and platform of a lab, over TLS.
final class LineEnds {
    let lab: TrialLab
    /// The platform's.
    let ledgers: LedgerBook
    private let listener: Listener
    private let arrivals: AsyncStream<Connection>
    private let contract: Contract

    init(mostRecords: UInt64 = LedgerBook.mostRecords) async throws {
        lab = try await TrialLab()
        let held = try Amendment(lab.path("platform/contract.json"))
        contract = held.contract
        let (arrivals, arrived) = AsyncStream<Connection>.makeStream()
        self.arrivals = arrivals
        listener = try await Transport.listen(
            at: "127.0.0.1:0", identity: try Self.identity(lab, "platform"), peer: { held.contract.party(withHexadecimalPin: $0)?.name },
            maximumConnections: 16
        ) { connection in
            arrived.yield(connection)
            // Longer than any test lasts.
            try? await Task.sleep(for: .seconds(300))
        }
        ledgers = LedgerBook(directory: lab.folder, node: "platform", role: .platform, contract: held.bytes, retention: .all, hasSM3: false,
                             breakdown: Breakdown(), mostRecords: mostRecords)
    }

    deinit {
        let listener = listener
        Task { await listener.close() }
    }

    func connect() async throws -> (bank: Connection, platform: Connection) {
        let pins = try #require(contract.parties.first { $0.name == "platform" }).presentPins
        let bank = try await Transport.connect(to: "127.0.0.1:\(listener.port)", identity: try Self.identity(lab, "bank"), pins: pins, name: "platform",
                                               timeoutSeconds: 10)
        return (bank, try #require(await arrivals.first { _ in true }))
    }

    /// The platform's ledger begins with a job's offer.
    func offer(_ jobs: JobIdentifier...) async throws {
        let (far, near) = try await connect()
        let arbiter = Line(far, ownRole: .arbiter, peerRole: .platform, peerName: "platform", ledgers: nil)
        let node = Line(near, ownRole: .platform, peerRole: .arbiter, peerName: "arbiter", ledgers: ledgers)
        let specification = Data(try String(contentsOfFile: lab.specification(), encoding: .utf8).utf8)
        for job in jobs {
            try await arbiter.send(.jobOffer(.filled { $0.specification = specification }), phase: .waiting, job: job, attempt: 1)
            _ = try await node.receive()
        }
    }

    /// What the platform's ledger has of that party's frames.
    func recorded(_ job: JobIdentifier, of party: String = "bank") -> Int {
        let records = lab.folder.appending(path: "ledger/\(job)/\(party).received.records").path
        return (FileManager.default.contents(atPath: records)?.count ?? 0) / FrameRecord.byteCount
    }

    static func identity(_ lab: TrialLab, _ name: String) throws -> TransportIdentity {
        try TransportIdentity(authorityFile: lab.path("\(name)/authority.pem"), certificateFile: lab.path("\(name)/certificate.pem"),
                              privateKeyFile: lab.path("\(name)/private.key"))
    }
}
