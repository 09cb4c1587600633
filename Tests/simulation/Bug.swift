/// Bugs that the simulation has to find; each is a sentence of Protocols/simulation.md.
enum Bug: String, CaseIterable {
    case unsyncedHead, earlyFrame, maskReuse, oldSecrets, duplicateAccepted, reorderAccepted, staleAccepted, signatureDropped, stopIgnored
    case deadlineNever, clockProlongs, resultOneSided, halfResults, unsyncedOperations, jobForgotten, attemptForgotten, corruptionPasses
    case cancellationIgnored, reasonLost, subjectNamed
    case resentAltered, resentRecorded, resentAccepted, unreadForgotten, oldConnectionRead, lateGreetingIgnored, cutForever, cutIsEnd

    /// Where it was found last: tried before the others.
    var knownSeed: UInt64 {
        switch self {
        case .unsyncedHead: 22
        case .earlyFrame: 24
        case .maskReuse: 29
        case .oldSecrets: 1
        case .duplicateAccepted: 17
        case .reorderAccepted: 19
        case .staleAccepted: 115
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
        case .resentAltered: 1
        case .resentRecorded: 1
        case .resentAccepted: 1
        case .unreadForgotten: 1
        case .oldConnectionRead: 1
        case .lateGreetingIgnored: 1
        case .cutForever: 1
        case .cutIsEnd: 1
        }
    }
}
