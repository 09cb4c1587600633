import Faults
import Foundation
import Jobs
import Testing

/// The schema is read by people and editors, the parser by nodes: neither may know what the other does not.
@Suite("Schema, parser and examples agree")
struct SchemaTests {
    let schema: JSONValue

    init() throws { schema = try Repository.json("Protocols/specification.schema.json") }

    /// An object of the schema, and a document in which it stands at `place`.
    struct Place {
        let place: String
        let schema: JSONValue
        let document: JSONValue
        /// Keys that only the other kind of document has.
        let foreign: Set<String>
    }

    func definition(_ name: String) throws -> JSONValue { try #require(schema["$defs"]?[name]) }

    /// Every object schema at the places where documents can have it.
    func places() throws -> [Place] {
        func typed(_ type: String) -> JSONValue {
            Documents.train.setting("/features/bank/0", to: JSONValue(#"{"column": "a", "type": "\#(type)"}"#))
        }
        let feature = try definition("feature")
        let numbersOnly: Set = ["cap", "log1p", "clip"]
        var places = [
            Place(place: "", schema: schema, document: Documents.train, foreign: ["model", "reveal", "within"]),
            Place(place: "", schema: schema, document: Documents.score, foreign: ["label", "features", "split", "training", "reveal", "within"]),
            Place(place: "", schema: schema, document: Documents.align, foreign: ["label", "features", "split", "training", "model"]),
            Place(place: "/features/bank/0", schema: feature, document: typed("number"), foreign: ["minimum_count"]),
            Place(place: "/features/bank/0", schema: feature, document: typed("category"), foreign: numbersOnly),
            Place(place: "/features/bank/0", schema: feature, document: typed("flag"),
                foreign: numbersOnly.union(["minimum_count"])),
        ]
        for (key, member) in try #require(schema["properties"]).members where member["type"]?.text == "object" {
            places.append(Place(place: "/\(key)", schema: member, document: Documents.train, foreign: []))
        }
        return places
    }

    /// The schema of a property with its `$ref` followed.
    func resolved(_ property: JSONValue) throws -> JSONValue {
        guard let reference = property["$ref"]?.text else { return property }
        let target = try resolved(try definition(String(reference.dropFirst("#/$defs/".count))))
        return .object(target.members.merging(property.members) { $1 })
    }

    @Test("both know the same keys")
    func keys() throws {
        let probe = "quite_another_key"
        var objectCount = 0
        for place in try places() {
            let found = faults(of: place.document.setting("\(place.place)/\(probe)", to: .null))
            let fault = try #require(found.first { $0.place == "\(place.place)/\(probe)" })
            let list = try #require(fault.hint.en.split(separator: ": ").last)
            let known = Set(list.split(separator: ", ").map(String.init))
            #expect(known == Set(try #require(place.schema["properties"]).members.keys).subtracting(place.foreign))
            #expect(place.schema["additionalProperties"] == .bool(false))
            objectCount += 1
        }
        #expect(objectCount == 14)
    }

    @Test("both require the same keys")
    func required() throws {
        for place in try places() {
            var required = Set(place.schema["required"]?.elements.compactMap(\.text) ?? [])
            if place.place.isEmpty {
                let branch = !place.foreign.contains("model") ? schema["then"]
                    : place.foreign.contains("label") ? schema["else"]?["then"] : schema["else"]?["else"]
                required.formUnion(branch?["required"]?.elements.compactMap(\.text) ?? [])
            }
            for key in try #require(place.schema["properties"]).members.keys {
                let found = faults(of: place.document.setting("\(place.place)/\(key)", to: nil))
                #expect(found.contains { $0.code == .missingKey && $0.place == "\(place.place)/\(key)" } == required.contains(key))
            }
        }
    }

    @Test("both have the same defaults")
    func defaults() throws {
        var count = 0
        for place in try places() {
            let plain = try JobSpecification.parse(place.document.setting("\(place.place)/nothing", to: nil).bytes)
            for (key, property) in try #require(place.schema["properties"]).members where !place.foreign.contains(key) {
                guard let standard = try resolved(property)["default"], place.document[key] == nil, key != "type" else { continue }
                let written = try JobSpecification.parse(place.document.setting("\(place.place)/\(key)", to: standard).bytes)
                #expect(written == plain, "\(place.place)/\(key)")
                count += 1
            }
        }
        #expect(count == 22)
    }

    @Test("both draw the same bounds of numbers")
    func bounds() throws {
        var count = 0
        for place in try places() {
            for (key, property) in try #require(place.schema["properties"]).members where !place.foreign.contains(key) {
                guard let low = property["minimum"]?.number, let high = property["maximum"]?.number else { continue }
                let step = property["multipleOf"]?.number ?? (property["type"]?.text == "integer" ? 1 : low.ulp)
                let position = "\(place.place)/\(key)"
                for (value, isInside) in [(low, true), (high, true), (low - step, false), (high + max(step, high.ulp), false)] {
                    let found = faults(of: place.document.setting(position, to: .real(value)))
                    #expect(found.map(\.place) == (isInside ? [] : [position]), "\(value)")
                    #expect(found.allSatisfy { $0.code == .valueOutOfRange })
                }
                count += 1
            }
        }
        #expect(count >= 14)
    }

    @Test("both have the same words to choose from")
    func choices() throws {
        for place in try places() {
            for (key, property) in try #require(place.schema["properties"]).members where !place.foreign.contains(key) {
                guard let words = property["enum"]?.elements.compactMap(\.text) else { continue }
                let found = faults(of: place.document.setting("\(place.place)/\(key)", to: .text("?")))
                let fault = try #require(found.first { $0.place == "\(place.place)/\(key)" })
                #expect(fault.arguments.count == 4 && fault.arguments[1] == words.joined(separator: " | "))
            }
        }
    }

    @Test("the limits of texts and lists agree")
    func lengths() throws {
        for place in try places() {
            for (key, property) in try #require(place.schema["properties"]).members where !place.foreign.contains(key) {
                let property = try resolved(property)
                let position = "\(place.place)/\(key)"
                if let low = property["minLength"]?.number, let high = property["maxLength"]?.number {
                    // Two UTF-16 code units each: both count code points.
                    for (length, isInside) in [(low, true), (high, true), (low - 1, false), (high + 1, false)] {
                        let text = String(repeating: "𠀀", count: Int(length))
                        #expect(faults(of: place.document.setting(position, to: .text(text))).isEmpty == isInside)
                    }
                }
                if let low = property["minItems"]?.number, let high = property["maxItems"]?.number, position.hasPrefix("/features/p") || key == "bank" {
                    for (length, isInside) in [(low, true), (high, true), (low - 1, false), (high + 1, false)] {
                        let list = (0..<Int(length)).map { JSONValue.text("c\($0)") }
                        #expect(faults(of: place.document.setting(position, to: .array(list))).isEmpty == isInside)
                    }
                }
            }
        }
    }

    @Test("examples are read and come back from their canonical texts", arguments: Repository.examples)
    func examples(name: String) throws {
        let specification = try JobSpecification.parse(try Repository.example(name))
        #expect(specification.name == name)
        #expect(try JobSpecification.parse(Array(specification.canonicalJSON().utf8)) == specification)
    }

    @Test("the quickstart stays under the limit of platform columns for 5,040 training rows with 250 bads")
    func quickstart() throws {
        let training = try #require(try JobSpecification.parse(try Repository.example("quickstart")).training)
        let gradeLevels = 5
        let columns = training.features.platform.reduce(0) { sum, feature in
            sum + (feature.type == .category ? gradeLevels - 1 : 1) + (feature.missing == .indicator ? 1 : 0)
        }
        #expect(columns <= 24)
        #expect(JobLimits.checkPlatformColumns(columns, bads: 250, goods: 4790, limits: .init()) == nil)
        #expect(JobLimits.checkRows(5040, columns: columns, rounds: training.settings.maximumRounds, limits: .init()) == nil)
    }

    @Test("an independent validator of JSON Schema gives the parser's verdicts", .enabled(if: Validator.isAvailable))
    func independentValidator() throws {
        var documents: [(JSONValue, Bool)] = [(Documents.train, true), (Documents.score, true)]
        for name in Repository.examples { documents.append((try Repository.json("Examples/specs/\(name).json"), true)) }
        for key in ["label", "features", "split", "training"] {
            documents.append((Documents.score.setting("/\(key)", to: Documents.train[key] ?? .object([:])), false))
        }
        let job = JSONValue.text("0123456789abcdef0123456789abcdef")
        documents.append((Documents.align.setting("/reveal", to: .text("bank")).setting("/within", to: job), true))
        documents += [Documents.train, Documents.score].map { ($0.setting("/within", to: job), false) }
        documents.append((Documents.align.setting("/within", to: .text("0123")), false))
        for mistake in SpecificationTests.mistakes {
            documents.append((Documents.train.setting(mistake.change, to: mistake.value), !mistake.isOfSchema))
        }
        for (document, _) in documents.prefix(5) {
            let canonical = try JobSpecification.parse(document.bytes).canonicalJSON()
            documents.append((JSONValue(canonical), true))
        }
        let verdicts = try Validator.verdicts(schema: schema, documents: documents.map(\.0))
        try #require(verdicts.count == documents.count)
        for (index, (document, expected)) in documents.enumerated() {
            #expect(verdicts[index] == expected, "\(document.canonicalText())")
        }
    }
}

/// Python's jsonschema, where it is installed.
private enum Validator {
    static let isAvailable = (try? run("import jsonschema; jsonschema.Draft202012Validator; print('yes')", input: Data())) == "yes\n"

    static func verdicts(schema: JSONValue, documents: [JSONValue]) throws -> [Bool] {
        let script = """
            import json, sys, jsonschema
            kind = jsonschema.Draft202012Validator
            schema, documents = json.load(sys.stdin)
            kind.check_schema(schema)
            for document in documents: print(int(kind(schema).is_valid(document)))
            """
        let input = JSONValue.array([schema, .array(documents)]).canonicalText()
        return try run(script, input: Data(input.utf8)).split(separator: "\n").map { $0 == "1" }
    }

    private static func run(_ script: String, input: Data) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "jointlab-\(UUID().uuidString).json")
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-W", "ignore", "-c", script]
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
