import Faults
import Foundation
import Jobs
import Ledger
import Primitives
import Wire

/// Holds a node's ledger of operations to its own form and heads, and to what the node has shown the arbiter.
///
/// Nobody but the node signs it: that it was rewritten whole, keys at hand, is found only beside heads which somebody else
/// recorded. Source: `Protocols/ledger.md`, "Ledger of operations".
package enum OperationsChecks {
    /// With the ledgers of jobs beside it, whether its node runs or not.
    ///
    /// - Parameter path: as of `OperationsDirectory.open`.
    /// - Throws: the name of a file that cannot be read or is too long.
    package static func verify(at path: String) throws(LedgerDirectory.Unreadable) -> AuditReport {
        // First the jobs: what they show of the ledger is in it by then.
        let ledgers = OperationsDirectory.jobs(beside: path).compactMap { try? LedgerDirectory.open($0) }
        return verify(try OperationsDirectory.open(path), ledgers: ledgers)
    }

    /// - Parameter ledgers: of jobs, of whatever nodes; heads of this node's operations in their frames are witnesses.
    package static func verify(_ directory: OperationsDirectory, ledgers: [LedgerDirectory] = []) -> AuditReport {
        var report = AuditReport()
        let operations = AuditedOperations(directory, &report)
        var unread = AuditReport()
        hold(operations, against: ledgers.compactMap { AuditedLedger.open($0, report: &unread) }, &report)
        operations.state(&report)
        return report
    }

    /// Every head of the node's operations that a ledger of a job records is one of this tree.
    static func hold(_ operations: AuditedOperations, against ledgers: [AuditedLedger], _ report: inout AuditReport) {
        var (held, notKept) = (0, 0)
        for ledger in ledgers {
            for flow in ledger.lines.flatMap(\.flows) where flow.from.name == operations.node {
                for (index, record) in flow.records.enumerated() {
                    guard let record, record.kind == .operationsHead else { continue }
                    guard case .operationsHead(let head)? = ledger.message(record, flow.direction) else {
                        notKept += 1
                        continue
                    }
                    held += 1
                    var place = flow.place(index)
                    place.file = "\(ledger.manifest.job)"
                    let checkpoint = Checkpoint.operations(of: operations.node, size: head.size, root: head.root.octets)
                    if let key = ledger.contract.everyParty(operations.node), !key.accepts(head.signature.octets, for: checkpoint.text) {
                        report.add(.headSignatures, at: place, en: "shows a head of operations without a valid signature",
                                   zh: "所示的操作账本树头没有有效签名")
                    } else if operations.tree.root(at: head.size) != head.root.octets {
                        report.add(.witness, at: place,
                                   en: "shows a head of \(head.size) operations that the ledger of operations does not have: entries were changed or cut",
                                   zh: "所示的 \(head.size) 条操作的树头不在操作账本中：条目被改动或截断")
                    }
                }
            }
        }
        report.state(en: "\(held) heads of \(operations.node)'s operations in ledgers of jobs compared" + (notKept > 0 ? "; \(notKept) more were not kept" : ""),
                     zh: "已与任务账本中 \(operations.node) 的 \(held) 个操作树头核对" + (notKept > 0 ? "；另有 \(notKept) 个未留存" : ""))
    }
}

/// A ledger of operations, read entry by entry.
package struct AuditedOperations: Sendable {
    /// Of the first contract entry; empty where there is none.
    package let node: String
    /// By sequence; nothing where a line is no entry.
    package let entries: [OperationsEntry?]
    package let tree: GrowingTree
    private var heads = 0

    package init(_ directory: OperationsDirectory, _ report: inout AuditReport) {
        let lineBreak = UInt8(ascii: "\n")
        var tree = GrowingTree()
        var entries: [OperationsEntry?] = []
        var offset = 0
        // A line takes some hundred bytes of memory, which a file of line breaks alone must not multiply.
        let mayBeEntries = directory.entries.count { $0 == lineBreak } <= directory.entries.count / OperationsEntry.minimumLineBytes
        if !mayBeEntries {
            report.add(.entryForm, at: Place(ledger: OperationsFile.directory, file: OperationsFile.entries),
                       en: "has more lines than so many bytes can hold entries", zh: "行数超出该字节数所能容纳的条目数")
        }
        var lines = mayBeEntries ? directory.entries.split(separator: lineBreak, omittingEmptySubsequences: false) : []
        let tail = lines.popLast() ?? []
        for line in lines {
            let entry = OperationsEntry(decoding: Array(line))
            let place = Place(ledger: OperationsFile.directory, offset: offset, file: OperationsFile.entries)
            if entry == nil {
                report.add(.entryForm, at: place, en: "line \(entries.count + 1) is no entry in canonical form", zh: "第 \(entries.count + 1) 行不是规范形式的条目")
            } else if entry?.sequence != UInt64(entries.count) {
                report.add(.entrySequence, at: place, en: "has number \(entry?.sequence ?? 0) where \(entries.count) follows",
                           zh: "序号为 \(entry?.sequence ?? 0)，此处应为 \(entries.count)")
            }
            tree.append(Array(line))
            entries.append(entry)
            offset += line.count + 1
        }
        self.entries = entries
        self.tree = tree
        node = entries.lazy.compactMap(\.self).first { $0.action == .contract }?.object ?? ""
        for name in directory.unexpected {
            report.add(.file, at: Place(ledger: OperationsFile.directory, file: name), en: "belongs to no ledger", zh: "不属于账本")
        }
        if !tail.isEmpty {
            report.add(.headMissing, at: Place(ledger: OperationsFile.directory, offset: offset, file: OperationsFile.entries),
                       en: "\(tail.count) bytes are an entry that was not finished; the node drops it when it goes on",
                       zh: "末尾 \(tail.count) 字节为未完成的条目；节点继续运行时会将其丢弃")
        }
        check(directory.heads, keys(directory, &report), &report)
        subjects(directory, &report)
    }

    /// The key that signs from an entry on, by the contract that it names.
    private func keys(_ directory: OperationsDirectory, _ report: inout AuditReport) -> [(from: UInt64, key: Ed25519.VerifyingKey)] {
        var keys: [(from: UInt64, key: Ed25519.VerifyingKey)] = []
        if let first = entries.first, first?.action != .contract {
            report.add(.entryContract, at: place(0), en: "the first entry names no contract", zh: "首个条目未指明契约")
        }
        var known: [[UInt8]: Ed25519.VerifyingKey?] = [:]
        /// The node's in the contract of that digest, which is read once.
        func key(_ digest: [UInt8]) -> Ed25519.VerifyingKey? {
            if let key = known[digest] { return key }
            let bytes = directory.contract(digest).flatMap { SHA256.hash($0) == digest ? $0 : nil }
            let key = bytes.flatMap { try? Contract.parse($0) }?.everyParty(node)
            known[digest] = .some(key)
            return key
        }
        for (index, entry) in entries.enumerated() {
            guard let entry, entry.action == .contract else { continue }
            guard entry.object == node, let key = entry.digest.flatMap(key) else {
                report.add(.entryContract, at: place(index), en: "the contract that it names is missing, another one, or does not know \(node)",
                           zh: "所指的契约缺失、不符，或不含 \(node)")
                continue
            }
            keys.append((UInt64(index), key))
        }
        return keys
    }

    private mutating func check(_ notes: [UInt8], _ keys: [(from: UInt64, key: Ed25519.VerifyingKey)], _ report: inout AuditReport) {
        var signed: UInt64 = 0
        for entry in HeadFile.Reader(notes) {
            heads += 1
            let place = Place(ledger: OperationsFile.directory, offset: entry.offset, file: OperationsFile.heads)
            guard let note = entry.note, let checkpoint = Checkpoint(text: note.text) else {
                report.add(.headForm, at: place, en: "is no signed head", zh: "不是有效的签名树头")
                continue
            }
            guard checkpoint == .operations(of: node, size: checkpoint.size, root: checkpoint.root) else {
                report.add(.headOrigin, at: place, en: "speaks of another node or ledger", zh: "属于其他节点或账本")
                continue
            }
            let key = Self.key(inForceAt: checkpoint.size, keys)
            if key.map({ note.isSigned(by: node, $0) }) != true || note.signatures.count != 1 {
                report.add(.headSignatures, at: place, en: "carries no valid signature of \(node) alone", zh: "没有仅由 \(node) 作出的有效签名")
            }
            // Each entry has a head of its own.
            if checkpoint.size != signed &+ 1 {
                report.add(checkpoint.size <= signed ? .headGrowth : .headMissing, at: place, en: "size \(checkpoint.size) follows \(signed)",
                           zh: "大小 \(checkpoint.size) 出现在 \(signed) 之后")
            }
            signed = max(signed, checkpoint.size)
            if tree.root(at: checkpoint.size) != checkpoint.root {
                report.add(.headRoot, at: place, en: "the first \(checkpoint.size) entries are not those that were signed",
                           zh: "前 \(checkpoint.size) 条与签署时不符")
            }
        }
        if signed < tree.size {
            report.add(.headMissing, at: place(Int(signed)), en: "no head was signed over it: it was not finished, or heads were cut",
                       zh: "其上没有签署的树头：条目未完成，或树头被截断")
        }
    }

    /// The last that holds from before `size`; they ascend.
    private static func key(inForceAt size: UInt64, _ keys: [(from: UInt64, key: Ed25519.VerifyingKey)]) -> Ed25519.VerifyingKey? {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle].from < size { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : keys[low - 1].key
    }

    private func subjects(_ directory: OperationsDirectory, _ report: inout AuditReport) {
        var known: [[UInt8]: KeptList] = [:]
        /// Reads a list once, however many entries name it.
        func list(_ digest: [UInt8]) -> KeptList {
            if let list = known[digest] { return list }
            let list: KeptList = directory.subjects(digest).map { bytes in
                let isWhole = SHA256.hash(bytes) == digest && bytes.count.isMultiple(of: SubjectList.tagBytes)
                return isWhole ? .whole(UInt64(bytes.count / SubjectList.tagBytes)) : .another
            } ?? .missing
            known[digest] = list
            return list
        }
        var expired: [[UInt8]: Int] = [:]
        for (index, entry) in entries.enumerated() where entry?.action == .subjectsExpired {
            if let digest = entry?.digest { expired[digest] = index }
        }
        for (index, entry) in entries.enumerated() {
            guard let entry, entry.action.namesSubjects else { continue }
            guard let digest = entry.digest else {
                report.add(.subjectList, at: place(index), en: "names no list", zh: "未指明名单")
                continue
            }
            switch list(digest) {
            case .whole(let count):
                guard let told = entry.count, told != count else { continue }
                report.add(.subjectList, at: place(index), en: "the list of subjects has not \(told) of them", zh: "名单中的主体数不是 \(told)")
            case .missing where expired[digest].map { $0 > index } == true:
                // Deleted after this entry, with an entry of its own.
                continue
            case .missing, .another:
                report.add(.subjectList, at: place(index), en: "the list of subjects that it names is missing or another one", zh: "所指的主体名单缺失或不符")
            }
        }
    }

    private enum KeptList {
        case missing, another, whole(UInt64)
    }

    private func place(_ entry: Int) -> Place { Place(ledger: OperationsFile.directory, frame: nil, file: "\(OperationsFile.entries):\(entry + 1)") }

    func state(_ report: inout AuditReport) {
        let whole = entries.compactMap(\.self)
        let span = [whole.first, whole.last].compactMap { $0?.time.formatted(.iso8601) }.joined(separator: " – ")
        let jobs = Set(whole.compactMap(\.job)).count
        report.state(en: "operations of \(node): \(entries.count) entries (\(span)) on \(jobs) jobs, \(heads) heads",
                     zh: "\(node) 的操作账本：\(entries.count) 条（\(span)），涉及 \(jobs) 个任务，\(heads) 个树头")
        report.state(en: "only \(node) signs it: a ledger rewritten whole shows only beside heads that others recorded",
                     zh: "该账本仅由 \(node) 签署：整体重写只能通过与他方记录的树头核对发现")
    }
}

extension Contract {
    /// The ledger key of a data party or the arbiter.
    func everyParty(_ name: String) -> Ed25519.VerifyingKey? {
        ([arbiter] + parties).first { $0.name == name }.flatMap { try? Ed25519.VerifyingKey(bytes: $0.ledgerKey) }
    }
}

extension OperationsEntry.Action {
    /// What happened, for people.
    package var phrase: Phrase {
        switch self {
        case .contract: Phrase(en: "contract in force", zh: "契约生效")
        case .nodeStarted: Phrase(en: "node started", zh: "节点启动")
        case .nodeStopped: Phrase(en: "node stopped", zh: "节点停止")
        case .recovered: Phrase(en: "an unfinished entry was dropped (bytes)", zh: "丢弃未完成的条目（字节）")
        case .jobApproved: Phrase(en: "job approved", zh: "批准任务")
        case .jobRefused: Phrase(en: "job refused", zh: "拒绝任务")
        case .jobStarted: Phrase(en: "job started", zh: "任务开始")
        case .jobEnded: Phrase(en: "job ended", zh: "任务结束")
        case .dataRead: Phrase(en: "data set read (rows)", zh: "读取数据集（行）")
        case .dataCalled: Phrase(en: "values called for (subjects)", zh: "调用接口获取取值（主体数）")
        case .dataPublished: Phrase(en: "description of a data set published", zh: "公布数据集描述")
        case .dataWithdrawn: Phrase(en: "description of a data set withdrawn", zh: "撤回数据集描述")
        case .subjectsRead: Phrase(en: "subjects read", zh: "读取的主体")
        case .subjectsAligned: Phrase(en: "subjects aligned", zh: "对齐的主体")
        case .subjectsTrained: Phrase(en: "subjects trained on", zh: "参与训练的主体")
        case .subjectsScored: Phrase(en: "subjects scored", zh: "评分的主体")
        case .subjectsExcluded: Phrase(en: "subjects left out for want of authorisation", zh: "因无有效授权未进入的主体")
        case .authorisationsApplied: Phrase(en: "list of authorisations applied", zh: "已按授权清单筛选")
        case .authorisationsChanged: Phrase(en: "list of authorisations changed", zh: "授权清单已变更")
        case .keysMade: Phrase(en: "keys made", zh: "生成密钥")
        case .keysSealed: Phrase(en: "secrets of a job sealed to owner and auditor", zh: "任务密钥已封存（须数据所有方与审计员共同开启）")
        case .keysOpened: Phrase(en: "sealed secrets of a job to be opened with two keys", zh: "将以两把私钥开启任务的封存密钥")
        case .keysDestroyed: Phrase(en: "secrets of a job destroyed", zh: "销毁任务密钥")
        case .keysActivated: Phrase(en: "new key taken into use", zh: "启用新密钥")
        case .filesSealed: Phrase(en: "keys and results sealed at rest (files)", zh: "封存密钥与结果（文件数）")
        case .filesOpened: Phrase(en: "keys and results made plain again (files)", zh: "密钥与结果恢复为明文（文件数）")
        case .resultKept: Phrase(en: "result kept (bytes)", zh: "保存结果（字节）")
        case .resultExported: Phrase(en: "result shown or exported (bytes)", zh: "查看或导出结果（字节）")
        case .modelRetired: Phrase(en: "model retired", zh: "停用模型")
        case .subjectAudited: Phrase(en: "accesses to one subject looked up (found)", zh: "查询某一主体的访问记录（条）")
        case .payloadsDropped: Phrase(en: "payloads dropped after verification (bytes)", zh: "核查后删除载荷（字节）")
        case .payloadsExpired: Phrase(en: "payloads deleted, their lifetime over (bytes)", zh: "载荷期满删除（字节）")
        case .resultExpired: Phrase(en: "result deleted, its lifetime over (bytes)", zh: "结果期满删除（字节）")
        case .subjectsExpired: Phrase(en: "list of subjects deleted, its lifetime over (subjects)", zh: "主体名单期满删除（主体数）")
        case .payloadsHeld: Phrase(en: "payloads kept: the ledger did not hold (findings)", zh: "账本核查未通过，保留载荷（问题数）")
        }
    }
}
