import Faults
import Foundation
import Jobs
import Ledger
import NodeRuntime
import Primitives
import Roles
import Testing
import Wire

@Suite("Replay of a recorded job") struct ReplayTests {
    private static let data = Result { try SmallData(common: 260, seed: 21) }

    private static func job() throws -> SmallJob { SmallJob(data: try data.get(), share: 0.9, rounds: 2) }

    /// Recorded once; tests that change something make their own.
    private static let whole = Result { try RecordedLab(try job()) }

    private func place(_ finding: Replay.Finding?) throws -> (Direction?, Int?, MessageKind?) {
        let finding = try #require(finding)
        return (finding.direction, finding.frame, finding.kind)
    }

    /// Index in the party's own record of what it sends on the line to `to`.
    private func index(_ lab: RecordedLab, _ kind: MessageKind, from: Role, to: Role) throws -> Int {
        let frames = lab.crossings.filter { $0.from == from && $0.to == to }
        return try #require(frames.firstIndex { $0.kind == kind })
    }

    @Test("a job is replayed under the limits under which it ran, and not under looser ones of the contract")
    func limits() throws {
        let lab = try RecordedLab(try Self.job(), isTightened: true)
        let contract = try Contract.parse(RecordedLab.contract).limits
        for role in [Role.bank, .platform] {
            let kept = try #require(try lab.vault(role).inputs(lab.job.job)).limits.of(contract)
            #expect(kept == lab.job.limits && kept.minimumIntersection == contract.minimumIntersection + 1)
            #expect(try lab.replay(role).outcome.holds)
        }
    }

    @Test("every byte that a party sent comes out again, whatever the order in which it worked and heard, and so do its results",
          arguments: [Role.bank, .platform])
    func whole(role: Role) throws {
        let lab = try Self.whole.get()
        let result = try lab.replay(role)
        #expect(result.outcome.findings.isEmpty && result.outcome.holds && result.outcome.lost == 0, "\(result.outcome.findings)")
        let sent = lab.crossings.filter { $0.from == role && $0.kind != .jobEnd }
        #expect(result.outcome.frames == sent.count && sent.count > 10)
        #expect(result.outcome.bytes == UInt64(sent.map(\.payload.count).reduce(0, +)))
        #expect(result.outcome.heard == lab.crossings.count { $0.to == role })
        #expect(result.results.sorted() == (role == .bank ? ["model.json", "scores.csv"] : ["model.json"]))
        #expect(result.destroyed.isEmpty && result.outcome.ended == nil)
    }

    @Test("a scoring job is replayed with the stored half of its model, and with no other")
    func scoring() throws {
        let training = try Self.job()
        var conversation = try Conversation(training)
        let trained = try conversation.run()
        let halves = try [Role.bank, .platform].map { try #require(try trained.files($0)["model.json"]) }
        var job = training
        job.job = try #require(JobIdentifier("ffeeddccbbaa99887766554433221100"))
        job.secretSeed = 2
        job.model = ("\(training.job)", halves[0], halves[1])
        let lab = try RecordedLab(job)
        for role in [Role.bank, .platform] { #expect(try lab.replay(role).outcome.holds) }
        let file = lab.folder.appending(path: "bank/jobs/\(training.job)/model.json")
        try Data(halves[0] + [32]).write(to: file)
        #expect { try lab.replay(.bank) } throws: { ($0 as? Fault)?.code == .inputChanged && ($0 as? Fault)?.place.contains("model.json") == true }
    }

    @Test("what was recorded as sent but is not what the party computes is found, at its frame and byte", arguments: [Role.bank, .platform])
    func alteredRecord(role: Role) throws {
        let peer: Role = role == .bank ? .platform : .bank
        for (kind, to) in [(MessageKind.roundRows, peer), (.roundShare, Role.arbiter)] {
            let lab = try RecordedLab(try Self.job()) { crossings in
                guard let index = crossings.firstIndex(where: { $0.from == role && $0.to == to && $0.kind == kind }) else { return }
                let sent = crossings[index]
                var payload = sent.payload
                payload[payload.count - 3] ^= 0x10
                crossings[index] = Crossing(from: sent.from, to: sent.to, kind: sent.kind, payload: payload)
            }
            let outcome = try lab.replay(role).outcome
            let finding = try #require(outcome.findings.first)
            #expect(outcome.findings.count == 1 && finding.rule == .replayDiffers && finding.kind == kind && finding.direction == .sent)
            let expected = try index(lab, kind, from: role, to: to)
            let bytes = try #require(lab.crossings.first { $0.from == role && $0.to == to && $0.kind == kind }?.payload.count)
            #expect(finding.frame == expected && finding.offset == bytes - 3)
        }
    }

    @Test("without kept payloads of its own a party still finds the frame, not the byte")
    func inbound() throws {
        let lab = try RecordedLab(try Self.job(), retention: .inbound) { crossings in
            guard let index = crossings.firstIndex(where: { $0.from == .bank && $0.kind == .maskedValues }) else { return }
            let sent = crossings[index]
            crossings[index] = Crossing(from: sent.from, to: sent.to, kind: sent.kind, payload: sent.payload.dropLast() + [sent.payload.last.map { $0 ^ 1 } ?? 0])
        }
        let outcome = try lab.replay(.bank).outcome
        #expect(outcome.findings.map(\.rule) == [.replayDiffers] && outcome.findings[0].offset == nil && outcome.findings[0].kind == .maskedValues)
        #expect(try lab.replay(.platform).outcome.findings.isEmpty == false)
    }

    @Test("one flipped bit in a kept frame that was heard is found; so is one with its record rewritten to match")
    func alteredInbound() throws {
        let lab = try RecordedLab(try Self.job())
        let heard = try #require(lab.crossings.first { $0.to == .bank && $0.kind == .roundRows })
        let digest = SHA256.hash(heard.payload)
        let file = lab.ledger(.bank).appending(path: LedgerFile.payload(digest))
        var bytes = [UInt8](try Data(contentsOf: file))
        bytes[bytes.count / 2] ^= 4
        try Data(bytes).write(to: file)
        let outcome = try lab.replay(.bank).outcome
        let (direction, frame, kind) = try place(outcome.findings.first)
        #expect(outcome.findings.first?.rule == .payloadDigest && direction == .received && kind == .roundRows)
        #expect(frame == lab.crossings.filter { $0.to == .bank && $0.from == .platform }.firstIndex { $0.kind == .roundRows })
        try FileManager.default.removeItem(at: file)
        #expect(try lab.replay(.bank).outcome.findings.first?.rule == .payloadKept)

        let rewritten = try RecordedLab(try Self.job()) { crossings in
            guard let index = crossings.firstIndex(where: { $0.to == .platform && $0.kind == .returnedBits }) else { return }
            let earlier = crossings.first { $0.to == .platform && $0.kind == .maskedValues }
            // Another valid ciphertext under the same key.
            crossings[index] = Crossing(from: .bank, to: .platform, kind: .returnedBits, payload: earlier?.payload ?? [])
        }
        #expect(!(try rewritten.replay(.platform).outcome.holds))
    }

    @Test("a node that used other randomness than it committed to is found, purpose by purpose", arguments: Purpose.allCases)
    func otherRandomness(purpose: Purpose) throws {
        var job = try Self.job()
        job.disguised = [purpose]
        let outcome = try RecordedLab(job).replay(.bank).outcome
        #expect(!outcome.holds && outcome.findings.contains { [.replayDiffers, .replayMissing].contains($0.rule) })
        #expect(!outcome.findings.contains { $0.rule == .secretCommitment })
    }

    @Test("sealed secrets that are not those of the commitments are named")
    func otherSecrets() throws {
        var other = try Self.job()
        other.secretSeed = 9
        let outcome = try RecordedLab(try Self.job(), sealed: other).replay(.platform).outcome
        #expect(outcome.findings.count { $0.rule == .secretCommitment } == Purpose.allCases.count)
        #expect(outcome.findings.contains { $0.rule == .replayDiffers && $0.kind == .hello || $0.kind == .nonce })
    }

    @Test("a data file that has changed is refused before anything is computed; a kept copy will do")
    func changedData() throws {
        let lab = try RecordedLab(try Self.job())
        let copy = lab.folder.appending(path: "copy.csv")
        try FileManager.default.copyItem(at: lab.data(.bank), to: copy)
        #expect(try lab.replay(.bank, data: copy).outcome.holds)
        var bytes = [UInt8](try Data(contentsOf: copy))
        bytes[bytes.count / 2] = bytes[bytes.count / 2] == 0x31 ? 0x32 : 0x31
        try Data(bytes).write(to: copy)
        #expect { try lab.replay(.bank, data: copy) } throws: { ($0 as? Fault)?.code == .inputChanged }
        #expect { try lab.replay(.bank, data: copy.appendingPathExtension("none")) } throws: { ($0 as? Fault)?.code == .unreadableFile }
    }

    @Test("neither key opens anything without the other, and no other key does")
    func keys() throws {
        let lab = try Self.whole.get()
        let other = X25519(secret: SystemRandom.secret(32))
        for (owner, auditor, place) in [
            (RecordedLab.owner, RecordedLab.owner, "auditor.key"), (RecordedLab.auditor, RecordedLab.auditor, "owner.key"),
            (RecordedLab.auditor, RecordedLab.owner, "owner.key"), (RecordedLab.owner, other, "auditor.key"), (other, RecordedLab.auditor, "owner.key"),
        ] {
            #expect { try lab.replay(.bank, owner: owner, auditor: auditor) } throws: {
                ($0 as? Fault)?.code == .sealKeyRefused && ($0 as? Fault)?.place == place
            }
        }
        // Each share alone says nothing: it is not the secret, and differs between sealings.
        let text = try Data(contentsOf: lab.sealedFile(.bank, "mask.sealed"))
        let again = try RecordedLab(try Self.job())
        #expect(try Data(contentsOf: again.sealedFile(.bank, "mask.sealed")) != text)
        let mode = try FileManager.default.attributesOfItem(atPath: lab.sealedFile(.bank, "mask.sealed").path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test("a sealed file of another job, purpose or role is not opened")
    func swapped() throws {
        let lab = try RecordedLab(try Self.job())
        let (mask, pad) = (lab.sealedFile(.bank, "mask.sealed"), lab.sealedFile(.bank, "pad.sealed"))
        let original = try Data(contentsOf: mask)
        try Data(contentsOf: pad).write(to: mask)
        #expect { try lab.replay(.bank) } throws: { ($0 as? Fault)?.code == .notReplayable }
        try Data(contentsOf: lab.sealedFile(.platform, "mask.sealed")).write(to: mask)
        #expect { try lab.replay(.bank) } throws: { ($0 as? Fault)?.code == .sealKeyRefused }
        try original.write(to: mask)
        #expect(try lab.replay(.bank).outcome.holds)
    }

    @Test("a destroyed secret is gone for good: what depends on it cannot come out, the rest does", arguments: [
        (Purpose.maskRandomiser, [MessageKind.maskedValues], true), (.pad, [.hello, .roundShare], true),
        (.randomiser, [.roundRows, .returnedBits, .partialScores], true), (.mask, [.maskedValues], false), (.paillierKey, [.paillierKey], false),
        (.intersection, [.blindedPoints], false), (.shuffle, [.nonce], false),
    ])
    func destroyed(purpose: Purpose, kinds: [MessageKind], restComesOut: Bool) throws {
        let lab = try RecordedLab(try Self.job())
        let receipt = try lab.destroy(purpose, .bank)
        #expect(receipt.purpose == purpose && receipt.by == "someone" && receipt.isSigned)
        #expect(!FileManager.default.fileExists(atPath: lab.sealedFile(.bank, "\(purpose.rawValue).sealed").path))
        let result = try lab.replay(.bank)
        #expect(result.destroyed == [receipt] && !result.outcome.holds && result.outcome.findings.isEmpty, "\(result.outcome.findings)")
        let sent = lab.crossings.filter { $0.from == .bank && $0.kind != .jobEnd }
        #expect(result.outcome.frames + result.outcome.lost == sent.count)
        if restComesOut {
            #expect(result.outcome.lost == sent.count { kinds.contains($0.kind) } && result.outcome.completed != nil)
        } else {
            #expect(result.outcome.lost > sent.count { kinds.contains($0.kind) } && result.outcome.frames > 0)
        }
        // The platform's are its own.
        #expect { try lab.destroy(purpose, .bank) } throws: { ($0 as? Fault)?.code == .secretDestroyed }
    }

    @Test("a receipt holds what it says under the node's signature, and a forged one is found")
    func receipts() throws {
        let lab = try RecordedLab(try Self.job())
        try lab.destroy(.pad, .platform)
        let file = lab.sealedFile(.platform, "pad.destroyed")
        let document = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        #expect(document["purpose"] as? String == "pad" && document["job"] as? String == "\(lab.job.job)" && document["by"] as? String == "someone")
        let commitment = try #require(lab.job.secrets(.platform).commitments[.pad])
        #expect(document["commitment"] as? String == commitment.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
        // As somebody else would check it: canonical JSON without the signature.
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let signature = try #require(Data(base64Encoded: document["signature"] as? String ?? ""))
        let signed = text.replacing(/"signature":"[^"]*",/, with: "")
        #expect(signed != text && RecordedLab.signer.verifyingKey.accepts([UInt8](signature), for: Array(signed.utf8)))
        #expect(try lab.replay(.platform).outcome.findings.isEmpty)
        try Data(text.replacing("someone", with: "nobody").utf8).write(to: file)
        #expect(try lab.replay(.platform).outcome.findings.map(\.rule) == [.secretReceipt])
    }

    @Test("without any secret, without seals, without what was heard or without a ledger nothing is replayed, and the fault says why")
    func impossible() throws {
        let lab = try RecordedLab(try Self.job())
        for purpose in Purpose.allCases { try lab.destroy(purpose, .bank) }
        #expect { try lab.replay(.bank) } throws: { ($0 as? Fault)?.code == .notReplayable && ($0 as? Fault)?.message.en.contains("destroyed") == true }
        #expect(try lab.replay(.platform).outcome.holds)
        let unsealed = try RecordedLab(try Self.job(), isSealed: false)
        #expect { try unsealed.replay(.bank) } throws: { ($0 as? Fault)?.code == .notReplayable && ($0 as? Fault)?.message.en.contains("not sealed") == true }
        #expect { try unsealed.destroy(.pad, .bank) } throws: { ($0 as? Fault)?.code == .notReplayable }
        let digests = try RecordedLab(try Self.job(), retention: .digests)
        #expect { try digests.replay(.bank) } throws: { ($0 as? Fault)?.code == .notReplayable && ($0 as? Fault)?.message.en.contains("digests") == true }
        for name in [String(repeating: "0", count: 32), "../\(lab.job.job)", ""] {
            #expect { try RecordedJob(name, files: try lab.files(.bank), role: .bank) } throws: { ($0 as? Fault)?.code == .unknownJob }
        }
        #expect { try RecordedJob("\(lab.job.job)", files: try lab.files(.bank), role: .platform) } throws: { ($0 as? Fault)?.code == .notReplayable }
    }

    @Test("a job that was broken off is replayed as far as it came", arguments: [0.1, 0.5, 0.95])
    func brokenOff(part: Double) throws {
        let lab = try RecordedLab(try Self.job()) { crossings in crossings.removeLast(crossings.count - max(2, Int(part * Double(crossings.count)))) }
        for role in [Role.bank, .platform] {
            let outcome = try lab.replay(role).outcome
            #expect(outcome.holds && outcome.frames == lab.crossings.count { $0.from == role && $0.kind != .jobEnd }, "\(outcome.findings)")
        }
    }

    @Test("a frame that was left out of the record, or added to it, is found")
    func counts() throws {
        let shorter = try RecordedLab(try Self.job()) { crossings in
            guard let index = crossings.lastIndex(where: { $0.from == .bank && $0.to == .platform && $0.kind == .returnedBits }) else { return }
            crossings.remove(at: index)
        }
        #expect(!(try shorter.replay(.bank).outcome.holds))
        let longer = try RecordedLab(try Self.job()) { crossings in
            guard let share = crossings.last(where: { $0.from == .bank && $0.kind == .roundShare }) else { return }
            crossings.append(share)
        }
        let outcome = try longer.replay(.bank).outcome
        #expect(outcome.findings.map(\.rule) == [.replayMissing] && outcome.findings[0].kind == .roundShare)
    }
}
