import Faults
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import Synchronization
import Testing
import Transport
import Wire

/// Real certificates in a directory that is removed afterwards.
final class Lab: Sendable {
    let authority: CertificateAuthority
    private let folder: URL
    private let count = Mutex(0)

    init() throws {
        authority = try CertificateAuthority.make(name: "Test authority", validDays: 2)
        folder = FileManager.default.temporaryDirectory.appending(path: "transport-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    struct Files: Sendable {
        let authority: String
        let certificate: String
        let privateKey: String

        func identity() throws -> TransportIdentity {
            try TransportIdentity(authorityFile: authority, certificateFile: certificate, privateKeyFile: privateKey)
        }

        /// For peers that are not built with `Transport`.
        func configuration(client: Bool, versions: ClosedRange<Int> = 13...13) throws -> TLSConfiguration {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem))
            var configuration = client
                ? TLSConfiguration.makeClientConfiguration()
                : TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
            configuration.certificateChain = chain
            configuration.privateKey = key
            configuration.trustRoots = .file(authority)
            configuration.certificateVerification = .noHostnameVerification
            configuration.minimumTLSVersion = versions.lowerBound == 12 ? .tlsv12 : .tlsv13
            configuration.maximumTLSVersion = versions.upperBound == 12 ? .tlsv12 : .tlsv13
            return configuration
        }
    }

    /// A new certificate of `authority`, in files; `trusting` is written as the authority that it believes.
    func files(
        of issuer: CertificateAuthority? = nil, trusting: CertificateAuthority? = nil, from: TimeInterval = -300, until: TimeInterval = 86_400,
        mode: Int = 0o600
    ) throws -> Files {
        let number = count.withLock { $0 += 1; return $0 }
        let credential = try (issuer ?? authority).issue(
            commonName: "party-\(number)", subjectAlternativeNames: ["127.0.0.1"],
            validFrom: Date() + from, validUntil: Date() + until)
        let files = Files(
            authority: try write((trusting ?? authority).certificatePEM, "authority-\(number).pem", mode: 0o644),
            certificate: try write(credential.certificatePEM, "certificate-\(number).pem", mode: 0o644),
            privateKey: try write(credential.privateKeyPEM, "key-\(number).pem", mode: mode))
        return files
    }

    func write(_ text: String, _ name: String, mode: Int) throws -> String {
        let path = folder.appending(path: name).path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }
}

/// A listener of the product whose handler passes what it receives to the test.
struct Listening {
    let listener: Listener
    let pin: String
    let refusals: AsyncStream<Fault>
    let receptions: AsyncStream<Result<Frame?, Fault>>

    var address: String { "127.0.0.1:\(listener.port)" }

    init(
        _ files: Lab.Files, admitting pins: [String], maximumConnections: Int = 4, perPeer maximumConnectionsPerPeer: Int = 4,
        maximumPayloadBytes: Int = MessageKind.bulkBytes, handshakeSeconds: Int = 10, restSeconds: Int = Transport.restSeconds
    ) async throws {
        let identity = try files.identity()
        let (refusals, refused) = AsyncStream.makeStream(of: Fault.self)
        let (receptions, received) = AsyncStream.makeStream(of: Result<Frame?, Fault>.self)
        pin = identity.pin
        self.refusals = refusals
        self.receptions = receptions
        listener = try await Transport.listen(
            at: "127.0.0.1:0", identity: identity, peer: { pins.firstIndex(of: $0).map { $0 == 0 ? "south" : "south \($0)" } },
            maximumConnections: maximumConnections, maximumConnectionsPerPeer: maximumConnectionsPerPeer, maximumPayloadBytes: maximumPayloadBytes,
            handshakeSeconds: handshakeSeconds, onRefusal: { refused.yield($0) }
        ) { connection in
            while true {
                do throws(Fault) {
                    let frame = try await connection.receive()
                    received.yield(.success(frame))
                    if frame == nil { break }
                } catch {
                    received.yield(.failure(error))
                    break
                }
            }
        }
    }

    func refusal() async -> Fault? {
        await refusals.first { _ in true }
    }

    func reception() async -> Result<Frame?, Fault>? {
        await receptions.first { _ in true }
    }
}

/// A peer that is not built with `Transport` and does as it likes.
struct RawPeer {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let channel: any Channel
    private let collector: Collector

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let bytes = Mutex<[UInt8]>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes.withLock { $0 += unwrapInboundIn(data).readableBytesView }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    /// Without a configuration it speaks plain TCP.
    static func connect(port: Int, _ configuration: TLSConfiguration? = nil) async throws -> RawPeer {
        let context = try configuration.map { try NIOSSLContext(configuration: $0) }
        let collector = Collector()
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(collector)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawPeer(channel: channel, collector: collector)
    }

    /// A server that accepts and then says nothing, except for `greeting` and TLS's own part.
    static func listen(_ configuration: TLSConfiguration? = nil, greeting: [UInt8] = [], hangingUp: Bool = false) async throws -> any Channel {
        let context = try configuration.map { try NIOSSLContext(configuration: $0) }
        return try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector())
                    if !greeting.isEmpty { channel.writeAndFlush(ByteBuffer(bytes: greeting), promise: nil) }
                    if hangingUp { channel.close(promise: nil) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Closes the socket below TLS, as a crash would.
    func vanish() async throws {
        let channel = channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self).close(promise: nil)
        }.get()
    }

    /// What the other side had sent by the time it closed.
    func answer() async throws -> [UInt8] {
        try await channel.closeFuture.get()
        return collector.bytes.withLock { $0 }
    }
}

func frame(_ kind: MessageKind = .roundRows, bytes: Int, sequence: UInt64 = 0) -> Frame {
    Frame(kind: kind, phase: .waiting, job: .none, attempt: 1, sequence: sequence, salt: [UInt8](repeating: 7, count: 16),
          payload: [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: bytes))
}

/// The fault that `body` throws.
func fault<Value>(_ body: () async throws(Fault) -> Value) async -> Fault? {
    do throws(Fault) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
