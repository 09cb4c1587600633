import Faults
import Foundation
import Jobs
import Reports
import Roles
import Testing
import Wire

/// Reports of a job that was never run: the bank's with measures of scores that were drawn, the platform's with none.
struct SampleReport {
    var role = Role.bank
    var train = 1400
    var test = 600
    var rounds = 7
    var columns = ["turnover", "tenure", "grade=B"]
    var losses: [Double]?

    static let specification = Result {
        try JobSpecification.parse(Array("""
            { "version": 1, "name": "sample", "purpose": { "code": "credit_assessment", "statement": "A try." },
              "parties": { "bank": "north", "platform": "south" },
              "population": { "id_type": "text", "bank_id": "firm", "platform_id": "firm" },
              "label": { "column": "outcome" }, "features": { "bank": ["turnover"], "platform": ["tax"] } }
            """.utf8))
    }

    func report() throws -> TrainingReport {
        var run = RunMeasurements()
        (run.secondsAligning, run.secondsTraining, run.secondsScoring, run.secondsTotal) = (4.25, 61.5, 2, 67.75)
        (run.bytesSent, run.bytesReceived) = (70_000_300, 60_000_200)
        run.bytesByPhase = [.alignment: (300, 200), .training: (69_000_000, 59_000_000), .scoring: (1_000_000, 1_000_000)]
        run.finished = Date(timeIntervalSince1970: 1_790_000_000)
        let isBank = role == .bank
        let names = (isBank ? ["intercept"] : []) + columns
        var parts: [TrainingReport.Parts] = []
        var uplift: TrainingReport.Uplift?
        if isBank {
            var random = Draws()
            let truth = (0..<train + test).map { _ in random.normal() - 1.5 }
            let bad = truth.map { random.share() < 1 / (1 + exp(-$0)) }
            let models = [1.6, 0.4].map { noise in truth.map { 1 / (1 + exp(-0.8 * ($0 + noise * random.normal()))) } }
            parts = models.map { model in
                .init(train: .init(probabilities: Array(model[..<train]), bad: Array(bad[..<train]), seed: 1),
                      test: .init(probabilities: Array(model[train...]), bad: Array(bad[train...]), seed: 1))
            }
            uplift = .init(joint: Array(models[1][train...]), bankOnly: Array(models[0][train...]), bad: Array(bad[train...]), seed: 1)
        }
        let (alone, joint) = isBank ? (parts[0], parts[1]) : (nil, nil)
        return TrainingReport(
            job: "00112233445566778899aabbccddeeff", party: isBank ? "north" : "south", specification: try Self.specification.get(),
            rows: .init(bank: 3001, platform: 5002, aligned: train + test, train: train), bankOnly: alone, joint: joint, uplift: uplift,
            rounds: rounds, converged: true, keyBits: 2048, run: run, bytes: .init(run, atBank: isBank), expansion: .init(degree: 4, range: 4),
            lossPerRound: isBank ? losses ?? (0..<rounds).map { 0.4 + 0.1 / Double($0 + 1) } : nil,
            coefficients: names.enumerated().map { .init(column: $1, weight: Double($0 % 17) / 10 - 0.75) },
            dropped: [.init(column: "staff", reason: "constant")],
            disclosed: .init(bankColumns: 4, platformColumns: 11, exposurePercent: 3.21, scoreResolutionBits: 12))
    }

    static let plan = Array("""
        { "version": 1, "plan": { "likely": { "aligned": 2100, "rounds": 9, "bytes": { "bank_to_platform": 72000000, "platform_to_bank": 61000000 },
            "seconds": { "align": 5, "train": 70, "score": 2.5, "total": 77.5 } }, "most": { "aligned": 3001, "rounds": 40 } },
          "with_real_counts": { "aligned": 2000, "rounds": 7, "bytes": { "bank_to_platform": 70000300, "platform_to_bank": 60000200 },
            "seconds": { "align": 4, "train": 60, "score": 2, "total": 66 } }, "real": {} }
        """.utf8)

    func page(_ language: Language = .en, plan: [UInt8]? = nil) throws -> [UInt8] {
        try #require(ReportPage(report: try report().reportJSON(), plan: plan, role: role)).bytes(language)
    }
}

/// SplitMix64.
struct Draws {
    private var state: UInt64 = 7

    mutating func share() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ z >> 31) >> 11) * 0x1p-53
    }

    /// Nearly: the sum of twelve.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + share() } }
}
