import Faults

/// A day of the Gregorian calendar, without time and zone.
package struct Day: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// Days since 1970-01-01.
    package let number: Int

    package init(number: Int) { self.number = number }

    /// Nothing where there is no such day in the years 1900 to 9999.
    package init?(year: Int, month: Int, day: Int) {
        guard (1900...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Counted in years that begin in March (Fliegel and Van Flandern 1968).
        let shifted = month <= 2 ? year - 1 : year
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        number = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + ofYear - 719_468
        guard (self.year, self.month, self.day) == (year, month, day) else { return nil }
    }

    /// `2026-03-31`.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let day = Day(parts) else { return nil }
        self = day
    }

    /// As tables write it: `2026-03-31`, `2026/3/31`, `2026.3.31`, `20260331`, `2026年3月31日`, each with a time after a blank or T.
    package init?(cell: String) {
        guard cell.utf8.count <= 40 else { return nil }
        let date = cell.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == " " || $0 == "T" }[0]
        if date.utf8.count == 8, date.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            let digits = Array(date.utf8)
            guard let day = Day([digits[0..<4], digits[4..<6], digits[6..<8]]) else { return nil }
            self = day
            return
        }
        let plain = date.hasSuffix("日") ? date.dropLast() : date
        let parts = plain.split(omittingEmptySubsequences: false) { "-/.年月".contains($0) }.map { $0.utf8 }
        guard let day = Day(parts) else { return nil }
        self = day
    }

    private init?(_ parts: [some Collection<UInt8>]) {
        guard parts.count == 3 else { return nil }
        var numbers: [Int] = []
        for part in parts {
            guard (1...4).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            numbers.append(part.reduce(0) { 10 * $0 + Int($1) - 0x30 })
        }
        guard let day = Day(year: numbers[0], month: numbers[1], day: numbers[2]) else { return nil }
        self = day
    }

    private var civil: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * ofYear + 2) / 153
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, ofYear - (153 * month + 2) / 5 + 1)
    }

    package var year: Int { civil.year }
    package var month: Int { civil.month }
    package var day: Int { civil.day }

    package var description: String {
        let (year, month, day) = civil
        func digits(_ number: Int, _ count: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    }

    package static func < (a: Day, b: Day) -> Bool { a.number < b.number }

    package func advanced(days: Int) -> Day { Day(number: number + days) }

    /// The same day so many months later or earlier, or that month's last.
    package func advanced(months: Int) -> Day {
        let (year, month, day) = civil
        let count = year * 12 + month - 1 + months
        let (newYear, newMonth) = (count.quotientAndRemainder(dividingBy: 12).quotient, count % 12 + 1)
        for last in stride(from: day, through: 28, by: -1) {
            if let found = Day(year: newYear, month: newMonth, day: last) { return found }
        }
        return Day(year: newYear, month: newMonth, day: min(day, 28)) ?? self
    }

    /// Whole months from an earlier day.
    package func months(since earlier: Day) -> Int {
        let (a, b) = (civil, earlier.civil)
        return (a.year - b.year) * 12 + a.month - b.month - (a.day < b.day ? 1 : 0)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let day = Day(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no day")
        }
        self = day
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Form where Value == Day {
    static var day: Form {
        Form(Day(number: 0)) { node throws(Fault) in
            guard case .text(let text) = node.value, let day = Day(text) else {
                throw node.wrongType("a day such as 2026-03-31", "形如 2026-03-31 的日期")
            }
            return day
        }
    }
}
