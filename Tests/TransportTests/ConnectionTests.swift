import Faults
import Foundation
import NIOCore
import Testing
import Transport
import Wire

/// What happens on a line between two peers that have accepted each other.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    private let lab: Lab
    private let north: Lab.Files
    private let south: Lab.Files

    init() throws {
        lab = try Lab()
        north = try lab.files()
        south = try lab.files()
    }

    /// Both ends of one line. `end` closes both.
    private func line() async throws -> (dialled: Connection, accepted: Connection, end: () async -> Void) {
        let (connections, arrived) = AsyncStream.makeStream(of: Connection.self)
        let (release, released) = AsyncStream.makeStream(of: Never.self)
        let identity = try north.identity()
        let listener = try await Transport.listen(
            at: "127.0.0.1:0", identity: identity, peer: { [pin = try south.identity().pin] in $0 == pin ? "south" : nil }, maximumConnections: 1
        ) { connection in
            arrived.yield(connection)
            for await _ in release {}
        }
        let dialled = try await Transport.connect(
            to: "127.0.0.1:\(listener.port)", identity: try south.identity(), pins: [identity.pin], name: "north", timeoutSeconds: 5)
        let accepted = try #require(await connections.first { _ in true })
        return (dialled, accepted, {
            released.finish()
            await dialled.close()
            await listener.close()
        })
    }

    /// A listener of the product and a client that is none, let in.
    private func rawLine(restSeconds: Int = Transport.restSeconds) async throws -> (listening: Listening, client: RawPeer) {
        let listening = try await Listening(north, admitting: [try south.identity().pin], restSeconds: restSeconds)
        let client = try await RawPeer.connect(port: listening.listener.port, try south.configuration(client: true))
        return (listening, client)
    }

    @Test("what a line held is let go of once it has ended, at the end that listens")
    func released() async throws {
        final class Token: Sendable {}
        var token: Token? = Token()
        weak let held = token
        let (identity, pin) = (try north.identity(), try south.identity().pin)
        let listener = try await Transport.listen(at: "127.0.0.1:0", identity: identity, peer: { [token] in token != nil && $0 == pin ? "south" : nil },
                                                  maximumConnections: 1) { _ = try? await $0.receive() }
        token = nil
        let dialled = try await Transport.connect(
            to: "127.0.0.1:\(listener.port)", identity: try south.identity(), pins: [identity.pin], name: "north", timeoutSeconds: 5)
        try await dialled.send(frame(bytes: 1_000))
        #expect(held != nil)
        await dialled.close()
        await listener.close()
        for _ in 0..<200 where held != nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(held == nil)
    }

    @Test("frames go both ways, in order, and are counted")
    func roundTrip() async throws {
        let (dialled, accepted, end) = try await line()
        #expect(dialled.peerDescription == "north" && accepted.peerDescription == "south")
        #expect(try dialled.peerPin == north.identity().pin && accepted.peerPin == south.identity().pin)
        let there = (0..<50).map { frame(bytes: $0 * 1_000, sequence: UInt64($0)) }
        let back = (0..<50).map { frame(.matches, bytes: $0 * 700, sequence: UInt64($0)) }
        async let sentThere: Void = { for frame in there { try await dialled.send(frame) } }()
        async let sentBack: Void = { for frame in back { try await accepted.send(frame) } }()
        for frame in there { #expect(try await accepted.receive() == frame) }
        for frame in back { #expect(try await dialled.receive() == frame) }
        try await sentThere
        try await sentBack
        let bytes = there.reduce(0) { $0 + $1.byteCount }
        #expect(dialled.bytesSent == bytes && accepted.bytesReceived == bytes)
        await end()
    }

    @Test("a reader that is slow holds the sender back, and gets everything")
    func slowReader() async throws {
        let (dialled, accepted, end) = try await line()
        let frames = 36
        let size = MessageKind.roundRows.row.maximumPayloadBytes
        // The kernel's own buffers of both sides, and a frame or two in each program.
        let mostOnTheWay = try kernelBufferBytes("tcp_rmem") + kernelBufferBytes("tcp_wmem") + 4 * size
        #expect(frames * size > mostOnTheWay)
        async let sending: Void = {
            for number in 0..<frames { try await dialled.send(frame(bytes: size, sequence: UInt64(number))) }
            await dialled.close()
        }()
        for number in 0..<frames {
            if number < 5 { try await Task.sleep(for: .milliseconds(100)) }
            #expect(dialled.bytesSent - accepted.bytesReceived <= mostOnTheWay)
            let got = try #require(try await accepted.receive())
            #expect(got.sequence == UInt64(number))
            #expect(got.payload == [UInt8](repeating: UInt8(number), count: size))
        }
        #expect(try await accepted.receive() == nil)
        try await sending
        await end()
    }

    /// The most that the kernel stores for a socket in one direction.
    private func kernelBufferBytes(_ name: String) throws -> Int {
        let limits = try String(contentsOfFile: "/proc/sys/net/ipv4/\(name)", encoding: .utf8)
        return try #require(limits.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) })
    }

    @Test("what was sent before an orderly end arrives, then the end, however late it is read")
    func orderlyEnd() async throws {
        let (dialled, accepted, end) = try await line()
        // Few enough to fit into the kernel's buffers: close waits for a peer that has not taken everything.
        for number in 0..<20 { try await dialled.send(frame(bytes: 2_000, sequence: UInt64(number))) }
        await dialled.close()
        for number in 0..<20 { #expect(try await accepted.receive()?.sequence == UInt64(number)) }
        #expect(try await accepted.receive() == nil)
        #expect(try await accepted.receive() == nil)
        #expect(try await dialled.receive() == nil)
        #expect(await fault { () async throws(Fault) in try await accepted.send(frame(bytes: 1)) } == Fault(.peerLost, at: "south"))
        await end()
    }

    @Test("a receive that waits sees its own side close")
    func closeWhileReceiving() async throws {
        let (dialled, accepted, end) = try await line()
        async let waiting = dialled.receive()
        try await Task.sleep(for: .milliseconds(20))
        await dialled.close()
        #expect(try await waiting == nil)
        #expect(try await accepted.receive() == nil)
        await end()
    }

    @Test("a cancelled receive returns at once, and the next one loses nothing")
    func cancelledReceive() async throws {
        let (dialled, accepted, end) = try await line()
        for number in 0..<50 {
            let waiting = Task { await fault { () async throws(Fault) in try await accepted.receive() } }
            if number.isMultiple(of: 2) { await Task.yield() }
            waiting.cancel()
            #expect(await waiting.value == Fault(.cancelled))
        }
        let sent = frame(bytes: 100)
        try await dialled.send(sent)
        #expect(try await accepted.receive() == sent)
        await end()
    }

    @Test("a send to a peer that never reads can be cancelled, which ends the line")
    func cancelledSend() async throws {
        let (dialled, accepted, end) = try await line()
        let sending = Task {
            await fault { () async throws(Fault) in
                while true { try await dialled.send(frame(bytes: 4 << 20)) }
            }
        }
        var before = -1
        while dialled.bytesSent != before {
            before = dialled.bytesSent
            try await Task.sleep(for: .milliseconds(50))
        }
        sending.cancel()
        #expect(await sending.value == Fault(.cancelled))
        #expect(await fault { () async throws(Fault) in try await dialled.send(frame(bytes: 1)) } == Fault(.peerLost, at: "north"))
        #expect(await fault { () async throws(Fault) in while try await accepted.receive() != nil {} } == Fault(.peerLost, at: "south"))
        await end()
    }

    @Test("a frame over its kind's limit is not sent, and the line goes on")
    func tooLongToSend() async throws {
        let (dialled, accepted, end) = try await line()
        #expect(await fault { () async throws(Fault) in try await dialled.send(frame(.nonce, bytes: 4097)) }?.code == .defect)
        try await dialled.send(frame(.nonce, bytes: 4096))
        #expect(try await accepted.receive()?.payload.count == 4096)
        await end()
    }

    @Test("a frame that announces more than its kind may hold ends the line before its payload comes")
    func oversized() async throws {
        let (listening, client) = try await rawLine()
        var header = frame(.nonce, bytes: 0).encode()
        header.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF])
        try await client.send(header)
        #expect(await listening.reception() == .failure(Fault(.malformedFrame, at: "south")))
        _ = try await client.answer()
        await listening.listener.close()
    }

    @Test("a line on which a frame has begun and nothing more comes is lost; one that is idle or moves slowly goes on")
    func missingRest() async throws {
        let (listening, client) = try await rawLine(restSeconds: 1)
        var receptions = listening.receptions.makeAsyncIterator()
        let good = frame(bytes: 200)
        try await Task.sleep(for: .milliseconds(1500))
        for start in stride(from: 0, to: good.byteCount, by: 64) {
            try await client.send(Array(good.encode().dropFirst(start).prefix(64)))
            try await Task.sleep(for: .milliseconds(500))
        }
        #expect(await receptions.next() == .success(good))
        // More is announced than comes.
        var longer = good.encode()
        longer[10] ^= 4
        try await client.send(longer)
        #expect(await receptions.next() == .failure(Fault(.peerLost, at: "south")))
        _ = try await client.answer()
        await listening.listener.close()
    }

    @Test("rubbish from an accepted peer ends the line", arguments: ["G", "GET / HTTP/1.1\r\n\r\n", String(repeating: "x", count: 300_000)])
    func rubbish(_ text: String) async throws {
        let (listening, client) = try await rawLine()
        try await client.send(Array(text.utf8))
        #expect(await listening.reception() == .failure(Fault(.malformedFrame, at: "south")))
        _ = try await client.answer()
        await listening.listener.close()
    }

    @Test("frames before rubbish are delivered")
    func frameThenRubbish() async throws {
        let (listening, client) = try await rawLine()
        let good = frame(.nonce, bytes: 34)
        try await client.send(good.encode() + Array("rubbish".utf8))
        var receptions = listening.receptions.makeAsyncIterator()
        #expect(await receptions.next() == .success(good))
        #expect(await receptions.next() == .failure(Fault(.malformedFrame, at: "south")))
        await listening.listener.close()
    }

    @Test("a line that ends inside a frame is lost, even when TLS ends in order", arguments: [1, 55, 56, 1000], [false, true])
    func endInsideFrame(_ count: Int, isOrderly: Bool) async throws {
        let (listening, client) = try await rawLine()
        try await client.send(Array(frame(bytes: 2000).encode().prefix(count)))
        if isOrderly { try await client.channel.close() } else { try await client.vanish() }
        #expect(await listening.reception() == .failure(Fault(.peerLost, at: "south")))
        await listening.listener.close()
    }

    @Test("a line that ends between frames without TLS's farewell is lost, not ended")
    func truncation() async throws {
        let (listening, client) = try await rawLine()
        let good = frame(bytes: 2000)
        try await client.send(good.encode())
        try await client.vanish()
        var receptions = listening.receptions.makeAsyncIterator()
        #expect(await receptions.next() == .success(good))
        #expect(await receptions.next() == .failure(Fault(.peerLost, at: "south")))
        await listening.listener.close()
    }

    @Test("an accepted client is welcomed with eight bytes")
    func welcome() async throws {
        let (listening, client) = try await rawLine()
        try await client.send(frame(bytes: 10).encode())
        _ = await listening.reception()
        try await client.channel.close()
        #expect(try await client.answer() == Array("JL02".utf8) + [0, 0, 0, 0])
        await listening.listener.close()
    }

    @Test("closing a listener ends the lines of its peers")
    func listenerCloses() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin])
        let identity = try south.identity()
        let connection = try await Transport.connect(
            to: listening.address, identity: identity, pins: [listening.pin], name: "north", timeoutSeconds: 5)
        let sent = frame(bytes: 10)
        try await connection.send(sent)
        var receptions = listening.receptions.makeAsyncIterator()
        #expect(await receptions.next() == .success(sent))
        await listening.listener.close()
        #expect(try await connection.receive() == nil)
        #expect(await receptions.next() == .success(nil))
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: listening.address, identity: identity, pins: [listening.pin], name: "north", timeoutSeconds: 5)
        }?.code == .peerUnreachable)
    }
}
