/// A file's bytes under a key of 32 bytes: authenticated encryption (ChaCha20-Poly1305) under a key of the file's own, so that no
/// nonce ever serves twice. Source: Protocols/specification.md, "Encryption at rest".
///
///     mark || salt (32 bytes) || ciphertext || tag (16 bytes)
package enum SealedFile {
    private static let mark = Array("JointLab sealed 1\n".utf8)
    private static let saltByteCount = 32
    package static let overheadByteCount = mark.count + saltByteCount + ChaCha20Poly1305.tagByteCount

    /// Whether bytes say of themselves that they are sealed.
    package static func isOne(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: mark) }

    /// - Parameter name: what the file is, so that one sealed file is not taken for another.
    package static func seal(_ bytes: [UInt8], as name: String, key: SecretBytes) -> [UInt8] {
        let salt = SystemRandom.bytes(saltByteCount)
        return mark + salt + ChaCha20Poly1305.seal(
            SecretBytes(copying: bytes), key: own(key, salt), nonce: nonce, associated: Array(name.utf8))
    }

    /// - Throws: `notAuthentic` for anything that was not sealed under this name and key.
    package static func open(_ sealed: [UInt8], as name: String, key: SecretBytes) throws(PrimitiveError) -> [UInt8] {
        guard isOne(sealed), sealed.count >= overheadByteCount else { throw .notAuthentic }
        let salt = Array(sealed[mark.count..<mark.count + saltByteCount])
        let opened = try ChaCha20Poly1305.open(
            Array(sealed[(mark.count + saltByteCount)...]), key: own(key, salt), nonce: nonce, associated: Array(name.utf8))
        return opened.withUnsafeBytes { Array($0) }
    }

    private static let nonce = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceByteCount)

    private static func own(_ key: SecretBytes, _ salt: [UInt8]) -> SecretBytes {
        HKDF.derive(secret: key, salt: salt, info: mark, count: ChaCha20Poly1305.keyByteCount)
    }
}
