import Foundation

/// Kinds of faults; a seed enables some of them, and those thoroughly.
enum FaultClass: CaseIterable {
    case crash, powerLoss, lineLoss, stall, longStall, duplicate, reorder, stale, corruption, clock, cancellation, slowDisk, refusal
    case drop, late, resend

    /// Of the line between the parties alone.
    static let ofTheLine: [FaultClass] = [.drop, .late, .resend]
    /// Of which it is counted how many frames have suffered them.
    static let ofFrames: [FaultClass] = [.duplicate, .reorder, .stale] + ofTheLine
}

/// Everything that goes wrong in a run, drawn from its seed before it begins.
struct Plan {
    struct Fall {
        let node: Name
        /// The node falls at that of its points, or of those with the word in their label.
        let point: Int
        let word: String?
        let losesTail: Bool
        let downMilliseconds: Int
    }

    struct Jump {
        let node: Name
        let at: Int
        let seconds: Int
    }

    /// Nothing crosses between the two; what is under way waits.
    struct Stall {
        let link: Set<Name>
        let from: Int
        let until: Int
    }

    enum Mischief {
        case loss(isHalfOpen: Bool)
        /// Written like all that follows, and never read; so much later the connection is lost.
        case drop(milliseconds: Int, isHalfOpen: Bool)
        /// The sender loses the connection at once, and the frame still comes after so long.
        case late(milliseconds: Int)
        /// The connection is lost as soon as the frame has come.
        case cut
        case duplicate, reorder, stale
        case corrupt(place: Double, bit: Int)
    }

    let seed: UInt64
    private(set) var classes: Set<FaultClass> = []
    /// From then on nothing goes wrong any more.
    let healing = 200_000
    private(set) var crashes: [Fall] = []
    private(set) var jumps: [Jump] = []
    private(set) var stalls: [Stall] = []
    /// At that frame of the link, counted over all of its lines.
    private(set) var mischief: [Set<Name>: [Int: Mischief]] = [:]
    /// At that frame between the parties, counted from the first `Closing` of an attempt: how a line ends is where cuts are felt most.
    private(set) var farewell: (frame: Int, mischief: Mischief)?
    private(set) var slow: ClosedRange<Int>?
    private(set) var cancellation: Int?
    /// Whose data lack a column.
    private(set) var refusing: Name?
    let delayMilliseconds: ClosedRange<Int>
    /// Trains so many rounds; 0 aligns alone.
    let rounds: Int
    /// Of the secrets and the job: few, so that undisturbed runs are computed once.
    let draw: UInt64
    /// Whether another job is asked for after everything has healed.
    let probes: Bool

    static let links: [Set<Name>] = [[.north, .south], [.middle, .north], [.middle, .south]]

    private static let words = ["results", "heads", "disk", "operations", "sent", "sends", "recorded", "kept"]

    /// - Parameter wanted: a kind that is among the seed's in any case.
    init(seed: UInt64, wanted: FaultClass? = nil) {
        self.seed = seed
        var random = Numbers(state: seed)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        let number = below(20) == 0 ? 0 : 1 + below(3)
        // Falls are what the protocol has most to fear from.
        let general = FaultClass.allCases.filter { !FaultClass.ofTheLine.contains($0) }
        let weighted = general + [.crash, .crash, .powerLoss, .powerLoss]
        var classes = Set(weighted.shuffled(using: &random).prefix(number))
        delayMilliseconds = [0...0, 1...20, 1...200, 20...60][below(4)]
        rounds = below(40) == 0 ? 0 : 1 + below(2)
        draw = UInt64(below(4))
        probes = below(4) == 0
        if let wanted { classes.insert(wanted) }
        // A frame of an earlier attempt takes one.
        if classes.contains(.stale) { classes.insert(.lineLoss) }
        let dataParties = [Name.north, .south]
        for kind in general where classes.contains(kind) {
            switch kind {
            case .crash, .powerLoss:
                for _ in 0...below(2) {
                    let node = below(3) == 0 ? Name.middle : dataParties[below(2)]
                    let word = below(2) == 0 ? Self.words[below(Self.words.count)] : nil
                    let bound = word == nil ? node == .middle ? 60 : 160 : word == "results" ? 4 : 12
                    crashes.append(Fall(node: node, point: 1 + below(bound), word: word, losesTail: kind == .powerLoss,
                                        downMilliseconds: 200 + below(12_000)))
                }
            case .lineLoss:
                for _ in 0...below(2) { add(.loss(isHalfOpen: below(3) == 0), Self.links[below(3)], below(60)) }
            case .stall:
                for _ in 0...below(2) {
                    let from = below(8000)
                    stalls.append(Stall(link: Self.links[below(3)], from: from, until: from + 500 + below(9000)))
                }
            case .longStall:
                let from = 1000 + below(5000)
                stalls.append(Stall(link: Self.links[below(3)], from: from, until: from + 102_000 + below(40_000)))
                if below(2) == 0 { jumps.append(Jump(node: dataParties[below(2)], at: from + below(30_000), seconds: -(100 + below(10_000)))) }
            case .duplicate: add(.duplicate, Self.links[below(3)], below(50))
            case .reorder: add(.reorder, Self.links[below(3)], below(50))
            case .stale: add(.stale, Self.links[0], 30 + below(60))
            case .corruption: add(.corrupt(place: Double(below(1 << 20)) / Double(1 << 20), bit: below(8)), Self.links[below(3)], below(50))
            case .clock:
                for _ in 0...below(3) {
                    let size = [2, 50, 1000, 1_000_000][below(4)]
                    jumps.append(Jump(node: [Name.middle, .north, .south][below(3)], at: below(20_000), seconds: below(2) == 0 ? size : -size))
                }
            case .cancellation: cancellation = 500 + below(9000)
            case .slowDisk:
                let from = below(6000)
                slow = from...(from + 1000 + below(10_000))
            case .refusal: refusing = dataParties[below(2)]
            case .drop, .late, .resend: break
            }
        }
        // Drawn last, so that seeds keep what they had before these were there.
        if below(2) == 0 { classes.insert(FaultClass.ofTheLine[below(3)]) }
        for kind in FaultClass.ofTheLine where classes.contains(kind) {
            for _ in 0...(kind == .resend ? 2 + below(10) : below(4)) {
                let frame = below(60)
                let mischief: Mischief = switch kind {
                case .drop: .drop(milliseconds: below(3000), isHalfOpen: below(6) == 0)
                case .late: .late(milliseconds: 1 + below(3000))
                default: .cut
                }
                add(mischief, Self.links[0], frame)
                if below(4) == 0 { farewell = (frame / 10, mischief) }
            }
        }
        // What has come and was not taken up comes again: readers wait for their disks.
        if classes.contains(.resend), slow == nil { slow = 2000...(6000 + below(6000)) }
        // A line to the arbiter that is lost ends the attempt.
        if classes.contains(.stale) { add(.loss(isHalfOpen: false), Self.links[1 + below(2)], 10 + below(16)) }
        self.classes = classes
    }

    private mutating func add(_ mischief: Mischief, _ link: Set<Name>, _ frame: Int) { self.mischief[link, default: [:]][frame] = mischief }

    var fallingWords: Set<String> { Set(crashes.compactMap(\.word)) }

    func isSlow(at now: Int) -> Bool { slow?.contains(now) == true }

    /// When what leaves now can arrive.
    func passes(_ link: Set<Name>, at now: Int) -> Int {
        stalls.filter { $0.link == link && $0.from <= now && now < $0.until }.map(\.until).max() ?? now
    }

    /// Whether nothing happens that may end a job for good: then it has to be completed.
    var isPassing: Bool {
        classes.isSubset(of: [.crash, .powerLoss, .lineLoss, .stall, .slowDisk, .drop, .late, .resend])
    }

    /// Whether nothing goes wrong but that the line between the parties is cut: then the attempt goes on.
    var cutsAlone: Bool {
        classes.isSubset(of: [.lineLoss, .slowDisk, .drop, .late, .resend]) && mischief.keys.allSatisfy { $0 == Self.links[0] }
    }
}
