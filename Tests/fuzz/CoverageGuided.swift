import Foundation

/// libFuzzer's loop in place of `Mutator`, where `Tests/fuzz/run` has linked it and had the compiler count the branches that an
/// input takes: inputs that reach new ones are changed further. Source: https://llvm.org/docs/LibFuzzer.html.
enum CoverageGuided {
    private typealias Body = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    private typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private typealias Driver = @convention(c) (UnsafeMutablePointer<CInt>, UnsafeMutablePointer<Words>, Body) -> CInt

    /// A C function takes nothing along.
    nonisolated(unsafe) private static var target: Targets.Target = { _ in }

    private static var driver: Driver? {
        dlsym(UnsafeMutableRawPointer(bitPattern: 0), "LLVMFuzzerRunDriver").map { unsafeBitCast($0, to: Driver.self) }
    }

    static var isThere: Bool { driver != nil }

    /// Does not return before the runs are over; a trap leaves its input at `corpus`/found-DIGEST.
    static func run(_ target: @escaping Targets.Target, corpus: String, seeds: [[UInt8]], runs: Int, seed: UInt64) -> CInt {
        guard let driver else { return EX_SOFTWARE }
        self.target = target
        let folder = FileManager.default.temporaryDirectory.appending(path: "jointlab-fuzz-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        guard (try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)) != nil else { return EX_CANTCREAT }
        for (index, seed) in seeds.enumerated() { try? Data(seed).write(to: folder.appending(path: "\(index)")) }
        // What it finds on the way it adds to the first folder.
        let words = [
            "fuzz", "-runs=\(runs)", "-seed=\(UInt32(truncatingIfNeeded: seed))", "-max_len=\(Mutator.maximumBytes)", "-rss_limit_mb=512", "-timeout=10",
            "-report_slow_units=1", "-artifact_prefix=\(corpus)/found-", "-print_final_stats=1", "-verbosity=1", folder.path,
        ]
        var count = CInt(words.count)
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard var start = buffer.baseAddress else { return EX_SOFTWARE }
            return driver(&count, &start) { bytes, count in
                CoverageGuided.target(Array(UnsafeBufferPointer(start: bytes, count: count)))
                return 0
            }
        }
    }
}
