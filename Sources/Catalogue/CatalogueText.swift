import Faults

/// Reads the text in which the items are kept: blocks of lines with an empty one between them, parts of a line separated by
/// ` | `. A block is
///
///     ID | row | mode | level | authorisation | disclosure
///     category | zh | en
///     item | zh | en                  or `item of no name`, where the annex prints none
///     sharing | the annex's words
///     also | mode | level | zh | en
///     condition | zh
///     condition in English | en
///     key | kind | field | heading | direct or indirect
///     - name | heading | kind [shape] [in unit] | use [| marks]
enum CatalogueText {
    /// Nothing if a line is not in its form.
    static func items(_ document: Catalogue.Document) -> [Catalogue.Item]? {
        let text = switch document {
        case .jining: Catalogue.Document.jiningText
        case .national: Catalogue.Document.nationalText
        }
        let blocks = text.split(separator: "\n\n").map { $0.split(separator: "\n").map { $0.split(separator: " | ").map(String.init) } }
        let items = blocks.compactMap { item($0, document) }
        return items.count == blocks.count ? items : nil
    }

    private static func item(_ lines: [[String]], _ document: Catalogue.Document) -> Catalogue.Item? {
        guard let head = lines.first, head.count == 6, let row = Int(head[1]), let mode = Catalogue.Mode(rawValue: head[2]),
              let level = Catalogue.Level(rawValue: head[3]), let authorisation = Catalogue.Authorisation(rawValue: head[4]),
              let disclosure = Catalogue.Disclosure(rawValue: head[5])
        else { return nil }
        var named: [String: [String]] = [:]
        var fields: [Catalogue.Field] = []
        for line in lines.dropFirst() {
            if line[0].hasPrefix("- ") {
                guard let field = field(line) else { return nil }
                fields.append(field)
            } else if named.updateValue(Array(line.dropFirst()), forKey: line[0]) != nil {
                return nil
            }
        }
        func phrase(_ name: String) -> Phrase? {
            guard let parts = named[name], parts.count == 2 else { return nil }
            return Phrase(en: parts[1], zh: parts[0])
        }
        var exception: Catalogue.Exception?
        if let parts = named["also"] {
            guard parts.count == 4, let mode = Catalogue.Mode(rawValue: parts[0]), let level = Catalogue.Level(rawValue: parts[1]) else { return nil }
            exception = Catalogue.Exception(mode: mode, level: level, part: Phrase(en: parts[3], zh: parts[2]))
        }
        let condition = named["condition"]?.first.flatMap { zh in named["condition in English"]?.first.map { Phrase(en: $0, zh: zh) } }
        guard let category = phrase("category"), let name = phrase("item") ?? phrase("item of no name"), let key = named["key"].flatMap(key),
              Set(named.keys).isSubset(of: ["category", "item", "item of no name", "sharing", "also", "condition", "condition in English", "key"]),
              (condition != nil) == (named["condition"] != nil), Set(fields.map(\.name)).count == fields.count
        else { return nil }
        return Catalogue.Item(
            id: head[0], document: document, row: row, mode: mode, level: level, authorisation: authorisation, disclosure: disclosure,
            category: category, name: name, sharing: named["sharing"]?.first ?? "", exception: exception,
            condition: condition, key: key, fields: fields)
    }

    private static func key(_ parts: [String]) -> Catalogue.Key? {
        guard parts.count == 4, let kind = Catalogue.Key.Kind(rawValue: parts[0]), ["direct", "indirect"].contains(parts[3]) else { return nil }
        func value(_ part: String) -> String? { part == "-" ? nil : part }
        return Catalogue.Key(kind: kind, field: value(parts[1]), heading: value(parts[2]), isDirect: parts[3] == "direct")
    }

    private static func field(_ parts: [String]) -> Catalogue.Field? {
        guard (4...5).contains(parts.count), let use = Catalogue.Field.Use(rawValue: parts[3]) else { return nil }
        var words = parts[2].split(separator: " ").map(String.init)
        var unit: String?
        if let position = words.firstIndex(of: "in"), position + 2 == words.count {
            unit = words[position + 1]
            words.removeLast(2)
        }
        guard let kind = words.first.flatMap(Catalogue.Field.Kind.init), words.count <= 2,
              let shape = Catalogue.Field.Shape(rawValue: words.count == 2 ? words[1] : "scalar")
        else { return nil }
        let written = parts.count == 5 ? parts[4].split(separator: " ") : []
        let marks = Set(written.compactMap { Catalogue.Field.Mark(rawValue: String($0)) })
        guard marks.count == written.count else { return nil }
        return Catalogue.Field(
            name: String(parts[0].dropFirst(2)), heading: parts[1], kind: kind, shape: shape, unit: unit, use: use, marks: marks)
    }
}
