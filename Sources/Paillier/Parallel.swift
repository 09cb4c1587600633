import Dispatch
import Foundation

/// Splits independent items into contiguous ranges, one for each core.
///
/// Results must not depend on which range an item falls into: all randomness is addressed by counters for that reason.
enum Parallel {
    static let width = max(1, ProcessInfo.processInfo.activeProcessorCount)

    /// Returns when `body` has run for every range.
    static func ranges(_ count: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = min(width, count)
        guard parts > 1 else {
            if count > 0 { body(0..<count) }
            return
        }
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            body(count * part / parts..<count * (part + 1) / parts)
        }
    }

    /// The same for work that can fail; one of the errors is thrown.
    static func tryRanges(_ count: Int, _ body: @Sendable (Range<Int>) throws(PaillierError) -> Void) throws(PaillierError) {
        let failures = Failures()
        ranges(count) { range in
            do throws(PaillierError) {
                try body(range)
            } catch {
                failures.add(error)
            }
        }
        if let first = failures.first { throw first }
    }

    private final class Failures: @unchecked Sendable {
        private let lock = NSLock()
        private var found: PaillierError?
        func add(_ error: PaillierError) { lock.withLock { found = found ?? error } }
        var first: PaillierError? { lock.withLock { found } }
    }
}
