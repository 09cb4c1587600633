import BigNumber
import Paillier
import Primitives
import Testing

/// What operations cost in modular multiplications: time depends on the machine, counts do not.
@Suite("Cost") struct CostTests {
    @Test("30,000 rows: an entry of 8 bits takes less than one multiplication, of 1 bit less than 0.15, one of ten values less than 0.4")
    func entries() throws {
        let key = PrivateKey.generateInsecure(bits: 512, random: randomness(41))
        let rows = 30_000
        let columns = 32
        let wire = key.encrypt([Int64](repeating: 3, count: rows), random: randomness(42), address: address(1))
        let batch = try CiphertextBatch(wire: wire, count: rows, key: key.publicKey)
        var random = Numbers(state: 9)
        for (bits, isByValue, most) in [(8, false, 1.0), (1, false, 0.15), (8, true, 0.4)] {
            let values = (0..<10).map { _ in UInt32.random(in: 0..<1 << UInt32(bits), using: &random) }
            let entries = (0..<rows * columns).map { _ in
                isByValue ? values[Int(random.next() % 10)] : UInt32.random(in: 0..<1 << UInt32(bits), using: &random)
            }
            let before = key.publicKey.arithmetic.multiplications
            let products = InnerProducts(key: key.publicKey, columnBits: [Int](repeating: bits, count: columns),
                                         values: isByValue ? [[UInt32]?](repeating: values, count: columns) : nil, rows: rows)
            products.add(batch, entries: entries)
            _ = products.finish()
            let each = Double(key.publicKey.arithmetic.multiplications - before) / Double(rows * columns)
            #expect(each < most && each > most / 4, "\(bits) bits: \(each)")
        }
    }

    @Test("a row of m = 4 is combined in 40 multiplications, and a ciphertext taken in by one")
    func rows() throws {
        let key = PrivateKey.generateInsecure(bits: 512, random: randomness(43))
        let wire = key.encrypt([Int64](repeating: 3, count: 500), random: randomness(44), address: address(1))
        let before = key.publicKey.arithmetic.multiplications
        let batch = try CiphertextBatch(wire: wire, count: 500, key: key.publicKey)
        #expect(key.publicKey.arithmetic.multiplications - before == 500)
        var random = Numbers(state: 10)
        let exponents = (0..<400).map { _ in UInt32.random(in: 0...8192, using: &random) }
        _ = batch.combiningRows(stride: 5, exponents: exponents, exponentBits: 14)
        let each = (key.publicKey.arithmetic.multiplications - before - 500) / 100
        #expect(each <= 40 && each > 20)
    }

    @Test("the more encryptions are expected, the fewer entries an encryption multiplies; ciphertexts stay the same")
    func windows() {
        var entries: [Int] = []
        var wires: Set<[UInt8]> = []
        for expected in [1, 10_000, 1_000_000] {
            let key = PrivateKey.generateInsecure(bits: 512, random: randomness(45))
            key.prepare(encryptions: expected)
            entries.append(key.entriesPerEncryption)
            wires.insert(key.encrypt([1, -1, 0], random: randomness(46), address: address(1)))
        }
        #expect(entries[0] <= 2 * 64 && entries[1] < entries[0] && entries[2] < entries[1] && entries[2] <= 2 * 20 && wires.count == 1)
    }
}
