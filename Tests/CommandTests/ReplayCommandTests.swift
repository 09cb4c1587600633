import Foundation
import Testing

/// Owner and auditor of one institution at their own node, after a job.
@Suite("Replay and destruction") struct ReplayCommandTests {
    @Test("both nodes replay a job with both keys; every mistake is told in one line; a destroyed secret stays destroyed")
    func replay() async throws {
        let lab = try await TrialLab()
        func audit(_ name: String, _ verb: String, _ arguments: String...) async throws -> Run {
            try await lab.run("\(name)-node", ["audit", verb] + arguments + ["--config", lab.path("\(name)/node.json")])
        }
        func replay(_ name: String, _ job: String, _ more: String...) async throws -> Run { try await lab.replay(name, job, more) }
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)
        for name in ["bank", "platform"] {
            let run = try await replay(name, job)
            #expect(run.code == 0 && run.output.hasSuffix("holds\n") && run.output.contains("frames came out as they were sent"), "\(run)")
            #expect(run.output.contains("model.json") && run.output.contains("scores.csv") == (name == "bank") && run.errors.contains("replay: training"))
            let verified = try await lab.jointlab("audit", "verify", lab.path("\(name)/state/ledger/\(job)"))
            #expect(verified.code == 0, "\(verified)")
            #expect(try lab.json("\(name)/state/ledger/\(job)/manifest.json")["secret_commitments"] is [String: String])
        }
        let json = try await replay("bank", job, "--json")
        #expect(json.code == 0 && json.output.hasPrefix(#"{"bytes":"#) && json.output.contains(#""holds":true"#), "\(json)")
        let chinese = try await replay("platform", job, "--lang", "zh")
        #expect(chinese.code == 0 && chinese.output.contains("核查通过") && chinese.errors.contains("重放：训练"), "\(chinese)")

        // Mistakes.
        let (owner, auditor) = (lab.path("bank/owner-seal.key"), lab.path("bank-auditor/auditor-seal.key"))
        for language in ["en", "zh"] {
            let twice = try await audit("bank", "replay", job, "--owner-key", owner, "--auditor-key", owner, "--lang", language)
            #expect(twice.code == 4 && twice.pair(language).error.contains("owner-seal.key"), "\(twice)")
            let ledgerKey = try await audit("bank", "replay", job, "--owner-key", lab.path("bank/ledger.key"), "--auditor-key", auditor, "--lang", language)
            #expect(ledgerKey.code == 4 && ledgerKey.pair(language).error.contains("ledger.key"), "\(ledgerKey)")
            let unknown = try await replay("bank", String(repeating: "0", count: 32), "--lang", language)
            #expect(unknown.code == 2, "\(unknown)")
            _ = unknown.pair(language)
            let changed = try await replay("bank", job, "--data", lab.path("contract.json").replacing("contract.json", with: "bank/contract.json"), "--lang", language)
            #expect(changed.code == 1 && changed.pair(language).error.contains("contract.json"), "\(changed)")
            let noPurpose = try await audit("bank", "destroy", job, "--lang", language)
            #expect(noPurpose.code == 2 && noPurpose.pair(language).error.contains("--purpose"), "\(noPurpose)")
            let wrong = try await audit("bank", "destroy", job, "--purpose", "masks", "--lang", language)
            #expect(wrong.code == 2 && wrong.pair(language).error.contains("masks"), "\(wrong)")
        }
        let alone = try await audit("bank", "replay", job, "--owner-key", owner)
        #expect(alone.code == 64, "\(alone)")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: auditor)
        let open = try await replay("bank", job)
        #expect(open.code == 4 && open.pair().error.contains("auditor-seal.key"), "\(open)")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: auditor)

        // Destruction.
        let destroyed = try await audit("bank", "destroy", job, "--purpose", "pad", "--purpose", "mask-randomiser")
        #expect(destroyed.code == 0 && destroyed.output.contains("pad: destroyed at "), "\(destroyed)")
        let partial = try await replay("bank", job)
        #expect(partial.code == 1 && partial.output.contains("the secret 'pad' was destroyed at ") && partial.output.contains("nobody can make them again"),
                "\(partial)")
        for (language, text) in [("en", "destroyed already"), ("zh", "已于")] {
            let again = try await audit("bank", "destroy", job, "--purpose", "pad", "--lang", language)
            #expect(again.code == 2 && again.pair(language).error.contains(text), "\(again)")
        }
        let all = try await audit("bank", "destroy", job, "--all", "--lang", "zh")
        #expect(all.code == 0 && all.output.contains("销毁"), "\(all)")
        let files = try FileManager.default.contentsOfDirectory(atPath: lab.path("bank/state/secrets/\(job)"))
        #expect(files.count == 8 && files.allSatisfy { !$0.hasSuffix(".sealed") }, "\(files)")
        for (language, text) in [("en", "all of its secrets were destroyed"), ("zh", "全部密钥已销毁")] {
            let gone = try await replay("bank", job, "--lang", language)
            #expect(gone.code == 1 && gone.pair(language).error.contains(text), "\(gone)")
        }
    }

    @Test("a node without seal keys says so, before and after; its keys are made once and fit the configuration")
    func unsealed() async throws {
        let lab = try await TrialLab()
        let bank = lab.path("bank/node.json")
        func seal(_ role: String, _ file: String, _ more: String...) async throws -> Run {
            try await lab.run("bank-node", ["keys", "seal", "--role", role, "--out", lab.path(file)] + more)
        }
        try lab.edit("bank/node.json") { $0["audit"] = nil }
        try await lab.start()
        let submitted = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 1] }, "--watch")
        #expect(submitted.code == 0, "\(submitted.errors)")
        let job = submitted.output.trimmingCharacters(in: .newlines)
        #expect(try lab.log("bank").contains("this job cannot be replayed") && !lab.log("platform").contains("cannot be replayed"))
        #expect(!FileManager.default.fileExists(atPath: lab.path("bank/state/secrets/\(job)")))
        for (language, text) in [("en", "were not sealed"), ("zh", "未封存")] {
            let run = try await lab.run("bank-node", ["audit", "replay", job, "--config", bank, "--owner-key", lab.path("bank/owner-seal.key"),
                                                      "--auditor-key", lab.path("bank-auditor/auditor-seal.key"), "--lang", language])
            #expect(run.code == 1 && run.pair(language).error.contains(text), "\(run)")
        }
        try await lab.stop("bank")

        let made = try await seal("owner", "own.key")
        #expect(made.code == 0 && made.output.hasPrefix("\"owner_seal_key\": \""), "\(made)")
        let mode = try FileManager.default.attributesOfItem(atPath: lab.path("own.key"))[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let again = try await seal("owner", "own.key", "--lang", "zh")
        #expect(again.code == 2 && again.pair("zh").error.contains("own.key"), "\(again)")
        let other = try await seal("auditor", "other.key")
        func key(_ run: Run) throws -> String { try #require(run.output.split(separator: "\"").dropFirst(2).first.map(String.init)) }
        let (owner, auditor) = (try key(made), try key(other))
        for (audit, place) in [
            (["owner_seal_key": owner, "auditor_seal_key": owner], "auditor_seal_key"), (["owner_seal_key": owner], "auditor_seal_key"),
            (["owner_seal_key": "YQ==", "auditor_seal_key": auditor], "owner_seal_key"),
            (["owner_seal_key": Data(count: 32).base64EncodedString(), "auditor_seal_key": auditor], "owner_seal_key"),
        ] {
            try lab.edit("bank/node.json") { $0["audit"] = audit }
            for language in ["en", "zh"] {
                let run = try await lab.run("bank-node", ["models", "list", "--config", bank, "--lang", language])
                #expect(run.code == 2 && run.pair(language).error.contains("/audit/\(place)"), "\(run)")
            }
        }
        try lab.edit("bank/node.json") { $0["audit"] = ["owner_seal_key": owner, "auditor_seal_key": auditor] }
        try await lab.start("bank")
    }
}
