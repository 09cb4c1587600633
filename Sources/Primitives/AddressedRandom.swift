import CLibcrypto
import Synchronization

/// Where a draw stands in a job. Each address is used for one draw, so that its bytes depend on nothing but key and
/// address: threads, pools and resumes change nothing, and a replay gives the same bytes again.
package struct DrawAddress: Sendable, Hashable {
    package var message: UInt8
    package var round: UInt16
    package var row: UInt32
    package var column: UInt16
    /// Counts what one cell draws: attempts of a rejection sampling, or independent values.
    package var draw: UInt16

    package init(message: UInt8, round: UInt16 = 0, row: UInt32 = 0, column: UInt16 = 0, draw: UInt16 = 0) {
        self.message = message
        self.round = round
        self.row = row
        self.column = column
        self.draw = draw
    }

    /// Block counter 0 and nonce, as libcrypto takes them: all fields side by side, little-endian, last byte zero.
    fileprivate var initialisationVector: (UInt64, UInt64) {
        let low = UInt64(message) << 32 | UInt64(round) << 40 | UInt64(row & 0xff) << 56
        let high = UInt64(row >> 8) | UInt64(column) << 24 | UInt64(draw) << 40
        return (low.littleEndian, high.littleEndian)
    }
}

/// A function from addresses to bytes: the ChaCha20 keystream (RFC 8439) with the address as nonce. Safe to share
/// between threads.
package struct AddressedRandom: Sendable {
    private let contexts: ContextPool

    /// A key of 32 bytes, secret, and of one purpose only.
    package init(key: SecretBytes) {
        precondition(key.count == 32)
        contexts = ContextPool(key: key)
    }

    /// Fills `buffer` with the first bytes of the address's keystream: a shorter draw is a prefix of a longer one.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer, at address: DrawAddress) {
        contexts.with(address) { Self.next(buffer, from: $0) }
    }

    /// As `fill`. Not for secrets that have to be wiped.
    package func bytes(_ count: Int, at address: DrawAddress) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { fill($0, at: address) }
        return bytes
    }

    private static func next(_ buffer: UnsafeMutableRawBufferPointer, from context: OpaquePointer) {
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        var rest = buffer[...]
        while !rest.isEmpty {
            let piece = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(1 << 30))
            let start = piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var written: Int32 = 0
            required(EVP_EncryptUpdate(context, start, &written, start, Int32(piece.count)))
            rest = rest.dropFirst(piece.count)
        }
    }
}

/// Cipher contexts with the key already in place: making one costs several times a draw.
private final class ContextPool: Sendable {
    private let key: SecretBytes
    private let idle = Mutex<[Context]>([])

    private struct Context: @unchecked Sendable { let pointer: OpaquePointer }

    init(key: SecretBytes) { self.key = key }

    deinit {
        idle.withLock { contexts in
            for context in contexts { EVP_CIPHER_CTX_free(context.pointer) }
        }
    }

    func with(_ address: DrawAddress, _ body: (OpaquePointer) -> Void) {
        let context = idle.withLock { $0.popLast() } ?? make()
        withUnsafeBytes(of: address.initialisationVector) { vector in
            required(EVP_EncryptInit_ex2(context.pointer, nil, nil, vector.baseAddress?.assumingMemoryBound(to: UInt8.self), nil))
        }
        body(context.pointer)
        idle.withLock { $0.append(context) }
    }

    private func make() -> Context {
        let pointer = required(EVP_CIPHER_CTX_new())
        key.withUnsafeBytes { key in
            required(EVP_EncryptInit_ex2(pointer, EVP_chacha20(), key.baseAddress?.assumingMemoryBound(to: UInt8.self), nil, nil))
        }
        return Context(pointer: pointer)
    }
}
