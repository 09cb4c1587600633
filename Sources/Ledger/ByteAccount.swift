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
        /// Of acknowledgements, before encryption; and how many connections the line had. Without these one, in version 1.
        package var acknowledgement_bytes: UInt64?
        package var connections: UInt64?

        package init(frames: UInt64 = 0, frame_bytes: UInt64 = 0, head_frames: UInt64 = 0, head_bytes: UInt64 = 0, opening_bytes: UInt64 = 0,
                     tls_records: UInt64 = 0, socket_bytes: UInt64 = 0, acknowledgement_bytes: UInt64 = 0, connections: UInt64 = 1) {
            self.frames = frames
            self.frame_bytes = frame_bytes
            self.head_frames = head_frames
            self.head_bytes = head_bytes
            self.opening_bytes = opening_bytes
            self.tls_records = tls_records
            self.socket_bytes = socket_bytes
            self.acknowledgement_bytes = acknowledgement_bytes
            self.connections = connections
        }

        /// Header, content type and tag of a TLS 1.3 record.
        package static let recordOverheadBytes: UInt64 = 22
        package static let mostPlaintextBytes: UInt64 = 1 << 14
        /// What may cross again after a cut: 16 MiB, the frame that fills them, and what is small.
        package static let mostAgainBytes: UInt64 = 21 << 20
        /// Of one line; more are not believed.
        package static let mostConnections: UInt64 = 1 << 20
        /// Plaintext of close_notify, the only record that may come without a frame's bytes.
        package static let farewellBytes: UInt64 = 2

        /// More than one connection: what was sent again, and what was lost with a connection, is not accounted for to the byte.
        package var isCut: Bool { connections ?? 1 > 1 }

        /// Frames and acknowledgements, once each.
        package var plaintextBytes: UInt64 { frame_bytes.addingReportingOverflow(acknowledgement_bytes ?? 0).partialValue }

        /// Plaintext beyond the frames and acknowledgements: 0, or `farewellBytes` where TLS has said farewell. Nothing where the
        /// records' overhead and these are more than there was.
        package var surplusBytes: UInt64? {
            let (overhead, isTooMany) = tls_records.multipliedReportingOverflow(by: Self.recordOverheadBytes)
            let (accounted, isTooMuch) = overhead.addingReportingOverflow(plaintextBytes)
            return isTooMany || isTooMuch || accounted > socket_bytes ? nil : socket_bytes - accounted
        }

        /// Whether bytes, records and frames can belong to a line that was cut so often: each time a window and a frame may have
        /// crossed twice, and a record may have come in part.
        package var couldBeCut: Bool {
            guard let connections, (2...Self.mostConnections).contains(connections) else { return false }
            let cuts = connections - 1
            let least = plaintextBytes + Self.recordOverheadBytes * (tls_records - min(tls_records, cuts))
            let most = plaintextBytes + Self.recordOverheadBytes * tls_records + Self.mostAgainBytes * cuts
            return (least...most).contains(socket_bytes)
        }

        /// Of frames, without what they cost on the socket.
        package var frameCounts: [UInt64] { [frames, frame_bytes, head_frames, head_bytes] }

        /// Without the farewell, which may come too late for the other end; as version 2 has it.
        package var withoutFarewell: Flow {
            var flow = self
            (flow.acknowledgement_bytes, flow.connections) = (acknowledgement_bytes ?? 0, connections ?? 1)
            guard surplusBytes == Self.farewellBytes, tls_records > 0 else { return flow }
            flow.tls_records -= 1
            flow.socket_bytes -= Self.recordOverheadBytes + Self.farewellBytes
            return flow
        }
    }

    package private(set) var version = 2
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
        guard let account = try? JSONDecoder().decode(ByteAccount.self, from: Data(bytes)), account.encode() == bytes,
              [account.sent, account.received].allSatisfy({ $0.isReadable(account.version) }),
              account.sent.connections == account.received.connections
        else { return nil }
        self = account
    }
}

extension ByteAccount.Flow {
    /// Numbers that JSON keeps exactly.
    fileprivate func isReadable(_ version: Int) -> Bool {
        let added = [acknowledgement_bytes, connections].compactMap(\.self)
        return [1: 0, 2: 2][version] == added.count
            && ([frames, frame_bytes, head_frames, head_bytes, opening_bytes, tls_records, socket_bytes] + added).allSatisfy { $0 <= 1 << 53 }
    }
}
