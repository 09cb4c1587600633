import Faults
import Foundation
import Jobs
import Primitives
import Dispatch

/// How a node keeps on its disk what nobody may read there: keys, models, scores. With a key of the operator's these files are
/// sealed, every one of them; without, the modes of files alone protect them. Source: Protocols/specification.md, "Encryption at rest".
package struct Storage: Sendable {
    /// 32 bytes; nothing where files are plain.
    private let key: SecretBytes?
    private static let keyBytes = 32

    package static let plain = Storage(key: nil)
    /// What the files of a node's keys are, wherever they lie.
    package static let privateKey = "private key", ledgerKey = "ledger key"

    private init(key: SecretBytes?) { self.key = key }

    /// Fetches the key from where the operator keeps it.
    ///
    /// - Throws: `storageKeyUnusable`, `secretFileMode`, `unreadableFile`.
    package init(_ source: NodeConfiguration.StorageKey?) throws(Fault) {
        let text: String
        switch source {
        case nil:
            key = nil
            return
        case .file(let path): text = try Installation.readSecret(path)
        case .environment(let name): text = ProcessInfo.processInfo.environment[name] ?? ""
        case .command(let words): text = try Self.output(of: words)
        }
        let word = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let bytes = Data(base64Encoded: word), bytes.count == Self.keyBytes else {
            throw Fault(.storageKeyUnusable, at: "node.json#/storage_key", source?.word ?? "")
        }
        key = SecretBytes(copying: bytes)
    }

    package var isSealed: Bool { key != nil }

    package func seal(_ bytes: [UInt8], as name: String) -> [UInt8] { key.map { SealedFile.seal(bytes, as: name, key: $0) } ?? bytes }

    /// - Parameters:
    ///   - name: under which the file was sealed.
    ///   - place: of the file, for the fault.
    /// - Throws: `sealedFileRefused` for a file that was altered or sealed with another key or name, `storageKeyMissing` for a sealed
    ///   one without a key, `fileNotSealed` for a plain one with a key: someone may have put it there.
    package func open(_ bytes: [UInt8], as name: String, at place: String) throws(Fault) -> [UInt8] {
        guard let key else {
            guard !SealedFile.isOne(bytes) else { throw Fault(.storageKeyMissing, at: place) }
            return bytes
        }
        guard SealedFile.isOne(bytes) else { throw Fault(.fileNotSealed, at: place) }
        do {
            return try SealedFile.open(bytes, as: name, key: key)
        } catch {
            throw Fault(.sealedFileRefused, at: place)
        }
    }

    /// Whether a file is plain; one that is sealed must open.
    package func isOpen(_ path: String, as name: String) throws(Fault) -> Bool {
        let bytes = try Self.contents(path)
        guard SealedFile.isOne(bytes) else { return true }
        _ = try open(bytes, as: name, at: path)
        return false
    }

    /// Seals a plain file, and opens a sealed one, in its place.
    package func change(_ path: String, as name: String) throws(Fault) {
        let bytes = try Self.contents(path)
        if SealedFile.isOne(bytes) {
            try PrivateFile.replace(try open(bytes, as: name, at: path), at: path)
        } else {
            try PrivateFile.replaceForGood(seal(bytes, as: name), at: path)
        }
    }

    private static func contents(_ path: String) throws(Fault) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault(.unreadableFile, at: path) }
        return [UInt8](data)
    }

    /// A key's file, which only its owner may read.
    package func readSecret(_ path: String, as name: String) throws(Fault) -> String {
        try PrivateFile.requireSecret(path)
        return String(decoding: try open(try Installation.read(path), as: name, at: path), as: UTF8.self)
    }

    /// The first line that a command writes, as a key store's client does; no shell reads the words.
    private static func output(of words: [String]) throws(Fault) -> String {
        do throws(OperatorCommand.Failure) {
            return try String(decoding: OperatorCommand.output(of: words, mostBytes: 4096, seconds: 60), as: UTF8.self)
        } catch {
            throw Fault(.storageKeyUnusable, at: "node.json#/storage_key", words[0])
        }
    }
}

/// A program of the operator's that is run for what it writes. Its errors go where the node's go.
package enum OperatorCommand {
    package enum Failure: Error {
        case notRun, failed, tooLong, late

        package var phrase: Phrase {
            switch self {
            case .notRun: Phrase(en: "it cannot be run", zh: "无法运行")
            case .failed: Phrase(en: "it ended with an error", zh: "运行出错")
            case .tooLong: Phrase(en: "it wrote too much", zh: "输出过长")
            case .late: Phrase(en: "it did not end in time", zh: "超时")
            }
        }
    }

    /// - Parameters:
    ///   - words: an absolute path, and arguments as they are.
    ///   - input: what it reads.
    package static func output(of words: [String], input: [UInt8] = [], mostBytes: Int, seconds: Double) throws(Failure) -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        let (into, from) = (Pipe(), Pipe())
        process.standardInput = into
        process.standardOutput = from
        do { try process.run() } catch { throw .notRun }
        // It is the first of a group of its own: what it has started goes with it. What has a session of its own stays, and may hold
        // the output open and keep the end of the program from being seen: neither is waited for beyond the time.
        let end = { _ = kill(-process.processIdentifier, SIGKILL) }
        let deadline = ContinuousClock.now + .seconds(seconds)
        DispatchQueue.global().async {
            // A program that reads nothing is no fault.
            signal(SIGPIPE, SIG_IGN)
            try? into.fileHandleForWriting.write(contentsOf: Data(input))
            try? into.fileHandleForWriting.close()
        }
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var readable = pollfd(fd: from.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        var isOpen = true
        while isOpen, output.count <= mostBytes, ContinuousClock.now < deadline {
            guard poll(&readable, 1, 100) > 0 else { continue }
            let count = read(readable.fd, &piece, piece.count)
            isOpen = count > 0
            output += piece[..<max(count, 0)]
        }
        guard output.count <= mostBytes else {
            end()
            throw .tooLong
        }
        while process.isRunning, ContinuousClock.now < deadline { usleep(1_000) }
        guard !isOpen, !process.isRunning else {
            end()
            throw .late
        }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else { throw .failed }
        return output
    }
}

extension NodeConfiguration.StorageKey {
    /// For a fault: never the key.
    fileprivate var word: String {
        switch self {
        case .file(let path): path
        case .environment(let name): "$\(name)"
        case .command(let words): words[0]
        }
    }
}
