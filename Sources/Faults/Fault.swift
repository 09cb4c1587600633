/// What ends an action: a stable code, the place, and the arguments that its sentences name.
///
/// Places and arguments hold names of the specification, counts, files and lines. They never hold a data value, an
/// identifier of a subject or a secret: a fault is shown, logged and sent to other institutions.
package struct Fault: Error, Sendable, Hashable {
    package let code: Code
    /// JSON pointer, `file:line`, party, or empty.
    package let place: String
    package let arguments: [String]

    package init(_ code: Code, at place: String = "", _ arguments: String...) {
        self.init(code, at: place, arguments: arguments)
    }

    package init(_ code: Code, at place: String, arguments: [String]) {
        self.code = code
        self.place = place
        self.arguments = arguments
    }

    /// - Parameter looksLikeGB18030: whether the whole file would be text in that encoding.
    package static func notUTF8(at place: String, looksLikeGB18030: Bool = false) -> Fault {
        looksLikeGB18030
            ? Fault(.notUTF8, at: place, "; it looks like GB18030 or GBK", "，看起来是 GB18030 或 GBK 编码") : Fault(.notUTF8, at: place, "", "")
    }

    /// Of a file whose byte-order mark is that of UTF-16.
    package static func notUTF8ButUTF16(at place: String) -> Fault { Fault(.notUTF8, at: place, "; it is UTF-16", "，而是 UTF-16") }

    package var message: Phrase { code.entry.message.filled(place: place, arguments: arguments) }
    package var hint: Phrase { code.entry.hint.filled(place: place, arguments: arguments) }

    /// The two lines that a person sees.
    package func lines(_ language: Language) -> String {
        let (error, hint) = language == .zh ? ("错误", "建议") : ("error", "hint")
        return "\(error): \(message(language))\n\(hint): \(self.hint(language))"
    }
}

/// Exit codes of every program.
package enum ExitCode: Int32, Sendable {
    /// What was asked for was done.
    case success = 0
    /// The job or the check ended with a finding.
    case failure = 1
    /// The command, the specification or the data needs the user's correction.
    case usage = 2
    /// A peer, a file or another resource was not to be had; trying again may help.
    case unavailable = 3
    /// A peer broke the protocol or failed to prove who it is.
    case security = 4
    /// The command line was not understood.
    case commandLine = 64
    /// A defect of the program itself.
    case defect = 70
}
