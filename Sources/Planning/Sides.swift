import Jobs
import Wire

/// What a specification says of each data party.
extension JobSpecification {
    /// The party's name in the contract.
    package func party(_ role: Role) -> String { party(role.side) }

    /// The name of its data set.
    package func dataset(_ role: Role) -> String { dataset(role.side) }

    /// The column of its identifiers.
    package func identifier(_ role: Role) -> String { identifier(role.side) }

    /// How many of the aligned rows train; 0 where nothing is trained.
    package func trainingRows(of aligned: Int) -> Int { TransferCounts.trainingRows(of: aligned, share: training?.split.share ?? 0) }
}

extension Role {
    fileprivate var side: Contract.Role { self == .bank ? .bank : .platform }
}

extension JobSpecification.TrainingPart {
    package func features(_ role: Role) -> [JobSpecification.Feature] { features(role.side) }
}
