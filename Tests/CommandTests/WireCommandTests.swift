import Foundation
import Testing

@Suite("jointlab wire") struct WireCommandTests {
    /// The rows of the table at the end of a document, heading first.
    private static func table(_ file: String) throws -> [[String]] {
        let text = try String(contentsOf: Programs.repository.appending(path: "Protocols/\(file)"), encoding: .utf8)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("| ") }
        return lines.map { line in line.dropFirst(2).dropLast(2).components(separatedBy: " | ") }.filter { $0.allSatisfy { $0 != "---" } && $0.count == 7 }
    }

    @Test("prints what the document says, row by row", arguments: [("en", "wire.md"), ("zh", "wire.zh.md")])
    func printed(language: String, file: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wire-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
        let process = try Programs.process("jointlab", ["wire", "--lang", language], output: output, errors: errors)
        try process.run()
        #expect(try await eventually { !process.isRunning })
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try String(contentsOf: errors, encoding: .utf8).isEmpty)

        let rows = try Self.table(file)
        let heading = try #require(rows.first)
        #expect(rows.count > 30)
        let expected = rows.dropFirst().map { row in
            let name = row[1].replacing("`", with: "")
            return (["\(row[0]) \(name)"] + zip(heading, row).dropFirst(2).map { "  \($0): \($1)" }).joined(separator: "\n")
        }
        let printed = try String(contentsOf: output, encoding: .utf8).components(separatedBy: "\n\n").map { $0.trimmingCharacters(in: .newlines) }
        #expect(printed.filter { !$0.isEmpty } == expected)
    }
}
