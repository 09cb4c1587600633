import Faults
import Jobs
import Testing

@Suite("Specifications are read strictly")
struct SpecificationTests {
    @Test("defaults are filled in")
    func defaults() throws {
        let specification = try JobSpecification.parse(Documents.train.bytes)
        #expect(specification.kind == .train)
        #expect(specification.scoring == nil)
        #expect([specification.data.bank, specification.data.platform] == ["main", "main"])
        #expect(specification.population.minimumIntersection == 1000)
        let training = try #require(specification.training)
        #expect(training.label.bad == "1" && training.label.good == "0")
        #expect(training.split == .init(share: 0.7, seed: 1))
        #expect(training.settings == .init(
            keyBits: 2048, l2: 1e-4, degree: 4, range: 4, maximumRounds: 40, tolerance: 1e-3, history: 8))
        let feature = try #require(training.features.bank.first)
        #expect(feature == .init(column: "a", type: .number, missing: .indicator))
        #expect(feature.cap == nil && !feature.log1p && feature.clip == 4 && feature.minimumCount == 50)
    }

    @Test("every key reaches its place")
    func everyKey() throws {
        let document = Documents.train.setting("/features/platform", to: JSONValue("""
            [{"column": "n", "type": "number", "cap": [-1.5, 2], "log1p": true, "clip": 3, "missing": "mean"},
             {"column": "类别", "type": "category", "minimum_count": 75, "missing": "refuse"}, {"column": "f", "type": "flag"}]
            """))
            .setting("/training", to: JSONValue("""
            {"key_bits": 3072, "l2": 0.5, "degree": 6, "range": 5, "maximum_rounds": 7, "tolerance": 0.0005, "history": 12}
            """))
            .setting("/split", to: JSONValue(#"{"share": 1, "seed": 9007199254740991}"#))
            .setting("/data", to: JSONValue(#"{"bank": "x", "platform": "y"}"#))
            .setting("/label", to: JSONValue(#"{"column": "结果", "bad": "坏", "good": "好"}"#))
            .setting("/$schema", to: .text("../specification.schema.json"))
        let specification = try JobSpecification.parse(document.bytes)
        let training = try #require(specification.training)
        #expect(training.settings == .init(
            keyBits: 3072, l2: 0.5, degree: 6, range: 5, maximumRounds: 7, tolerance: 0.0005, history: 12))
        #expect(training.split == .init(share: 1, seed: 1 << 53 - 1))
        #expect([specification.data.bank, specification.data.platform] == ["x", "y"])
        #expect([training.label.column, training.label.bad, training.label.good] == ["结果", "坏", "好"])
        let features = training.features.platform
        #expect(features.map(\.column) == ["n", "类别", "f"])
        #expect(features.map(\.type) == [.number, .category, .flag])
        #expect(features.map(\.missing) == [.mean, .refuse, .indicator])
        #expect(features.map(\.cap) == [[-1.5, 2], nil, nil])
        #expect(features.map(\.log1p) == [true, false, false])
        #expect(features.map(\.clip) == [3, nil, nil])
        #expect(features.map(\.minimumCount) == [50, 75, 50])
        #expect(try JobSpecification.parse(Array(specification.canonicalJSON().utf8)) == specification)
    }

    @Test("a scoring job names its model and nothing of training")
    func score() throws {
        let specification = try JobSpecification.parse(Documents.score.bytes)
        #expect(specification.kind == .score && specification.training == nil)
        #expect(specification.scoring?.model == "0123456789abcdef0123456789abcdef")
        for key in ["label", "features", "split", "training"] {
            let found = faults(of: Documents.score.setting("/\(key)", to: .object([:])))
            #expect(found.map(\.code) == [.unknownKey] && found.map(\.place) == ["/\(key)"])
            #expect(found.first?.hint.en.contains("kind 'train'") == true)
        }
        #expect(faults(of: Documents.score.setting("/model", to: nil)).map(\.place) == ["/model"])
        #expect(faults(of: Documents.score.setting("/model", to: .text("ABC"))).map(\.code) == [.wrongType])
    }

    @Test("equal requests have equal canonical texts, and the text has every default")
    func canonical() throws {
        let short = try JobSpecification.parse(Documents.train.bytes)
        let long = Documents.train.setting("/kind", to: .text("train")).setting("/training/l2", to: .number("1.0E-4"))
            .setting("/split/share", to: .number("0.70")).setting("/features/bank/0", to: JSONValue(#"{"column": "a", "clip": 4.0}"#))
        #expect(try JobSpecification.parse(long.bytes).canonicalJSON() == short.canonicalJSON())
        #expect(short.canonicalJSON() == #"{"data":{"bank":"main","platform":"main"},"#
            + #""features":{"bank":[{"clip":4,"column":"a","log1p":false,"missing":"indicator","type":"number"}],"#
            + #""platform":[{"clip":4,"column":"b","log1p":false,"missing":"indicator","type":"number"}]},"#
            + #""kind":"train","label":{"bad":"1","column":"y","good":"0"},"name":"first","#
            + #""parties":{"bank":"bank","platform":"platform"},"#
            + #""population":{"bank_id":"id","id_type":"text","minimum_intersection":1000,"platform_id":"key"},"#
            + #""purpose":{"code":"test","statement":"a test"},"split":{"seed":1,"share":0.7},"#
            + #""training":{"degree":4,"history":8,"key_bits":2048,"l2":0.0001,"maximum_rounds":40,"range":4,"tolerance":0.001},"#
            + #""version":1}"#)
        let score = try JobSpecification.parse(Documents.score.bytes)
        #expect(try JobSpecification.parse(Array(score.canonicalJSON().utf8)) == score)
    }

    @Test("a mistake has one fault, at its place", arguments: mistakes)
    func mistake(_ mistake: Mistake) {
        let found = faults(of: Documents.train.setting(mistake.change, to: mistake.value))
        #expect(found.map(\.code) == [mistake.code])
        #expect(found.map(\.place) == [mistake.place])
        for fault in found {
            for language in Language.allCases { #expect(!fault.lines(language).contains("{")) }
        }
    }

    static let mistakes = [
        Mistake("/version", nil, .missingKey),
        Mistake("/version", "2", .valueOutOfRange),
        Mistake("/version", #""1""#, .wrongType),
        Mistake("/name", nil, .missingKey),
        Mistake("/name", #""two words""#, .wrongType),
        Mistake("/name", #""""#, .wrongType),
        Mistake("/name", "\"\(String(repeating: "x", count: 65))\"", .wrongType),
        Mistake("/kind", #""predict""#, .unknownChoice),
        Mistake("/kind", "1", .wrongType),
        Mistake("/model", #""0123456789abcdef0123456789abcdef""#, .unknownKey),
        Mistake("/purpose", nil, .missingKey),
        Mistake("/purpose", "[]", .wrongType),
        Mistake("/purpose/code", nil, .missingKey),
        Mistake("/purpose/statement", nil, .missingKey),
        Mistake("/purpose/statement", #""""#, .wrongType),
        Mistake("/purpose/statement", "\"\(String(repeating: "句", count: 501))\"", .wrongType),
        Mistake("/purpose/statement", #""a\u0007b""#, .wrongType),
        Mistake("/parties", nil, .missingKey),
        Mistake("/parties/arbiter", #""a""#, .unknownKey),
        Mistake("/parties/bank", nil, .missingKey),
        Mistake("/data/bank", #""bank.csv/../x""#, .wrongType),
        Mistake("/population", nil, .missingKey),
        Mistake("/population/id_type", #""email""#, .unknownChoice),
        Mistake("/population/bank_id", "7", .wrongType),
        Mistake("/population/minimum_intersection", "99", .valueOutOfRange),
        Mistake("/population/minimum_intersection", "1000.5", .wrongType),
        Mistake("/population/expected_common", "0", .valueOutOfRange),
        Mistake("/label", nil, .missingKey),
        Mistake("/label/column", nil, .missingKey),
        Mistake("/label/bad", "1", .wrongType),
        Mistake("/label/good", #""1""#, .duplicateName, isOfSchema: false),
        Mistake("/label/column", #""id""#, .duplicateName, isOfSchema: false),
        Mistake("/features", nil, .missingKey),
        Mistake("/features/platform", nil, .missingKey),
        Mistake("/features/bank", "[]", .wrongType),
        Mistake("/features/bank", #""a""#, .wrongType),
        Mistake("/features/bank/0", "1", .wrongType),
        Mistake("/features/bank/0", #""""#, .wrongType),
        Mistake("/features/bank/0", #""y""#, .duplicateName, isOfSchema: false),
        Mistake("/features/bank/0", #""id""#, .duplicateName, isOfSchema: false),
        Mistake("/features/platform/0", #""key""#, .duplicateName, isOfSchema: false),
        Mistake("/features/bank/1", #""a""#, .duplicateName, isOfSchema: false),
        Mistake("/features/bank/1", #"{"column": "a"}"#, .duplicateName, at: "/features/bank/1/column", isOfSchema: false),
        Mistake("/features/bank/0", "{}", .missingKey, at: "/features/bank/0/column"),
        Mistake("/features/bank/1", #"{"column": "c", "type": "text"}"#, .unknownChoice, at: "/features/bank/1/type"),
        Mistake("/features/bank/1", #"{"column": "c", "cap": [1, 1]}"#, .wrongType, at: "/features/bank/1/cap", isOfSchema: false),
        Mistake("/features/bank/1", #"{"column": "c", "cap": [1]}"#, .wrongType, at: "/features/bank/1/cap"),
        Mistake("/features/bank/1", #"{"column": "c", "cap": [0, "4"]}"#, .wrongType, at: "/features/bank/1/cap/1"),
        Mistake("/features/bank/1", #"{"column": "c", "cap": [0, 1e16]}"#, .valueOutOfRange, at: "/features/bank/1/cap/1"),
        Mistake("/features/bank/1", #"{"column": "c", "type": "flag", "cap": [0, 1]}"#, .unknownKey, at: "/features/bank/1/cap"),
        Mistake("/features/bank/1", #"{"column": "c", "type": "category", "clip": 3}"#, .unknownKey, at: "/features/bank/1/clip"),
        Mistake("/features/bank/1", #"{"column": "c", "type": "category", "log1p": true}"#, .unknownKey, at: "/features/bank/1/log1p"),
        Mistake("/features/bank/1", #"{"column": "c", "minimum_count": 60}"#, .unknownKey, at: "/features/bank/1/minimum_count"),
        Mistake("/features/bank/1", #"{"column": "c", "type": "category", "minimum_count": 49}"#, .valueOutOfRange, at: "/features/bank/1/minimum_count"),
        Mistake("/features/bank/1", #"{"column": "c", "clip": null}"#, .wrongType, at: "/features/bank/1/clip"),
        Mistake("/features/bank/1", #"{"column": "c", "log1p": 1}"#, .wrongType, at: "/features/bank/1/log1p"),
        Mistake("/features/bank/1", #"{"column": "c", "missing": "drop"}"#, .unknownChoice, at: "/features/bank/1/missing"),
        Mistake("/features/arbiter", "[]", .unknownKey),
        Mistake("/split/share", "1.01", .valueOutOfRange),
        Mistake("/split/seed", "-1", .valueOutOfRange),
        Mistake("/split/seed", "9007199254740992", .valueOutOfRange),
        Mistake("/training", "null", .wrongType),
        Mistake("/training/l3", "1", .unknownKey),
        Mistake("/training/key_bits", "2049", .valueOutOfRange),
        Mistake("/training/key_bits", "99999999999999999999", .valueOutOfRange),
        Mistake("/training/l2", #""0.1""#, .wrongType),
        Mistake("/training/maximum_rounds", "0", .valueOutOfRange),
        Mistake("/a~1b", "1", .unknownKey),
        Mistake("/$schema", "1", .wrongType),
    ]

    @Test("a whole number is written without fraction and exponent", arguments: ["4.0", "4e0", "40E-1"])
    func wholeNumbers(lexeme: String) {
        // The canonical text of the other tests would hide the difference.
        let text = Documents.train.setting("/training/degree", to: .text("?")).canonicalText()
        let found = refusal(of: Array(text.replacing(#""?""#, with: lexeme).utf8))?.faults
        #expect(found?.map(\.code) == [.wrongType])
        #expect(found?.map(\.place) == ["/training/degree"])
    }

    @Test("all mistakes of a document are reported, each once")
    func collected() {
        let document = Documents.train.setting("/nam", to: .text("x")).setting("/name", to: nil)
            .setting("/purpose", to: nil).setting("/training", to: JSONValue(#"{"l3": 1, "degree": 9, "history": "8"}"#))
            .setting("/features/bank", to: JSONValue(#"["a", "a", {"colum": "b"}]"#))
        let found = faults(of: document)
        #expect(Set(found.map { "\($0.code) \($0.place)" }) == [
            "missingKey /name", "unknownKey /nam", "missingKey /purpose", "unknownKey /training/l3",
            "valueOutOfRange /training/degree", "wrongType /training/history", "duplicateName /features/bank/1",
            "missingKey /features/bank/2/column", "unknownKey /features/bank/2/colum",
        ])
        #expect(found.count == 9)
    }

    @Test("an unknown key names the nearest known one, or all of them", arguments: [
        ("l3", "did you mean 'l2'?"), ("keyBits", "did you mean 'key_bits'?"), ("degre", "did you mean 'degree'?"),
        ("tolerence", "did you mean 'tolerance'?"), ("max_rounds", "did you mean 'maximum_rounds'?"),
        ("colour", "the keys known here: key_bits, l2, degree, range, maximum_rounds, tolerance, history"),
    ])
    func hints(key: String, hint: String) {
        let found = faults(of: Documents.train.setting("/training/\(key)", to: .number("1")))
        #expect(found.map(\.place) == ["/training/\(key)"])
        #expect(found.first?.hint.en == hint)
        #expect(found.first?.arguments.first == key)
    }

    @Test("faults show neither long nor control characters of the document, and no more than a hundred")
    func hostile() {
        let found = faults(of: Documents.train.setting("/\u{1B}[31m\u{202E}\(String(repeating: "x", count: 500))", to: .null))
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.place.unicodeScalars.count <= 66 && !$0.place.unicodeScalars.contains("\u{1B}") })
        #expect(found.allSatisfy { !$0.lines(.en).unicodeScalars.contains("\u{202E}") })
        let many = JSONValue.object(Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("k\($0)", .null) }))
        #expect(faults(of: many).count == 100)
    }

    @Test("faults of the whole document have the document's name, and can be located in a file")
    func located() {
        #expect(faults(of: .array([])).map(\.place) == ["specification"])
        #expect(refusal(of: [])?.located(in: "a.json").faults.map(\.place) == ["a.json"])
        let misspelt = refusal(of: Documents.train.setting("/training/l3", to: .null).bytes)
        #expect(misspelt?.located(in: "a.json").faults.map(\.place) == ["a.json#/training/l3"])
    }
}
