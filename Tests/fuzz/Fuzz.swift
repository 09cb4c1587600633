import Foundation

/// Feeds changed inputs to everything that reads foreign bytes.
///
///     fuzz TARGET CORPUS --runs N [--seed S] [--last FILE]
///
/// CORPUS is a folder; its files are tried as they are first. The input under trial lies in FILE, from which it is taken when the
/// process has trapped: 8 bytes of length, little-endian, then the input. Prints runs, seconds, the slowest run and the peak memory.
/// Where libFuzzer is linked, it does the work (`CoverageGuided`).
@main
enum Fuzz {
    static func main() {
        var words = Array(CommandLine.arguments.dropFirst())
        func option(_ name: String) -> String? {
            guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
            defer { words.removeSubrange(index...index + 1) }
            return words[index + 1]
        }
        let runs = option("--runs").flatMap { Int($0) } ?? 100_000
        let seed = option("--seed").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        let last = option("--last").flatMap(LastInput.init)
        if words == ["--list"] { return print(Targets.all.keys.sorted().joined(separator: "\n")) }
        guard words.count == 2, let target = Targets.all[words[0]] else {
            FileHandle.standardError.write(Data("error: fuzz TARGET CORPUS --runs N [--seed S] [--last FILE]\nhint: fuzz --list tells the targets\n".utf8))
            exit(64)
        }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: words[1]).sorted()) ?? []
        var seeds = files.compactMap { try? [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(words[1])/\($0)"))) }
        if words[0] == "ciphertexts" { seeds += Targets.ciphertextSeeds }
        print("\(words[0]): seed \(seed), \(seeds.count) inputs")
        if CoverageGuided.isThere { exit(CoverageGuided.run(target, corpus: words[1], seeds: seeds, runs: runs, seed: seed)) }

        var mutator = Mutator(seed: seed)
        let clock = ContinuousClock()
        var slowest = Duration.zero
        let start = clock.now
        for run in 0..<(seeds.count + runs) {
            let input = run < seeds.count ? seeds[run] : mutator.input(from: seeds)
            last?.keep(input)
            let before = clock.now
            target(input)
            slowest = max(slowest, clock.now - before)
        }
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(separator: " ").dropFirst().first ?? "?"
        print("\(words[0]): \(runs) runs in \(clock.now - start), slowest \(slowest), peak \(peak) KiB")
    }
}

/// The input under trial, in a file that outlives the process.
final class LastInput {
    private let memory: UnsafeMutableRawPointer
    private static let size = 8 + (1 << 20)

    init?(_ path: String) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, off_t(Self.size)) == 0,
              let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { return nil }
        close(descriptor)
        self.memory = memory
    }

    func keep(_ input: [UInt8]) {
        let count = min(input.count, Self.size - 8)
        memory.storeBytes(of: UInt64(count).littleEndian, as: UInt64.self)
        input.withUnsafeBytes { if let source = $0.baseAddress { memory.advanced(by: 8).copyMemory(from: source, byteCount: count) } }
    }
}
