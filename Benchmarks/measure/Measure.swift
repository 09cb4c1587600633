import CLibcrypto
import Foundation
import Primitives

/// Runs one operation of the Paillier engine or of set intersection for each line on standard input and answers with one line of
/// JSON: CPU and wall seconds, how many units of work it did, and how many modular multiplications that took. `Benchmarks/run`
/// drives it in turn with its peers.
///
///     encrypt BITS COUNT | add BITS COUNT | decrypt BITS VALUES | entries BITS ROWS COLUMNS COLUMN_BITS DISTINCT
///     combine BITS ROWS STRIDE EXPONENT_BITS | load BITS COUNT
///     kernels | multiply BITS COUNT | square BITS COUNT | power BITS COUNT
///     psi SUITE COUNT COMMON | psi-multiply SUITE COUNT | psi-read SUITE COUNT | psi-proof SUITE COUNT
///
/// `measure ledger LEDGER SCRATCH BYTES_PER_SECOND SECONDS [sm3]` instead tells once what the ledger of a recorded job costs
/// (`LedgerCost`).
@main struct Measure {
    static func main() {
        let arguments = CommandLine.arguments
        if (6...7).contains(arguments.count), arguments[1] == "ledger", let rate = Double(arguments[4]), rate > 0, let limit = Double(arguments[5]) {
            guard let cost = LedgerCost.measure(arguments[2], scratch: arguments[3], bytesPerSecond: rate, limitSeconds: limit,
                                                withSM3: arguments.last == "sm3") else {
                answer("""
                    {"error":"no ledger with all payloads"}
                    """)
                return
            }
            return answer("""
                {"seconds":\(cost.seconds),"wall":\(cost.wall),"of":\(cost.of),"bytes":\(cost.bytes),"heads":\(cost.heads),"memory":\(cost.memory)}
                """)
        }
        var engines: [Int: Engine] = [:]
        while let line = readLine() {
            let words = line.split(separator: " ")
            if words == ["kernels"] {
                answer("""
                    {"kernels":"\(KernelChoice.chosen)"}
                    """)
                continue
            }
            if let text = intersection(words.map(String.init)) {
                answer(text)
                continue
            }
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard let name = words.first, let bits = numbers.first, numbers.count == words.count - 1 else {
                answer("""
                    {"error":"not understood"}
                    """)
                continue
            }
            let engine = engines[bits] ?? Engine(bits: bits)
            engines[bits] = engine
            guard let result = engine.run(String(name), Array(numbers.dropFirst())) else {
                answer("""
                    {"error":"not understood"}
                    """)
                continue
            }
            answer("""
                {"seconds":\(result.seconds),"wall":\(result.wall),"count":\(result.count),"multiplications":\(result.multiplications)}
                """)
        }
    }

    private static func intersection(_ words: [String]) -> String? {
        guard words.count >= 3, words[0].hasPrefix("psi"), let count = Int(words[2]) else { return nil }
        let curve = words[1].hasPrefix("SM2") ? NID_sm2 : NID_X9_62_prime256v1
        switch (words[0], words.count) {
        case ("psi-multiply", 3), ("psi-read", 3):
            let cost = Intersection.limit(String(words[0].dropFirst(4)), curve: curve, count: count)
            return """
                {"seconds":\(cost.seconds),"wall":\(cost.wall),"count":\(count)}
                """
        case ("psi-proof", 3):
            guard let (prover, verifier) = ScalarProof.measure(count: count) else { return nil }
            return """
                {"seconds":\(prover.seconds + verifier.seconds),"prover":\(prover.seconds),"verifier":\(verifier.seconds),"count":\(count)}
                """
        case ("psi", 4):
            guard let common = Int(words[3]), let result = Intersection.run(suite: words[1], count: count, common: common) else { return nil }
            return """
                {"seconds":\(result.cost.seconds),"wall":\(result.cost.wall),"count":\(count),"bytes":\(result.bytes),\
                "matches":\(result.matches),"memory":\(Cost.peakMemory)}
                """
        default:
            return nil
        }
    }

    private static func answer(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
