import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime
import Roles
import Synchronization
import Testing
import Wire

/// Limits hold for jobs that come together as they do for one after the other.
@Suite("Jobs at once") struct AtOnceTests {
    private static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }

    private func sizes(_ lab: TrialLab) throws -> String {
        try lab.specification("size") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "align"
            document["reveal"] = "size"
        }
    }

    /// Jobs that reach a node at one moment: how each ended.
    private func together(_ count: Int, at node: String, _ lab: TrialLab) async throws -> [Run] {
        let specification = try sizes(lab)
        try lab.signal(node, SIGSTOP)
        var jobs: [String] = []
        for _ in 0..<count { jobs.append(try await lab.submit(specification)) }
        try lab.signal(node, SIGCONT)
        var runs: [Run] = []
        for job in jobs { runs.append(try await lab.job("watch", job)) }
        return runs
    }

    private static func job(_ number: Int) throws -> JobIdentifier { try #require(JobIdentifier(octets: [UInt8](repeating: UInt8(number), count: 16))) }

    /// The bank's parts of jobs on subjects of the test's.
    private struct Opener: Sendable {
        let state: URL
        let specification: JobSpecification

        init(_ lab: TrialLab) throws {
            state = URL(filePath: lab.path("bank/state"))
            specification = try JobSpecification.parse([UInt8](try String(contentsOfFile: lab.specification(), encoding: .utf8).utf8))
        }

        func open(_ number: Int, _ subjects: IdentifierList, _ operations: Operations) throws -> JobOperations {
            try JobOperations(
                operations, job: try AtOnceTests.job(number), specification: specification, dataset: "main", digest: [UInt8](repeating: 0, count: 32),
                peer: "platform", subjects: subjects, listed: subjects.count, admitted: nil, scratch: try FileScratch(in: state, memoryBytes: 1 << 20),
                space: LedgerSpace(state.appending(path: "ledger"), limitBytes: nil, specification: specification, limits: .init()), isSealed: false)
        }
    }

    @Test("of two jobs whose common subjects differ in one, and who come to it at the same moment, one goes on")
    func nearSets() async throws {
        let lab = try await TrialLab()
        let installation = try Installation.node(lab.path("bank/node.json"), role: .bank)
        let operations = try Operations(installation)
        let opener = try Opener(lab)
        for turn in 0..<20 {
            // Far from those of all other turns.
            let sets = [0, 1].map { more in IdentifierList((0..<150 + more).map { "\(turn) \($0)" }) }
            let jobs = try sets.enumerated().map { try opener.open(2 * turn + $0 + 1, $1, operations) }
            let faults = Mutex<[Fault.Code]>([])
            Self.onThreads(2) { index in
                do throws(Fault) { try jobs[index].record(.aligned, sets[index]) } catch { faults.withLock { $0.append(error.code) } }
            }
            #expect(faults.withLock { $0 } == [.alignedSetTooClose], "\(turn)")
        }
        let entries = try lab.text("bank/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.count { $0.contains("subjects.aligned") } == 20)
    }

    @Test("a list of subjects that a job names while it expires stays, whichever comes first; when no job needs it any more it goes")
    func expiry() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { $0["retention"] = ["identifier_days": 0] }
        let installation = try Installation.node(lab.path("bank/node.json"), role: .bank)
        // As of two programs.
        let (node, owner) = (try Operations(installation), try Operations(installation))
        let opener = try Opener(lab)
        let subjects = IdentifierList((0..<5000).map { "\($0)" })
        let folder = lab.path("bank/state/operations/subjects")
        @Sendable func lists() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: folder).count }
        @Sendable func expiry() throws -> Expiry { try Expiry(installation, files: try JobFiles(installation), operations: owner, tools: .none(), by: .ownAccount) }
        @Sendable func end(_ number: Int) throws { try node.record(.jobEnded, job: try Self.job(number), object: "completed") }

        _ = try opener.open(1, subjects, node)
        try end(1)
        let due = try expiry().due()
        #expect(due.count == 1 && due.first?.lists.count == 1)
        _ = try opener.open(2, subjects, node)
        #expect(try expiry().apply(due).isEmpty)
        #expect(try lists() == 1)
        try end(2)
        let gone = try expiry().apply(try expiry().due())
        #expect(gone.map(\.lists) == [due[0].lists])
        #expect(try lists() == 0)

        let isOver = Mutex(false), faults = Mutex<[String]>([])
        Self.onThreads(2) { index in
            do {
                guard index == 0 else {
                    while !isOver.withLock({ $0 }) { try expiry().apply(try expiry().due()) }
                    return
                }
                defer { isOver.withLock { $0 = true } }
                for number in 3..<100 {
                    _ = try opener.open(number, subjects, node)
                    if try lists() != 1 { faults.withLock { $0.append("\(number)") } }
                    try end(number)
                }
            } catch {
                faults.withLock { $0.append("\(error)") }
            }
        }
        #expect(faults.withLock { $0 }.isEmpty)
    }

    @Test("a data set serves no more jobs than its owner allows, though six are offered at once")
    func maximumJobs() async throws {
        let lab = try await TrialLab()
        try lab.edit("bank/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            datasets["main"] = (datasets["main"] as? [String: Any] ?? [:]).merging(["maximum_jobs": 2]) { $1 }
            node["datasets"] = datasets
        }
        try await lab.start()
        let runs = try await together(6, at: "bank", lab)
        #expect(runs.count { $0.code == 0 } == 2)
        for run in runs where run.code != 0 { #expect(run.pair().error.contains("has served 2 jobs"), "\(run)") }
        let entries = try lab.text("bank/state/operations/entries.jsonl").split(separator: "\n")
        #expect(entries.count { $0.contains("subjects.read") } == 2)
    }

    @Test("a quota of jobs is used up by as many as it allows, though six are offered at once; consents to others are taken back")
    func quota() async throws {
        let lab = try await TrialLab()
        try await lab.govern("platform", by: #"{"version": 1, "name": "rules", "purposes": {"credit_assessment": {}}, "quota": {"jobs": 2, "days": 30}}"#)
        try await lab.start()
        let runs = try await together(6, at: "platform", lab)
        #expect(runs.count { $0.code == 0 } == 2)
        for run in runs where run.code != 0 { #expect(run.pair().error.contains("rules#/quota"), "\(run)") }
        #expect(try decisions(lab, "platform").count { $0 == "approved" } == 2)
    }

    @Test("a person's consent to a job beyond the quota is taken back")
    func consents() async throws {
        let lab = try await TrialLab()
        try lab.edit("platform/node.json") { $0["approve"] = "manual" }
        try await lab.govern("platform", by: #"{"version": 1, "name": "rules", "purposes": {"credit_assessment": {}}, "quota": {"jobs": 1, "days": 30}}"#)
        try await lab.start()
        let specification = try sizes(lab)
        let jobs = [try await lab.submit(specification), try await lab.submit(specification)]
        for job in jobs { #expect(try await eventually { try lab.log("platform").contains("waits for approval: jobs show \(job)") }) }
        var codes: [Int32] = []
        for job in jobs {
            let approved = try await lab.run("platform-node", ["jobs", "approve", job, "--config", lab.path("platform/node.json")])
            #expect(approved.code == 0, "\(approved)")
            codes.append(try await lab.job("watch", job).code)
        }
        #expect(codes[0] == 0 && codes[1] != 0)
        #expect(try decisions(lab, "platform").sorted() == ["approved", "withdrawn"])
    }

    private func decisions(_ lab: TrialLab, _ node: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: lab.path("\(node)/state/approvals")).compactMap {
            try lab.json("\(node)/state/approvals/\($0)")["decision"] as? String
        }
    }

    @Test("first jobs at once make one key of subjects; a file without a byte that a killed program left is none, and goes at the start")
    func subjectKey() async throws {
        let lab = try await TrialLab()
        let installation = try Installation.node(lab.path("bank/node.json"), role: .bank)
        let operations = try Operations(installation)
        let file = lab.path("bank/state/\(Operations.subjectsKey)")
        for turn in 0..<20 {
            let keys = Mutex<[[UInt8]?]>([])
            Self.onThreads(4) { _ in
                let key = try? operations.subjectKey().octets
                keys.withLock { $0.append(key) }
            }
            let made = keys.withLock { $0 }
            #expect(made.allSatisfy { $0?.count == 32 } && Set(made).count == 1, "\(turn)")
            try FileManager.default.removeItem(atPath: file)
        }
        let secrets = URL(filePath: file).deletingLastPathComponent().path
        #expect(try FileManager.default.contentsOfDirectory(atPath: secrets).isEmpty)
        for name in ["subjects.key", ".subjects.key.1.partial"] {
            try PrivateFile.create(name == "subjects.key" ? [] : [1], at: "\(secrets)/\(name)")
        }
        try JobFiles(installation).takeUp(installation, operations)
        #expect(try FileManager.default.contentsOfDirectory(atPath: secrets).isEmpty)
        let key = try operations.subjectKey().octets
        // One that was used stays.
        try JobFiles(installation).takeUp(installation, operations)
        #expect(try operations.subjectKey().octets == key)
    }

    @Test("of lists of subjects that a killed program was writing, or had not named, nothing is left once the node starts")
    func drafts() async throws {
        let lab = try await TrialLab()
        let installation = try Installation.node(lab.path("bank/node.json"), role: .bank)
        let operations = try Operations(installation)
        _ = try Opener(lab).open(1, IdentifierList(["a", "b"]), operations)
        let folder = lab.path("bank/state/operations/subjects")
        let named = try FileManager.default.contentsOfDirectory(atPath: folder)
        let unnamed = String(repeating: "0a", count: 32)
        for name in [unnamed, "\(unnamed).17", "\(named[0]).expired"] { try PrivateFile.create([1], at: "\(folder)/\(name)") }
        try JobFiles(installation).takeUp(installation, operations)
        #expect(try named.count == 1 && FileManager.default.contentsOfDirectory(atPath: folder) == named)
    }

    @Test("the list of a set that was refused goes with the next expiry, and no other")
    func refusedSet() async throws {
        let lab = try await TrialLab()
        let installation = try Installation.node(lab.path("bank/node.json"), role: .bank)
        let operations = try Operations(installation)
        let opener = try Opener(lab)
        func set(_ count: Int) -> IdentifierList { IdentifierList((0..<count).map { "\($0)" }) }
        let folder = lab.path("bank/state/operations/subjects")
        func lists() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: folder)) }
        let jobs = try [1, 2].map { try opener.open($0, set(200), operations) }
        try jobs[0].record(.aligned, set(150))
        let named = try lists()
        #expect(throws: Fault.self) { try jobs[1].record(.aligned, set(151)) }
        #expect(try lists().count == 3 && named.count == 2)
        try Expiry(installation, files: try JobFiles(installation), operations: operations, tools: .none(), by: .node).apply([])
        #expect(try lists() == named)
    }
}
