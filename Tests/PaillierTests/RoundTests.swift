import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

/// One whole round of both parties over ciphertexts, against sums of plain integers.
@Suite("A round") struct RoundTests {
    static let degree = 4
    static let one: Int64 = 4096
    /// K and lambda.
    static let shift: Int64 = 4096
    static let lossFactor: Int64 = 4
    static let label: Int64 = 1 << 24

    struct Rows {
        /// a_0 with 24 fractional bits; a_1 ... a_m, T_1 ... T_m and the loss's coefficients with 12.
        var constants: [Int64] = []
        var slopes: [[Int64]] = []
        var factors: [[Int64]] = []
        var lossSlopes: [[Int64]] = []
        var bad: [Bool] = []
        /// Row by row.
        var bankColumns: [[Int64]] = []
        var platformColumns: [[Int64]] = []

        /// Random within what the fixed point allows; the first rows at its ends.
        init(count: Int, seed: UInt64) {
            var random = Numbers(state: seed)
            func draw(_ largest: Int64, _ row: Int) -> Int64 {
                row < 8 ? (random.next() & 1 == 0 ? largest : -largest) : Int64.random(in: -largest...largest, using: &random)
            }
            for row in 0..<count {
                constants.append(Int64.random(in: 0...RoundTests.label, using: &random))
                slopes.append((0..<degree).map { _ in draw(shift, row) })
                factors.append((0..<degree).map { _ in draw(one, row) })
                lossSlopes.append((0..<degree).map { _ in draw(lossFactor * shift, row) })
                bad.append(random.next() % 4 == 0)
                // An intercept, two measures, an indicator; at the platform also a column without negative values and one of zeros.
                bankColumns.append([1, draw(1024, row), draw(1024, row), Int64(random.next() % 2)])
                platformColumns.append([draw(1024, row), Int64(random.next() % 2), abs(draw(256, row)), 0, draw(1024, row)])
            }
        }

        var residuals: [Int64] {
            constants.indices.map { row in
                constants[row] - (bad[row] ? RoundTests.label : 0) + zip(slopes[row], factors[row]).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }

        func gradient(_ columns: [[Int64]]) -> [Int64] {
            columns[0].indices.map { column in zip(columns, residuals).reduce(0) { $0 + $1.0[column] * $1.1 } }
        }

        var loss: Int64 {
            zip(lossSlopes, factors).reduce(0) { $0 + zip($1.0, $1.1).reduce(0) { $0 + $1.0 * $1.1 } }
        }
    }

    /// Sends rows in two blocks to the party that combines them, and gives back that party's own sums.
    func sums(_ plaintexts: [Int64], owner: PrivateKey, exponents: [UInt32], columns: [[Int64]], loss: [UInt32]? = nil,
              requester: PrivateKey, seed: UInt8, repetitions: inout RepetitionGuard) throws -> [Int64] {
        let (key, stride) = (owner.publicKey, Self.degree + 1)
        let rows = columns.count
        let low = columns[0].indices.map { column in min(0, columns.map { $0[column] }.min() ?? 0) }
        let products = InnerProducts(key: key, columnBits: low.map { _ in 11 + 1 } + [1], rows: rows)
        let lossProducts = InnerProducts(key: key, columnBits: [16], rows: rows * stride)
        for range in [0..<rows / 3, rows / 3..<rows] {
            let wire = owner.encrypt(Array(plaintexts[range.lowerBound * stride..<range.upperBound * stride]), random: randomness(seed)) {
                DrawAddress(message: 1, row: UInt32(range.lowerBound + $0 / stride), column: UInt16($0 % stride))
            }
            let batch = try CiphertextBatch(wire: wire, count: range.count * stride, key: key)
            try repetitions.admit(wire, width: key.ciphertextBytes)
            let residuals = batch.combiningRows(
                stride: stride, exponents: Array(exponents[range.lowerBound * Self.degree..<range.upperBound * Self.degree]), exponentBits: 14)
            products.add(residuals, entries: range.flatMap { row in columns[row].indices.map { UInt32(columns[row][$0] - low[$0]) } + [1] })
            if let loss { lossProducts.add(batch, entries: Array(loss[range.lowerBound * stride..<range.upperBound * stride])) }
        }
        let finished = products.finish()
        var values = finished.slice(0..<low.count).adding(multiples: low, of: finished.slice(low.count..<low.count + 1))
        if loss != nil { values = .joined([values, lossProducts.finish()], key: key) }

        let slots = ValueSlots(bits: 52, keyBits: 512)
        let request = MaskedRequest(values, slots: slots, mask: randomness(seed + 1), randomiser: randomness(seed + 2), address: address(2))
        try repetitions.admit(request.ciphertexts.wire, width: key.ciphertextBytes)
        let low52 = owner.lowBits(of: try request.ciphertexts.sent(), values: values.count, slots: slots)
        let answer = requester.publicKey.encrypt(low52, random: randomness(seed + 3), address: address(3))
        try repetitions.admit(answer.wire, width: requester.publicKey.ciphertextBytes)
        return try #require(request.values(fromLowBits: requester.decrypt(try answer.sent())))
    }

    @Test("both parties' sums and the loss are exact to the last bit", arguments: [9, 200])
    func exact(count: Int) throws {
        let rows = Rows(count: count, seed: UInt64(count))
        var repetitions = RepetitionGuard()
        let known = (0..<count).map { rows.constants[$0] - (rows.bad[$0] ? Self.label : 0) }
        var bankRows: [Int64] = []
        for (known, slopes) in zip(known, rows.slopes) {
            bankRows.append(known - slopes.reduce(0, +) * Self.one)
            bankRows += slopes
        }
        let platformGradient = try sums(
            bankRows, owner: Keys.bank, exponents: rows.factors.flatMap { $0.map { UInt32($0 + Self.one) } },
            columns: rows.platformColumns, requester: Keys.platform, seed: 40, repetitions: &repetitions)
        #expect(platformGradient == rows.gradient(rows.platformColumns))

        var platformRows: [Int64] = []
        var loss: [UInt32] = []
        for (factors, slopes) in zip(rows.factors, rows.lossSlopes) {
            platformRows.append(-Self.shift * factors.reduce(0, +))
            platformRows += factors
            loss.append(UInt32(Self.lossFactor))
            loss += slopes.map { UInt32($0 + Self.lossFactor * Self.shift) }
        }
        let bankSums = try sums(
            platformRows, owner: Keys.platform, exponents: rows.slopes.flatMap { $0.map { UInt32($0 + Self.shift) } },
            columns: rows.bankColumns, loss: loss, requester: Keys.bank, seed: 50, repetitions: &repetitions)
        // What the bank knows of its own residuals it adds in the clear.
        let plain = rows.bankColumns[0].indices.map { column in
            zip(rows.bankColumns, known).reduce(Int64(0)) { $0 + $1.0[column] * $1.1 }
        }
        #expect(zip(bankSums, plain).map(+) == rows.gradient(rows.bankColumns))
        #expect(bankSums.last == rows.loss && bankSums.count == rows.bankColumns[0].count + 1)
    }
}
