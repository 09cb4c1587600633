import BigInt
import Exchange
import Faults
import Foundation
import Jobs
import Roles
import Scratch
import Testing
import Wire

/// What anyone who holds the recorded frames can try with the public keys alone. It opens every ciphertext of a
/// well-known implementation that leaves out the randomness "because sums are randomised later".
private struct PublicKeyAttack {
    /// Plaintexts read off: c = 1 + m n.
    var opened: [BigUInt] = []
    /// Ciphertexts with the same randomness as another one under the same key: their quotient opens.
    var related = 0
    var tried = 0

    init(_ crossings: [Crossing], moduli: [Role: BigUInt]) throws {
        var residues: [Role: Set<BigUInt>] = [:]
        for crossing in crossings {
            guard let bytes = try Message.decode(kind: crossing.kind, payload: crossing.payload).ciphertexts else { continue }
            let owner = keyOwner(crossing.kind, from: crossing.from)
            let n = try #require(moduli[owner])
            for start in stride(from: 0, to: bytes.count, by: 128) {
                let cipher = BigUInt(Data(bytes[start..<start + 128]))
                tried += 1
                let residue = cipher % n
                if residue == 1 { opened.append((cipher - 1) / n) }
                // c mod n is r^n mod n, whatever the plaintext is.
                if !residues[owner, default: []].insert(residue).inserted { related += 1 }
            }
        }
    }
}

@Suite("Attack with public keys alone") struct PublicKeyAttackTests {
    private static let recorded = Result {
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 1100, seed: 14), rounds: 4))
        let outcome = try conversation.run()
        try #require(outcome.completed.count == 2)
        return outcome
    }

    @Test("opens none of the ciphertexts of a whole job, alone or by division")
    func fails() throws {
        let crossings = try Self.recorded.get().crossings
        let attack = try PublicKeyAttack(crossings, moduli: moduli(crossings))
        // Rows of both sides and all rounds, sums, answers and scores.
        let rounds = crossings.count { $0.kind == .verdict } / 2
        #expect(rounds >= 3 && attack.tried >= 2 * rounds * 5 * 1100 + 4 * rounds + 1100 / 12)
        #expect(attack.opened.isEmpty && attack.related == 0)
    }

    @Test("opens a message whose randomness was left out, and the machine refuses that message")
    func succeedsOnControl() throws {
        let recorded = try Self.recorded.get().crossings
        let keys = try moduli(recorded)
        let n = try #require(keys[.platform])
        let secret = BigUInt(4096)
        let bare = Ciphertexts.bytes(1 + secret * n)
        var refused = 0
        var conversation = try Conversation(SmallJob(data: try SmallData(common: 1100, seed: 14), rounds: 2))
        conversation.probe = { machine, role, message, _ in
            guard role == .bank, message.kind == .roundRows, let honest = message.ciphertexts else { return }
            let bad = try #require(message.withCiphertexts(bare + honest.dropFirst(128)))
            let crossing = Crossing(from: .platform, to: .bank, kind: .roundRows, payload: bad.encodePayload())
            #expect(try PublicKeyAttack([crossing], moduli: keys).opened == [secret])
            #expect(fault(machine, bad)?.code == .cryptographicCheck)
            refused += 1
        }
        try conversation.run()
        #expect(refused >= 3)
    }

    @Test("divides two ciphertexts whose randomness is one and the same")
    func divisionOnControl() throws {
        let recorded = try Self.recorded.get().crossings
        let keys = try moduli(recorded)
        let n = try #require(keys[.bank])
        let frame = try #require(recorded.first { $0.kind == .roundRows && $0.from == .bank })
        let message = try Message.decode(kind: .roundRows, payload: frame.payload)
        let honest = try #require(message.ciphertexts)
        // The second is the first plus seven.
        let first = BigUInt(Data(honest.prefix(128)))
        let shifted = Ciphertexts.bytes(first * (1 + 7 * n) % (n * n))
        let bad = try #require(message.withCiphertexts(Array(honest.prefix(128)) + shifted + honest.dropFirst(256)))
        let crossing = Crossing(from: .bank, to: .platform, kind: .roundRows, payload: bad.encodePayload())
        #expect(try PublicKeyAttack([crossing], moduli: keys).related == 1)
    }
}

@Suite("Texts of faults", .serialized) struct FaultTextTests {
    @Test("no fault that a job can end in names a subject or a value of anyone's data")
    func noData() throws {
        // Ends of jobs that know the data: each of the owner's own, and those a peer provokes.
        let data = try SmallData(common: 200, seed: 15)
        var job = SmallJob(data: data, rounds: 2)
        for change: (inout Contract.Limits) -> Void in [
            { $0.minimumIntersection = 201 }, { $0.minimumRows = 1000 }, { $0.badsPerColumn = 1000 }, { $0.exposurePercent = 0.1 },
            { $0.dominanceShare = 0.05 }, { $0.maximumSetSize = 100 },
        ] {
            job.limits = SmallJob.openLimits
            change(&job.limits)
            var conversation = try Conversation(job)
            let outcome = try conversation.run()
            #expect(!outcome.faults.isEmpty)
            outcome.faults.values.forEach(FaultTexts.heard)
        }
        for (column, cell) in [("turnover", "twelve-point-five"), ("outcome", "perhaps-bad"), ("firm", "")] {
            let broken = try data.withBankCell(column, cell)
            do {
                _ = try OwnData.open(.init(path: broken.path), specification: job.specification, role: .bank, model: nil, scratch: MemoryScratch())
            } catch let fault as Fault {
                FaultTexts.heard(fault)
                #expect(!FaultTexts.all.contains { $0.contains("twelve-point-five") || $0.contains("perhaps-bad") })
            }
        }
        #expect(FaultTexts.all.count >= 6)
        for text in FaultTexts.all {
            #expect(!data.secrets.contains { text.contains($0) }, "\(text)")
            #expect(!text.contains("firm-"))
        }
    }
}

extension SmallData {
    /// The bank's file with another cell in the first row.
    func withBankCell(_ column: String, _ cell: String) throws -> URL {
        var lines = try String(contentsOf: bankFile, encoding: .utf8).split(separator: "\n").map(String.init)
        let index = try #require(lines[0].split(separator: ",").firstIndex { $0 == column })
        var cells = lines[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        cells[index] = cell
        lines[1] = cells.joined(separator: ",")
        let file = bankFile.deletingLastPathComponent().appending(path: "bank-\(column).csv")
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return file
    }
}
