import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Synchronization
import Wire

/// The owner's consent to jobs: by its configuration, or by a person through the node's local door. No data are read for a
/// job before its owner has consented. Source: Protocols/specification.md, "Approval".
final class Approvals: Sendable {
    private let policy: NodeConfiguration.Approval
    private let node: String
    private let people: [Contract.Person]
    private let files: JobFiles
    private let operations: Operations
    private let waiting = Mutex<[JobIdentifier: Waiting]>([:])
    private let settling = Mutex(())

    struct Waiting: Sendable {
        let specification: JobSpecification
        fileprivate let attempt: UInt32
        let sinceUnixSeconds: Int
        fileprivate let decision: AsyncStream<Decision>.Continuation
    }

    fileprivate struct Decision: Sendable {
        let approver: String
        /// Why not.
        let reason: String?
    }

    init(_ policy: NodeConfiguration.Approval, node: String, people: [Contract.Person], files: JobFiles, operations: Operations) {
        self.policy = policy
        self.node = node
        self.people = people
        self.files = files
        self.operations = operations
    }

    /// Returns who consented, or nothing when the job ended meanwhile. A person's consent to a job that was interrupted holds
    /// for the next attempt at the same.
    ///
    /// - Throws: `refusedByApprover` with the reason; `unexpectedMessage` for an attempt that there cannot be.
    func consent(to specification: JobSpecification, _ job: JobIdentifier, attempt: UInt32, onWait: () -> Void) async throws(Fault) -> String? {
        guard (1...JobIdentifier.mostAttempts).contains(attempt) else { throw Fault(.unexpectedMessage, at: "\(job)") }
        if policy.consents(to: specification) {
            try operations.record(.jobApproved, by: .configuration, job: job, purpose: specification.purpose.code)
            try keep(job, specification, by: "configuration", attempt: attempt, reason: nil)
            return "configuration"
        }
        if attempt > 1, let earlier = consent(to: job.previous, attempt: attempt - 1, specification) {
            try operations.record(.jobApproved, by: .configuration, job: job, purpose: specification.purpose.code, object: "\(job.previous)")
            try keep(job, specification, by: earlier, attempt: attempt, reason: nil)
            return earlier
        }
        let (stream, continuation) = AsyncStream<Decision>.makeStream()
        waiting.withLock { waiting in
            waiting[job] = Waiting(specification: specification, attempt: attempt, sinceUnixSeconds: Int(Date().timeIntervalSince1970),
                                   decision: continuation)
        }
        onWait()
        for await decision in stream {
            if let reason = decision.reason { throw Fault(.refusedByApprover, at: node, reason) }
            return decision.approver
        }
        return nil
    }

    /// Where the contract names approvers of this node, one of them has to sign the decision; otherwise the account decides.
    ///
    /// - Throws: `notAwaitingApproval`; `notPermitted` for a key that is no approver's of this node, or a wrong signature;
    ///   `approverNotProven` without one; `unwritable`.
    func decide(_ job: JobIdentifier, by proof: ApproverProof?, account: String, reason: String? = nil) throws(Fault) {
        guard let open = waiting.withLock({ $0[job] }) else { throw Fault(.notAwaitingApproval, at: "", "\(job)") }
        let approvers = people.filter { $0.role == .approver && ($0.party == nil || $0.party == node) }
        var name: String?
        if let proof {
            guard let certificate = try? Certificate(pem: proof.certificate) else { throw Fault(.notPermitted, at: "--as") }
            try certificate.requireTimely(at: "--as")
            guard let approver = approvers.first(where: { $0.presentPins.contains(certificate.spkiSHA256.hexadecimal) }),
                  certificate.hasSigned(ApproverProof.message(node: node, job: job, refusedFor: reason), proof.signature)
            else { throw Fault(.notPermitted, at: "--as \(certificate.commonName)") }
            name = approver.name
        } else if !approvers.isEmpty {
            throw Fault(.approverNotProven, at: node, approvers.map(\.name).joined(separator: ", "))
        }
        try operations.record(reason == nil ? .jobApproved : .jobRefused, by: name.map { .approver($0) } ?? .account(account), job: job,
                              purpose: open.specification.purpose.code,
                              object: reason.map { _ in "\(Fault.Code.refusedByApprover.rawValue)" })
        // Whoever takes it from the list decides: of two at once, one.
        try keep(job, open.specification, by: name ?? account, account: account, attempt: open.attempt, reason: reason)
        guard waiting.withLock({ $0.removeValue(forKey: job) }) != nil else { throw Fault(.notAwaitingApproval, at: "", "\(job)") }
        open.decision.yield(Decision(approver: name ?? account, reason: reason))
        open.decision.finish()
    }

    /// What was approved has to be allowed still: one job after the other, for consents count in each other's quotas. A consent to what
    /// is not is taken back, and counts no more.
    ///
    /// - Throws: what `check` throws.
    func settle<Value: Sendable>(_ job: JobIdentifier, _ check: () throws(Fault) -> Value) throws(Fault) -> Value {
        try settling.withLock { _ throws(Fault) in
            do throws(Fault) {
                return try check()
            } catch {
                if case .object(let members)? = files.approval(job) {
                    try? files.keep(.object(members.merging(["decision": .text("withdrawn")]) { $1 }), at: "approvals/\(job).json")
                }
                throw error
            }
        }
    }

    func end(_ job: JobIdentifier) { waiting.withLock { $0.removeValue(forKey: job) }?.decision.finish() }

    func endAll() {
        for open in waiting.withLock({ waiting in
            defer { waiting = [:] }
            return Array(waiting.values)
        }) { open.decision.finish() }
    }

    var all: [JobIdentifier: Waiting] { waiting.withLock { $0 } }

    /// Who consented to that attempt at the same specification, unless it was completed here.
    private func consent(to job: JobIdentifier, attempt: UInt32, _ specification: JobSpecification) -> String? {
        guard files.report("\(job)") == nil, let record = files.approval(job), record["decision"]?.string == "approved",
              record["attempt"]?.integer == Int(attempt), record["specification"]?.string == specification.digest
        else { return nil }
        return record["by"]?.string
    }

    private func keep(_ job: JobIdentifier, _ specification: JobSpecification, by name: String, account: String? = nil, attempt: UInt32,
                      reason: String?) throws(Fault) {
        var members: [String: JSONValue] = [
            "job": .text("\(job)"), "name": .text(specification.name), "by": .text(name), "decision": .text(reason == nil ? "approved" : "refused"),
            "at": .text(Date().formatted(.iso8601)), "attempt": .integer(attempt), "specification": .text(specification.digest),
        ]
        if let account { members["account"] = .text(account) }
        if let reason { members["reason"] = .text(reason) }
        try files.keep(JSONValue.object(members), at: "approvals/\(job).json")
    }
}

extension JobSpecification {
    fileprivate var digest: String { SHA256.hash(Array(canonicalJSON().utf8)).hexadecimal }
}
