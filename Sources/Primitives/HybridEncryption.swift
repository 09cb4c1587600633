/// Encryption of a secret to the holder of a key, without one of the sender: HPKE (RFC 9180), base mode, one message, with
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20Poly1305.
package enum HybridEncryption {
    /// Bytes that the encryption is longer than the secret: an encapsulated key in front, a tag behind.
    package static let overheadByteCount = encapsulatedByteCount + ChaCha20Poly1305.tagByteCount
    private static let encapsulatedByteCount = 32

    /// - Parameters:
    ///   - recipient: 32 bytes, a public key.
    ///   - info: what the secret is, in bytes that whoever opens it knows as well.
    ///   - ephemeral: used for this message alone.
    /// - Throws: `malformedKey`, `weakSharedSecret`.
    package static func seal(_ secret: SecretBytes, to recipient: [UInt8], info: [UInt8], associated: [UInt8] = [],
                             ephemeral: X25519 = X25519(secret: SystemRandom.secret(32))) throws(PrimitiveError) -> [UInt8] {
        let agreed = try ephemeral.sharedSecret(with: recipient)
        let (key, nonce) = schedule(agreed, encapsulated: ephemeral.publicKey, recipient: recipient, info: info)
        return ephemeral.publicKey + ChaCha20Poly1305.seal(secret, key: key, nonce: nonce, associated: associated)
    }

    /// - Throws: `notAuthentic` for anything that was not sealed to this key with these bytes.
    package static func open(_ sealed: [UInt8], with key: X25519, info: [UInt8], associated: [UInt8] = []) throws(PrimitiveError) -> SecretBytes {
        guard sealed.count >= overheadByteCount else { throw .notAuthentic }
        let encapsulated = Array(sealed.prefix(encapsulatedByteCount))
        guard let agreed = try? key.sharedSecret(with: encapsulated) else { throw .notAuthentic }
        let (key, nonce) = schedule(agreed, encapsulated: encapsulated, recipient: key.publicKey, info: info)
        return try ChaCha20Poly1305.open(Array(sealed.dropFirst(encapsulatedByteCount)), key: key, nonce: nonce, associated: associated)
    }

    /// Sections 4.1 and 5.1.
    private static func schedule(_ agreed: SecretBytes, encapsulated: [UInt8], recipient: [UInt8],
                                 info: [UInt8]) -> (key: SecretBytes, nonce: [UInt8]) {
        let shared = HKDF.derive(secret: labelled("eae_prk", agreed, kem), salt: [],
                                 info: expansion("shared_secret", encapsulated + recipient, 32, kem), count: 32)
        func extracted(_ label: String, _ bytes: [UInt8]) -> [UInt8] {
            HMACSHA256.code(for: version + suite + Array(label.utf8) + bytes, key: SecretBytes(copying: EmptyCollection()))
        }
        // Mode 0, no shared password.
        let context = [0] + extracted("psk_id_hash", []) + extracted("info_hash", info)
        let none = labelled("secret", SecretBytes(copying: EmptyCollection()), suite)
        return shared.withUnsafeBytes { shared in
            let salt = Array(shared)
            let key = HKDF.derive(secret: none, salt: salt, info: expansion("key", context, 32, suite), count: ChaCha20Poly1305.keyByteCount)
            let nonce = HKDF.derive(secret: none, salt: salt, info: expansion("base_nonce", context, 12, suite), count: ChaCha20Poly1305.nonceByteCount)
            return (key, nonce.withUnsafeBytes { Array($0) })
        }
    }

    private static let version = Array("HPKE-v1".utf8)
    private static let kem = Array("KEM".utf8) + [0x00, 0x20]
    private static let suite = Array("HPKE".utf8) + [0x00, 0x20, 0x00, 0x01, 0x00, 0x03]

    private static func labelled(_ label: String, _ secret: SecretBytes, _ suite: [UInt8]) -> SecretBytes {
        let head = version + suite + Array(label.utf8)
        return SecretBytes(count: head.count + secret.count) { bytes in
            bytes.copyBytes(from: head)
            secret.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[head.count...]).copyMemory(from: $0) }
        }
    }

    private static func expansion(_ label: String, _ info: [UInt8], _ count: UInt8, _ suite: [UInt8]) -> [UInt8] {
        [0, count] + version + suite + Array(label.utf8) + info
    }
}
