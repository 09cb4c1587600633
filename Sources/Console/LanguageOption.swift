import ArgumentParser
import Faults

extension Language: ExpressibleByArgument {}

/// `--lang`, which every verb has.
package struct LanguageOption: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(
        "Language of messages; by default that of the locale: LC_ALL, LC_MESSAGES, LANG. (消息语言，默认随系统区域设置)", valueName: "lang"))
    package var lang: Language?

    package init() {}

    package var language: Language { Console.language(lang) }

    /// Runs a verb; faults go to standard error and decide the exit code.
    package func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let code as ArgumentParser.ExitCode {
            throw code
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
    }
}
