import Foundation

/// A file without quotes, split by hand: independent of the reader that the lab uses.
struct PlainTable {
    let header: [String]
    let rows: [[String]]

    init(_ url: URL) throws {
        var lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\r\n")
        // The last line ends with CRLF as well.
        guard lines.popLast() == "" else { throw CocoaError(.fileReadCorruptFile) }
        header = lines.removeFirst().components(separatedBy: ",")
        rows = lines.map { $0.components(separatedBy: ",") }
    }

    func column(_ name: String) -> [String] {
        guard let index = header.firstIndex(of: name) else { return [] }
        return rows.map { $0[index] }
    }
}

/// A directory of one test, gone with it.
final class Scratch {
    let url: URL
    var bank: URL { url.appendingPathComponent("bank.csv") }
    var platform: URL { url.appendingPathComponent("platform.csv") }
    var truth: URL { url.appendingPathComponent("truth.json") }
    var names: Set<String> { Set((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []) }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("synthetic-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// Files of the same equations made elsewhere, where they are at hand.
let referenceDirectory: URL? = {
    var url = URL(fileURLWithPath: #filePath)
    while url.path != "/" {
        url.deleteLastPathComponent()
        if FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) { break }
    }
    let found = url.deletingLastPathComponent().appendingPathComponent("shared/data/synthetic/n20000")
    return FileManager.default.fileExists(atPath: found.appendingPathComponent("bank.csv").path) ? found : nil
}()
