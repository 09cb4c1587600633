import Foundation
import Wire

/// How far one direction of a line has come: the number of its records and the root over them. The same at both ends.
/// Source: C2SP tlog-checkpoint; `Protocols/ledger.md`, "Heads".
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

    /// What is signed: three lines, each with its line break.
    package var text: [UInt8] {
        Array("jointlab/\(job)/\(attempt)/\(sender)/\(receiver)\n\(size)\n\(Data(root).base64EncodedString())\n".utf8)
    }

    /// Nothing for a text that `text` does not write.
    package init?(text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, let size = UInt64(lines[1]), let root = Data(base64Encoded: String(lines[2])), root.count == GrowingTree.hashBytes
        else { return nil }
        let origin = lines[0].split(separator: "/", omittingEmptySubsequences: false)
        guard origin.count == 5, let job = JobIdentifier(String(origin[1])), let attempt = UInt32(origin[2]) else { return nil }
        self.init(job: job, attempt: attempt, sender: String(origin[3]), receiver: String(origin[4]), size: size, root: Array(root))
        guard self.text == text else { return nil }
    }
}
