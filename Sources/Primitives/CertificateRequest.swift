import CLibcrypto

/// What a party sends to an authority to be certified (PKCS #10): a name and a public key, signed with its private key,
/// which stays where it was made.
package struct CertificateRequest: Sendable {
    package let pem: String
    package let commonName: String
    /// SHA-256 of SubjectPublicKeyInfo in DER, 32 bytes: what a contract will pin.
    package let spkiSHA256: [UInt8]
    let key: Key

    /// A request for a new P-256 key, which comes back in PEM. Throws `malformedName`.
    package static func make(commonName: String) throws(PrimitiveError) -> (request: CertificateRequest, privateKeyPEM: String) {
        let key = Key.generateP256()
        let request = required(X509_REQ_new())
        defer { X509_REQ_free(request) }
        required(X509_REQ_set_version(request, 0))
        try addCommonName(commonName, to: X509_REQ_get_subject_name(request))
        required(X509_REQ_set_pubkey(request, key.pointer))
        guard X509_REQ_sign(request, key.pointer, EVP_sha256()) > 0 else { fatalError("libcrypto could not sign") }
        return (try CertificateRequest(pem: text { PEM_write_bio_X509_REQ($0, request) }), key.privatePEM)
    }

    /// Throws `malformedCertificate` for bytes that are no request, for one whose signature does not hold, and for a key
    /// that is not of P-256.
    package init(pem: String) throws(PrimitiveError) {
        guard pem.utf8.count <= maximumPEMByteCount, let request = withMemory(holding: pem, { PEM_read_bio_X509_REQ($0, nil, nil, nil) }) else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        defer { X509_REQ_free(request) }
        guard let publicKey = X509_REQ_get_pubkey(request) else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        let key = Key(owning: publicKey)
        guard EVP_PKEY_get_id(publicKey) == EVP_PKEY_EC, EVP_PKEY_get_bits(publicKey) == 256, X509_REQ_verify(request, publicKey) == 1,
              let name = soleCommonName(of: X509_REQ_get_subject_name(request))
        else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        self.pem = pem
        self.key = key
        self.commonName = name
        spkiSHA256 = SHA256.hash(der { i2d_PUBKEY(publicKey, $0) })
    }
}
