import Catalogue
import Faults

/// One node's own configuration, `node.json`. Paths are absolute or relative to the configuration file; here they are
/// already joined to its directory.
///
/// Names files of secrets, holds none. Source: `Protocols/specification.md`, "Configuration of a node".
package struct NodeConfiguration: Sendable, Hashable {
    /// The party of the contract that this node is.
    package let name: String
    package let contract: String
    /// PEM file of the authority that issued every certificate.
    package let authority: String
    package let certificate: String
    package let privateKey: String
    package let ledgerKey: String
    /// Present exactly where the role listens; port 0 takes any free port.
    package let listen: Endpoint?
    /// Where whoever watches this machine may ask for the node's condition; of the loopback alone.
    package let monitor: Endpoint?
    package let dataDirectory: String
    /// By the names that specifications use; empty at the arbiter.
    package let datasets: [String: Dataset]
    /// Which payloads the ledger keeps.
    package let retention: Retention
    /// How long the rest is kept.
    package let lifetimes: Lifetimes
    /// Bytes that all ledgers of the node may take; `nil`: what the disk has.
    package let ledgerBytes: Int?
    /// What alignment may hold in main memory, about; the rest goes to the disk.
    package let memoryBytes: Int
    package let approval: Approval
    /// File of the node's policy.
    package let policy: String?
    /// To whom the secrets of jobs are sealed; without, no job can be replayed.
    package let sealKeys: SealKeys?
    /// Under which the node's keys and results are sealed on its disk; without, they are plain files.
    package let storageKey: StorageKey?
    package let logLevel: LogLevel
    package let logFormat: LogFormat
    /// Where the secrets of TLS are written, for laboratories alone.
    package let insecureKeyLog: String?

    /// Source: `Protocols/specification.md`, "Data sets".
    package struct Dataset: Sendable, Hashable {
        package var path: String
        /// Table or view of an SQLite database; without it the path is a text file.
        package let table: String?
        package let encoding: Encoding
        package let separator: Separator
        package let defects: Defects
        /// Column of the identifier; given where there are `fields`.
        package var identifier: String?
        /// Column by path of the catalogue. A data set that has any is read by the catalogue alone: its other columns, and
        /// those of its further tables, are not there for jobs.
        package var fields: [String: String] = [:]
        /// The day as of which its values hold.
        package var drawn: Day?
        /// Columns of records with a day from which on the record counts no more: repaired, withdrawn.
        package var ended: [String] = []
        /// In place of a file.
        package var call: Call?
        /// By name, of the same subjects: a row for each or records.
        package var tables: [String: Dataset] = [:]

        /// Whether jobs read it by paths of the catalogue.
        package var isCatalogued: Bool { !fields.isEmpty || !tables.isEmpty }
        /// Its own and those of its further tables, in an order that does not change.
        package var paths: [String] { [path] + tables.sorted { $0.key < $1.key }.filter { $0.value.call == nil }.map(\.value.path) }
        /// Jobs that may read it, over all time; `nil`: any number.
        package let maximumJobs: Int?

        /// A program of the operator's that is given identifiers and writes the table.
        package struct Call: Sendable, Hashable {
            /// Its absolute path, and arguments as they are.
            package let words: [String]
            /// After so long it is ended.
            package let seconds: Int

            package init(words: [String], seconds: Int) {
                self.words = words
                self.seconds = seconds
            }
        }

        package enum Encoding: String, Sendable, Hashable, CaseIterable { case utf8 = "utf-8", gb18030 }
        package enum Separator: String, Sendable, Hashable, CaseIterable { case comma = ",", semicolon = ";", tab }
        /// What becomes of rows that name no subject, or one for a second time.
        package enum Defects: String, Sendable, Hashable, CaseIterable { case drop, refuse }

        package init(path: String, table: String? = nil, encoding: Encoding = .utf8, separator: Separator = .comma, defects: Defects = .drop,
                     maximumJobs: Int? = nil) {
            self.path = path
            self.table = table
            self.encoding = encoding
            self.separator = separator
            self.defects = defects
            self.maximumJobs = maximumJobs
        }
    }

    /// X25519 public keys, 32 bytes each, not the same: only their two holders together open what is sealed.
    package struct SealKeys: Sendable, Hashable {
        package let owner: [UInt8]
        package let auditor: [UInt8]

        package init(owner: [UInt8], auditor: [UInt8]) {
            self.owner = owner
            self.auditor = auditor
        }
    }

    /// Where the operator keeps 32 bytes, written in base64.
    package enum StorageKey: Sendable, Hashable {
        case file(String)
        /// Name of a variable.
        case environment(String)
        /// A program by its absolute path, and its arguments: it writes the key.
        case command([String])
    }

    /// Who consents to a job that the contract allows.
    package enum Approval: Sendable, Hashable {
        /// The configuration.
        case automatic
        /// A person, each time.
        case manual
        /// The configuration inside these limits, a person beyond them.
        case within(ApprovalLimits)

        package func consents(to specification: JobSpecification) -> Bool {
            switch self {
            case .automatic: true
            case .manual: false
            case .within(let limits): limits.contain(specification)
            }
        }
    }

    /// What is `nil` is not limited.
    package struct ApprovalLimits: Sendable, Hashable {
        package let kinds: [JobSpecification.Kind]?
        /// Codes, compared exactly.
        package let purposes: [String]?
        package let maximumRounds: Int?
        /// Features declared for either side.
        package let maximumColumns: Int?

        func contain(_ specification: JobSpecification) -> Bool {
            if let kinds, !kinds.contains(specification.kind) { return false }
            if let purposes, !purposes.contains(specification.purpose.code) { return false }
            guard let training = specification.training else { return true }
            if let maximumRounds, training.settings.maximumRounds > maximumRounds { return false }
            if let maximumColumns, max(training.features.bank.count, training.features.platform.count) > maximumColumns { return false }
            return true
        }
    }

    /// Records and digests of all frames are kept in any case.
    package enum Retention: String, Sendable, Hashable, CaseIterable { case all, inbound, digests }

    /// Days after a job's end; `nil` keeps for good. Ledger, own half of the model and receipts stay in any case.
    package struct Lifetimes: Sendable, Hashable {
        /// Payloads of the ledger, and with them the sealed secrets.
        package let payloadDays: Int?
        /// Lists of the job's subjects, and scores by subject.
        package let identifierDays: Int?
        /// Reports, plans, decisions and whatever else a job has left.
        package let resultDays: Int?

        package init(payloadDays: Int? = nil, identifierDays: Int? = nil, resultDays: Int? = nil) {
            self.payloadDays = payloadDays
            self.identifierDays = identifierDays
            self.resultDays = resultDays
        }

        package static let unlimited = Lifetimes()
        package var isLimited: Bool { self != .unlimited }
    }

    package enum LogLevel: String, Sendable, Hashable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// Lines for people, or an object a line for programs.
    package enum LogFormat: String, Sendable, Hashable, CaseIterable { case text, json }

    /// - Parameters:
    ///   - directory: the directory of the file.
    ///   - role: the role of the program that reads it.
    /// - Throws: all faults of the document; places are JSON pointers, or "node configuration" for the whole.
    package static func parse(
        _ bytes: [UInt8], directory: String, role: Contract.Role
    ) throws(FaultList) -> NodeConfiguration {
        try Findings.document(bytes, kind: "node configuration") { reader in
            let identity = Identity(reading: &reader, directory: directory)
            let ledgerKey = reader.path("ledger_key", in: directory)
            var listen: Endpoint?
            if role.listens {
                listen = reader.required("listen", .endpoint(ports: 0...65535))
            } else {
                reader.refuse("listen", "a bank listens nowhere: it opens every connection itself", "bank 不监听：连接均由其主动发起")
            }
            var datasets: [String: Dataset] = [:]
            if role.holdsData {
                datasets = reader.map("datasets", count: 1...1000) { Dataset(reading: &$0, directory: directory) }
            } else {
                reader.refuse("datasets", "the arbiter holds no data", "arbiter 不持有数据")
            }
            var sealKeys: SealKeys?
            if role.holdsData {
                sealKeys = reader.optionalObject("audit", SealKeys.init(reading:))
            } else {
                reader.refuse("audit", "the arbiter has no secrets of jobs to seal", "arbiter 没有需封存的任务密钥")
            }
            let policy = role.holdsData ? reader.optional("policy", .text(1...1024)).map { joined($0, to: directory) } : nil
            var kept = RetentionRule.all
            if role.holdsData {
                kept = reader.wordOrObject("retention", .retentionWord, default: .all, RetentionRule.init(reading:))
            } else {
                reader.refuse("retention", "the arbiter's frames are small: it keeps all of them", "arbiter 的帧很小，一律留存")
            }
            return NodeConfiguration(
                name: identity.name, contract: identity.contract, authority: identity.authority,
                certificate: identity.certificate, privateKey: identity.privateKey, ledgerKey: ledgerKey,
                listen: listen, monitor: reader.optional("monitor", .loopback), dataDirectory: reader.path("data_directory", in: directory),
                datasets: datasets, retention: kept.payloads, lifetimes: kept.lifetimes,
                ledgerBytes: reader.object("ledger", isOptional: true) { $0.optional("disk_limit", .integer(1_000_000...Int.max)) },
                memoryBytes: reader.optional("memory_mib", .integer(64...1_048_576), default: 512) << 20,
                approval: Approval(reading: &reader, "approve"), policy: policy, sealKeys: sealKeys,
                storageKey: reader.optionalObject("storage_key") { StorageKey(reading: &$0, directory: directory) } ?? nil,
                logLevel: reader.optional("log_level", .choice(LogLevel.info), default: .info),
                logFormat: reader.optional("log_format", .choice(LogFormat.text), default: .text),
                insecureKeyLog: reader.optional("insecure_key_log", .text(1...1024)).map { joined($0, to: directory) })
        }
    }
}

/// A word says what of payloads is kept; an object says for how long as well.
private struct RetentionRule {
    let payloads: NodeConfiguration.Retention
    let lifetimes: NodeConfiguration.Lifetimes

    static let all = RetentionRule(payloads: .all, lifetimes: .unlimited)

    init(payloads: NodeConfiguration.Retention, lifetimes: NodeConfiguration.Lifetimes) {
        self.payloads = payloads
        self.lifetimes = lifetimes
    }

    init(reading reader: inout ObjectReader) {
        payloads = reader.optional("payloads", .choice(NodeConfiguration.Retention.all), default: .all)
        lifetimes = NodeConfiguration.Lifetimes(
            payloadDays: reader.optional("payload_days", .integer(0...36_500)), identifierDays: reader.optional("identifier_days", .integer(0...36_500)),
            resultDays: reader.optional("result_days", .integer(0...36_500)))
    }
}

extension Form where Value == RetentionRule {
    fileprivate static var retentionWord: Form {
        Form(.all) { node throws(Fault) in
            RetentionRule(payloads: try Form<NodeConfiguration.Retention>.choice(.all).read(node), lifetimes: .unlimited)
        }
    }
}

extension NodeConfiguration.SealKeys {
    fileprivate init(reading reader: inout ObjectReader) {
        var seen: Set<[UInt8]> = []
        owner = reader.required("owner_seal_key", .base64(bytes: 32))
        reader.unique(owner, "owner_seal_key", in: &seen)
        auditor = reader.required("auditor_seal_key", .base64(bytes: 32))
        reader.unique(auditor, "auditor_seal_key", in: &seen)
    }
}

extension NodeConfiguration.StorageKey {
    /// One of three, and no other beside it.
    fileprivate init?(reading reader: inout ObjectReader, directory: String) {
        let file = reader.optional("file", .text(1...1024)).map { Self.file(joined($0, to: directory)) }
        let environment = reader.optional("environment", .text(1...128)).map { Self.environment($0) }
        let words = reader.list("command", isOptional: true, count: 1...32) { $1.value($0, .text(1...1024)) }
        if let program = words.first, !program.hasPrefix("/") {
            reader.findings.add(Fault(.wrongType, at: reader.place(of: "command") + "/0", "an absolute path", "绝对路径"))
        }
        let given = [file, environment, words.isEmpty ? nil : Self.command(words)].compactMap(\.self)
        guard given.count == 1 else {
            reader.findings.add(reader.wrongType("one of 'file', 'environment', 'command'", "file、environment、command 三者之一"))
            return nil
        }
        self = given[0]
    }
}

extension NodeConfiguration.Approval {
    /// A word or an object under `key`.
    init(reading reader: inout ObjectReader, _ key: String) {
        self = reader.wordOrObject(key, .approvalWord, default: .automatic, NodeConfiguration.Approval.init(limits:))
    }

    /// As the configuration has it.
    var json: JSONValue {
        switch self {
        case .automatic: return .text("automatic")
        case .manual: return .text("manual")
        case .within(let limits):
            var members: [String: JSONValue] = [:]
            if let kinds = limits.kinds { members["kinds"] = .array(kinds.map { .text($0.rawValue) }) }
            if let purposes = limits.purposes { members["purposes"] = .array(purposes.map { .text($0) }) }
            if let rounds = limits.maximumRounds { members["maximum_rounds"] = .integer(rounds) }
            if let columns = limits.maximumColumns { members["maximum_columns"] = .integer(columns) }
            return .object(members)
        }
    }

    private init(limits reader: inout ObjectReader) {
        let kinds = reader.list("kinds", isOptional: true, count: 1...3) { $1.value($0, .choice(JobSpecification.Kind.train)) }
        let purposes = reader.list("purposes", isOptional: true, count: 1...100) { $1.value($0, .name) }
        self = .within(NodeConfiguration.ApprovalLimits(
            kinds: kinds.isEmpty ? nil : kinds, purposes: purposes.isEmpty ? nil : purposes,
            maximumRounds: reader.optional("maximum_rounds", .integer(1...200)),
            maximumColumns: reader.optional("maximum_columns", .integer(1...JobSpecification.Features.maximumCount))))
    }
}

extension Form where Value == NodeConfiguration.Approval {
    private enum Word: String, CaseIterable { case automatic, manual }

    fileprivate static var approvalWord: Form {
        Form(.automatic) { node throws(Fault) in try Form<Word>.choice(.automatic).read(node) == .manual ? .manual : .automatic }
    }
}

extension NodeConfiguration.Dataset {
    fileprivate init(reading reader: inout ObjectReader, directory: String, isFurther: Bool = false) {
        if isFurther, reader.has("call") {
            path = ""
            let words = reader.list("call", count: 1...32) { $1.value($0, .text(1...1024)) }
            if let program = words.first, !program.hasPrefix("/") {
                reader.findings.add(Fault(.wrongType, at: reader.place(of: "call") + "/0", "an absolute path", "绝对路径"))
            }
            call = Call(words: words, seconds: reader.optional("call_seconds", .integer(1...3600), default: 3600))
            for key in ["path", "table", "encoding", "separator"] {
                reader.refuse(key, "a table that is called lies in no file", "调用获取的表没有文件")
            }
        } else {
            path = reader.path("path", in: directory)
        }
        table = reader.optional("table", .text(1...128))
        encoding = reader.optional("encoding", .choice(Encoding.utf8), default: .utf8)
        separator = reader.optional("separator", .choice(Separator.comma), default: .comma)
        defects = reader.optional("defects", .choice(Defects.drop), default: .drop)
        maximumJobs = reader.optional("maximum_jobs", .integer(1...1_000_000))
        if table != nil {
            for key in ["encoding", "separator"] {
                reader.refuse(key, "only text files have it; a 'table' is one of a database", "仅文本文件可用；table 指数据库中的表")
            }
        }
        identifier = reader.optional("id", .text(1...128))
        drawn = reader.optional("drawn", .day)
        fields = reader.pairs("fields", count: 1...1000, .column) { path, place throws(Fault) in _ = try CatalogueRules.field(path, at: place) }
        guard !isFurther else {
            ended = reader.texts("ended", count: 1...20) ?? []
            if fields.isEmpty { reader.findings.add(Fault(.missingKey, at: reader.place(of: "fields"), "fields")) }
            requireEndings(&reader)
            return
        }
        if reader.has("tables") {
            tables = reader.map("tables", count: 1...50) { Self(reading: &$0, directory: directory, isFurther: true) }
        }
        if isCatalogued, identifier == nil { reader.findings.add(Fault(.missingKey, at: reader.place(of: "id"), "id")) }
        var seen = Set(fields.keys)
        for (name, table) in tables.sorted(by: { $0.key < $1.key }) {
            for path in table.fields.keys.sorted() where !seen.insert(path).inserted {
                reader.findings.add(Fault(.duplicateName, at: reader.place(of: "tables") + "/\(name)/fields", path))
            }
        }
    }

    /// Whoever registers records registers what ends them: no job can leave that out.
    private func requireEndings(_ reader: inout ObjectReader) {
        for id in Set(fields.keys.compactMap { FieldPath($0)?.item }).sorted() {
            guard let ending = Catalogue.current.item(id)?.ending?.field, fields["\(id)/\(ending.name)"] == nil else { continue }
            reader.findings.add(Fault(.endingNotRegistered, at: reader.place(of: "fields"), id, "\(id)/\(ending.name)", ending.heading))
        }
    }
}

/// A person's configuration for `jointlab`, `person.json`; paths as in `NodeConfiguration`.
package struct PersonConfiguration: Sendable, Hashable {
    /// The person of the contract.
    package let name: String
    package let contract: String
    package let authority: String
    package let certificate: String
    package let privateKey: String

    /// - Throws: all faults of the document; places are JSON pointers, or "person configuration" for the whole.
    package static func parse(_ bytes: [UInt8], directory: String) throws(FaultList) -> PersonConfiguration {
        try Findings.document(bytes, kind: "person configuration") { reader in
            let identity = Identity(reading: &reader, directory: directory)
            return PersonConfiguration(
                name: identity.name, contract: identity.contract, authority: identity.authority,
                certificate: identity.certificate, privateKey: identity.privateKey)
        }
    }
}

/// What nodes and people have in common.
private struct Identity {
    let name, contract, authority, certificate, privateKey: String

    init(reading reader: inout ObjectReader, directory: String) {
        name = reader.required("name", .name)
        contract = reader.path("contract", in: directory)
        authority = reader.path("authority", in: directory)
        certificate = reader.path("certificate", in: directory)
        privateKey = reader.path("private_key", in: directory)
    }
}

extension ObjectReader {
    fileprivate mutating func path(_ key: String, in directory: String) -> String {
        joined(required(key, .text(1...1024)), to: directory)
    }
}

private func joined(_ path: String, to directory: String) -> String {
    if path.hasPrefix("/") || directory.isEmpty { return path }
    return directory.hasSuffix("/") ? directory + path : directory + "/" + path
}
