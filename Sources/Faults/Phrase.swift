/// One sentence in the two languages of the house. Neither can be left out.
package struct Phrase: Sendable, Hashable {
    package let en: String
    package let zh: String

    package init(en: String, zh: String) {
        self.en = en
        self.zh = zh
    }

    package func callAsFunction(_ language: Language) -> String {
        language == .zh ? zh : en
    }

    /// Replaces `{0}`, `{1}`, ... by the arguments and `{place}` by the place, in both languages alike.
    package func filled(place: String, arguments: [String]) -> Phrase {
        func fill(_ template: String) -> String {
            var text = template.replacing("{place}", with: place)
            for (index, argument) in arguments.enumerated() {
                text = text.replacing("{\(index)}", with: argument)
            }
            return text
        }
        return Phrase(en: fill(en), zh: fill(zh))
    }
}

package enum Language: String, Sendable, CaseIterable {
    case en, zh

    /// The language that a locale such as `zh_CN.UTF-8` asks for; English where it asks for neither.
    package static func from(locale: String?) -> Language {
        (locale ?? "").lowercased().hasPrefix("zh") ? .zh : .en
    }
}
