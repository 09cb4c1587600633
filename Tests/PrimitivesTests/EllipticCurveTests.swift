import Primitives
import Testing

/// Vectors of points stand in Protocols/vectors and are run by the tests of SetIntersection, which uses this group.
@Suite("Groups of points") struct EllipticCurveTests {
    let generator = hex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")

    func scalar(_ small: UInt8) throws -> EllipticCurve.Scalar {
        try #require(EllipticCurve.Scalar(SecretBytes(copying: [UInt8](repeating: 0, count: 31) + [small]), of: .p256))
    }

    @Test("both encodings of a point give the same product")
    func encodings() throws {
        let uncompressed = hex("""
            046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
            4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5
            """)
        // 2 G.
        let double = hex("037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978")
        #expect(try EllipticCurve.multiply(generator[...], encoding: .compressed, by: scalar(2)) == double)
        let product = try EllipticCurve.multiply(uncompressed[...], encoding: .uncompressed, by: scalar(2))
        #expect(product.count == 65 && product[1..<33] == double[1...])
    }

    @Test("scalars commute, which is what set intersection rests on")
    func commuting() throws {
        let (left, right) = (try scalar(5), try scalar(7))
        let one = try EllipticCurve.multiply(EllipticCurve.multiply(generator[...], encoding: .compressed, by: left)[...], encoding: .compressed, by: right)
        let other = try EllipticCurve.multiply(EllipticCurve.multiply(generator[...], encoding: .compressed, by: right)[...], encoding: .compressed, by: left)
        #expect(one == other)
        #expect(try one == EllipticCurve.multiply(generator[...], encoding: .compressed, by: scalar(35)))
    }

    @Test("an encoding is not taken for the other")
    func confusedEncodings() throws {
        let one = try scalar(1)
        #expect(throws: PrimitiveError.wrongByteCount) { try EllipticCurve.multiply(generator[...], encoding: .uncompressed, by: one) }
        let identity = [UInt8](repeating: 0, count: 65)
        #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try EllipticCurve.p256.validate(identity[...], encoding: .uncompressed) }
        let wide = generator + [UInt8](repeating: 0, count: 32)
        #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try EllipticCurve.p256.validate(wide[...], encoding: .uncompressed) }
    }

    @Test("an uncompressed point that is off the curve, or has a coordinate over the prime, is refused")
    func uncompressedPoints() {
        let x = Array(generator[1...])
        let y = hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
        let prime = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        #expect(throws: Never.self) { try EllipticCurve.p256.validate(([4] + x + y)[...], encoding: .uncompressed) }
        let zeros = [UInt8](repeating: 0, count: 32)
        for bytes in [[4] + x + x, [4] + prime + y, [4] + x + prime, [4] + zeros + zeros, [6] + x + y, [7] + x + y] {
            #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try EllipticCurve.p256.validate(bytes[...], encoding: .uncompressed) }
        }
    }

    /// GB/T 32918.5, A.2: a private key and its public key.
    @Test("a point of one curve is none of the other, and SM2 multiplies as its standard's example does")
    func sm2() throws {
        let generator = hex("""
            0432c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
            bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0
            """)
        let key = hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
        let scalar = try #require(EllipticCurve.Scalar(SecretBytes(copying: key), of: .sm2))
        #expect(try EllipticCurve.multiply(generator[...], encoding: .uncompressed, by: scalar) == hex("""
            0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
            ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13
            """))
        #expect(throws: PrimitiveError.invalidPoint(index: 0)) { try EllipticCurve.p256.validate(generator[...], encoding: .uncompressed) }
        let order = hex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123")
        #expect(EllipticCurve.Scalar(SecretBytes(copying: order), of: .sm2) == nil)
        #expect(EllipticCurve.Scalar(SecretBytes(copying: order), of: .p256) != nil)
    }
}
