import Faults
import Foundation
import Jobs
import Scratch
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
    /// For what main memory need not hold; lives as long as the job.
    package let scratch: any Scratch
    /// This party's half of the model that a scoring job names.
    package let model: [UInt8]?
    /// The common subjects of the earlier job that the bank aligns within, as a file of results holds them.
    package let within: [UInt8]?
    /// Whether of two documents about the same subject the stricter says what takes authorisation.
    package let followsStricter: Bool
    /// Where the platform looks up who may enter; nothing where there is none to look up.
    package let authority: Authority?
    /// Runs a program of the operator's for a called table; nothing where values cannot be had again.
    package let call: Call?

    /// Given the program and identifiers, it gives the table as CSV in UTF-8.
    package typealias Call = @Sendable (_ program: NodeConfiguration.Dataset.Call, _ subjects: [String]) throws(Fault) -> [UInt8]

    /// The node's list of authorisations at one moment. What stands in it is the platform's to read.
    package struct Authority: Sendable, Hashable {
        /// Data directory of the node.
        package let directory: String
        /// So many of its lines; all of them where nothing is said.
        package let lines: Int?
        /// By the node's calendar.
        package let day: Day

        package init(directory: String, lines: Int? = nil, day: Day) {
            self.directory = directory
            self.lines = lines
            self.day = day
        }
    }

    package init(job: JobIdentifier, attempt: UInt32, specification: JobSpecification, specificationDigest: [UInt8], suite: String,
                 limits: Contract.Limits, contractDigest: [UInt8], dataset: NodeConfiguration.Dataset, model: [UInt8]?,
                 within: [UInt8]? = nil, authority: Authority? = nil, followsStricter: Bool = true,
                 scratch: any Scratch = MemoryScratch(), call: Call? = nil) {
        self.call = call
        self.job = job
        self.attempt = attempt
        self.specification = specification
        self.specificationDigest = specificationDigest
        self.suite = suite
        self.limits = limits
        self.contractDigest = contractDigest
        self.dataset = dataset
        self.model = model
        self.within = within
        self.authority = authority
        self.followsStricter = followsStricter
        self.scratch = scratch
    }
}
