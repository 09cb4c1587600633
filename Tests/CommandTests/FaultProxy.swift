import Foundation
import Glibc
import Synchronization
import Testing

/// A line that misbehaves: what connects to `port` reaches another port of this machine through it.
final class FaultProxy: Sendable {
    enum Mode: Sendable, CaseIterable {
        case pass
        /// Reads nothing more: whoever sends is held up.
        case deaf
        /// What comes back over the first line is held up; what is said over it passes.
        case oneWay
        /// Reads everything and passes nothing on: both ends believe the line to be there.
        case swallow
        /// One byte a second.
        case trickle
        /// One bit of what comes next is another.
        case flip
        /// Of each direction of a line some 30,000 bytes, then nothing: of a frame of 60,000 the beginning and not the end.
        case half
    }

    let port: Int
    private let target: Int
    private let listening: Int32
    private let state = Mutex(State())

    private struct State: Sendable {
        var mode = Mode.pass
        var sockets: Set<Int32> = []
        var connections = 0
        var carried = 0
        /// Bytes until the next cut, and from each to the one that follows.
        var left: [Int] = []
        var cuts = 0
        var isOver = false
    }

    init(to target: Int) throws {
        self.target = target
        port = try TrialLab.freePorts()
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(port, { bind(listening, $0, $1) }) == 0, listen(listening, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        Thread.detachNewThread { [self] in accept() }
    }

    /// How many have connected so far.
    var connections: Int { state.withLock(\.connections) }

    /// Bytes that were passed on so far, in both directions.
    var carried: Int { state.withLock(\.carried) }
    /// How often `cut(afterBytes:)` came about.
    var cuts: Int { state.withLock(\.cuts) }

    /// When so many more have been passed on, and so on after each cut.
    func cut(afterBytes bytes: [Int]) { state.withLock { $0.left = bytes } }

    func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Both ends of every line are closed, in the middle of whatever they say.
    func cut() { state.withLock { for socket in $0.sockets { shutdown(socket, Int32(SHUT_RDWR)) } } }

    func end() {
        state.withLock { $0.isOver = true }
        cut()
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private func accept() {
        while true {
            let near = Glibc.accept(listening, nil, nil)
            guard near >= 0 else { return }
            let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard Self.withAddress(target, { connect(far, $0, $1) }) == 0 else {
                close(near)
                close(far)
                continue
            }
            let isFirst = state.withLock {
                $0.sockets.formUnion([near, far])
                $0.connections += 1
                return $0.connections == 1
            }
            let both = Both()
            for (from, to) in [(near, far), (far, near)] {
                Thread.detachNewThread { [self] in
                    carry(from, to, isFirstAnswer: isFirst && from == far)
                    // Descriptors are given back when both directions are over, so that none is another's by then.
                    guard both.isLast else { return }
                    state.withLock { $0.sockets.subtract([near, far]) }
                    close(near)
                    close(far)
                }
            }
        }
    }

    private final class Both: Sendable {
        private let left = Mutex(2)
        var isLast: Bool { left.withLock { $0 -= 1; return $0 == 0 } }
    }

    private func carry(_ from: Int32, _ to: Int32, isFirstAnswer: Bool) {
        defer {
            shutdown(from, Int32(SHUT_RDWR))
            shutdown(to, Int32(SHUT_RDWR))
        }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var carried = 0  // of this direction of this line
        var readable = pollfd(fd: from, events: Int16(POLLIN), revents: 0)
        while true {
            // A mode that is set while nothing comes holds for what comes next.
            guard poll(&readable, 1, 100) >= 0 else { return }
            let (mode, isOver) = state.withLock { ($0.mode, $0.isOver) }
            guard !isOver, readable.revents & Int16(POLLERR | POLLNVAL) == 0 else { return }
            guard mode != .deaf, mode != .oneWay || !isFirstAnswer else {
                if readable.revents & Int16(POLLHUP) != 0 { return }
                usleep(100_000)
                continue
            }
            guard readable.revents != 0 else { continue }
            let count = recv(from, &buffer, mode == .trickle ? 1 : buffer.count, 0)
            guard count > 0 else { return }
            switch mode {
            case .swallow: continue
            case .half where carried > 24_000: continue
            case .trickle: sleep(1)
            case .flip:
                buffer[count / 2] ^= 0x10
                set(.pass)
            default: break
            }
            let (passing, isCut) = state.withLock { state -> (Int, Bool) in
                let passing = min(count, state.left.first ?? count)
                state.carried += passing
                guard let left = state.left.first else { return (passing, false) }
                guard passing == left else {
                    state.left[0] -= passing
                    return (passing, false)
                }
                state.left.removeFirst()
                state.cuts += 1
                return (passing, true)
            }
            carried += passing
            var sent = 0
            while sent < passing {
                let more = buffer[sent..<passing].withUnsafeBytes { send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard more > 0 else { return }
                sent += more
            }
            if isCut {
                cut()
                return
            }
        }
    }
}

extension TrialLab {
    /// That party is reached through a proxy; by all but one of those who dial it, if one is named.
    func proxied(_ role: String = "platform", except direct: String? = nil) throws -> FaultProxy {
        let contract = try json("bank/contract.json")
        let parties = try #require(contract["parties"] as? [[String: Any]])
        let party = try #require(parties.first { $0["role"] as? String == role })
        let port = try #require((party["address"] as? String)?.split(separator: ":").last.flatMap { Int($0) })
        let proxy = try FaultProxy(to: port)
        func move(to port: Int, _ contract: inout [String: Any]) {
            var parties = contract["parties"] as? [[String: Any]] ?? []
            for index in parties.indices where parties[index]["role"] as? String == role { parties[index]["address"] = "127.0.0.1:\(port)" }
            contract["parties"] = parties
        }
        try edit("contract.json") { move(to: proxy.port, &$0) }
        if let direct { try edit("\(direct)/contract.json") { move(to: port, &$0) } }
        return proxy
    }
}
