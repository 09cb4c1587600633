import Faults

/// A file that a browser shows and prints without anything beside it: no script, no font, no picture from elsewhere, and
/// a policy in its head that forbids them. Both languages are in it; two buttons choose, and paper shows the chosen one.
///
/// Equal pages are equal bytes.
package struct Page: Sendable {
    package var title: Phrase
    /// Under the title: what, whose, when.
    package var facts: [KeyFigure]
    package var content: [Markup]
    /// Shown first.
    package var language: Language

    package init(title: Phrase, facts: [KeyFigure] = [], language: Language = .zh, content: [Markup]) {
        self.title = title
        self.facts = facts
        self.language = language
        self.content = content
    }

    /// UTF-8.
    package var bytes: [UInt8] {
        let names: [(language: Language, name: String)] = [(.zh, "中文"), (.en, "English")]
        let buttons = names.map { entry in
            let id = "language-\(entry.language.rawValue)"
            return entry.language == language
                ? Markup.void("input", ["type": "radio", "name": "language", "class": "language", "id": id, "checked": ""])
                : Markup.void("input", ["type": "radio", "name": "language", "class": "language", "id": id])
        }
        let labels = names.map { Markup.element("label", ["for": "language-\($0.language.rawValue)"], [.text($0.name)]) }
        let head = Markup.element("head", [:], [
            .void("meta", ["charset": "utf-8"]),
            .void("meta", ["http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"]),
            .void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
            .void("meta", ["name": "referrer", "content": "no-referrer"]),
            .element("title", [:], [.text(title.both)]),
            .element("style", [:], [.literal(styleSheet)]),
        ])
        let body = Markup.element("body", [:], buttons + [
            .element("nav", ["class": "languages"], labels),
            .element("header", [:], [
                .element("h1", [:], [Markup(title)]),
                facts.isEmpty ? .empty : .element("dl", ["class": "facts"], facts.map { fact in
                    .element("div", [:], [.element("dt", [:], [Markup(fact.label)]), .element("dd", [:], [Markup(fact.value)])])
                }),
            ]),
            .element("main", [:], content),
        ])
        return Array("<!DOCTYPE html>\n".utf8) + Array(Markup.element("html", ["lang": language.tag], [head, body]).source.utf8) + [0x0A]
    }
}

extension Phrase {
    /// For places that cannot hold two elements: the title of a window, the description of a drawing.
    var both: String { en == zh ? en : "\(en) / \(zh)" }

    /// A text that is the same in both languages: a name, a number.
    package static func same(_ text: String) -> Phrase { Phrase(en: text, zh: text) }
}

private let styleSheet: StaticString = """

    :root { color-scheme: light; print-color-adjust: exact; -webkit-print-color-adjust: exact }
    * { box-sizing: border-box }
    body { margin: 0; background: #fff; color: #1b2733; font: 15px/1.55 sans-serif; overflow-wrap: anywhere }
    header, main { max-width: 1128px; margin: 0 auto; padding: 0 24px }
    header { padding-top: 28px; border-bottom: 3px solid #0b4f7d }
    main { padding-bottom: 48px }
    h1 { font-size: 28px; line-height: 1.25; margin: 0 150px 10px 0 }
    h2 { font-size: 20px; line-height: 1.3; margin: 38px 0 12px; padding-bottom: 5px; border-bottom: 1px solid #c9d3dc; color: #0b4f7d }
    h3 { font-size: 16px; line-height: 1.35; margin: 22px 0 8px }
    p, ul { margin: 0 0 10px; max-width: 92ch }
    ul { padding-left: 22px }
    li { margin-bottom: 4px }
    code { font: 0.92em monospace }
    .language { position: absolute; opacity: 0; pointer-events: none }
    .languages { position: absolute; z-index: 1; top: 28px; right: max(24px, calc(50vw - 540px)); display: flex }
    .languages { border: 1px solid #0b4f7d; border-radius: 4px; overflow: hidden }
    .languages label { padding: 3px 12px; font-size: 13px; color: #0b4f7d; cursor: pointer }
    #language-en:checked ~ .languages [for="language-en"] { background: #0b4f7d; color: #fff }
    #language-zh:checked ~ .languages [for="language-zh"] { background: #0b4f7d; color: #fff }
    .language:focus-visible ~ .languages label { outline: 2px solid #e69f00; outline-offset: -3px }
    #language-en:checked ~ * [lang="zh-CN"], #language-zh:checked ~ * [lang="en"] { display: none }
    .facts { display: flex; flex-wrap: wrap; gap: 2px 28px; margin: 0 0 14px; color: #45586a; font-size: 13.5px }
    .facts div { display: flex; gap: 6px }
    .facts dd { margin: 0; color: #1b2733 }
    .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 10px; margin: 14px 0 16px }
    .figures div { border: 1px solid #d5dde4; border-top: 3px solid #0072b2; border-radius: 3px; padding: 8px 12px; break-inside: avoid }
    .figures dt { color: #45586a; font-size: 13px }
    .figures dd { margin: 0 }
    .figures .value { font-size: 23px; line-height: 1.3; font-variant-numeric: tabular-nums }
    .figures .note { color: #45586a; font-size: 12.5px; line-height: 1.4 }
    .beside { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 32px; align-items: start }
    figure { margin: 10px 0 14px; break-inside: avoid }
    figcaption { font-weight: bold; font-size: 15.5px; line-height: 1.35; margin-bottom: 2px }
    figcaption small { display: block; font-weight: normal; font-size: 13px; color: #45586a }
    figure svg.chart { display: block; width: 100%; height: auto }
    .legend { display: flex; flex-wrap: wrap; gap: 0 16px; list-style: none; padding: 0; margin: 2px 0; font-size: 12.5px; max-width: none }
    .legend li { display: flex; align-items: center; gap: 6px; margin: 0 }
    .legend svg { flex: none; width: 28px; height: 12px }
    table { border-collapse: collapse; margin: 8px 0 16px; font-size: 13.5px; line-height: 1.4; font-variant-numeric: tabular-nums }
    table.wide { width: 100% }
    caption { text-align: left; font-weight: bold; font-size: 14.5px; padding: 2px 0 4px }
    th { text-align: left; vertical-align: bottom; background: #eef3f7; border-bottom: 2px solid #9fb2c2; font-weight: bold; overflow-wrap: normal }
    th, td { padding: 4px 12px 4px 8px }
    td { vertical-align: top; border-bottom: 1px solid #dde4ea }
    th.number, td.number { text-align: right; white-space: nowrap }
    tr { break-inside: avoid }
    .note { color: #45586a; font-size: 13px }
    .callout { border-left: 4px solid #0072b2; background: #eef5fa; padding: 8px 14px; margin: 10px 0 14px; max-width: 96ch; break-inside: avoid }
    .callout.warning { border-color: #d55e00; background: #fdf2ea }
    .callout.good { border-color: #009e73; background: #ebf7f3 }
    .callout p:last-child { margin: 0 }
    .badge { display: inline-block; border: 1px solid #8fa1b0; border-radius: 3px; padding: 0 7px; font-size: 12.5px; white-space: nowrap }
    .badge.warning { border-color: #d55e00; color: #a34700 }
    .badge.good { border-color: #009e73; color: #00704f }
    .columns { columns: 2; column-gap: 40px }
    @media (max-width: 700px) {
      .beside { grid-template-columns: minmax(0, 1fr) }
      h1 { margin-right: 0; padding-top: 30px }
      .columns { columns: 1 }
    }
    @page { size: A4; margin: 15mm 13mm 16mm }
    @media print {
      body { font-size: 10pt; line-height: 1.42 }
      header, main { max-width: none; padding-left: 0; padding-right: 0 }
      header { padding-top: 0 }
      h1 { font-size: 19pt; margin-right: 0 }
      h2 { font-size: 14pt; margin-top: 20px; break-after: avoid }
      h3 { font-size: 11.5pt; margin-top: 12px; break-after: avoid }
      h2 + .note { break-after: avoid }
      .language, .languages { display: none }
      .beside { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 4px 20px; break-inside: avoid }
      .new-page { break-before: page }
      .figures { grid-template-columns: repeat(4, 1fr); gap: 7px }
      .figures .value { font-size: 16pt }
      table { font-size: 9.5pt }
      table.short, ul { break-inside: avoid }
      .facts, .legend, figcaption small, .note { font-size: 8.8pt }
      figcaption, caption { font-size: 10.5pt }
      thead { display: table-header-group }
    }

    """
