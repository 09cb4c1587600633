import BigNumber
import Faults
import Jobs
import Paillier
import Primitives
import Roles
import Wire

/// The first messages of a line: both sides show that they mean the same job under the same contract, bind their secrets,
/// and exchange Paillier keys made from them.
///
///     Hello -> Nonce -> PaillierKey, each side the same
package struct Opening: Sendable {
    /// What the rest of the job works with.
    package struct Keys: Sendable {
        package let secrets: JobSecrets
        package let own: PrivateKey
        package let peer: PublicKey
        /// Shared with the peer alone; pads what the arbiter adds up.
        package let pads: AddressedRandom
    }

    private enum State: Sendable {
        case hello
        case nonce(agreement: [UInt8])
        case key(PrivateKey, pads: AddressedRandom)
    }

    private let context: JobContext
    private let keyBits: Int
    private var secrets: JobSecrets
    private var state = State.hello

    package init(context: JobContext, secrets: JobSecrets) {
        self.context = context
        self.secrets = secrets
        keyBits = context.specification.keyBits(context.limits)
    }

    package func start() -> [RoleEffect] {
        [.send(.hello(.filled {
            $0.version = ProtocolVersion.current
            $0.specificationDigest = context.specificationDigest.data
            $0.contractDigest = context.contractDigest.data
            $0.secretCommitments = Purpose.allCases.flatMap { secrets.commitments[$0] ?? [] }.data
            $0.agreementKey = secrets.agreement.publicKey.data
        }), to: .peer)]
    }

    /// - Returns: the keys once the peer's has passed its checks.
    package mutating func hear(_ message: Message) throws(Fault) -> (effects: [RoleEffect], keys: Keys?) {
        switch (state, message) {
        case (.hello, .hello(let hello)):
            guard hello.version == ProtocolVersion.current else {
                throw Fault(.versionMismatch, at: context.peerName, "\(hello.version)", "\(ProtocolVersion.current)")
            }
            guard hello.contractDigest.octets == context.contractDigest, hello.specificationDigest.octets == context.specificationDigest
            else { throw context.fault(.contractMismatch) }
            state = .nonce(agreement: hello.agreementKey.octets)
            return ([.send(.nonce(.filled { $0.nonce = secrets.nonce.data }), to: .peer)], nil)

        case (.nonce(let agreement), .nonce(let nonce)):
            secrets.bind(peerNonce: nonce.nonce.octets)
            guard let shared = try? secrets.agreement.sharedSecret(with: agreement) else { throw context.fault(.cryptographicCheck) }
            let pads = AddressedRandom(key: HKDF.derive(
                secret: shared, salt: context.specificationDigest, info: Array("JointLab pads \(context.job) \(context.attempt)".utf8),
                count: 32))
            let key = makeKey()
            state = .key(key, pads: pads)
            return ([.send(.paillierKey(.filled {
                $0.modulus = key.publicKey.wire.data
                $0.certificate = KeyCertificate.make(for: key, context: context.certificateContext(of: context.role)).data
            }), to: .peer)], nil)

        case (.key(let own, let pads), .paillierKey(let key)):
            do {
                let peer = try PublicKey(wire: key.modulus.octets, certificate: key.certificate.octets, bits: keyBits,
                                         context: context.certificateContext(of: context.peerRole))
                guard peer.modulus != own.publicKey.modulus else { throw PaillierError.malformedModulus }
                return ([], Keys(secrets: secrets, own: own, peer: peer, pads: pads))
            } catch {
                throw context.fault(.cryptographicCheck)
            }

        default:
            throw context.fault(.unexpectedMessage)
        }
    }

    private func makeKey() -> PrivateKey {
        let random = secrets.random(.paillierKey, "key")
        return context.limits.insecureKeyBits
            ? PrivateKey.generateInsecure(bits: keyBits, random: random)
            : PrivateKey.generate(bits: keyBits, random: random)
    }
}
