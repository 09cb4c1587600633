import Faults
import Foundation
import Jobs
import Planning

/// What a completed training of this node took, for the plan of the next one like it.
struct EarlierJob: Sendable {
    let rounds: Int
    let aligned: Int
}

extension JobFiles {
    /// The latest jobs of the same name between the same parties, latest first. Looks at the newest results alone.
    func earlierJobs(like specification: JobSpecification) -> [EarlierJob] {
        guard specification.training != nil else { return [] }
        let folder = directory.appendingPathComponent("jobs").path
        // Foundation's attributes cost twenty times as much, and a node of years has many results.
        func made(_ job: String) -> (seconds: Int, nanoseconds: Int) {
            var status = stat()
            return lstat("\(folder)/\(job)", &status) == 0 ? (status.st_mtim.tv_sec, status.st_mtim.tv_nsec) : (0, 0)
        }
        let jobs = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { ($0, made($0)) }.sorted { $0.1 > $1.1 }
        let found = jobs.prefix(50).lazy.compactMap { job, _ -> EarlierJob? in
            guard let report = report(job), report["name"]?.string == specification.name,
                  report["order"]?["bank"]?.string == specification.parties.bank,
                  report["order"]?["platform"]?.string == specification.parties.platform,
                  let rounds = report["rounds"]?.integer, rounds > 0, let aligned = report["rows"]?["aligned"]?.integer, aligned > 0
            else { return nil }
            return EarlierJob(rounds: rounds, aligned: aligned)
        }
        return Array(found.prefix(RoundForecast.mostEarlier))
    }
}
