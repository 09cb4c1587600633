import CVectorKernels

/// The arithmetic that bulk work on numbers and points uses in this process. Results are the same whichever it is.
package enum KernelChoice: Sendable {
    /// GMP's and libcrypto's.
    case portable
    /// Eight at a time, with the 52-bit multiplications of AVX-512 (IFMA).
    case ifma
    /// `JOINTLAB_KERNELS` names neither; the portable ones are used.
    case notUnderstood
    /// `JOINTLAB_KERNELS=ifma` where the processor does not have it; the portable ones are used.
    case notThere

    /// By the processor, unless `JOINTLAB_KERNELS` says otherwise; the same to the end of the process.
    package static var chosen: KernelChoice {
        switch jk_kernels() {
        case jk_ifma: .ifma
        case jk_not_understood: .notUnderstood
        case jk_not_there: .notThere
        default: .portable
        }
    }
}
