import ArbiterRole
import Faults
import Foundation
import Ledger
import Primitives
import Testing
import Wire

/// Two parties that show the arbiter the trees of one direction.
@Suite("Heads within a phase") struct HeadTests {
    private static let arbiterKey = Ed25519.SigningKey(seed: SecretBytes(copying: TrialArbiter.digest)).verifyingKey

    private static func tree(_ size: Int, from first: Int = 0) -> GrowingTree {
        (first..<first + size).reduce(into: GrowingTree()) { $0.append([UInt8(truncatingIfNeeded: $1), UInt8(truncatingIfNeeded: $1 >> 8)]) }
    }

    /// - Parameter tree: of what north sends to south.
    private static func submission(_ tree: GrowingTree, at size: UInt64, since last: UInt64 = 0, by name: String, _ job: JobIdentifier,
                                   seed: UInt8? = nil) -> Message {
        let head = Head(job: job, attempt: 1, sender: "north", receiver: "south", size: size, root: tree.root(at: size) ?? [])
        let key = TrialArbiter.key(seed ?? (name == "north" ? 2 : 4))
        return .directionHead(.filled {
            $0.sent = name == "north"
            $0.size = size
            $0.root = head.root.data
            $0.signature = key.signature(for: head.text).data
            $0.proof = (tree.consistencyProof(from: last, to: size) ?? []).flatMap(\.self).data
        })
    }

    @Test("both parties' equal heads are signed and each gets the other's signature; growth is held to the last that was signed")
    func signs() throws {
        var arbiter = try TrialArbiter()
        let job = try arbiter.running()
        let tree = Self.tree(2000)
        for (size, last) in [(UInt64(1000), UInt64(0)), (2000, 1000)] {
            arbiter.hear(Self.submission(tree, at: size, since: last, by: "south", job), job, from: .party("south"))
            #expect(arbiter.take(.party("north")).isEmpty && arbiter.take(.party("south")).isEmpty)
            arbiter.hear(Self.submission(tree, at: size, since: last, by: "north", job), job, from: .party("north"))
            let text = Head(job: job, attempt: 1, sender: "north", receiver: "south", size: size, root: try #require(tree.root(at: size))).text
            for (name, other) in [("north", UInt8(4)), ("south", 2)] {
                guard case .directionHead(let answer)? = arbiter.take(.party(name)).first?.message else {
                    Issue.record("no answer to \(name)")
                    continue
                }
                #expect(answer.sent == (name == "north") && answer.size == size && answer.root.octets == tree.root(at: size))
                #expect(Self.arbiterKey.accepts(answer.signature.octets, for: text))
                #expect(TrialArbiter.key(other).verifyingKey.accepts(answer.peerSignature.octets, for: text))
            }
        }
    }

    @Test("signed heads go out in the order of the parties' names, so that two runs give the same bytes")
    func order() throws {
        let tree = Self.tree(1000)
        for _ in 0..<32 {
            var arbiter = try TrialArbiter()
            let job = try arbiter.running()
            arbiter.hear(Self.submission(tree, at: 1000, by: "south", job), job, from: .party("south"))
            let effects = arbiter.hear(Self.submission(tree, at: 1000, by: "north", job), job, from: .party("north"))
            let receivers = effects.compactMap { effect -> ArbiterLine? in if case .send(_, _, let line) = effect { line } else { nil } }
            #expect(receivers == [.party("north"), .party("south")])
        }
    }

    @Test("heads that differ, do not grow from the last, are of another size or of another key end the job")
    func refuses() throws {
        let (tree, other) = (Self.tree(2000), Self.tree(2000, from: 1))
        func fault(_ last: (JobIdentifier) -> [(Message, String)]) throws -> Fault.Code? {
            var arbiter = try TrialArbiter()
            let job = try arbiter.running()
            for (message, name) in last(job) { arbiter.hear(message, job, from: .party(name)) }
            return try FaultNoteCode.of(arbiter.record(job))
        }
        #expect(try fault { job in
            [(Self.submission(tree, at: 1000, by: "north", job), "north"), (Self.submission(other, at: 1000, by: "south", job), "south")]
        } == .ledgersDiffer)
        #expect(try fault { [(Self.submission(tree, at: 999, by: "north", $0), "north")] } == .unexpectedMessage)
        #expect(try fault { [(Self.submission(tree, at: 0, by: "north", $0), "north")] } == .unexpectedMessage)
        #expect(try fault { job in Array(repeating: (Self.submission(tree, at: 1000, by: "north", job), "north"), count: 2) } == .unexpectedMessage)
        #expect(try fault { [(Self.submission(tree, at: 1000, by: "north", $0, seed: 4), "north")] } == .cryptographicCheck)
        // Two signed for 1,000; then a tree that has grown from another.
        #expect(try fault { job in
            ["north", "south"].map { (Self.submission(tree, at: 1000, by: $0, job), $0) } + [(Self.submission(other, at: 2000, since: 1000, by: "north", job), "north")]
        } == .ledgersDiffer)
        // The control: nothing of this ends an honest job.
        #expect(try fault { job in ["north", "south"].map { (Self.submission(tree, at: 1000, by: $0, job), $0) } } == nil)
    }
}

private enum FaultNoteCode {
    static func of(_ record: JobRecord) -> Fault.Code? { record.hasFault ? record.fault.fault(from: "").code : nil }
}
