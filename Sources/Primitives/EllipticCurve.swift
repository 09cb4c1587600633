import CVectorKernels

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
        var prefixes: ClosedRange<UInt8> { self == .compressed ? 2...3 : 4...4 }

        /// Throws `wrongByteCount`.
        func count(of points: ArraySlice<UInt8>) throws(PrimitiveError) -> Int {
            guard points.count.isMultiple(of: byteCount) else { throw .wrongByteCount }
            return points.count / byteCount
        }
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

    /// Which code computes. Results are the same bytes.
    package enum Kernels: Sendable, CaseIterable {
        /// libcrypto, and the arithmetic of `FieldElement`: the reference.
        case portable
        /// Eight points at a time, with the 52-bit multiplications of AVX-512.
        case vector

        /// What this process uses, by its processor and JOINTLAB_KERNELS.
        package static let chosen: Kernels = jk_uses_ifma() != 0 ? .vector : .portable

        /// Whether this processor can run them.
        package var areThere: Bool { self == .portable || jk_has_ifma() != 0 }
    }

    /// The one place where points are multiplied: a batch of points, side by side in `encoding`, by one scalar; the products
    /// come in the same encoding and order. Constant time in the scalar, portably as far as libcrypto is. Throws
    /// `wrongByteCount`, and `invalidPoint` for the first one that is not of the curve: untrusted bytes may be given.
    package static func multiply(
        _ points: ArraySlice<UInt8>, encoding: Encoding, by scalar: Scalar, kernels: Kernels = .chosen
    ) throws(PrimitiveError) -> [UInt8] {
        let curve = scalar.curve
        guard kernels == .vector, scalar.bytes.withUnsafeBytes({ jk_curve_takes(curve.ofKernels, $0.baseAddress) }) != 0 else {
            return try curve.portableProducts(points, encoding: encoding, by: scalar.bytes)
        }
        let count = try encoding.count(of: points), width = encoding.byteCount
        var valid = 0
        let products = [UInt8](unsafeUninitializedCapacity: points.count) { products, initialised in
            points.withUnsafeBufferPointer { points in
                scalar.bytes.withUnsafeBytes { scalar in
                    withUnsafeTemporaryAllocation(byteCount: jk_curve_scratch_bytes(), alignment: 64) { scratch in
                        valid = jk_curve_multiply(curve.ofKernels, scalar.baseAddress, points.baseAddress, width, count, products.baseAddress,
                                                  scratch.baseAddress)
                    }
                }
            }
            initialised = valid == count ? points.count : 0
        }
        guard valid == count else { throw .invalidPoint(index: valid) }
        return products
    }

    /// Throws as `multiply` does, without multiplying.
    package func validate(_ points: ArraySlice<UInt8>, encoding: Encoding, kernels: Kernels = .chosen) throws(PrimitiveError) {
        guard kernels == .vector else { return try portablyValidate(points, encoding: encoding) }
        let count = try encoding.count(of: points)
        let valid = points.withUnsafeBufferPointer { jk_curve_validate(ofKernels, $0.baseAddress, encoding.byteCount, count) }
        guard valid == count else { throw .invalidPoint(index: valid) }
    }

    /// Bytes that one point is mapped from.
    package static let uniformByteCount = 96

    /// Maps uniform bytes to points, as hash_to_curve does behind its hash (RFC 9380, 3): the halves of 96 bytes, reduced
    /// modulo p, go through the simplified SWU map, and their points are added. The points are uncompressed and side by side;
    /// the identity, which comes once in 2^256, is 65 zeros.
    package func points(mappedFrom uniform: [UInt8], kernels: Kernels = .chosen) -> [UInt8] {
        precondition(uniform.count.isMultiple(of: Self.uniformByteCount))
        guard kernels == .vector else {
            return self == .p256 ? P256Field.map.points(uniform) : SM2Field.map.points(uniform)
        }
        let count = uniform.count / Self.uniformByteCount, byteCount = count * Encoding.uncompressed.byteCount
        return [UInt8](unsafeUninitializedCapacity: byteCount) { points, initialised in
            uniform.withUnsafeBufferPointer { jk_curve_map(ofKernels, $0.baseAddress, count, points.baseAddress) }
            initialised = byteCount
        }
    }

    private var ofKernels: jk_curve { self == .p256 ? jk_p256 : jk_sm2 }
}
