/// Columns that a text takes on a terminal: ideographs and full-width forms take two, whatever else a reader sees as one
/// character takes one.
package enum TerminalWidth {
    package static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    package static func of(_ character: Character) -> Int { character.unicodeScalars.contains(where: isWide) ? 2 : 1 }

    /// Spaces at its end, up to so many columns.
    package static func padded(_ text: String, to columns: Int) -> String { text + String(repeating: " ", count: max(0, columns - of(text))) }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF,
             0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
