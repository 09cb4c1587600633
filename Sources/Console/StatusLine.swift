import Faults
import Foundation
import Synchronization

/// Where a terminal is: one line at its end that renews itself, below whatever else is written to it.
extension Console {
    private static let status = Mutex<[(key: String, text: String)]>([])

    /// Shows a text for `key` beside those of other keys; nothing takes it away. Without a terminal nothing happens.
    package static func showStatus(_ text: String?, of key: String = "") {
        guard isTerminal else { return }
        status.withLock { status in
            let index = status.firstIndex { $0.key == key }
            switch (index, text) {
            case (let index?, let text?): status[index].text = text
            case (nil, let text?): status.append((key, text))
            case (let index?, nil): status.remove(at: index)
            case (nil, nil): return
            }
            write("\r\u{1B}[K" + line(status.map(\.text)))
        }
    }

    /// A whole line, above the status.
    static func writeAbove(_ text: String) {
        guard isTerminal else { return write(text + "\n") }
        status.withLock { status in
            write(status.isEmpty ? text + "\n" : "\r\u{1B}[K" + text + "\n" + line(status.map(\.text)))
        }
    }

    /// Label, bar and what is left: `training round 5 of about 16  [######--------------]  29 %  about 1 min 20 s left`.
    package static func bar(_ label: String, _ fraction: Double?, _ left: String?) -> String {
        var parts = [label]
        if let fraction {
            let full = Int((min(max(fraction, 0), 1) * 20).rounded(.down))
            let percent = Int((min(max(fraction, 0), 1) * 100).rounded(.down))
            parts += ["[" + String(repeating: "#", count: full) + String(repeating: "-", count: 20 - full) + "]", "\(percent) %"]
        }
        if let left { parts.append(left) }
        return parts.joined(separator: "  ")
    }

    /// Cut where the terminal ends, since what wraps cannot be taken back.
    private static func line(_ texts: [String]) -> String {
        var size = winsize()
        let width = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        return fitted(texts.joined(separator: "  |  "), width: width - 1)
    }

    /// - Parameter width: in columns.
    private static func fitted(_ text: String, width: Int) -> String {
        var left = width
        return String(text.prefix { character in
            left -= TerminalWidth.of(character)
            return left >= 0
        })
    }

    private static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
