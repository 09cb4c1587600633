import Foundation
import LinearAlgebra
import Testing
import Training

/// Training as two parties do it, with the encrypted sums done in plain integers, against the pooled optimum.
@Suite("Training of two parties") struct TwoPartyTests {
    struct Parties {
        let bank: Table
        let platform: Table
        let bad: [Bool]
    }

    /// - Returns: log-loss with penalty above the pooled optimum after each round.
    static func train(_ parties: Parties, degree: Int = 4, range: Double = 4, penalty: Double = 1e-4, rounds: Int) -> [Double] {
        let (bank, platform, bad) = (parties.bank.design, parties.platform.design, parties.bad)
        let rows = zip(parties.bank.rows, parties.platform.rows).map(+)
        let ridge = [0] + [Double](repeating: penalty, count: bank.columns.count + platform.columns.count - 1)
        let optimum = objective(rows, bad: bad, ridge: ridge, weights: newton(rows, bad: bad, ridge: ridge))
        let (bankRidge, platformRidge) = (Array(ridge[..<bank.columns.count]), Array(ridge[bank.columns.count...]))

        let sigmoid = SeparableSigmoid(degree: degree, range: range)
        let start = LogisticRegression.fit(bank, bad: bad, ridge: bankRidge)
        let variances = bank.scores(start).map { SeparableSigmoid.sigmoid($0) * SeparableSigmoid.sigmoid(-$0) }
        let c = exp2(log2(variances.reduce(0, +) / Double(bank.rows)).rounded())
        let preconditioners = (
            Preconditioner(curvature: bank.curvature(weights: variances, ridge: bankRidge)),
            Preconditioner(curvature: platform.curvature(weights: variances.map { _ in c }, ridge: platformRidge)))
        var bankState = Acceleration(start: start, history: 8)
        var platformState = Acceleration(start: platformRidge.map { _ in 0 }, history: 8)
        var pads = Numbers(state: 1)
        return (0..<rounds).map { _ in
            let (s, t) = (bank.scores(bankState.point), platform.scores(platformState.point))
            let residuals = s.indices.map { row in
                let own = sigmoid.coefficients(s[row], bad: bad[row])
                return zip(own.slopes, sigmoid.factors(t[row])).reduce(own.constant - (bad[row] ? 1 << 24 : 0)) { $0 + $1.0 * $1.1 }
            }
            func step(_ design: Design, _ ridge: [Double], _ weights: [Double], _ preconditioner: Preconditioner) -> [Double] {
                preconditioner(design.columns.indices.map { index in
                    let column = design.columns[index]
                    let sum = zip(column.values, residuals).reduce(Int64(0)) { $0 + Int64($1.0) * $1.1 }
                    return Double(sum) * 0x1p-24 * column.unit / Double(design.rows) + ridge[index] * weights[index]
                }).map { -$0 }
            }
            let bankStep = step(bank, bankRidge, bankState.point, preconditioners.0)
            let platformStep = step(platform, platformRidge, platformState.point, preconditioners.1)
            let gamma = AccelerationTests.gamma([bankState.gramShare(step: bankStep), platformState.gramShare(step: platformStep)],
                                                depth: bankState.depth, pads: &pads)
            bankState.advance(step: bankStep, gamma: gamma)
            platformState.advance(step: platformStep, gamma: gamma)
            return objective(rows, bad: bad, ridge: ridge, weights: bankState.point + platformState.point) - optimum
        }
    }

    static func sample(rows: Int, seed: UInt64) -> Parties {
        var random = Numbers(state: seed)
        let hidden = (0..<rows).map { _ in random.normal() }
        func columns(_ count: Int) -> [[Double]] {
            (0..<count).map { _ in
                let share = random.uniform(0...0.8)
                return hidden.map { max(-4, min(4, share * $0 + (1 - share * share).squareRoot() * random.normal())) }
            }
        }
        let (bank, platform) = ([[Double](repeating: 1, count: rows)] + columns(5), columns(7))
        let bad = (0..<rows).map { row in
            let u = -1.5 + 0.5 * bank[1][row] - 0.4 * bank[2][row] + 0.6 * platform[0][row] - 0.5 * platform[1][row] + 0.3 * platform[2][row]
            return random.uniform(0...1) < 1 / (1 + exp(-u))
        }
        return Parties(bank: Table(bank), platform: Table(platform), bad: bad)
    }

    @Test("a dozen rounds reach the pooled optimum to the accuracy of the expansion")
    func sample() {
        let excess = Self.train(Self.sample(rows: 3000, seed: 8), rounds: 12)
        #expect(excess.allSatisfy { $0 > -1e-12 } && (excess.last ?? 1) < 1e-6)
        let fine = Self.train(Self.sample(rows: 3000, seed: 8), degree: 9, range: 5, rounds: 12)
        #expect((fine.last ?? 1) < 1e-8)
    }

    @Test("on the credit-default data the published accuracy is reached in ten rounds", .enabled(if: SharedData.creditDefault != nil))
    func creditDefault() throws {
        let folder = try #require(SharedData.creditDefault)
        let (bank, platform) = (try SharedData.columns(folder.appending(path: "bank.csv")), try SharedData.columns(folder.appending(path: "platform.csv")))
        #expect(bank.ids == platform.ids)
        let parties = Parties(
            bank: Table([[Double](repeating: 1, count: bank.ids.count)] + bank.columns.dropFirst().map(SharedData.standardised)),
            platform: Table(platform.columns.map(SharedData.standardised)), bad: bank.columns[0].map { $0 == 1 })
        let excess = Self.train(parties, rounds: 10)
        #expect(excess[4] < 1e-3 && excess[7] < 1e-5 && excess[9] < 5e-6)
    }
}

/// Data beside the repository, where there is some.
enum SharedData {
    static let creditDefault: URL? = {
        var root = URL(filePath: #filePath)
        while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) && root.path != "/" { root.deleteLastPathComponent() }
        let folder = root.deletingLastPathComponent().appending(path: "shared/data/credit-default")
        return FileManager.default.fileExists(atPath: folder.appending(path: "bank.csv").path) ? folder : nil
    }()

    /// Identifiers and, column by column, numbers.
    static func columns(_ file: URL) throws -> (ids: [String], columns: [[Double]]) {
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
        let width = lines.first?.count ?? 1
        return (lines.map { String($0[0]) }, (1..<width).map { column in lines.map { Double($0[column].filter { $0 != "\r" }) ?? .nan } })
    }

    static func standardised(_ column: [Double]) -> [Double] {
        let mean = column.reduce(0, +) / Double(column.count)
        let deviation = (column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)).squareRoot()
        return column.map { max(-4, min(4, ($0 - mean) / deviation)) }
    }
}
