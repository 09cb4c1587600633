import Exchange
import Faults
import Foundation
import Jobs
import Primitives
import Roles
import Scratch
import SetIntersection
import Testing
import Wire

/// Alignment by itself: two machines' alignments, in every order of events and with any memory.
@Suite("Alignment") struct AlignmentTests {
    /// Both sides of one alignment in memory.
    private struct Pair {
        var sides: [Alignment]
        var inbox: [[Message]] = [[], []]
        var aligned: [Alignment.Aligned?] = [nil, nil]
        var sent: [[Message]] = [[], []]
        var faults: [Fault?] = [nil, nil]
        var tamper: (inout Message, Int) -> Void = { _, _ in }

        /// - Parameter fillers: in the bank's list.
        init(_ lists: [IdentifierList], fillers: Int = 0, reveal: String = "subjects", suite: String = "P256-SHA256", limits: Contract.Limits = SmallJob.openLimits,
             memoryBytes: Int = 512 << 20) throws {
            sides = try [Role.bank, .platform].enumerated().map { index, role in
                let specification = try JobSpecification.parse(Array(AlignmentTests.specification(reveal).utf8))
                let job = try #require(JobIdentifier("00112233445566778899aabbccddeeff"))
                let context = try JobContext(RoleRequest(
                    job: job, attempt: 1, specification: specification, specificationDigest: [], suite: suite, limits: limits, contractDigest: [],
                    dataset: .init(path: ""), model: nil, scratch: MemoryScratch(memoryBytes: memoryBytes)), role: role)
                let values = Purpose.allCases.enumerated().map { ($1, SecretBytes(copying: SHA256.hash([UInt8(index), UInt8($0)]))) }
                var secrets = JobSecrets(secrets: Dictionary(uniqueKeysWithValues: values), job: job, attempt: 1, role: role)
                secrets.bind(peerNonce: [UInt8](repeating: 5, count: 32))
                return Alignment(context: context, secrets: secrets, identifiers: lists[index], fillers: role == .bank ? fillers : 0)
            }
        }

        /// - Parameter seed: of the order of events.
        mutating func run(seed: UInt64 = 0) throws {
            var random = Numbers(state: seed)
            while faults == [nil, nil], aligned.contains(where: { $0 == nil }) {
                var events: [(side: Int, hears: Bool)] = []
                for side in 0...1 where aligned[side] == nil {
                    if sides[side].isListening, !inbox[side].isEmpty { events.append((side, true)) }
                    if sides[side].wantsToProceed { events.append((side, false)) }
                }
                guard let (side, hears) = events.randomElement(using: &random) else { break }
                do {
                    let (effects, outcome) = try hears ? sides[side].hear(inbox[side].removeFirst()) : sides[side].proceed()
                    aligned[side] = outcome
                    for case .send(var message, to: .peer) in effects {
                        sent[side].append(message)
                        tamper(&message, side)
                        inbox[1 - side].append(try Message.decode(kind: message.kind, payload: message.encodePayload()))
                    }
                } catch let fault as Fault {
                    faults[side] = fault
                }
            }
        }

        func subjects(_ side: Int) throws -> [String] {
            let list = try #require(aligned[side]?.identifiers)
            return try (0..<list.blocks).flatMap { try list.block($0).map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    private static func specification(_ reveal: String) -> String {
        """
        { "version": 1, "kind": "align", "reveal": "\(reveal)", "name": "align", "purpose": { "code": "test", "statement": "A test." },
          "parties": { "bank": "north", "platform": "south" },
          "population": { "id_type": "text", "bank_id": "id", "platform_id": "id", "minimum_intersection": 100 } }
        """
    }

    private static func names(_ range: Range<Int>) -> [String] { range.map { "subject \($0)" } }

    /// As a job that only aligns reads it.
    private static func onScratch(_ names: [String]) throws -> IdentifierList {
        var scratch: any Scratch = MemoryScratch()
        var writer = IdentifierWriter()
        for name in names { try writer.append(Array(name.utf8), to: &scratch) }
        return try writer.finish(&scratch)
    }

    private static let bank = names(0..<9000), platform = names(8000..<26_000).reversed() as [String]

    @Test("both sides find the plain intersection in one order, whatever the memory, the source of the lists and the order of events; every byte is the same")
    func plainIntersection() throws {
        var first: Pair?
        let cases: [(Int, UInt64, Bool)] = [(512 << 20, 0, false), (1 << 16, 1, true), (1 << 20, 2, false)]
        for (memoryBytes, seed, isOnScratch) in cases {
            let lists = isOnScratch ? try [Self.onScratch(Self.bank.reversed()), Self.onScratch(Self.platform)]
                : [IdentifierList(Self.bank), IdentifierList(Self.platform)]
            var pair = try Pair(lists, memoryBytes: memoryBytes)
            try pair.run(seed: seed)
            #expect(pair.faults == [nil, nil])
            let found = try pair.subjects(0)
            #expect(try found == pair.subjects(1))
            #expect(Set(found) == Set(Self.bank).intersection(Self.platform) && found.count == 1000)
            #expect(found != found.sorted())
            if !isOnScratch { #expect(pair.aligned[0]?.rows.map { Self.bank[$0] } == found && pair.aligned[1]?.rows.map { Self.platform[$0] } == found) }
            first = first ?? pair
            for side in 0...1 { #expect(pair.sent[side] == first?.sent[side], "side \(side) with \(memoryBytes) bytes") }
        }
    }

    @Test("where the size alone is asked for, both learn the number, and nothing else crosses that could tell which")
    func sizeOnly() throws {
        var pair = try Pair([IdentifierList(Self.bank), IdentifierList(Self.platform)], reveal: "size", memoryBytes: 1 << 20)
        try pair.run(seed: 3)
        #expect(pair.faults == [nil, nil] && pair.aligned.map { $0?.count } == [1000, 1000])
        #expect(pair.aligned.allSatisfy { $0?.identifiers == nil && $0?.rows == [] })
        #expect(Set(pair.sent.joined().map(\.kind)) == [.alignmentOpening, .blindedPoints, .sortedPoints, .intersectionSize])
        let points = pair.sent[1].flatMap { message -> [[UInt8]] in
            guard case .sortedPoints(let body) = message else { return [] }
            let bytes = body.points.octets
            return stride(from: 0, to: bytes.count, by: 65).map { Array(bytes[$0 + 1..<$0 + 33]) }
        }
        #expect(points.count == 9000 && zip(points, points.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
    }

    @Test("the bank refuses points that are not sorted, are too few, or repeat, and the platform a number that cannot be", arguments: 0..<4)
    func wrongSizes(attempt: Int) throws {
        var pair = try Pair([IdentifierList(Self.names(0..<400)), IdentifierList(Self.names(200..<600))], reveal: "size")
        pair.tamper = { message, side in
            switch message {
            case .sortedPoints(var body) where attempt < 3:
                let points = body.points.octets
                switch attempt {
                case 0: body.points = Data(points.suffix(65)) + Data(points.dropLast(65))
                case 1: body.points = Data(points.dropLast(65))
                default: body.points = Data(points.prefix(65)) + Data(points.prefix(65)) + Data(points.dropFirst(130))
                }
                message = .sortedPoints(body)
            case .intersectionSize where attempt == 3:
                message = .intersectionSize(.filled { $0.total = 401 })
            default: break
            }
        }
        try pair.run()
        #expect(pair.faults[attempt == 3 ? 1 : 0]?.code == (attempt == 1 || attempt == 3 ? .wrongCount : .cryptographicCheck))
    }

    @Test("an intersection below the minimum or above the contract's maximum ends at both sides", arguments: ["subjects", "size", "bank"])
    func bounds(reveal: String) throws {
        var limits = SmallJob.openLimits
        limits.maximumIntersection = 150
        for (common, code) in [(99, Fault.Code.intersectionTooSmall), (100, nil), (150, nil), (151, .intersectionTooLarge)] {
            var pair = try Pair([IdentifierList(Self.names(0..<300)), IdentifierList(Self.names(300 - common..<600))], reveal: reveal, limits: limits)
            try pair.run()
            // What the bank alone may know does not stand in a fault, which goes to everyone.
            #expect(reveal == "bank" ? pair.faults[0] == code.map { _ in Fault(.intersectionKeptBack, at: "", "100") } : pair.faults[0]?.code == code)
            #expect((pair.aligned[0] == nil) == (code != nil))
        }
    }

    @Test("whatever is changed in what a side hears, it refuses with a typed fault or ends with what is true, and never waits for more than its peer would send",
          arguments: 0..<60 as Range<UInt64>)
    func fuzzed(seed: UInt64) throws {
        var random = Numbers(state: seed)
        let reveal = ["size", "subjects", "bank"][Int(seed % 3)]
        var pair = try Pair([IdentifierList(Self.names(0..<300)), IdentifierList(Self.names(100..<500))], reveal: reveal)
        let place = Int.random(in: 0..<6, using: &random), victim = Int(seed & 1), kind = Int.random(in: 0..<6, using: &random)
        let word = random.next()
        var count = 0
        var replay: Message?
        pair.tamper = { message, side in
            guard side != victim else { return }
            defer { count += 1 }
            if count < place { replay = replay ?? message }
            guard count == place else { return }
            var payload = message.encodePayload()
            switch kind {
            case 0: payload[Int(word % UInt64(payload.count))] ^= UInt8(1) << UInt8((word >> 60) & 7)
            case 1: payload.removeLast(min(payload.count, Int(word % 200) + 1))
            case 2: payload += payload.suffix(Int(word % 200) + 1)
            case 3: payload = (0..<payload.count).map { UInt8(truncatingIfNeeded: (word &* UInt64($0 + 1)) >> 13) }
            case 4:
                if let replay { message = replay }
                return
            default:
                // Points of another kind of list.
                guard case .blindedPoints(let body) = message else { return }
                message = .doublyBlindedPoints(.filled { ($0.block, $0.points) = (body.block, body.points) })
                return
            }
            // What is no message at all is refused before it comes to a role.
            message = (try? Message.decode(kind: message.kind, payload: payload)) ?? .closing(.init())
        }
        try pair.run(seed: seed)
        if pair.faults == [nil, nil], pair.aligned.allSatisfy({ $0 != nil }) {
            // Only an answer of the other side's own can be false unseen.
            #expect(pair.aligned[victim]?.count ?? 0 <= 300)
        } else {
            #expect(pair.faults.contains { $0 != nil } || kind >= 4, "neither a fault nor an end: \(place), \(kind)")
        }
    }

    // The bank alone, and several platforms

    @Test("where the bank alone learns the subjects, it finds the plain intersection, and nothing follows the points", arguments: [9000, 26_000])
    func bankAlone(size: Int) throws {
        let bank = Self.names(0..<size)
        for seed in 0..<3 as Range<UInt64> {
            var pair = try Pair([IdentifierList(bank), IdentifierList(Self.platform)], reveal: "bank", memoryBytes: 1 << 18)
            try pair.run(seed: seed)
            #expect(pair.faults == [nil, nil])
            #expect(Set(try pair.subjects(0)) == Set(bank).intersection(Self.platform))
            #expect(pair.aligned[1] != nil && pair.aligned[1]?.count == nil && pair.aligned[1]?.identifiers == nil && pair.aligned[1]?.rows == [])
            #expect(pair.sent.map { Set($0.map(\.kind)) } == [[.alignmentOpening, .blindedPoints], [.alignmentOpening, .blindedPoints, .doublyBlindedPoints]])
        }
    }

    @Test("whatever part of its list a bank aligns with, every platform sees a list of one length and frames of the same lengths, and fillers match nothing",
          arguments: 0..<6 as Range<UInt64>)
    func severalPlatforms(seed: UInt64) throws {
        var random = Numbers(state: seed)
        let bank = Self.names(0..<1000)
        let platforms = (0..<3).map { index in
            bank.shuffled(using: &random).prefix(Int.random(in: 600...950, using: &random)) + (0..<300).map { "other \(index) \($0)" }
        }
        let wanted = platforms.reduce(Set(bank)) { $0.intersection($1) }
        try #require(wanted.count >= 100)
        var part = bank
        /// One job of the chain.
        func align(_ platform: Int, reveal: String) throws -> [Int] {
            var pair = try Pair([IdentifierList(part), IdentifierList(Array(platforms[platform]))], fillers: bank.count - part.count, reveal: reveal,
                                memoryBytes: seed.isMultiple(of: 2) ? 1 << 16 : 512 << 20)
            try pair.run(seed: seed)
            try #require(pair.faults == [nil, nil])
            let found = try pair.subjects(0)
            #expect(Set(found) == Set(part).intersection(platforms[platform]) && found.count == pair.aligned[0]?.count)
            #expect(pair.aligned[1]?.peerCount == bank.count)
            if reveal == "subjects" { #expect(try pair.subjects(1) == found) } else { #expect(pair.aligned[1]?.count == nil) }
            part = found
            return pair.sent[0].map { $0.encodePayload().count }
        }
        var seen = try [align(0, reveal: "bank"), align(1, reveal: "bank"), align(2, reveal: "subjects")]
        #expect(Set(part) == wanted)
        for platform in 0...1 {
            seen.append(try align(platform, reveal: "subjects"))
            #expect(Set(part) == wanted)
        }
        // The same list of 1000 in every job, and in the end the intersection of all.
        #expect(seen[0] == seen[1] && seen[3] == seen[4] && seen[2] == seen[3] && seen[2].starts(with: seen[0]))
    }

    @Test("a platform that sends points back in another order is found out where one of them is a filler's, before it is told anything",
          arguments: ["subjects", "bank"])
    func permutedDoublings(reveal: String) throws {
        var pair = try Pair([IdentifierList(Self.names(0..<300)), IdentifierList(Self.names(0..<500))], fillers: 300, reveal: reveal)
        pair.tamper = { message, side in
            guard side == 1, message.kind == .doublyBlindedPoints, let points = Self.points(message) else { return }
            let each = stride(from: 0, to: points.count, by: 65).map { points[$0..<$0 + 65] }
            message = Self.with(Array(each.reversed().joined()), message)
        }
        try pair.run()
        #expect(pair.faults[0]?.code == .cryptographicCheck)
        #expect(!pair.sent[0].contains { $0.kind == .matches })
    }

    @Test("where the bank alone learns the subjects, neither side takes a seed, matches, a size or sorted points in place of what is due")
    func nothingElse() throws {
        let foreign: [Message] = [
            .seedReveal(.filled { $0.seed = Data(count: 32) }), .matches(.filled { ($0.total, $0.positions) = (1, Data(count: 4)) }),
            .intersectionSize(.filled { $0.total = 200 }),
        ]
        for victim in 0...1 {
            for message in foreign + [.sortedPoints(.filled { $0.points = Data(count: 65) })] {
                for place in 0..<2 + (1 - victim) {
                    var pair = try Pair([IdentifierList(Self.names(0..<300)), IdentifierList(Self.names(100..<500))], reveal: "bank")
                    var count = 0
                    pair.tamper = { honest, side in
                        guard side != victim else { return }
                        if count == place { honest = message }
                        count += 1
                    }
                    try pair.run()
                    #expect(pair.faults[victim]?.code == .unexpectedMessage, "\(message.kind.name) to \(victim) in place \(place)")
                }
            }
        }
    }

    // Hostile points

    /// What set intersection's own vectors refuse, in the width of a point.
    private static func noPoints(_ suite: String) throws -> [(name: String, bytes: [UInt8])] {
        struct Vector: Decodable {
            let operation: String
            let given: String?
            let error: String?
        }
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Protocols/vectors/set-intersection/\(suite)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("refused-") }.sorted().compactMap { name in
            let vector = try JSONDecoder().decode(Vector.self, from: Data(contentsOf: folder.appending(path: name)))
            guard vector.operation == "second", vector.error == "invalid-point", let given = vector.given, given.count == 130 else { return nil }
            return (name, stride(from: 0, to: 130, by: 2).compactMap { UInt8(given.dropFirst($0).prefix(2), radix: 16) })
        }
    }

    private static func points(_ message: Message) -> [UInt8]? {
        switch message {
        case .blindedPoints(let body): body.points.octets
        case .doublyBlindedPoints(let body): body.points.octets
        case .sortedPoints(let body): body.points.octets
        default: nil
        }
    }

    private static func with(_ points: [UInt8], _ message: Message) -> Message {
        switch message {
        case .blindedPoints(var body):
            body.points = Data(points)
            return .blindedPoints(body)
        case .doublyBlindedPoints(var body):
            body.points = Data(points)
            return .doublyBlindedPoints(body)
        case .sortedPoints(var body):
            body.points = Data(points)
            return .sortedPoints(body)
        default: return message
        }
    }

    /// Where points are heard, and in which kind of job.
    private static let receiving: [(victim: Int, kind: MessageKind, reveal: String)] = [
        (0, .blindedPoints, "subjects"), (1, .blindedPoints, "subjects"), (0, .doublyBlindedPoints, "subjects"),
        (0, .blindedPoints, "size"), (1, .blindedPoints, "size"), (0, .sortedPoints, "size"),
        (0, .blindedPoints, "bank"), (1, .blindedPoints, "bank"), (0, .doublyBlindedPoints, "bank"),
    ]

    @Test("no state that hears points takes what is none, one too few, one too many, a repeat or one of its own, whatever digest was announced",
          arguments: ["P256-SHA256", "SM2-SM3"])
    func hostilePoints(suite: String) throws {
        let bad = try Self.noPoints(suite)
        #expect(bad.count >= 15)
        let lists = [IdentifierList(Self.names(0..<6)), IdentifierList(Self.names(3..<9))]
        for (victim, kind, reveal) in Self.receiving {
            // Both lists as they are sent: they come out the same each time.
            var honest = try Pair(lists, reveal: reveal, suite: suite)
            try honest.run()
            // With nothing changed all points are taken, and it is the count that is refused.
            #expect(honest.faults.compactMap { $0?.code } == [reveal == "bank" ? .intersectionKeptBack : .intersectionTooSmall])
            let own = try #require(honest.sent[victim].first { $0.kind == .blindedPoints }.flatMap(Self.points))
            let valid = try #require(honest.sent[1 - victim].first { $0.kind == kind }.flatMap(Self.points))
            let kept = Array(valid.dropLast(65))
            var cases: [(name: String, points: [UInt8], code: Fault.Code)] = bad.map { ($0.name, kept + $0.bytes, .cryptographicCheck) }
            cases += [
                ("too few", kept, .wrongCount), ("too many", valid + valid.suffix(65), .wrongCount),
                ("a repeat", kept + valid.prefix(65), .cryptographicCheck),
            ]
            if kind == .blindedPoints { cases.append(("own", kept + own.prefix(65), .cryptographicCheck)) }
            for (name, points, code) in cases {
                var pair = try Pair(lists, reveal: reveal, suite: suite)
                pair.tamper = { message, side in
                    guard side != victim else { return }
                    if case .alignmentOpening(var opening) = message, kind == .blindedPoints {
                        opening.listDigest = Data(SHA256.hash(points))
                        message = .alignmentOpening(opening)
                    }
                    if message.kind == kind { message = Self.with(points, message) }
                }
                try pair.run()
                #expect(pair.faults[victim]?.code == code, "\(name) in \(kind.name) at \(victim)")
                // Before a seed or a match is told.
                #expect(!pair.sent[victim].contains { $0.kind == .matches || $0.kind == .intersectionSize })
                if kind == .blindedPoints { #expect(!pair.sent[victim].contains { $0.kind == .seedReveal }) }
            }
        }
    }

    @Test("a list is bound by the digest before it, a seed by its commitment")
    func commitments() throws {
        let lists = [IdentifierList(Self.names(0..<120)), IdentifierList(Self.names(10..<130))]
        for victim in 0...1 {
            for (kind, bit) in [(MessageKind.blindedPoints, 0), (.alignmentOpening, 0), (.alignmentOpening, 1), (.seedReveal, 0)] {
                var pair = try Pair(lists)
                pair.tamper = { message, side in
                    guard side != victim, message.kind == kind else { return }
                    switch message {
                    case .blindedPoints: message = Self.with(Self.points(message).map { Array($0.suffix(65) + $0.dropLast(65)) } ?? [], message)
                    case .alignmentOpening(var opening):
                        if bit == 0 { opening.listDigest[31] ^= 1 } else { opening.seedCommitment[0] ^= 1 }
                        message = .alignmentOpening(opening)
                    case .seedReveal(var reveal):
                        reveal.seed[31] ^= 0x80
                        message = .seedReveal(reveal)
                    default: break
                    }
                }
                try pair.run()
                #expect(pair.faults[victim]?.code == .cryptographicCheck, "\(kind.name) at \(victim)")
            }
        }
    }
}
