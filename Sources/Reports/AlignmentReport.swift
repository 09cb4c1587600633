import Faults
import Foundation
import Jobs
import Roles

/// `report.json` of a job that only aligns; the same at both parties, but for who they are.
package struct AlignmentReport: Sendable, Codable {
    package var job: String
    package var name: String
    package var party: String
    package var finished: String?
    package var order: TrainingReport.Order?
    package var reveal: String
    package var rows: TrainingReport.Rows
    package var seconds: TrainingReport.Seconds
    package var bytes: TrainingReport.Bytes

    package init(job: String, party: String, specification: JobSpecification, rows: TrainingReport.Rows, run: RunMeasurements,
                 bytes: TrainingReport.Bytes) {
        self.job = job
        name = specification.name
        self.party = party
        finished = run.finished?.formatted(.iso8601)
        order = TrainingReport.Order(specification)
        reveal = specification.alignment?.reveals.rawValue ?? ""
        self.rows = rows
        seconds = TrainingReport.Seconds(run)
        self.bytes = bytes
    }

    /// The report, and the own aligned subjects where the job tells them: `aligned.csv`, in the order of the job.
    package func files(_ identifiers: IdentifierList?) throws(Fault) -> [ResultFile] {
        let list = identifiers.map { [ResultFile(name: "aligned.csv", identifiers: $0)] } ?? []
        do {
            return list + [ResultFile(name: "report.json", bytes: try reportJSON())]
        } catch {
            throw Fault(.defect, at: "AlignmentReport")
        }
    }
}
