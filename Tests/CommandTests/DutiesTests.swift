import Foundation
import Testing

/// `Protocols/duties.md` names nothing that is not there.
@Suite("Duties") struct DutiesTests {
    private static let text = (try? String(contentsOf: Programs.repository.appending(path: "Protocols/duties.md"), encoding: .utf8)) ?? ""
    private static let programs: Set<Substring> = ["jointlab", "arbiter", "bank-node", "platform-node"]

    private static func quoted(_ text: some StringProtocol) -> [Substring] { Substring(text).matches(of: /`([^`]+)`/).map(\.1) }

    private static func isCommand(_ words: Substring) -> Bool { words.split(separator: " ").first.map(programs.contains) ?? false }

    @Test("each of the 28 duties names a command or a suite, or says that it is not there yet")
    func rows() {
        let rows = Self.text.split(separator: "\n").filter { $0.starts(with: /\| R[0-9][0-9] \|/) }.map { $0.split(separator: "|").map { $0.trimmingPrefix(" ") } }
        #expect(rows.map { String($0[0].prefix(3)) } == (1...28).map { $0 < 10 ? "R0\($0)" : "R\($0)" })
        for row in rows {
            let shown = row.last.map(Self.quoted) ?? []
            #expect(shown.contains { $0.hasSuffix("Tests") || Self.isCommand($0) } || row.last?.contains("*not there yet*") == true, "\(row)")
        }
    }

    @Test("every suite that is named is one of the tests, or all suites of a module")
    func suites() throws {
        let folder = Programs.repository.appending(path: "Tests")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        let sources = try files.map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
        let named = Set(Self.quoted(Self.text).filter { $0.wholeMatch(of: /[A-Za-z]+Tests/) != nil })
        #expect(named.count > 30)
        for suite in named { #expect(sources.contains { $0.contains("struct \(suite) ") } || files.contains { $0.hasPrefix("\(suite)/") }, "\(suite)") }
    }

    @Test("every command that is named is one of the programs'")
    func commands() throws {
        // `PROGRAM WORD first, second ARGUMENT`: up to the first word that is none.
        let named = Set(Self.quoted(Self.text).filter(Self.isCommand))
        #expect(named.count > 15)
        let log = FileManager.default.temporaryDirectory.appending(path: "duties-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        for command in named {
            let words = command.split(separator: " ").prefix { $0.allSatisfy { $0.isLowercase || $0 == "-" || $0 == "," } && !$0.hasPrefix("-") }.map(String.init)
            let listed = words.firstIndex { $0.hasSuffix(",") } ?? words.count - 1
            for last in words[listed...] {
                let verb = Array(words[1..<max(listed, 1)]) + (listed > 0 ? [last.replacing(",", with: "")] : [])
                let process = try Programs.process(words[0], verb + ["--help"], output: log, errors: log)
                try process.run()
                process.waitUntilExit()
                #expect(process.terminationStatus == 0, "\(words[0]) \(verb)")
            }
        }
    }
}
