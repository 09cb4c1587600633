import Foundation
import Ledger
import Primitives
import Testing

@Suite("Heads and notes") struct NoteTests {
    /// The example of golang.org/x/mod/sumdb/note.
    private static let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    private static let published = text
        + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    private static let seed = bytes("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173")

    private static let head = Head(job: job, attempt: 2, sender: "north-bank", receiver: "credit", size: 318, root: GrowingTree.emptyRoot)

    private static var signed: SignedNote {
        var note = SignedNote(text: head.text)
        note.sign(as: "north-bank", with: key(1))
        note.sign(as: "credit", with: key(2))
        note.sign(as: "arbiter", with: key(3))
        return note
    }

    @Test("the published note is read, verified, and written again bit for bit")
    func published() throws {
        let note = try SignedNote.decode(Array(Self.published.utf8))
        let secret = Ed25519.SigningKey(seed: SecretBytes(copying: Self.seed))
        #expect(note.text == Array(Self.text.utf8))
        #expect(note.signatures.map(\.name) == ["PeterNeumann"])
        #expect(hex(SignedNote.keyIdentifier("PeterNeumann", secret.verifyingKey)) == "c74f20a3")
        #expect(note.isSigned(by: "PeterNeumann", secret.verifyingKey))
        var own = SignedNote(text: Array(Self.text.utf8))
        own.sign(as: "PeterNeumann", with: secret)
        #expect(String(decoding: own.encode(), as: UTF8.self) == Self.published)
    }

    @Test("a head is the text of the document, and is read back")
    func heads() {
        #expect(String(decoding: Self.head.text, as: UTF8.self)
            == "jointlab/000102030405060708090a0b0c0d0e0f/2/north-bank/credit\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        #expect(Head(text: Self.head.text) == Self.head)
    }

    @Test("another text is no head", arguments: [
        "", "\n", "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n0318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n+318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n",
        "jointlab/000102030405060708090A0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "jointlab/000102030405060708090a0b0c0d0e0f/2/a/b/c\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "elsewhere/000102030405060708090a0b0c0d0e0f/2/a/b\n318\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ])
    func noHeads(_ text: String) { #expect(Head(text: Array(text.utf8)) == nil) }

    @Test("a note carries the signatures of several, each under its own key")
    func signers() throws {
        let note = try SignedNote.decode(Self.signed.encode())
        #expect(note == Self.signed)
        for (seed, name) in [(UInt8(1), "north-bank"), (2, "credit"), (3, "arbiter")] {
            #expect(note.isSigned(by: name, key(seed).verifyingKey))
            #expect(!note.isSigned(by: name, key(seed + 1).verifyingKey))
            #expect(!note.isSigned(by: "somebody", key(seed).verifyingKey))
        }
        var contradicted = note
        contradicted.add([UInt8](repeating: 0, count: 64), of: "credit", key(2).verifyingKey)
        #expect(!contradicted.isSigned(by: "credit", key(2).verifyingKey))
    }

    @Test("every flipped bit of a head with three signatures is found")
    func everyBit() {
        let whole = Self.signed.encode()
        for bit in 0..<8 * whole.count {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let note = try? SignedNote.decode(bytes) else { continue }
            let isStillSigned = [(UInt8(1), "north-bank"), (2, "credit"), (3, "arbiter")].allSatisfy { note.isSigned(by: $1, key($0).verifyingKey) }
            #expect(!isStillSigned || Head(text: note.text) != Self.head, "bit \(bit)")
        }
    }

    @Test("every truncation of a note is refused, or lacks a signature")
    func truncations() {
        let whole = Self.signed.encode()
        for count in 0..<whole.count {
            guard let note = try? SignedNote.decode(whole.prefix(count)) else { continue }
            #expect(note.signatures.count < 3)
        }
    }

    @Test("what is not in the one form of a note is refused", arguments: [
        "", "\n", "\n\n", "text\n", "text\n\n", "text\n\n— a\n", "text\n\n— a b c\n", "text\n\n- a AAAA\n", "text\n\n—  AAAA\n", "text\n\n— a+b AAAA\n",
        "te\txt\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
        "text\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
        "text\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n\n",
        "text\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAN=\n",
    ])
    func refused(_ text: String) {
        #expect(throws: SignedNote.Fault.malformed) { try SignedNote.decode(Array(text.utf8)) }
    }

    @Test("bytes that are not UTF-8 are no note, and thousands of random changes stop nothing")
    func damage() {
        #expect(throws: SignedNote.Fault.malformed) { try SignedNote.decode([0xFF, 0x0A, 0x0A]) }
        var random = SystemRandomNumberGenerator()
        let whole = Self.signed.encode()
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
                default: bytes.remove(at: index)
                }
            }
            guard let note = try? SignedNote.decode(bytes) else { continue }
            #expect(note.encode() == bytes)
        }
    }

    @Test("a heads file is cut into its notes, and a malformed one is named by its place")
    func files() {
        let note = Self.signed.encode() + [0x0A]
        #expect(HeadFile.entries([]).isEmpty)
        #expect(HeadFile.entries(note + note).map(\.note) == [Self.signed, Self.signed])
        var bad = note
        bad[5] = 0
        let entries = HeadFile.entries(note + bad + note)
        #expect(entries.map(\.offset) == [0, note.count, 2 * note.count])
        #expect(entries.map { $0.note == nil } == [false, true, false])
        let cut = HeadFile.entries(note + note.dropLast(1))
        #expect(cut.map { $0.note == nil } == [false, true])
    }
}
