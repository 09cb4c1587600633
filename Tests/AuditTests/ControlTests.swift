import Audit
import Dispatch
import Foundation
import Ledger
import Primitives
import Synchronization
import Testing
import Wire

/// Every change of a closed job's ledger, against the heads that three have signed: none is left out, none is missed.
///
/// The job keeps digests only, so that no payload helps. What one ledger cannot show, of frames under no head, the ledgers
/// of the other two nodes must.
@Suite("Every change of a ledger is found") struct ControlTests {
    /// The bank's ledger, and those of the others that stay as they are.
    private struct Closed {
        let sample: Sample
        let directory: LedgerDirectory
        let ledger: AuditedLedger
        let others: [AuditedLedger]
        /// Of documents, records and heads, by name.
        let files: [(name: String, bytes: [UInt8])]

        init(rounds: Int) throws {
            let sample = try Sample(Sample.script(rounds: rounds), retention: .digests)
            self.sample = sample
            directory = try sample.open(.bank)
            var report = AuditReport()
            ledger = try #require(AuditedLedger.open(directory, report: &report))
            var others: [AuditedLedger] = []
            for role in [Role.platform, .arbiter] { others.append(try #require(AuditedLedger.open(try sample.open(role), report: &report))) }
            self.others = others
            files = try FileManager.default.contentsOfDirectory(atPath: sample.path(.bank)).filter { $0 != LedgerFile.payloads }.sorted()
                .map { ($0, try sample.bytes(.bank, $0)) }
            let (alone, together) = (Verification.verify(ledger, report), Reconciliation.reconcile([ledger] + others))
            #expect(alone.holds && together.holds, "\(alone.english) \(together.english)")
        }

        /// The direction of the changed file first, then the whole ledger, then beside the others.
        func isFound(_ name: String, _ bytes: [UInt8]) -> Bool {
            var report = AuditReport()
            guard let changed = AuditedLedger.open(directory.replacing(name, with: bytes), earlier: ledger, report: &report) else { return !report.holds }
            if !report.holds { return true }
            let isLineFile = name.hasSuffix(".records") || name.hasSuffix(".heads")
            if isLineFile, !Verification.verify(changed, only: name).holds { return true }
            return !Verification.verify(changed).holds || !Reconciliation.reconcile([changed] + others).holds
        }

        /// - Returns: changes that were not found, of `count` changes.
        func missed(_ count: Int, _ change: @Sendable (Int) -> (name: String, bytes: [UInt8])) -> [Int] {
            let missed = Mutex<[Int]>([])
            let share = 512
            DispatchQueue.concurrentPerform(iterations: (count + share - 1) / share) { part in
                for index in part * share..<min((part + 1) * share, count) {
                    let (name, bytes) = change(index)
                    if !isFound(name, bytes) { missed.withLock { $0.append(index) } }
                }
            }
            return missed.withLock { $0.sorted() }
        }

        /// Places in the first `limit` bytes of all files one behind the other.
        func places(_ limit: Int) -> [(file: Int, offset: Int)] {
            Array(files.indices.flatMap { file in files[file].bytes.indices.map { (file, $0) } }.prefix(limit))
        }
    }

    /// One of 17 in each run, others in the next, and every bit of a byte among them; with `JOINTLAB_EXHAUSTIVE` in the environment, all.
    private static func tried(_ count: Int) -> [Int] {
        let isAll = ProcessInfo.processInfo.environment["JOINTLAB_EXHAUSTIVE"] != nil
        return isAll ? Array(0..<count) : Array(stride(from: Int.random(in: 0..<17), to: count, by: 17))
    }

    @Test("each of the 131,072 bits of 16 KiB of documents, records and heads")
    func bits() throws {
        let closed = try Closed(rounds: 6)
        let places = closed.places(16 << 10)
        #expect(places.count == 16 << 10)
        let tried = Self.tried(8 * places.count)
        let missed = closed.missed(tried.count) { number in
            let index = tried[number]
            let (file, offset) = places[index / 8]
            var bytes = closed.files[file].bytes
            bytes[offset] ^= 1 << (index % 8)
            return (closed.files[file].name, bytes)
        }
        #expect(missed.isEmpty, "\(missed.prefix(10).map { "\(closed.files[places[tried[$0] / 8].file].name) \(places[tried[$0] / 8].offset) \(tried[$0] % 8)" })")
    }

    @Test("each of the 65,536 truncations of 64 KiB of documents, records and heads")
    func truncations() throws {
        let closed = try Closed(rounds: 36)
        let places = closed.places(64 << 10)
        #expect(places.count == 64 << 10)
        let tried = Self.tried(places.count)
        let missed = closed.missed(tried.count) { number in
            let (file, offset) = places[tried[number]]
            return (closed.files[file].name, Array(closed.files[file].bytes.prefix(offset)))
        }
        #expect(missed.isEmpty, "\(missed.prefix(10).map { "\(closed.files[places[tried[$0]].file].name) \(places[tried[$0]].offset)" })")
    }

    @Test("each record of every line dropped, doubled, swapped, inserted or copied from another job")
    func records() throws {
        let (closed, other) = (try Closed(rounds: 2), try Closed(rounds: 2))
        var count = 0
        for (name, bytes) in closed.files where name.hasSuffix(".records") {
            let strange = Self.records(try #require(other.files.first { $0.name == name }).bytes)
            let whole = Self.records(bytes)
            for index in whole.indices {
                var dropped = whole, doubled = whole, swapped = whole, inserted = whole, copied = whole
                dropped.remove(at: index)
                doubled.insert(whole[index], at: index)
                inserted.insert(strange[index], at: index)
                copied[index] = strange[index]
                swapped.swapAt(index, whole.count - 1 - index)
                for changed in [dropped, doubled, swapped, inserted, copied] where changed != whole {
                    count += 1
                    #expect(closed.isFound(name, changed.flatMap(\.self)), "\(name) \(index)")
                }
            }
        }
        #expect(count > 250)
    }

    private static func records(_ bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: FrameRecord.byteCount).map { Array(bytes[$0..<$0 + FrameRecord.byteCount]) }
    }
}
