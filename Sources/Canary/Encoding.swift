import Faults
import Foundation

/// A way in which a value could be written into bytes that leave.
package enum Encoding: UInt8, Sendable, Hashable, CaseIterable {
    case utf8, gb18030, utf16LittleEndian, utf16BigEndian, hexadecimal, hexadecimalUpperCase, base64, base64From1, base64From2
    case float32LittleEndian, float32BigEndian, float64LittleEndian, float64BigEndian
    case integer32LittleEndian, integer32BigEndian, integer64LittleEndian, integer64BigEndian
    case fixed32LittleEndian, fixed32BigEndian, fixed64LittleEndian, fixed64BigEndian

    /// Of columns in the clear. Source: `Protocols/protocol.md`, "Preparation".
    package static let fractionBits = 16

    private var isInteger: Bool { (Self.integer32LittleEndian.rawValue...Self.integer64BigEndian.rawValue).contains(rawValue) }

    /// A column that was standardised holds no integers.
    static func ofNumbers(_ column: CanaryData.Column) -> [Encoding] {
        allCases.filter { !$0.isText && (column.treatment == nil || !$0.isInteger) }
    }

    var isText: Bool { rawValue <= Self.base64From2.rawValue }

    /// Rows whose numbers, one behind the other as in an array, may be one pattern where a single number says too little.
    static let mostRows = 4

    package var name: Phrase {
        switch self {
        case .utf8: Phrase(en: "UTF-8 text", zh: "UTF-8 文本")
        case .gb18030: Phrase(en: "GB18030/GBK text", zh: "GB18030/GBK 文本")
        case .utf16LittleEndian: Phrase(en: "UTF-16 text, little-endian", zh: "UTF-16 文本（小端）")
        case .utf16BigEndian: Phrase(en: "UTF-16 text, big-endian", zh: "UTF-16 文本（大端）")
        case .hexadecimal: Phrase(en: "hexadecimal, lower case", zh: "十六进制（小写）")
        case .hexadecimalUpperCase: Phrase(en: "hexadecimal, upper case", zh: "十六进制（大写）")
        case .base64: Phrase(en: "base64", zh: "base64")
        case .base64From1: Phrase(en: "base64, one byte on", zh: "base64（错位 1 字节）")
        case .base64From2: Phrase(en: "base64, two bytes on", zh: "base64（错位 2 字节）")
        case .float32LittleEndian: Phrase(en: "32-bit float, little-endian", zh: "32 位浮点（小端）")
        case .float32BigEndian: Phrase(en: "32-bit float, big-endian", zh: "32 位浮点（大端）")
        case .float64LittleEndian: Phrase(en: "64-bit float, little-endian", zh: "64 位浮点（小端）")
        case .float64BigEndian: Phrase(en: "64-bit float, big-endian", zh: "64 位浮点（大端）")
        case .integer32LittleEndian: Phrase(en: "32-bit integer, little-endian", zh: "32 位整数（小端）")
        case .integer32BigEndian: Phrase(en: "32-bit integer, big-endian", zh: "32 位整数（大端）")
        case .integer64LittleEndian: Phrase(en: "64-bit integer, little-endian", zh: "64 位整数（小端）")
        case .integer64BigEndian: Phrase(en: "64-bit integer, big-endian", zh: "64 位整数（大端）")
        case .fixed32LittleEndian: Phrase(en: "32-bit fixed point, little-endian", zh: "32 位定点（小端）")
        case .fixed32BigEndian: Phrase(en: "32-bit fixed point, big-endian", zh: "32 位定点（大端）")
        case .fixed64LittleEndian: Phrase(en: "64-bit fixed point, little-endian", zh: "64 位定点（小端）")
        case .fixed64BigEndian: Phrase(en: "64-bit fixed point, big-endian", zh: "64 位定点（大端）")
        }
    }

    /// Nothing for an empty text, and where the encoding is the same as UTF-8's.
    func bytes(text: ArraySlice<UInt8>) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        switch self {
        case .utf8: return Array(text)
        case .gb18030: return text.allSatisfy { $0 < 0x80 } ? [] : Self.gb18030(Array(text))
        case .utf16LittleEndian: return Array(String(decoding: text, as: UTF8.self).utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        case .utf16BigEndian: return Array(String(decoding: text, as: UTF8.self).utf16).flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        case .hexadecimal: return Self.digits(text, Array("0123456789abcdef".utf8))
        case .hexadecimalUpperCase: return Self.digits(text, Array("0123456789ABCDEF".utf8))
        case .base64: return Self.base64(text, after: 0)
        case .base64From1: return Self.base64(text, after: 1)
        case .base64From2: return Self.base64(text, after: 2)
        default: return []
        }
    }

    /// Empty where the encoding cannot hold the number.
    func bytes(number: Double) -> [UInt8] {
        func bytes<Number: FixedWidthInteger>(_ number: Number?, isLittle: Bool) -> [UInt8] {
            guard let number else { return [] }
            return withUnsafeBytes(of: isLittle ? number.littleEndian : number.bigEndian, Array.init)
        }
        func fixed() -> Double { (number * Double(1 << Self.fractionBits)).rounded(.toNearestOrEven) }
        guard number.isFinite else { return [] }
        switch self {
        case .float32LittleEndian: return bytes(Float(number).bitPattern, isLittle: true)
        case .float32BigEndian: return bytes(Float(number).bitPattern, isLittle: false)
        case .float64LittleEndian: return bytes(number.bitPattern, isLittle: true)
        case .float64BigEndian: return bytes(number.bitPattern, isLittle: false)
        case .integer32LittleEndian: return bytes(Int32(exactly: number), isLittle: true)
        case .integer32BigEndian: return bytes(Int32(exactly: number), isLittle: false)
        case .integer64LittleEndian: return bytes(Int64(exactly: number), isLittle: true)
        case .integer64BigEndian: return bytes(Int64(exactly: number), isLittle: false)
        case .fixed32LittleEndian: return bytes(Int32(exactly: fixed()), isLittle: true)
        case .fixed32BigEndian: return bytes(Int32(exactly: fixed()), isLittle: false)
        case .fixed64LittleEndian: return bytes(Int64(exactly: fixed()), isLittle: true)
        case .fixed64BigEndian: return bytes(Int64(exactly: fixed()), isLittle: false)
        default: return []
        }
    }

    private static func digits(_ text: ArraySlice<UInt8>, _ digits: [UInt8]) -> [UInt8] {
        text.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// The characters that depend on the text alone, wherever in a stream of base64 it begins.
    private static func base64(_ text: ArraySlice<UInt8>, after offset: Int) -> [UInt8] {
        let padded = [UInt8](repeating: 0, count: offset) + text
        let code = Array(Data(padded).base64EncodedString().utf8)
        let (first, end) = ((8 * offset + 5) / 6, 8 * padded.count / 6)
        return first < end ? Array(code[first..<end]) : []
    }

    /// By the converter of the C library; nothing where it has none or no such character.
    private static func gb18030(_ text: [UInt8]) -> [UInt8] {
        let converter = iconv_open("GB18030", "UTF-8")
        guard let converter, converter != iconv_t(bitPattern: -1) else { return [] }
        defer { iconv_close(converter) }
        var (input, output) = (text, [UInt8](repeating: 0, count: 4 * text.count))
        let written: Int? = input.withUnsafeMutableBytes { input in
            output.withUnsafeMutableBytes { output in
                var from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                var to = output.baseAddress?.assumingMemoryBound(to: CChar.self)
                var (unread, free) = (input.count, output.count)
                return iconv(converter, &from, &unread, &to, &free) == Int(bitPattern: UInt.max) ? nil : output.count - free
            }
        }
        return written.map { Array(output.prefix($0)) } ?? []
    }

    static let hasGB18030: Bool = !gb18030(Array("中".utf8)).isEmpty
}
