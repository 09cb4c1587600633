import ArbiterRole
import Audit
import Authorisation
import Exchange
import Faults
import Features
import Foundation
import Installation
import Jobs
import Ledger
import NIOCore
import NodeRuntime
import Paillier
import Planning
import Primitives
import Reports
import Tables
import Transport
import Wire

/// Readers of what other parties say beside frames, and of files that lie where others than the program can write.
extension Targets {
    static let others: [String: Target] = [
        "welcome": { bytes in
            var buffer = ByteBuffer(bytes: bytes)
            guard (try? Welcome.decode(&buffer, from: "platform")) != nil else { return }
            require(bytes.starts(with: Welcome.encode().readableBytesView))
        },
        "key": { bytes in
            // n of 512 bits, then its certificate.
            let (modulus, certificate) = (Array(bytes.prefix(64)), Array(bytes.dropFirst(64)))
            let context = Array("bank, job 1, attempt 1".utf8)
            guard let key = try? PublicKey(wire: modulus, certificate: certificate, bits: 512, context: context) else { return }
            require(key.wire == modulus)
        },
        "head": { bytes in
            if let checkpoint = Checkpoint(text: bytes) { require(checkpoint.text == bytes) }
            if let head = Head(text: bytes) { require(head.text == bytes) }
        },
        "consistency": { bytes in
            // Two sizes and roots, then the proof.
            func number(_ start: Int) -> UInt64 { bytes.dropFirst(start).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
            func hash(_ start: Int) -> [UInt8] { Array(bytes.dropFirst(start).prefix(GrowingTree.hashBytes)) }
            let (older, newer, olderRoot, newerRoot) = (number(0), number(8), hash(16), hash(48))
            let proof = stride(from: 80, to: bytes.count, by: GrowingTree.hashBytes).map(hash)
            guard GrowingTree.verifyConsistency(from: older, root: olderRoot, to: newer, root: newerRoot, proof: proof) else { return }
            require(older <= newer && (older < newer || olderRoot == newerRoot))
        },
        "publications": { bytes in
            guard let all = try? Publication.parseAll(bytes) else { return }
            require(try? Publication.parseAll(Array(Publication.json(of: all).canonicalText().utf8)) == all)
        },
        "plan": { bytes in
            // What owners publish, as whoever plans a job reckons with it.
            guard let all = try? Publication.parseAll(bytes) else { return }
            let named = Dictionary(all.map { ($0.party, $0) }) { first, _ in first }
            for specification in Trial.specifications {
                _ = specification.check(against: named)
                require(all.map { $0.reduced(to: specification) }.allSatisfy { $0.datasets.count <= 1 })
                guard let plan = try? JobPlan(specification, limits: .init(), publications: named, megabitsPerSecond: 100) else { continue }
                _ = (plan.lines(.en), plan.json(.zh).canonicalText())
            }
        },
        "description": { bytes in
            guard let description = try? DataDescription.parse(bytes) else { return }
            require(try? DataDescription.parse(Array(description.json.canonicalText().utf8)) == description)
        },
        "speeds": { bytes in
            guard let speeds = try? MachineSpeed.parseAll(bytes) else { return }
            let text = JSONValue.object(["speeds": .array(speeds.map(\.json))]).canonicalText()
            require(try? MachineSpeed.parseAll(Array(text.utf8)) == speeds)
        },
        "control": { bytes in
            guard let document = try? JSONValue.parse(bytes, as: "input") else { return }
            if let request = ControlRequest(document) {
                require(ControlRequest(request.json) == request)
                switch request {
                case .approve(let job, let proof?): decision(job, proof, reason: nil)
                case .refuse(let job, let reason, let proof?): decision(job, proof, reason: reason)
                default: break
                }
            }
            // What a node answers.
            guard let fault = document["fault"].flatMap(Fault.init) else { return }
            require(Fault(fault.json) == fault)
            for language in [Language.en, .zh] { _ = fault.lines(language) }
        },
        "sealed": { bytes in
            // The first byte chooses.
            let sealed = Array(bytes.dropFirst())
            if bytes.first.map({ $0 & 1 == 0 }) == true {
                guard let opened = try? SealedFile.open(sealed, as: Trial.sealedName, key: Trial.secret) else { return }
                require(opened.count == sealed.count - SealedFile.overheadByteCount)
            } else {
                let key = X25519(secret: Trial.secret)
                guard let opened = try? HybridEncryption.open(sealed, with: key, info: Array(Trial.sealedName.utf8)) else { return }
                require(opened.count == sealed.count - HybridEncryption.overheadByteCount)
            }
        },
        "report": { bytes in
            // `report.json`; behind a zero byte `plan.json`.
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
            for (role, language) in [(Role.bank, Language.en), (.platform, .zh)] {
                guard let page = ReportPage(report: parts[0], plan: parts.count > 1 ? parts[1] : nil, role: role) else { continue }
                require(page.bytes(language).starts(with: "<!DOCTYPE html>".utf8))
            }
        },
        "model": { bytes in
            guard let half = ModelHalf.decoded(bytes), let encoded = try? half.encoded() else { return }
            require((try? ModelHalf.decoded(encoded)?.encoded()) == encoded)
            _ = try? half.plan.apply(to: Trial.table, rows: [2, 0, 1, 1])
            _ = try? half.plan.standardised(in: Trial.table, rows: [2, 0, 1, 1])
            read(Trial.csv, .text(.utf8, .comma)) { source in
                let requests = half.plan.requests
                guard let (table, _) = try? Table.read(from: source, identifier: "uscc", identifierKind: .text, columns: requests) else { return }
                _ = try? half.plan.apply(to: table, rows: Array(0..<table.rowCount))
                _ = try? half.plan.standardised(in: table, rows: Array(0..<table.rowCount))
            }
        },
        "authorisations": { bytes in
            inFolder { folder in
                guard (try? Data(bytes).write(to: AuthorisationList.file(folder.path))) != nil else { return }
                guard let list = try? AuthorisationList.read(folder.path) else { return }
                require((try? AuthorisationList.read(folder.path, size: list.size))?.root == list.root)
                require((try? AuthorisationList.read(folder.path, size: list.size / 2))?.size == list.size / 2)
            }
        },
        "subjects": { bytes in
            // Two lists, behind the first byte that says how long the first one is.
            let count = min(Int(bytes.first ?? 0) * SubjectList.tagBytes, max(0, bytes.count - 1))
            let (one, other) = (Array(bytes.dropFirst().prefix(count)), Array(bytes.dropFirst(1 + count)))
            for list in [one, other] { _ = SubjectList.holds(list, SubjectList.tag("north", key: Trial.secret)) }
            inFolder { folder in
                let files = [one, other].enumerated().map { (folder.appending(path: "\($0)"), $1) }
                guard files.allSatisfy({ (try? Data($1).write(to: $0)) != nil }) else { return }
                let most = (one.count + other.count) / SubjectList.tagBytes
                let difference = SubjectList.difference(files[0].0, files[1].0, upTo: most)
                require(difference.map { $0 <= most } == true)
                require(SubjectList.difference(files[0].0, files[0].0, upTo: most) == 0)
            }
        },
        "operations": { bytes in
            // Entries; behind a zero byte the heads.
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { Data($0) }
            inFolder { folder in
                let contract = folder.appending(path: OperationsFile.contract(SHA256.hash(Trial.contract)))
                guard (try? FileManager.default.createDirectory(at: contract.deletingLastPathComponent(), withIntermediateDirectories: true)) != nil,
                      (try? Data(Trial.contract).write(to: contract)) != nil,
                      (try? parts[0].write(to: folder.appending(path: OperationsFile.entries))) != nil,
                      (try? (parts.count > 1 ? parts[1] : Data()).write(to: folder.appending(path: OperationsFile.heads))) != nil
                else { return }
                _ = try? OperationsDirectory.forEachEntry(at: folder.path, of: Set(OperationsEntry.Action.allCases)) { _ in }
                require((try? OperationsChecks.verify(at: folder.path)) != nil)
                func open() -> OperationsLedger? {
                    try? OperationsLedger(directory: folder, node: "bank", key: Trial.ledgerKey, contract: Trial.contract)
                }
                // What a node takes up it takes up again.
                if open() != nil { require(open() != nil) }
            }
        },
        "records": { bytes in
            // Two bytes of length, the arbiter's record of a job, and what the job asks for.
            let count = bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            guard case .jobRecord(let record)? = try? Message.decode(kind: .jobRecord, payload: Array(bytes.dropFirst(2).prefix(count))),
                  let job = JobIdentifier(octets: record.job.octets), let contract = try? Contract.parse(Trial.contract)
            else { return }
            var machine = ArbiterMachine(
                contract: contract, contractDigest: SHA256.hash(Trial.contract), ledgerKey: Trial.ledgerKey, records: [record],
                specifications: [job: Array(bytes.dropFirst(2 + count))])
            let person = ArbiterLine.person("analyst", connection: 1)
            let asks: [Message] = [.listJobs(.init()), .showJob(.init()), .watchJob(.init()), .cancelJob(.init())]
            let events = [ArbiterEvent.tick, .connected(.party("bank")), .connected(person)]
                + asks.map { .heard($0, job: job, from: person, fresh: job.next) } + [.lost(person), .tick]
            for (index, event) in events.enumerated() { _ = machine.step(event, unixSeconds: 1_800_000_000 + UInt64(index) * 86_400) }
            require(machine.openJobs.waiting + machine.openJobs.running <= 2)
        },
    ]

    private static func decision(_ job: JobIdentifier, _ proof: ApproverProof, reason: String?) {
        guard let certificate = try? Certificate(pem: proof.certificate) else { return }
        _ = try? certificate.requireTimely(at: "--as")
        _ = certificate.hasSigned(ApproverProof.message(node: "bank", job: job, refusedFor: reason), proof.signature)
    }

    private static func inFolder(_ body: (URL) -> Void) {
        let folder = URL(fileURLWithPath: "/dev/shm/jointlab-fuzz-\(getpid())-folder", isDirectory: true)
        guard (try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)) != nil else { return }
        body(folder)
        try? FileManager.default.removeItem(at: folder)
    }
}
