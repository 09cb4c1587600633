import BigInt
import BigNumber
import Foundation
import Paillier
import Primitives
import Testing

/// Each file under Protocols/vectors/paillier holds one expectation, often a refusal, under the key of key.json. Their
/// values come from an implementation in plain integers that shares no code with this one, key generation included.
@Suite("Vectors of Paillier's scheme") struct VectorTests {
    @Test("the vector holds", arguments: Vector.all)
    func holds(vector: Vector) throws {
        let key = Keys.bank
        switch vector.operation {
        case "key":
            #expect(key.publicKey.wire == vector.bytes(\.modulus))
            #expect(Keys.textbook.n == big(vector.bytes(\.modulus)))
            for prime in Keys.textbook.primes { #expect(prime.prime == 2 * prime.a * prime.b + 1) }
        case "certificate":
            let bits = try #require(vector.bits)
            expect(vector) { () throws(PaillierError) in
                _ = try PublicKey(wire: vector.bytes(\.modulus), certificate: vector.bytes(\.certificate), bits: bits,
                                  context: vector.bytes(\.context))
            }
            if vector.modulus == Vector.key.modulus, vector.error == nil {
                #expect(KeyCertificate.make(for: key, context: vector.bytes(\.context)) == vector.bytes(\.certificate))
            }
        case "encrypt":
            let (value, address) = (try #require(vector.value.flatMap { Int64($0) }), try #require(vector.address))
            let cipher = key.encrypt([value], random: vector.random(\.randomness)) { _ in address.place }
            #expect(cipher == vector.bytes(\.ciphertext))
        case "public-encrypt":
            let address = try #require(vector.address)
            let plaintext = Natural(bytes: vector.bytes(\.plaintext))
            let cipher = key.publicKey.encrypt([plaintext], random: vector.random(\.randomness)) { _ in address.place }
            #expect(cipher.wire == vector.bytes(\.ciphertext))
        case "decrypt":
            let cipher = try CiphertextBatch(wire: vector.bytes(\.ciphertext), count: 1, key: key.publicKey)
            #expect(key.decrypt(cipher).first?.bytes(count: 64) == vector.bytes(\.plaintext))
        case "combine":
            let row = try vector.batch(key.publicKey)
            let (exponents, bits) = (try #require(vector.exponents), try #require(vector.exponentBits))
            #expect(row.combiningRows(stride: row.count, exponents: exponents, exponentBits: bits).wire == vector.bytes(\.ciphertext))
        case "inner-products":
            let rows = try vector.batch(key.publicKey)
            let products = InnerProducts(key: key.publicKey, columnBits: try #require(vector.columnBits), rows: rows.count)
            products.add(rows, entries: try #require(vector.entries))
            #expect(products.finish().wire == vector.results?.flatMap(hex))
        case "request":
            try expectRequest(vector, key)
        case "load":
            let (blocks, counts) = (try #require(vector.blocks), try #require(vector.counts))
            expect(vector) { () throws(PaillierError) in
                var repetitions = RepetitionGuard()
                for (block, count) in zip(blocks.map(hex), counts) {
                    let batch = try CiphertextBatch(wire: block, count: count, key: key.publicKey)
                    try repetitions.admit(block, width: key.publicKey.ciphertextBytes)
                    #expect(batch.wire == block)
                }
            }
        default:
            Issue.record("unknown operation")
        }
    }

    @Test("there are vectors of every operation and every refusal")
    func complete() {
        #expect(Set(Vector.all.map(\.operation)) == ["key", "certificate", "encrypt", "public-encrypt", "decrypt", "combine", "inner-products", "request", "load"])
        let refusals = Dictionary(grouping: Vector.all.compactMap(\.expectedError)) { $0 }.mapValues(\.count)
        #expect(Set(refusals.keys) == [.malformedModulus, .certificateFails, .wrongLength, .outsideGroup, .withoutRandomness, .repeated])
        #expect(Vector.all.count { $0.operation == "load" && $0.error != nil } >= 40)
    }

    private func expectRequest(_ vector: Vector, _ key: PrivateKey) throws {
        let values = try vector.batch(key.publicKey)
        let (message, expected) = (try #require(vector.message), try #require(vector.values))
        let slots = ValueSlots(bits: try #require(vector.slotBits), keyBits: key.publicKey.bits)
        let request = MaskedRequest(values, slots: slots, mask: vector.random(\.mask), randomiser: vector.random(\.randomness),
                                    address: address(message))
        #expect(request.ciphertexts.wire == vector.request?.flatMap(hex))
        let answers = key.lowBits(of: try request.ciphertexts.sent(), values: values.count, slots: slots)
        #expect(answers == vector.answers?.map { Natural(bytes: hex($0)) })
        #expect(request.values(fromLowBits: answers) == expected)
    }

    private func expect(_ vector: Vector, _ body: () throws(PaillierError) -> Void) {
        do throws(PaillierError) {
            try body()
            #expect(vector.error == nil)
        } catch {
            #expect(error == vector.expectedError)
        }
    }
}

struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    struct Prime: Decodable, Sendable { let prime, a, b, generator: String }

    struct Address: Decodable, Sendable {
        let message: UInt8
        let round, column, draw: UInt16
        let row: UInt32

        var place: DrawAddress { DrawAddress(message: message, round: round, row: row, column: column, draw: draw) }
    }

    let about, operation: String
    var error: String?
    var seed, modulus, context, certificate, randomness, mask, value, plaintext, ciphertext: String?
    var primes: [Prime]?
    var address: Address?
    var bits, exponentBits, slotBits: Int?
    var message: UInt8?
    var blocks, ciphertexts, results, request, answers: [String]?
    var counts, columnBits: [Int]?
    var exponents, entries: [UInt32]?
    var values: [Int64]?

    var testDescription: String { "\(operation): \(about)" }

    var expectedError: PaillierError? {
        switch error {
        case "malformed-modulus": .malformedModulus
        case "certificate-fails": .certificateFails
        case "wrong-length": .wrongLength
        case "outside-group": .outsideGroup
        case "without-randomness": .withoutRandomness
        case "repeated": .repeated
        default: nil
        }
    }

    func bytes(_ field: KeyPath<Vector, String?>) -> [UInt8] { hex(self[keyPath: field] ?? "") }

    func random(_ field: KeyPath<Vector, String?>) -> AddressedRandom { AddressedRandom(key: SecretBytes(copying: bytes(field))) }

    func batch(_ key: PublicKey) throws -> CiphertextBatch {
        let wire = (ciphertexts ?? []).flatMap(hex)
        return try CiphertextBatch(wire: wire, count: ciphertexts?.count ?? 0, key: key)
    }

    static let all: [Vector] = {
        var root = URL(filePath: #filePath)
        var directory: URL
        repeat {
            root.deleteLastPathComponent()
            directory = root.appending(path: "Protocols/vectors/paillier")
        } while !FileManager.default.fileExists(atPath: directory.path) && root.path != "/"
        do {
            return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "json" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .map { try JSONDecoder().decode(Vector.self, from: Data(contentsOf: $0)) }
        } catch {
            fatalError("the vectors cannot be read: \(error)")
        }
    }()

    static let key: Vector = {
        guard let key = all.first(where: { $0.operation == "key" }) else { fatalError("key.json is missing") }
        return key
    }()
}

func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
