import Faults
import Installation
import Jobs
import Ledger
import Roles
import Wire

extension Operations {
    private static let mostBytes = 1 << 30

    /// Runs programs of the operator's for a job; written down before anybody is asked. What they give is nowhere kept.
    func calling(for job: JobIdentifier, _ purpose: String) -> RoleRequest.Call {
        { (program, subjects) throws(Fault) in
            try record(.dataCalled, job: job, purpose: purpose, object: program.words[0], count: subjects.count)
            let input = Array(subjects.map { $0 + "\n" }.joined().utf8)
            do throws(OperatorCommand.Failure) {
                return try OperatorCommand.output(of: program.words, input: input, mostBytes: Self.mostBytes, seconds: Double(program.seconds))
            } catch {
                throw Fault(.callFailed, at: program.words[0], error.phrase.en, error.phrase.zh)
            }
        }
    }
}
