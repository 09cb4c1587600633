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
        let parties = Findings.examine(bytes, kind: kindName, JobSpecification.init(reading:)).value?.parties
        return parties.flatMap { $0.bank.isEmpty && $0.platform.isEmpty ? nil : $0 }
    }

    /// As `parse`, but goes on: everything that is wrong with the document, with the contract's rules and with the data
    /// sets as described, at once. What a fault has left open is not judged a second time.
    package static func examine(_ bytes: [UInt8], contract: Contract?, publications: [String: Publication]) -> [Fault] {
        var (specification, found) = Findings.examine(bytes, kind: kindName, JobSpecification.init(reading:))
        // Of a document of so many faults the rest has not been read.
        guard let specification, found.count < Findings.limit else { return found }
        if found.isEmpty, let fault = specification.lengthFault { found.append(fault) }
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
    /// In the order of the table, and by name: a document may ask for tens of thousands.
    private let names: [String]
    private let types: [String: DataDescription.ColumnType]
    private(set) var faults: [Fault] = []

    init(party: String, dataset: String, described: DataDescription) {
        self.party = party
        self.dataset = dataset
        names = described.columns.map(\.name)
        types = Dictionary(described.columns.map { ($0.name, $0.type) }) { first, _ in first }
    }

    mutating func column(_ name: String, at place: String, as type: JobSpecification.FeatureType? = nil) {
        guard faults.count < Findings.limit else { return }
        guard let found = types[name] else {
            let (en, zh) = suggestion(
                for: name, among: faults.count < CatalogueRules.mostSuggestions ? names : [], else: "list the columns with: jointlab data columns --node \(party)",
                "用 jointlab data columns --node \(party) 查看各列")
            return faults.append(Fault(.unknownColumn, at: place, party, dataset, shown(name), en, zh))
        }
        if let type, !found.serves(type) {
            faults.append(Fault(.columnTypeDiffers, at: place, shown(name), found.rawValue, type.rawValue))
        }
    }
}
