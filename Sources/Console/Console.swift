import Faults
import Foundation

/// How a program speaks to the person in front of it: results to standard output, faults and progress to standard error.
package enum Console {
    /// `--lang` if given, otherwise what the locale asks for: the first of these variables that is set to something.
    package static func language(_ option: Language?) -> Language {
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        return option ?? Language.from(locale: locale)
    }

    /// A reader that has gone, such as `head`, ends nothing: exit codes stay those of what was asked.
    package static func say(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    package static func note(_ text: String) { writeAbove(text) }

    /// Prints every fault of `error` and returns the exit code that stands for the first.
    package static func report(_ error: any Error, _ language: Language) -> Faults.ExitCode {
        let faults = switch error {
        case let fault as Fault: [fault]
        case let list as FaultList: list.faults
        default: [Fault(.defect, at: "\(type(of: error))")]
        }
        for fault in faults { note(fault.lines(language)) }
        return faults.first?.code.entry.exit ?? .defect
    }

    package static var isTerminal: Bool { isatty(FileHandle.standardError.fileDescriptor) == 1 }
}
