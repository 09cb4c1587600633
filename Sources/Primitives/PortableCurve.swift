import CLibcrypto
import Synchronization

/// What `EllipticCurve` does by libcrypto.
extension EllipticCurve {
    func portableProducts(_ points: ArraySlice<UInt8>, encoding: Encoding, by scalar: SecretBytes) throws(PrimitiveError) -> [UInt8] {
        let width = encoding.byteCount, count = try encoding.count(of: points)
        return try withWorkspace { workspace throws(PrimitiveError) in
            let factor = workspace.integer(scalar)
            defer { BN_clear_free(factor) }
            var products = [UInt8](repeating: 0, count: points.count)
            for start in stride(from: 0, to: count, by: Workspace.batch) {
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

    func portablyValidate(_ points: ArraySlice<UInt8>, encoding: Encoding) throws(PrimitiveError) {
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
            let width = encoding.byteCount, count = try encoding.count(of: points)
            let firstInvalid: Int? = points.withUnsafeBufferPointer { points in
                for index in 0..<count {
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
