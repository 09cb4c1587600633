import ArgumentParser
import Catalogue
import Console
import Faults
import Foundation
import Jobs

/// What credit platforms may hold and share, item by item.
struct CatalogueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "The items of the government's credit information lists. (信用信息归集共享清单)",
        discussion: "Example: jointlab catalogue list", subcommands: [List.self, Show.self, Search.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All items: how they are shared and what consent they need. (列出全部信息项)",
            discussion: "Example: jointlab catalogue list --lang zh")
        @Flag(name: .long, help: "Print JSON with all fields. (以 JSON 输出全部字段)") var json = false
        @OptionGroup var options: LanguageOption

        func run() async throws {
            let (items, language) = (Catalogue.current.items, options.language)
            if json { return Console.say(JSONValue.array(items.map(\.json)).canonicalText()) }
            for document in Catalogue.Document.allCases {
                Console.say(document.title(language))
                for item in items where item.document == document { Console.say("  " + item.line(language)) }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One item with all its fields. (查看单个信息项及其字段)", discussion: "Example: jointlab catalogue show JN-04")
        @Argument(help: "The item, such as JN-04 or GB-09.2. (信息项编号)") var item: String
        @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
        @OptionGroup var options: LanguageOption

        func run() async throws {
            try await options.reporting {
                guard let item = Catalogue.current.item(item) else { throw Fault(.unknownCatalogueItem, at: "catalogue", String(self.item.prefix(64))) }
                if json { return Console.say(item.json.canonicalText()) }
                for line in item.page(options.language) { Console.say(line) }
            }
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Items and fields whose names have all the words. (按名称检索信息项与字段)",
            discussion: "Example: jointlab catalogue search 增值税")
        @Argument(help: "Words in either language. (检索词)") var words: [String]
        @Flag(name: .long, help: "Print JSON, one line for each item, with the fields that fit. (以 JSON 输出，每项一行)") var json = false
        @OptionGroup var options: LanguageOption

        func run() async throws {
            let found = Catalogue.current.search(words.joined(separator: " "))
            for (item, fields) in found {
                if json {
                    Console.say(JSONValue.object(["item": item.json, "found": .array(fields.map(\.json))]).canonicalText())
                    continue
                }
                Console.say(item.line(options.language))
                for field in fields { Console.say("    \(item.id)/\(field.line(options.language))") }
            }
            guard !found.isEmpty else {
                Console.note(Phrase(en: "Nothing has these words.", zh: "没有匹配的信息项或字段。")(options.language))
                throw ArgumentParser.ExitCode(Faults.ExitCode.failure.rawValue)
            }
        }
    }
}

extension Catalogue.Item {
    fileprivate func line(_ language: Language) -> String {
        [id, name(language), mode.words(language), level.words(language), authorisation.words(language)].joined(separator: "  ")
    }

    fileprivate func page(_ language: Language) -> [String] {
        var lines = ["\(id)  \(name.zh) / \(name.en)"]
        func add(_ head: Phrase, _ text: String) { lines.append("  \(head(language))\(text)") }
        add(Phrase(en: "source: ", zh: "来源："), document.title(language) + Phrase(en: ", row \(row)", zh: "，第 \(row) 行")(language))
        add(Phrase(en: "category: ", zh: "类别："), category(language))
        add(Phrase(en: "shared by: ", zh: "共享方式："), "\(mode.words(language)), \(level.words(language))")
        if !sharing.isEmpty { add(Phrase(en: "as printed: ", zh: "清单原文："), sharing) }
        if let exception {
            add(Phrase(en: "except: ", zh: "例外："), "\(exception.part(language)): \(exception.mode.words(language)), \(exception.level.words(language))")
        }
        add(Phrase(en: "consent: ", zh: "授权："), authorisation.words(language) + (condition.map { ": " + $0(language) } ?? ""))
        add(Phrase(en: "disclosure: ", zh: "对外提供："), disclosure.words(language))
        let way = key.isDirect ? Phrase(en: "joins directly", zh: "可直接关联") : Phrase(en: "needs another table to join", zh: "须借助其他表关联")
        add(Phrase(en: "key: ", zh: "主键："), [key.field, key.heading, key.kind.words(language), way(language)].compactMap(\.self).joined(separator: ", "))
        add(Phrase(en: "fields:", zh: "字段："), fields.isEmpty ? Phrase(en: " none printed", zh: "清单未列明")(language) : "")
        return lines + fields.map { "    \(id)/\($0.line(language))" }
    }

    fileprivate var json: JSONValue {
        .object([
            "id": .text(id), "document": .text(document.rawValue), "row": .integer(row), "mode": .text(mode.rawValue), "level": .text(level.rawValue),
            "authorisation": .text(authorisation.rawValue), "disclosure": .text(disclosure.rawValue),
            "category_zh": .text(category.zh), "category_en": .text(category.en), "name_zh": .text(name.zh), "name_en": .text(name.en),
            "key": .text(key.kind.rawValue), "fields": .array(fields.map(\.json)),
        ])
    }
}

extension Catalogue.Field {
    fileprivate func line(_ language: Language) -> String {
        let type = ([kind.words, shape.words].compactMap { $0?(language) } + [unit].compactMap(\.self)).joined(separator: ", ")
        let marks = Mark.allCases.filter(self.marks.contains).map { $0.words(language) }.joined(separator: ", ")
        return "\(name)  \(heading)  \(type)  \(use.words(language))" + (marks.isEmpty ? "" : "  [\(marks)]")
    }

    fileprivate var json: JSONValue {
        .object([
            "name": .text(name), "heading": .text(heading), "type": .text(kind.rawValue), "shape": .text(shape.rawValue),
            "unit": unit.map { .text($0) } ?? .null, "use": .text(use.rawValue),
            "marks": .array(Mark.allCases.filter(marks.contains).map { .text($0.rawValue) }),
        ])
    }
}
