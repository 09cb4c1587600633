import Faults
import Foundation

/// One running node for each data directory: a lock on a file in it, which the kernel gives back when the process ends.
package final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `directoryInUse`, or `unwritable`.
    package init(_ directory: URL) throws(Fault) {
        let descriptor = open(directory.appendingPathComponent("lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: directory.path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            close(descriptor)
            throw Fault(isHeld ? .directoryInUse : .unwritable, at: directory.path)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
