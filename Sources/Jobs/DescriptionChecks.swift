import Faults

extension JobSpecification {
    /// What does not fit the data sets as their owners have described them; places are JSON pointers into the
    /// specification. Sides that have published nothing are passed over.
    ///
    /// - Parameter publications: by party.
    package func check(against publications: [String: Publication]) -> [Fault] {
        var faults: [Fault] = []
        for side in [Contract.Role.bank, .platform] {
            let party = party(side)
            guard let publication = publications[party] else { continue }
            let name = dataset(side)
            guard let described = publication.datasets[name] else {
                let (en, zh) = suggestion(
                    for: name, among: publication.datasets.keys.sorted(), else: "its owner publishes it with: \(side.rawValue)-node data register \(name)",
                    "由该方公布：\(side.rawValue)-node data register \(name)")
                faults.append(Fault(.notDescribed, at: "/data/\(side.rawValue)", party, name, en, zh))
                continue
            }
            var check = ColumnCheck(party: party, dataset: name, described: described)
            check.column(identifier(side), at: "/population/\(side.rawValue)_id")
            if side == .bank, let label = training?.label { check.column(label.column, at: "/label/column") }
            let features = training?.features(side) ?? []
            for (index, feature) in features.enumerated() {
                let place = "/features/\(side.rawValue)/\(index)"
                guard feature.derive != nil else {
                    check.column(feature.column, at: place, as: feature.type)
                    continue
                }
                for field in feature.fields { check.column(field, at: place) }
            }
            faults += check.faults
        }
        return faults
    }

    /// The parties that a specification names, whatever else is wrong with it.
    package static func parties(of bytes: [UInt8]) -> Parties? {
        let parties = Findings.examine(bytes, kind: "specification", JobSpecification.init(reading:)).value?.parties
        return parties.flatMap { $0.bank.isEmpty && $0.platform.isEmpty ? nil : $0 }
    }

    /// As `parse`, but goes on: everything that is wrong with the document, with the contract's rules and with the data
    /// sets as described, at once. What a fault has left open is not judged a second time.
    package static func examine(_ bytes: [UInt8], contract: Contract?, publications: [String: Publication]) -> [Fault] {
        let (specification, found) = Findings.examine(bytes, kind: "specification", JobSpecification.init(reading:))
        guard let specification else { return found }
        let places = found.map(\.place)
        let further = (contract?.check(specification) ?? []) + specification.check(against: publications)
        return found + further.filter { fault in
            !places.contains { fault.place == $0 || fault.place.hasPrefix($0 + "/") || $0.hasPrefix(fault.place + "/") }
        }
    }
}

private struct ColumnCheck {
    let party: String
    let dataset: String
    let described: DataDescription
    private(set) var faults: [Fault] = []

    init(party: String, dataset: String, described: DataDescription) {
        self.party = party
        self.dataset = dataset
        self.described = described
    }

    mutating func column(_ name: String, at place: String, as type: JobSpecification.FeatureType? = nil) {
        guard let column = described[column: name] else {
            let (en, zh) = suggestion(
                for: name, among: described.columns.map(\.name), else: "list the columns with: jointlab data columns --node \(party)",
                "用 jointlab data columns --node \(party) 查看各列")
            return faults.append(Fault(.unknownColumn, at: place, party, dataset, shown(name), en, zh))
        }
        if let type, !column.type.serves(type) {
            faults.append(Fault(.columnTypeDiffers, at: place, shown(name), column.type.rawValue, type.rawValue))
        }
    }
}
