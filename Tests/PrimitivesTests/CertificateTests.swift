import Foundation
import Primitives
import Testing

@Suite("Certificates of a lab") struct CertificateTests {
    static let authority = try? CertificateAuthority.make(name: "Lab authority", validDays: 30)

    @Test("an issued certificate carries its name and dates and the authority's signature")
    func issuing() throws {
        let authority = try #require(Self.authority)
        let from = Date(timeIntervalSince1970: 1_700_000_000)
        let until = Date(timeIntervalSince1970: 4_102_444_800)
        let credential = try authority.issue(
            commonName: "征信平台", subjectAlternativeNames: ["platform.example", "localhost", "127.0.0.1", "::1"],
            validFrom: from, validUntil: until)
        let certificate = try Certificate(pem: credential.certificatePEM)
        #expect(certificate.commonName == "征信平台")
        #expect(certificate.validFrom == from)
        #expect(certificate.validUntil == until)
        #expect(certificate.isSigned(by: try Certificate(pem: authority.certificatePEM)))
        #expect(!certificate.isSigned(by: certificate))
        #expect(credential.privateKeyPEM.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    }

    @Test("the authority signs itself and is valid from now for the days asked for")
    func authorityCertificate() throws {
        let authority = try #require(Self.authority)
        let certificate = try Certificate(pem: authority.certificatePEM)
        #expect(certificate.commonName == "Lab authority")
        #expect(certificate.isSigned(by: certificate))
        #expect(certificate.validFrom < Date() && Date() < certificate.validUntil)
        #expect(abs(certificate.validUntil.timeIntervalSinceNow - 30 * 86_400) < 3600)
    }

    @Test("dates may lie in the past, so that expiry can be tried")
    func past() throws {
        let authority = try #require(Self.authority)
        let credential = try authority.issue(
            commonName: "late", subjectAlternativeNames: [], validFrom: Date() - 7200, validUntil: Date() - 3600)
        #expect(try Certificate(pem: credential.certificatePEM).validUntil < Date())
    }

    @Test("every certificate has its own key, and a pin follows the key")
    func pins() throws {
        let authority = try #require(Self.authority)
        let pins = try (0..<3).map { _ in
            let credential = try authority.issue(commonName: "node", subjectAlternativeNames: [], validUntil: Date() + 3600)
            return try Certificate(pem: credential.certificatePEM).spkiSHA256
        }
        #expect(Set(pins).count == 3)
        #expect(pins.allSatisfy { $0.count == 32 })
    }

    @Test("an authority loaded from PEM issues as before")
    func loading() throws {
        let authority = try #require(Self.authority)
        let loaded = try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: authority.privateKeyPEM)
        #expect(loaded.certificatePEM == authority.certificatePEM)
        let credential = try loaded.issue(commonName: "node", subjectAlternativeNames: ["node"], validUntil: Date() + 3600)
        #expect(try Certificate(pem: credential.certificatePEM).isSigned(by: Certificate(pem: authority.certificatePEM)))
    }

    @Test("an authority is not loaded with another's key, or from something else")
    func wrongParts() throws {
        let authority = try #require(Self.authority)
        let other = try CertificateAuthority.make(name: "Other", validDays: 1)
        #expect(throws: PrimitiveError.keyMismatch) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: other.privateKeyPEM)
        }
        #expect(throws: PrimitiveError.malformedCertificate) {
            try CertificateAuthority(certificatePEM: "", privateKeyPEM: authority.privateKeyPEM)
        }
        #expect(throws: PrimitiveError.malformedKey) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: "")
        }
        let credential = try authority.issue(commonName: "node", subjectAlternativeNames: [], validUntil: Date() + 3600)
        #expect(throws: PrimitiveError.notAnAuthority) {
            try CertificateAuthority(certificatePEM: credential.certificatePEM, privateKeyPEM: credential.privateKeyPEM)
        }
    }

    @Test("an authority of the same name but another key did not sign")
    func impostor() throws {
        let authority = try #require(Self.authority)
        let impostor = try CertificateAuthority.make(name: "Lab authority", validDays: 30)
        let credential = try impostor.issue(commonName: "node", subjectAlternativeNames: [], validUntil: Date() + 3600)
        #expect(!(try Certificate(pem: credential.certificatePEM).isSigned(by: Certificate(pem: authority.certificatePEM))))
    }

    @Test("names that a certificate cannot carry, or that would carry more than one, are refused", arguments: [
        "", "a,DNS:b", "a b", "*", "-a", "a-", "a..b", "999.1.1.1,IP:1.1.1.1", "1.1.1.1,DNS:b", "1.1.1.1 ", "1.1.1.1\u{0},DNS:b", "::1,DNS:b", "DNS:a", "a\u{0}b", "例子", "email:a@b", "file:///",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 127),
    ])
    func badAlternativeNames(name: String) throws {
        let authority = try #require(Self.authority)
        #expect(throws: PrimitiveError.malformedName) {
            try authority.issue(commonName: "node", subjectAlternativeNames: ["good", name], validUntil: Date() + 3600)
        }
    }

    @Test("a common name has 1 to 64 characters")
    func commonNames() throws {
        let authority = try #require(Self.authority)
        for name in ["", String(repeating: "a", count: 65), String(repeating: "a", count: 100_000)] {
            #expect(throws: PrimitiveError.malformedName) {
                try authority.issue(commonName: name, subjectAlternativeNames: [], validUntil: Date() + 3600)
            }
            #expect(throws: PrimitiveError.malformedName) { try CertificateAuthority.make(name: name, validDays: 1) }
        }
        let longest = try authority.issue(
            commonName: String(repeating: "信", count: 64), subjectAlternativeNames: [], validUntil: Date() + 3600)
        #expect(try Certificate(pem: longest.certificatePEM).commonName.count == 64)
    }

    @Test("text that is no certificate is refused", arguments: ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func noCertificate(text: String) {
        #expect(throws: PrimitiveError.malformedCertificate) { try Certificate(pem: text) }
    }

    @Test("a certificate cut anywhere is refused")
    func truncated() throws {
        let pem = try #require(Self.authority).certificatePEM
        for count in stride(from: 0, to: pem.count - 1, by: 7) {
            #expect(throws: PrimitiveError.malformedCertificate) { try Certificate(pem: String(pem.prefix(count))) }
        }
    }

    @Test("a request is certified under its name and for its key, and the private key stays where it was made")
    func requests() throws {
        let authority = try #require(Self.authority)
        let (request, privateKey) = try CertificateRequest.make(commonName: "银行")
        let read = try CertificateRequest(pem: request.pem)
        #expect(read.commonName == "银行" && read.spkiSHA256 == request.spkiSHA256)
        let until = Date(timeIntervalSince1970: 4_102_444_800)
        let pem = try authority.issue(read, validUntil: until)
        let certificate = try Certificate(pem: pem)
        #expect(certificate.commonName == "银行" && certificate.spkiSHA256 == request.spkiSHA256 && certificate.validUntil == until)
        #expect(certificate.isSigned(by: try Certificate(pem: authority.certificatePEM)))
        // No authority, and a pair with that private key alone.
        #expect(throws: PrimitiveError.notAnAuthority) { try CertificateAuthority(certificatePEM: pem, privateKeyPEM: privateKey) }
        let (_, other) = try CertificateRequest.make(commonName: "银行")
        #expect(throws: PrimitiveError.keyMismatch) { try CertificateAuthority(certificatePEM: pem, privateKeyPEM: other) }
    }

    @Test("what a certificate's key signs holds for that message and certificate alone")
    func signatures() throws {
        let authority = try #require(Self.authority)
        func credential() throws -> CertificateAuthority.Credential {
            try authority.issue(commonName: "amy", subjectAlternativeNames: ["localhost"], validUntil: Date() + 3600)
        }
        let (one, other) = (try credential(), try credential())
        let message = Array("approved".utf8)
        let signature = try Certificate.sign(message, privateKeyPEM: one.privateKeyPEM)
        let certificate = try Certificate(pem: one.certificatePEM)
        #expect(certificate.hasSigned(message, signature) && !certificate.hasSigned(message + [0], signature))
        let stranger = try Certificate(pem: other.certificatePEM)
        #expect(!stranger.hasSigned(message, signature))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!certificate.hasSigned(message, changed), "byte \(index)")
        }
        for wrong in [[], [0x30], Array(signature.dropLast()), signature + [0]] as [[UInt8]] { #expect(!certificate.hasSigned(message, wrong)) }
        #expect(throws: PrimitiveError.malformedKey) { try Certificate.sign(message, privateKeyPEM: "nonsense") }
    }

    @Test("a request that is cut, changed, or none is refused")
    func badRequests() throws {
        let (request, _) = try CertificateRequest.make(commonName: "node")
        for count in stride(from: 0, to: request.pem.count - 1, by: 7) {
            #expect(throws: PrimitiveError.malformedCertificate) { try CertificateRequest(pem: String(request.pem.prefix(count))) }
        }
        for text in ["nonsense", try #require(Self.authority).certificatePEM] {
            #expect(throws: PrimitiveError.malformedCertificate) { try CertificateRequest(pem: text) }
        }
        // Another key in it than the one that has signed: one flipped bit anywhere in the middle is enough.
        let lines = request.pem.split(separator: "\n").map(String.init)
        let der = try #require(Data(base64Encoded: lines.dropFirst().dropLast().joined()))
        for index in stride(from: 30, to: der.count, by: 5) {
            var changed = der
            changed[index] ^= 1
            let text = ([lines[0], changed.base64EncodedString(), lines[lines.count - 1]]).joined(separator: "\n") + "\n"
            #expect(throws: PrimitiveError.malformedCertificate, "byte \(index)") { try CertificateRequest(pem: text) }
        }
        for name in ["", String(repeating: "a", count: 65)] {
            #expect(throws: PrimitiveError.malformedName) { try CertificateRequest.make(commonName: name) }
        }
    }
}
