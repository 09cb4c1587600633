import Faults
import Foundation
import Testing
import Wire

@Suite struct TableTests {
    /// Each message of the .proto, with its fields as (type, name), repetition left in the type.
    private static let declarations: [String: [(type: String, name: String)]] = {
        let source = (try? String(contentsOf: repository.appending(path: "Protocols/jointlab.proto"), encoding: .utf8)) ?? ""
        var messages: [String: [(type: String, name: String)]] = [:]
        var current: String?
        for line in source.split(separator: "\n") {
            let words = line.prefix { $0 != ";" }.split(separator: " ").map(String.init)
            switch (words.first, current) {
            case ("message", _) where words.count == 3:
                current = words[1]
                messages[words[1]] = []
            case ("}", _):
                current = nil
            case (let first?, let message?) where !first.hasPrefix("//"):
                guard let equals = words.firstIndex(of: "="), equals >= 2 else { continue }
                messages[message]?.append((words[..<(equals - 1)].joined(separator: " "), words[equals - 1]))
            default:
                break
            }
        }
        return messages
    }()

    @Test("every kind has a message in the .proto, and every message is of a kind or part of one")
    func names() {
        let parts: Set = ["FaultNote"]
        #expect(Set(Self.declarations.keys) == Set(MessageKind.allCases.map(\.name)).union(parts))
    }

    @Test("between bank and platform there are only counters and bytes")
    func noOtherFields() throws {
        let counters: Set = ["uint32", "uint64", "sint32", "bytes"]
        for kind in MessageKind.allCases where kind.allows(from: .bank, to: .platform) || kind.allows(from: .platform, to: .bank) {
            for field in try #require(Self.declarations[kind.name]) {
                #expect(counters.contains(field.type), "\(kind.name).\(field.name)")
            }
        }
    }

    @Test("the table names every field, and a length for every bytes field")
    func shapes() throws {
        for kind in MessageKind.allCases where !kind.allows(from: .arbiter, to: .person) {
            for field in try #require(Self.declarations[kind.name]) where field.type == "bytes" {
                // A number, a width in key bits, a number of elements in brackets, or a document of the published form.
                let entry = try Regex("(^|, )\(field.name) ([0-9]|bits|[(]degree|[^,]*bits/|[(][^)]*JSON)")
                #expect(kind.row.shape.contains(entry), "\(kind.name).\(field.name)")
            }
            for field in try #require(Self.declarations[kind.name]) {
                #expect(kind.row.shape.contains(field.name), "\(kind.name).\(field.name)")
            }
        }
    }

    @Test("every message goes somewhere, in some phase, and says what it reveals")
    func complete() {
        for kind in MessageKind.allCases {
            #expect(!kind.row.directions.isEmpty)
            #expect(!kind.row.phases.isEmpty)
            #expect(!kind.row.reveals.en.isEmpty && !kind.row.reveals.zh.isEmpty)
            #expect(kind.row.maximumPayloadBytes > 0)
            #expect(kind.row.directions.allSatisfy { kind.allows(from: $0.from, to: $0.to) })
            #expect(!kind.allows(from: .person, to: .bank) && !kind.allows(from: .bank, to: .person))
        }
    }

    @Test("the documents hold exactly this table", arguments: [("Protocols/wire.md", Language.en), ("Protocols/wire.zh.md", .zh)])
    func documents(_ path: String, _ language: Language) throws {
        let document = try String(contentsOf: repository.appending(path: path), encoding: .utf8)
        let table = document.split(separator: "\n", omittingEmptySubsequences: false).filter { $0.hasPrefix("|") && $0.contains(" | ") }
            .map { $0 + "\n" }.joined()
        #expect(table == MessageTable.markdown(language))
    }

    @Test("the terminal's form holds every message and what it reveals", arguments: Language.allCases)
    func terminal(_ language: Language) {
        let text = MessageTable.text(language)
        for kind in MessageKind.allCases {
            #expect(text.contains("\(kind.rawValue) \(kind.name)\n"))
            #expect(text.contains(kind.row.reveals(language)))
        }
    }
}
