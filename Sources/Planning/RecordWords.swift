import Faults
import Foundation
import Wire

/// Where a job stands, in one language, as a person reads it.
extension JobRecord {
    /// - Parameter deadlineSeconds: the contract's.
    package func line(deadlineSeconds: Int, _ language: Language) -> String {
        let id = JobIdentifier(octets: job.octets).map { "\($0)" } ?? ""
        let parts = [id, stateText(deadlineSeconds: deadlineSeconds, language), name, "\(bank) + \(platform)", analyst]
        return (parts + (state == .running ? [progressText(language)] : [])).joined(separator: "  ")
    }

    /// What a job waits for, since when, and until when.
    ///
    /// - Parameter deadlineSeconds: as above.
    package func stateText(deadlineSeconds: Int, _ language: Language) -> String {
        let since = Self.time(changedUnixSeconds)
        let number = attempt > 1 ? Phrase(en: ", attempt \(attempt)", zh: "（第 \(attempt) 次尝试）")(language) : ""
        switch state {
        case .interrupted:
            let fault = fault.fault(from: faultParty).message
            // A clock may say anything.
            let end = Self.time(awaitedSinceUnixSeconds.addingReportingOverflow(UInt64(max(0, deadlineSeconds))).partialValue)
            let next = awaited.isEmpty
                ? Phrase(en: "a new attempt begins shortly", zh: "即将自动重新开始")
                : Phrase(en: "a new attempt begins once \(awaited) is back, which is waited for until \(end)",
                         zh: "等待 \(awaited) 恢复，至 \(end) 为止；恢复后自动重新开始")
            return Phrase(en: "interrupted since \(since): \(fault.en); \(next.en)", zh: "自 \(since) 起中断：\(fault.zh)；\(next.zh)")(language)
        case .queued:
            return Phrase(en: "queued since \(since), waiting for a free place", zh: "自 \(since) 起排队，等待空位")(language) + number
        case .offered:
            // One of them may be asked before the other.
            let asked = awaited.isEmpty ? (bankApproved ? [] : [bank]) + (platformApproved ? [] : [platform]) : [awaited]
            let since = Self.time(submittedUnixSeconds)
            return Phrase(en: "waiting for approval of \(asked.joined(separator: ", ")) since \(since)",
                          zh: "自 \(since) 起等待 \(asked.joined(separator: "、")) 审批")(language) + number
        default:
            return state.name(language) + number
        }
    }

    /// That the parties wait for their line.
    package func cutText(_ language: Language) -> String {
        let since = Self.time(progress.cutUnixSeconds)
        return Phrase(en: "the line between \(bank) and \(platform) has been cut since \(since) and is being taken up again",
                      zh: "\(bank) 与 \(platform) 之间的线路自 \(since) 起中断，正在重新接通")(language)
    }

    private func progressText(_ language: Language) -> String {
        var text = progress.phase.name(language)
        if progress.phase == .training { text += language == .zh ? " 第 \(progress.round) 轮" : " round \(progress.round)" }
        // A node may say anything.
        if progress.total > 0 { text += " \(Int(100 * min(1, Double(progress.done) / Double(progress.total)))) %" }
        return progress.cutUnixSeconds > 0 ? text + "; " + cutText(language) : text
    }

    private static func time(_ unixSeconds: UInt64) -> String { Date(timeIntervalSince1970: Double(unixSeconds)).formatted(.iso8601) }
}
