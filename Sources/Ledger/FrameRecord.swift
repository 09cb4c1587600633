import Primitives
import Wire

/// As the node sees it whose ledger it is.
package enum Direction: String, Sendable, Hashable, CaseIterable { case sent, received }

/// What a ledger keeps of one frame; both ends of a line write the same. Source: `Protocols/ledger.md`, "Record".
///
///     0 sequence   8 kind   10 phase   12 attempt   16 payload length   24 salt   40 SHA-256 of the payload   72
///     72 SM3 of the payload, under the suite `SM2-SM3` only   104
package struct FrameRecord: Sendable, Hashable {
    /// Without SM3.
    package static let byteCount = 72

    /// - Parameter withSM3: whether records of the job hold the SM3 digest too.
    package static func byteCount(withSM3: Bool) -> Int { withSM3 ? byteCount + SM3.byteCount : byteCount }

    package let sequence: UInt64
    package let kind: MessageKind
    package let phase: Phase
    package let attempt: UInt32
    /// Bytes of the payload.
    package let length: UInt64
    /// 16 bytes.
    package let salt: [UInt8]
    /// SHA-256, 32 bytes.
    package let digest: [UInt8]
    /// 32 bytes; nothing where the contract's suite is another.
    package let sm3Digest: [UInt8]?

    package init(_ frame: Frame, withSM3: Bool = false) {
        sequence = frame.sequence
        kind = frame.kind
        phase = frame.phase
        attempt = frame.attempt
        length = UInt64(frame.payload.count)
        salt = frame.salt
        digest = SHA256.hash(frame.payload)
        sm3Digest = withSM3 ? SM3.hash(frame.payload) : nil
    }

    /// Whether these bytes are the payload.
    package func isPayload(_ bytes: [UInt8]) -> Bool {
        UInt64(bytes.count) == length && SHA256.hash(bytes) == digest && (sm3Digest == nil || SM3.hash(bytes) == sm3Digest)
    }

    /// Nothing unless there are exactly 72 bytes, or 104 with SM3, of a known kind and phase.
    package init?(decoding bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount || bytes.count == Self.byteCount(withSM3: true) else { return nil }
        var rest = Array(bytes)[...]
        func take(_ count: Int) -> ArraySlice<UInt8> {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func number(_ count: Int) -> UInt64 { take(count).reduce(0) { $0 << 8 | UInt64($1) } }
        sequence = number(8)
        guard let kind = MessageKind(rawValue: UInt16(number(2))), let phase = Phase(known: UInt16(number(2))) else { return nil }
        self.kind = kind
        self.phase = phase
        attempt = UInt32(number(4))
        length = number(8)
        salt = Array(take(Frame.saltBytes))
        digest = Array(take(SHA256.byteCount))
        sm3Digest = rest.isEmpty ? nil : Array(rest)
    }

    package func encode() -> [UInt8] {
        bigEndian(sequence) + bigEndian(kind.rawValue) + bigEndian(UInt16(phase.rawValue)) + bigEndian(attempt) + bigEndian(length)
            + salt + digest + (sm3Digest ?? [])
    }
}

extension MessageKind {
    /// Heads are not leaves of the trees that they speak of.
    package var isRecorded: Bool { self != .ledgerHeads && self != .acknowledgement }
}

private func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian, Array.init)
}
