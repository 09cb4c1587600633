import Primitives
import Testing

@Suite("Encryption to a public key") struct HybridEncryptionTests {
    /// RFC 9180, A.2.1, sequence number 0.
    private static let ephemeral = X25519(secret: SecretBytes(copying: hex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")))
    private static let recipient = X25519(secret: SecretBytes(copying: hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")))
    private static let info = hex("4f6465206f6e2061204772656369616e2055726e")
    private static let associated = hex("436f756e742d30")
    private static let plain = SecretBytes(copying: hex("4265617574792069732074727574682c20747275746820626561757479"))
    private static let encapsulated = hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    private static let ciphertext = hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")

    @Test("the vector of RFC 9180 comes out, both ways")
    func vector() throws {
        #expect(Self.recipient.publicKey == hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"))
        let sealed = try HybridEncryption.seal(Self.plain, to: Self.recipient.publicKey, info: Self.info, associated: Self.associated,
                                               ephemeral: Self.ephemeral)
        #expect(sealed == Self.encapsulated + Self.ciphertext)
        #expect(try HybridEncryption.open(sealed, with: Self.recipient, info: Self.info, associated: Self.associated) == Self.plain)
    }

    @Test("a changed bit, another length, key, info or associated data is refused")
    func refusals() throws {
        let sealed = Self.encapsulated + Self.ciphertext
        func opens(_ sealed: [UInt8], _ key: X25519 = Self.recipient, info: [UInt8] = Self.info, associated: [UInt8] = Self.associated) -> Bool {
            (try? HybridEncryption.open(sealed, with: key, info: info, associated: associated)) != nil
        }
        #expect(opens(sealed))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(!opens(changed), "\(index)")
        }
        for sealed in [[], Array(sealed.prefix(47)), sealed.dropLast(), sealed + [0]] { #expect(!opens(sealed)) }
        #expect(!opens(sealed, Self.ephemeral) && !opens(sealed, info: []) && !opens(sealed, associated: []))
        #expect(!opens([UInt8](repeating: 0, count: 32) + Self.ciphertext))
    }

    @Test("each encryption is another one, and a key of low order is refused")
    func keys() throws {
        let sealed = try (0..<2).map { _ in try HybridEncryption.seal(Self.plain, to: Self.recipient.publicKey, info: Self.info) }
        #expect(sealed[0] != sealed[1] && sealed[0].count == Self.plain.count + HybridEncryption.overheadByteCount)
        for sealed in sealed { #expect(try HybridEncryption.open(sealed, with: Self.recipient, info: Self.info) == Self.plain) }
        #expect(throws: PrimitiveError.weakSharedSecret) {
            try HybridEncryption.seal(Self.plain, to: [UInt8](repeating: 0, count: 32), info: Self.info)
        }
        #expect(throws: PrimitiveError.malformedKey) { try HybridEncryption.seal(Self.plain, to: ascending(31), info: Self.info) }
    }

    @Test("keys survive PEM, and another kind of key is refused")
    func pem() throws {
        let loaded = try X25519(pem: Self.recipient.pem)
        #expect(loaded.publicKey == Self.recipient.publicKey)
        let other = Ed25519.SigningKey(seed: SystemRandom.secret(32))
        for text in ["", "nonsense", other.pem, other.verifyingKey.pem] { #expect(throws: PrimitiveError.malformedKey) { try X25519(pem: text) } }
    }
}
