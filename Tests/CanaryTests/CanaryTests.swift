import Audit
import Canary
import Faults
import Foundation
import Ledger
import Primitives
import Tables
import Testing
import Wire

/// A node's data directory with the ledger of a job, made by the product's own writer, a log beside it, and the owner's data.
private final class Premises {
    let root: URL
    let rows = 200
    private(set) var turnovers: [Double] = []
    private(set) var counts: [Int] = []
    private let writer: LedgerWriter
    private var sequence: UInt64 = 0
    private let job = JobIdentifier("000102030405060708090a0b0c0d0e0f") ?? .none

    var state: URL { root.appending(path: "state") }
    var log: URL { root.appending(path: "node.log") }
    var data: URL { root.appending(path: "data.csv") }

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "canary-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root.appending(path: "state/jobs/old"), withIntermediateDirectories: true)
        writer = try Self.writer(root, job)
        var text = "code,company,turnover,count,grade,since\n"
        for row in 0..<rows {
            turnovers.append(Double(1_000_003 * (row + 7)) / 997)
            counts.append(70_001 * (row + 1) % 1_000_003)
            text += "\(code(row)),\(company(row)),\(turnovers[row]),\(counts[row]),manufacturing,2026-11-25\n"
        }
        try text.write(to: data, atomically: true, encoding: .utf8)
        // What a node writes: scores and common subjects, which hold values; a log with times, names and numbers of jobs.
        for name in ["scores.csv", "aligned.csv"] { try text.write(to: state.appending(path: "jobs/old/\(name)"), atomically: true, encoding: .utf8) }
        try "2026-11-25T09:30:01Z info bank [job \(job)] phase training\n2026-11-25T09:31:07Z info bank [job \(job)] completed\n"
            .write(to: log, atomically: true, encoding: .utf8)
        for _ in 0..<40 { try send([UInt8](SystemRandom.bytes(40_000))) }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private static func writer(_ root: URL, _ job: JobIdentifier) throws -> LedgerWriter {
        func key(_ seed: UInt8) -> String {
            Data(Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: seed, count: 32))).verifyingKey.bytes).base64EncodedString()
        }
        func party(_ name: String, _ role: String, _ seed: UInt8, _ address: String = "") -> String {
            #"{"name": "\#(name)", "role": "\#(role)", \#(address)"pin": "\#(String(repeating: "\(seed)", count: 64))", "ledger_key": "\#(key(seed))"}"#
        }
        let contract = """
            {"version": 1, "name": "pilot", "suite": "P256-SHA256", "limits": {"insecure_key_bits": true, "minimum_key_bits": 512},
             "parties": [\(party("arbiter", "arbiter", 1, "\"address\": \"a.example:1\", ")), \(party("north", "bank", 2)),
                         \(party("credit", "platform", 3, "\"address\": \"c.example:1\", "))]}
            """
        let specification = """
            {"kind":"score","model":"0123456789abcdef0123456789abcdef","name":"s","parties":{"bank":"north","platform":"credit"},\
            "population":{"bank_id":"code","id_type":"text","minimum_intersection":100,"platform_id":"key"},"purpose":{"code":"test","statement":"a test"},"version":1}
            """
        let manifest = LedgerManifest(job: job, attempt: 1, node: "north", role: .bank, contract: Array(contract.utf8),
                                      specification: Array(specification.utf8), retention: .all)
        return try LedgerWriter(directory: root.appending(path: "state/ledger/\(job)"), manifest: manifest, contract: Array(contract.utf8),
                                specification: Array(specification.utf8), peer: "credit")
    }

    func code(_ row: Int) -> String { "9131\(String(70_001 * (row + 11) % 99_991 + 100_000, radix: 10))MA1K\(4000 + row)" }
    func company(_ row: Int) -> String { row == 3 ? "华东精密机械有限公司" : row == 4 ? "𠮷野家㐀商行" : "甲乙丙丁第\(row)号实业有限公司" }

    @discardableResult
    func send(_ payload: [UInt8]) throws -> Int {
        try writer.append(Frame(kind: .roundRows, phase: .training, job: job, attempt: 1, sequence: sequence,
                                salt: SystemRandom.bytes(Frame.saltBytes), payload: payload), .sent)
        sequence += 1
        return Int(sequence) - 1
    }

    func append(_ bytes: [UInt8], to file: URL) throws {
        let before = (try? Data(contentsOf: file)) ?? Data()
        try (before + bytes).write(to: file)
    }

    func search(_ identifier: String? = nil) throws -> AuditReport {
        try CanarySearch(CanaryData(DataSource(data), identifier: identifier), directory: state, others: [log], own: [data]).run { _, _ in }
    }
}

@Suite("Canary") struct CanaryTests {
    @Test("nothing is found in what a job leaves; what was searched, left out and skipped is said")
    func clean() throws {
        let report = try Premises().search()
        #expect(report.holds, "\(report.findings.map { $0.text(.en) })")
        let facts = report.facts.map(\.en)
        #expect(facts.contains { $0.contains("jobs/old/scores.csv") && $0.contains("jobs/old/aligned.csv") })
        #expect(facts.contains("identifiers: code, company, every one searched"))
        // Quotients fill a float; six digits do with their neighbour, of which the last row has none.
        #expect(facts.contains("64-bit float, little-endian: 399 patterns searched, 1 values that say too little"), "\(facts)")
        // 'manufacturing' alone is a text that says enough; 6 digits and a date are not.
        #expect(facts.contains { $0.hasPrefix("UTF-8 text: 401 patterns searched, 401 values") || $0.hasPrefix("UTF-8 text: 601 patterns searched, 201 values") },
                "\(facts)")
    }

    /// By encoders that share nothing with the search.
    private func planted(_ premises: Premises) throws -> [(encoding: String, column: String, bytes: [UInt8])] {
        let code = premises.code(17)
        let octets = Array(code.utf8)
        func base64(_ before: Int) -> [UInt8] {
            Array(Data([UInt8](SystemRandom.bytes(before)) + octets + SystemRandom.bytes(5)).base64EncodedString().utf8)
        }
        func bytes<Number: FixedWidthInteger>(_ numbers: [Number], big: Bool) -> [UInt8] {
            numbers.flatMap { number in withUnsafeBytes(of: number) { big ? Array($0.reversed()) : Array($0) } }
        }
        let turnovers = Array(premises.turnovers[20..<24])
        let counts = Array(premises.counts[30..<34])
        var all: [(encoding: String, column: String, bytes: [UInt8])] = []
        func plant(_ encoding: String, _ column: String, _ bytes: [UInt8]) { all.append((encoding, column, bytes)) }
        plant("UTF-8 text", "code", octets)
        plant("UTF-8 text", "company", Array("华东精密机械有限公司".utf8))
        plant("GB18030/GBK text", "company",
              [0xBB, 0xAA, 0xB6, 0xAB, 0xBE, 0xAB, 0xC3, 0xDC, 0xBB, 0xFA, 0xD0, 0xB5, 0xD3, 0xD0, 0xCF, 0xDE, 0xB9, 0xAB, 0xCB, 0xBE])
        plant("GB18030/GBK text", "company", [0x95, 0x34, 0xB2, 0x35, 0xD2, 0xB0, 0xBC, 0xD2, 0x81, 0x39, 0xEE, 0x39, 0xC9, 0xCC, 0xD0, 0xD0])
        plant("UTF-16 text, little-endian", "code", octets.flatMap { [$0, 0] })
        plant("UTF-16 text, big-endian", "code", octets.flatMap { [0, $0] })
        plant("UTF-16 text, big-endian", "company", Array(try #require("𠮷野家㐀商行".data(using: .utf16BigEndian))))
        plant("hexadecimal, lower case", "code", Array(octets.map { String(format: "%02x", $0) }.joined().utf8))
        plant("hexadecimal, upper case", "code", Array(octets.map { String(format: "%02X", $0) }.joined().utf8))
        plant("base64", "code", base64(0))
        plant("base64, one byte on", "code", base64(1))
        plant("base64, two bytes on", "code", base64(2))
        for big in [false, true] {
            let end = big ? "big-endian" : "little-endian"
            plant("64-bit float, \(end)", "turnover", bytes([turnovers[0].bitPattern], big: big))
            plant("32-bit float, \(end)", "turnover", bytes(turnovers.map { Float($0).bitPattern }, big: big))
            plant("32-bit integer, \(end)", "count", bytes(counts.map { Int32($0) }, big: big))
            plant("64-bit integer, \(end)", "count", bytes(counts.map { Int64($0) }, big: big))
            let fractions = [1.25, -17.0625, 303.7109375, 9000.0859375]
            plant("32-bit fixed point, \(end)", "fraction", bytes(fractions.map { Int32($0 * 65536) }, big: big))
            plant("64-bit fixed point, \(end)", "turnover", bytes(turnovers.map { Int64(($0 * 65536).rounded(.toNearestOrEven)) }, big: big))
        }
        return all
    }

    @Test("a value is found in every encoding, in a payload, a log and a file, and is named without being shown")
    func found() throws {
        let premises = try Premises()
        // A column whose numbers fit 32 bits of fixed point.
        let text = try String(contentsOf: premises.data, encoding: .utf8).split(separator: "\n")
        let fractions = ["1.25", "-17.0625", "303.7109375", "9000.0859375"]
        try (text.enumerated().map { "\($1),\($0 == 0 ? "fraction" : fractions[($0 - 1) % 4])" }.joined(separator: "\n") + "\n")
            .write(to: premises.data, atomically: true, encoding: .utf8)
        #expect(try premises.search().holds)
        for (index, (encoding, column, bytes)) in try planted(premises).enumerated() {
            let noise = SystemRandom.bytes(100 + index)
            let place: String
            switch index % 3 {
            case 0:
                place = "frame \(try premises.send(noise + bytes + SystemRandom.bytes(77)))"
            case 1:
                place = premises.log.path
                try premises.append(noise + bytes, to: premises.log)
            default:
                place = "notes-\(index)"
                try premises.append(noise + bytes, to: premises.state.appending(path: place))
            }
            let report = try premises.search()
            let finding = report.findings.first { $0.message.en.hasSuffix("as \(encoding)") && $0.text(.en).contains(place) }
            let text = try #require(finding?.text(.en), "\(encoding) \(column): \(report.findings.map { $0.text(.en) })")
            #expect(text.contains("column '\(column)'") && text.contains("line"), "\(text)")
            let all = report.lines(.en).joined() + report.lines(.zh).joined()
            #expect(!all.contains(premises.code(17)) && !all.contains("华东精密") && !all.contains("\(premises.turnovers[20])"))
        }
    }

    @Test("columns standardised over the file, or as a job did in its own order of rows, are found as floats and fixed point", arguments: [false, true])
    func standardised(big: Bool) throws {
        let premises = try Premises()
        let mean = premises.turnovers.reduce(0, +) / 200
        let deviation = (premises.turnovers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 200).squareRoot()
        let whole = premises.turnovers.map { ($0 - mean) / deviation }
        // As a job of other rows would: its own mean and deviation, clipped, in an order that the file does not have.
        let order = (0..<120).map { $0 * 83 % 199 }
        let own = order.map { max(-2, min(2, (log1p(Double(premises.counts[$0])) - 12.5) / 0.75)) }
        var data = try CanaryData(DataSource(premises.data), identifier: nil)
        data.add("count", Phrase(en: "standardised as in job 7", zh: "按任务 7 标准化"), numbers: own, lines: order.map { $0 + 2 })
        func search() throws -> AuditReport {
            try CanarySearch(data, directory: premises.state, others: [premises.log], own: [premises.data]).run { _, _ in }
        }
        let clean = try search()
        #expect(clean.holds && clean.facts.contains { $0.en.hasPrefix("32-bit float, little-endian, standardised columns: ") })
        func bytes<Number: FixedWidthInteger>(_ numbers: [Number], big: Bool) -> [UInt8] {
            numbers.flatMap { number in withUnsafeBytes(of: number) { big ? Array($0.reversed()) : Array($0) } }
        }
        func fixed(_ value: Double) -> Int32 { Int32((value * 65536).rounded(.toNearestOrEven)) }
        // Some four in a row say enough, whatever is clipped; a report names 200 findings at most, which all of these stay below.
        for (values, column) in [(whole[50..<62], "column 'turnover', standardised over the whole file, of line 5"),
                                 (own[31..<55], "column 'count', standardised as in job 7, of line ")] {
            let end = big ? "big-endian" : "little-endian"
            for (encoding, planted) in [
                ("64-bit float, \(end)", bytes(values.map(\.bitPattern), big: big)),
                ("32-bit float, \(end)", bytes(values.map { Float($0).bitPattern }, big: big)),
                ("32-bit fixed point, \(end)", bytes(values.map(fixed), big: big)),
                ("64-bit fixed point, \(end)", bytes(values.map { Int64(fixed($0)) }, big: big)),
            ] {
                let frame = try premises.send(SystemRandom.bytes(50) + planted + SystemRandom.bytes(9))
                let report = try search()
                let found = report.findings.contains { $0.message.en.contains(column) && $0.message.en.hasSuffix("as \(encoding)") && $0.place.frame == frame }
                #expect(found, "\(column) \(encoding): \(report.findings.map { $0.text(.en) })")
            }
        }
        #expect(try search().lines(.zh).contains { $0.contains("列“count”（按任务 7 标准化），编码为") })
    }

    @Test("a finding names offset, line and encoding, wherever the value lies in a large file")
    func offsets() throws {
        let premises = try Premises()
        let value = Array(premises.code(5).utf8)
        for offset in [0, 1, (4 << 20) - 9, 4 << 20, (4 << 20) - 1024, (8 << 20) - 17, (9 << 20) - value.count] {
            var bytes = SystemRandom.bytes(9 << 20)
            bytes.replaceSubrange(offset..<offset + value.count, with: value)
            try Data(bytes).write(to: premises.state.appending(path: "large"))
            let report = try premises.search("code")
            #expect(report.findings.map { "\($0.place.file ?? "") \($0.place.offset ?? -1) \($0.message.en)" } == [
                "large \(offset) holds column 'code' of line 7 as UTF-8 text",
            ])
        }
    }

    @Test("an identifier in the name of a file is found")
    func names() throws {
        let premises = try Premises()
        try premises.append([1], to: premises.state.appending(path: "\(premises.code(9)).tmp"))
        #expect(try premises.search().findings.count == 1)
    }

    @Test("a column or a file that is not there is named")
    func misuse() throws {
        let premises = try Premises()
        #expect(throws: Fault(.missingColumn, at: "data.csv", "uscc")) { try premises.search("uscc") }
        #expect(throws: Fault(.unreadableFile, at: "nowhere.csv")) {
            try CanaryData(DataSource(premises.root.appending(path: "nowhere.csv")), identifier: nil)
        }
    }
}
