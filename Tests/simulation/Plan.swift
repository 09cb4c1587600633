import Foundation

/// Kinds of faults; a seed enables some of them, and those thoroughly.
enum FaultClass: CaseIterable {
    case crash, powerLoss, lineLoss, stall, longStall, duplicate, reorder, stale, corruption, clock, cancellation, slowDisk, refusal
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
        case duplicate, reorder, stale
        case corrupt(place: Double, bit: Int)
    }

    let seed: UInt64
    let classes: Set<FaultClass>
    /// From then on nothing goes wrong any more.
    let healing = 200_000
    private(set) var crashes: [Fall] = []
    private(set) var jumps: [Jump] = []
    private(set) var stalls: [Stall] = []
    /// At that frame of the link, counted over all of its lines.
    private(set) var mischief: [Set<Name>: [Int: Mischief]] = [:]
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

    init(seed: UInt64) {
        self.seed = seed
        var random = Numbers(state: seed)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        let number = below(20) == 0 ? 0 : 1 + below(3)
        // Falls are what the protocol has most to fear from.
        let weighted = FaultClass.allCases + [.crash, .crash, .powerLoss, .powerLoss]
        var classes = Set(weighted.shuffled(using: &random).prefix(number))
        delayMilliseconds = [0...0, 1...20, 1...200, 20...60][below(4)]
        rounds = below(40) == 0 ? 0 : 1 + below(2)
        draw = UInt64(below(4))
        probes = below(4) == 0
        // A frame of an earlier attempt takes one.
        if classes.contains(.stale) { classes.insert(.lineLoss) }
        self.classes = classes
        let dataParties = [Name.north, .south]
        for kind in FaultClass.allCases where classes.contains(kind) {
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
            }
        }
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
        classes.isSubset(of: [.crash, .powerLoss, .lineLoss, .stall, .slowDisk])
    }
}
