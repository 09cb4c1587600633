import Faults
import Foundation
import NIOCore
import NIOSSL
import Primitives
import Synchronization

/// Who this program is on a line, and whom it believes: a certificate, its key, and the authority of the contract.
package struct TransportIdentity: Sendable {
    /// SHA-256 of this certificate's public key in lower-case hexadecimal digits: what peers pin.
    package let pin: String
    let dialling: NIOSSLContext
    let listening: NIOSSLContext

    /// All files are PEM. Throws `secretFileMode` for a key that anyone but its owner can read, `unreadableFile`, and
    /// `certificateRefused` where key and certificate do not belong together.
    /// - Parameter privateKeyPEM: the contents of the key's file, where they are not PEM as they lie there.
    /// - Parameter insecureKeyLog: a file to which the secrets of every connection are appended, in the NSS key log format:
    ///   whoever has it can read all that crossed. For laboratories alone. `unwritable` where it cannot be opened.
    package init(authorityFile: String, certificateFile: String, privateKeyFile: String, privateKeyPEM: [UInt8]? = nil,
                 insecureKeyLog: String? = nil) throws(Fault) {
        let authorities = try Self.read(authorityFile) { try NIOSSLCertificate.fromPEMFile($0) }
        let chain = try Self.read(certificateFile) { try NIOSSLCertificate.fromPEMFile($0) }
        try Self.requirePrivate(privateKeyFile)
        let key = try Self.read(privateKeyFile) {
            try privateKeyPEM.map { try NIOSSLPrivateKey(bytes: $0, format: .pem) } ?? NIOSSLPrivateKey(file: $0, format: .pem)
        }
        guard !authorities.isEmpty else { throw Fault(.unreadableFile, at: authorityFile) }
        guard let own = chain.first, let pin = own.pin else { throw Fault(.unreadableFile, at: certificateFile) }
        self.pin = pin

        // Names in certificates are not compared: the contract pins keys, and addresses may be numbers.
        var client = TLSConfiguration.makeClientConfiguration()
        client.certificateVerification = .noHostnameVerification
        var server = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        server.certificateVerification = .noHostnameVerification
        if let insecureKeyLog {
            let log = try KeyLog(insecureKeyLog)
            client.keyLogCallback = { log.append($0) }
            server.keyLogCallback = { log.append($0) }
        }
        do {
            dialling = try Self.context(client, authorities, chain, key)
            listening = try Self.context(server, authorities, chain, key)
        } catch {
            throw Fault(.certificateRefused, at: certificateFile)
        }
    }

    private static func context(
        _ base: TLSConfiguration, _ authorities: [NIOSSLCertificate], _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey
    ) throws -> NIOSSLContext {
        var configuration = base
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        configuration.trustRoots = .certificates(authorities)
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
        return try NIOSSLContext(configuration: configuration)
    }

    private static func read<Value>(_ path: String, _ body: (String) throws -> Value) throws(Fault) -> Value {
        do {
            return try body(path)
        } catch {
            throw Fault(.unreadableFile, at: path)
        }
    }

    private static func requirePrivate(_ path: String) throws(Fault) {
        let attributes = try read(path) { try FileManager.default.attributesOfItem(atPath: $0) }
        guard let mode = attributes[.posixPermissions] as? NSNumber else { throw Fault(.unreadableFile, at: path) }
        guard mode.intValue & 0o077 == 0 else { throw Fault(.secretFileMode, at: path) }
    }
}

/// Secrets of connections, a line each, in a file that only its owner may read.
private final class KeyLog: Sendable {
    private let handle: Mutex<FileHandle>

    init(_ path: String) throws(Fault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault(.unwritable, at: path) }
        handle = Mutex(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }

    func append(_ line: ByteBuffer) {
        handle.withLock { try? $0.write(contentsOf: Data(line.readableBytesView)) }
    }
}

extension NIOSSLCertificate {
    /// SHA-256 of SubjectPublicKeyInfo in DER, in lower-case hexadecimal digits.
    var pin: String? {
        guard let key = try? extractPublicKey().toSPKIBytes() else { return nil }
        return SHA256.hash(key).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A resumed session brings a certificate whose dates TLS has checked only when the session began.
    var isTimely: Bool {
        (notValidBefore...max(notValidBefore, notValidAfter)).contains(time(nil))
    }
}
