import Faults
import Foundation
import Primitives

/// Files that programs leave on the disk: whole or not at all, and never readable by more people than meant.
package enum PrivateFile {
    /// A file that was not there before, for its owner alone from the first byte.
    ///
    /// - Throws: `alreadyExists`, `unwritable`.
    package static func create(_ bytes: [UInt8], at path: String, mode: mode_t = 0o600) throws(Fault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Fault(errno == EEXIST ? .alreadyExists : .unwritable, at: path) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            // Whatever the user's mask is.
            guard fchmod(descriptor, mode) == 0 else { throw Fault(.unwritable, at: path) }
            try handle.write(contentsOf: Data(bytes))
            try handle.synchronize()
        } catch {
            unlink(path)
            throw Fault(.unwritable, at: path)
        }
    }

    /// The same at once, by whichever of several programs comes first: written aside and made durable, then linked. `path` never holds
    /// a part; a program that is killed may leave a draft beside it (`isDraft`).
    ///
    /// - Throws: `alreadyExists`, `unwritable`.
    package static func found(_ bytes: [UInt8], at path: String) throws(Fault) {
        guard access(path, F_OK) != 0 else { throw Fault(.alreadyExists, at: path) }
        let file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent()
        let draft = folder.appendingPathComponent(".\(file.lastPathComponent).\(UInt64.random(in: 0 ... .max))\(draftSuffix)").path
        defer { unlink(draft) }
        try create(bytes, at: draft)
        guard link(draft, file.path) == 0 else { throw Fault(errno == EEXIST ? .alreadyExists : .unwritable, at: path) }
        try synchronize(folder: folder.path)
    }

    private static let draftSuffix = ".partial"

    /// Whether a file of that name is what `found` or `replace` has left aside of `file`.
    package static func isDraft(_ name: String, of file: String) -> Bool { name.hasPrefix(".\(file).") && name.hasSuffix(draftSuffix) }

    /// Takes the place of what was there: written aside and made durable, then renamed.
    ///
    /// - Throws: `unwritable`.
    package static func replace(_ bytes: [UInt8], at path: String, mode: mode_t = 0o600) throws(Fault) {
        let file = URL(fileURLWithPath: path)
        let aside = file.deletingLastPathComponent().appendingPathComponent(".\(file.lastPathComponent)\(draftSuffix)").path
        // Whatever a program that ended has left there may have another mode.
        unlink(aside)
        do {
            try create(bytes, at: aside, mode: mode)
            guard rename(aside, file.path) == 0 else { throw Fault(.unwritable, at: path) }
            try synchronize(folder: file.deletingLastPathComponent().path)
        } catch {
            unlink(aside)
            throw Fault(.unwritable, at: path)
        }
    }

    /// What was created, renamed or removed in it stays so when the machine loses its power.
    ///
    /// - Throws: `unwritable`.
    package static func synchronize(folder: String) throws(Fault) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Fault(.unwritable, at: folder) }
    }

    /// Overwritten with noise before it goes, as far as the disk lets one; nothing where there is no such file.
    ///
    /// - Throws: `unwritable`.
    package static func destroy(_ path: String) throws(Fault) {
        try overwrite(path)
        guard unlink(path) == 0 || errno == ENOENT else { throw Fault(.unwritable, at: path) }
    }

    package static let formerSuffix = ".former"

    /// Takes the place of what was there, which is overwritten.
    ///
    /// - Throws: `unwritable`.
    package static func replaceForGood(_ bytes: [UInt8], at path: String) throws(Fault) {
        let former = path + formerSuffix
        unlink(former)
        guard link(path, former) == 0 else { throw Fault(.unwritable, at: path) }
        try replace(bytes, at: path)
        try destroy(former)
    }

    private static func overwrite(_ path: String) throws(Fault) {
        guard let handle = try? FileHandle(forUpdating: URL(fileURLWithPath: path)) else {
            guard !FileManager.default.fileExists(atPath: path) else { throw Fault(.unwritable, at: path) }
            return
        }
        defer { try? handle.close() }
        do {
            var left = Int(try handle.seekToEnd())
            try handle.seek(toOffset: 0)
            while left > 0 {
                let count = min(left, 1 << 20)
                try handle.write(contentsOf: Data(SystemRandom.bytes(count)))
                left -= count
            }
            try handle.synchronize()
        } catch {
            throw Fault(.unwritable, at: path)
        }
    }

    /// - Throws: `secretFileMode` for a file that anyone but its owner can read; `unreadableFile`.
    package static func requireSecret(_ path: String) throws(Fault) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue else { throw Fault(.unreadableFile, at: path) }
        guard mode & 0o077 == 0 else { throw Fault(.secretFileMode, at: path) }
    }
}
