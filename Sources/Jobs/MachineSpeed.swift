import Faults

/// How long one core of a machine takes for each kind of work of a job, in nanoseconds, at one length of key.
///
/// Measured by `Exchange.Calibration`; says nothing about any data.
package struct MachineSpeed: Sendable, Hashable {
    /// Bits of the Paillier modulus.
    package var keyBits: Int
    /// A key made, and its tables for a job of usual size.
    package var key: Int
    /// One own value encrypted.
    package var encryption: Int
    /// One ciphertext of the other's checked and taken in.
    package var loading: Int
    /// One product modulo n^2 in a combination of rows, and one in an inner product.
    package var combination: Int
    package var bucket: Int
    /// One encryption under the other's key, one decryption.
    package var publicEncryption: Int
    package var decryption: Int
    /// One identifier hashed to the curve and blinded; one point of the other's blinded; one doubled point checked.
    package var blinding: Int
    package var doubling: Int
    package var checking: Int
    /// A mebibyte hashed.
    package var mebibyte: Int

    package init(
        keyBits: Int, key: Int, encryption: Int, loading: Int, combination: Int, bucket: Int, publicEncryption: Int, decryption: Int,
        blinding: Int, doubling: Int, checking: Int, mebibyte: Int
    ) {
        self.keyBits = keyBits
        self.key = key
        self.encryption = encryption
        self.loading = loading
        self.combination = combination
        self.bucket = bucket
        self.publicEncryption = publicEncryption
        self.decryption = decryption
        self.blinding = blinding
        self.doubling = doubling
        self.checking = checking
        self.mebibyte = mebibyte
    }
}

extension MachineSpeed {
    private static let keys: [(String, any WritableKeyPath<MachineSpeed, Int> & Sendable)] = [
        ("key_ns", \.key), ("encryption_ns", \.encryption), ("loading_ns", \.loading), ("combination_ns", \.combination), ("bucket_ns", \.bucket),
        ("public_encryption_ns", \.publicEncryption), ("decryption_ns", \.decryption), ("blinding_ns", \.blinding),
        ("doubling_ns", \.doubling), ("checking_ns", \.checking), ("mebibyte_ns", \.mebibyte),
    ]

    init(reading reader: inout ObjectReader) {
        self.init(keyBits: reader.required("key_bits", .integer(512...4096, multipleOf: 128)), key: 1, encryption: 1, loading: 1,
                  combination: 1, bucket: 1, publicEncryption: 1, decryption: 1, blinding: 1, doubling: 1, checking: 1, mebibyte: 1)
        for (key, path) in Self.keys { self[keyPath: path] = reader.required(key, .integer(1...(1 << 42))) }
    }

    package var json: JSONValue {
        var members: [String: JSONValue] = ["key_bits": .integer(keyBits)]
        for (key, path) in Self.keys { members[key] = .integer(self[keyPath: path]) }
        return .object(members)
    }

    /// A node's own record of what it measured.
    package static func parseAll(_ bytes: [UInt8]) throws(FaultList) -> [MachineSpeed] {
        try Findings.document(bytes, kind: "speeds") { reader in
            _ = reader.optional("machine", .text(1...1000))
            return reader.list("speeds", count: 0...8) { node, findings in findings.object(node, MachineSpeed.init(reading:)) }
        }
    }
}
