/// A field of the catalogue as specifications and registrations name it: `JN-04/vat_paid_12m`, or of a field that is only
/// verified the outcome of the check, `JN-06/property_area/outcome`.
package struct FieldPath: Sendable, Hashable {
    package let item: String
    package let field: String
    package let isOutcome: Bool

    /// Whether a text is meant as a path; whether there is such a field is another question.
    package static func isPath(_ text: String) -> Bool { text.hasPrefix("JN-") || text.hasPrefix("GB-") }

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard FieldPath.isPath(text), parts.count == 2 || parts.count == 3 && parts[2] == "outcome" else { return nil }
        item = String(parts[0])
        field = String(parts[1])
        isOutcome = parts.count == 3
    }
}

extension Catalogue {
    /// - Parameter path: as `FieldPath` reads it; item numbers in upper case alone, so that a field has one name.
    package func resolve(_ path: String) -> (item: Item, field: Field, isOutcome: Bool)? {
        guard let path = FieldPath(path), let item = items.first(where: { $0.id == path.item }), let field = item.field(path.field)
        else { return nil }
        return (item, field, path.isOutcome)
    }

    /// Of every field.
    package var paths: [String] { items.flatMap { item in item.fields.map { "\(item.id)/\($0.name)" } } }

    /// Items of both documents about the same subject, the stricter first.
    ///
    /// Water, electricity and gas are called for each authorised enterprise in Jining 2022 and aggregated without a printed
    /// authorisation in Guobanfa [2024] No. 15.
    package static let counterparts = [("JN-11", "GB-16.1"), ("JN-12", "GB-16.2"), ("JN-13", "GB-16.3")]

    /// The item whose stricter rule holds for this one, where there is one.
    package func stricter(than item: Item) -> Item? {
        Self.counterparts.first { $0.1 == item.id }.flatMap { self.item($0.0) }
    }
}

extension Catalogue.Item {
    /// The field that ends a record's influence: 公示截止期 of a penalty, through that day; 撤销日期 of a listing, from that day.
    package var ending: (field: Catalogue.Field, isThrough: Bool)? {
        for field in fields where field.kind == .date {
            if field.heading == "公示截止期" { return (field, true) }
            if field.heading == "撤销日期" { return (field, false) }
        }
        return nil
    }

    /// Whether a field may be disclosed, even in a computation, only with the subject's authorisation.
    ///
    /// - Parameter followsStricter: whether the stricter of two documents about the same subject holds.
    package func needsAuthorisation(_ field: Catalogue.Field, followsStricter: Bool, in catalogue: Catalogue = .current) -> Bool {
        if authorisation == .required || field.marks.contains(.authorised) { return true }
        guard followsStricter, let other = catalogue.stricter(than: self) else { return false }
        return other.authorisation == .required
    }
}
