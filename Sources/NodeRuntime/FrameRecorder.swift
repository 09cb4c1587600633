import Faults
import Foundation
import Synchronization
import Wire

/// Keeps every frame of a job as it crossed, one file for each line and direction, frames one behind the other.
///
///     frames/JOB/PEER.sent   frames/JOB/PEER.received
///
/// Frames of no job are not kept: they say only that a node is up.
package final class FrameRecorder: Sendable {
    package enum Direction: String, Sendable { case sent, received }

    private let directory: URL
    private let files = Mutex<[String: FileHandle]>([:])

    package init(directory: URL) {
        self.directory = directory
    }

    func record(_ frame: Frame, _ direction: Direction, line: String) throws(Fault) {
        guard frame.job != .none else { return }
        let name = "\(frame.job)/\(line).\(direction.rawValue)"
        do {
            try files.withLock { files in
                let file = try files[name] ?? open(name)
                files[name] = file
                try file.write(contentsOf: frame.encodeHeader())
                try file.write(contentsOf: frame.payload)
            }
        } catch {
            throw Fault(.unwritable, at: "frames")
        }
    }

    private func open(_ name: String) throws -> FileHandle {
        let url = directory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
                                                attributes: [.posixPermissions: 0o700])
        guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw Fault(.unwritable, at: "frames")
        }
        return try FileHandle(forWritingTo: url)
    }

    /// The job is over: its files are closed.
    func close(_ job: JobIdentifier) {
        files.withLock { files in
            for name in files.keys where name.hasPrefix("\(job)/") {
                try? files.removeValue(forKey: name)?.close()
            }
        }
    }
}
