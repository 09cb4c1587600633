import Faults
import Foundation
import NIOCore
import NIOSSL
import Primitives
import Testing
import Transport
import Wire

/// Who gets in, and what everyone else is told.
@Suite(.timeLimit(.minutes(1))) struct HandshakeTests {
    private let lab: Lab
    private let north: Lab.Files
    private let south: Lab.Files

    init() throws {
        lab = try Lab()
        north = try lab.files()
        south = try lab.files()
    }

    private func connect(_ files: Lab.Files, to listening: Listening, pin: String? = nil) async throws(Fault) -> Connection {
        let identity: TransportIdentity
        do {
            identity = try files.identity()
        } catch {
            throw error as? Fault ?? Fault(.defect)
        }
        return try await Transport.connect(
            to: listening.address, identity: identity, pins: [pin ?? listening.pin], name: "north", timeoutSeconds: 5)
    }

    @Test("a pin is the SHA-256 of the certificate's public key")
    func pins() throws {
        let pem = try String(contentsOfFile: north.certificate, encoding: .utf8)
        let digest = try Certificate(pem: pem).spkiSHA256
        #expect(try north.identity().pin == digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    @Test("a client of another authority is refused, and told so when it connects")
    func clientOfAnotherAuthority() async throws {
        let other = try CertificateAuthority.make(name: "Other authority", validDays: 2)
        let stranger = try lab.files(of: other)
        let listening = try await Listening(north, admitting: [try stranger.identity().pin])
        #expect(await fault { () async throws(Fault) in try await connect(stranger, to: listening) } == Fault(.certificateRefused, at: "north"))
        #expect(await listening.refusal()?.code == .certificateRefused)
        await listening.listener.close()
    }

    @Test("a server of another authority is refused even with the right pin")
    func serverOfAnotherAuthority() async throws {
        let other = try CertificateAuthority.make(name: "Other authority", validDays: 2)
        let listening = try await Listening(try lab.files(of: other), admitting: [try south.identity().pin])
        #expect(await fault { () async throws(Fault) in try await connect(south, to: listening) } == Fault(.certificateRefused, at: "north"))
        #expect(await listening.refusal()?.code == .certificateRefused)
        await listening.listener.close()
    }

    @Test("a client with a certificate of the authority and another key is refused")
    func clientNotPinned() async throws {
        let listening = try await Listening(north, admitting: [try lab.files().identity().pin])
        #expect(await fault { () async throws(Fault) in try await connect(south, to: listening) } == Fault(.certificateRefused, at: "north"))
        #expect(await listening.refusal()?.code == .pinMismatch)
        await listening.listener.close()
    }

    @Test("a server with a certificate of the authority and another key is refused")
    func serverNotPinned() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin])
        let wrong = try lab.files().identity().pin
        #expect(await fault { () async throws(Fault) in try await connect(south, to: listening, pin: wrong) } == Fault(.pinMismatch, at: "north"))
        await listening.listener.close()
    }

    @Test("certificates outside their dates are refused on either side", arguments: [(-7200.0, -3600.0), (3600.0, 7200.0)])
    func dates(_ from: TimeInterval, _ until: TimeInterval) async throws {
        let untimely = try lab.files(from: from, until: until)
        let toGood = try await Listening(north, admitting: [try untimely.identity().pin])
        #expect(await fault { () async throws(Fault) in try await connect(untimely, to: toGood) } == Fault(.certificateRefused, at: "north"))
        #expect(await toGood.refusal()?.code == .certificateRefused)
        await toGood.listener.close()

        let toUntimely = try await Listening(untimely, admitting: [try south.identity().pin])
        #expect(await fault { () async throws(Fault) in try await connect(south, to: toUntimely) } == Fault(.certificateRefused, at: "north"))
        await toUntimely.listener.close()
    }

    @Test("a client that speaks no TLS later than 1.2 is refused")
    func clientOfOldVersion() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin])
        let old = try await RawPeer.connect(port: listening.listener.port, try south.configuration(client: true, versions: 12...12))
        #expect(try await old.answer().isEmpty)
        #expect(await listening.refusal()?.code == .certificateRefused)
        await listening.listener.close()
    }

    @Test("a server that speaks no TLS later than 1.2 is refused")
    func serverOfOldVersion() async throws {
        let server = try await RawPeer.listen(try north.configuration(client: false, versions: 12...12))
        let identity = try south.identity()
        let pin = try north.identity().pin
        let port = server.localAddress?.port ?? 0
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [pin], name: "north", timeoutSeconds: 5)
        } == Fault(.certificateRefused, at: "north"))
        try await server.close()
    }

    @Test("a client without a certificate is refused")
    func clientWithoutCertificate() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin])
        var configuration = try south.configuration(client: true)
        configuration.certificateChain = []
        configuration.privateKey = nil
        let client = try await RawPeer.connect(port: listening.listener.port, configuration)
        #expect(try await client.answer().isEmpty)
        #expect(await listening.refusal()?.code == .certificateRefused)
        await listening.listener.close()
    }

    @Test("a client that does not speak TLS is refused")
    func clientWithoutTLS() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin])
        let client = try await RawPeer.connect(port: listening.listener.port)
        try await client.send(Array("GET / HTTP/1.1\r\nHost: north\r\n\r\n".utf8))
        _ = try await client.answer()
        #expect(await listening.refusal()?.code == .certificateRefused)
        await listening.listener.close()
    }

    @Test("a client that says nothing is dropped at the deadline of the handshake")
    func silentClient() async throws {
        let listening = try await Listening(north, admitting: [], handshakeSeconds: 1)
        let client = try await RawPeer.connect(port: listening.listener.port)
        #expect(try await client.answer().isEmpty)
        #expect(await listening.refusal()?.code == .deadlinePassed)
        await listening.listener.close()
    }

    @Test("silent clients take no peer's place, and no more than some are waited for")
    func silentCrowd() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin], maximumConnections: 1)
        for _ in 0..<63 { _ = try await RawPeer.connect(port: listening.listener.port) }
        let connection = try await connect(south, to: listening)
        _ = try await RawPeer.connect(port: listening.listener.port)
        _ = try await RawPeer.connect(port: listening.listener.port)
        #expect(await listening.refusal()?.code == .overloaded)
        await connection.close()
        await listening.listener.close()
    }

    @Test("a server that says nothing is given up at the deadline, before and after its handshake", arguments: [false, true])
    func silentServer(speaksTLS: Bool) async throws {
        let server = try await RawPeer.listen(speaksTLS ? try north.configuration(client: false) : nil)
        let identity = try south.identity()
        let pin = try north.identity().pin
        let port = server.localAddress?.port ?? 0
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [pin], name: "north", timeoutSeconds: 1)
        } == Fault(.deadlinePassed, at: "north", "1"))
        try await server.close()
    }

    @Test("a server that hangs up during the handshake is a lost peer, not a refused certificate")
    func serverHangsUp() async throws {
        let server = try await RawPeer.listen(hangingUp: true)
        let identity = try south.identity()
        let port = server.localAddress?.port ?? 0
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [""], name: "north", timeoutSeconds: 5)
        } == Fault(.peerLost, at: "north"))
        try await server.close()
    }

    @Test("a server whose welcome is something else is refused")
    func otherWelcome() async throws {
        let server = try await RawPeer.listen(try north.configuration(client: false), greeting: Array("SSH-2.0-x".utf8))
        let identity = try south.identity()
        let pin = try north.identity().pin
        let port = server.localAddress?.port ?? 0
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [pin], name: "north", timeoutSeconds: 5)
        } == Fault(.malformedFrame, at: "north"))
        try await server.close()
    }

    @Test("a server of another version of the protocol is refused by that, and so is one that names none")
    func otherVersion() async throws {
        let identity = try south.identity()
        let pin = try north.identity().pin
        for (greeting, expected) in [
            ("JL01\0\0\0\0", Fault(.versionMismatch, at: "north", "1", "2")), ("JL03\0\0\0\0", Fault(.versionMismatch, at: "north", "3", "2")),
            ("JL0x\0\0\0\0", Fault(.malformedFrame, at: "north")), ("JX01\0\0\0\0", Fault(.malformedFrame, at: "north")),
        ] {
            let server = try await RawPeer.listen(try north.configuration(client: false), greeting: Array(greeting.utf8))
            let port = server.localAddress?.port ?? 0
            #expect(await fault { () async throws(Fault) in
                try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [pin], name: "north", timeoutSeconds: 5)
            } == expected)
            try await server.close()
        }
        #expect(ProtocolVersion.named(by: Frame.magic) == ProtocolVersion.current)
    }

    @Test("either of two keys opens a line, in both directions")
    func twoKeys() async throws {
        let other = try lab.files()
        let listening = try await Listening(north, admitting: [try south.identity().pin, try other.identity().pin])
        for files in [south, other] {
            let connection = try await Transport.connect(
                to: listening.address, identity: try files.identity(), pins: [String(repeating: "0", count: 64), listening.pin], name: "north",
                timeoutSeconds: 5)
            await connection.close()
        }
        await listening.listener.close()
    }

    @Test("connecting can be cancelled")
    func cancelledConnect() async throws {
        let server = try await RawPeer.listen()
        let identity = try south.identity()
        let port = server.localAddress?.port ?? 0
        let dialling = Task {
            await fault { () async throws(Fault) in
                try await Transport.connect(to: "127.0.0.1:\(port)", identity: identity, pins: [""], name: "north", timeoutSeconds: 60)
            }
        }
        try await Task.sleep(for: .milliseconds(20))
        dialling.cancel()
        #expect(await dialling.value == Fault(.cancelled))
        try await server.close()
    }

    @Test("a peer beyond the maximum is told that there is no room, and gets in when there is")
    func overloaded() async throws {
        let listening = try await Listening(north, admitting: [try south.identity().pin], maximumConnections: 1)
        let first = try await connect(south, to: listening)
        #expect(await fault { () async throws(Fault) in try await connect(south, to: listening) } == Fault(.overloaded, at: "north"))
        await first.close()
        #expect(await listening.refusal()?.code == .overloaded)
        // The place is free again once the handler has returned.
        var second: Connection?
        while second == nil { second = try? await connect(south, to: listening) }
        await second?.close()
        await listening.listener.close()
    }

    @Test("a peer that has as many lines as one may have is told that there is no room, keeps nobody else out, and gets in when there is")
    func greedy() async throws {
        let other = try lab.files()
        let listening = try await Listening(north, admitting: [try south.identity().pin, try other.identity().pin], maximumConnections: 4, perPeer: 2)
        let lines = [try await connect(south, to: listening), try await connect(south, to: listening)]
        #expect(await fault { () async throws(Fault) in try await connect(south, to: listening) } == Fault(.overloaded, at: "north"))
        #expect(await listening.refusal()?.code == .overloaded)
        let others = [try await connect(other, to: listening), try await connect(other, to: listening)]
        await lines[0].close()
        var again: Connection?
        while again == nil { again = try? await connect(south, to: listening) }
        for line in [lines[1], again].compactMap(\.self) + others { await line.close() }
        await listening.listener.close()
    }

    @Test("an address where nobody listens, and one that is none, are unreachable", arguments: [nil, "north", "127.0.0.1:0", "127.0.0.1:65536", ":1", "north.invalid:7000"])
    func deadAddresses(_ address: String?) async throws {
        let identity = try south.identity()
        let listening = try await Listening(north, admitting: [])
        let free = listening.address
        await listening.listener.close()
        let target = address ?? free
        #expect(await fault { () async throws(Fault) in
            try await Transport.connect(to: target, identity: identity, pins: [""], name: "north", timeoutSeconds: 5)
        } == Fault(.peerUnreachable, at: "north", target))
    }

    @Test("a port in use, and an address that is not this machine's, cannot be listened at")
    func portInUse() async throws {
        let identity = try north.identity()
        let listening = try await Listening(north, admitting: [])
        for address in [listening.address, "192.0.2.1:0", "nowhere", "127.0.0.1:70000"] {
            #expect(await fault { () async throws(Fault) in
                try await Transport.listen(at: address, identity: identity, peer: { _ in nil }, maximumConnections: 1) { _ in }
            } == Fault(.portInUse, at: address))
        }
        await listening.listener.close()
    }

    @Test("a key that others can read is refused", arguments: [0o640, 0o604, 0o660, 0o644])
    func keyMode(_ mode: Int) throws {
        let files = try lab.files(mode: mode)
        #expect(throws: Fault(.secretFileMode, at: files.privateKey)) { try files.identity() }
    }

    @Test("missing, damaged and mismatched files are named")
    func files() throws {
        let rubbish = try lab.write("rubbish", "rubbish.pem", mode: 0o600)
        let absent = north.privateKey + ".absent"
        #expect(throws: Fault(.unreadableFile, at: absent)) {
            try TransportIdentity(authorityFile: absent, certificateFile: north.certificate, privateKeyFile: north.privateKey)
        }
        #expect(throws: Fault(.unreadableFile, at: rubbish)) {
            try TransportIdentity(authorityFile: rubbish, certificateFile: north.certificate, privateKeyFile: north.privateKey)
        }
        #expect(throws: Fault(.unreadableFile, at: rubbish)) {
            try TransportIdentity(authorityFile: north.authority, certificateFile: rubbish, privateKeyFile: north.privateKey)
        }
        #expect(throws: Fault(.unreadableFile, at: absent)) {
            try TransportIdentity(authorityFile: north.authority, certificateFile: north.certificate, privateKeyFile: absent)
        }
        #expect(throws: Fault(.unreadableFile, at: rubbish)) {
            try TransportIdentity(authorityFile: north.authority, certificateFile: north.certificate, privateKeyFile: rubbish)
        }
        #expect(throws: Fault(.certificateRefused, at: north.certificate)) {
            try TransportIdentity(authorityFile: north.authority, certificateFile: north.certificate, privateKeyFile: south.privateKey)
        }
    }
}
