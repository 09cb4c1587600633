import ArbiterRole
import BigInt
import Faults
import Foundation
import Jobs
import Testing
import Wire

/// The rulings on rounds, held against the steps themselves, which the arbiter never sees.
@Suite("Rulings on rounds") struct RefereeTests {
    /// SplitMix64.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
    }

    /// Steps of both parties, one after the other, and their shares.
    private struct Pair {
        var random: Numbers
        let lengths = [5, 9]
        var steps: [[[Double]]] = []
        /// Steps since the last return.
        var kept = 0

        init(seed: UInt64) { random = Numbers(state: seed) }

        /// Takes the next step of both parties and returns the matrix [dF_1 ... dF_h | f] of each, most recent first.
        mutating func next(depth: Int) -> [[[Double]]] {
            steps.append(lengths.map { length in (0..<length).map { _ in Double.random(in: -1...1, using: &random) } })
            return lengths.indices.map { party in
                let own = steps.map { $0[party] }
                let last = own.count - 1
                let differences = (0..<depth).map { back -> [Double] in zip(own[last - back], own[last - back - 1]).map { $0 - $1 } }
                return differences + [own[last]]
            }
        }

        /// Both shares with pads that cancel modulo 2^192.
        mutating func shares(_ columns: [[[Double]]]) -> [[UInt8]] {
            let modulus = BigInt(1) << 192
            var bytes: [[UInt8]] = [[], []]
            for i in columns[0].indices {
                for j in i..<columns[0].count {
                    let pad = BigInt(BigUInt((0..<24).reduce(into: Data()) { data, _ in data.append(UInt8.random(in: 0...255, using: &random)) }))
                    for (party, sign) in [(0, BigInt(1)), (1, -1)] {
                        let product = zip(columns[party][i], columns[party][j]).reduce(0) { $0 + $1.0 * $1.1 }
                        let value = BigInt((product * 0x1p60).rounded()) << 36
                        let element = (value + sign * pad).modulus(modulus).magnitude.serialize()
                        bytes[party] += [UInt8](repeating: 0, count: 24 - element.count) + element
                    }
                }
            }
            return bytes
        }
    }

    private static func share(_ round: Int, _ gram: [UInt8], settled: Bool = false, rose: Bool = false) -> Message {
        .roundShare(.filled {
            $0.round = UInt32(round)
            $0.paddedGram = gram.data
            $0.settled = settled
            $0.rose = rose
        })
    }

    private static func verdict(_ lab: inout TrialArbiter) throws -> Verdict? {
        let (north, south) = (lab.take(.party("north")), lab.take(.party("south")))
        #expect(north == south)
        guard case .verdict(let verdict)? = north.last?.message else { return nil }
        return verdict
    }

    private static func gamma(_ verdict: Verdict) -> [Double] {
        let bytes = verdict.gamma.octets
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            Double(Int64(bitPattern: bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })) / 0x1p40
        }
    }

    /// argmin |f - F gamma| over both parties' rows by Gram and Schmidt, without the Gram matrix.
    private static func leastSquares(_ columns: [[[Double]]]) -> [Double] {
        let joined = columns[0].indices.map { columns[0][$0] + columns[1][$0] }
        let (matrix, target) = (Array(joined.dropLast()), joined[joined.count - 1])
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        var basis: [[Double]] = []
        var upper: [[Double]] = []
        for column in matrix {
            var rest = column
            var row: [Double] = []
            for vector in basis {
                row.append(dot(vector, rest))
                rest = zip(rest, vector).map { [weight = row[row.count - 1]] in $0 - weight * $1 }
            }
            let length = dot(rest, rest).squareRoot()
            basis.append(rest.map { $0 / length })
            upper.append(row + [length])
        }
        var right = basis.map { dot($0, target) }
        for k in right.indices.reversed() {
            for j in right.indices where j > k { right[k] -= upper[j][k] * right[j] }
            right[k] /= upper[k][k]
        }
        return right
    }

    @Test("the coefficients are those of the joint least squares, with the history that both parties keep", arguments: [(1, 8), (2, 3), (3, 1)])
    func coefficients(seed: UInt64, history: Int) throws {
        var lab = try TrialArbiter()
        let job = try lab.running(TrialArbiter.specification(rounds: 12, history: history))
        var pair = Pair(seed: seed)
        for round in 1...12 {
            let depth = min(round - 1, history)
            let columns = pair.next(depth: depth)
            let shares = pair.shares(columns)
            // Either may come first.
            let order = round % 2 == 0 ? [("north", 0), ("south", 1)] : [("south", 1), ("north", 0)]
            lab.hear(Self.share(round, shares[order[0].1]), job, from: .party(order[0].0))
            #expect(try Self.verdict(&lab) == nil)
            lab.hear(Self.share(round, shares[order[1].1]), job, from: .party(order[1].0))
            let verdict = try #require(try Self.verdict(&lab))
            #expect(verdict.round == UInt32(round) && verdict.decision == (round < 12 ? .step : .finish))
            let (found, expected) = (Self.gamma(verdict), Self.leastSquares(columns))
            #expect(found.count == depth)
            for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-8, "round \(round)") }
        }
        #expect(try lab.record(job).state == .running)
    }

    @Test("training ends when both sides have settled, and not before")
    func settled() throws {
        for (bank, platform, decision) in [(true, true, Decision.finish), (true, false, .step), (false, true, .step)] {
            var lab = try TrialArbiter()
            let job = try lab.running()
            var pair = Pair(seed: 4)
            let shares = pair.shares(pair.next(depth: 0))
            lab.hear(Self.share(1, shares[0], settled: bank), job, from: .party("north"))
            lab.hear(Self.share(1, shares[1], settled: platform), job, from: .party("south"))
            #expect(try Self.verdict(&lab)?.decision == decision)
        }
    }

    @Test("a loss that rose sends both back, without coefficients and with a history that begins anew")
    func back() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        var pair = Pair(seed: 5)
        for (round, depth, rose) in [(1, 0, false), (2, 1, false), (3, 2, true), (4, 1, false), (5, 2, false)] {
            let columns = pair.next(depth: depth)
            let shares = pair.shares(columns)
            lab.hear(Self.share(round, shares[0], settled: rose, rose: rose), job, from: .party("north"))
            lab.hear(Self.share(round, shares[1], settled: rose), job, from: .party("south"))
            let verdict = try #require(try Self.verdict(&lab))
            #expect(verdict.decision == (rose ? .back : .step) && verdict.gamma.count == (rose ? 0 : 8 * depth))
        }
    }

    @Test("after eight returns, or at the last round, the last accepted point is kept")
    func keep() throws {
        var lab = try TrialArbiter()
        let job = try lab.running(TrialArbiter.specification(rounds: 12))
        var pair = Pair(seed: 6)
        var decisions: [Decision] = []
        for round in 1...10 {
            let shares = pair.shares(pair.next(depth: round == 1 ? 0 : 1))
            lab.hear(Self.share(round, shares[0], rose: round > 1), job, from: .party("north"))
            lab.hear(Self.share(round, shares[1]), job, from: .party("south"))
            decisions.append(try #require(try Self.verdict(&lab)).decision)
        }
        #expect(decisions == [.step] + [Decision](repeating: .back, count: 8) + [.keep])

        var short = try TrialArbiter()
        let last = try short.running(TrialArbiter.specification(rounds: 2))
        for round in 1...2 {
            let shares = pair.shares(pair.next(depth: round - 1))
            short.hear(Self.share(round, shares[0], rose: round == 2), last, from: .party("north"))
            short.hear(Self.share(round, shares[1]), last, from: .party("south"))
        }
        #expect(try Self.verdict(&short)?.decision == .keep)
    }

    @Test("the platform sees no loss, so its word that it rose is not heard")
    func platformRose() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        var pair = Pair(seed: 7)
        for round in 1...2 {
            let shares = pair.shares(pair.next(depth: round - 1))
            lab.hear(Self.share(round, shares[0]), job, from: .party("north"))
            lab.hear(Self.share(round, shares[1], rose: true), job, from: .party("south"))
            #expect(try Self.verdict(&lab)?.decision == .step)
        }
    }

    @Test("a share of another round, twice, or of another size ends the job")
    func malformed() throws {
        for (message, code) in [
            (Self.share(0, [UInt8](repeating: 0, count: 24)), Fault.Code.unexpectedMessage), (Self.share(2, [UInt8](repeating: 0, count: 24)), .unexpectedMessage),
            (Self.share(1, []), .wrongCount), (Self.share(1, [UInt8](repeating: 0, count: 48)), .wrongCount),
            (Self.share(1, [UInt8](repeating: 0, count: 23)), .wrongCount), (Self.share(1, [UInt8](repeating: 0, count: 24 * 45)), .wrongCount),
        ] {
            var lab = try TrialArbiter()
            let job = try lab.running()
            lab.hear(message, job, from: .party("south"))
            let record = try lab.record(job)
            #expect(record.fault.fault(from: "") == Fault(code, at: "south") && record.faultParty == "south" && lab.stop("north")?.code == code)
        }
        var lab = try TrialArbiter()
        let job = try lab.running()
        for _ in 1...2 { lab.hear(Self.share(1, [UInt8](repeating: 0, count: 24)), job, from: .party("north")) }
        #expect(try lab.record(job).fault.fault(from: "") == Fault(.unexpectedMessage, at: "north"))
    }

    @Test("shares of any content give a verdict of the announced size, and no trap")
    func wild() throws {
        var lab = try TrialArbiter()
        let job = try lab.running(TrialArbiter.specification(rounds: 40))
        var random = Numbers(state: 8)
        let patterns: [[UInt8]] = [[0], [0xff], [0x7f] + [UInt8](repeating: 0xff, count: 23), [0x80] + [UInt8](repeating: 0, count: 23)]
        for round in 1...40 {
            let depth = min(round - 1, 8)
            let bytes = (0..<2).map { _ -> [UInt8] in
                let pattern = patterns[round % 5 == 4 ? 0 : round % 4]
                return (0..<(depth + 1) * (depth + 2) / 2 * 24).map { round % 5 == 4 ? UInt8.random(in: 0...255, using: &random) : pattern[$0 % pattern.count] }
            }
            lab.hear(Self.share(round, bytes[0]), job, from: .party("north"))
            lab.hear(Self.share(round, bytes[1]), job, from: .party("south"))
            #expect(try Self.verdict(&lab)?.gamma.count == 8 * depth)
        }
    }
}
