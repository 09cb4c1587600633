import Faults
import Jobs
import Testing

@Suite("Descriptions of data") struct DescriptionTests {
    private static let bank = DataDescription(rows: 12_000, columns: [
        .init(name: "id", type: .text), .init(name: "y", type: .flag), .init(name: "a", type: .number), .init(name: "industry", type: .category),
    ])
    private static let platform = DataDescription(rows: 9_000, columns: [.init(name: "key", type: .text), .init(name: "b", type: .number)])

    static func publications() -> [String: Publication] {
        ["bank": Publication(party: "bank", datasets: ["main": bank], approval: .manual, machine: nil),
         "platform": Publication(party: "platform", datasets: ["main": platform], approval: .automatic, machine: nil)]
    }

    private func found(_ change: (JSONValue) -> JSONValue) -> [Fault] {
        JobSpecification.examine(change(Documents.train).bytes, contract: nil, publications: Self.publications())
    }

    @Test("a publication is read back as it was written, and holds nothing but names, types and counts")
    func roundTrip() throws {
        let speed = MachineSpeed(keyBits: 2048, key: 1, encryption: 2, loading: 3, combination: 4, bucket: 5, publicEncryption: 6, decryption: 7,
                                 blinding: 8, doubling: 9, checking: 10, mebibyte: 11)
        let machine = MachineDescription(cores: 4, freeMebibytes: 100, retention: .inbound, host: String(repeating: "a", count: 32), speeds: [speed])
        var publication = try #require(Self.publications()["bank"])
        publication.machine = machine
        for approval in [NodeConfiguration.Approval.automatic, .manual] {
            publication.approval = approval
            #expect(try Publication.parse(publication.json.bytes) == publication)
        }
        #expect(try Publication.parseAll(Publication.json(of: [publication]).bytes) == [publication])
        #expect(publication.json["datasets"]?["main"]?.members.keys.sorted() == ["columns", "rows"])
        for column in publication.json["datasets"]?["main"]?["columns"]?.elements ?? [] { #expect(column.members.keys.sorted() == ["name", "type"]) }
    }

    @Test("the types stand below one another, whatever the names are written in")
    func alignedTypes() {
        let description = DataDescription(rows: 3, columns: [
            .init(name: "uscc", type: .text), .init(name: "注册资本", type: .number), .init(name: "近12月，纳税额", type: .number), .init(name: "e\u{301}té", type: .flag),
        ])
        #expect(description.lines("main", .en) == [
            "main: 3 rows, 4 columns",
            "  uscc            text",
            "  注册资本        number",
            "  近12月，纳税额  number",
            "  e\u{301}té             flag",
        ])
    }

    @Test("a publication with a hidden character, another type or a further key is refused", arguments: [
        ("/datasets/main/columns/0/name", "\"a\u{202E}b\""), ("/datasets/main/columns/0/name", #""""#), ("/datasets/main/columns/0/type", #""date""#),
        ("/datasets/main/columns/0/minimum", "1"), ("/datasets/main/rows", "-1"), ("/datasets/a b", #"{"rows": 1, "columns": []}"#), ("/version", "2"),
        ("/approve", #""sometimes""#), ("/machine", #"{"cores": 1}"#),
    ])
    func hostile(pointer: String, value: String) throws {
        let document = try #require(Self.publications()["bank"]).json.setting(pointer, to: JSONValue(value))
        #expect(throws: FaultList.self) { try Publication.parse(document.bytes) }
    }

    @Test("a specification that fits the descriptions has no fault")
    func fits() {
        #expect(found { $0 } == [])
    }

    @Test("a column that nobody has is told with its place and the nearest name, together with every other error")
    func columns() {
        let faults = found {
            $0.setting("/features/bank", to: JSONValue(#"["a", "industri", {"column": "industry", "type": "category"}]"#))
                .setting("/label/column", to: .text("z")).setting("/training/degree", to: .number("99")).setting("/kid", to: .text("x"))
        }
        #expect(faults.map(\.code) == [.valueOutOfRange, .unknownKey, .unknownColumn, .unknownColumn])
        #expect(faults.map(\.place) == ["/training/degree", "/kid", "/label/column", "/features/bank/1"])
        #expect(faults.last?.hint.en == "did you mean 'industry'?" && faults.last?.hint.zh.contains("industry") == true)
        for fault in faults { for language in Language.allCases { #expect(!fault.lines(language).contains("{")) } }
    }

    @Test("of hundreds of unknown columns a hundred are told, and twenty with the nearest name")
    func manyColumns() {
        let names = (0..<400).map { JSONValue.text("industri" + String(36 + $0, radix: 36)) }
        let faults = found { $0.setting("/features/bank", to: .array(names)) }
        #expect(faults.count == 100 && faults.allSatisfy { $0.code == .unknownColumn })
        #expect(faults.count { $0.hint.en == "did you mean 'industry'?" } == 20)
    }

    @Test("a document whose canonical form is too long for an offer is refused by every reader of specifications")
    func canonicalLength() throws {
        let name = String(repeating: "\u{20000}", count: 124)
        let fields = JSONValue.array([JSONValue](repeating: .text("JN-14/is_national_high_tech"), count: 50))
        let wide = (0..<500).map { JSONValue.object(["column": .text("\(1000 + $0)\(name)"), "derive": .object(["count_true": fields])]) }
        let document = Documents.train.setting("/features/platform", to: .array(wide))
        #expect(document.bytes.count < JSONValue.maximumSizeBytes)
        let parsed = JobsTests.faults(of: document), examined = JobSpecification.examine(document.bytes, contract: nil, publications: [:])
        #expect(parsed.map(\.code) == [.wrongType] && parsed.first?.place == "specification" && examined == parsed)
        #expect(parsed.first?.message.en.contains("\(JobSpecification.maximumCanonicalBytes) bytes") == true)
    }

    @Test("what one fault leaves open is not judged a second time")
    func once() {
        let faults = found { $0.setting("/features", to: nil).setting("/data", to: JSONValue(#"{"bank": 1}"#)) }
        #expect(faults.map(\.place) == ["/data/bank", "/features"])
    }

    @Test("types that cannot be read, and data sets that are not published, are told", arguments: [
        ("/features/bank/0", #""industry""#, Fault.Code.columnTypeDiffers), ("/features/bank/0", #"{"column": "a", "type": "flag"}"#, .columnTypeDiffers),
        ("/data", #"{"bank": "mian"}"#, .notDescribed), ("/population/platform_id", #""kye""#, .unknownColumn),
    ])
    func kinds(pointer: String, value: String, code: Fault.Code) {
        #expect(found { $0.setting(pointer, to: JSONValue(value)) }.map(\.code) == [code])
    }

    @Test("a word that is none of the choices is told with the nearest one")
    func choice() {
        let faults = found { $0.setting("/features/bank/0", to: JSONValue(#"{"column": "industry", "type": "categroy"}"#)) }
        #expect(faults.map(\.code) == [.unknownChoice] && faults.first?.hint.en == "did you mean 'category'?")
    }
}
