import Catalogue
import Faults
import Foundation
import Testing

@Suite("The catalogue") struct CatalogueTests {
    let items = Catalogue.current.items

    @Test("each document has its items and fields, every one known by its own name")
    func counts() {
        let jining = items.filter { $0.document == .jining }
        let national = items.filter { $0.document == .national }
        #expect(jining.count == 15 && jining.map(\.fields.count).reduce(0, +) == 139)
        #expect(national.count == 37 && national.map(\.fields.count).reduce(0, +) == 205)
        #expect(Set(items.map(\.id)).count == 52)
        #expect(Set(jining.map(\.row)) == Set(1...15) && Set(national.map(\.row)) == Set(1...17))
    }

    @Test("modes and consents are as often as the annexes print them")
    func modes() {
        func count(_ document: Catalogue.Document, _ holds: (Catalogue.Item) -> Bool) -> Int { items.count { $0.document == document && holds($0) } }
        #expect(Catalogue.Mode.allCases.map { mode in count(.jining) { $0.mode == mode } } == [4, 9, 2])
        #expect(Catalogue.Mode.allCases.map { mode in count(.national) { $0.mode == mode } } == [17, 11, 9])
        #expect(count(.jining) { $0.authorisation == .required } == 11 && count(.jining) { $0.authorisation == .partial } == 3)
        #expect(count(.national) { $0.authorisation == .required } == 20 && count(.national) { $0.authorisation == .none } == 17)
    }

    @Test("an item is open if and only if it has no personal or secret field and needs no consent")
    func disclosure() {
        for item in items {
            let isSensitive = item.fields.contains { !$0.marks.isDisjoint(with: [.personal, .secret]) }
            // An item without printed fields may hold anything.
            #expect((item.disclosure == .open) == (!isSensitive && item.authorisation == .none && !item.fields.isEmpty), "\(item.id)")
            #expect((item.disclosure == .authorised) == (item.authorisation == .required), "\(item.id)")
        }
    }

    @Test("fields are found by path, items by id, both by words of either language")
    func search() throws {
        let catalogue = Catalogue.current
        #expect(try #require(catalogue.item("jn-01")).name.zh == "纳税信用等级信息")
        let found = try #require(catalogue.field("JN-01/tax_credit_grade"))
        #expect(found.field.heading == "纳税信用等级" && found.field.kind == .enumeration && found.field.marks == [.secret])
        #expect(catalogue.field("JN-01/tax") == nil && catalogue.field("JN-01") == nil && catalogue.field("/") == nil)
        #expect(catalogue.search("tax credit").map(\.item.id).contains("JN-01"))
        #expect(catalogue.search("纳税信用等级信息").map(\.item.id).contains("JN-01"))
        #expect(catalogue.search("  ").isEmpty && catalogue.search("no such thing").isEmpty)
    }

    /// The same facts, collected apart from this project, where they are at hand.
    private static let copyFile = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/data/catalogue.json").standardized

    @Test("a copy of the lists says the same of every item and field", .enabled(if: FileManager.default.fileExists(atPath: copyFile.path)))
    func copy() throws {
        let copy = try JSONDecoder().decode(Copy.self, from: Data(contentsOf: Self.copyFile))
        #expect(copy.items.count == items.count)
        for (item, other) in zip(items, copy.items) {
            #expect(item.id == other.id && item.document.rawValue == other.document && item.row == other.row)
            #expect(item.mode.rawValue == other.sharing.mode && item.level.rawValue == other.level.code)
            #expect(item.name.zh == other.item.zh && item.category.zh == other.category.zh && item.sharing == other.sharing.text ?? "")
            #expect(item.key.kind.rawValue == other.join_key.kind && item.key.isDirect == other.join_key.joins_directly_to_uscc)
            #expect(item.fields.map(\.name) == other.fields.map(\.name) && item.fields.map(\.heading) == other.fields.map(\.zh))
            for (field, other) in zip(item.fields, other.fields) {
                #expect(field.kind.rawValue == other.type && field.shape.rawValue == other.shape && field.unit == other.unit)
                #expect(field.use.rawValue == other.model_use && field.marks.contains(.key) == (other.role == "join_key"))
                #expect(field.marks.contains(.personal) == other.personal && field.marks.contains(.secret) == other.trade_sensitive)
            }
        }
    }

    private struct Copy: Decodable {
        struct Names: Decodable { let zh: String }
        struct Sharing: Decodable { let mode: String, text: String? }
        struct Level: Decodable { let code: String }
        struct Key: Decodable { let kind: String, joins_directly_to_uscc: Bool }
        struct Field: Decodable { let name, zh, type, shape, role, model_use: String, unit: String?, personal, trade_sensitive: Bool }
        struct Item: Decodable {
            let id, document: String, row: Int, category, item: Names, sharing: Sharing, level: Level, join_key: Key, fields: [Field]
        }
        let items: [Item]
    }
}
