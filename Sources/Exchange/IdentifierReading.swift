import Faults
import Roles
import Scratch
import Tables

/// Reads the identifiers of a data set and nothing else, whatever its size: distinct, normalised, in no particular order.
enum IdentifierReading {
    /// - Parameter within: where given, the list holds no others than these; the report is of the whole data set.
    /// - Throws: as `Table.read` does.
    static func read(
        _ source: DataSource, identifier: String, kind: IdentifierKind, within: DataSource? = nil, _ scratch: any Scratch
    ) throws(Fault) -> (IdentifierList, IngestReport) {
        var scratch = scratch
        var (spill, report) = try spilled(source, identifier, kind, &scratch)
        let allowed = try within.map { within throws(Fault) in try spilled(within, "id", kind, &scratch).spill }
        do {
            let list = try distinct(spill, within: allowed, &report, &scratch)
            guard report.rowsKept > 0 else { throw Fault(.emptyTable, at: report.file) }
            return (list, report)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw .scratch
        }
    }

    /// Line and identifier, equal ones in one bucket.
    private static func spilled(
        _ source: DataSource, _ column: String, _ kind: IdentifierKind, _ scratch: inout any Scratch
    ) throws(Fault) -> (spill: Spill, report: IngestReport) {
        // How many there will be is not known before: a bucket of a list of 1e8 is one of 1e5.
        var spill = Spill(buckets: 1024)
        let report = try DataSource.identifiers(of: source, column: column, kind: kind) { line, identifier throws(Fault) in
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
        return (spill, report)
    }

    private static func next(_ bytes: [UInt8], _ position: inout Int) -> (line: Int, identifier: ArraySlice<UInt8>) {
        let line = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self)) }
        position += 8
        return (Int(line), IdentifierWriter.next(bytes, &position))
    }

    private static func distinct(
        _ spill: Spill, within allowed: Spill?, _ report: inout IngestReport, _ scratch: inout any Scratch
    ) throws(ScratchError) -> IdentifierList {
        var writer = IdentifierWriter()
        var repeated: [Int] = []
        var repeats = 0
        for bucket in 0..<spill.buckets {
            let bytes = try spill.bytes(of: bucket, in: scratch)
            var chosen: Set<ArraySlice<UInt8>>?
            if let allowed {
                let bytes = try allowed.bytes(of: bucket, in: scratch)
                var position = 0
                chosen = []
                while position < bytes.count { chosen?.insert(next(bytes, &position).identifier) }
            }
            var seen: Set<ArraySlice<UInt8>> = []
            var position = 0
            while position < bytes.count {
                let (line, identifier) = next(bytes, &position)
                if seen.insert(identifier).inserted {
                    if chosen?.contains(identifier) ?? true { try writer.append(identifier, to: &scratch) }
                } else {
                    repeats += 1
                    repeated.append(line)
                    if repeated.count > 4096 { repeated = Array(repeated.sorted().prefix(IngestReport.listedLines)) }
                }
            }
            report.rowsKept += seen.count
        }
        report.exactDuplicates = .init(rows: repeats, firstLines: Array(repeated.sorted().prefix(IngestReport.listedLines)))
        return try writer.finish(&scratch)
    }
}
