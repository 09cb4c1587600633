import CMalloc
import Foundation

/// The C library's allocator, as a program of months needs it.
package enum Allocator {
    /// What is freed goes back to the system. By itself the allocator soon keeps freed buffers of up to 32 MiB for later ones, and at the
    /// end of each thread's heap twice the largest of them, such as the ledger that was read at the start.
    package static func keepLittle() {
        // Little that stays keeps many pages when it is spread over many heaps; by itself there are eight for each processor.
        mallopt(M_ARENA_MAX, Int32(clamping: ProcessInfo.processInfo.activeProcessorCount))
        mallopt(M_MMAP_THRESHOLD, 256 << 10)
        mallopt(M_TRIM_THRESHOLD, 128 << 10)
    }

    /// All that is free in the middle of heaps, too; takes milliseconds.
    static func giveBack() { malloc_trim(0) }
}
