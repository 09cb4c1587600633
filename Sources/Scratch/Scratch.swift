/// Where a computation puts what memory need not hold. It is handed in, so that what uses it stays without files of its own:
/// a node gives a file that has no name, a test gives memory.
package protocol Scratch: Sendable {
    /// How much the whole job may hold in main memory, about.
    var memoryBytes: Int { get }
    /// - Returns: where the bytes stand, for `read`. Nothing is ever overwritten.
    mutating func write(_ bytes: [UInt8]) throws(ScratchError) -> Int
    func read(_ count: Int, at offset: Int) throws(ScratchError) -> [UInt8]
}

/// The disk is full, or does not give back what was written.
package struct ScratchError: Error, Sendable, Hashable {
    package init() {}
}

/// For small data.
package struct MemoryScratch: Scratch {
    package let memoryBytes: Int
    private var bytes: [UInt8] = []

    /// - Parameter memoryBytes: what users of it plan with; tests give little, so that everything spills.
    package init(memoryBytes: Int = 512 << 20) { self.memoryBytes = memoryBytes }

    package mutating func write(_ new: [UInt8]) throws(ScratchError) -> Int {
        bytes += new
        return bytes.count - new.count
    }

    package func read(_ count: Int, at offset: Int) throws(ScratchError) -> [UInt8] {
        guard offset >= 0, count >= 0, count <= bytes.count - offset else { throw ScratchError() }
        return Array(bytes[offset..<offset + count])
    }
}

/// Bytes that lie together.
package struct Extent: Sendable, Hashable {
    package let offset: Int
    package let count: Int
}

extension Scratch {
    package mutating func keep(_ bytes: [UInt8]) throws(ScratchError) -> Extent { Extent(offset: try write(bytes), count: bytes.count) }
    package func read(_ extent: Extent) throws(ScratchError) -> [UInt8] { try read(extent.count, at: extent.offset) }
}

/// Records that are spread over buckets, each small enough to be worked on in memory. Small pieces are gathered before they
/// are written.
package struct Spill: Sendable {
    private static let pieceBytes = 16 << 10

    private var gathered: [[UInt8]]
    private var extents: [[Extent]]

    package init(buckets: Int) {
        gathered = [[UInt8]](repeating: [], count: buckets)
        extents = [[Extent]](repeating: [], count: buckets)
    }

    package var buckets: Int { gathered.count }

    /// How many buckets keep each below a thirty-second of the memory: two at a time are worked on, with room for their sorting.
    ///
    /// - Parameter recordBytes: what a record takes while its bucket is worked on.
    package static func buckets(records: Int, recordBytes: Int, memoryBytes: Int) -> Int {
        let most = max(1, memoryBytes / 32 / recordBytes)
        return min(8192, records / most + 1)
    }

    package mutating func append(_ record: some Collection<UInt8>, to bucket: Int, in scratch: inout any Scratch) throws(ScratchError) {
        gathered[bucket].append(contentsOf: record)
        if gathered[bucket].count >= Self.pieceBytes {
            extents[bucket].append(try scratch.keep(gathered[bucket]))
            gathered[bucket].removeAll(keepingCapacity: true)
        }
    }

    /// Everything in a bucket, in the order in which it came.
    package func bytes(of bucket: Int, in scratch: any Scratch) throws(ScratchError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(extents[bucket].reduce(gathered[bucket].count) { $0 + $1.count })
        for extent in extents[bucket] { bytes += try scratch.read(extent) }
        return bytes + gathered[bucket]
    }

    /// A bucket for a uniform key: buckets follow one another as their keys do.
    package static func bucket(of key: UInt64, among buckets: Int) -> Int { Int(key.multipliedFullWidth(by: UInt64(buckets)).high) }
}
