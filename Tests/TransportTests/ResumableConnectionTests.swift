import Faults
import Foundation
import Synchronization
import Testing
import Transport
import Wire

/// A line that goes on over connections that are cut, between two ends in this program and over real sockets.
@Suite("A line that is cut", .timeLimit(.minutes(2))) struct ResumableConnectionTests {
    /// Both ends. The bank dials; every connection passes through the test's hands.
    private final class Ends: Sendable {
        let bank: ResumableConnection
        let platform: ResumableConnection
        let listener: Listener
        let connect: @Sendable () async throws(Fault) -> Connection
        private let line: Line

        /// Where connections are cut.
        private final class Line: Sendable {
            let dialled = Mutex<[Connection]>([])
            let isAway = Mutex(false)
            let cutAtOnce = Mutex(0)
        }

        init() async throws {
            let lab = try Lab()
            let (north, south) = (try lab.files().identity(), try lab.files().identity())
            let line = Line()
            let platform = ResumableConnection(job: .none, attempt: 1, peerName: "bank", dial: nil) { _ in }
            let pin = south.pin
            let listener = try await Transport.listen(at: "127.0.0.1:0", identity: north, peer: { $0 == pin ? "bank" : nil }, maximumConnections: 64) {
                guard let greeting = try? await $0.receive() else { return }
                await platform.attach($0, greeted: greeting)
            }
            let port = listener.port
            let connect = { @Sendable () async throws(Fault) in
                if line.isAway.withLock({ $0 }) { throw Fault(.peerUnreachable, at: "platform") }
                let connection = try await Transport.connect(to: "127.0.0.1:\(port)", identity: south, pins: [north.pin], name: "platform", timeoutSeconds: 10)
                line.dialled.withLock { $0.append(connection) }
                if line.cutAtOnce.withLock({ left in
                    defer { left = max(0, left - 1) }
                    return left > 0
                }) { connection.abandon() }
                return connection
            }
            bank = ResumableConnection(job: .none, attempt: 1, peerName: "platform", dial: connect) { _ in }
            (self.platform, self.listener, self.connect, self.line) = (platform, listener, connect, line)
        }

        func open() async throws {
            try await bank.open(withinSeconds: 10)
            try await platform.open(withinSeconds: 10)
        }

        var connections: Int { line.dialled.withLock(\.count) }
        func cut() { line.dialled.withLock { $0.last?.abandon() } }
        /// So many of the next connections.
        func cutAtOnce(_ count: Int) { line.cutAtOnce.withLock { $0 = count } }
        func takeAway(_ isAway: Bool) {
            line.isAway.withLock { $0 = isAway }
            if isAway { cut() }
        }

        func end() async {
            await bank.close()
            await platform.close()
            await listener.close()
        }
    }

    private static func send(_ sizes: [Int], _ line: ResumableConnection) async throws(Fault) {
        for (number, size) in sizes.enumerated() { try await line.send(frame(bytes: size, sequence: UInt64(number))) }
    }

    /// Every frame once, in order, with its bytes.
    private static func receive(_ sizes: [Int], _ line: ResumableConnection) async throws {
        for (number, size) in sizes.enumerated() { #expect(try await line.receive() == frame(bytes: size, sequence: UInt64(number))) }
    }

    @Test("frames in both directions arrive once and in order over any number of cuts, and both ends end well")
    func cuts() async throws {
        let ends = try await Ends()
        try await ends.open()
        let sizes = (0..<400).map { $0 % 40 == 7 ? 3 << 20 : 40 * $0 }
        let (bank, platform) = (ends.bank, ends.platform)
        async let forth: Void = Self.send(sizes, bank)
        async let back: Void = Self.send(sizes, platform)
        async let there: Void = Self.receive(sizes, platform)
        async let here: Void = Self.receive(sizes, bank)
        for cut in 1...12 {
            #expect(try await eventually { ends.connections >= cut && !bank.state.isCut })
            // Here and there while both are greeting.
            if !cut.isMultiple(of: 3) { try await Task.sleep(for: .milliseconds(15)) }
            ends.cut()
        }
        _ = try await (forth, back, there, here)
        async let bankEnds: Void = bank.finish()
        try await platform.finish()
        try await bankEnds
        let traffic = await bank.traffic
        #expect(traffic.sent.connections > 1 && traffic.sent.acknowledgementBytes > 0)
        await ends.end()
    }

    @Test("a line that was never cut counts frames, acknowledgements, records and farewell to the byte, the same at both ends")
    func counts() async throws {
        let ends = try await Ends()
        try await ends.open()
        let (bank, platform) = (ends.bank, ends.platform)
        let sizes = (0..<200).map { 400 * $0 }
        async let forth: Void = Self.send(sizes, bank)
        async let back: Void = Self.send(sizes, platform)
        async let there: Void = Self.receive(sizes, platform)
        try await Self.receive(sizes, bank)
        _ = try await (forth, back, there)
        async let bankEnds: Void = bank.finish()
        try await platform.finish()
        try await bankEnds
        let frames = sizes.reduce(0) { $0 + $1 + Frame.headerBytes }
        let (here, far) = (await bank.traffic, await platform.traffic)
        for (count, other) in [(here.sent, far.received), (here.received, far.sent)] {
            #expect(count.connections == 1 && count.acknowledgementBytes == other.acknowledgementBytes && count.acknowledgementBytes > 0)
            for end in [count, other] { #expect([0, 2].contains(end.bytes - frames - end.acknowledgementBytes - 22 * end.records)) }
        }
        await ends.end()
    }

    @Test("a cut at any moment of the end: both ends have ended well", arguments: 0..<24)
    func endings(moment: Int) async throws {
        let ends = try await Ends()
        try await ends.open()
        let (bank, platform) = (ends.bank, ends.platform)
        async let there: Void = Self.receive([5, 6], platform)
        async let here: Void = Self.receive([7, 8], bank)
        async let forth: Void = Self.send([5, 6], bank)
        try await Self.send([7, 8], platform)
        _ = try await (there, here, forth)
        async let bankEnds: Void = bank.finish()
        async let platformEnds: Void = platform.finish()
        if moment > 0 { try await Task.sleep(for: .microseconds(100 * moment)) }
        ends.cut()
        _ = try await (bankEnds, platformEnds)
        await ends.end()
    }

    @Test("a bank that misses the platform's farewell dials again and learns that all has arrived; one whose frames have not learns that")
    func earlierLine() async throws {
        for isTaken in [true, false] {
            let ends = try await Ends()
            try await ends.open()
            try await ends.bank.send(frame(bytes: 9))
            if isTaken { _ = try await ends.platform.receive() }
            ends.takeAway(true)
            #expect(try await eventually { ends.bank.state.isCut })
            await ends.platform.close()
            ends.takeAway(false)
            #expect(await fault { () async throws(Fault) in try await ends.bank.finish() } == (isTaken ? nil : Fault(.peerLost, at: "platform")))
            await ends.end()
        }
    }

    @Test("an end that is over while the line is away waits for nothing; an orderly end is not dialled after, and whoever waits is told")
    func over() async throws {
        let ends = try await Ends()
        try await ends.open()
        let waiting = Task { await fault { () async throws(Fault) in try await ends.bank.finish() } }
        try await ends.bank.send(frame(bytes: 9))
        await ends.platform.close()
        #expect(await waiting.value == Fault(.peerLost, at: "platform"))
        #expect(try await ends.bank.receive() == nil)
        #expect(ends.connections == 1)

        let others = try await Ends()
        try await others.open()
        others.takeAway(true)
        #expect(try await eventually { others.bank.state.isCut && others.platform.state.isCut })
        let (bank, platform) = (others.bank, others.platform)
        let held = [bank, platform].map { line in Task { await fault { () async throws(Fault) in try await line.send(frame(bytes: 9)) } } }
        for line in [bank, platform] { await line.close() }
        for task in held { #expect(await task.value?.code == .peerLost) }
        for line in [bank, platform] { #expect(try await line.receive() == nil) }
        await ends.end()
        await others.end()
    }

    @Test("a sender is held back by what the other end has not taken up, in both directions at once, and acknowledgements pass all the same")
    func heldBack() async throws {
        let ends = try await Ends()
        try await ends.open()
        let size = MessageKind.roundRows.row.maximumPayloadBytes
        let sizes = [Int](repeating: size, count: 3 * FrameWindow.mostBytes / size)
        let (bank, platform) = (ends.bank, ends.platform)
        // The platform takes nothing up before its own have gone.
        let forth = Task { try await Self.send(sizes, bank) }
        async let here: Void = Self.receive(sizes, bank)
        try await Self.send(sizes, platform)
        try await here
        try await Self.receive(sizes, platform)
        try await forth.value
        await ends.end()
    }

    private func greet(_ ends: Ends, count: UInt64, attempt: UInt32) async throws -> Connection {
        let connection = try await ends.connect()
        try await connection.send(Frame(.acknowledgement(.filled { $0.taken = count }), phase: .waiting, job: .none, attempt: attempt, sequence: 0,
                                        salt: [UInt8](repeating: 0, count: 16)))
        return connection
    }

    @Test("a greeting beyond what was sent ends the line for good; one of another attempt is closed without an answer, and the line waits on")
    func greeting() async throws {
        let ends = try await Ends()
        #expect(try await greet(ends, count: 0, attempt: 2).receive() == nil)
        _ = try await greet(ends, count: 3, attempt: 1)
        #expect(await fault { () async throws(Fault) in try await ends.platform.receive() } == Fault(.unexpectedMessage, at: "bank"))
        await ends.end()
    }

    @Test("a greeting that a newer connection has overtaken is not believed: its own connection is closed, and the line goes on")
    func overtaken() async throws {
        let ends = try await Ends()
        try await ends.open()
        let (bank, platform) = (ends.bank, ends.platform)
        try await platform.send(frame(bytes: 5))
        #expect(try await bank.receive() == frame(bytes: 5))
        // The next greeting tells the platform of that, and what crosses then that it was heard.
        ends.cut()
        #expect(try await eventually { ends.connections == 2 && !bank.state.isCut })
        try await bank.send(frame(bytes: 6))
        #expect(try await platform.receive() == frame(bytes: 6))
        let late = try await greet(ends, count: 0, attempt: 1)
        #expect(try await late.receive()?.kind == .acknowledgement)
        #expect(try await late.receive() == nil)
        try await platform.send(frame(bytes: 7, sequence: 1))
        #expect(try await bank.receive() == frame(bytes: 7, sequence: 1))
        #expect(ends.connections == 3 && !bank.state.isCut && !platform.state.isCut)
        await ends.end()
    }

    @Test("a peer that connects and does not greet in time has lost its connection, at either end")
    func silent() async throws {
        let lab = try Lab()
        let (north, south) = (try lab.files().identity(), try lab.files().identity())
        let heard = Mutex<Fault?>(nil)
        let pin = south.pin
        let listener = try await Transport.listen(at: "127.0.0.1:0", identity: north, peer: { $0 == pin ? "bank" : nil }, maximumConnections: 1) { connection in
            let refusal = await fault { () async throws(Fault) in try await ResumableConnection.greeting(on: connection, withinSeconds: 1) }
            heard.withLock { $0 = refusal }
        }
        let connection = try await Transport.connect(to: "127.0.0.1:\(listener.port)", identity: south, pins: [north.pin], name: "platform", timeoutSeconds: 10)
        #expect(await fault { () async throws(Fault) in try await connection.receive() }?.code == .peerLost)
        #expect(try await eventually { heard.withLock { $0?.code } == .peerLost })
        await listener.close()
    }

    @Test("a line that is cut before it carries anything is dialled again after longer and longer")
    func flapping() async throws {
        let ends = try await Ends()
        try await ends.open()
        let start = ContinuousClock.now
        for cut in 1...4 {
            ends.cut()
            #expect(try await eventually { ends.connections > cut && !ends.bank.state.isCut })
        }
        // Half a second, one and two, less a quarter of each.
        #expect(ContinuousClock.now - start > .seconds(2.6))
        await ends.end()
    }

    @Test("a line that is cut while it opens for the first time is dialled again, for as long as was said")
    func cutWhileOpening() async throws {
        let ends = try await Ends()
        ends.cutAtOnce(3)
        try await ends.open()
        #expect(ends.connections == 4)
        await ends.end()

        let others = try await Ends()
        others.cutAtOnce(100)
        await #expect { try await others.bank.open(withinSeconds: 2) } throws: { ($0 as? Fault)?.code == .peerLost }
        await others.end()
    }

    @Test("a bank that does not come is waited for as long as was said, and a platform that is not there is told at once")
    func absent() async throws {
        let ends = try await Ends()
        #expect(await fault { () async throws(Fault) in try await ends.platform.open(withinSeconds: 1) } == Fault(.deadlinePassed, at: "bank", "1"))
        ends.takeAway(true)
        #expect(await fault { () async throws(Fault) in try await ends.bank.open(withinSeconds: 10) } == Fault(.peerUnreachable, at: "platform"))
        await ends.end()
    }

    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<2000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return condition()
    }
}
