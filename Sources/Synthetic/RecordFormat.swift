/// The tables as RFC 4180 text: a header, CRLF after every line, nothing in a missing cell, decimals without trailing
/// zeros. No cell needs quotes.
enum RecordFormat {
    static let bankHeader = header([
        "uscc", "application_date", "default_12m", "industry", "tenure_months", "turnover_12m", "avg_balance_3m",
        "limit_utilisation", "overdue_cnt_24m", "turnover_trend",
    ])

    static let platformHeader = header([
        "uscc", "tax_credit_grade", "has_tax_arrears", "tax_arrears_amount", "vat_payable_12m", "vat_paid_12m",
        "consecutive_normal_tax_months", "pension_headcount_monthly_change_rate_6m", "pension_normal_payments_6m",
        "water_in_arrears", "elec_in_arrears", "gas_in_arrears", "elec_avg_monthly_amount_12m",
        "elec_avg_monthly_amount_3m", "elec_default_count_24m", "penalty_count_24m", "innovation_titles",
        "on_dishonest_list", "env_credit_score",
    ])

    private static func header(_ names: [String]) -> [UInt8] { Array((names.joined(separator: ",") + "\r\n").utf8) }

    static func appendBankRow(_ enterprise: Enterprise, to bytes: inout [UInt8]) {
        let record = enterprise.bank
        bytes.text(enterprise.code)
        bytes.text(date(enterprise.applicationDay))
        bytes.flag(enterprise.isBad)
        bytes.text(record.industry.rawValue)
        bytes.integer(record.tenureMonths)
        bytes.decimal(record.turnover, places: 2)
        bytes.decimal(record.averageBalance, places: 2)
        bytes.decimal(record.limitUtilisation, places: 4)
        bytes.integer(record.overdueCount)
        bytes.decimal(record.turnoverTrend, places: 4)
        bytes.endLine()
    }

    static func appendPlatformRow(_ enterprise: Enterprise, to bytes: inout [UInt8]) {
        let record = enterprise.platform
        bytes.text(enterprise.code)
        bytes.text(record.tax?.grade.rawValue)
        bytes.flag(record.tax?.hasArrears)
        bytes.decimal(record.tax?.arrears, places: 2)
        bytes.decimal(record.tax?.valueAddedTaxPayable, places: 2)
        bytes.decimal(record.tax?.valueAddedTaxPaid, places: 2)
        bytes.integer(record.tax?.normalMonths)
        bytes.decimal(record.pension?.headcountChange, places: 4)
        bytes.integer(record.pension?.normalPayments)
        bytes.flag(record.waterInArrears)
        bytes.flag(record.electricity?.inArrears)
        bytes.flag(record.gasInArrears)
        bytes.decimal(record.electricity?.twelveMonthMean, places: 2)
        bytes.decimal(record.electricity?.threeMonthMean, places: 2)
        bytes.integer(record.electricity?.defaultCount)
        bytes.integer(record.penaltyCount)
        bytes.integer(record.innovationTitles)
        bytes.flag(record.onDishonestList)
        bytes.decimal(record.environmentScore, places: 1)
        bytes.endLine()
    }

    /// `day` counts from 2024-01-01.
    static func date(_ day: Int) -> String {
        var (year, rest) = (2024, day)
        while rest < 0 {
            year -= 1
            rest += year % 4 == 0 ? 366 : 365
        }
        while rest >= (year % 4 == 0 ? 366 : 365) {
            rest -= year % 4 == 0 ? 366 : 365
            year += 1
        }
        var month = 1
        for length in [31, year % 4 == 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if rest < length { break }
            rest -= length
            month += 1
        }
        func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(twoDigits(month))-\(twoDigits(rest + 1))"
    }
}

/// Cells, each with the comma that follows it.
extension [UInt8] {
    fileprivate mutating func text(_ value: String?) {
        if let value { append(contentsOf: value.utf8) }
        append(UInt8(ascii: ","))
    }

    fileprivate mutating func flag(_ value: Bool?) {
        text(value.map { $0 ? "1" : "0" })
    }

    fileprivate mutating func integer(_ value: Int?) {
        text(value.map(String.init))
    }

    /// A value that `rounded(_:places:)` has brought to so many places.
    fileprivate mutating func decimal(_ value: Double?, places: Int) {
        guard let value else { return text(nil) }
        var units = Int((abs(value) * powersOfTen[places]).rounded())
        var places = places
        while places > 0, units % 10 == 0 {
            units /= 10
            places -= 1
        }
        var digits = String(units)
        if places > 0 {
            digits = String(repeating: "0", count: Swift.max(places + 1 - digits.utf8.count, 0)) + digits
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -places))
        }
        text((value < 0 && units > 0 ? "-" : "") + digits)
    }

    fileprivate mutating func endLine() {
        removeLast()
        append(contentsOf: [UInt8(ascii: "\r"), UInt8(ascii: "\n")])
    }
}
