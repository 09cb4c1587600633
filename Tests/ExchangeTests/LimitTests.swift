import Exchange
import Faults
import Foundation
import Jobs
import Roles
import Testing
import Wire

/// The bounds on a cheating party: each ends the job before what it protects, at whoever can see that it is crossed.
@Suite("Limits of a job") struct LimitTests {
    private static let data = Result { try SmallData(common: 240, seed: 12) }

    private static func run(rounds: Int = 2, minimumIntersection: Int = 100, data: SmallData? = nil, _ change: (inout Contract.Limits) -> Void) throws -> Outcome {
        var job = SmallJob(data: try data ?? Self.data.get(), rounds: rounds, minimumIntersection: minimumIntersection)
        change(&job.limits)
        var conversation = try Conversation(job)
        let outcome = try conversation.run()
        outcome.faults.values.forEach(FaultTexts.heard)
        return outcome
    }

    private static func kinds(_ outcome: Outcome) -> Set<MessageKind> { Set(outcome.crossings.map(\.kind)) }

    @Test("the job that the others are variations of completes")
    func control() throws {
        #expect(try Self.run { _ in }.completed.count == 2)
    }

    @Test("an intersection under the specification's or the contract's minimum: the platform is told nothing of who is in it")
    func intersection() throws {
        for outcome in [try Self.run(minimumIntersection: 241) { _ in }, try Self.run { $0.minimumIntersection = 241 }] {
            #expect(outcome.faults == [.bank: Fault(.intersectionTooSmall, at: "", "240", "241")])
            #expect(!Self.kinds(outcome).contains(.matches))
        }
        #expect(try Self.run { $0.minimumIntersection = 240 }.completed.count == 2)
    }

    @Test("a list larger than the contract allows")
    func setSize() throws {
        let outcome = try Self.run { $0.maximumSetSize = 310 }
        #expect(outcome.faults[.bank] == Fault(.setTooLarge, at: "south", "320", "310"))
        #expect(!outcome.crossings.contains { $0.kind == .doublyBlindedPoints })
        #expect(try Self.run { $0.maximumSetSize = 320 }.completed.count == 2)
    }

    @Test("too few rows, by the contract's minimum or by rounds and columns")
    func rows() throws {
        let few = try Self.run { $0.minimumRows = 241 }
        #expect(few.faults.values.first?.code == .tooFewRows && !Self.kinds(few).contains(.roundRows))
        #expect(try Self.run { $0.minimumRows = 240 }.completed.count == 2)
        // Four columns at either side: 2 x 31 x 4 = 248.
        let many = try Self.run(rounds: 31) { _ in }
        #expect(many.faults.values.first == Fault(.tooFewRows, at: "", "240", "248", "4", "31"))
    }

    @Test("more platform columns than a tenth of the rarer class: the bank says so, and no count of labels")
    func bads() throws {
        let data = try Self.data.get()
        let bads = data.common.count(where: \.bad)
        let rarer = min(bads, 240 - bads)
        let outcome = try Self.run { $0.badsPerColumn = rarer / 4 + 1 }
        let fault = try #require(outcome.faults[.bank])
        #expect(fault == Fault(.tooFewBads, at: "", "4", "\(rarer / 4 + 1)"))
        #expect(!Self.kinds(outcome).contains(.curvature) && !outcome.crossings.contains { $0.kind == .roundRows })
        #expect(try Self.run { $0.badsPerColumn = rarer / 4 }.completed.count == 2)
    }

    @Test("labels of one class alone end in the same fault", arguments: [1e-9, 1 - 1e-9])
    func oneClass(badRate: Double) throws {
        let data = try SmallData(common: 200, badRate: badRate, seed: 13)
        #expect(Set(data.common.map(\.bad)).count == 1)
        #expect(try Self.run(data: data) { _ in }.faults[.bank]?.code == .tooFewBads)
    }

    @Test("an exposure above the contract's limit")
    func exposure() throws {
        // 5 values of 45 to 49 bits side by side could hold nine residuals: 2 rounds of 240 rows are 7.5 %.
        #expect(try Self.run { $0.exposurePercent = 7.5 }.completed.count == 2)
        let outcome = try Self.run { $0.exposurePercent = 7.4 }
        #expect(outcome.faults.values.first?.code == .exposureTooLarge && !Self.kinds(outcome).contains(.roundRows))
        #expect(outcome.faults.values.first?.arguments == ["7.5", "7.4"])
    }

    @Test("a platform's score that one feature carries: nothing of it is sent")
    func dominance() throws {
        let outcome = try Self.run { $0.dominanceShare = 0.26 }
        #expect(outcome.faults[.platform]?.code == .singleFeatureDominates)
        #expect(!Self.kinds(outcome).contains(.partialScores))
        #expect(try Self.run { $0.dominanceShare = 0.9 }.completed.count == 2)
    }

    @Test("scores are rounded at the platform to what the contract allows")
    func resolution() throws {
        let fine = try Self.run { _ in }
        let coarse = try Self.run { $0.scoreResolutionBits = 2 }
        func logOdds(_ outcome: Outcome) throws -> [String: Double] {
            try outcome.scores().mapValues { log($0.probability / (1 - $0.probability)) }
        }
        let (before, after) = (try logOdds(fine), try logOdds(coarse))
        let differences = try before.map { abs($0.value - (try #require(after[$0.key]))) }
        #expect(differences.allSatisfy { $0 <= 0.125 + 0x1p-12 } && differences.contains { $0 > 0.05 })
    }

    @Test("key lengths that the product makes, and no other, may be asked for")
    func keyLengths() throws {
        var contract = SmallJob.openLimits
        contract.insecureKeyBits = false
        contract.minimumKeyBits = 2048
        for bits in stride(from: 2048, through: 4096, by: 256) {
            let text = SmallJob(data: try Self.data.get()).specificationText.replacing("\"key_bits\": 512", with: "\"key_bits\": \(bits)")
            let specification = try JobSpecification.parse(Array(text.utf8))
            let faults = try Self.contract.get().check(specification)
            #expect(faults.isEmpty == [2048, 3072].contains(bits), "\(bits)")
        }
    }

    private static let contract = Result {
        func party(_ name: String, _ role: String, _ digit: UInt8) -> String {
            let address = role == "bank" ? "" : "\"address\": \"127.0.0.1:1\","
            let key = Data(repeating: digit, count: 32).base64EncodedString()
            return "{ \"name\": \"\(name)\", \"role\": \"\(role)\", \(address) \"pin\": \"\(String(repeating: "\(digit)", count: 64))\", \"ledger_key\": \"\(key)\" }"
        }
        let parties = [party("middle", "arbiter", 1), party("north", "bank", 2), party("south", "platform", 3)].joined(separator: ",")
        let limits = "{ \"minimum_intersection\": 100 }"
        return try Contract.parse(Array("{ \"version\": 1, \"name\": \"c\", \"suite\": \"P256-SHA256\", \"limits\": \(limits), \"parties\": [\(parties)] }".utf8))
    }
}
