import Faults
import Ledger
import Synchronization

/// The first write to one of a node's ledgers that failed. What the disk has of it nobody can tell: a failed `fsync` may drop what
/// it was for, and the next one succeeds. So the node records, signs and sends nothing more, and stops; its operator mends the
/// disk, and jobs go on in their next attempts.
package final class Breakdown: Sendable {
    private struct State: Sendable {
        var fault: Fault?
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package var fault: Fault? { state.withLock { $0.fault } }

    /// The first is the reason.
    package func report(_ fault: Fault) {
        let stop = state.withLock { state in
            state.fault = state.fault ?? fault
            return state.stop
        }
        stop?()
    }

    /// What a ledger says of itself; that it has been written before is no breakdown.
    func report(_ error: LedgerError, at place: String) {
        if case .unwritable = error { report(Fault(.unwritable, at: place)) }
    }

    /// Serves until the task is cancelled or a ledger fails.
    ///
    /// - Throws: why the ledger failed; what `serve` throws.
    package func stopping(_ serve: @escaping @Sendable () async throws(Fault) -> Void) async throws(Fault) {
        let serving = Task { () -> Result<Void, Fault> in
            do throws(Fault) {
                try await serve()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        let isOver = state.withLock { state in
            state.stop = { serving.cancel() }
            return state.fault != nil
        }
        if isOver { serving.cancel() }
        let result = await withTaskCancellationHandler { await serving.value } onCancel: { serving.cancel() }
        if let fault { throw fault }
        try result.get()
    }
}
