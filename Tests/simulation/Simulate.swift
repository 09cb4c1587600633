import Foundation

/// Runs the whole protocol from seeds, or hunts the planted bugs.
///
///     simulate --seeds N [--from S]      N seeds; tells each that breaks an invariant, then the first of them with its trace
///     simulate --seed S [--bug NAME]     one, with its trace
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
        let lab = try Lab()
        if words == ["--bugs"] { return try hunt(lab, first, seeds ?? 500) }
        if words.isEmpty, let one { return try show(Run.of(one, lab, bug: bug, keepsTrace: true)) }
        guard words.isEmpty, let seeds else {
            FileHandle.standardError.write(Data("error: simulate --seeds N [--from S] | --seed S [--bug NAME] | --bugs [--seeds N]\n".utf8))
            exit(64)
        }
        try runAll(lab, first, seeds)
    }

    private static func show(_ result: Run.Result) {
        print(result.trace.joined(separator: "\n"))
        print("seed \(result.seed): \(result.isCompleted ? "completed" : "not completed") in attempt \(result.attempts), trace \(result.digest)")
        for violation in result.violations { print("  \(violation.invariant.rawValue) \(violation.sentence)") }
        if !result.violations.isEmpty { exit(1) }
    }

    private static func runAll(_ lab: Lab, _ first: UInt64, _ seeds: UInt64) throws {
        let clock = ContinuousClock()
        let start = clock.now
        var (completed, attempts, told) = (0, 0, start)
        var broken: UInt64?
        for seed in first..<first + seeds {
            let result = try Run.of(seed, lab)
            if let violation = result.violations.first {
                say("seed \(seed): \(violation.invariant.rawValue) \(violation.sentence)")
                broken = broken ?? seed
            }
            completed += result.isCompleted ? 1 : 0
            attempts += result.attempts
            let done = seed - first + 1
            guard clock.now - told > .seconds(10) else { continue }
            told = clock.now
            say("\(done) of \(seeds) seeds, about \(((told - start) * Int(seeds - done) / Int(done)).components.seconds) s remain")
        }
        say("\(seeds) seeds from \(first): \(completed) jobs completed, \(attempts) attempts, in \(clock.now - start)")
        if let broken { show(try Run.of(broken, lab, keepsTrace: true)) }
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
