import Foundation
import Testing

/// Makes one call of a node's process fail, or kills it there: `Tests/faults/interpose.c`.
struct Interposer {
    enum Call: String, CaseIterable {
        case write, fsync, rename, link, send
    }

    enum Kind: String, CaseIterable {
        case full, error, short, kill, after
        /// No call fails, but signals that ask for the end are listened for late.
        case late

        var kills: Bool { self == .kill || self == .after }
    }

    private static let library: Result<URL, any Error> = Result {
        let library = FileManager.default.temporaryDirectory.appending(path: "interpose-\(UUID().uuidString).so")
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        let source = Programs.repository.appending(path: "Tests/faults/interpose.c").path
        compiler.arguments = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library.path, source, "-ldl"]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return library
    }

    let environment: [String: String]
    private let tally: URL

    /// - Parameters:
    ///   - number: which of these calls on files below `folder`, and on sockets where they are sends; without one they are counted.
    init(below folder: String, _ call: Call = .write, number: Int = 0, _ kind: Kind = .error) throws {
        tally = FileManager.default.temporaryDirectory.appending(path: "tally-\(UUID().uuidString)")
        environment = [
            "LD_PRELOAD": try Self.library.get().path, "FAULT_FOLDER": folder, "FAULT_CALL": call.rawValue, "FAULT_AT": "\(number)",
            "FAULT_KIND": kind.rawValue, "FAULT_TALLY": tally.path,
        ]
    }

    /// How many calls of each kind there were.
    func counts() throws -> [Call: Int] {
        let bytes = [UInt8](try Data(contentsOf: tally))
        return Dictionary(uniqueKeysWithValues: Call.allCases.enumerated().map { index, call in
            (call, bytes[8 * index..<8 * index + 8].reversed().reduce(0) { $0 << 8 | Int($1) })
        })
    }

    /// The call that was struck and its file; nothing while there was none.
    var struck: String? {
        guard let bytes = try? [UInt8](Data(contentsOf: tally)), bytes.count > 48, bytes[48] != 0 else { return nil }
        return String(decoding: bytes[48...].prefix { $0 != 0 }, as: UTF8.self)
    }

    func remove() { try? FileManager.default.removeItem(at: tally) }
}
