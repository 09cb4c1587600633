import CLibcrypto

/// Groups of points over a field of 256 bits. Their order is prime, so every point but the identity generates the group.
package enum EllipticCurve: Sendable {
    /// NIST P-256 (FIPS 186-5, secp256r1).
    case p256
    /// The curve that GB/T 32918.5 recommends.
    case sm2

    /// Points as SEC 1 version 2, 2.3.3 writes them. The identity has no valid encoding here.
    package enum Encoding: Sendable {
        /// 02 or 03, then x.
        case compressed
        /// 04, then x and y.
        case uncompressed

        package var byteCount: Int { self == .compressed ? 33 : 65 }
        fileprivate var form: point_conversion_form_t { self == .compressed ? POINT_CONVERSION_COMPRESSED : POINT_CONVERSION_UNCOMPRESSED }
        fileprivate var prefixes: ClosedRange<UInt8> { self == .compressed ? 2...3 : 4...4 }
    }

    /// An integer in 1..<n, n the order of the group.
    package struct Scalar: Sendable {
        fileprivate let curve: EllipticCurve
        fileprivate let bytes: SecretBytes

        /// 32 bytes, big-endian; nil where they are not in range.
        package init?(_ bytes: SecretBytes, of curve: EllipticCurve) {
            let inRange = bytes.withUnsafeBytes { bytes in
                bytes.count == 32 && bytes.contains { $0 != 0 } && bytes.lexicographicallyPrecedes(curve.order)
            }
            guard inRange else { return nil }
            self.curve = curve
            self.bytes = bytes
        }
    }

    private var order: [UInt8] { self == .p256 ? Self.orderOfP256 : Self.orderOfSM2 }

    private static let orderOfP256: [UInt8] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ]

    private static let orderOfSM2: [UInt8] = [
        0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
    ]

    /// Multiplies a batch of points, side by side in `encoding`, by one scalar; the products come in the same encoding and
    /// order. Constant time in the scalar, as far as libcrypto is. Throws `wrongByteCount`, and `invalidPoint` for the first
    /// one that is not of the curve: untrusted bytes may be given.
    package static func multiply(
        _ points: ArraySlice<UInt8>, encoding: Encoding, by scalar: Scalar
    ) throws(PrimitiveError) -> [UInt8] {
        let group = Group(scalar.curve)
        let factor = group.integer(scalar.bytes)
        defer { BN_clear_free(factor) }
        let width = encoding.byteCount
        var products = [UInt8](repeating: 0, count: points.count / width * width)
        try group.forEachPoint(in: points, encoding: encoding) { point, index in
            products.withUnsafeMutableBufferPointer { products in
                required(EC_POINT_mul(group.group, group.product, nil, point, factor, group.context))
                let slot = UnsafeMutableBufferPointer(rebasing: products[(index * width)..<((index + 1) * width)])
                precondition(width == EC_POINT_point2oct(
                    group.group, group.product, encoding.form, slot.baseAddress, width, group.context))
            }
        }
        return products
    }

    /// Throws as `multiply` does, without multiplying.
    package func validate(_ points: ArraySlice<UInt8>, encoding: Encoding) throws(PrimitiveError) {
        try Group(self).forEachPoint(in: points, encoding: encoding) { _, _ in }
    }

    /// The curve and working space for one thread.
    private final class Group {
        let group: OpaquePointer
        let context = required(BN_CTX_new())
        let point: OpaquePointer
        let product: OpaquePointer

        init(_ curve: EllipticCurve) {
            group = required(EC_GROUP_new_by_curve_name(curve == .p256 ? NID_X9_62_prime256v1 : NID_sm2))
            point = required(EC_POINT_new(group))
            product = required(EC_POINT_new(group))
        }

        deinit {
            EC_POINT_free(point)
            EC_POINT_free(product)
            BN_CTX_free(context)
            EC_GROUP_free(group)
        }

        func integer(_ bytes: SecretBytes) -> OpaquePointer {
            bytes.withUnsafeBytes { bytes in
                required(BN_bin2bn(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count), nil))
            }
        }

        func forEachPoint(
            in points: ArraySlice<UInt8>, encoding: Encoding, _ body: (OpaquePointer, Int) -> Void
        ) throws(PrimitiveError) {
            let width = encoding.byteCount
            guard points.count.isMultiple(of: width) else { throw .wrongByteCount }
            let firstInvalid: Int? = points.withUnsafeBufferPointer { points in
                for index in 0..<(points.count / width) {
                    let bytes = UnsafeBufferPointer(rebasing: points[(index * width)..<((index + 1) * width)])
                    // Decoding checks that coordinates are below the field's prime and on the curve.
                    guard encoding.prefixes.contains(bytes[0]),
                          EC_POINT_oct2point(group, point, bytes.baseAddress, width, context) == 1
                    else { return index }
                    body(point, index)
                }
                return nil
            }
            if let firstInvalid {
                ERR_clear_error()
                throw .invalidPoint(index: firstInvalid)
            }
        }
    }
}
