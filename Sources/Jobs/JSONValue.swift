import Faults

/// A JSON document (RFC 8259), read strictly and written canonically.
///
/// Numbers keep the text that was read, so that whole numbers stay exact. Members of an object have no order.
package indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number as written, of RFC 8259 grammar and finite as a `Double`.
    case number(String)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// - Precondition: `value` is finite.
    package static func real(_ value: Double) -> JSONValue { .number(ecmaScriptText(value)) }

    /// The RFC 8785 (JSON Canonicalization Scheme) text: members sorted by UTF-16 code units, numbers as in ECMAScript,
    /// no white space. Equal documents have equal bytes in every implementation of that scheme.
    package func canonicalText() -> String {
        var text = ""
        write(to: &text)
        return text
    }

    /// The same with line breaks and indentation, for people.
    package func prettyText() -> String {
        var text = ""
        writePretty(to: &text, indent: "")
        return text + "\n"
    }
}

extension JSONValue {
    private func writePretty(to text: inout String, indent: String) {
        let inner = indent + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            text += "["
            for (index, element) in elements.enumerated() {
                text += (index > 0 ? ",\n" : "\n") + inner
                element.writePretty(to: &text, indent: inner)
            }
            text += "\n\(indent)]"
        case .object(let members) where !members.isEmpty:
            text += "{"
            let sorted = members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            for (index, member) in sorted.enumerated() {
                text += (index > 0 ? ",\n" : "\n") + inner
                writeQuoted(member.key, to: &text)
                text += ": "
                member.value.writePretty(to: &text, indent: inner)
            }
            text += "\n\(indent)}"
        default:
            write(to: &text)
        }
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let lexeme): text += Double(lexeme).map(ecmaScriptText) ?? lexeme
        case .text(let value): writeQuoted(value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            let sorted = members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { text += "," }
                writeQuoted(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }
}

private func writeQuoted(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\u{8}": text += "\\b"
        case "\u{9}": text += "\\t"
        case "\u{A}": text += "\\n"
        case "\u{C}": text += "\\f"
        case "\u{D}": text += "\\r"
        case "\u{0}"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
    }
    text += "\""
}

/// ECMA-262, Number::toString: Swift's description has the same shortest digits and another layout.
private func ecmaScriptText(_ value: Double) -> String {
    precondition(value.isFinite, "JSON has no such number")
    guard value != 0 else { return "0" }
    let parts = value.magnitude.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let written = mantissa[0] + fraction
    let significant = written.drop { $0 == "0" }
    /// The value is 0.`digits` times ten to the power `point`.
    let point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - (written.count - significant.count)
    var digits = String(significant)
    while digits.hasSuffix("0") { digits.removeLast() }

    func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
    let text: String
    switch point {
    case digits.count...21 where digits.count <= 21:
        text = digits + zeros(point - digits.count)
    case 1...21:
        text = digits.prefix(point) + "." + digits.dropFirst(point)
    case -5...0:
        text = "0." + zeros(-point) + digits
    default:
        let exponent = point - 1
        text = digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "")
            + (exponent < 0 ? "e-" : "e+") + String(exponent.magnitude)
    }
    return value < 0 ? "-" + text : text
}
