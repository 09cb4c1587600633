import Foundation
import Synthetic
import Testing

/// Our files beside files that another program made from the same equations.
@Suite(.enabled(if: referenceDirectory != nil)) struct ReferenceTests {
    /// Largest distance between the distributions of two samples.
    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        let (a, b) = (a.sorted(), b.sorted())
        var (i, j, largest) = (0, 0, 0.0)
        while i < a.count, j < b.count {
            let value = min(a[i], b[j])
            while i < a.count, a[i] == value { i += 1 }
            while j < b.count, b[j] == value { j += 1 }
            largest = max(largest, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
        }
        return largest
    }

    @Test("every column has the other program's header, share of missing cells and distribution", arguments: ["bank.csv", "platform.csv"])
    func columns(file: String) throws {
        let directory = try #require(referenceDirectory)
        let scratch = try Scratch()
        try SyntheticLab.write(common: 20_000, seed: 1, bank: scratch.bank, platform: scratch.platform, truth: scratch.truth)
        let ours = try PlainTable(scratch.url.appendingPathComponent(file))
        let theirs = try PlainTable(directory.appendingPathComponent(file))
        #expect(ours.header == theirs.header)
        #expect(ours.rows.count == theirs.rows.count)

        for name in ours.header where name != "uscc" {
            let (a, b) = (ours.column(name), theirs.column(name))
            let missing = [a, b].map { column in Double(column.count { $0.isEmpty }) / Double(column.count) }
            #expect(abs(missing[0] - missing[1]) < 0.013, "\(name)")

            let numbers = [a, b].map { $0.filter { !$0.isEmpty }.map(Double.init) }
            if numbers[0].allSatisfy({ $0 != nil }) {
                let (x, y) = (numbers[0].compactMap(\.self), numbers[1].compactMap(\.self))
                // Exceeded by chance once in ten thousand columns.
                let limit = 2.23 * (1 / Double(x.count) + 1 / Double(y.count)).squareRoot()
                #expect(distance(x, y) < limit, "\(name)")
            } else {
                let levels = Set(a + b)
                #expect(levels == Set(a) && levels == Set(b), "\(name)")
                for level in levels where levels.count < 20 {
                    let shares = [a, b].map { column in Double(column.count { $0 == level }) / Double(column.count) }
                    #expect(abs(shares[0] - shares[1]) < 0.015, "\(name) \(level)")
                }
            }
        }
    }
}
