import Faults
import Planning
import Testing
import Wire

@Suite("Where a job stands, in words") struct RecordWordsTests {
    private func record(_ change: (inout JobRecord) -> Void) -> JobRecord {
        .filled {
            ($0.bank, $0.platform, $0.attempt, $0.submittedUnixSeconds, $0.changedUnixSeconds) = ("north", "south", 1, 1_700_000_000, 1_700_000_060)
            change(&$0)
        }
    }

    private func words(_ record: JobRecord) -> (en: String, zh: String) {
        (record.stateText(deadlineSeconds: 600, .en), record.stateText(deadlineSeconds: 600, .zh))
    }

    @Test("a queued job says since when, and that it waits for a place")
    func queued() {
        #expect(words(record { $0.state = .queued }) == (
            "queued since 2023-11-14T22:14:20Z, waiting for a free place", "自 2023-11-14T22:14:20Z 起排队，等待空位"))
        let second = words(record { ($0.state, $0.attempt) = (.queued, 2) })
        #expect(second.en.hasSuffix("a free place, attempt 2") && second.zh.hasSuffix("（第 2 次尝试）"))
    }

    @Test("an offered job names whom it waits for: both, the one that has not answered, or the one that is asked first")
    func offered() {
        #expect(words(record { $0.state = .offered }).en == "waiting for approval of north, south since 2023-11-14T22:13:20Z")
        #expect(words(record { ($0.state, $0.bankApproved) = (.offered, true) }).en == "waiting for approval of south since 2023-11-14T22:13:20Z")
        #expect(words(record { ($0.state, $0.awaited) = (.offered, "north") }) == (
            "waiting for approval of north since 2023-11-14T22:13:20Z", "自 2023-11-14T22:13:20Z 起等待 north 审批"))
    }

    @Test("an interrupted job says why, since when, who has to come back and until when")
    func interrupted() {
        let lost = record {
            ($0.state, $0.fault, $0.faultParty) = (.interrupted, FaultNote(Fault(.peerLost, at: "south")), "south")
            ($0.awaited, $0.awaitedSinceUnixSeconds) = ("south", 1_700_000_060)
        }
        #expect(words(lost) == (
            "interrupted since 2023-11-14T22:14:20Z: the connection to south was lost; a new attempt begins once south is back, which is waited for "
                + "until 2023-11-14T22:24:20Z",
            "自 2023-11-14T22:14:20Z 起中断：与 south 的连接中断；等待 south 恢复，至 2023-11-14T22:24:20Z 为止；恢复后自动重新开始"))
        var back = lost
        back.awaited = ""
        #expect(words(back).en.hasSuffix("; a new attempt begins shortly") && words(back).zh.hasSuffix("；即将自动重新开始"))
    }

    @Test("no number in a record ends the program that shows it", arguments: [UInt64.max, UInt64.max / 50, 1 << 53, 0])
    func numbers(number: UInt64) {
        for state in JobState.allCases {
            let wild = record {
                ($0.state, $0.changedUnixSeconds, $0.submittedUnixSeconds) = (state, number, number)
                ($0.awaited, $0.awaitedSinceUnixSeconds) = ("north", number)
                $0.progress = .filled {
                    ($0.phase, $0.round, $0.done, $0.total, $0.cutUnixSeconds) = (.training, .max, number, max(1, number / 2), number)
                }
            }
            for language in Language.allCases { #expect(!wild.line(deadlineSeconds: 600, language).isEmpty) }
        }
        let half = record { $0.state = .running; $0.progress = .filled { ($0.phase, $0.done, $0.total) = (.scoring, 1 << 52, 1 << 53) } }
        #expect(half.line(deadlineSeconds: 600, .en).hasSuffix(" 50 %"))
    }
}
