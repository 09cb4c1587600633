/// What a specification says of each data party. No other role has a side; it is asked for bank or platform alone.
extension JobSpecification {
    /// The party's name in the contract.
    package func party(_ side: Contract.Role) -> String { side == .bank ? parties.bank : parties.platform }

    /// The name of its data set.
    package func dataset(_ side: Contract.Role) -> String { side == .bank ? data.bank : data.platform }

    /// The column of its identifiers.
    package func identifier(_ side: Contract.Role) -> String { side == .bank ? population.bankId : population.platformId }
}

extension JobSpecification.TrainingPart {
    package func features(_ side: Contract.Role) -> [JobSpecification.Feature] { side == .bank ? features.bank : features.platform }
}
