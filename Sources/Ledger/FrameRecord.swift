import Primitives
import Wire

/// As the node sees it whose ledger it is.
package enum Direction: String, Sendable, Hashable, CaseIterable { case sent, received }

/// What a ledger keeps of one frame; both ends of a line write the same. Source: `Protocols/ledger.md`, "Record".
///
///     0 sequence   8 kind   10 phase   12 attempt   16 payload length   24 salt   40 SHA-256 of the payload   72
package struct FrameRecord: Sendable, Hashable {
    package static let byteCount = 72

    package let sequence: UInt64
    package let kind: MessageKind
    package let phase: Phase
    package let attempt: UInt32
    /// Bytes of the payload.
    package let length: UInt64
    /// 16 bytes.
    package let salt: [UInt8]
    /// 32 bytes.
    package let digest: [UInt8]

    package init(_ frame: Frame) {
        sequence = frame.sequence
        kind = frame.kind
        phase = frame.phase
        attempt = frame.attempt
        length = UInt64(frame.payload.count)
        salt = frame.salt
        digest = SHA256.hash(frame.payload)
    }

    /// Nothing unless there are exactly 72 bytes of a known kind and phase.
    package init?(decoding bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
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
        digest = Array(rest)
    }

    package func encode() -> [UInt8] {
        bigEndian(sequence) + bigEndian(kind.rawValue) + bigEndian(UInt16(phase.rawValue)) + bigEndian(attempt) + bigEndian(length)
            + salt + digest
    }
}

extension MessageKind {
    /// Heads are not leaves of the trees that they speak of.
    package var isRecorded: Bool { self != .ledgerHeads }
}

private func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian, Array.init)
}
