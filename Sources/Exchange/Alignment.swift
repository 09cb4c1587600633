import Faults
import Jobs
import Primitives
import Roles
import Scratch
import SetIntersection
import Wire

/// Set intersection between bank and platform: both end with the common subjects in one order that neither chose, and
/// learn of the others no more than how many there are.
///
///     both      BlindingProgress now and then, while a long list is blinded
///     both      AlignmentOpening: count, digest of the blinded list, commitment to a seed share
///     both      BlindedPoints: k H(id), shuffled
///     P -> B    DoublyBlindedPoints: the bank's points under both scalars, in the order received
///     both      SeedReveal, once both lists are complete
///     B -> P    Matches: positions in the platform's own list
///
/// Where only the number is asked for, the platform sends the bank's points back sorted, in `SortedPoints`, and the bank
/// answers with `IntersectionSize`. Where the bank alone is to learn the subjects, nothing follows the points.
///
/// Lists are never in memory whole: blocks are computed, sent and heard, the rest lies in scratch storage. What is sent
/// depends on secrets and on what was heard alone, never on when.
///
/// Source: Meadows 1986, Huberman, Franklin, Hogg 1999; Protocols/protocol.md, "Alignment".
package struct Alignment: Sendable {
    private let context: JobContext
    private let secrets: JobSecrets
    private let blinding: Blinding
    private let list: IdentifierList
    private let width: Int
    private var scratch: any Scratch
    private let memoryBytes: Int

    private var own: OwnPoints
    private var told = 0
    private var sent = 0
    private var openingSent = false
    private var seedSent = false

    private let buckets: Buckets
    private var peerAnnounced = 0
    private var peerCount: Int?
    private var peerDigest: [UInt8] = []
    private var peerCommitment: [UInt8] = []
    private var peerReceived = 0
    private var peerHash = SHA256()
    private var peerKeys: PointList?
    private var peerSeed: [UInt8]?

    /// At the bank: own elements that the peer has doubled, and the peer's, doubled here.
    private var ownDoubled: PointList?
    private var peerDoubled: PointList?
    private var lastSorted: [UInt8] = []
    /// At the platform, where only the number is asked for: doubled elements that go back sorted.
    private var sorting: PointSorting?

    /// Own positions of common subjects; and, at the bank, their positions in the platform's list, to be sent.
    private var positions: PositionSet?
    private var matchesToSend: MatchSending?
    /// At the bank, until the platform has been told.
    private var found: Aligned?
    private var lastPosition: UInt32?
    private var matchTotal: Int?

    /// - Parameters:
    ///   - identifiers: distinct and normalised.
    ///   - fillers: how many random elements, which match nothing, the list that is sent has besides them.
    package init(context: JobContext, secrets: JobSecrets, identifiers: IdentifierList, fillers: Int = 0) {
        self.context = context
        self.secrets = secrets
        list = identifiers
        scratch = context.scratch
        memoryBytes = context.scratch.memoryBytes
        blinding = Blinding(suite: context.suite, random: secrets.random(.intersection, "scalar"))
        // The peer's list is not known yet.
        buckets = Buckets(elements: identifiers.count + fillers + context.limits.maximumSetSize, memoryBytes: memoryBytes)
        own = OwnPoints(identifiers, fillers: Fillers(count: fillers, random: secrets.random(.shuffle, "fillers")), blinding: blinding,
                        tag: context.suite.domainSeparationTag(job: context.job.octets, attempt: context.attempt),
                        orderKey: secrets.random(.shuffle, "order").bytes(32, at: DrawAddress(message: 0)), buckets: buckets, memoryBytes: memoryBytes)
        width = context.suite.elementByteCount
    }

    /// What is common.
    package struct Aligned: Sendable {
        /// Rows of the caller's list in the job's order, where that is in memory; otherwise none.
        package let rows: [Int]
        /// The common subjects in the job's order, where this party is told which they are.
        package let identifiers: IdentifierList?
        /// Nothing at the platform where the bank alone learns them.
        package let count: Int?
        /// Declared sizes of both lists.
        package let ownCount: Int
        package let peerCount: Int

        /// Its entry in the node's own list of accesses.
        fileprivate var use: [RoleEffect] { identifiers.map { [.used(.aligned, $0)] } ?? [] }
    }

    private var reveals: JobSpecification.AlignmentPart.Reveals { context.specification.alignment?.reveals ?? .subjects }
    private var asksForSizeOnly: Bool { reveals == .size }
    private var tellsBankAlone: Bool { reveals == .bank }

    private var isListComplete: Bool { peerCount != nil && peerReceived == peerCount }
    private var sentBlocks: Int { (sent + TransferCounts.pointsPerBlock - 1) / TransferCounts.pointsPerBlock }
    private var heardBlocks: Int { (peerReceived + TransferCounts.pointsPerBlock - 1) / TransferCounts.pointsPerBlock }

    /// The bank sends as fast as the line takes it. The platform takes a block of the bank's for each of its own, so that both
    /// compute at once and what it sends has one order.
    private var maySendBlock: Bool {
        guard openingSent, sent < own.count else { return false }
        return context.role == .bank || peerCount != nil && (isListComplete || sentBlocks <= heardBlocks)
    }

    package var wantsToProceed: Bool {
        !own.isReady || !openingSent || maySendBlock || matchesToSend != nil || isSortingDue
    }

    package var isListening: Bool { openingSent && (context.role == .bank || !maySendBlock && !isSortingDue) }

    private var isSortingDue: Bool { sorting != nil && isListComplete && sent == own.count }

    /// Blinds the next block, or sends one.
    package mutating func proceed() throws(Fault) -> (effects: [RoleEffect], aligned: Aligned?) {
        if !own.isReady {
            try own.proceed(&scratch)
            guard own.blinded - told >= TransferCounts.blindedPerNotice, own.blinded < own.count else { return ([progress()], nil) }
            told = own.blinded
            return ([.send(.blindingProgress(.filled { $0.count = UInt64(told) }), to: .peer), progress()], nil)
        }
        if !openingSent {
            openingSent = true
            return ([.send(.alignmentOpening(.filled {
                $0.count = UInt64(own.count)
                $0.listDigest = own.digest.data
                $0.seedCommitment = Alignment.commitment(to: secrets.seedShare).data
            }), to: .peer)], nil)
        }
        if maySendBlock {
            let block = sent / TransferCounts.pointsPerBlock
            let points = try own.block(block, scratch)
            sent += points.count / width
            return ([.send(.blindedPoints(.filled {
                $0.block = UInt32(block)
                $0.points = points.data
            }), to: .peer)] + revealSeedIfDue(), unseen)
        }
        if isSortingDue {
            guard let (block, points) = try sorting?.next(scratch) else {
                sorting = nil
                return ([], nil)
            }
            return ([.send(.sortedPoints(.filled {
                $0.block = UInt32(block)
                $0.points = points.data
            }), to: .peer)], nil)
        }
        if var sending = matchesToSend {
            let message = try sending.next(scratch)
            matchesToSend = sending.isDone ? nil : sending
            return ([.send(.matches(message), to: .peer)], sending.isDone ? found : nil)
        }
        return ([], nil)
    }

    package mutating func hear(_ message: Message) throws(Fault) -> (effects: [RoleEffect], aligned: Aligned?) {
        switch message {
        case .blindingProgress(let notice) where peerCount == nil:
            let count = Int(clamping: notice.count)
            guard count > peerAnnounced else { throw context.fault(.wrongCount) }
            if let fault = JobLimits.checkSetSize(count, of: context.peerName, limits: context.limits) { throw fault }
            peerAnnounced = count
            return ([], nil)

        case .alignmentOpening(let opening) where peerCount == nil:
            let count = Int(clamping: opening.count)
            if let fault = JobLimits.checkSetSize(count, of: context.peerName, limits: context.limits) { throw fault }
            guard count > peerAnnounced else { throw context.fault(.wrongCount) }
            peerCount = count
            peerDigest = opening.listDigest.octets
            peerCommitment = opening.seedCommitment.octets
            peerKeys = PointList(suite: context.suite, limit: count, buckets: buckets)
            if context.role == .bank {
                ownDoubled = PointList(suite: context.suite, limit: own.count, buckets: buckets)
                peerDoubled = PointList(suite: context.suite, limit: count, buckets: buckets)
            } else if asksForSizeOnly {
                sorting = PointSorting(count: count, width: width, memoryBytes: memoryBytes)
            }
            return ([], nil)

        case .blindedPoints(let message):
            let effects = try hearBlinded(message)
            return context.role == .bank ? try matchAlone(after: effects) : (effects, unseen)

        case .doublyBlindedPoints(let message) where context.role == .bank && !asksForSizeOnly && isDoubledDue:
            return try matchAlone(after: try hearDoubled(message.block, message.points.octets))

        case .sortedPoints(let message) where context.role == .bank && asksForSizeOnly && isListComplete && sent == own.count
                && ownDoubledCount < own.count:
            let points = message.points.octets
            let effects = try hearDoubled(message.block, points)
            for start in stride(from: 0, to: points.count, by: width) {
                let coordinate = Array(points[start + 1..<start + 33])
                guard lastSorted.lexicographicallyPrecedes(coordinate) else { throw context.fault(.cryptographicCheck) }
                lastSorted = coordinate
            }
            guard ownDoubledCount == own.count else { return (effects, nil) }
            let aligned = try matchSizes()
            return (effects + [.send(.intersectionSize(.filled { $0.total = UInt64(aligned.count ?? 0) }), to: .peer)], aligned)

        case .intersectionSize(let size) where context.role == .platform && asksForSizeOnly && isListComplete && sorting == nil && sent == own.count:
            let total = Int(clamping: size.total)
            guard total <= min(own.count, peerCount ?? 0) else { throw context.fault(.wrongCount) }
            if let fault = context.checkIntersection(total) { throw fault }
            return ([], Aligned(rows: [], identifiers: nil, count: total, ownCount: own.count, peerCount: peerCount ?? 0))

        case .seedReveal(let reveal) where reveals == .subjects && isListComplete && peerSeed == nil
                && (context.role == .platform || ownDoubledCount == own.count):
            guard Alignment.commitment(to: reveal.seed.octets) == peerCommitment else { throw context.fault(.cryptographicCheck) }
            peerSeed = reveal.seed.octets
            return (context.role == .bank ? try match() : [], nil)

        case .matches(let message) where context.role == .platform && peerSeed != nil:
            let aligned = try hearMatches(message)
            return (aligned?.use ?? [], aligned)

        default:
            throw context.fault(.unexpectedMessage)
        }
    }

    private var ownDoubledCount: Int { ownDoubled?.count ?? 0 }

    /// The platform answers blocks that it was sent, each after one of its own as long as it has any.
    private var isDoubledDue: Bool {
        ownDoubledCount < sent && (isListComplete || ownDoubledCount / TransferCounts.pointsPerBlock < heardBlocks)
    }

    private mutating func hearBlinded(_ message: BlindedPoints) throws(Fault) -> [RoleEffect] {
        guard let peerCount else { throw context.fault(.unexpectedMessage) }
        let block = message.block
        let points = message.points.octets
        try expect(block, peerReceived, of: peerCount, points.count)
        let products = try Self.checked(context) { () throws(SetIntersectionError) -> [UInt8] in
            let products = try blinding.second(points)
            try peerKeys?.append(points[...], to: &scratch)
            if context.role == .bank { try peerDoubled?.append(products[...], to: &scratch) }
            return products
        }
        peerHash.update(points)
        peerReceived += points.count / width
        if peerReceived == peerCount {
            guard peerHash.finalize() == peerDigest else { throw context.fault(.cryptographicCheck) }
            try Self.checked(context) { () throws(SetIntersectionError) in try peerKeys?.check(against: own.keys, in: scratch) }
            peerKeys = nil
        }
        var effects: [RoleEffect] = [progress()]
        if sorting != nil {
            try sorting?.append(products, to: &scratch)
        } else if context.role == .platform {
            effects.append(.send(.doublyBlindedPoints(.filled {
                $0.block = block
                $0.points = products.data
            }), to: .peer))
        }
        return effects + revealSeedIfDue()
    }

    private mutating func hearDoubled(_ block: UInt32, _ points: [UInt8]) throws(Fault) -> [RoleEffect] {
        try expect(block, ownDoubledCount, of: own.count, points.count)
        try Self.checked(context) { () throws(SetIntersectionError) in
            try context.suite.validate(points[...])
            try ownDoubled?.append(points[...], to: &scratch)
        }
        return [progress()]
    }

    /// Blocks come in order and are full, except for the last.
    private func expect(_ block: UInt32, _ received: Int, of total: Int, _ bytes: Int) throws(Fault) {
        guard Int(block) == received / TransferCounts.pointsPerBlock, received < total,
              bytes == min(TransferCounts.pointsPerBlock, total - received) * width
        else { throw context.fault(.wrongCount) }
    }

    /// Static: what is changed inside is not copied meanwhile.
    @discardableResult
    private static func checked<Value>(_ context: JobContext, _ body: () throws(SetIntersectionError) -> Value) throws(Fault) -> Value {
        do {
            return try body()
        } catch {
            throw error == .storage ? .scratch : context.fault(.cryptographicCheck)
        }
    }

    /// Both lists are complete, so the order of rows can no longer be steered by choosing what is in them.
    private mutating func revealSeedIfDue() -> [RoleEffect] {
        guard !seedSent, reveals == .subjects, sent == own.count, isListComplete else { return [] }
        seedSent = true
        return [.send(.seedReveal(.filled { $0.seed = secrets.seedShare.data }), to: .peer)]
    }

    private static func commitment(to seed: [UInt8]) -> [UInt8] {
        SHA256.hash(Array("JointLab seed share ".utf8) + seed)
    }

    /// At the platform, where the bank alone learns the subjects: all points are back at the bank, and nothing more is heard.
    private var unseen: Aligned? {
        guard tellsBankAlone, context.role == .platform, isListComplete, sent == own.count else { return nil }
        return Aligned(rows: [], identifiers: nil, count: nil, ownCount: own.count, peerCount: peerCount ?? 0)
    }

    // The bank's matching

    /// Where the bank alone learns the subjects: once all points are there, what they tell.
    private mutating func matchAlone(after effects: [RoleEffect]) throws(Fault) -> (effects: [RoleEffect], aligned: Aligned?) {
        guard tellsBankAlone, isListComplete, ownDoubledCount == own.count else { return (effects, nil) }
        let use = try match()
        matchesToSend = nil
        return (effects + use, found)
    }

    /// - Returns: the use of the own subjects, which the node may refuse before the platform is told a match.
    private mutating func match() throws(Fault) -> [RoleEffect] {
        var ownPositions = PositionSet(total: own.count, memoryBytes: memoryBytes)
        var peerPositions = PositionSet(total: max(1, peerCount ?? 0), memoryBytes: memoryBytes)
        try forEachMatch { (matches, scratch) throws(ScratchError) in
            for match in matches {
                try ownPositions.insert(match.own, in: &scratch)
                try peerPositions.insert(match.peer, in: &scratch)
            }
        }
        if let fault = context.checkIntersection(ownPositions.count) { throw fault }
        positions = ownPositions
        // In the order of the platform's list: the bank's own order stays with the bank.
        matchesToSend = MatchSending(peerPositions)
        let found = try aligned()
        self.found = found
        return found.use
    }

    private mutating func matchSizes() throws(Fault) -> Aligned {
        var count = 0
        try forEachMatch { (matches, _) throws(ScratchError) in count += matches.count }
        if let fault = context.checkIntersection(count) { throw fault }
        return Aligned(rows: [], identifiers: nil, count: count, ownCount: own.count, peerCount: peerCount ?? 0)
    }

    private mutating func forEachMatch(_ body: ([PointList.Match], inout any Scratch) throws(ScratchError) -> Void) throws(Fault) {
        guard let ownDoubled, let peerDoubled else { return }
        var scratch = self.scratch
        defer { self.scratch = scratch }
        try Self.checked(context) { () throws(SetIntersectionError) in
            try ownDoubled.matches(with: peerDoubled, in: self.scratch) { matches throws(SetIntersectionError) in
                do { try body(matches, &scratch) } catch { throw .storage }
            }
        }
        self.ownDoubled = nil
        self.peerDoubled = nil
    }

    private mutating func hearMatches(_ message: Matches) throws(Fault) -> Aligned? {
        let total = Int(message.total)
        let heard = positions?.count ?? 0
        guard total <= min(own.count, peerCount ?? 0), total == matchTotal ?? total,
              Int(message.block) == heard / TransferCounts.positionsPerBlock,
              message.positions.count == 4 * min(TransferCounts.positionsPerBlock, total - heard)
        else { throw context.fault(.wrongCount) }
        matchTotal = total
        if let fault = context.checkIntersection(total) { throw fault }
        var positions = self.positions ?? PositionSet(total: own.count, memoryBytes: memoryBytes)
        let bytes = message.positions.octets
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let position = bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
            guard position < UInt32(own.count), lastPosition.map({ $0 < position }) ?? true else { throw context.fault(.wrongCount) }
            lastPosition = position
            do { try positions.insert(position, in: &scratch) } catch { throw .scratch }
        }
        self.positions = positions
        return positions.count == total ? try aligned() : nil
    }

    private mutating func aligned() throws(Fault) -> Aligned {
        guard let positions else { throw Fault(.defect, at: "Alignment.aligned") }
        let rowOrder = RowOrder(context.specification, role: context.role, own: secrets.seedShare, other: peerSeed ?? [])
        var order = SecretOrder(count: positions.count, memoryBytes: memoryBytes) { rowOrder.code(of: $0) }
        let subjects = list.count
        var areSubjects = true
        do {
            try own.entries(at: positions, &scratch) { (entries, scratch) throws(ScratchError) in
                areSubjects = areSubjects && entries.allSatisfy { $0.row < subjects }
                try order.append(entries, to: &scratch)
            }
        } catch {
            throw .scratch
        }
        // A filler is in nobody's list: the peer has not sent back what it was sent.
        guard areSubjects else { throw context.fault(.cryptographicCheck) }
        do {
            var rows: [Int] = []
            var writer = IdentifierWriter()
            for bucket in 0..<order.buckets {
                for entry in try order.bucket(bucket, in: scratch) {
                    if list.isInMemory { rows.append(Int(entry.row)) } else { try writer.append(entry.identifier, to: &scratch) }
                }
            }
            let identifiers = try writer.finish(&scratch)
            return Aligned(rows: rows, identifiers: list.isInMemory ? list.chosen(rows) : identifiers,
                           count: positions.count, ownCount: own.count, peerCount: peerCount ?? 0)
        } catch {
            throw .scratch
        }
    }

    private func progress() -> RoleEffect {
        .progress(.filled {
            $0.phase = .alignment
            $0.done = UInt64(own.blinded + peerReceived + ownDoubledCount)
            $0.total = UInt64(own.count * (context.role == .bank ? 2 : 1) + (peerCount ?? own.count))
        })
    }
}

/// The bank's answer, cut into blocks.
private struct MatchSending: Sendable {
    private let positions: PositionSet
    private var bucket = 0
    private var waiting: ArraySlice<UInt32> = []
    private var sent = 0

    init(_ positions: PositionSet) { self.positions = positions }

    var isDone: Bool { sent == positions.count }

    mutating func next(_ scratch: any Scratch) throws(Fault) -> Matches {
        while waiting.count < TransferCounts.positionsPerBlock, bucket < positions.buckets {
            do { waiting.append(contentsOf: try positions.bucket(bucket, in: scratch)) } catch { throw .scratch }
            bucket += 1
        }
        let block = waiting.prefix(TransferCounts.positionsPerBlock)
        waiting = waiting.dropFirst(block.count)
        let number = sent / TransferCounts.positionsPerBlock
        sent += block.count
        return .filled {
            $0.total = UInt32(positions.count)
            $0.block = UInt32(number)
            $0.positions = block.flatMap { position in (0..<4).map { UInt8(truncatingIfNeeded: position >> UInt32(24 - 8 * $0)) } }.data
        }
    }
}

/// Elements on their way back in ascending order of x, which tells nothing of the order in which they came.
private struct PointSorting: Sendable {
    private let width: Int
    private var spill: Spill
    private var bucket = 0
    private var waiting: ArraySlice<UInt8> = []
    private var block = 0

    init(count: Int, width: Int, memoryBytes: Int) {
        self.width = width
        // Under the own scalar leading bytes are uniform, whatever the peer sent.
        spill = Spill(buckets: Spill.buckets(records: count, recordBytes: 4 * width, memoryBytes: memoryBytes))
    }

    mutating func append(_ points: [UInt8], to scratch: inout any Scratch) throws(Fault) {
        do {
            for start in stride(from: 0, to: points.count, by: width) {
                let leading = points[start + 1..<start + 9].reduce(0) { $0 << 8 | UInt64($1) }
                try spill.append(points[start..<start + width], to: Spill.bucket(of: leading, among: spill.buckets), in: &scratch)
            }
        } catch {
            throw .scratch
        }
    }

    mutating func next(_ scratch: any Scratch) throws(Fault) -> (block: Int, points: [UInt8])? {
        let full = TransferCounts.pointsPerBlock * width
        while waiting.count < full, bucket < spill.buckets {
            let bytes: [UInt8]
            do { bytes = try spill.bytes(of: bucket, in: scratch) } catch { throw .scratch }
            bucket += 1
            let points = stride(from: 0, to: bytes.count, by: width).map { bytes[$0..<$0 + width] }
            waiting.append(contentsOf: points.sorted { $0.dropFirst().lexicographicallyPrecedes($1.dropFirst()) }.joined())
        }
        guard !waiting.isEmpty else { return nil }
        let points = Array(waiting.prefix(full))
        waiting = waiting.dropFirst(full)
        defer { block += 1 }
        return (block, points)
    }
}
