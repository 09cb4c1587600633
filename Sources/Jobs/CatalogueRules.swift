import Catalogue
import Faults

/// What a specification and a registration may name of the catalogue, and what consent that takes. Facts of the government's
/// lists and nothing else: no data, no subject.
package enum CatalogueRules {
    /// A field that may enter a model, as it is or by its outcome.
    ///
    /// - Parameter suggesting: whether the nearest name is looked for.
    /// - Throws: `unknownField` with the nearest name, `personalField`, `verifiedField`, `notAModelField`.
    package static func field(_ path: String, at place: String,
                              suggesting: Bool = true) throws(Fault) -> (item: Catalogue.Item, field: Catalogue.Field, isOutcome: Bool) {
        let catalogue = Catalogue.current
        guard let (item, field, isOutcome) = catalogue.resolve(path) else {
            let (en, zh) = suggestion(
                for: path, among: suggesting ? catalogue.paths : [], else: "search for it with: jointlab catalogue search WORD", "可用 jointlab catalogue search 检索")
            throw Fault(.unknownField, at: place, shown(path), en, zh)
        }
        if !field.marks.isDisjoint(with: [.personal, .key, .name]) { throw Fault(.personalField, at: place, path) }
        let isVerified = item.mode == .verification
        if isVerified, !isOutcome, field.kind != .boolean { throw Fault(.verifiedField, at: place, path) }
        if isOutcome, !isVerified || field.kind == .boolean {
            throw Fault(.fieldDoesNotFit, at: place, path, "it has no outcome of a check: name the field itself", "该字段没有核验结果，请直接引用字段")
        }
        if field.use == .none { throw Fault(.notAModelField, at: place, path) }
        return (item, field, isOutcome)
    }

    /// Faults of a document, or of a feature, after which no nearest name is looked for: the whole catalogue is compared for each.
    static let mostSuggestions = 20
    private static let mostSuggestionsOfFeature = 3

    /// Everything that is wrong with a feature of the catalogue.
    ///
    /// - Parameters:
    ///   - place: of the feature.
    ///   - suggesting: whether nearest names are looked for.
    static func check(_ feature: JobSpecification.Feature, at place: String, suggesting: Bool) -> [Fault] {
        var faults: [Fault] = []
        var isSuggesting: Bool { suggesting && faults.count < mostSuggestionsOfFeature }
        func add(_ check: () throws(Fault) -> Void) {
            do { try check() } catch { faults.append(error) }
        }
        guard let derive = feature.derive else {
            add { () throws(Fault) in
                let (_, field, isOutcome) = try CatalogueRules.field(feature.column, at: place, suggesting: isSuggesting)
                if !isOutcome, field.shape != .scalar {
                    throw Fault(.fieldDoesNotFit, at: place, feature.column, "it has several values for a subject: derive a feature from it", "同一主体有多个取值，须先衍生特征")
                }
                guard let type = isOutcome ? .flag : field.kind.featureType else {
                    throw Fault(.fieldDoesNotFit, at: place, feature.column, "a date or the number of a document is no feature: derive one from it",
                                "日期或编号不能直接入模，须先衍生特征")
                }
                guard feature.type == type else {
                    throw Fault(.fieldDoesNotFit, at: place, feature.column, "its type is '\(type.rawValue)'", "其 type 应为 \(type.rawValue)")
                }
            }
            return faults
        }
        if feature.type != derive.operation.type {
            faults.append(Fault(.fieldDoesNotFit, at: place, derive.operation.rawValue, "it gives the type '\(derive.operation.type.rawValue)'",
                                "其结果的 type 为 \(derive.operation.type.rawValue)"))
        }
        for path in derive.fields {
            add { () throws(Fault) in
                let (_, field, isOutcome) = try CatalogueRules.field(path, at: place, suggesting: isSuggesting)
                let fits = switch derive.operation {
                case .ratioGap, .logRatio: field.kind == .integer || field.kind == .decimal
                case .countTrue: field.kind == .boolean || isOutcome
                case .monthsSince: field.kind == .date
                case .countRecords, .anyRecord: true
                }
                guard fits else {
                    throw Fault(.fieldDoesNotFit, at: place, path, "'\(derive.operation.rawValue)' cannot be computed from it", "无法对其作 \(derive.operation.rawValue) 运算")
                }
            }
        }
        if let date = derive.date {
            add { () throws(Fault) in
                let (item, field, _) = try CatalogueRules.field(date, at: place, suggesting: isSuggesting)
                guard field.kind == .date, derive.fields.allSatisfy({ FieldPath($0)?.item == item.id }) else {
                    throw Fault(.fieldDoesNotFit, at: place, date, "the date of records is a date of the same item", "记录日期须为同一信息项的日期字段")
                }
            }
        }
        return faults
    }

    /// How a feature reads a field by itself; nothing where it cannot.
    package static func featureType(_ path: String) -> JobSpecification.FeatureType? {
        Catalogue.current.resolve(path).flatMap { $0.isOutcome ? .flag : $0.field.kind.featureType }
    }

    /// One item that features are made from, with those fields that take the subject's authorisation.
    package struct Need: Sendable, Hashable {
        package let item: String
        /// Paths, in the order of the specification.
        package let fields: [String]
        /// Numbers of the items an authorisation of which covers it: its own, and the same subject's of the other document.
        package let coveredBy: [String]

        package init(item: String, fields: [String], coveredBy: [String]) {
            self.item = item
            self.fields = fields
            self.coveredBy = coveredBy
        }
    }

    /// What the subjects must have authorised, item by item in the order of the features.
    ///
    /// - Parameter followsStricter: whether the stricter of two documents about the same subject holds.
    package static func needs(of features: [JobSpecification.Feature], followsStricter: Bool = true) -> [Need] {
        var order: [String] = []
        var fields: [String: [String]] = [:]
        for path in features.flatMap(\.fields) {
            guard let (item, field, _) = Catalogue.current.resolve(path), item.needsAuthorisation(field, followsStricter: followsStricter)
            else { continue }
            if fields[item.id] == nil { order.append(item.id) }
            if fields[item.id]?.contains(path) != true { fields[item.id, default: []].append(path) }
        }
        return order.map { id in
            let stricter = Catalogue.counterparts.filter { $0.1 == id }.map(\.0)
            return Need(item: id, fields: fields[id] ?? [], coveredBy: [id] + stricter)
        }
    }
}

extension Catalogue.Field.Kind {
    /// How a feature reads it; nothing where it can be no feature by itself.
    var featureType: JobSpecification.FeatureType? {
        switch self {
        case .integer, .decimal: .number
        case .boolean: .flag
        case .enumeration, .string: .category
        case .date, .documentNumber: nil
        }
    }
}
