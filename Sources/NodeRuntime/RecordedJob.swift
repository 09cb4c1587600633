import Faults
import Foundation
import Jobs
import Ledger
import Planning
import Primitives
import Roles
import Wire

/// A job of this node as its ledger has it, for what its owner does with it afterwards: replay it, destroy its secrets.
package struct RecordedJob: Sendable {
    package let manifest: LedgerManifest
    package let specification: JobSpecification
    private let ledger: LedgerDirectory
    private let contract: Contract

    /// - Throws: `unknownJob`, `unreadableFile`; `notReplayable` where the documents of the ledger do not hold together.
    package init(_ job: String, files: JobFiles, role: Role) throws(Fault) {
        let folder = files.directory.appendingPathComponent("ledger/\(job)", isDirectory: true).path
        guard let id = JobIdentifier(job), FileManager.default.fileExists(atPath: folder) else {
            throw Fault(.unknownJob, at: "", String(job.prefix(64)))
        }
        do {
            ledger = try LedgerDirectory.open(folder)
        } catch {
            throw Fault(.unreadableFile, at: error.name)
        }
        guard let manifest = LedgerManifest(decoding: ledger.manifest), manifest.job == id, manifest.role == role,
              SHA256.hash(ledger.contract) == manifest.contractDigest, SHA256.hash(ledger.specification) == manifest.specificationDigest,
              let contract = try? Contract.parse(ledger.contract), let specification = try? JobSpecification.parse(ledger.specification)
        else {
            throw Fault(.notReplayable, at: job, "the documents of its ledger do not fit its manifest; jointlab audit verify says which",
                        "账本文件与清单不符，具体见 jointlab audit verify")
        }
        self.manifest = manifest
        self.contract = contract
        self.specification = specification
    }

    package var sealed: SealedJob { SealedJob(job: manifest.job, attempt: manifest.attempt, role: manifest.role) }

    /// The name of the owner's data set that it read.
    package var dataset: String { specification.dataset(manifest.role) }

    package var peer: String { specification.party(manifest.role.otherOwner) }

    /// What a replay needs besides the ledger.
    package struct Means: Sendable {
        package let files: JobFiles
        package let keys: [SecretVault.Holder: (key: X25519, place: String)]
        /// The file, and how a fault names it.
        package let data: (set: NodeConfiguration.Dataset, place: String)
        /// The node's ledger key, by which receipts are signed.
        package let signer: Ed25519.VerifyingKey
        /// Where it is written down that secrets were opened and data read.
        package let operations: Operations?
        package let open: @Sendable (RoleRequest, JobSecrets) throws(Fault) -> any RoleMachine

        package init(files: JobFiles, keys: [SecretVault.Holder: (key: X25519, place: String)], data: (set: NodeConfiguration.Dataset, place: String),
                     signer: Ed25519.VerifyingKey, operations: Operations? = nil,
                     open: @escaping @Sendable (RoleRequest, JobSecrets) throws(Fault) -> any RoleMachine) {
            self.files = files
            self.keys = keys
            self.data = data
            self.signer = signer
            self.operations = operations
            self.open = open
        }
    }

    package struct Result: Sendable {
        package let outcome: Replay.Outcome
        package let destroyed: [SecretVault.Receipt]
        /// Files of results that came out as they are kept.
        package let results: [String]
    }

    /// - Parameter progress: frames done, of how many, and the phase.
    /// - Throws: `notReplayable` with the reason, `sealKeyRefused`, `inputChanged`, and what opening the data throws.
    package func replay(_ means: Means, progress: (Int, Int, Phase) -> Void) throws(Fault) -> Result {
        let job = "\(manifest.job)"
        guard manifest.retention.keeps(.received) else {
            throw Fault(.notReplayable, at: job, "retention is 'digests': what the node heard is not kept", "留存规则为 digests：未留存所接收的内容")
        }
        guard ledger.lines.contains(where: { $0.peer == peer && !$0.records.isEmpty }) else {
            throw Fault(.notReplayable, at: job, "it never ran: nothing has crossed between the parties", "任务从未运行：双方之间没有传输")
        }
        let vault = SecretVault(means.files.directory)
        guard let inputs = vault.inputs(manifest.job), !manifest.commitments.isEmpty else { throw SecretVault.notSealed(manifest.job) }
        let use = Operations.DataUse.replay.rawValue
        try means.operations?.record(.keysOpened, by: .ownAccount, job: manifest.job, purpose: use)
        let opened = try vault.open(sealed, with: means.keys, signer: means.signer)
        guard !opened.secrets.isEmpty else {
            let last = opened.destroyed.map(\.at).max() ?? ""
            throw Fault(.notReplayable, at: job, "all of its secrets were destroyed, the last at \(last)", "其全部密钥已销毁，最后一项于 \(last)")
        }
        var outcome = Replay.Outcome()
        for receipt in opened.destroyed where !receipt.isSigned {
            outcome.add(Replay.Finding(.secretReceipt, en: "the receipt of the destruction of '\(receipt.purpose.rawValue)' is not signed by this node",
                                       zh: "“\(receipt.purpose.rawValue)”的销毁凭证并非由本节点签署"))
        }
        let secrets = JobSecrets(secrets: opened.secrets.merging(opened.destroyed.map { ($0.purpose, SystemRandom.secret(32)) }) { $1 },
                                 job: manifest.job, attempt: manifest.attempt, role: manifest.role)
        for purpose in opened.secrets.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where secrets.commitments[purpose] != manifest.commitments[purpose] {
            outcome.add(Replay.Finding(.secretCommitment, en: "the sealed secret '\(purpose.rawValue)' is not the one to which the manifest commits",
                                       zh: "封存的“\(purpose.rawValue)”密钥与清单中的承诺不符"))
        }
        let request = try request(means, inputs)
        let machine: any RoleMachine
        func read(rows: Int?) throws(Fault) {
            try means.operations?.record(.dataRead, by: .ownAccount, job: manifest.job, purpose: use, object: dataset, digest: inputs.dataDigest,
                                         count: rows)
        }
        do throws(Fault) {
            machine = try means.open(request, secrets.announcing(manifest.commitments))
        } catch {
            try read(rows: nil)
            throw error
        }
        try read(rows: machine.subjects.count)
        var replay = Replay(ledger, peer: peer, arbiter: contract.arbiter.name, machine: machine, destroyed: Set(opened.destroyed.map(\.purpose)),
                            outcome: outcome)
        let total = replay.total
        outcome = replay.run { progress($0, total, $1) }
        let results = try compareResults(&outcome, means.files)
        return Result(outcome: outcome, destroyed: opened.destroyed, results: results)
    }

    private func request(_ means: Means, _ inputs: SecretVault.Inputs) throws(Fault) -> RoleRequest {
        guard try DatasetFile.digest(of: means.data.set.paths, at: means.data.place) == inputs.dataDigest else {
            throw Fault(.inputChanged, at: means.data.place, "\(manifest.job)")
        }
        let model = try specification.scoring.flatMap { scoring throws(Fault) in try means.files.read("model.json", job: scoring.model) }
        guard model.map({ SHA256.hash($0) }) == inputs.modelDigest else {
            throw Fault(.inputChanged, at: "jobs/\(specification.scoring?.model ?? "")/model.json", "\(manifest.job)")
        }
        let within = try means.files.subjects(within: specification, role: manifest.role)
        guard within.map({ SHA256.hash($0) }) == inputs.withinDigest else {
            throw Fault(.inputChanged, at: "jobs/\(specification.alignment?.within ?? "")/\(ResultFile.alignedName)", "\(manifest.job)")
        }
        return RoleRequest(
            job: manifest.job, attempt: manifest.attempt, specification: specification, specificationDigest: manifest.specificationDigest,
            suite: contract.suite.rawValue, limits: inputs.limits.of(contract.limits),
            contractDigest: manifest.contractDigest, dataset: means.data.set, model: model, within: within,
            authority: inputs.authorised.map { .init(directory: means.files.directory.path, lines: $0.lines, day: $0.day) },
            followsStricter: inputs.authorised?.followsStricter ?? true,
            scratch: try FileScratch(in: means.files.directory, memoryBytes: 512 << 20))
    }

    /// Reports hold times and are left out. Files that were moved away are no finding.
    private func compareResults(_ outcome: inout Replay.Outcome, _ files: JobFiles) throws(Fault) -> [String] {
        guard outcome.holds, let machine = outcome.completed else { return [] }
        var same: [String] = []
        for result in try machine.results(RunMeasurements()) where result.name != "report.json" {
            guard let kept = try files.read(result.name, job: "\(manifest.job)") else { continue }
            if kept == result.bytes {
                same.append(result.name)
            } else {
                outcome.add(Replay.Finding(.resultDiffers, en: "jobs/\(manifest.job)/\(result.name) is not what comes out",
                                           zh: "jobs/\(manifest.job)/\(result.name) 与重放结果不同"))
            }
        }
        return same
    }
}
