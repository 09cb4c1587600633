import Foundation
import Wire

/// One line of a node's ledger of operations. Source: `Protocols/ledger.md`, "Ledger of operations".
///
/// Holds names of the contract and of configurations, counts and digests; never an identifier of a subject or a data value.
package struct OperationsEntry: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable, CaseIterable, Codable {
        /// The contract that holds from here on, by its digest: the first entry, and one after each change.
        case contract = "contract"
        case nodeStarted = "node.started"
        case nodeStopped = "node.stopped"
        /// An entry that was not finished when the program ended was dropped; `count` bytes.
        case recovered = "ledger.recovered"
        case jobApproved = "job.approved"
        /// `object`: number of the fault.
        case jobRefused = "job.refused"
        case jobStarted = "job.started"
        /// `object`: `completed`, or the number of the fault.
        case jobEnded = "job.ended"
        /// `object`: data set; `digest` of the file; `count` of rows, where they could be read.
        case dataRead = "data.read"
        /// A program of the operator's is asked for values of subjects; `object`: the program; `count` of subjects.
        case dataCalled = "data.called"
        /// The description of a data set goes to everyone of the contract; `object`: data set; `digest` of the description.
        case dataPublished = "data.published"
        case dataWithdrawn = "data.withdrawn"
        /// `digest` of a list of keyed digests of subjects; `count` of them.
        case subjectsRead = "subjects.read"
        case subjectsAligned = "subjects.aligned"
        case subjectsTrained = "subjects.trained"
        case subjectsScored = "subjects.scored"
        /// Who of the data set had not authorised what the job uses, and stayed out.
        case subjectsExcluded = "subjects.excluded"
        /// `digest`: root of the list of authorisations that decided; `count` of its lines; `object`: the day.
        case authorisationsApplied = "authorisations.applied"
        /// `object`: `import`, `add` or `withdraw`; `digest`: root of the list from here on; `count` of its lines.
        case authorisationsChanged = "authorisations.changed"
        /// All secrets of a job; with `object` the file of a node's new key, whose public part `digest` is of.
        case keysMade = "keys.made"
        /// Secrets of a job are kept, sealed to owner and auditor; `count` of them.
        case keysSealed = "keys.sealed"
        /// Two keys were given to open what was sealed, whether or not they fit.
        case keysOpened = "keys.opened"
        /// `object`: the file of a node's key that takes the place of another.
        case keysActivated = "keys.activated"
        /// Those in memory; with `object` what was sealed for that purpose.
        case keysDestroyed = "keys.destroyed"
        /// Keys and results of the node were sealed under the operator's key, or made plain again; `count` of files.
        case filesSealed = "files.sealed"
        case filesOpened = "files.opened"
        /// `object`: name of the file; `digest` of it.
        case resultKept = "result.kept"
        /// Shown to a person or written elsewhere.
        case resultExported = "result.exported"
        case modelRetired = "model.retired"
        /// Someone asked which accesses touched a subject; `count` of those found.
        case subjectAudited = "subject.audited"
        /// `count` of bytes: payloads that the retention rule does not keep, after the job's ledger was verified.
        case payloadsDropped = "payloads.dropped"
        /// A lifetime of `retention` has ended, and this was deleted: all payloads of a job, `count` bytes; one of its results,
        /// `object`, whose `digest` it had; a list of keyed digests of subjects, `digest`, `count` of them.
        case payloadsExpired = "payloads.expired"
        case resultExpired = "result.expired"
        case subjectsExpired = "subjects.expired"
        /// The job's ledger did not hold, so its payloads stay; `count` of findings.
        case payloadsHeld = "payloads.held"

        /// Whether `digest` is that of a list of subjects.
        package var namesSubjects: Bool { [.subjectsRead, .subjectsAligned, .subjectsTrained, .subjectsScored, .subjectsExcluded].contains(self) }
    }

    package static let saltBytes = 16
    package static let maximumLineBytes = 2048
    /// No entry is shorter.
    package static let minimumLineBytes = 100
    /// Of `actor`, `purpose` and `object`, bytes of UTF-8.
    package static let maximumTextBytes = 160

    /// From 0.
    package let sequence: UInt64
    package let time: Date
    /// `node`, `configuration`, `account NAME` of the operating system, `approver NAME` of the contract.
    package let actor: String
    package let action: Action
    /// Code of the specification; outside a job what data were read for.
    package let purpose: String?
    package let job: JobIdentifier?
    /// What was acted on, by a name.
    package let object: String?
    /// 32 bytes.
    package let digest: [UInt8]?
    package let count: UInt64?
    /// 16 bytes, random: an entry with little in it cannot be guessed from the hashes that others see.
    package let salt: [UInt8]

    package init(sequence: UInt64, time: Date, actor: String, action: Action, purpose: String? = nil, job: JobIdentifier? = nil,
                 object: String? = nil, digest: [UInt8]? = nil, count: UInt64? = nil, salt: [UInt8]) {
        self.sequence = sequence
        self.time = Date(timeIntervalSince1970: time.timeIntervalSince1970.rounded(.down))
        self.actor = Self.text(actor)
        self.action = action
        self.purpose = purpose.map(Self.text)
        self.job = job
        self.object = object.map(Self.text)
        self.digest = digest
        self.count = count
        self.salt = salt
    }

    /// Printable, and no longer than an entry may hold.
    private static func text(_ text: String) -> String {
        let printable = Message.isPrintable(text) ? text : String(text.map { Message.isPrintable(String($0)) ? $0 : "?" })
        var short = printable
        while short.utf8.count > maximumTextBytes { short.removeLast() }
        return short
    }

    private struct Document: Codable {
        let action: Action
        let actor: String
        let count: UInt64?
        let digest: String?
        let job: String?
        let object: String?
        let purpose: String?
        let salt: String
        let sequence: UInt64
        let time: String
    }

    /// Canonical JSON (RFC 8785), without a line break: this is the leaf.
    package func encode() -> [UInt8] {
        let document = Document(
            action: action, actor: actor, count: count, digest: digest.map { hexadecimal($0) }, job: job.map { "\($0)" }, object: object,
            purpose: purpose, salt: hexadecimal(salt), sequence: sequence, time: time.formatted(.iso8601))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(document))
        } catch {
            preconditionFailure("an entry of texts and numbers was not written: \(error)")
        }
    }

    /// How every entry of that action begins: its members stand in alphabetical order.
    static func beginning(_ action: Action) -> [UInt8] { Array("{\"action\":\"\(action.rawValue)\",".utf8) }

    /// Nothing for bytes that `encode` does not write.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count <= Self.maximumLineBytes, let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
              let time = try? Date(document.time, strategy: .iso8601), let salt = octets(document.salt), salt.count == Self.saltBytes
        else { return nil }
        let job = document.job.flatMap { JobIdentifier($0) }
        let digest = document.digest.flatMap(octets)
        guard (job == nil) == (document.job == nil), (digest == nil) == (document.digest == nil), digest?.count ?? 32 == 32 else { return nil }
        self.init(sequence: document.sequence, time: time, actor: document.actor, action: document.action, purpose: document.purpose, job: job,
                  object: document.object, digest: digest, count: document.count, salt: salt)
        guard encode() == bytes else { return nil }
    }
}
