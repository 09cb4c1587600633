/// Bugs that the simulation has to find; each is a sentence of Protocols/simulation.md.
enum Bug: String, CaseIterable {
    case unsyncedHead, earlyFrame, maskReuse, oldSecrets, duplicateAccepted, reorderAccepted, staleAccepted, signatureDropped, stopIgnored
    case deadlineNever, clockProlongs, resultOneSided, halfResults, unsyncedOperations, jobForgotten, attemptForgotten, corruptionPasses
    case cancellationIgnored, reasonLost, subjectNamed
    case resentAltered, resentRecorded, resentAccepted, unreadForgotten, oldConnectionRead, lateGreetingIgnored, cutForever, cutIsEnd

    /// Where it was found last: tried before the others.
    var knownSeed: UInt64 {
        switch self {
        case .unsyncedHead: 104
        case .earlyFrame: 24
        case .maskReuse: 29
        case .oldSecrets: 1
        case .duplicateAccepted: 3
        case .reorderAccepted: 2
        case .staleAccepted: 66
        case .signatureDropped: 5
        case .stopIgnored: 18
        case .deadlineNever: 152
        case .clockProlongs: 152
        case .resultOneSided: 5
        case .halfResults: 23
        case .unsyncedOperations: 7
        case .jobForgotten: 1
        case .attemptForgotten: 114
        case .corruptionPasses: 4
        case .cancellationIgnored: 24
        case .reasonLost: 18
        case .subjectNamed: 18
        case .resentAltered: 2
        case .resentRecorded: 9
        case .resentAccepted: 33
        case .unreadForgotten: 12
        case .oldConnectionRead: 22
        case .lateGreetingIgnored: 212
        case .cutForever: 9
        case .cutIsEnd: 179
        }
    }
}
