import Faults
import Foundation
import Installation
import Jobs
import Primitives
import Testing
import Transport
import Wire

/// The rows of `Protocols/misuse.md`, by their first column.
enum Misuse: String, CaseIterable {
    case unknownKey = "an unknown key in the specification"
    case wrongType = "a value of the wrong type"
    case unknownFeature = "a feature that no party has"
    case noLabel = "a label that is not there"
    case labelNotBinary = "a label of more than two values"
    case notANumber = "a cell that is no number"
    case emptyFile = "an empty file"
    case exactDuplicate = "an identifier twice, in equal rows"
    case conflictingDuplicate = "an identifier twice, in rows that differ"
    case wrongCheck = "a wrong check character"
    case smallIntersection = "too few subjects in common"
    case fewBads = "too few bads for the columns"
    case smallDisk = "a disk that is too small"
    case smallLedger = "less room for ledgers than the job takes"
    case otherAuthority = "a certificate of another authority"
    case otherKey = "a key that is not the pinned one"
    case expired = "an expired certificate"
    case unreachable = "a peer that cannot be reached"
    case portInUse = "a port in use"
    case refused = "a job that a party refuses"
    case vanished = "a peer that disappears in the middle"
    case secondNode = "a second node on one data directory"
    case unwritable = "a data directory that cannot be written"
    case openSecret = "a key file that others can read"
    case otherVersion = "another version of the protocol"
    case newerDirectory = "a data directory of a newer program"
    case unsigned = "an amendment that not all have signed"
    case commandLine = "a command line that is not understood"

    /// Needs the three nodes of a lab.
    var needsNodes: Bool {
        switch self {
        case .unknownFeature, .noLabel, .labelNotBinary, .notANumber, .emptyFile, .exactDuplicate, .conflictingDuplicate, .wrongCheck,
             .smallIntersection, .fewBads, .smallDisk, .smallLedger, .refused, .vanished: true
        default: false
        }
    }

    struct Row {
        let code: Int32
        let words: [String: String]

        /// Whether a line says what the document says, `…` standing for anything but nothing.
        func isSaid(by line: String, in language: String) -> Bool {
            let parts = (words[language] ?? "").components(separatedBy: "…")
            guard line.hasPrefix(parts[0]), line.hasSuffix(parts[parts.count - 1]) else { return false }
            var rest = line.dropFirst(parts[0].count)
            for part in parts.dropFirst() {
                guard let range = part.isEmpty ? rest.endIndex..<rest.endIndex : rest.range(of: part), range.lowerBound > rest.startIndex else { return false }
                rest = rest[range.upperBound...]
            }
            return rest.isEmpty
        }
    }

    static let rows: Result<[String: Row], any Error> = Result {
        let text = try String(contentsOf: Programs.repository.appending(path: "Protocols/misuse.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            line.dropFirst(2).dropLast(2).components(separatedBy: " | ")
        }
        return Dictionary(uniqueKeysWithValues: try rows.map { cells in
            try #require(cells.count == 4)
            return (cells[0], Row(code: try #require(Int32(cells[1])), words: ["en": cells[2], "zh": cells[3]]))
        })
    }
}

@Suite("Table of mistakes") struct MisuseTableTests {
    @Test("the document has a row for every mistake that is tried here, and no other")
    func complete() throws {
        let rows = try Misuse.rows.get()
        #expect(Set(rows.keys) == Set(Misuse.allCases.map(\.rawValue)))
        // The comparison itself can fail.
        let row = Misuse.Row(code: 1, words: ["en": "…: a … b"])
        #expect(row.isSaid(by: "x: a 1 b", in: "en") && !row.isSaid(by: ": a 1 b", in: "en") && !row.isSaid(by: "x: a 1 c", in: "en"))
        #expect(!row.isSaid(by: "x: a 1 b and more", in: "en") && !row.isSaid(by: "more", in: "en"))
    }

    private func check(_ run: Run, _ misuse: Misuse, _ language: String, _ place: SourceLocation = #_sourceLocation) throws {
        let row = try #require(try Misuse.rows.get()[misuse.rawValue])
        let pair = run.pair(language, place)
        #expect(run.code == row.code && row.isSaid(by: pair.error, in: language), "\(misuse) \(language): \(run)", sourceLocation: place)
        #expect(!pair.hint.isEmpty, sourceLocation: place)
    }

    /// No result, whole or in part, at either owner.
    private func leavesNothing(_ lab: TrialLab, _ misuse: Misuse) {
        #expect(lab.results("bank").isEmpty && lab.results("platform").isEmpty, "\(misuse)")
    }

    @Test("with three nodes: every mistake is told in the words of the document, in both languages, and leaves no result")
    func withNodes() async throws {
        // Whoever has vanished is given up soon.
        let lab = try await TrialLab(limits: ["bads_per_column": 60, "deadline_seconds": 20])
        let data = try TrialData.files.get()
        var files: [String: String] = [:]
        let lines = try String(contentsOf: data.appending(path: "bank.csv"), encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
        files["exact"] = (lines.prefix(3) + [lines[1]] + lines.dropFirst(3)).joined(separator: "\n")
        files["conflicting"] = (lines.prefix(3) + [Self.contradicting(lines[1], lines)] + lines.dropFirst(3)).joined(separator: "\n")
        files["check"] = (lines.prefix(3) + [Self.misspelt(lines[3], lines)] + lines.dropFirst(4)).joined(separator: "\n")
        for (name, text) in files { try (text + "\n").write(to: lab.folder.appending(path: "\(name).csv"), atomically: true, encoding: .utf8) }
        try lab.edit("bank/node.json") { node in
            var datasets = node["datasets"] as? [String: Any] ?? [:]
            for name in files.keys { datasets[name] = ["path": lab.folder.appending(path: "\(name).csv").path, "defects": "refuse"] }
            node["datasets"] = datasets
            node["ledger"] = ["disk_limit": 200_000_000]
            node["approve"] = ["maximum_rounds": 40, "purposes": ["credit_assessment"]]
        }
        try await lab.start()
        for misuse in Misuse.allCases where misuse.needsNodes {
            let run = try await provoke(misuse, lab)
            try check(run, misuse, "en")
            // The arbiter tells it as long as it is asked.
            let job = try #require(run.output.split(separator: "\n").first.map(String.init), "\(misuse)")
            try check(try await lab.job("status", job, "--lang", "zh"), misuse, "zh")
            leavesNothing(lab, misuse)
        }
    }

    private func provoke(_ misuse: Misuse, _ lab: TrialLab) async throws -> Run {
        func submit(_ change: (inout [String: Any]) -> Void) async throws -> Run {
            try await lab.job("submit", try lab.specification { specification in
                specification["training"] = ["key_bits": 512, "maximum_rounds": 2]
                change(&specification)
            }, "--watch")
        }
        func features(_ specification: inout [String: Any], _ party: String, _ list: [Any]) {
            var all = specification["features"] as? [String: Any] ?? [:]
            all[party] = list
            specification["features"] = all
        }
        switch misuse {
        case .unknownFeature: return try await submit { features(&$0, "platform", ["no_such_column"]) }
        case .noLabel: return try await submit { $0["label"] = ["column": "no_such_label"] }
        case .labelNotBinary: return try await submit { $0["label"] = ["column": "application_date"] }
        case .notANumber: return try await submit { features(&$0, "bank", ["industry"]) }
        case .emptyFile: return try await submit { $0["data"] = ["bank": "empty"] }
        case .exactDuplicate: return try await submit { $0["data"] = ["bank": "exact"] }
        case .conflictingDuplicate: return try await submit { $0["data"] = ["bank": "conflicting"] }
        case .wrongCheck: return try await submit { $0["data"] = ["bank": "check"] }
        case .smallIntersection:
            return try await submit {
                $0["population"] = ["id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc", "minimum_intersection": TrialData.common + 1]
            }
        case .fewBads: return try await submit { _ in }
        case .smallDisk:
            // So many subjects that their ledger fits no disk, which the bank finds before anything crosses.
            return try await submit {
                $0["population"] = ["id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc", "minimum_intersection": 1_000_000_000]
                $0["training"] = ["key_bits": 2048, "maximum_rounds": 40]
            }
        case .smallLedger:
            return try await submit {
                $0["population"] = ["id_type": "uscc", "bank_id": "uscc", "platform_id": "uscc", "minimum_intersection": 2000]
                $0["training"] = ["key_bits": 2048, "maximum_rounds": 40]
            }
        case .refused:
            let job = try await lab.submit(try lab.specification { $0["purpose"] = ["code": "other", "statement": "Not agreed upon."] })
            #expect(try await eventually { try lab.log("bank").contains("waits for approval: jobs show \(job)") })
            let refused = try await lab.run("bank-node", ["jobs", "refuse", job, "--reason", "purpose not agreed", "--config", lab.path("bank/node.json")])
            #expect(refused.code == 0, "\(refused)")
            let watched = try await lab.job("watch", job)
            return Run(code: watched.code, output: job, errors: watched.errors)
        case .vanished:
            let job = try await lab.submit(try lab.specification { specification in
                // One platform column: enough bads for it, so that training begins.
                features(&specification, "platform", [["column": "vat_paid_12m", "log1p": true, "missing": "mean"]])
                specification["training"] = ["key_bits": 512, "maximum_rounds": 40, "tolerance": 0.0001, "degree": 8]
            })
            #expect(try await eventually { try lab.log("platform").contains("phase training") })
            try await lab.stop("platform", SIGKILL)
            let watched = try await lab.job("watch", job)
            return Run(code: watched.code, output: job, errors: watched.errors)
        default:
            Issue.record("\(misuse) needs no nodes")
            throw CancellationError()
        }
    }

    /// The same identifier with another turnover.
    private static func contradicting(_ line: String, _ lines: [String]) -> String {
        changed(line, lines, "turnover_12m") { $0 + "1" }
    }

    /// The last character of a code is computed from the others.
    private static func misspelt(_ line: String, _ lines: [String]) -> String {
        changed(line, lines, "uscc") { $0.dropLast() + ($0.hasSuffix("0") ? "1" : "0") }
    }

    private static func changed(_ line: String, _ lines: [String], _ column: String, _ change: (String) -> String) -> String {
        var cells = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .newlines) }
        let names = (lines.first ?? "").trimmingCharacters(in: .newlines).split(separator: ",").map(String.init)
        if let index = names.firstIndex(of: column) { cells[index] = change(cells[index]) }
        return cells.joined(separator: ",")
    }

    @Test("without nodes: every mistake is told in the words of the document, in both languages", arguments: Misuse.allCases.filter { !$0.needsNodes })
    func alone(misuse: Misuse) async throws {
        let lab = try await TrialLab()
        let commands: [[String]]
        func serve(_ name: String) -> [String] { [name == "arbiter" ? name : "\(name)-node", "serve", "--config", lab.path("\(name)/node.json")] }
        let list = ["jointlab", "job", "list", "--as", lab.path("ann/person.json")]
        var closing: Listener?
        switch misuse {
        case .unknownKey:
            let file = try lab.specification { $0["trainings"] = ["l2": 1] }
            commands = [["jointlab", "job", "validate", file], ["jointlab", "job", "submit", file, "--as", lab.path("ann/person.json")]]
        case .wrongType:
            let file = try lab.specification { $0["training"] = ["l2": "much"] }
            commands = [["jointlab", "job", "validate", file], ["jointlab", "job", "submit", file, "--as", lab.path("ann/person.json")]]
        case .otherAuthority:
            let other = try await TrialLab()
            for name in ["certificate.pem", "private.key"] {
                try FileManager.default.removeItem(atPath: lab.path("ann/\(name)"))
                try FileManager.default.copyItem(atPath: other.path("ann/\(name)"), toPath: lab.path("ann/\(name)"))
            }
            try await lab.start("arbiter")
            commands = [list]
        case .otherKey:
            try lab.edit("contract.json", at: ["ann/contract.json"]) { contract in
                var parties = contract["parties"] as? [[String: Any]] ?? []
                for index in parties.indices where parties[index]["role"] as? String == "arbiter" { parties[index]["pin"] = String(repeating: "ab", count: 32) }
                contract["parties"] = parties
            }
            try await lab.start("arbiter")
            commands = [list]
        case .expired:
            let authority = try CertificateAuthority(
                certificatePEM: try lab.text("authority/authority.pem"), privateKeyPEM: try lab.text("authority/authority.key"))
            for name in ["bank", "ann"] {
                let credential = try authority.issue(commonName: name, subjectAlternativeNames: [], validFrom: Date() - 7200, validUntil: Date() - 3600)
                try credential.certificatePEM.write(toFile: lab.path("\(name)/certificate.pem"), atomically: true, encoding: .utf8)
                try Data(credential.privateKeyPEM.utf8).write(to: URL(filePath: lab.path("\(name)/private.key")))
            }
            commands = [serve("bank"), list]
        case .unreachable:
            commands = [list]
        case .portInUse:
            try await lab.start("arbiter")
            try lab.edit("arbiter/node.json") { $0["data_directory"] = "elsewhere" }
            commands = [serve("arbiter")]
        case .secondNode:
            try await lab.start("arbiter")
            commands = [serve("arbiter")]
        case .unwritable:
            try lab.edit("platform/node.json") { $0["data_directory"] = "contract.json" }
            try lab.edit("bank/node.json") { $0["data_directory"] = "contract.json/below" }
            commands = [serve("platform"), serve("bank")]
        case .openSecret:
            for name in ["platform", "ann"] { try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: lab.path("\(name)/private.key")) }
            commands = [serve("platform"), list]
        case .otherVersion:
            closing = try await Self.laterArbiter(lab)
            commands = [serve("bank")]
        case .newerDirectory:
            try FileManager.default.createDirectory(atPath: lab.path("arbiter/state"), withIntermediateDirectories: true)
            try #"{"format": 3}"#.write(toFile: lab.path("arbiter/state/format.json"), atomically: true, encoding: .utf8)
            commands = [serve("arbiter")]
        case .unsigned:
            try await lab.start("arbiter")
            try await lab.stop("arbiter")
            let draft = lab.folder.appending(path: "amendment.json").path
            #expect(try await lab.jointlab("lab", "amend", lab.path("arbiter/contract.json"), "--out", draft).code == 0)
            try FileManager.default.removeItem(atPath: lab.path("arbiter/contract.json"))
            try FileManager.default.moveItem(atPath: draft, toPath: lab.path("arbiter/contract.json"))
            commands = [serve("arbiter")]
        case .commandLine:
            commands = [["arbiter", "serve"]]
        case .unknownFeature, .noLabel, .labelNotBinary, .notANumber, .emptyFile, .exactDuplicate, .conflictingDuplicate, .wrongCheck,
             .smallIntersection, .fewBads, .smallDisk, .smallLedger, .refused, .vanished:
            Issue.record("\(misuse) needs nodes")
            return
        }
        for command in commands {
            for language in ["en", "zh"] {
                let run = try await lab.run(command[0], Array(command.dropFirst()) + ["--lang", language])
                try check(run, misuse, language)
                #expect(run.output.isEmpty, "\(run)")
            }
        }
        leavesNothing(lab, misuse)
        await closing?.close()
    }

    /// In the arbiter's place and with its key, a program that speaks a later version.
    private static func laterArbiter(_ lab: TrialLab) async throws -> Listener {
        let identity = try TransportIdentity(authorityFile: lab.path("arbiter/authority.pem"), certificateFile: lab.path("arbiter/certificate.pem"),
                                             privateKeyFile: lab.path("arbiter/private.key"))
        let contract = try Amendment(lab.path("arbiter/contract.json")).contract
        let address = try #require(contract.arbiter.address).description
        return try await Transport.listen(at: address, identity: identity, peer: { contract.party(withHexadecimalPin: $0)?.name }, maximumConnections: 4) { connection in
            guard case .some = try? await connection.receive() else { return }
            let answer = Frame(.nodeRegistered(.filled { $0.version = ProtocolVersion.current + 1 }), phase: .waiting, job: .none, attempt: 0, sequence: 0,
                               salt: SystemRandom.bytes(Frame.saltBytes))
            try? await connection.send(answer)
            _ = try? await connection.receive()
        }
    }

    @Test("the arbiter tells a node of another version which version it speaks, and names the node in its log")
    func laterNode() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter")
        let held = try Amendment(lab.path("bank/contract.json"))
        let identity = try TransportIdentity(authorityFile: lab.path("bank/authority.pem"), certificateFile: lab.path("bank/certificate.pem"),
                                             privateKeyFile: lab.path("bank/private.key"))
        let arbiter = held.contract.arbiter
        let connection = try await Transport.connect(to: try #require(arbiter.address).description, identity: identity, pins: arbiter.presentPins,
                                                     name: "arbiter", timeoutSeconds: 10)
        let register = Frame(.nodeRegister(.filled {
            $0.version = ProtocolVersion.current + 1
            $0.contractDigest = Data(held.digest)
        }), phase: .waiting, job: .none, attempt: 0, sequence: 0, salt: SystemRandom.bytes(Frame.saltBytes))
        try await connection.send(register)
        let answer = try await connection.receive()
        guard case .nodeRegistered(let registered)? = try answer?.message() else {
            Issue.record("no answer")
            return
        }
        #expect(registered.version == ProtocolVersion.current)
        // Then the line ends.
        #expect(try await connection.receive() == nil)
        await connection.close()
        #expect(try await eventually { try lab.log("arbiter").contains("bank speaks protocol version 3, this program 2") })
    }
}
