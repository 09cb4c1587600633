import CLibcrypto

/// A hash function of libcrypto with blocks of 64 bytes and digests of 32.
package protocol HashAlgorithm {
    /// Fetched once: a lookup by name on every hash costs more than a short hash. Read-only and never freed.
    static var algorithm: OpaquePointer { get }
}

/// FIPS 180-4.
package enum SHA256Algorithm: HashAlgorithm {
    package nonisolated(unsafe) static let algorithm = required(EVP_MD_fetch(nil, "SHA256", nil))
}

/// GB/T 32905.
package enum SM3Algorithm: HashAlgorithm {
    package nonisolated(unsafe) static let algorithm = required(EVP_MD_fetch(nil, "SM3", nil))
}

package typealias SHA256 = Hash<SHA256Algorithm>
package typealias SM3 = Hash<SM3Algorithm>

/// One shot or piece by piece. A copy goes on independently of its original.
package struct Hash<Algorithm: HashAlgorithm> {
    package static var byteCount: Int { 32 }

    private var context = Context()

    package init() {}

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    package mutating func update(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { update($0) } }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
        required(EVP_DigestUpdate(context.pointer, bytes.baseAddress, bytes.count))
    }

    /// The digest of all bytes so far; more may follow.
    package func finalize() -> [UInt8] {
        let last = Context(copying: context)
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        required(EVP_DigestFinal_ex(last.pointer, &digest, nil))
        return digest
    }

    package static func hash(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }

    package static func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        required(EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, Algorithm.algorithm, nil))
        return digest
    }

    private final class Context {
        let pointer = required(EVP_MD_CTX_new())

        init() { required(EVP_DigestInit_ex2(pointer, Algorithm.algorithm, nil)) }

        init(copying other: Context) { required(EVP_MD_CTX_copy_ex(pointer, other.pointer)) }

        deinit { EVP_MD_CTX_free(pointer) }
    }
}

/// A value whose context is only ever reached by one owner at a time: copies split before they change.
extension Hash: @unchecked Sendable {}

/// HMAC with SHA-256 (RFC 2104).
package enum HMACSHA256 {
    package static let byteCount = 32

    package static func code(for message: [UInt8], key: SecretBytes) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        code.withUnsafeMutableBytes { code in
            message.withUnsafeBytes { compute(key: key, message: $0, into: code) }
        }
        return code
    }

    fileprivate static func compute(key: SecretBytes, message: UnsafeRawBufferPointer, into code: UnsafeMutableRawBufferPointer) {
        precondition(code.count >= byteCount)
        key.withUnsafeBytes { key in
            let written = HMAC(
                SHA256Algorithm.algorithm, key.baseAddress, Int32(key.count),
                message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count,
                code.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
            required(written)
        }
    }
}

/// Key derivation with SHA-256 (RFC 5869, extract and expand).
package enum HKDF {
    /// `count` is 1...8160 bytes. Different `info` gives independent keys.
    package static func derive(secret: SecretBytes, salt: [UInt8], info: [UInt8], count: Int) -> SecretBytes {
        let block = HMACSHA256.byteCount
        precondition((1...255 * block).contains(count))
        let pseudorandomKey = code(for: secret, key: SecretBytes(copying: salt))
        return SecretBytes(count: count) { output in
            var previous = SecretBytes(copying: EmptyCollection())
            for (index, start) in stride(from: 0, to: count, by: block).enumerated() {
                let message = SecretBytes(count: previous.count + info.count + 1) { message in
                    previous.withUnsafeBytes { message.copyMemory(from: $0) }
                    UnsafeMutableRawBufferPointer(rebasing: message[previous.count...]).copyBytes(from: info)
                    message[message.count - 1] = UInt8(index + 1)
                }
                previous = code(for: message, key: pseudorandomKey)
                previous.withUnsafeBytes { next in
                    UnsafeMutableRawBufferPointer(rebasing: output[start...])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: next.prefix(count - start)))
                }
            }
        }
    }

    private static func code(for message: SecretBytes, key: SecretBytes) -> SecretBytes {
        SecretBytes(count: HMACSHA256.byteCount) { code in
            message.withUnsafeBytes { HMACSHA256.compute(key: key, message: $0, into: code) }
        }
    }
}
