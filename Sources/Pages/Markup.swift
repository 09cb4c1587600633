import Faults

/// A piece of HTML or SVG that is well-formed by construction.
///
/// There is no way to make one from a string of markup: names of elements and attributes are literals of this module,
/// and every text and every attribute's value is escaped where it enters. A column called `</td><script>` is shown as
/// such.
package struct Markup: Sendable, Hashable {
    /// What stands in the file.
    package let source: String

    private init(source: String) { self.source = source }

    package static let empty = Markup(source: "")

    /// The same text in both languages: a number, a name.
    package static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

    /// Both languages; the page shows the one that is chosen.
    package init(_ phrase: Phrase) {
        self = phrase.en == phrase.zh ? .text(phrase.en) : .group(Language.allCases.map { language in
            .element("span", ["lang": language.tag], [.text(phrase(language))])
        })
    }

    package static func group(_ parts: [Markup]) -> Markup { Markup(source: parts.map(\.source).joined()) }

    static func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ content: [Markup] = []) -> Markup {
        var source = "<\(name)"
        for (key, value) in attributes { source += " \(key)=\"\(escaped(value))\"" }
        source += ">"
        for part in content { source += part.source }
        return Markup(source: source + "</\(name)>")
    }

    /// An element of HTML that has no content; with the slash of XML, so that a page can be read as either.
    static func void(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:]) -> Markup {
        var source = "<\(name)"
        for (key, value) in attributes { source += " \(key)=\"\(escaped(value))\"" }
        return Markup(source: source + "/>")
    }

    /// Text of this module that stands in a file as it is: the style sheet.
    static func literal(_ text: StaticString) -> Markup { Markup(source: "\(text)") }

    /// Control characters, which HTML forbids, and characters that turn the direction of what follows (UAX 9), with which
    /// a name could rearrange the words around it, become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: result += "&amp;"
            case 0x3C: result += "&lt;"
            case 0x3E: result += "&gt;"
            case 0x22: result += "&quot;"
            case 0x27: result += "&#39;"
            case 0x09, 0x0A, 0x0D: result += " "
            case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFDD0...0xFDEF: result += "\u{FFFD}"
            case let value where value & 0xFFFE == 0xFFFE: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Language {
    /// As HTML names it.
    var tag: String { self == .zh ? "zh-CN" : "en" }
}
