import Faults
import NIOCore
import Wire

/// The 8 bytes by which a listening end lets a dialler in or says why not. Source: `Protocols/wire.md`, "Line".
///
/// In TLS 1.3 a dialler believes that it is connected before its certificate has been judged. Waiting for the welcome
/// makes a refusal part of connecting, and not a lost line some time later.
package enum Welcome {
    package static let byteCount = 8

    package static func encode(refusal: Fault.Code? = nil) -> ByteBuffer {
        var buffer = ByteBuffer(bytes: Frame.magic)
        buffer.writeInteger(refusal?.rawValue ?? 0)
        buffer.writeInteger(UInt16(0))
        return buffer
    }

    /// Takes 8 bytes. Throws what the dialler is told: `versionMismatch`, `overloaded`, `certificateRefused`, or `malformedFrame`.
    package static func decode(_ bytes: inout ByteBuffer, from party: String) throws(Fault) {
        guard let magic = bytes.readBytes(length: Frame.magic.count), let version = ProtocolVersion.named(by: magic) else {
            throw Fault(.malformedFrame, at: party)
        }
        // Of another version no more is known than that.
        guard version == ProtocolVersion.current else { throw Fault(.versionMismatch, at: party, "\(version)", "\(ProtocolVersion.current)") }
        guard let status = bytes.readInteger(as: UInt16.self), bytes.readInteger(as: UInt16.self) == 0 else {
            throw Fault(.malformedFrame, at: party)
        }
        switch status {
        case 0: return
        case Fault.Code.overloaded.rawValue: throw Fault(.overloaded, at: party)
        default: throw Fault(.certificateRefused, at: party)
        }
    }
}
