import Primitives
import Testing

@Suite("Key agreement and signatures on curve 25519") struct Curve25519Tests {
    static let alice = X25519(secret: SecretBytes(copying: hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")))
    static let bob = X25519(secret: SecretBytes(copying: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")))

    @Test("both ends share what RFC 7748, 6.1 says")
    func agreement() throws {
        #expect(Self.alice.publicKey == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(Self.bob.publicKey == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let shared = SecretBytes(copying: hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"))
        #expect(try Self.alice.sharedSecret(with: Self.bob.publicKey) == shared)
        #expect(try Self.bob.sharedSecret(with: Self.alice.publicKey) == shared)
    }

    @Test("a peer's key of low order is refused", arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func lowOrder(key: String) {
        #expect(throws: PrimitiveError.weakSharedSecret) { try Self.alice.sharedSecret(with: hex(key)) }
    }

    @Test("a peer's key of another length is refused", arguments: [0, 31, 33])
    func keyLength(count: Int) {
        #expect(throws: PrimitiveError.malformedKey) { try Self.alice.sharedSecret(with: ascending(count)) }
        #expect(throws: PrimitiveError.malformedKey) { try Ed25519.VerifyingKey(bytes: ascending(count)) }
    }

    @Test("signatures are those of RFC 8032, 7.1", arguments: [
        ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ])
    func signatures(seed: String, publicKey: String, message: String, signature: String) {
        let key = Ed25519.SigningKey(seed: SecretBytes(copying: hex(seed)))
        #expect(key.verifyingKey.bytes == hex(publicKey))
        #expect(key.signature(for: hex(message)) == hex(signature))
        #expect(key.verifyingKey.accepts(hex(signature), for: hex(message)))
    }

    @Test("a signature over anything else is refused")
    func forgeries() {
        let key = Ed25519.SigningKey(seed: SystemRandom.secret(32))
        let signature = key.signature(for: [1, 2, 3])
        #expect(key.verifyingKey.accepts(signature, for: [1, 2, 3]))
        #expect(!key.verifyingKey.accepts(signature, for: [1, 2]))
        #expect(!key.verifyingKey.accepts(signature.dropLast(), for: [1, 2, 3]))
        #expect(!key.verifyingKey.accepts([], for: [1, 2, 3]))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.verifyingKey.accepts(changed, for: [1, 2, 3]))
        }
        let other = Ed25519.SigningKey(seed: SystemRandom.secret(32))
        #expect(!other.verifyingKey.accepts(signature, for: [1, 2, 3]))
    }

    @Test("keys survive PEM")
    func pem() throws {
        let key = Ed25519.SigningKey(seed: SystemRandom.secret(32))
        #expect(key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(key.verifyingKey.pem.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
        let loaded = try Ed25519.SigningKey(pem: key.pem)
        #expect(loaded.signature(for: [7]) == key.signature(for: [7]))
        #expect(try Ed25519.VerifyingKey(pem: key.verifyingKey.pem) == key.verifyingKey)
    }

    @Test("text that is no key of the kind is refused")
    func foreignPEM() throws {
        let authority = try CertificateAuthority.make(name: "lab", validDays: 1)
        let publicPEM = Ed25519.SigningKey(seed: SystemRandom.secret(32)).verifyingKey.pem
        for text in ["", "nonsense", authority.privateKeyPEM, publicPEM, String(repeating: "x", count: 1 << 17)] {
            #expect(throws: PrimitiveError.malformedKey) { try Ed25519.SigningKey(pem: text) }
        }
        for text in ["", "nonsense", authority.privateKeyPEM, authority.certificatePEM] {
            #expect(throws: PrimitiveError.malformedKey) { try Ed25519.VerifyingKey(pem: text) }
        }
    }
}
