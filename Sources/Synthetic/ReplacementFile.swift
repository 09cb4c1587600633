import Faults
import Foundation

/// A file written under a temporary name beside its own, which it takes when complete. Given up before that, it leaves
/// nothing behind.
struct ReplacementFile: ~Copyable {
    private let destination: URL
    private let temporary: URL
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    /// - Throws: `unwritable`, as do all methods.
    init(_ destination: URL) throws(Fault) {
        self.destination = destination
        temporary = destination.deletingLastPathComponent()
            .appendingPathComponent(".\(destination.lastPathComponent).\(UUID().uuidString)")
        do {
            // Never follows or overwrites what is there already.
            try Data().write(to: temporary, options: .withoutOverwriting)
            handle = try FileHandle(forWritingTo: temporary)
        } catch {
            throw Fault(.unwritable, at: destination.path)
        }
    }

    deinit {
        try? handle.close()
        // After `replace` there is no such name, and this does nothing.
        unlink(temporary.path)
    }

    mutating func append(_ write: (inout [UInt8]) -> Void) throws(Fault) {
        write(&buffer)
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// All bytes are on the disk.
    mutating func complete() throws(Fault) {
        try flush()
        do { try handle.synchronize() } catch { throw Fault(.unwritable, at: destination.path) }
    }

    consuming func replace() throws(Fault) {
        guard rename(temporary.path, destination.path) == 0 else { throw Fault(.unwritable, at: destination.path) }
    }

    private mutating func flush() throws(Fault) {
        do { try handle.write(contentsOf: buffer) } catch { throw Fault(.unwritable, at: destination.path) }
        buffer.removeAll(keepingCapacity: true)
    }
}
