import BigNumber

/// Products of small powers, many of them side by side: at each bit all are squared, and then each is multiplied by those of
/// its factors whose exponent has the bit. Which products are computed depends on the exponents.
struct PowerLadder {
    struct Factor: Sendable {
        let place: UInt32
        let exponent: UInt64
    }

    private let arithmetic: SquareModulus
    private let workspace: SquareModulus.Workspace

    /// For one thread.
    init(_ arithmetic: SquareModulus) {
        self.arithmetic = arithmetic
        workspace = arithmetic.makeWorkspace()
    }

    /// target[t + i] = the product of source[place]^exponent over the factors of products[i]. The target is no factor.
    func products(_ products: [[Factor]], of source: ResidueBuffer, into target: ResidueBuffer, _ t: Int) {
        let bits = 64 - products.lazy.joined().reduce(0) { $0 | $1.exponent }.leadingZeroBitCount
        var started = [Bool](repeating: false, count: products.count)
        for bit in Swift.stride(from: bits - 1, through: 0, by: -1) {
            let places = target[.list(products.indices.filter { started[$0] }.map { UInt32(t + $0) })]
            arithmetic.square(places, places, count: started.count { $0 }, workspace)
            // One factor of each product at a time: a product takes them one after the other.
            var waiting = products.map { factors in factors.filter { $0.exponent >> UInt64(bit) & 1 == 1 }.map(\.place)[...] }
            var left = products.indices.filter { !waiting[$0].isEmpty }
            while !left.isEmpty {
                var targets: [UInt32] = []
                var sources: [UInt32] = []
                for index in left {
                    let place = waiting[index].removeFirst()
                    if started[index] {
                        targets.append(UInt32(t + index))
                        sources.append(place)
                    } else {
                        target.copy(from: source, Int(place), to: t + index)
                        started[index] = true
                    }
                }
                arithmetic.accumulate(targets, of: target, source[.list(sources)], workspace)
                left.removeAll { waiting[$0].isEmpty }
            }
        }
        for index in products.indices where !started[index] { arithmetic.setOne(target, t + index) }
    }
}
