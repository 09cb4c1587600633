/// Makes inputs of inputs: the same seed makes the same sequence on every machine.
struct Mutator {
    static let maximumBytes = 1 << 14

    /// Pieces that parsers decide on.
    private static let words: [[UInt8]] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "null", "true", "-0", "1e308", "1e-400", "9223372036854775808", "0.1", "\n", "\r\n",
        "\n\n", "\t", "--", "-----BEGIN", "-----END", "=", "==", "/", "~1", "~0", "..", "\u{FEFF}", "\u{3000}", "\u{FF10}", "sep=;\n", "NaN", "Infinity",
    ].map { Array($0.utf8) } + [
        [0x00], [0xFF], [0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0x00, 0x00, 0x00, 0x00],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x81, 0x30, 0x81, 0x30], [0xFE, 0x39, 0xFE, 0x39],
    ]

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// One of the inputs, changed in one to eight places.
    mutating func input(from seeds: [[UInt8]]) -> [UInt8] {
        var bytes = seeds.isEmpty ? [] : seeds[below(seeds.count)]
        for _ in 0...below(8) { change(&bytes, seeds) }
        return Array(bytes.prefix(Self.maximumBytes))
    }

    private mutating func change(_ bytes: inout [UInt8], _ seeds: [[UInt8]]) {
        let place = below(bytes.count + 1)
        let end = min(bytes.count, place + 1 + below(16))
        switch below(10) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(below(8))
        case 1 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: next())
        case 2 where place < bytes.count: bytes[place] &+= below(2) == 0 ? 1 : 255
        case 3: bytes.insert(contentsOf: (0...below(8)).map { _ in UInt8(truncatingIfNeeded: next()) }, at: place)
        case 4: bytes.removeSubrange(place..<end)
        case 5: bytes.insert(contentsOf: Array(bytes[place..<end]), at: below(bytes.count + 1))
        case 6: bytes.removeSubrange(place...)
        case 7: bytes.insert(contentsOf: Self.words[below(Self.words.count)], at: place)
        case 8 where !seeds.isEmpty:
            // The beginning of this one and the end of another.
            let other = seeds[below(seeds.count)]
            bytes = Array(bytes[..<place]) + other[below(other.count + 1)...]
        case 9 where end - place > 1:
            let piece = Array(bytes[place..<end])
            bytes.insert(contentsOf: (0...below(64)).flatMap { _ in piece }, at: place)
        default: bytes.append(UInt8(truncatingIfNeeded: next()))
        }
    }
}
