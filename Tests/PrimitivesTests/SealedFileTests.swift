import Primitives
import Testing

@Suite("Sealed files") struct SealedFileTests {
    private let key = SystemRandom.secret(32)

    @Test("a sealed file opens under its key and name alone, and never twice looks the same", arguments: [0, 1, 100_000])
    func opens(count: Int) throws {
        let bytes = SystemRandom.bytes(count)
        let sealed = SealedFile.seal(bytes, as: "jobs/a/model.json", key: key)
        #expect(SealedFile.isOne(sealed) && !SealedFile.isOne(bytes) && sealed.count == count + SealedFile.overheadByteCount)
        #expect(try SealedFile.open(sealed, as: "jobs/a/model.json", key: key) == bytes)
        #expect(SealedFile.seal(bytes, as: "jobs/a/model.json", key: key) != sealed)
        #expect(throws: PrimitiveError.notAuthentic) { try SealedFile.open(sealed, as: "jobs/b/model.json", key: key) }
        #expect(throws: PrimitiveError.notAuthentic) { try SealedFile.open(sealed, as: "jobs/a/model.json", key: SystemRandom.secret(32)) }
    }

    @Test("every changed bit and every other length is refused")
    func changed() {
        let sealed = SealedFile.seal(Array("-0.25".utf8), as: "model", key: key)
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1 << UInt8(place % 8)
            #expect(throws: PrimitiveError.notAuthentic) { try SealedFile.open(changed, as: "model", key: key) }
            #expect(throws: PrimitiveError.notAuthentic) { try SealedFile.open(Array(sealed.prefix(place)), as: "model", key: key) }
        }
        #expect(throws: PrimitiveError.notAuthentic) { try SealedFile.open(sealed + [0], as: "model", key: key) }
    }
}
