import Faults
import Foundation

extension Form where Value == Bool {
    static var flag: Form {
        Form(false) { node throws(Fault) in
            guard case .bool(let value) = node.value else { throw node.wrongType("true or false", " true 或 false") }
            return value
        }
    }
}

extension Form where Value == Int {
    /// Written without fraction and exponent.
    static func integer(_ range: ClosedRange<Int>, multipleOf step: Int = 1) -> Form {
        Form(range.lowerBound) { node throws(Fault) in
            guard case .number(let lexeme) = node.value, !lexeme.contains(where: { ".eE".contains($0) }) else {
                throw node.wrongType("a whole number", "整数")
            }
            let steps = step == 1 ? "" : " (× \(step))"
            guard let value = Int(lexeme), range.contains(value), value % step == 0 else {
                throw Fault(.valueOutOfRange, at: node.place, lexeme, "\(range.lowerBound)...\(range.upperBound)\(steps)")
            }
            return value
        }
    }
}

extension Form where Value == Int {
    /// A time of RFC 3339 in UTC and whole seconds, as Unix seconds.
    static var instant: Form {
        Form(0) { node throws(Fault) in
            guard case .text(let text) = node.value, let date = try? Date(text, strategy: .iso8601), date.formatted(.iso8601) == text else {
                throw node.wrongType("a time such as 2027-01-31T00:00:00Z", "形如 2027-01-31T00:00:00Z 的时间")
            }
            return Int(date.timeIntervalSince1970)
        }
    }
}

extension Form where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> Form {
        Form(range.lowerBound) { node throws(Fault) in
            guard case .number(let lexeme) = node.value, let value = Double(lexeme) else {
                throw node.wrongType("a number", "数值")
            }
            guard range.contains(value) else {
                throw Fault(.valueOutOfRange, at: node.place, lexeme, "\(range.lowerBound)...\(range.upperBound)")
            }
            return value + 0 // -0 is 0
        }
    }
}

extension Form where Value == [Double] {
    /// Lower and upper bound.
    static func bounds(magnitude: Double) -> Form {
        Form([]) { node throws(Fault) in
            guard case .array(let elements) = node.value, elements.count == 2 else {
                throw node.wrongType("two numbers, the lower bound first", "两个数值，下限在前")
            }
            let number = Form<Double>.number(-magnitude...magnitude)
            let low = try number.read(node.child("0", elements[0]))
            let high = try number.read(node.child("1", elements[1]))
            guard low < high else { throw node.wrongType("two numbers, the lower bound first", "两个数值，下限在前") }
            return [low, high]
        }
    }
}

extension Form where Value: RawRepresentable<String> & CaseIterable {
    static func choice(_ placeholder: Value) -> Form {
        Form(placeholder) { node throws(Fault) in
            guard case .text(let text) = node.value else { throw node.wrongType("a text", "文本") }
            guard let value = Value(rawValue: text) else {
                let names = Value.allCases.map(\.rawValue)
                let list = names.joined(separator: " | ")
                let (en, zh) = suggestion(for: text, among: names, else: "choose one of: \(list)", "请选用：\(list)")
                throw Fault(.unknownChoice, at: node.place, shown(text), list, en, zh)
            }
            return value
        }
    }
}

extension Form where Value == String {
    /// Name of a job, a party, a person or a data set.
    static var name: Form {
        matching("a name of 1 to 64 characters from A-Z a-z 0-9 . _ -", "由 A-Z a-z 0-9 . _ - 组成的 1 至 64 个字符的名称") { text in
            (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { byte in
                isASCIILetterOrDigit(byte) || ".-_".utf8.contains(byte)
            }
        }
    }

    /// Counted in code points.
    static func text(_ length: ClosedRange<Int>) -> Form {
        matching(
            "a text of \(length.lowerBound) to \(length.upperBound) characters without control characters",
            "\(length.lowerBound) 至 \(length.upperBound) 个字符且不含控制字符的文本"
        ) { text in
            length.contains(text.unicodeScalars.count)
                && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
    }

    static func hexadecimal(digits: Int) -> Form {
        matching("\(digits) lower-case hexadecimal digits", "\(digits) 位小写十六进制数字") { text in
            text.utf8.count == digits && text.utf8.allSatisfy(isLowerCaseHexadecimal)
        }
    }

    private static func matching(_ en: String, _ zh: String, _ isRight: @escaping (String) -> Bool) -> Form {
        Form("") { node throws(Fault) in
            guard case .text(let text) = node.value, isRight(text) else { throw node.wrongType(en, zh) }
            return text
        }
    }
}

extension Form where Value == [UInt8] {
    static func hexadecimal(bytes count: Int) -> Form {
        Form([]) { node throws(Fault) in
            let digits = Array(try Form<String>.hexadecimal(digits: 2 * count).read(node).utf8)
            return stride(from: 0, to: digits.count, by: 2).map { index in
                hexadecimalValue(digits[index]) << 4 | hexadecimalValue(digits[index + 1])
            }
        }
    }

    /// RFC 4648, section 4, in its one canonical spelling.
    static func base64(bytes count: Int) -> Form {
        Form([]) { node throws(Fault) in
            guard case .text(let text) = node.value, let data = Data(base64Encoded: text),
                data.count == count, data.base64EncodedString() == text
            else { throw node.wrongType("\(count) bytes in base64", "\(count) 字节的 base64 文本") }
            return Array(data)
        }
    }
}

extension Form where Value == Endpoint {
    static func endpoint(ports: ClosedRange<Int>) -> Form {
        Form(Endpoint(host: "", port: 0)) { node throws(Fault) in
            guard case .text(let text) = node.value, let endpoint = Endpoint(text), ports.contains(endpoint.port) else {
                throw node.wrongType(
                    "an address such as host.example:7443 with a port of \(ports.lowerBound) to \(ports.upperBound)",
                    "形如 host.example:7443 的地址，端口为 \(ports.lowerBound) 至 \(ports.upperBound)")
            }
            return endpoint
        }
    }

    /// What only programs of the same machine reach.
    static var loopback: Form {
        Form(Endpoint(host: "", port: 0)) { node throws(Fault) in
            guard case .text(let text) = node.value, let endpoint = Endpoint(text), ["127.0.0.1", "::1", "localhost"].contains(endpoint.host) else {
                throw node.wrongType("an address of this machine alone, such as 127.0.0.1:9464", "仅限本机的地址，如 127.0.0.1:9464")
            }
            return endpoint
        }
    }
}

/// Host and port of a listener.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[IPv6]:port`.
    package init?(_ text: String) {
        guard text.utf8.count <= 260, let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ isDecimal($0) }), let port = Int(digits), (0...65535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.utf8.allSatisfy({ $0.isHexadecimal || ":.".utf8.contains($0) }), host.contains(":") else { return nil }
        } else {
            guard host.utf8.allSatisfy({ isASCIILetterOrDigit($0) || ".-".utf8.contains($0) }) else { return nil }
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

private func isDecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

private func isLowerCaseHexadecimal(_ byte: UInt8) -> Bool { isDecimal(byte) || (0x61...0x66).contains(byte) }

private func hexadecimalValue(_ byte: UInt8) -> UInt8 { isDecimal(byte) ? byte - 0x30 : byte - 0x61 + 10 }

private func isASCIILetterOrDigit(_ byte: UInt8) -> Bool { isDecimal(byte) || (0x61...0x7A).contains(byte | 0x20) }

extension UInt8 {
    fileprivate var isHexadecimal: Bool { isDecimal(self) || (0x61...0x66).contains(self | 0x20) }
}
