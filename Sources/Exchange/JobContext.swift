import Faults
import Jobs
import Planning
import Roles
import Scratch
import SetIntersection
import Wire

/// What both parties know of an attempt before it starts, and how much of it follows from public counts.
package struct JobContext: Sendable {
    package let job: JobIdentifier
    package let attempt: UInt32
    package let role: Role
    package let specification: JobSpecification
    package let specificationDigest: [UInt8]
    package let contractDigest: [UInt8]
    package let suite: Suite
    package let limits: Contract.Limits
    package let scratch: any Scratch

    package init(_ request: RoleRequest, role: Role) throws(Fault) {
        guard let suite = Suite(rawValue: request.suite) else { throw Fault(.contractMismatch, at: "/suite") }
        job = request.job
        attempt = request.attempt
        self.role = role
        specification = request.specification
        specificationDigest = request.specificationDigest
        contractDigest = request.contractDigest
        self.suite = suite
        limits = request.limits
        scratch = request.scratch
    }

    /// Fractional bits of standardised columns in the clear.
    package static let columnBits = 16

    package var peerRole: Role { role.otherOwner }

    /// For faults.
    package var peerName: String { specification.party(peerRole) }

    package var minimumIntersection: Int { max(specification.population.minimumIntersection, limits.minimumIntersection) }

    /// Both sides' check of the number of common subjects. A fault goes to everyone: it does not say what the bank alone may know.
    func checkIntersection(_ count: Int) -> Fault? {
        let fault = JobLimits.checkIntersection(count: count, minimum: minimumIntersection, maximum: limits.maximumIntersection)
        guard fault != nil, specification.alignment?.reveals == .bank else { return fault }
        return Fault(.intersectionKeptBack, at: "", "\(minimumIntersection)")
    }

    /// Binds a key certificate to its party, job and attempt.
    package func certificateContext(of role: Role) -> [UInt8] {
        Array("\(job) \(attempt) \(role.rawValue)".utf8)
    }

    /// Every fault that a peer's bytes cause looks the same to the peer: this one tells the operator.
    package func fault(_ code: Fault.Code) -> Fault { Fault(code, at: peerName) }
}
