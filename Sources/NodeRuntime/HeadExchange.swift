import Faults
import Installation
import Jobs
import Ledger
import Primitives
import Wire

/// Who signs the heads of a line, and with which keys.
package struct HeadSigners: Sendable {
    let own: String
    let key: Ed25519.SigningKey
    let peer: String
    let peerKey: Ed25519.VerifyingKey
    let arbiter: String
    let arbiterKey: Ed25519.VerifyingKey

    /// - Parameters:
    ///   - own, peer: names of the contract.
    ///   - key: the ledger key of `own`.
    /// - Throws: `contractMismatch` where the contract has no such key.
    package init(own: String, key: Ed25519.SigningKey, peer: String, contract: Contract) throws(Fault) {
        func verifyingKey(_ name: String) throws(Fault) -> Ed25519.VerifyingKey {
            guard let party = contract.everyone.first(where: { $0.name == name }), let key = try? Ed25519.VerifyingKey(bytes: party.ledgerKey)
            else { throw Fault(.contractMismatch, at: name) }
            return key
        }
        (self.own, self.key, self.peer, arbiter) = (own, key, peer, contract.arbiter.name)
        peerKey = try verifyingKey(peer)
        arbiterKey = try verifyingKey(contract.arbiter.name)
    }
}

/// One checkpoint of one line: this node's heads of both directions, the peer's signatures, the arbiter's. Source:
/// Protocols/ledger.md, "Heads".
package struct HeadExchange: Sendable {
    private let signers: HeadSigners
    private let round: UInt32
    private let sent: Head
    private let received: Head
    private var sentNote: SignedNote
    private var receivedNote: SignedNote

    /// Everything of the phase is in the ledger, and on the disk.
    package init(_ ledger: LedgerWriter, signers: HeadSigners, round: UInt32) {
        self.signers = signers
        self.round = round
        sent = ledger.head(.sent)
        received = ledger.head(.received)
        sentNote = SignedNote(text: sent.text)
        receivedNote = SignedNote(text: received.text)
        sentNote.sign(as: signers.own, with: signers.key)
        receivedNote.sign(as: signers.own, with: signers.key)
    }

    package var sizes: (sent: UInt64, received: UInt64) { (sent.size, received.size) }

    package var heads: LedgerHeads {
        .filled {
            $0.round = round
            $0.sentSize = sent.size
            $0.sentRoot = sent.root.data
            $0.sentSignature = signers.key.signature(for: sent.text).data
            $0.receivedSize = received.size
            $0.receivedRoot = received.root.data
            $0.receivedSignature = signers.key.signature(for: received.text).data
        }
    }

    /// What the peer sent is what came here, and the other way round.
    package mutating func accept(_ heads: LedgerHeads) throws(Fault) {
        guard heads.round == round, heads.sentSize == received.size, heads.sentRoot.octets == received.root,
              heads.receivedSize == sent.size, heads.receivedRoot.octets == sent.root,
              signers.peerKey.accepts(heads.sentSignature.octets, for: received.text),
              signers.peerKey.accepts(heads.receivedSignature.octets, for: sent.text)
        else { throw Fault(.ledgersDiffer, at: signers.peer) }
        sentNote.add(heads.receivedSignature.octets, of: signers.peer, signers.peerKey)
        receivedNote.add(heads.sentSignature.octets, of: signers.peer, signers.peerKey)
    }

    /// - Parameter last: sizes that the arbiter signed last.
    package func submission(_ ledger: LedgerWriter, since last: (sent: UInt64, received: UInt64)) -> HeadSubmission {
        .filled {
            $0.heads = heads
            $0.sentProof = (ledger.consistencyProof(.sent, from: last.sent, to: sent.size) ?? []).flatMap(\.self).data
            $0.receivedProof = (ledger.consistencyProof(.received, from: last.received, to: received.size) ?? []).flatMap(\.self).data
        }
    }

    package mutating func accept(_ signatures: HeadSignatures) throws(Fault) {
        guard signatures.round == round, signers.arbiterKey.accepts(signatures.sentSignature.octets, for: sent.text),
              signers.arbiterKey.accepts(signatures.receivedSignature.octets, for: received.text)
        else { throw Fault(.ledgersDiffer, at: signers.arbiter) }
        sentNote.add(signatures.sentSignature.octets, of: signers.arbiter, signers.arbiterKey)
        receivedNote.add(signatures.receivedSignature.octets, of: signers.arbiter, signers.arbiterKey)
    }

    package func keep(in ledger: LedgerWriter) throws(Fault) {
        do {
            try ledger.keep(sentNote, .sent)
            try ledger.keep(receivedNote, .received)
        } catch {
            throw Fault(.unwritable, at: "ledger")
        }
    }
}
