/// What can be wrong with bytes given to a primitive. Carries positions, never values.
package enum PrimitiveError: Error, Sendable, Hashable {
    /// A key of the wrong length, kind or form.
    case malformedKey
    case malformedCertificate
    /// A name that a certificate cannot carry.
    case malformedName
    /// The certificate and the private key are not of one pair.
    case keyMismatch
    /// A certificate that may not issue others.
    case notAnAuthority
    /// A key agreement came out as zero: the peer's public key is of low order.
    case weakSharedSecret
    /// Encrypted under another key or nonce, for other associated data, or changed since.
    case notAuthentic
    /// Bytes that are no whole number of points.
    case wrongByteCount
    /// Not the encoding of a point of the curve, or the identity; `index` counts from the start of the batch.
    case invalidPoint(index: Int)
}
