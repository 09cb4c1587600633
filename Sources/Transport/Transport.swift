import Faults
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Wire

/// Mutual TLS 1.3 between the programs of a lab. Source: `Protocols/wire.md`, "Line".
package enum Transport {
    /// One for the whole program: encryption and system calls of all lines fit in two threads.
    static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

    /// A line on which a frame has begun and nothing more comes for so long is lost.
    package static let restSeconds = 30

    /// Dials `address` (host:port) and returns once both sides have accepted each other. The caller closes the connection.
    ///
    /// - Parameters:
    ///   - pins: SHA-256 of the public keys of which the peer must show one, in lower-case hexadecimal digits.
    ///   - name: the peer's name in faults.
    /// Throws `peerUnreachable`; `certificateRefused` where TLS fails, on either side and for whatever reason;
    /// `pinMismatch`; `versionMismatch`; `overloaded`; `deadlinePassed`; `peerLost` where the peer goes away meanwhile; `cancelled`.
    package static func connect(
        to address: String, identity: TransportIdentity, pins: Set<String>, name: String, timeoutSeconds: Int
    ) async throws(Fault) -> Connection {
        guard let (host, port) = split(address), port > 0 else { throw Fault(.peerUnreachable, at: name, address) }
        let timeout = TimeAmount.seconds(Int64(timeoutSeconds))
        let deadline = NIODeadline.now() + timeout
        let loop = loops.next()
        let opened = loop.makePromise(of: LineHandler.Opened.self)
        let meter = ByteMeter()

        let connecting = configured(ClientBootstrap(group: loop))
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let line = LineHandler(
                        end: .dialling(name: name, address: address), deadline: deadline, timeoutSeconds: timeoutSeconds, restSeconds: restSeconds,
                        opened: opened, meter: meter
                    ) { shown in
                        pins.contains(shown) ? .admitted(name: name) : .refused(Fault(.pinMismatch, at: name))
                    }
                    let tls = try NIOSSLClientHandler(context: identity.dialling, serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandlers([meter, tls, line])
                }
            }
            .connect(host: host, port: port)
        connecting.whenFailure { _ in opened.fail(Fault(.peerUnreachable, at: name, address)) }

        do {
            let channel = try await withTaskCancellationHandler {
                try await opened.futureResult.and(connecting).get()
            } onCancel: {
                opened.fail(Fault(.cancelled))
                connecting.whenSuccess { $0.abandon() }
            }
            return Connection(channel: channel.1, opened: channel.0, meter: meter)
        } catch {
            throw error as? Fault ?? Fault(.peerUnreachable, at: name, address)
        }
    }

    /// Listens at `address` (host:port; port 0 takes any free one) and runs `handler` for each peer that is let in.
    ///
    /// - Parameters:
    ///   - peer: the name of whoever may come in with a key, by its pin; asked each time, for keys are valid for a time.
    ///   - maximumConnections: further peers are told `overloaded`.
    ///   - maximumConnectionsPerPeer: of one name; whoever has them is told the same.
    ///   - maximumPayloadBytes: of any frame; a longer one is refused by its header.
    ///   - handshakeSeconds: a client that has not proven itself by then is dropped.
    ///   - onRefusal: told why someone was not let in: `certificateRefused`, `pinMismatch`, `overloaded`,
    ///     `deadlinePassed`, `peerLost`. Says nothing about who it was.
    ///   - handler: the connection is closed when it returns.
    /// Throws `portInUse`.
    package static func listen(
        at address: String, identity: TransportIdentity, peer: @escaping @Sendable (_ pin: String) -> String?, maximumConnections: Int,
        maximumConnectionsPerPeer: Int = .max, maximumPayloadBytes: Int = MessageKind.bulkBytes, handshakeSeconds: Int = 10,
        restSeconds: Int = restSeconds, onRefusal: @escaping @Sendable (Fault) -> Void = { _ in },
        handler: @escaping @Sendable (Connection) async -> Void
    ) async throws(Fault) -> Listener {
        guard let (host, port) = split(address) else { throw Fault(.portInUse, at: address) }
        let guests = GuestList(maximum: maximumConnections, perPeer: maximumConnectionsPerPeer)
        let bootstrap = ServerBootstrap(group: loops)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                admit(channel, identity: identity, peer: peer, guests: guests, place: address, maximumPayloadBytes: maximumPayloadBytes,
                      handshakeSeconds: handshakeSeconds, restSeconds: restSeconds, onRefusal: onRefusal, handler: handler)
            }
        do {
            let channel = try await configured(bootstrap).bind(host: host, port: port).get()
            return Listener(channel: channel, guests: guests)
        } catch {
            throw Fault(.portInUse, at: address)
        }
    }

    private static func admit(
        _ channel: any Channel, identity: TransportIdentity, peer: @escaping @Sendable (_ pin: String) -> String?, guests: GuestList, place: String,
        maximumPayloadBytes: Int, handshakeSeconds: Int, restSeconds: Int, onRefusal: @escaping @Sendable (Fault) -> Void,
        handler: @escaping @Sendable (Connection) async -> Void
    ) -> EventLoopFuture<Void> {
        guard guests.arrive() else {
            onRefusal(Fault(.overloaded, at: place))
            return channel.eventLoop.makeFailedFuture(Fault(.overloaded, at: place))
        }
        let opened = channel.eventLoop.makePromise(of: LineHandler.Opened.self)
        let meter = ByteMeter()
        opened.futureResult.whenComplete { outcome in
            switch outcome {
            case .success(let arrived):
                let connection = Connection(channel: channel, opened: arrived, meter: meter)
                let isWelcome = guests.seat(connection)
                Task {
                    if isWelcome { await handler(connection) }
                    await connection.close()
                    guests.leave(connection)
                }
            case .failure(let error):
                guests.turnAway()
                onRefusal(error as? Fault ?? Fault(.peerLost, at: place))
            }
        }
        let prepared = channel.eventLoop.makeCompletedFuture {
            let line = LineHandler(
                end: .listening(place: place), deadline: .now() + .seconds(Int64(handshakeSeconds)),
                timeoutSeconds: handshakeSeconds, restSeconds: restSeconds, opened: opened, meter: meter,
                maximumPayloadBytes: maximumPayloadBytes
            ) { pin in
                guard let name = peer(pin) else { return .refused(Fault(.pinMismatch, at: place)) }
                return guests.takeSeat(name) ? .admitted(name: name) : .refused(Fault(.overloaded, at: place))
            }
            try channel.pipeline.syncOperations.addHandlers([meter, NIOSSLServerHandler(context: identity.listening), line])
        }
        prepared.whenFailure { _ in opened.fail(Fault(.peerLost, at: place)) }
        return prepared
    }

    private static func configured(_ bootstrap: ClientBootstrap) -> ClientBootstrap {
        socketOptions.reduce(bootstrap.channelOption(.autoRead, value: false)) { $0.channelOption($1.option, value: $1.value) }
    }

    private static func configured(_ bootstrap: ServerBootstrap) -> ServerBootstrap {
        socketOptions.reduce(bootstrap.childChannelOption(.autoRead, value: false)) { $0.childChannelOption($1.option, value: $1.value) }
    }

    /// Small frames leave at once. A silent peer is probed after half a minute and given up after a whole one, and so is a line that takes
    /// nothing for a minute: by itself the kernel would try for a quarter of an hour.
    private static let socketOptions: [(option: ChannelOptions.Types.SocketOption, value: SocketOptionValue)] = [
        (.tcpOption(.tcp_nodelay), 1),
        (.socketOption(.so_keepalive), 1),
        (.tcpOption(.init(rawValue: TCP_KEEPIDLE)), 30),
        (.tcpOption(.init(rawValue: TCP_KEEPINTVL)), 10),
        (.tcpOption(.init(rawValue: TCP_KEEPCNT)), 3),
        (.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), 60_000),
    ]

    /// `host:port`, or `[address]:port` for IPv6.
    package static func split(_ address: String) -> (host: String, port: Int)? {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else { return nil }
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return host.isEmpty ? nil : (String(host), Int(port))
    }
}
