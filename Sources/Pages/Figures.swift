import Faults
import Foundation

/// Numbers as people read them, the same under every locale. What is not finite is a dash.
package enum Figures {
    /// With a true minus sign and digits in groups of three.
    package static func fixed(_ value: Double, _ places: Int, sign: Bool = false) -> String {
        guard value.isFinite else { return "–" }
        let places = min(max(places, 0), 12)
        // Without a locale this is C's printf in the C locale.
        let digits = String(format: "%.\(places)f", abs(value))
        let point = digits.firstIndex(of: ".") ?? digits.endIndex
        let isZero = digits.allSatisfy { $0 == "0" || $0 == "." }
        let mark = isZero ? "" : value < 0 ? "\u{2212}" : sign ? "+" : ""
        return mark + grouped(digits[..<point]) + digits[point...]
    }

    package static func count(_ value: Int) -> String { (value < 0 ? "\u{2212}" : "") + grouped("\(value.magnitude)") }
    package static func count(_ value: UInt64) -> String { grouped("\(value)") }

    /// Of a share: 0.25 is 25 %.
    package static func percent(_ share: Double, _ places: Int = 1) -> String {
        share.isFinite ? fixed(100 * share, places) + " %" : "–"
    }

    /// Decimal units, as lines and disks are sold.
    package static func bytes(_ value: UInt64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var (amount, unit) = (Double(value), 0)
        // 999.95 kB would be printed as 1000.0.
        while amount >= 999.95, unit < units.count - 1 {
            amount /= 1000
            unit += 1
        }
        return (unit == 0 ? "\(value)" : fixed(amount, amount < 9.995 ? 2 : 1)) + " " + units[unit]
    }

    package static func duration(seconds: Double) -> Phrase {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return .same("–") }
        if seconds < 60 {
            let amount = fixed(seconds, seconds < 10 ? 2 : 1)
            return Phrase(en: "\(amount) s", zh: "\(amount) 秒")
        }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return Phrase(en: "\(whole / 60) min \(whole % 60) s", zh: "\(whole / 60) 分 \(whole % 60) 秒") }
        let minutes = whole / 60
        return Phrase(en: "\(count(minutes / 60)) h \(minutes % 60) min", zh: "\(count(minutes / 60)) 小时 \(minutes % 60) 分")
    }

    private static func grouped(_ digits: some StringProtocol) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
            result.append(digit)
        }
        return result
    }
}
