import Catalogue
import Faults

/// What a node allows beyond the contract's limits: fields for purposes, levels, quotas, freshness. The contract pins its digest,
/// so that both sides know that it has not changed, and nobody but the node reads it.
///
/// Holds no secret and no subject. Source: `Protocols/policy.md`.
package struct LabPolicy: Sendable, Hashable {
    package static let currentVersion = 1

    /// What may happen to a field: each level permits what those before it do not.
    package enum Level: String, Sendable, Hashable, CaseIterable, Comparable {
        case publishable, aggregate, encrypted, local

        package static func < (a: Level, b: Level) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    package struct Purpose: Sendable, Hashable {
        /// Items, paths or columns; `nil` allows all.
        package let fields: [String]?
        package let products: [String]?
        package let stages: [JobSpecification.Stage]?
    }

    package struct Quota: Sendable, Hashable {
        package let most: Int
        package let days: Int
    }

    package let name: String
    /// Names of the contract who may ask for jobs; `nil` allows every analyst.
    package let analysts: [String]?
    /// Whether the platform's features must be paths of the catalogue.
    package let isCatalogueRequired: Bool
    /// By code; `nil` allows every purpose.
    package let purposes: [String: Purpose]?
    /// Of items and paths, raised above what the catalogue's marks say.
    package let levels: [String: Level]
    package let minimumIntersection: Int?
    package let maximumRounds: Int?
    package let exposurePercent: Double?
    /// Fewest training rows of a level that has a column of its own.
    package let minimumCell: Int?
    /// Jobs that the node approves within so many days.
    package let jobs: Quota?
    /// Percent of exposure that completed jobs may add up to within so many days.
    package let exposureBudget: Quota?
    /// Days that data of an item may be older than the observation date.
    package let freshness: [String: Int]
    /// Whether the stricter of two documents about the same subject holds.
    package let followsStricter: Bool
    /// What a job that only aligns may tell; `nil` allows all.
    package let reveals: [JobSpecification.AlignmentPart.Reveals]?

    /// - Throws: all faults of the document; places are JSON pointers, or "policy" for the whole.
    package static func parse(_ bytes: [UInt8]) throws(FaultList) -> LabPolicy {
        try Findings.document(bytes, kind: "policy") { reader in
            _ = reader.required("version", .integer(currentVersion...currentVersion))
            let name = reader.required("name", .name)
            let analysts = reader.has("analysts") ? reader.list("analysts", count: 1...1000) { $1.value($0, .name) } : nil
            let isCatalogueRequired = reader.optional("catalogue_required", .flag, default: false)
            let purposes = reader.has("purposes") ? reader.map("purposes", count: 1...100) { reader in
                Purpose(
                    fields: reader.texts("fields", count: 1...1000), products: reader.texts("products", count: 1...100),
                    stages: reader.has("stages")
                        ? reader.list("stages", count: 1...3) { $1.value($0, .choice(JobSpecification.Stage.preLoan)) } : nil)
            } : nil
            let levels = reader.pairs("levels", count: 1...1000, .choice(Level.local), requireItemOrField)
            let limits = reader.object("limits", isOptional: true) { reader in
                (reader.optional("minimum_intersection", .integer(JobSpecification.Population.minimumIntersectionRange)),
                 reader.optional("maximum_rounds", .integer(1...200)), reader.optional("exposure_percent", .number(0.01...100)),
                 reader.optional("minimum_cell", .integer(50...1_000_000)))
            }
            func quota(_ key: String, _ most: String) -> Quota? {
                reader.optionalObject(key) { reader in
                    Quota(most: reader.required(most, .integer(1...1_000_000)), days: reader.required("days", .integer(1...3650)))
                }
            }
            let jobs = quota("quota", "jobs")
            let budget = quota("exposure_budget", "percent")
            let freshness = reader.pairs("freshness_days", count: 1...1000, .integer(1...36_500), requireItemOrField)
            let reveals = reader.has("reveals")
                ? reader.list("reveals", count: 1...3) { $1.value($0, .choice(JobSpecification.AlignmentPart.Reveals.subjects)) } : nil
            return LabPolicy(
                name: name, analysts: analysts, isCatalogueRequired: isCatalogueRequired, purposes: purposes, levels: levels,
                minimumIntersection: limits.0,
                maximumRounds: limits.1, exposurePercent: limits.2, minimumCell: limits.3, jobs: jobs, exposureBudget: budget,
                freshness: freshness, followsStricter: reader.optional("stricter_list", .flag, default: true), reveals: reveals)
        }
    }

    private static func requireItemOrField(_ name: String, _ place: String) throws(Fault) {
        if Catalogue.current.items.contains(where: { $0.id == name }) { return }
        _ = try CatalogueRules.field(name, at: place)
    }
}

extension LabPolicy {
    /// The contract's limits, tightened.
    package func tightening(_ limits: Contract.Limits) -> Contract.Limits {
        var limits = limits
        if let minimumIntersection { limits.minimumIntersection = max(limits.minimumIntersection, minimumIntersection) }
        if let maximumRounds { limits.maximumRounds = min(limits.maximumRounds, maximumRounds) }
        if let exposurePercent { limits.exposurePercent = min(limits.exposurePercent ?? .infinity, exposurePercent) }
        return limits
    }

    /// What of a specification this node does not allow, each with its place in the specification, its place in the policy and
    /// the rule.
    ///
    /// - Parameters:
    ///   - model: features of the model that scores, as this party has it.
    ///   - analyst: who asks, as the arbiter knows it by certificate.
    package func check(_ specification: JobSpecification, role: Contract.Role, model: [JobSpecification.Feature] = [],
                       analyst: String = "") -> [Fault] {
        var faults: [Fault] = []
        func forbid(_ place: String, _ en: String, _ zh: String, _ pointer: String, _ rule: String) {
            faults.append(Fault(.policyForbids, at: place, en, zh, name + "#" + pointer, rule))
        }
        if let analysts, !analysts.contains(analyst) {
            forbid("job submit", "jobs of '\(shown(analyst))'", "“\(shown(analyst))”提交任务", "/analysts", "R13")
        }
        let code = specification.purpose.code
        let purpose = purposes?[code]
        if purposes != nil, purpose == nil { forbid("/purpose/code", "the purpose '\(code)'", "用途“\(code)”", "/purposes", "R10") }
        let place = "/purposes/\(code)"
        if let products = purpose?.products, specification.purpose.product.map(products.contains) != true {
            forbid("/purpose/product", "this product", "该产品", place + "/products", "R10")
        }
        if let stages = purpose?.stages, specification.purpose.stage.map(stages.contains) != true {
            forbid("/purpose/stage", "this stage of the loan", "该信贷环节", place + "/stages", "R10")
        }
        if let reveals, let alignment = specification.alignment, !reveals.contains(alignment.reveals) {
            forbid("/reveal", "an alignment that reveals '\(alignment.reveals.rawValue)'", "reveal 为“\(alignment.reveals.rawValue)”的对齐", "/reveals", "R26")
        }
        let training = specification.training
        let own = training?.features(role) ?? model
        for (index, feature) in own.enumerated() {
            let at = training == nil ? "/model" : "/features/\(role.rawValue)/\(index)"
            if role == .platform, isCatalogueRequired, !feature.isCatalogued {
                forbid(at, "a column outside of the catalogue", "目录之外的列", "/catalogue_required", "R22")
            }
            // A feature is refused once for each rule, however many of its fields break it.
            let used = feature.isCatalogued ? feature.fields : [feature.column]
            if let fields = purpose?.fields, let field = used.first(where: { !fields.contains($0) && !fields.contains(FieldPath($0)?.item ?? "") }) {
                forbid(at, "'\(shown(field))' for this purpose", "该用途使用“\(shown(field))”", place + "/fields", "R10")
            }
            if let field = used.first(where: { level(of: $0) > .encrypted }) {
                forbid(at, "'\(field)', of level 'local',", "级别为 local 的“\(field)”", "/levels", "R09")
            }
            if let minimumCell, feature.type == .category, feature.minimumCount < minimumCell {
                forbid(at, "a minimum_count below \(minimumCell)", "minimum_count 小于 \(minimumCell)", "/limits/minimum_cell", "R05")
            }
        }
        if let minimumIntersection, specification.population.minimumIntersection < minimumIntersection {
            forbid("/population/minimum_intersection", "less than \(minimumIntersection)", "小于 \(minimumIntersection)", "/limits/minimum_intersection", "R26")
        }
        if let maximumRounds, let rounds = training?.settings.maximumRounds, rounds > maximumRounds {
            forbid("/training/maximum_rounds", "more than \(maximumRounds)", "大于 \(maximumRounds)", "/limits/maximum_rounds", "R10")
        }
        return faults
    }

    /// A trade secret may be computed on encrypted; what concerns a person stays; all else may be told in sums.
    package func level(of path: String) -> Level {
        guard let (item, field, _) = Catalogue.current.resolve(path) else { return .encrypted }
        let own: Level = field.marks.contains(.personal) ? .local : field.marks.contains(.secret) ? .encrypted : .aggregate
        return max(own, max(levels[path] ?? .publishable, levels[item.id] ?? .publishable))
    }

    /// Tables whose values are too old for a feature's item; places are data sets.
    package func stale(_ features: [JobSpecification.Feature], in dataset: NodeConfiguration.Dataset, named data: String, asOf: Day) -> [Fault] {
        var faults: [Fault] = []
        for path in features.flatMap(\.fields) {
            guard let item = FieldPath(path)?.item, let days = freshness[path] ?? freshness[item] else { continue }
            let further = dataset.tables.first { $0.value.fields[path] != nil }
            let place = "datasets/\(data)" + (further.map { "/tables/\($0.key)" } ?? "")
            let drawn = further.map(\.value.drawn) ?? dataset.drawn
            if let drawn, drawn.advanced(days: days) >= asOf { continue }
            faults.append(Fault(.dataStale, at: place, path, drawn.map { "\($0)" } ?? "?", "\(days)", "\(asOf)"))
        }
        return faults
    }
}
