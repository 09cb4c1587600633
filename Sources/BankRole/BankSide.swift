import Evaluation
import Exchange
import Faults
import Features
import Foundation
import Jobs
import Primitives
import Reports
import Roles
import Tables
import Training
import Wire

/// The bank: it owns the labels, sees the loss, receives the scores, and measures.
package struct BankSide: PartySide {
    private let context: JobContext
    private let data: OwnData

    private var plan: PreparationPlan?
    private var prepared: PreparedColumns?
    private var design = Design(rows: 0, columns: [])
    private var bad: [Bool] = []
    private var bankOnly: [Double] = []
    private var meanCurvature = 0.25
    /// What the gradient takes from the bank's own side of the last round's residuals, in fixed point.
    private var plainResiduals: [Int64] = []
    private var lossConstant = 0.0
    private var ownScores: [Double] = []

    package init(context: JobContext, data: OwnData) {
        self.context = context
        self.data = data
    }

    package var identifiers: IdentifierList { data.identifiers }
    /// The list stays as long as the data set: the platform does not learn how many of it earlier platforms hold.
    package var fillers: Int { data.leftOut }

    private var ridge: [Double] {
        let l2 = context.specification.training?.settings.l2 ?? 0
        return [0] + [Double](repeating: l2, count: design.columns.count - 1)
    }

    package mutating func prepare(_ aligned: Alignment.Aligned, trainingRows: Int) throws(Fault) -> Design {
        guard let training = context.specification.training else { throw Fault(.defect, at: "BankSide.prepare") }
        let plan = try PreparationPlan.fit(
            features: data.features, table: data.table, trainingRows: Array(aligned.rows.prefix(trainingRows)),
            fractionBits: JobContext.columnBits)
        let prepared = try plan.apply(to: data.table, rows: aligned.rows)
        bad = try Labels.read(training.label, in: data.table, rows: aligned.rows)
        let columns = Design(prepared, rows: trainingRows).columns
        design = Design(rows: trainingRows, columns: [BankSide.intercept(rows: trainingRows)] + columns)
        self.plan = plan
        self.prepared = prepared
        let trainingBad = Array(bad.prefix(trainingRows))
        bankOnly = LogisticRegression.fit(design, bad: trainingBad, ridge: ridge)
        let probabilities = design.scores(bankOnly).map(SeparableSigmoid.sigmoid)
        meanCurvature = probabilities.reduce(0) { $0 + $1 * (1 - $1) } / Double(max(1, trainingRows))
        return design
    }

    private static func intercept(rows: Int) -> Design.Column {
        Design.Column(fractionBits: 0, values: [Int32](repeating: 1, count: rows))
    }

    package var curvatureExponent: Int? { min(max(Int(log2(meanCurvature).rounded()), -20), -2) }

    package func check(peerColumns: Int) throws(Fault) {
        let bads = bad.prefix(design.rows).count { $0 }
        if let fault = JobLimits.checkPlatformColumns(peerColumns, bads: bads, goods: design.rows - bads, limits: context.limits) {
            throw fault
        }
    }

    package func start(curvatureExponent: Int) -> (weights: [Double], ridge: [Double], preconditioner: Preconditioner) {
        let weights = design.scores(bankOnly).map { score in
            let probability = SeparableSigmoid.sigmoid(score)
            return max(probability * (1 - probability), 1e-12)
        }
        return (bankOnly, ridge, Preconditioner(curvature: design.curvature(weights: weights, ridge: ridge)))
    }

    /// alpha_0 = (a_0 - y) - sum_j a_j undoes that the platform multiplies by T_j + 1; a_j + K makes the bank's own
    /// exponents non-negative, which the platform's j = 0 undoes. The loss's coefficients are shifted by lambda K, so
    /// lambda times the same j = 0 undoes it there.
    package mutating func work(weights: [Double], sigmoid: SeparableSigmoid) -> RoundWork {
        let scores = design.scores(weights)
        let degree = sigmoid.degree
        let one = Int64(1) << SeparableSigmoid.factorBits
        let label = Int64(1) << SeparableSigmoid.residualBits
        let lossShift = sigmoid.lossShiftFactor * sigmoid.coefficientShift
        var plaintexts: [Int64] = []
        var exponents: [UInt32] = []
        var lossExponents: [UInt32] = []
        plaintexts.reserveCapacity(design.rows * (degree + 1))
        exponents.reserveCapacity(design.rows * degree)
        lossExponents.reserveCapacity(design.rows * (degree + 1))
        plainResiduals = []
        lossConstant = 0
        for (row, score) in scores.enumerated() {
            let coefficients = sigmoid.coefficients(score, bad: bad[row])
            let residual = coefficients.constant - (bad[row] ? label : 0)
            plaintexts.append(residual - coefficients.slopes.reduce(0, +) * one)
            plaintexts += coefficients.slopes
            exponents += coefficients.slopes.map { UInt32($0 + sigmoid.coefficientShift) }
            lossExponents.append(UInt32(sigmoid.lossShiftFactor))
            lossExponents += coefficients.lossSlopes.map { UInt32($0 + lossShift) }
            plainResiduals.append(residual)
            lossConstant += coefficients.lossConstant
        }
        return RoundWork(
            plaintexts: plaintexts,
            exponents: exponents, exponentBits: BankSide.bits(2 * sigmoid.coefficientShift),
            lossExponents: lossExponents, lossBits: BankSide.bits(2 * lossShift))
    }

    private static func bits(_ largest: Int64) -> Int { 64 - largest.leadingZeroBitCount }

    package mutating func take(_ sums: [Int64]) -> Gradient {
        let unit = 1 / Double(label)
        let rows = Double(design.rows)
        let values = zip(design.columns, sums).map { column, sum in
            var plain: Int64 = 0
            for (value, residual) in zip(column.factors, plainResiduals) { plain += Int64(value) * residual }
            return Double(plain + sum) * unit * column.factorUnit / rows
        }
        let loss = (lossConstant + Double(sums.last ?? 0) * unit) / rows
        return Gradient(values: values, loss: loss)
    }

    private var label: Int64 { 1 << SeparableSigmoid.residualBits }

    package mutating func partialScores(_ aligned: Alignment.Aligned, trained: TrainingSummary?) throws(Fault) -> [Double] {
        if let trained, let prepared {
            ownScores = BankSide.scores(prepared, weights: trained.weights)
        } else if let model = data.model {
            let prepared = try model.plan.apply(to: data.table, rows: aligned.rows)
            ownScores = BankSide.scores(prepared, weights: [model.intercept ?? 0] + model.weights)
        } else {
            throw Fault(.defect, at: "BankSide.partialScores")
        }
        return ownScores
    }

    private static func scores(_ prepared: PreparedColumns, weights: [Double]) -> [Double] {
        let design = Design(prepared, rows: prepared.rowCount)
        return Design(rows: design.rows, columns: [intercept(rows: design.rows)] + design.columns).scores(weights)
    }

    // Results

    package func results(_ outcome: JobOutcome, _ run: RunMeasurements) throws(Fault) -> [ResultFile] {
        if context.specification.alignment != nil {
            let aligned = outcome.aligned
            let report = AlignmentReport(job: "\(context.job)", party: context.specification.parties.bank, specification: context.specification,
                                         rows: .init(bank: aligned.ownCount, platform: aligned.peerCount, aligned: aligned.count),
                                         run: run, bytes: .init(run, atBank: true))
            return try report.files(aligned.identifiers)
        }
        let probabilities = outcome.scores.map(SeparableSigmoid.sigmoid)
        do {
            guard let trained = outcome.trained, let plan, let prepared else {
                return [
                    ResultFile(name: "scores.csv", bytes: scoresCSV(outcome, probabilities)),
                    ResultFile(name: "report.json", bytes: try scoringReport(outcome, run).reportJSON()),
                ]
            }
            let model = ModelHalf(job: "\(context.job)", role: context.role.rawValue, peer: context.peerName, intercept: trained.weights[0],
                                  weights: Array(trained.weights.dropFirst()), plan: plan)
            return [
                ResultFile(name: ModelHalf.fileName, bytes: try model.encoded()),
                ResultFile(name: "scores.csv", bytes: scoresCSV(outcome, probabilities)),
                ResultFile(name: "report.json", bytes: try trainingReport(outcome, trained, prepared, probabilities, run).reportJSON()),
            ]
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.defect, at: "BankSide.results")
        }
    }

    /// Identifier, probability of being bad, and which part of the split the row belongs to.
    private func scoresCSV(_ outcome: JobOutcome, _ probabilities: [Double]) -> [UInt8] {
        var text = outcome.trained == nil ? "id,probability\n" : "id,probability,part\n"
        for (index, (row, probability)) in zip(outcome.aligned.rows, probabilities).enumerated() {
            text += CSVField.quoted(data.table.identifiers[row])
            text += ",\(probability)"
            if outcome.trained != nil { text += index < design.rows ? ",train" : ",test" }
            text += "\n"
        }
        return Array(text.utf8)
    }

    private func rows(_ outcome: JobOutcome) -> TrainingReport.Rows {
        .init(bank: outcome.aligned.ownCount, platform: outcome.aligned.peerCount, aligned: outcome.aligned.rows.count, train: design.rows)
    }

    private func scoringReport(_ outcome: JobOutcome, _ run: RunMeasurements) -> ScoringReport {
        ScoringReport(
            job: "\(context.job)", party: context.specification.parties.bank, specification: context.specification, rows: rows(outcome),
            run: run, bytes: .init(run, atBank: true), disclosed: .init(scoreResolutionBits: context.limits.scoreResolutionBits),
            distribution: ScoreBin.distribution(outcome.scores.map(SeparableSigmoid.sigmoid), minimumCell: TrainingReport.Part.minimumCell))
    }

    private func trainingReport(_ outcome: JobOutcome, _ trained: TrainingSummary, _ prepared: PreparedColumns,
                                _ joint: [Double], _ run: RunMeasurements) throws(Fault) -> TrainingReport {
        guard let settings = context.specification.training?.settings else { throw Fault(.defect, at: "BankSide.trainingReport") }
        let bankOnly = BankSide.scores(prepared, weights: self.bankOnly).map(SeparableSigmoid.sigmoid)
        let seed = context.specification.training?.split.seed ?? 0
        let train = 0..<design.rows
        let test = design.rows..<joint.count
        func part(_ probabilities: [Double], _ range: Range<Int>) -> TrainingReport.Part? {
            .init(probabilities: Array(probabilities[range]), bad: Array(bad[range]), seed: seed)
        }
        let measured = test.isEmpty ? train : test
        return TrainingReport(
            job: "\(context.job)", party: context.specification.parties.bank, specification: context.specification, rows: rows(outcome),
            bankOnly: .init(train: part(bankOnly, train), test: part(bankOnly, test)),
            joint: .init(train: part(joint, train), test: part(joint, test)),
            uplift: .init(joint: Array(joint[measured]), bankOnly: Array(bankOnly[measured]), bad: Array(bad[measured]), seed: seed),
            rounds: trained.rounds, converged: trained.converged, keyBits: settings.keyBits, run: run, bytes: .init(run, atBank: true),
            expansion: .init(degree: settings.degree, range: settings.range), lossPerRound: trained.losses,
            coefficients: zip(["intercept"] + prepared.columns.map(\.name), trained.weights).map { .init(column: $0, weight: $1) },
            dropped: prepared.report.dropped.map { .init(column: $0.name, reason: $0.reason.rawValue) },
            disclosed: .init(bankColumns: trained.weights.count, platformColumns: trained.peerColumns, exposurePercent: trained.exposurePercent,
                             scoreResolutionBits: context.limits.scoreResolutionBits))
    }

    package func page(of files: [ResultFile], language: Language) -> ResultFile? {
        ReportPage.file(from: files, role: context.role, language: language)
    }
}


/// RFC 4180.
enum CSVField {
    static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
