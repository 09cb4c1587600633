import Faults
import Ledger
import Primitives
import Wire

/// What the arbiter knows of the ledgers of one line between two parties: for each direction, the size and root that it
/// signed last. It signs when both ends name the same, and only growth.
struct HeadRegister: Sendable {
    private struct Tree: Sendable {
        var size: UInt64 = 0
        var root = GrowingTree.emptyRoot
    }

    private let job: JobIdentifier
    private let attempt: UInt32
    private let bank: String
    private let platform: String
    private let keys: [String: Ed25519.VerifyingKey]
    /// By the sender's name.
    private var signed: [String: Tree] = [:]
    private var waiting: [String: HeadSubmission] = [:]
    /// Heads in the middle of a phase: by the sender of the direction, then by who submitted.
    private var midway: [String: [String: DirectionHead]] = [:]

    init(job: JobIdentifier, attempt: UInt32, bank: String, platform: String, keys: [String: Ed25519.VerifyingKey]) {
        self.job = job
        self.attempt = attempt
        self.bank = bank
        self.platform = platform
        self.keys = keys
    }

    /// - Returns: what each party is to be told, once both have submitted.
    mutating func hear(_ submission: HeadSubmission, from name: String, key: Ed25519.SigningKey) throws(Fault) -> [String: HeadSignatures] {
        guard waiting[name] == nil else { throw Fault(.unexpectedMessage, at: name) }
        try check(submission, from: name)
        waiting[name] = submission
        guard let ofBank = waiting[bank]?.heads, let ofPlatform = waiting[platform]?.heads else { return [:] }
        waiting = [:]
        guard ofBank.round == ofPlatform.round, ofBank.sentSize == ofPlatform.receivedSize, ofBank.sentRoot == ofPlatform.receivedRoot,
              ofBank.receivedSize == ofPlatform.sentSize, ofBank.receivedRoot == ofPlatform.sentRoot
        else { throw Fault(.ledgersDiffer, at: name) }
        signed[bank] = Tree(size: ofBank.sentSize, root: ofBank.sentRoot.octets)
        signed[platform] = Tree(size: ofPlatform.sentSize, root: ofPlatform.sentRoot.octets)
        let fromBank = key.signature(for: head(from: bank, ofBank.sentSize, ofBank.sentRoot.octets).text).data
        let fromPlatform = key.signature(for: head(from: platform, ofPlatform.sentSize, ofPlatform.sentRoot.octets).text).data
        func told(sent: [UInt8], received: [UInt8]) -> HeadSignatures {
            .filled {
                $0.round = ofBank.round
                $0.sentSignature = sent.data
                $0.receivedSignature = received.data
            }
        }
        return [bank: told(sent: fromBank.octets, received: fromPlatform.octets),
                platform: told(sent: fromPlatform.octets, received: fromBank.octets)]
    }

    /// - Returns: what each party is to be told, once both have submitted.
    mutating func hear(_ submission: DirectionHead, from name: String, key: Ed25519.SigningKey) throws(Fault) -> [String: DirectionHead] {
        let sender = submission.sent ? name : name == bank ? platform : bank
        let text = head(from: sender, submission.size, submission.root.octets).text
        guard Head.isDue(submission.size), midway[sender]?[name] == nil else { throw Fault(.unexpectedMessage, at: name) }
        guard let own = keys[name], own.accepts(submission.signature.octets, for: text) else { throw Fault(.cryptographicCheck, at: name) }
        try checkGrowth(of: signed[sender] ?? Tree(), to: submission.size, submission.root.octets, submission.proof.octets, name)
        midway[sender, default: [:]][name] = submission
        guard let ofBank = midway[sender]?[bank], let ofPlatform = midway[sender]?[platform] else { return [:] }
        midway[sender] = nil
        guard ofBank.size == ofPlatform.size, ofBank.root == ofPlatform.root else { throw Fault(.ledgersDiffer, at: name) }
        signed[sender] = Tree(size: submission.size, root: submission.root.octets)
        let signature = key.signature(for: text).data
        func told(_ own: DirectionHead, _ other: DirectionHead) -> DirectionHead {
            .filled {
                $0.sent = own.sent
                $0.size = own.size
                $0.root = own.root
                $0.signature = signature
                $0.peerSignature = other.signature
            }
        }
        return [bank: told(ofBank, ofPlatform), platform: told(ofPlatform, ofBank)]
    }

    private func head(from sender: String, _ size: UInt64, _ root: [UInt8]) -> Head {
        Head(job: job, attempt: attempt, sender: sender, receiver: sender == bank ? platform : bank, size: size, root: root)
    }

    /// Signed by the party, and grown from what was signed last.
    private func check(_ submission: HeadSubmission, from name: String) throws(Fault) {
        let heads = submission.heads
        let peer = name == bank ? platform : bank
        guard submission.hasHeads, let key = keys[name],
              key.accepts(heads.sentSignature.octets, for: head(from: name, heads.sentSize, heads.sentRoot.octets).text),
              key.accepts(heads.receivedSignature.octets, for: head(from: peer, heads.receivedSize, heads.receivedRoot.octets).text)
        else { throw Fault(.cryptographicCheck, at: name) }
        try checkGrowth(of: signed[name] ?? Tree(), to: heads.sentSize, heads.sentRoot.octets, submission.sentProof.octets, name)
        try checkGrowth(of: signed[peer] ?? Tree(), to: heads.receivedSize, heads.receivedRoot.octets, submission.receivedProof.octets, name)
    }

    private func checkGrowth(of tree: Tree, to size: UInt64, _ root: [UInt8], _ proof: [UInt8], _ name: String) throws(Fault) {
        let nodes = stride(from: 0, to: proof.count, by: 32).map { Array(proof[$0..<min($0 + 32, proof.count)]) }
        guard GrowingTree.verifyConsistency(from: tree.size, root: tree.root, to: size, root: root, proof: nodes) else {
            throw Fault(.ledgersDiffer, at: name)
        }
    }
}
