import Foundation
import Ledger
import NodeRuntime
import Primitives
import Roles
import Scratch
import Testing

@Suite("Lists of subjects") struct SubjectListTests {
    let key = SecretBytes(copying: [UInt8](repeating: 3, count: 32))

    /// As nodes write it.
    private func list(_ identifiers: some Sequence<String>, memoryBytes: Int = 1 << 20) throws -> (bytes: [UInt8], pieces: Int) {
        let tags = try SubjectTags(IdentifierList(Array(identifiers)), key: key, scratch: MemoryScratch(memoryBytes: memoryBytes))
        return (try (0..<tags.pieces).flatMap { try tags.piece($0) }, tags.pieces)
    }

    @Test("a list of subjects holds whoever is in it and nobody else, names no one, and is the same in any order and any memory")
    func subjects() throws {
        let identifiers = (0..<300).map { "9137081\($0)" }
        let (bytes, pieces) = try list(identifiers)
        #expect(bytes.count == 300 * 16 && pieces == 1)
        let spilt = try list(identifiers.shuffled(), memoryBytes: 1 << 15)
        #expect(spilt.bytes == bytes && spilt.pieces > 5)
        let some = try list([identifiers[299], identifiers[3]]).bytes
        for (row, identifier) in identifiers.enumerated() {
            let tag = SubjectList.tag(identifier, key: key)
            #expect(SubjectList.holds(bytes, tag) && SubjectList.holds(some, tag) == [3, 299].contains(row))
        }
        #expect(!SubjectList.holds(bytes, SubjectList.tag("9137081", key: key)) && !SubjectList.holds([], 1))
        // HMAC-SHA256 as anyone computes it.
        let code = HMACSHA256.code(for: Array(identifiers[3].utf8), key: key)
        #expect(try list([identifiers[3]]).bytes == Array(code.prefix(16)))
        let other = SecretBytes(copying: [UInt8](repeating: 6, count: 32))
        #expect(SubjectList.tag(identifiers[3], key: other) != SubjectList.tag(identifiers[3], key: key))
    }

    @Test("counts who stands in one list alone, as sets do, and no further than asked", arguments: [
        (0..<5000, 0..<5000, 0), (0..<5000, 1..<5000, 1), (1..<5000, 0..<5000, 1), (0..<5000, 50..<5050, 100), (0..<9000, 30..<9060, 90),
        (0..<0, 0..<7, 7), (0..<7, 0..<0, 7),
    ])
    func difference(first: Range<Int>, second: Range<Int>, expected: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "subjects-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try [first, second].enumerated().map { index, range in
            let file = folder.appending(path: "\(index)")
            try Data(list(range.map { "subject \($0)" }).bytes).write(to: file)
            return file
        }
        #expect(SubjectList.difference(files[0], files[1], upTo: .max) == expected)
        #expect(SubjectList.difference(files[0], files[1], upTo: 100) == min(100, expected))
        #expect(SubjectList.difference(files[0], folder.appending(path: "none"), upTo: 100) == nil)
    }
}
