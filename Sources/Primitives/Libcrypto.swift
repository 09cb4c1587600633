import CLibcrypto

/// What only exhausted memory or a broken libcrypto can withhold. No input of a user or a peer leads here.
@discardableResult
func required<Value>(_ value: Value?) -> Value {
    guard let value else { fatalError("libcrypto gave no object") }
    return value
}

func required(_ status: Int32) {
    guard status == 1 else { fatalError("libcrypto failed on valid input") }
}

/// A memory BIO for the length of `body`.
func withMemory<Result>(holding contents: String = "", _ body: (OpaquePointer) -> Result) -> Result {
    let memory = required(BIO_new(BIO_s_mem()))
    defer { BIO_free(memory) }
    var contents = contents
    contents.withUTF8 { bytes in
        if !bytes.isEmpty { precondition(BIO_write(memory, bytes.baseAddress, Int32(bytes.count)) == bytes.count) }
    }
    return body(memory)
}

/// The text that `write` puts in a memory BIO.
func text(_ write: (OpaquePointer) -> Int32) -> String {
    withMemory { memory in
        required(write(memory))
        var contents: UnsafeMutablePointer<CChar>?
        let count = libcrypto_bio_contents(memory, &contents)
        return String(decoding: UnsafeRawBufferPointer(start: contents, count: count), as: UTF8.self)
    }
}

/// A key of libcrypto; its private part is wiped on release. Never changed after its making, so threads may share it.
final class Key: @unchecked Sendable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    static func generateP256() -> Key {
        Key(owning: required(libcrypto_generate_p256_key()))
    }

    /// PKCS#8 or traditional PEM without a passphrase.
    static func privateKey(pem: String) throws(PrimitiveError) -> Key {
        guard pem.utf8.count <= maximumPEMByteCount else { throw .malformedKey }
        let pointer = withMemory(holding: pem) { PEM_read_bio_PrivateKey($0, nil, refusePassphrase, nil) }
        guard let pointer else {
            ERR_clear_error()
            throw .malformedKey
        }
        return Key(owning: pointer)
    }

    static func publicKey(pem: String) throws(PrimitiveError) -> Key {
        guard pem.utf8.count <= maximumPEMByteCount else { throw .malformedKey }
        let pointer = withMemory(holding: pem) { PEM_read_bio_PUBKEY($0, nil, refusePassphrase, nil) }
        guard let pointer else {
            ERR_clear_error()
            throw .malformedKey
        }
        return Key(owning: pointer)
    }

    /// PKCS#8, not encrypted.
    var privatePEM: String {
        text { PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
    }

    var publicPEM: String {
        text { PEM_write_bio_PUBKEY($0, pointer) }
    }

    /// The 32 bytes of a public key on curve 25519.
    var rawPublicBytes: [UInt8] {
        var count = 32
        var bytes = [UInt8](repeating: 0, count: count)
        required(EVP_PKEY_get_raw_public_key(pointer, &bytes, &count))
        precondition(count == 32)
        return bytes
    }
}

/// Far above any key or certificate of the lab.
let maximumPEMByteCount = 1 << 16

/// Keeps libcrypto from asking at the terminal.
private let refusePassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = { _, _, _, _ in -1 }
