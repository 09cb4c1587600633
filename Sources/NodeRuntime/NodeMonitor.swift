import Faults
import Foundation
import Installation
import Jobs
import Primitives
import Synchronization
import Transport
import Wire

/// The node's condition for a program that watches it: Prometheus' text format 0.0.4 at `/metrics`, a word at `/healthz`.
/// Counts and times alone; no job, column or other party is named.
package final class NodeMonitor: Sendable {
    package struct Condition: Sendable {
        /// Whether jobs can begin: an arbiter listens, another node has its line to the arbiter.
        package let isReady: Bool
        /// How many jobs are in each state that is not an end.
        package let jobs: [String: Int]

        package init(isReady: Bool, jobs: [String: Int]) {
            self.isReady = isReady
            self.jobs = jobs
        }
    }

    private let role: Role
    private let configuration: NodeConfiguration
    private let certificateEnd: Date?
    private let start = Date()
    private let ended = Mutex(["completed": 0, "failed": 0])

    package init(_ configuration: NodeConfiguration, role: Role) {
        self.role = role
        self.configuration = configuration
        let text = try? Installation.read(configuration.certificate)
        certificateEnd = text.flatMap { try? Certificate(pem: String(decoding: $0, as: UTF8.self)) }?.validUntil
    }

    package func jobEnded(completed: Bool) { ended.withLock { $0[completed ? "completed" : "failed", default: 0] += 1 } }

    /// - Returns: nothing where none is configured.
    /// - Throws: `portInUse`.
    package func listen(_ condition: @escaping @Sendable () async -> Condition) async throws(Fault) -> PageListener? {
        guard let address = configuration.monitor?.description else { return nil }
        return try await PageListener.listen(at: address) { [self] path in
            switch path {
            case "/healthz":
                let isReady = await condition().isReady
                return .init(status: isReady ? 200 : 503, text: isReady ? "ok\n" : "no line to the arbiter\n")
            case "/metrics":
                return .init(type: "text/plain; version=0.0.4; charset=utf-8", text: text(await condition()))
            default:
                return nil
            }
        }
    }

    func text(_ condition: Condition) -> String {
        var lines: [String] = []
        func add(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: Double)]) {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"]
            lines += values.map { "\(name)\($0.labels.isEmpty ? "" : "{\($0.labels)}") \($0.value == $0.value.rounded() ? "\(Int($0.value))" : "\($0.value)")" }
        }
        func add(_ name: String, _ kind: String, _ help: String, _ value: Int?) {
            if let value { add(name, kind, help, [("", Double(value))]) }
        }
        func counted(_ label: String, _ counts: [String: Int]) -> [(labels: String, value: Double)] {
            counts.sorted { $0.key < $1.key }.map { ("\(label)=\"\($0.key)\"", Double($0.value)) }
        }
        add("jointlab_node_info", "gauge", "Role of the node.", [("role=\"\(role.rawValue)\",protocol=\"\(ProtocolVersion.current)\"", 1)])
        add("jointlab_ready", "gauge", "1 while jobs can begin.", condition.isReady ? 1 : 0)
        add("jointlab_jobs", "gauge", "Jobs that have not ended, by state.", counted("state", condition.jobs))
        add("jointlab_jobs_ended_total", "counter", "Jobs that have ended since the start, by outcome.", counted("outcome", ended.withLock { $0 }))
        add("jointlab_disk_free_bytes", "gauge", "Free space of the data directory.", Disk.freeBytes(at: configuration.dataDirectory))
        add("jointlab_certificate_expiry_timestamp_seconds", "gauge", "When the node's certificate ends.", certificateEnd.map { Int($0.timeIntervalSince1970) })
        add("process_start_time_seconds", "gauge", "When the node was started.", Int(start.timeIntervalSince1970))
        add("process_cpu_seconds_total", "counter", "User and system time.", [("", Self.processorSeconds)])
        add("process_resident_memory_bytes", "gauge", "Memory held.", Self.residentBytes)
        add("process_open_fds", "gauge", "Open files and sockets.", (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count)
        return lines.joined(separator: "\n") + "\n"
    }

    private static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    private static var residentBytes: Int? {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return fields.flatMap { $0.count > 1 ? Int($0[1]) : nil }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
}
