import Faults
import Testing
import Transport
import Wire

@Suite("Frames that may have to be sent again") struct FrameWindowTests {
    private let refusal = Fault(.unexpectedMessage, at: "peer")
    private var window = FrameWindow(job: .none, attempt: 1, peerName: "peer")

    private func acknowledgement(_ count: UInt64, attempt: UInt32 = 1) -> Frame {
        Frame(.acknowledgement(.filled { $0.taken = count }), phase: .waiting, job: .none, attempt: attempt, sequence: 0,
              salt: [UInt8](repeating: 0, count: 16))
    }

    private func refuses(_ change: (inout FrameWindow) throws(Fault) -> Void) -> Bool {
        var window = window
        do throws(Fault) {
            try change(&window)
            return false
        } catch {
            return error == refusal
        }
    }

    /// Puts and writes so many frames.
    private mutating func send(_ numbers: Range<UInt64>) {
        for number in numbers {
            window.put(frame(bytes: 10, sequence: number))
            #expect(window.upcoming?.sequence == number)
            window.wrote(frame(bytes: 10, sequence: number))
        }
    }

    @Test("an empty window has nothing to send, to take up or to tell, and greets with nought")
    mutating func empty() throws {
        #expect(window.upcoming == nil && window.isAcknowledged && window.take() == nil && !window.isOwed && !window.isOverdue)
        #expect(window.greeting == acknowledgement(0))
        try window.accept(acknowledgement(0))
        #expect(refuses { (window) throws(Fault) in try window.accept(acknowledgement(1)) })
        try window.resume(greeted: window.greeting, by: acknowledgement(0))
        #expect(window.upcoming == nil)
    }

    @Test("a greeting that tells less than is known already was overtaken; one that tells as much or more was not")
    mutating func lateGreeting() throws {
        send(0..<5)
        try window.accept(acknowledgement(2))
        #expect([0, 1, 2, 5].map { window.isOvertaken(acknowledgement($0)) } == [true, true, false, false])
    }

    @Test("what was not acknowledged is written again on the next connection, byte for byte, and nothing else")
    mutating func again() throws {
        send(0..<5)
        #expect(window.upcoming == nil && !window.isAcknowledged)
        try window.accept(acknowledgement(2))
        try window.resume(greeted: window.greeting, by: acknowledgement(3))
        for number in 3..<5 as Range<UInt64> {
            let again = try #require(window.upcoming)
            #expect(again == frame(bytes: 10, sequence: number) && again.encode() == frame(bytes: 10, sequence: number).encode())
            #expect(!window.isPast(again))
            window.wrote(again)
            #expect(window.isPast(again))
        }
        #expect(window.upcoming == nil)
        try window.accept(acknowledgement(5))
        #expect(window.isAcknowledged)
    }

    @Test("a count that goes back or lies beyond what was sent is refused, in a greeting and later; the same count again is not")
    mutating func counts() throws {
        send(0..<5)
        try window.accept(acknowledgement(3))
        try window.accept(acknowledgement(3))
        for count in [2, 6, .max] as [UInt64] {
            #expect(refuses { (window) throws(Fault) in try window.accept(acknowledgement(count)) }, "\(count)")
            #expect(refuses { (window) throws(Fault) in try window.resume(greeted: window.greeting, by: acknowledgement(count)) }, "\(count)")
        }
        try window.accept(acknowledgement(5))
    }

    @Test("an acknowledgement of another attempt, with bytes where there are none, or another frame in its place is no greeting")
    func greetings() throws {
        let proper = acknowledgement(0)
        let salted = Frame(kind: proper.kind, phase: proper.phase, job: proper.job, attempt: 1, sequence: 0, salt: [UInt8](repeating: 1, count: 16),
                           payload: proper.payload)
        let numbered = Frame(kind: proper.kind, phase: proper.phase, job: proper.job, attempt: 1, sequence: 1, salt: proper.salt, payload: proper.payload)
        for greeting in [acknowledgement(0, attempt: 2), salted, numbered, frame(bytes: 0)] {
            #expect(refuses { (window) throws(Fault) in try window.resume(greeted: window.greeting, by: greeting) })
        }
    }

    @Test("a full window holds its sender back until enough was acknowledged, by bytes and by frames")
    mutating func full() throws {
        let size = MessageKind.roundRows.row.maximumPayloadBytes
        let few = UInt64(FrameWindow.mostBytes / size)
        for number in 0..<few {
            let next = frame(bytes: size, sequence: number)
            window.put(next)
            #expect(!window.isPast(next))
            window.wrote(next)
            #expect(window.isPast(next) == (number + 1 < few))
        }
        try window.accept(acknowledgement(1))
        #expect(window.isPast(frame(bytes: size, sequence: few - 1)))

        window = FrameWindow(job: .none, attempt: 1, peerName: "peer")
        send(0..<UInt64(FrameWindow.mostFrames))
        let last = frame(bytes: 10, sequence: UInt64(FrameWindow.mostFrames) - 1)
        #expect(!window.isPast(last))
        try window.accept(acknowledgement(1))
        #expect(window.isPast(last))
    }

    @Test("a frame that was acknowledged while it was being written is not written again")
    mutating func overtaken() throws {
        window.put(frame(bytes: 10, sequence: 0))
        let written = try #require(window.upcoming)
        try window.accept(acknowledgement(1))
        #expect(window.upcoming == nil)
        window.wrote(written)
        window.put(frame(bytes: 10, sequence: 1))
        #expect(window.upcoming?.sequence == 1)
    }

    @Test("a frame that comes twice over two connections is handed up once; on one connection it is refused, and so is a gap")
    mutating func duplicates() throws {
        for number in 0..<4 as Range<UInt64> { try window.accept(frame(bytes: 10, sequence: number)) }
        #expect(window.take()?.sequence == 0 && window.take()?.sequence == 1)
        for number in [3, 5] as [UInt64] {
            #expect(refuses { (window) throws(Fault) in try window.accept(frame(bytes: 10, sequence: number)) }, "\(number)")
        }
        let greeting = window.greeting
        #expect(greeting == acknowledgement(2))
        try window.resume(greeted: greeting, by: acknowledgement(0))
        for number in [0, 1, 3, 4] as [UInt64] {
            #expect(refuses { (window) throws(Fault) in try window.accept(frame(bytes: 10, sequence: number)) }, "\(number)")
        }
        for number in 2..<6 as Range<UInt64> { try window.accept(frame(bytes: 10, sequence: number)) }
        for number in 2..<6 as Range<UInt64> { #expect(window.take()?.sequence == number) }
        #expect(window.take() == nil)
    }

    @Test("what was taken up is owed, and overdue after 64 frames or 1 MiB; telling settles both")
    mutating func telling() throws {
        for number in 0..<64 as Range<UInt64> { try window.accept(frame(bytes: 10, sequence: number)) }
        #expect(!window.isOwed)
        for number in 1...64 {
            _ = window.take()
            #expect(window.isOwed && window.isOverdue == (number == 64))
        }
        #expect(window.acknowledgement() == acknowledgement(64))
        #expect(!window.isOwed && !window.isOverdue)
        try window.accept(frame(bytes: 1 << 20, sequence: 64))
        _ = window.take()
        #expect(window.isOverdue)
    }

    @Test("a peer that goes on sending without being acknowledged is refused at twice the window")
    mutating func flood() throws {
        let size = MessageKind.roundRows.row.maximumPayloadBytes
        var number: UInt64 = 0
        while !refuses({ (window) throws(Fault) in try window.accept(frame(bytes: size, sequence: number)) }) {
            try window.accept(frame(bytes: size, sequence: number))
            number += 1
        }
        #expect(number == UInt64(2 * FrameWindow.mostBytes / (size + Frame.headerBytes)))
    }

    @Test("after its end a window has nothing to send or to take up, and greets with its last count")
    mutating func closed() throws {
        send(0..<3)
        for number in 0..<3 as Range<UInt64> { try window.accept(frame(bytes: 10, sequence: number)) }
        _ = window.take()
        window.close()
        #expect(window.upcoming == nil && window.take() == nil && window.greeting == acknowledgement(1))
    }
}
