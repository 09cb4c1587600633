import SwiftProtobuf

/// What a frame holds, decoded and bounded. Which message may come when, and whether its counts and group elements
/// are right, is for the receiving role to judge.
package enum Message: Sendable, Equatable {
    case hello(Hello)
    case nonce(Nonce)
    case paillierKey(PaillierKey)
    case alignmentOpening(AlignmentOpening)
    case blindedPoints(BlindedPoints)
    case seedReveal(SeedReveal)
    case doublyBlindedPoints(DoublyBlindedPoints)
    case matches(Matches)
    case blindingProgress(BlindingProgress)
    case sortedPoints(SortedPoints)
    case intersectionSize(IntersectionSize)
    case columns(Columns)
    case curvature(Curvature)
    case roundRows(RoundRows)
    case maskedValues(MaskedValues)
    case returnedBits(ReturnedBits)
    case partialScores(PartialScores)
    case closing(Closing)
    case abort(Abort)
    case ledgerHeads(LedgerHeads)
    case acknowledgement(Acknowledgement)
    case nodeRegister(NodeRegister)
    case nodeRegistered(NodeRegistered)
    case jobOffer(JobOffer)
    case jobAnswer(JobAnswer)
    case jobStart(JobStart)
    case jobProgress(JobProgress)
    case roundShare(RoundShare)
    case verdict(Verdict)
    case jobEnd(JobEnd)
    case jobStop(JobStop)
    case headSubmission(HeadSubmission)
    case headSignatures(HeadSignatures)
    case operationsHead(OperationsHead)
    case directionHead(DirectionHead)
    case nodePublication(NodePublication)
    case peerPublication(PeerPublication)
    case submitJob(SubmitJob)
    case listJobs(ListJobs)
    case showJob(ShowJob)
    case watchJob(WatchJob)
    case cancelJob(CancelJob)
    case jobRecord(JobRecord)
    case jobList(JobList)
    case refusal(Refusal)
    case showPublication(ShowPublication)
    case publicationRecord(PublicationRecord)

    package var kind: MessageKind { content.kind }

    package func encodePayload() -> [UInt8] {
        serialised(content.body)
    }

    /// Reads a payload in canonical form only: the same message always has the same bytes, so that what was recorded
    /// is what was meant, and nothing can ride along in fields that nobody looks at.
    package static func decode(kind: MessageKind, payload: [UInt8]) throws(WireFault) -> Message {
        guard payload.count <= kind.row.maximumPayloadBytes else { throw .payloadTooLong }
        let message: Message =
            switch kind {
            case .hello: .hello(try parse(payload))
            case .nonce: .nonce(try parse(payload))
            case .paillierKey: .paillierKey(try parse(payload))
            case .alignmentOpening: .alignmentOpening(try parse(payload))
            case .blindedPoints: .blindedPoints(try parse(payload))
            case .seedReveal: .seedReveal(try parse(payload))
            case .doublyBlindedPoints: .doublyBlindedPoints(try parse(payload))
            case .matches: .matches(try parse(payload))
            case .blindingProgress: .blindingProgress(try parse(payload))
            case .sortedPoints: .sortedPoints(try parse(payload))
            case .intersectionSize: .intersectionSize(try parse(payload))
            case .columns: .columns(try parse(payload))
            case .curvature: .curvature(try parse(payload))
            case .roundRows: .roundRows(try parse(payload))
            case .maskedValues: .maskedValues(try parse(payload))
            case .returnedBits: .returnedBits(try parse(payload))
            case .partialScores: .partialScores(try parse(payload))
            case .closing: .closing(try parse(payload))
            case .abort: .abort(try parse(payload))
            case .ledgerHeads: .ledgerHeads(try parse(payload))
            case .acknowledgement: .acknowledgement(try parse(payload))
            case .nodeRegister: .nodeRegister(try parse(payload))
            case .nodeRegistered: .nodeRegistered(try parse(payload))
            case .jobOffer: .jobOffer(try parse(payload))
            case .jobAnswer: .jobAnswer(try parse(payload))
            case .jobStart: .jobStart(try parse(payload))
            case .jobProgress: .jobProgress(try parse(payload))
            case .roundShare: .roundShare(try parse(payload))
            case .verdict: .verdict(try parse(payload))
            case .jobEnd: .jobEnd(try parse(payload))
            case .jobStop: .jobStop(try parse(payload))
            case .headSubmission: .headSubmission(try parse(payload))
            case .headSignatures: .headSignatures(try parse(payload))
            case .operationsHead: .operationsHead(try parse(payload))
            case .directionHead: .directionHead(try parse(payload))
            case .nodePublication: .nodePublication(try parse(payload))
            case .peerPublication: .peerPublication(try parse(payload))
            case .submitJob: .submitJob(try parse(payload))
            case .listJobs: .listJobs(try parse(payload))
            case .showJob: .showJob(try parse(payload))
            case .watchJob: .watchJob(try parse(payload))
            case .cancelJob: .cancelJob(try parse(payload))
            case .jobRecord: .jobRecord(try parse(payload))
            case .jobList: .jobList(try parse(payload))
            case .refusal: .refusal(try parse(payload))
            case .showPublication: .showPublication(try parse(payload))
            case .publicationRecord: .publicationRecord(try parse(payload))
            }
        try message.checkFields()
        return message
    }

    private var content: (kind: MessageKind, body: any SwiftProtobuf.Message) {
        switch self {
        case .hello(let body): (.hello, body)
        case .nonce(let body): (.nonce, body)
        case .paillierKey(let body): (.paillierKey, body)
        case .alignmentOpening(let body): (.alignmentOpening, body)
        case .blindedPoints(let body): (.blindedPoints, body)
        case .seedReveal(let body): (.seedReveal, body)
        case .doublyBlindedPoints(let body): (.doublyBlindedPoints, body)
        case .matches(let body): (.matches, body)
        case .blindingProgress(let body): (.blindingProgress, body)
        case .sortedPoints(let body): (.sortedPoints, body)
        case .intersectionSize(let body): (.intersectionSize, body)
        case .columns(let body): (.columns, body)
        case .curvature(let body): (.curvature, body)
        case .roundRows(let body): (.roundRows, body)
        case .maskedValues(let body): (.maskedValues, body)
        case .returnedBits(let body): (.returnedBits, body)
        case .partialScores(let body): (.partialScores, body)
        case .closing(let body): (.closing, body)
        case .abort(let body): (.abort, body)
        case .ledgerHeads(let body): (.ledgerHeads, body)
        case .acknowledgement(let body): (.acknowledgement, body)
        case .nodeRegister(let body): (.nodeRegister, body)
        case .nodeRegistered(let body): (.nodeRegistered, body)
        case .jobOffer(let body): (.jobOffer, body)
        case .jobAnswer(let body): (.jobAnswer, body)
        case .jobStart(let body): (.jobStart, body)
        case .jobProgress(let body): (.jobProgress, body)
        case .roundShare(let body): (.roundShare, body)
        case .verdict(let body): (.verdict, body)
        case .jobEnd(let body): (.jobEnd, body)
        case .jobStop(let body): (.jobStop, body)
        case .headSubmission(let body): (.headSubmission, body)
        case .headSignatures(let body): (.headSignatures, body)
        case .operationsHead(let body): (.operationsHead, body)
        case .directionHead(let body): (.directionHead, body)
        case .nodePublication(let body): (.nodePublication, body)
        case .peerPublication(let body): (.peerPublication, body)
        case .submitJob(let body): (.submitJob, body)
        case .listJobs(let body): (.listJobs, body)
        case .showJob(let body): (.showJob, body)
        case .watchJob(let body): (.watchJob, body)
        case .cancelJob(let body): (.cancelJob, body)
        case .jobRecord(let body): (.jobRecord, body)
        case .jobList(let body): (.jobList, body)
        case .refusal(let body): (.refusal, body)
        case .showPublication(let body): (.showPublication, body)
        case .publicationRecord(let body): (.publicationRecord, body)
        }
    }
}

extension SwiftProtobuf.Message {
    /// A message with the fields that `fill` sets; for modules that know `Wire` and not the codec behind it.
    package static func filled(_ fill: (inout Self) -> Void) -> Self {
        var message = Self()
        fill(&message)
        return message
    }
}

/// The deepest message is a fault in a record in a list.
private let deepestMessage = 3

private func parse<Body: SwiftProtobuf.Message>(_ payload: [UInt8]) throws(WireFault) -> Body {
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = deepestMessage
    options.discardUnknownFields = true
    let body: Body
    do {
        body = try Body(serializedBytes: payload, options: options)
    } catch {
        throw .notDecodable
    }
    guard serialised(body) == payload else { throw .notCanonical }
    return body
}

private func serialised(_ body: any SwiftProtobuf.Message) -> [UInt8] {
    do {
        return try body.serializedBytes()
    } catch {
        preconditionFailure("a message without required fields was not serialised: \(error)")
    }
}
