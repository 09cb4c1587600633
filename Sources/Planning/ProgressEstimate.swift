import Faults
import Foundation
import Wire

/// How far a job has come and how long it will still take, from the pace that it has shown, or from its plan before it has
/// shown one.
package struct ProgressEstimate: Sendable {
    private let expectedRounds: Int
    private let planned: JobEstimate.Seconds?
    private var progress = JobProgress()
    /// Where the phase was when it was first heard of, and when: its rounds are one unit each, any other phase is one.
    private var start = (units: 0.0, seconds: 0.0)
    private var latest = 0.0

    /// - Parameters:
    ///   - expectedRounds: of training; 0 where nothing is trained or nobody knows.
    ///   - planned: for each phase.
    package init(expectedRounds: Int, planned: JobEstimate.Seconds? = nil) {
        self.expectedRounds = expectedRounds
        self.planned = planned
    }

    /// - Parameter seconds: of a clock that never goes back.
    package mutating func note(_ progress: JobProgress, at seconds: Double) {
        let isNew = progress.phase != self.progress.phase
        self.progress = progress
        latest = seconds
        if isNew { start = (units, seconds) }
    }

    private var isTraining: Bool { progress.phase == .training }
    private var part: Double { progress.total > 0 ? min(1, Double(progress.done) / Double(progress.total)) : 0 }
    private var units: Double { isTraining ? Double(max(1, progress.round)) - 1 + part : part }
    /// A job that takes more rounds than were expected may end with any.
    private var allUnits: Double { isTraining ? Double(max(expectedRounds, Int(progress.round), 1)) : 1 }

    /// Of this phase; nothing where it cannot be told.
    private var fraction: Double? {
        guard isTraining || progress.total > 0 else { return nil }
        return isTraining && expectedRounds == 0 ? part : units / allUnits
    }

    private func remainingSeconds(at now: Double) -> Double? {
        let done = units - start.units, spent = latest - start.seconds
        let plannedPhase: Double? = switch progress.phase {
        case .alignment: planned?.align
        case .training: planned?.train
        case .scoring: planned?.score
        default: nil
        }
        let later: Double? = switch progress.phase {
        case .alignment: planned.map { $0.train + $0.score }
        case .training: planned?.score ?? 0
        case .scoring: 0
        default: nil
        }
        guard let later, !(isTraining && expectedRounds == 0) else { return nil }
        // The first of a round shows little of its pace: a party's own work comes at its end.
        let shown: Double? = done >= (isTraining ? 0.9 : 0.2) && spent >= 1 ? spent / done * (allUnits - units) : nil
        guard let left = shown ?? plannedPhase.map({ $0 * (1 - units / allUnits) }) else { return nil }
        return max(0, left + later - (now - latest))
    }

    package func words(_ language: Language, at now: Double) -> ProgressWords {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        var label = progress.phase.name(language)
        if isTraining {
            label += text(" round \(progress.round)", " 第 \(progress.round) 轮")
            if expectedRounds >= Int(progress.round) { label += text(" of about \(expectedRounds)", "（预计约 \(expectedRounds) 轮）") }
        }
        return ProgressWords(label: label, fraction: fraction, left: remainingSeconds(at: now).map { text("about \(Self.time($0, language)) left", "预计剩余 \(Self.time($0, language))") })
    }

    private static func time(_ seconds: Double, _ language: Language) -> String {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        let whole = Int(min(seconds.rounded(), 1e9))
        if whole < 60 { return text("\(whole) s", "\(whole) 秒") }
        if whole < 3600 { return text("\(whole / 60) min \(whole % 60) s", "\(whole / 60) 分 \(whole % 60) 秒") }
        return text("\(whole / 3600) h \(whole % 3600 / 60) min", "\(whole / 3600) 小时 \(whole % 3600 / 60) 分")
    }
}

/// Where a job stands, in one language.
package struct ProgressWords: Sendable, Hashable {
    /// Phase and round.
    package let label: String
    /// Of the phase, 0 to 1.
    package let fraction: Double?
    package let left: String?

    /// Where nothing can be drawn.
    package var plain: String { left.map { "\(label), \($0)" } ?? label }
}
