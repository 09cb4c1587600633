import Faults
import NIOCore
import NIOSSL
import Synchronization
import Wire

/// A line to one peer whose certificate and key have been proven. Moves frames and never opens their payloads.
///
/// One task may send while another receives. Sending waits until the bytes have left this program, and nothing is read
/// before someone receives, so that neither side can fill the other's memory.
package final class Connection: FrameCarrier {
    /// SHA-256 of the peer's public key, as the contract writes it.
    package let peerPin: String
    /// The peer's name in faults.
    package let peerDescription: String

    private let channel: any Channel
    private let line: NIOLoopBound<LineHandler>
    let meter: ByteMeter
    private let tickets = Atomic<Int>(0)
    private let sent = Atomic<Int>(0)
    private let received = Atomic<Int>(0)

    init(channel: any Channel, opened: LineHandler.Opened, meter: ByteMeter) {
        self.meter = meter
        self.channel = channel
        peerPin = opened.pin
        peerDescription = opened.name
        line = opened.line
    }

    /// Bytes of whole frames, before encryption.
    package var bytesSent: Int { sent.load(ordering: .relaxed) }
    package var bytesReceived: Int { received.load(ordering: .relaxed) }

    /// What the socket has carried. The last of it, TLS's farewell, is there once `close` has returned.
    package var traffic: (sent: SocketCount, received: SocketCount) { meter.traffic }

    /// Returns when the frame is in the hands of the operating system. Throws the reason for which the line ended,
    /// `peerLost` at the least. A cancelled send ends the line, for half of a frame may be on it: it throws `cancelled`.
    package func send(_ frame: Frame) async throws(Fault) {
        try frame.requireSendable()
        guard !Task.isCancelled else { throw Fault(.cancelled) }
        var bytes = channel.allocator.buffer(capacity: frame.byteCount)
        bytes.writeBytes(frame.encodeHeader())
        bytes.writeBytes(frame.payload)
        let channel = channel
        let written = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(bytes, promise: written)
        do {
            try await withTaskCancellationHandler { try await written.futureResult.get() } onCancel: { channel.abandon() }
        } catch {
            throw Task.isCancelled ? Fault(.cancelled) : await endingFault()
        }
        sent.add(frame.byteCount, ordering: .relaxed)
    }

    /// The next frame; nothing after the peer, or this side, has closed the line between two frames. Throws `peerLost`, also where a
    /// frame has begun and does not go on; `malformedFrame`, or `cancelled`; after a cancelled call the line goes on and no frame is lost.
    package func receive() async throws(Fault) -> Frame? {
        let ticket = tickets.add(1, ordering: .relaxed).newValue
        let line = line
        let loop = channel.eventLoop
        let cancel = { @Sendable in loop.execute { line.value.cancelReceive(ticket) } }
        let reception = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { line.value.receive(ticket, continuation) }
                // A cancellation before this point has found nothing to cancel.
                if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
        guard let frame = try reception.get() else { return nil }
        received.add(frame.byteCount, ordering: .relaxed)
        return frame
    }

    /// Ends the line in order: what was sent arrives, then the end. Does not wait longer than a few seconds for the
    /// peer's part of it. May be called more than once.
    package func close() async {
        let line = line
        channel.eventLoop.execute { line.value.close() }
        try? await channel.closeFuture.get()
    }

    /// Ends the line at once and without a word, which is how a line is lost.
    package func abandon() { channel.abandon() }

    private func endingFault() async -> Fault {
        let line = line
        let reason = channel.eventLoop.submit { line.value.endingFault }
        return (try? await reason.get()) ?? Fault(.peerLost, at: peerDescription)
    }
}

extension Frame {
    func requireSendable() throws(Fault) {
        guard payload.count <= kind.row.maximumPayloadBytes else { throw Fault(.defect, at: "\(kind.name) of \(payload.count) bytes") }
    }
}

extension Channel {
    /// Closes the socket at once, without TLS's farewell.
    func abandon() {
        eventLoop.execute {
            if let tls = try? self.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self) {
                tls.close(promise: nil)
            } else {
                self.close(promise: nil)
            }
        }
    }
}
