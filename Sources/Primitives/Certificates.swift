import CLibcrypto
import Foundation

/// An X.509 certificate as far as the lab reads one. Chains are verified by TLS, not here.
package struct Certificate: Sendable, Hashable {
    package let commonName: String
    package let validFrom: Date
    package let validUntil: Date
    /// SHA-256 of SubjectPublicKeyInfo in DER, 32 bytes: what a contract pins.
    package let spkiSHA256: [UInt8]
    private let der: [UInt8]

    /// Reads the first certificate of the text. Throws `malformedCertificate`.
    package init(pem: String) throws(PrimitiveError) {
        self = try LoadedCertificate(pem: pem).certificate()
    }

    /// Whether the key of `authority` signed this certificate; says nothing about dates or extensions.
    package func isSigned(by authority: Certificate) -> Bool {
        guard let own = try? LoadedCertificate(der: der), let issuer = try? LoadedCertificate(der: authority.der) else { return false }
        let signed = X509_verify(own.pointer, X509_get0_pubkey(issuer.pointer)) == 1
        if !signed { ERR_clear_error() }
        return signed
    }

    fileprivate init(commonName: String, validFrom: Date, validUntil: Date, spkiSHA256: [UInt8], der: [UInt8]) {
        self.commonName = commonName
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.spkiSHA256 = spkiSHA256
        self.der = der
    }
}

extension Certificate {
    /// ECDSA with SHA-256 (FIPS 186-5) by a certificate's private key, in DER.
    ///
    /// - Parameter privateKeyPEM: without a passphrase.
    /// - Throws: `malformedKey`.
    package static func sign(_ message: [UInt8], privateKeyPEM: String) throws(PrimitiveError) -> [UInt8] {
        let key = try Key.privateKey(pem: privateKeyPEM)
        let context = required(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1,
              EVP_DigestSign(context, nil, &count, message, message.count) == 1
        else {
            ERR_clear_error()
            throw .malformedKey
        }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            ERR_clear_error()
            throw .malformedKey
        }
        return Array(signature.prefix(count))
    }

    /// Whether `signature` is that of the certificate's key over `message`.
    package func hasSigned(_ message: [UInt8], _ signature: [UInt8]) -> Bool {
        guard let own = try? LoadedCertificate(der: der), let key = X509_get0_pubkey(own.pointer) else { return false }
        let context = required(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        let isRight = EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        if !isRight { ERR_clear_error() }
        return isRight
    }
}

/// A certificate authority of one lab's own: ECDSA with P-256 and SHA-256, issuing end certificates only.
package struct CertificateAuthority: Sendable {
    package let certificatePEM: String
    private let issuer: LoadedCertificate
    private let key: Key

    /// A certificate and its key, both PEM. The key is not encrypted: for a file that only its owner reads.
    package struct Credential: Sendable {
        package let certificatePEM: String
        package let privateKeyPEM: String
    }

    /// Throws `malformedName` for a name that is empty or over 64 characters.
    package static func make(name: String, validDays: Int) throws(PrimitiveError) -> CertificateAuthority {
        let key = Key.generateP256()
        let now = Date()
        let certificate = try LoadedCertificate(
            subject: name, key: key, validFrom: now - clockTolerance, validUntil: now + TimeInterval(validDays) * 86_400,
            issuer: nil, signedBy: key,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
        return CertificateAuthority(issuer: certificate, key: key)
    }

    /// An authority made earlier. Throws `malformedCertificate`, `malformedKey`, `keyMismatch` or
    /// `notAnAuthority`.
    package init(certificatePEM: String, privateKeyPEM: String) throws(PrimitiveError) {
        let issuer = try LoadedCertificate(pem: certificatePEM)
        let key = try Key.privateKey(pem: privateKeyPEM)
        guard X509_check_private_key(issuer.pointer, key.pointer) == 1 else {
            ERR_clear_error()
            throw .keyMismatch
        }
        guard X509_check_ca(issuer.pointer) == 1 else { throw .notAnAuthority }
        self.init(issuer: issuer, key: key)
    }

    private init(issuer: LoadedCertificate, key: Key) {
        self.issuer = issuer
        self.key = key
        certificatePEM = issuer.pem
    }

    package var privateKeyPEM: String { key.privatePEM }

    /// A certificate with a new key for one node or person, as server and client of TLS. The alternative names are DNS
    /// names or IP addresses. Dates may lie in the past. Throws `malformedName`.
    package func issue(
        commonName: String, subjectAlternativeNames: [String], validFrom: Date = Date() - clockTolerance, validUntil: Date
    ) throws(PrimitiveError) -> Credential {
        let subjectKey = Key.generateP256()
        let certificate = try certify(subjectKey, commonName, subjectAlternativeNames, validFrom, validUntil)
        return Credential(certificatePEM: certificate.pem, privateKeyPEM: subjectKey.privatePEM)
    }

    /// A certificate, PEM, for the key of a request and under its name; alternative names are not taken over. Throws
    /// `malformedName`.
    package func issue(_ request: CertificateRequest, validUntil: Date) throws(PrimitiveError) -> String {
        try certify(request.key, request.commonName, [], Date() - Self.clockTolerance, validUntil).pem
    }

    private func certify(
        _ subjectKey: Key, _ commonName: String, _ subjectAlternativeNames: [String], _ validFrom: Date, _ validUntil: Date
    ) throws(PrimitiveError) -> LoadedCertificate {
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth,clientAuth"),
            (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid"),
        ]
        if !subjectAlternativeNames.isEmpty {
            var names: [String] = []
            for name in subjectAlternativeNames { names.append(try Self.generalName(name)) }
            extensions.append((NID_subject_alt_name, names.joined(separator: ",")))
        }
        return try LoadedCertificate(
            subject: commonName, key: subjectKey, validFrom: validFrom, validUntil: validUntil,
            issuer: issuer, signedBy: key, extensions: extensions)
    }

    /// New certificates are valid a little earlier than now, for peers whose clocks are late.
    package static let clockTolerance: TimeInterval = 300

    /// In the notation of x509v3_config, where commas have a meaning: only addresses and host names pass.
    private static func generalName(_ name: String) throws(PrimitiveError) -> String {
        // Checked before libcrypto reads an address, since it reads no further than it likes.
        if name.utf8.allSatisfy({ isHexDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }),
           let address = a2i_IPADDRESS(name) {
            ASN1_OCTET_STRING_free(address)
            return "IP:\(name)"
        }
        ERR_clear_error()
        let hyphen = UInt8(ascii: "-")
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isHostName = name.utf8.count <= 253 && labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { isLetterOrDigit($0) || $0 == hyphen }
        }
        guard isHostName else { throw .malformedName }
        return "DNS:\(name)"
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) && Character(UnicodeScalar(byte)).isHexDigit
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

/// An X.509 object of libcrypto, complete and unchanged from its making on, so that threads may share it.
private final class LoadedCertificate: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    convenience init(pem: String) throws(PrimitiveError) {
        guard pem.utf8.count <= maximumPEMByteCount,
              let pointer = withMemory(holding: pem, { PEM_read_bio_X509($0, nil, nil, nil) })
        else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        self.init(owning: pointer)
    }

    convenience init(der: [UInt8]) throws(PrimitiveError) {
        let pointer = der.withUnsafeBufferPointer { der in
            var next = der.baseAddress
            return d2i_X509(nil, &next, der.count)
        }
        guard let pointer else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        self.init(owning: pointer)
    }

    /// A new certificate, self-signed where it has no issuer.
    convenience init(
        subject: String, key: Key, validFrom: Date, validUntil: Date, issuer: LoadedCertificate?, signedBy issuerKey: Key,
        extensions: [(Int32, String)]
    ) throws(PrimitiveError) {
        self.init(owning: required(X509_new()))
        required(X509_set_version(pointer, 2))
        setSerialNumber()
        required(ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(validFrom.timeIntervalSince1970)))
        required(ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(validUntil.timeIntervalSince1970)))
        required(X509_set_pubkey(pointer, key.pointer))
        try addCommonName(subject, to: X509_get_subject_name(pointer))
        required(X509_set_issuer_name(pointer, X509_get_subject_name(issuer?.pointer ?? pointer)))

        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer?.pointer ?? pointer, pointer, nil, nil, 0)
        for (kind, value) in extensions {
            let addition = required(X509V3_EXT_nconf_nid(nil, &context, kind, value))
            defer { X509_EXTENSION_free(addition) }
            required(X509_add_ext(pointer, addition, -1))
        }
        guard X509_sign(pointer, issuerKey.pointer, EVP_sha256()) > 0 else { fatalError("libcrypto could not sign") }
    }

    /// 127 random bits: positive, never twice.
    private func setSerialNumber() {
        var bytes = SystemRandom.bytes(16)
        bytes[0] &= 0x7f
        let number = required(BN_bin2bn(bytes, 16, nil))
        defer { BN_free(number) }
        required(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)))
    }

    var pem: String { text { PEM_write_bio_X509($0, pointer) } }

    func certificate() throws(PrimitiveError) -> Certificate {
        guard let commonName = soleCommonName(of: X509_get_subject_name(pointer)), let validFrom = Self.date(X509_get0_notBefore(pointer)),
              let validUntil = Self.date(X509_get0_notAfter(pointer)), X509_get0_pubkey(pointer) != nil
        else {
            ERR_clear_error()
            throw .malformedCertificate
        }
        let publicKey = der { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) }
        return Certificate(
            commonName: commonName, validFrom: validFrom, validUntil: validUntil,
            spkiSHA256: SHA256.hash(publicKey), der: der { i2d_X509(pointer, $0) })
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date? {
        let epoch = required(ASN1_TIME_set(nil, 0))
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard let time, ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(days) * 86_400 + Double(seconds))
    }
}

/// Nil where the subject has none, or more than one: it names who speaks, so it may not be ambiguous.
func soleCommonName(of subject: OpaquePointer?) -> String? {
    let position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
    guard position >= 0, X509_NAME_get_index_by_NID(subject, NID_commonName, position) < 0 else { return nil }
    var utf8: UnsafeMutablePointer<UInt8>?
    let count = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position)))
    guard count >= 0, let utf8 else { return nil }
    defer { CRYPTO_free(utf8, nil, 0) }
    return String(validating: UnsafeBufferPointer(start: utf8, count: Int(count)), as: UTF8.self)
}

func addCommonName(_ name: String, to subject: OpaquePointer?) throws(PrimitiveError) {
    let utf8 = Array(name.utf8)
    let added = X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, utf8, Int32(clamping: utf8.count), -1, 0)
    guard !utf8.isEmpty, added == 1 else {
        ERR_clear_error()
        throw .malformedName
    }
}

func der(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
    var start: UnsafeMutablePointer<UInt8>?
    let count = encode(&start)
    guard count > 0, let start else { fatalError("libcrypto could not encode") }
    defer { CRYPTO_free(start, nil, 0) }
    return Array(UnsafeBufferPointer(start: start, count: Int(count)))
}
