import Faults
import Primitives
import Roles
import Scratch
import SetIntersection
import Wire

/// Random elements that make a list longer and match nothing: no identifier has their first byte, which is none of UTF-8, and
/// nobody guesses the rest. They take the way of identifiers from there on, so that no time and no byte tells them apart.
struct Fillers: Sendable {
    let count: Int
    private let random: AddressedRandom

    init(count: Int, random: AddressedRandom) {
        self.count = count
        self.random = random
    }

    var blocks: Int { (count + IdentifierList.perBlock - 1) / IdentifierList.perBlock }

    func block(_ block: Int) -> [[UInt8]] {
        let first = block * IdentifierList.perBlock
        return (first..<min(first + IdentifierList.perBlock, count)).map { [0xff] + random.bytes(32, at: DrawAddress(message: 0, row: UInt32($0))) }
    }
}

/// The own list of one attempt: put into its secret order, blinded block by block, and kept in scratch storage to be sent.
struct OwnPoints: Sendable {
    private enum Stage: Sendable {
        case ordering(block: Int)
        case blinding(bucket: Int)
        case ready
    }

    private let list: IdentifierList
    /// Their rows follow those of the list.
    private let fillers: Fillers
    private let blinding: Blinding
    private let tag: DomainSeparationTag
    private var order: SecretOrder
    private var stage = Stage.ordering(block: 0)
    /// Ordered and not yet blinded.
    private var waiting: ArraySlice<SecretOrder.Entry> = []
    private var hash = SHA256()
    private var points: [Extent] = []
    /// Rows and identifiers of each block, in the order of the points.
    private var entries: [Extent] = []
    /// Keys of the points, against which the peer's are held.
    private(set) var keys: PointList
    private(set) var blinded = 0

    init(_ list: IdentifierList, fillers: Fillers, blinding: Blinding, tag: DomainSeparationTag, orderKey: [UInt8], buckets: Buckets,
         memoryBytes: Int) {
        self.list = list
        self.fillers = fillers
        self.blinding = blinding
        self.tag = tag
        order = SecretOrder(count: list.count + fillers.count, memoryBytes: memoryBytes) { SHA256.hash(orderKey + $0) }
        keys = PointList(suite: blinding.suite, limit: list.count + fillers.count, buckets: buckets)
    }

    var count: Int { list.count + fillers.count }
    var isReady: Bool { if case .ready = stage { true } else { false } }
    /// SHA-256 over all points, once ready.
    var digest: [UInt8] { hash.finalize() }

    /// The next piece of work.
    mutating func proceed(_ scratch: inout any Scratch) throws(Fault) {
        do throws(ScratchError) {
            switch stage {
            case .ordering(let block):
                let isOfList = block < list.blocks
                let identifiers = try isOfList ? list.block(block) : fillers.block(block - list.blocks)
                let first = UInt32(isOfList ? block * IdentifierList.perBlock : list.count + (block - list.blocks) * IdentifierList.perBlock)
                try order.append(identifiers.enumerated().map { SecretOrder.Entry(row: first + UInt32($0), identifier: $1) }, to: &scratch)
                stage = block + 1 < list.blocks + fillers.blocks ? .ordering(block: block + 1) : .blinding(bucket: 0)
            case .blinding(let bucket):
                if waiting.count < TransferCounts.pointsPerBlock, bucket < order.buckets {
                    waiting.append(contentsOf: try order.bucket(bucket, in: scratch))
                    stage = .blinding(bucket: bucket + 1)
                    return
                }
                try blind(&scratch)
                if blinded == count { stage = .ready }
            case .ready:
                break
            }
        } catch {
            throw .scratch
        }
    }

    private mutating func blind(_ scratch: inout any Scratch) throws(ScratchError) {
        let block = waiting.prefix(TransferCounts.pointsPerBlock)
        waiting = waiting.dropFirst(block.count)
        let elements = blinding.first(block.map(\.identifier), tag: tag)
        hash.update(elements)
        do { try keys.append(elements[...], to: &scratch) } catch { throw ScratchError() }
        points.append(try scratch.keep(elements))
        var rows: [UInt8] = []
        for entry in block {
            withUnsafeBytes(of: entry.row.littleEndian) { rows.append(contentsOf: $0) }
            IdentifierWriter.encode(entry.identifier, into: &rows)
        }
        entries.append(try scratch.keep(rows))
        blinded += block.count
    }

    /// A block of points to be sent.
    func block(_ block: Int, _ scratch: any Scratch) throws(Fault) -> [UInt8] {
        do { return try scratch.read(points[block]) } catch { throw .scratch }
    }

    /// Calls `body` with the entries at some positions of this order, block by block.
    func entries(
        at positions: PositionSet, _ scratch: inout any Scratch, _ body: ([SecretOrder.Entry], inout any Scratch) throws(ScratchError) -> Void
    ) throws(ScratchError) {
        var block = -1
        var found: [SecretOrder.Entry] = []
        for bucket in 0..<positions.buckets {
            var chosen: [SecretOrder.Entry] = []
            for position in try positions.bucket(bucket, in: scratch) {
                if Int(position) / TransferCounts.pointsPerBlock != block {
                    block = Int(position) / TransferCounts.pointsPerBlock
                    found = Self.decode(try scratch.read(entries[block]))
                }
                chosen.append(found[Int(position) % TransferCounts.pointsPerBlock])
                if chosen.count == IdentifierList.perBlock {
                    try body(chosen, &scratch)
                    chosen = []
                }
            }
            try body(chosen, &scratch)
        }
    }

    private static func decode(_ bytes: [UInt8]) -> [SecretOrder.Entry] {
        var entries: [SecretOrder.Entry] = []
        var position = 0
        while position < bytes.count {
            let row = bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)) }
            position += 4
            entries.append(SecretOrder.Entry(row: row, identifier: Array(IdentifierWriter.next(bytes, &position))))
        }
        return entries
    }
}

extension Fault {
    /// The disk that holds what memory need not.
    static var scratch: Fault { Fault(.unwritable, at: "scratch") }
}
