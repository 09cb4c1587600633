import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Testing
import Transport

/// Certificates and contracts of a lab that lives on.
@Suite("Rotation and amendments") struct RotationTests {
    private func node(_ lab: TrialLab, _ name: String, _ arguments: String...) async throws -> Run {
        try await lab.run(name == "arbiter" ? name : "\(name)-node", arguments + ["--config", lab.path("\(name)/node.json")])
    }

    private func small(_ lab: TrialLab) throws -> String {
        try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }
    }

    private func restart(_ lab: TrialLab) async throws {
        for name in ["bank", "platform", "arbiter"] { try await lab.stop(name) }
        try await lab.start()
    }

    private func pin(_ lab: TrialLab, _ file: String) throws -> String { try Certificate(pem: try lab.text(file)).spkiSHA256.hexadecimal }

    @Test("a job before, a new certificate for the bank with both valid for a time, jobs in between and after, the old one refused then")
    func rotation() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let before = try await lab.job("submit", try small(lab), "--watch")
        #expect(before.code == 0, "\(before.errors)")
        let job = before.output.trimmingCharacters(in: .newlines)

        let rotated = try await node(lab, "bank", "keys", "rotate")
        #expect(rotated.code == 0, "\(rotated)")
        for language in ["en", "zh"] {
            let again = try await node(lab, "bank", "keys", "rotate", "--lang", language)
            #expect(again.code == 2 && again.pair(language).error.contains("private.next.key"))
            // Without a certificate nothing is changed.
            let early = try await node(lab, "bank", "keys", "activate", "--lang", language)
            #expect(early.code == 2 && early.pair(language).error.contains("certificate.next.pem"))
        }
        #expect(try FileManager.default.attributesOfItem(atPath: lab.path("bank/private.next.key"))[.posixPermissions] as? Int == 0o600)
        let certified = try await lab.jointlab("lab", "certify", lab.path("bank/certificate.request.pem"), "--authority", lab.path("authority"))
        #expect(certified.code == 0, "\(certified)")
        let (old, new) = (try pin(lab, "bank/certificate.pem"), try pin(lab, "bank/certificate.next.pem"))
        #expect(old != new)
        let shown = try await node(lab, "bank", "keys", "show", "--json")
        #expect(shown.code == 0 && shown.output.contains(old) && shown.output.contains(new))
        let unknown = try await node(lab, "bank", "keys", "activate")
        #expect(unknown.code == 4 && unknown.pair().error.contains("not the one that the contract pins"))

        let draft = lab.path("amendment.json")
        let amended = try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--rotate", "bank=\(lab.path("bank/certificate.next.pem"))",
                                             "--overlap-days", "1", "--out", draft)
        #expect(amended.code == 0, "\(amended)")
        let seen = try await node(lab, "platform", "contract", "show", draft)
        #expect(seen.output.contains("+ /parties/bank/pin: \"\(new)\"") && seen.output.contains("- /parties/bank/pin: \"\(old)\""), "\(seen)")
        #expect(seen.output.contains("not signed by: arbiter, platform, bank"), "\(seen.output)")

        // Nobody takes up what not everybody has signed: neither the verb nor a node that finds it in the contract's place.
        for (index, name) in ["bank", "arbiter"].enumerated() {
            let signed = try await node(lab, name, "contract", "sign", draft)
            #expect(signed.code == 0 && signed.output.contains("platform") == true, "\(index) \(signed)")
        }
        let contract = try lab.text("platform/contract.json")
        for (language, text) in [("en", "not signed by platform"), ("zh", "缺少 platform 的签名")] {
            let refused = try await node(lab, "platform", "contract", "adopt", draft, "--lang", language)
            #expect(refused.code == 4 && refused.pair(language).error.contains(text), "\(refused)")
        }
        #expect(try lab.text("platform/contract.json") == contract)
        try await lab.stop("platform")
        try lab.text("amendment.json").write(toFile: lab.path("platform/contract.json"), atomically: true, encoding: .utf8)
        for (language, text) in [("en", "not signed by arbiter, platform, bank"), ("zh", "缺少 arbiter, platform, bank 的签名")] {
            let refused = try await node(lab, "platform", "serve", "--lang", language)
            #expect(refused.code == 4 && refused.pair(language).error.contains(text), "\(refused)")
        }
        try contract.write(toFile: lab.path("platform/contract.json"), atomically: true, encoding: .utf8)
        try await lab.start("platform")

        let last = try await node(lab, "platform", "contract", "sign", draft)
        #expect(last.code == 0 && last.output.contains("every party has signed"), "\(last)")
        for name in ["arbiter", "platform", "bank"] {
            let adopted = try await node(lab, name, "contract", "adopt", draft)
            #expect(adopted.code == 0, "\(adopted)")
        }
        // The former certificate still opens lines.
        try await restart(lab)
        let between = try await lab.job("submit", try small(lab), "--watch")
        #expect(between.code == 0, "\(between.errors)")
        // The new one does, with the others running on, and models of before are of use.
        let activated = try await node(lab, "bank", "keys", "activate")
        #expect(activated.code == 0, "\(activated)")
        #expect(try pin(lab, "bank/certificate.pem") == new && pin(lab, "bank/certificate.former.pem") == old)
        try await lab.stop("bank")
        try await lab.start("bank")
        let scoring = try lab.specification("score") { specification in
            for key in ["label", "features", "training"] { specification[key] = nil }
            specification["kind"] = "score"
            specification["model"] = job
        }
        let after = try await lab.job("submit", scoring, "--watch")
        #expect(after.code == 0, "\(after.errors)")

        // Once its time is over the former certificate opens no line: an amendment says that it is over now.
        let second = lab.path("second.json")
        _ = try await lab.jointlab("lab", "amend", lab.path("bank/contract.json"), "--out", second)
        try lab.edit("second.json") { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["name"] as? String == "bank" { parties[index]["former_pin_until"] = "2026-01-01T00:00:00Z" }
            contract["parties"] = parties
        }
        for name in ["arbiter", "platform", "bank"] { #expect(try await node(lab, name, "contract", "sign", second).code == 0) }
        for name in ["arbiter", "platform", "bank"] { #expect(try await node(lab, name, "contract", "adopt", second).code == 0) }
        try await restart(lab)
        try await lab.stop("bank")
        for (from, to) in [("certificate.former.pem", "certificate.pem"), ("private.former.key", "private.key")] {
            try FileManager.default.removeItem(atPath: lab.path("bank/\(to)"))
            try FileManager.default.moveItem(atPath: lab.path("bank/\(from)"), toPath: lab.path("bank/\(to)"))
        }
        let late = try await node(lab, "bank", "serve")
        #expect(late.code == 4 && late.pair().error.contains("not the one that the contract pins"), "\(late)")
        // And the others would not let it in.
        let identity = try TransportIdentity(authorityFile: lab.path("bank/authority.pem"), certificateFile: lab.path("bank/certificate.pem"),
                                             privateKeyFile: lab.path("bank/private.key"))
        let held = try Amendment(lab.path("arbiter/contract.json")).contract
        let address = try #require(held.arbiter.address).description
        await #expect(throws: (any Error).self) {
            try await Transport.connect(to: address, identity: identity, pins: held.arbiter.presentPins, name: "arbiter", timeoutSeconds: 10)
        }
    }

    @Test("another contract, a changed amendment, signatures of other keys, and an amendment of another contract are refused by name")
    func unsigned() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        try await lab.stop("arbiter")
        func refused(_ text: String, _ chinese: String) async throws {
            for (language, text) in [("en", text), ("zh", chinese)] {
                let run = try await node(lab, "arbiter", "serve", "--lang", language)
                #expect(run.code == 4 && run.pair(language).error.contains(text), "\(run)")
            }
        }
        let contract = try lab.text("arbiter/contract.json")
        // Another contract, without a word of amending.
        try lab.edit("arbiter/contract.json") { $0["people"] = [] }
        try await refused("does not amend the contract that this node holds", "不是对本节点所持契约")
        try contract.write(toFile: lab.path("arbiter/contract.json"), atomically: true, encoding: .utf8)

        let draft = lab.path("amendment.json")
        #expect(try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--out", draft).code == 0)
        let again = try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--out", draft)
        #expect(again.code == 2 && again.pair().error.contains("exists already"))
        // Signed by the right names with another lab's keys.
        let other = try await TrialLab()
        for name in ["arbiter", "bank", "platform"] {
            try FileManager.default.copyItem(atPath: other.path("\(name)/ledger.key"), toPath: lab.path("\(name)/other.key"))
        }
        var note = ContractSignatures(try Amendment(draft).contract, digest: try Amendment(draft).digest)
        for name in ["arbiter", "bank", "platform"] { note.sign(as: name, with: try Ed25519.SigningKey(pem: try lab.text("\(name)/other.key"))) }
        try Data(note.note.encode()).write(to: URL(filePath: lab.path("amendment.signatures")))
        let forged = try await node(lab, "arbiter", "contract", "adopt", draft)
        #expect(forged.code == 4 && forged.pair().error.contains("not signed by arbiter, platform, bank"), "\(forged)")
        try FileManager.default.removeItem(atPath: lab.path("amendment.signatures"))

        // Signed by all, then changed: the signatures are those of another text.
        for name in ["arbiter", "bank", "platform"] { #expect(try await node(lab, name, "contract", "sign", draft).code == 0) }
        let signed = try lab.text("amendment.json")
        try lab.edit("amendment.json") { $0["name"] = "other-lab" }
        for language in ["en", "zh"] {
            let run = try await node(lab, "arbiter", "contract", "adopt", draft, "--lang", language)
            #expect(run.code == 2 && run.pair(language).error.contains("amendment.signatures"), "\(run)")
        }
        try signed.write(toFile: draft, atomically: true, encoding: .utf8)
        #expect(try await node(lab, "arbiter", "contract", "adopt", draft).code == 0)
        // Taken up; the one before it is not taken up again.
        try await lab.start("arbiter")
        try await lab.stop("arbiter")
        try contract.write(toFile: lab.path("arbiter/contract.json"), atomically: true, encoding: .utf8)
        try await refused("does not amend", "不是对本节点所持契约")
    }

    @Test("a party that an amendment removes is let in no more; the others go on")
    func removal() async throws {
        let lab = try await TrialLab(arguments: ["--bank", "bank", "--bank", "second"])
        try await lab.start()
        let draft = lab.path("amendment.json")
        let none = try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--remove", "nobody", "--out", draft)
        #expect(none.code == 2 && none.pair().error.contains("nobody"))
        let all = try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--remove", "platform", "--out", draft)
        #expect(all.code == 2 && all.pair().error.contains("at least one platform"), "\(all)")
        #expect(try await lab.jointlab("lab", "amend", lab.path("ann/contract.json"), "--remove", "second", "--out", draft).code == 0)
        // Whoever leaves is not asked.
        let leaving = try await lab.run("bank-node", ["contract", "sign", draft, "--config", lab.path("second/node.json")])
        #expect(leaving.code == 2 && leaving.pair().error.contains("no party 'second'"))
        for name in ["arbiter", "bank", "platform"] { #expect(try await node(lab, name, "contract", "sign", draft).code == 0) }
        for name in ["arbiter", "bank", "platform"] { #expect(try await node(lab, name, "contract", "adopt", draft).code == 0) }
        try await restart(lab)
        let run = try await lab.job("submit", try small(lab), "--watch")
        #expect(run.code == 0, "\(run.errors)")
        let identity = try TransportIdentity(authorityFile: lab.path("second/authority.pem"), certificateFile: lab.path("second/certificate.pem"),
                                             privateKeyFile: lab.path("second/private.key"))
        let held = try Amendment(lab.path("arbiter/contract.json")).contract
        let address = try #require(held.arbiter.address).description
        await #expect(throws: (any Error).self) {
            try await Transport.connect(to: address, identity: identity, pins: held.arbiter.presentPins, name: "arbiter", timeoutSeconds: 10)
        }
        #expect(try await eventually { try lab.log("arbiter").contains("not the one that the contract pins") })
    }

    @Test("a data directory of a newer format is refused by every verb; one from before there were formats is taken up")
    func formats() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        try await lab.stop("arbiter")
        let file = lab.path("arbiter/state/format.json")
        #expect(try lab.json("arbiter/state/format.json")["format"] as? Int == 2)
        try #"{"format": 3}"#.write(toFile: file, atomically: true, encoding: .utf8)
        for (language, text) in [("en", "has format 3, written by a newer program; this one knows 2"), ("zh", "格式版本为 3")] {
            let run = try await node(lab, "arbiter", "serve", "--lang", language)
            #expect(run.code == 2 && run.pair(language).error.contains(text), "\(run)")
        }
        try FileManager.default.copyItem(atPath: lab.path("arbiter/state"), toPath: lab.path("bank/state"))
        let models = try await node(lab, "bank", "models", "list")
        #expect(models.code == 2 && models.pair().error.contains("has format 3"))
        for broken in ["", "{}", #"{"format": 0}"#, #"{"format": "2"}"#] {
            try broken.write(toFile: file, atomically: true, encoding: .utf8)
            let run = try await node(lab, "arbiter", "serve")
            #expect(run.code == 2 && run.pair().error.contains("format.json"), "\(run)")
        }
        // As it was left by programs of before: records of jobs, and neither a format nor a contract.
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.removeItem(atPath: lab.path("arbiter/state/contracts"))
        try await lab.start("arbiter")
        #expect(try lab.json("arbiter/state/format.json")["format"] as? Int == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.path("arbiter/state/contracts")).count == 2)
        try await lab.stop("arbiter")
        // Whoever takes the record of the contract away does not get another one taken up.
        try FileManager.default.removeItem(atPath: lab.path("arbiter/state/contracts/current.json"))
        let run = try await node(lab, "arbiter", "serve")
        #expect(run.code == 2 && run.pair().error.contains("current.json"), "\(run)")
    }
}
