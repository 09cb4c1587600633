import Faults
import Foundation
import Scratch
import Synchronization

/// A file without a name: gone when the node lets go of it, or dies. It holds identifiers and blinded points.
package final class FileScratch: Scratch {
    package let memoryBytes: Int
    private let descriptor: Int32
    private let end = Mutex(0)

    /// - Throws: `unwritable`.
    package init(in directory: URL, memoryBytes: Int) throws(Fault) {
        self.memoryBytes = memoryBytes
        let folder = directory.appendingPathComponent("scratch", isDirectory: true)
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = folder.appendingPathComponent(UUID().uuidString).path
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: folder.path) }
        unlink(path)
    }

    deinit { close(descriptor) }

    package func write(_ bytes: [UInt8]) throws(ScratchError) -> Int {
        let offset = end.withLock { end in
            defer { end += bytes.count }
            return end
        }
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done)) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw ScratchError() }
            done += written
        }
        return offset
    }

    package func read(_ count: Int, at offset: Int) throws(ScratchError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            while initialised < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + initialised }, count - initialised, off_t(offset + initialised))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failed = true
                    return
                }
                initialised += got
            }
        }
        if failed { throw ScratchError() }
        return bytes
    }
}
