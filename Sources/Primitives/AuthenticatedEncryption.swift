import CLibcrypto

/// Authenticated encryption of a secret with associated data: ChaCha20 and Poly1305 (RFC 8439, section 2.8).
package enum ChaCha20Poly1305 {
    package static let keyByteCount = 32
    package static let nonceByteCount = 12
    package static let tagByteCount = 16

    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes, never twice under one key.
    /// - Returns: ciphertext, as long as the secret, and the tag behind it.
    package static func seal(_ secret: SecretBytes, key: SecretBytes, nonce: [UInt8], associated: [UInt8]) -> [UInt8] {
        let context = self.context(key, nonce, isEncrypting: true)
        defer { EVP_CIPHER_CTX_free(context) }
        var written: Int32 = 0
        required(EVP_EncryptUpdate(context, nil, &written, associated, Int32(associated.count)))
        var sealed = [UInt8](repeating: 0, count: secret.count)
        secret.withUnsafeBytes { secret in
            let start = secret.baseAddress?.assumingMemoryBound(to: UInt8.self)
            required(EVP_EncryptUpdate(context, &sealed, &written, start, Int32(secret.count)))
        }
        required(EVP_EncryptFinal_ex(context, nil, &written))
        var tag = [UInt8](repeating: 0, count: tagByteCount)
        required(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagByteCount), &tag))
        return sealed + tag
    }

    /// - Throws: `notAuthentic` unless `sealed` was sealed with this key, nonce and associated data. Nothing of what it
    ///   decrypts to is given out before that is certain.
    package static func open(_ sealed: [UInt8], key: SecretBytes, nonce: [UInt8], associated: [UInt8]) throws(PrimitiveError) -> SecretBytes {
        guard sealed.count >= tagByteCount else { throw .notAuthentic }
        let context = self.context(key, nonce, isEncrypting: false)
        defer { EVP_CIPHER_CTX_free(context) }
        var tag = Array(sealed.suffix(tagByteCount))
        required(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagByteCount), &tag))
        var written: Int32 = 0
        required(EVP_DecryptUpdate(context, nil, &written, associated, Int32(associated.count)))
        let secret = SecretBytes(count: sealed.count - tagByteCount) { secret in
            required(EVP_DecryptUpdate(context, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), &written, sealed, Int32(secret.count)))
        }
        guard EVP_DecryptFinal_ex(context, nil, &written) == 1 else {
            ERR_clear_error()
            throw .notAuthentic
        }
        return secret
    }

    private static func context(_ key: SecretBytes, _ nonce: [UInt8], isEncrypting: Bool) -> OpaquePointer {
        precondition(key.count == keyByteCount && nonce.count == nonceByteCount)
        let context = required(EVP_CIPHER_CTX_new())
        key.withUnsafeBytes { key in
            let start = key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            required(EVP_CipherInit_ex2(context, EVP_chacha20_poly1305(), start, nonce, isEncrypting ? 1 : 0, nil))
        }
        return context
    }
}
