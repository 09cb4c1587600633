import Primitives
import Scratch
import SetIntersection
import Testing

/// One side of an alignment as the roles will run it, without a line in between.
private struct Party {
    let blinding: Blinding
    let shuffled: [String]
    let firstPass: [UInt8]

    init(_ identifiers: Set<String>, seed: UInt8, tag: DomainSeparationTag) {
        let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: seed, count: 32)))
        blinding = Blinding(suite: .p256SHA256, random: random)
        shuffled = identifiers.map { ($0, SHA256.hash([seed] + $0.utf8)) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
        firstPass = blinding.first(shuffled, tag: tag)
    }
}

@Suite("Set intersection of two parties") struct TwoPartyTests {
    let tag = Suite.p256SHA256.domainSeparationTag(job: [UInt8](repeating: 3, count: 16), attempt: 1)

    /// What both sides hold in common, as each side sees it, with every check that a receiver makes.
    func intersect(_ bank: Set<String>, _ platform: Set<String>) throws -> (atBank: Set<String>, atPlatform: Set<String>) {
        let (b, p) = (Party(bank, seed: 1, tag: tag), Party(platform, seed: 2, tag: tag))
        // Little memory, so that lists are spread over buckets.
        var scratch: any Scratch = MemoryScratch(memoryBytes: 1 << 16)
        let buckets = Buckets(elements: bank.count + platform.count, memoryBytes: scratch.memoryBytes)
        func list(_ limit: Int) -> PointList { PointList(suite: .p256SHA256, limit: limit, buckets: buckets) }
        for (own, received) in [(b.firstPass, p.firstPass), (p.firstPass, b.firstPass)] {
            var ownList = list(own.count / 65), receivedList = list(received.count / 65)
            try ownList.append(own[...], to: &scratch)
            try receivedList.append(received[...], to: &scratch)
            try receivedList.check(against: ownList, in: scratch)
        }
        let doubledByPlatform = try p.blinding.second(b.firstPass)
        try Suite.p256SHA256.validate(doubledByPlatform[...])
        var own = list(bank.count), peer = list(platform.count)
        // In blocks of odd sizes, interleaved.
        var (ownStart, peerStart) = (0, 0)
        while ownStart < b.firstPass.count || peerStart < p.firstPass.count {
            let ownEnd = min(ownStart + 65 * 7, doubledByPlatform.count)
            try own.append(doubledByPlatform[ownStart..<ownEnd], to: &scratch)
            let peerEnd = min(peerStart + 65 * 11, p.firstPass.count)
            try peer.append(b.blinding.second(p.firstPass[peerStart..<peerEnd])[...], to: &scratch)
            (ownStart, peerStart) = (ownEnd, peerEnd)
        }
        #expect(own.count == bank.count && peer.count == platform.count)
        var matches: [PointList.Match] = []
        try own.matches(with: peer, in: scratch) { found throws(SetIntersectionError) in matches += found }
        return (Set(matches.map { b.shuffled[Int($0.own)] }), Set(matches.map { p.shuffled[Int($0.peer)] }))
    }

    @Test("both sides find the plain intersection", arguments: [
        (0, 0, 0), (5, 0, 0), (0, 5, 0), (1, 1, 1), (1, 1, 0), (40, 40, 40), (40, 40, 0), (300, 200, 77), (257, 513, 256), (700, 30, 30),
    ])
    func plainIntersection(bankCount: Int, platformCount: Int, commonCount: Int) throws {
        let common = (0..<commonCount).map { "common \($0)" }
        let bank = Set(common + (commonCount..<bankCount).map { "bank \($0)" })
        let platform = Set(common + (commonCount..<platformCount).map { "platform \($0)" })
        let (atBank, atPlatform) = try intersect(bank, platform)
        #expect(atBank == bank.intersection(platform))
        #expect(atPlatform == atBank)
    }

    @Test("random sets over a small range intersect as plain sets do", arguments: 0..<8 as Range<UInt8>)
    func randomSets(seed: UInt8) throws {
        let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: seed, count: 32)))
        func set(_ message: UInt8) -> Set<String> {
            Set(random.bytes(Int(seed) * 20, at: DrawAddress(message: message)).map { "id \($0)" })
        }
        let (bank, platform) = (set(10), set(11))
        #expect(try intersect(bank, platform).atBank == bank.intersection(platform))
    }

    @Test("identifiers that differ in one character do not match")
    func nearIdentifiers() throws {
        let (atBank, _) = try intersect(["91350211M000100Y43", "a", "A", " "], ["91350211M000100Y44", "a ", "", "  "])
        #expect(atBank.isEmpty)
    }
}

@Suite("Lists of points") struct PointListTests {
    /// What stands for a point in a list: 65 bytes.
    private func elements(_ numbers: some Sequence<Int>) -> [UInt8] {
        numbers.flatMap { [4] + SHA256.hash(Array("\($0)".utf8)) + [UInt8](repeating: 0, count: 32) }
    }

    private func list(_ limit: Int, _ scratch: any Scratch) -> PointList {
        PointList(suite: .p256SHA256, limit: limit, buckets: Buckets(elements: limit, memoryBytes: scratch.memoryBytes))
    }

    @Test("a block that holds a repeat is refused before any of it is kept, at the first one's place in the list")
    func repeats() throws {
        var scratch: any Scratch = MemoryScratch(memoryBytes: 1 << 16)
        var list = self.list(40_000, scratch)
        try list.append(elements(0..<5)[...], to: &scratch)
        for (block, index) in [([5, 6, 5, 6], 7), ([5, 5], 6), (Array(repeating: 9, count: 8192), 6)] {
            #expect(throws: SetIntersectionError.repeatedPoint(index: index)) { try list.append(elements(block)[...], to: &scratch) }
            #expect(list.count == 5)
        }
        // Across blocks it shows at the list's end.
        try list.append(elements([7, 3])[...], to: &scratch)
        #expect(throws: SetIntersectionError.repeatedPoint(index: 6)) { try list.check(against: nil, in: scratch) }
    }

    @Test("what a list has no room for is refused for that, before it is looked at")
    func tooMany() throws {
        var scratch: any Scratch = MemoryScratch()
        var list = self.list(3, scratch)
        try list.append(elements([0, 1])[...], to: &scratch)
        for block in [elements([2, 2]), elements([2, 2]) + [4]] {
            #expect(throws: SetIntersectionError.tooManyPoints) { try list.append(block[...], to: &scratch) }
        }
        #expect(throws: SetIntersectionError.wrongByteCount) { try list.append((elements([2]) + [4])[...], to: &scratch) }
        try list.append(elements([2])[...], to: &scratch)
        try list.check(against: nil, in: scratch)
    }
}

@Suite("Blinding") struct BlindingTests {
    let random = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 9, count: 32)))
    let tag = Suite.p256SHA256.domainSeparationTag(job: [UInt8](repeating: 3, count: 16), attempt: 1)

    @Test("the scalar is the first draw at message 0 that is in range")
    func scalar() throws {
        let drawn = SecretBytes(copying: random.bytes(32, at: DrawAddress(message: 0)))
        let scalar = try #require(EllipticCurve.Scalar(drawn, of: .p256))
        #expect(Blinding(suite: .p256SHA256, random: random).first(["a"], tag: tag)
            == Blinding(suite: .p256SHA256, scalar: scalar).first(["a"], tag: tag))
    }

    @Test("elements change with key, job, attempt and identifier")
    func separation() {
        let suite = Suite.p256SHA256
        let job = [UInt8](repeating: 3, count: 16)
        let other = AddressedRandom(key: SecretBytes(copying: [UInt8](repeating: 8, count: 32)))
        let elements: [[UInt8]] = [
            Blinding(suite: suite, random: random).first(["a"], tag: tag),
            Blinding(suite: suite, random: random).first(["b"], tag: tag),
            Blinding(suite: suite, random: other).first(["a"], tag: tag),
            Blinding(suite: suite, random: random).first(["a"], tag: suite.domainSeparationTag(job: job, attempt: 2)),
            Blinding(suite: suite, random: random).first(["a"], tag: suite.domainSeparationTag(job: job.dropLast() + [4], attempt: 1)),
        ]
        #expect(Set(elements).count == 5)
    }

    @Test("a batch is its elements one by one, in order")
    func batches() {
        let blinding = Blinding(suite: .p256SHA256, random: random)
        let identifiers = (0..<600).map { "id \($0)" }
        let batch = blinding.first(identifiers, tag: tag)
        #expect(batch.count == 600 * Suite.p256SHA256.elementByteCount)
        for index in [0, 1, 255, 256, 257, 511, 512, 599] {
            #expect(Array(batch[(index * 65)..<(index * 65 + 65)]) == blinding.first([identifiers[index]], tag: tag))
        }
    }

    @Test("the first offender of a long list is named, also behind block borders", arguments: [0, 255, 256, 700, 999])
    func offenders(position: Int) throws {
        let blinding = Blinding(suite: .p256SHA256, random: random)
        var points = blinding.first((0..<1000).map { "id \($0)" }, tag: tag)
        points[position * 65] = 9
        points[999 * 65] = 9
        // A slice that does not start at 0, as a frame's payload would give.
        let padded = [0, 0, 0] + points
        #expect(throws: SetIntersectionError.invalidPoint(index: position)) { try blinding.second(padded[3...]) }
        #expect(throws: SetIntersectionError.invalidPoint(index: position)) { try Suite.p256SHA256.validate(padded[3...]) }
    }

    @Test("random bytes are refused or read, and never trap")
    func randomBytes() {
        let blinding = Blinding(suite: .p256SHA256, random: random)
        for row in 0..<2000 as Range<UInt32> {
            var bytes = random.bytes(Int(row % 100), at: DrawAddress(message: 20, row: row))
            if !bytes.isEmpty, row.isMultiple(of: 2) { bytes[0] = 4 }
            let products = try? blinding.second(bytes)
            if let products { #expect(products.count == bytes.count && bytes.count.isMultiple(of: 65)) }
            var scratch: any Scratch = MemoryScratch()
            var list = PointList(suite: .p256SHA256, limit: 2, buckets: Buckets(elements: 2, memoryBytes: scratch.memoryBytes))
            try? list.append(bytes[...], to: &scratch)
        }
    }

    @Test("suites are known by name")
    func names() {
        #expect(Suite(rawValue: "P256-SHA256") == .p256SHA256)
        #expect(Suite(rawValue: "SM2-SM3") == .sm2SM3)
        #expect(Suite(rawValue: "p256-sha256") == nil)
        #expect(Suite.p256SHA256.elementByteCount == 65)
    }
}
