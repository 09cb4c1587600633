import Foundation

/// Feeds changed inputs to everything that reads foreign bytes.
///
///     fuzz TARGET CORPUS --runs N [--seed S] [--last FILE] [--seconds S] [--mebibytes M]
///                        [--found FOLDER [--minutes N] | --merge FOLDER]
///
/// CORPUS is a folder; its files are tried as they are first. The input under trial lies in FILE, from which it is taken when the
/// process has ended: 8 bytes of length, little-endian, then the input. Ends with a code other than 0 at an input that takes more than S
/// seconds of processor time (1 by default) or brings memory over M MiB (512). Prints runs, seconds, the slowest run and the peak memory.
/// Where libFuzzer is linked, it does the work (`CoverageGuided`), for N minutes at most, and leaves what it finds in the folder of
/// `--found`; `--merge` then adds to CORPUS what reaches new branches.
@main
enum Fuzz {
    static func main() {
        var words = Array(CommandLine.arguments.dropFirst())
        if let part = CoverageGuided.partOfMerge(words) { exit(part) }
        func option(_ name: String) -> String? {
            guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
            defer { words.removeSubrange(index...index + 1) }
            return words[index + 1]
        }
        let runs = option("--runs").flatMap { Int($0) } ?? 100_000
        let seed = option("--seed").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        let last = option("--last").flatMap(LastInput.init)
        let limits = Limits(seconds: option("--seconds").flatMap { Double($0) } ?? 1, mebibytes: option("--mebibytes").flatMap { Int($0) } ?? 512)
        let (found, merged) = (option("--found"), option("--merge"))
        let minutes = option("--minutes").flatMap { Int($0) }
        if words == ["--list"] { return print(Targets.all.keys.sorted().joined(separator: "\n")) }
        guard words.count == 2, let target = Targets.all[words[0]] else {
            let usage = "error: fuzz TARGET CORPUS --runs N [--seed S] [--last FILE] [--seconds S] [--mebibytes M] [--found FOLDER [--minutes N] | --merge FOLDER]\n"
            FileHandle.standardError.write(Data("\(usage)hint: fuzz --list tells the targets\n".utf8))
            exit(64)
        }
        if let merged { exit(CoverageGuided.merge(words[0], limits, corpus: words[1], found: merged)) }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: words[1]).sorted()) ?? []
        var seeds = files.compactMap { try? [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(words[1])/\($0)"))) }
        if words[0] == "ciphertexts" { seeds += Targets.ciphertextSeeds }
        print("\(words[0]): seed \(seed), \(seeds.count) inputs")
        if let found {
            exit(CoverageGuided.run(words[0], limits, corpus: words[1], found: found, seeds: seeds, runs: runs, minutes: minutes, seed: seed))
        }

        var mutator = Mutator(seed: seed)
        let clock = ContinuousClock()
        var slowest = 0.0
        let start = clock.now
        for run in 0..<(seeds.count + runs) {
            let input = run < seeds.count ? seeds[run] : mutator.input(from: seeds)
            last?.keep(input)
            let seconds = limits.secondsTaken { target(input) }
            slowest = max(slowest, seconds)
            // Nothing takes hundreds of mebibytes within a millisecond; what grows from run to run is seen at the last.
            if let excess = limits.excess(seconds, memory: seconds > 1e-3 || run == seeds.count + runs - 1) {
                print("\(words[0]): run \(run) of seed \(seed): \(excess)")
                exit(1)
            }
        }
        let milliseconds = (slowest * 1e6).rounded() / 1e3
        print("\(words[0]): \(runs) runs in \(clock.now - start), slowest \(milliseconds) ms, peak \(Limits.peakKibibytes ?? 0) KiB")
    }
}

/// What one input may take.
struct Limits {
    /// Of the processor: how busy a machine is decides nothing.
    let seconds: Double
    let mebibytes: Int

    /// Of the processor, all threads'. What takes longer than the limit is tried twice again, and the least counts: the first time
    /// may have paid for something that is made once.
    func secondsTaken(_ body: () -> Void) -> Double {
        func once() -> Double {
            let start = Self.processorSeconds
            body()
            return Self.processorSeconds - start
        }
        let first = once()
        return first > seconds ? min(first, once(), once()) : first
    }

    /// What is over a limit; the peak of memory is looked at where `memory` says so.
    func excess(_ taken: Double, memory: Bool) -> String? {
        if taken > seconds { return "\(taken) s of processor time, more than \(seconds)" }
        guard memory else { return nil }
        // Without the file nothing is known, and a limit that is not looked at must not hold.
        guard let peak = Self.peakKibibytes else { return "the peak of memory is not known" }
        return peak > mebibytes * 1024 ? "\(peak) KiB of memory, more than \(mebibytes * 1024)" : nil
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static let status = open("/proc/self/status", O_RDONLY | O_CLOEXEC)

    /// The process's own; that of `getrusage` begins with what the parent had.
    static var peakKibibytes: Int? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { text in
            guard let start = text.baseAddress else { return nil }
            let count = pread(status, start, text.count - 1, 0)
            guard count > 0 else { return nil }
            text[count] = 0
            guard let line = strstr(start, "VmHWM:") else { return nil }
            return strtol(line + 6, nil, 10)
        }
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
