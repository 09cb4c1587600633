/// How a column's entries are written in digits.
struct InnerProductColumn: Sendable {
    let bits: Int
    /// The multiples that the column's digits stand for: of single bits, or its values other than 0, ascending.
    let multiples: [UInt32]
    /// For a column by value: the digit of each entry up to the largest, and -1 where that is no value of the column.
    let places: [Int32]?

    /// The most values that a column by value may have, and so the longest digit.
    private static let mostValues = 512

    /// - Parameters:
    ///   - values: all that occur, if they are known. Used where one digit takes less room than the bits, and raising its
    ///     products to so many powers costs little beside the rows.
    init(bits: Int, values: [UInt32]?, rows: Int) {
        self.bits = bits
        if let values {
            let others = Set(values).subtracting([0]).sorted()
            if let largest = others.last, largest < 1 << 16, others.count + 1 < min(InnerProductColumn.mostValues, 1 << bits),
               others.count * bits <= rows / 4 {
                precondition(UInt64(largest) >> UInt64(bits) == 0)
                var places = [Int32](repeating: -1, count: Int(largest) + 1)
                places[0] = 0
                for (place, value) in others.enumerated() { places[Int(value)] = Int32(place) + 1 }
                self.places = places
                multiples = others
                return
            }
        }
        places = nil
        multiples = (0..<bits).map { 1 << UInt32($0) }
    }

    /// Whether an entry is one of the column's.
    func holds(_ entry: UInt32) -> Bool {
        if let places { return Int(entry) < places.count && places[Int(entry)] >= 0 }
        return UInt64(entry) >> UInt64(bits) == 0
    }
}

/// Some digits of a row that are looked at together: their number selects a bucket.
struct InnerProductPattern: Sendable {
    struct Digit: Sendable {
        let column: Int
        let radix: Int
        /// What one of this digit counts in the pattern's number.
        let weight: Int
        /// Place of the digit's value 1 among its column's multiples.
        let firstMultiple: Int
    }

    /// A run of bits of one column, or the one digit of a column by value.
    private struct Part: Sendable {
        let column: Int
        let lowBit: Int
        let mask: UInt32
        let weight: Int
        let isByValue: Bool
    }

    private(set) var digits: [Digit] = []
    private var parts: [Part] = []
    /// Numbers are below it.
    private(set) var size = 1

    /// The buckets of one round take no more memory than this.
    static let mostBucketBytes = 256 << 20

    /// Every digit of every column, in the patterns that take the fewest multiplications among those whose buckets fit.
    static func cut(_ columns: [InnerProductColumn], rows: Int, ciphertextBytes: Int) -> [InnerProductPattern] {
        // Each bucket's first row is copied; in the end the bucket is merged once and multiplied into a product once.
        func cost(_ patterns: [InnerProductPattern]) -> Int { patterns.reduce(0) { $0 + rows - rows / $1.size + $1.size } }
        func bytes(_ patterns: [InnerProductPattern]) -> Int { patterns.reduce(0) { $0 + $1.size * ciphertextBytes } }
        let candidates = (1...14).map { cut(columns, most: 1 << $0) }
        return candidates.enumerated().filter { $0 == 0 || bytes($1) <= mostBucketBytes }.map(\.element).min { cost($0) < cost($1) } ?? []
    }

    /// Columns by value first, the longest digits first, each where it fits; the bits of the others fill what is left.
    private static func cut(_ columns: [InnerProductColumn], most: Int) -> [InnerProductPattern] {
        var patterns: [InnerProductPattern] = []
        let byValue = columns.indices.filter { columns[$0].places != nil }.sorted { columns[$0].multiples.count > columns[$1].multiples.count }
        for column in byValue {
            let radix = columns[column].multiples.count + 1
            let place = patterns.firstIndex { $0.size * radix <= most } ?? patterns.endIndex
            if place == patterns.endIndex { patterns.append(InnerProductPattern()) }
            patterns[place].appendValue(column, radix: radix)
        }
        var place = 0
        for column in columns.indices where columns[column].places == nil {
            var bit = 0
            while bit < columns[column].bits {
                while place < patterns.count, patterns[place].size * 2 > most { place += 1 }
                if place == patterns.count { patterns.append(InnerProductPattern()) }
                var room = 0
                while bit + room < columns[column].bits, patterns[place].size << (room + 1) <= max(most, 2) { room += 1 }
                patterns[place].appendBits(column, bit..<bit + room)
                bit += room
            }
        }
        return patterns
    }

    private mutating func appendValue(_ column: Int, radix: Int) {
        digits.append(Digit(column: column, radix: radix, weight: size, firstMultiple: 0))
        parts.append(Part(column: column, lowBit: 0, mask: .max, weight: size, isByValue: true))
        size *= radix
    }

    private mutating func appendBits(_ column: Int, _ bits: Range<Int>) {
        parts.append(Part(column: column, lowBit: bits.lowerBound, mask: UInt32.max >> UInt32(32 - bits.count), weight: size, isByValue: false))
        for bit in bits {
            digits.append(Digit(column: column, radix: 2, weight: size, firstMultiple: bit))
            size *= 2
        }
    }

    /// The number of a row whose entries start at `first`.
    @inline(__always)
    func number(_ entries: [UInt32], _ first: Int, _ columns: [InnerProductColumn]) -> Int {
        var number = 0
        for part in parts {
            let entry = entries[first + part.column]
            if part.isByValue, let places = columns[part.column].places {
                number += Int(places[Int(entry)]) * part.weight
            } else {
                number += Int(entry >> UInt32(part.lowBit) & part.mask) * part.weight
            }
        }
        return number
    }
}
