/// Of everything that crosses: a number that both ends of a line must share. Source: `Protocols/wire.md`, "Line".
package enum ProtocolVersion {
    package static let current: UInt32 = 2

    /// The version that a greeting of this lab's programs names: "JL" and two decimal digits. Nothing for other bytes.
    package static func named(by magic: some Collection<UInt8>) -> UInt32? {
        let digits = magic.dropFirst(2)
        guard magic.count == 4, magic.starts(with: Array("JL".utf8)), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { 10 * $0 + UInt32($1 - 0x30) }
    }
}

/// One message on a line, as it is framed, counted and recorded.
///
/// The header is 56 bytes, every number big-endian; the payload follows. Source: `Protocols/wire.md`, "Frame".
///
///     0 magic "JL02"   4 kind   6 phase   8 payload length   12 attempt   16 job   32 sequence   40 salt   56 payload
package struct Frame: Sendable, Hashable {
    package static let headerBytes = 56
    package static let saltBytes = 16
    package static let magic: [UInt8] = Array("JL02".utf8)

    package let kind: MessageKind
    /// In which the sender sent it.
    package let phase: Phase
    package let job: JobIdentifier
    package let attempt: UInt32
    /// Counts the frames of one sender in one attempt.
    package let sequence: UInt64
    /// 16 random bytes, so that the recorded digest of a frame of few possible contents cannot be guessed from it.
    package let salt: [UInt8]
    package let payload: [UInt8]

    package init(kind: MessageKind, phase: Phase, job: JobIdentifier, attempt: UInt32, sequence: UInt64, salt: [UInt8],
                 payload: [UInt8]) {
        precondition(salt.count == Frame.saltBytes, "a salt has 16 bytes")
        self.kind = kind
        self.phase = phase
        self.job = job
        self.attempt = attempt
        self.sequence = sequence
        self.salt = salt
        self.payload = payload
    }

    /// - Parameter phase: where the sender stands; a message that belongs to one phase only is marked with that.
    package init(_ message: Message, phase: Phase, job: JobIdentifier, attempt: UInt32, sequence: UInt64, salt: [UInt8]) {
        let phases = message.kind.row.phases
        self.init(kind: message.kind, phase: phases.count == 1 ? phases[0] : phase, job: job, attempt: attempt, sequence: sequence, salt: salt,
                  payload: message.encodePayload())
    }

    /// Header and payload together, in bytes.
    package var byteCount: Int { Frame.headerBytes + payload.count }

    package func message() throws(WireFault) -> Message {
        try Message.decode(kind: kind, payload: payload)
    }

    package func encodeHeader() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Frame.headerBytes)
        bytes += Frame.magic
        bytes += bigEndian(kind.rawValue)
        bytes += bigEndian(UInt16(phase.rawValue))
        bytes += bigEndian(UInt32(payload.count))
        bytes += bigEndian(attempt)
        bytes += job.octets
        bytes += bigEndian(sequence)
        bytes += salt
        return bytes
    }

    package func encode() -> [UInt8] {
        encodeHeader() + payload
    }
}

/// Cuts a stream of bytes into frames.
///
/// A header is checked as soon as it is there: a frame that announces more than its kind may hold is refused while
/// none of its payload has been stored, and so is one above what anybody may send to this end, whatever its kind. After a
/// refusal the stream has no meaning any more and must be closed.
package struct FrameDecoder: Sendable {
    private var stored: [UInt8] = []
    /// Bytes of `stored` that belong to frames already handed out.
    private var used = 0

    private let maximumPayloadBytes: Int

    /// - Parameter maximumPayloadBytes: of any frame; see `MessageKind.maximumPayloadBytes(to:)`.
    package init(maximumPayloadBytes: Int = MessageKind.bulkBytes) {
        self.maximumPayloadBytes = maximumPayloadBytes
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if used > 0 {
            stored.removeFirst(used)
            used = 0
        }
        stored.append(contentsOf: bytes)
    }

    /// The next whole frame; nothing while bytes of it are missing.
    package mutating func next() throws(WireFault) -> Frame? {
        guard let header = try nextHeader() else { return nil }
        let end = used + Frame.headerBytes + header.payloadBytes
        guard stored.count >= end else {
            stored.reserveCapacity(end)
            return nil
        }
        let frame = Frame(kind: header.kind, phase: header.phase, job: header.job, attempt: header.attempt, sequence: header.sequence,
                          salt: header.salt, payload: Array(stored[(used + Frame.headerBytes)..<end]))
        used = end
        return frame
    }

    /// Whether bytes have come that are not handed out; after `next` has given nothing, those of a frame that has begun.
    package var isInsideFrame: Bool { stored.count > used }

    /// To be called at the end of the stream: refuses one that stops inside a frame.
    package func finish() throws(WireFault) {
        guard !isInsideFrame else { throw .truncated }
    }

    private struct Header {
        let kind: MessageKind
        let phase: Phase
        let payloadBytes: Int
        let attempt: UInt32
        let job: JobIdentifier
        let sequence: UInt64
        let salt: [UInt8]
    }

    private func nextHeader() throws(WireFault) -> Header? {
        let bytes = stored[used...]
        guard zip(bytes, Frame.magic).allSatisfy({ $0 == $1 }) else { throw .wrongMagic }
        guard bytes.count >= Frame.headerBytes else { return nil }
        var reader = BigEndianReader(bytes.dropFirst(Frame.magic.count))
        guard let kind = MessageKind(rawValue: reader.read(UInt16.self)) else { throw .unknownKind }
        guard let phase = Phase(known: reader.read(UInt16.self)) else { throw .unknownPhase }
        let payloadBytes = Int(reader.read(UInt32.self))
        guard payloadBytes <= min(kind.row.maximumPayloadBytes, maximumPayloadBytes) else { throw .payloadTooLong }
        return Header(kind: kind, phase: phase, payloadBytes: payloadBytes,
                      attempt: reader.read(UInt32.self),
                      job: JobIdentifier(high: reader.read(UInt64.self), low: reader.read(UInt64.self)),
                      sequence: reader.read(UInt64.self),
                      salt: reader.read(count: Frame.saltBytes))
    }
}

extension Phase {
    /// `nil` for a number that names no phase.
    package init?(known number: UInt16) {
        guard let phase = Phase.allCases.first(where: { $0.rawValue == Int(number) }) else { return nil }
        self = phase
    }
}

/// Names one job everywhere: 16 random bytes, written as 32 lower-case hexadecimal digits.
package struct JobIdentifier: Sendable, Hashable, LosslessStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Stands in the frames that concern a node itself and no job.
    package static let none = JobIdentifier(high: 0, low: 0)

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nothing unless there are exactly 16 bytes.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        var reader = BigEndianReader(Array(octets)[...])
        self.init(high: reader.read(UInt64.self), low: reader.read(UInt64.self))
    }

    /// Nothing unless the text is 32 lower-case hexadecimal digits.
    package init?(_ description: String) {
        let digits = description.utf8
        guard digits.count == 32, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
              let high = UInt64(description.prefix(16), radix: 16), let low = UInt64(description.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    package var octets: [UInt8] { bigEndian(high) + bigEndian(low) }

    /// A job that is interrupted is taken up again as a job of its own, with new secrets and ledgers, so often at most.
    package static let mostAttempts: UInt32 = 5

    /// The job that takes this one up: the next number, so that everyone knows which is meant and there is but one.
    package var next: JobIdentifier { JobIdentifier(high: low == .max ? high &+ 1 : high, low: low &+ 1) }

    /// The job that this one takes up, if it is not a first attempt.
    package var previous: JobIdentifier { JobIdentifier(high: low == 0 ? high &- 1 : high, low: low &- 1) }

    package var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

private func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian, Array.init)
}

/// Reads from bytes that the caller has counted before.
private struct BigEndianReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func read<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number {
        read(count: Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func read(count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
