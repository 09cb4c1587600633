import Foundation
import Testing

@Suite("Load") struct LoadTests {
    @Test("more jobs than may be with their owners at once: all are done, of both analysts, and no node holds more than ten")
    func queue() async throws {
        let lab = try await TrialLab()
        try await lab.start()
        let specification = try lab.specification("size") { document in
            for key in ["label", "features", "training"] { document[key] = nil }
            document["kind"] = "align"
            document["reveal"] = "size"
        }
        var jobs: [String] = []
        for number in 0..<14 {
            let submitted = try await lab.job("submit", specification, by: number < 10 ? "ann" : "ben")
            jobs.append(submitted.output.trimmingCharacters(in: .newlines))
        }
        #expect(Set(jobs).count == 14)
        for job in jobs {
            let watched = try await lab.job("watch", job)
            #expect(watched.code == 0, "\(watched)")
        }
        for name in ["bank", "platform"] {
            #expect(lab.results(name) == jobs.sorted())
            // By the order of what the log says of each.
            var open: Set<Substring> = []
            for line in try lab.log(name).split(separator: "\n") {
                guard let job = line.firstMatch(of: /\[job ([0-9a-f]{8})\]/)?.1 else { continue }
                if line.contains("approved by") { open.insert(job) }
                if line.hasSuffix("completed") { open.remove(job) }
                #expect(open.count <= 10, "\(line)")
            }
            #expect(open.isEmpty)
        }
    }
}
