import Faults
import Installation
import Jobs
import Logging
import NodeRuntime
import Roles
import Testing
import Wire

/// Data nodes of a lab within the test, with machines of the test's in place of the roles.
struct InProcessNodes {
    private let lab: TrialLab
    private let tasks: [Task<Void, any Error>]

    /// - Parameters:
    ///   - measuring: what goes before each measurement of the machine.
    ///   - mostRecords: that a job's ledger takes from the arbiter.
    init(_ lab: TrialLab, of roles: [Role] = [.platform, .bank], measuring: @escaping @Sendable (Role) -> Void = { _ in },
         mostRecords: UInt64 = LedgerBook.mostRecords, _ makeMachine: @escaping @Sendable (Role) -> any RoleMachine) throws {
        self.lab = lab
        tasks = try roles.map { role in
            let name = role.rawValue
            let log = NodeLog(Logger(label: name) { _ in SwiftLogNoOpLogHandler() }, .en)
            let tools = DataTools.none(measuring: { measuring(role) }, makeMachine: { _, _ in makeMachine(role) })
            let node = try DataNode(try Installation.node(lab.path("\(name)/node.json"), role: role), role: role, log: log, tools: tools, mostRecords: mostRecords)
            return Task { try await node.serve() }
        }
    }

    func cancel() { tasks.forEach { $0.cancel() } }

    /// The job's id; refused until both nodes have registered.
    func submit(_ change: (inout [String: Any]) -> Void = { _ in }) async throws -> String {
        let specification = try lab.specification("spec", change)
        var run = try await lab.job("submit", specification)
        for _ in 0..<100 where run.code != 0 {
            try await Task.sleep(for: .milliseconds(100))
            run = try await lab.job("submit", specification)
        }
        try #require(run.code == 0, "\(run.errors)")
        return run.output.split(separator: "\n").first.map(String.init) ?? ""
    }
}

extension DataTools {
    /// Of a node that is given nothing to do with data.
    static func none(measuring: @escaping @Sendable () -> Void = {},
                     makeMachine: @escaping MakeMachine = { _, _ throws(Fault) in throw Fault(.defect, at: "machine") }) -> DataTools {
        DataTools(makeMachine: makeMachine, describe: { _ throws(Fault) in throw Fault(.defect, at: "describe") },
                  measure: { _, keyBits, _ in
                      measuring()
                      return MachineSpeed(keyBits: keyBits, key: 1, encryption: 1, loading: 1, combination: 1, bucket: 1, publicEncryption: 1,
                                          decryption: 1, blinding: 1, doubling: 1, checking: 1, mebibyte: 1)
                  }, verify: { _ in nil }, modelFeatures: { _ in [] })
    }
}
