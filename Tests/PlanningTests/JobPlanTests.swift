import Faults
import Foundation
import Jobs
import Planning
import Testing
import Wire

@Suite("Plans of jobs") struct JobPlanTests {
    static func specification(bank: Int = 9, platform: Int = 11, rounds: Int = 20, share: Double = 1, further: String = "") throws -> JobSpecification {
        func names(_ letter: String, _ count: Int) -> String { (0..<count).map { "\"\(letter)\($0)\"" }.joined(separator: ",") }
        return try JobSpecification.parse(Array("""
            {"version": 1, "name": "plan", "purpose": {"code": "test", "statement": "a test"}, "parties": {"bank": "bank", "platform": "platform"},
             "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"}, "label": {"column": "y"},
             "features": {"bank": [\(names("a", bank))\(further)], "platform": [\(names("b", platform))]},
             "split": {"share": \(share)}, "training": {"maximum_rounds": \(rounds)}}
            """.utf8))
    }

    static let speed = MachineSpeed(keyBits: 2048, key: 1_000_000_000, encryption: 300_000, loading: 20_000, combination: 3000, bucket: 3000,
                                    publicEncryption: 10_000_000, decryption: 4_000_000, blinding: 80_000, doubling: 60_000, checking: 10_000,
                                    mebibyte: 1_000_000)

    static func publications(rows: (Int, Int) = (20_000, 30_000), host: (String, String) = ("a", "b"), free: Int = 1 << 20, category: String = "category",
                             approval: NodeConfiguration.Approval = .automatic) -> [String: Publication] {
        func machine(_ digit: String) -> MachineDescription {
            MachineDescription(cores: 2, freeMebibytes: free, retention: .all, host: String(repeating: digit, count: 32), speeds: [speed])
        }
        func description(_ rows: Int) -> DataDescription {
            DataDescription(rows: rows, columns: [.init(name: "industry", type: DataDescription.ColumnType(rawValue: category) ?? .text)])
        }
        return ["bank": Publication(party: "bank", datasets: ["main": description(rows.0)], approval: approval, machine: machine(host.0)),
                "platform": Publication(party: "platform", datasets: ["main": description(rows.1)], approval: .automatic, machine: machine(host.1))]
    }

    static func plan(_ specification: JobSpecification, _ publications: [String: Publication], common: Int? = nil, line: Double? = nil,
                     limits: Contract.Limits = .init()) throws -> JobPlan {
        try JobPlan(specification, limits: limits, publications: publications, common: common, megabitsPerSecond: line)
    }

    @Test("bits of a value are those of the table in protocol.md", arguments: [(1000, 48), (5000, 50), (30_000, 53), (100_000, 55), (1_000_000, 58)])
    func valueBits(rows: Int, bits: Int) throws {
        let training = try #require(try Self.specification().training)
        #expect(JobShape.valueBits(training, rows: rows) == bits)
    }

    @Test("an alignment says in words whom it tells what", arguments: [
        ("subjects", ["both: which subjects are common", "双方：共有主体"]), ("size", ["both: how many subjects are common, not which", "双方：共有主体的数量"]),
        ("bank", ["platform: the size of the bank's list; neither which nor how many subjects are common", "平台：银行名单规模；不获知共有主体及其数量"]),
    ])
    func disclosures(reveal: String, words: [String]) throws {
        let specification = try JobSpecification.parse(Array("""
            {"version": 1, "kind": "align", "reveal": "\(reveal)", "name": "plan", "purpose": {"code": "test", "statement": "a test"},
             "parties": {"bank": "bank", "platform": "platform"}, "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"}}
            """.utf8))
        for (language, words) in zip([Language.en, .zh], words) {
            #expect(Disclosure.lines(specification, .init(), language).contains { $0.contains(words) })
        }
    }

    // 40 rounds x floor(23 values x 52 bits / 25) residuals are 10 % of 18,800 rows.
    @Test("22 columns and 40 rounds need 18,800 training rows, and exposure binds")
    func binding() throws {
        let plan = try Self.plan(try Self.specification(bank: 21, platform: 22, rounds: 40), Self.publications())
        #expect(plan.columns[.bank]?.likely == 22 && plan.columns[.platform]?.likely == 22)
        #expect(plan.binding?.name == "exposure_percent" && plan.binding?.commonNeeded == 18_800)
        #expect(plan.standings.first { $0.name == "minimum_rows" }?.commonNeeded == 1760)
        for (common, standing) in [(18_799, JobPlan.Standing.breaks), (18_800, .holds)] {
            let plan = try Self.plan(plan.specification, Self.publications(), common: common)
            #expect(plan.standings.first { $0.name == "exposure_percent" }?.standing == standing)
        }
        // Too few rows whatever is common.
        let small = try Self.plan(plan.specification, Self.publications(rows: (18_000, 30_000)))
        #expect(small.binding?.standing == .breaks)
    }

    @Test("columns after treatment lie between bounds: a level needs enough rows, an indicator a missing value")
    func columns() throws {
        let further = #", {"column": "industry", "type": "category"}, {"column": "flag", "type": "flag", "missing": "mean"}"#
        let specification = try Self.specification(bank: 2, further: further)
        for (category, most) in [("category", 99), ("flag", 1), ("text", 400)] {
            let columns = try #require(try Self.plan(specification, Self.publications(category: category)).columns[.bank])
            // Intercept; two numbers with indicators; the levels with an indicator; the flag.
            #expect(columns.lower == 1 && columns.upper == 1 + 4 + most + 1 + 1, "\(category)")
            #expect((columns.lower...columns.upper).contains(columns.likely))
        }
    }

    @Test("rows are 0 to the smaller list until alignment, and reckoned with what is given")
    func common() throws {
        let open = try Self.plan(try Self.specification(share: 0.7), Self.publications())
        #expect(open.common == Expected(lower: 0, likely: 20_000, upper: 20_000) && open.likely.trainingRows == 14_000)
        let given = try Self.plan(open.specification, Self.publications(), common: 7200)
        #expect(given.likely.trainingRows == 5040 && given.most.trainingRows == 5040 && given.common.upper == 20_000)
        var guessed = open.specification
        guessed.population.expectedCommon = 7200
        #expect(try Self.plan(guessed, Self.publications()).likely == given.likely)
        #expect(try Self.plan(guessed, Self.publications(), common: 6000).likely.trainingRows == 4200)
        #expect(given.rounds == Expected(lower: 1, likely: 9, upper: 20))
    }

    @Test("numbers cost no rounds, flags and levels do; earlier jobs soon outweigh the formula, and no forecast passes the most")
    func forecast() throws {
        func forecast(_ further: String, rounds: Int = 40, earlier: [Int] = []) throws -> RoundForecast {
            let text = try Self.specification(bank: 2, platform: 2, rounds: rounds).canonicalJSON()
            let plain = try #require(JobSpecification.parse(Array(text.utf8)).training)
            guard !further.isEmpty else { return RoundForecast(plain, earlier: earlier) }
            var training = plain
            training.features.platform += (0..<12).map { .init(column: "f\($0)", type: further == "number" ? .number : .flag) }
            return RoundForecast(training, earlier: earlier)
        }
        let (none, numbers, flags) = (try forecast(""), try forecast("number"), try forecast("flag"))
        #expect(none == numbers && none.usual.contains(9) && flags.likely > none.likely + 6 && flags.usual.lowerBound > none.likely)
        #expect(try forecast("flag", rounds: 12).likely == 12)
        // Half a job's worth against one, two, five jobs.
        #expect(try forecast("", earlier: [17]).likely == 14)
        #expect(try forecast("", earlier: [17, 17]).likely == 15)
        // Whatever someone expects or a record says.
        #expect(RoundForecast(.max, most: 40).likely == 40 && RoundForecast(.max, most: 40).usual == 40...40)
        #expect(try forecast("", earlier: [.max, .max]).usual == 40...40)
        let known = try forecast("", earlier: [17, 16, 18, 17, 17, 40, 40])
        #expect(known.likely == 16 && known.usual.count < flags.usual.count)
    }

    @Test("bytes of each round are exact: a round more, so many bytes more")
    func roundBytes() throws {
        let plan = try Self.plan(try Self.specification(), Self.publications())
        for role in JobEstimate.roles {
            let few = plan.estimate(aligned: 5000, columns: [.bank: 10, .platform: 12], rounds: 3)
            let more = plan.estimate(aligned: 5000, columns: [.bank: 10, .platform: 12], rounds: 4)
            #expect((more.line[role]?.bytes ?? 0) - (few.line[role]?.bytes ?? 0) == few.roundBytes[role])
        }
    }

    @Test("two nodes on one machine take the sum of both, on two the slower; a slow line takes its own time")
    func sharing() throws {
        let specification = try Self.specification()
        let apart = try #require(try Self.plan(specification, Self.publications()).likely.seconds)
        let together = try #require(try Self.plan(specification, Self.publications(host: ("a", "a"))).likely.seconds)
        #expect(together.train > 1.5 * apart.train && together.train < 2.1 * apart.train)
        let slow = try Self.plan(specification, Self.publications(), line: 1)
        let bytes = Double(try #require(slow.likely.line[.bank]?.bytes))
        let seconds = try #require(slow.likely.seconds).total
        #expect(seconds > bytes * 8 / 1e6 * 0.95 && seconds < bytes * 8 / 1e6 * 1.2)
    }

    @Test("a disk that is too small, and a person who is asked, are told before the job runs")
    func nodeLimits() throws {
        let specification = try Self.specification()
        let plan = try Self.plan(specification, Self.publications(free: 100, approval: .manual))
        #expect(plan.standings.filter { $0.name.hasPrefix("disk") }.map(\.standing) == [.breaks, .breaks])
        #expect(plan.standings.first { $0.name == "approval.bank" }?.standing == .undecided)
        #expect(plan.standings.first { $0.name == "approval.platform" }?.standing == .holds)
        let digests = plan.likely.diskBytes(.bank, .digests), inbound = plan.likely.diskBytes(.bank, .inbound), all = plan.likely.diskBytes(.bank, .all)
        #expect(digests < inbound && inbound < all && all > (plan.likely.line[.bank]?.bytes ?? 0) + inbound / 2)
    }

    @Test("what nobody has described is told, and counts at their ends trap nowhere")
    func hostile() throws {
        let specification = try Self.specification()
        #expect(throws: Fault.self) { try Self.plan(specification, [:]) }
        for rows in [(0, 0), (1, 1_000_000_000), (1_000_000_000, 1_000_000_000)] {
            var limits = Contract.Limits()
            limits.maximumSetSize = 1_000_000_000
            let plan = try Self.plan(specification, Self.publications(rows: rows), limits: limits)
            for language in Language.allCases {
                #expect(plan.lines(language).count > 20)
                #expect(throws: Never.self) { try JSONValue.parse(Array(plan.json(language).canonicalText().utf8), as: "plan") }
            }
        }
    }

    private static func scoring() throws -> JobSpecification {
        try JobSpecification.parse(Array("""
            {"version": 1, "kind": "score", "name": "s", "purpose": {"code": "test", "statement": "a test"},
             "parties": {"bank": "bank", "platform": "platform"}, "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"},
             "model": "\(String(repeating: "0", count: 32))"}
            """.utf8))
    }

    @Test("a scoring job is planned with keys of a length that it will make", arguments: [(2048, 2048), (2304, 3072), (3072, 3072)])
    func scoringKeys(minimum: Int, bits: Int) throws {
        var limits = Contract.Limits()
        limits.minimumKeyBits = minimum
        #expect(try Self.plan(Self.scoring(), Self.publications(), limits: limits).keyBits == bits)
    }

    @Test("a scoring job is planned too")
    func scoring() throws {
        let plan = try Self.plan(Self.scoring(), Self.publications())
        let seconds = try #require(plan.likely.seconds)
        #expect(seconds.train == 0 && seconds.align > 0 && seconds.score > 0 && plan.rounds.upper == 0)
        #expect(plan.exposurePercent(plan.likely) == nil && plan.binding?.name == "minimum_intersection")
    }
}

@Suite("Progress of jobs") struct ProgressEstimateTests {
    private func training(_ round: Int, _ done: Int = 0, of total: Int = 100) -> JobProgress {
        .filled { ($0.phase, $0.round, $0.done, $0.total) = (.training, UInt32(round), UInt64(done), UInt64(total)) }
    }

    @Test("what is left follows the pace shown: ten rounds at 6 s each after two of twelve")
    func pace() throws {
        var estimate = ProgressEstimate(expectedRounds: 12)
        estimate.note(training(1), at: 100)
        #expect(estimate.words(.en, at: 100).left == nil)
        estimate.note(training(3), at: 112)
        let words = estimate.words(.en, at: 112)
        #expect(words.label == "training round 3 of about 12" && words.fraction == 2.0 / 12 && words.left == "about 1 min 0 s left")
        // Between two words of the job, time goes on, and never below nothing.
        #expect(estimate.words(.en, at: 117).left == "about 55 s left" && estimate.words(.zh, at: 400).left == "预计剩余 0 秒")
        // More rounds than were expected: this one may be the last.
        estimate.note(training(14, 50), at: 181)
        let late = estimate.words(.en, at: 181)
        #expect(late.label == "training round 14" && late.left == "about 3 s left" && (late.fraction ?? 0) < 1)
    }

    @Test("before a pace is shown the plan says what is left; where nobody knows, nothing is said")
    func planned() throws {
        var estimate = ProgressEstimate(expectedRounds: 10, planned: .init(align: 20, train: 100, score: 4))
        estimate.note(.filled { $0.phase = .alignment }, at: 0)
        #expect(estimate.words(.en, at: 0).left == "about 2 min 4 s left" && estimate.words(.en, at: 0).fraction == nil)
        estimate.note(training(1), at: 30)
        #expect(estimate.words(.en, at: 30).left == "about 1 min 44 s left")
        var unknown = ProgressEstimate(expectedRounds: 0)
        for (done, time) in [(0, 0.0), (3, 10), (5, 20)] { unknown.note(training(1 + done), at: time) }
        let words = unknown.words(.en, at: 20)
        #expect(words.plain == "training round 6" && words.fraction == 0 && words.left == nil)
    }
}

/// The sum of a job's frames beside frames that are really encoded, one by one.
@Suite("Bytes of a job") struct TransferTests {
    private static let list = [Role.bank: 20_000, .platform: 8192], aligned = 6000, rounds = 130, keyBytes = 64, degree = 2

    private static var counts: TransferCounts {
        var counts = TransferCounts(isTraining: true, degree: degree, share: 0.7, keyBytes: keyBytes)
        counts.listed = list
        counts.aligned = aligned
        counts.columns = [.bank: 5, .platform: 300]
        counts.masked = [.bank: 1, .platform: 33]
        return counts
    }

    /// Sizes of all frames that a party sends, each made whole.
    private static func frames(_ role: Role) -> [(bytes: Int, isRecorded: Bool)] {
        var frames: [(bytes: Int, isRecorded: Bool)] = []
        func add(_ message: Message) {
            var isHeads = false
            if case .ledgerHeads = message { isHeads = true }
            frames.append((Frame.headerBytes + message.encodePayload().count, !isHeads))
        }
        func bytes(_ count: Int) -> Data { Data(repeating: 5, count: count) }
        func heads(_ round: Int) {
            let size = UInt64(frames.count { $0.isRecorded })
            add(.ledgerHeads(.filled {
                $0.round = UInt32(round)
                ($0.sentSize, $0.receivedSize) = (size, size)
                ($0.sentRoot, $0.receivedRoot) = (bytes(32), bytes(32))
                ($0.sentSignature, $0.receivedSignature) = (bytes(64), bytes(64))
            }))
        }
        func blocks(_ count: Int, _ size: Int, _ make: (UInt32, Int) -> Message) {
            for block in 0..<(count + size - 1) / size { add(make(UInt32(block), min(size, count - block * size))) }
        }
        let own = list[role] ?? 0, width = 2 * keyBytes, training = 4200
        add(.hello(.filled {
            $0.version = ProtocolVersion.current
            ($0.specificationDigest, $0.contractDigest, $0.secretCommitments, $0.agreementKey) = (bytes(32), bytes(32), bytes(224), bytes(32))
        }))
        add(.nonce(.filled { $0.nonce = bytes(32) }))
        add(.paillierKey(.filled { ($0.modulus, $0.certificate) = (bytes(keyBytes), bytes(11 * keyBytes)) }))
        add(.alignmentOpening(.filled { ($0.count, $0.listDigest, $0.seedCommitment) = (UInt64(own), bytes(32), bytes(32)) }))
        blocks(own, 8192) { block, count in .blindedPoints(.filled { ($0.block, $0.points) = (block, bytes(65 * count)) }) }
        if role == .platform { blocks(20_000, 8192) { block, count in .doublyBlindedPoints(.filled { ($0.block, $0.points) = (block, bytes(65 * count)) }) } }
        add(.seedReveal(.filled { $0.seed = bytes(32) }))
        if role == .bank {
            blocks(aligned, 65536) { block, count in .matches(.filled { ($0.total, $0.block, $0.positions) = (UInt32(aligned), block, bytes(4 * count)) }) }
        }
        heads(0)
        add(.columns(.filled { $0.count = role == .bank ? 5 : 300 }))
        if role == .bank { add(.curvature(.filled { $0.exponent = -4 })) }
        heads(0)
        for round in 1...rounds {
            blocks(training, 512) { block, count in
                .roundRows(.filled { ($0.round, $0.block, $0.ciphertexts) = (UInt32(round), block, bytes((degree + 1) * width * count)) })
            }
            add(.maskedValues(.filled { ($0.round, $0.ciphertexts) = (UInt32(round), bytes(width * (role == .bank ? 1 : 33))) }))
            add(.returnedBits(.filled { ($0.round, $0.ciphertexts) = (UInt32(round), bytes(width * (role == .bank ? 33 : 1))) }))
            heads(round)
        }
        if role == .platform {
            let slots = (8 * keyBytes - 128) / 32
            blocks(aligned, 64 * slots) { block, count in
                .partialScores(.filled { ($0.block, $0.ciphertexts) = (block, bytes(width * ((count + slots - 1) / slots))) })
            }
        }
        heads(0)
        add(.closing(.filled { $0.framesSent = UInt64(frames.count { $0.isRecorded } + 1) }))
        return frames
    }

    @Test("the sum is that of the frames", arguments: [Role.bank, .platform])
    func sums(role: Role) throws {
        let total = try #require(Self.counts.total(from: role, rounds: Self.rounds))
        let frames = Self.frames(role)
        #expect(total.frames == frames.count && total.records == frames.count { $0.isRecorded })
        #expect(total.bytes == frames.reduce(0) { $0 + $1.bytes })
        #expect(total.payloadBytes == frames.filter(\.isRecorded).reduce(0) { $0 + $1.bytes - Frame.headerBytes })
    }

    @Test("without a count there is no sum")
    func missing() {
        var counts = Self.counts
        counts.aligned = nil
        #expect(counts.total(from: .bank, rounds: 1) == nil)
    }
}
