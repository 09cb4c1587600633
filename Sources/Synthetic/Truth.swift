/// The model that the labels come from: log-odds of being bad, linear in functions of both parties' complete records.
package struct Truth: Codable, Sendable, Hashable {
    package struct Bank: Codable, Sendable, Hashable {
        /// Per unit of ln(1 + turnover), from 13.6.
        package var logTurnover = -0.09
        /// Per unit of ln(1 + balance), from 10.5.
        package var logBalance = -0.12
        /// Per unit of utilisation, from 0.45.
        package var utilisation = 0.55
        /// Per overdue payment, up to 4.
        package var overdueCount = 0.23
        /// Per year with the bank, from 3.
        package var tenureYears = -0.035
        package var turnoverTrend = -0.35

        enum CodingKeys: String, CodingKey {
            case utilisation
            case logTurnover = "log_turnover"
            case logBalance = "log_balance"
            case overdueCount = "overdue_cnt"
            case tenureYears = "tenure_years"
            case turnoverTrend = "turnover_trend"
        }
    }

    package struct Platform: Codable, Sendable, Hashable {
        package var hasTaxArrears = 0.60
        /// Per unpaid share of the value-added tax payable; 0 where none is payable.
        package var valueAddedTaxGap = 0.95
        /// Per month, from 18.
        package var normalMonths = -0.016
        package var headcountChange = -3.6
        /// Per payment, from 5.5.
        package var pensionPayments = -0.14
        /// Per utility in arrears, up to 2.
        package var utilityArrears = 0.47
        /// Per unit of ln((1 + three-month mean) / (1 + twelve-month mean)).
        package var electricityTrend = -0.65
        /// Per default, up to 4.
        package var electricityDefaults = 0.22
        /// Per penalty, up to 3.
        package var penalties = 0.25
        /// Per title, up to 3.
        package var innovationTitles = -0.18
        package var onDishonestList = 1.00

        enum CodingKeys: String, CodingKey {
            case penalties
            case hasTaxArrears = "has_tax_arrears"
            case valueAddedTaxGap = "vat_gap"
            case normalMonths = "normal_months"
            case headcountChange = "hc_change"
            case pensionPayments = "si_normal"
            case utilityArrears = "util_arrears"
            case electricityTrend = "elec_ratio_log"
            case electricityDefaults = "elec_defaults"
            case innovationTitles = "innov"
            case onDishonestList = "dishonest"
        }
    }

    package var intercept = -3.89
    package var bank = Bank()
    package var industry: [String: Double] = [
        Industry.manufacturing.rawValue: 0, Industry.wholesaleRetail.rawValue: 0.05, Industry.construction.rawValue: 0.25,
        Industry.transport.rawValue: 0.14, Industry.services.rawValue: -0.05, Industry.agriculture.rawValue: 0.10,
    ]
    package var platform = Platform()
    package var taxGrade: [String: Double] = [
        TaxGrade.a.rawValue: 0, TaxGrade.b.rawValue: 0.22, TaxGrade.m.rawValue: 0.32, TaxGrade.c.rawValue: 0.68,
        TaxGrade.d.rawValue: 1.15,
    ]
    /// Columns that go with the label and have no effect of their own.
    package var decoys = ["env_credit_score", "tax_arrears_amount"]

    package init() {}

    enum CodingKeys: String, CodingKey {
        case bank, industry, platform, decoys
        case intercept = "alpha"
        case taxGrade = "tax_grade"
    }

    /// Of complete records; a missing value counts as no effect.
    func logOdds(_ record: BankRecord, _ other: PlatformRecord) -> Double {
        var sum = intercept
        sum += bank.logTurnover * (logarithm(1 + record.turnover) - 13.6)
        sum += bank.logBalance * (logarithm(1 + record.averageBalance) - 10.5)
        sum += bank.utilisation * ((record.limitUtilisation ?? 0.45) - 0.45)
        sum += bank.overdueCount * Double(min(record.overdueCount, 4))
        sum += bank.tenureYears * (Double(record.tenureMonths) / 12 - 3)
        sum += bank.turnoverTrend * (record.turnoverTrend ?? 0)
        sum += industry[record.industry.rawValue] ?? 0

        if let tax = other.tax {
            sum += taxGrade[tax.grade.rawValue] ?? 0
            sum += tax.hasArrears ? platform.hasTaxArrears : 0
            if tax.valueAddedTaxPayable > 0 {
                sum += platform.valueAddedTaxGap * (1 - tax.valueAddedTaxPaid / tax.valueAddedTaxPayable)
            }
            sum += platform.normalMonths * (Double(tax.normalMonths) - 18)
        }
        if let pension = other.pension {
            sum += platform.headcountChange * pension.headcountChange
            sum += platform.pensionPayments * (Double(pension.normalPayments) - 5.5)
        }
        let inArrears = [other.waterInArrears, other.electricity?.inArrears, other.gasInArrears].count { $0 == true }
        sum += platform.utilityArrears * Double(min(inArrears, 2))
        if let power = other.electricity {
            sum += platform.electricityTrend * logarithm((power.threeMonthMean + 1) / (power.twelveMonthMean + 1))
            sum += platform.electricityDefaults * Double(min(power.defaultCount, 4))
        }
        sum += platform.penalties * Double(min(other.penaltyCount, 3))
        sum += platform.innovationTitles * Double(min(other.innovationTitles, 3))
        sum += other.onDishonestList ? platform.onDishonestList : 0
        return sum
    }
}
