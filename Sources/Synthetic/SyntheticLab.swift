import Faults
import Foundation

/// Files for trying the lab without anyone's data.
package enum SyntheticLab {
    package static let largestCommon = 10_000_000

    /// Writes the two parties' tables and the model behind the labels.
    ///
    /// The same bytes for the same size and seed on every machine. Files are streamed to temporary names beside their
    /// own and take their names when all three are complete, replacing what was there.
    ///
    /// - Parameters:
    ///   - common: enterprises held by both, from 1 to `largestCommon`; each party holds common / 0.6.
    ///   - bank: CSV with the label `default_12m` (1 = bad) and the bank's columns.
    ///   - platform: CSV with the platform's columns.
    ///   - truth: JSON with the seed, the counts, the coefficients and the rate of bads among the common.
    /// - Throws: `valueOutOfRange` for the size, `unwritable` at the path of a file.
    package static func write(common: Int, seed: UInt64, bank: URL, platform: URL, truth: URL) throws(Fault) {
        guard 1 <= common, common <= largestCommon else {
            throw Fault(.valueOutOfRange, at: "common", "\(common)", "1...\(largestCommon)")
        }
        let population = Population(common: common, seed: seed)
        var bankFile = try ReplacementFile(bank)
        var platformFile = try ReplacementFile(platform)
        var truthFile = try ReplacementFile(truth)

        try bankFile.append { $0 += RecordFormat.bankHeader }
        var commonBads = 0
        for row in 0..<population.perParty {
            let number = population.numberAtBank(row: row)
            let enterprise = population.enterprise(number)
            commonBads += number < common && enterprise.isBad ? 1 : 0
            try bankFile.append { RecordFormat.appendBankRow(enterprise, to: &$0) }
        }
        try platformFile.append { $0 += RecordFormat.platformHeader }
        for row in 0..<population.perParty {
            let enterprise = population.enterprise(population.numberAtPlatform(row: row))
            try platformFile.append { RecordFormat.appendPlatformRow(enterprise, to: &$0) }
        }
        let summary = Summary(population: population, badRate: Double(commonBads) / Double(common))
        let text = try summary.text()
        try truthFile.append { $0 += text }

        try bankFile.complete()
        try platformFile.complete()
        try truthFile.complete()
        try bankFile.replace()
        try platformFile.replace()
        try truthFile.replace()
    }
}

/// The coefficients and what was made with them, in one JSON object.
private struct Summary: Encodable {
    let population: Population
    let badRate: Double

    enum CodingKeys: String, CodingKey {
        case seed
        case common = "n_intersection"
        case bank = "n_bank"
        case platform = "n_platform"
        case badRate = "default_rate_intersection"
    }

    func encode(to encoder: any Encoder) throws {
        try population.truth.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(population.seed, forKey: .seed)
        try container.encode(population.common, forKey: .common)
        try container.encode(population.perParty, forKey: .bank)
        try container.encode(population.perParty, forKey: .platform)
        try container.encode(badRate, forKey: .badRate)
    }

    func text() throws(Fault) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do { return try Array(encoder.encode(self)) + [UInt8(ascii: "\n")] } catch { throw Fault(.defect, at: "truth") }
    }
}
