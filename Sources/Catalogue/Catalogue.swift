import Faults

/// What the government's documents let credit platforms collect and share: each item with its fields, how and at which level
/// it is shared, and whose consent it needs.
///
/// Chinese names, modes, levels and authorisations are facts of the documents. English names, types, units, sensitivity and
/// use in models are this project's reading of them.
package struct Catalogue: Sendable {
    /// Raised with every change of an item.
    package static let version = 1

    package static let current: Catalogue = {
        let items = Document.allCases.flatMap { document in
            guard let items = CatalogueText.items(document) else { preconditionFailure("\(document) is not in the form of the catalogue") }
            return items
        }
        return Catalogue(items: items)
    }()

    /// In the order of the documents.
    package let items: [Item]

    package enum Document: String, Sendable, Hashable, CaseIterable {
        case jining = "jining-2022"
        case national = "guobanfa-2024-15"

        /// Title, issuer or number, and date.
        package var title: Phrase {
            switch self {
            case .jining:
                Phrase(en: "Jining Municipal Government Office, opinions on sharing credit information for the financing of small enterprises, 2022-11-25",
                       zh: "济宁市人民政府办公室《关于济宁市深入推进信用信息共享应用助力中小微企业融资发展的实施意见》（2022-11-25）")
            case .national:
                Phrase(en: "General Office of the State Council, Guobanfa [2024] No. 15, list of credit information to be collected and shared, 2024-03-28",
                       zh: "国办发〔2024〕15号《统筹融资信用服务平台建设提升中小微企业融资便利水平实施方案》信用信息归集共享清单（2024-03-28）")
            }
        }
    }

    /// How a provider shares an item with the platform (Jining 2022, note 2).
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Sent to the platform, which keeps it.
        case aggregation = "physical_aggregation"
        /// Called by the platform for each enterprise that has consented.
        case interfaceCall = "interface_call"
        /// The platform asks, the provider answers whether it is so: only outcomes exist.
        case verification = "data_verification"
    }

    package enum Level: String, Sendable, Hashable, CaseIterable { case national, local, either = "national_or_local", unstated }

    package enum Authorisation: String, Sendable, Hashable, CaseIterable { case required, partial, none }

    /// What may be given to others than the platform (Guobanfa [2024] No. 15, 5 (11)).
    package enum Disclosure: String, Sendable, Hashable, CaseIterable { case authorised, maskedOrAuthorised = "masked_or_authorised", open }

    package struct Item: Sendable, Hashable {
        /// `JN-04` or `GB-09.2`.
        package let id: String
        package let document: Document
        /// Of the document's annex.
        package let row: Int
        package let mode: Mode
        package let level: Level
        package let authorisation: Authorisation
        package let disclosure: Disclosure
        package let category: Phrase
        /// The category's, where the annex prints none.
        package let name: Phrase
        /// The annex's words on sharing, in Chinese; empty where it has none.
        package let sharing: String
        /// A part that is shared otherwise.
        package let exception: Exception?
        /// To what the authorisation is limited.
        package let condition: Phrase?
        package let key: Key
        /// In the order of the annex; none where the list itself is the content.
        package let fields: [Field]

        package func field(_ name: String) -> Field? { fields.first { $0.name == name } }
    }

    package struct Exception: Sendable, Hashable {
        package let mode: Mode
        package let level: Level
        package let part: Phrase
    }

    /// What ties a record to an enterprise.
    package struct Key: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            case creditCode = "uscc", creditCodeOrPerson = "uscc_or_person_id", identityDocument = "id_document"
            case person = "person_id", propertyUnit = "property_unit", name, none
        }
        package let kind: Kind
        /// Name of the field and its Chinese heading.
        package let field: String?
        package let heading: String?
        /// Whether it is, or gives, a unified social credit code without another table.
        package let isDirect: Bool
    }

    package struct Field: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            case string, documentNumber = "document-id", integer, decimal, date, boolean, enumeration = "enum"
        }
        package enum Shape: String, Sendable, Hashable, CaseIterable { case scalar, records, monthlySeries = "monthly_series", document }
        /// In a model: not at all, by what is computed from it, or as it is.
        package enum Use: String, Sendable, Hashable, CaseIterable { case none, derived, direct }
        package enum Mark: String, Sendable, Hashable, CaseIterable {
            case key
            /// Name of the enterprise.
            case name
            /// About a natural person.
            case personal
            /// A trade secret.
            case secret
            /// Needs the subject's authorisation wherever it is disclosed.
            case authorised
        }

        /// Unique in its item; `item.id/name` is the path by which specifications name it.
        package let name: String
        /// As the annex prints it.
        package let heading: String
        package let kind: Kind
        package let shape: Shape
        package let unit: String?
        package let use: Use
        package let marks: Set<Mark>
    }

    /// - Parameter id: `JN-04`, in either case.
    package func item(_ id: String) -> Item? { items.first { $0.id == id.uppercased() } }

    /// - Parameter path: `JN-04/vat_paid_12m`.
    package func field(_ path: String) -> (item: Item, field: Field)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let item = item(String(parts[0])), let field = item.field(String(parts[1])) else { return nil }
        return (item, field)
    }

    /// Items that have every word of `text`, each with those of its fields that do; without regard to case. An item whose own
    /// names match comes with no field.
    package func search(_ text: String) -> [(item: Item, fields: [Field])] {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace)
        guard !words.isEmpty else { return [] }
        func has(_ texts: [String]) -> Bool {
            let text = texts.joined(separator: " ").lowercased()
            return words.allSatisfy(text.contains)
        }
        return items.compactMap { item in
            let names = [item.id, item.category.en, item.category.zh, item.name.en, item.name.zh]
            if has(names) { return (item, []) }
            let fields = item.fields.filter { has([$0.name, $0.name.replacing("_", with: " "), $0.heading]) }
            return fields.isEmpty ? nil : (item, fields)
        }
    }
}
