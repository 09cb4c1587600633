import Evaluation
import Foundation
import Synthetic
import Tables
import Testing

@Suite struct PopulationTests {
    private static let people: [Enterprise] = {
        let population = Population(common: 60_000, seed: 1)
        return (0..<60_000).map(population.enterprise)
    }()

    private func share(_ holds: (Enterprise) -> Bool) -> Double {
        Double(Self.people.count(where: holds)) / Double(Self.people.count)
    }

    private func mean(_ value: (Enterprise) -> Double?) -> Double {
        let values = Self.people.compactMap(value)
        return values.reduce(0, +) / Double(values.count)
    }

    @Test("the rate of bads is that of the equations")
    func badRate() {
        #expect(abs(share(\.isBad) - 0.0597) < 0.003)
    }

    @Test("the truth itself ranks no better than it should")
    func truth() throws {
        let scores = try LabelledScores(
            probabilities: Self.people.map { 1 / (1 + exp(-$0.logOdds)) }, labels: Self.people.map(\.isBad))
        let measures = scores.measures
        #expect(abs(measures.areaUnderCurve - 0.795) < 0.008)
        #expect(abs(measures.predictedToActual - 1) < 0.05)
    }

    @Test("shares that the equations state outright", arguments: [
        (Industry.manufacturing, 0.30), (.wholesaleRetail, 0.28), (.construction, 0.12), (.transport, 0.08),
        (.services, 0.16), (.agriculture, 0.06),
    ])
    func industries(industry: Industry, expected: Double) {
        #expect(abs(share { $0.bank.industry == industry } - expected) < 0.008)
    }

    @Test("missing values are as many as stated")
    func missing() {
        #expect(abs(share { $0.platform.tax == nil } - 0.06) < 0.004)
        #expect(abs(share { $0.platform.pension == nil } - 0.12) < 0.008)
        #expect(abs(share { $0.platform.electricity == nil } - 0.14) < 0.008)
        #expect(abs(share { $0.platform.waterInArrears == nil } - 0.15) < 0.006)
        #expect(abs(share { $0.platform.gasInArrears == nil } - 0.45) < 0.008)
        #expect(abs(share { $0.platform.environmentScore == nil } - (0.30 * 0.30 + 0.70 * 0.85)) < 0.008)
        #expect(abs(share { $0.bank.limitUtilisation == nil } - 0.10) < 0.005)
        #expect(Self.people.allSatisfy { ($0.bank.turnoverTrend == nil) == ($0.bank.tenureMonths < 12) })
    }

    @Test("distributions with a known mean and deviation have them")
    func moments() {
        // ln turnover: 13.6 and variance 1.15^2 + 0.25^2 + 2 * 0.3 * 1.15 * 0.25 + 0.55^2.
        let logs = mean { log($0.bank.turnover) }
        let squares = mean { log($0.bank.turnover) * log($0.bank.turnover) }
        #expect(abs(logs - 13.6) < 0.03)
        #expect(abs(squares - logs * logs - 1.86) < 0.05)
        // Poisson means of log-normal rates: exp(a + variance / 2).
        #expect(abs(mean { Double($0.bank.overdueCount) } - exp(-1.6 + (0.09 + 0.25) / 2)) < 0.01)
        #expect(abs(mean { Double($0.platform.penaltyCount) } - exp(-2.2 + (0.36 + 0.0625 - 2 * 0.15 * 0.15 + 0.25) / 2)) < 0.01)
        // A mean of 82 with deviation about 8.2, cut at 100 within 2.2 deviations.
        #expect(abs(mean { $0.platform.environmentScore } - 81.9) < 0.3)
        // Arrears are owed exactly where they are flagged.
        #expect(Self.people.allSatisfy { ($0.platform.tax?.hasArrears ?? false) == (($0.platform.tax?.arrears ?? 0) > 0) })
        // Beta(1.6, 3) has the mean 1.6 / 4.6.
        let gaps = mean { enterprise -> Double? in
            guard let tax = enterprise.platform.tax, tax.valueAddedTaxPaid < tax.valueAddedTaxPayable else { return nil }
            return 1 - tax.valueAddedTaxPaid / tax.valueAddedTaxPayable
        }
        #expect(abs(gaps - 1.6 / 4.6) < 0.01)
    }

    @Test("values stay within their ranges")
    func ranges() {
        #expect(Self.people.allSatisfy { (3...240).contains($0.bank.tenureMonths) })
        #expect(Self.people.allSatisfy { (0..<730).contains($0.applicationDay) })
        #expect(Self.people.allSatisfy { (-0.95...2).contains($0.bank.turnoverTrend ?? 0) })
        #expect(Self.people.allSatisfy { (0...1).contains($0.bank.limitUtilisation ?? 0) })
        #expect(Self.people.allSatisfy { (0...60).contains($0.platform.tax?.normalMonths ?? 0) })
        #expect(Self.people.allSatisfy { (-0.5...0.5).contains($0.platform.pension?.headcountChange ?? 0) })
        #expect(Self.people.allSatisfy { (0...6).contains($0.platform.pension?.normalPayments ?? 0) })
        #expect(Self.people.allSatisfy { (0...5).contains($0.platform.innovationTitles) })
        #expect(Self.people.allSatisfy { (0...100).contains($0.platform.environmentScore ?? 0) })
    }

    @Test("codes are valid, distinct and of no real region")
    func codes() {
        let codes = Self.people.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0.hasPrefix("919900") && $0.dropFirst(8).hasPrefix("MA") })
        #expect(codes.allSatisfy { (try? CreditCode.normalise($0).get()) == $0 })
        #expect(Set(codes.map { $0.prefix(8) }).count == 12)
    }

    @Test("an enterprise depends on seed and number alone")
    func independent() {
        let small = Population(common: 100, seed: 9)
        let large = Population(common: 90_000, seed: 9)
        #expect(small.enterprise(42).logOdds == large.enterprise(42).logOdds)
        #expect(small.enterprise(42).code == large.enterprise(42).code)
        #expect(Population(common: 100, seed: 10).enterprise(42).logOdds != small.enterprise(42).logOdds)
    }
}
