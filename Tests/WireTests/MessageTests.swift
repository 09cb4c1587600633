import Faults
import Foundation
import Testing
import Wire

@Suite struct MessageTests {
    @Test("fields are read as they were written by another encoder")
    func knownBytes() throws {
        // matches { total: 300, block: 2, positions: 0x00000001 0x00000102 }
        let payload = try #require(bytes(hex: "08ac0210021a080000000100000102"))
        let message = try Message.decode(kind: .matches, payload: payload)
        #expect(message == .matches(.filled { $0.total = 300; $0.block = 2; $0.positions = Data([0, 0, 0, 1, 0, 0, 1, 2]) }))
        #expect(message.encodePayload() == payload)
        let curvature = try Message.decode(kind: .curvature, payload: [0x08, 0x07])
        #expect(curvature == .curvature(.filled { $0.exponent = -4 }))
    }

    @Test("every message has its own kind and no two share one")
    func kinds() throws {
        for kind in MessageKind.allCases {
            guard let message = try? Message.decode(kind: kind, payload: []) else { continue }
            #expect(message.kind == kind)
            #expect(message.encodePayload().isEmpty)
        }
        #expect(Message.nonce(Nonce()).kind == .nonce)
        #expect(Message.hello(Hello()).kind == .hello)
    }

    @Test("bulk fields are taken up to their number of elements and refused above it")
    func elementCounts() throws {
        func points(_ count: Int) -> [UInt8] {
            Message.blindedPoints(.filled { $0.points = Data(repeating: 2, count: 65 * count) }).encodePayload()
        }
        func positions(_ count: Int) -> [UInt8] {
            Message.matches(.filled { $0.positions = Data(repeating: 0, count: 4 * count) }).encodePayload()
        }
        for kind in [MessageKind.blindedPoints, .doublyBlindedPoints] {
            _ = try Message.decode(kind: kind, payload: points(8192))
            #expect(throws: WireFault.tooManyElements) { try Message.decode(kind: kind, payload: points(8193)) }
        }
        _ = try Message.decode(kind: .matches, payload: positions(65536))
        #expect(throws: WireFault.tooManyElements) { try Message.decode(kind: .matches, payload: positions(65537)) }
    }

    @Test("text of a fault is taken up to its limits")
    func textLimits() throws {
        func stop(place: Int = 0, argument: Int = 0, count: Int = 1) -> [UInt8] {
            Message.jobStop(.filled {
                $0.fault.code = 700
                $0.fault.place = String(repeating: "p", count: place)
                $0.fault.arguments = Array(repeating: String(repeating: "a", count: argument), count: count)
            }).encodePayload()
        }
        _ = try Message.decode(kind: .jobStop, payload: stop(place: 256, argument: 128, count: 8))
        #expect(throws: WireFault.textTooLong) { try Message.decode(kind: .jobStop, payload: stop(place: 257)) }
        #expect(throws: WireFault.textTooLong) { try Message.decode(kind: .jobStop, payload: stop(argument: 129)) }
        #expect(throws: WireFault.tooManyElements) { try Message.decode(kind: .jobStop, payload: stop(count: 9)) }
    }

    @Test("a fault comes back as it was sent")
    func faultNotes() throws {
        for code in Fault.Code.allCases {
            let fault = Fault(code, at: "/training/rounds", "40", "1..30")
            let payload = Message.jobEnd(.filled { $0.fault = FaultNote(fault) }).encodePayload()
            guard case .jobEnd(let end) = try Message.decode(kind: .jobEnd, payload: payload) else {
                Issue.record("another message")
                return
            }
            #expect(end.hasFault)
            #expect(end.fault.fault(from: "north") == fault)
        }
    }

    @Test("an unknown fault number says only that the sender has ended the job", arguments: [0, 1, 65535, 65636, UInt32.max])
    func unknownFault(_ number: UInt32) {
        let note = FaultNote.filled { $0.code = number; $0.place = "/elsewhere" }
        #expect(note.fault(from: "north") == Fault(.endedByPeer, at: "north"))
    }

    @Test("whatever a fault names, its note is one that the receiver takes")
    func clippedNotes() throws {
        let awkward = ["\u{1B}[2J", "a\nb\u{202E}c", String(repeating: "银", count: 200), String(repeating: "e\u{301}", count: 300), ""]
        let fault = Fault(.unknownKey, at: String(repeating: "行", count: 400) + "\u{0}", arguments: awkward + awkward)
        let payload = Message.refusal(.filled { $0.faults = [FaultNote(fault)] }).encodePayload()
        guard case .refusal(let refusal) = try Message.decode(kind: .refusal, payload: payload) else {
            Issue.record("another message")
            return
        }
        #expect(refusal.faults.first?.place == String(repeating: "行", count: 85))
        #expect(refusal.faults.first?.arguments.prefix(2) == ["?[2J", "a?b?c"])
        #expect(refusal.faults.first?.arguments.count == 8)
    }

    @Test("bytes of a slice are its own")
    func slices() {
        let slice = Data([1, 2, 3, 4]).dropFirst(2)
        #expect(slice.octets == [3, 4])
        #expect([UInt8]([3, 4]).data == slice)
    }
}
