import BigInt
import BigNumber
import Paillier
import Primitives
import Testing

@Suite("Keys") struct KeyTests {
    @Test("the same randomness gives the same key, other randomness another")
    func determinism() {
        let again = PrivateKey.generateInsecure(bits: 512, random: randomness(1))
        #expect(again.publicKey.wire == Keys.platform.publicKey.wire)
        #expect(Keys.bank.publicKey.wire != Keys.platform.publicKey.wire)
        let values: [Int64] = [3, -4]
        #expect(again.encrypt(values, random: randomness(2), address: address(1)) == Keys.platform.encrypt(values, random: randomness(2), address: address(1)))
        #expect(KeyCertificate.make(for: again, context: [1]) == KeyCertificate.make(for: Keys.platform, context: [1]))
    }

    @Test("keys have the length that was asked for", arguments: [512, 640, 768, 1024])
    func lengths(bits: Int) throws {
        let key = PrivateKey.generateInsecure(bits: bits, random: randomness(UInt8(bits / 128)))
        #expect(key.publicKey.bits == bits && key.publicKey.modulusBytes == bits / 8 && key.publicKey.ciphertextBytes == bits / 4)
        let certificate = KeyCertificate.make(for: key, context: [])
        let peer = try PublicKey(wire: key.publicKey.wire, certificate: certificate, bits: bits, context: [])
        let sent = peer.encrypt([Natural(77)], random: randomness(9), address: address(1)).wire
        #expect(key.decrypt(try CiphertextBatch(wire: sent, count: 1, key: key.publicKey)) == [Natural(77)])
    }

    @Test("the primes are 3 modulo 4 and far apart, and n has no factor in common with its totient")
    func form() {
        let primes = Keys.textbook.primes
        for half in primes {
            for prime in [half.prime, half.a, half.b] { #expect(prime.isPrime()) }
            #expect(half.prime % 4 == 3 && half.prime.bitWidth == 256 && half.a.bitWidth == 220)
        }
        let orders = (primes[0].prime - 1, primes[1].prime - 1)
        #expect(orders.0.greatestCommonDivisor(with: orders.1) == 2)
        #expect((orders.0 * orders.1).greatestCommonDivisor(with: Keys.textbook.n) == 1)
        #expect((BigInt(primes[0].prime) - BigInt(primes[1].prime)).magnitude.bitWidth > 150)
    }

    @Test("a certificate holds for its key and context alone")
    func certificates() throws {
        let (bank, platform) = (Keys.bank, Keys.platform)
        let certificate = KeyCertificate.make(for: bank, context: [1, 2])
        let key = try PublicKey(wire: bank.publicKey.wire, certificate: certificate, bits: 512, context: [1, 2])
        #expect(key.wire == bank.publicKey.wire)
        for context in [[], [1], [2, 1], [1, 2, 0]] as [[UInt8]] {
            #expect(throws: PaillierError.certificateFails) {
                try PublicKey(wire: bank.publicKey.wire, certificate: certificate, bits: 512, context: context)
            }
        }
        #expect(throws: PaillierError.certificateFails) {
            try PublicKey(wire: platform.publicKey.wire, certificate: certificate, bits: 512, context: [1, 2])
        }
        for byte in stride(from: 0, to: certificate.count, by: 7) {
            var tampered = certificate
            tampered[byte] ^= 1 << UInt8(byte % 8)
            #expect(throws: PaillierError.certificateFails) {
                try PublicKey(wire: bank.publicKey.wire, certificate: tampered, bits: 512, context: [1, 2])
            }
        }
    }

    @Test("a key of a product's length does all of it")
    func full() throws {
        let key = PrivateKey.generate(bits: 2048, random: randomness(10))
        let peer = try PublicKey(wire: key.publicKey.wire, certificate: KeyCertificate.make(for: key, context: [3]), bits: 2048, context: [3])
        let values: [Int64] = [5, -3, 1 << 40, .min, 0, 7]
        let exponents: [UInt32] = [8192, 0, 1, 4097]
        let wire = key.encrypt(values, random: randomness(11), address: address(1))
        let rows = try CiphertextBatch(wire: wire, count: 6, key: peer).combiningRows(stride: 3, exponents: exponents, exponentBits: 14)
        let combined = [BigInt(5) - 3 * 8192, BigInt(Int64.min) + 7 * 4097]
        #expect(key.signedValues(rows) == combined)
        let products = InnerProducts(key: peer, columnBits: [8, 11], rows: 2)
        products.add(rows, entries: [200, 0, 3, 2047])
        let sums = products.finish()
        #expect(key.signedValues(sums) == [200 * combined[0] + 3 * combined[1], 2047 * combined[1]])

        let small = peer.encrypt([Natural(9), Natural(1) << 50], random: randomness(12), address: address(2))
        let slots = ValueSlots(bits: 56, keyBits: 2048)
        #expect(slots.perCiphertext == 34)
        let request = MaskedRequest(small, slots: slots, mask: randomness(13), randomiser: randomness(14), address: address(3))
        let answers = key.lowBits(of: try CiphertextBatch(wire: request.ciphertexts.wire, count: 1, key: key.publicKey), values: 2, slots: slots)
        #expect(request.values(fromLowBits: answers) == [9, 1 << 50])
        #expect(key.encrypt(values, random: randomness(11), address: address(1)) == wire)
    }
}
