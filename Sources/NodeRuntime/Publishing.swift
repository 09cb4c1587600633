import Faults
import Foundation
import Jobs
import Primitives
import Roles

/// What a data party's program can do with its own data and its machine; a node is given it.
package struct DataTools: Sendable {
    package typealias MakeMachine = @Sendable (RoleRequest, JobSecrets) throws(Fault) -> any RoleMachine
    package typealias Describe = @Sendable (NodeConfiguration.Dataset) throws(Fault) -> DataDescription
    package typealias Measure = @Sendable (_ suite: String, _ keyBits: Int, _ spent: @escaping (() -> Void) -> Double) -> MachineSpeed

    /// How many findings there are in the ledger at a path; nothing where it cannot be read.
    package typealias Verify = @Sendable (String) -> Int?

    /// Features of this party's half of a model; none where the bytes are no half.
    package typealias ModelFeatures = @Sendable ([UInt8]) -> [JobSpecification.Feature]

    package let makeMachine: MakeMachine
    package let describe: Describe
    let measure: Measure
    let verify: Verify
    package let modelFeatures: ModelFeatures

    package init(makeMachine: @escaping MakeMachine, describe: @escaping Describe, measure: @escaping Measure, verify: @escaping Verify,
                 modelFeatures: @escaping ModelFeatures) {
        self.modelFeatures = modelFeatures
        self.makeMachine = makeMachine
        self.describe = describe
        self.measure = measure
        self.verify = verify
    }
}

/// The descriptions of data sets that the owner has registered, in the node's data directory.
package struct DescriptionFiles: Sendable {
    private let files: JobFiles

    package init(_ files: JobFiles) { self.files = files }

    private func path(_ name: String) -> String { "descriptions/\(name).json" }

    /// - Throws: `unwritable`.
    package func keep(_ description: DataDescription, of name: String) throws(Fault) { try files.keep(description.json, at: path(name)) }

    /// - Returns: whether there was one.
    package func remove(_ name: String) throws(Fault) -> Bool {
        let file = files.directory.appendingPathComponent(path(name))
        guard FileManager.default.fileExists(atPath: file.path) else { return false }
        do {
            try FileManager.default.removeItem(at: file)
        } catch {
            throw Fault(.unwritable, at: file.path)
        }
        return true
    }

    /// Those of `names` that are there.
    package func all(_ names: some Sequence<String>) -> [String: DataDescription] {
        var found: [String: DataDescription] = [:]
        for name in names {
            guard let data = try? Data(contentsOf: files.directory.appendingPathComponent(path(name))) else { continue }
            found[name] = try? DataDescription.parse([UInt8](data))
        }
        return found
    }
}

/// This machine, and how fast it is; measured once for each program and processor.
struct MachineSurvey: Sendable {
    private let files: JobFiles
    private let retention: NodeConfiguration.Retention
    private let host: String
    private static let record = "speeds.json"

    init(_ files: JobFiles, retention: NodeConfiguration.Retention, contractDigest: [UInt8]) {
        self.files = files
        self.retention = retention
        // Says of two nodes whether they share a machine, and to nobody outside this contract anything.
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ProcessInfo.processInfo.hostName
        host = Array(SHA256.hash(Array("JointLab host ".utf8) + contractDigest + Array(boot.utf8)).prefix(16)).map { byte in
            byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        }.joined()
    }

    /// What has been measured with this program on this processor, of the first of `keyBits`.
    func known(_ suite: String, _ keyBits: [Int]) -> [MachineSpeed] {
        let file = files.directory.appendingPathComponent(Self.record)
        guard let data = try? Data(contentsOf: file), let document = try? JSONValue.parse([UInt8](data), as: "speeds"),
              document["machine"]?.string == identity(suite), let known = try? MachineSpeed.parseAll([UInt8](data)),
              known.map(\.keyBits) == Array(keyBits.prefix(known.count))
        else { return [] }
        return known
    }

    func measure(_ suite: String, _ keyBits: Int, _ measure: DataTools.Measure) -> MachineSpeed { measure(suite, keyBits, Self.spent) }

    /// Without the record the next start measures again.
    func keep(_ speeds: [MachineSpeed], _ suite: String) {
        try? files.keep(.object(["machine": .text(identity(suite)), "speeds": .array(speeds.map(\.json))]), at: Self.record)
    }

    private func identity(_ suite: String) -> String { "\(suite) \(Self.identity)" }

    func description(_ speeds: [MachineSpeed]) -> MachineDescription {
        let free = Disk.freeBytes(at: files.directory.path) ?? 0
        return MachineDescription(cores: max(1, ProcessInfo.processInfo.activeProcessorCount), freeMebibytes: max(0, free >> 20),
                                  retention: retention, host: host, speeds: speeds)
    }

    /// The program's file and the processor's model.
    private static var identity: String {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let attributes = (try? FileManager.default.attributesOfItem(atPath: path)) ?? [:]
        let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        let made = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        let processor = ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
            .split(separator: "\n").first { $0.hasPrefix("model name") }.map(String.init) ?? ""
        return "\(size) \(Int(made)) \(ProcessInfo.processInfo.activeProcessorCount) \(processor.split(separator: ":").last ?? "")"
    }

    /// All threads' processor time, so that other programs on a busy machine do not make it look slow.
    private static func spent(_ body: () -> Void) -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
        }
        let start = now()
        body()
        let spent = now() - start
        // All cores are at it: lines are served in between.
        usleep(10_000)
        return spent
    }
}
