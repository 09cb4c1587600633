import Evaluation
import Foundation
import Roles

/// What a node writes at the end of a job, for its own eyes: `report.json`.
///
/// The bank's report has metrics, the platform's has none: it never sees a score. Names and units are those of
/// Protocols/specification.md, "Results".
package struct TrainingReport: Sendable, Encodable {
    package struct Rows: Sendable, Encodable {
        package var bank: Int
        package var platform: Int
        package var aligned: Int
        package var train: Int
        package var test: Int

        package init(bank: Int, platform: Int, aligned: Int, train: Int) {
            self.bank = bank
            self.platform = platform
            self.aligned = aligned
            self.train = train
            test = aligned - train
        }
    }

    package struct Seconds: Sendable, Encodable {
        package var align: Double
        package var train: Double
        package var score: Double
        package var total: Double

        package init(_ run: RunMeasurements) {
            func milliseconds(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
            align = milliseconds(run.secondsAligning)
            train = milliseconds(run.secondsTraining)
            score = milliseconds(run.secondsScoring)
            total = milliseconds(run.secondsTotal)
        }
    }

    package struct Bytes: Sendable, Encodable {
        package var bankToPlatform: UInt64
        package var platformToBank: UInt64

        package init(bankToPlatform: UInt64, platformToBank: UInt64) {
            self.bankToPlatform = bankToPlatform
            self.platformToBank = platformToBank
        }
    }

    package struct Expansion: Sendable, Encodable {
        package var degree: Int
        package var range: Double

        package init(degree: Int, range: Double) {
            self.degree = degree
            self.range = range
        }
    }

    package struct Coefficient: Sendable, Encodable {
        package var column: String
        /// Change of the log-odds of being bad for one unit of the prepared column.
        package var weight: Double

        package init(column: String, weight: Double) {
            self.column = column
            self.weight = weight
        }
    }

    package struct Dropped: Sendable, Encodable {
        package var column: String
        package var reason: String

        package init(column: String, reason: String) {
            self.column = column
            self.reason = reason
        }
    }

    package var job: String
    package var name: String
    package var party: String
    package var rows: Rows
    package var bankOnly: Parts?
    package var joint: Parts?
    package var uplift: Uplift?
    package var rounds: Int
    package var converged: Bool
    package var keyBits: Int
    package var seconds: Seconds
    package var bytes: Bytes
    package var expansion: Expansion
    package var lossPerRound: [Double]?
    package var coefficients: [Coefficient]
    package var dropped: [Dropped]

    package init(job: String, name: String, party: String, rows: Rows, bankOnly: Parts? = nil, joint: Parts? = nil,
                 uplift: Uplift? = nil, rounds: Int, converged: Bool, keyBits: Int, seconds: Seconds, bytes: Bytes,
                 expansion: Expansion, lossPerRound: [Double]? = nil, coefficients: [Coefficient], dropped: [Dropped]) {
        self.job = job
        self.name = name
        self.party = party
        self.rows = rows
        self.bankOnly = bankOnly
        self.joint = joint
        self.uplift = uplift
        self.rounds = rounds
        self.converged = converged
        self.keyBits = keyBits
        self.seconds = seconds
        self.bytes = bytes
        self.expansion = expansion
        self.lossPerRound = lossPerRound
        self.coefficients = coefficients
        self.dropped = dropped
    }
}

extension TrainingReport {
    /// One model on the training part and on the test part; a part without rows, or with one class only, is written as
    /// null.
    package struct Parts: Sendable, Encodable {
        package var train: Part?
        package var test: Part?

        package init(train: Part?, test: Part?) {
            self.train = train
            self.test = test
        }

        private enum CodingKeys: String, CodingKey { case train, test }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(train, forKey: .train)
            try container.encode(test, forKey: .test)
        }
    }

    package struct Part: Sendable, Encodable {
        package var auc: Double
        package var gini: Double
        package var ks: Double
        package var logLoss: Double
        package var brier: Double
        package var meanPredicted: Double
        package var badRate: Double
        package var predictedToActual: Double
        package var aucInterval: Interval
        package var ksInterval: Interval
        package var lift: [LiftPoint]
        package var calibration: [CalibrationBin]

        /// Bins of the report hold at least this many rows, so that none describes single subjects.
        package static let minimumCell = 20

        /// `nil` where nothing can be measured: no rows, or one class only.
        package init?(probabilities: [Double], bad: [Bool], seed: UInt64) {
            guard let scores = try? LabelledScores(probabilities: probabilities, labels: bad) else { return nil }
            let measures = scores.measures
            let intervals = Bootstrap(seed: seed).intervals(scores)
            auc = measures.areaUnderCurve
            gini = measures.gini
            ks = measures.kolmogorovSmirnov.value
            logLoss = measures.logLoss
            brier = measures.brierScore
            meanPredicted = measures.meanPredicted
            badRate = measures.badRate
            predictedToActual = measures.predictedToActual
            aucInterval = intervals.areaUnderCurve
            ksInterval = intervals.kolmogorovSmirnov
            lift = scores.lift(minimumCell: Part.minimumCell)
            calibration = scores.calibration(minimumCell: Part.minimumCell)
        }
    }

    package struct Uplift: Sendable, Encodable {
        package var auc: Interval
        package var ks: Interval

        /// Joint minus bank-only on the same resamples; `nil` as for `Part`.
        package init?(joint: [Double], bankOnly: [Double], bad: [Bool], seed: UInt64) {
            guard let uplift = try? Bootstrap(seed: seed).uplift(joint: joint, baseline: bankOnly, labels: bad) else { return nil }
            auc = uplift.difference.areaUnderCurve
            ks = uplift.difference.kolmogorovSmirnov
        }
    }
}

/// `report.json` of a scoring job.
package struct ScoringReport: Sendable, Encodable {
    package var job: String
    package var name: String
    package var party: String
    package var model: String
    package var rows: TrainingReport.Rows
    package var seconds: TrainingReport.Seconds
    package var bytes: TrainingReport.Bytes

    package init(job: String, name: String, party: String, model: String, rows: TrainingReport.Rows,
                 seconds: TrainingReport.Seconds, bytes: TrainingReport.Bytes) {
        self.job = job
        self.name = name
        self.party = party
        self.model = model
        self.rows = rows
        self.seconds = seconds
        self.bytes = bytes
    }
}

extension Encodable {
    /// JSON for people and programs: sorted keys in snake case, indented, one line break at the end.
    package func reportJSON() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [0x0a]
    }
}
