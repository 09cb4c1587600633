import Foundation

/// What crossed the line between bank and platform during a job, counted on the socket and in frames. Source:
/// `Protocols/ledger.md`, "Bytes on the socket".
package struct ByteAccount: Sendable, Hashable, Codable {
    package struct Flow: Sendable, Hashable, Codable {
        /// All frames, with their headers; those of heads, which have no records, also apart.
        package var frames: UInt64
        package var frame_bytes: UInt64
        package var head_frames: UInt64
        package var head_bytes: UInt64
        /// Before the first frame could come: TLS handshake and welcome.
        package var opening_bytes: UInt64
        /// Afterwards.
        package var tls_records: UInt64
        package var socket_bytes: UInt64

        package init(frames: UInt64 = 0, frame_bytes: UInt64 = 0, head_frames: UInt64 = 0, head_bytes: UInt64 = 0, opening_bytes: UInt64 = 0,
                     tls_records: UInt64 = 0, socket_bytes: UInt64 = 0) {
            self.frames = frames
            self.frame_bytes = frame_bytes
            self.head_frames = head_frames
            self.head_bytes = head_bytes
            self.opening_bytes = opening_bytes
            self.tls_records = tls_records
            self.socket_bytes = socket_bytes
        }

        /// Header, content type and tag of a TLS 1.3 record.
        package static let recordOverheadBytes: UInt64 = 22
        package static let mostPlaintextBytes: UInt64 = 1 << 14
        /// Plaintext of close_notify, the only record that may come without a frame's bytes.
        package static let farewellBytes: UInt64 = 2

        /// Plaintext beyond the frames: 0, or `farewellBytes` where TLS has said farewell. Nothing where the records' overhead
        /// and the frames are more than there was.
        package var surplusBytes: UInt64? {
            let (overhead, isTooMany) = tls_records.multipliedReportingOverflow(by: Self.recordOverheadBytes)
            let (accounted, isTooMuch) = overhead.addingReportingOverflow(frame_bytes)
            return isTooMany || isTooMuch || accounted > socket_bytes ? nil : socket_bytes - accounted
        }

        /// Without the farewell, which may come too late for the other end.
        package var withoutFarewell: Flow {
            guard surplusBytes == Self.farewellBytes, tls_records > 0 else { return self }
            var flow = self
            flow.tls_records -= 1
            flow.socket_bytes -= Self.recordOverheadBytes + Self.farewellBytes
            return flow
        }
    }

    package private(set) var version = 1
    package let sent: Flow
    package let received: Flow

    package init(sent: Flow, received: Flow) {
        self.sent = sent
        self.received = received
    }

    /// Canonical JSON (RFC 8785).
    package func encode() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            return [UInt8](try encoder.encode(self))
        } catch {
            preconditionFailure("an account of numbers was not written: \(error)")
        }
    }

    /// Nothing for bytes that `encode` does not write.
    package init?(decoding bytes: [UInt8]) {
        guard let account = try? JSONDecoder().decode(ByteAccount.self, from: Data(bytes)), account.version == 1, account.encode() == bytes,
              [account.sent, account.received].allSatisfy({ $0.isReadable })
        else { return nil }
        self = account
    }
}

extension ByteAccount.Flow {
    /// Numbers that JSON keeps exactly.
    fileprivate var isReadable: Bool {
        [frames, frame_bytes, head_frames, head_bytes, opening_bytes, tls_records, socket_bytes].allSatisfy { $0 <= 1 << 53 }
    }
}
