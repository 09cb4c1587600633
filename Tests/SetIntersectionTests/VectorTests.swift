import Foundation
import Primitives
import Scratch
import SetIntersection
import Testing

/// Each file under Protocols/vectors/set-intersection/SUITE holds one expectation, often a refusal. Their values come from
/// RFC 9380, from RFC 9497, and from an implementation in plain integers that shares no code with this one.
@Suite("Vectors of set intersection") struct VectorTests {
    @Test("the vector holds", arguments: try Vector.all())
    func holds(vector: Vector) throws {
        switch vector.operation {
        case "tag":
            let attempt = try #require(vector.attempt)
            let tag = vector.suite.domainSeparationTag(job: hex(vector.job), attempt: attempt)
            #expect(tag.bytes == hex(vector.tag))
        case "scalar":
            #expect((EllipticCurve.Scalar(SecretBytes(copying: hex(vector.scalar)), of: vector.suite.curve) == nil) == (vector.error == "out-of-range"))
        case "first":
            let identifiers = try #require(vector.identifiers ?? vector.identifierCount.map { (0..<$0).map(String.init) })
            let elements = try blinding(vector, vector.scalar).first(identifiers, tag: tag(vector))
            if let digest = vector.elementsSHA256 {
                #expect(SHA256.hash(elements) == hex(digest))
            } else {
                #expect(elements == hex(vector.elements))
            }
        case "second":
            let blinding = try blinding(vector, vector.scalar)
            expect(vector) { () throws(SetIntersectionError) in
                let elements = try blinding.second(hex(vector.given))
                #expect(elements == hex(vector.elements))
            }
            expect(vector) { () throws(SetIntersectionError) in try vector.suite.validate(hex(vector.given)[...]) }
        case "list":
            for memoryBytes in Self.memories {
                expect(vector) { () throws(SetIntersectionError) in
                    var scratch: any Scratch = MemoryScratch(memoryBytes: memoryBytes)
                    var list = self.list(vector, limit: vector.limit ?? 0, memoryBytes)
                    for block in vector.blocks ?? [] { try list.append(hex(block)[...], to: &scratch) }
                    try list.check(against: nil, in: scratch)
                }
            }
        case "reflection":
            for memoryBytes in Self.memories {
                expect(vector) { () throws(SetIntersectionError) in
                    var scratch: any Scratch = MemoryScratch(memoryBytes: memoryBytes)
                    var own = self.list(vector, limit: 100, memoryBytes), given = self.list(vector, limit: 100, memoryBytes)
                    try own.append(hex(vector.own)[...], to: &scratch)
                    try given.append(hex(vector.given)[...], to: &scratch)
                    try given.check(against: own, in: scratch)
                }
            }
        case "match":
            for memoryBytes in Self.memories {
                expect(vector) { () throws(SetIntersectionError) in
                    var scratch: any Scratch = MemoryScratch(memoryBytes: memoryBytes)
                    var own = self.list(vector, limit: 100, memoryBytes), peer = self.list(vector, limit: 100, memoryBytes)
                    try own.append(hex(vector.own)[...], to: &scratch)
                    try peer.append(hex(vector.peer)[...], to: &scratch)
                    var matches: [PointList.Match] = []
                    try own.matches(with: peer, in: scratch) { found throws(SetIntersectionError) in matches += found }
                    #expect(matches.sorted { $0.peer < $1.peer }.map { [$0.own, $0.peer] } == vector.matches)
                }
            }
        case "oprf":
            try expectOPRF(vector)
        default:
            Issue.record("unknown operation")
        }
    }

    /// All in one bucket, and spread over many.
    private static let memories = [512 << 20, 4096]

    private func list(_ vector: Vector, limit: Int, _ memoryBytes: Int) -> PointList {
        PointList(suite: vector.suite, limit: limit, buckets: Buckets(elements: 200, memoryBytes: memoryBytes))
    }

    @Test("there are vectors of every operation for every suite", arguments: Suite.allCases)
    func complete(suite: Suite) throws {
        let operations = Set(try Vector.all().filter { $0.suite == suite }.map(\.operation))
        #expect(operations.subtracting(["oprf"]) == ["tag", "scalar", "first", "second", "list", "reflection", "match"])
    }

    @Test("arithmetic in plain integers gives the same vectors")
    func independent() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", Vector.directory.appending(path: "make.py").path, "--check"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// Blind, evaluate and finalise as RFC 9497, 3.3.1 writes them. The unblinded element N is reached from the secret's
    /// side, and blind N = evaluated ties it to the exchange.
    private func expectOPRF(_ vector: Vector) throws {
        let input = String(decoding: hex(vector.input), as: UTF8.self)
        let blind = try blinding(vector, vector.blind)
        let secret = try blinding(vector, vector.secret)
        let blinded = blind.first([input], tag: tag(vector))
        #expect(compressed(blinded) == hex(vector.blinded))
        let evaluated = try secret.second(blinded)
        #expect(compressed(evaluated) == hex(vector.evaluated))
        let unblinded = secret.first([input], tag: tag(vector))
        #expect(try blind.second(unblinded) == evaluated)
        let length: [UInt8] = [0, UInt8(input.utf8.count)]
        #expect(SHA256.hash(length + input.utf8 + [0, 33] + compressed(unblinded) + "Finalize".utf8) == hex(vector.output))
    }

    private func blinding(_ vector: Vector, _ scalar: String?) throws -> Blinding {
        Blinding(suite: vector.suite, scalar: try #require(EllipticCurve.Scalar(SecretBytes(copying: hex(scalar)), of: vector.suite.curve)))
    }

    /// An element as RFC 9497 writes it.
    private func compressed(_ element: [UInt8]) -> [UInt8] { [2 + (element.last ?? 0) & 1] + element[1..<33] }

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
    /// Name of the folder.
    private(set) var suite = SetIntersection.Suite.p256SHA256
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

    private enum CodingKeys: CodingKey {
        case about, operation, error, index, tag, scalar, job, given, elements, elementsSHA256, own, peer
        case input, secret, blind, blinded, evaluated, output, identifiers, blocks, identifierCount, limit, attempt, matches
    }

    var testDescription: String { "\(suite.rawValue) \(operation): \(about)" }

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

    static let directory: URL = {
        var root = URL(filePath: #filePath)
        var directory: URL
        repeat {
            root.deleteLastPathComponent()
            directory = root.appending(path: "Protocols/vectors/set-intersection")
        } while !FileManager.default.fileExists(atPath: directory.path) && root.path != "/"
        return directory
    }()

    static func all() throws -> [Vector] {
        try Suite.allCases.flatMap { suite in
            try FileManager.default.contentsOfDirectory(at: directory.appending(path: suite.rawValue), includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .map { file in
                    var vector = try JSONDecoder().decode(Vector.self, from: Data(contentsOf: file))
                    vector.suite = suite
                    return vector
                }
        }
    }
}

/// Hexadecimal to bytes; what a vector lacks is empty.
func hex(_ text: String?) -> [UInt8] {
    let digits = (text ?? "").compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
