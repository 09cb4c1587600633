import Faults
import Foundation
import Jobs
import Testing

extension JSONValue {
    /// Reads a literal of this file; an unreadable one is a mistake of the test.
    init(_ text: String) {
        do {
            self = try JSONValue.parse(Array(text.utf8), as: "test")
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The document with the value at an RFC 6901 pointer replaced, added or (with `nil`) removed.
    func setting(_ pointer: String, to value: JSONValue?) -> JSONValue {
        setting(pointer.split(separator: "/")[...], to: value)
    }

    private func setting(_ path: ArraySlice<Substring>, to value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? .null }
        let key = String(first).replacing("~1", with: "/").replacing("~0", with: "~")
        switch self {
        case .object(var members):
            if path.count == 1 {
                members[key] = value
            } else {
                members[key] = (members[key] ?? .object([:])).setting(path.dropFirst(), to: value)
            }
            return .object(members)
        case .array(var elements):
            let index = Int(key) ?? elements.count
            if path.count > 1 {
                elements[index] = elements[index].setting(path.dropFirst(), to: value)
            } else if let value {
                if index < elements.count { elements[index] = value } else { elements.append(value) }
            } else {
                elements.remove(at: index)
            }
            return .array(elements)
        default: preconditionFailure("nothing at \(path)")
        }
    }

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let lexeme) = self { Double(lexeme) } else { nil } }
    var bytes: [UInt8] { Array(canonicalText().utf8) }
}

/// Why a document is refused as a specification, `nil` if it is not.
func refusal(of bytes: [UInt8]) -> FaultList? {
    do {
        _ = try JobSpecification.parse(bytes)
        return nil
    } catch {
        return error
    }
}

/// The faults of a document, none if it was read.
func faults(of document: JSONValue) -> [Fault] { refusal(of: document.bytes)?.faults ?? [] }

enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appending(path: path))) }
    static func json(_ path: String) throws -> JSONValue { try JSONValue.parse(try bytes(path), as: path) }

    static let examples = ["common-customers", "credit-default", "quickstart", "records", "synthetic"]
    static func example(_ name: String) throws -> [UInt8] { try bytes("Examples/specs/\(name).json") }
}

enum Documents {
    /// As little as can be written.
    static let train = JSONValue("""
        {"version": 1, "name": "first", "purpose": {"code": "test", "statement": "a test"},
         "parties": {"bank": "bank", "platform": "platform"},
         "population": {"id_type": "text", "bank_id": "id", "platform_id": "key"},
         "label": {"column": "y"}, "features": {"bank": ["a"], "platform": ["b"]}}
        """)
    static let score = train.setting("/label", to: nil).setting("/features", to: nil)
        .setting("/kind", to: .text("score")).setting("/model", to: .text("0123456789abcdef0123456789abcdef"))

    static let align = train.setting("/label", to: nil).setting("/features", to: nil).setting("/kind", to: .text("align"))

    static func pin(_ digit: Character) -> String { String(repeating: digit, count: 64) }
    static func key(_ letter: Character) -> String { String(repeating: letter, count: 42) + "A=" }

    static let contract = JSONValue("""
        {"version": 1, "name": "pilot", "suite": "P256-SHA256",
         "parties": [
           {"name": "arbiter", "role": "arbiter", "address": "arbiter.example:7001", "pin": "\(pin("1"))", "ledger_key": "\(key("b"))"},
           {"name": "bank", "role": "bank", "pin": "\(pin("2"))", "ledger_key": "\(key("c"))"},
           {"name": "platform", "role": "platform", "address": "[::1]:7003", "pin": "\(pin("3"))", "ledger_key": "\(key("d"))"}],
         "people": [{"name": "li", "role": "analyst", "party": "bank", "pin": "\(pin("a"))"}, {"name": "wu", "role": "auditor", "pin": "\(pin("b"))"}]}
        """)

    static let node = JSONValue("""
        {"name": "platform", "contract": "contract.json", "authority": "/etc/authority.pem", "certificate": "tls/own.pem",
         "private_key": "tls/own.key", "ledger_key": "ledger.key", "listen": "0.0.0.0:7003", "data_directory": "data",
         "datasets": {"main": {"path": "platform.csv"}}}
        """)
    static let person = JSONValue("""
        {"name": "li", "contract": "contract.json", "authority": "authority.pem", "certificate": "li.pem", "private_key": "li.key"}
        """)
}

/// One wrong change to a right document, and the one fault that it must cause.
struct Mistake: Sendable, CustomTestStringConvertible {
    let change: String
    let value: JSONValue?
    let code: Fault.Code
    let place: String
    let isOfSchema: Bool

    init(_ change: String, _ value: String?, _ code: Fault.Code, at place: String? = nil, isOfSchema: Bool = true) {
        self.change = change
        self.value = value.map { JSONValue($0) }
        self.code = code
        self.place = place ?? change
        self.isOfSchema = isOfSchema
    }

    var testDescription: String { "\(change) = \(value?.canonicalText() ?? "nothing"): \(code)" }
}
