import Faults
import Foundation
import Installation
import Jobs
import Primitives
import Wire

/// What somebody who mends a node from afar wants to know, as one document that its operator reads before sending it: machine,
/// configuration, steps of `doctor`, how jobs ended, names and sizes of files. No secret, no data value, no identifier of a
/// subject, no results.
package enum SupportBundle {
    /// Files of the data directory that are listed, newest first.
    private static let mostFiles = 5_000
    private static let mostLogBytes = 1 << 20

    /// - Parameters:
    ///   - configurationFile: of the node; need not be right, for then it is what is to be mended.
    ///   - log: a file with what the node has logged; its end goes in.
    /// - Throws: `unreadableFile` for a log that is not there.
    package static func collect(_ configurationFile: String, log: String?, role: Role, program: String) async throws(Fault) -> JSONValue {
        var members: [String: JSONValue] = [
            "program": .text(program), "made": .text(Date().formatted(.iso8601)), "machine": machine,
            "steps": .array(await Doctor.examine(configurationFile, role: role).map { step in
                .object(["step": .text(step.name.en), "outcome": .text(step.outcome.rawValue), "detail": .text(step.detail.en)])
            }),
        ]
        if let bytes = try? Installation.read(configurationFile), let document = try? JSONValue.parse(bytes, as: configurationFile) {
            members["configuration"] = withoutArguments(document)
        }
        if let log { members["log"] = .array(try end(of: log).map { .text($0) }) }
        if let contractRole = Contract.Role(rawValue: role.rawValue), let bytes = try? Installation.read(configurationFile),
           let configuration = try? NodeConfiguration.parse(
               bytes, directory: URL(fileURLWithPath: configurationFile).deletingLastPathComponent().path, role: contractRole) {
            let directory = URL(fileURLWithPath: configuration.dataDirectory, isDirectory: true)
            if let contract = try? Installation.read(configuration.contract) {
                members["contract_sha256"] = .text(SHA256.hash(contract).hexadecimal)
            }
            members["jobs"] = .array(jobs(directory))
            members["files"] = .array(files(directory))
        }
        return .object(members)
    }

    /// Of programs of the operator's that the configuration names, the name alone: arguments may be secrets. Of any other list that
    /// begins with a path the paths alone, since what is to be mended may be the spelling of the member.
    private static func withoutArguments(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.first.map(isPath) == true ? elements.filter(isPath) : elements.map(withoutArguments))
        case .object(let members): .object(members.reduce(into: [:]) { kept, member in
            let isProgram = ["command", "call"].contains(member.key)
            kept[member.key] = isProgram ? .array(Array(member.value.list.prefix(1))) : withoutArguments(member.value)
        })
        default: value
        }
    }

    private static func isPath(_ value: JSONValue) -> Bool { value.string?.hasPrefix("/") == true }

    private static var machine: JSONValue {
        let information = ProcessInfo.processInfo
        func first(_ key: String, of file: String) -> String {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
            return line.map { String($0.dropFirst(key.count).drop { " \t:=\"".contains($0) }).replacing("\"", with: "") } ?? ""
        }
        return .object([
            "system": .text(first("PRETTY_NAME", of: "/etc/os-release")), "kernel": .text(information.operatingSystemVersionString),
            "processor": .text(first("model name", of: "/proc/cpuinfo")), "features": .text(first("flags", of: "/proc/cpuinfo")),
            "cores": .integer(information.activeProcessorCount), "memory_bytes": .integer(Int(clamping: information.physicalMemory)),
            "uptime_seconds": .integer(Int(information.systemUptime)),
        ])
    }

    /// The last whole lines of a text.
    private static func end(of path: String) throws(Fault) -> [String] {
        guard let handle = FileHandle(forReadingAtPath: path), let length = try? handle.seekToEnd() else { throw Fault(.unreadableFile, at: path) }
        let start = length > UInt64(mostLogBytes) ? length - UInt64(mostLogBytes) : 0
        guard (try? handle.seek(toOffset: start)) != nil, let data = try? handle.readToEnd() ?? Data() else { throw Fault(.unreadableFile, at: path) }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        return start > 0 ? Array(lines.dropFirst()) : lines
    }

    /// Of completed jobs how long they took and how much crossed; nothing that was found out by them.
    private static func jobs(_ directory: URL) -> [JSONValue] {
        let folder = directory.appendingPathComponent("jobs")
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { JobIdentifier($0) != nil }.sorted()
        return names.map { job in
            var members: [String: JSONValue] = ["job": .text(job)]
            let file = folder.appendingPathComponent("\(job)/report.json").path
            if let bytes = try? Installation.read(file), let report = try? JSONValue.parse(bytes, as: file) {
                for key in ["kind", "finished", "rounds", "seconds", "bytes"] { members[key] = report[key] }
            }
            return .object(members)
        }
    }

    private static func files(_ directory: URL) -> [JSONValue] {
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey, .contentModificationDateKey]
        guard let walk = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: Array(keys)) else { return [] }
        var found: [(path: String, bytes: Int, changed: Date)] = []
        for case let file as URL in walk {
            guard let values = try? file.resourceValues(forKeys: keys), values.isRegularFile == true else { continue }
            found.append((file.path, values.fileSize ?? 0, values.contentModificationDate ?? .distantPast))
        }
        return found.sorted { ($0.changed, $0.path) > ($1.changed, $1.path) }.prefix(mostFiles).map { file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
            let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
            return .object([
                "path": .text(String(file.path.dropFirst(directory.path.count + 1))), "bytes": .integer(file.bytes),
                "changed": .text(file.changed.formatted(.iso8601)), "mode": .text(String(mode, radix: 8)),
            ])
        }
    }
}
