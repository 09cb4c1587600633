import Foundation

/// Runs the whole protocol from seeds, or hunts the planted bugs.
///
///     simulate --seeds N [--from S]      N seeds; tells each that breaks an invariant, then the first of them with its trace
///     simulate --seed S [--bug NAME] [--fault KIND]     one, with its trace
///     simulate --fault KIND --seeds N    N seeds in which frames have suffered that: duplicate, reorder, stale, drop, late, resend
///     simulate --bugs [--seeds N]        looks for each planted bug in at most N seeds
@main
enum Simulate {
    static func main() throws {
        var words = Array(CommandLine.arguments.dropFirst())
        func option(_ name: String) -> String? {
            guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
            defer { words.removeSubrange(index...index + 1) }
            return words[index + 1]
        }
        let seeds = option("--seeds").flatMap { UInt64($0) }
        let first = option("--from").flatMap { UInt64($0) } ?? 1
        let one = option("--seed").flatMap { UInt64($0) }
        let bug = option("--bug").flatMap(Bug.init)
        let fault = option("--fault")
        let kind = FaultClass.ofFrames.first { "\($0)" == fault }
        if fault != nil, kind == nil { refuse() }
        let lab = try Lab()
        if words == ["--bugs"] { return try hunt(lab, first, seeds ?? 500) }
        if words.isEmpty, let one { return try show(Run.of(one, lab, wanted: kind, bug: bug, keepsTrace: true)) }
        guard words.isEmpty, let seeds else { refuse() }
        try runAll(lab, first, seeds, kind)
    }

    private static func refuse() -> Never {
        let kinds = FaultClass.ofFrames.map { "\($0)" }.joined(separator: "|")
        let usage = "simulate [--fault \(kinds)] --seeds N [--from S] | --seed S [--fault KIND] [--bug NAME] | --bugs [--seeds N]"
        FileHandle.standardError.write(Data("error: \(usage)\n".utf8))
        exit(64)
    }

    private static func show(_ result: Run.Result) {
        print(result.trace.joined(separator: "\n"))
        print("seed \(result.seed): \(result.isCompleted ? "completed" : "not completed") in attempt \(result.attempts), trace \(result.digest)")
        for violation in result.violations { print("  \(violation.invariant.rawValue) \(violation.sentence)") }
        if !result.violations.isEmpty { exit(1) }
    }

    /// - Parameter kind: counts only seeds in which frames have suffered that.
    private static func runAll(_ lab: Lab, _ first: UInt64, _ seeds: UInt64, _ kind: FaultClass?) throws {
        let clock = ContinuousClock()
        let start = clock.now
        var (completed, attempts, told) = (0, 0, start)
        var broken: UInt64?
        var (seed, done, suffered) = (first, UInt64(0), 0)
        while done < seeds {
            defer { seed += 1 }
            let result = try Run.of(seed, lab, wanted: kind)
            if let violation = result.violations.first {
                say("seed \(seed): \(violation.invariant.rawValue) \(violation.sentence)")
                broken = broken ?? seed
            }
            if let kind {
                guard let count = result.counts[kind] else { continue }
                suffered += count
            }
            completed += result.isCompleted ? 1 : 0
            attempts += result.attempts
            done += 1
            guard clock.now - told > .seconds(10) else { continue }
            told = clock.now
            say("\(done) of \(seeds) seeds, about \(((told - start) * Int(seeds - done) / Int(done)).components.seconds) s remain")
        }
        if let kind { say("\(kind): \(suffered) frames, in \(done) of \(seed - first) seeds") }
        say("\(seeds) seeds from \(first): \(completed) jobs completed, \(attempts) attempts, in \(clock.now - start)")
        if let broken { show(try Run.of(broken, lab, wanted: kind, keepsTrace: true)) }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func hunt(_ lab: Lab, _ first: UInt64, _ most: UInt64) throws {
        var found = 0
        for bug in Bug.allCases {
            var line = "\(bug.rawValue): not found in \(most) seeds"
            for seed in [bug.knownSeed] + Array(first..<first + most) {
                guard let violation = try Run.of(seed, lab, bug: bug).violations.first else { continue }
                line = "\(bug.rawValue): seed \(seed), \(violation.invariant.rawValue), \(violation.sentence)"
                found += 1
                break
            }
            say(line)
        }
        say("\(found) of \(Bug.allCases.count) found")
        if found < Bug.allCases.count { exit(1) }
    }
}
