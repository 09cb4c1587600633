import Foundation
import Testing

/// Whatever goes wrong, a person is told one thing that is wrong and one thing to do, in either language, and nothing is left
/// behind.
@Suite("Misuse") struct MisuseTests {
    @Test("a specification that is refused before anyone is asked")
    func specifications() async throws {
        let lab = try await TrialLab()
        let cases: [(name: String, change: (inout [String: Any]) -> Void, en: String, zh: String)] = [
            ("key", { $0["trainings"] = ["l2": 1] }, "key.json#/trainings: unknown key 'trainings'", "未知的键“trainings”"),
            ("type", { $0["training"] = ["l2": "much"] }, "type.json#/training/l2: expected a number", "type.json#/training/l2：此处应为"),
            ("range", { $0["training"] = ["key_bits": 512, "l2": 11] }, "range.json#/training/l2: 11 is outside", "不在允许范围"),
            ("missing", { $0["name"] = nil }, "the key 'name' is missing", "缺少键“name”"),
            ("bits", { $0["training"] = ["key_bits": 700] }, "bits.json#/training/key_bits: 700 is outside", "不在允许范围"),
        ]
        for (name, change, english, chinese) in cases {
            let file = try lab.specification(name, change)
            for (language, text) in [("en", english), ("zh", chinese)] {
                let checked = try await lab.jointlab("job", "validate", file, "--lang", language)
                #expect(checked.code == 2 && checked.pair(language).error.contains(text), "\(checked.errors)")
                // Nobody needs to be up to hear that.
                let submitted = try await lab.job("submit", file, "--lang", language)
                #expect(submitted.code == 2 && submitted.pair(language).error.contains(text) && submitted.output.isEmpty)
            }
        }
        let broken = lab.folder.appending(path: "broken.json")
        try "{ \"version\": 1,, }".write(to: broken, atomically: true, encoding: .utf8)
        for language in ["en", "zh"] {
            for arguments in [["job", "validate", broken.path], ["job", "validate", lab.path("no-such.json")], ["job", "submit", lab.path("no-such.json")]] {
                let run = try await lab.run("jointlab", arguments + ["--lang", language])
                #expect(run.code == 2)
                _ = run.pair(language)
            }
        }
        // The language follows the locale, and the option goes before it.
        let file = try lab.specification("key") { $0["trainings"] = 1 }
        _ = try await lab.jointlab("job", "validate", file, locale: "zh_CN.UTF-8").pair("zh")
        _ = try await lab.jointlab("job", "validate", file, "--lang", "en", locale: "zh_CN.UTF-8").pair("en")
    }

    @Test("a job that the arbiter, an owner or both parties together refuse")
    func refusedJobs() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        func features(_ specification: inout [String: Any], _ party: String, _ list: [Any]) {
            var all = specification["features"] as? [String: Any] ?? [:]
            all[party] = list
            specification["features"] = all
        }
        let cases: [(name: String, code: Int32, change: (inout [String: Any]) -> Void, en: String, zh: String)] = [
            ("party", 2, { $0["parties"] = ["bank": "bank", "platform": "platfrom"] }, "no party 'platfrom'", "“platfrom”"),
            ("data", 2, { $0["data"] = ["bank": "mian"] }, "no data set 'mian'", "没有数据集“mian”"),
            ("header", 2, { $0["data"] = ["bank": "header"] }, "header.csv: ", "header.csv："),
            ("model", 2, { specification in
                for key in ["label", "features", "training"] { specification[key] = nil }
                specification["kind"] = "score"
                specification["model"] = String(repeating: "0a", count: 16)
            }, "no stored model of job '0a0a", "没有任务“0a0a"),
            ("minimum", 2, { $0["population"] = ["id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc", "minimum_intersection": 200] },
             "200 is outside", "200 不在允许范围"),
            ("columns", 1, { specification in
                let columns = try? String(contentsOf: TrialData.files.get().appending(path: "platform.csv"), encoding: .utf8)
                    .prefix { !$0.isNewline }.split(separator: ",").map(String.init)
                let names = (columns ?? []).filter { $0.hasPrefix("elec_") || $0.hasPrefix("vat_") || $0.hasPrefix("pension_") }
                features(&specification, "platform", names.map { ["column": $0] })
                specification["training"] = ["key_bits": 512, "maximum_rounds": 39]
                specification["split"] = ["share": 0.3]
            }, "training rows", "训练行数"),
        ]
        for (name, code, change, english, chinese) in cases {
            let file = try lab.specification(name, change)
            let run = try await lab.job("submit", file, "--watch")
            #expect(run.code == code && run.pair().error.contains(english), "\(name): \(run)")
            if let job = run.output.split(separator: "\n").first.map(String.init) {
                let status = try await lab.job("status", job, "--lang", "zh")
                #expect(status.code == code && status.pair("zh").error.contains(chinese), "\(name): \(status)")
            } else {
                let again = try await lab.job("submit", file, "--watch", "--lang", "zh")
                #expect(again.code == code && again.pair("zh").error.contains(chinese), "\(name): \(again)")
            }
        }
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)
        for language in ["en", "zh"] {
            for job in ["no-job", String(repeating: "0", count: 32)] {
                for verb in ["status", "watch", "cancel"] {
                    let run = try await lab.job(verb, job, "--lang", language)
                    #expect(run.code == 2 && run.pair(language).error.contains(job))
                }
            }
        }
        // After all that the nodes still do what they are there for.
        let run = try await lab.job("submit", try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] }, "--watch")
        #expect(run.code == 0, "\(run.errors)")
    }

    @Test("an owner still reading its data when the job is refused elsewhere does not take it up afterwards")
    func refusedMeanwhile() async throws {
        let lab = try await TrialLab()
        // A pipe is a file whose end its owner waits for.
        let pipe = lab.folder.appending(path: "slow.csv").path
        #expect(mkfifo(pipe, 0o600) == 0)
        try lab.edit("platform/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            datasets["slow"] = ["path": pipe]
            node["datasets"] = datasets
        }
        try await lab.start()
        // The bank comes to refuse its own data only once the platform reads.
        try lab.signal("bank", SIGSTOP)
        let job = try await lab.submit(try lab.specification("slow") { $0["data"] = ["bank": "empty", "platform": "slow"] })
        var descriptor: Int32 = -1
        #expect(try await eventually(60) {
            descriptor = open(pipe, O_WRONLY | O_NONBLOCK)
            return descriptor >= 0
        }, "the platform does not read")
        try lab.signal("bank", SIGCONT)
        let watched = try await lab.job("watch", job)
        #expect(watched.code != 0 && watched.pair().error.contains("empty"), "\(watched)")
        #expect(fcntl(descriptor, F_SETFL, 0) == 0)
        let writer = FileHandle(fileDescriptor: descriptor)
        try writer.write(contentsOf: Data(contentsOf: try TrialData.files.get().appending(path: "platform.csv")))
        try writer.close()
        let next = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 2] })
        let other = try await lab.job("watch", next)
        #expect(other.code == 0, "\(other)")
        #expect(try lab.log("platform").components(separatedBy: "approved").count == 2)
    }

    @Test("a node or the arbiter that is not there")
    func down() async throws {
        let lab = try await TrialLab()
        let file = try lab.specification()
        for (language, text) in [("en", "arbiter: no answer at 127.0.0.1:"), ("zh", "arbiter：127.0.0.1:")] {
            for verb in [["submit", file, "--watch"], ["list"], ["status", String(repeating: "0", count: 32)]] {
                let run = try await lab.run("jointlab", ["job"] + verb + ["--as", lab.path("ann/person.json"), "--lang", language])
                #expect(run.code == 3 && run.pair(language).error.contains(text) && run.output.isEmpty)
            }
        }
        try await lab.start("arbiter", "bank")
        for (language, text) in [("en", "platform: no answer at"), ("zh", "platform：")] {
            let run = try await lab.job("submit", file, "--watch", "--lang", language)
            #expect(run.code == 3 && run.pair(language).error.contains(text) && run.output.isEmpty)
        }
        // Its node is up, but not where the contract says that others reach it.
        try lab.edit("platform/node.json") { node in
            let address = (node["listen"] as? String ?? "").split(separator: ":")
            node["listen"] = "\(address[0]):0"
        }
        try await lab.start("platform")
        let run = try await lab.job("submit", file, "--watch")
        #expect(run.code == 3 && run.pair().error.contains("platform: no answer at"), "\(run)")
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty)
    }

    @Test("someone else's certificate, a key that is not pinned, a person whom nobody knows")
    func identities() async throws {
        let (lab, other) = (try await TrialLab(), try await TrialLab())
        try await lab.start("arbiter")
        func copy(_ name: String, to target: String) throws {
            for file in ["certificate.pem", "private.key", "ledger.key"] where FileManager.default.fileExists(atPath: other.path("\(name)/\(file)")) {
                let (from, to) = (other.path("\(name)/\(file)"), lab.path("\(target)/\(file)"))
                try FileManager.default.removeItem(atPath: to)
                try FileManager.default.copyItem(atPath: from, toPath: to)
            }
        }
        // The arbiter's pin is another one in this person's contract.
        try lab.edit("contract.json", at: ["ben/contract.json"]) { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["role"] as? String == "arbiter" { parties[index]["pin"] = String(repeating: "ab", count: 32) }
            contract["parties"] = parties
        }
        try copy("ann", to: "ann")
        try copy("bank", to: "bank")
        for language in ["en", "zh"] {
            let pin = try await lab.job("list", "--lang", language, by: "ben")
            #expect(pin.code == 4 && pin.pair(language).error.contains("arbiter"))
            if language == "en" { #expect(pin.pair().error.contains("not the one that the contract pins")) }
            let authority = try await lab.job("list", "--lang", language)
            #expect(authority.code == 4 && authority.pair(language).error.contains("arbiter"))
            if language == "en" { #expect(authority.pair().error.contains("certificate was refused")) }
            // A node does not start with a key that everyone would refuse.
            let node = try await lab.run("bank-node", ["serve", "--config", lab.path("bank/node.json"), "--lang", language])
            #expect(node.code == 4)
            _ = node.pair(language)
        }
        // A person of the right authority whom the contract does not name.
        try lab.edit("contract.json", at: ["arbiter/contract.json"]) { contract in
            contract["people"] = (contract["people"] as? [[String: Any]] ?? []).filter { $0["name"] as? String != "ben" }
        }
        try lab.edit("contract.json", at: ["ben/contract.json"]) { contract in
            var parties = contract["parties"] as? [[String: Any]] ?? []
            let right = (try? lab.json("platform/contract.json"))?["parties"] as? [[String: Any]] ?? []
            for index in parties.indices { parties[index]["pin"] = right[index]["pin"] }
            contract["parties"] = parties
        }
        try await lab.stop("arbiter")
        // Another contract, without an amendment, is that of another data directory.
        try FileManager.default.removeItem(atPath: lab.path("arbiter/state"))
        try await lab.start("arbiter")
        for language in ["en", "zh"] {
            let run = try await lab.job("list", "--lang", language, by: "ben")
            #expect(run.code == 4)
            _ = run.pair(language)
        }
        // And a node that holds another contract than the arbiter stops, for it will not become the same by asking again.
        let node = try await lab.run("platform-node", ["serve", "--config", lab.path("platform/node.json")])
        #expect(node.code == 4 && node.errors.contains("error: arbiter holds another collaboration contract"), "\(node.errors)")
    }

    @Test("a port in use, secrets that others can read, files that are not there, a configuration that is none")
    func startingNodes() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        var other = try lab.json("arbiter/node.json")
        other["data_directory"] = "elsewhere"
        try JSONSerialization.data(withJSONObject: other).write(to: URL(filePath: lab.path("arbiter/second.json")))
        for (language, text) in [("en", "cannot listen at 127.0.0.1:"), ("zh", "无法在 127.0.0.1:")] {
            let second = try await lab.run("arbiter", ["serve", "--config", lab.path("arbiter/second.json"), "--lang", language])
            #expect(second.code == 3 && second.pair(language).error.contains(text))
        }
        func refused(_ program: String, _ config: String, _ code: Int32, _ text: String) async throws {
            for language in ["en", "zh"] {
                let run = try await lab.run(program, ["serve", "--config", config, "--lang", language])
                #expect(run.code == code, "\(run)")
                let pair = run.pair(language)
                #expect(pair.error.contains(text) || pair.hint.contains(text), "\(pair)")
            }
        }
        let platform = lab.path("platform/node.json")
        for secret in ["private.key", "ledger.key"] {
            for mode in [0o640, 0o604, 0o644] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: lab.path("platform/\(secret)"))
                try await refused("platform-node", platform, 4, "chmod 600")
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: lab.path("platform/\(secret)"))
        }
        try await refused("platform-node", lab.path("platform/no-such.json"), 2, "no-such.json")
        try await refused("platform-node", lab.path("platform/certificate.pem"), 2, "certificate.pem")
        // One role's configuration for another role's program.
        try await refused("platform-node", lab.path("arbiter/node.json"), 2, "node.json")
        for (change, text) in [
            ({ $0["datasets"] = ["main": ["path": "no-such.csv"]] }, "main"), ({ $0["authority"] = "no-such.pem" }, "no-such.pem"),
            ({ $0["contract"] = "no-such.json" }, "no-such.json"), ({ $0["unheard_of"] = 1 }, "unheard_of"),
        ] as [((inout [String: Any]) -> Void, String)] {
            let before = try lab.text("platform/node.json")
            try lab.edit("platform/node.json", change)
            try await refused("platform-node", platform, 2, text)
            try before.write(toFile: platform, atomically: true, encoding: .utf8)
        }
        // With everything in its place it starts.
        try await lab.start("platform")
    }

    @Test("a lab is founded whole or not at all, and never over another")
    func founding() async throws {
        let lab = try await TrialLab()
        let before = try lab.text("bank/node.json")
        for language in ["en", "zh"] {
            let again = try await lab.jointlab("lab", "init", lab.path(""), "--lang", language)
            #expect(again.code == 2)
            _ = again.pair(language)
            for arguments in [["--bank", "a b"], ["--port", "70000"], ["--days", "0"], ["--bank", "x", "--platform", "x"], ["--analyst", "arbiter"]] {
                let run = try await lab.run("jointlab", ["lab", "init", lab.path("new"), "--lang", language] + arguments)
                #expect(run.code == 2, "\(arguments)")
                _ = run.pair(language)
            }
        }
        #expect(try lab.text("bank/node.json") == before)
        let left = try FileManager.default.contentsOfDirectory(atPath: lab.path(""))
        #expect(left.sorted() == ["ann", "arbiter", "authority", "bank", "bank-auditor", "ben", "platform", "platform-auditor"])
    }
}
