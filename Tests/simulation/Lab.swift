import ArbiterRole
import BankRole
import Exchange
import Faults
import Foundation
import Jobs
import Ledger
import NodeRuntime
import PlatformRole
import Primitives
import Roles
import Wire

/// What every run has in common: two small tables, the contract, keys, and what a job gives when nothing disturbs it.
final class Lab {
    /// Part of every identifier, and of nothing that anyone may see.
    static let canary = "Kanarie"
    static let deadlineSeconds = 100

    let folder: URL
    let contract: Contract
    let contractBytes: [UInt8]
    private var undisturbed: [[UInt8]: [Role: [String: [UInt8]]]] = [:]

    init() throws {
        let places = ["/dev/shm", NSTemporaryDirectory()]
        let place = places.first { FileManager.default.isWritableFile(atPath: $0) } ?? "."
        folder = URL(filePath: place).appending(path: "jointlab-simulation-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func party(_ name: Name, _ digit: Int) -> String {
            let address = name == .north ? "" : "\"address\": \"127.0.0.1:1\","
            return """
                { "name": "\(name.rawValue)", "role": "\(name.role.rawValue)", \(address) "pin": "\(String(repeating: "\(digit)", count: 64))",
                  "ledger_key": "\(Data(Self.key(name).verifyingKey.bytes).base64EncodedString())" }
                """
        }
        contractBytes = Array("""
            { "version": 1, "name": "simulated", "suite": "P256-SHA256",
              "limits": { "insecure_key_bits": true, "minimum_key_bits": 512, "minimum_intersection": 100, "minimum_rows": 100,
                          "exposure_percent": null, "exposure_note": "A simulation.", "dominance_share": null,
                          "deadline_seconds": \(Self.deadlineSeconds) },
              "parties": [\(party(.middle, 1)), \(party(.north, 2)), \(party(.south, 3))],
              "people": [{ "name": "ann", "role": "analyst", "pin": "\(String(repeating: "4", count: 64))" }] }
            """.utf8)
        contract = try Contract.parse(contractBytes)
        var random = Numbers(state: 1)
        func number() -> Double { (0..<6).reduce(0) { sum, _ in sum + Double.random(in: -1...1, using: &random) } }
        let firms = (0..<116).map { index in
            let (bank, platform) = (number(), number())
            let bad = Double.random(in: 0..<1, using: &random) < 1 / (1 + exp(0.4 - bank + platform))
            return (id: "\(Self.canary)\(index)", bank: bank, platform: platform, bad: bad ? 1 : 0)
        }
        let (atBank, atPlatform) = (firms[..<112], firms[4...].reversed())
        try write(.north, "main", ["firm,outcome,turnover"] + atBank.map { "\($0.id),\($0.bad),\($0.bank)" })
        try write(.south, "main", ["firm,tax"] + atPlatform.map { "\($0.id),\($0.platform)" })
        try write(.north, "short", ["firm,outcome"] + atBank.map { "\($0.id),\($0.bad)" })
        try write(.south, "short", ["firm,water"] + atPlatform.map { "\($0.id),\($0.platform)" })
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func write(_ name: Name, _ table: String, _ lines: [String]) throws {
        try lines.joined(separator: "\n").write(to: data(name, table), atomically: true, encoding: .utf8)
    }

    private func data(_ name: Name, _ table: String) -> URL { folder.appending(path: "\(name.rawValue)-\(table).csv") }

    static func key(_ name: Name) -> Ed25519.SigningKey {
        Ed25519.SigningKey(seed: SecretBytes(copying: SHA256.hash(Array("ledger \(name.rawValue)".utf8))))
    }

    var contractDigest: [UInt8] { SHA256.hash(contractBytes) }

    /// - Parameter rounds: 0 aligns alone.
    func specification(rounds: Int) -> [UInt8] {
        let head = """
            "version": 1, "name": "simulated", "purpose": { "code": "test", "statement": "A simulation." },
            "parties": { "bank": "north", "platform": "south" },
            "population": { "id_type": "text", "bank_id": "firm", "platform_id": "firm", "minimum_intersection": 100 }
            """
        return Array((rounds == 0 ? "{ \(head), \"kind\": \"align\" }" : """
            { \(head), "label": { "column": "outcome" }, "features": { "bank": ["turnover"], "platform": ["tax"] },
              "split": { "share": 1, "seed": 3 },
              "training": { "key_bits": 512, "l2": 0.001, "maximum_rounds": \(rounds), "tolerance": 0.0001, "degree": 2 } }
            """).utf8)
    }

    /// The real machine of a data party, opened as its program opens it.
    func machine(_ name: Name, _ offer: JobOffer, _ job: JobIdentifier, _ attempt: UInt32, _ secrets: JobSecrets, table: String = "main")
        throws(Fault) -> any RoleMachine {
        let bytes = offer.specification.octets
        guard let specification = try? JobSpecification.parse(bytes) else { throw Fault(.defect, at: "specification") }
        if let fault = contract.check(specification).first { throw fault }
        let request = RoleRequest(
            job: job, attempt: attempt, specification: specification, specificationDigest: SHA256.hash(bytes), suite: contract.suite.rawValue,
            limits: contract.limits, contractDigest: contractDigest, dataset: .init(path: data(name, table).path), model: nil)
        return name == .north ? try BankJob.open(request, secrets) : try PlatformJob.open(request, secrets)
    }

    func arbiter(records: [JobRecord] = [], specifications: [JobIdentifier: [UInt8]] = [:]) -> ArbiterMachine {
        ArbiterMachine(contract: contract, contractDigest: contractDigest, ledgerKey: Self.key(.middle), records: records,
                       specifications: specifications)
    }

    // Undisturbed

    /// The files of a job when every message arrives at once: with the same secrets a disturbed run has to give the same bytes.
    func undisturbed(_ offer: JobOffer, _ job: JobIdentifier, _ attempt: UInt32, _ secrets: [Role: JobSecrets]) throws
        -> [Role: [String: [UInt8]]] {
        let parties = [(Role.bank, Name.north), (.platform, .south)]
        let key = SHA256.hash(parties.flatMap { secrets[$0.0]?.commitments[.mask] ?? [] } + offer.specification.octets)
        if let known = undisturbed[key] { return known }
        var machines: [Role: any RoleMachine] = [:]
        for (role, name) in parties {
            guard let own = secrets[role] else { throw Fault(.defect, at: "undisturbed") }
            machines[role] = try machine(name, offer, job, attempt, own)
        }
        var arbiter = arbiter()
        func hear(_ message: Message, _ line: ArbiterLine, _ id: JobIdentifier) -> [ArbiterEffect] {
            arbiter.step(.heard(message, job: id, from: line, fresh: job), unixSeconds: 1)
        }
        for (_, name) in parties { _ = hear(registration, .party(name.rawValue), .none) }
        _ = hear(.submitJob(.filled { $0.specification = offer.specification }), .person("ann", connection: 1), .none)
        for (_, name) in parties { _ = hear(.jobAnswer(.init()), .party(name.rawValue), job) }
        var inbox: [Role: [(Message, LineEnd)]] = [:]
        var events: [(Role, RoleEvent)] = parties.map { ($0.0, .start) }
        while !events.isEmpty {
            let (role, event) = events.removeFirst()
            for effect in try machines[role]?.step(event) ?? [] {
                switch effect {
                case .send(let message, to: .peer): inbox[role.otherOwner, default: []].append((message, .peer))
                case .send(let message, to: .arbiter):
                    for answer in hear(message, .party(role == .bank ? "north" : "south"), job) {
                        if case .send(let message, _, to: .party(let name)) = answer {
                            inbox[name == "north" ? .bank : .platform, default: []].append((message, .arbiter))
                        }
                    }
                default: break
                }
            }
            guard events.isEmpty else { continue }
            for (role, _) in parties where events.isEmpty {
                guard let machine = machines[role] else { continue }
                if let index = inbox[role]?.firstIndex(where: { machine.listening.contains($0.1) }), let next = inbox[role]?.remove(at: index) {
                    events.append((role, .message(next.0, from: next.1)))
                } else if machine.wantsToProceed {
                    events.append((role, .proceed))
                }
            }
        }
        let files = try machines.mapValues { machine in
            Dictionary(uniqueKeysWithValues: try machine.results(RunMeasurements()).map { ($0.name, $0.bytes) })
        }
        undisturbed[key] = files
        return files
    }

    var registration: Message {
        .nodeRegister(.filled {
            $0.version = ProtocolVersion.current
            $0.contractDigest = contractDigest.data
        })
    }
}
