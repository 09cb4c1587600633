import Faults
import Jobs
import LinearAlgebra
import Paillier
import Planning
import Roles
import SetIntersection
import Training
import Wire

/// A data party's part of one attempt, from the first message to the last; the same machine at bank and platform.
///
///     opening -> alignment -> preparation -> (round -> verdict)* -> scoring -> closing
///
/// A scoring job goes from alignment to scoring.
package struct DataParty<Side: PartySide>: RoleMachine {
    private enum State: Sendable {
        case opening(Opening)
        case alignment(Alignment)
        case columns(TrainingSetup)
        case curvature(TrainingSetup, peerColumns: Int)
        case round(RoundExchange, TrainingState)
        case verdict(TrainingState, step: [Double], settled: Bool)
        case scoring(Scoring)
        case closing(JobOutcome)
        case closed(JobOutcome)
        /// While a state is taken out to be changed, and after a failure.
        case none
    }

    /// Between alignment and the first round.
    private struct TrainingSetup: Sendable {
        let settings: JobSpecification.TrainingSettings
        let design: Design
    }

    private let context: JobContext
    private var side: Side
    private var state: State
    private var keys: Opening.Keys?
    private var aligned: Alignment.Aligned?
    private var trained: TrainingSummary?
    private var transcript = Transcript()
    private var framesSent: UInt64 = 0
    private var framesHeard: UInt64 = 0
    private var started = false

    package init(context: JobContext, side: Side, secrets: JobSecrets) {
        self.context = context
        self.side = side
        state = .opening(Opening(context: context, secrets: secrets))
    }

    package var subjects: IdentifierList { side.identifiers }
    package var listed: Int { side.identifiers.count + side.fillers }
    package var admitted: Admitted? { side.admitted }

    package var listening: Set<LineEnd> {
        switch state {
        case .opening, .columns, .curvature, .round, .closing: started ? [.peer] : []
        case .alignment(let alignment): alignment.isListening ? [.peer] : []
        case .verdict: [.arbiter]
        case .scoring(let scoring): scoring.isListening ? [.peer] : []
        case .closed, .none: []
        }
    }

    package var phase: Phase {
        switch state {
        case .opening: .opening
        case .alignment: .alignment
        case .columns, .curvature: .preparation
        case .round, .verdict: .training
        case .scoring: .scoring
        case .closing, .closed, .none: .closing
        }
    }

    package var wantsToProceed: Bool {
        switch state {
        case .alignment(let alignment): alignment.wantsToProceed
        case .round(let round, _): round.wantsToProceed
        case .scoring(let scoring): scoring.wantsToProceed
        default: false
        }
    }

    package mutating func step(_ event: RoleEvent) throws(Fault) -> [RoleEffect] {
        let effects: [RoleEffect]
        switch event {
        case .start:
            guard case .opening(let opening) = state, !started else { throw Fault(.defect, at: "DataParty.start") }
            started = true
            effects = opening.start()
        case .proceed:
            effects = try proceed()
        case .message(.abort, .peer):
            throw context.fault(.endedByPeer)
        case .message(let message, let end):
            guard listening.contains(end) else { throw context.fault(.unexpectedMessage) }
            if end == .peer { framesHeard += 1 }
            transcript.add(message)
            effects = try hear(message)
        }
        framesSent += effects.framesToPeer
        return effects
    }

    package func results(_ run: RunMeasurements) throws(Fault) -> [ResultFile] {
        guard case .closed(let outcome) = state else { throw Fault(.defect, at: "DataParty.results") }
        return try side.results(outcome, run)
    }

    package func page(of files: [ResultFile], language: Language) -> ResultFile? { side.page(of: files, language: language) }

    /// The state is taken out while it changes, so that its arrays are changed in place and not copied.
    private mutating func takeState() -> State {
        let taken = state
        state = .none
        return taken
    }

    private mutating func proceed() throws(Fault) -> [RoleEffect] {
        guard wantsToProceed else { return [] }
        switch takeState() {
        case .alignment(var alignment):
            let (effects, aligned) = try alignment.proceed()
            guard let aligned else {
                state = .alignment(alignment)
                return effects
            }
            return effects + (try enterPreparation(aligned, framesSent + effects.framesToPeer))
        case .round(var round, let training):
            let effects = try round.proceed(transcript)
            state = .round(round, training)
            return effects
        case .scoring(var scoring):
            let effects = try scoring.proceed()
            return try followScoring(scoring, after: effects)
        default:
            throw Fault(.defect, at: "DataParty.proceed")
        }
    }

    private mutating func hear(_ message: Message) throws(Fault) -> [RoleEffect] {
        switch (takeState(), message) {
        case (.opening(var opening), _):
            let (effects, keys) = try opening.hear(message)
            guard let keys else {
                state = .opening(opening)
                return effects
            }
            self.keys = keys
            state = .alignment(Alignment(context: context, secrets: keys.secrets, identifiers: side.identifiers, fillers: side.fillers))
            return effects

        case (.alignment(var alignment), _):
            let (effects, aligned) = try alignment.hear(message)
            guard let aligned else {
                state = .alignment(alignment)
                return effects
            }
            return effects + (try enterPreparation(aligned, framesSent + effects.framesToPeer))

        case (.columns(let setup), .columns(let columns)):
            let peerColumns = Int(columns.count)
            try checkLimits(setup, peerColumns: peerColumns)
            guard let exponent = side.curvatureExponent else {
                state = .curvature(setup, peerColumns: peerColumns)
                return []
            }
            try enterTraining(setup, peerColumns: peerColumns, exponent: exponent)
            return [.send(.curvature(.filled { $0.exponent = Int32(exponent) }), to: .peer), .checkpoint(.preparation, round: 0)]

        case (.curvature(let setup, let peerColumns), .curvature(let curvature)):
            // p(1 - p) is at most 1/4, and below 2^-20 there would be no bad in a million.
            guard (-20 ... -2).contains(curvature.exponent) else { throw context.fault(.malformedMessage) }
            try enterTraining(setup, peerColumns: peerColumns, exponent: Int(curvature.exponent))
            return [.checkpoint(.preparation, round: 0)]

        case (.round(var round, let training), _):
            let (effects, sums) = try round.hear(message, transcript)
            guard let sums else {
                state = .round(round, training)
                return effects
            }
            return effects + (try finishRound(training, sums))

        case (.verdict(let training, let step, let settled), .verdict(let verdict)):
            return try follow(verdict, training, step: step, settled: settled)

        case (.scoring(var scoring), _):
            let effects = try scoring.hear(message)
            return try followScoring(scoring, after: effects)

        case (.closing(let outcome), .closing(let closing)):
            guard closing.framesSent == framesHeard else { throw context.fault(.wrongCount) }
            state = .closed(outcome)
            return [.completed]

        default:
            throw context.fault(.unexpectedMessage)
        }
    }

    // Preparation

    /// - Parameter framesSent: with those that lead here.
    private mutating func enterPreparation(_ aligned: Alignment.Aligned, _ framesSent: UInt64) throws(Fault) -> [RoleEffect] {
        self.aligned = aligned
        if context.specification.alignment != nil {
            return [.checkpoint(.alignment, round: 0)] + close(JobOutcome(aligned: aligned, trained: nil, scores: []), framesSent)
        }
        guard let part = context.specification.training else { return [.checkpoint(.alignment, round: 0)] + (try enterScoring()) }
        let rows = context.specification.trainingRows(of: aligned.rows.count)
        let design = try side.prepare(aligned, trainingRows: rows)
        state = .columns(TrainingSetup(settings: part.settings, design: design))
        return [.checkpoint(.alignment, round: 0), .used(.trained, side.identifiers.chosen(Array(aligned.rows.prefix(rows)))),
                .send(.columns(.filled { $0.count = UInt32(design.columns.count) }), to: .peer),
                .progress(.filled { $0.phase = .preparation })]
    }

    /// Limits of Protocols/protocol.md, "Bounds on a cheating party", each checked by both sides where both can.
    private func checkLimits(_ setup: TrainingSetup, peerColumns: Int) throws(Fault) {
        guard peerColumns > 0 else { throw Fault(.noUsableColumns, at: context.peerName) }
        guard peerColumns <= 100_000 else { throw Fault(.tooManyValues, at: context.peerName) }
        let rows = setup.design.rows
        let rounds = setup.settings.maximumRounds
        for columns in [setup.design.columns.count, peerColumns] {
            if let fault = JobLimits.checkRows(rows, columns: columns, rounds: rounds, limits: context.limits) { throw fault }
        }
        let slots = try valueSlots(rows: rows, setup.settings)
        for values in [setup.design.columns.count, peerColumns] {
            let percent = JobLimits.exposurePercent(rounds: rounds, valuesPerRound: values + 1, valueBits: slots.bits, rows: rows)
            if let fault = JobLimits.checkExposure(percent: percent, limits: context.limits) { throw fault }
        }
        try side.check(peerColumns: peerColumns)
    }

    /// k bits a value: one more than the largest sum that honest data can give, from what both parties know.
    private func valueSlots(rows: Int, _ settings: JobSpecification.TrainingSettings) throws(Fault) -> ValueSlots {
        guard let training = context.specification.training, let bits = JobShape.valueBits(training, rows: rows), bits <= TransferCounts.mostValueBits
        else { throw Fault(.tooManyValues, at: "/training") }
        return ValueSlots(bits: bits, keyBits: settings.keyBits)
    }

    // Training

    private mutating func enterTraining(_ setup: TrainingSetup, peerColumns: Int, exponent: Int) throws(Fault) {
        let start = side.start(curvatureExponent: exponent)
        // A training rarely takes more than a dozen rounds.
        keys?.own.prepare(encryptions: setup.design.rows * (setup.settings.degree + 1) * min(setup.settings.maximumRounds, 12))
        let training = TrainingState(
            settings: setup.settings, design: setup.design,
            sigmoid: SeparableSigmoid(degree: setup.settings.degree, range: setup.settings.range),
            slots: try valueSlots(rows: setup.design.rows, setup.settings),
            peerValues: peerColumns + (context.role == .platform ? 1 : 0),
            ridge: start.ridge, preconditioner: start.preconditioner,
            acceleration: Acceleration(start: start.preconditioner.whitened(start.weights), history: setup.settings.history))
        enterRound(training)
    }

    private mutating func enterRound(_ training: TrainingState) {
        guard let keys else { preconditionFailure("rounds come after the opening") }
        let work = side.work(weights: training.weights, sigmoid: training.sigmoid)
        let round = RoundExchange(
            context: context, keys: keys, slots: training.slots, round: UInt16(training.round), degree: training.settings.degree, work: work,
            design: training.design, peerValues: training.peerValues, transcript: transcript)
        state = .round(round, training)
    }

    private mutating func finishRound(_ training: TrainingState, _ sums: [Int64]) throws(Fault) -> [RoleEffect] {
        guard let keys else { preconditionFailure("rounds come after the opening") }
        var training = training
        let gradient = side.take(sums)
        let penalised = zip(gradient.values, zip(training.ridge, training.weights)).map { $0 + $1.0 * $1.1 }
        let step = training.preconditioner.whitenedStep(penalised)
        let settled = training.preconditioner(penalised).allSatisfy { abs($0) < training.settings.tolerance }
        let rose = training.rose(gradient.loss)
        let share = PaddedGram.encode(training.acceleration.gramShare(step: step), pads: keys.pads, role: context.role,
                                      sequence: UInt16(training.round))
        state = .verdict(training, step: step, settled: settled)
        return [.checkpoint(.training, round: UInt32(training.round)), .send(.roundShare(.filled {
            $0.round = UInt32(training.round)
            $0.paddedGram = share.data
            $0.settled = settled
            $0.rose = rose
        }), to: .arbiter)]
    }

    private mutating func follow(_ verdict: Verdict, _ training: TrainingState, step: [Double], settled: Bool) throws(Fault) -> [RoleEffect] {
        var training = training
        guard verdict.round == UInt32(training.round) else { throw Fault(.unexpectedMessage, at: Role.arbiter.rawValue) }
        let takesStep = verdict.decision == .step || verdict.decision == .finish
        let gamma = verdict.gamma.octets
        guard gamma.count == (takesStep ? 8 * training.acceleration.depth : 0) else {
            throw Fault(.malformedMessage, at: Role.arbiter.rawValue)
        }
        switch verdict.decision {
        case .step, .finish:
            training.acceleration.advance(step: step, gamma: FixedPointGamma.decode(gamma))
        case .back:
            training.acceleration.back()
        default:
            training.acceleration.keepAccepted()
        }
        // Coefficients and gradients are others' words: made up, they grow past every number within some rounds.
        guard training.weights.allSatisfy({ abs($0) < ModelHalf.largestWeight }) else { throw Fault(.diverged) }
        guard verdict.decision == .finish || verdict.decision == .keep else {
            guard training.round < training.settings.maximumRounds else { throw Fault(.unexpectedMessage, at: Role.arbiter.rawValue) }
            training.round += 1
            enterRound(training)
            return []
        }
        trained = TrainingSummary(weights: training.weights, rounds: training.round,
                                  converged: settled && verdict.decision == .finish, losses: training.losses,
                                  peerColumns: training.peerValues - (context.role == .platform ? 1 : 0),
                                  exposurePercent: JobLimits.exposurePercent(
                                      rounds: training.round, valuesPerRound: training.peerValues, valueBits: training.slots.bits,
                                      rows: training.design.rows))
        return try enterScoring()
    }

    // Scores

    private mutating func enterScoring() throws(Fault) -> [RoleEffect] {
        guard let keys, let aligned else { preconditionFailure("scoring comes after alignment") }
        let partial = try side.partialScores(aligned, trained: trained)
        state = .scoring(Scoring(context: context, keys: keys, partial: partial))
        return [.used(.scored, side.identifiers.chosen(aligned.rows))]
    }

    private mutating func followScoring(_ scoring: Scoring, after effects: [RoleEffect]) throws(Fault) -> [RoleEffect] {
        guard scoring.isDone else {
            state = .scoring(scoring)
            return effects
        }
        guard let aligned else { preconditionFailure("closing comes after alignment") }
        let outcome = JobOutcome(aligned: aligned, trained: trained, scores: scoring.scores)
        return effects + [.checkpoint(.scoring, round: 0)] + close(outcome, framesSent + effects.framesToPeer)
    }

    private mutating func close(_ outcome: JobOutcome, _ sent: UInt64) -> [RoleEffect] {
        state = .closing(outcome)
        return [.send(.closing(.filled { $0.framesSent = sent + 1 }), to: .peer), .progress(.filled { $0.phase = .closing })]
    }
}

extension [RoleEffect] {
    fileprivate var framesToPeer: UInt64 {
        UInt64(count { if case .send(_, to: .peer) = $0 { true } else { false } })
    }
}

/// What one party carries from round to round.
private struct TrainingState: Sendable {
    let settings: JobSpecification.TrainingSettings
    let design: Design
    let sigmoid: SeparableSigmoid
    let slots: ValueSlots
    let peerValues: Int
    let ridge: [Double]
    let preconditioner: Preconditioner
    var acceleration: Acceleration

    init(settings: JobSpecification.TrainingSettings, design: Design, sigmoid: SeparableSigmoid, slots: ValueSlots, peerValues: Int,
         ridge: [Double], preconditioner: Preconditioner, acceleration: Acceleration) {
        self.settings = settings
        self.design = design
        self.sigmoid = sigmoid
        self.slots = slots
        self.peerValues = peerValues
        self.ridge = ridge
        self.preconditioner = preconditioner
        self.acceleration = acceleration
    }

    var round = 1
    var losses: [Double] = []
    private var startValue: Double?

    var weights: [Double] { preconditioner.weights(acceleration.point) }

    /// Whether the point is certainly worse than the warm start: the loss with the party's own penalty lies above where it
    /// started, with room for the expansion's error. Acceleration is not monotone, and a large penalty makes the loss rise
    /// while the objective falls: a stricter rule turns back from good points. Never at the platform, which sees no loss.
    mutating func rose(_ loss: Double?) -> Bool {
        guard let loss else { return false }
        losses.append(loss)
        let value = loss + zip(ridge, weights).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / 2
        guard let startValue else {
            startValue = value
            return false
        }
        return value > startValue + 1e-4
    }
}
