import Foundation
import Primitives
import SetIntersection
import Testing

/// Each file under Protocols/vectors/set-intersection holds one expectation, often a refusal. Their values come from
/// RFC 9380, from RFC 9497, and from an implementation in plain integers that shares no code with this one.
@Suite("Vectors of set intersection") struct VectorTests {
    @Test("the vector holds", arguments: try Vector.all())
    func holds(vector: Vector) throws {
        switch vector.operation {
        case "tag":
            let attempt = try #require(vector.attempt)
            let tag = Suite.p256SHA256.domainSeparationTag(job: hex(vector.job), attempt: attempt)
            #expect(tag.bytes == hex(vector.tag))
        case "scalar":
            #expect((P256.Scalar(SecretBytes(copying: hex(vector.scalar))) == nil) == (vector.error == "out-of-range"))
        case "first":
            let identifiers = try #require(vector.identifiers ?? vector.identifierCount.map { (0..<$0).map(String.init) })
            let elements = try blinding(vector.scalar).first(identifiers, tag: tag(vector))
            if let digest = vector.elementsSHA256 {
                #expect(SHA256.hash(elements) == hex(digest))
            } else {
                #expect(elements == hex(vector.elements))
            }
        case "second":
            let blinding = try blinding(vector.scalar)
            expect(vector) { () throws(SetIntersectionError) in
                let elements = try blinding.second(hex(vector.given))
                #expect(elements == hex(vector.elements))
            }
            expect(vector) { () throws(SetIntersectionError) in try Suite.p256SHA256.validate(hex(vector.given)[...]) }
        case "list":
            expect(vector) { () throws(SetIntersectionError) in
                var list = PointSet(suite: .p256SHA256, limit: vector.limit ?? 0)
                for block in vector.blocks ?? [] { try list.insert(hex(block)[...]) }
            }
        case "reflection":
            var own = PointSet(suite: .p256SHA256, limit: 100)
            try own.insert(hex(vector.own)[...])
            expect(vector) { [own] () throws(SetIntersectionError) in try own.refuseReflections(in: hex(vector.given)[...]) }
        case "match":
            var matcher = Matcher(suite: .p256SHA256, ownLimit: 100, peerLimit: 100)
            try matcher.appendOwn(hex(vector.own)[...])
            try matcher.appendPeer(hex(vector.peer)[...])
            expect(vector) { [matcher] () throws(SetIntersectionError) in
                let matches = try matcher.matches()
                #expect(matches.map { [$0.own, $0.peer] } == vector.matches)
            }
        case "oprf":
            try expectOPRF(vector)
        default:
            Issue.record("unknown operation")
        }
    }

    @Test("there are vectors of every operation")
    func complete() throws {
        #expect(Set(try Vector.all().map(\.operation)) == ["tag", "scalar", "first", "second", "list", "reflection", "match", "oprf"])
    }

    /// Blind, evaluate and finalise as RFC 9497, 3.3.1 writes them. The unblinded element N is reached from the secret's
    /// side, and blind N = evaluated ties it to the exchange.
    private func expectOPRF(_ vector: Vector) throws {
        let input = String(decoding: hex(vector.input), as: UTF8.self)
        let blind = try blinding(vector.blind)
        let secret = try blinding(vector.secret)
        let blinded = blind.first([input], tag: tag(vector))
        #expect(blinded == hex(vector.blinded))
        let evaluated = try secret.second(blinded)
        #expect(evaluated == hex(vector.evaluated))
        let unblinded = secret.first([input], tag: tag(vector))
        #expect(try blind.second(unblinded) == evaluated)
        let length: [UInt8] = [0, UInt8(input.utf8.count)]
        #expect(SHA256.hash(length + input.utf8 + [0, 33] + unblinded + "Finalize".utf8) == hex(vector.output))
    }

    private func blinding(_ scalar: String?) throws -> Blinding {
        Blinding(suite: .p256SHA256, scalar: try #require(P256.Scalar(SecretBytes(copying: hex(scalar)))))
    }

    private func tag(_ vector: Vector) -> DomainSeparationTag { DomainSeparationTag(hex(vector.tag)) }

    private func expect(_ vector: Vector, _ body: () throws(SetIntersectionError) -> Void) {
        do throws(SetIntersectionError) {
            try body()
            #expect(vector.error == nil)
        } catch {
            #expect(error == vector.expectedError)
        }
    }
}

struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    let about: String
    let operation: String
    var error: String?
    var index: Int?
    var tag, scalar, job, given, elements, elementsSHA256, own, peer: String?
    var input, secret, blind, blinded, evaluated, output: String?
    var identifiers, blocks: [String]?
    var identifierCount, limit: Int?
    var attempt: UInt32?
    var matches: [[UInt32]]?

    var testDescription: String { "\(operation): \(about)" }

    var expectedError: SetIntersectionError? {
        switch (error, index) {
        case ("wrong-byte-count", nil): .wrongByteCount
        case ("invalid-point", let index?): .invalidPoint(index: index)
        case ("repeated-point", let index?): .repeatedPoint(index: index)
        case ("reflected-point", let index?): .reflectedPoint(index: index)
        case ("too-many-points", nil): .tooManyPoints
        default: nil
        }
    }

    static func all() throws -> [Vector] {
        var root = URL(filePath: #filePath)
        var directory: URL
        repeat {
            root.deleteLastPathComponent()
            directory = root.appending(path: "Protocols/vectors/set-intersection")
        } while !FileManager.default.fileExists(atPath: directory.path) && root.path != "/"
        return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try JSONDecoder().decode(Vector.self, from: Data(contentsOf: $0)) }
    }
}

/// Hexadecimal to bytes; what a vector lacks is empty.
func hex(_ text: String?) -> [UInt8] {
    let digits = (text ?? "").compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
