import Faults
import Features
import Jobs
import Tables
import Training
import Wire

/// What a party brings to a job from its own premises: the table, and for a scoring job its half of the model. Read and
/// checked before the party's node answers the offer, so that a missing column ends the job before it starts.
package struct OwnData: Sendable {
    package let table: Table
    package let ingest: IngestReport
    package let features: [JobSpecification.Feature]
    package let model: ModelHalf?

    /// - Parameters:
    ///   - dataset: as registered.
    ///   - model: contents of the party's half for a scoring job.
    package static func open(
        _ dataset: NodeConfiguration.Dataset, specification: JobSpecification, role: Role, model: [UInt8]?
    ) throws(Fault) -> OwnData {
        let isBank = role == .bank
        let identifier = isBank ? specification.population.bankId : specification.population.platformId
        var half: ModelHalf?
        var requests: [ColumnRequest]
        let features: [JobSpecification.Feature]
        if let training = specification.training {
            features = isBank ? training.features.bank : training.features.platform
            requests = PreparationPlan.requests(for: features)
            if isBank { requests.append(Labels.request(for: training.label)) }
        } else {
            let job = specification.scoring?.model ?? ""
            guard let model, let decoded = ModelHalf.decoded(model), decoded.role == role.rawValue,
                  decoded.peer == (isBank ? specification.parties.platform : specification.parties.bank) else {
                throw Fault(.unknownModel, at: "/model", job)
            }
            half = decoded
            features = []
            requests = decoded.plan.requests
        }
        let (table, ingest) = try Table.read(
            from: DataSource(dataset), identifier: identifier, identifierKind: IdentifierKind(specification.population.idType),
            columns: requests)
        if dataset.defects == .refuse { try ingest.requireNoDefects() }
        let own = OwnData(table: table, ingest: ingest, features: features, model: half)
        if isBank, let label = specification.training?.label {
            _ = try Labels.read(label, in: table, rows: Array(0..<table.rowCount))
        }
        return own
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
