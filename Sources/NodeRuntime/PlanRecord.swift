import Faults
import Jobs
import Planning
import Roles
import Wire

extension JobPlan {
    /// `plan.json`: what the plan said when the job was offered, what the same formulas give with the counts that the job
    /// turned out to have, and what it really took, for the report to draw.
    func record(beside results: [ResultFile], role: Role) -> ResultFile? {
        guard let bytes = results.first(where: { $0.name == "report.json" })?.bytes, let report = try? JSONValue.parse(bytes, as: "report.json")
        else { return nil }
        let aligned = report["rows"]?["aligned"]?.integer
        let rounds = report["rounds"]?.integer ?? 0
        // The other side's columns stay a guess: their number is in no report.
        let columns = report["coefficients"]?.list.count ?? 0
        var real: [String: JSONValue] = ["rounds": .integer(rounds)]
        real["aligned"] = aligned.map { .integer($0) }
        for key in ["seconds", "bytes"] { real[key] = report[key] ?? .null }
        let document = JSONValue.object([
            "version": .integer(1), "plan": json(.en), "real": .object(real),
            "with_real_counts": json(estimate(aligned: aligned ?? likely.counts.aligned, columns: columns == 0 ? [:] : [role: columns], rounds: rounds)),
        ])
        return ResultFile(name: "plan.json", bytes: Array(document.prettyText().utf8))
    }
}
