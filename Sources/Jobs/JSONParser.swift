import Faults

extension JSONValue {
    package static let maximumSizeBytes = 1 << 20
    package static let maximumDepth = 32

    /// Reads one document. Refuses what lenient readers disagree about: repeated keys, bytes after the end, lone
    /// surrogates, numbers too large for a `Double`; and, before any allocation, documents above `maximumSizeBytes`.
    ///
    /// - Parameter document: what the fault calls the document.
    /// - Throws: `.notJSON` with line and column.
    package static func parse(_ bytes: [UInt8], as document: String) throws(Fault) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        do {
            return try parser.document()
        } catch {
            let (line, column) = parser.lineAndColumn(of: error.offset)
            throw Fault(.notJSON, at: document, "\(line)", "\(column)", error.reason.en, error.reason.zh)
        }
    }
}

private struct JSONFailure: Error {
    let offset: Int
    let reason: Phrase
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    var depth = 0

    /// A number written longer than this is no number that anyone means.
    static let maximumNumberLength = 64

    init(bytes: [UInt8]) { self.bytes = bytes }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func failure(_ en: String, _ zh: String, at offset: Int? = nil) -> JSONFailure {
        JSONFailure(offset: offset ?? position, reason: Phrase(en: en, zh: zh))
    }

    /// Both count from 1, columns in code points.
    func lineAndColumn(of offset: Int) -> (Int, Int) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    mutating func document() throws(JSONFailure) -> JSONValue {
        guard bytes.count <= JSONValue.maximumSizeBytes else {
            throw failure("the document is larger than 1 MiB", "文件大于 1 MiB")
        }
        let value = try value()
        skipWhiteSpace()
        guard current == nil else { throw failure("something follows the end of the document", "文档结束后仍有内容") }
        return value
    }

    mutating func skipWhiteSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(JSONFailure) {
        guard accept(character) else { throw failure("expected '\(character)'", "此处应为“\(character)”") }
    }

    mutating func value() throws(JSONFailure) -> JSONValue {
        skipWhiteSpace()
        switch current {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONFailure) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONFailure) in try parser.array() }
        case UInt8(ascii: "\""): return .text(try string())
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
        default:
            for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
            where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return value
            }
            throw failure("expected a value", "此处应为一个值")
        }
    }

    mutating func nested(
        _ read: (inout JSONParser) throws(JSONFailure) -> JSONValue
    ) throws(JSONFailure) -> JSONValue {
        guard depth < JSONValue.maximumDepth else {
            throw failure("nested deeper than \(JSONValue.maximumDepth) levels", "嵌套超过 \(JSONValue.maximumDepth) 层")
        }
        depth += 1
        position += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    mutating func object() throws(JSONFailure) -> JSONValue {
        var members: [String: JSONValue] = [:]
        skipWhiteSpace()
        if accept("}") { return .object(members) }
        repeat {
            skipWhiteSpace()
            let start = position
            let key = try string()
            guard members[key] == nil else {
                throw failure("the key '\(shown(key))' appears twice", "键“\(shown(key))”重复出现", at: start)
            }
            skipWhiteSpace()
            try expect(":")
            members[key] = try value()
            skipWhiteSpace()
        } while accept(",")
        try expect("}")
        return .object(members)
    }

    mutating func array() throws(JSONFailure) -> JSONValue {
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if accept("]") { return .array(elements) }
        repeat {
            elements.append(try value())
            skipWhiteSpace()
        } while accept(",")
        try expect("]")
        return .array(elements)
    }

    mutating func digits() throws(JSONFailure) {
        let start = position
        while let byte = current, isDigit(byte) { position += 1 }
        guard position > start else { throw failure("expected a digit", "此处应为数字") }
    }

    func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    mutating func number() throws(JSONFailure) -> JSONValue {
        let start = position
        _ = accept("-")
        if accept("0") {
            if let byte = current, isDigit(byte) {
                throw failure("a number does not begin with 0", "数值不能以 0 开头", at: start)
            }
        } else {
            try digits()
        }
        if accept(".") { try digits() }
        if accept("e") || accept("E") {
            if !accept("+") { _ = accept("-") }
            try digits()
        }
        let lexeme = String(decoding: bytes[start..<position], as: UTF8.self)
        guard lexeme.utf8.count <= Self.maximumNumberLength, let value = Double(lexeme), value.isFinite else {
            throw failure("the number is too large or too long", "数值过大或过长", at: start)
        }
        return .number(lexeme)
    }

    mutating func string() throws(JSONFailure) -> String {
        let start = position
        guard accept("\"") else { throw failure("expected a text in double quotes", "此处应为双引号内的文本") }
        var content: [UInt8] = []
        while true {
            guard let byte = current else { throw failure("the text has no end", "文本没有结束", at: start) }
            guard byte >= 0x20 else { throw failure("control character in a text", "文本中有控制字符") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw failure("the text is not UTF-8", "文本不是 UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                content.append(contentsOf: String(try escaped()).utf8)
            default:
                content.append(byte)
            }
        }
    }

    /// What follows a backslash.
    mutating func escaped() throws(JSONFailure) -> Character {
        let start = position - 1
        guard let byte = current else { throw failure("the text has no end", "文本没有结束") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var value = UInt32(try codeUnit())
            if value & 0xFC00 == 0xD800, accept("\\"), accept("u") {
                let low = UInt32(try codeUnit())
                value = low & 0xFC00 == 0xDC00 ? 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF) : 0xD800
            }
            guard let scalar = Unicode.Scalar(value) else {
                throw failure("half of a surrogate pair", "代理对不完整", at: start)
            }
            return Character(scalar)
        default:
            throw failure("unknown escape", "未知的转义", at: start)
        }
    }

    mutating func codeUnit() throws(JSONFailure) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits", "此处应为四位十六进制数字")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}

/// A key or value of an untrusted document as it may stand in a fault: short, and without control or format characters.
func shown(_ text: String) -> String {
    let limit = 64
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(limit) { result.append(scalar.isPrintable ? scalar : "\u{FFFD}") }
    if text.unicodeScalars.count > limit { result.append("…") }
    return String(result)
}

extension Unicode.Scalar {
    /// Neither moves a cursor, nor reverses a line, nor hides in it.
    var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: false
        default: true
        }
    }
}
