import Foundation
import Testing

/// The four programs as they were built for this test run.
enum Programs {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let directory: URL = {
        let places = [
            URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(), Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
            repository.appending(path: ".build/release"), repository.appending(path: ".build/debug"),
        ]
        return places.first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "bank-node").path) } ?? places[3]
    }()

    static func url(_ name: String) -> URL { directory.appending(path: name) }

    /// A process with its output in files. The locale is English unless a test says otherwise.
    static func process(_ program: String, _ arguments: [String], output: URL, errors: URL, locale: String = "C.UTF-8",
                        environment added: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = url(program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LC_") && $0.key != "JOINTLAB_PERSON" }
        environment["LANG"] = locale
        environment.merge(added) { $1 }
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        for (file, key) in [(output, \Process.standardOutput), (errors, \Process.standardError)] {
            if !FileManager.default.fileExists(atPath: file.path) { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
            let handle = try FileHandle(forWritingTo: file)
            try handle.seekToEnd()
            process[keyPath: key] = handle
        }
        return process
    }
}

/// A command that has begun.
struct Running {
    let process: Process
    let output: URL
    let errors: URL

    /// Waits for its end, two minutes at most.
    func end() async throws -> Run {
        #expect(try await eventually(120) { !process.isRunning }, "\(process.arguments ?? []) did not end")
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return Run(code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
                   errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// What a command did.
struct Run {
    let code: Int32
    let output: String
    let errors: String

    var lines: [String] { errors.split(separator: "\n").map(String.init) }

    /// The one fault that it reported, as a person sees it; a test fails where there is none or more than one.
    func pair(_ language: String = "en", _ place: SourceLocation = #_sourceLocation) -> (error: String, hint: String) {
        let words = language == "zh" ? ("错误: ", "建议: ") : ("error: ", "hint: ")
        let errors = lines.filter { $0.hasPrefix(words.0) }
        let hints = lines.filter { $0.hasPrefix(words.1) }
        #expect(errors.count == 1 && hints.count == 1, "\(self.errors)", sourceLocation: place)
        #expect(code != 0 && code != 70, "exit code \(code)", sourceLocation: place)
        for text in errors + hints {
            #expect(!text.contains("{") && !text.contains("Fault(") && !text.contains(".swift"), "\(text)", sourceLocation: place)
            let isChinese = text.unicodeScalars.contains { (0x4e00...0x9fff).contains($0.value) }
            #expect(isChinese == (language == "zh"), "\(text)", sourceLocation: place)
        }
        return (String((errors.first ?? "").dropFirst(words.0.count)), String((hints.first ?? "").dropFirst(words.1.count)))
    }
}

/// `Tests/faults/run` adds them up, where a test without arguments tries so many cases, or more than one for each.
func tried(_ cases: Int) { FileHandle.standardOutput.write(Data("\(cases) cases\n".utf8)) }

/// Waits until `condition` holds; generous, for it is about whether and never about when.
func eventually(_ seconds: Double = 60, _ condition: () throws -> Bool) async throws -> Bool {
    for _ in 0..<Int(seconds * 20) {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(50))
    }
    return try condition()
}
