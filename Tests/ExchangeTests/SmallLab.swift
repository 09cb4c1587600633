import ArbiterRole
import BankRole
import Exchange
import Faults
import Foundation
import Jobs
import PlatformRole
import Primitives
import Roles
import Testing
import Wire

/// SplitMix64, so that a test's numbers are the same everywhere.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// Box and Muller.
    mutating func normal() -> Double {
        let radius = (-2 * log(Double.random(in: 0x1p-53..<1, using: &self))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
    }
}

func sigmoid(_ u: Double) -> Double { 1 / (1 + exp(-u)) }

/// Two tables in files, and the truth behind them.
final class SmallData: Sendable {
    struct Firm: Sendable {
        let id: String
        let bank: [Double]
        let platform: [Double]
        let bad: Bool
    }

    static let bankColumns = ["turnover", "tenure", "utilisation"]
    static let platformColumns = ["tax", "water", "staff", "arrears"]

    /// Held by both, in no order that a file has.
    let common: [Firm]
    let bankFile: URL
    let platformFile: URL
    /// Everything that must not appear outside its owner's own files.
    let secrets: [String]
    private let folder: URL

    init(common: Int, bankOnly: Int = 60, platformOnly: Int = 80, badRate: Double = 0.3, seed: UInt64 = 1) throws {
        var random = Numbers(state: seed)
        let intercept = log(badRate / (1 - badRate))
        let firms = (0..<common + bankOnly + platformOnly).map { index in
            let bank = [exp(8 + 0.8 * random.normal()), 40 + 17 * random.normal(), 0.5 + 0.2 * random.normal()]
            let platform = [
                1000 + 300 * random.normal(), 5 + 2 * random.normal(), 30 + 11 * random.normal(),
                Double.random(in: 0..<1, using: &random) < 0.35 ? 1 : 0,
            ]
            let score = intercept - 0.5 * (log(bank[0]) - 8) / 0.8 - 0.4 * (bank[1] - 40) / 17 + 0.5 * (bank[2] - 0.5) / 0.2
                - 0.7 * (platform[0] - 1000) / 300 + 0.6 * (platform[1] - 5) / 2 + 0.5 * (platform[2] - 30) / 11 + 0.8 * (platform[3] - 0.35)
            let bad = Double.random(in: 0..<1, using: &random) < sigmoid(score)
            return Firm(id: "firm-\(index)-\(String(random.next(), radix: 36))", bank: bank, platform: platform, bad: bad)
        }
        self.common = Array(firms[..<common])
        let atBank = firms[..<(common + bankOnly)].shuffled(using: &random)
        let atPlatform = (firms[..<common] + firms[(common + bankOnly)...]).shuffled(using: &random)
        let bankLines = atBank.map { "\($0.id),\($0.bad ? 1 : 0)," + $0.bank.map { "\($0)" }.joined(separator: ",") }
        let platformLines = atPlatform.map {
            "\($0.id)," + $0.platform.dropLast().map { "\($0)" }.joined(separator: ",") + ",\($0.platform[3] == 1 ? "true" : "false")"
        }
        secrets = firms.map(\.id) + firms.flatMap { $0.bank.map { "\($0)" } + $0.platform.dropLast().map { "\($0)" } }

        folder = FileManager.default.temporaryDirectory.appending(path: "exchange-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        bankFile = folder.appending(path: "bank.csv")
        platformFile = folder.appending(path: "platform.csv")
        let bankHeader = "firm,outcome," + Self.bankColumns.joined(separator: ",")
        let platformHeader = "firm," + Self.platformColumns.joined(separator: ",")
        try ([bankHeader] + bankLines).joined(separator: "\n").write(to: bankFile, atomically: true, encoding: .utf8)
        try ([platformHeader] + platformLines).joined(separator: "\n").write(to: platformFile, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}

/// One job on a pair of tables, before it runs: what both parties and the arbiter hold.
struct SmallJob: Sendable {
    var data: SmallData
    var job = JobIdentifier("00112233445566778899aabbccddeeff") ?? .none
    var share = 1.0
    var rounds = 12
    var tolerance = 1e-3
    var minimumIntersection = 100
    /// Scores with these halves instead of training.
    var model: (job: String, bank: [UInt8], platform: [UInt8])?
    /// Only aligns, and reveals this.
    var reveal: String?
    /// Other seeds, other secrets.
    var secretSeed: UInt8 = 1
    var limits = SmallJob.openLimits
    var suite = Contract.Suite.p256SHA256
    var contractDigest = [UInt8](repeating: 7, count: 32)
    /// Purposes for which machines use other secrets than those to which they commit.
    var disguised: Set<Purpose> = []
    /// Of a platform that looks at what it gets.
    var curiosity: Curiosity?

    /// Small keys and few rows, and none of the limits that small data break.
    static let openLimits: Contract.Limits = {
        var limits = Contract.Limits()
        limits.insecureKeyBits = true
        limits.minimumKeyBits = 512
        limits.minimumIntersection = 100
        limits.minimumRows = 100
        limits.exposurePercent = nil
        limits.dominanceShare = nil
        return limits
    }()

    var specificationText: String {
        let head = """
            "version": 1, "name": "small", "purpose": { "code": "test", "statement": "A test." },
            "parties": { "bank": "north", "platform": "south" },
            "population": { "id_type": "text", "bank_id": "firm", "platform_id": "firm", "minimum_intersection": \(minimumIntersection) }
            """
        if let model { return "{ \(head), \"kind\": \"score\", \"model\": \"\(model.job)\" }" }
        if let reveal { return "{ \(head), \"kind\": \"align\", \"reveal\": \"\(reveal)\" }" }
        let bank = SmallData.bankColumns.map { "\"\($0)\"" }.joined(separator: ", ")
        let platform = SmallData.platformColumns.dropLast().map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            { \(head), "label": { "column": "outcome" },
              "features": { "bank": [\(bank)], "platform": [\(platform), { "column": "arrears", "type": "flag" }] },
              "split": { "share": \(share), "seed": 3 },
              "training": { "key_bits": 512, "l2": 0.001, "maximum_rounds": \(rounds), "tolerance": \(tolerance) } }
            """
    }

    var specification: JobSpecification {
        get throws { try JobSpecification.parse(Array(specificationText.utf8)) }
    }

    func request(_ role: Role) throws -> RoleRequest {
        let specification = try specification
        return RoleRequest(
            job: job, attempt: 1, specification: specification, specificationDigest: SHA256.hash(Array(specification.canonicalJSON().utf8)),
            suite: suite.rawValue, limits: limits, contractDigest: contractDigest,
            dataset: .init(path: (role == .bank ? data.bankFile : data.platformFile).path), model: role == .bank ? model?.bank : model?.platform)
    }

    func secrets(_ role: Role) -> JobSecrets {
        let seed = secretSeed &* 16 &+ (role == .bank ? 1 : 2)
        let secrets = Purpose.allCases.enumerated().map { index, purpose in
            (purpose, SecretBytes(copying: SHA256.hash([seed, UInt8(index)])))
        }
        return JobSecrets(secrets: Dictionary(uniqueKeysWithValues: secrets), job: job, attempt: 1, role: role)
    }

    func machine(_ role: Role) throws -> any RoleMachine {
        let request = try request(role)
        let context = try JobContext(request, role: role)
        let own = try OwnData.open(request.dataset, specification: request.specification, role: role, model: request.model,
                                    scratch: request.scratch)
        let committed = secrets(role)
        let used = Purpose.allCases.map { ($0, disguised.contains($0) ? SystemRandom.secret(32) : committed.secret($0)) }
        let secrets = JobSecrets(secrets: Dictionary(uniqueKeysWithValues: used), job: job, attempt: 1, role: role).announcing(committed.commitments)
        if role == .bank { return DataParty(context: context, side: BankSide(context: context, data: own), secrets: secrets) }
        let side = PlatformSide(context: context, data: own)
        guard let curiosity else { return DataParty(context: context, side: side, secrets: secrets) }
        return DataParty(context: context, side: CuriousSide(side, curiosity), secrets: secrets)
    }

    /// An arbiter that has taken the job in and has both parties' approval.
    func arbiter() throws -> ArbiterMachine {
        func party(_ name: String, _ role: String, _ digit: String) -> String {
            let address = role == "bank" ? "" : "\"address\": \"127.0.0.1:1\","
            let key = Data(repeating: UInt8(digit) ?? 0, count: 32).base64EncodedString()
            return """
                { "name": "\(name)", "role": "\(role)", \(address) "pin": "\(String(repeating: digit, count: 64))", "ledger_key": "\(key)" }
                """
        }
        let contract = try Contract.parse(Array("""
            { "version": 1, "name": "small", "suite": "P256-SHA256",
              "limits": { "insecure_key_bits": true, "minimum_key_bits": 512, "minimum_intersection": 100, "minimum_rows": 100 },
              "parties": [\(party("middle", "arbiter", "1")), \(party("north", "bank", "2")), \(party("south", "platform", "3"))],
              "people": [{ "name": "ann", "role": "analyst", "pin": "\(String(repeating: "4", count: 64))" }] }
            """.utf8))
        let digest = [UInt8](repeating: 7, count: 32)
        var machine = ArbiterMachine(contract: contract, contractDigest: digest, ledgerKey: Ed25519.SigningKey(seed: SecretBytes(copying: digest)))
        func hear(_ message: Message, _ line: ArbiterLine, _ id: JobIdentifier) -> [ArbiterEffect] {
            machine.step(.heard(message, job: id, from: line, fresh: job), unixSeconds: 1)
        }
        for name in ["north", "south"] {
            _ = hear(.nodeRegister(.filled { $0.version = ProtocolVersion.current; $0.contractDigest = digest.data }), .party(name), .none)
        }
        _ = hear(.submitJob(.filled { $0.specification = Array(specificationText.utf8).data }), .person("ann", connection: 1), .none)
        for name in ["north", "south"] { _ = hear(.jobAnswer(.init()), .party(name), job) }
        return machine
    }
}
