import Foundation
import Ledger
import Testing

/// What lies on the disks of nodes, during and after jobs.
@Suite("Kept and deleted") struct StorageTests {
    private static func files(_ lab: TrialLab, _ node: String) throws -> [(path: String, bytes: Data)] {
        let root = URL(filePath: lab.path(node))
        return try FileManager.default.subpathsOfDirectory(atPath: root.path).sorted().compactMap { path in
            let file = root.appending(path: path)
            guard (try? file.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true else { return nil }
            return (path, try Data(contentsOf: file))
        }
    }

    @Test("under a storage key no key, model, score or identifier lies plain on a node's disk; a wrong key, a changed and a plain file are refused")
    func sealed() async throws {
        let lab = try await TrialLab()
        func run(_ node: String, _ arguments: String...) async throws -> Run {
            try await lab.run(node == "arbiter" ? node : "\(node)-node", arguments + ["--config", lab.path("\(node)/node.json")])
        }
        let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        let keyFile = lab.folder.appending(path: "storage.key")
        try key.write(to: keyFile, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile.path)
        let variable = "JOINTLAB_TEST_\(UUID().uuidString.prefix(8))"
        setenv(variable, key, 1)
        for (node, source) in [("bank", ["file": keyFile.path]), ("platform", ["command": ["/bin/cat", keyFile.path]]), ("arbiter", ["environment": variable])]
            as [(String, [String: Any])] {
            try lab.edit("\(node)/node.json") { $0["storage_key"] = source }
            let plain = try await run(node, "keys", "rotate", "--lang", "zh")
            #expect(plain.code == 2 && plain.pair("zh").error.contains("private.key") && plain.pair("zh").hint.contains("keys protect"), "\(plain)")
            let made = try await run(node, "keys", "protect")
            #expect(made.code == 0 && made.output.hasPrefix("2 files are sealed"), "\(made)")
        }
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)

        // The owner reads what the disk does not show.
        let scores = try await run("bank", "report", job, "--file", "scores.csv")
        let rows = scores.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
        #expect(scores.code == 0 && rows.count > 1000 && rows.allSatisfy { $0[0].count == 18 }, "\(scores.errors)")
        let model = try await run("bank", "report", job, "--file", "model.json")
        let weights = try #require(try JSONDecoder().decode([String: JSONAny].self, from: Data(model.output.utf8))["weights"]?.numbers)
        #expect(weights.count >= 4)
        let shown = try await run("bank", "report", job)
        #expect(shown.code == 0 && shown.output.contains("--out FILE"), "\(shown)")
        let none = try await run("bank", "report", job, "--file", "nothing.csv")
        #expect(none.code == 2 && none.pair().error.contains("scores.csv"), "\(none)")
        let listed = try await run("platform", "models", "list")
        #expect(listed.code == 0 && listed.output.contains(job), "\(listed)")
        let identifiers = Set(rows.map { $0[0] })
        for node in ["bank", "platform", "arbiter"] {
            for (path, bytes) in try Self.files(lab, node) {
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(!text.contains("PRIVATE KEY") || path.hasSuffix("seal.key"), "\(node)/\(path)")
                for weight in weights { #expect(!text.contains("\(weight)"), "\(node)/\(path)") }
                let words = text.split { !$0.isLetter && !$0.isNumber }.lazy.filter { $0.utf8.count == 18 }.map(String.init)
                #expect(identifiers.isDisjoint(with: words), "\(node)/\(path)")
            }
        }
        let canary = try await run("bank", "audit", "canary", "--data", "main")
        #expect(canary.code == 0, "\(canary)")

        // Another key, none, an altered file and a plain one.
        for node in ["bank", "platform"] { try await lab.stop(node) }
        let file = lab.path("bank/state/jobs/\(job)/model.json")
        let whole = try Data(contentsOf: URL(filePath: file))
        func refused(_ code: Int32, _ place: String) async throws {
            for language in ["en", "zh"] {
                let run = try await run("bank", "models", "list", "--lang", language)
                #expect(run.code == code && run.pair(language).error.contains(place), "\(run)")
            }
        }
        var changed = whole
        changed[whole.count / 2] ^= 1
        try changed.write(to: URL(filePath: file))
        try await refused(4, "model.json")
        try Data(model.output.utf8).write(to: URL(filePath: file))
        try await refused(2, "model.json")
        try whole.write(to: URL(filePath: file))
        try Data(count: 32).base64EncodedString().write(to: keyFile, atomically: false, encoding: .utf8)
        try await refused(4, "private.key")
        try "short".write(to: keyFile, atomically: false, encoding: .utf8)
        try await refused(2, "storage.key")
        try key.write(to: keyFile, atomically: false, encoding: .utf8)
        let undone = try await run("bank", "keys", "protect", "--undo")
        #expect(undone.code == 0, "\(undone)")
        try lab.edit("bank/node.json") { $0["storage_key"] = nil }
        let plain = try await run("bank", "models", "list")
        #expect(plain.code == 0 && plain.output.contains(job), "\(plain)")
        let verified = try await lab.jointlab("audit", "verify", lab.path("bank/state"))
        #expect(verified.code == 0, "\(verified)")
    }

    @Test("when lifetimes have ended, ledger, model and receipts remain of a job, and the audit holds; nothing goes before")
    func expired() async throws {
        let lab = try await TrialLab()
        func run(_ node: String, _ arguments: String...) async throws -> Run {
            try await lab.run("\(node)-node", arguments + ["--config", lab.path("\(node)/node.json")])
        }
        try lab.edit("bank/node.json") { $0["retention"] = ["payload_days": 400, "identifier_days": 400, "result_days": 400] }
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)
        let early = try await run("bank", "retention")
        #expect(early.code == 0 && early.output == "Nothing has outlived its lifetime.\n", "\(early)")
        let unlimited = try await run("platform", "retention", "--lang", "zh")
        #expect(unlimited.code == 2, "\(unlimited)")
        _ = unlimited.pair("zh")

        try lab.edit("bank/node.json") { $0["retention"] = ["payload_days": 0, "identifier_days": 0, "result_days": 0] }
        try lab.edit("platform/node.json") { $0["retention"] = ["payloads": "inbound", "payload_days": 0, "identifier_days": 0, "result_days": 0] }
        let before = try Self.files(lab, "bank/state").count
        let planned = try await run("bank", "retention", "--plan", "--json")
        #expect(planned.code == 0 && planned.output.contains("jobs/\(job)/scores.csv") && planned.output.contains("\"payloads\":true"), "\(planned)")
        #expect(try Self.files(lab, "bank/state").count == before)
        let applied = try await run("bank", "retention", "--lang", "zh")
        #expect(applied.code == 0 && applied.output.contains("凭证在操作账本中"), "\(applied)")
        // The platform's node does it by itself when it starts.
        try await lab.stop("platform")
        try await lab.start("platform")
        #expect(try await eventually { try lab.log("platform").contains("deleted what 1 jobs had left beyond its lifetime") })

        for (node, peers) in [("bank", ["platform", "arbiter"]), ("platform", ["bank", "arbiter"])] {
            let directions = ["sent.records", "sent.heads", "received.records", "received.heads"]
            let ledger = ["manifest.json", "contract.json", "specification.json", "expired", "\(peers[0]).bytes.json"] + peers.flatMap { peer in directions.map { "\(peer).\($0)" } }
            let left = Set(try Self.files(lab, "\(node)/state").map(\.path).filter { $0.contains(job) })
            let receipts = left.filter { $0.hasPrefix("secrets/\(job)/") && $0.hasSuffix(".destroyed") }
            #expect(receipts.count == 7, "\(receipts)")
            let expected = Set(ledger.map { "ledger/\(job)/\($0)" } + ["jobs/\(job)/model.json", "secrets/\(job)/inputs.json"]).union(receipts)
            #expect(left == expected, "\(node): \(left.symmetricDifference(expected))")
            #expect(try FileManager.default.contentsOfDirectory(atPath: lab.path("\(node)/state/operations/subjects")).isEmpty)
            for path in ["\(node)/state", "\(node)/state/ledger/\(job)"] {
                let verified = try await lab.jointlab("audit", "verify", lab.path(path))
                #expect(verified.code == 0, "\(verified)")
            }
            let entries = try lab.text("\(node)/state/operations/entries.jsonl")
            for action in ["payloads.expired", "subjects.expired", "result.expired"] { #expect(entries.contains(action), "\(action)") }
        }
        let reconciled = try await lab.jointlab("audit", "reconcile", lab.path("bank/state/ledger/\(job)"), lab.path("platform/state/ledger/\(job)"),
                                                lab.path("arbiter/state/ledger/\(job)"))
        #expect(reconciled.code == 0, "\(reconciled)")
        let subject = try await run("bank", "audit", "subject", "91370800MA3C000000")
        #expect(subject.code == 0 && subject.errors.contains("cannot be told any more"), "\(subject)")
        let again = try await run("bank", "retention")
        #expect(again.code == 0 && again.output == "Nothing has outlived its lifetime.\n", "\(again)")
        // The model is of use still.
        let score = try await lab.job("submit", try lab.specification("score") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "score"
            document["model"] = job
        }, "--watch")
        #expect(score.code == 0, "\(score)")
    }

    @Test("payloads whose ledger does not hold outlive their lifetime, and the command says that they are kept")
    func held() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let ledger = "bank/state/ledger/\(submitted.output.trimmingCharacters(in: .newlines))"
        try lab.edit("bank/node.json") { $0["retention"] = ["payload_days": 0] }
        let records = URL(filePath: lab.path("\(ledger)/platform.received.records"))
        try Data(contentsOf: records).dropLast(FrameRecord.byteCount).write(to: records)
        func payloads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: lab.path("\(ledger)/payloads")).count }
        let before = try payloads()
        let run = try await lab.run("bank-node", ["retention", "--config", lab.path("bank/node.json")])
        #expect(run.code == 0 && run.output.hasPrefix("kept of 1 jobs: payloads whose ledger does not hold"), "\(run)")
        #expect(try before > 0 && payloads() == before)
    }
}

/// Numbers of a document, read as doubles are.
private enum JSONAny: Decodable {
    case numbers([Double])
    case other

    var numbers: [Double]? { if case .numbers(let values) = self { values } else { nil } }

    init(from decoder: any Decoder) throws {
        self = (try? decoder.singleValueContainer().decode([Double].self)).map { .numbers($0) } ?? .other
    }
}
