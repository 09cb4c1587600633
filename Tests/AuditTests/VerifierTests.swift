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

    @Test("agrees about ledgers whose payloads have been deleted, with a receipt and without")
    func expired() throws {
        let sample = try Sample(Sample.script(rounds: 1))
        let manifest = try #require(LedgerManifest(decoding: try sample.open(.bank).manifest))
        _ = try PayloadRetention.apply(sample.path(.bank), isExpired: true)
        try agrees(sample, [.bank], holds: false, "no receipt")
        try PayloadExpiry.sign(sample.path(.bank), manifest, key: try #require(Sample.keys[.bank]))
        try agrees(sample, [.bank], holds: true, "receipt")
        try agrees(sample, [.bank, .platform, .arbiter], holds: true, "three")
        var changed = try sample.bytes(.bank, LedgerFile.expired)
        changed[12] ^= 1
        try sample.write(changed, .bank, LedgerFile.expired)
        try agrees(sample, [.bank], holds: false, "changed receipt")
    }

    @Test("agrees about ledgers with SM3 digests, whole, and with such a digest changed where no head protects it",
          .enabled(if: hasSM3, "python3's hashlib has no SM3"))
    func sm3() throws {
        let sample = try Sample(Sample.script(rounds: 1, contract: Sample.contractSM3), hasSM3: true)
        for role in [Role.bank, .platform, .arbiter] { try agrees(sample, [role], holds: true, role.rawValue) }
        try agrees(sample, [.bank, .platform, .arbiter], holds: true, "three")
        // A line to the arbiter has no heads: the payload alone speaks for its digest.
        let name = LedgerFile.records("arbiter", .sent)
        let whole = try sample.bytes(.bank, name)
        for bit in stride(from: 72 * 8, to: 104 * 8, by: 51) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try sample.write(bytes, .bank, name)
            try agrees(sample, [.bank], holds: false, "bit \(bit)")
        }
        // Records of the other suite's width.
        try sample.write(try sample.records(.bank, name).flatMap { $0.prefix(72) }, .bank, name)
        try agrees(sample, [.bank], holds: false, "records of 72 bytes")
    }

    @Test("agrees about ledgers of operations: whole, beside what was shown, changed, cut and rewritten")
    func operations() throws {
        let sample = try OperationsSample()
        func agrees(_ roles: [Role], holds: Bool, _ name: String) throws {
            let code = try run([sample.path] + roles.map { sample.sample.path($0) })
            #expect(try sample.verify(roles).holds == holds && code == (holds ? 0 : 1), "\(name): \(code)")
        }
        for roles in [[], [Role.bank], [.bank, .platform, .arbiter]] { try agrees(roles, holds: true, "\(roles)") }
        #expect(try run([sample.folder.url.path]) == 0)
        for (name, step) in [("entries.jsonl", 977), ("heads", 1409)] {
            let whole = try sample.bytes(name)
            for place in stride(from: 5, to: whole.count, by: step) {
                var bytes = whole
                bytes[place] ^= 1
                try sample.write(bytes, name)
                try agrees([], holds: false, "\(name) \(place)")
                try sample.write(Array(whole.prefix(place)), name)
                try agrees([], holds: false, "\(name) cut to \(place)")
            }
            try sample.write(whole, name)
        }
        let list = try #require(FileManager.default.contentsOfDirectory(atPath: "\(sample.path)/subjects").first)
        let tags = try sample.bytes("subjects/\(list)")
        try sample.write(Array(tags.dropLast(16)), "subjects/\(list)")
        try agrees([], holds: false, "list")
        try sample.write(tags, "subjects/\(list)")
        try sample.rewrite { entry in
            guard entry.action == .jobApproved else { return entry }
            return OperationsEntry(sequence: 0, time: entry.time, actor: "account bob", action: entry.action, purpose: entry.purpose, job: entry.job,
                                   object: entry.object, digest: entry.digest, count: entry.count, salt: entry.salt)
        }
        try agrees([], holds: true, "rewritten, alone")
        try agrees([.arbiter], holds: false, "rewritten, beside the arbiter's")
    }

    @Test("the document's commands check a frame, the root of the first head and its signature by hand, and show where a record was changed",
          .enabled(if: hasShellTools, "bash, xxd, sha256sum or openssl is not installed"))
    func byHand() throws {
        let document = try String(contentsOf: root.appending(path: "Protocols/ledger.md"), encoding: .utf8)
        let section = try #require(document.components(separatedBy: "## Checking one frame by hand").last)
        let commands = section.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }.joined(separator: "\n")
            .replacing("platform.sent", with: "credit.sent").replacing("— bank ", with: "— north ").replacing(#""name":"bank""#, with: #""name":"north""#)
        let sample = try Sample(Sample.script(rounds: 1))
        func run() throws -> [String] {
            let (process, pipe) = (Process(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["bash", "-c", commands]
            process.currentDirectoryURL = URL(filePath: sample.path(.bank))
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            return output.split(separator: "\n").map(String.init)
        }
        let lines = try run()
        let all = "\(lines)"
        #expect(lines.first == "sequence 1, kind 2, phase 1" && lines.contains("Signature Verified Successfully"), "\(all)")
        let digest = try #require(lines.first { $0.hasPrefix("digest ") }?.dropFirst(7))
        #expect(lines.contains("\(digest)  payloads/\(digest.prefix(2))/\(digest)"), "\(all)")
        let entry = try #require(HeadFile.entries(try sample.bytes(.bank, LedgerFile.heads("credit", .sent))).first?.head)
        #expect(lines.count { $0 == Data(entry.root).base64EncodedString() } == 2, "\(all)")
        for name in [LedgerFile.contract, LedgerFile.specification] {
            let line = try #require(lines.first { $0.hasSuffix("  \(name)") })
            #expect(lines.last?.contains("\"\(name.split(separator: ".")[0])_digest\":\"\(line.prefix(64))\"") == true, "\(all)")
        }
        var records = try sample.bytes(.bank, LedgerFile.records("credit", .sent))
        records[72 + 30] ^= 1
        try sample.write(records, .bank, LedgerFile.records("credit", .sent))
        #expect(try run().count { $0 == Data(entry.root).base64EncodedString() } == 1)
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

    @Test("agrees that what a killed node was about to record is no finding, where the job's end is not recorded and as much as a stop leaves",
          arguments: [Role.bank, .platform, .arbiter])
    func leftovers(role: Role) throws {
        func put(_ bytes: [UInt8], _ sample: Sample, _ name: String) throws {
            try FileManager.default.createDirectory(at: sample.url(role, name).deletingLastPathComponent(), withIntermediateDirectories: true)
            try sample.write(bytes, role, name)
        }
        let script = Sample.script(rounds: 1)
        let drafts = ["\(LedgerFile.manifest).17", "credit.bytes.json.18446744073709551615"]
        for isWhole in [false, true] {
            let sample = try Sample(isWhole ? script : script.dropLast(2))
            try agrees(sample, [role], holds: true, "as written")
            for name in drafts { try put([1], sample, name) }
            try agrees(sample, [role], holds: !isWhole, "drafts")
            for name in drafts { try FileManager.default.removeItem(at: sample.url(role, name)) }
            // Two lines of two directions.
            for number in 1...UInt8(5) {
                try put([number], sample, LedgerFile.payload(SHA256.hash([number])))
                try agrees(sample, [role], holds: !isWhole && number < 5, "\(number) payloads")
            }
        }
        let begun = try Sample(script)
        let documents = [LedgerFile.manifest, LedgerFile.contract, LedgerFile.specification]
        let names = try FileManager.default.contentsOfDirectory(atPath: begun.path(role)).filter { !documents.contains($0) }
        for name in names where name != LedgerFile.payloads { try FileManager.default.removeItem(at: begun.url(role, name)) }
        try agrees(begun, [role], holds: false, "payloads without lines")
        try FileManager.default.removeItem(at: begun.url(role, LedgerFile.payloads))
        try agrees(begun, [role], holds: true, "documents alone")
        try put([1], begun, "notes.txt")
        try agrees(begun, [role], holds: false, "another file")
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
private let hasShellTools = ["bash", "xxd", "sha256sum", "openssl", "sed"].allSatisfy { tool in
    ["/usr/bin", "/bin", "/usr/local/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
}
private let hasSM3: Bool = {
    guard let python else { return false }
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = ["-c", "import hashlib; hashlib.new('sm3')"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}()
private let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first { FileManager.default.isExecutableFile(atPath: $0) }
