import Faults
import Jobs
import Primitives
import Roles
import SetIntersection
import Wire

/// Set intersection between bank and platform: both end with the common subjects in one order that neither chose, and
/// learn of the others no more than how many there are.
///
///     both      AlignmentOpening: count, digest of the blinded list, commitment to a seed share
///     both      BlindedPoints: k H(id), shuffled
///     P -> B    DoublyBlindedPoints: the bank's points under both scalars, in the order received
///     both      SeedReveal, once both lists are complete
///     B -> P    Matches: positions in the platform's own list
///
/// Source: Meadows 1986, Huberman, Franklin, Hogg 1999; Protocols/protocol.md, "Alignment".
package struct Alignment: Sendable {
    private let context: JobContext
    private let secrets: JobSecrets
    private let blinding: Blinding
    private let tag: DomainSeparationTag
    /// Own identifiers in the order of the first pass, and where each stands in the caller's list.
    private let shuffled: [String]
    private let origin: [UInt32]
    private let width: Int

    private var ownPoints: [UInt8] = []
    private var blinded = 0
    private var sent = 0
    private var openingSent = false
    private var seedSent = false

    private var ownSet: PointSet
    private var peerCount: Int?
    private var peerDigest: [UInt8] = []
    private var peerCommitment: [UInt8] = []
    private var peerReceived = 0
    private var peerHash = SHA256()
    private var peerSet: PointSet?
    private var peerSeed: [UInt8]?
    private var doubled = 0
    private var matcher: Matcher?
    private var positions: [UInt32] = []
    private var matchBlocks: [Message] = []
    private var matchTotal: Int?

    /// - Parameter identifiers: distinct and normalised.
    package init(context: JobContext, secrets: JobSecrets, identifiers: [String]) {
        self.context = context
        self.secrets = secrets
        blinding = Blinding(suite: context.suite, random: secrets.random(.intersection, "scalar"))
        tag = context.suite.domainSeparationTag(job: context.job.octets, attempt: context.attempt)
        origin = secrets.random(.shuffle, "order").permutation(count: identifiers.count, at: DrawAddress(message: 0))
        shuffled = origin.map { identifiers[Int($0)] }
        width = context.suite.elementByteCount
        ownSet = PointSet(suite: context.suite, limit: identifiers.count)
    }

    /// Rows of the caller's list that are common, in the job's order.
    package struct Aligned: Sendable {
        package let rows: [Int]
        /// Declared sizes of both lists.
        package let ownCount: Int
        package let peerCount: Int
    }

    package var wantsToProceed: Bool {
        blinded < shuffled.count || !openingSent || sent < shuffled.count || !matchBlocks.isEmpty
    }

    /// The platform answers the bank's points: it hears them once its own are sent, so that what it sends has one order. The
    /// bank listens throughout, or two long lists would wait for each other.
    package var isListening: Bool { openingSent && (context.role == .bank || sent == shuffled.count) }

    /// Blinds the next block, or sends one.
    package mutating func proceed() throws(Fault) -> (effects: [RoleEffect], aligned: Aligned?) {
        if blinded < shuffled.count {
            let range = blinded..<min(blinded + JobContext.pointsPerBlock, shuffled.count)
            ownPoints += blinding.first(Array(shuffled[range]), tag: tag)
            blinded = range.upperBound
            return ([progress()], nil)
        }
        if !openingSent {
            openingSent = true
            do { try ownSet.insert(ownPoints[...]) } catch { throw Fault(.defect, at: "Alignment.proceed") }
            return ([.send(.alignmentOpening(.filled {
                $0.count = UInt64(shuffled.count)
                $0.listDigest = SHA256.hash(ownPoints).data
                $0.seedCommitment = Alignment.commitment(to: secrets.seedShare).data
            }), to: .peer)], nil)
        }
        if sent < shuffled.count {
            let range = sent..<min(sent + JobContext.pointsPerBlock, shuffled.count)
            let block = sent / JobContext.pointsPerBlock
            sent = range.upperBound
            let points = ownPoints[range.lowerBound * width..<range.upperBound * width]
            return ([.send(.blindedPoints(.filled {
                $0.block = UInt32(block)
                $0.points = Array(points).data
            }), to: .peer)] + revealSeedIfDue(), nil)
        }
        if !matchBlocks.isEmpty {
            let effects: [RoleEffect] = [.send(matchBlocks.removeFirst(), to: .peer)]
            return (effects, matchBlocks.isEmpty ? aligned(ownPositions: positions) : nil)
        }
        return ([], nil)
    }

    package mutating func hear(_ message: Message) throws(Fault) -> (effects: [RoleEffect], aligned: Aligned?) {
        switch message {
        case .alignmentOpening(let opening) where peerCount == nil:
            let count = Int(clamping: opening.count)
            if let fault = JobLimits.checkSetSize(count, of: context.peerName, limits: context.limits) { throw fault }
            guard count > 0 else { throw context.fault(.wrongCount) }
            peerCount = count
            peerDigest = opening.listDigest.octets
            peerCommitment = opening.seedCommitment.octets
            peerSet = PointSet(suite: context.suite, limit: count)
            if context.role == .bank { matcher = Matcher(suite: context.suite, ownLimit: shuffled.count, peerLimit: count) }
            return ([], nil)

        case .blindedPoints(let message):
            return (try hearBlinded(message), nil)

        case .doublyBlindedPoints(let message) where context.role == .bank && peerReceived == peerCount:
            try expect(message.block, doubled, of: shuffled.count, message.points.count)
            let points = message.points.octets
            try check { () throws(SetIntersectionError) in
                try context.suite.validate(points[...])
                try matcher?.appendOwn(points[...])
            }
            doubled += points.count / width
            return ([progress()], nil)

        case .seedReveal(let reveal) where peerReceived == peerCount && peerSeed == nil
                && (context.role == .platform || doubled == shuffled.count):
            guard Alignment.commitment(to: reveal.seed.octets) == peerCommitment else { throw context.fault(.cryptographicCheck) }
            peerSeed = reveal.seed.octets
            if context.role == .bank { try match() }
            return ([], nil)

        case .matches(let message) where context.role == .platform && peerSeed != nil:
            return ([], try hearMatches(message))

        default:
            throw context.fault(.unexpectedMessage)
        }
    }

    private mutating func hearBlinded(_ message: BlindedPoints) throws(Fault) -> [RoleEffect] {
        guard let peerCount else { throw context.fault(.unexpectedMessage) }
        let block = message.block
        try expect(block, peerReceived, of: peerCount, message.points.count)
        let points = message.points.octets
        let products: [UInt8]
        do {
            try ownSet.refuseReflections(in: points[...])
            try peerSet?.insert(points[...])
            products = try blinding.second(points)
            if context.role == .bank { try matcher?.appendPeer(products[...]) }
        } catch {
            throw context.fault(.cryptographicCheck)
        }
        peerHash.update(points)
        peerReceived += points.count / width
        if peerReceived == peerCount, peerHash.finalize() != peerDigest { throw context.fault(.cryptographicCheck) }
        var effects: [RoleEffect] = [progress()]
        if context.role == .platform {
            effects.append(.send(.doublyBlindedPoints(.filled {
                $0.block = block
                $0.points = products.data
            }), to: .peer))
        }
        return effects + revealSeedIfDue()
    }

    /// Blocks come in order and are full, except for the last.
    private func expect(_ block: UInt32, _ received: Int, of total: Int, _ bytes: Int) throws(Fault) {
        guard Int(block) == received / JobContext.pointsPerBlock, received < total,
              bytes == min(JobContext.pointsPerBlock, total - received) * width
        else { throw context.fault(.wrongCount) }
    }

    private func check(_ body: () throws(SetIntersectionError) -> Void) throws(Fault) {
        do { try body() } catch { throw context.fault(.cryptographicCheck) }
    }

    /// Both lists are complete, so the order of rows can no longer be steered by choosing what is in them.
    private mutating func revealSeedIfDue() -> [RoleEffect] {
        guard !seedSent, sent == shuffled.count, peerReceived == peerCount else { return [] }
        seedSent = true
        return [.send(.seedReveal(.filled { $0.seed = secrets.seedShare.data }), to: .peer)]
    }

    private static func commitment(to seed: [UInt8]) -> [UInt8] {
        SHA256.hash(Array("JointLab seed share ".utf8) + seed)
    }

    private mutating func match() throws(Fault) {
        let matches: [Matcher.Match]
        do { matches = try matcher?.matches() ?? [] } catch { throw context.fault(.cryptographicCheck) }
        matcher = nil
        if let fault = JobLimits.checkIntersection(count: matches.count, minimum: context.minimumIntersection) { throw fault }
        positions = matches.map(\.own)
        // In the order of the platform's list: the bank's own order stays with the bank.
        let peerPositions = matches.map(\.peer).sorted()
        matchBlocks = stride(from: 0, to: peerPositions.count, by: JobContext.positionsPerBlock).map { start in
            let slice = peerPositions[start..<min(start + JobContext.positionsPerBlock, peerPositions.count)]
            return .matches(.filled {
                $0.total = UInt32(peerPositions.count)
                $0.block = UInt32(start / JobContext.positionsPerBlock)
                $0.positions = slice.flatMap { position in (0..<4).map { UInt8(truncatingIfNeeded: position >> UInt32(24 - 8 * $0)) } }.data
            })
        }
    }

    private mutating func hearMatches(_ message: Matches) throws(Fault) -> Aligned? {
        let total = Int(message.total)
        guard total <= min(shuffled.count, peerCount ?? 0), total == matchTotal ?? total,
              Int(message.block) == positions.count / JobContext.positionsPerBlock,
              message.positions.count == 4 * min(JobContext.positionsPerBlock, total - positions.count)
        else { throw context.fault(.wrongCount) }
        matchTotal = total
        if let fault = JobLimits.checkIntersection(count: total, minimum: context.minimumIntersection) { throw fault }
        let bytes = message.positions.octets
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let position = bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
            guard position < UInt32(shuffled.count), positions.last.map({ $0 < position }) ?? true else {
                throw context.fault(.wrongCount)
            }
            positions.append(position)
        }
        return positions.count == total ? aligned(ownPositions: positions) : nil
    }

    /// Rows sorted by a keyed hash of their identifier under the joint seed: the same at both sides, chosen by neither.
    private func aligned(ownPositions: [UInt32]) -> Aligned {
        let shares = context.role == .bank ? [secrets.seedShare, peerSeed ?? []] : [peerSeed ?? [], secrets.seedShare]
        let splitSeed = context.specification.training?.split.seed ?? 0
        let seed = SecretBytes(copying: SHA256.hash(Array("JointLab row order \(splitSeed) ".utf8) + shares[0] + shares[1]))
        let keyed = ownPositions.map { position -> (code: UInt128, row: Int) in
            let code = HMACSHA256.code(for: Array(shuffled[Int(position)].utf8), key: seed)
            return (code.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }, Int(origin[Int(position)]))
        }
        return Aligned(rows: keyed.sorted { $0.code < $1.code }.map(\.row), ownCount: shuffled.count, peerCount: peerCount ?? 0)
    }

    private func progress() -> RoleEffect {
        .progress(.filled {
            $0.phase = .alignment
            $0.done = UInt64(blinded + peerReceived + doubled)
            $0.total = UInt64(shuffled.count * (context.role == .bank ? 2 : 1) + (peerCount ?? shuffled.count))
        })
    }
}
