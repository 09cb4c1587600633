import Audit
import Faults
import Ledger
import Testing
import Wire

@Suite("Several ledgers") struct ReconciliationTests {
    @Test("the ledgers of one job agree, two by two and all three, whatever they keep", arguments: Retention.allCases)
    func agree(_ retention: Retention) throws {
        let sample = try Sample(retention: retention)
        for roles in [[Role.bank, .platform], [.platform, .bank], [.bank, .arbiter], [.platform, .arbiter], [.bank, .platform, .arbiter]] {
            let report = try sample.reconcile(roles)
            #expect(report.holds, "\(report.english)")
        }
    }

    @Test("a frame that is missing at one end is named, on every line")
    func missing() throws {
        let script = Sample.script(rounds: 1)
        for (index, step) in script.enumerated() {
            guard case .frame(let from, let to, let message, _) = step else { continue }
            let sample = try Sample(script, retention: .digests, lost: [index])
            let report = try sample.reconcile()
            #expect(report.rules.isSubset(of: [.frameDiffers, .frameMissing, .headMissing, .twoRoots]), "\(index)")
            let names = [Sample.names[from], Sample.names[to]]
            let finding = try #require(report.findings.first { [.frameDiffers, .frameMissing].contains($0.rule) })
            #expect(names.contains(finding.place.ledger) && names.contains(finding.place.line), "\(index)")
            // The record of that place at the sender is the one that was lost.
            let records = try sample.records(from, LedgerFile.records(Sample.names[to] ?? "", .sent))
            let record = try #require(FrameRecord(decoding: records[finding.place.frame ?? 0]))
            #expect(record.kind == message.kind && record.length == UInt64(message.encodePayload().count), "\(index)")
        }
    }

    @Test("a fork shown to two co-signers is found by either of their ledgers")
    func fork() throws {
        let steps = Sample.script().map { step in
            if case .checkpoint(let phase, let round) = step, round == 2 { Sample.Step.forkedCheckpoint(phase, round: round) } else { step }
        }
        let sample = try Sample(steps)
        #expect(try sample.verify(.bank).rules == [.payloadContent])
        for roles in [[Role.bank, .arbiter], [.platform, .arbiter], [.bank, .platform, .arbiter]] {
            #expect(try sample.reconcile(roles).rules == [.twoRoots])
        }
    }

    @Test("heads that differ between the two ends are found")
    func heads() throws {
        let sample = try Sample()
        let name = LedgerFile.heads("credit", .sent)
        let entries = HeadFile.entries(try sample.bytes(.bank, name)).compactMap(\.note)
        try sample.write(entries.dropLast().flatMap { $0.encode() + [0x0A] }, .bank, name)
        // The last two have one size: the bank sends nothing while it receives scores.
        #expect(try sample.reconcile([.bank, .platform]).holds)
        try sample.write(entries.dropLast(2).flatMap { $0.encode() + [0x0A] }, .bank, name)
        #expect(try sample.reconcile([.bank, .platform]).rules == [.headMissing])
        let head = try #require(Head(text: entries[0].text))
        let other = Head(job: head.job, attempt: 1, sender: head.sender, receiver: head.receiver, size: head.size, root: GrowingTree.emptyRoot)
        try sample.write(Sample.note(other).encode() + [0x0A] + entries.dropFirst().flatMap { $0.encode() + [0x0A] }, .bank, name)
        #expect(try sample.reconcile([.bank, .platform]).rules == [.twoRoots])
    }

    @Test("ledgers of two jobs, or one ledger twice, are not compared")
    func otherJobs() throws {
        let (sample, other) = (try Sample(), try Sample())
        #expect(Reconciliation.reconcile([try sample.open(.bank), try other.open(.platform)]).rules == [.sameJob])
        #expect(try sample.reconcile([.bank, .bank]).rules == [.sameJob])
    }
}
