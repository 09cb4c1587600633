import BigNumber
import Foundation
import Paillier
import Primitives

/// One key and what has been made under it; preparations are made once and not timed.
final class Engine {
    struct Result {
        let seconds: Double
        let wall: Double
        let count: Int
        let multiplications: Int
    }

    /// Encryptions of a training: 30,000 rows of five, ten rounds.
    private static let expected = 1_500_000

    private let key: PrivateKey
    private let random: AddressedRandom
    private var batches: [Int: CiphertextBatch] = [:]
    private var draws: UInt32 = 0

    init(bits: Int) {
        random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 7, count: 32)))
        key = PrivateKey.allowedBits.contains(bits)
            ? PrivateKey.generate(bits: bits, random: random) : PrivateKey.generateInsecure(bits: bits, random: random)
    }

    func run(_ name: String, _ sizes: [Int]) -> Result? {
        switch (name, sizes.count) {
        case ("encrypt", 1):
            key.prepare(encryptions: Self.expected)
            let values = Self.numbers(sizes[0], bits: 24).map { Int64($0) }
            return timed(count: sizes[0], counted: sizes[0] * key.entriesPerEncryption) { _ = self.encrypt(values) }
        case ("multiply", 1), ("square", 1):
            return chain(sizes[0], isSquare: name == "square")
        case ("power", 1):
            // By the public key alone: r^n modulo n^2.
            draws += 1
            let (random, draw) = (random, UInt16(draws))
            let zeros = [Natural](repeating: .zero, count: sizes[0])
            return timed(count: sizes[0]) {
                _ = self.key.publicKey.encrypt(zeros, random: random) { DrawAddress(message: 2, round: draw, row: UInt32($0)) }
            }
        case ("load", 1):
            let wire = encrypt([Int64](repeating: 1, count: sizes[0]))
            return timed(count: sizes[0]) { _ = try? CiphertextBatch(wire: wire, count: sizes[0], key: self.key.publicKey) }
        case ("add", 1):
            let batch = batch(sizes[0])
            return timed(count: sizes[0]) { _ = batch.adding(batch) }
        case ("entries", 4):
            let (rows, columns, bits, distinct) = (sizes[0], sizes[1], sizes[2], sizes[3])
            let batch = batch(rows)
            let entries = Self.numbers(rows * columns, bits: bits, distinct: distinct)
            return timed(count: rows * columns) { self.products(batch, entries, columns: columns, bits: bits, isByValue: distinct > 0) }
        case ("combine", 3):
            let (rows, stride, bits) = (sizes[0], sizes[1], sizes[2])
            let batch = batch(rows * stride)
            let exponents = Self.numbers(rows * (stride - 1), bits: bits)
            return timed(count: rows) { _ = batch.combiningRows(stride: stride, exponents: exponents, exponentBits: bits) }
        case ("decrypt", 1):
            return decrypt(values: sizes[0])
        default:
            return nil
        }
    }

    /// Products modulo n^2 in place, sixty-four independent ones in turn.
    private func chain(_ count: Int, isSquare: Bool) -> Result {
        let arithmetic = key.publicKey.arithmetic, together = 64
        let (residues, factors) = (arithmetic.makeBuffer(count: together), arithmetic.makeBuffer(count: together))
        let workspace = arithmetic.makeWorkspace()
        for buffer in [residues, factors] {
            let numbers = (0..<together).map { Natural(UInt64($0) + 3).power(Natural(1 << 12), modulo: key.publicKey.squared) }
            arithmetic.load(numbers, into: buffer, 0, workspace)
        }
        return timed(count: count / together * together) {
            for _ in 0..<count / together {
                if isSquare {
                    arithmetic.square(residues[.from(0)], residues[.from(0)], count: together, workspace)
                } else {
                    arithmetic.multiply(residues[.from(0)], residues[.from(0)], factors[.from(0)], count: together, workspace)
                }
            }
        }
    }

    private func products(_ batch: CiphertextBatch, _ entries: [UInt32], columns: Int, bits: Int, isByValue: Bool) {
        let values = isByValue ? [Set(entries).sorted()] : [nil]
        let products = InnerProducts(key: key.publicKey, columnBits: [Int](repeating: bits, count: columns),
                                     values: [[UInt32]?](repeating: values[0], count: columns), rows: batch.count)
        for start in stride(from: 0, to: batch.count, by: 512) {
            let rows = start..<min(start + 512, batch.count)
            products.add(batch.slice(rows), entries: Array(entries[rows.lowerBound * columns..<rows.upperBound * columns]))
        }
        _ = products.finish()
    }

    /// A round's values, packed by the party that asks and decrypted by the key's owner: packing, decryption and reading.
    private func decrypt(values: Int) -> Result {
        let slots = ValueSlots(bits: 53, keyBits: key.publicKey.bits)
        let batch = batch(values)
        draws += 1
        let (random, draw) = (random, draws)
        let request = MaskedRequest(batch, slots: slots, mask: random, randomiser: random) {
            DrawAddress(message: 3, row: draw, column: UInt16($0))
        }
        return timed(count: values) {
            let packed = slots.packing(batch)
            _ = packed.count
            _ = self.key.lowBits(of: request.ciphertexts, values: values, slots: slots)
        }
    }

    private func encrypt(_ values: [Int64]) -> [UInt8] {
        draws += 1
        let draw = UInt16(draws)
        return key.encrypt(values, random: random) { DrawAddress(message: 1, round: draw, row: UInt32($0)) }
    }

    private func batch(_ count: Int) -> CiphertextBatch {
        if let batch = batches[count] { return batch }
        let wire = encrypt(Self.numbers(count, bits: 24).map { Int64($0) })
        guard let batch = try? CiphertextBatch(wire: wire, count: count, key: key.publicKey) else { fatalError("own ciphertexts are valid") }
        batches[count] = batch
        return batch
    }

    private func timed(count: Int, counted: Int? = nil, _ work: () -> Void) -> Result {
        let before = key.publicKey.arithmetic.multiplications
        let (cpu, wall) = (clock(CLOCK_PROCESS_CPUTIME_ID), clock(CLOCK_MONOTONIC))
        work()
        return Result(seconds: clock(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall: clock(CLOCK_MONOTONIC) - wall, count: count,
                      multiplications: counted ?? key.publicKey.arithmetic.multiplications - before)
    }

    private func clock(_ identifier: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(identifier, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The same for every run.
    private static func numbers(_ count: Int, bits: Int, distinct: Int = 0) -> [UInt32] {
        var state: UInt64 = 1
        func next() -> UInt32 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(truncatingIfNeeded: state >> 33) & (bits == 32 ? .max : 1 << UInt32(bits) - 1)
        }
        let values = (0..<distinct).map { _ in next() }
        return (0..<count).map { _ in distinct == 0 ? next() : values[Int(next()) % distinct] }
    }
}
