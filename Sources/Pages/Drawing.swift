import Faults

/// Width of a drawing: half of a page's width or all of it. Heights follow from what is drawn.
package enum ChartSize: Sendable, Hashable {
    case half, full

    /// In units of the drawing. The letters are 13 units high, which are 7 points where paper shows two drawings side by side.
    var width: Double { self == .half ? 460 : 960 }
}

/// Colours that are told apart by people who see few colours, and by their darkness in black and white: Okabe and Ito,
/// "Color universal design" (2008). Lines differ by their dashes besides.
package enum Tone: String, Sendable, Hashable, CaseIterable {
    case blue, vermillion, green, purple, sky, orange, grey

    var colour: String {
        switch self {
        case .blue: "#0072b2"
        case .vermillion: "#d55e00"
        case .green: "#009e73"
        case .purple: "#8a4f7d"
        case .sky: "#7cc0ea"
        case .orange: "#e69f00"
        case .grey: "#7c8894"
        }
    }

    var dashes: String {
        switch self {
        case .blue, .sky: ""
        case .vermillion, .orange: "7 4"
        case .green: "2 3"
        case .purple: "9 3 2 3"
        case .grey: "4 4"
        }
    }
}

/// Lines, bars and letters of a drawing: what every chart is made of.
struct Drawing {
    let width: Double
    private(set) var height: Double
    private var parts: [Markup] = []

    static let letters = 13.0
    private static let ink = "#33424f"

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    /// With one decimal: a tenth of a unit is not seen.
    static func place(_ value: Double) -> String {
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
        return (tenths < 0 ? "-" : "") + "\(whole)" + (rest == 0 ? "" : ".\(rest)")
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String = "#c3ccd4", width: Double = 1, dashes: String = "") {
        parts.append(.element("line", [
            "x1": Drawing.place(x1), "y1": Drawing.place(y1), "x2": Drawing.place(x2), "y2": Drawing.place(y2), "stroke": colour,
            "stroke-width": Drawing.place(width), "stroke-dasharray": dashes.isEmpty ? "none" : dashes,
        ]))
    }

    /// - Parameter hint: shown where the pointer rests.
    mutating func bar(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ tone: Tone, opacity: Double = 1, hint: Phrase? = nil) {
        guard width > 0, height > 0 else { return }
        parts.append(.element("rect", [
            "x": Drawing.place(x), "y": Drawing.place(y), "width": Drawing.place(max(width, 0.4)), "height": Drawing.place(max(height, 0.4)),
            "fill": tone.colour, "fill-opacity": Figures.fixed(opacity, 2),
        ], Drawing.title(hint)))
    }

    mutating func dot(_ x: Double, _ y: Double, radius: Double = 3.2, _ tone: Tone, hint: Phrase? = nil) {
        parts.append(.element("circle", [
            "cx": Drawing.place(x), "cy": Drawing.place(y), "r": Drawing.place(radius), "fill": tone.colour, "stroke": "#fff", "stroke-width": "1",
        ], Drawing.title(hint)))
    }

    mutating func path(_ points: [(x: Double, y: Double)], _ tone: Tone, width: Double = 2) {
        guard points.count > 1 else { return }
        parts.append(.element("path", [
            "d": Drawing.outline(points), "fill": "none", "stroke": tone.colour, "stroke-width": Drawing.place(width), "stroke-linejoin": "round",
            "stroke-dasharray": tone.dashes.isEmpty ? "none" : tone.dashes,
        ]))
    }

    mutating func area(_ points: [(x: Double, y: Double)], _ tone: Tone, opacity: Double) {
        guard points.count > 2 else { return }
        parts.append(.element("path", ["d": Drawing.outline(points) + "Z", "fill": tone.colour, "fill-opacity": Figures.fixed(opacity, 2)]))
    }

    private static func outline(_ points: [(x: Double, y: Double)]) -> String {
        var text = ""
        text.reserveCapacity(points.count * 12)
        for point in points { text += (text.isEmpty ? "M" : "L") + place(point.x) + " " + place(point.y) }
        return text
    }

    enum Anchor: String {
        case start, middle, end
    }

    /// Shortened to `room` units where it is longer, with the whole of it under the pointer.
    ///
    /// - Parameter isOverLines: white around the letters keeps them apart from what is drawn below.
    mutating func text(_ phrase: Phrase, _ x: Double, _ y: Double, _ anchor: Anchor = .start, room: Double = .infinity, size: Double = letters,
                       colour: String = ink, bold: Bool = false, isOverLines: Bool = false) {
        for (language, text) in phrase.en == phrase.zh ? [(nil, phrase.en)] : Language.allCases.map({ (Optional($0), phrase($0)) }) {
            let shown = TextWidth.shortened(text, ems: room / size * (bold ? 0.92 : 1))
            let content = [Markup.text(shown)] + (shown == text ? [] : Drawing.title(.same(text)))
            parts.append(.element("text", [
                "x": Drawing.place(x), "y": Drawing.place(y), "font-size": Drawing.place(size), "fill": colour, "text-anchor": anchor.rawValue,
                "font-weight": bold ? "bold" : "normal", "stroke": isOverLines ? "#fff" : "none", "stroke-width": isOverLines ? "4" : "0",
                "paint-order": isOverLines ? "stroke" : "normal", language == nil ? "class" : "lang": language?.tag ?? "any",
            ], content))
        }
    }

    /// No name is longer than this under the pointer, whatever it was given.
    private static let mostHint = 400

    private static func title(_ hint: Phrase?) -> [Markup] {
        guard let text = hint?.both else { return [] }
        let shown = text.prefix(mostHint)
        return [.element("title", [:], [.text(shown.endIndex == text.endIndex ? text : shown + "…")])]
    }

    /// The finished drawing under its title.
    ///
    /// - Parameter description: what it shows, for people who do not see it; told below the title as well.
    func figure(_ title: Phrase, description: Phrase?, legend: [LegendEntry] = []) -> Markup {
        .element("figure", [:], [
            .element("figcaption", [:], [Markup(title), description.map { .element("small", [:], [Markup($0)]) } ?? .empty]),
            legend.count < 2 ? .empty : .element("ul", ["class": "legend"], legend.map { entry in
                .element("li", [:], [entry.swatch, .element("span", [:], [Markup(entry.name)])])
            }),
            .element("svg", [
                "class": "chart", "viewBox": "0 0 \(Drawing.place(width)) \(Drawing.place(height))", "role": "img", "aria-label": title.both,
                "font-family": "sans-serif",
            ], [.element("title", [:], [.text(title.both)]), .element("desc", [:], [.text((description ?? title).both)])] + parts),
        ])
    }
}

/// One line of a legend, drawn as what it stands for.
struct LegendEntry {
    let name: Phrase
    let swatch: Markup

    static func line(_ name: Phrase, _ tone: Tone) -> LegendEntry {
        LegendEntry(name: name, swatch: .element("svg", ["viewBox": "0 0 28 12", "aria-hidden": "true"], [.element("line", [
            "x1": "0", "y1": "6", "x2": "28", "y2": "6", "stroke": tone.colour, "stroke-width": "2.4",
            "stroke-dasharray": tone.dashes.isEmpty ? "none" : tone.dashes,
        ])]))
    }

    static func dot(_ name: Phrase, _ tone: Tone) -> LegendEntry {
        LegendEntry(name: name, swatch: .element("svg", ["viewBox": "0 0 28 12", "aria-hidden": "true"], [.element("circle", [
            "cx": "14", "cy": "6", "r": "4.5", "fill": tone.colour,
        ])]))
    }

    static func block(_ name: Phrase, _ tone: Tone, opacity: Double = 1) -> LegendEntry {
        LegendEntry(name: name, swatch: .element("svg", ["viewBox": "0 0 28 12", "aria-hidden": "true"], [.element("rect", [
            "x": "8", "y": "0", "width": "14", "height": "12", "fill": tone.colour, "fill-opacity": Figures.fixed(opacity, 2),
        ])]))
    }
}

/// Widths of letters of common sans-serif fonts, good enough to keep texts apart.
enum TextWidth {
    static func ems(_ text: String) -> Double { text.unicodeScalars.reduce(0) { $0 + ems($1) } }

    private static func ems(_ scalar: Unicode.Scalar) -> Double {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0x1F000...0x3FFFF: 1
        case 0x20, 0x21, 0x27, 0x2C, 0x2E, 0x3A, 0x3B, 0x69, 0x6A, 0x6C, 0x7C: 0.31
        case 0x28, 0x29, 0x2D, 0x2F, 0x49, 0x5B...0x5D, 0x66, 0x72, 0x74: 0.41
        case 0x25, 0x40, 0x4D, 0x57, 0x6D, 0x77: 0.96
        case 0x41...0x5A: 0.73
        default: 0.62
        }
    }

    /// The front of `text` with an ellipsis where it is wider than `ems`.
    static func shortened(_ text: String, ems limit: Double) -> String {
        var (width, whole) = (0.0, "")
        for (index, character) in text.enumerated() {
            width += character.unicodeScalars.reduce(0) { $0 + ems($1) }
            if width > limit {
                while !whole.isEmpty, ems(whole) + 1 > limit { whole.removeLast() }
                return whole + "…"
            }
            // No text of a drawing is longer than this, whatever it was given.
            if index > 2000 { return whole + "…" }
            whole.append(character)
        }
        return whole
    }
}
