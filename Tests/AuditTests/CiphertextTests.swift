import Audit
import BigNumber
import Faults
import Foundation
import Ledger
import Primitives
import Testing
import Wire

@Suite("Ciphertexts") struct CiphertextTests {
    /// A job in which the first ciphertexts of the bank's first `RoundRows` are others, under the bank's key.
    private func sample(_ changed: [Natural]) throws -> Sample {
        try sample { bytes in
            for (index, value) in changed.enumerated() {
                let range = index * Sample.ciphertextBytes..<(index + 1) * Sample.ciphertextBytes
                bytes.replaceSubrange(range, with: value.bytes(count: Sample.ciphertextBytes))
            }
        }
    }

    private func sample(_ change: (inout [UInt8]) -> Void) throws -> Sample {
        var steps = Sample.script()
        let index = try #require(steps.firstIndex { step in
            if case .frame(.bank, _, .roundRows, _) = step { true } else { false }
        })
        guard case .frame(let from, let to, .roundRows(var body), let phase) = steps[index] else { return try Sample() }
        var bytes = body.ciphertexts.octets
        change(&bytes)
        body.ciphertexts = bytes.data
        steps[index] = .frame(from: from, to: to, .roundRows(body), phase)
        return try Sample(steps)
    }

    private var modulus: Natural { Sample.moduli[.bank] ?? .one }
    private var random: Natural { Natural(bytes: Sample.ciphertexts(1)) }

    @Test("random elements below n^2 pass, and are counted")
    func intact() throws {
        let report = try Sample().ciphertexts()
        #expect(report.holds, "\(report.english)")
        // 2 rounds x 2 parties x (3 x 84 + 1 + 1), and 10 of scores.
        #expect(report.facts.contains { $0.en.hasPrefix("1026 ciphertexts in 13 frames") })
    }

    @Test("what an inbound ledger has not kept is said, and is no finding")
    func inbound() throws {
        let inbound = try Sample(retention: .inbound).ciphertexts()
        #expect(inbound.holds)
        #expect(inbound.facts.contains { $0.en.contains("nothing is said of these") })
        #expect(try Sample(retention: .digests).ciphertexts().facts.contains { $0.en.hasPrefix("0 ciphertexts in 0 frames") })
    }

    @Test("randomisation left off is found, in one ciphertext and in all")
    func randomness() throws {
        let plain = (Natural.one + Natural(123456) * modulus) % (modulus * modulus)
        let report = try sample([random, plain]).ciphertexts()
        #expect(report.rules == [.randomness])
        let finding = try #require(report.findings.first)
        #expect(finding.place.line == "credit" && finding.place.direction == .sent && finding.place.frame == 10)
        // Behind the number of the round and the length of the field.
        #expect(finding.place.offset == 2 + 4 + Sample.ciphertextBytes)
        let all = try sample((0..<252).map { (Natural.one + Natural(UInt64($0)) * modulus) % (modulus * modulus) }).ciphertexts()
        #expect(all.findings.count + all.furtherFindings >= 252)
        #expect(all.rules == [.randomness])
    }

    @Test("a repeated ciphertext, and randomness used again for another plaintext, are found")
    func repetition() throws {
        let value = random
        #expect(try sample([value, random, value]).ciphertexts().rules == [.repetition])
        let shifted = value * (Natural.one + Natural(77) * modulus) % (modulus * modulus)
        #expect(try sample([value, shifted]).ciphertexts().rules == [.repetition])
        // Across rounds as well.
        var steps = Sample.script()
        let bytes = Sample.ciphertexts(3 * Sample.trainingRows)
        for index in steps.indices {
            guard case .frame(.platform, let to, .roundRows(var body), let phase) = steps[index] else { continue }
            body.ciphertexts = bytes.data
            steps[index] = .frame(from: .platform, to: to, .roundRows(body), phase)
        }
        #expect(try Sample(steps).ciphertexts(.platform).rules == [.repetition])
    }

    @Test("numbers out of range are found")
    func range() throws {
        let square = modulus * modulus
        #expect(try sample([.zero]).ciphertexts().rules == [.ciphertextRange])
        #expect(try sample([square]).ciphertexts().rules == [.ciphertextRange])
        #expect(try sample([square + .one]).ciphertexts().rules == [.ciphertextRange])
        #expect(try sample([square - .one]).ciphertexts().holds)
    }

    @Test("a number with a factor in common with n is found, and named alone")
    func units() throws {
        let report = try sample([random, modulus * Natural(5), random]).ciphertexts()
        #expect(report.rules == [.ciphertextUnit])
        #expect(report.findings.count == 1)
        #expect(report.findings.first?.place.offset == 2 + 4 + Sample.ciphertextBytes)
    }

    @Test("bytes that are not uniform are found")
    func statistics() throws {
        let report = try sample { bytes in
            for index in bytes.indices where index % Sample.ciphertextBytes > 0 { bytes[index] &= 0x7F }
        }.ciphertexts()
        #expect(report.rules == [.byteStatistics])
    }

    @Test("a field that is no whole number of ciphertexts is found")
    func width() throws {
        #expect(try sample { $0.removeLast() }.ciphertexts().rules == [.ciphertextWidth])
    }

    @Test("frames are shown in words, with what the receiver learns and their fields")
    func shown() throws {
        let sample = try Sample()
        var report = AuditReport()
        let ledger = try #require(AuditedLedger.open(try sample.open(.bank), report: &report))
        let all = FrameDescription.list(ledger, line: nil, direction: nil, frame: nil, opened: false)
        #expect(all.count == ledger.lines.flatMap(\.flows).map(\.records.count).reduce(0, +))
        let columns = try #require(FrameDescription.list(ledger, line: "credit", direction: .received, frame: 8, opened: true).first)
        #expect(columns.record.kind == .columns)
        let english = columns.text(.en)
        #expect(english.contains("platform credit to bank north") && english.contains("how many columns the sender trains on"))
        #expect(english.contains("count: 4"))
        let rows = try #require(FrameDescription.list(ledger, line: "credit", direction: .sent, frame: 10, opened: true).first)
        #expect(rows.fields?.map(\.name) == ["round", "block", "ciphertexts"])
        #expect(rows.fields?.last?.value.hasPrefix("32256 bytes ") == true)
        let submission = try #require(FrameDescription.list(ledger, line: "arbiter", direction: .sent, frame: 2, opened: true).first)
        #expect(submission.record.kind == .headSubmission)
        #expect(submission.fields?.map(\.name).contains("heads.sent_root") == true)
        #expect(rows.text(.zh).contains("接收方获知"))
        withExtendedLifetime(sample) {}
    }
}
