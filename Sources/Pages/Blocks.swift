import Faults

/// A number with a name.
package struct KeyFigure: Sendable, Hashable {
    package var label: Phrase
    package var value: Phrase
    package var note: Phrase?

    package init(_ label: Phrase, _ value: Phrase, note: Phrase? = nil) {
        self.label = label
        self.value = value
        self.note = note
    }

    package init(_ label: Phrase, _ value: String, note: Phrase? = nil) {
        self.init(label, .same(value), note: note)
    }
}

/// How a callout or a badge is meant.
package enum Weight: String, Sendable {
    case plain, good, warning
}

package struct TableColumn: Sendable, Hashable {
    package var title: Phrase
    /// Set to the right, never broken.
    package var isNumber: Bool

    package static func words(_ title: Phrase) -> TableColumn { TableColumn(title: title, isNumber: false) }
    package static func number(_ title: Phrase) -> TableColumn { TableColumn(title: title, isNumber: true) }
}

/// Parts of a page, from large to small.
extension Markup {
    /// - Parameter newPage: starts a new sheet of paper.
    package static func section(_ title: Phrase, newPage: Bool = false, _ content: [Markup]) -> Markup {
        element("section", ["class": newPage ? "new-page" : "section"], [element("h2", [:], [Markup(title)])] + content)
    }

    package static func subheading(_ title: Phrase) -> Markup { element("h3", [:], [Markup(title)]) }

    package static func paragraph(_ parts: Markup...) -> Markup { element("p", [:], parts) }
    package static func paragraph(_ phrase: Phrase) -> Markup { paragraph(Markup(phrase)) }

    /// Smaller and paler: how something was counted.
    package static func note(_ phrase: Phrase) -> Markup { element("p", ["class": "note"], [Markup(phrase)]) }

    package static func callout(_ weight: Weight = .plain, _ content: [Markup]) -> Markup {
        element("div", ["class": "callout \(weight.rawValue)"], content)
    }

    package static func list(_ items: [Markup]) -> Markup {
        items.isEmpty ? empty : element("ul", [:], items.map { element("li", [:], [$0]) })
    }

    /// Side by side where there is room.
    package static func beside(_ parts: [Markup]) -> Markup { element("div", ["class": "beside"], parts.map { element("div", [:], [$0]) }) }

    package static func figures(_ figures: [KeyFigure]) -> Markup {
        element("dl", ["class": "figures"], figures.map { figure in
            element("div", [:], [
                element("dt", [:], [Markup(figure.label)]),
                element("dd", ["class": "value"], [Markup(figure.value)]),
                figure.note.map { element("dd", ["class": "note"], [Markup($0)]) } ?? empty,
            ])
        })
    }

    /// A row may be shorter than `columns`; what is beyond them is left out.
    package static func table(_ caption: Phrase? = nil, columns: [TableColumn], wide: Bool = false, rows: [[Markup]]) -> Markup {
        func attributes(_ column: TableColumn) -> String { column.isNumber ? "number" : "words" }
        return element("table", ["class": (wide ? "wide" : "narrow") + (rows.count <= 16 ? " short" : "")], [
            caption.map { element("caption", [:], [Markup($0)]) } ?? empty,
            element("thead", [:], [element("tr", [:], columns.map {
                element("th", ["class": attributes($0), "scope": "col"], [Markup($0.title)])
            })]),
            element("tbody", [:], rows.map { row in
                element("tr", [:], zip(columns, row).map { element("td", ["class": attributes($0)], [$1]) })
            }),
        ])
    }

    package static func strong(_ content: Markup) -> Markup { element("strong", [:], [content]) }

    /// A name from a file, a command, a path.
    package static func code(_ text: String) -> Markup { element("code", [:], [.text(text)]) }

    package static func badge(_ phrase: Phrase, _ weight: Weight = .plain) -> Markup {
        element("span", ["class": "badge \(weight.rawValue)"], [Markup(phrase)])
    }
}
