import Faults
import Foundation
import Pages
import Testing

@Suite("Pages")
struct PageTests {
    @Test("a page is well-formed, in either language", arguments: Language.allCases)
    func wellFormed(language: Language) throws {
        let page = try #require(WellFormed(Gallery.page(language).bytes))
        #expect(page.all("html").first?.attributes["lang"] == (language == .zh ? "zh-CN" : "en"))
        #expect(page.all("svg").count { $0.attributes["class"] == "chart" } == 8)
        let checked = page.all("input").filter { $0.attributes["checked"] != nil }.compactMap { $0.attributes["id"] }
        #expect(checked == ["language-\(language.rawValue)"])
    }

    @Test("every text stands in both languages side by side")
    func bothLanguages() throws {
        let page = try #require(WellFormed(Gallery.page().bytes))
        let (english, chinese) = (page.texts("en"), page.texts("zh-CN"))
        #expect(english.count > 40)
        #expect(english.count == chinese.count)
        // Chinese has its letters, English has none of them.
        let isHan = { (text: String) in text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) } }
        #expect(chinese.allSatisfy(isHan))
        #expect(!english.contains(where: isHan))
        // A rule of the style sheet hides the other one.
        let source = String(decoding: Gallery.page().bytes, as: UTF8.self)
        for id in ["language-en", "language-zh"] { #expect(page.elements.contains { $0.attributes["id"] == id } && source.contains("#\(id):checked ~ * [lang=")) }
    }

    @Test("markup in a name is shown, not followed, and controls and marks of direction are replaced")
    func escaping() throws {
        let bytes = Gallery.page().bytes
        let source = String(decoding: bytes, as: UTF8.self)
        #expect(!source.lowercased().contains("<script"))
        let page = try #require(WellFormed(bytes))
        #expect(page.all("script").isEmpty)
        #expect(page.all("code").first?.text == "</td><script>alert(1)</script>&\"'\u{FFFD}\u{FFFD}")
        #expect(!source.unicodeScalars.contains { $0.value == 0x202E || ($0.value < 0x20 && $0.value != 0x0A) })
    }

    @Test("nothing is fetched and nothing is run: one file, one policy")
    func selfContained() throws {
        let page = try #require(WellFormed(Gallery.page().bytes))
        let policy = page.all("meta").first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
        #expect(policy?.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'")
        #expect(page.elements.allSatisfy { Set($0.attributes.keys).isDisjoint(with: ["src", "href", "action", "style", "onload", "onclick", "xlink:href"]) })
        #expect(page.elements.allSatisfy { !["script", "link", "iframe", "img", "object", "form", "base"].contains($0.name) })
        #expect(page.all("style").allSatisfy { !$0.text.contains("url(") && !$0.text.contains("@import") })
    }

    @Test("every drawing says what it shows to those who do not see it")
    func descriptions() throws {
        let page = try #require(WellFormed(Gallery.page().bytes))
        let charts = page.all("svg").filter { $0.attributes["class"] == "chart" }
        #expect(charts.allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-label"]?.isEmpty == false })
        #expect(page.all("desc").count == charts.count && page.all("desc").allSatisfy { !$0.text.isEmpty })
    }

    @Test("equal pages are equal bytes") func deterministic() { #expect(Gallery.page().bytes == Gallery.page().bytes) }
}

@Suite("Drawings")
struct DrawingTests {
    private func drawn(_ markup: Markup) throws -> WellFormed { try #require(WellFormed(Page(title: .same("x"), content: [markup]).bytes)) }

    @Test("bars are as high as their values say, and negative ones hang")
    func heights() throws {
        let chart = BarChart(.same("x"), x: .same("x"), y: Axis(.same("y")), groups: (0..<4).map { .same("g\($0)") }, series: [.init(.same("s"), .blue, [10, 5, -5, .nan])])
        let bars = try drawn(chart.markup).all("rect").filter { $0.attributes["fill"] == "#0072b2" }
        #expect(bars.count == 3)
        let places = bars.map { (Double($0.attributes["y"] ?? "") ?? 0, Double($0.attributes["height"] ?? "") ?? 0) }
        #expect(abs(places[0].1 - 2 * places[1].1) < 0.31)
        #expect(abs(places[1].1 - places[2].1) < 0.31)
        // The feet of those above are the top of that below.
        #expect(abs(places[0].0 + places[0].1 - places[2].0) < 0.31)
        #expect(bars.map(\.text) == ["g0, s: 10 / g0，s：10", "g1, s: 5 / g1，s：5", "g2, s: −5 / g2，s：−5"])
    }

    @Test("a line goes through its points")
    func line() throws {
        let chart = LineChart(.same("x"), x: Axis(.same("x"), bounds: 0...10), y: Axis(.same("y"), bounds: 0...4), series: [.init(.same("s"), .blue, [.init(0, 0), .init(5, 1), .init(10, 4)])])
        let path = try #require(try drawn(chart.markup).all("path").first?.attributes["d"])
        let numbers = path.split(whereSeparator: { "ML ".contains($0) }).compactMap { Double($0) }
        try #require(numbers.count == 6)
        #expect(abs(numbers[2] - (numbers[0] + numbers[4]) / 2) < 0.11)
        #expect(abs(numbers[3] - (numbers[1] + (numbers[5] - numbers[1]) / 4)) < 0.11)
    }

    @Test("numbers that are none, or beyond all bounds, are left out and never trap")
    func impossibleNumbers() throws {
        for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300, 1e149, 0, .leastNonzeroMagnitude] {
            let point = LineChart.Point(value, value)
            let charts: [Markup] = [
                LineChart(.same("x"), x: Axis(.same("x"), .bytes), y: Axis(.same("y"), .seconds), series: [.init(.same("s"), .blue, [point, .init(1, 1), point], band: [.init(value, value, value)], whiskers: [.init(value, 0, value)])]).markup,
                LineChart(.same("x"), x: Axis(.same("x"), .logOdds), y: Axis(.same("y"), .percent), series: [.init(.same("s"), .blue, [point])]).markup,
                BarChart(.same("x"), x: .same("x"), y: Axis(.same("y"), .percent), groups: [.same("g")], series: [.init(.same("s"), .blue, [value])]).markup,
                SignedBars(.same("x"), axis: Axis(.same("y")), bars: [.init(.same("b"), value)]).markup,
                IntervalChart(.same("x"), axis: Axis(.same("y")), rows: [.init(.same("r"), .blue, value: value, lower: value, upper: value)]).markup,
                StackedBars(.same("x"), axis: Axis(.same("y"), .seconds), parts: [.init(.same("p"), .blue)], bars: [.init(.same("b"), [value])]).markup,
                Timeline(.same("x"), time: Axis(.same("t"), .seconds), lanes: [.init(.same("l"), spans: [.init(.same("s"), .blue, from: value, to: value)], marks: [.init(value, value), .init(1, value)])]).markup,
            ]
            for chart in charts {
                let page = try drawn(chart)
                #expect(page.elements.allSatisfy { element in element.attributes.values.allSatisfy { !$0.contains("nan") && !$0.contains("inf") } })
            }
        }
        #expect(try drawn(LineChart(.same("x"), x: Axis(.same("x")), y: Axis(.same("y")), series: []).markup).texts("en").contains("nothing to show"))
    }

    @Test("a drawing of a million points, bars or frames stays small")
    func bounded() {
        let many = 1_000_000
        let line = LineChart(.same("x"), x: Axis(.same("x")), y: Axis(.same("y")), series: [.init(.same("s"), .blue, (0..<many).map { .init(Double($0), Double($0 % 1009)) })]).markup
        let broken = LineChart(.same("x"), x: Axis(.same("x")), y: Axis(.same("y")), series: [.init(.same("s"), .blue, (0..<many).map { .init(Double($0), $0 % 2 == 0 ? 1 : .nan) })]).markup
        let bars = BarChart(.same("x"), x: .same("x"), y: Axis(.same("y")), groups: (0..<many).map { .same("g\($0)") }, series: [.init(.same("s"), .blue, [Double](repeating: 1, count: many))]).markup
        let signed = SignedBars(.same("x"), axis: Axis(.same("y")), bars: (0..<10_000).map { .init(.same("b\($0)"), 1) }).markup
        let frames = Timeline(.same("x"), time: Axis(.same("t"), .seconds), lanes: [.init(.same("l"), marks: (0..<many).map { .init(Double($0)) })]).markup
        let name = SignedBars(.same("x"), axis: Axis(.same("y")), bars: [.init(.same(String(repeating: "长", count: many)), 1)]).markup
        for markup in [line, broken, bars, signed, frames] { #expect(markup.source.utf8.count < 80_000) }
        #expect(bars.source.contains("999,800 more are not drawn."))
        #expect(name.source.utf8.count < 20_000)
    }

    @Test("a thinned line keeps its peaks")
    func peaks() throws {
        var points = (0..<100_000).map { LineChart.Point(Double($0), 0) }
        points[54_321].y = 1
        points[77_777].y = -1
        let chart = LineChart(.same("x"), x: Axis(.same("x")), y: Axis(.same("y"), bounds: -1...1), series: [.init(.same("s"), .blue, points)])
        let path = try #require(try drawn(chart.markup).all("path").first?.attributes["d"])
        let heights = Set(path.split(whereSeparator: { "ML".contains($0) }).compactMap { $0.split(separator: " ").last })
        #expect(heights.count == 3)
    }
}

@Suite("Figures")
struct FigureTests {
    @Test("numbers read the same under every locale")
    func numbers() {
        #expect(Figures.fixed(1234567.891, 2) == "1,234,567.89")
        #expect(Figures.fixed(-0.0004, 3) == "0.000")
        #expect(Figures.fixed(-1.5, 1) == "−1.5")
        #expect(Figures.fixed(0.25, 2, sign: true) == "+0.25")
        #expect(Figures.fixed(.nan, 2) == "–")
        #expect(Figures.percent(0.12345, 2) == "12.35 %" || Figures.percent(0.12345, 2) == "12.34 %")
        #expect(Figures.count(-1234) == "−1,234")
        #expect(Figures.count(UInt64.max) == "18,446,744,073,709,551,615")
    }

    @Test("bytes have three digits and a unit", arguments: [
        (UInt64(0), "0 B"), (999, "999 B"), (1000, "1.00 kB"), (12_345, "12.3 kB"), (999_949, "999.9 kB"), (999_950, "1.00 MB"), (9_995_000, "10.0 MB"), (UInt64.max, "18.4 EB"),
    ])
    func bytes(value: UInt64, text: String) { #expect(Figures.bytes(value) == text) }

    @Test("durations are told in the largest two units", arguments: [
        (0.5, "0.50 s", "0.50 秒"), (59.94, "59.9 s", "59.9 秒"), (61, "1 min 1 s", "1 分 1 秒"), (3599.6, "1 h 0 min", "1 小时 0 分"), (-1, "–", "–"), (Double.nan, "–", "–"),
    ])
    func durations(value: Double, en: String, zh: String) { #expect(Figures.duration(seconds: value) == Phrase(en: en, zh: zh)) }
}
