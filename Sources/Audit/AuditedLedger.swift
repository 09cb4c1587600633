import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Synchronization
import Wire

/// A ledger whose documents hold together, opened for checks: who was at which end of each line, the records, the trees.
package struct AuditedLedger: Sendable {
    package let manifest: LedgerManifest
    package let contract: Contract
    package let specification: JobSpecification
    package let lines: [AuditedLine]
    let directory: LedgerDirectory
    /// When all payloads were deleted, their lifetime over.
    package let expiry: Date?
    let signatures: SignatureMemory

    /// - Parameter earlier: a ledger whose files are mostly the same; what was read of equal bytes is not read again.
    /// - Returns: nothing where the documents are so broken that nothing else can be checked; `report` then says why.
    package static func open(_ directory: LedgerDirectory, earlier: AuditedLedger? = nil, report: inout AuditReport) -> AuditedLedger? {
        func add(_ file: String, _ en: String, _ zh: String) {
            report.add(.document, at: Place(file: file), en: en, zh: zh)
        }
        let isSame = directory.manifest == earlier?.directory.manifest
        guard let manifest = isSame ? earlier?.manifest : LedgerManifest(decoding: directory.manifest) else {
            add(LedgerFile.manifest, "is no manifest of version \(LedgerManifest.currentVersion) in canonical form",
                "不是版本 \(LedgerManifest.currentVersion) 的规范形式清单")
            return nil
        }
        if SHA256.hash(directory.contract) != manifest.contractDigest {
            add(LedgerFile.contract, "is not the contract whose digest the manifest holds", "与清单中的契约摘要不符")
        }
        if SHA256.hash(directory.specification) != manifest.specificationDigest {
            add(LedgerFile.specification, "is not the specification whose digest the manifest holds", "与清单中的任务说明摘要不符")
        }
        guard let contract = directory.contract == earlier?.directory.contract ? earlier?.contract : try? Contract.parse(directory.contract) else {
            add(LedgerFile.contract, "is no valid contract", "不是有效的合作契约")
            return nil
        }
        let isKnown = directory.specification == earlier?.directory.specification
        guard let specification = isKnown ? earlier?.specification : try? JobSpecification.parse(directory.specification) else {
            add(LedgerFile.specification, "is no valid specification", "不是有效的任务说明")
            return nil
        }
        if Array(specification.canonicalJSON().utf8) != directory.specification {
            add(LedgerFile.specification, "is not in canonical form", "不是规范形式")
        }
        let ends: [Role: String] = [
            .bank: specification.parties.bank, .platform: specification.parties.platform, .arbiter: contract.arbiter.name,
        ]
        for (role, name) in ends where !contract.parties.contains(where: { $0.name == name && $0.role.rawValue == role.rawValue }) {
            add(LedgerFile.specification, "names \(name) as \(role.rawValue), which the contract does not know",
                "所指定的 \(role.rawValue)“\(name)”不在契约中")
        }
        guard ends[manifest.role] == manifest.node else {
            add(LedgerFile.manifest, "names a node that is no \(manifest.role.rawValue) of this job", "所指定的节点在该任务中不担任 \(manifest.role.rawValue)")
            return nil
        }
        let hasSM3 = contract.suite == .sm2SM3
        if manifest.hasSM3 != hasSM3 {
            add(LedgerFile.manifest, "says of SM3 something else than the contract's suite", "关于 SM3 的内容与契约的密码套件不符")
        }
        let recordBytes = FrameRecord.byteCount(withSM3: hasSM3)
        for name in directory.unexpected {
            report.add(.file, at: Place(ledger: manifest.node, file: name), en: "belongs to no ledger", zh: "不属于账本")
        }
        for name in directory.missing {
            report.add(.file, at: Place(ledger: manifest.node, file: name), en: "is missing", zh: "缺失")
        }
        var expiry: Date?
        if let receipt = directory.expired {
            expiry = contract.everyParty(manifest.node).flatMap { PayloadExpiry.time(receipt, manifest, key: $0) }
            if expiry == nil { add(LedgerFile.expired, "is no receipt signed by \(manifest.node)", "不是由 \(manifest.node) 签署的凭证") }
        }
        var lines: [AuditedLine] = []
        for (role, name) in ends.sorted(by: { $0.value < $1.value }) where role != manifest.role {
            let stored = directory.lines.filter { $0.peer == name }
            guard let sent = stored.first(where: { $0.direction == .sent }), let received = stored.first(where: { $0.direction == .received })
            else { continue }
            let own = AuditedFlow.End(name: manifest.node, role: manifest.role)
            let peer = AuditedFlow.End(name: name, role: role)
            let earlier = earlier?.line(to: name)
            lines.append(AuditedLine(
                peer: peer, sent: AuditedFlow(sent, from: own, to: peer, ledger: manifest.node, recordBytes: recordBytes, earlier: earlier?.sent),
                received: AuditedFlow(received, from: peer, to: own, ledger: manifest.node, recordBytes: recordBytes, earlier: earlier?.received)))
        }
        for peer in Set(directory.lines.map(\.peer)).sorted() where !lines.contains(where: { $0.peer.name == peer }) {
            report.add(.file, at: Place(ledger: manifest.node, line: peer), en: "is a line to someone who has no part in this job",
                       zh: "该线路的对端未参与此任务")
        }
        return AuditedLedger(manifest: manifest, contract: contract, specification: specification, lines: lines, directory: directory, expiry: expiry,
                             signatures: earlier?.signatures ?? SignatureMemory())
    }

    package func line(to name: String) -> AuditedLine? { lines.first { $0.peer.name == name } }

    /// Whether every line to the arbiter, of the arbiter every line, has told the job's end: until then the node may be at work in the
    /// ledger, or was stopped in it.
    var hasEnded: Bool {
        controlLines.count == (manifest.role == .arbiter ? 2 : 1) && controlLines.allSatisfy { line in
            line.flows.contains { flow in flow.records.contains { $0?.kind == .jobEnd } }
        }
    }

    /// Those to the arbiter; of the arbiter, all.
    var controlLines: [AuditedLine] { lines.filter { !$0.carriesData(manifest.role) } }

    /// The line between bank and platform, at either of them.
    var dataLine: AuditedLine? { lines.first { $0.carriesData(manifest.role) } }

    enum Payload {
        case notKept
        case missing
        case altered
        case bytes([UInt8])
    }

    func payload(_ record: FrameRecord, _ direction: Direction) -> Payload {
        guard let bytes = directory.payload(record.digest, atMost: record.kind.row.maximumPayloadBytes) else {
            return manifest.retention.keeps(direction) && expiry == nil ? .missing : .notKept
        }
        return record.isPayload(bytes) ? .bytes(bytes) : .altered
    }

    /// Nothing where it is not kept, altered, or no message.
    func message(_ record: FrameRecord, _ direction: Direction) -> Message? {
        guard case .bytes(let bytes) = payload(record, direction) else { return nil }
        return try? Message.decode(kind: record.kind, payload: bytes)
    }
}

package struct AuditedLine: Sendable {
    package let peer: AuditedFlow.End
    package let sent: AuditedFlow
    package let received: AuditedFlow

    package var flows: [AuditedFlow] { [sent, received] }

    func carriesData(_ own: Role) -> Bool { own != .arbiter && peer.role != .arbiter }
}

/// One direction of a line.
package struct AuditedFlow: Sendable {
    package struct End: Sendable, Hashable {
        package let name: String
        package let role: Role
    }

    package let direction: Direction
    package let from: End
    package let to: End
    package let recordBytes: Int
    /// By index; nothing where the bytes are no record.
    package let records: [FrameRecord?]
    package let tree: GrowingTree
    /// Bytes behind the last whole record.
    let surplusBytes: Int
    let heads: [HeadFile.Entry]
    /// Without a frame.
    let place: Place
    private let stored: LedgerDirectory.Stored

    init(_ stored: LedgerDirectory.Stored, from: End, to: End, ledger: String, recordBytes: Int, earlier: AuditedFlow?) {
        self.stored = stored
        self.recordBytes = recordBytes
        direction = stored.direction
        self.from = from
        self.to = to
        place = Place(ledger: ledger, line: stored.peer, direction: stored.direction)
        heads = earlier.flatMap { $0.stored.heads == stored.heads ? $0.heads : nil } ?? HeadFile.entries(stored.heads)
        if let earlier, earlier.recordBytes == recordBytes, earlier.stored.records == stored.records {
            (records, tree, surplusBytes) = (earlier.records, earlier.tree, earlier.surplusBytes)
            return
        }
        let width = recordBytes
        let count = stored.records.count / width
        surplusBytes = stored.records.count - count * width
        var tree = GrowingTree()
        var records: [FrameRecord?] = []
        records.reserveCapacity(count)
        for index in 0..<count {
            let bytes = Array(stored.records[index * width..<(index + 1) * width])
            tree.append(bytes)
            records.append(FrameRecord(decoding: bytes))
        }
        self.tree = tree
        self.records = records
    }

    func place(_ frame: Int, offset: Int? = nil) -> Place {
        var place = place
        place.frame = frame
        place.offset = offset
        return place
    }

    var recordsFile: String { LedgerFile.records(place.line ?? "", direction) }
    var headsFile: String { LedgerFile.heads(place.line ?? "", direction) }

    /// The file of records or heads, at a byte of it.
    func place(records offset: Int) -> Place {
        var place = place
        place.file = recordsFile
        place.offset = offset
        return place
    }

    func place(heads offset: Int?) -> Place {
        var place = place
        place.file = headsFile
        place.offset = offset
        return place
    }
}

/// Which signatures hold. Each is verified once, however often a ledger is looked at.
final class SignatureMemory: Sendable {
    private struct Question: Hashable {
        let note: SignedNote
        let name: String
        let key: Ed25519.VerifyingKey
    }

    private let answers = Mutex<[Question: Bool]>([:])

    func isSigned(_ note: SignedNote, by name: String, _ key: Ed25519.VerifyingKey) -> Bool {
        let question = Question(note: note, name: name, key: key)
        if let answer = answers.withLock({ $0[question] }) { return answer }
        let answer = note.isSigned(by: name, key)
        // What does not hold is not met again.
        if answer { answers.withLock { $0[question] = true } }
        return answer
    }
}

func short(_ digest: [UInt8]) -> String { hexadecimal(digest.prefix(6)) + "…" }
