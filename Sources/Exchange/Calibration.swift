import BigNumber
import Jobs
import Paillier
import Planning
import Primitives
import SetIntersection

/// How fast this machine is at what a job does, for plans: the functions of a job on small batches of its own making.
package enum Calibration {
    private static let sample = 32
    private static let degree = 4
    private static let usualEncryptions = 100_000
    private static let exponentBits = 13
    private static let columnBits = [Int](repeating: 11, count: 10) + [1]

    /// Takes seconds: a key is made, and serves nothing else.
    ///
    /// - Parameters:
    ///   - suite: of the contract; one that this version does not know is measured as P-256.
    ///   - keyBits: length of the Paillier modulus.
    ///   - spent: runs a body and returns the nanoseconds of all cores' time that it took.
    package static func measure(suite: String, keyBits bits: Int, spent: @escaping (() -> Void) -> Double) -> MachineSpeed {
        func each(_ count: Int, _ body: () -> Void) -> Int {
            let runs = (0..<3).map { _ in spent(body) }
            return max(1, Int((runs.sorted()[1] / Double(count)).rounded()))
        }
        // What is drawn is public and encrypts nothing.
        let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
        let suite = Suite(rawValue: suite) ?? .p256SHA256
        let blinding = Blinding(suite: suite, random: random)
        let tag = suite.domainSeparationTag(job: [UInt8](repeating: 0, count: 16), attempt: 0)
        let identifiers = (0..<sample).map { "91310000MA1FL000\($0)" }
        let points = blinding.first(identifiers, tag: tag)
        let first = each(sample) { _ = blinding.first(identifiers, tag: tag) }
        let second = each(sample) { _ = try? blinding.second(points) }
        let checking = each(sample) { _ = try? suite.validate(points[...]) }
        let mebibyte = [UInt8](repeating: 7, count: 1 << 20)
        let hashing = each(1) { _ = SHA256.hash(mebibyte) }
        var made: PrivateKey?
        let making = spent {
            made = PrivateKey.allowedBits.contains(bits) ? .generate(bits: bits, random: random) : .generateInsecure(bits: bits, random: random)
            // Tables as wide as those of a job.
            made?.prepare(encryptions: usualEncryptions)
        }
        guard let key = made else { preconditionFailure("a key was made") }
        return speed(key, random, each: each) { speed in
            speed.key = max(1, Int(making))
            speed.blinding = first
            speed.doubling = second
            speed.checking = checking
            speed.mebibyte = hashing
        }
    }

    private static func speed(_ key: PrivateKey, _ random: AddressedRandom, each: (Int, () -> Void) -> Int,
                              _ complete: (inout MachineSpeed) -> Void) -> MachineSpeed {
        let publicKey = key.publicKey
        let stride = degree + 1
        let rows = sample / 2
        let count = rows * stride
        // Addresses differ, as in a job: tables are read at other places.
        let plaintexts = [Int64](repeating: 123_456, count: count)
        @Sendable func draws(_ index: Int) -> DrawAddress { DrawAddress(message: 1, row: UInt32(index)) }
        let wire = key.encrypt(plaintexts, random: random) { draws($0) }
        let encryption = each(count) { _ = key.encrypt(plaintexts, random: random) { draws($0) } }
        guard let batch = try? CiphertextBatch(wire: wire, count: count, key: publicKey) else { preconditionFailure("own ciphertexts are valid") }
        let loading = each(count) { _ = try? CiphertextBatch(wire: wire, count: count, key: publicKey) }
        let mask: UInt32 = (1 << UInt32(exponentBits)) - 1
        let exponents: [UInt32] = (0..<rows * degree).map { UInt32($0 * 2_654_435 + 4096) & mask }
        let combination = each(rows) { _ = batch.combiningRows(stride: stride, exponents: exponents, exponentBits: exponentBits) }
        let residuals = batch.combiningRows(stride: stride, exponents: exponents, exponentBits: exponentBits)
        var entries: [UInt32] = []
        for row in 0..<rows {
            for (column, width) in columnBits.enumerated() {
                let mask: UInt32 = (1 << UInt32(width)) - 1
                entries.append(UInt32(row * 40_503 + column * 9_973 + 1) & mask)
            }
        }
        let turns = 16
        let bits = columnBits.reduce(0, +)
        let sums = each(1) {
            let products = InnerProducts(key: publicKey, columnBits: columnBits, rows: rows * turns)
            for _ in 0..<turns { products.add(residuals, entries: entries) }
            _ = products.finish()
        }
        let few = [Natural](repeating: Natural(7), count: 4)
        let publicly = each(few.count) { _ = publicKey.encrypt(few, random: random) { draws($0) } }
        let masked = publicKey.encrypt(few, random: random) { draws($0) }
        let decryption = each(few.count) { _ = key.decrypt(masked) }
        let perRow = RoundOperations.combinationProducts(stride: stride, exponentBits: exponentBits)
        let inAll = RoundOperations.innerProducts(bits: bits, rows: rows * turns, ciphertextBytes: publicKey.ciphertextBytes)
        var speed = MachineSpeed(
            keyBits: publicKey.bits, key: 1, encryption: encryption, loading: loading, combination: max(1, Int(Double(combination) / perRow)),
            bucket: max(1, Int(Double(sums) / inAll)), publicEncryption: publicly, decryption: decryption, blinding: 1, doubling: 1, checking: 1,
            mebibyte: 1)
        complete(&speed)
        return speed
    }
}
