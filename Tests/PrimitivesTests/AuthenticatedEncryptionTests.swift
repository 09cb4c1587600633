import Primitives
import Testing

@Suite("ChaCha20 and Poly1305") struct AuthenticatedEncryptionTests {
    private struct Vector {
        let key, nonce, associated, plain, sealed: [UInt8]

        func open(_ sealed: [UInt8]) throws -> SecretBytes {
            try ChaCha20Poly1305.open(sealed, key: SecretBytes(copying: key), nonce: nonce, associated: associated)
        }
    }

    /// RFC 8439, 2.8.2.
    private static let sunscreen = Vector(
        key: ascending(32, from: 0x80), nonce: hex("070000004041424344454647"), associated: hex("50515253c0c1c2c3c4c5c6c7"),
        plain: Array("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.".utf8),
        sealed: hex("""
            d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b6\
            7ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116\
            1ae10b594f09e26a7e902ecbd0600691
            """))

    /// RFC 8439, A.5.
    private static let draft = Vector(
        key: hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"), nonce: hex("000000000102030405060708"),
        associated: hex("f33388860000000000004e91"),
        plain: Array("""
            Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted by other \
            documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite them other than as \
            /\u{201c}work in progress./\u{201d}
            """.utf8),
        sealed: hex("""
            64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f\
            355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0\
            f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04\
            b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130\
            305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709b\
            eead9d67890cbb22392336fea1851f38
            """))

    @Test("the vectors of RFC 8439 come out, both ways", arguments: [0, 1])
    func vectors(index: Int) throws {
        let vector = [Self.sunscreen, Self.draft][index]
        let sealed = ChaCha20Poly1305.seal(SecretBytes(copying: vector.plain), key: SecretBytes(copying: vector.key), nonce: vector.nonce,
                                           associated: vector.associated)
        #expect(sealed == vector.sealed)
        #expect(try vector.open(vector.sealed) == SecretBytes(copying: vector.plain))
    }

    @Test("a changed bit anywhere, and anything cut off or added, is refused")
    func changes() {
        let vector = Self.sunscreen
        for index in vector.sealed.indices {
            var changed = vector.sealed
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(throws: PrimitiveError.notAuthentic) { try vector.open(changed) }
        }
        for sealed in [[], Array(vector.sealed.prefix(15)), Array(vector.sealed.prefix(16)), vector.sealed.dropLast(), vector.sealed + [0]] {
            #expect(throws: PrimitiveError.notAuthentic) { try vector.open(sealed) }
        }
    }

    @Test("another key, nonce or associated data is refused")
    func others() {
        let (vector, sealed) = (Self.sunscreen, Self.sunscreen.sealed)
        let key = SecretBytes(copying: vector.key)
        func opens(_ key: SecretBytes, _ nonce: [UInt8], _ associated: [UInt8]) -> Bool {
            (try? ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, associated: associated)) != nil
        }
        #expect(opens(key, vector.nonce, vector.associated))
        #expect(!opens(SecretBytes(copying: ascending(32, from: 0x81)), vector.nonce, vector.associated))
        #expect(!opens(key, ascending(12), vector.associated))
        #expect(!opens(key, vector.nonce, vector.associated.dropLast()) && !opens(key, vector.nonce, []))
    }
}
