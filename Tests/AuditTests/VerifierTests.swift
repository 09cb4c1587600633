import Audit
import Foundation
import Ledger
import Primitives
import Testing
import Wire

/// `Protocols/verifier/verify.py` shares no code with this program: both must say the same of the same ledgers.
@Suite("The independent verifier", .enabled(if: python != nil, "python3 is not installed")) struct VerifierTests {
    private func run(_ directories: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = [root.appending(path: "Protocols/verifier/verify.py").path] + directories
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func agrees(_ sample: Sample, _ roles: [Role], holds: Bool, _ name: String) throws {
        let code = try run(roles.map { sample.path($0) })
        let own = try roles.count == 1 ? sample.verify(roles[0]).holds : sample.reconcile(roles).holds
        #expect(own == holds && code == (holds ? 0 : 1), "\(name): \(own), \(code)")
    }

    @Test("agrees about whole ledgers, whatever they keep", arguments: Retention.allCases)
    func whole(_ retention: Retention) throws {
        let sample = try Sample(Sample.script(rounds: 1), retention: retention)
        for role in [Role.bank, .platform, .arbiter] { try agrees(sample, [role], holds: true, role.rawValue) }
        try agrees(sample, [.bank, .platform, .arbiter], holds: true, "three")
    }

    @Test("agrees about ledgers that were changed")
    func changed() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let other = try Sample(Sample.script(rounds: 1))
        let (sent, received) = (LedgerFile.records("credit", .sent), LedgerFile.records("credit", .received))
        let heads = LedgerFile.heads("credit", .sent)
        let width = FrameRecord.byteCount
        func change(_ name: String, _ what: String, _ change: (inout [UInt8]) throws -> Void) throws {
            let whole = try sample.bytes(.bank, name)
            var bytes = whole
            try change(&bytes)
            try sample.write(bytes, .bank, name)
            try agrees(sample, [.bank], holds: false, "\(name) \(what)")
            try sample.write(whole, .bank, name)
        }
        for offset in [7, 9, 15, 23, 30, 60, 5 * width + 41] { try change(sent, "bit \(offset)") { $0[offset] ^= 4 } }
        try change(received, "dropped") { $0.removeSubrange(width..<2 * width) }
        try change(received, "inserted") { $0.insert(contentsOf: try other.bytes(.bank, received).prefix(width), at: 0) }
        try change(received, "copied") { $0.replaceSubrange(..<width, with: try other.bytes(.bank, received).prefix(width)) }
        try change(received, "swapped") { $0 = Array($0[width..<2 * width] + $0[..<width] + $0[(2 * width)...]) }
        for count in [0, 1, 5 * width, 5 * width + 71] { try change(sent, "cut \(count)") { $0 = Array($0.prefix(count)) } }
        try change(heads, "cut") { $0.removeLast() }
        for part in [3, 5, 8] { try change(heads, "bit \(part)") { $0[$0.count * part / 9] ^= 1 } }
        try change(LedgerFile.contract, "bit") { $0[$0.count - 9] ^= 1 }
        try change(LedgerFile.specification, "bit") { $0[40] ^= 1 }
        let payload = try #require(try sample.open(.bank).payloads.sorted().first)
        try change(payload, "bit") { $0[$0.count - 1] ^= 1 }

        // A file that belongs to no frame.
        let stray = LedgerFile.payload(SHA256.hash([1]))
        try FileManager.default.createDirectory(at: sample.url(.bank, stray).deletingLastPathComponent(), withIntermediateDirectories: true)
        try sample.write([1], .bank, stray)
        try agrees(sample, [.bank], holds: false, "stray payload")
        try FileManager.default.removeItem(at: sample.url(.bank, stray))
        try agrees(sample, [.bank], holds: true, "put back")
    }

    @Test("agrees about a frame that one end did not record, and about ledgers of two jobs")
    func compared() throws {
        let script = Sample.script(rounds: 1)
        let lost = try #require(script.firstIndex { step in
            if case .frame(.platform, .bank, .returnedBits, _) = step { true } else { false }
        })
        try agrees(try Sample(script, lost: [lost]), [.bank, .platform], holds: false, "lost")
        let (sample, other) = (try Sample(script), try Sample(script))
        #expect(try run([sample.path(.bank), other.path(.platform)]) == 1)
    }
}

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
private let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first { FileManager.default.isExecutableFile(atPath: $0) }
