import Faults
import Foundation
import Jobs
import Testing

private func policy(_ text: String) throws -> LabPolicy { try LabPolicy.parse(Array(#"{"version": 1, "name": "rules", "#.utf8) + Array("\(text)}".utf8)) }

private func specification(_ change: (JSONValue) -> JSONValue = { $0 }) throws -> JobSpecification {
    let document = Documents.train.setting("/as_of", to: .text("2025-12-31")).setting("/features/platform", to: JSONValue("""
        ["JN-04/vat_paid_12m", {"column": "JN-01/tax_credit_grade", "type": "category"},
         {"column": "listed", "type": "flag", "derive": {"any_record": "GB-04.1/case_no"}}]
        """))
    return try JobSpecification.parse(change(document).bytes)
}

@Suite("Policies of nodes") struct PolicyTests {
    @Test("what a policy does not allow is refused with its place, the policy's place and the rule", arguments: [
        (#""purposes": {"credit_assessment": {}}"#, "/purpose/code", "rules#/purposes", "R10"),
        (#""purposes": {"test": {"products": ["信易贷"]}}"#, "/purpose/product", "rules#/purposes/test/products", "R10"),
        (#""purposes": {"test": {"stages": ["post_loan"]}}"#, "/purpose/stage", "rules#/purposes/test/stages", "R10"),
        (#""purposes": {"test": {"fields": ["JN-01", "GB-04.1"]}}"#, "/features/platform/0", "rules#/purposes/test/fields", "R10"),
        (#""analysts": ["ann", "ben"]"#, "job submit", "rules#/analysts", "R13"),
        (#""levels": {"JN-04": "local"}"#, "/features/platform/0", "rules#/levels", "R09"),
        (#""levels": {"JN-01/tax_credit_grade": "local"}"#, "/features/platform/1", "rules#/levels", "R09"),
        (#""limits": {"minimum_cell": 80}"#, "/features/platform/1", "rules#/limits/minimum_cell", "R05"),
        (#""limits": {"minimum_intersection": 1500}"#, "/population/minimum_intersection", "rules#/limits/minimum_intersection", "R26"),
        (#""limits": {"maximum_rounds": 30}"#, "/training/maximum_rounds", "rules#/limits/maximum_rounds", "R10"),
    ])
    func refused(text: String, place: String, pointer: String, rule: String) throws {
        let faults = try policy(text).check(try specification(), role: .platform, analyst: "carl")
        #expect(faults.map(\.code) == [.policyForbids] && faults.map(\.place) == [place], "\(faults)")
        for language in [Language.en, .zh] {
            let words = faults.first?.message(language) ?? ""
            #expect(words.contains(pointer) && words.contains(rule), "\(words)")
        }
    }

    @Test("a node may refuse what an alignment reveals, whatever else it allows")
    func reveals() throws {
        let reserved = try policy(#""reveals": ["subjects", "size"]"#)
        for (reveal, isAllowed) in [("subjects", true), ("size", true), ("bank", false)] {
            let faults = reserved.check(try JobSpecification.parse(Documents.align.setting("/reveal", to: .text(reveal)).bytes), role: .platform)
            #expect(faults.map(\.place) == (isAllowed ? [] : ["/reveal"]))
            #expect(faults.allSatisfy { $0.code == .policyForbids && $0.message(.en).contains("rules#/reveals") && $0.message(.zh).contains("R26") })
        }
        #expect(reserved.check(try specification(), role: .platform) == [])
    }

    @Test("an allowed specification is allowed, and refused once a level is raised")
    func raised() throws {
        let generous = try policy(#""purposes": {"test": {"fields": ["JN-04", "JN-01", "GB-04.1"]}}, "levels": {"JN-01": "encrypted"}"#)
        #expect(generous.check(try specification(), role: .platform) == [])
        #expect(try policy(#""analysts": ["ann"]"#).check(try specification(), role: .platform, analyst: "ann") == [])
        #expect(try policy(#""levels": {"GB-04.1": "local"}"#).check(try specification(), role: .platform).map(\.place) == ["/features/platform/2"])
        // A level of the catalogue cannot be lowered.
        let lowered = try policy(#""levels": {"JN-04": "publishable"}"#)
        #expect(lowered.level(of: "JN-04/vat_paid_12m") == .encrypted && lowered.level(of: "JN-09/legal_rep_name") == .local)
        #expect(lowered.level(of: "JN-05/env_credit_score") == .aggregate)
        // The same holds for a model that scores.
        let features = try #require(try specification().training).features.platform
        let scoring = try JobSpecification.parse(Documents.score.bytes)
        #expect(try policy(#""levels": {"GB-04.1": "local"}"#).check(scoring, role: .platform, model: features).map(\.place) == ["/model"])
    }

    @Test("a platform may insist on the catalogue; a bank's columns are its own")
    func catalogue() throws {
        let strict = try policy(#""catalogue_required": true"#)
        let plain = try JobSpecification.parse(Documents.train.bytes)
        #expect(strict.check(plain, role: .platform).map(\.place) == ["/features/platform/0"] && strict.check(plain, role: .bank) == [])
        #expect(strict.check(try specification(), role: .platform) == [])
    }

    @Test("limits only tighten")
    func tightening() throws {
        var limits = Contract.Limits()
        limits.exposurePercent = nil
        let tight = try policy(#""limits": {"minimum_intersection": 2000, "maximum_rounds": 10, "exposure_percent": 5}"#).tightening(limits)
        #expect(tight.minimumIntersection == 2000 && tight.maximumRounds == 10 && tight.exposurePercent == 5)
        let loose = try policy(#""limits": {"minimum_intersection": 100, "maximum_rounds": 200, "exposure_percent": 50}"#).tightening(Contract.Limits())
        #expect(loose == Contract.Limits())
    }

    @Test("a malformed policy is refused with its place", arguments: [
        (#""levels": {"JN-99": "local"}"#, "/levels/JN-99"), (#""levels": {"JN-04": "secret"}"#, "/levels/JN-04"),
        (#""levels": {"JN-04/vat_paid_12m": "secret"}"#, "/levels/JN-04~1vat_paid_12m"), (#""analysts": []"#, "/analysts"), (#""quota": {"jobs": 0, "days": 1}"#, "/quota/jobs"),
        (#""quota": {"jobs": 1}"#, "/quota/days"), (#""freshness_days": {"JN-12": "x"}"#, "/freshness_days/JN-12"), (#""purpose": {}"#, "/purpose"),
        (#""limits": {"minimum_cell": 49}"#, "/limits/minimum_cell"), (#""purposes": {"a": {"stages": ["later"]}}"#, "/purposes/a/stages/0"),
        (#""reveals": ["all"]"#, "/reveals/0"),
    ])
    func malformed(text: String, place: String) {
        do throws(FaultList) {
            _ = try LabPolicy.parse(Array(#"{"version": 1, "name": "rules", \#(text)}"#.utf8))
            Issue.record("\(text) was read")
        } catch { #expect(error.faults.map(\.place) == [place]) }
    }

    @Test("data that are older than their item allows are refused, and so are those that do not say")
    func fresh() throws {
        let bytes = Array("""
            {"name": "platform", "contract": "c", "authority": "a", "certificate": "b", "private_key": "k", "ledger_key": "l", "listen": "h:1",
             "data_directory": "state", "datasets": {"main": {"path": "a.csv", "id": "u", "drawn": "2025-12-01", "fields": {"JN-04/vat_paid_12m": "x"},
             "tables": {"grade": {"path": "b.csv", "fields": {"JN-01/tax_credit_grade": "g"}}}}}}
            """.utf8)
        let dataset = try #require(try NodeConfiguration.parse(bytes, directory: "/lab", role: .platform).datasets["main"])
        let features = try #require(try specification().training).features.platform
        let day = try #require(Day("2025-12-31"))
        #expect(try policy(#""freshness_days": {"JN-04": 30}"#).stale(features, in: dataset, named: "main", asOf: day) == [])
        #expect(try policy(#""freshness_days": {"JN-04/vat_paid_12m": 29}"#).stale(features, in: dataset, named: "main", asOf: day).map(\.place) == ["datasets/main"])
        #expect(try policy(#""freshness_days": {"JN-01": 900}"#).stale(features, in: dataset, named: "main", asOf: day).map(\.place) == ["datasets/main/tables/grade"])
    }
}
