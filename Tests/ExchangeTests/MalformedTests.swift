import BigInt
import BigNumber
import Exchange
import Faults
import Foundation
import Jobs
import Paillier
import Primitives
import Roles
import SetIntersection
import Testing
import Wire

/// Messages of the right kind at the right time that say the wrong thing.
@Suite("Malformed messages") struct MalformedTests {
    private static let data = Result { try SmallData(common: 520, seed: 9) }

    private static func job() throws -> SmallJob { SmallJob(data: try data.get(), rounds: 2) }

    /// Runs an honest job and hands every message of `kind` to `body` before it is delivered. Returns how many there were.
    @discardableResult
    private static func atEach(
        _ kind: MessageKind, _ job: SmallJob? = nil, _ body: @escaping (_ machine: any RoleMachine, _ role: Role, _ message: Message, _ sofar: Heard) throws -> Void
    ) throws -> Int {
        var heard = Heard()
        var count = 0
        var conversation = try Conversation(try job ?? Self.job())
        conversation.tamper = { message, from, _ in heard.sent[from, default: []].append(message) }
        conversation.probe = { machine, role, message, _ in
            guard message.kind == kind else { return }
            count += 1
            try body(machine, role, message, heard)
        }
        let outcome = try conversation.run()
        #expect(outcome.completed.count == 2)
        return count
    }

    struct Heard {
        var sent: [Role: [Message]] = [:]

        func first(_ kind: MessageKind, from role: Role) -> Message? { sent[role]?.first { $0.kind == kind } }
    }

    // Opening

    @Test("another version, specification or contract")
    func hello() throws {
        let count = try Self.atEach(.hello) { machine, _, message, _ in
            guard case .hello(let honest) = message else { return }
            func changed(_ change: (inout Hello) -> Void) -> Fault? {
                var hello = honest
                change(&hello)
                return fault(machine, .hello(hello))
            }
            #expect(changed { $0.version = ProtocolVersion.current + 1 }?.code == .versionMismatch)
            #expect(changed { $0.version = 0 }?.code == .versionMismatch)
            #expect(changed { $0.version = .max }?.code == .versionMismatch)
            for bit in [0, 100, 255] {
                #expect(changed { $0.specificationDigest = flip($0.specificationDigest, bit) }?.code == .contractMismatch)
                #expect(changed { $0.contractDigest = flip($0.contractDigest, bit) }?.code == .contractMismatch)
            }
            #expect(changed { swap(&$0.contractDigest, &$0.specificationDigest) }?.code == .contractMismatch)
        }
        #expect(count == 2)
    }

    /// Points of small order on the curve and on its twist, RFC 7748 and https://cr.yp.to/ecdh.html: every secret gives zero.
    private static let smallOrder = [
        "0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test("an agreement key that makes the shared secret a constant", arguments: smallOrder)
    func agreement(key: String) throws {
        let bytes = stride(from: 0, to: 64, by: 2).map { UInt8(key.dropFirst($0).prefix(2), radix: 16) ?? 0 }
        var conversation = try Conversation(try Self.job())
        conversation.tamper = { message, from, _ in
            guard from == .platform, case .hello(var hello) = message else { return }
            hello.agreementKey = bytes.data
            message = .hello(hello)
        }
        let outcome = try conversation.run()
        #expect(outcome.faults[.bank]?.code == .cryptographicCheck)
        #expect(!outcome.crossings.contains { $0.from == .bank && $0.kind == .paillierKey })
    }

    @Test("a Paillier key that is no key, is not proven, or is the receiver's own")
    func paillierKey() throws {
        let count = try Self.atEach(.paillierKey) { machine, role, message, heard in
            guard case .paillierKey(let honest) = message else { return }
            func changed(_ change: (inout PaillierKey) -> Void) -> Fault? {
                var key = honest
                change(&key)
                return fault(machine, .paillierKey(key))
            }
            let n = BigUInt(honest.modulus)
            func modulus(_ value: BigUInt) -> Fault? { changed { $0.modulus = Ciphertexts.bytes(value, width: 64).data } }
            #expect(fault(machine, message) == nil)
            let smallest = BigUInt(1) << 511
            var malformed: [BigUInt] = [0, 1, n + 1, n + 2, n - 2, n / 2 + 1, smallest + 1, 2 * smallest - 1]
            // With a small factor, odd, and of the right length.
            for factor: BigUInt in [3, 5, 6367] { malformed.append(factor * (smallest / factor / 2 * 2 + 3)) }
            for value in malformed { #expect(modulus(value)?.code == .cryptographicCheck, "\(value)") }
            #expect(changed { $0.modulus.removeLast() }?.code == .cryptographicCheck)
            #expect(changed { $0.modulus.append(0) }?.code == .cryptographicCheck)
            #expect(changed { $0.modulus = Data() }?.code == .cryptographicCheck)
            #expect(changed { $0.certificate = Data() }?.code == .cryptographicCheck)
            #expect(changed { $0.certificate.removeLast(64) }?.code == .cryptographicCheck)
            #expect(changed { $0.certificate.append(contentsOf: [UInt8](repeating: 0, count: 64)) }?.code == .cryptographicCheck)
            #expect(changed { $0.certificate = Data(repeating: 0, count: 11 * 64) }?.code == .cryptographicCheck)
            for bit in [0, 8 * 64 * 5, 8 * 64 * 11 - 1] { #expect(changed { $0.certificate = flip($0.certificate, bit) }?.code == .cryptographicCheck) }
            let own = try #require(heard.first(.paillierKey, from: role))
            #expect(fault(machine, own)?.code == .cryptographicCheck)

            // Keys of the test's own: one length, proven for this place, and for other places.
            let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 42, count: 32)))
            let other = PrivateKey.generateInsecure(bits: 512, random: random)
            let long = PrivateKey.generateInsecure(bits: 768, random: random)
            let job = try Self.job().job
            let sender = role == .bank ? "platform" : "bank"
            func proven(_ key: PrivateKey, _ context: String) -> Fault? {
                changed {
                    $0.modulus = key.publicKey.wire.data
                    $0.certificate = KeyCertificate.make(for: key, context: Array(context.utf8)).data
                }
            }
            #expect(proven(other, "\(job) 1 \(sender)") == nil)
            #expect(proven(long, "\(job) 1 \(sender)")?.code == .cryptographicCheck)
            for context in ["\(job) 2 \(sender)", "\(job) 1 \(role.rawValue)", "\(JobIdentifier.none) 1 \(sender)", ""] {
                #expect(proven(other, context)?.code == .cryptographicCheck)
            }
        }
        #expect(count == 2)
    }

    // Alignment

    @Test("a list that is empty, larger than the contract allows, or larger than memory")
    func counts() throws {
        try Self.atEach(.alignmentOpening) { machine, _, message, _ in
            guard case .alignmentOpening(let honest) = message else { return }
            func count(_ count: UInt64) -> Fault? {
                var opening = honest
                opening.count = count
                return fault(machine, .alignmentOpening(opening))
            }
            let limit = UInt64(SmallJob.openLimits.maximumSetSize)
            #expect(count(0)?.code == .wrongCount)
            #expect(count(limit) == nil)
            #expect(count(limit + 1)?.code == .setTooLarge)
            #expect(count(UInt64(Int.max))?.code == .setTooLarge)
            #expect(count(.max)?.code == .setTooLarge)
        }
    }

    @Test("blinded points that are no points, repeat, come back, or are not those announced")
    func blindedPoints() throws {
        try Self.atEach(.blindedPoints) { machine, role, message, heard in
            guard case .blindedPoints(let honest) = message, case .blindedPoints(let own)? = heard.first(.blindedPoints, from: role) else {
                Issue.record("the receiver has sent its points by now")
                return
            }
            let valid = honest.points.octets
            func tried(_ points: [UInt8], block: UInt32 = 0) -> Fault? {
                fault(machine, .blindedPoints(.filled { $0.block = block; $0.points = points.data }))
            }
            #expect(tried(valid) == nil)
            #expect(tried(valid, block: 1)?.code == .wrongCount && tried(valid, block: .max)?.code == .wrongCount)
            #expect(tried([])?.code == .wrongCount && tried(valid.dropLast(65))?.code == .wrongCount)
            #expect(tried(valid + valid.prefix(65))?.code == .wrongCount)
            for replacement in Self.noPoints { #expect(tried(valid.dropLast(65) + replacement)?.code == .cryptographicCheck) }
            #expect(tried(valid.dropLast(65) + valid.prefix(65))?.code == .cryptographicCheck)
            // The negative of a point is the same x, and as good a repeat.
            #expect(tried(valid.dropLast(65) + Self.negative(valid.prefix(65)))?.code == .cryptographicCheck)
            #expect(tried(valid.dropLast(65) + own.points.octets.prefix(65))?.code == .cryptographicCheck)
            #expect(tried(Array(valid.suffix(65) + valid.dropLast(65)))?.code == .cryptographicCheck)
            // A valid point that was not announced: the generator.
            #expect(tried(valid.dropLast(65) + Self.generator)?.code == .cryptographicCheck)
        }
    }

    /// SEC 2, secp256r1.
    private static let generator: [UInt8] = [
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
        0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
        0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ]

    /// The same x, and p - y.
    private static func negative(_ point: ArraySlice<UInt8>) -> [UInt8] {
        let prime: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 0xff, count: 12)
        var borrow = 0
        let y = zip(prime, point.suffix(32)).reversed().map { prime, y in
            let difference = Int(prime) - Int(y) - borrow
            borrow = difference < 0 ? 1 : 0
            return UInt8(truncatingIfNeeded: difference)
        }
        return point.prefix(33) + y.reversed()
    }

    /// Identity in 65 bytes, other prefixes, off the curve, not reduced.
    private static let noPoints: [[UInt8]] = [
        [UInt8](repeating: 0, count: 65), [0x02] + generator.dropFirst(), [0x00] + generator.dropFirst(), [0x07] + generator.dropFirst(),
        generator.dropLast() + [0xf4], [0x04] + [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xff, count: 65),
        [0x04] + [UInt8](repeating: 0xff, count: 64),
    ]

    @Test("doubled points that are no points, repeat, or are too many or few")
    func doubled() throws {
        try Self.atEach(.doublyBlindedPoints) { machine, _, message, heard in
            guard case .doublyBlindedPoints(let honest) = message else { return }
            let valid = honest.points.octets
            func tried(_ points: [UInt8], block: UInt32 = 0) -> Fault? {
                fault(machine, .doublyBlindedPoints(.filled { $0.block = block; $0.points = points.data }))
            }
            #expect(tried(valid, block: 1)?.code == .wrongCount && tried([])?.code == .wrongCount)
            #expect(tried(valid.dropLast(65))?.code == .wrongCount && tried(valid + valid.prefix(65))?.code == .wrongCount)
            for replacement in Self.noPoints { #expect(tried(valid.dropLast(65) + replacement)?.code == .cryptographicCheck) }
        }
        // A repeat ends the job before a match is told.
        var conversation = try Conversation(try Self.job())
        conversation.tamper = { message, _, _ in
            guard case .doublyBlindedPoints(var doubled) = message else { return }
            doubled.points.replaceSubrange(65..<130, with: doubled.points.prefix(65))
            message = .doublyBlindedPoints(doubled)
        }
        let outcome = try conversation.run()
        #expect(outcome.faults[.bank]?.code == .cryptographicCheck)
        #expect(!outcome.crossings.contains { $0.kind == .matches })
    }

    @Test("a seed that was not committed to")
    func seed() throws {
        let count = try Self.atEach(.seedReveal) { machine, _, message, _ in
            guard case .seedReveal(let honest) = message else { return }
            for bit in [0, 77, 255] {
                #expect(fault(machine, .seedReveal(.filled { $0.seed = flip(honest.seed, bit) }))?.code == .cryptographicCheck)
            }
        }
        #expect(count == 2)
    }

    @Test("matches that are unsorted, repeated, out of range, too many, too few, or not as announced")
    func matches() throws {
        let count = try Self.atEach(.matches) { machine, _, message, _ in
            guard case .matches(let honest) = message else { return }
            #expect(honest.total == 520)
            let positions = honest.positions.octets
            func matches(_ positions: [UInt8], total: UInt32 = 520, block: UInt32 = 0) -> Fault? {
                fault(machine, .matches(.filled { $0.total = total; $0.block = block; $0.positions = positions.data }))
            }
            func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
            #expect(matches(positions) == nil)
            #expect(matches(positions, block: 1)?.code == .wrongCount && matches(positions, block: .max)?.code == .wrongCount)
            #expect(matches(positions.dropLast(4))?.code == .wrongCount && matches(positions + big(9999))?.code == .wrongCount)
            #expect(matches(Array(positions[4..<8] + positions[..<4] + positions[8...]))?.code == .wrongCount)
            #expect(matches(Array(positions[..<4] + positions[..<4] + positions[8...]))?.code == .wrongCount)
            // The platform holds 600.
            #expect(matches(positions.dropLast(4) + big(600))?.code == .wrongCount)
            #expect(matches(positions.dropLast(4) + big(.max))?.code == .wrongCount)
            #expect(matches((0..<601).flatMap(big), total: 601)?.code == .wrongCount)
            #expect(matches(positions, total: .max)?.code == .wrongCount)
            #expect(matches([], total: 0)?.code == .intersectionTooSmall)
            #expect(matches((0..<99).flatMap(big), total: 99)?.code == .intersectionTooSmall)
            #expect(matches((0..<100).flatMap(big), total: 100) == nil)
        }
        #expect(count == 1)
    }

    // Preparation

    @Test("a number of columns that is none, or more than anyone has")
    func columns() throws {
        let count = try Self.atEach(.columns) { machine, role, _, _ in
            func columns(_ count: UInt32) -> Fault? { fault(machine, .columns(.filled { $0.count = count })) }
            #expect(columns(0)?.code == .noUsableColumns)
            #expect(columns(100_001)?.code == .tooManyValues && columns(.max)?.code == .tooManyValues)
            // 2 rounds of 131 columns want 524 rows.
            #expect(columns(131)?.code == .tooFewRows && columns(100_000)?.code == .tooFewRows)
            if role == .platform { #expect(columns(130) == nil) }
        }
        #expect(count == 2)
    }

    @Test("a curvature that no labels have")
    func curvature() throws {
        let count = try Self.atEach(.curvature) { machine, _, _, _ in
            func curvature(_ exponent: Int32) -> Fault? { fault(machine, .curvature(.filled { $0.exponent = exponent })) }
            for exponent in [Int32.min, -1000, -21, -1, 0, 1, 62, .max] { #expect(curvature(exponent)?.code == .malformedMessage, "\(exponent)") }
            for exponent in Int32(-20)...(-2) { #expect(curvature(exponent) == nil) }
        }
        #expect(count == 1)
    }

    // Rounds and scores

    @Test("ciphertexts that are none, in every message that has any", arguments: [MessageKind.roundRows, .maskedValues, .returnedBits, .partialScores])
    func ciphertexts(kind: MessageKind) throws {
        var tried: Set<String> = []
        let count = try Self.atEach(kind) { machine, role, message, heard in
            let sender: Role = role == .bank ? .platform : .bank
            guard let honest = message.ciphertexts, case .paillierKey(let key)? = heard.first(.paillierKey, from: keyOwner(kind, from: sender)) else {
                return
            }
            // The last block of rows is short, the first is not: each form once for each.
            guard tried.insert("\(role) \(honest.count)").inserted else { return }
            for field in Ciphertexts.fields(honest, under: BigUInt(key.modulus)) {
                let changed = try #require(message.withCiphertexts(field.bytes))
                #expect(fault(machine, changed)?.code == field.code, "\(field.name) at \(role)")
            }
        }
        #expect(count >= 1 && !tried.isEmpty)
    }

    @Test("a ciphertext of an earlier block of the round")
    func repeatAcrossBlocks() throws {
        var first: [Role: [UInt8]] = [:]
        var tried = 0
        try Self.atEach(.roundRows) { machine, role, message, _ in
            guard case .roundRows(let rows) = message, let honest = message.ciphertexts else { return }
            if rows.block == 0 { first[role] = honest } else if let earlier = first[role] {
                tried += 1
                let changed = try #require(message.withCiphertexts(honest.dropLast(128) + earlier.prefix(128)))
                #expect(fault(machine, changed)?.code == .cryptographicCheck)
            }
        }
        #expect(tried == 4)
    }

    @Test("rows, sums and scores of another round or block")
    func wrongPlace() throws {
        try Self.atEach(.roundRows) { machine, _, message, _ in
            guard case .roundRows(let honest) = message else { return }
            for (round, block) in [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (65_537, 0), (UInt32.max, UInt32.max)] as [(UInt32, UInt32)]
            where (round, block) != (honest.round, honest.block) {
                var rows = honest
                rows.round = round
                rows.block = block
                #expect(fault(machine, .roundRows(rows))?.code == .unexpectedMessage, "\(round), \(block)")
            }
        }
        try Self.atEach(.maskedValues) { machine, _, message, _ in
            guard case .maskedValues(var values) = message else { return }
            values.round = 3 - values.round
            #expect(fault(machine, .maskedValues(values))?.code == .unexpectedMessage)
        }
        try Self.atEach(.returnedBits) { machine, _, message, _ in
            guard case .returnedBits(var values) = message else { return }
            values.round = 3 - values.round
            #expect(fault(machine, .returnedBits(values))?.code == .unexpectedMessage)
        }
        try Self.atEach(.partialScores) { machine, _, message, _ in
            guard case .partialScores(var scores) = message else { return }
            scores.block += 1
            #expect(fault(machine, .partialScores(scores))?.code == .unexpectedMessage)
        }
    }

    @Test("whatever is encrypted in an answer, nothing about it can be told from how the receiver goes on")
    func oracle() throws {
        // Any plaintext below n in place of the low bits: a receiver that complained about some of them would tell the
        // sender, who can make ciphertexts of the receiver's own numbers, something about those.
        let count = try Self.atEach(.returnedBits) { machine, role, message, heard in
            guard let honest = message.ciphertexts, case .paillierKey(let key)? = heard.first(.paillierKey, from: role) else { return }
            let n = BigUInt(key.modulus)
            for plaintext in [BigUInt(0), 1, n - 1, n / 2, BigUInt(1) << 400, (BigUInt(1) << 511)] {
                let randomiser = BigUInt(98_765).power(n, modulus: n * n)
                let cipher = (1 + plaintext % n * n) * randomiser % (n * n)
                let changed = try #require(message.withCiphertexts(Ciphertexts.bytes(cipher) + honest.dropFirst(128)))
                #expect(fault(machine, changed) == nil, "\(plaintext) at \(role)")
            }
        }
        #expect(count == 4)
    }

    // The arbiter

    @Test("a verdict of another round, with another number of coefficients, or past the last round")
    func verdict() throws {
        let count = try Self.atEach(.verdict) { machine, _, message, _ in
            guard case .verdict(let honest) = message else { return }
            func changed(_ change: (inout Verdict) -> Void) -> Fault? {
                var verdict = honest
                change(&verdict)
                return fault(machine, .verdict(verdict), from: .arbiter)
            }
            #expect(honest.gamma.count == 8 * (Int(honest.round) - 1))
            #expect(changed { $0.round += 1 }?.code == .unexpectedMessage && changed { $0.round = 0 }?.code == .unexpectedMessage)
            #expect(changed { $0.gamma += Data(count: 8) }?.code == .malformedMessage)
            #expect(changed { $0.gamma += Data(count: 80) }?.code == .malformedMessage)
            if !honest.gamma.isEmpty {
                #expect(changed { $0.gamma = Data() }?.code == .malformedMessage)
                #expect(changed { $0.decision = .back }?.code == .malformedMessage)
                #expect(changed { $0.decision = .keep }?.code == .malformedMessage)
            }
            if honest.round == 2 { #expect(changed { $0.decision = .step }?.code == .unexpectedMessage) }
        }
        #expect(count == 4)
    }

    @Test("coefficients of any size end the job in a fault and trap nothing", arguments: [Int64.max, Int64.min, 1 << 61])
    func wildCoefficients(gamma: Int64) throws {
        var job = try Self.job()
        job.data = try SmallData(common: 640, seed: 10)
        job.rounds = 40
        var conversation = try Conversation(job)
        conversation.tamper = { message, from, _ in
            guard from == .arbiter, case .verdict(var verdict) = message else { return }
            verdict.decision = verdict.round < 40 ? .step : .finish
            let word = (0..<8).map { UInt8(truncatingIfNeeded: gamma >> (56 - 8 * $0)) }
            verdict.gamma = (0..<min(Int(verdict.round) - 1, 8)).flatMap { _ in word }.data
            message = .verdict(verdict)
        }
        let outcome = try conversation.run()
        #expect(outcome.faults.values.contains { $0.code == .diverged }, "\(outcome.faults)")
        outcome.faults.values.forEach(FaultTexts.heard)
    }

    @Test("answers of any content end in a model or a fault and trap nothing", arguments: [Role.bank, .platform])
    func wildAnswers(from liar: Role) throws {
        var job = try Self.job()
        job.data = try SmallData(common: 160, seed: 11)
        job.rounds = 30
        var moduli: [Role: BigUInt] = [:]
        var random = Numbers(state: 5)
        var conversation = try Conversation(job)
        conversation.tamper = { message, from, to in
            if case .paillierKey(let key) = message { moduli[from] = BigUInt(key.modulus) }
            guard from == liar, case .returnedBits(var values) = message, let n = moduli[to] else { return }
            values.ciphertexts = (0..<values.ciphertexts.count / 128).flatMap { _ -> [UInt8] in
                let plaintext = BigUInt(Data((0..<64).map { _ in UInt8.random(in: 0...255, using: &random) })) % n
                return Ciphertexts.bytes((1 + plaintext * n) * BigUInt(random.next()).power(n, modulus: n * n) % (n * n))
            }.data
            message = .returnedBits(values)
        }
        let outcome = try conversation.run()
        #expect(outcome.completed.count == 2 || !outcome.faults.isEmpty)
        outcome.faults.values.forEach(FaultTexts.heard)
    }
}

private func flip(_ data: Data, _ bit: Int) -> Data {
    var bytes = data.octets
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes.data
}
