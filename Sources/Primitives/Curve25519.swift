import CLibcrypto

/// Key agreement on curve 25519 (RFC 7748).
package struct X25519: Sendable {
    private let key: Key

    /// A secret of 32 bytes, uniform, drawn or derived for this agreement alone.
    package init(secret: SecretBytes) {
        precondition(secret.count == 32)
        key = secret.withUnsafeBytes { Key(rawPrivateBytes: $0, kind: EVP_PKEY_X25519) }
    }

    package init(pem: String) throws(PrimitiveError) {
        key = try Key.privateKey(pem: pem)
        guard EVP_PKEY_get_id(key.pointer) == EVP_PKEY_X25519 else { throw .malformedKey }
    }

    /// PKCS#8, not encrypted: for a file that only its owner reads.
    package var pem: String { key.privatePEM }

    /// 32 bytes, for the peer.
    package var publicKey: [UInt8] { key.rawPublicBytes }

    /// 32 bytes that both ends share; derive keys from them by `HKDF`. Throws `malformedKey` for a key that is not 32
    /// bytes long and `weakSharedSecret` where the peer's key forces zero.
    package func sharedSecret(with peer: [UInt8]) throws(PrimitiveError) -> SecretBytes {
        guard peer.count == 32 else { throw .malformedKey }
        let peerKey = Key(owning: required(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, peer, peer.count)))
        let context = required(EVP_PKEY_CTX_new(key.pointer, nil))
        defer { EVP_PKEY_CTX_free(context) }
        required(EVP_PKEY_derive_init(context))
        required(EVP_PKEY_derive_set_peer(context, peerKey.pointer))
        var status: Int32 = 0
        let shared = SecretBytes(count: 32) { bytes in
            var count = bytes.count
            status = EVP_PKEY_derive(context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), &count)
        }
        // libcrypto fails on zero by itself; the comparison does not rely on it.
        guard status == 1, shared != SecretBytes(count: 32, fill: { _ in }) else {
            ERR_clear_error()
            throw .weakSharedSecret
        }
        return shared
    }
}

/// Signatures on curve 25519 (RFC 8032).
package enum Ed25519 {
    package static let signatureByteCount = 64

    package struct SigningKey: Sendable {
        private let key: Key

        /// A seed of 32 bytes, uniform.
        package init(seed: SecretBytes) {
            precondition(seed.count == 32)
            key = seed.withUnsafeBytes { Key(rawPrivateBytes: $0, kind: EVP_PKEY_ED25519) }
        }

        package init(pem: String) throws(PrimitiveError) {
            key = try Key.privateKey(pem: pem)
            guard EVP_PKEY_get_id(key.pointer) == EVP_PKEY_ED25519 else { throw .malformedKey }
        }

        /// PKCS#8, not encrypted: for a file that only its owner reads.
        package var pem: String { key.privatePEM }

        package var verifyingKey: VerifyingKey { VerifyingKey(known: key.rawPublicBytes) }

        package func signature(for message: [UInt8]) -> [UInt8] {
            let context = required(EVP_MD_CTX_new())
            defer { EVP_MD_CTX_free(context) }
            required(EVP_DigestSignInit(context, nil, nil, nil, key.pointer))
            var count = signatureByteCount
            var signature = [UInt8](repeating: 0, count: count)
            required(EVP_DigestSign(context, &signature, &count, message, message.count))
            return signature
        }
    }

    package struct VerifyingKey: Sendable, Hashable {
        /// 32 bytes.
        package let bytes: [UInt8]

        package init(bytes: [UInt8]) throws(PrimitiveError) {
            guard bytes.count == 32 else { throw .malformedKey }
            self.bytes = bytes
        }

        package init(pem: String) throws(PrimitiveError) {
            let key = try Key.publicKey(pem: pem)
            guard EVP_PKEY_get_id(key.pointer) == EVP_PKEY_ED25519 else { throw .malformedKey }
            bytes = key.rawPublicBytes
        }

        fileprivate init(known bytes: [UInt8]) { self.bytes = bytes }

        /// SubjectPublicKeyInfo.
        package var pem: String { key.publicPEM }

        package func accepts(_ signature: [UInt8], for message: [UInt8]) -> Bool {
            guard signature.count == signatureByteCount else { return false }
            let context = required(EVP_MD_CTX_new())
            defer { EVP_MD_CTX_free(context) }
            let key = key
            required(EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer))
            let accepted = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
            if !accepted { ERR_clear_error() }
            return accepted
        }

        private var key: Key {
            Key(owning: required(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)))
        }
    }
}

extension Key {
    fileprivate convenience init(rawPrivateBytes bytes: UnsafeRawBufferPointer, kind: Int32) {
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.init(owning: required(EVP_PKEY_new_raw_private_key(kind, nil, start, bytes.count)))
    }
}
