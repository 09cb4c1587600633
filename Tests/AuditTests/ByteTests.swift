import Audit
import Faults
import Foundation
import Ledger
import Testing
import Wire

@Suite("Bytes on the socket") struct ByteTests {
    private let name = LedgerFile.bytes("credit")

    private func rules(connections: UInt64 = 1, _ change: (inout ByteAccount.Flow) -> Void) throws -> (alone: Set<Rule>, beside: Set<Rule>) {
        let sample = try Sample(Sample.script(rounds: 1))
        let account = try #require(ByteAccount(decoding: try sample.bytes(.bank, name)))
        var (sent, received) = (account.sent, account.received)
        (sent.connections, received.connections) = (connections, connections)
        change(&sent)
        try sample.write(ByteAccount(sent: sent, received: received).encode(), .bank, name)
        return (try sample.verify().rules, try sample.reconcile([.bank, .platform]).rules)
    }

    @Test("are told of a job that was completed, and hold at both ends")
    func intact() throws {
        let sample = try Sample()
        let facts = try sample.verify().facts.map(\.en)
        #expect(facts.contains { $0.contains("bytes on the socket in") })
        #expect(try sample.verify(.platform).holds && sample.reconcile().holds)
    }

    @Test("that no frame accounts for are found, were it one, and so are frames without bytes")
    func mismatch() throws {
        for surplus in [1, 3, 22, 24, 44, 1000] as [UInt64] {
            #expect(try rules { $0.socket_bytes += surplus }.alone == [.bytes], "\(surplus)")
        }
        #expect(try rules { $0.socket_bytes -= 3 }.alone == [.bytes])
        #expect(try rules { $0.tls_records += 1 }.alone == [.bytes])
        #expect(try rules { $0.frame_bytes += 40; $0.socket_bytes += 40 }.alone == [.bytes])
        #expect(try rules { $0.frames += 1 }.alone == [.bytes])
        #expect(try rules { $0.head_frames += 1; $0.frames += 1 }.alone == [.bytes])
        #expect(try rules { $0.head_bytes = .max >> 12 }.alone == [.bytes])
        #expect(try rules { $0.tls_records = 1; $0.socket_bytes = $0.frame_bytes + 22 }.alone == [.bytes])
    }

    @Test("are held against the other end's count")
    func compared() throws {
        // The opening follows from nothing: one ledger does not show it.
        let found = try rules { $0.opening_bytes += 1 }
        #expect(found.alone.isEmpty && found.beside == [.bytes])
    }

    @Test("of a line that was cut hold within what a cut can send twice or lose, and its frames to the byte")
    func cut() throws {
        for (bytes, isHeld) in [(1000, true), (20 << 20, true), (22 << 20, false), (-22, true), (-23, false)] as [(Int64, Bool)] {
            let found = try rules(connections: 2) {
                $0.socket_bytes = UInt64(Int64($0.socket_bytes) + bytes - ($0.surplusBytes == 2 ? 2 : 0))
            }
            #expect(found.alone.isEmpty == isHeld, "\(bytes)")
            // What a cut sends twice or loses is counted at one end: beside each other only the frames are.
            #expect(found.beside.isEmpty, "\(bytes)")
        }
        #expect(try rules(connections: 2) { $0.frame_bytes += 40; $0.socket_bytes += 40 }.alone == [.bytes])
        #expect(try rules(connections: 2) { $0.frames += 1 }.beside == [.bytes])
        #expect(try rules(connections: .max >> 12) { $0.socket_bytes += 22 << 20 }.alone == [.bytes])
        // A line has its connections in both directions.
        #expect(try rules { $0.connections = 2 }.alone == [.bytes])
        #expect(try rules { $0.acknowledgement_bytes = 58 }.alone == [.bytes])
        let acknowledged = try rules { $0.acknowledgement_bytes = 58; $0.tls_records += 1; $0.socket_bytes += 80 }
        #expect(acknowledged.alone.isEmpty && acknowledged.beside == [.bytes])
    }

    @Test("of earlier versions have neither acknowledgements nor cuts, and hold")
    func earlier() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let whole = String(decoding: try sample.bytes(.bank, name), as: UTF8.self)
        let first = whole.replacing("\"acknowledgement_bytes\":0,", with: "").replacing("\"connections\":1,", with: "").replacing("\"version\":2", with: "\"version\":1")
        try sample.write(Array(first.utf8), .bank, name)
        #expect(try sample.verify().holds && sample.reconcile([.bank, .platform]).holds)
        for half in [first.replacing("\"version\":1", with: "\"version\":2"), whole.replacing("\"version\":2", with: "\"version\":1")] {
            try sample.write(Array(half.utf8), .bank, name)
            #expect(try sample.verify().rules == [.bytes])
        }
    }

    @Test("must be there, and in their form")
    func form() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let whole = try sample.bytes(.bank, name)
        for bytes in [[], Array("{}".utf8), whole + [0x0A], Array(String(decoding: whole, as: UTF8.self).replacing(":2}", with: ":3}").utf8)] {
            try sample.write(bytes, .bank, name)
            #expect(try sample.verify().rules == [.bytes])
        }
        try FileManager.default.removeItem(at: sample.url(.bank, name))
        #expect(try sample.verify().rules == [.bytes])
        // A job that ended otherwise need not have them.
        var steps = Sample.script()
        steps = Array(steps.prefix { if case .frame(_, _, .roundRows, _) = $0 { false } else { true } })
        let aborted = try Sample(steps)
        try FileManager.default.removeItem(at: aborted.url(.bank, name))
        #expect(try aborted.verify().holds)
    }
}
