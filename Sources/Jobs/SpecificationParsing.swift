import Faults

extension JobSpecification {
    /// Reads a specification as `Protocols/specification.md` defines it, with every default filled in.
    ///
    /// - Throws: all faults of the document; places are JSON pointers, or "specification" for the whole.
    package static func parse(_ bytes: [UInt8]) throws(FaultList) -> JobSpecification {
        let specification = try Findings.document(bytes, kind: kindName, JobSpecification.init(reading:))
        if let fault = specification.lengthFault { throw FaultList(faults: [fault]) }
        return specification
    }

    static let kindName = "specification"

    /// Of the canonical form, in bytes: an offer holds it in one frame, with the name of whoever submitted it.
    package static let maximumCanonicalBytes = JSONValue.maximumSizeBytes - 128

    /// Defaults that are written out may make a document longer than it came.
    var lengthFault: Fault? {
        guard canonicalJSON().utf8.count > Self.maximumCanonicalBytes else { return nil }
        let most = Self.maximumCanonicalBytes
        return Fault(.wrongType, at: Self.kindName, "at most \(most) bytes in canonical form, with every default written",
                     "规范形式（补全全部默认值后）至多 \(most) 字节")
    }

    init(reading reader: inout ObjectReader) {
        _ = reader.optional("$schema", .text(1...1000))
        let version = reader.required("version", .integer(Self.currentVersion...Self.currentVersion))
        let kind = reader.optional("kind", .choice(Kind.train), default: .train)
        let name = reader.required("name", .name)
        let purpose = reader.object("purpose") { reader in
            Purpose(
                code: reader.required("code", .name), statement: reader.required("statement", .text(1...500)),
                product: reader.optional("product", .text(1...100)), stage: reader.optional("stage", .choice(Stage.preLoan)))
        }
        let validUntil = reader.optional("valid_until", .day)
        let asOf = reader.optional("as_of", .day)
        let parties = reader.object("parties") { reader in
            Parties(bank: reader.required("bank", .name), platform: reader.required("platform", .name))
        }
        let data = reader.object("data", isOptional: true) { reader in
            DataNames(
                bank: reader.optional("bank", .name, default: DataNames.main),
                platform: reader.optional("platform", .name, default: DataNames.main))
        }
        let population = reader.object("population", Population.init(reading:))
        switch kind {
        case .train:
            reader.refuse("model", "'model' belongs to specifications of kind 'score'", "“model”仅用于 kind 为 score 的任务")
            for key in ["reveal", "within"] {
                reader.refuse(key, "'\(key)' belongs to specifications of kind 'align'", "“\(key)”仅用于 kind 为 align 的任务")
            }
            let training = TrainingPart(reading: &reader, population: population)
            if asOf == nil, training.features.platform.contains(where: { $0.derive?.operation.needsObservationDate == true }) {
                reader.findings.add(Fault(.missingKey, at: reader.place(of: "as_of"), "as_of"))
            }
            self.init(
                version: version, kind: kind, name: name, purpose: purpose, parties: parties, data: data, validUntil: validUntil, asOf: asOf,
                population: population, training: training, scoring: nil, alignment: nil)
        case .score:
            for key in ["label", "features", "split", "training"] {
                reader.refuse(key, "'\(key)' belongs to specifications of kind 'train'", "“\(key)”仅用于 kind 为 train 的任务")
            }
            for key in ["reveal", "within"] {
                reader.refuse(key, "'\(key)' belongs to specifications of kind 'align'", "“\(key)”仅用于 kind 为 align 的任务")
            }
            let scoring = ScoringPart(model: reader.required("model", .hexadecimal(digits: 32)))
            self.init(
                version: version, kind: kind, name: name, purpose: purpose, parties: parties, data: data, validUntil: validUntil, asOf: asOf,
                population: population, training: nil, scoring: scoring, alignment: nil)
        case .align:
            for key in ["label", "features", "split", "training"] {
                reader.refuse(key, "'\(key)' belongs to specifications of kind 'train'", "“\(key)”仅用于 kind 为 train 的任务")
            }
            reader.refuse("model", "'model' belongs to specifications of kind 'score'", "“model”仅用于 kind 为 score 的任务")
            let alignment = AlignmentPart(
                reveals: reader.optional("reveal", .choice(AlignmentPart.Reveals.subjects), default: .subjects),
                within: reader.optional("within", .hexadecimal(digits: 32)))
            self.init(
                version: version, kind: kind, name: name, purpose: purpose, parties: parties, data: data, validUntil: validUntil, asOf: asOf,
                population: population, training: nil, scoring: nil, alignment: alignment)
        }
    }
}

extension JobSpecification.Population {
    fileprivate init(reading reader: inout ObjectReader) {
        idType = reader.required("id_type", .choice(JobSpecification.IdentifierType.uscc))
        bankId = reader.required("bank_id", .column)
        platformId = reader.required("platform_id", .column)
        minimumIntersection = reader.optional(
            "minimum_intersection", .integer(Self.minimumIntersectionRange), default: Self.defaultMinimumIntersection)
        expectedCommon = reader.optional("expected_common", .integer(1...Self.minimumIntersectionRange.upperBound))
    }
}

extension JobSpecification.TrainingPart {
    fileprivate init(reading reader: inout ObjectReader, population: JobSpecification.Population) {
        label = reader.object("label") { reader in
            var label = JobSpecification.Label(column: reader.required("column", .column))
            label.bad = reader.optional("bad", .text(1...64), default: label.bad)
            label.good = reader.optional("good", .text(1...64), default: label.good)
            if label.bad == label.good, !label.bad.isEmpty {
                reader.findings.add(Fault(.duplicateName, at: reader.place(of: "good"), shown(label.good)))
            }
            if label.column == population.bankId, !label.column.isEmpty {
                reader.findings.add(Fault(.duplicateName, at: reader.place(of: "column"), shown(label.column)))
            }
            return label
        }
        // Neither the identifier nor the label can be a feature.
        let takenAtBank = [population.bankId, label.column]
        features = reader.object("features") { reader in
            JobSpecification.Features(
                bank: reader.features("bank", taken: takenAtBank) { feature, place, _ in
                    feature.derive == nil ? [] : [Fault(.unknownKey, at: place + "/derive", "derive", "only the platform's features are derived", "仅平台特征可衍生")]
                },
                platform: reader.features("platform", taken: [population.platformId]) { feature, place, isSuggesting in
                    feature.isCatalogued ? CatalogueRules.check(feature, at: place, suggesting: isSuggesting) : []
                })
        }
        split = reader.object("split", isOptional: true) { reader in
            let standard = JobSpecification.Split()
            return JobSpecification.Split(
                share: reader.optional("share", .number(0.1...1), default: standard.share),
                // Whole numbers up to here are exact in every JSON reader (RFC 7493, section 2.2).
                seed: UInt64(reader.optional("seed", .integer(0...(1 << 53 - 1)), default: Int(standard.seed))))
        }
        settings = reader.object("training", isOptional: true) { reader in
            let standard = JobSpecification.TrainingSettings()
            return JobSpecification.TrainingSettings(
                keyBits: reader.optional("key_bits", .integer(512...4096, multipleOf: 256), default: standard.keyBits),
                l2: reader.optional("l2", .number(1e-8...10), default: standard.l2),
                degree: reader.optional("degree", .integer(2...8), default: standard.degree),
                range: reader.optional("range", .number(1...8), default: standard.range),
                maximumRounds: reader.optional("maximum_rounds", .integer(1...200), default: standard.maximumRounds),
                tolerance: reader.optional("tolerance", .number(1e-4...0.1), default: standard.tolerance),
                history: reader.optional("history", .integer(1...12), default: standard.history))
        }
    }
}

extension ObjectReader {
    /// One party's features; a feature may be written as its column name alone.
    fileprivate mutating func features(
        _ key: String, taken: [String], check: (JobSpecification.Feature, String, Bool) -> [Fault]
    ) -> [JobSpecification.Feature] {
        var seen = Set(taken)
        return list(key, count: 1...JobSpecification.Features.maximumCount) { node, findings in
            let feature: JobSpecification.Feature
            let place: String
            if case .text = node.value {
                place = node.place
                feature = JobSpecification.Feature(column: findings.value(node, .column))
            } else {
                place = node.child("column", .null).place
                feature = findings.object(node, JobSpecification.Feature.init(reading:))
            }
            if !feature.column.isEmpty, !seen.insert(feature.column).inserted {
                findings.add(Fault(.duplicateName, at: place, shown(feature.column)))
            }
            if !feature.column.isEmpty, !findings.isFull {
                let isSuggesting = findings.faults.count < CatalogueRules.mostSuggestions
                for fault in check(feature, node.place, isSuggesting) { findings.add(fault) }
            }
            return feature
        }
    }
}

extension JobSpecification.Feature {
    fileprivate init(reading reader: inout ObjectReader) {
        let column = reader.required("column", .column)
        let type = reader.optional("type", .choice(JobSpecification.FeatureType.number), default: .number)
        let missing = reader.optional("missing", .choice(JobSpecification.MissingPolicy.indicator), default: .indicator)
        self.init(column: column, type: type, missing: missing)
        derive = reader.optionalObject("derive", JobSpecification.Derivation.init(reading:))
        if type == .number {
            cap = reader.optional("cap", .bounds(magnitude: 1e15))
            log1p = reader.optional("log1p", .flag, default: log1p)
            clip = reader.optional("clip", .number(1...16), default: Self.defaultClip)
        } else {
            for key in ["cap", "log1p", "clip"] {
                reader.refuse(key, "'\(key)' belongs to features of type 'number'", "“\(key)”仅用于 type 为 number 的特征")
            }
        }
        if type == .category {
            minimumCount = reader.optional("minimum_count", .integer(50...1_000_000), default: minimumCount)
        } else {
            reader.refuse(
                "minimum_count", "'minimum_count' belongs to features of type 'category'",
                "“minimum_count”仅用于 type 为 category 的特征")
        }
    }
}

extension Form where Value == String {
    /// A column as the header of the table writes it.
    static var column: Form { .text(1...128) }
}
