import Faults
import Foundation
import Testing
import Wire

@Suite("Dissector") struct DissectorTests {
    /// `[number] = "name",` of the table `local NAME = {`.
    private func table(_ name: String, in script: String) throws -> [Int: String] {
        let start = try #require(script.range(of: "local \(name) = {\n")).upperBound
        let end = try #require(script.range(of: "\n}", range: start..<script.endIndex)).lowerBound
        let entries = try script[start..<end].split(separator: "\n").map { line in
            let match = try #require(try /^    \[(\d+)\] = "(\w+)",$/.wholeMatch(in: line), "\(line)")
            return (try #require(Int(match.1)), String(match.2))
        }
        return Dictionary(uniqueKeysWithValues: entries)
    }

    @Test("its tables of kinds and phases, and the header, are those of the programs")
    func tables() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let script = try String(contentsOf: root.appending(path: "Protocols/jointlab.lua"), encoding: .utf8)
        #expect(try table("kinds", in: script) == Dictionary(uniqueKeysWithValues: MessageKind.allCases.map { (Int($0.rawValue), $0.name) }))
        #expect(try table("phases", in: script) == Dictionary(uniqueKeysWithValues: Phase.allCases.map { ($0.rawValue, $0.name.en) }))
        #expect(script.contains("local header_bytes = \(Frame.headerBytes)\n"))
        let magic = Frame.magic.map { String($0, radix: 16) }.joined()
        #expect(script.contains("local magic = 0x\(magic) "))
    }
}
