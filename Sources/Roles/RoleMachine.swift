import Faults
import Foundation
import Jobs
import Wire

/// A party's part of one attempt of one job as a state machine: events in, effects out, and nothing else. No clock, no
/// socket, no file, no randomness that was not handed to it at the start, so that the same events give the same effects.
///
/// A step may compute for a while (a block of encryptions), so it is called away from the threads that serve lines.
package protocol RoleMachine: Sendable {
    /// Which lines the machine is ready to hear now. A runtime leaves everything else unread: that is the back-pressure,
    /// and it keeps a message of the next state from arriving in this one.
    var listening: Set<LineEnd> { get }
    /// Where the job stands at this party: every frame is marked with it.
    var phase: Phase { get }
    /// Whether there is work to be done without hearing anything.
    var wantsToProceed: Bool { get }

    /// Own subjects: for the node's own list of accesses alone.
    var subjects: IdentifierList { get }
    /// Elements of the list that is sent, which may be more.
    var listed: Int { get }

    /// Whom the list of authorisations let in, where it was asked.
    var admitted: Admitted? { get }

    mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect]

    /// The files of a completed job: name and contents, for this node's own eyes.
    func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile]

    /// What people read of a completed job, from its files; `nil` where they hold no report.
    func page(of files: [ResultFile], language: Language) -> ResultFile?
}

extension RoleMachine {
    package var listed: Int { subjects.count }
    package var admitted: Admitted? { nil }

    /// A machine that reports nothing has no page.
    package func page(of files: [ResultFile], language: Language) -> ResultFile? { nil }
}

/// By which list of authorisations subjects were let in, and who was not: for the node's own records alone.
package struct Admitted: Sendable, Hashable {
    /// Merkle root of the list, 32 bytes, its lines, and the day.
    package let root: [UInt8]
    package let lines: Int
    package let day: Day
    /// Subjects of the data set that were left out.
    package let excluded: [String]

    package init(root: [UInt8], lines: Int, day: Day, excluded: [String]) {
        self.root = root
        self.lines = lines
        self.day = day
        self.excluded = excluded
    }
}

package struct ResultFile: Sendable {
    private enum Body: Sendable {
        case bytes([UInt8])
        case identifiers(IdentifierList)
    }

    package let name: String
    private let body: Body

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        body = .bytes(bytes)
    }

    /// File of the common subjects that a party was told.
    package static let alignedName = "aligned.csv"

    /// CSV of one column, `id`.
    package init(name: String, identifiers: IdentifierList) {
        self.name = name
        body = .identifiers(identifiers)
    }

    /// The contents piece by piece: a list may be longer than memory.
    package func forEachPiece(_ take: ([UInt8]) throws -> Void) throws {
        switch body {
        case .bytes(let bytes): try take(bytes)
        case .identifiers(let list):
            try take(Array("id\n".utf8))
            for block in 0..<list.blocks {
                try take(try list.block(block).flatMap { Self.quoted($0) + [0x0a] })
            }
        }
    }

    /// RFC 4180.
    private static func quoted(_ field: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard field.contains(where: { [quote, UInt8(ascii: ","), 0x0a, 0x0d].contains($0) }) else { return field }
        return [quote] + field.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
    }

    /// Of a file that is known to be small.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        try? forEachPiece { bytes += $0 }
        return bytes
    }
}

/// What only the runtime can measure of a run.
package struct RunMeasurements: Sendable {
    package var secondsAligning = 0.0
    package var secondsTraining = 0.0
    package var secondsScoring = 0.0
    package var secondsTotal = 0.0
    /// On the line to the peer, frames with their headers.
    package var bytesSent: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    /// The same by the phase that the frames belong to.
    package var bytesByPhase: [Phase: (sent: UInt64, received: UInt64)] = [:]
    package var finished: Date?

    package init() {}
}

/// The two lines of a data party; the arbiter has one to each party of a job.
package enum LineEnd: Sendable, Hashable {
    case peer
    case arbiter
}

package enum RoleEvent: Sendable {
    case start
    /// Do the next piece of own work.
    case proceed
    case message(Message, from: LineEnd)
}

package enum RoleEffect: Sendable {
    case send(Message, to: LineEnd)
    /// How far the job is: shown at the node and, thinned out, told to the arbiter.
    case progress(JobProgress)
    /// That phase, or that round of training, has ended: everything of it has been sent and received. What follows waits until
    /// both parties and the arbiter have signed how far the ledgers have come.
    case checkpoint(Phase, round: UInt32)
    /// What these of the own subjects are used for, before anything that follows from it leaves.
    case used(SubjectUse, IdentifierList)
    /// The job is done at this node.
    case completed
}

/// What a subject's row serves.
package enum SubjectUse: Sendable, Hashable { case aligned, trained, scored }

extension Set<LineEnd> {
    package static let both: Set<LineEnd> = [.peer, .arbiter]
}
