import Foundation

/// libFuzzer's loop in place of `Mutator`, where `Tests/fuzz/run` has linked it and had the compiler count the branches that an
/// input takes: inputs that reach new ones are changed further. Source: https://llvm.org/docs/LibFuzzer.html.
enum CoverageGuided {
    private typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    private typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private typealias Driver = @convention(c) (UnsafeMutablePointer<CInt>, UnsafeMutablePointer<Words>, Body) -> CInt

    /// Bytes of an input that a merge keeps; a longer one is cut.
    static let mostKeptBytes = 4096
    /// What follows is ours: libFuzzer passes it on to the processes that it starts for a merge.
    private static let mark = "-ignore_remaining_args=1"

    /// A C function takes nothing along.
    nonisolated(unsafe) private static var target: Targets.Target = { _ in }
    nonisolated(unsafe) private static var limits = Limits(seconds: 1, mebibytes: 512)

    private static var driver: Driver? {
        dlsym(UnsafeMutableRawPointer(bitPattern: 0), "LLVMFuzzerRunDriver").map { unsafeBitCast($0, to: Driver.self) }
    }

    static var isThere: Bool { driver != nil }

    /// Ends the process when the runs are over. A trap, or an input over a limit, leaves its input at `corpus`/found-DIGEST.
    ///
    /// - Parameters:
    ///   - found: a folder for seeds and for what is found on the way.
    ///   - minutes: the most that all runs together take; without it they take what they need.
    static func run(
        _ name: String, _ limits: Limits, corpus: String, found: String, seeds: [[UInt8]], runs: Int, minutes: Int?, seed: UInt64
    ) -> CInt {
        self.target = Targets.all[name] ?? target
        self.limits = limits
        for (index, seed) in seeds.enumerated() {
            guard (try? Data(seed).write(to: URL(fileURLWithPath: "\(found)/\(index)"))) != nil else { return EX_CANTCREAT }
        }
        // What it finds on the way it adds to the first folder.
        return drive([
            "-runs=\(runs)", "-max_total_time=\(60 * (minutes ?? 0))", "-seed=\(UInt32(truncatingIfNeeded: seed))",
            "-max_len=\(Mutator.maximumBytes)", "-print_final_stats=1", "-verbosity=1",
        ] + common(limits, corpus) + [found])
    }

    /// Adds those inputs of `found` to `corpus` that reach a branch which none there reaches. Ends the process.
    static func merge(_ name: String, _ limits: Limits, corpus: String, found: String) -> CInt {
        drive(["-merge=1", "-max_len=\(mostKeptBytes)"] + common(limits, corpus) + [corpus, found, mark, name])
    }

    private static func common(_ limits: Limits, _ corpus: String) -> [String] {
        ["-rss_limit_mb=\(limits.mebibytes)", "-timeout=300", "-artifact_prefix=\(corpus)/found-"]
    }

    /// For a merge libFuzzer starts this program again, with options of its own before `mark`.
    static func partOfMerge(_ words: [String]) -> CInt? {
        guard isThere, let index = words.firstIndex(of: mark), let name = words.last, let target = Targets.all[name] else { return nil }
        self.target = target
        return drive(Array(words[...index]) + [name])
    }

    private static func drive(_ words: [String]) -> CInt {
        guard let driver else { return EX_SOFTWARE }
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let words = [program] + words
        var count = CInt(words.count)
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard var start = buffer.baseAddress else { return EX_SOFTWARE }
            return driver(&count, &start) { bytes, count in
                let input = Array(UnsafeBufferPointer(start: bytes, count: count))
                // Memory is libFuzzer's to watch, and five minutes of wall time, by which a run that never ends is ended.
                let seconds = CoverageGuided.limits.secondsTaken { CoverageGuided.target(input) }
                guard seconds <= CoverageGuided.limits.seconds else { fatalError("\(seconds) s of processor time for one input") }
                return 0
            }
        }
    }
}
