package enum Industry: String, Sendable, CaseIterable {
    case manufacturing, wholesaleRetail = "wholesale_retail", construction, transport, services, agriculture
}

package enum TaxGrade: String, Sendable, CaseIterable {
    case a = "A", b = "B", m = "M", c = "C", d = "D"
}

/// What the bank knows. Money in yuan.
package struct BankRecord: Sendable {
    package let industry: Industry
    package let tenureMonths: Int
    package let turnover: Double
    package let averageBalance: Double
    package internal(set) var limitUtilisation: Double?
    package let overdueCount: Int
    package internal(set) var turnoverTrend: Double?
}

/// What the platform knows. A group that one department supplies is missing as a whole. Money in yuan.
package struct PlatformRecord: Sendable {
    package struct Tax: Sendable {
        package let grade: TaxGrade
        package let hasArrears: Bool
        package let arrears: Double
        package let valueAddedTaxPayable: Double
        package let valueAddedTaxPaid: Double
        package let normalMonths: Int
    }

    package struct Pension: Sendable {
        package let headcountChange: Double
        package let normalPayments: Int
    }

    package struct Electricity: Sendable {
        package let inArrears: Bool
        package let twelveMonthMean: Double
        package let threeMonthMean: Double
        package let defaultCount: Int
    }

    package internal(set) var tax: Tax?
    package internal(set) var pension: Pension?
    package internal(set) var electricity: Electricity?
    package internal(set) var waterInArrears: Bool?
    package internal(set) var gasInArrears: Bool?
    package let penaltyCount: Int
    package let innovationTitles: Int
    package let onDishonestList: Bool
    /// A decoy: it moves with compliance and has no effect of its own.
    package internal(set) var environmentScore: Double?
}

/// An invented enterprise with everything that either party could know of it, and what neither does.
package struct Enterprise: Sendable {
    /// Valid, in a region that is not assigned to any place.
    package let code: String
    /// Days since 2024-01-01, below 730.
    package let applicationDay: Int
    package let bank: BankRecord
    package let platform: PlatformRecord
    /// ln(p / (1 - p)) of its being bad, from complete records.
    package let logOdds: Double
    package let isBad: Bool
}

extension Enterprise {
    /// Order of the draws is part of the format: another order makes other files of the same seed.
    init(code: String, truth: Truth, random: inout Random) {
        let latent = Latent(&random)
        let (s, h, c, t) = (latent.size, latent.health, latent.compliance, latent.innovation)

        // The bank's side
        let industry = Self.industry(random.uniform())
        let tenure = min(max(exponential(3.5 + 0.35 * s + random.normal(0.7)).rounded(), 3), 240)
        let logTurnover = 13.6 + 1.15 * s + 0.25 * h + random.normal(0.55)
        var bank = BankRecord(
            industry: industry, tenureMonths: Int(tenure),
            turnover: rounded(exponential(logTurnover), places: 2),
            averageBalance: rounded(exponential(logTurnover - 3.1 + 0.22 * h + random.normal(0.8)), places: 2),
            limitUtilisation: rounded(logistic(-0.2 - 0.40 * h + random.normal(0.95)), places: 4),
            overdueCount: random.poisson(exponential(-1.6 - 0.30 * h + random.normal(0.5))),
            turnoverTrend: rounded(min(max(0.03 + 0.09 * h + 0.17 * random.studentT(degrees: 5), -0.95), 2), places: 4))

        // The platform's side
        let grade = Self.grade(0.9 * c + 0.25 * h + random.normal(0.6))
        let hasArrears = random.chance(logistic(-3.3 - 0.80 * c - 0.30 * h))
        let arrears = hasArrears ? exponential(9.2 + 0.7 * s + random.normal(1.1)) : 0
        let payable = random.chance(logistic(-1.1 - 1.3 * s))
            ? 0 : rounded(exponential(logTurnover - 3.9 + 0.15 * h + random.normal(0.45)), places: 2)
        let gap = random.chance(logistic(-2.0 - 0.55 * c - 0.30 * h)) ? random.beta(1.6, 3) : 0
        let months = min(tenure + Double(random.integer(below: 24)), exponential(2.9 + 0.55 * c + 0.2 * h + random.normal(0.6)))
        let tax = PlatformRecord.Tax(
            grade: grade, hasArrears: hasArrears, arrears: rounded(arrears, places: 2),
            valueAddedTaxPayable: payable, valueAddedTaxPaid: rounded(payable * (1 - gap), places: 2),
            normalMonths: Int(min(max(months.rounded(), 0), 60)))

        let headcountChange = min(max(0.004 + 0.018 * h + 0.030 * random.studentT(degrees: 4), -0.5), 0.5)
        let pension = PlatformRecord.Pension(
            headcountChange: rounded(headcountChange, places: 4),
            normalPayments: random.binomial(6, logistic(2.3 + 0.85 * c + 0.25 * h)))

        let water = random.chance(logistic(-3.1 - 0.35 * h - 0.45 * c))
        let power = random.chance(logistic(-3.0 - 0.35 * h - 0.45 * c))
        let gas = random.chance(logistic(-3.4 - 0.35 * h - 0.45 * c))
        let twelveMonthMean = exponential(7.4 + s + (industry == .manufacturing ? 0.3 : 0) + random.normal(0.8))
        let electricity = PlatformRecord.Electricity(
            inArrears: power, twelveMonthMean: rounded(twelveMonthMean, places: 2),
            threeMonthMean: rounded(twelveMonthMean * exponential(0.01 + 0.08 * h + random.normal(0.22)), places: 2),
            defaultCount: random.poisson(exponential(-1.5 - 0.25 * h - 0.40 * c + random.normal(0.5))))

        var platform = PlatformRecord(
            tax: tax, pension: pension, electricity: electricity, waterInArrears: water, gasInArrears: gas,
            penaltyCount: random.poisson(exponential(-2.2 - 0.6 * c + 0.25 * s + random.normal(0.5))),
            innovationTitles: random.binomial(5, logistic(-2.9 + 1.1 * t + 0.3 * s)),
            onDishonestList: random.chance(logistic(-4.8 - 0.7 * h - 0.6 * c)),
            environmentScore: rounded(min(max(82 + 6 * c + 1.5 * h + random.normal(5), 0), 100), places: 1))

        let logOdds = truth.logOdds(bank, platform)
        isBad = random.chance(logistic(logOdds))

        // What the files lack, drawn after the label
        let z = (logarithm(1 + bank.turnover) - 13.6) / 1.3
        if random.chance(0.06) { platform.tax = nil }
        if random.chance(logistic(-2.2 - 0.8 * z)) { platform.pension = nil }
        if random.chance(logistic(-2.0 - 0.5 * z + (industry == .services ? 0.6 : 0))) { platform.electricity = nil }
        if random.chance(0.15) { platform.waterInArrears = nil }
        if random.chance(0.45) { platform.gasInArrears = nil }
        if random.chance(industry == .manufacturing ? 0.30 : 0.85) { platform.environmentScore = nil }
        if bank.tenureMonths < 12 { bank.turnoverTrend = nil }
        if random.chance(0.10) { bank.limitUtilisation = nil }

        self.code = code
        self.logOdds = logOdds
        self.bank = bank
        self.platform = platform
        applicationDay = random.integer(below: 730)
    }

    private static func industry(_ uniform: Double) -> Industry {
        switch uniform {
        case ..<0.30: .manufacturing
        case ..<0.58: .wholesaleRetail
        case ..<0.70: .construction
        case ..<0.78: .transport
        case ..<0.94: .services
        default: .agriculture
        }
    }

    private static func grade(_ score: Double) -> TaxGrade {
        switch score {
        case 1.15...: .a
        case (-0.35)...: .b
        case (-0.95)...: .m
        case (-1.65)...: .c
        default: .d
        }
    }
}

/// The four hidden properties behind everything: standard normal, correlated.
private struct Latent {
    let size: Double
    let health: Double
    let compliance: Double
    let innovation: Double

    init(_ random: inout Random) {
        let independent = (0..<4).map { _ in random.normal() }
        let values = Self.factor.map { row in zip(row, independent).reduce(0) { $0 + $1.0 * $1.1 } }
        (size, health, compliance, innovation) = (values[0], values[1], values[2], values[3])
    }

    /// The lower triangle L with L L^T the correlations of size, health, compliance and innovation.
    private static let factor: [[Double]] = {
        let correlations = [
            [1.00],
            [0.30, 1.00],
            [0.15, 0.40, 1.00],
            [0.35, 0.25, 0.10, 1.00],
        ]
        var factor: [[Double]] = []
        for (i, row) in correlations.enumerated() {
            var line: [Double] = []
            for (j, correlation) in row.enumerated() {
                let above = j < i ? factor[j] : line
                let rest = correlation - zip(line, above).reduce(0) { $0 + $1.0 * $1.1 }
                line.append(j < i ? rest / factor[j][j] : rest.squareRoot())
            }
            factor.append(line)
        }
        return factor
    }()
}
