/// Why bytes from a peer were refused. All are final for the job: a cryptographic failure is never retried
/// (CVE-2023-33242 shows why), and the peer is told no more than that a check failed.
package enum PaillierError: Error, Sendable, Hashable {
    /// The modulus is even, of the wrong length or has a small factor.
    case malformedModulus
    /// The proof that the modulus and its totient share no factor does not hold.
    case certificateFails
    /// A ciphertext block has another length than its count of ciphertexts asks for.
    case wrongLength
    /// A ciphertext is 0, not below n^2, or shares a factor with n.
    case outsideGroup
    /// c mod n is 1 or -1: a ciphertext without randomness, which anyone could open.
    case withoutRandomness
    /// The same ciphertext was sent before.
    case repeated
}
