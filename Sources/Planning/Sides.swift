import Jobs
import Wire

/// What a specification says of each data party.
extension JobSpecification {
    /// The party's name in the contract.
    package func party(_ role: Role) -> String { role == .bank ? parties.bank : parties.platform }

    /// The name of its data set.
    package func dataset(_ role: Role) -> String { role == .bank ? data.bank : data.platform }
}

extension JobSpecification.TrainingPart {
    package func features(_ role: Role) -> [JobSpecification.Feature] { role == .bank ? features.bank : features.platform }
}
