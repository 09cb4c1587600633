import Faults

/// What a node's program starts and stops.
package protocol ServingNode: Sendable {
    /// Serves until the task is cancelled, or until a ledger cannot be written.
    func serve() async throws(Fault)
    /// Finishes what is in hand, before `serve` is cancelled; nothing new is taken up.
    func drain() async
}
