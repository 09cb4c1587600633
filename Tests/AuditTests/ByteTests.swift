import Audit
import Faults
import Foundation
import Ledger
import Testing
import Wire

@Suite("Bytes on the socket") struct ByteTests {
    private let name = LedgerFile.bytes("credit")

    private func rules(_ change: (inout ByteAccount.Flow) -> Void) throws -> (alone: Set<Rule>, beside: Set<Rule>) {
        let sample = try Sample(Sample.script(rounds: 1))
        let account = try #require(ByteAccount(decoding: try sample.bytes(.bank, name)))
        var sent = account.sent
        change(&sent)
        try sample.write(ByteAccount(sent: sent, received: account.received).encode(), .bank, name)
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

    @Test("must be there, and in their form")
    func form() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let whole = try sample.bytes(.bank, name)
        for bytes in [[], Array("{}".utf8), whole + [0x0A], Array(String(decoding: whole, as: UTF8.self).replacing(":1}", with: ":2}").utf8)] {
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
