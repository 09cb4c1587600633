import Faults

/// Why bytes of a peer were refused. Whatever it is, the line and the job on it are over.
package enum WireFault: String, Error, Sendable, CaseIterable {
    // The frame
    case wrongMagic
    case unknownKind
    case unknownPhase
    case payloadTooLong
    /// The stream ended inside a frame.
    case truncated

    // The message in it
    case notDecodable
    /// Decodes, but is not what an honest sender writes: unknown, repeated or disordered fields, long forms of numbers,
    /// defaults spelled out.
    case notCanonical
    case unknownEnumerationValue
    /// A bytes field that is not of the length, or a multiple of the width, that the table gives.
    case wrongFieldLength
    case tooManyElements
    /// Above what every reader of JSON holds exactly, 2^53.
    case numberTooLarge
    case textTooLong
    case textNotPrintable

    /// What a person is told; `party` is the sender.
    package func fault(from party: String) -> Fault {
        switch self {
        case .wrongMagic, .unknownKind, .unknownPhase, .payloadTooLong, .truncated:
            Fault(.malformedFrame, at: party)
        case .notDecodable, .notCanonical, .unknownEnumerationValue, .wrongFieldLength, .tooManyElements, .numberTooLarge,
             .textTooLong, .textNotPrintable:
            Fault(.malformedMessage, at: party)
        }
    }
}
