import Faults
import Ledger

/// What a ledger is held to. The names are stable: programs may compare them.
package enum Rule: String, Sendable, Hashable, CaseIterable {
    // Documents and files
    case document, file
    // One record
    case recordLength = "record-length"
    case recordFields = "record-fields"
    case kind, phase, attempt, sequence, length
    // Its payload
    case payloadKept = "payload-kept"
    case payloadDigest = "payload-digest"
    case payloadForm = "payload-form"
    case payloadContent = "payload-content"
    // The order of frames, and what follows from public counts
    case order, count
    // Heads
    case headForm = "head-form"
    case headOrigin = "head-origin"
    case headGrowth = "head-growth"
    case headRoot = "head-root"
    case headSignatures = "head-signatures"
    case headMissing = "head-missing"
    // Several ledgers
    case sameJob = "same-job"
    case frameMissing = "frame-missing"
    case frameDiffers = "frame-differs"
    case twoRoots = "two-roots"
    // What the socket carried
    case bytes
    // Ciphertexts
    case key
    case ciphertextWidth = "ciphertext-width"
    case ciphertextRange = "ciphertext-range"
    case ciphertextUnit = "ciphertext-unit"
    case randomness, repetition
    case byteStatistics = "byte-statistics"
    // Values of a data set
    case canary
    // A ledger of operations
    case entryForm = "entry-form"
    case entrySequence = "entry-sequence"
    case entryContract = "entry-contract"
    case subjectList = "subject-list"
    case witness
}

/// Where something was found.
package struct Place: Sendable, Hashable {
    /// The node whose ledger it is.
    package var ledger = ""
    /// The peer at the other end of the line.
    package var line: String?
    package var direction: Direction?
    /// Index of the record, from 0.
    package var frame: Int?
    /// In the file, or in the payload where `file` is the payload's.
    package var offset: Int?
    package var file: String?

    package init(ledger: String = "", line: String? = nil, direction: Direction? = nil, frame: Int? = nil, offset: Int? = nil, file: String? = nil) {
        self.ledger = ledger
        self.line = line
        self.direction = direction
        self.frame = frame
        self.offset = offset
        self.file = file
    }

    package func text(_ language: Language) -> String {
        var parts: [String] = ledger.isEmpty ? [] : [ledger]
        if let line { parts.append(Phrase(en: "line to \(line)", zh: "与 \(line) 的线路")(language)) }
        if let direction { parts.append(direction.name(language)) }
        if let frame { parts.append(Phrase(en: "frame \(frame)", zh: "第 \(frame) 帧")(language)) }
        if let file { parts.append(file) }
        if let offset { parts.append(Phrase(en: "byte \(offset)", zh: "字节 \(offset)")(language)) }
        // Names of files are whatever someone has put there.
        return String(String.UnicodeScalarView(parts.joined(separator: language == .zh ? "，" : ", ").unicodeScalars.map {
            $0.properties.generalCategory == .control || $0.properties.generalCategory == .format ? "?" : $0
        }))
    }
}

/// One way in which a ledger is not what it must be.
package struct Finding: Sendable, Hashable {
    package let rule: Rule
    package let place: Place
    package let message: Phrase

    package func text(_ language: Language) -> String { "\(place.text(language)): \(message(language)) [\(rule.rawValue)]" }
}

/// What a check found, and what it looked at.
package struct AuditReport: Sendable {
    /// More would help nobody.
    package static let mostFindings = 200

    package private(set) var findings: [Finding] = []
    /// Beyond `mostFindings`.
    package private(set) var furtherFindings = 0
    /// What was checked, in words, and what could not be.
    package private(set) var facts: [Phrase] = []

    package init() {}

    package var holds: Bool { findings.isEmpty }

    package mutating func add(_ rule: Rule, at place: Place, en: String, zh: String) {
        guard findings.count < Self.mostFindings else {
            furtherFindings += 1
            return
        }
        findings.append(Finding(rule: rule, place: place, message: Phrase(en: en, zh: zh)))
    }

    package mutating func state(en: String, zh: String) { facts.append(Phrase(en: en, zh: zh)) }
}

extension Direction {
    package var name: Phrase {
        switch self {
        case .sent: Phrase(en: "sent", zh: "发送")
        case .received: Phrase(en: "received", zh: "接收")
        }
    }
}
