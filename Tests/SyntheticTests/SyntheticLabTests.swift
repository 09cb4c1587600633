import Faults
import Foundation
import Synthetic
import Tables
import Testing

@Suite struct SyntheticLabTests {
    private func write(_ common: Int, seed: UInt64) throws -> Scratch {
        let scratch = try Scratch()
        try SyntheticLab.write(
            common: common, seed: seed, bank: scratch.bank, platform: scratch.platform, truth: scratch.truth)
        return scratch
    }

    @Test("each party holds common / 0.6 distinct enterprises, the common ones among them", arguments: [1, 2, 7, 600, 3000])
    func overlap(common: Int) throws {
        let files = try write(common, seed: 5)
        let bank = try PlainTable(files.bank).column("uscc")
        let platform = try PlainTable(files.platform).column("uscc")
        #expect(bank.count == common * 5 / 3)
        #expect(platform.count == bank.count)
        #expect(Set(bank).count == bank.count)
        #expect(Set(platform).count == platform.count)
        #expect(Set(bank).intersection(platform).count == common)
        #expect((bank + platform).allSatisfy { (try? CreditCode.normalise($0).get()) == $0 })
    }

    @Test("the order of rows tells nothing: common ones stand anywhere, in another order at the other party")
    func order() throws {
        let files = try write(3000, seed: 5)
        let bank = try PlainTable(files.bank).column("uscc")
        let platform = try PlainTable(files.platform).column("uscc")
        let common = Set(bank).intersection(platform)
        let firstHalf = bank.prefix(2500).count(where: common.contains)
        #expect(abs(firstHalf - 1500) < 100)
        // Positions of the common ones at the two parties have no rank correlation.
        let position = Dictionary(uniqueKeysWithValues: platform.filter(common.contains).enumerated().map { ($1, $0) })
        let ranks = bank.compactMap { position[$0] }
        let middle = Double(ranks.count - 1) / 2
        let covariance = ranks.enumerated().reduce(0) { $0 + (Double($1.offset) - middle) * (Double($1.element) - middle) }
        let variance = ranks.indices.reduce(0) { $0 + (Double($1) - middle) * (Double($1) - middle) }
        #expect(abs(covariance / variance) < 4 / Double(ranks.count).squareRoot())
    }

    @Test("the same size and seed give the same bytes, whatever the machine")
    func deterministic() throws {
        let files = try write(300, seed: 11)
        let again = try write(300, seed: 11)
        for (a, b) in [(files.bank, again.bank), (files.platform, again.platform), (files.truth, again.truth)] {
            #expect(try Data(contentsOf: a) == Data(contentsOf: b))
        }
        let other = try write(300, seed: 12)
        #expect(try Data(contentsOf: files.bank) != Data(contentsOf: other.bank))
        // Pinned: another value means that a seed no longer stands for the same data.
        #expect(try fingerprint(files.bank) == 0x774D_3D82_C452_1F69)
        #expect(try fingerprint(files.platform) == 0xC9A1_CDFB_E9F8_0082)
    }

    /// FNV-1a over the bytes.
    private func fingerprint(_ url: URL) throws -> UInt64 {
        try Data(contentsOf: url).reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    @Test("cells are written plainly")
    func cells() throws {
        let files = try write(2000, seed: 3)
        let bank = try PlainTable(files.bank)
        let platform = try PlainTable(files.platform)
        #expect(bank.rows.allSatisfy { $0.count == 10 })
        #expect(platform.rows.allSatisfy { $0.count == 19 })
        let flag = /[01]?/
        let count = /[0-9]*/
        let money = /(0|[1-9][0-9]*(\.[0-9]?[1-9])?|0\.[0-9]?[1-9])?/
        let signed = /(-?[0-9](\.[0-9]{0,3}[1-9])?)?/
        func all<Output>(_ table: PlainTable, _ column: String, match pattern: Regex<Output>) -> Bool {
            let cells = table.column(column)
            return !cells.isEmpty && cells.allSatisfy { $0.wholeMatch(of: pattern) != nil && $0 != "-0" }
        }
        #expect(all(bank, "application_date", match: /202[45]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])/))
        #expect(all(bank, "default_12m", match: flag))
        #expect(all(bank, "tenure_months", match: count))
        #expect(all(bank, "turnover_12m", match: money))
        #expect(all(bank, "limit_utilisation", match: signed))
        #expect(all(bank, "turnover_trend", match: signed))
        #expect(all(platform, "tax_credit_grade", match: /[ABMCD]?/))
        #expect(all(platform, "vat_paid_12m", match: money))
        #expect(all(platform, "pension_headcount_monthly_change_rate_6m", match: signed))
        #expect(all(platform, "gas_in_arrears", match: flag))
        #expect(all(platform, "env_credit_score", match: /([0-9]+(\.[1-9])?)?/))
    }

    @Test("every day of two years can occur and is a day of the calendar")
    func dates() throws {
        let files = try write(9000, seed: 2)
        let dates = Set(try PlainTable(files.bank).column("application_date"))
        #expect(dates.count == 730)
        #expect(dates.min() == "2024-01-01")
        #expect(dates.max() == "2025-12-30")
        #expect(dates.contains("2024-02-29"))
        #expect(!dates.contains("2025-02-29"))
    }

    @Test("the truth file holds the model, the counts and the rate of bads")
    func truth() throws {
        struct Counts: Decodable {
            let seed: UInt64
            let n_intersection: Int
            let n_bank: Int
            let default_rate_intersection: Double
        }
        let files = try write(900, seed: 21)
        let data = try Data(contentsOf: files.truth)
        #expect(try JSONDecoder().decode(Truth.self, from: data) == Truth())
        let counts = try JSONDecoder().decode(Counts.self, from: data)
        #expect(counts.seed == 21)
        #expect(counts.n_intersection == 900)
        #expect(counts.n_bank == 1500)
        let bank = try PlainTable(files.bank)
        let common = Set(try PlainTable(files.platform).column("uscc"))
        let bads = zip(bank.column("uscc"), bank.column("default_12m")).count { common.contains($0) && $1 == "1" }
        #expect(abs(counts.default_rate_intersection - Double(bads) / 900) < 1e-12)
    }

    @Test("files replace what was there and leave nothing else behind")
    func replace() throws {
        let files = try Scratch()
        try Data("old".utf8).write(to: files.bank)
        try SyntheticLab.write(common: 10, seed: 1, bank: files.bank, platform: files.platform, truth: files.truth)
        #expect(try PlainTable(files.bank).rows.count == 16)
        #expect(files.names == ["bank.csv", "platform.csv", "truth.json"])
    }

    @Test("a place that cannot be written is named and nothing is left of the others")
    func unwritable() throws {
        let files = try Scratch()
        let nowhere = files.url.appendingPathComponent("missing/truth.json")
        let fault = #expect(throws: Fault.self) {
            try SyntheticLab.write(common: 10, seed: 1, bank: files.bank, platform: files.platform, truth: nowhere)
        }
        #expect(fault?.code == .unwritable)
        #expect(fault?.place == nowhere.path)
        #expect(files.names.isEmpty)
    }

    @Test("sizes out of range are refused", arguments: [Int.min, -1, 0, 10_000_001, .max])
    func size(common: Int) throws {
        let files = try Scratch()
        let fault = #expect(throws: Fault.self) {
            try SyntheticLab.write(common: common, seed: 1, bank: files.bank, platform: files.platform, truth: files.truth)
        }
        #expect(fault?.code == .valueOutOfRange)
        #expect(files.names.isEmpty)
    }
}
