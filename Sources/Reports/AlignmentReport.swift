import Faults
import Foundation
import Jobs
import Roles

/// `report.json` of a job that only aligns; the same at both parties, but for who they are and what the bank alone learns.
package struct AlignmentReport: Sendable, Codable {
    package struct Rows: Sendable, Codable {
        /// Declared sizes of both lists.
        package var bank: Int
        package var platform: Int
        /// Nothing where this party was not told.
        package var aligned: Int?

        package init(bank: Int, platform: Int, aligned: Int?) {
            self.bank = bank
            self.platform = platform
            self.aligned = aligned
        }
    }

    package var job: String
    package var name: String
    package var party: String
    package var finished: String?
    package var order: TrainingReport.Order?
    package var reveal: String
    /// An earlier job, outside of whose result no subject of the bank counted.
    package var within: String?
    package var rows: Rows
    package var seconds: TrainingReport.Seconds
    package var bytes: TrainingReport.Bytes

    package init(job: String, party: String, specification: JobSpecification, rows: Rows, run: RunMeasurements, bytes: TrainingReport.Bytes) {
        self.job = job
        name = specification.name
        self.party = party
        finished = run.finished?.formatted(.iso8601)
        order = TrainingReport.Order(specification)
        reveal = specification.alignment?.reveals.rawValue ?? ""
        within = specification.alignment?.within
        self.rows = rows
        seconds = TrainingReport.Seconds(run)
        self.bytes = bytes
    }

    /// The report, and the own aligned subjects where the job tells them: `aligned.csv`, in the order of the job.
    package func files(_ identifiers: IdentifierList?) throws(Fault) -> [ResultFile] {
        let list = identifiers.map { [ResultFile(name: ResultFile.alignedName, identifiers: $0)] } ?? []
        do {
            return list + [ResultFile(name: "report.json", bytes: try reportJSON())]
        } catch {
            throw Fault(.defect, at: "AlignmentReport")
        }
    }
}
