import Authorisation
import Exchange
import Faults
import Features
import Jobs
import Reports
import Roles
import Tables
import Training
import Wire

/// The platform: it brings features, and neither sees a label, a score, a loss nor a metric.
package struct PlatformSide: PartySide {
    private let context: JobContext
    private let data: OwnData
    private let entry: Entry?

    /// Who of the data set entered, and who did not.
    package struct Entry: Sendable {
        let admission: Admission
        let excluded: [String]
    }

    private var plan: PreparationPlan?
    private var prepared: PreparedColumns?
    private var design = Design(rows: 0, columns: [])

    package init(context: JobContext, data: OwnData, admission: Entry? = nil) {
        self.context = context
        self.data = data
        entry = admission
    }

    package var admitted: Admitted? {
        entry.map { Admitted(root: $0.admission.root, lines: $0.admission.size, day: $0.admission.day, excluded: $0.excluded) }
    }

    package var identifiers: IdentifierList { data.identifiers }
    package var curvatureExponent: Int? { nil }
    package func check(peerColumns: Int) throws(Fault) {}

    package mutating func prepare(_ aligned: Alignment.Aligned, trainingRows: Int) throws(Fault) -> Design {
        let plan = try PreparationPlan.fit(
            features: data.features, table: data.table, trainingRows: Array(aligned.rows.prefix(trainingRows)),
            fractionBits: JobContext.columnBits)
        let prepared = try plan.apply(to: data.table, rows: aligned.rows)
        guard !prepared.columns.isEmpty else { throw Fault(.noUsableColumns, at: context.specification.parties.platform) }
        design = Design(prepared, rows: trainingRows)
        self.plan = plan
        self.prepared = prepared
        return design
    }

    package func start(curvatureExponent: Int) -> (weights: [Double], ridge: [Double], preconditioner: Preconditioner) {
        let l2 = context.specification.training?.settings.l2 ?? 0
        let ridge = [Double](repeating: l2, count: design.columns.count)
        var curvature = 1.0
        for _ in 0..<(-curvatureExponent) { curvature /= 2 }
        let weights = [Double](repeating: curvature, count: design.rows)
        return ([Double](repeating: 0, count: design.columns.count), ridge,
                Preconditioner(curvature: design.curvature(weights: weights, ridge: ridge)))
    }

    /// T_j for the bank, and T_j + 1 as own exponents; j = 0 undoes the bank's shift of its coefficients by K.
    package mutating func work(weights: [Double], sigmoid: SeparableSigmoid) -> RoundWork {
        let one = Int64(1) << SeparableSigmoid.factorBits
        var plaintexts: [Int64] = []
        var exponents: [UInt32] = []
        plaintexts.reserveCapacity(design.rows * (sigmoid.degree + 1))
        exponents.reserveCapacity(design.rows * sigmoid.degree)
        for score in design.scores(weights) {
            let factors = sigmoid.factors(score)
            plaintexts.append(-sigmoid.coefficientShift * factors.reduce(0, +))
            plaintexts += factors
            exponents += factors.map { UInt32($0 + one) }
        }
        return RoundWork(plaintexts: plaintexts, exponents: exponents, exponentBits: SeparableSigmoid.factorBits + 2)
    }

    package mutating func take(_ sums: [Int64]) -> Gradient {
        let unit = 1 / Double(UInt64(1) << UInt64(SeparableSigmoid.residualBits)) / Double(design.rows)
        return Gradient(values: zip(design.columns, sums).map { Double($1) * unit * $0.factorUnit })
    }

    package mutating func partialScores(_ aligned: Alignment.Aligned, trained: TrainingSummary?) throws(Fault) -> [Double] {
        let columns: PreparedColumns
        let weights: [Double]
        if let trained, let prepared {
            (columns, weights) = (prepared, trained.weights)
        } else if let model = data.model {
            (columns, weights) = (try model.plan.apply(to: data.table, rows: aligned.rows), model.weights)
        } else {
            throw Fault(.defect, at: "PlatformSide.partialScores")
        }
        let design = Design(columns, rows: columns.rowCount)
        let share = Dominance.largestShare(design, weights: weights, features: columns.columns.map { Dominance.feature(of: $0.name) })
        if let fault = JobLimits.checkDominance(largestShare: share, limits: context.limits) { throw fault }
        return design.scores(weights)
    }

    package func page(of files: [ResultFile], language: Language) -> ResultFile? {
        ReportPage.file(from: files, role: context.role, language: language)
    }

    package func results(_ outcome: JobOutcome, _ run: RunMeasurements) throws(Fault) -> [ResultFile] {
        let aligned = outcome.aligned
        let bytes = TrainingReport.Bytes(run, atBank: false)
        if context.specification.alignment != nil {
            let report = AlignmentReport(job: "\(context.job)", party: context.specification.parties.platform, specification: context.specification,
                                         rows: .init(bank: aligned.peerCount, platform: aligned.ownCount, aligned: aligned.count),
                                         run: run, bytes: bytes)
            return try report.files(aligned.identifiers)
        }
        let rows = TrainingReport.Rows(bank: aligned.peerCount, platform: aligned.ownCount, aligned: aligned.rows.count, train: design.rows)
        let (job, party, resolution) = ("\(context.job)", context.specification.parties.platform, context.limits.scoreResolutionBits)
        do {
            guard let trained = outcome.trained, let plan, let prepared, let settings = context.specification.training?.settings else {
                let report = ScoringReport(job: job, party: party, specification: context.specification, rows: rows, run: run, bytes: bytes,
                                           disclosed: .init(scoreResolutionBits: resolution))
                return [ResultFile(name: "report.json", bytes: try report.reportJSON())] + authorisations
            }
            let model = ModelHalf(job: job, role: context.role.rawValue, peer: context.peerName, intercept: nil, weights: trained.weights, plan: plan)
            let report = TrainingReport(
                job: job, party: party, specification: context.specification, rows: rows, rounds: trained.rounds, converged: trained.converged,
                keyBits: settings.keyBits, run: run, bytes: bytes,
                expansion: .init(degree: settings.degree, range: settings.range),
                coefficients: zip(prepared.columns, trained.weights).map { .init(column: $0.name, weight: $1) },
                dropped: prepared.report.dropped.map { .init(column: $0.name, reason: $0.reason.rawValue) },
                disclosed: .init(bankColumns: trained.peerColumns, platformColumns: trained.weights.count,
                                 exposurePercent: trained.exposurePercent, scoreResolutionBits: resolution))
            return [
                ResultFile(name: ModelHalf.fileName, bytes: try model.encoded()),
                ResultFile(name: "report.json", bytes: try report.reportJSON()),
            ] + authorisations
        } catch {
            throw Fault(.defect, at: "PlatformSide.results")
        }
    }
}

extension PlatformSide {
    /// Counts by item, and the root of the list that decided.
    private var authorisations: [ResultFile] {
        entry.map { [ResultFile(name: "authorisations.json", bytes: Array($0.admission.json.prettyText().utf8))] } ?? []
    }
}

/// How much of the platform's score a single feature carries: a bank that cheated in training could have steered the
/// score to be one feature, which its total would then disclose.
enum Dominance {
    /// The declared column that a prepared column came from: `grade=B` and `grade.missing` belong to `grade`.
    static func feature(of column: String) -> String {
        if let level = column.firstIndex(of: "=") { return String(column[..<level]) }
        return column.hasSuffix(".missing") ? String(column.dropLast(".missing".count)) : column
    }

    /// The largest variance of one feature's contribution as a share of the sum of all.
    static func largestShare(_ design: Design, weights: [Double], features: [String]) -> Double {
        guard design.rows > 0 else { return 0 }
        var contributions: [String: [Double]] = [:]
        for (index, feature) in features.enumerated() {
            let column = Design(rows: design.rows, columns: [design.columns[index]]).scores([weights[index]])
            contributions[feature] = contributions[feature].map { zip($0, column).map(+) } ?? column
        }
        let variances = contributions.values.map { values in
            let mean = values.reduce(0, +) / Double(values.count)
            return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        }
        let total = variances.reduce(0, +)
        return total > 0 ? (variances.max() ?? 0) / total : 0
    }
}
