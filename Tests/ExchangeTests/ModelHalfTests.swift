import Exchange
import Foundation
import Testing

/// `model.json` lies in a node's folder and may say anything.
@Suite("Halves of a model") struct ModelHalfTests {
    /// What a training kept.
    private func kept() throws -> [String: Any] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "fuzz/corpus/model/half.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    private func decoded(_ change: (inout [String: Any]) throws -> Void) throws -> ModelHalf? {
        var document = try kept()
        try change(&document)
        return ModelHalf.decoded([UInt8](try JSONSerialization.data(withJSONObject: document)))
    }

    /// One of a list of the plan is changed.
    private func decoded(_ list: String, _ index: Int, _ change: (inout [String: Any]) -> Void) throws -> ModelHalf? {
        try decoded { document in
            var plan = try #require(document["plan"] as? [String: Any])
            var members = try #require(plan[list] as? [[String: Any]])
            change(&members[index])
            plan[list] = members
            document["plan"] = plan
        }
    }

    @Test("a half is read back as it was kept")
    func honest() throws {
        let half = try #require(try decoded { _ in })
        #expect(half.weights.count == 13)
        #expect(ModelHalf.decoded(try half.encoded())?.weights == half.weights)
        #expect(try decoded { $0["weights"] = [Double](repeating: -999_999, count: 13) } != nil)
        #expect(try decoded { $0["intercept"] = nil } != nil)
    }

    @Test("weights that no training reaches, or another number of them, are no half")
    func weights() throws {
        for weight in [1e308, -1e308, 1e6, -1e6] {
            #expect(try decoded { $0["intercept"] = weight } == nil)
            #expect(try decoded { $0["weights"] = [Double](repeating: 0, count: 12) + [weight] } == nil)
        }
        for count in [0, 12, 14] { #expect(try decoded { $0["weights"] = [Double](repeating: 0, count: count) } == nil) }
    }

    @Test("precisions that no column has are no half")
    func precisions() throws {
        // The first is a level, the sixth a number.
        for index in [0, 5] {
            for bits in [-1, 1, 21, 32, 64, 1_000_000_000_000, .min, .max] {
                let isRefused = try decoded("outputs", index) { $0["fractionBits"] = bits } == nil
                #expect(isRefused == (index == 0 || !(0...20).contains(bits)), "\(index) \(bits)")
            }
        }
        for (key, value) in [("clip", 1e300), ("clip", 0), ("clip", -1), ("deviation", 0), ("deviation", -1)] {
            let half = try decoded("outputs", 5) { output in
                output["treatment"] = ["standardised": ["_0": ["clip": 4, "deviation": 1, "log1p": false, "mean": 0].merging([key: value]) { $1 }]]
            }
            #expect(half == nil, "\(key) \(value)")
        }
    }

    @Test("features listed twice, columns named twice or of no feature, are no half")
    func columns() throws {
        // Each output of that column would be made twice.
        #expect(try decoded("features", 2) { $0["column"] = "tenure_months" } == nil)
        #expect(try decoded { document in
            var plan = try #require(document["plan"] as? [String: Any])
            let features = try #require(plan["features"] as? [[String: Any]])
            plan["features"] = features + [features[1]]
            document["plan"] = plan
        } == nil)
        #expect(try decoded("outputs", 5) { $0["name"] = "turnover_12m" } == nil)
        #expect(try decoded("outputs", 5) { $0["column"] = "another" } == nil)
    }

    @Test("windows that no specification has are no half")
    func windows() throws {
        for (months, isRead) in [(1, true), (600, true), (0, false), (601, false), (-1, false), (Int.min, false), (Int.max, false)] {
            let half = try decoded("features", 1) { feature in
                feature["derive"] = [
                    "operation": "count_records", "fields": ["JN-09/penalty"], "date": "JN-09/day", "windowMonths": months, "whenZero": 0,
                ] as [String: Any]
            }
            #expect((half != nil) == isRead, "\(months)")
        }
    }
}
