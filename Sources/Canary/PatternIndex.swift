/// Finds any of many patterns in bytes, in time linear in the bytes: an exact window of 8 bytes of each pattern is looked
/// up at every place, and the whole pattern compared where one is met. No pattern that is there is missed.
struct PatternIndex: Sendable {
    static let windowBytes = 8

    /// Which value, how written. `rows` numbers, one behind the other; 1 for texts.
    struct Entry: Sendable {
        let column: UInt16
        let encoding: Encoding
        let rows: UInt8
        /// Of the window in the pattern.
        let offset: UInt16
        let row: UInt32
    }

    private(set) var entries: [Entry] = []
    /// Open addressing: windows, and which entry each is of, from 1; 0 where there is none.
    private var windows: [UInt64]
    private var slots: [UInt32]
    /// A bit for each value of some bits of a window's hash: most places of a file end here.
    private var filter: [UInt64]
    private let slotShift: Int
    private let filterShift: Int

    /// - Parameter capacity: patterns at most.
    init(capacity: Int) {
        let slotBits = max(8, Int.bitWidth - (2 * capacity).leadingZeroBitCount)
        // At least 16 bits for a pattern, as long as the filter stays in a processor's cache.
        let filterBits = min(max(16, slotBits + 3), 26)
        windows = [UInt64](repeating: 0, count: 1 << slotBits)
        slots = [UInt32](repeating: 0, count: 1 << slotBits)
        filter = [UInt64](repeating: 0, count: 1 << (filterBits - 6))
        slotShift = 64 - slotBits
        filterShift = 64 - filterBits
    }

    private static func hash(_ window: UInt64) -> UInt64 {
        let product = window &* 0x9E37_79B9_7F4A_7C15
        return (product ^ product >> 29) &* 0xBF58_476D_1CE4_E5B9
    }

    /// The pattern has 8 bytes at least.
    mutating func add(_ pattern: [UInt8], column: Int, encoding: Encoding, row: Int, rows: Int) {
        // Of the windows at the start, in the middle and at the end, the one that fewest others share.
        let last = pattern.count - Self.windowBytes
        let candidates = Set([0, last / 2, last]).sorted().map { (offset: $0, uses: uses(Self.window(pattern, $0))) }
        guard let best = candidates.min(by: { $0.uses < $1.uses }) else { return }
        let window = Self.window(pattern, best.offset)
        entries.append(Entry(column: UInt16(column), encoding: encoding, rows: UInt8(rows), offset: UInt16(best.offset), row: UInt32(row)))
        let hash = Self.hash(window)
        filter[Int(hash >> filterShift) >> 6] |= 1 << (hash >> filterShift & 63)
        var slot = Int(hash >> slotShift)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        windows[slot] = window
        slots[slot] = UInt32(entries.count)
    }

    private static func window(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }

    /// Up to 64, which is enough to prefer another; far more where a window says next to nothing.
    private func uses(_ window: UInt64) -> Int {
        var distinct: Set<UInt8> = []
        for shift in stride(from: 0, to: 64, by: 8) { distinct.insert(UInt8(truncatingIfNeeded: window >> shift)) }
        var uses = distinct.count < 3 ? 1000 : 0
        var slot = Int(Self.hash(window) >> slotShift)
        while slots[slot] != 0, uses < 64 {
            if windows[slot] == window { uses += 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        return uses
    }

    /// Calls `body` with every place in `range` at which a window lies, and its entry.
    func search(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>, _ body: (_ place: Int, Entry) -> Void) {
        let end = min(range.upperBound, bytes.count - Self.windowBytes + 1)
        guard range.lowerBound < end else { return }
        filter.withUnsafeBufferPointer { filter in
            for place in range.lowerBound..<end {
                let window = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                let hash = Self.hash(window)
                let bit = hash >> filterShift
                guard filter[Int(bit >> 6)] >> (bit & 63) & 1 == 1 else { continue }
                var slot = Int(hash >> slotShift)
                while slots[slot] != 0 {
                    if windows[slot] == window { body(place, entries[Int(slots[slot]) - 1]) }
                    slot = (slot + 1) & (slots.count - 1)
                }
            }
        }
    }
}
