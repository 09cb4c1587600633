import Evaluation
import Faults
import Foundation
import Pages
import Reports
import Testing
import Wire

@Suite("The page of a report")
struct ReportPageTests {
    private static let bankPage = Result { try SampleReport().page(plan: SampleReport.plan) }
    private static let platformPage = Result { try SampleReport(role: .platform).page() }

    private func read(_ page: Result<[UInt8], any Error>) throws -> WellFormed { try #require(WellFormed(try page.get())) }

    /// Texts of the cells of the row that begins with `name`, in English.
    private func row(_ name: String, _ page: WellFormed) throws -> [String] {
        let rows = page.elements.indices.filter { page.elements[$0].name == "tr" }
        for start in rows {
            let cells = page.elements[(start + 1)...].prefix { $0.depth > page.elements[start].depth }
            let texts = cells.filter { $0.name == "td" }.map(\.text)
            if let first = texts.first, first == name || first.hasPrefix(name) && !first.dropFirst(name.count).unicodeScalars.allSatisfy(\.isASCII) {
                return Array(texts.dropFirst())
            }
        }
        Issue.record("no row \(name)")
        return []
    }

    @Test("every measure of the report stands in the page, to its last digit shown")
    func measures() throws {
        let page = try read(Self.bankPage)
        let report = try SampleReport().report()
        let parts = [report.bankOnly?.test, report.joint?.test, report.bankOnly?.train, report.joint?.train].compactMap(\.self)
        try #require(parts.count == 4)
        let values: [(String, (TrainingReport.Part) -> Double)] = [
            ("AUC", \.auc), ("Gini", \.gini), ("KS", \.ks), ("Log-loss", \.logLoss), ("Brier score", \.brier),
            ("Mean predicted probability", \.meanPredicted), ("Rate of bad subjects", \.badRate), ("Predicted to actual", \.predictedToActual),
        ]
        for (name, value) in values { #expect(try row(name, page) == parts.map { Figures.fixed(value($0), 4) }, "\(name)") }
        let joint = parts[1]
        for point in joint.lift {
            let cells = try row(Figures.percent(point.depth), page)
            #expect(cells[0] == Figures.count(point.rows) && cells[3] == Figures.fixed(point.lift, 2) && cells[5] == Figures.percent(point.captured))
        }
        let texts = page.all("td").map(\.text)
        for bin in joint.calibration { #expect(texts.contains(Figures.percent(bin.meanPredicted, 2)) && texts.contains(Figures.percent(bin.observed, 2))) }
        for coefficient in report.coefficients.dropFirst() {
            #expect(try row(coefficient.column, page)[0] == Figures.fixed(coefficient.weight, 4, sign: true))
        }
        #expect(try row("preparation and training", page) == ["61.5", "69,000,000", "59,000,000"])
        #expect(try row("all", page) == ["67.8", "70,000,300", "60,000,200"])
    }

    @Test("the curves go through the report's points")
    func curves() throws {
        let curve = try #require(try SampleReport().report().joint?.test?.curve)
        let page = try read(Self.bankPage)
        let start = try #require(page.elements.firstIndex { $0.name == "svg" && $0.attributes["aria-label"]?.hasPrefix("ROC") == true })
        let paths = page.elements[start...].filter { $0.name == "path" }.prefix(2).compactMap { $0.attributes["d"] }
        let numbers = try #require(paths.last).split(whereSeparator: { "ML ".contains($0) }).compactMap { Double($0) }
        #expect(numbers.count == 2 * curve.count)
        let (left, bottom) = (numbers[0], numbers[1])
        let (right, top) = (numbers[numbers.count - 2], numbers[numbers.count - 1])
        for (index, point) in curve.enumerated() {
            #expect(abs(numbers[2 * index] - (left + point.goods * (right - left))) < 0.11)
            #expect(abs(numbers[2 * index + 1] - (bottom + point.bads * (top - bottom))) < 0.11)
        }
    }

    @Test("every text stands in both languages side by side", arguments: [Role.bank, .platform])
    func bothLanguages(role: Role) throws {
        let page = try read(role == .bank ? Self.bankPage : Self.platformPage)
        let (english, chinese) = (page.texts("en"), page.texts("zh-CN"))
        #expect(english.count == chinese.count && english.count > 60)
        let isHan = { (text: String) in text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) } }
        #expect(!english.contains(where: isHan))
        // A Chinese text without Chinese letters has words of neither language: a unit, a sign.
        for text in chinese where !isHan(text) { Issue.record("\(text)") }
    }

    @Test("the platform's page has no label, score, loss or measure")
    func platform() throws {
        let source = String(decoding: try SampleReport(role: .platform).page(), as: UTF8.self)
        for word in ["AUC", "ROC", "Gini", "KS", "提升度", "校准", "Loss in each round", "各轮损失"] { #expect(!source.contains(word), "\(word)") }
        // The bank's has them: the words are the right ones to look for.
        let other = String(decoding: try SampleReport().page(), as: UTF8.self)
        for word in ["AUC", "ROC", "Gini", "KS", "提升度", "校准", "Loss in each round", "各轮损失"] { #expect(other.contains(word), "\(word)") }
    }

    @Test("what was disclosed is told with the job's own counts")
    func disclosure() throws {
        let source = String(decoding: try SampleReport().page(), as: UTF8.self)
        for text in [
            "which 2,000 of its 3,001 subjects the platform has as well", "28 numbers of its own gradient (7 rounds × 4 columns) and 7 values of the loss",
            "77 numbers of its own gradient (7 rounds × 11 columns), each a sum over all 1,400", "49,000 ciphertexts each way", "at most 3.3 % of the training rows",
            "自身梯度共 77 个数（7 轮 × 11 列）", "其 5,002 个主体中，哪 2,000 个亦为银行所有",
        ] { #expect(source.contains(text), "\(text)") }
    }

    @Test("the plan's estimate is shown where there is one, beside what was real")
    func plan() throws {
        #expect(try row("time, all", try read(Self.bankPage)) == ["1 min 18 s1 分 18 秒", "–", "1 min 6 s1 分 6 秒", "1 min 8 s1 分 8 秒", "1.03"])
        #expect(try row("bytes, bank to platform", try read(Self.bankPage)).last == "1.00")
        for plan in [nil, Array("{}".utf8), Array("no".utf8)] {
            #expect(!String(decoding: try SampleReport().page(plan: plan), as: UTF8.self).contains("Estimated"))
        }
    }

    @Test("a column that is called <script> is shown as such")
    func hostileNames() throws {
        let source = try SampleReport(columns: [Gallery.hostile, "ok"]).page()
        let page = try #require(WellFormed(source))
        #expect(page.all("script").isEmpty && !String(decoding: source, as: UTF8.self).lowercased().contains("<script"))
        #expect(page.all("code").contains { $0.text.hasPrefix("</td><script>alert(1)</script>") })
    }

    @Test("many rounds and columns leave a page that can be read")
    func bounded() throws {
        let names = (0..<20_000).map { "column \($0) " + String(repeating: "x", count: 300) }
        let page = try SampleReport(rounds: 50_000, columns: names).page()
        #expect(page.count < 600_000)
        #expect(String(decoding: page, as: UTF8.self).contains("19,800 smaller weights are in report.json alone."))
    }

    @Test("reports of earlier versions are read, numbers beyond all bounds are shown, and what is no report is none")
    func otherReports() throws {
        let json = try #require(try JSONSerialization.jsonObject(with: Data(SampleReport().report().reportJSON())) as? [String: Any])
        func page(_ change: (inout [String: Any]) -> Void) throws -> [UInt8]? {
            var changed = json
            change(&changed)
            return ReportPage(report: [UInt8](try JSONSerialization.data(withJSONObject: changed)), plan: nil, role: .bank)?.bytes(.zh)
        }
        let early = try #require(try page { report in
            for key in ["finished", "order", "disclosed"] { report[key] = nil }
            report["bytes"] = ["bank_to_platform": 1, "platform_to_bank": 2]
        })
        #expect(WellFormed(early) != nil)
        let large = try #require(try page { report in
            report["rounds"] = Int.max
            report["rows"] = ["bank": Int.max, "platform": Int.min, "aligned": Int.max, "train": Int.min, "test": Int.max]
            report["bytes"] = ["bank_to_platform": UInt64.max, "platform_to_bank": UInt64.max]
            report["expansion"] = ["degree": Int.max, "range": 1e300]
            report["seconds"] = ["align": -1e300, "train": 1e300, "score": 0, "total": 1e308]
            report["disclosed"] = ["bank_columns": Int.max, "platform_columns": Int.min, "exposure_percent": 1e308, "score_resolution_bits": Int.max]
            report["coefficients"] = [["column": "", "weight": 1e308]]
        })
        #expect(WellFormed(large) != nil)
        for bytes in [[], Array("{}".utf8), Array("[1]".utf8), Array("{\"job\": 1}".utf8)] {
            #expect(ReportPage(report: bytes, plan: nil, role: .bank) == nil)
        }
    }
}
