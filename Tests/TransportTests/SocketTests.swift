import Foundation
import Primitives
import Testing
import Transport
import Wire

/// What a line puts on its socket, seen from beside it.
@Suite("Bytes on the socket") struct SocketTests {
    /// Around the 16,384 bytes of a record, headers counted and not.
    private static let sizes = [0, 1, 300, 16_383 - 56, 16_384 - 56, 16_385 - 56, 16_384, 100_000, 1_000_000, 5]

    private struct Ends {
        let relay: Relay
        let forth: (sent: SocketCount, received: SocketCount)
        let back: (sent: SocketCount, received: SocketCount)
        let keyLog: String
    }

    /// Frames of all sizes in both directions, then the end from the dialler.
    private func converse(_ lab: Lab) async throws -> Ends {
        let (north, south) = (try lab.files(), try lab.files())
        let keyLog = try lab.write("", "keys-\(UUID().uuidString)", mode: 0o600)
        let (counts, counted) = AsyncStream.makeStream(of: (sent: SocketCount, received: SocketCount).self)
        let pin = try south.identity().pin
        let identity = try TransportIdentity(authorityFile: north.authority, certificateFile: north.certificate, privateKeyFile: north.privateKey,
                                             insecureKeyLog: keyLog)
        let listener = try await Transport.listen(at: "127.0.0.1:0", identity: identity, peer: { $0 == pin ? "south" : nil }, maximumConnections: 1) { connection in
            for _ in Self.sizes {
                guard let frame = try? await connection.receive() else { break }
                try? await connection.send(frame)
            }
            _ = try? await connection.receive()
            await connection.close()
            counted.yield(connection.traffic)
        }
        let relay = try Relay(to: listener.port)
        let connection = try await Transport.connect(to: "127.0.0.1:\(relay.port)", identity: try south.identity(), pins: [identity.pin], name: "north",
                                                     timeoutSeconds: 30)
        for (index, size) in Self.sizes.enumerated() {
            let sent = frame(bytes: size, sequence: UInt64(index))
            try await connection.send(sent)
            #expect(try await connection.receive() == sent)
        }
        await connection.close()
        let back = try #require(await counts.first { _ in true })
        await listener.close()
        for _ in 0..<600 where !relay.isQuiet { try await Task.sleep(for: .milliseconds(50)) }
        return Ends(relay: relay, forth: connection.traffic, back: back, keyLog: keyLog)
    }

    @Test("are the opening, the frames and 22 for each TLS record, to the byte, at both ends and beside them")
    func bytes() async throws {
        let ends = try await converse(Lab())
        let frames = Self.sizes.reduce(0) { $0 + Frame.headerBytes + $1 }
        for (count, isForth) in [(ends.forth.sent, true), (ends.forth.received, false), (ends.back.sent, false), (ends.back.received, true)] {
            let surplus = count.bytes - frames - 22 * count.records
            #expect(surplus == 0 || surplus == 2, "\(surplus)")
            let seen = ends.relay.bytes(isForth: isForth)
            // TLS's farewell may be left unread.
            #expect(seen == count.openingBytes + count.bytes || surplus == 0 && seen == count.openingBytes + count.bytes + 24)
            #expect(count.openingBytes > 500)
        }
        #expect(ends.forth.sent.openingBytes == ends.back.received.openingBytes && ends.forth.received.openingBytes == ends.back.sent.openingBytes)
        // The dialler ended the line: it has said farewell.
        #expect(ends.forth.sent.bytes - frames - 22 * ends.forth.sent.records == 2)
    }

    @Test("show nothing of a frame, and every frame to who holds the key log", .enabled(if: tshark != nil, "tshark is not installed"))
    func dissected() async throws {
        let lab = try Lab()
        let ends = try await converse(lab)
        let folder = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let capture = folder.appending(path: "line.pcap")
        try Data(ends.relay.capture).write(to: capture)
        let mode = try FileManager.default.attributesOfItem(atPath: ends.keyLog)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(try dissect(capture, keyLog: nil, in: folder).isEmpty)
        var expected = ["north 0"]
        for (index, size) in Self.sizes.enumerated() { expected += ["south 11 \(size) \(index)", "north 11 \(size) \(index)"] }
        #expect(try dissect(capture, keyLog: ends.keyLog, in: folder).sorted() == expected.sorted())
    }

    /// Who sent, and the status of a welcome or kind, length and sequence of a frame.
    private func dissect(_ capture: URL, keyLog: String?, in folder: URL) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let output = folder.appending(path: "out-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: try #require(tshark))
        process.arguments = ["-X", "lua_script:\(root.appending(path: "Protocols/jointlab.lua").path)", "-r", capture.path, "-Y", "jointlab", "-T", "fields"]
            + ["tcp.srcport", "jointlab.status", "jointlab.kind", "jointlab.length", "jointlab.sequence"].flatMap { ["-e", $0] }
            + (keyLog.map { ["-o", "tls.keylog_file:\($0)"] } ?? [])
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").flatMap { line -> [String] in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map { $0.split(separator: ",").map(String.init) }
            guard columns.count == 5, let port = columns[0].first else { return ["? \(line)"] }
            let sender = port == "7600" ? "north" : "south"
            return columns[1].map { "\(sender) \($0)" } + columns[2].indices.map { "\(sender) \(columns[2][$0]) \(columns[3][$0]) \(columns[4][$0])" }
        }
    }
}

private let tshark = ["/usr/bin/tshark", "/usr/local/bin/tshark"].first { FileManager.default.isExecutableFile(atPath: $0) }
