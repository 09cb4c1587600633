import Foundation
import Testing

/// Foreign bytes end in an answer or a typed refusal, never in a trap. The long run of the same: `Tests/fuzz/run --runs 10000000`.
@Suite("Fuzz") struct FuzzTests {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let targets = (try? FileManager.default.contentsOfDirectory(atPath: repository.appending(path: "Tests/fuzz/corpus").path).sorted()) ?? []

    private static func corpus(_ target: String) -> String { repository.appending(path: "Tests/fuzz/corpus/\(target)").path }

    /// By how much fewer runs where one takes a tenth of a millisecond or more: signatures and keys are checked, files written. Opening
    /// a ledger and planning a job take milliseconds.
    private static let slow = [
        "authorisations": 5, "certificate": 10, "database": 10, "key": 5, "note": 5, "operations": 50, "plan": 50, "records": 5, "report": 5,
        "specification": 5, "subjects": 5, "table": 5,
    ]

    @Test("whatever bytes come, every reader returns, and what it accepts it writes the same", arguments: targets)
    func returns(_ target: String) throws {
        let folder = FileManager.default.temporaryDirectory
        let last = folder.appending(path: "fuzz-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: last) }
        let seed = UInt64.random(in: 0...UInt64.max)
        let wanted = ProcessInfo.processInfo.environment["JOINTLAB_FUZZ_RUNS"].flatMap { Int($0) } ?? 10_000
        let runs = wanted / (Self.slow[target] ?? 1)
        // Thrice over the bound of the long run; a busy machine adds no processor time to speak of, and what is over it is tried thrice.
        let run = try Self.fuzz([target, Self.corpus(target), "--runs", "\(runs)", "--seed", "\(seed)", "--last", last.path, "--seconds", "3"])
        guard run.code != 0 else { return }
        let kept = try [UInt8](Data(contentsOf: last))
        let count = kept.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        Issue.record("\(target) with seed \(seed) ended with \(run.code): \(run.output)\n\(Data(kept.dropFirst(8).prefix(count)).base64EncodedString())")
    }

    @Test("every target has its inputs")
    func complete() throws {
        let listed = try Self.fuzz(["--list"])
        #expect(listed.output.split(separator: "\n").map(String.init) == Self.targets)
        for target in Self.targets {
            #expect(try !FileManager.default.contentsOfDirectory(atPath: Self.corpus(target)).isEmpty, "\(target)")
        }
    }

    @Test("an input that takes more time or memory than a run may ends the trial, and is told")
    func limits() throws {
        for (limit, words) in [(["--seconds", "0"], "of processor time"), (["--mebibytes", "1"], "of memory")] {
            let run = try Self.fuzz(["csv", Self.corpus("csv"), "--runs", "1"] + limit)
            #expect(run.code == 1 && run.output.contains(words), "\(run.output)")
        }
    }

    @Test("the kept inputs are few and small")
    func corpusIsSmall() throws {
        var sum = 0
        for target in Self.targets {
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.corpus(target)) {
                let size = try Data(contentsOf: URL(filePath: "\(Self.corpus(target))/\(name)")).count
                #expect(size <= 16 << 10, "\(target)/\(name)")
                sum += size
            }
        }
        #expect(sum > 0 && sum <= 2 << 20)
    }

    private static func fuzz(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let places = [URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(), Bundle.main.bundleURL, repository.appending(path: ".build/release")]
        let folder = places.first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "fuzz").path) } ?? places[2]
        let process = Process()
        let pipe = Pipe()
        process.executableURL = folder.appending(path: "fuzz")
        process.arguments = arguments
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
