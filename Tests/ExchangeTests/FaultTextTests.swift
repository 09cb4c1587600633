import Exchange
import Faults
import Foundation
import Jobs
import Roles
import Scratch
import Testing
import Wire

@Suite("Texts of faults", .serialized) struct FaultTextTests {
    @Test("no fault that a job can end in names a subject or a value of anyone's data")
    func noData() throws {
        // Ends of jobs that know the data: each of the owner's own, and those a peer provokes.
        let data = try SmallData(common: 200, seed: 15)
        var job = SmallJob(data: data, rounds: 2)
        for change: (inout Contract.Limits) -> Void in [
            { $0.minimumIntersection = 201 }, { $0.minimumRows = 1000 }, { $0.badsPerColumn = 1000 }, { $0.exposurePercent = 0.1 },
            { $0.dominanceShare = 0.05 }, { $0.maximumSetSize = 100 },
        ] {
            job.limits = SmallJob.openLimits
            change(&job.limits)
            var conversation = try Conversation(job)
            let outcome = try conversation.run()
            #expect(!outcome.faults.isEmpty)
            outcome.faults.values.forEach(FaultTexts.heard)
        }
        for (column, cell) in [("turnover", "twelve-point-five"), ("outcome", "perhaps-bad"), ("firm", "")] {
            let broken = try data.withBankCell(column, cell)
            do {
                _ = try OwnData.open(.init(path: broken.path), specification: job.specification, role: .bank, model: nil, scratch: MemoryScratch())
            } catch let fault as Fault {
                FaultTexts.heard(fault)
                #expect(!FaultTexts.all.contains { $0.contains("twelve-point-five") || $0.contains("perhaps-bad") })
            }
        }
        #expect(FaultTexts.all.count >= 6)
        for text in FaultTexts.all {
            #expect(!data.secrets.contains { text.contains($0) }, "\(text)")
            #expect(!text.contains("firm-"))
        }
    }
}

extension SmallData {
    /// The bank's file with another cell in the first row.
    func withBankCell(_ column: String, _ cell: String) throws -> URL {
        var lines = try String(contentsOf: bankFile, encoding: .utf8).split(separator: "\n").map(String.init)
        let index = try #require(lines[0].split(separator: ",").firstIndex { $0 == column })
        var cells = lines[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        cells[index] = cell
        lines[1] = cells.joined(separator: ",")
        let file = bankFile.deletingLastPathComponent().appending(path: "bank-\(column).csv")
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return file
    }
}
