import Faults
import Roles
import Scratch
import Tables

/// Reads the identifiers of a data set and nothing else, whatever its size: distinct, normalised, in no particular order.
enum IdentifierReading {
    /// Throws as `Table.read` does.
    static func read(
        _ source: DataSource, identifier: String, kind: IdentifierKind, _ scratch: any Scratch
    ) throws(Fault) -> (IdentifierList, IngestReport) {
        var scratch = scratch
        // Equal ones meet in one bucket. How many there will be is not known before: a bucket of a list of 1e8 is one of 1e5.
        var spill = Spill(buckets: 1024)
        var report = try DataSource.identifiers(of: source, column: identifier, kind: kind) { line, identifier throws(Fault) in
            var hasher = Hasher()
            identifier.withUnsafeBytes { hasher.combine(bytes: $0) }
            var record: [UInt8] = []
            withUnsafeBytes(of: UInt64(line).littleEndian) { record.append(contentsOf: $0) }
            IdentifierWriter.encode(identifier, into: &record)
            do {
                try spill.append(record, to: Spill.bucket(of: UInt64(bitPattern: Int64(hasher.finalize())), among: spill.buckets), in: &scratch)
            } catch {
                throw .scratch
            }
        }
        do {
            let list = try distinct(spill, &report, &scratch)
            guard list.count > 0 else { throw Fault(.emptyTable, at: report.file) }
            report.rowsKept = list.count
            return (list, report)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw .scratch
        }
    }

    private static func distinct(_ spill: Spill, _ report: inout IngestReport, _ scratch: inout any Scratch) throws(ScratchError) -> IdentifierList {
        var writer = IdentifierWriter()
        var repeated: [Int] = []
        var repeats = 0
        for bucket in 0..<spill.buckets {
            let bytes = try spill.bytes(of: bucket, in: scratch)
            var seen: Set<ArraySlice<UInt8>> = []
            var position = 0
            while position < bytes.count {
                let line = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self)) }
                position += 8
                let identifier = IdentifierWriter.next(bytes, &position)
                if seen.insert(identifier).inserted {
                    try writer.append(identifier, to: &scratch)
                } else {
                    repeats += 1
                    repeated.append(Int(line))
                    if repeated.count > 4096 { repeated = Array(repeated.sorted().prefix(IngestReport.listedLines)) }
                }
            }
        }
        report.exactDuplicates = .init(rows: repeats, firstLines: Array(repeated.sorted().prefix(IngestReport.listedLines)))
        return try writer.finish(&scratch)
    }
}
