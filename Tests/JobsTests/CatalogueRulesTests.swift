import Faults
import Foundation
import Jobs
import Testing

private func platform(_ features: String, asOf: String? = "2025-12-31") -> JSONValue {
    let document = Documents.train.setting("/features/platform", to: JSONValue(features))
    return asOf.map { document.setting("/as_of", to: .text($0)) } ?? document
}

private func found(_ features: String, asOf: String? = "2025-12-31") -> [Fault] { faults(of: platform(features, asOf: asOf)) }

@Suite("Fields of the catalogue in specifications") struct CatalogueRulesTests {
    @Test("what is personal, a key, only verified, of no use or unknown is refused with its rule and place", arguments: [
        ("JN-09/legal_rep_id_no", Fault.Code.personalField), ("GB-17.1/marital_status", .personalField), ("JN-04/uscc", .personalField),
        ("JN-06/property_area", .verifiedField), ("JN-08/permit_content", .notAModelField), ("JN-04/vat_payed_12m", .unknownField),
        ("jn-04/vat_paid_12m", nil), ("JN-99/vat_paid_12m", .unknownField), ("JN-04", .unknownField), ("JN-12/elec_account_open_date", .fieldDoesNotFit),
        ("GB-03.2/tax_arrears_amount", .fieldDoesNotFit), ("JN-03/has_tax_arrears", .fieldDoesNotFit), ("JN-04/vat_paid_12m/outcome", .fieldDoesNotFit),
    ])
    func refused(path: String, code: Fault.Code?) throws {
        // A lower-case name is a column of the platform's own: the catalogue's names are exact.
        let faults = found("[\"\(path)\"]")
        #expect(faults.map(\.code) == [code].compactMap(\.self), "\(faults)")
        for fault in faults {
            #expect(fault.place == "/features/platform/0")
            if fault.code != .fieldDoesNotFit { #expect(fault.message.en.contains("(rule R") && fault.message.zh.contains("（规则 R"), "\(fault.message)") }
        }
    }

    @Test("the nearest name is suggested")
    func suggestion() throws {
        let fault = try #require(found(#"["JN-04/vat_payed_12m"]"#).first)
        #expect(fault.hint.en.contains("'JN-04/vat_paid_12m'") && fault.hint.zh.contains("“JN-04/vat_paid_12m”"))
    }

    @Test("of a document with thousands of unknown fields only the first few are compared with the catalogue, and of a feature three at most")
    func fewSuggestions() throws {
        func features(_ count: Int) -> String {
            let fields = [String](repeating: "\"JN-14/is_national_high_tehc\"", count: 50).joined(separator: ",")
            return "[" + (0..<count).map { "{\"column\": \"c\($0)\", \"derive\": {\"count_true\": [\(fields)]}}" }.joined(separator: ",") + "]"
        }
        for (count, faults, suggestions) in [(1, 50, 3), (400, 100, 3)] {
            let told = found(features(count))
            #expect(told.count == faults && told.allSatisfy { $0.code == .unknownField })
            #expect(told.count { $0.hint.en.contains("'JN-14/is_national_high_tech'") } == suggestions, "\(count)")
        }
        // One in each of many.
        let single = "[" + (0..<400).map { "\"JN-14/is_national_high_tehc\($0)\"" }.joined(separator: ",") + "]"
        let told = found(single)
        #expect(told.count == 100 && told.count { $0.hint.en.contains("'JN-14/is_national_high_tech'") } == 20)
    }

    @Test("of a verified field the outcome is a flag; a field is read as the catalogue has it")
    func accepted() throws {
        let specification = try JobSpecification.parse(platform("""
            [{"column": "JN-06/property_area/outcome", "type": "flag"}, {"column": "GB-10.1/is_high_tech", "type": "flag"},
             {"column": "JN-01/tax_credit_grade", "type": "category"}, "JN-04/vat_paid_12m"]
            """).bytes)
        let features = try #require(specification.training?.features.platform)
        #expect(features.allSatisfy { $0.isCatalogued } && features.map(\.fields) == features.map { [$0.column] })
    }

    @Test("operations come back from canonical text, with the fields that they read")
    func derivations() throws {
        let specification = try JobSpecification.parse(platform("""
            [{"column": "gap", "derive": {"ratio_gap": ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m"], "when_zero": 1}},
             {"column": "trend", "derive": {"log_ratio": ["JN-12/elec_avg_monthly_amount_3m", "JN-12/elec_avg_monthly_amount_12m"]}},
             {"column": "titles", "derive": {"count_true": ["GB-10.1/is_high_tech", "GB-10.1/is_tech_sme"]}},
             {"column": "age", "derive": {"months_since": "JN-12/elec_account_open_date"}},
             {"column": "fines", "derive": {"count_records": "JN-09/penalty_decision_doc_no", "date": "JN-09/penalty_decision_date", "window_months": 24}},
             {"column": "listed", "type": "flag", "derive": {"any_record": "GB-04.1/case_no"}}]
            """).bytes)
        #expect(try JobSpecification.parse(Array(specification.canonicalJSON().utf8)) == specification)
        let features = try #require(specification.training?.features.platform)
        // What ends a record is read whether the specification says so or not.
        #expect(features[4].fields == ["JN-09/penalty_decision_doc_no", "JN-09/penalty_decision_date", "JN-09/publicity_end_date"])
        #expect(features[5].fields == ["GB-04.1/case_no", "GB-04.1/dishonest_listing_revoked_date"])
        #expect(features[0].derive?.whenZero == 1 && features[4].derive?.windowMonths == 24)
    }

    @Test("an operation of another form is refused", arguments: [
        (#"{"ratio_gap": ["JN-04/vat_paid_12m"]}"#, Fault.Code.wrongType), (#"{"sum": ["JN-04/vat_paid_12m"]}"#, .unknownKey), ("{}", .wrongType),
        (#"{"months_since": ["JN-12/elec_account_open_date"]}"#, .wrongType), (#"{"months_since": "JN-04/vat_paid_12m"}"#, .fieldDoesNotFit),
        (#"{"count_true": ["JN-04/vat_paid_12m"]}"#, .fieldDoesNotFit), (#"{"count_records": "JN-09/penalty_decision_doc_no"}"#, .missingKey),
        (#"{"count_records": "JN-09/penalty_decision_doc_no", "date": "JN-04/last_normal_tax_payment_date"}"#, .fieldDoesNotFit),
        (#"{"any_record": "GB-04.1/case_no"}"#, .fieldDoesNotFit),
        (#"{"log_ratio": ["JN-12/elec_avg_monthly_amount_3m", "JN-06/property_area"]}"#, .verifiedField),
        (#"{"count_records": "JN-09/legal_rep_id_no", "date": "JN-09/penalty_decision_date"}"#, .personalField),
        (#"{"log_ratio": ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m"], "window_months": 3}"#, .unknownKey),
    ])
    func malformed(derive: String, code: Fault.Code) {
        let faults = found("[{\"column\": \"x\", \"derive\": \(derive)}]")
        #expect(faults.map(\.code).contains(code), "\(faults)")
        #expect(faults.allSatisfy { $0.place.hasPrefix("/features/platform/0") })
    }

    @Test("records need an observation date, and banks derive nothing")
    func places() {
        let record = #"[{"column": "listed", "type": "flag", "derive": {"any_record": "GB-04.1/case_no"}}]"#
        #expect(found(record, asOf: nil).map(\.place) == ["/as_of"])
        let bank = Documents.train.setting("/features/bank", to: JSONValue(#"[{"column": "x", "derive": {"months_since": "JN-12/elec_account_open_date"}}]"#))
        #expect(faults(of: bank).map(\.place) == ["/features/bank/0/derive"])
    }

    @Test("what takes consent: required items, the stricter of two lists, and of partial items the marked fields alone")
    func needs() throws {
        let specification = try JobSpecification.parse(platform("""
            ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m", "GB-16.2/elec_default_count_24m", "JN-05/env_credit_score",
             {"column": "fines", "derive": {"count_records": "JN-09/penalty_decision_doc_no", "date": "JN-09/penalty_decision_date"}},
             {"column": "listed", "type": "flag", "derive": {"any_record": "GB-04.1/case_no"}}]
            """).bytes)
        let features = try #require(specification.training?.features.platform)
        let needs = CatalogueRules.needs(of: features)
        #expect(needs.map(\.item) == ["JN-04", "GB-16.2"])
        #expect(needs[0].fields == ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m"] && needs[1].coveredBy == ["GB-16.2", "JN-12"])
        #expect(CatalogueRules.needs(of: features, followsStricter: false).map(\.item) == ["JN-04"])
    }

    @Test("a specification past its validity, or with an observation date to come, does not start")
    func validity() throws {
        let document = Documents.train.setting("/valid_until", to: .text("2026-03-31")).setting("/as_of", to: .text("2026-03-01"))
        let specification = try JobSpecification.parse(document.bytes)
        func codes(_ day: String) -> [Fault.Code] { Day(day).map { specification.faults(on: $0).map(\.code) } ?? [] }
        #expect(codes("2026-03-31") == [] && codes("2026-04-01") == [.specificationExpired] && codes("2026-02-28") == [.valueOutOfRange])
        #expect(try JobSpecification.parse(Array(specification.canonicalJSON().utf8)) == specification)
        for wrong in ["2026-02-30", "2026-3-1", "26-03-01", "2026-03-01T00:00:00Z"] {
            #expect(faults(of: document.setting("/valid_until", to: .text(wrong))).map(\.place) == ["/valid_until"])
        }
    }
}

@Suite("Registered data sets of the catalogue") struct RegistrationTests {
    private func parse(_ dataset: String) -> [Fault] {
        let bytes = Array("""
            {"name": "platform", "contract": "c", "authority": "a", "certificate": "b", "private_key": "k", "ledger_key": "l", "listen": "h:1",
             "data_directory": "state", "datasets": {"main": \(dataset)}}
            """.utf8)
        do throws(FaultList) {
            _ = try NodeConfiguration.parse(bytes, directory: "/lab", role: .platform)
            return []
        } catch { return error.faults }
    }

    @Test("the example's registration is read, with paths beside the configuration")
    func example() throws {
        let text = String(decoding: try Repository.bytes("Examples/records/dataset.json"), as: UTF8.self)
        #expect(parse(text) == [])
    }

    @Test("fields that may not enter a model cannot be registered; records come with what ends them", arguments: [
        (#"{"path": "a.csv", "id": "uscc", "fields": {"JN-09/legal_rep_id_no": "x"}}"#, Fault.Code.personalField),
        (#"{"path": "a.csv", "id": "uscc", "fields": {"JN-06/property_area": "x"}}"#, .verifiedField),
        (#"{"path": "a.csv", "id": "uscc", "fields": {"JN-06/area": "x"}}"#, .unknownField),
        (#"{"path": "a.csv", "fields": {"JN-04/vat_paid_12m": "x"}}"#, .missingKey),
        (#"{"path": "a.csv", "id": "uscc", "tables": {"p": {"path": "p.csv", "fields": {"JN-09/penalty_decision_doc_no": "n"}}}}"#, .endingNotRegistered),
        (#"{"path": "a.csv", "id": "u", "fields": {"JN-04/vat_paid_12m": "x"}, "tables": {"p": {"path": "p.csv", "fields": {"JN-04/vat_paid_12m": "n"}}}}"#,
         .duplicateName),
        (#"{"path": "a.csv", "id": "u", "tables": {"p": {"path": "p.csv"}}}"#, .missingKey),
    ])
    func refused(dataset: String, code: Fault.Code) {
        let faults = parse(dataset)
        #expect(faults.map(\.code) == [code] && faults.allSatisfy { $0.place.hasPrefix("/datasets/main/") }, "\(faults)")
    }
}

@Suite("Days") struct DayTests {
    @Test("days of four centuries are those of Foundation's calendar")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for number in stride(from: -25_000, to: 120_000, by: 37) {
            let day = Day(number: number)
            let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(number) * 86_400))
            #expect(day.year == parts.year && day.month == parts.month && day.day == parts.day, "\(number)")
            #expect(Day(year: day.year, month: day.month, day: day.day) == day && Day("\(day)") == day)
        }
    }

    @Test("cells of tables in the usual spellings; nothing is guessed")
    func cells() throws {
        let day = try #require(Day("2026-03-05"))
        for cell in ["2026-03-05", "2026/3/5", "2026.3.5", "20260305", "2026年3月5日", "2026-03-05 12:30:00", "2026-03-05T00:00:00"] {
            #expect(Day(cell: cell) == day, "\(cell)")
        }
        for cell in ["", "05/03/2026", "2026-13-01", "2026-02-29", "202635", "2026-3", "today", "2026-3-5-1"] { #expect(Day(cell: cell) == nil, "\(cell)") }
    }

    @Test("months run to the same day, or to a month's last")
    func months() throws {
        let last = try #require(Day("2024-03-31"))
        #expect("\(last.advanced(months: -1))" == "2024-02-29" && "\(last.advanced(months: 11))" == "2025-02-28" && "\(last.advanced(months: -24))" == "2022-03-31")
        let (middle, leap, first) = (try #require(Day("2024-01-15")), try #require(Day("2024-02-29")), try #require(Day("2023-04-01")))
        #expect("\(middle.advanced(months: -1))" == "2023-12-15" && last.months(since: leap) == 1 && last.months(since: first) == 11)
    }
}
