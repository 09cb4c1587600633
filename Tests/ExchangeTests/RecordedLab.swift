import BankRole
import Faults
import Foundation
import Jobs
import Ledger
import NodeRuntime
import PlatformRole
import Primitives
import Roles
import Testing
import Wire

/// A small job with the ledgers that both parties would have written of it, and their sealed secrets.
final class RecordedLab: Sendable {
    static let owner = X25519(secret: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    static let auditor = X25519(secret: SecretBytes(copying: [UInt8](repeating: 2, count: 32)))
    static let signer = Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 3, count: 32)))
    private static let names: [Role: String] = [.bank: "north", .platform: "south", .arbiter: "middle"]

    static let contract: [UInt8] = {
        func party(_ name: String, _ role: String, _ digit: UInt8) -> String {
            let address = role == "bank" ? "" : "\"address\": \"127.0.0.1:1\","
            return """
                { "name": "\(name)", "role": "\(role)", \(address) "pin": "\(String(repeating: "\(digit)", count: 64))",
                  "ledger_key": "\(Data(repeating: digit, count: 32).base64EncodedString())" }
                """
        }
        return Array("""
            { "version": 1, "name": "small", "suite": "P256-SHA256",
              "limits": { "insecure_key_bits": true, "minimum_key_bits": 512, "minimum_intersection": 100, "minimum_rows": 100,
                          "exposure_percent": null, "exposure_note": "Numbers of a test.", "dominance_share": null },
              "parties": [\(party("middle", "arbiter", 1)), \(party("north", "bank", 2)), \(party("south", "platform", 3))],
              "people": [{ "name": "ann", "role": "analyst", "pin": "\(String(repeating: "4", count: 64))" }] }
            """.utf8)
    }()

    let folder: URL
    let job: SmallJob
    let crossings: [Crossing]

    /// - Parameters:
    ///   - seed: of the order of events, which no replay knows.
    ///   - change: of what is recorded; what crosses stays.
    ///   - isTightened: whether a policy asks for one subject more than the contract.
    ///   - sealed: what is sealed instead of the job's secrets.
    init(_ job: SmallJob, seed: UInt64 = 11, retention: Retention = .all, isSealed: Bool = true, sealed: SmallJob? = nil, isTightened: Bool = false,
         change: (inout [Crossing]) -> Void = { _ in }) throws {
        var job = job
        job.contractDigest = SHA256.hash(Self.contract)
        job.limits = try Contract.parse(Self.contract).limits
        if isTightened { job.limits.minimumIntersection += 1 }
        var conversation = try Conversation(job, seed: seed)
        let outcome = try conversation.run()
        try #require(outcome.completed.count == 2 && outcome.faults.isEmpty, "\(outcome.faults)")
        var crossings = outcome.crossings
        change(&crossings)
        self.job = job
        self.crossings = crossings
        folder = FileManager.default.temporaryDirectory.appending(path: "recorded-\(UUID().uuidString)")
        for role in [Role.bank, .platform] {
            try record(role, retention)
            if outcome.crossings == crossings { try files(role).keep(outcome.machines[role]?.results(RunMeasurements()) ?? [], job: job.job) }
            guard isSealed else { continue }
            try vault(role).seal(
                (sealed ?? job).secrets(role), of: sealedJob(role), inputs: SecretVault.Inputs(
                    dataset: "main", dataDigest: try FileDigest.of(data(role)), modelDigest: try job.request(role).model.map { SHA256.hash($0) },
                    limits: .init(job.limits)),
                to: NodeConfiguration.SealKeys(owner: Self.owner.publicKey, auditor: Self.auditor.publicKey))
            if let model = job.model { try files(role).keep([ResultFile(name: "model.json", bytes: role == .bank ? model.bank : model.platform)],
                                                            job: try #require(JobIdentifier(model.job))) }
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func record(_ role: Role, _ retention: Retention) throws {
        let specification = Array(try job.specification.canonicalJSON().utf8)
        let manifest = LedgerManifest(job: job.job, attempt: 1, node: Self.names[role] ?? "", role: role, contract: Self.contract,
                                      specification: specification, retention: retention, commitments: job.secrets(role).commitments)
        var writers: [Role: LedgerWriter] = [:]
        for peer in [Role.bank, .platform, .arbiter] where peer != role {
            writers[peer] = try LedgerWriter(directory: ledger(role), manifest: manifest, contract: Self.contract, specification: specification,
                                             peer: Self.names[peer] ?? "")
        }
        for (index, crossing) in crossings.enumerated() where crossing.from == role || crossing.to == role {
            let frame = Frame(kind: crossing.kind, phase: crossing.kind.row.phases[0], job: job.job, attempt: 1, sequence: UInt64(index),
                              salt: SystemRandom.bytes(Frame.saltBytes), payload: crossing.payload)
            try writers[crossing.from == role ? crossing.to : crossing.from]?.append(frame, crossing.from == role ? .sent : .received)
        }
        _ = try PayloadRetention.apply(ledger(role).path)
    }

    func data(_ role: Role) -> URL { role == .bank ? job.data.bankFile : job.data.platformFile }
    func ledger(_ role: Role) -> URL { folder.appending(path: "\(role.rawValue)/ledger/\(job.job)") }
    func files(_ role: Role) throws -> JobFiles { try JobFiles(folder.appending(path: role.rawValue).path) }
    func vault(_ role: Role) throws -> SecretVault { SecretVault(try files(role).directory) }
    func sealedFile(_ role: Role, _ name: String) -> URL { folder.appending(path: "\(role.rawValue)/secrets/\(job.job)/\(name)") }
    func sealedJob(_ role: Role) -> SealedJob { SealedJob(job: job.job, attempt: 1, role: role) }

    func replay(_ role: Role, owner: X25519 = owner, auditor: X25519 = auditor, data: URL? = nil) throws -> RecordedJob.Result {
        let recorded = try RecordedJob("\(job.job)", files: try files(role), role: role)
        return try recorded.replay(RecordedJob.Means(
            files: try files(role), keys: [.owner: (owner, "owner.key"), .auditor: (auditor, "auditor.key")],
            data: (.init(path: (data ?? self.data(role)).path), "main"), signer: Self.signer.verifyingKey,
            open: role == .bank ? BankJob.open : PlatformJob.open)) { _, _, _ in }
    }

    @discardableResult
    func destroy(_ purpose: Purpose, _ role: Role) throws -> SecretVault.Receipt {
        try vault(role).destroy(purpose, of: sealedJob(role), commitment: job.secrets(role).commitments[purpose] ?? [], node: Self.names[role] ?? "",
                                by: "someone", key: Self.signer)
    }
}
