import Testing
import Wire

@Suite struct FrameTests {
    private static let job = JobIdentifier("000102030405060708090a0b0c0d0e0f") ?? .none

    private func frame(_ kind: MessageKind, payload: [UInt8], sequence: UInt64 = 0) -> Frame {
        Frame(kind: kind, phase: .opening, job: Self.job, attempt: 2, sequence: sequence, salt: [UInt8](repeating: 9, count: 16), payload: payload)
    }

    private func decode(_ bytes: [UInt8]) throws(WireFault) -> Frame? {
        var decoder = FrameDecoder()
        decoder.append(bytes)
        return try decoder.next()
    }

    @Test("a frame has the bytes that the document draws")
    func layout() {
        let bytes = frame(.nonce, payload: [0xAA, 0xBB], sequence: 3).encode()
        let expected = "4a4c3032" + "0002" + "0001" + "00000002" + "00000002" + "000102030405060708090a0b0c0d0e0f"
            + "0000000000000003" + "09090909090909090909090909090909" + "aabb"
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
        #expect(Frame.headerBytes == 56)
    }

    @Test("every message is taken up to its limit and refused by its header above it", arguments: MessageKind.allCases)
    func limits(_ kind: MessageKind) throws {
        let limit = kind.row.maximumPayloadBytes
        for count in [0, limit - 1, limit] {
            let whole = frame(kind, payload: [UInt8](repeating: 1, count: count))
            #expect(try decode(whole.encode()) == whole)
        }
        let tooLong = frame(kind, payload: [UInt8](repeating: 1, count: limit + 1)).encode()
        #expect(throws: WireFault.payloadTooLong) { try decode(Array(tooLong.prefix(Frame.headerBytes))) }
        #expect(throws: WireFault.payloadTooLong) {
            try Message.decode(kind: kind, payload: [UInt8](repeating: 1, count: limit + 1))
        }
    }

    @Test("a receiver refuses by its header what is longer than anything that may be sent to it, whatever its kind", arguments: Role.allCases)
    func limits(to receiver: Role) throws {
        let sent = MessageKind.allCases.filter { kind in Role.allCases.contains { kind.allows(from: $0, to: receiver) } }
        let limit = MessageKind.maximumPayloadBytes(to: receiver)
        #expect(limit == sent.map(\.row.maximumPayloadBytes).max())
        var decoder = FrameDecoder(maximumPayloadBytes: limit)
        let longest = frame(.roundRows, payload: [UInt8](repeating: 1, count: limit))
        decoder.append(longest.encode())
        #expect(try decoder.next() == longest)
        decoder.append(Array(frame(.roundRows, payload: [UInt8](repeating: 1, count: limit + 1)).encode().prefix(Frame.headerBytes)))
        #expect(throws: WireFault.payloadTooLong) { try decoder.next() }
    }

    @Test("frames come out whole however the stream is cut", arguments: [1, 2, 3, 55, 56, 57, 200, 10_000])
    func pieces(_ size: Int) throws {
        let frames = (0..<20).map { frame(.roundRows, payload: (0..<($0 * 37)).map { UInt8(truncatingIfNeeded: $0) }, sequence: UInt64($0)) }
        let stream = frames.flatMap { $0.encode() }
        var decoder = FrameDecoder()
        var got: [Frame] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            decoder.append(Array(stream[start..<min(start + size, stream.count)]))
            while let frame = try decoder.next() { got.append(frame) }
        }
        try decoder.finish()
        #expect(got == frames)
    }

    @Test("a stream that ends inside a frame is refused, wherever it ends")
    func truncation() throws {
        let whole = frame(.nonce, payload: [1, 2, 3]).encode()
        for count in 1..<whole.count {
            var decoder = FrameDecoder()
            decoder.append(Array(whole.prefix(count)))
            #expect(try decoder.next() == nil)
            #expect(throws: WireFault.truncated) { try decoder.finish() }
        }
    }

    @Test("ten thousand damaged frames are refused or differ, and none stops the program")
    func damage() {
        var random = SystemRandomNumberGenerator()
        let note = FaultNote.filled { $0.code = 700; $0.place = "/training"; $0.arguments = ["a", "b"] }
        let original = Frame(.jobStop(.filled { $0.fault = note }), phase: .training, job: Self.job, attempt: 1, sequence: 1,
                             salt: [UInt8](repeating: 0, count: 16))
        let whole = original.encode()
        for _ in 0..<10_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            guard bytes != whole, let frame = try? decode(bytes) else { continue }
            #expect(frame != original)
            guard let message = try? frame.message() else { continue }
            #expect(message.encodePayload() == frame.payload)
        }
    }

    @Test("a job's name is 32 lower-case hexadecimal digits and nothing else")
    func jobIdentifiers() {
        #expect(Self.job.description == "000102030405060708090a0b0c0d0e0f")
        #expect(Self.job.octets == (0..<16).map { UInt8($0) })
        #expect(JobIdentifier(octets: Self.job.octets) == Self.job)
        #expect(JobIdentifier.none.octets == [UInt8](repeating: 0, count: 16))
        #expect(JobIdentifier("00000000000000000000000000000000") == JobIdentifier.none)
        for text in ["", "0", "000102030405060708090a0b0c0d0e0F", "000102030405060708090a0b0c0d0e0", "+0102030405060708090a0b0c0d0e0f0",
                     "000102030405060708090a0b0c0d0e0f0", "000102030405060708090a0b0c0d0e\u{FF10}f"] {
            #expect(JobIdentifier(text) == nil)
        }
        #expect(JobIdentifier(octets: [UInt8](repeating: 0, count: 15)) == nil)
        #expect(JobIdentifier(octets: [UInt8](repeating: 0, count: 17)) == nil)
    }
}
