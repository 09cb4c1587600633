import Faults
import Foundation
import Installation
import Jobs
import NodeRuntime
import Synchronization
import Testing
import Transport
import Wire

@Suite("Load") struct LoadTests {
    /// How many subjects are common: a job that holds a line and little else.
    private func counting(_ document: inout [String: Any]) {
        for key in ["label", "features", "training"] { document[key] = nil }
        document["kind"] = "align"
        document["reveal"] = "size"
    }

    /// Jobs that a node has open, after each line of its log that changes them.
    private func open(_ lab: TrialLab, _ name: String) throws -> [Set<Substring>] {
        var open: Set<Substring> = []
        return try lab.log(name).split(separator: "\n").compactMap { line in
            guard let job = line.firstMatch(of: /\[job ([0-9a-f]{8})\]/)?.1 else { return nil }
            if line.contains("approved by") { open.insert(job) } else if line.hasSuffix("completed") { open.remove(job) } else { return nil }
            return open
        }
    }

    @Test("fifty jobs wait and run, no node holds more than ten; who submits more is refused and loses nothing; both analysts' are all done")
    func queue() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let specification = try lab.specification("size", counting)
        // Nothing ends meanwhile.
        try lab.signal("bank", SIGSTOP)
        var jobs: [String] = []
        for name in [String](repeating: "ann", count: 30) + [String](repeating: "ben", count: 20) {
            let submitted = try await lab.job("submit", specification, by: name)
            try #require(submitted.code == 0, "\(submitted)")
            jobs.append(submitted.output.trimmingCharacters(in: .newlines))
        }
        let overloaded = Fault(.overloaded, at: "arbiter")
        for name in ["ann", "ben"] {
            let refused = try await lab.job("submit", specification, by: name)
            #expect(refused.code != 0 && refused.pair() == (overloaded.message.en, overloaded.hint.en), "\(refused)")
        }
        // The platform opens what it is offered, and can end none of it.
        let isFull = try await eventually { try open(lab, "platform").last?.count == 10 }
        #expect(isFull)
        try lab.signal("bank", SIGCONT)
        for job in jobs {
            let watched = try await lab.job("watch", job)
            #expect(watched.code == 0, "\(watched)")
        }
        for name in ["bank", "platform"] {
            #expect(lab.results(name) == jobs.sorted())
            let open = try open(lab, name)
            // When the bank goes on, its first job may end before it opens its tenth.
            #expect(open.map(\.count).max().map { name == "platform" ? $0 == 10 : $0 <= 10 } == true && open.last == [])
        }
        for name in ["arbiter", "bank", "platform"] { #expect(try lab.peakMemory(name) < 512, "\(name)") }
    }

    @Test("eight banks train with one platform at a time, each has its model, and the memory that it took goes back")
    func banks() async throws {
        let names = (2...8).map { "bank\($0)" }
        let lab = try await TrialLab(banks: names)
        try await lab.start()
        let banks = ["bank"] + names
        // None ends before all have begun.
        for bank in banks { try lab.signal(bank, SIGSTOP) }
        var jobs: [String] = []
        for bank in banks {
            jobs.append(try await lab.submit(try lab.specification(bank) {
                $0["parties"] = ["bank": bank, "platform": "platform"]
                $0["training"] = ["key_bits": 512, "maximum_rounds": 2]
            }))
        }
        let areOpen = try await eventually { try open(lab, "platform").last?.count == 8 }
        #expect(areOpen)
        for bank in banks { try lab.signal(bank, SIGCONT) }
        for (bank, job) in zip(banks, jobs) {
            let watched = try await lab.job("watch", job)
            #expect(watched.code == 0, "\(watched)")
            #expect(lab.results(bank) == [job])
            let audit = try await lab.jointlab("audit", "reconcile", lab.path("\(bank)/state/ledger/\(job)"), lab.path("platform/state/ledger/\(job)"))
            #expect(audit.code == 0, "\(audit)")
        }
        #expect(lab.results("platform") == jobs.sorted())
        #expect(try open(lab, "platform").map(\.count).max() == 8)
        #expect(try lab.peakMemory("platform") < 512)
        // What jobs have used goes back at their end.
        for name in ["platform", "bank"] {
            let isBack = try await eventually(5) { try lab.heldMemory(name) < 32 }
            let held = try lab.heldMemory(name)
            #expect(isBack, "\(name) holds \(held) MiB")
        }
    }

    /// A line to a lab's arbiter, in the name of one of its members.
    private func line(_ lab: TrialLab, _ name: String, _ role: Wire.Role) async throws -> Line {
        let contract = try Amendment(lab.path("\(name)/contract.json")).contract
        let address = try #require(contract.arbiter.address?.description)
        let connection = try await Transport.connect(
            to: address, identity: try LineEnds.identity(lab, name), pins: contract.arbiter.presentPins, name: "arbiter", timeoutSeconds: 10)
        return Line(connection, ownRole: role, peerRole: .arbiter, peerName: "arbiter", ledgers: nil)
    }

    @Test("a person who asks hundreds of times for the longest answer and reads none does not fill the arbiter's memory; read, they all come")
    func unreadAnswers() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let bank = try await line(lab, "bank", .bank)
        try await bank.register(Amendment(lab.path("bank/contract.json")).digest)
        let columns = (0..<6500).map { DataDescription.Column(name: "\(1000 + $0)" + String(repeating: "x", count: 120), type: .number) }
        let published = Publication(party: "bank", datasets: ["main": DataDescription(rows: 1, columns: columns)], approval: .automatic, machine: nil)
        let document = Data(published.json.canonicalText().utf8)
        try #require(document.count > 900_000)
        try await bank.send(.nodePublication(.filled { $0.document = document }), phase: .waiting, job: .none, attempt: 0)
        let ann = try await line(lab, "ann", .person)
        func ask() async throws {
            try await ann.send(.showPublication(.filled { $0.party = "bank" }), phase: .waiting, job: .none, attempt: 1)
        }
        func answer() async throws -> Data? {
            guard case .publicationRecord(let record)? = try await ann.receive()?.message else { return nil }
            return record.document
        }
        var shown: Data?
        for _ in 0..<100 where shown != document {
            try await ask()
            shown = try await answer()
        }
        try #require(shown == document)
        let before = try lab.peakMemory("arbiter")
        for _ in 0..<150 { try await ask() }
        // Long enough to take them all up.
        try await Task.sleep(for: .seconds(3))
        for _ in 0..<150 { #expect(try await answer() == document) }
        let after = try lab.peakMemory("arbiter")
        #expect(after < before + 64, "MiB: \(before), \(after)")
        // One who goes without reading holds nothing up either.
        for _ in 0..<150 { try await ask() }
        await ann.close()
        let listed = try await lab.job("list")
        #expect(listed.code == 0, "\(listed)")
        await bank.close()
    }

    @Test("a person who opens line after line keeps nobody else out, and the arbiter stores no payload that is longer than any it may be sent")
    func manyLines() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let contract = try Amendment(lab.path("ann/contract.json")).contract
        let (address, identity) = (try #require(contract.arbiter.address?.description), try LineEnds.identity(lab, "ann"))
        func dial() async throws(Fault) -> Connection {
            try await Transport.connect(to: address, identity: identity, pins: contract.arbiter.presentPins, name: "arbiter", timeoutSeconds: 10)
        }
        var lines: [Connection] = []
        var refusal: Fault?
        while refusal == nil, lines.count < 300 {
            do throws(Fault) { lines.append(try await dial()) } catch { refusal = error }
        }
        #expect(refusal == Fault(.overloaded, at: "arbiter"))
        // Each of the jobs that a person may have open can be watched.
        #expect(lines.count > 30)
        let bank = try await line(lab, "bank", .bank)
        try await bank.register(Amendment(lab.path("bank/contract.json")).digest)
        let listed = try await lab.job("list", by: "ben")
        #expect(listed.code == 0, "\(listed)")
        let long = Frame(kind: .roundRows, phase: .training, job: .none, attempt: 1, sequence: 0, salt: [UInt8](repeating: 0, count: Frame.saltBytes),
                         payload: [UInt8](repeating: 0, count: MessageKind.bulkBytes))
        // May arrive as far as the system has room.
        try? await lines[0].send(long)
        let malformed = Fault(.malformedFrame, at: "ann").message.en
        #expect(try await eventually { try lab.log("arbiter").contains(malformed) })
        for line in lines { await line.close() }
        await bank.close()
    }

    @Test("a node that is hardly ever idle does not measure its machine for ever beside its jobs")
    func measuring() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let jobs = Mutex(0)
        let measurements = Mutex(0)
        // Each lasts until a job has come and gone, which spoils it.
        let nodes = try InProcessNodes(lab, measuring: { role in
            guard role == .bank else { return }
            measurements.withLock { $0 += 1 }
            let before = jobs.withLock { $0 }
            for _ in 0..<600 where jobs.withLock({ $0 }) == before { Thread.sleep(forTimeInterval: 0.1) }
        }) { _ in preconditionFailure("no job is opened") }
        defer { nodes.cancel() }
        for number in 1...20 {
            let job = try await nodes.submit { $0["data"] = ["bank": "unknown", "platform": "unknown"] }
            #expect(try await lab.job("watch", job).code != 0)
            jobs.withLock { $0 = number }
            try await Task.sleep(for: .milliseconds(300))
        }
        let count = measurements.withLock { $0 }
        #expect((2...10).contains(count), "\(count)")
    }

    @Test("what is freed goes back to the system, however large a buffer was freed before: a ledger that is read at the start, say")
    func allocator() throws {
        func held() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            return try #require(status.firstMatch(of: /RssAnon:\s+(\d+)/).flatMap { Int($0.1) })
        }
        // From this the allocator draws its conclusions.
        UnsafeMutableRawPointer.allocate(byteCount: 16 << 20, alignment: 16).deallocate()
        Allocator.keepLittle()
        let before = try held()
        let pieces = (0..<8192).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 1024, alignment: 16) }
        for piece in pieces { piece.initializeMemory(as: UInt8.self, repeating: 1, count: 1024) }
        for piece in pieces { piece.deallocate() }
        let after = try held()
        #expect(after < before + 2000, "KiB: \(before), \(after)")
    }
}
