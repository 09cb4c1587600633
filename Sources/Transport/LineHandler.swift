import Faults
import NIOCore
import NIOSSL
import NIOTLS
import Wire

/// The end of a pipeline: proves who the peer is, then cuts frames as they are asked for.
///
/// Nothing is read from the socket unless the handshake or a waiting `receive` needs it, so a slow reader slows its
/// peer down through TCP. Everything here runs on the connection's event loop.
final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// What is decided about a peer whose chain has been verified.
    enum Judgement {
        case admitted(name: String)
        case refused(Fault)
    }

    enum End {
        case dialling(name: String, address: String)
        /// `place` stands in faults as long as the peer has no name.
        case listening(place: String)
    }

    /// A peer that has been let in.
    struct Opened: Sendable {
        let pin: String
        let name: String
        let line: NIOLoopBound<LineHandler>
    }

    typealias Reception = Result<Frame?, Fault>

    private enum Stage {
        case connecting
        case handshaking
        case awaitingWelcome(pin: String, received: ByteBuffer)
        case open
    }

    /// How long a closed line waits for the peer's end.
    private static let farewell = TimeAmount.seconds(5)

    private let end: End
    private let deadline: NIODeadline
    private let timeoutSeconds: Int
    private let restSeconds: Int
    /// Its value holds this handler: nothing once the channel has gone, so that neither keeps the other.
    private var opened: EventLoopPromise<Opened>?
    private let meter: ByteMeter
    private let judge: (_ pin: String) -> Judgement

    private var stage = Stage.connecting
    private var name: String
    private var context: ChannelHandlerContext?
    private var decoder: FrameDecoder
    private var waiting: (ticket: Int, continuation: CheckedContinuation<Reception, Never>)?
    /// Runs while someone waits for the rest of a frame.
    private var restTimer: Scheduled<Void>?
    /// How the line ended: orderly, or for a reason. What arrives afterwards is dropped.
    private var ended: Result<Void, Fault>?
    private var isClosedHere = false

    init(
        end: End, deadline: NIODeadline, timeoutSeconds: Int, restSeconds: Int, opened: EventLoopPromise<Opened>, meter: ByteMeter,
        maximumPayloadBytes: Int = MessageKind.bulkBytes, judge: @escaping (_ pin: String) -> Judgement
    ) {
        self.end = end
        self.deadline = deadline
        self.timeoutSeconds = timeoutSeconds
        self.restSeconds = restSeconds
        self.opened = opened
        self.meter = meter
        self.judge = judge
        decoder = FrameDecoder(maximumPayloadBytes: maximumPayloadBytes)
        switch end {
        case .dialling(let name, _): self.name = name
        case .listening(let place): name = place
        }
    }

    // MARK: - For the connection

    /// Why nothing more can be sent.
    var endingFault: Fault {
        if case .failure(let fault) = ended { return fault }
        if case .connecting = stage, case .dialling(let name, let address) = end { return Fault(.peerUnreachable, at: name, address) }
        return Fault(.peerLost, at: name)
    }

    func receive(_ ticket: Int, _ continuation: CheckedContinuation<Reception, Never>) {
        precondition(waiting == nil, "one task at a time receives")
        waiting = (ticket, continuation)
        serve()
    }

    func cancelReceive(_ ticket: Int) {
        guard let waiting, waiting.ticket == ticket else { return }
        answer(.failure(Fault(.cancelled)))
    }

    func close() {
        guard let context, !isClosedHere else { return }
        isClosedHere = true
        // The end of the stream wakes a peer that is not reading; its own end, for which a read is needed, closes the socket.
        context.close(mode: .output, promise: nil)
        context.read()
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: Self.farewell) { channel.abandon() }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
    }

    // MARK: - Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let line = NIOLoopBound(self, eventLoop: context.eventLoop)
        let timer = context.eventLoop.scheduleTask(deadline: deadline) { line.value.deadlinePassed() }
        opened?.futureResult.whenComplete { _ in timer.cancel() }
    }

    func channelActive(context: ChannelHandlerContext) {
        stage = .handshaking
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { handshakeCompleted(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard ended == nil, !isClosedHere else { return }
        var bytes = unwrapInboundIn(data)
        switch stage {
        case .connecting, .handshaking:
            break
        case .awaitingWelcome(let pin, var received):
            received.writeBuffer(&bytes)
            guard received.readableBytes >= Welcome.byteCount else {
                stage = .awaitingWelcome(pin: pin, received: received)
                return
            }
            do throws(Fault) {
                try Welcome.decode(&received, from: name)
                open(pin, context)
                received.withUnsafeReadableBytes { decoder.append($0) }
            } catch {
                fail(error, context)
            }
        case .open:
            bytes.withUnsafeReadableBytes { decoder.append($0) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .open = stage, ended == nil, !isClosedHere { serve() } else { context.read() }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Once this side has closed, the manner in which the peer goes is of no interest.
        if !isClosedHere { fail(fault(for: error), context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.success(()))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(.success(()))
        self.context = nil
        opened = nil
    }

    // MARK: - Opening

    private func handshakeCompleted(_ context: ChannelHandlerContext) {
        guard case .handshaking = stage, ended == nil else { return }
        guard let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self),
              let certificate = tls.peerCertificate, certificate.isTimely, let pin = certificate.pin
        else { return fail(Fault(.certificateRefused, at: name), context) }

        switch (judge(pin), end) {
        case (.admitted, .dialling):
            stage = .awaitingWelcome(pin: pin, received: ByteBuffer())
        case (.admitted(let name), .listening):
            self.name = name
            context.writeAndFlush(NIOAny(Welcome.encode()), promise: nil)
            open(pin, context)
        case (.refused(let fault), .dialling):
            fail(fault, context)
        case (.refused(let fault), .listening):
            context.writeAndFlush(NIOAny(Welcome.encode(refusal: fault.code)), promise: nil)
            fail(fault, context)
        }
    }

    private func open(_ pin: String, _ context: ChannelHandlerContext) {
        stage = .open
        // The dialling end waits for the welcome, the listening end for the first frame: so far nothing else has crossed.
        meter.open()
        opened?.succeed(Opened(pin: pin, name: name, line: NIOLoopBound(self, eventLoop: context.eventLoop)))
    }

    private func deadlinePassed() {
        guard let context, ended == nil else { return }
        switch stage {
        case .handshaking, .awaitingWelcome: fail(Fault(.deadlinePassed, at: name, "\(timeoutSeconds)"), context)
        case .connecting, .open: break
        }
    }

    private func fault(for error: any Error) -> Fault {
        if let fault = error as? Fault { return fault }
        let goneDuringHandshake = [
            NIOSSLError.uncleanShutdown, .handshakeFailed(.sslError([.eofDuringHandshake])),
        ]
        switch stage {
        case .handshaking, .awaitingWelcome:
            // Whatever TLS itself objects to, here or in an alert of the peer's, is about versions or certificates.
            if let error = error as? NIOSSLError, !goneDuringHandshake.contains(error) {
                return Fault(.certificateRefused, at: name)
            }
            if error is BoringSSLError { return Fault(.certificateRefused, at: name) }
        case .connecting, .open:
            break
        }
        return Fault(.peerLost, at: name)
    }

    // MARK: - Frames

    /// Gives the waiting task what there is; otherwise asks the socket for more.
    private func serve() {
        guard waiting != nil else { return }
        if isClosedHere { return answer(.success(nil)) }
        do throws(WireFault) {
            if let frame = try decoder.next() { return answer(.success(frame)) }
            switch ended {
            case nil:
                context?.read()
                awaitRest()
            case .failure(let fault):
                answer(.failure(fault))
            case .success:
                do throws(WireFault) {
                    try decoder.finish()
                    answer(.success(nil))
                } catch {
                    answer(.failure(Fault(.peerLost, at: name)))
                }
            }
        } catch {
            let fault = error.fault(from: name)
            answer(.failure(fault))
            if let context { fail(fault, context) }
        }
    }

    /// Begins anew whenever something comes: a line that moves is not given up.
    private func awaitRest() {
        restTimer?.cancel()
        guard let context, decoder.isInsideFrame else { return }
        let line = NIOLoopBound(self, eventLoop: context.eventLoop)
        restTimer = context.eventLoop.scheduleTask(in: .seconds(Int64(restSeconds))) { line.value.restIsMissing() }
    }

    private func restIsMissing() {
        guard let context, ended == nil else { return }
        fail(Fault(.peerLost, at: name), context)
    }

    private func answer(_ reception: Reception) {
        guard let (_, continuation) = waiting else { return }
        waiting = nil
        restTimer?.cancel()
        continuation.resume(returning: reception)
    }

    // MARK: - Ending

    private func fail(_ fault: Fault, _ context: ChannelHandlerContext) {
        end(.failure(fault))
        context.close(promise: nil)
    }

    /// The first reason is the one that counts.
    private func end(_ reason: Result<Void, Fault>) {
        if ended == nil { ended = reason }
        opened?.fail(endingFault)
        serve()
    }
}
