import NIOCore
import Synchronization

/// What one direction of a line put on its socket, below TLS. Source: `Protocols/ledger.md`, "Bytes on the socket".
package struct SocketCount: Sendable, Hashable {
    /// Until both ends had let each other in: handshake, session tickets, the welcome.
    package internal(set) var openingBytes = 0
    /// Since then: TLS records, and their bytes with all that surrounds the plaintext.
    package internal(set) var records = 0
    package internal(set) var bytes = 0
    /// Of acknowledgements, before encryption.
    package internal(set) var acknowledgementBytes = 0
    /// That are counted together here.
    package private(set) var connections = 1

    /// Of the present record.
    private var missing = 0
    private var header: [UInt8] = []

    private static let headerBytes = 5

    mutating func count(_ buffer: UnsafeRawBufferPointer) {
        bytes += buffer.count
        var rest = buffer[...]
        while !rest.isEmpty {
            if missing == 0 {
                let taken = rest.prefix(Self.headerBytes - header.count)
                header += taken
                rest = rest.dropFirst(taken.count)
                guard header.count == Self.headerBytes else { return }
                missing = Int(header[3]) << 8 | Int(header[4])
                records += 1
                header = []
            }
            let body = min(missing, rest.count)
            missing -= body
            rest = rest.dropFirst(body)
        }
    }

    /// What came so far belongs to the opening.
    mutating func open() { self = SocketCount(openingBytes: openingBytes + bytes) }

    /// What another connection of the same line has carried in the same direction.
    static func += (sum: inout SocketCount, other: SocketCount) {
        sum.openingBytes += other.openingBytes
        sum.records += other.records
        sum.bytes += other.bytes
        sum.acknowledgementBytes += other.acknowledgementBytes
        sum.connections += other.connections
    }

    private init(openingBytes: Int) { self.openingBytes = openingBytes }
    init(connections: Int = 1) { self.connections = connections }
}

/// Beneath TLS: sees what the socket sees.
final class ByteMeter: ChannelDuplexHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let counts = Mutex<(sent: SocketCount, received: SocketCount)>((SocketCount(), SocketCount()))

    var traffic: (sent: SocketCount, received: SocketCount) { counts.withLock { $0 } }

    func open() {
        counts.withLock {
            $0.sent.open()
            $0.received.open()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        counts.withLock { counts in buffer.withUnsafeReadableBytes { counts.received.count($0) } }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        counts.withLock { counts in buffer.withUnsafeReadableBytes { counts.sent.count($0) } }
        context.write(data, promise: promise)
    }
}
