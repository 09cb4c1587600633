import Faults
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Short texts for whoever watches this machine from the same machine: HTTP/1.1 without TLS, GET and HEAD alone.
package final class PageListener: Sendable {
    package struct Page: Sendable {
        package let status: Int
        package let type: String
        package let text: String

        package init(status: Int = 200, type: String = "text/plain; charset=utf-8", text: String) {
            self.status = status
            self.type = type
            self.text = text
        }
    }

    private static let maximumConnections = 16
    private static let patience = TimeAmount.seconds(5)

    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    package var port: Int? { channel.localAddress?.port }

    /// - Parameters:
    ///   - address: host:port of the loopback; port 0 takes any free one.
    ///   - page: by the path that was asked for, without its query; `nil` where there is none.
    /// - Throws: `portInUse`.
    package static func listen(at address: String, page: @escaping @Sendable (String) async -> Page?) async throws(Fault) -> PageListener {
        guard let (host, port) = Transport.split(address) else { throw Fault(.portInUse, at: address) }
        let seats = Seats()
        do {
            let channel = try await ServerBootstrap(group: Transport.loops)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    guard seats.take() else { return channel.eventLoop.makeFailedFuture(Fault(.overloaded, at: address)) }
                    channel.closeFuture.whenComplete { _ in seats.leave() }
                    return channel.pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: true).flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(PageHandler(page: page))
                    }
                }
                .bind(host: host, port: port).get()
            return PageListener(channel)
        } catch {
            throw Fault(.portInUse, at: address)
        }
    }

    package func close() async { try? await channel.close() }

    private final class Seats: Sendable {
        private let taken = Atomic(0)

        func take() -> Bool {
            if taken.add(1, ordering: .relaxed).newValue <= PageListener.maximumConnections { return true }
            leave()
            return false
        }

        func leave() { taken.subtract(1, ordering: .relaxed) }
    }

    /// One question, one answer, and the connection ends.
    private final class PageHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let page: @Sendable (String) async -> Page?
        private var timeout: Scheduled<Void>?
        private var isAsked = false

        init(page: @escaping @Sendable (String) async -> Page?) { self.page = page }

        func handlerAdded(context: ChannelHandlerContext) {
            let channel = context.channel
            timeout = context.eventLoop.scheduleTask(in: PageListener.patience) { channel.close(promise: nil) }
        }

        func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data), !isAsked else { return }
            isAsked = true
            let (channel, page, path) = (context.channel, page, String(head.uri.prefix { $0 != "?" }))
            Task {
                let answer = switch head.method {
                case .GET, .HEAD: await page(path) ?? Page(status: 404, text: "not here\n")
                default: Page(status: 405, text: "GET alone\n")
                }
                let body = ByteBuffer(string: answer.text)
                let headers: HTTPHeaders = [
                    "content-type": answer.type, "content-length": "\(body.readableBytes)", "connection": "close", "cache-control": "no-store",
                ]
                channel.write(OutboundOut.head(.init(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)), promise: nil)
                if head.method != .HEAD { channel.write(OutboundOut.body(.byteBuffer(body)), promise: nil) }
                channel.writeAndFlush(OutboundOut.end(nil)).whenComplete { _ in channel.close(promise: nil) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
