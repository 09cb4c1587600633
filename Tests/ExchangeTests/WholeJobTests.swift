import ArbiterRole
import Exchange
import Faults
import Foundation
import Jobs
import Paillier
import Planning
import Primitives
import Roles
import SetIntersection
import Testing
import Training
import Wire

@Suite("A whole job in memory") struct WholeJobTests {
    /// One training job on all common rows, as precisely as a specification may ask for.
    private static let trained = Result {
        let data = try SmallData(common: 1250)
        var conversation = try Conversation(SmallJob(data: data, rounds: 30, tolerance: 1e-4))
        let outcome = try conversation.run()
        return (data, outcome)
    }

    @Test("both parties end, and the arbiter has the job as completed")
    func ends() throws {
        let (data, outcome) = try Self.trained.get()
        #expect(outcome.completed == [.bank, .platform] && outcome.faults.isEmpty)
        var arbiter = outcome.arbiter
        let job = SmallJob(data: data).job
        let reply = arbiter.step(.heard(.showJob(.init()), job: job, from: .person("ann", connection: 1), fresh: .none), unixSeconds: 3)
        guard case .send(.jobRecord(let record), _, _)? = reply.first else {
            Issue.record("no record")
            return
        }
        #expect(record.state == .completed && !record.hasFault)
    }

    @Test("exactly the common subjects are scored, each once")
    func aligned() throws {
        let (data, outcome) = try Self.trained.get()
        #expect(Set(try outcome.scores().keys) == Set(data.common.map(\.id)))
        #expect(try outcome.scores().values.allSatisfy { $0.part == "train" })
    }

    @Test("the suite of SM2 and SM3 aligns the same subjects")
    func sm2() throws {
        let data = try SmallData(common: 150)
        var conversation = try Conversation(SmallJob(data: data, rounds: 1, suite: .sm2SM3))
        #expect(Set(try conversation.run().scores().keys) == Set(data.common.map(\.id)))
    }

    @Test("every suite that a contract may name is there")
    func suites() {
        #expect(Set(Contract.Suite.allCases.map(\.rawValue)) == Set(SetIntersection.Suite.allCases.map(\.rawValue)))
    }

    @Test("the joint model is that of the pooled data")
    func pooled() throws {
        let (data, outcome) = try Self.trained.get()
        let oracle = PooledModel(data.common, l2: 0.001)
        let bank = try outcome.weights(.bank)
        let platform = try outcome.weights(.platform)
        let found = try (["intercept"] + SmallData.bankColumns).map { try #require(bank[$0]) }
            + SmallData.platformColumns.map { try #require(platform[$0]) }
        #expect(bank.count == 4 && platform.count == 4)
        for (found, expected) in zip(found, oracle.weights) { #expect(abs(found - expected) < 0.01, "\(found) \(expected)") }

        let scores = try outcome.scores()
        let probabilities = try data.common.map { try #require(scores[$0.id]).probability }
        let expected = data.common.map(oracle.probability)
        for (found, expected) in zip(probabilities, expected) { #expect(abs(found - expected) < 0.005) }
        let best = PooledModel.logLoss(expected, data.common)
        let loss = PooledModel.logLoss(probabilities, data.common)
        #expect(abs(loss - best) < 5e-5, "\(loss) \(best)")
        // What the other party adds is far more than that: the comparison is one.
        let alone = PooledModel(data.common, l2: 0.001, usesPlatform: false)
        #expect(PooledModel.logLoss(data.common.map(alone.probability), data.common) > best + 0.02)
    }

    @Test("the bank's report measures its own scores; the platform's has no measure of them")
    func reports() throws {
        let (data, outcome) = try Self.trained.get()
        let report = try outcome.report(.bank)
        let joint = try #require((report["joint"] as? [String: Any])?["train"] as? [String: Any])
        let scores = try outcome.scores()
        let probabilities = try data.common.map { try #require(scores[$0.id]).probability }
        let logLoss = try #require(joint["log_loss"] as? Double)
        #expect(abs(logLoss - PooledModel.logLoss(probabilities, data.common)) < 1e-9)
        // The area under the curve, pair by pair.
        let (bads, goods) = (zip(probabilities, data.common).filter(\.1.bad), zip(probabilities, data.common).filter { !$0.1.bad })
        let wins = bads.reduce(0.0) { sum, bad in sum + goods.reduce(0) { $0 + (bad.0 > $1.0 ? 1 : bad.0 == $1.0 ? 0.5 : 0) } }
        #expect(abs(try #require(joint["auc"] as? Double) - wins / Double(bads.count * goods.count)) < 1e-9)
        #expect((report["joint"] as? [String: Any])?["test"] is NSNull)
        #expect(report["converged"] as? Bool == true)
        let losses = try #require(report["loss_per_round"] as? [Double])
        #expect(losses.count == report["rounds"] as? Int && losses.count > 2 && losses.count < 30)
        #expect(abs(try #require(losses.last) - logLoss) < 1e-3 && losses[0] > logLoss + 0.02)

        let platform = try outcome.report(.platform)
        for key in ["joint", "bank_only", "uplift", "loss_per_round"] { #expect(platform[key] == nil || platform[key] is NSNull, "\(key)") }
        #expect(try outcome.files(.platform).keys.sorted() == ["model.json", "report.json"])
        #expect(try outcome.files(.bank).keys.sorted() == ["model.json", "report.json", "scores.csv"])
        for report in [report, platform] {
            let rows = try #require(report["rows"] as? [String: Int])
            #expect(rows == ["bank": 1310, "platform": 1330, "aligned": 1250, "train": 1250, "test": 0])
        }
    }

    @Test("what each side keeps and reports holds nothing of the other's data")
    func apart() throws {
        let (data, outcome) = try Self.trained.get()
        let platform = try outcome.files(.platform).values.map { String(decoding: $0, as: UTF8.self) }.joined()
        for id in data.common.map(\.id) { #expect(!platform.contains(id)) }
        for column in SmallData.bankColumns + ["intercept", "outcome"] { #expect(!platform.contains("\"\(column)\"")) }
        let bank = try outcome.files(.bank).values.map { String(decoding: $0, as: UTF8.self) }.joined()
        for column in SmallData.platformColumns { #expect(!bank.contains("\"\(column)\"")) }
    }

    @Test("the pages that people read hold no identifier and no cell of a table, and each party's nothing of the other's")
    func pages() throws {
        let (data, outcome) = try Self.trained.get()
        for role in [Role.bank, .platform] {
            let page = String(decoding: try outcome.page(role), as: UTF8.self)
            #expect(page.utf8.count > 20_000)
            let words = Set(page.split { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "-" }.map(String.init))
            #expect(words.isDisjoint(with: data.secrets.filter { $0.utf8.count >= 7 }))
            let (own, other) = role == .bank ? (SmallData.bankColumns, SmallData.platformColumns) : (SmallData.platformColumns, SmallData.bankColumns)
            #expect(words.isSuperset(of: own) && words.isDisjoint(with: other + ["outcome"]))
            #expect(words.contains("AUC") == (role == .bank) && words.contains("ROC") == (role == .bank))
        }
    }

    @Test("a scoring job with the stored halves gives the scores of training again")
    func scoring() throws {
        let data = try SmallData(common: 300, seed: 5)
        let training = SmallJob(data: data, share: 0.8, rounds: 3)
        var first = try Conversation(training)
        let trained = try first.run()
        let halves = try [Role.bank, .platform].map { try #require(try trained.files($0)["model.json"]) }
        var job = training
        job.job = try #require(JobIdentifier("ffeeddccbbaa99887766554433221100"))
        job.secretSeed = 2
        job.model = ("\(training.job)", halves[0], halves[1])
        var second = try Conversation(job)
        let scored = try second.run()
        #expect(scored.completed.count == 2 && scored.faults.isEmpty)
        let again = try scored.scores().mapValues(\.probability)
        #expect(again == (try trained.scores().mapValues(\.probability)) && again.count == 300)
        #expect(Set(scored.crossings.map(\.kind)).isDisjoint(with: [.columns, .curvature, .roundRows, .maskedValues, .returnedBits, .roundShare]))
        for role in [Role.bank, .platform] { #expect(String(decoding: try scored.page(role), as: UTF8.self).contains("\(training.job)")) }
        // Another order of rows under another job, and still the right score for each.
        let order = try [trained, scored].map { try #require(try $0.files(.bank)["scores.csv"]).split(separator: 10).dropFirst().map { $0.prefix { $0 != 44 } } }
        #expect(order[0] != order[1])
    }

    @Test("a share below one leaves test rows out of training, and both parties out of choosing them")
    func split() throws {
        let data = try SmallData(common: 400, seed: 6)
        var conversation = try Conversation(SmallJob(data: data, share: 0.7, rounds: 2))
        let outcome = try conversation.run()
        let scores = try outcome.scores()
        #expect(scores.values.count { $0.part == "train" } == 280 && scores.values.count { $0.part == "test" } == 120)
        #expect(try outcome.report(.bank)["rounds"] as? Int == 2 && outcome.report(.bank)["converged"] as? Bool == false)
        // Every frame has exactly the rows of training.
        let rows = outcome.bytes(from: .bank, to: .platform).filter { $0.kind == .roundRows }
        #expect(rows.count == 2)
        for frame in rows {
            guard case .roundRows(let message) = try Message.decode(kind: .roundRows, payload: frame.payload) else { continue }
            #expect(message.ciphertexts.count == 280 * 5 * 128)
        }
    }

    @Test("every frame is within the limit of its kind, whatever the specification asks for")
    func frameSizes() {
        // The widest that a specification can be: degree 8 and the longest keys.
        let widest = TransferCounts.rowsPerBlock * 9 * ((Contract.Limits.keyBits.max() ?? 0) / 4) + 32
        #expect(widest <= MessageKind.roundRows.row.maximumPayloadBytes)
        #expect(TransferCounts.pointsPerBlock * 65 + 32 <= MessageKind.blindedPoints.row.maximumPayloadBytes)
        #expect(TransferCounts.positionsPerBlock * 4 + 32 <= MessageKind.matches.row.maximumPayloadBytes)
        #expect(TransferCounts.scoreCiphertextsPerBlock * (3072 / 4) + 32 <= MessageKind.partialScores.row.maximumPayloadBytes)
        // A share with the longest history, each value 24 bytes.
        #expect(13 * 14 / 2 * 24 + 32 <= MessageKind.roundShare.row.maximumPayloadBytes)
    }

    @Test("what plans and audits reckon with is what the cryptography does, which may not know of them")
    func sharedNumbers() {
        #expect(TransferCounts.headroomBits == ValueSlots.headroomBits)
        #expect(TransferCounts.certificateRoots == KeyCertificate.roots)
        #expect(TransferCounts.pointBytes == EllipticCurve.Encoding.uncompressed.byteCount)
        #expect(JobShape.columnFactorBits == Design.Column.mostFactorBits)
    }
}
