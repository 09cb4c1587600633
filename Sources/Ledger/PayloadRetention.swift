import Foundation

/// Drops the payloads that a retention rule does not keep, once the ledger has been verified; records and digests stay.
package enum PayloadRetention {
    /// - Parameter path: the ledger of one job, to which nothing is being added.
    /// - Returns: bytes of payloads that are gone.
    package static func apply(_ path: String) throws(LedgerError) -> Int {
        let ledger: LedgerDirectory
        do {
            ledger = try LedgerDirectory.open(path)
        } catch {
            throw .unwritable(error.name)
        }
        guard let manifest = LedgerManifest(decoding: ledger.manifest) else { throw .altered(LedgerFile.manifest) }
        let (retention, width) = (manifest.retention, manifest.recordBytes)
        var kept: Set<String> = []
        for line in ledger.lines where retention.keeps(line.direction) {
            for start in stride(from: 0, through: line.records.count - width, by: width) {
                if let record = FrameRecord(decoding: line.records[start..<start + width]) { kept.insert(hexadecimal(record.digest)) }
            }
        }
        let files = FileManager.default
        let payloads = "\(path)/\(LedgerFile.payloads)"
        var dropped = 0
        for folder in (try? files.contentsOfDirectory(atPath: payloads)) ?? [] {
            for name in (try? files.contentsOfDirectory(atPath: "\(payloads)/\(folder)")) ?? [] where !kept.contains(name) {
                let file = "\(payloads)/\(folder)/\(name)"
                let size = (try? files.attributesOfItem(atPath: file))?[.size] as? NSNumber
                guard unlink(file) == 0 else { throw .unwritable(LedgerFile.payloads) }
                dropped += size?.intValue ?? 0
            }
        }
        return dropped
    }
}
