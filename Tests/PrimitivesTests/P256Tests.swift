import Primitives
import Testing

/// Vectors of points stand in Protocols/vectors and are run by the tests of SetIntersection, which uses this group.
@Suite("The group P-256") struct P256Tests {
    let generator = hex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")

    func scalar(_ small: UInt8) throws -> P256.Scalar {
        try #require(P256.Scalar(SecretBytes(copying: [UInt8](repeating: 0, count: 31) + [small])))
    }

    @Test("both encodings of a point give the same product")
    func encodings() throws {
        let uncompressed = hex("""
            046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
            4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5
            """)
        // 2 G.
        let double = hex("037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978")
        #expect(try P256.multiply(generator[...], encoding: .compressed, by: scalar(2)) == double)
        #expect(try P256.multiply(uncompressed[...], encoding: .uncompressed, by: scalar(2)) == double)
    }

    @Test("scalars commute, which is what set intersection rests on")
    func commuting() throws {
        let (left, right) = (try scalar(5), try scalar(7))
        let one = try P256.multiply(P256.multiply(generator[...], encoding: .compressed, by: left)[...], encoding: .compressed, by: right)
        let other = try P256.multiply(P256.multiply(generator[...], encoding: .compressed, by: right)[...], encoding: .compressed, by: left)
        #expect(one == other)
        #expect(try one == P256.multiply(generator[...], encoding: .compressed, by: scalar(35)))
    }

    @Test("an encoding is not taken for the other")
    func confusedEncodings() throws {
        let one = try scalar(1)
        #expect(throws: PrimitiveError.wrongByteCount) { try P256.multiply(generator[...], encoding: .uncompressed, by: one) }
        let identity = [UInt8](repeating: 0, count: 65)
        #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try P256.validate(identity[...], encoding: .uncompressed) }
        let wide = generator + [UInt8](repeating: 0, count: 32)
        #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try P256.validate(wide[...], encoding: .uncompressed) }
    }

    @Test("an uncompressed point that is off the curve, or has a coordinate over the prime, is refused")
    func uncompressedPoints() {
        let x = Array(generator[1...])
        let y = hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
        let prime = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        #expect(throws: Never.self) { try P256.validate(([4] + x + y)[...], encoding: .uncompressed) }
        let zeros = [UInt8](repeating: 0, count: 32)
        for bytes in [[4] + x + x, [4] + prime + y, [4] + x + prime, [4] + zeros + zeros, [6] + x + y, [7] + x + y] {
            #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try P256.validate(bytes[...], encoding: .uncompressed) }
        }
    }
}
