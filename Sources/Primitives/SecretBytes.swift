import CLibcrypto

/// Bytes that are wiped on release. They are never copied implicitly and never printed.
package final class SecretBytes: Sendable {
    package let count: Int
    private nonisolated(unsafe) let storage: UnsafeMutableRawPointer

    /// `fill` receives `count` zero bytes.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        self.count = count
        storage = .allocate(byteCount: count, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        fill(UnsafeMutableRawBufferPointer(start: storage, count: count))
    }

    /// The caller's copy stays as it is: wiping it is the caller's.
    package convenience init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    deinit {
        OPENSSL_cleanse(storage, count)
        storage.deallocate()
    }

    package func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: storage, count: count))
    }
}

extension SecretBytes: Equatable {
    /// In a time that depends on the counts only.
    package static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left.storage, right.storage, left.count) == 0
    }
}

extension SecretBytes: CustomStringConvertible {
    package var description: String { "\(count) secret bytes" }
}

/// Randomness of the machine. Everything that an audit replays uses `AddressedRandom` instead, keyed from here.
package enum SystemRandom {
    /// For nonces, salts and job identifiers.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        required(RAND_bytes(&bytes, Int32(count)))
        return bytes
    }

    package static func secret(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { required(RAND_priv_bytes($0.baseAddress, Int32(count))) }
    }
}
