import BigNumber
import Paillier
import Planning
import Primitives
import Testing

/// Plans may not know the cryptography, so they hold its formulas anew: here both are counted.
@Suite("Planned operations") struct PlannedOperationsTests {
    private static let key = PrivateKey.generateInsecure(bits: 512, random: random(1))

    private static func random(_ seed: UInt8) -> AddressedRandom { AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: seed, count: 32))) }

    private static func batch(_ count: Int) throws -> CiphertextBatch {
        let wire = key.encrypt([Int64](repeating: 3, count: count), random: random(2)) { DrawAddress(message: 1, row: UInt32($0)) }
        return try CiphertextBatch(wire: wire, count: count, key: key.publicKey)
    }

    private static func entries(_ count: Int, _ bits: (Int) -> Int) -> [UInt32] {
        var state: UInt64 = 7
        return (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(truncatingIfNeeded: state >> 32) >> UInt32(32 - bits(index))
        }
    }

    @Test("inner products take what is planned, to half a percent", arguments: [
        ([13, 12, 12, 12, 12, 12, 1, 1, 1], 20_000), ([8, 8, 8, 8], 3000), ([1, 11, 10, 9, 30], 8000),
    ])
    func innerProducts(columnBits: [Int], rows: Int) throws {
        let (batch, publicKey) = (try Self.batch(rows), Self.key.publicKey)
        let before = publicKey.arithmetic.multiplications
        let products = InnerProducts(key: publicKey, columnBits: columnBits, rows: rows)
        products.add(batch, entries: Self.entries(rows * columnBits.count) { columnBits[$0 % columnBits.count] })
        _ = products.finish()
        let counted = Double(publicKey.arithmetic.multiplications - before)
        let planned = RoundOperations.innerProducts(bits: columnBits.reduce(0, +), rows: rows, ciphertextBytes: publicKey.ciphertextBytes)
        #expect(abs(planned / counted - 1) < 0.005, "\(planned) planned, \(counted) counted")
    }

    @Test("rows are combined in what is planned, to a percent", arguments: [(3, 20), (5, 14), (9, 12)])
    func combination(stride: Int, exponentBits: Int) throws {
        let rows = 400
        let (batch, publicKey) = (try Self.batch(rows * stride), Self.key.publicKey)
        let before = publicKey.arithmetic.multiplications
        _ = batch.combiningRows(stride: stride, exponents: Self.entries(rows * (stride - 1)) { _ in exponentBits }, exponentBits: exponentBits)
        let counted = Double(publicKey.arithmetic.multiplications - before) / Double(rows)
        let planned = RoundOperations.combinationProducts(stride: stride, exponentBits: exponentBits)
        #expect(abs(planned / counted - 1) < 0.01, "\(planned) planned, \(counted) counted")
    }

    @Test("a key's owner makes tables of the size that is planned", arguments: [1, 10_000, 1_000_000])
    func tables(encryptions: Int) throws {
        let key = PrivateKey.generateInsecure(bits: 512, random: Self.random(3))
        key.prepare(encryptions: encryptions)
        // Windows of as many positions have the same widths.
        let width = try #require((4...13).first { 2 * FixedBaseTable.positions(exponentBits: 256, windowBits: $0) == key.entriesPerEncryption })
        // An entry is a residue modulo the square of a prime, of which there are two.
        let bytes = 2 * FixedBaseTable.entries(exponentBits: 256, windowBits: width) * 2 * 256 / 8
        #expect(RoundOperations.tableBytes(keyBits: 512, encryptions: encryptions) == bytes)
    }
}
