import Foundation
import Primitives

/// A text and Ed25519 signatures over it. Source: C2SP signed-note; `Protocols/ledger.md`, "Heads".
///
///     TEXT
///
///     — NAME BASE64(key identifier || signature)
package struct SignedNote: Sendable, Hashable {
    package struct Signature: Sendable, Hashable {
        package let name: String
        /// 4 bytes.
        package let keyIdentifier: [UInt8]
        /// 64 bytes.
        package let bytes: [UInt8]
    }

    package enum Fault: Error, Sendable, Hashable { case malformed }

    /// Ends in a line break.
    package let text: [UInt8]
    package private(set) var signatures: [Signature] = []

    /// As many parties as a contract may have.
    private static let mostSignatures = 100
    private static let mark = Array("\u{2014} ".utf8)
    private static let lineBreak = UInt8(ascii: "\n")

    package init(text: [UInt8]) {
        self.text = text
    }

    package mutating func sign(as name: String, with key: Ed25519.SigningKey) {
        add(key.signature(for: text), of: name, key.verifyingKey)
    }

    /// A signature that was made elsewhere; `isSigned` tells whether it holds.
    package mutating func add(_ signature: [UInt8], of name: String, _ key: Ed25519.VerifyingKey) {
        signatures.append(Signature(name: name, keyIdentifier: Self.keyIdentifier(name, key), bytes: signature))
    }

    /// Whether every signature under this name and key, and at least one, holds.
    package func isSigned(by name: String, _ key: Ed25519.VerifyingKey) -> Bool {
        let identifier = Self.keyIdentifier(name, key)
        let own = signatures.filter { $0.name == name && $0.keyIdentifier == identifier }
        return !own.isEmpty && own.allSatisfy { key.accepts($0.bytes, for: text) }
    }

    /// The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
    package static func keyIdentifier(_ name: String, _ key: Ed25519.VerifyingKey) -> [UInt8] {
        Array(SHA256.hash(Array(name.utf8) + [0x0A, 0x01] + key.bytes).prefix(4))
    }

    package func encode() -> [UInt8] {
        signatures.reduce(text + [Self.lineBreak]) { bytes, signature in
            let code = Data(signature.keyIdentifier + signature.bytes).base64EncodedString()
            return bytes + Self.mark + Array("\(signature.name) \(code)\n".utf8)
        }
    }

    /// Takes one note and nothing around it, in the one form that `encode` writes.
    package static func decode(_ bytes: some Collection<UInt8>) throws(Fault) -> SignedNote {
        let bytes = Array(bytes)
        guard let text = String(validating: bytes, as: UTF8.self), let empty = text.range(of: "\n\n", options: [.backwards, .literal]),
              !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" })
        else { throw .malformed }
        var note = SignedNote(text: Array(text[..<empty.lowerBound].utf8) + [lineBreak])
        let lines = text[empty.upperBound...].utf8.split(separator: lineBreak, omittingEmptySubsequences: false)
        guard (2...mostSignatures + 1).contains(lines.count) else { throw .malformed }
        for line in lines.dropLast() { note.signatures.append(try signature(Array(line))) }
        guard note.encode() == bytes else { throw .malformed }
        return note
    }

    private static func signature(_ line: [UInt8]) throws(Fault) -> Signature {
        let parts = line.dropFirst(mark.count).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard line.starts(with: mark), parts.count == 2, let name = String(validating: parts[0], as: UTF8.self), !name.isEmpty,
              !name.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == "+" }),
              let code = String(validating: parts[1], as: UTF8.self), let value = Data(base64Encoded: code),
              value.count == 4 + Ed25519.signatureByteCount
        else { throw .malformed }
        return Signature(name: name, keyIdentifier: Array(value.prefix(4)), bytes: Array(value.dropFirst(4)))
    }
}
