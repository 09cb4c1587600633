import Scratch

/// Own subjects, normalised and distinct: in memory where the table is there too, otherwise in scratch storage, block by block.
package struct IdentifierList: Sendable {
    /// Identifiers of one block.
    package static let perBlock = 8192

    private enum Storage: Sendable {
        case memory([String])
        case scratch([Extent], any Scratch)
    }

    package let count: Int
    private let storage: Storage

    package init(_ identifiers: [String]) {
        count = identifiers.count
        storage = .memory(identifiers)
    }

    fileprivate init(count: Int, blocks: [Extent], scratch: any Scratch) {
        self.count = count
        storage = .scratch(blocks, scratch)
    }

    package var blocks: Int { (count + Self.perBlock - 1) / Self.perBlock }

    /// Whether it is small enough to have been held with a table.
    package var isInMemory: Bool { if case .memory = storage { true } else { false } }

    /// UTF-8 of the identifiers from `block * perBlock` on.
    package func block(_ block: Int) throws(ScratchError) -> [[UInt8]] {
        switch storage {
        case .memory(let identifiers):
            let start = block * Self.perBlock
            return identifiers[start..<min(start + Self.perBlock, count)].map { Array($0.utf8) }
        case .scratch(let blocks, let scratch):
            return IdentifierWriter.decode(try scratch.read(blocks[block]))
        }
    }

    /// Those at some places of a list in memory.
    package func chosen(_ rows: [Int]) -> IdentifierList {
        guard case .memory(let identifiers) = storage else { return self }
        return IdentifierList(rows.map { identifiers[$0] })
    }
}

/// Writes a list to scratch storage.
package struct IdentifierWriter: Sendable {
    private var blocks: [Extent] = []
    private var pending: [UInt8] = []
    private var count = 0

    package init() {}

    package mutating func append(_ identifier: some Collection<UInt8>, to scratch: inout any Scratch) throws(ScratchError) {
        Self.encode(identifier, into: &pending)
        count += 1
        if count.isMultiple(of: IdentifierList.perBlock) { try flush(&scratch) }
    }

    private mutating func flush(_ scratch: inout any Scratch) throws(ScratchError) {
        guard !pending.isEmpty else { return }
        blocks.append(try scratch.keep(pending))
        pending.removeAll(keepingCapacity: true)
    }

    package mutating func finish(_ scratch: inout any Scratch) throws(ScratchError) -> IdentifierList {
        try flush(&scratch)
        return IdentifierList(count: count, blocks: blocks, scratch: scratch)
    }

    /// Four bytes of length, then the identifier.
    package static func encode(_ identifier: some Collection<UInt8>, into bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(identifier.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: identifier)
    }

    /// The identifier at `position`, which moves behind it.
    package static func next(_ bytes: [UInt8], _ position: inout Int) -> ArraySlice<UInt8> {
        let count = Int(bytes[position]) | Int(bytes[position + 1]) << 8 | Int(bytes[position + 2]) << 16 | Int(bytes[position + 3]) << 24
        let start = position + 4
        position = start + count
        return bytes[start..<position]
    }

    fileprivate static func decode(_ bytes: [UInt8]) -> [[UInt8]] {
        var position = 0
        var identifiers: [[UInt8]] = []
        while position < bytes.count { identifiers.append(Array(next(bytes, &position))) }
        return identifiers
    }
}
