import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

@Suite("Row combinations and inner products") struct CombinationTests {
    let key = Keys.bank

    func encrypt(_ values: [Int64], message: UInt8 = 1) throws -> CiphertextBatch {
        try CiphertextBatch(wire: key.encrypt(values, random: randomness(20), address: address(message)), count: values.count, key: key.publicKey)
    }

    @Test("a row's combination is its plain combination, for every number of bases", arguments: 0...13)
    func rows(bases: Int) throws {
        var random = Numbers(state: UInt64(bases))
        for exponentBits in [1, 2, 13, 14, 32] {
            let rows = 5
            let values = (0..<rows * (bases + 1)).map { _ in Int64.random(in: -(1 << 30)...(1 << 30), using: &random) }
            var exponents = (0..<rows * bases).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) >> UInt32(32 - exponentBits) }
            for index in 0..<bases {
                exponents[index] = 0
                exponents[bases + index] = UInt32.max >> UInt32(32 - exponentBits)
            }
            let combined = try encrypt(values).combiningRows(stride: bases + 1, exponents: exponents, exponentBits: exponentBits)
            let expected = (0..<rows).map { row in
                (0..<bases).reduce(BigInt(values[row * (bases + 1)])) {
                    $0 + BigInt(exponents[row * bases + $1]) * BigInt(values[row * (bases + 1) + 1 + $1])
                }
            }
            #expect(key.signedValues(combined) == expected)
        }
    }

    @Test("rows that are none combine to none")
    func noRows() throws {
        #expect(try encrypt([]).combiningRows(stride: 5, exponents: [], exponentBits: 14).count == 0)
    }

    struct Shape: Sendable, CustomTestStringConvertible {
        let widths: [Int]
        let blocks: [Int]
        /// What the products are told, which must not matter but to the time.
        let expectedRows: Int

        var testDescription: String { "\(widths.count) columns of \(widths.reduce(0, +)) bits, blocks \(blocks), made for \(expectedRows) rows" }

        static let all: [Shape] = {
            var random = Numbers(state: 77)
            var shapes = [
                Shape(widths: [1], blocks: [1], expectedRows: 1), Shape(widths: [1], blocks: [], expectedRows: 10),
                Shape(widths: [8], blocks: [0, 3, 0], expectedRows: 100), Shape(widths: [32, 32, 32], blocks: [4], expectedRows: 4),
                Shape(widths: [Int](repeating: 1, count: 64), blocks: [7], expectedRows: 7), Shape(widths: [31, 32, 1], blocks: [3], expectedRows: 50),
                Shape(widths: [Int](repeating: 1, count: 65), blocks: [7], expectedRows: 3000), Shape(widths: [11, 11, 1], blocks: [20, 1], expectedRows: 100_000),
            ]
            for index in 0..<40 {
                let columns = 1 + Int(random.next() % (index % 8 == 0 ? 40 : 12))
                shapes.append(Shape(widths: (0..<columns).map { _ in 1 + Int(random.next() % 16) },
                                    blocks: (0..<1 + Int(random.next() % 4)).map { _ in Int(random.next() % 12) },
                                    expectedRows: [1, 10, 100, 1000, 4000][index % 5]))
            }
            return shapes
        }()
    }

    @Test("inner products are the plain ones, whatever widths, rows and blocks", arguments: Shape.all)
    func innerProducts(shape: Shape) throws {
        var random = Numbers(state: UInt64(shape.widths.reduce(0, +)))
        let products = InnerProducts(key: key.publicKey, columnBits: shape.widths, rows: shape.expectedRows)
        var expected = [BigInt](repeating: 0, count: shape.widths.count)
        let zeroColumn = shape.widths.count > 2 ? Int(random.next() % UInt64(shape.widths.count)) : -1
        for (block, rows) in shape.blocks.enumerated() {
            let values = (0..<rows).map { _ in Int64.random(in: -(1 << 40)...(1 << 40), using: &random) }
            var entries: [UInt32] = []
            for row in 0..<rows {
                // Some rows of zeros, some of the largest entries.
                let kind = random.next() % 5
                for (column, width) in shape.widths.enumerated() {
                    let largest = UInt32.max >> UInt32(32 - width)
                    let entry = column == zeroColumn || kind == 0 ? 0 : kind == 1 ? largest : UInt32(truncatingIfNeeded: random.next()) & largest
                    entries.append(entry)
                    expected[column] += BigInt(entry) * BigInt(values[row])
                }
            }
            products.add(try encrypt(values, message: UInt8(block)), entries: entries)
        }
        #expect(key.signedValues(products.finish()) == expected)
    }

    @Test("columns by value give the same ciphertexts as columns by bits, in any mixture", arguments: 0..<24)
    func byValue(seed: Int) throws {
        var random = Numbers(state: UInt64(seed) + 1000)
        let rows = 60
        let columns = 1 + Int(random.next() % 9)
        let widths = (0..<columns).map { _ in 1 + Int(random.next() % 12) }
        // Few values, many, zero among them or not, or not told.
        let values: [[UInt32]?] = widths.map { width in
            let count = 1 + Int(random.next() % 12)
            return (0..<count).map { _ in UInt32(truncatingIfNeeded: random.next()) & (1 << UInt32(width) - 1) }
        }
        let told = values.map { random.next() % 4 == 0 ? nil : $0 }
        let entries = (0..<rows).flatMap { _ in values.map { $0.flatMap { $0.randomElement(using: &random) } ?? 0 } }
        let batch = try encrypt((0..<rows).map { _ in Int64.random(in: -1000...1000, using: &random) })
        for expected in [1, rows, 5000] {
            let plain = InnerProducts(key: key.publicKey, columnBits: widths, rows: expected)
            let mixed = InnerProducts(key: key.publicKey, columnBits: widths, values: told, rows: expected)
            for products in [plain, mixed] {
                products.add(batch.slice(0..<20), entries: Array(entries[..<(20 * columns)]))
                products.add(batch.slice(20..<rows), entries: Array(entries[(20 * columns)...]))
            }
            #expect(plain.finish().wire == mixed.finish().wire)
        }
    }

    @Test("a sum over many rows is exact, with a shift undone under encryption")
    func shifted() throws {
        var random = Numbers(state: 5)
        let (rows, columns) = (700, 3)
        let residuals = (0..<rows).map { _ in Int64.random(in: -(1 << 26)...(1 << 26), using: &random) }
        let x = (0..<rows * columns).map { _ in Int64.random(in: -1024...1024, using: &random) }
        let low = (0..<columns).map { column in stride(from: column, to: x.count, by: columns).reduce(0) { min($0, x[$1]) } }
        let products = InnerProducts(key: key.publicKey, columnBits: [12, 12, 12, 1], rows: rows)
        for start in stride(from: 0, to: rows, by: 256) {
            let range = start..<min(start + 256, rows)
            products.add(try encrypt(Array(residuals[range]), message: UInt8(start / 256)), entries: range.flatMap { row in
                (0..<columns).map { UInt32(x[row * columns + $0] - low[$0]) } + [1]
            })
        }
        let sums = products.finish()
        let gradient = sums.slice(0..<3).adding(multiples: low, of: sums.slice(3..<4))
        #expect(key.signedValues(gradient) == (0..<columns).map { column in
            (0..<rows).reduce(BigInt(0)) { $0 + BigInt(residuals[$1]) * BigInt(x[$1 * columns + column]) }
        })
    }
}
