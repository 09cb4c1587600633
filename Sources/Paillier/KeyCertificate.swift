import BigNumber
import Primitives

/// A proof that gcd(n, phi(n)) = 1, so that encryption under n is a permutation and hides whatever was masked.
///
/// Eleven n-th roots modulo n of hashed challenges; with no factor of n below 6370 a false claim passes with probability
/// below 2^-128. Source: Goldberg, Reyzin, Sagga, Baldimtsi, "Efficient noninteractive certification of RSA moduli and
/// beyond", ePrint 2018/057, section 3.
package enum KeyCertificate {
    package static let roots = 11

    /// - Parameter context: binds the proof to one party, job and attempt.
    package static func make(for key: PrivateKey, context: [UInt8]) -> [UInt8] {
        (0..<roots).flatMap { index in
            key.root(of: challenge(index, key.publicKey, context)).bytes(count: key.publicKey.modulusBytes)
        }
    }

    static func verify(_ certificate: [UInt8], for key: PublicKey, context: [UInt8]) throws(PaillierError) {
        let width = key.modulusBytes
        guard certificate.count == roots * width else { throw .certificateFails }
        for index in 0..<roots {
            let root = Natural(bytes: certificate[index * width..<(index + 1) * width])
            guard root < key.modulus, root.power(key.modulus, modulo: key.modulus) == challenge(index, key, context) else {
                throw .certificateFails
            }
        }
    }

    private static func challenge(_ index: Int, _ key: PublicKey, _ context: [UInt8]) -> Natural {
        var bytes: [UInt8] = []
        let prefix = Array("JointLab key certificate v1".utf8) + SHA256.hash(context) + key.wire
        var counter: UInt8 = 0
        while bytes.count < key.modulusBytes + 16 {
            bytes += SHA256.hash(prefix + [UInt8(index), counter])
            counter += 1
        }
        return Natural(bytes: bytes) % key.modulus
    }
}
