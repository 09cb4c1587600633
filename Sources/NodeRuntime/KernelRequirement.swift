import Faults
import Foundation
import Primitives

extension KernelChoice {
    /// A node that was told to use an arithmetic does not start with another.
    ///
    /// - Returns: the arithmetic that is used, in words.
    /// - Throws: `kernelsNotThere`, or `unknownChoice` where `JOINTLAB_KERNELS` is not understood.
    @discardableResult
    package static func require() throws(Fault) -> Phrase {
        let place = "JOINTLAB_KERNELS"
        switch chosen {
        case .portable: return Phrase(en: "portable (GMP, libcrypto)", zh: "通用运算（GMP、libcrypto）")
        case .ifma: return Phrase(en: "eight lanes of AVX-512 IFMA", zh: "AVX-512 IFMA 八路并行")
        case .notUnderstood:
            throw Fault(.unknownChoice, at: place, ProcessInfo.processInfo.environment[place] ?? "", "portable, ifma",
                        "leave it unset, and the processor decides", "不设置该变量，即由处理器特性决定")
        case .notThere: throw Fault(.kernelsNotThere, at: place)
        }
    }
}
