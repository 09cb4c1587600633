import Authorisation
import Faults
import Foundation
import Jobs
import Tables
import Testing

private let a = "91370811MA36QB6Q05", b = "92370883MA312EQG9K", c = "N23708269493087140"

private func day(_ text: String) throws -> Day { try #require(Day(text)) }

/// A data directory of its own.
private func withDirectory<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "authorisations-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

private let heads = AuthorisationList.columns.joined(separator: ",") + ",withdrawn\n"
private let evidence = String(repeating: "0a", count: 32)

private func line(_ subject: String = a, items: String = "JN-01;JN-04", purpose: String = "credit_assessment", grantee: String = "bank",
                  method: String = "online", notice: String = "1", from: String = "2025-01-01", until: String = "2027-12-31",
                  evidence: String = evidence, withdrawn: String = "") -> String {
    [subject, items, purpose, grantee, method, notice, from, until, evidence, withdrawn].joined(separator: ",") + "\n"
}

private func imported(_ lines: String, in folder: URL) throws -> AuthorisationList {
    let file = folder.appending(path: "list.csv")
    try (heads + lines).write(to: file, atomically: true, encoding: .utf8)
    let events = try AuthorisationList.importing(DataSource(file), today: try day("2026-11-25"))
    return try AuthorisationList.append(events, by: "test", to: folder.path)
}

private let allNeeds = [
    CatalogueRules.Need(item: "JN-01", fields: ["JN-01/tax_credit_grade"], coveredBy: ["JN-01"]),
    CatalogueRules.Need(item: "JN-04", fields: ["JN-04/vat_paid_12m", "JN-04/vat_payable_12m"], coveredBy: ["JN-04"]),
    CatalogueRules.Need(item: "GB-16.2", fields: ["GB-16.2/elec_default_count_24m"], coveredBy: ["GB-16.2", "JN-12"]),
]

private func check(
    _ list: AuthorisationList, on text: String = "2026-11-25", needs: [CatalogueRules.Need] = Array(allNeeds.prefix(2))
) throws -> AuthorisationCheck {
    AuthorisationCheck(list, needs: needs, purpose: "credit_assessment", grantee: "bank", day: try day(text))
}

@Suite("Authorisations") struct AuthorisationTests {
    @Test("a list with one bad line is refused with its line and rule, and nothing of it is kept", arguments: [
        line("", items: "JN-01"), line(items: "JN-99"), line(items: ""), line(purpose: "two words"), line(grantee: ""), line(method: "phone"),
        line(notice: "0"), line(notice: ""), line(from: "2027-12-31", until: "2027-12-30"), line(from: "soon"), line(evidence: "00"), line(withdrawn: "2099-01-01"),
        line(withdrawn: "x"),
    ])
    func refused(bad: String) throws {
        try withDirectory { (folder) throws in
            let fault = #expect(throws: Fault.self) { try imported(line(b) + bad, in: folder) }
            #expect(fault?.code == .authorisationRefused && fault?.place == "list.csv:3")
            #expect(fault?.message.en.contains("R06") == true && fault?.message.zh.contains(a) == false)
            #expect(try AuthorisationList.read(folder.path).size == 0)
        }
    }

    @Test("a list with exchanged columns is refused by line, column and place in the cell, and no subject is told")
    func exchanged() throws {
        try withDirectory { (folder) throws in
            for (items, entry) in [(a, 1), ("JN-01;\(b)", 2), ("JN-01;JN-04/\(c)", 2), ("JN-01;JN-04;JN-\(a)", 3)] {
                let fault = #expect(throws: Fault.self) { try imported(line(b) + line("JN-01", items: items), in: folder) }
                #expect(fault?.code == .authorisationRefused && fault?.place == "list.csv:3")
                for text in [fault?.message.en ?? "", fault?.message.zh ?? ""] {
                    #expect(text.contains("items") && text.contains("\(entry)") && ![a, b, c].contains { text.contains($0) }, "\(text)")
                }
            }
        }
    }

    /// As `Protocols/authorisations.md` has it, authorisation by authorisation: what each lacks, by the withdrawals behind it.
    private func plainStanding(_ entries: [AuthorisationList.Entry], _ need: CatalogueRules.Need, on day: Day) -> AuthorisationCheck.Standing {
        func lacks(_ names: [String]) -> Set<String> {
            Set(need.fields.filter { field in !names.contains { $0 == field || need.coveredBy.contains($0) } })
        }
        let fields = Set(need.fields)
        var granted: [(authorisation: Authorisation, lacks: Set<String>)] = []
        var withdrawnOn: Day?
        for entry in entries {
            switch entry.event {
            case .granted(let authorisation):
                guard authorisation.purpose == "credit_assessment", authorisation.grantee == "bank" else { continue }
                granted.append((authorisation, lacks(authorisation.covers)))
            case .withdrawn(let covers):
                let hit = covers.isEmpty ? fields : fields.subtracting(lacks(covers))
                if hit.isEmpty { continue }
                if granted.contains(where: { $0.lacks != fields }) { withdrawnOn = entry.on }
                for index in granted.indices { granted[index].lacks.formUnion(hit) }
            }
        }
        let valid = granted.filter { $0.authorisation.from <= day && day <= $0.authorisation.until }
        if fields.allSatisfy({ field in valid.contains { !$0.lacks.contains(field) } }) { return .valid }
        if let withdrawnOn { return .withdrawn(withdrawnOn) }
        return granted.filter { $0.lacks.isEmpty && $0.authorisation.until < day }.map(\.authorisation.until).max().map { .expired($0) } ?? .missing
    }

    private func granted(
        _ subject: String, _ covers: [String], purpose: String = "credit_assessment", grantee: String = "bank", from: Int, until: Int
    ) -> AuthorisationList.Entry.Event {
        .granted(Authorisation(subject: subject, covers: covers, purpose: purpose, grantee: grantee, method: .written, from: Day(number: from),
                               until: Day(number: until), evidence: evidence))
    }

    @Test("how subjects stand is what follows from each authorisation and the withdrawals behind it")
    func plain() throws {
        try withDirectory { (folder) throws in
            let needs = [
                CatalogueRules.Need(item: "JN-04", fields: ["JN-04/a", "JN-04/b", "JN-04/c"], coveredBy: ["JN-04"]),
                CatalogueRules.Need(item: "GB-16.2", fields: ["GB-16.2/a"], coveredBy: ["GB-16.2", "JN-12"]),
            ]
            let names = ["JN-04", "JN-04/a", "JN-04/b", "JN-04/c", "GB-16.2", "GB-16.2/a", "JN-12", "JN-01"]
            let subjects = (0..<3000).map { "subject \($0)" }
            var events: [(subject: String, event: AuthorisationList.Entry.Event, on: Day)] = []
            for subject in subjects {
                for number in 0..<Int.random(in: 0...7) {
                    let covers = (0..<Int.random(in: 0...3)).map { _ in names.randomElement() ?? "JN-04" }
                    let from = Int.random(in: 95...104)
                    let event = Int.random(in: 0..<3) == 0 ? .withdrawn(covers: covers) : granted(
                        subject, covers, purpose: Int.random(in: 0..<8) == 0 ? "marketing" : "credit_assessment",
                        grantee: Int.random(in: 0..<8) == 0 ? "other" : "bank", from: from, until: from + Int.random(in: 0...6))
                    events.append((subject, event, Day(number: 90 + number)))
                }
            }
            let list = try AuthorisationList.append(events, by: "test", to: folder.path)
            let check = AuthorisationCheck(list, needs: needs, purpose: "credit_assessment", grantee: "bank", day: Day(number: 102))
            var seen: [AuthorisationCheck.Standing: Int] = [:]
            for subject in subjects {
                for need in needs {
                    let standing = check.standing(of: subject, to: need)
                    seen[standing, default: 0] += 1
                    #expect(standing == plainStanding(list.entries(of: subject), need, on: Day(number: 102)), "\(list.entries(of: subject))")
                }
            }
            #expect(seen.count > 10 && (seen[.valid] ?? 0) > 100 && (seen[.missing] ?? 0) > 100)
        }
    }

    @Test("who has begun to read a list when an import comes reads it as it was")
    func besideImport() throws {
        try withDirectory { (folder) throws in
            let events = [(subject: a, event: granted(a, ["JN-01"], from: 0, until: 100), on: Day(number: 0))]
            _ = try AuthorisationList.append(events, by: "test", to: folder.path)
            let before = try Data(contentsOf: AuthorisationList.file(folder.path))
            let reader = try FileHandle(forReadingFrom: AuthorisationList.file(folder.path))
            #expect(try AuthorisationList.append(events, by: "test", to: folder.path).size == 2)
            #expect(try reader.readToEnd() == before)
            #expect(try AuthorisationList.read(folder.path).size == 2)
        }
    }

    @Test("tens of thousands of authorisations and withdrawals of one subject are gone through once")
    func many() throws {
        try withDirectory { (folder) throws in
            let given = granted(a, ["JN-01", "JN-04"], from: 0, until: 100)
            let taken = AuthorisationList.Entry.Event.withdrawn(covers: ["JN-04/vat_paid_12m"])
            let events = (0..<40_000).map { (subject: a, event: $0 % 2 == 0 ? given : taken, on: Day(number: $0 / 1000)) }
            let list = try AuthorisationList.append(events, by: "test", to: folder.path)
            let check = AuthorisationCheck(list, needs: allNeeds, purpose: "credit_assessment", grantee: "bank", day: Day(number: 50))
            #expect(allNeeds.map { check.standing(of: a, to: $0) } == [.valid, .withdrawn(Day(number: 39)), .missing])
        }
    }

    @Test("an authorisation holds from its first to its last day, for its purpose, its bank and its items alone")
    func standing() throws {
        try withDirectory { (folder) throws in
            let list = try imported(
                line(" 91370811ma36qb6q05 ") + line(b, purpose: "marketing") + line(b, grantee: "other") + line(c, items: "JN-01"), in: folder)
            #expect(try check(list).admit([a, b, c]).rows == [0])
            for (text, isValid) in [("2024-12-31", false), ("2025-01-01", true), ("2027-12-31", true), ("2028-01-01", false)] {
                #expect(try check(list, on: text).admit([a]).rows.isEmpty != isValid, "\(text)")
            }
            #expect(throws: Fault(.authorisationExpired, at: "p", "JN-01", "2027-12-31")) { try check(list, on: "2028-01-01").require(a, at: "p") }
            #expect(throws: Fault(.authorisationMissing, at: "p", "JN-01")) { try check(list).require(b, at: "p") }
            #expect(throws: Fault(.authorisationMissing, at: "p", "JN-04")) { try check(list).require(c, at: "p") }
            try check(list).require(a, at: "p")
        }
    }

    @Test("fields may be authorised one by one, by several documents together, and by the stricter list's item")
    func fields() throws {
        try withDirectory { (folder) throws in
            let list = try imported(
                line(items: "JN-01;JN-04/vat_paid_12m") + line(items: "JN-04/vat_payable_12m;JN-12") + line(b, items: "JN-01;JN-04/vat_paid_12m;GB-16.2"),
                in: folder)
            let admission = try check(list, needs: allNeeds).admit([a, b, c])
            #expect(admission.rows == [0])
            #expect(admission.items.map(\.lacking) == [1, 2, 1] && admission.items.map(\.lost) == [1, 1, 0])
        }
    }

    @Test("a withdrawal holds at once, for what it names; authorising anew holds again; the root changes with every line")
    func withdrawal() throws {
        try withDirectory { (folder) throws in
            var list = try imported(line() + line(b), in: folder)
            var roots = [list.root]
            let today = try day("2026-11-25")
            list = try AuthorisationList.append([(a, .withdrawn(covers: ["JN-04"]), today)], by: "test", to: folder.path)
            roots.append(list.root)
            #expect(throws: Fault(.authorisationWithdrawn, at: "", "JN-04", "2026-11-25")) { try check(list).require(a, at: "") }
            #expect(try check(list, needs: [allNeeds[0]]).admit([a]).rows == [0] && check(list).admit([a, b]).rows == [1])
            list = try AuthorisationList.append([(b, .withdrawn(covers: []), today)], by: "test", to: folder.path)
            roots.append(list.root)
            #expect(try check(list).admit([a, b]).rows == [])
            list = try imported(line(), in: folder)
            roots.append(list.root)
            #expect(try check(list).admit([a, b]).rows == [0] && Set(roots).count == 4)
            // What the list was once can still be seen, and is what was seen.
            let earlier = try AuthorisationList.read(folder.path, size: 2)
            #expect(earlier.root == roots[0] && list.entries(of: a).count == 3)
            #expect(try check(earlier).admit([a, b]).rows == [0, 1])
            #expect(throws: Fault.self) { try AuthorisationList.read(folder.path, size: 99) }
        }
    }

    @Test("a list that was tampered with is not read as another one")
    func tampered() throws {
        try withDirectory { (folder) throws in
            let list = try imported(line() + line(b), in: folder)
            let file = AuthorisationList.file(folder.path)
            let text = try String(contentsOf: file, encoding: .utf8)
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            try text.replacing("2027-12-31", with: "2037-12-31").write(to: file, atomically: true, encoding: .utf8)
            #expect(try AuthorisationList.read(folder.path).root != list.root)
            for broken in ["\(text){}\n", text.replacing("granted", with: "given"), text + "x"] {
                try broken.write(to: file, atomically: true, encoding: .utf8)
                #expect(throws: Fault.self) { try AuthorisationList.read(folder.path) }
            }
        }
    }

    @Test("rows lost add up over the items, whoever lacks what")
    func addsUp() throws {
        try withDirectory { (folder) throws in
            var random = SystemRandomNumberGenerator()
            var lines = "", subjects: [String] = [], expected: [Int] = []
            for index in 0..<300 {
                let subject = "firm-\(index)"
                subjects.append(subject)
                let items = ["JN-01", "JN-04", "JN-12"].filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
                let isExpired = Int.random(in: 0..<10, using: &random) == 0, isWithdrawn = Int.random(in: 0..<10, using: &random) == 0
                if !items.isEmpty {
                    lines += line(subject, items: items.joined(separator: " "), until: isExpired ? "2026-01-31" : "2027-12-31",
                                  withdrawn: isWithdrawn ? "2026-02-01" : "")
                }
                if items.count == 3, !isExpired, !isWithdrawn { expected.append(index) }
            }
            let admission = try check(try imported(lines, in: folder), needs: allNeeds).admit(subjects)
            #expect(admission.rows == expected)
            #expect(admission.items.reduce(0) { $0 + $1.lost } == subjects.count - expected.count)
            for item in admission.items { #expect(item.lacking == item.withdrawn + item.expired + item.missing && item.lost <= item.lacking) }
        }
    }
}
