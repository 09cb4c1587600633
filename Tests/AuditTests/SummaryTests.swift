import Audit
import Faults
import Foundation
import Jobs
import Ledger
import Testing
import Wire

@Suite("A report for people") struct SummaryTests {
    private func summary(_ sample: Sample, _ roles: [Role] = [.bank]) throws -> AuditSummary {
        var report = AuditReport()
        let directories = try roles.map { try sample.open($0) }
        return try #require(AuditSummary.of(directories[0], others: Array(directories.dropFirst()), report: &report))
    }

    @Test("tells what was asked, who consented, what crossed, and that all holds, in both languages")
    func whole() throws {
        let sample = try Sample()
        let summary = try summary(sample, [.bank, .platform, .arbiter])
        #expect(summary.holds && summary.checks.count == 3)
        #expect(summary.ending.en == "reported as completed by north")
        let rows = try #require(summary.traffic.first { $0.kind == .roundRows && $0.from.role == .bank })
        #expect(rows.frames == 2 && rows.bytes == 2 * (2 + 4 + 3 * 84 * 128))
        #expect(summary.traffic.reduce(0) { $0 + $1.frames } == (try ["credit", "arbiter"].reduce(0) { sum, peer in
            try sum + Direction.allCases.reduce(0) { try $0 + sample.records(.bank, LedgerFile.records(peer, $1)).count }
        }))
        for (language, words) in [(Language.en, ["columns of the bank: a", "north: consented", "credit: its answer is not in this ledger", "Which numbers were encrypted"]),
                                  (.zh, ["银行的列：a", "north：已同意", "credit：其答复不在本账本", "密文中是什么数"])] {
            let text = summary.lines(language).joined(separator: "\n")
            for word in words { #expect(text.contains(word), "\(word)") }
        }
        let course = try #require(summary.course.first { $0.from.role == .bank })
        #expect(course.points.last.map { $0.bytes } == summary.traffic.filter { $0.from.role == .bank && $0.to.role == .platform }.reduce(0) { $0 + $1.bytes })
        let json = try #require(try JSONSerialization.jsonObject(with: Data(summary.json(.en).canonicalText().utf8)) as? [String: Any])
        #expect(json["holds"] as? Bool == true && (json["specification"] as? [String: Any])?["name"] as? String == "first")
    }

    @Test("the arbiter's ledger has both answers, a refusal has its reason, and a ledger that was changed does not hold")
    func others() throws {
        let sample = try Sample()
        let arbiter = try summary(sample, [.arbiter])
        #expect(arbiter.answers.allSatisfy { if case .consented = $0.answer { true } else { false } } && arbiter.answers.count == 2)
        var steps = Array(Sample.script().prefix(2))
        steps.append(.frame(from: .bank, to: .arbiter, .jobAnswer(.filled { $0.refusal.code = UInt32(Fault.Code.tooFewRows.rawValue) }), .waiting))
        let refused = try summary(try Sample(steps))
        #expect(refused.lines(.en).contains { $0.hasPrefix("north: refused: ") })
        let name = LedgerFile.records("credit", .sent)
        try sample.write(Array(try sample.bytes(.bank, name).dropLast(72)), .bank, name)
        #expect(try !summary(sample).holds)
    }

    @Test("what was not kept is among what cannot be shown")
    func retention() throws {
        #expect(try summary(try Sample()).limits.count + 1 == (try summary(try Sample(retention: .digests)).limits.count))
    }
}
