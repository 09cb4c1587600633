import Foundation
import Primitives

/// Drops the payloads that a retention rule does not keep, once the ledger has been verified; records and digests stay.
package enum PayloadRetention {
    /// - Parameters:
    ///   - path: the ledger of a job that has ended.
    ///   - isExpired: whether none is kept any longer, whatever the rule. A receipt then says so: `PayloadExpiry`.
    /// - Returns: bytes of payloads that are gone.
    package static func apply(_ path: String, isExpired: Bool = false) throws(LedgerError) -> Int {
        let ledger: LedgerDirectory
        do {
            ledger = try LedgerDirectory.open(path)
        } catch {
            throw .unwritable(error.name)
        }
        guard let manifest = LedgerManifest(decoding: ledger.manifest) else { throw .altered(LedgerFile.manifest) }
        let (retention, width) = (manifest.retention, manifest.recordBytes)
        var kept: Set<String> = []
        var recorded: Set<String> = []
        for line in ledger.lines where !isExpired {
            for start in stride(from: 0, through: line.records.count - width, by: width) {
                guard let record = FrameRecord(decoding: line.records[start..<start + width]) else { continue }
                let name = hexadecimal(record.digest)
                recorded.insert(name)
                if retention.keeps(line.direction) { kept.insert(name) }
            }
        }
        // A frame that crosses the job's end may come meanwhile: whether the rule keeps its payload these records do not say.
        func goes(_ name: String) -> Bool { isExpired || recorded.contains(name) && !kept.contains(name) }
        let files = FileManager.default
        let payloads = "\(path)/\(LedgerFile.payloads)"
        var dropped = 0
        for folder in (try? files.contentsOfDirectory(atPath: payloads)) ?? [] {
            for name in (try? files.contentsOfDirectory(atPath: "\(payloads)/\(folder)")) ?? [] where goes(name) {
                let file = "\(payloads)/\(folder)/\(name)"
                let size = (try? files.attributesOfItem(atPath: file))?[.size] as? NSNumber
                guard unlink(file) == 0 else { throw .unwritable(LedgerFile.payloads) }
                dropped += size?.intValue ?? 0
            }
        }
        return dropped
    }
}

/// The receipt in a ledger from which all payloads were deleted when their lifetime ended: a note, signed by the node.
///
///     jointlab/JOB/ATTEMPT/NODE/payloads expired
///     TIME
package enum PayloadExpiry {
    /// Writes the receipt, once: on the disk when it returns, for the payloads go next.
    ///
    /// - Parameter path: the ledger of one job.
    package static func sign(_ path: String, _ manifest: LedgerManifest, key: Ed25519.SigningKey) throws(LedgerError) {
        let url = URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent(LedgerFile.expired)
        if !FileManager.default.fileExists(atPath: url.path) {
            var note = SignedNote(text: Array("\(title(manifest))\n\(Date().formatted(.iso8601))\n".utf8))
            note.sign(as: manifest.node, with: key)
            try writeOnce(note.encode(), url, LedgerFile.expired)
        }
        try bringToDisk(url.deletingLastPathComponent(), LedgerFile.expired)
    }

    /// When, by a receipt of this ledger's node; nothing for anything else.
    package static func time(_ receipt: [UInt8], _ manifest: LedgerManifest, key: Ed25519.VerifyingKey) -> Date? {
        guard let note = try? SignedNote.decode(receipt), note.signatures.count == 1, note.isSigned(by: manifest.node, key) else { return nil }
        let lines = String(decoding: note.text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3, lines[0] == title(manifest), lines[2].isEmpty else { return nil }
        return try? Date(String(lines[1]), strategy: .iso8601)
    }

    private static func title(_ manifest: LedgerManifest) -> String { "jointlab/\(manifest.job)/\(manifest.attempt)/\(manifest.node)/payloads expired" }
}
