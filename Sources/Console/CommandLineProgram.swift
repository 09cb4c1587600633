import ArgumentParser
import Faults
import Foundation

/// What the four programs share of their command lines: version, help in both languages, and one form for every mistake.
package enum CommandLineProgram {
    package static let version = "0.1.0"

    /// What `--version` prints.
    package static func version(_ name: String, protocol number: UInt32) -> String { "\(name) \(version), protocol \(number)" }

    /// Runs the verb that the command line names, and ends the process.
    package static func run<Root: AsyncParsableCommand>(_ root: Root.Type) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try root.parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
            leave(Faults.ExitCode.success.rawValue)
        } catch {
            end(root, error)
        }
    }

    private static func end(_ root: any ParsableCommand.Type, _ error: any Error) -> Never {
        let code = root.exitCode(for: error)
        switch code {
        case .success:
            Console.say(CommandHelp.bilingual(root.fullMessage(for: error)))
        case .validationFailure:
            let arguments = Array(CommandLine.arguments.dropFirst())
            let message = CommandMistake(root.message(for: error))
            let fault = Fault(.commandLine, at: verb(of: root, arguments), message.en, message.zh)
            Console.note(fault.lines(Console.language(language(in: arguments))))
            leave(Faults.ExitCode.commandLine.rawValue)
        default:
            // A verb that has told its faults itself ends with its code alone.
            if !(error is ArgumentParser.ExitCode) { Console.note(root.fullMessage(for: error)) }
        }
        leave(code.rawValue)
    }

    /// Without what libraries do at a program's end: threads that are still at work would lose from under them what they use.
    private static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// As far as the words name one: `jointlab job submit`.
    private static func verb(of root: any ParsableCommand.Type, _ arguments: [String]) -> String {
        var command = root
        var words = [name(of: root)]
        for argument in arguments {
            guard let next = command.configuration.subcommands.first(where: { name(of: $0) == argument }) else { break }
            words.append(argument)
            command = next
        }
        return words.joined(separator: " ")
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }

    /// The option of a command line that was not understood.
    private static func language(in arguments: [String]) -> Language? {
        guard let index = arguments.lastIndex(of: "--lang"), index + 1 < arguments.count else { return nil }
        return Language(rawValue: arguments[index + 1])
    }
}

/// A mistake on the command line, from the words of ArgumentParser, which knows English alone.
private struct CommandMistake {
    let en: String
    let zh: String

    init(_ message: String) {
        let line = message.split(separator: "\n").first.map(String.init) ?? "not understood"
        en = line.prefix(1).lowercased() + line.dropFirst()
        let isBilingual = line.unicodeScalars.contains { (0x4e00...0x9fff).contains($0.value) }
        zh = isBilingual ? line : Self.patterns.reduce(line) { $0.replacing($1.0, with: $1.1) }
    }

    private static let patterns = [
        ("Missing expected argument ", "缺少参数 "), ("Missing one of: ", "缺少以下之一："), ("Missing value for ", "缺少取值："),
        ("Missing required subcommand.", "缺少子命令"), ("Unknown option ", "未知选项 "), (". Did you mean ", "，是否指 "),
        ("Unexpected argument ", "多余的参数 "), (" unexpected arguments: ", " 个多余的参数："), ("The value ", "取值 "),
        (" is invalid for ", " 不适用于 "), (" is invalid.", " 无效"), (". Please provide one of ", "，可选 "), ("' or '", "' 或 '"), ("' and '", "' 或 '"), ("'.", "'"),
        ("The option ", "选项 "), (" does not take any value, but ", " 不带取值，却给出了 "), (" was specified.", ""),
        ("Value to be set with ", "重复设置："), (" had already been set with ", " 与 "), ("Invalid option: ", "无效的选项："), ("?", ""),
    ]
}

/// Headings and standing phrases of ArgumentParser's help, which are English alone, with their Chinese beside them.
private enum CommandHelp {
    static func bilingual(_ text: String) -> String {
        guard text.hasPrefix("OVERVIEW: ") || text.hasPrefix("USAGE: ") else { return text }
        return phrases.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    private static let phrases = [
        ("OVERVIEW: ", "OVERVIEW (概述): "), ("USAGE: ", "USAGE (用法): "), ("\nARGUMENTS:\n", "\nARGUMENTS (参数):\n"),
        ("\nOPTIONS:\n", "\nOPTIONS (选项):\n"), ("\nSUBCOMMANDS:\n", "\nSUBCOMMANDS (子命令):\n"),
        ("Show help information.", "Show help information. (显示帮助)"), ("Show the version.", "Show the version. (显示版本)"),
        ("Show subcommand help information.", "Show subcommand help information. (显示子命令帮助)"),
        (" <subcommand>' for detailed help.", " <subcommand>' for detailed help. (查看子命令的详细帮助)"),
    ]
}
