/// White space of cells and identifiers: ASCII up to the space, U+00A0, U+200B, U+3000, U+FEFF.
enum Blank {
    /// Bytes of the blank character that starts at `index`, 0 where none does.
    static func width(_ text: Span<UInt8>, at index: Int) -> Int {
        if text[index] <= 0x20 { return 1 }
        if text[index] == 0xC2, index + 1 < text.count { return text[index + 1] == 0xA0 ? 2 : 0 }
        guard text[index] >= 0xE2, index + 2 < text.count else { return 0 }
        return switch (text[index], text[index + 1], text[index + 2]) {
        case (0xE2, 0x80, 0x8B), (0xE3, 0x80, 0x80), (0xEF, 0xBB, 0xBF): 3
        default: 0
        }
    }

    /// The part of a cell between its leading and its trailing blanks.
    static func trimmed(_ text: Span<UInt8>) -> Range<Int> {
        var start = 0
        while start < text.count {
            let width = width(text, at: start)
            if width == 0 { break }
            start += width
        }
        var end = text.count
        while end > start {
            if text[end - 1] <= 0x20 {
                end -= 1
            } else if text[end - 1] >= 0x80, end - start >= 2, width(text, at: end - 2) == 2 {
                end -= 2
            } else if text[end - 1] >= 0x80, end - start >= 3, width(text, at: end - 3) == 3 {
                end -= 3
            } else {
                break
            }
        }
        return start..<end
    }
}

/// Readings of one trimmed cell.
enum Cell {
    /// Numbers stay so far below the largest `Double` that sums of squares over any table are finite.
    static let largestMagnitude = 1e100

    private static let missing = ["NA", "N/A", "#N/A", "NULL", "null", "nan", "NaN", "-", "无", "空"].map { Array($0.utf8) }

    static func isMissing(_ cell: Span<UInt8>) -> Bool {
        guard cell.count <= 4 else { return false }
        guard cell.count > 0 else { return true }
        if cell[0] >= UInt8(ascii: "0"), cell[0] <= UInt8(ascii: "9") { return false }
        return missing.contains { spelling in
            spelling.count == cell.count && spelling.indices.allSatisfy { spelling[$0] == cell[$0] }
        }
    }

    /// 0 or 1 from a number that equals it, or from true and false in any case.
    static func flag(_ cell: Span<UInt8>) -> Int8? {
        if let value = number(cell) { return value == 0 ? 0 : value == 1 ? 1 : nil }
        return switch text(cell).lowercased() {
        case "true": 1
        case "false": 0
        default: nil
        }
    }

    static func text(_ cell: Span<UInt8>) -> String {
        cell.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// A decimal number with optional sign, exponent and complete groups of three digits set off by commas: `-12`,
    /// `1,234.5`, `.5e-3`, or any of them in full-width characters. Nothing else: no percent sign, no currency, no `inf`,
    /// no hexadecimal. Correctly rounded.
    static func number(_ cell: Span<UInt8>) -> Double? {
        if let value = decimal(cell) { return value }
        guard cell.count > 2, cell.count <= 192, let ascii = halfWidth(cell) else { return nil }
        return decimal(ascii.span)
    }

    /// A cell of ASCII and full-width characters with those in half width; nil for any other, and where there are none.
    private static func halfWidth(_ cell: Span<UInt8>) -> [UInt8]? {
        var ascii: [UInt8] = []
        var index = 0
        while index < cell.count {
            if cell[index] < 0x80 {
                ascii.append(cell[index])
                index += 1
            } else if let half = halfWidth(cell, at: index) {
                ascii.append(half)
                index += 3
            } else {
                return nil
            }
        }
        return ascii.count < cell.count ? ascii : nil
    }

    /// The ASCII character of which the three bytes at `index` are the full-width form (U+FF01 to U+FF5E).
    static func halfWidth(_ text: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < text.count, text[index] == 0xEF else { return nil }
        return switch (text[index + 1], text[index + 2]) {
        case (0xBC, let last) where (0x81...0xBF).contains(last): last - 0x60
        case (0xBD, let last) where (0x80...0x9E).contains(last): last - 0x20
        default: nil
        }
    }

    private static func decimal(_ cell: Span<UInt8>) -> Double? {
        let count = cell.count
        var index = 0
        var isNegative = false
        if index < count, cell[index] == UInt8(ascii: "-") || cell[index] == UInt8(ascii: "+") {
            isNegative = cell[index] == UInt8(ascii: "-")
            index += 1
        }

        var mantissa: UInt64 = 0
        var mantissaDigits = 0
        var digits = 0
        var exponent = 0
        func take(_ digit: UInt8) {
            digits += 1
            if mantissaDigits > 0 || digit > 0 { mantissaDigits += 1 }
            if mantissaDigits <= 19 { mantissa = mantissa &* 10 &+ UInt64(digit) }
        }

        var sinceComma: Int?
        whole: while index < count {
            switch cell[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                take(cell[index] - 0x30)
                if let group = sinceComma { sinceComma = group + 1 }
            case UInt8(ascii: ","):
                guard sinceComma == nil ? (1...3).contains(digits) : sinceComma == 3 else { return nil }
                sinceComma = 0
            default:
                break whole
            }
            index += 1
        }
        guard sinceComma == nil || sinceComma == 3 else { return nil }
        if index < count, cell[index] == UInt8(ascii: ".") {
            index += 1
            while index < count, (0x30...0x39).contains(cell[index]) {
                take(cell[index] - 0x30)
                exponent -= 1
                index += 1
            }
        }
        guard digits > 0 else { return nil }
        if index < count, cell[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            var isNegativeExponent = false
            if index < count, cell[index] == UInt8(ascii: "-") || cell[index] == UInt8(ascii: "+") {
                isNegativeExponent = cell[index] == UInt8(ascii: "-")
                index += 1
            }
            guard index < count else { return nil }
            var written = 0
            while index < count, (0x30...0x39).contains(cell[index]) {
                written = min(written * 10 + Int(cell[index] - 0x30), 100_000)
                index += 1
            }
            exponent += isNegativeExponent ? -written : written
        }
        guard index == count else { return nil }

        let magnitude: Double
        if mantissa == 0, mantissaDigits == 0 {
            magnitude = 0
        } else if mantissaDigits <= 19, mantissa <= 1 << 53, abs(exponent) < powersOfTen.count {
            // Both factors are exact, so one rounding remains (Clinger 1990).
            magnitude = exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        } else {
            guard let value = Double(text(cell).filter { $0 != "," }) else { return nil }
            magnitude = abs(value)
        }
        guard magnitude <= largestMagnitude else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// The powers of ten that a `Double` holds exactly.
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
