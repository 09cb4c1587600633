import Faults
import Foundation

extension Message {
    /// Longest texts, in bytes of UTF-8.
    package static let maximumPlaceBytes = 256
    package static let maximumArgumentBytes = 128
    package static let maximumArguments = 8
    package static let maximumNameBytes = 64

    /// Whether a text may be shown to people and sent to other institutions.
    package static func isPrintable(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isPrintableScalar) }

    /// Holds the bytes fields to the lengths of the table, as far as they follow from no key and no job, enumerations to
    /// the values that are defined, and text to what is safe to print.
    func checkFields() throws(WireFault) {
        switch self {
        case .hello(let body):
            try exactly(32, body.specificationDigest)
            try exactly(32, body.contractDigest)
            try exactly(7 * 32, body.secretCommitments)
            try exactly(32, body.agreementKey)
        case .nonce(let body):
            try exactly(32, body.nonce)
        case .alignmentOpening(let body):
            try exactly(32, body.listDigest)
            try exactly(32, body.seedCommitment)
        case .blindedPoints(let body):
            try elements(of: TransferCounts.pointBytes, atMost: TransferCounts.pointsPerBlock, body.points)
        case .seedReveal(let body):
            try exactly(32, body.seed)
        case .doublyBlindedPoints(let body):
            try elements(of: TransferCounts.pointBytes, atMost: TransferCounts.pointsPerBlock, body.points)
        case .sortedPoints(let body):
            try elements(of: TransferCounts.pointBytes, atMost: TransferCounts.pointsPerBlock, body.points)
        case .matches(let body):
            try elements(of: 4, atMost: TransferCounts.positionsPerBlock, body.positions)
        case .nodeRegister(let body):
            try exactly(32, body.contractDigest)
        case .jobAnswer(let body):
            try body.refusal.check()
        case .jobStart(let body):
            try exactly(32, body.specificationDigest)
        case .jobProgress(let body):
            try body.check()
        case .roundShare(let body):
            try elements(of: 24, body.paddedGram)
        case .verdict(let body):
            if case .UNRECOGNIZED = body.decision { throw .unknownEnumerationValue }
            try elements(of: 8, body.gamma)
        case .jobEnd(let body):
            try body.fault.check()
        case .jobStop(let body):
            try body.fault.check()
        case .ledgerHeads(let body):
            try body.check()
        case .headSubmission(let body):
            try body.heads.check()
            try elements(of: 32, atMost: 64, body.sentProof)
            try elements(of: 32, atMost: 64, body.receivedProof)
        case .headSignatures(let body):
            try exactly(64, body.sentSignature)
            try exactly(64, body.receivedSignature)
        case .operationsHead(let body):
            try exactly(32, body.root)
            try exactly(64, body.signature)
        case .directionHead(let body):
            try exactly(32, body.root)
            try exactly(64, body.signature)
            try elements(of: 32, atMost: 64, body.proof)
            try elements(of: 64, atMost: 1, body.peerSignature)
        case .jobRecord(let body):
            try body.check()
        case .jobList(let body):
            for record in body.jobs { try record.check() }
        case .refusal(let body):
            for fault in body.faults { try fault.check() }
        case .jobOffer(let body):
            try text(body.analyst, atMost: Message.maximumNameBytes)
        case .showPublication(let body):
            try text(body.party, atMost: Message.maximumNameBytes)
        case .paillierKey, .roundRows, .maskedValues, .returnedBits, .partialScores:
            // Widths follow from the key's length, which the receiving role knows.
            break
        case .blindingProgress, .intersectionSize, .acknowledgement:
            break
        case .columns, .curvature, .closing, .abort, .nodeRegistered, .nodePublication, .peerPublication, .submitJob, .listJobs,
             .showJob, .watchJob, .cancelJob, .publicationRecord:
            break
        }
    }
}

extension FaultNote {
    /// Clipped to what a receiver takes, for a fault may name keys that a person has typed.
    package init(_ fault: Fault) {
        self.init()
        code = UInt32(fault.code.rawValue)
        place = clipped(fault.place, toBytes: Message.maximumPlaceBytes)
        arguments = fault.arguments.prefix(Message.maximumArguments)
            .map { clipped($0, toBytes: Message.maximumArgumentBytes) }
    }

    /// The fault as `party` has sent it. A number that this version does not know says no more than that it has ended.
    package func fault(from party: String) -> Fault {
        guard let number = UInt16(exactly: code), let known = Fault.Code(rawValue: number) else {
            return Fault(.endedByPeer, at: party)
        }
        return Fault(known, at: place, arguments: arguments)
    }

    fileprivate func check() throws(WireFault) {
        try text(place, atMost: Message.maximumPlaceBytes)
        guard arguments.count <= Message.maximumArguments else { throw .tooManyElements }
        for argument in arguments { try text(argument, atMost: Message.maximumArgumentBytes) }
    }
}

extension JobProgress {
    fileprivate func check() throws(WireFault) {
        if case .UNRECOGNIZED = phase { throw .unknownEnumerationValue }
        guard max(done, total, cutUnixSeconds) <= 1 << 53 else { throw .numberTooLarge }
    }
}

extension LedgerHeads {
    fileprivate func check() throws(WireFault) {
        try exactly(32, sentRoot)
        try exactly(64, sentSignature)
        try exactly(32, receivedRoot)
        try exactly(64, receivedSignature)
    }
}

extension JobRecord {
    fileprivate func check() throws(WireFault) {
        try exactly(16, job)
        for name in [name, kind, analyst, bank, platform, faultParty, awaited] { try text(name, atMost: Message.maximumNameBytes) }
        if case .UNRECOGNIZED = state { throw .unknownEnumerationValue }
        try progress.check()
        try fault.check()
    }
}

extension Data {
    /// The bytes alone: a `Data` may be a slice whose first index is not zero.
    package var octets: [UInt8] { [UInt8](self) }
}

extension [UInt8] {
    /// For a bytes field of a message.
    package var data: Data { Data(self) }
}

private func exactly(_ count: Int, _ field: Data) throws(WireFault) {
    guard field.count == count else { throw .wrongFieldLength }
}

private func elements(of width: Int, atMost limit: Int = .max, _ field: Data) throws(WireFault) {
    guard field.count.isMultiple(of: width) else { throw .wrongFieldLength }
    guard field.count / width <= limit else { throw .tooManyElements }
}

private func text(_ text: String, atMost limit: Int) throws(WireFault) {
    guard text.utf8.count <= limit else { throw .textTooLong }
    guard text.unicodeScalars.allSatisfy(isPrintableScalar) else { throw .textNotPrintable }
}

private func clipped(_ text: String, toBytes limit: Int) -> String {
    var scalars = String.UnicodeScalarView()
    var bytes = 0
    for scalar in text.unicodeScalars {
        let scalar = isPrintableScalar(scalar) ? scalar : "?"
        bytes += UTF8.width(scalar)
        guard bytes <= limit else { break }
        scalars.append(scalar)
    }
    return String(scalars)
}

/// Refuses what could move a cursor, reverse a line or hide in it: text of a peer goes to terminals and logs.
private func isPrintableScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
}
