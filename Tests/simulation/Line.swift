import Faults
import Foundation
import Ledger
import Primitives
import Roles
import Wire

/// As NodeRuntime's `Line`: the one path by which messages leave and arrive; a frame is in the ledger before it is sent or acted on.
final class Line {
    struct Received {
        let message: Message
        let job: JobIdentifier
        let attempt: UInt32
        let phase: Phase
    }

    let end: any Carrier
    private let book: Book?
    private var nextSent: UInt64 = 0
    private var taken: Set<UInt64> = []
    /// Frames that have come and have a record.
    private(set) var receivedRecords: UInt64 = 0
    var sentSoFar: UInt64 { nextSent }
    private var world: World { end.world }

    init(_ end: any Carrier, book: Book?, nextSent: UInt64 = 0) {
        self.end = end
        self.book = book
        self.nextSent = nextSent
    }

    func send(_ message: Message, phase: Phase = .waiting, job: JobIdentifier, attempt: UInt32) throws {
        guard message.kind.allows(from: end.owner.role, to: end.other.role) else { throw Fault(.defect, at: "Line.send \(message.kind.name)") }
        let frame = Frame(message, phase: phase, job: job, attempt: attempt, sequence: nextSent, salt: world.bytes(Frame.saltBytes))
        let isEarly = world.bug == .earlyFrame && Plan.links[0] == [end.owner, end.other]
        if !isEarly { try book?.record(frame, .sent, line: end.other) }
        nextSent += 1
        try world.point(end.owner, "before it sends \(message.kind.name)")
        try end.send(frame)
        try world.point(end.owner, "after it sent \(message.kind.name)")
        if isEarly { try book?.record(frame, .sent, line: end.other) }
    }

    /// The next message that has come; nothing while there is none.
    ///
    /// - Parameter isExpected: asked once about a frame that is in order; one that is not expected is refused before any ledger has it.
    func receive(if isExpected: (Frame) -> Bool = { _ in true }) throws -> Received? {
        guard let frame = try end.next() else { return nil }
        let isNew = !taken.contains(frame.sequence)
        let isTakenAgain = world.bug == .duplicateAccepted || world.bug == .resentAccepted
        let isNext = frame.sequence == UInt64(taken.count) || isTakenAgain && !isNew || world.bug == .reorderAccepted && isNew
        guard isNext, frame.kind.allows(from: end.other.role, to: end.owner.role), frame.kind.row.phases.contains(frame.phase),
              isExpected(frame) || world.bug == .staleAccepted
        else { throw Fault(.unexpectedMessage, at: end.other.rawValue) }
        taken.insert(frame.sequence)
        if frame.kind.isRecorded { receivedRecords += 1 }
        try world.point(end.owner, "before it records \(frame.kind.name)")
        try book?.record(frame, .received, line: end.other)
        try world.point(end.owner, "after it recorded \(frame.kind.name)")
        do {
            return Received(message: try frame.message(), job: frame.job, attempt: frame.attempt, phase: frame.phase)
        } catch {
            throw error.fault(from: end.other.rawValue)
        }
    }

    func close() { end.close() }
}

/// As NodeRuntime's `LedgerBook`, with the real writers in a folder: what a disk would have lost can be cut off.
final class Book {
    private struct OpenLedger {
        let manifest: LedgerManifest
        let specification: [UInt8]
        var secrets: JobSecrets?
        var lines: [Name: LedgerWriter] = [:]
    }

    let folder: URL
    private let node: Name
    private let lab: Lab
    private let draw: (JobIdentifier, UInt32) -> JobSecrets?
    private var open: [JobIdentifier: OpenLedger] = [:]
    /// Bytes of each file that are on the disk.
    private var synchronized: [String: Int] = [:]

    init(_ folder: URL, _ node: Name, _ lab: Lab, draw: @escaping (JobIdentifier, UInt32) -> JobSecrets?) {
        self.folder = folder
        self.node = node
        self.lab = lab
        self.draw = draw
    }

    func record(_ frame: Frame, _ direction: Direction, line: Name) throws {
        guard frame.job != .none, frame.kind.isRecorded else { return }
        if frame.kind == .jobOffer, open[frame.job] == nil, case .jobOffer(let offer)? = try? frame.message() {
            let secrets = draw(frame.job, frame.attempt)
            let specification = offer.specification.octets
            let manifest = LedgerManifest(job: frame.job, attempt: frame.attempt, node: node.rawValue, role: node.role, contract: lab.contractBytes,
                                          specification: specification, retention: .all, commitments: secrets?.commitments ?? [:])
            open[frame.job] = OpenLedger(manifest: manifest, specification: specification, secrets: secrets)
        }
        guard let writer = try writer(frame.job, line: line) else { return }
        do { try writer.append(frame, direction) } catch { throw Fault(.unwritable, at: "ledger") }
    }

    /// Given out once.
    func takeSecrets(_ job: JobIdentifier) -> JobSecrets? {
        defer { open[job]?.secrets = nil }
        return open[job]?.secrets
    }

    func writer(_ job: JobIdentifier, line: Name) throws -> LedgerWriter? {
        guard let ledger = open[job] else { return nil }
        if let writer = ledger.lines[line] { return writer }
        do {
            let writer = try LedgerWriter(directory: directory(job), manifest: ledger.manifest, contract: lab.contractBytes,
                                          specification: ledger.specification, peer: line.rawValue)
            open[job]?.lines[line] = writer
            return writer
        } catch {
            throw Fault(.unwritable, at: "ledger")
        }
    }

    /// - Throws: where the disk does not take it.
    func synchronize(_ writer: LedgerWriter) throws {
        do { try writer.synchronize() } catch { throw Fault(.unwritable, at: "ledger") }
        for file in files(writer) { synchronized[file.path] = size(file) }
    }

    /// The job is over: what it wrote is brought to the disk.
    func end(_ job: JobIdentifier) {
        _ = takeSecrets(job)
        for writer in (open[job]?.lines ?? [:]).values { try? synchronize(writer) }
    }

    /// The node has lost its power: of what was not synchronised any part may be gone.
    func loseTail(_ world: World) {
        for job in open.keys.sorted(by: { "\($0)" < "\($1)" }) {
            for line in Name.allCases {
                for file in open[job]?.lines[line].map(files) ?? [] {
                    let (least, most) = (synchronized[file.path] ?? 0, size(file))
                    truncate(file.path, off_t(world.draw(least...max(least, most))))
                }
            }
        }
    }

    func directory(_ job: JobIdentifier) -> URL { folder.appending(path: "ledger/\(job)") }

    private func files(_ writer: LedgerWriter) -> [URL] {
        Direction.allCases.flatMap { [LedgerFile.records(writer.peer, $0), LedgerFile.heads(writer.peer, $0)] }
            .map { directory(writer.manifest.job).appending(path: $0) }
    }

    private func size(_ file: URL) -> Int {
        var status = stat()
        return stat(file.path, &status) == 0 ? Int(status.st_size) : 0
    }
}
