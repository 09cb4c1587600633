import Foundation
import Testing

/// Makes one call of a node's process fail, kills it there, or moves its clock: `Tests/faults/interpose.c`.
struct Interposer {
    enum Call: String, CaseIterable {
        case write, fsync, rename, link, send, receive
    }

    enum Kind: String, CaseIterable {
        case full, error, short, kill, after

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

    private init(_ fault: [String: String]) throws {
        tally = FileManager.default.temporaryDirectory.appending(path: "tally-\(UUID().uuidString)")
        environment = fault.merging(["LD_PRELOAD": try Self.library.get().path, "FAULT_TALLY": tally.path]) { $1 }
    }

    /// - Parameter number: which of these calls on files below `folder`, and on sockets where they are sends or receives.
    init(below folder: String, _ call: Call, number: Int, _ kind: Kind) throws {
        try self.init(["FAULT_FOLDER": folder, "FAULT_CALL": call.rawValue, "FAULT_AT": "\(number)", "FAULT_KIND": kind.rawValue])
    }

    /// Calls are counted, and none fails.
    static func counting(below folder: String) throws -> Interposer { try Interposer(["FAULT_FOLDER": folder]) }

    /// No call fails, but signals that ask for the end are listened for late.
    static func late() throws -> Interposer { try Interposer(["FAULT_KIND": "late"]) }

    /// No call fails, and the wall clock is as far ahead of the machine's as `setClock` says.
    static func clock(secondsAhead: Int) throws -> Interposer {
        let interposer = try Interposer([:])
        try Data(count: clockOffset + 8).write(to: interposer.tally)
        try interposer.setClock(secondsAhead: secondsAhead)
        return interposer
    }

    private static let clockOffset = 8 * (Call.allCases.count + 1)

    /// From now on, in the middle of whatever the process does.
    func setClock(secondsAhead: Int) throws {
        let file = try FileHandle(forUpdating: tally)
        try file.seek(toOffset: UInt64(Self.clockOffset))
        try file.write(contentsOf: withUnsafeBytes(of: Int64(secondsAhead).littleEndian) { Data($0) })
        try file.close()
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
        guard let bytes = try? [UInt8](Data(contentsOf: tally)), bytes.count > Self.clockOffset + 8 else { return nil }
        let text = bytes[(Self.clockOffset + 8)...].prefix { $0 != 0 }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    func remove() { try? FileManager.default.removeItem(at: tally) }
}
