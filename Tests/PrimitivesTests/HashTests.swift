import Primitives
import Testing

@Suite("Hashes and derived keys") struct HashTests {
    @Test("SHA-256 gives the digests of FIPS 180-4", arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    ])
    func digests(message: String, digest: String) {
        #expect(SHA256.hash(Array(message.utf8)) == hex(digest))
        #expect(SHA256.hash(([9] + message.utf8)[1...]) == hex(digest))
    }

    @Test("SM3 gives the digests of GB/T 32905, appendix A", arguments: [
        ("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (String(repeating: "abcd", count: 16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ])
    func digestsSM3(message: String, digest: String) {
        #expect(SM3.hash(Array(message.utf8)) == hex(digest))
        var pieces = SM3()
        for byte in message.utf8 { pieces.update([byte]) }
        #expect(pieces.finalize() == hex(digest))
    }

    @Test("pieces hash as their concatenation, wherever they are cut")
    func pieces() {
        let message = ascending(200)
        for cut in 0...message.count {
            var hash = SHA256()
            hash.update(message[..<cut])
            hash.update(Array(message[cut...]))
            #expect(hash.finalize() == SHA256.hash(message))
        }
    }

    @Test("a copy goes on independently, and a digest may be taken on the way")
    func copies() {
        var one = SHA256()
        one.update(ascending(70))
        var other = one
        other.update([1])
        #expect(one.finalize() == SHA256.hash(ascending(70)))
        one.update([2])
        #expect(one.finalize() == SHA256.hash(ascending(70) + [2]))
        #expect(other.finalize() == SHA256.hash(ascending(70) + [1]))
    }

    @Test("HMAC gives the codes of RFC 4231", arguments: [
        ([UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ([UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
    func codes(key: [UInt8], message: [UInt8], code: String) {
        #expect(HMACSHA256.code(for: message, key: SecretBytes(copying: key)) == hex(code))
    }

    @Test("HKDF gives the keys of RFC 5869, A.1 to A.3", arguments: [
        ([UInt8](repeating: 0x0b, count: 22), ascending(13), ascending(10, from: 0xf0),
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        (ascending(80), ascending(80, from: 0x60), ascending(80, from: 0xb0),
         """
         b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
         da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
         """),
        ([UInt8](repeating: 0x0b, count: 22), [], [],
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ])
    func derivedKeys(secret: [UInt8], salt: [UInt8], info: [UInt8], output: String) {
        let expected = hex(output)
        let key = HKDF.derive(secret: SecretBytes(copying: secret), salt: salt, info: info, count: expected.count)
        #expect(key == SecretBytes(copying: expected))
    }

    @Test("the longest derivation is possible and begins like shorter ones")
    func longestDerivation() {
        let secret = SecretBytes(copying: ascending(32))
        let long = HKDF.derive(secret: secret, salt: [], info: [1], count: 8160).withUnsafeBytes { Array($0) }
        let short = HKDF.derive(secret: secret, salt: [], info: [1], count: 33).withUnsafeBytes { Array($0) }
        #expect(long.count == 8160)
        #expect(Array(long.prefix(33)) == short)
    }
}

@Suite("Secret bytes") struct SecretBytesTests {
    @Test("they equal by content and print none of it")
    func equality() {
        let secret = SecretBytes(copying: ascending(32, from: 0x41))
        #expect(secret == SecretBytes(copying: ascending(32, from: 0x41)))
        #expect(secret != SecretBytes(copying: ascending(32, from: 0x42)))
        #expect(secret != SecretBytes(copying: ascending(31, from: 0x41)))
        #expect("\(secret)" == "32 secret bytes")
        #expect(String(reflecting: secret) == "32 secret bytes")
    }

    @Test("randomness of the machine has the length asked for and does not repeat")
    func systemRandom() {
        #expect(SystemRandom.bytes(0).isEmpty)
        #expect(SystemRandom.bytes(33).count == 33)
        #expect(SystemRandom.bytes(32) != SystemRandom.bytes(32))
        #expect(SystemRandom.secret(32) != SystemRandom.secret(32))
        #expect(SystemRandom.secret(32) != SecretBytes(count: 32, fill: { _ in }))
    }
}
