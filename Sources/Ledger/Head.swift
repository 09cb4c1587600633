import Foundation
import Wire

/// How far a tree has come, as it is signed. Source: C2SP tlog-checkpoint; `Protocols/ledger.md`, "Heads".
package struct Checkpoint: Sendable, Hashable {
    package let origin: String
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]

    package init(origin: String, size: UInt64, root: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Of a node's ledger of operations.
    package static func operations(of node: String, size: UInt64, root: [UInt8]) -> Checkpoint {
        Checkpoint(origin: "jointlab/operations/\(node)", size: size, root: root)
    }

    /// What is signed: three lines, each with its line break.
    package var text: [UInt8] { Array("\(origin)\n\(size)\n\(Data(root).base64EncodedString())\n".utf8) }

    /// Nothing for a text that `text` does not write.
    package init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, let size = UInt64(lines[1]), let root = Data(base64Encoded: String(lines[2])), root.count == GrowingTree.hashBytes
        else { return nil }
        self.init(origin: String(lines[0]), size: size, root: Array(root))
        guard self.text == text else { return nil }
    }
}

/// How far one direction of a line has come: the number of its records and the root over them. The same at both ends.
package struct Head: Sendable, Hashable {
    package let job: JobIdentifier
    package let attempt: UInt32
    /// Names of the contract.
    package let sender: String
    package let receiver: String
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]

    package init(job: JobIdentifier, attempt: UInt32, sender: String, receiver: String, size: UInt64, root: [UInt8]) {
        self.job = job
        self.attempt = attempt
        self.sender = sender
        self.receiver = receiver
        self.size = size
        self.root = root
    }

    /// Frames of a direction after which its sender waits for a head.
    package static let interval: UInt64 = 1000

    /// Whether a head is due at this size, in the middle of a phase.
    package static func isDue(_ size: UInt64) -> Bool { size > 0 && size.isMultiple(of: interval) }

    /// See `Checkpoint.text`.
    package var text: [UInt8] { Checkpoint(origin: "jointlab/\(job)/\(attempt)/\(sender)/\(receiver)", size: size, root: root).text }

    /// Nothing for a text that `text` does not write.
    package init?(text: [UInt8]) {
        guard let checkpoint = Checkpoint(text: text) else { return nil }
        let origin = checkpoint.origin.split(separator: "/", omittingEmptySubsequences: false)
        guard origin.count == 5, let job = JobIdentifier(String(origin[1])), let attempt = UInt32(origin[2]) else { return nil }
        self.init(job: job, attempt: attempt, sender: String(origin[3]), receiver: String(origin[4]), size: checkpoint.size, root: checkpoint.root)
        guard self.text == text else { return nil }
    }
}
