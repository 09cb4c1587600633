import Faults
import Foundation
import Installation
import Ledger

/// The folder of a node's lists of subjects, which the node and the commands of its owner write and delete.
struct SubjectLists: Sendable {
    private let folder: URL

    init(_ dataDirectory: URL) {
        folder = dataDirectory.appendingPathComponent("\(OperationsFile.directory)/\(OperationsFile.subjects)", isDirectory: true)
    }

    func path(_ digest: [UInt8]) -> String { folder.appendingPathComponent(digest.hexadecimal).path }

    /// From the keeping of a list until an entry names it, and, alone, from the question whether a list is needed until it is gone.
    ///
    /// - Throws: `unwritable`; what `body` throws.
    func hold<Value>(alone: Bool, _ body: () throws(Fault) -> Value) throws(Fault) -> Value {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: folder.path) }
        defer { close(descriptor) }
        while flock(descriptor, alone ? LOCK_EX : LOCK_SH) != 0 {
            guard errno == EINTR else { throw Fault(.unwritable, at: folder.path) }
        }
        return try body()
    }

    /// Deletes a list; only who holds the folder alone. What a program that ends here leaves is no list of that name.
    ///
    /// - Throws: `unwritable`.
    func destroy(_ digest: [UInt8]) throws(Fault) {
        let aside = "\(path(digest)).expired"
        guard rename(path(digest), aside) == 0 else { throw Fault(.unwritable, at: path(digest)) }
        try PrivateFile.destroy(aside)
    }

    /// Deletes lists that nothing names, for no lifetime takes them: of sets that were refused, and what programs that ended were writing,
    /// had not named yet or were deleting. The names are asked for while nobody keeps a list.
    ///
    /// - Throws: `unwritable`; what `named` throws.
    func destroyUnnamed(_ named: () throws(Fault) -> Set<[UInt8]>) throws(Fault) {
        try hold(alone: true) { () throws(Fault) in
            let named = Set(try named().map(\.hexadecimal))
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where !named.contains(name) {
                try PrivateFile.destroy(folder.appendingPathComponent(name).path)
            }
        }
    }
}
