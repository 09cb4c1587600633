import Primitives
import Roles
import Scratch
import SetIntersection

/// Puts identifiers into the order of a keyed hash, by its first 16 bytes, in bounded memory. To whoever lacks the key that is
/// a uniform order; whoever has it finds the same, wherever the identifiers come from.
struct SecretOrder: Sendable {
    /// An identifier of the list, and where it stands there.
    struct Entry: Sendable {
        let row: UInt32
        let identifier: [UInt8]
    }

    private let code: @Sendable ([UInt8]) -> [UInt8]
    private var spill: Spill

    init(count: Int, memoryBytes: Int, code: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.code = code
        // An entry takes its bytes, an array of its own and its key.
        spill = Spill(buckets: Spill.buckets(records: count, recordBytes: 192, memoryBytes: memoryBytes))
    }

    var buckets: Int { spill.buckets }

    mutating func append(_ entries: [Entry], to scratch: inout any Scratch) throws(ScratchError) {
        let code = code
        let codes = inParallel(entries.count) { range in
            entries[range].map { code($0.identifier).prefix(16).reduce(0) { $0 << 8 | UInt128($1) } }
        }.joined()
        var record: [UInt8] = []
        for (entry, code) in zip(entries, codes) {
            record.removeAll(keepingCapacity: true)
            withUnsafeBytes(of: code.littleEndian) { record.append(contentsOf: $0) }
            withUnsafeBytes(of: entry.row.littleEndian) { record.append(contentsOf: $0) }
            IdentifierWriter.encode(entry.identifier, into: &record)
            try spill.append(record, to: Spill.bucket(of: UInt64(code >> 64), among: buckets), in: &scratch)
        }
    }

    /// One bucket's entries in order; buckets follow one another.
    func bucket(_ bucket: Int, in scratch: any Scratch) throws(ScratchError) -> [Entry] {
        let bytes = try spill.bytes(of: bucket, in: scratch)
        var entries: [(code: UInt128, entry: Entry)] = []
        var position = 0
        while position < bytes.count {
            let (code, row) = bytes.withUnsafeBytes {
                (UInt128(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt128.self)),
                 UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position + 16, as: UInt32.self)))
            }
            position += 20
            entries.append((code, Entry(row: row, identifier: Array(IdentifierWriter.next(bytes, &position)))))
        }
        entries.sort { $0.code < $1.code }
        return entries.map(\.entry)
    }
}

/// Positions in a list, given in any order and read in ascending order.
struct PositionSet: Sendable {
    private let total: Int
    private var spill: Spill
    private(set) var count = 0

    /// - Parameter total: every position is below it.
    init(total: Int, memoryBytes: Int) {
        self.total = total
        spill = Spill(buckets: Spill.buckets(records: total, recordBytes: 16, memoryBytes: memoryBytes))
    }

    var buckets: Int { spill.buckets }

    mutating func insert(_ position: UInt32, in scratch: inout any Scratch) throws(ScratchError) {
        try spill.append(withUnsafeBytes(of: position.littleEndian, Array.init), to: Int(position) * buckets / total, in: &scratch)
        count += 1
    }

    /// Buckets follow one another.
    func bucket(_ bucket: Int, in scratch: any Scratch) throws(ScratchError) -> [UInt32] {
        let bytes = try spill.bytes(of: bucket, in: scratch)
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)) }
        }.sorted()
    }
}
