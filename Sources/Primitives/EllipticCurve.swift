import CLibcrypto
import Synchronization

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

    /// The one place where points are multiplied: a batch of points, side by side in `encoding`, by one scalar; the products
    /// come in the same encoding and order. Constant time in the scalar, as far as libcrypto is. Throws `wrongByteCount`, and
    /// `invalidPoint` for the first one that is not of the curve: untrusted bytes may be given.
    package static func multiply(
        _ points: ArraySlice<UInt8>, encoding: Encoding, by scalar: Scalar
    ) throws(PrimitiveError) -> [UInt8] {
        let width = encoding.byteCount
        guard points.count.isMultiple(of: width) else { throw .wrongByteCount }
        return try scalar.curve.withWorkspace { workspace throws(PrimitiveError) in
            let factor = workspace.integer(scalar.bytes)
            defer { BN_clear_free(factor) }
            var products = [UInt8](repeating: 0, count: points.count)
            for start in stride(from: 0, to: points.count / width, by: Workspace.batch) {
                let block = points[(points.startIndex + start * width)...].prefix(Workspace.batch * width)
                try workspace.forEachPoint(in: block, encoding: encoding, first: start) { point, index in
                    required(EC_POINT_mul(workspace.group, workspace.products[index], nil, point, factor, workspace.context))
                }
                products.withUnsafeMutableBufferPointer { products in
                    let slots = UnsafeMutableBufferPointer(rebasing: products[(start * width)..<(start * width + block.count)])
                    workspace.encodeProducts(into: slots, encoding: encoding)
                }
            }
            return products
        }
    }

    /// Throws as `multiply` does, without multiplying.
    package func validate(_ points: ArraySlice<UInt8>, encoding: Encoding) throws(PrimitiveError) {
        try withWorkspace { workspace throws(PrimitiveError) in
            try workspace.forEachPoint(in: points, encoding: encoding, first: 0) { _, _ in }
        }
    }

    private func withWorkspace<Value>(_ body: (Workspace) throws(PrimitiveError) -> Value) throws(PrimitiveError) -> Value {
        let pool = self == .p256 ? Self.poolOfP256 : Self.poolOfSM2
        let workspace = pool.withLock { $0.popLast() } ?? Workspace(self)
        defer { pool.withLock { $0.append(workspace) } }
        return try body(workspace)
    }

    private static let poolOfP256 = IdleWorkspaces()
    private static let poolOfSM2 = IdleWorkspaces()

    /// As many as there ever were threads at once.
    private final class IdleWorkspaces: Sendable {
        private let idle = Mutex<[Workspace]>([])
        func withLock<Value: Sendable>(_ body: (inout sending [Workspace]) -> sending Value) -> Value { idle.withLock(body) }
    }

    /// The curve and working space for one thread at a time.
    private final class Workspace: @unchecked Sendable {
        /// Products that share one inversion.
        static let batch = 256

        let group: OpaquePointer
        let context = required(BN_CTX_new())
        let products: [OpaquePointer?]
        private let point: OpaquePointer
        private let coordinates: [OpaquePointer]

        init(_ curve: EllipticCurve) {
            let group = required(EC_GROUP_new_by_curve_name(curve == .p256 ? NID_X9_62_prime256v1 : NID_sm2))
            self.group = group
            point = required(EC_POINT_new(group))
            products = (0..<Self.batch).map { _ in required(EC_POINT_new(group)) }
            coordinates = (0..<3).map { _ in required(BN_new()) }
        }

        deinit {
            EC_POINT_free(point)
            products.forEach { EC_POINT_clear_free($0) }
            coordinates.forEach { BN_clear_free($0) }
            BN_CTX_free(context)
            EC_GROUP_free(group)
        }

        func integer(_ bytes: SecretBytes) -> OpaquePointer {
            bytes.withUnsafeBytes { bytes in
                required(BN_bin2bn(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count), nil))
            }
        }

        /// The first products, as many as there is room for. None is the identity: scalars are below the group's prime order.
        func encodeProducts(into slots: UnsafeMutableBufferPointer<UInt8>, encoding: Encoding) {
            let width = encoding.byteCount
            let count = slots.count / width
            var pointers = products
            required(libcrypto_make_affine(group, count, &pointers, context))
            for index in 0..<count {
                required(libcrypto_jacobian_coordinates(
                    group, products[index], coordinates[0], coordinates[1], coordinates[2], context))
                guard let slot = slots.baseAddress.map({ $0 + index * width }) else { return }
                precondition(BN_is_one(coordinates[2]) == 1)
                slot[0] = encoding == .uncompressed ? 4 : 2 + UInt8(BN_is_odd(coordinates[1]))
                precondition(BN_bn2binpad(coordinates[0], slot + 1, 32) == 32)
                if encoding == .uncompressed { precondition(BN_bn2binpad(coordinates[1], slot + 33, 32) == 32) }
            }
        }

        /// - Parameter first: number of the first point, for faults.
        func forEachPoint(
            in points: ArraySlice<UInt8>, encoding: Encoding, first: Int, _ body: (OpaquePointer, Int) -> Void
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
                throw .invalidPoint(index: first + firstInvalid)
            }
        }
    }
}
