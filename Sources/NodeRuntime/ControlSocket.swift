import Faults
import Foundation
import Jobs
import Wire

/// What the operator of a node asks of it while it runs.
package enum ControlRequest: Sendable, Hashable {
    case jobs
    case show(JobIdentifier)
    /// Without a proof, the account that asks decides.
    case approve(JobIdentifier, proof: ApproverProof?)
    case refuse(JobIdentifier, reason: String, proof: ApproverProof?)
    /// The registered descriptions have changed.
    case publish
}

/// A person's signature under one decision about one job at one node, by the key that the contract pins.
package struct ApproverProof: Sendable, Hashable {
    /// PEM.
    package let certificate: String
    package let signature: [UInt8]

    package init(certificate: String, signature: [UInt8]) {
        self.certificate = certificate
        self.signature = signature
    }

    /// What is signed.
    package static func message(node: String, job: JobIdentifier, refusedFor reason: String?) -> [UInt8] {
        Array("JointLab decision 1\n\(node)\n\(job)\n\(reason.map { "refused\n\($0)" } ?? "approved")\n".utf8)
    }

    fileprivate var json: JSONValue {
        .object(["certificate": .text(certificate), "signature": .text(Data(signature).base64EncodedString())])
    }

    fileprivate init?(_ document: JSONValue?) {
        guard let certificate = document?["certificate"]?.string, let signature = document?["signature"]?.string.flatMap({ Data(base64Encoded: $0) }) else { return nil }
        self.init(certificate: certificate, signature: Array(signature))
    }
}

/// The local door of a running node: a Unix socket of mode 0600 in its data directory. One request, one answer, both a
/// 32-bit big-endian length and that many bytes of JSON.
package enum ControlSocket {
    static let name = "control.socket"
    static let maximumRequestBytes = 4096
    /// A specification of the longest kind, quoted.
    static let maximumAnswerBytes = JSONValue.maximumSizeBytes
    /// An end that is silent for longer is left alone.
    private static let patienceSeconds = 5

    /// - Throws: `nodeNotRunning`, or the fault with which the node answers.
    package static func ask(_ request: ControlRequest, dataDirectory: String) throws(Fault) -> JSONValue {
        let absent = Fault(.nodeNotRunning, at: dataDirectory)
        guard let descriptor = socket(in: dataDirectory, { connect($0, $1, $2) }, patienceSeconds: 60) else { throw absent }
        defer { close(descriptor) }
        guard write(Array(request.json.canonicalText().utf8), to: descriptor),
              let bytes = read(from: descriptor, atMost: maximumAnswerBytes), let answer = try? JSONValue.parse(bytes, as: "answer")
        else { throw absent }
        if let fault = answer["fault"] { throw Fault(fault) ?? absent }
        return answer
    }

    /// A socket in that directory, whose path may be longer than a socket's address: Linux resolves the open directory.
    fileprivate static func socket(in directory: String, _ place: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32,
                                   patienceSeconds: Int) -> Int32? {
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(folder)/\(name)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        setPatience(descriptor, patienceSeconds)
        return descriptor
    }

    private static func release(_ descriptor: Int32) { close(descriptor) }

    private static func setPatience(_ descriptor: Int32, _ seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    fileprivate static func write(_ body: [UInt8], to descriptor: Int32) -> Bool {
        let length = UInt32(body.count)
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) } + body
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    fileprivate static func read(from descriptor: Int32, atMost limit: Int) -> [UInt8]? {
        guard let head = exactly(4, from: descriptor) else { return nil }
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        return length <= limit ? exactly(length, from: descriptor) : nil
    }

    private static func exactly(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var held = 0
        while held < count {
            let read = bytes[held...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard read > 0 else { return nil }
            held += read
        }
        return bytes
    }

    /// Who is at the other end, as the kernel says: the name of the account, or its number.
    fileprivate static func account(of descriptor: Int32) -> String {
        // struct ucred: process, user, group
        var credentials: [UInt32] = [0, 0, 0]
        var length = socklen_t(credentials.count * 4)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return "" }
        guard let entry = getpwuid(credentials[1]) else { return "\(credentials[1])" }
        return String(cString: entry.pointee.pw_name)
    }

    /// Listens until `close`.
    package final class Listener: Sendable {
        private let descriptor: Int32
        private let directory: String

        /// The caller holds the lock of the directory, so a socket that is there already is a leftover.
        ///
        /// - Parameter answer: to whom (the account), what.
        /// - Throws: `unwritable`.
        package init(directory: String, answer: @escaping @Sendable (ControlRequest, String) throws(Fault) -> JSONValue) throws(Fault) {
            let path = directory + "/" + ControlSocket.name
            unlink(path)
            guard let descriptor = ControlSocket.socket(in: directory, { bind($0, $1, $2) }, patienceSeconds: 0), chmod(path, 0o600) == 0,
                  listen(descriptor, 16) == 0
            else { throw Fault(.unwritable, at: path) }
            self.descriptor = descriptor
            self.directory = directory
            Thread.detachNewThread {
                while true {
                    let guest = accept(descriptor, nil, nil)
                    if guest < 0 {
                        // Shut down.
                        if errno == EINVAL || errno == EBADF { break }
                        // Anything else passes, such as no descriptor left.
                        if errno != EINTR, errno != ECONNABORTED { Thread.sleep(forTimeInterval: 0.1) }
                        continue
                    }
                    ControlSocket.serve(guest, answer)
                }
                ControlSocket.release(descriptor)
            }
        }

        package func close() {
            unlink(directory + "/" + ControlSocket.name)
            // Wakes the thread, which closes it.
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    private static func serve(_ guest: Int32, _ answer: (ControlRequest, String) throws(Fault) -> JSONValue) {
        defer { close(guest) }
        setPatience(guest, patienceSeconds)
        guard let bytes = read(from: guest, atMost: maximumRequestBytes), let document = try? JSONValue.parse(bytes, as: "request"),
              let request = ControlRequest(document)
        else { return }
        let reply: JSONValue
        do throws(Fault) {
            reply = try answer(request, account(of: guest))
        } catch {
            reply = .object(["fault": error.json])
        }
        let body = Array(reply.canonicalText().utf8)
        if body.count <= maximumAnswerBytes { _ = write(body, to: guest) }
    }
}

extension ControlRequest {
    package var json: JSONValue {
        switch self {
        case .jobs: .object(["verb": .text("jobs")])
        case .publish: .object(["verb": .text("publish")])
        case .show(let job): .object(["verb": .text("show"), "job": .text("\(job)")])
        case .approve(let job, let proof):
            .object(["verb": .text("approve"), "job": .text("\(job)"), "proof": proof?.json ?? .null])
        case .refuse(let job, let reason, let proof):
            .object(["verb": .text("refuse"), "job": .text("\(job)"), "reason": .text(reason), "proof": proof?.json ?? .null])
        }
    }

    /// `nil` for anything that is no request.
    package init?(_ document: JSONValue) {
        let job = document["job"]?.string.flatMap { JobIdentifier($0) }
        switch (document["verb"]?.string, job) {
        case ("jobs", _): self = .jobs
        case ("publish", _): self = .publish
        case ("show", let job?): self = .show(job)
        case ("approve", let job?): self = .approve(job, proof: ApproverProof(document["proof"]))
        case ("refuse", let job?):
            guard let reason = document["reason"]?.string, Fault.isReason(reason) else { return nil }
            self = .refuse(job, reason: reason, proof: ApproverProof(document["proof"]))
        default: return nil
        }
    }
}

extension JSONValue {
    /// A job as the node's own verbs list it.
    static func job(_ id: JobIdentifier, _ state: String, _ specification: JobSpecification, _ since: Int,
                    waitsFor: JobSession.Wait? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "job": .text("\(id)"), "state": .text(state), "since": .integer(since), "name": .text(specification.name),
            "kind": .text(specification.kind.rawValue), "purpose": .text(specification.purpose.code),
        ]
        if let waitsFor {
            members["waits_for"] = .text(waitsFor.party)
            members["waits_since"] = .integer(waitsFor.sinceUnixSeconds)
            if waitsFor.isCut { members["cut"] = .bool(true) }
        }
        return .object(members)
    }

    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    package var string: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    package var list: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// A whole number as written.
    package var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }
}

extension Fault {
    package var json: JSONValue {
        .object(["code": .integer(code.rawValue), "place": .text(place), "arguments": .array(arguments.map { .text($0) })])
    }

    /// `nil` for what tells no fault that this program knows.
    package init?(_ document: JSONValue) {
        guard let number = document["code"]?.integer.flatMap(UInt16.init(exactly:)), let code = Code(rawValue: number) else { return nil }
        self.init(code, at: document["place"]?.string ?? "", arguments: document["arguments"]?.list.compactMap(\.string) ?? [])
    }

    /// Whether a text may go to the data scientist as the reason of a refusal: printable, of 1 to 128 bytes of UTF-8.
    package static func isReason(_ text: String) -> Bool {
        (1...Message.maximumArgumentBytes).contains(text.utf8.count) && text.contains { !$0.isWhitespace } && Message.isPrintable(text)
    }
}
