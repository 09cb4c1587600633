import Exchange
import Faults
import Foundation
import LinearAlgebra
import PlatformRole
import Roles
import Synchronization
import Testing
import Training
import Wire

/// What a platform does with the sums that a round gives it, of its own columns with the rows' residuals: it solves for
/// residuals. A label follows by the sign, for a residual is a probability less the label.
private struct ResidualAttack {
    /// Rows whose residual is the same in every solution, and that residual.
    private(set) var solved: [Int: Double] = [:]

    /// - Parameters:
    ///   - columns: each with a value for each row.
    ///   - sums: of each column with the residuals.
    init(columns: [[Double]], sums: [Double]) throws {
        let rows = columns.first?.count ?? 0
        var products = Matrix.zeros(rows: columns.count, columns: columns.count)
        products.symmetricRankUpdate(columns, weights: [Double](repeating: 1, count: rows))
        // Fewer rows than columns: what is left free is chosen smallest.
        for index in columns.indices { products[index, index] += 1e-9 }
        let factor = try #require(Cholesky(products))
        let combination = factor.solve(sums)
        for row in 0..<rows {
            let values = columns.map { $0[row] }
            // 1 exactly where the unit vector of the row is a combination of columns.
            let leverage = zip(values, factor.solve(values)).reduce(0) { $0 + $1.0 * $1.1 }
            if leverage > 0.999 { solved[row] = zip(values, combination).reduce(0) { $0 + $1.0 * $1.1 } }
        }
    }

    init(_ design: Design, _ sums: [Int64]) throws {
        try self.init(
            columns: design.columns.map { column in column.factors.map { Double($0) * column.factorUnit } },
            sums: zip(design.columns, sums).map { Double($1) * 0x1p-24 * $0.factorUnit })
    }

    func rightLabels(_ bad: [Bool]) -> Int { solved.count { bad[$0.key] == ($0.value < 0) } }
}

/// A platform that looks at what it gets.
final class Curiosity: Sendable {
    private let heard = Mutex<(design: Design?, rounds: [[Int64]])>((nil, []))

    var rounds: [(design: Design, sums: [Int64])] {
        heard.withLock { heard in heard.rounds.compactMap { sums in heard.design.map { ($0, sums) } } }
    }

    func note(_ design: Design) { heard.withLock { $0.design = design } }
    func note(_ sums: [Int64]) { heard.withLock { $0.rounds.append(sums) } }
}

struct CuriousSide: PartySide {
    private var honest: PlatformSide
    private let curiosity: Curiosity

    init(_ honest: PlatformSide, _ curiosity: Curiosity) {
        self.honest = honest
        self.curiosity = curiosity
    }

    var identifiers: IdentifierList { honest.identifiers }
    var curvatureExponent: Int? { honest.curvatureExponent }

    mutating func prepare(_ aligned: Alignment.Aligned, trainingRows: Int) throws(Fault) -> Design {
        let design = try honest.prepare(aligned, trainingRows: trainingRows)
        curiosity.note(design)
        return design
    }

    mutating func take(_ sums: [Int64]) -> Gradient {
        curiosity.note(sums)
        return honest.take(sums)
    }

    func check(peerColumns: Int) throws(Fault) { try honest.check(peerColumns: peerColumns) }
    func start(curvatureExponent: Int) -> (weights: [Double], ridge: [Double], preconditioner: Preconditioner) {
        honest.start(curvatureExponent: curvatureExponent)
    }
    mutating func work(weights: [Double], sigmoid: SeparableSigmoid) -> RoundWork { honest.work(weights: weights, sigmoid: sigmoid) }
    mutating func partialScores(_ aligned: Alignment.Aligned, trained: TrainingSummary?) throws(Fault) -> [Double] {
        try honest.partialScores(aligned, trained: trained)
    }
    func results(_ outcome: JobOutcome, _ run: RunMeasurements) throws(Fault) -> [ResultFile] { try honest.results(outcome, run) }
    func page(of files: [ResultFile], language: Language) -> ResultFile? { honest.page(of: files, language: language) }
}

extension PrivacyAttackTests {
    // 2: residuals from small batches

    @Test("a platform that solves its sums for residuals has none of them, in no round of a job")
    func smallBatches() throws {
        let curiosity = Curiosity()
        var job = SmallJob(data: try SmallData(common: 400, seed: 16), rounds: 6)
        job.curiosity = curiosity
        var conversation = try Conversation(job)
        #expect(try conversation.run().completed.count == 2)
        #expect(curiosity.rounds.count >= 2)
        for (design, sums) in curiosity.rounds {
            #expect(design.rows == 400 && sums.count == design.columns.count)
            #expect(try ResidualAttack(design, sums).solved.isEmpty)
        }
    }

    @Test("a control that sums over batches of as many rows as columns gives every label away, and no job may be that small")
    func smallBatchesOnControl() throws {
        let data = try SmallData(common: 400, seed: 16)
        let bad = data.common.map(\.bad)
        var right = 0
        for start in stride(from: 0, to: 400, by: 4) {
            let rows = start..<start + 4
            let columns = (0..<3).map { column in rows.map { data.common[$0].platform[column] } } + [[Double](repeating: 1, count: 4)]
            let scaled = zip(columns, [1000, 5, 30, 1]).map { column, unit in column.map { $0 / unit } }
            let residuals = rows.map { 0.3 - (bad[$0] ? 1 : 0) }
            let sums = scaled.map { zip($0, residuals).reduce(0) { $0 + $1.0 * $1.1 } }
            right += try ResidualAttack(columns: scaled, sums: sums).rightLabels(Array(bad[rows]))
        }
        #expect(right >= 396)
        // 2 x 13 x 4 = 104 rows are wanted.
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 100, seed: 16), rounds: 13))
        #expect(try conversation.run().faults.values.first?.code == .tooFewRows)
    }

    // 3: a column with one row

    /// Only one common firm is in arrears.
    private static func oneInArrears() throws -> (data: SmallData, firm: SmallData.Firm) {
        let data = try SmallData(common: 400, seed: 17)
        let firm = try #require(data.common.first { $0.bad })
        let lines = try String(contentsOf: data.platformFile, encoding: .utf8).split(separator: "\n").map { $0.replacing(",true", with: ",false") }
        let marked = lines.map { $0.hasPrefix("\(firm.id),") ? $0.replacing(",false", with: ",true") : $0 }
        try marked.joined(separator: "\n").write(to: data.platformFile, atomically: true, encoding: .utf8)
        return (data, firm)
    }

    @Test("a column in which one row differs is in no round, and no sum is that row's residual")
    func oneRow() throws {
        let curiosity = Curiosity()
        var job = SmallJob(data: try Self.oneInArrears().data, rounds: 4)
        job.curiosity = curiosity
        var conversation = try Conversation(job)
        #expect(try conversation.run().completed.count == 2)
        #expect(curiosity.rounds.count >= 2)
        for (design, sums) in curiosity.rounds {
            // Three of the four columns that the specification names.
            #expect(design.columns.count == 3 && sums.count == 3)
            #expect(try ResidualAttack(design, sums).solved.isEmpty)
        }
    }

    @Test("a control that keeps such a column reads the row's label in the first round")
    func oneRowOnControl() throws {
        let (data, firm) = try Self.oneInArrears()
        let bad = data.common.map(\.bad)
        let kept = data.common.map { $0.id == firm.id ? 1.0 : 0 }
        let columns = [data.common.map { ($0.platform[0] - 1000) / 300 }, kept]
        let sums = columns.map { zip($0, bad).reduce(0) { $0 + $1.0 * (0.3 - ($1.1 ? 1 : 0)) } }
        let attack = try ResidualAttack(columns: columns, sums: sums)
        let row = try #require(kept.firstIndex(of: 1))
        #expect(Array(attack.solved.keys) == [row] && attack.rightLabels(bad) == 1)
        #expect(abs((attack.solved[row] ?? 0) + 0.7) < 1e-6)
    }
}
