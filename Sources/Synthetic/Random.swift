/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). For synthetic data, never for secrets.
struct Random {
    private var state: UInt64

    /// A stream of its own for each `index` of a seed, so that any enterprise can be made without the others.
    init(seed: UInt64, index: Int) {
        state = Self.mix(Self.mix(seed &+ Self.step) &+ UInt64(index))
    }

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 (inclusive) to 1.
    mutating func uniform() -> Double {
        state &+= Self.step
        return Double(Self.mix(state) >> 11) * 0x1p-53
    }

    mutating func chance(_ probability: Double) -> Bool {
        uniform() < probability
    }

    mutating func integer(below bound: Int) -> Int {
        Int(uniform() * Double(bound))
    }

    /// Marsaglia and Bray's polar method (1964).
    mutating func normal(_ deviation: Double = 1) -> Double {
        while true {
            let (u, v) = (2 * uniform() - 1, 2 * uniform() - 1)
            let square = u * u + v * v
            if square > 0, square < 1 { return deviation * u * (-2 * logarithm(square) / square).squareRoot() }
        }
    }

    mutating func studentT(degrees: Int) -> Double {
        let numerator = normal()
        var squares = 0.0
        for _ in 0..<degrees {
            let x = normal()
            squares += x * x
        }
        return numerator / (squares / Double(degrees)).squareRoot()
    }

    /// Knuth's product of uniforms: for means of some tens at most.
    mutating func poisson(_ mean: Double) -> Int {
        let limit = exponential(-mean)
        var product = uniform()
        var count = 0
        while product > limit {
            product *= uniform()
            count += 1
        }
        return count
    }

    mutating func binomial(_ trials: Int, _ probability: Double) -> Int {
        var count = 0
        for _ in 0..<trials where chance(probability) { count += 1 }
        return count
    }

    mutating func beta(_ a: Double, _ b: Double) -> Double {
        let x = gamma(a)
        return x / (x + gamma(b))
    }

    /// Marsaglia and Tsang (2000), for shapes of at least 1.
    private mutating func gamma(_ shape: Double) -> Double {
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let base = 1 + c * x
            guard base > 0 else { continue }
            let cube = base * base * base
            // 1 - uniform is never zero.
            if logarithm(1 - uniform()) < x * x / 2 + d * (1 - cube + logarithm(cube)) { return d * cube }
        }
    }
}

/// A keyed permutation of 0..<count: numbers in an order that looks random, all distinct, none remembered.
///
/// Balanced Feistel network of six rounds with cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains"
/// (2002).
struct Permutation {
    private let count: UInt64
    private let key: UInt64
    private let halfBits: UInt64

    init(count: Int, key: UInt64) {
        self.count = UInt64(count)
        self.key = key
        let bits = max(UInt64.bitWidth - UInt64(max(count - 1, 1)).leadingZeroBitCount, 2)
        halfBits = UInt64((bits + 1) / 2)
    }

    subscript(index: Int) -> Int {
        var value = UInt64(index)
        repeat { value = walk(value) } while value >= count
        return Int(value)
    }

    private func walk(_ value: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var (left, right) = (value >> halfBits, value & mask)
        for round in 0..<UInt64(6) {
            (left, right) = (right, left ^ (Random.mix(key &+ (round << 60) &+ right) & mask))
        }
        return left << halfBits | right
    }
}
