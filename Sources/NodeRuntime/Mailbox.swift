import Faults
import Roles
import Wire

/// What has arrived for one job, by line: a machine takes from the lines that it listens to, and whoever delivers waits
/// while a line's few places are taken.
actor Mailbox {
    private static let places = 2

    private var queues: [LineEnd: [Message]] = [:]
    private var delivering: [LineEnd: [CheckedContinuation<Void, Never>]] = [:]
    private var waiting: CheckedContinuation<Void, Never>?
    private var changed = false
    private var ending: Fault?
    private var closed: [LineEnd: Fault] = [:]
    /// The peer has ended the job, whether or not the machine has been given its abort.
    private(set) var abort: Fault?
    private var heads: LedgerHeads?
    private var signatures: HeadSignatures?

    /// Returns once there is a place, or the job is over.
    func deliver(_ message: Message, from end: LineEnd) async {
        while ending == nil, queues[end, default: []].count >= Mailbox.places {
            await withCheckedContinuation { delivering[end, default: []].append($0) }
        }
        guard ending == nil else { return }
        queues[end, default: []].append(message)
        notify()
    }

    func note(abort: Fault) {
        self.abort = abort
        notify()
    }

    /// Heads and signatures of a checkpoint go by the side: machines know nothing of ledgers.
    func deliver(_ heads: LedgerHeads) {
        self.heads = heads
        notify()
    }

    func deliver(_ signatures: HeadSignatures) {
        self.signatures = signatures
        notify()
    }

    /// Throws why the job is over.
    func check() throws(Fault) {
        if let ending { throw ending }
    }

    func takeHeads() throws(Fault) -> LedgerHeads? {
        if let ending { throw ending }
        if heads == nil, let fault = abort ?? (queues[.peer, default: []].isEmpty ? closed[.peer] : nil) { throw fault }
        defer { heads = nil }
        return heads
    }

    func takeSignatures() throws(Fault) -> HeadSignatures? {
        if let ending { throw ending }
        defer { signatures = nil }
        return signatures
    }

    /// Ends the job from outside; the first reason stands.
    func end(_ fault: Fault) {
        ending = ending ?? fault
        release()
        notify()
    }

    /// Nothing more will come from that end: said once everything that did come has been taken.
    func close(_ end: LineEnd, _ fault: Fault) {
        closed[end] = fault
        notify()
    }

    /// Something that the job may be waiting for has changed.
    func notify() {
        changed = true
        waiting?.resume()
        waiting = nil
    }

    func take(from ends: Set<LineEnd>) throws(Fault) -> (message: Message, end: LineEnd)? {
        if let ending { throw ending }
        for end in [LineEnd.arbiter, .peer] where ends.contains(end) {
            guard var queue = queues[end], !queue.isEmpty else {
                if let fault = closed[end] { throw fault }
                continue
            }
            let message = queue.removeFirst()
            queues[end] = queue
            delivering.removeValue(forKey: end)?.forEach { $0.resume() }
            return (message, end)
        }
        return nil
    }

    /// Returns at the next `notify`, or at once if there was one since the last wait.
    func wait() async {
        guard !changed else {
            changed = false
            return
        }
        await withCheckedContinuation { waiting = $0 }
        changed = false
    }

    private func release() {
        for continuation in delivering.values.joined() { continuation.resume() }
        delivering = [:]
    }
}
