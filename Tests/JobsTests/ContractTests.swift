import Faults
import Jobs
import Testing

@Suite("Contracts and configurations are read strictly")
struct ContractTests {
    private func faultsOfContract(_ document: JSONValue) -> [Fault] {
        do {
            _ = try Contract.parse(document.bytes)
            return []
        } catch {
            return error.faults
        }
    }

    private func faultsOfNode(_ document: JSONValue, _ role: Contract.Role) -> [Fault] {
        do {
            _ = try NodeConfiguration.parse(document.bytes, directory: "/lab", role: role)
            return []
        } catch {
            return error.faults
        }
    }

    @Test("defaults and every part of a contract are read")
    func contract() throws {
        let contract = try Contract.parse(Documents.contract.bytes)
        #expect(contract.name == "pilot" && contract.suite == .p256SHA256)
        #expect(contract.arbiter == contract.parties.first)
        #expect(contract.parties.map(\.role) == [.arbiter, .bank, .platform])
        #expect(contract.parties.map { $0.address?.description } == ["arbiter.example:7001", nil, "[::1]:7003"])
        #expect(contract.parties.map { $0.pin.first } == [0x11, 0x22, 0x33])
        #expect(contract.parties.allSatisfy { $0.pin.count == 32 && $0.ledgerKey.count == 32 })
        #expect(contract.people.first { $0.pin == Array(repeating: 0xAA, count: 32) }?.role == .analyst)
        #expect(contract.people.map(\.party) == ["bank", nil])
        #expect(contract.limits == .init())
        #expect(contract.limits.exposurePercent == 10 && contract.limits.deadlineSeconds == 600)
    }

    @Test("several banks and platforms may take part")
    func several() throws {
        let another = JSONValue("""
            {"name": "bank-2", "role": "bank", "pin": "\(Documents.pin("4"))", "ledger_key": "\(Documents.key("e"))"}
            """)
        let contract = try Contract.parse(Documents.contract.setting("/parties/3", to: another).bytes)
        #expect(contract.parties.map(\.name) == ["arbiter", "bank", "platform", "bank-2"])
    }

    @Test("limits are read, and null sets the limits aside that may be")
    func limits() throws {
        let contract = try Contract.parse(Documents.contract.setting("/limits", to: JSONValue("""
            {"minimum_intersection": 100, "maximum_set_size": 5000, "insecure_key_bits": true, "minimum_key_bits": 512,
             "minimum_rows": 200, "maximum_rounds": 60, "exposure_percent": null, "exposure_note": "synthetic data",
             "dominance_share": null, "score_resolution_bits": 8, "bads_per_column": 20, "deadline_seconds": 5}
            """)).bytes)
        var expected = Contract.Limits()
        expected.minimumIntersection = 100
        expected.maximumSetSize = 5000
        expected.insecureKeyBits = true
        expected.minimumKeyBits = 512
        expected.minimumRows = 200
        expected.maximumRounds = 60
        expected.exposurePercent = nil
        expected.exposureNote = "synthetic data"
        expected.dominanceShare = nil
        expected.scoreResolutionBits = 8
        expected.badsPerColumn = 20
        expected.deadlineSeconds = 5
        #expect(contract.limits == expected)
    }

    @Test("a mistake in a contract has one fault, at its place", arguments: [
        Mistake("/suite", #""SM2""#, .unknownChoice),
        Mistake("/suite", nil, .missingKey),
        Mistake("/parties/0", nil, .wrongType, at: "/parties"),
        Mistake("/parties/1/address", #""bank.example:1""#, .unknownKey),
        Mistake("/parties/0/address", nil, .missingKey),
        Mistake("/parties/0/address", #""arbiter.example""#, .wrongType),
        Mistake("/parties/0/address", #""arbiter.example:0""#, .wrongType),
        Mistake("/parties/0/address", #""arbiter.example:65536""#, .wrongType),
        Mistake("/parties/0/address", #""a b:1""#, .wrongType),
        Mistake("/parties/0/address", #""::1:7000""#, .wrongType),
        Mistake("/parties/0/pin", #""AB""#, .wrongType),
        Mistake("/parties/0/pin", "\"\(Documents.pin("A"))\"", .wrongType),
        Mistake("/parties/1/pin", "\"\(Documents.pin("1"))\"", .duplicateName),
        Mistake("/people/0/pin", "\"\(Documents.pin("1"))\"", .duplicateName),
        Mistake("/amends", #""AB""#, .wrongType),
        Mistake("/parties/0/former_pin", "\"\(Documents.pin("7"))\"", .missingKey, at: "/parties/0/former_pin_until"),
        Mistake("/parties/0/former_pin_until", #""2027-01-31T00:00:00Z""#, .unknownKey),
        Mistake("/parties/0/ledger_key", "\"\(String(repeating: "b", count: 43))=\"", .wrongType),
        Mistake("/parties/0/ledger_key", #""YQ==""#, .wrongType),
        Mistake("/parties/2/ledger_key", "\"\(Documents.key("b"))\"", .duplicateName),
        Mistake("/people/0/name", #""bank""#, .duplicateName),
        Mistake("/people/0/party", #""bnak""#, .unknownParty),
        Mistake("/people/0/role", #""boss""#, .unknownChoice),
        Mistake("/limits/minimum_intersection", "99", .valueOutOfRange),
        Mistake("/limits/minimum_key_bits", "1024", .valueOutOfRange),
        Mistake("/limits/exposure_percent", "null", .missingKey, at: "/limits/exposure_note"),
        Mistake("/limits/exposure_percent", "101", .valueOutOfRange),
        Mistake("/limits/exposure_note", #""why""#, .unknownKey),
        Mistake("/limits/dominance_share", "0", .valueOutOfRange),
        Mistake("/limits/minimum_row", "1", .unknownKey),
    ])
    func mistake(_ mistake: Mistake) {
        let found = faultsOfContract(Documents.contract.setting(mistake.change, to: mistake.value))
        #expect(found.map(\.code) == [mistake.code])
        #expect(found.map(\.place) == [mistake.place])
    }

    @Test("a party or a person is known by its former key until its time is over, and by its present one at any time")
    func formerPins() throws {
        let until = "2027-01-31T00:00:00Z", seconds = 1_801_353_600
        let document = Documents.contract.setting("/parties/1/former_pin", to: .text(Documents.pin("7")))
            .setting("/parties/1/former_pin_until", to: .text(until)).setting("/amends", to: .text(Documents.pin("8")))
        let contract = try Contract.parse(document.bytes)
        #expect(contract.amends == Array(repeating: 0x88, count: 32) && contract.parties[1].formerPin?.untilUnixSeconds == seconds)
        for (pin, now, name) in [(0x22, 0, "bank"), (0x22, seconds, "bank"), (0x77, seconds - 1, "bank"), (0x77, seconds, nil), (0x88, 0, nil)] as [(UInt8, Int, String?)] {
            #expect(contract.parties.first { $0.pins(atUnixSeconds: now).contains(Array(repeating: pin, count: 32)) }?.name == name)
        }
        let people = try Contract.parse(Documents.contract.setting("/people/0/former_pin", to: .text(Documents.pin("7")))
            .setting("/people/0/former_pin_until", to: .text(until)).bytes)
        for (now, isKnown) in [(seconds - 1, true), (seconds, false)] {
            #expect(people.people.contains { $0.pins(atUnixSeconds: now).contains(Array(repeating: 0x77, count: 32)) } == isKnown)
        }
        for wrong in ["2027-01-31", "2027-01-31T00:00:00+01:00", "2027-02-30T00:00:00Z", "2027-01-31T00:00:00.5Z", "tomorrow", ""] {
            #expect(faultsOfContract(document.setting("/parties/1/former_pin_until", to: .text(wrong))).map(\.place) == ["/parties/1/former_pin_until"], "\(wrong)")
        }
        // A key stands for one party alone, in whatever place.
        #expect(faultsOfContract(document.setting("/parties/1/former_pin", to: .text(Documents.pin("1")))).map(\.code) == [.duplicateName])
    }

    @Test("exactly one arbiter, at least one bank and one platform")
    func roles() {
        for (index, role) in [(0, "platform"), (2, "arbiter")] {
            let found = faultsOfContract(Documents.contract.setting("/parties/\(index)/role", to: .text(role)))
            #expect(found.map(\.place) == ["/parties"])
        }
    }

    @Test("a specification within the contract has no fault")
    func fitting() throws {
        let contract = try Contract.parse(Documents.contract.bytes)
        #expect(contract.check(try JobSpecification.parse(Documents.train.bytes)).isEmpty)
        #expect(contract.check(try JobSpecification.parse(Documents.score.bytes)).isEmpty)
    }

    @Test("a specification beyond the contract has a fault for each overstepping", arguments: [
        Mistake("/parties/bank", #""other""#, .unknownParty),
        Mistake("/parties/bank", #""platform""#, .unknownParty),
        Mistake("/parties/platform", #""arbiter""#, .unknownParty),
        Mistake("/population/minimum_intersection", "999", .valueOutOfRange),
        Mistake("/training/key_bits", "1792", .keyBitsNotAllowed),
        Mistake("/training/maximum_rounds", "41", .valueOutOfRange),
    ])
    func overstepping(_ mistake: Mistake) throws {
        let contract = try Contract.parse(Documents.contract.bytes)
        let specification = try JobSpecification.parse(Documents.train.setting(mistake.change, to: mistake.value).bytes)
        let found = contract.check(specification)
        #expect(found.map(\.code) == [mistake.code])
        #expect(found.map(\.place) == [mistake.place])
        #expect(found.allSatisfy { !$0.lines(.en).contains("{") && !$0.lines(.zh).contains("{") })
    }

    @Test("a node's configuration has its paths joined and its defaults filled in")
    func node() throws {
        let node = try NodeConfiguration.parse(Documents.node.bytes, directory: "/lab", role: .platform)
        #expect([node.contract, node.authority, node.certificate, node.privateKey, node.ledgerKey, node.dataDirectory] == [
            "/lab/contract.json", "/etc/authority.pem", "/lab/tls/own.pem", "/lab/tls/own.key", "/lab/ledger.key", "/lab/data",
        ])
        #expect(node.listen == Endpoint(host: "0.0.0.0", port: 7003))
        #expect(node.datasets.mapValues(\.path) == ["main": "/lab/platform.csv"])
        #expect(node.retention == .all && node.ledgerBytes == nil && node.approval == .automatic && node.logLevel == .info)
    }

    @Test("retention is a word or an object with lifetimes; a storage key is a file, a variable or a command")
    func keeping() throws {
        func node(_ key: String, _ value: String) throws -> NodeConfiguration {
            try NodeConfiguration.parse(Documents.node.setting(key, to: JSONValue(value)).bytes, directory: "/lab", role: .platform)
        }
        let word = try node("/retention", #""inbound""#)
        #expect(word.retention == .inbound && !word.lifetimes.isLimited)
        let days = try node("/retention", #"{"payload_days": 0, "result_days": 365}"#)
        #expect(days.retention == .all && days.lifetimes == .init(payloadDays: 0, identifierDays: nil, resultDays: 365))
        #expect(try node("/storage_key", #"{"file": "key"}"#).storageKey == .file("/lab/key"))
        #expect(try node("/storage_key", #"{"environment": "KEY"}"#).storageKey == .environment("KEY"))
        #expect(try node("/storage_key", #"{"command": ["/bin/vault", "get"]}"#).storageKey == .command(["/bin/vault", "get"]))
    }

    @Test("a data set is a text file in UTF-8 with commas unless it says otherwise, or a table of a database")
    func datasets() throws {
        func read(_ dataset: String) throws -> NodeConfiguration.Dataset? {
            let document = Documents.node.setting("/datasets/main", to: JSONValue(dataset))
            return try NodeConfiguration.parse(document.bytes, directory: "/lab", role: .platform).datasets["main"]
        }
        #expect(try read(#"{"path": "a.csv"}"#) == .init(path: "/lab/a.csv", encoding: .utf8, separator: .comma, defects: .drop))
        #expect(try read(#"{"path": "a.csv", "encoding": "gb18030", "separator": "tab", "defects": "refuse"}"#)
            == .init(path: "/lab/a.csv", encoding: .gb18030, separator: .tab, defects: .refuse))
        #expect(try read(#"{"path": "a.db", "table": "客户 2026"}"#) == .init(path: "/lab/a.db", table: "客户 2026"))
    }

    @Test("each role has its own keys")
    func nodeRoles() {
        let bank = Documents.node.setting("/listen", to: nil)
        let arbiter = Documents.node.setting("/datasets", to: nil)
        #expect(faultsOfNode(bank, .bank).isEmpty)
        #expect(faultsOfNode(arbiter, .arbiter).isEmpty)
        #expect(faultsOfNode(Documents.node, .bank).map(\.place) == ["/listen"])
        #expect(faultsOfNode(bank, .platform).map(\.place) == ["/listen"])
        #expect(faultsOfNode(Documents.node, .arbiter).map(\.place) == ["/datasets"])
        #expect(faultsOfNode(arbiter, .platform).map(\.place) == ["/datasets"])
        #expect(faultsOfNode(arbiter.setting("/retention", to: .text("inbound")), .arbiter).map(\.place) == ["/retention"])
    }

    @Test("a mistake in a node's configuration has one fault, at its place", arguments: [
        Mistake("/approve", #""by_hand""#, .unknownChoice),
        Mistake("/approve", #"{"maximum_rounds": 0}"#, .valueOutOfRange, at: "/approve/maximum_rounds"),
        Mistake("/log_level", #""loud""#, .unknownChoice),
        Mistake("/log_format", #""xml""#, .unknownChoice),
        Mistake("/monitor", #""0.0.0.0:9464""#, .wrongType),
        Mistake("/retention", #""none""#, .unknownChoice),
        Mistake("/retention", #"{"payload_days": -1}"#, .valueOutOfRange, at: "/retention/payload_days"),
        Mistake("/retention", #"{"payloads": "some"}"#, .unknownChoice, at: "/retention/payloads"),
        Mistake("/datasets/main", #"{"path": "a", "id": "u", "tables": {"t": {"call": ["x"], "fields": {"JN-04/vat_paid_12m": "v"}}}}"#, .wrongType,
                at: "/datasets/main/tables/t/call/0"),
        Mistake("/datasets/main", #"{"path": "a", "id": "u", "tables": {"t": {"call": ["/x"], "path": "b", "fields": {"JN-04/vat_paid_12m": "v"}}}}"#, .unknownKey,
                at: "/datasets/main/tables/t/path"),
        Mistake("/storage_key", "{}", .wrongType),
        Mistake("/storage_key", #"{"file": "a", "environment": "B"}"#, .wrongType),
        Mistake("/storage_key", #"{"command": ["vault"]}"#, .wrongType, at: "/storage_key/command/0"),
        Mistake("/ledger", #"{"disk_limit": 0}"#, .valueOutOfRange, at: "/ledger/disk_limit"),
        Mistake("/ledger", #"{"disk": 1}"#, .unknownKey, at: "/ledger/disk"),
        Mistake("/datasets", "{}", .wrongType),
        Mistake("/datasets/a b", #"{"path": "x"}"#, .wrongType),
        Mistake("/datasets/main", #""x""#, .wrongType),
        Mistake("/datasets/main/file", #""x""#, .unknownKey),
        Mistake("/datasets/main/encoding", #""gbk""#, .unknownChoice),
        Mistake("/datasets/main/separator", #""|""#, .unknownChoice),
        Mistake("/datasets/main/defects", "true", .wrongType),
        Mistake("/datasets/main/table", #""""#, .wrongType),
        Mistake("/datasets/main", #"{"path": "a.db", "table": "t", "encoding": "utf-8"}"#, .unknownKey, at: "/datasets/main/encoding"),
        Mistake("/private_key", nil, .missingKey),
        Mistake("/data_directory", #""""#, .wrongType),
        Mistake("/data_dir", #""x""#, .unknownKey),
    ])
    func nodeMistake(_ mistake: Mistake) {
        let found = faultsOfNode(Documents.node.setting(mistake.change, to: mistake.value), .platform)
        #expect(found.map(\.code) == [mistake.code])
        #expect(found.map(\.place) == [mistake.place])
    }

    @Test("a person's configuration is read")
    func person() throws {
        let person = try PersonConfiguration.parse(Documents.person.bytes, directory: "people")
        #expect(person.name == "li" && person.privateKey == "people/li.key")
        #expect(throws: FaultList.self) {
            try PersonConfiguration.parse(Documents.person.setting("/listen", to: .text("x")).bytes, directory: "")
        }
    }
}
