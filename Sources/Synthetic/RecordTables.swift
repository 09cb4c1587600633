import Faults
import Foundation

/// Tables of records and of single departments that say the same as the flat table of the platform, and who has authorised
/// what. What no longer counts at `observationDay`, or happened later, is among the records: it must have no influence.
struct RecordTables {
    /// 2025-12-31, the observation date that goes with these tables, counted from 2024-01-01.
    static let observationDay = 730

    /// Items of which jobs on these tables take the subject's authorisation.
    static let items = ["JN-01", "JN-03", "JN-04", "GB-07.1", "JN-11", "JN-12", "JN-13", "GB-10.1"]

    private static let titles = ["is_little_giant", "is_specialised_new_sme", "is_innovative_sme", "is_high_tech", "is_tech_sme"]

    static let headers: [(name: String, columns: [String])] = [
        ("penalties.csv", ["uscc", "decision_no", "decision_date", "publicity_end", "repaired_on"]),
        ("court.csv", ["uscc", "case_no", "revoked_on"]),
        ("titles.csv", ["uscc"] + titles),
        ("utilities.csv", ["uscc", "water_in_arrears", "elec_in_arrears", "gas_in_arrears", "elec_12m", "elec_3m", "elec_defaults_24m"]),
        ("authorisations.csv", ["subject", "items", "purpose", "grantee", "method", "notice", "valid_from", "valid_until", "evidence", "withdrawn"]),
    ]

    /// Appends what the five tables say of an enterprise, in the order of `headers`.
    ///
    /// - Parameter number: of the enterprise; its records come from (seed, number) alone.
    static func append(_ enterprise: Enterprise, number: Int, seed: UInt64, grantee: String, to files: inout [[UInt8]]) {
        var random = Random(seed: seed ^ 0x7265_636F_7264, index: number)
        appendPenalties(enterprise, number, &random, &files[0])
        appendListings(enterprise, number, &random, &files[1])
        appendTitles(enterprise, &random, &files[2])
        appendUtilities(enterprise, &files[3])
        appendAuthorisations(enterprise, number, &random, grantee, &files[4])
    }

    // MARK: Records

    /// As many of the last 24 months that are still published as the flat table counts.
    private static func appendPenalties(_ enterprise: Enterprise, _ number: Int, _ random: inout Random, _ bytes: inout [UInt8]) {
        var sequence = 0
        func add(_ day: Int, _ end: Int, repaired: Int? = nil) {
            sequence += 1
            bytes.row([enterprise.code, "P\(number)-\(sequence)", RecordFormat.date(day), RecordFormat.date(end), repaired.map(RecordFormat.date) ?? ""])
        }
        for _ in 0..<enterprise.platform.penaltyCount {
            let day = observationDay - random.integer(below: 700)
            add(day, max(day + 365, observationDay + random.integer(below: 400)))
        }
        // Published no longer, repaired, too old, and not yet known.
        if random.chance(0.10) {
            let day = observationDay - 400 - random.integer(below: 250)
            add(day, day + 365)
        }
        if random.chance(0.05) {
            let day = observationDay - 100 - random.integer(below: 300)
            add(day, day + 1095, repaired: day + 60)
        }
        if random.chance(0.05) {
            let day = observationDay - 760 - random.integer(below: 200)
            add(day, day + 1095)
        }
        if random.chance(0.05) {
            let day = observationDay + 1 + random.integer(below: 90)
            add(day, day + 365)
        }
    }

    private static func appendListings(_ enterprise: Enterprise, _ number: Int, _ random: inout Random, _ bytes: inout [UInt8]) {
        if enterprise.platform.onDishonestList {
            for sequence in 0...random.integer(below: 2) {
                // A revocation that is still to come ends nothing yet.
                let revoked = random.chance(0.2) ? RecordFormat.date(observationDay + 1 + random.integer(below: 200)) : ""
                bytes.row([enterprise.code, "C\(number)-\(sequence)", revoked])
            }
        }
        if random.chance(0.02) { bytes.row([enterprise.code, "C\(number)-9", RecordFormat.date(observationDay - random.integer(below: 600))]) }
    }

    private static func appendTitles(_ enterprise: Enterprise, _ random: inout Random, _ bytes: inout [UInt8]) {
        var held = [Bool](repeating: false, count: titles.count)
        var left = enterprise.platform.innovationTitles
        while left > 0 {
            let index = random.integer(below: titles.count)
            if held[index] { continue }
            held[index] = true
            left -= 1
        }
        bytes.row([enterprise.code] + held.map { $0 ? "1" : "0" })
    }

    private static func appendUtilities(_ enterprise: Enterprise, _ bytes: inout [UInt8]) {
        let record = enterprise.platform
        func flag(_ value: Bool?) -> String { value.map { $0 ? "1" : "0" } ?? "" }
        let power = record.electricity
        let cells = [flag(record.waterInArrears), flag(power?.inArrears), flag(record.gasInArrears), power.map { "\($0.twelveMonthMean)" } ?? "",
                     power.map { "\($0.threeMonthMean)" } ?? "", power.map { "\($0.defaultCount)" } ?? ""]
        // Who is no customer of any of the three is not in their table.
        guard cells.contains(where: { !$0.isEmpty }) else { return }
        bytes.row([enterprise.code] + cells)
    }

    // MARK: Authorisations

    /// Of a hundred enterprises, about three have let theirs expire, two have withdrawn, four left something out, two gave it for
    /// another purpose, and one never did.
    private static func appendAuthorisations(
        _ enterprise: Enterprise, _ number: Int, _ random: inout Random, _ grantee: String, _ bytes: inout [UInt8]
    ) {
        var items = Self.items
        var (purpose, until, withdrawn) = ("credit_assessment", "2035-12-31", "")
        switch random.uniform() {
        case ..<0.01: return
        case ..<0.04: until = "2025-06-30"
        case ..<0.06: withdrawn = "2026-01-15"
        case ..<0.08: items.removeAll { $0 == "JN-11" || $0 == "JN-12" || $0 == "JN-13" }
        case ..<0.10: items.removeAll { $0 == "GB-10.1" }
        case ..<0.12: purpose = "marketing"
        default: break
        }
        let written = random.chance(0.3) ? "written" : "online"
        var evidence = ""
        for _ in 0..<8 {
            let word = String(UInt32(truncatingIfNeeded: Int(random.uniform() * 4_294_967_296)), radix: 16)
            evidence += String(repeating: "0", count: 8 - word.utf8.count) + word
        }
        bytes.row([enterprise.code, items.joined(separator: ";"), purpose, grantee, written, "1", "2025-01-01", until, evidence, withdrawn])
    }
}

extension SyntheticLab {
    /// Names of the files that `writeRecords` makes.
    package static var recordFiles: [String] { RecordTables.headers.map(\.name) }

    /// Writes the platform's records, departments' tables and authorisations of the same enterprises beside the flat tables.
    ///
    /// - Parameters:
    ///   - common, seed: as of `write`.
    ///   - grantee: the bank that the authorisations name.
    /// - Throws: as `write`.
    package static func writeRecords(common: Int, seed: UInt64, grantee: String, in folder: URL) throws(Fault) {
        let population = Population(common: common, seed: seed)
        func place(_ index: Int) -> URL { folder.appendingPathComponent(RecordTables.headers[index].name) }
        var penalties = try ReplacementFile(place(0))
        var court = try ReplacementFile(place(1))
        var titles = try ReplacementFile(place(2))
        var utilities = try ReplacementFile(place(3))
        var authorisations = try ReplacementFile(place(4))
        var rows = [[UInt8]](repeating: [], count: RecordTables.headers.count)
        for index in rows.indices { rows[index].row(RecordTables.headers[index].columns) }
        for row in 0...population.perParty {
            try penalties.append { $0 += rows[0] }
            try court.append { $0 += rows[1] }
            try titles.append { $0 += rows[2] }
            try utilities.append { $0 += rows[3] }
            try authorisations.append { $0 += rows[4] }
            for index in rows.indices { rows[index].removeAll(keepingCapacity: true) }
            guard row < population.perParty else { break }
            let number = population.numberAtPlatform(row: row)
            RecordTables.append(population.enterprise(number), number: number, seed: seed, grantee: grantee, to: &rows)
        }
        try penalties.complete()
        try court.complete()
        try titles.complete()
        try utilities.complete()
        try authorisations.complete()
        try penalties.replace()
        try court.replace()
        try titles.replace()
        try utilities.replace()
        try authorisations.replace()
    }
}

extension [UInt8] {
    /// Cells that need no quotes.
    fileprivate mutating func row(_ cells: [String]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            append(contentsOf: cell.utf8)
        }
        append(contentsOf: [UInt8(ascii: "\r"), UInt8(ascii: "\n")])
    }
}
