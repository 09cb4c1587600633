import Faults
import Features
import Foundation
import Jobs
import Planning
import Roles
import Scratch
import Tables
import Training
import Wire

/// What a party brings to a job from its own premises: the table, and for a scoring job its half of the model. Read and
/// checked before the party's node answers the offer, so that a missing column ends the job before it starts.
package struct OwnData: Sendable {
    /// Empty where a job needs no more than identifiers.
    package private(set) var table: Table
    package private(set) var identifiers: IdentifierList
    package let ingest: IngestReport
    package let features: [JobSpecification.Feature]
    /// Those that the job reads: declared, or of the model that scores.
    package let used: [JobSpecification.Feature]
    package let model: ModelHalf?
    /// Subjects of the data set that an alignment within an earlier one's leaves out.
    package var leftOut: Int { ingest.rowsKept - identifiers.count }

    /// - Parameters:
    ///   - dataset: as registered.
    ///   - model: contents of the party's half for a scoring job.
    ///   - within: contents of the list of an earlier alignment, for one within it.
    ///   - scratch: takes the identifiers where nothing else is read.
    ///   - call: fetches a called table for a job that uses these features.
    package static func open(
        _ dataset: NodeConfiguration.Dataset, specification: JobSpecification, role: Role, model: [UInt8]?, within: [UInt8]? = nil,
        scratch: any Scratch,
        call: ([JobSpecification.Feature], NodeConfiguration.Dataset.Call, [String]) throws(Fault) -> [UInt8] = OwnData.callsNothing
    ) throws(Fault) -> OwnData {
        let isBank = role == .bank
        let identifier = specification.identifier(role)
        let name = specification.dataset(role)
        if let alignment = specification.alignment {
            if dataset.isCatalogued, !isBank, identifier != dataset.identifier {
                throw Fault(.fieldNotRegistered, at: "/population/platform_id", identifier, name)
            }
            let (identifiers, ingest) = try IdentifierReading.read(
                DataSource(dataset), identifier: identifier, kind: IdentifierKind(specification.population.idType),
                within: within.map { DataSource(URL(fileURLWithPath: ResultFile.alignedName), .memory($0)) }, scratch)
            guard identifiers.count > 0 else { throw Fault(.noAlignedSubjects, at: "/within", alignment.within ?? "") }
            if dataset.defects == .refuse { try ingest.requireNoDefects() }
            return OwnData(table: .empty(file: ingest.file), identifiers: identifiers, ingest: ingest, features: [], used: [], model: nil)
        }
        var half: ModelHalf?
        let features: [JobSpecification.Feature]
        let used: [JobSpecification.Feature]
        if let training = specification.training {
            features = training.features(role)
            used = features
        } else {
            let job = specification.scoring?.model ?? ""
            guard let model, let decoded = ModelHalf.decoded(model), decoded.role == role.rawValue,
                  decoded.peer == specification.party(role.otherOwner) else {
                throw Fault(.unknownModel, at: "/model", job)
            }
            half = decoded
            features = []
            used = decoded.plan.features
        }
        let kind = IdentifierKind(specification.population.idType)
        let table: Table, ingest: IngestReport
        if dataset.isCatalogued, !isBank {
            (table, ingest) = try CataloguedTable(dataset, name: name, identifierKind: kind, asOf: specification.asOf)
                .read(used, identifier: identifier) { (program, subjects) throws(Fault) in try call(used, program, subjects) }
        } else {
            for (index, feature) in used.enumerated() where feature.isCatalogued {
                throw Fault(.fieldNotRegistered, at: "/features/\(role.rawValue)/\(index)", feature.fields.first ?? "", name)
            }
            var requests = PreparationPlan.requests(for: used)
            if isBank, let label = specification.training?.label { requests.append(Labels.request(for: label)) }
            (table, ingest) = try Table.read(from: DataSource(dataset), identifier: identifier, identifierKind: kind, columns: requests)
        }
        if dataset.defects == .refuse { try ingest.requireNoDefects() }
        let own = OwnData(
            table: table, identifiers: IdentifierList(table.identifiers), ingest: ingest, features: features, used: used, model: half)
        if isBank, let label = specification.training?.label {
            _ = try Labels.read(label, in: table, rows: Array(0..<table.rowCount))
        }
        return own
    }

    package static func callsNothing(
        _ used: [JobSpecification.Feature], _ program: NodeConfiguration.Dataset.Call, _ subjects: [String]
    ) throws(Fault) -> [UInt8] {
        try CataloguedTable.callsNothing(program, subjects)
    }

    /// Keeps these rows alone, in their order.
    package mutating func keep(_ rows: [Int]) {
        table = table.selecting(rows)
        identifiers = IdentifierList(table.identifiers)
    }
}

extension Design {
    /// The first `rows` rows of prepared columns.
    package init(_ prepared: PreparedColumns, rows: Int) {
        self.init(rows: rows, columns: prepared.columns.map {
            Column(fractionBits: $0.fractionBits, values: rows == $0.values.count ? $0.values : Array($0.values.prefix(rows)))
        })
    }
}
