import Faults
import Features
import Foundation
import Jobs
import Synthetic
import Tables
import Testing

/// A folder with tables, and the data set that registers them.
@discardableResult
private func withTables<Value>(_ files: [String: String], _ dataset: String, _ body: (NodeConfiguration.Dataset) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "catalogued-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8) }
    return try body(try registered(dataset, in: folder))
}

private func registered(_ dataset: String, in folder: URL) throws -> NodeConfiguration.Dataset {
    let bytes = Array("""
        {"name": "platform", "contract": "c", "authority": "a", "certificate": "b", "private_key": "k", "ledger_key": "l", "listen": "h:1",
         "data_directory": "state", "datasets": {"main": \(dataset)}}
        """.utf8)
    return try #require(try NodeConfiguration.parse(bytes, directory: folder.path, role: .platform).datasets["main"])
}

private func features(_ list: String) throws -> [Feature] {
    let specification = try JobSpecification.parse(Array("""
        {"version": 1, "name": "first", "purpose": {"code": "test", "statement": "a test"}, "parties": {"bank": "bank", "platform": "platform"},
         "population": {"id_type": "text", "bank_id": "id", "platform_id": "id"}, "label": {"column": "y"}, "as_of": "2025-12-31",
         "features": {"bank": ["a"], "platform": \(list)}}
        """.utf8))
    return try #require(specification.training).features.platform
}

private func read(_ dataset: NodeConfiguration.Dataset, _ list: String, asOf: String? = "2025-12-31") throws -> Table {
    try CataloguedTable(dataset, name: "main", identifierKind: .text, asOf: asOf.flatMap { Day($0) }).read(try features(list), identifier: "id").0
}

private func numbers(_ table: Table, _ name: String) throws -> [Double] {
    guard case .numbers(let values)? = table[name] else { throw Fault(.missingColumn, at: "", name) }
    return values
}

private let fines = #"[{"column": "fines", "derive": {"count_records": "JN-09/penalty_decision_doc_no", "date": "JN-09/penalty_decision_date", "window_months": 24}}]"#
private let penalties = """
    {"path": "main.csv", "id": "id", "tables": {"penalties": {"path": "p.csv", "ended": ["repaired"], "fields": {
      "JN-09/penalty_decision_doc_no": "no", "JN-09/penalty_decision_date": "on", "JN-09/publicity_end_date": "until"}}}}
    """

@Suite("Data sets of the catalogue") struct CataloguedTableTests {
    @Test("a table that is called is asked for once, for the subjects of the main table, and only where a feature needs it")
    func called() throws {
        let dataset = """
            {"path": "main.csv", "id": "id", "fields": {"JN-04/vat_paid_12m": "vat"}, "tables": {
             "power": {"call": ["/opt/power", "--year", "2025"], "fields": {"JN-12/elec_avg_monthly_amount_12m": "kwh"}}}}
            """
        try withTables(["main.csv": "id,vat\na,1\nb,2\nc,3\n"], dataset) { dataset in
            #expect(dataset.paths.count == 1)
            var asked: [[String]] = []
            func read(_ list: String) throws -> Table {
                try CataloguedTable(dataset, name: "main", identifierKind: .text, asOf: nil).read(try features(list), identifier: "id") { program, subjects throws(Fault) in
                    asked.append(program.words + subjects)
                    return Array("id,kwh\nc,30\na,10\n".utf8)
                }.0
            }
            let table = try read(#"["JN-12/elec_avg_monthly_amount_12m", "JN-04/vat_paid_12m"]"#)
            #expect(asked == [["/opt/power", "--year", "2025", "a", "b", "c"]])
            let kwh = try numbers(table, "JN-12/elec_avg_monthly_amount_12m")
            #expect(kwh[0] == 10 && kwh[1].isNaN && kwh[2] == 30)
            _ = try read(#"["JN-04/vat_paid_12m"]"#)
            #expect(asked.count == 1)
        }
    }

    @Test("a penalty past its publication, repaired, too old or yet to come leaves the prepared column as if it were not there", arguments: [
        ("no longer published", "n9,2025-06-01,2025-12-30,"), ("repaired", "n9,2025-06-01,2027-01-01,2025-12-31"),
        ("too old", "n9,2023-12-31,2027-01-01,"), ("yet to come", "n9,2026-01-01,2027-01-01,"), ("without a date", "n9,,2027-01-01,"),
        ("without a number", ",2025-06-01,2027-01-01,"),
    ])
    func withoutInfluence(why: String, record: String) throws {
        let main = "id\n" + (0..<200).map { "f\($0)\n" }.joined()
        let counted = "id,no,on,until,repaired\n" + (0..<80).map { "f\($0),n1,2025-03-0\($0 % 9 + 1),2026-03-01,\n" }.joined()
        func prepared(_ records: String) throws -> PreparedColumns {
            try withTables(["main.csv": main, "p.csv": records], penalties) { dataset in
                let table = try read(dataset, fines)
                let plan = try PreparationPlan.fit(features: try features(fines), table: table, trainingRows: Array(0..<150), fractionBits: 16)
                return try plan.apply(to: table, rows: Array(0..<200))
            }
        }
        let without = try prepared(counted), with = try prepared(counted + "f100,\(record)\n")
        #expect(with == without && without.columns.map(\.name) == ["fines"])
        // One that counts does change it.
        #expect(try prepared(counted + "f100,n9,2025-06-01,2025-12-31,\n") != without)
    }

    @Test("a listing counts until the day of its revocation, with no word of it in the specification")
    func revocation() throws {
        let listed = #"[{"column": "listed", "type": "flag", "derive": {"any_record": "GB-04.1/case_no"}}]"#
        let court = """
            {"path": "main.csv", "id": "id", "tables": {"court": {"path": "c.csv", "id": "who", "fields": {
              "GB-04.1/case_no": "case", "GB-04.1/dishonest_listing_revoked_date": "revoked"}}}}
            """
        let files = ["main.csv": "id\na\nb\nc\nd\ne\n", "c.csv": "who,case,revoked\na,1,\nb,2,2025-12-31\nc,3,2026-01-01\nd,4,2020-01-01\nd,5,无\nx,6,\n"]
        try withTables(files, court) { dataset in
            let (today, before) = (try read(dataset, listed), try read(dataset, listed, asOf: "2025-12-30"))
            #expect(today["listed"] == .flags([1, 0, 1, 1, 0]))
            #expect(before["listed"] == .flags([1, 1, 1, 1, 0]))
        }
        try withTables(files.merging(["c.csv": "who,case,revoked\na,1,soon\n"]) { $1 }, court) { dataset in
            #expect(throws: Fault(.notADay, at: "c.csv:2", "revoked")) { try read(dataset, listed) }
        }
    }

    @Test("operations on single values, with their missing cells; tables are joined by subject")
    func scalars() throws {
        let dataset = """
            {"path": "main.csv", "id": "id", "fields": {"JN-04/vat_paid_12m": "paid", "JN-04/vat_payable_12m": "due", "JN-12/elec_account_open_date": "open"},
             "tables": {"power": {"path": "u.csv", "fields": {"JN-11/water_in_arrears": "w", "JN-12/elec_in_arrears": "e",
               "JN-12/elec_avg_monthly_amount_3m": "m3", "JN-12/elec_avg_monthly_amount_12m": "m12"}}}}
            """
        let list = """
            [{"column": "gap", "derive": {"ratio_gap": ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m"], "when_zero": 7}},
             {"column": "trend", "derive": {"log_ratio": ["JN-12/elec_avg_monthly_amount_3m", "JN-12/elec_avg_monthly_amount_12m"]}},
             {"column": "arrears", "derive": {"count_true": ["JN-11/water_in_arrears", "JN-12/elec_in_arrears"]}},
             {"column": "age", "derive": {"months_since": "JN-12/elec_account_open_date"}},
             {"column": "JN-11/water_in_arrears", "type": "flag"}]
            """
        let files = ["main.csv": "id,paid,due,open,secret\na,50,200,2025-11-30,1\nb,0,0,,2\nc,,5,2026-01-01,3\n", "u.csv": "id,w,e,m3,m12\nc,1,1,3,1\na,0,,1,1\n"]
        try withTables(files, dataset) { dataset in
            let table = try read(dataset, list)
            func same(_ name: String, _ expected: [Double]) throws {
                for (value, expected) in zip(try numbers(table, name), expected) { #expect(value == expected || value.isNaN && expected.isNaN, "\(name)") }
            }
            try same("gap", [0.75, 7, .nan])
            try same("trend", [0, .nan, log(2)])
            try same("arrears", [0, .nan, 2])
            try same("age", [1, .nan, .nan])
            #expect(table["JN-11/water_in_arrears"] == .flags([0, -1, 1]) && table["secret"] == nil)
        }
    }

    @Test("one column more than registered is refused with its place, and so is a table drawn after the observation date")
    func registeredAlone() throws {
        let dataset = #"{"path": "main.csv", "id": "id", "drawn": "2026-01-31", "fields": {"JN-04/vat_paid_12m": "paid"}}"#
        try withTables(["main.csv": "id,paid,due\na,1,2\n"], dataset) { dataset in
            #expect(throws: Fault(.fieldNotRegistered, at: "/features/platform/1", "due", "main")) { try read(dataset, #"["JN-04/vat_paid_12m", "due"]"#) }
            #expect(throws: Fault(.fieldNotRegistered, at: "/features/platform/0", "JN-04/vat_payable_12m", "main")) { try read(dataset, #"["JN-04/vat_payable_12m"]"#) }
            #expect(throws: Fault(.looksAhead, at: "datasets/main", "2026-01-31", "2025-12-31")) { try read(dataset, #"["JN-04/vat_paid_12m"]"#) }
            let paid = try numbers(try read(dataset, #"["JN-04/vat_paid_12m"]"#, asOf: "2026-01-31"), "JN-04/vat_paid_12m")
            #expect(paid == [1])
        }
    }

    @Test("records of generated enterprises give what their flat table says, though more is on record")
    func generated() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try SyntheticLab.write(common: 1200, seed: 5, bank: folder.appending(path: "bank.csv"), platform: folder.appending(path: "platform.csv"),
                               truth: folder.appending(path: "truth.json"))
        try SyntheticLab.writeRecords(common: 1200, seed: 5, grantee: "bank", in: folder)
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let dataset = try registered(String(contentsOf: root.appending(path: "Examples/records/dataset.json"), encoding: .utf8), in: folder)
        let specification = try JobSpecification.parse([UInt8](Data(contentsOf: root.appending(path: "Examples/specs/records.json"))))
        let features = try #require(specification.training).features.platform
        let (table, _) = try CataloguedTable(dataset, name: "main", identifierKind: .creditCode, asOf: specification.asOf).read(features, identifier: "uscc")
        let flat = try Table.read(from: DataSource(folder.appending(path: "platform.csv")), identifier: "uscc", identifierKind: .creditCode, columns: [
            .init(name: "penalty_count_24m", kind: .number), .init(name: "innovation_titles", kind: .number), .init(name: "on_dishonest_list", kind: .flag),
            .init(name: "elec_default_count_24m", kind: .number),
        ]).0
        #expect(table.identifiers == flat.identifiers && table["penalties"] == flat["penalty_count_24m"])
        #expect(table["innovation_titles"] == flat["innovation_titles"] && table["on_dishonest_list"] == flat["on_dishonest_list"])
        let (ours, theirs) = (try numbers(table, "GB-16.2/elec_default_count_24m"), try numbers(flat, "elec_default_count_24m"))
        #expect(zip(ours, theirs).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
        let records = try String(contentsOf: folder.appending(path: "penalties.csv"), encoding: .utf8).split(separator: "\r\n").count - 1
        let counted = try numbers(flat, "penalty_count_24m").reduce(0, +)
        #expect(Double(records) > 1.2 * counted)
    }
}
