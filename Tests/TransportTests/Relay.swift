import Foundation
import Synchronization

/// Stands between two programs on this machine and keeps what passes: what a wiretap would see, without its rights.
final class Relay: Sendable {
    struct Passage: Sendable {
        /// From the dialling to the listening end.
        let isForth: Bool
        let bytes: [UInt8]
    }

    let port: Int
    private let door: Int32
    private let target: Int
    private let kept = Mutex<[Passage]>([])
    private let open = Mutex(0)

    init(to target: Int) throws {
        let door = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Foundation.bind(door, pointer, length) == 0 && Foundation.listen(door, 8) == 0 && getsockname(door, pointer, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        self.target = target
        self.door = door
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in serve() }
    }

    deinit { close(door) }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// In the order in which it passed.
    var passages: [Passage] { kept.withLock { $0 } }
    func bytes(isForth: Bool) -> Int { passages.reduce(0) { $0 + ($1.isForth == isForth ? $1.bytes.count : 0) } }
    /// Whether every connection so far has ended in both directions.
    var isQuiet: Bool { open.withLock { $0 == 0 } }

    private func serve() {
        let near = accept(door, nil, nil)
        guard near >= 0 else { return }
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(target)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else { return }
        open.withLock { $0 += 2 }
        Thread.detachNewThread { [self] in pump(far, near, isForth: false) }
        pump(near, far, isForth: true)
    }

    private func pump(_ from: Int32, _ to: Int32, isForth: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            kept.withLock { $0.append(Passage(isForth: isForth, bytes: Array(buffer[..<count]))) }
            var done = 0
            while done < count {
                let written = buffer.withUnsafeBytes { Foundation.send(to, $0.baseAddress?.advanced(by: done), count - done, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break }
                done += written
            }
        }
        shutdown(to, Int32(SHUT_WR))
        open.withLock { $0 -= 1 }
    }

    /// The passages as a capture file of one TCP connection, with headers made up.
    var capture: [UInt8] {
        var file: [UInt8] = little(UInt32(0xA1B2_C3D4)) + little(UInt16(2)) + little(UInt16(4)) + little(UInt32(0)) + little(UInt32(0))
            + little(UInt32(262_144)) + little(UInt32(101))
        var (forth, back, time) = (UInt32(1000), UInt32(2000), UInt32(0))
        func packet(_ isForth: Bool, flags: UInt8, _ data: [UInt8]) {
            let ports: [UInt16] = isForth ? [40_000, 7600] : [7600, 40_000]
            var tcp = big(ports[0]) + big(ports[1])
            tcp += big(isForth ? forth : back) + big(flags == 2 ? 0 : isForth ? back : forth)
            tcp += [0x50, flags] + big(UInt16(65_535)) + [0, 0, 0, 0]
            let hosts: [UInt8] = isForth ? [1, 2] : [2, 1]
            var ip: [UInt8] = [0x45, 0] + big(UInt16(40 + data.count)) + [0, 0, 0, 0, 64, 6, 0, 0]
            ip += [10, 0, 0, hosts[0], 10, 0, 0, hosts[1]]
            let size = little(UInt32(ip.count + tcp.count + data.count))
            file += little(UInt32(0)) + little(time) + size + size + ip + tcp + data
            time += 1
            let next = UInt32(data.count) + (flags & 2 == 2 ? 1 : 0)
            if isForth { forth += next } else { back += next }
        }
        packet(true, flags: 2, [])
        packet(false, flags: 18, [])
        packet(true, flags: 16, [])
        for passage in passages { packet(passage.isForth, flags: 24, passage.bytes) }
        return file
    }
}

private func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }
private func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
