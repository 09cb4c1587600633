import Foundation
import Ledger
import Primitives
import Testing

@Suite("Differences of subject lists") struct SubjectListTests {
    let key = SecretBytes(copying: [UInt8](repeating: 3, count: 32))

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
            try Data(SubjectList(range.map { "subject \($0)" }, key: key).encode()).write(to: file)
            return file
        }
        #expect(SubjectList.difference(files[0], files[1], upTo: .max) == expected)
        #expect(SubjectList.difference(files[0], files[1], upTo: 100) == min(100, expected))
        #expect(SubjectList.difference(files[0], folder.appending(path: "none"), upTo: 100) == nil)
    }
}
