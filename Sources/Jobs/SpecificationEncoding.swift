extension JobSpecification {
    /// The specification with every default written, as RFC 8785 text; the digest of a specification is the SHA-256 of
    /// its UTF-8 bytes. `parse` reads it back to an equal value.
    package func canonicalJSON() -> String { json.canonicalText() }

    private var json: JSONValue {
        var members: [String: JSONValue] = [
            "version": .integer(version),
            "kind": .text(kind.rawValue),
            "name": .text(name),
            "purpose": .object(purpose.members),
            "parties": .object(["bank": .text(parties.bank), "platform": .text(parties.platform)]),
            "data": .object(["bank": .text(data.bank), "platform": .text(data.platform)]),
        ]
        var people: [String: JSONValue] = [
            "id_type": .text(population.idType.rawValue),
            "bank_id": .text(population.bankId),
            "platform_id": .text(population.platformId),
            "minimum_intersection": .integer(population.minimumIntersection),
        ]
        if let expected = population.expectedCommon { people["expected_common"] = .integer(expected) }
        members["population"] = .object(people)
        if let validUntil { members["valid_until"] = .text("\(validUntil)") }
        if let asOf { members["as_of"] = .text("\(asOf)") }
        if let training {
            members["label"] = .object([
                "column": .text(training.label.column),
                "bad": .text(training.label.bad),
                "good": .text(training.label.good),
            ])
            members["features"] = .object([
                "bank": .array(training.features.bank.map(\.json)),
                "platform": .array(training.features.platform.map(\.json)),
            ])
            members["split"] = .object(["share": .real(training.split.share), "seed": .integer(training.split.seed)])
            members["training"] = .object([
                "key_bits": .integer(training.settings.keyBits),
                "l2": .real(training.settings.l2),
                "degree": .integer(training.settings.degree),
                "range": .real(training.settings.range),
                "maximum_rounds": .integer(training.settings.maximumRounds),
                "tolerance": .real(training.settings.tolerance),
                "history": .integer(training.settings.history),
            ])
        }
        if let scoring { members["model"] = .text(scoring.model) }
        if let alignment {
            members["reveal"] = .text(alignment.reveals.rawValue)
            if let within = alignment.within { members["within"] = .text(within) }
        }
        return .object(members)
    }
}

extension JobSpecification.Purpose {
    fileprivate var members: [String: JSONValue] {
        var members: [String: JSONValue] = ["code": .text(code), "statement": .text(statement)]
        if let product { members["product"] = .text(product) }
        if let stage { members["stage"] = .text(stage.rawValue) }
        return members
    }
}

extension JobSpecification.Feature {
    /// Only the keys that a feature of this type can have.
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "column": .text(column), "type": .text(type.rawValue), "missing": .text(missing.rawValue),
        ]
        if let derive { members["derive"] = derive.json }
        switch type {
        case .number:
            members["log1p"] = .bool(log1p)
            if let cap { members["cap"] = .array(cap.map(JSONValue.real)) }
            if let clip { members["clip"] = .real(clip) }
        case .category: members["minimum_count"] = .integer(minimumCount)
        case .flag: break
        }
        return .object(members)
    }
}
