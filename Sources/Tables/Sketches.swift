import Foundation

/// Order statistics of a stream of numbers in bounded memory: exact while all of them fit, then with a bounded error of
/// rank.
///
/// A full buffer is sorted and every other number moves to the next level, where it stands for two. Each such halving of
/// level l shifts any rank by at most 2^l; there are n / (capacity 2^l) of them. Over all levels the error is at most
/// n log2(n / capacity) / capacity ranks. Source: Manku, Rajagopalan, Lindsay 1998, section 3.
package struct QuantileSketch: Sendable {
    private let capacity: Int
    private var levels: [[Double]] = [[]]
    /// Which half moves up next; taken in turn, so that errors cancel.
    private var keepsOdd: [Bool] = [false]
    package private(set) var count = 0

    /// - Parameter capacity: numbers in each level's buffer, an even number of at least 2.
    package init(capacity: Int) {
        self.capacity = max(2, capacity / 2 * 2)
    }

    /// Whether nothing has been left out.
    package var isExact: Bool { levels.count == 1 }

    package mutating func insert(_ value: Double) {
        count += 1
        levels[0].append(value)
        var level = 0
        while levels[level].count >= capacity {
            if level + 1 == levels.count {
                levels.append([])
                keepsOdd.append(false)
            }
            levels[level].sort()
            for index in stride(from: keepsOdd[level] ? 1 : 0, to: levels[level].count, by: 2) { levels[level + 1].append(levels[level][index]) }
            keepsOdd[level].toggle()
            levels[level].removeAll(keepingCapacity: true)
            level += 1
        }
    }

    /// The numbers below or at which the given shares of all lie, ascending; empty where there are none.
    package func quantiles(_ shares: [Double]) -> [Double] {
        let weighted = levels.enumerated().flatMap { level, values in values.map { (value: $0, weight: 1 << level) } }.sorted { $0.value < $1.value }
        guard !weighted.isEmpty else { return [] }
        let total = weighted.reduce(0) { $0 + $1.weight }
        var result: [Double] = []
        var index = 0
        var below = weighted[0].weight
        for share in shares {
            let rank = max(1, Int((share * Double(total)).rounded(.up)))
            while below < rank, index + 1 < weighted.count {
                index += 1
                below += weighted[index].weight
            }
            result.append(weighted[index].value)
        }
        return result
    }
}

/// The number of distinct hashes in bounded memory: exact up to a limit, then estimated to about 1.6 %.
///
/// Source: Flajolet, Fusy, Gandouet, Meunier 2007 (HyperLogLog), 4,096 registers; hashes of 64 bits need no correction of
/// large counts, and small counts are exact.
package struct DistinctCounter: Sendable {
    private static let indexBits = 12

    private let limit: Int
    private var seen: Set<UInt64> = []
    private var registers: [UInt8] = []

    /// - Parameter limit: distinct hashes that are counted exactly.
    package init(limit: Int) {
        self.limit = limit
    }

    package var isExact: Bool { registers.isEmpty }

    package mutating func insert(_ hash: UInt64) {
        if !registers.isEmpty {
            register(hash)
        } else if seen.insert(hash).inserted, seen.count > limit {
            registers = [UInt8](repeating: 0, count: 1 << Self.indexBits)
            for hash in seen { register(hash) }
            seen = []
        }
    }

    private mutating func register(_ hash: UInt64) {
        let index = Int(hash >> (64 - UInt64(Self.indexBits)))
        let rank = UInt8(min((hash << UInt64(Self.indexBits)).leadingZeroBitCount, 64 - Self.indexBits) + 1)
        if rank > registers[index] { registers[index] = rank }
    }

    package var count: Int {
        guard !registers.isEmpty else { return seen.count }
        let size = Double(registers.count)
        let estimate = 0.7213 / (1 + 1.079 / size) * size * size / registers.reduce(0) { $0 + exp2(-Double($1)) }
        // Below this the registers that are still empty tell more.
        let empty = registers.count { $0 == 0 }
        return Int((empty > 0 && estimate < 2.5 * size ? size * log(size / Double(empty)) : estimate).rounded())
    }
}

/// 64 bits of a cell's bytes, the same in every process: FNV-1a and the finaliser of MurmurHash3.
func hash64(_ bytes: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
}
