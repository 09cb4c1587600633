import Faults
import Foundation
import Wire

/// Numbers and names of a data set as a terminal shows them, the same under every locale.
enum Shown {
    static func count(_ value: Int) -> String {
        let digits = Array("\(value.magnitude)")
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }

    /// To six digits, without an exponent unless it is very large or very small.
    static func number(_ value: Double) -> String {
        guard value != 0, (1e-4..<1e15).contains(abs(value)) else { return String(format: "%.6g", value) }
        let places = max(0, 5 - Int(log10(abs(value)).rounded(.down)))
        var text = String(format: "%.\(places)f", value)
        if places > 0 {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }

    static func percent(_ part: Int, of whole: Int) -> String {
        String(format: "%.1f %%", 100 * Double(part) / Double(max(whole, 1)))
    }

    /// What could move a cursor or hide becomes a question mark; a long name is cut.
    static func name(_ text: String, columns limit: Int = 40) -> String {
        var shown = ""
        var columns = 0
        for scalar in text.unicodeScalars {
            let scalar = Message.isPrintable(String(scalar)) ? scalar : "?"
            columns += TerminalWidth.of(Character(scalar))
            guard columns < limit else { return shown + "…" }
            shown.unicodeScalars.append(scalar)
        }
        return shown
    }
}
