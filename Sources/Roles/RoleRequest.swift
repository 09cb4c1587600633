import Foundation
import Jobs
import Wire

/// What a role needs to open a job: everything that a program knows and its machine may use.
package struct RoleRequest: Sendable {
    package let job: JobIdentifier
    package let attempt: UInt32
    package let specification: JobSpecification
    package let specificationDigest: [UInt8]
    /// Name of the contract's suite.
    package let suite: String
    package let limits: Contract.Limits
    package let contractDigest: [UInt8]
    package let dataset: NodeConfiguration.Dataset
    /// This party's half of the model that a scoring job names.
    package let model: [UInt8]?

    package init(job: JobIdentifier, attempt: UInt32, specification: JobSpecification, specificationDigest: [UInt8], suite: String,
                 limits: Contract.Limits, contractDigest: [UInt8], dataset: NodeConfiguration.Dataset, model: [UInt8]?) {
        self.job = job
        self.attempt = attempt
        self.specification = specification
        self.specificationDigest = specificationDigest
        self.suite = suite
        self.limits = limits
        self.contractDigest = contractDigest
        self.dataset = dataset
        self.model = model
    }
}
