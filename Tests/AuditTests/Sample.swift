import Audit
import BigNumber
import Foundation
import Jobs
import Ledger
import Primitives
import Wire

/// A made-up job of three nodes, written by the product's own writer: frames of the right kinds and lengths, random bytes
/// below n^2 for ciphertexts. Its steps can be changed before it is written, and its files afterwards.
struct Sample {
    enum Step {
        case frame(from: Role, to: Role, Message, Phase)
        /// Bytes that no message gives.
        case raw(from: Role, to: Role, MessageKind, [UInt8], Phase)
        case checkpoint(Phase, round: UInt32)
        /// The bank shows the arbiter another root than the platform.
        case forkedCheckpoint(Phase, round: UInt32)
    }

    static let names: [Role: String] = [.bank: "north", .platform: "credit", .arbiter: "arbiter"]
    static let keys: [Role: Ed25519.SigningKey] = [.bank: key(1), .platform: key(2), .arbiter: key(3)]
    /// Products of two primes of 256 bits.
    static let moduli: [Role: Natural] = [
        .bank: natural("d7109fcbc000ec442b054c45297cc75df38c6f4d0b5f12356dcd07fb60218629219c3bfdd460a9776222f4fdf7da04ab4e95df8e3e7bf801788e56bc194bbc91"),
        .platform: natural("9d8e51dbb96a53825c474ec19123881750e5c99d080b9d05a0423d9c23e4b5b4595222cd7d8bee52fa00e25fb7f4e2c74d24f4659254d89c7fa846901ba9199b"),
    ]
    static let ciphertextBytes = 128
    static let aligned = 120
    static let trainingRows = 84

    let folder: Folder
    let job: JobIdentifier
    let recordBytes: Int

    func path(_ role: Role) -> String { folder.url.appending(path: role.rawValue).path }
    func url(_ role: Role, _ name: String) -> URL { folder.url.appending(path: "\(role.rawValue)/\(name)") }

    func open(_ role: Role) throws -> LedgerDirectory { try LedgerDirectory.open(path(role)) }
    func verify(_ role: Role = .bank) throws -> AuditReport { Verification.verify(try open(role)) }
    func reconcile(_ roles: [Role] = [.bank, .platform, .arbiter]) throws -> AuditReport {
        Reconciliation.reconcile(try roles.map { try open($0) })
    }
    func ciphertexts(_ role: Role = .bank) throws -> AuditReport { CiphertextChecks.check(try open(role)) }

    func bytes(_ role: Role, _ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url(role, name))) }
    func write(_ bytes: [UInt8], _ role: Role, _ name: String) throws { try Data(bytes).write(to: url(role, name)) }

    func records(_ role: Role, _ name: String) throws -> [[UInt8]] {
        let bytes = try bytes(role, name)
        return stride(from: 0, to: bytes.count, by: recordBytes).map { Array(bytes[$0..<$0 + recordBytes]) }
    }

    // Documents

    static let contract = contract(suite: "P256-SHA256")
    /// Under which records hold SM3 digests too.
    static let contractSM3 = contract(suite: "SM2-SM3")

    private static func contract(suite: String) -> [UInt8] { Array("""
        {"version": 1, "name": "pilot", "suite": "\(suite)", "limits": {"insecure_key_bits": true, "minimum_key_bits": 512},
         "parties": [
           {"name": "arbiter", "role": "arbiter", "address": "arbiter.example:7001", "pin": "\(pin("1"))", "ledger_key": "\(ledgerKey(.arbiter))"},
           {"name": "north", "role": "bank", "pin": "\(pin("2"))", "ledger_key": "\(ledgerKey(.bank))"},
           {"name": "credit", "role": "platform", "address": "credit.example:7003", "pin": "\(pin("3"))", "ledger_key": "\(ledgerKey(.platform))"}]}
        """.utf8) }

    static let training = specification("""
        {"version": 1, "name": "first", "purpose": {"code": "test", "statement": "a test"}, "parties": {"bank": "north", "platform": "credit"},
         "population": {"id_type": "text", "bank_id": "id", "platform_id": "key", "minimum_intersection": 100},
         "label": {"column": "y"}, "features": {"bank": ["a"], "platform": ["b"]}, "training": {"key_bits": 512, "degree": 2}}
        """)
    static let scoring = specification("""
        {"version": 1, "kind": "score", "name": "second", "purpose": {"code": "test", "statement": "a test"},
         "parties": {"bank": "north", "platform": "credit"},
         "population": {"id_type": "text", "bank_id": "id", "platform_id": "key", "minimum_intersection": 100},
         "model": "0123456789abcdef0123456789abcdef"}
        """)

    private static func specification(_ text: String) -> [UInt8] {
        guard let parsed = try? JobSpecification.parse(Array(text.utf8)) else { preconditionFailure("the sample's specification is refused") }
        return Array(parsed.canonicalJSON().utf8)
    }

    private static func pin(_ digit: String) -> String { String(repeating: digit, count: 64) }
    private static func ledgerKey(_ role: Role) -> String { Data(keys[role]?.verifyingKey.bytes ?? []).base64EncodedString() }

    // The script of a job

    static func ciphertexts(_ count: Int) -> [UInt8] {
        var bytes = SystemRandom.bytes(count * ciphertextBytes)
        // Below both n^2.
        for start in stride(from: 0, to: bytes.count, by: ciphertextBytes) { bytes[start] &= 0x3F }
        return bytes
    }

    static func script(rounds: Int = 2, scoringOnly: Bool = false, contract: [UInt8] = contract) -> [Step] {
        let specification = scoringOnly ? scoring : training
        var steps: [Step] = []
        func each(_ body: (Role, Role) -> Void) {
            body(.bank, .platform)
            body(.platform, .bank)
        }
        func control(_ message: Message, _ phase: Phase) { each { from, _ in steps.append(.frame(from: from, to: .arbiter, message, phase)) } }
        func order(_ message: Message, _ phase: Phase) { each { to, _ in steps.append(.frame(from: .arbiter, to: to, message, phase)) } }
        func send(_ from: Role, _ message: Message) {
            steps.append(.frame(from: from, to: from == .bank ? .platform : .bank, message, message.kind.row.phases[0]))
        }
        func random(_ count: Int) -> Data { SystemRandom.bytes(count).data }

        order(.jobOffer(.filled { $0.specification = specification.data }), .waiting)
        control(.jobAnswer(.init()), .waiting)
        order(.jobStart(.filled { $0.specificationDigest = SHA256.hash(specification).data }), .waiting)
        each { from, _ in
            send(from, .hello(.filled {
                $0.version = ProtocolVersion.current
                $0.specificationDigest = SHA256.hash(specification).data
                $0.contractDigest = SHA256.hash(contract).data
                $0.secretCommitments = random(224)
                $0.agreementKey = random(32)
            }))
        }
        each { from, _ in send(from, .nonce(.filled { $0.nonce = random(32) })) }
        each { from, _ in
            send(from, .paillierKey(.filled {
                $0.modulus = (moduli[from]?.bytes(count: 64) ?? []).data
                $0.certificate = random(11 * 64)
            }))
        }
        control(.jobProgress(.filled { $0.phase = .alignment }), .alignment)
        let listed: [Role: Int] = [.bank: 9000, .platform: 800]
        each { from, _ in
            send(from, .alignmentOpening(.filled {
                $0.count = UInt64(listed[from] ?? 0)
                $0.listDigest = random(32)
                $0.seedCommitment = random(32)
            }))
        }
        for (block, count) in [8192, 808].enumerated() {
            send(.bank, .blindedPoints(.filled { $0.block = UInt32(block); $0.points = random(65 * count) }))
            if block == 0 { send(.platform, .blindedPoints(.filled { $0.points = random(65 * 800) })) }
            send(.platform, .doublyBlindedPoints(.filled { $0.block = UInt32(block); $0.points = random(65 * count) }))
        }
        each { from, _ in send(from, .seedReveal(.filled { $0.seed = random(32) })) }
        send(.bank, .matches(.filled { $0.total = UInt32(aligned); $0.positions = random(4 * aligned) }))
        steps.append(.checkpoint(.alignment, round: 0))
        if !scoringOnly {
            send(.bank, .columns(.filled { $0.count = 5 }))
            send(.platform, .columns(.filled { $0.count = 4 }))
            send(.bank, .curvature(.filled { $0.exponent = -4 }))
            steps.append(.checkpoint(.preparation, round: 0))
            for round in 1...rounds {
                control(.jobProgress(.filled { $0.phase = .training; $0.round = UInt32(round) }), .training)
                each { from, _ in
                    send(from, .roundRows(.filled { $0.round = UInt32(round); $0.ciphertexts = ciphertexts(3 * trainingRows).data }))
                }
                each { from, _ in send(from, .maskedValues(.filled { $0.round = UInt32(round); $0.ciphertexts = ciphertexts(1).data })) }
                each { from, _ in send(from, .returnedBits(.filled { $0.round = UInt32(round); $0.ciphertexts = ciphertexts(1).data })) }
                steps.append(.checkpoint(.training, round: UInt32(round)))
                control(.roundShare(.filled { $0.round = UInt32(round); $0.paddedGram = random(24 * min(round, 10) * (min(round, 10) + 1) / 2) }), .training)
                order(.verdict(.filled {
                    $0.round = UInt32(round)
                    $0.decision = round == rounds ? .finish : .step
                    $0.gamma = random(8 * (round - 1))
                }), .training)
            }
        }
        // 12 scores to a ciphertext.
        send(.platform, .partialScores(.filled { $0.ciphertexts = ciphertexts((aligned + 11) / 12).data }))
        steps.append(.checkpoint(.scoring, round: 0))
        each { from, _ in
            let sent = steps.count { step in
                if case .frame(from, let to, _, _) = step { to != .arbiter } else { false }
            }
            send(from, .closing(.filled { $0.framesSent = UInt64(sent + 1) }))
        }
        control(.jobEnd(.init()), .waiting)
        return steps
    }
}

func key(_ seed: UInt8) -> Ed25519.SigningKey { Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: seed, count: 32))) }

func natural(_ hex: String) -> Natural {
    let digits = hex.compactMap(\.hexDigitValue)
    return Natural(bytes: stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) })
}

/// A folder that goes when it is forgotten.
final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
