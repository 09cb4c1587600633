import Evaluation
import Foundation
import Jobs
import Roles
import Wire

/// What a node writes at the end of a job, for its own eyes: `report.json`, and `report.html` from it.
///
/// The bank's report has metrics, the platform's has none: it never sees a score. Names and units are those of
/// Protocols/specification.md, "Results". What is optional and not named there as the bank's was not written by earlier
/// versions.
package struct TrainingReport: Sendable, Codable {
    package struct Rows: Sendable, Codable {
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

    package struct Seconds: Sendable, Codable {
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

    /// Frames of one direction and of the other.
    package struct Flows: Sendable, Codable, Hashable {
        package var bankToPlatform: UInt64
        package var platformToBank: UInt64
    }

    package struct Bytes: Sendable, Codable {
        /// By what the frames belong to, grouped as the seconds are.
        package struct Phases: Sendable, Codable, Hashable {
            package var align: Flows
            package var train: Flows
            package var score: Flows
        }

        package var bankToPlatform: UInt64
        package var platformToBank: UInt64
        package var phases: Phases?

        package init(_ run: RunMeasurements, atBank: Bool) {
            func flows(_ phases: Phase...) -> Flows {
                let sent = phases.reduce(0) { $0 + (run.bytesByPhase[$1]?.sent ?? 0) }
                let received = phases.reduce(0) { $0 + (run.bytesByPhase[$1]?.received ?? 0) }
                return Flows(bankToPlatform: atBank ? sent : received, platformToBank: atBank ? received : sent)
            }
            bankToPlatform = atBank ? run.bytesSent : run.bytesReceived
            platformToBank = atBank ? run.bytesReceived : run.bytesSent
            phases = run.bytesByPhase.isEmpty ? nil : Phases(
                align: flows(.opening, .alignment), train: flows(.preparation, .training), score: flows(.scoring, .closing))
        }
    }

    /// What the job was asked for.
    package struct Order: Sendable, Codable {
        package var bank: String
        package var platform: String
        package var purposeCode: String
        package var purpose: String
        /// Training jobs only: share of the common rows that train, penalty, most rounds.
        package var splitShare: Double?
        package var l2: Double?
        package var maximumRounds: Int?

        package init(_ specification: JobSpecification) {
            bank = specification.parties.bank
            platform = specification.parties.platform
            purposeCode = specification.purpose.code
            purpose = specification.purpose.statement
            splitShare = specification.training?.split.share
            l2 = specification.training?.settings.l2
            maximumRounds = specification.training?.settings.maximumRounds
        }
    }

    /// Public counts that tell what the other side has learned.
    package struct Disclosed: Sendable, Codable {
        /// Columns that each side trained on, the bank's intercept included; training jobs only.
        package var bankColumns: Int?
        package var platformColumns: Int?
        /// What the other party could have had of this one's residuals had it cheated, in percent of the training rows:
        /// `JobLimits.exposurePercent` of the rounds that were run.
        package var exposurePercent: Double?
        /// The platform's part of a score reaches the bank in steps of 2^-this.
        package var scoreResolutionBits: Int

        package init(bankColumns: Int? = nil, platformColumns: Int? = nil, exposurePercent: Double? = nil, scoreResolutionBits: Int) {
            self.bankColumns = bankColumns
            self.platformColumns = platformColumns
            self.exposurePercent = exposurePercent
            self.scoreResolutionBits = scoreResolutionBits
        }
    }

    package struct Expansion: Sendable, Codable {
        package var degree: Int
        package var range: Double

        package init(degree: Int, range: Double) {
            self.degree = degree
            self.range = range
        }
    }

    package struct Coefficient: Sendable, Codable {
        package var column: String
        /// Change of the log-odds of being bad for one unit of the prepared column.
        package var weight: Double

        package init(column: String, weight: Double) {
            self.column = column
            self.weight = weight
        }
    }

    package struct Dropped: Sendable, Codable {
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
    /// UTC, ISO 8601.
    package var finished: String?
    package var order: Order?
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
    package var disclosed: Disclosed?

    package init(job: String, party: String, specification: JobSpecification, rows: Rows, bankOnly: Parts? = nil, joint: Parts? = nil,
                 uplift: Uplift? = nil, rounds: Int, converged: Bool, keyBits: Int, run: RunMeasurements, bytes: Bytes,
                 expansion: Expansion, lossPerRound: [Double]? = nil, coefficients: [Coefficient], dropped: [Dropped], disclosed: Disclosed) {
        self.job = job
        name = specification.name
        self.party = party
        finished = run.finished?.formatted(.iso8601)
        order = Order(specification)
        self.rows = rows
        self.bankOnly = bankOnly
        self.joint = joint
        self.uplift = uplift
        self.rounds = rounds
        self.converged = converged
        self.keyBits = keyBits
        seconds = Seconds(run)
        self.bytes = bytes
        self.expansion = expansion
        self.lossPerRound = lossPerRound
        self.coefficients = coefficients
        self.dropped = dropped
        self.disclosed = disclosed
    }
}

extension TrainingReport {
    /// One model on the training part and on the test part; a part without rows, or with one class only, is written as
    /// null.
    package struct Parts: Sendable, Codable {
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

    package struct Part: Sendable, Codable {
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
        package var curve: [CurvePoint]?
        package var distribution: [HistogramBin]?

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
            curve = scores.curve(points: 50, minimumCell: Part.minimumCell)
            distribution = scores.histogram(minimumCell: Part.minimumCell)
        }
    }

    package struct Uplift: Sendable, Codable {
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
package struct ScoringReport: Sendable, Codable {
    package var job: String
    package var name: String
    package var party: String
    package var finished: String?
    package var order: TrainingReport.Order?
    package var model: String
    package var rows: TrainingReport.Rows
    package var seconds: TrainingReport.Seconds
    package var bytes: TrainingReport.Bytes
    package var disclosed: TrainingReport.Disclosed?
    /// The bank's: how many rows lie between two scores, in cells of 20 rows at least.
    package var distribution: [ScoreBin]?

    package init(job: String, party: String, specification: JobSpecification, rows: TrainingReport.Rows, run: RunMeasurements,
                 bytes: TrainingReport.Bytes, disclosed: TrainingReport.Disclosed, distribution: [ScoreBin]? = nil) {
        self.job = job
        name = specification.name
        self.party = party
        finished = run.finished?.formatted(.iso8601)
        order = TrainingReport.Order(specification)
        model = specification.scoring?.model ?? ""
        self.rows = rows
        seconds = TrainingReport.Seconds(run)
        self.bytes = bytes
        self.disclosed = disclosed
        self.distribution = distribution
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
