import Foundation
import Jobs
import Primitives
import Tables

/// What targets need beside an input. Nothing in it is drawn: an input of the corpus that is accepted today is accepted tomorrow.
enum Trial {
    static let secret = SecretBytes(copying: [UInt8](repeating: 7, count: 32))
    static let sealedName = "jobs/00000000000000000000000000000001/report.json"
    /// The bank's, and the arbiter's.
    static let ledgerKey = key(2)

    private static func key(_ digit: UInt8) -> Ed25519.SigningKey {
        Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: digit, count: 32)))
    }

    static let contract: [UInt8] = {
        func party(_ role: String, _ digit: UInt8) -> String {
            let address = role == "bank" ? "" : "\"address\": \"127.0.0.1:760\(digit)\", "
            let ledgerKey = Data(key(digit).verifyingKey.bytes).base64EncodedString()
            return "{\"name\": \"\(role)\", \"role\": \"\(role)\", \(address)\"pin\": \"\(pin(digit))\", \"ledger_key\": \"\(ledgerKey)\"}"
        }
        func pin(_ digit: UInt8) -> String { String(repeating: "\(digit)", count: 64) }
        let parties = [party("arbiter", 1), party("bank", 2), party("platform", 3)].joined(separator: ", ")
        return Array("""
            {"version": 1, "name": "trial", "suite": "P256-SHA256", "parties": [\(parties)],
             "people": [{"name": "analyst", "role": "analyst", "pin": "\(pin(4))"}]}
            """.utf8)
    }()

    /// A training, and an alignment of the same data.
    static let specifications: [JobSpecification] = [
        "\"label\": {\"column\": \"bad\"}, \"features\": {\"bank\": [{\"column\": \"industry\", \"type\": \"category\"}], \"platform\": [\"tax\"]}",
        "\"kind\": \"align\", \"reveal\": \"size\"",
    ].compactMap { own in
        try? JobSpecification.parse(Array("""
            {"version": 1, "name": "trial", "purpose": {"code": "test", "statement": "A test."}, "parties": {"bank": "bank", "platform": "platform"},
             "population": {"id_type": "text", "bank_id": "uscc", "platform_id": "uscc"}, \(own)}
            """.utf8))
    }

    /// With the columns of `corpus/model/half.json`.
    static let csv = Array("""
        uscc,industry,tenure_months,turnover_12m,avg_balance_3m,limit_utilisation,overdue_cnt_24m,turnover_trend
        a,A,12,1e6,2000,0.5,0,0.1
        b,C,,0,-1,1e300,7,-1e300
        c,,0,1e308,1e-300,0,,0

        """.utf8)

    static let table = Table(file: "trial", identifiers: ["a", "b", "c"], columns: [
        "industry": .categories(codes: [0, 1, -1], levels: ["A", "C"]),
        "tenure_months": .numbers([12, .nan, 0]), "turnover_12m": .numbers([1e6, 0, 1e308]),
        "avg_balance_3m": .numbers([2000, -1, 1e-300]), "limit_utilisation": .numbers([0.5, 1e300, 0]), "overdue_cnt_24m": .numbers([0, 7, .nan]),
        "turnover_trend": .numbers([0.1, -1e300, 0]),
    ])
}
