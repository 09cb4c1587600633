import Foundation

/// Runs one operation of the Paillier engine for each line on standard input and answers with one line of JSON: CPU and
/// wall seconds, how many units of work it did, and how many modular multiplications that took. `Benchmarks/run` drives
/// it in turn with its peers.
///
///     encrypt BITS COUNT | add BITS COUNT | decrypt BITS VALUES | entries BITS ROWS COLUMNS COLUMN_BITS DISTINCT
///     combine BITS ROWS STRIDE EXPONENT_BITS | load BITS COUNT
@main struct Measure {
    static func main() {
        var engines: [Int: Engine] = [:]
        while let line = readLine() {
            let words = line.split(separator: " ")
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

    private static func answer(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
