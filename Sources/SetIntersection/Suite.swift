import Primitives

/// A named choice of group, hash and encodings for set intersection. Contracts and manifests hold the name.
package enum Suite: String, Sendable, Hashable, CaseIterable {
    /// P-256 with RFC 9380 `P256_XMD:SHA-256_SSWU_RO_`.
    case p256SHA256 = "P256-SHA256"
    /// The curve and hash of GB/T 32918 and GB/T 32905, with the same construction.
    case sm2SM3 = "SM2-SM3"

    /// Every element on the wire has this many bytes.
    package var elementByteCount: Int { encoding.byteCount }

    /// 32 bytes more a point than compressed save the reader a square root, which takes longer than a line of 25 Mbit/s does
    /// for the bytes.
    var encoding: EllipticCurve.Encoding { .uncompressed }

    package var curve: EllipticCurve {
        switch self {
        case .p256SHA256: .p256
        case .sm2SM3: .sm2
        }
    }

    /// H(message) for each, in `encoding`.
    func hashToCurve(_ messages: some Collection<[UInt8]>, tag: DomainSeparationTag) -> [UInt8] {
        switch self {
        case .p256SHA256: HashToCurve.points(messages, tag: tag, curve: curve, hash: SHA256.self)
        case .sm2SM3: HashToCurve.points(messages, tag: tag, curve: curve, hash: SM3.self)
        }
    }

    private var name: String {
        switch self {
        case .p256SHA256: "JointLab-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_"
        case .sm2SM3: "JointLab-V01-CS02-with-SM2_XMD:SM3_SSWU_RO_"
        }
    }

    /// Separates what is hashed for one attempt at one job from all else: protocol version, hash suite, the 16 bytes of
    /// the job's identifier and the attempt in four big-endian bytes.
    package func domainSeparationTag(job: [UInt8], attempt: UInt32) -> DomainSeparationTag {
        precondition(job.count == 16)
        return DomainSeparationTag(
            Array(name.utf8) + job + withUnsafeBytes(of: attempt.bigEndian, Array.init))
    }
}

/// DST of RFC 9380, 3.1.
package struct DomainSeparationTag: Sendable, Hashable {
    package let bytes: [UInt8]

    /// 1...255 bytes. Jobs take theirs from `Suite`.
    package init(_ bytes: [UInt8]) {
        precondition((1...255).contains(bytes.count))
        self.bytes = bytes
    }
}

/// What a peer's bytes were refused for. Positions count elements from the start of the bytes given.
package enum SetIntersectionError: Error, Sendable, Hashable {
    /// Not a whole number of elements.
    case wrongByteCount
    /// Not the encoding of a point of the group other than the identity.
    case invalidPoint(index: Int)
    /// The point, or its negative, stood in the list before.
    case repeatedPoint(index: Int)
    /// The point, or its negative, is one that this party sent itself.
    case reflectedPoint(index: Int)
    /// More elements than declared.
    case tooManyPoints
    /// Scratch storage failed: no fault of the peer's.
    case storage
}
