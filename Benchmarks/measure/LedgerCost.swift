import Foundation
import Ledger
import Primitives
import Wire

/// What a recorded job's ledger costs while it trains: its frames are written once more by the product's own writer, in their
/// order and as fast as the job made them, with all that belongs to a head: waiting for the disk, own signatures, and checks
/// of two others' over both directions. Between frames the job would compute; here it is waited.
enum LedgerCost {
    struct Result {
        /// CPU of the process, and time by the clock, that writing took.
        var seconds = 0.0
        var wall = 0.0
        /// Time by the clock in which the job made these frames.
        var of = 0.0
        /// Payload bytes of the frames of training.
        var bytes = 0
        var heads = 0
        /// Resident memory at its highest, bytes, less what the process had before.
        var memory = 0
    }

    /// - Parameters:
    ///   - path: a job's ledger in which all payloads are kept.
    ///   - scratch: a folder on the disk that is measured.
    ///   - bytesPerSecond: payload bytes of both directions that the job made in a second of training.
    ///   - limitSeconds: after so long it ends, behind the next head.
    ///   - withSM3: as under the suite SM2-SM3, whatever the recorded job's was.
    static func measure(_ path: String, scratch: String, bytesPerSecond: Double, limitSeconds: Double, withSM3: Bool) -> Result? {
        guard let ledger = try? LedgerDirectory.open(path), let recorded = LedgerManifest(decoding: ledger.manifest) else { return nil }
        let manifest = LedgerManifest(
            job: recorded.job, attempt: recorded.attempt, node: recorded.node, role: recorded.role, contract: ledger.contract,
            specification: ledger.specification, retention: recorded.retention, hasSM3: withSM3, commitments: recorded.commitments)
        let target = URL(fileURLWithPath: scratch, isDirectory: true).appendingPathComponent(UUID().uuidString, isDirectory: true)
        defer { try? FileManager.default.removeItem(at: target) }
        let key = Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 7, count: 32)))
        // The line with heads is the one that carries data.
        guard let peer = ledger.lines.first(where: { !$0.heads.isEmpty })?.peer,
              let writer = try? LedgerWriter(directory: target, manifest: manifest, contract: ledger.contract, specification: ledger.specification,
                                             peer: peer)
        else { return nil }
        var flows = ledger.lines.filter { $0.peer == peer }.map { Flow($0, recorded) }
        let before = peak()
        var result = Result()
        var start = 0.0
        for number in 0..<(flows.map(\.heads.count).max() ?? 0) {
            for index in flows.indices {
                let direction = flows[index].direction
                while number < flows[index].heads.count, flows[index].next < flows[index].heads[number] {
                    guard let frame = flows[index].take(ledger, recorded) else { return nil }
                    guard frame.phase == .training else {
                        guard (try? writer.append(frame, direction)) != nil else { return nil }
                        continue
                    }
                    if result.bytes == 0 { start = now(CLOCK_MONOTONIC) }
                    guard timed(&result, { try writer.append(frame, direction) }) else { return nil }
                    result.bytes += frame.payload.count
                    result.of = Double(result.bytes) / bytesPerSecond
                    let early = start + result.of - now(CLOCK_MONOTONIC)
                    if early > 0 { Thread.sleep(forTimeInterval: early) }
                }
            }
            guard result.bytes > 0 else { continue }
            result.heads += 1
            let isSigned = timed(&result) {
                try writer.synchronize()
                for direction in Direction.allCases {
                    var note = SignedNote(text: writer.head(direction).text)
                    for name in ["own", "peer", "arbiter"] { note.sign(as: name, with: key) }
                    guard note.isSigned(by: "peer", key.verifyingKey), note.isSigned(by: "arbiter", key.verifyingKey) else { return }
                    try writer.keep(note, direction)
                }
            }
            guard isSigned else { return nil }
            if result.of > limitSeconds { break }
        }
        result.memory = max(0, peak() - before)
        return result
    }

    /// One direction of a recorded line.
    private struct Flow {
        let direction: Direction
        /// Sizes.
        let heads: [Int]
        var next = 0
        private let records: [UInt8]

        init(_ stored: LedgerDirectory.Stored, _ manifest: LedgerManifest) {
            direction = stored.direction
            records = stored.records
            let count = stored.records.count / manifest.recordBytes
            heads = HeadFile.entries(stored.heads).compactMap { $0.head.map { min(Int($0.size), count) } }
        }

        /// The next frame with its recorded payload; nothing where that is not kept.
        mutating func take(_ ledger: LedgerDirectory, _ manifest: LedgerManifest) -> Frame? {
            defer { next += 1 }
            let width = manifest.recordBytes
            guard let record = FrameRecord(decoding: records[next * width..<(next + 1) * width]),
                  let payload = ledger.payload(record.digest, atMost: record.kind.row.maximumPayloadBytes) else { return nil }
            return Frame(kind: record.kind, phase: record.phase, job: manifest.job, attempt: record.attempt, sequence: record.sequence,
                         salt: record.salt, payload: payload)
        }
    }

    private static func timed(_ result: inout Result, _ body: () throws -> Void) -> Bool {
        let (cpu, wall) = (now(CLOCK_PROCESS_CPUTIME_ID), now(CLOCK_MONOTONIC))
        guard (try? body()) != nil else { return false }
        result.seconds += now(CLOCK_PROCESS_CPUTIME_ID) - cpu
        result.wall += now(CLOCK_MONOTONIC) - wall
        return true
    }

    private static func now(_ kind: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(kind, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func peak() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
