import Faults
import Tables
import Testing

private func records(_ bytes: [UInt8], chunk: Int = .max) throws(Fault) -> [(line: Int, cells: [String])] {
    var scanner = CSVScanner(file: "a.csv")
    var found: [(line: Int, cells: [String])] = []
    let take = { (record: TableRecord) throws(Fault) in
        found.append((record.line, (0..<record.count).map(record.text)))
    }
    var start = 0
    while start < bytes.count {
        let end = start + min(chunk, bytes.count - start)
        try scanner.scan(Array(bytes[start..<end]), take)
        start = end
    }
    try scanner.finish(take)
    return found
}

private func cells(_ text: String) throws -> [[String]] { try records(Array(text.utf8)).map(\.cells) }

private func fault(_ bytes: [UInt8]) -> Fault? {
    do {
        _ = try records(bytes)
        return nil
    } catch {
        return error
    }
}

struct CSVScannerTests {
    @Test("LF, CRLF and a missing last line end are read alike", arguments: ["a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "a,b\r\n1,2\r"])
    func lineEnds(text: String) throws {
        #expect(try cells(text) == [["a", "b"], ["1", "2"]])
    }

    @Test("quotes protect commas, quotes and line ends")
    func quotes() throws {
        #expect(try cells("\"a,\"\"b\"\"\",\"\"\n\"x\r\ny\",z\n") == [["a,\"b\"", ""], ["x\r\ny", "z"]])
    }

    @Test("empty fields count, empty lines do not")
    func empties() throws {
        #expect(try cells(",\n\n\r\na,\n,b") == [["", ""], ["a", ""], ["", "b"]])
    }

    @Test("lines are counted through quoted line ends and empty lines")
    func lines() throws {
        let found = try records(Array("a,b\n\"1\n2\n3\",x\r\n\n4,y\n".utf8))
        #expect(found.map(\.line) == [1, 2, 6])
    }

    @Test("where chunks are cut does not matter", arguments: 1...9)
    func chunks(size: Int) throws {
        let bytes = Array("名称,\"a\"\"b\"\r\n\"多\n行\",\"\"\r\n\n1,2".utf8)
        let whole = try records(bytes)
        let cut = try records(bytes, chunk: size)
        #expect(whole.map(\.line) == cut.map(\.line))
        #expect(whole.map(\.cells) == cut.map(\.cells))
    }

    @Test("malformed text is refused with the line on which its record starts", arguments: [
        ("a\nb\"c\n", 2), ("a,b\n1,\"2\"x\n", 2), ("a\n\"b\n\n", 2), ("a\rb\n", 1), ("x\n\"1\n2\",3\n4\"\n", 4),
    ])
    func malformed(text: String, line: Int) {
        let found = fault(Array(text.utf8))
        #expect(found?.code == .malformedCSV)
        #expect(found?.place == "a.csv:\(line)")
    }

    @Test("text that is not UTF-8 is refused with its line", arguments: [
        [0xC6, 0xF3, 0xD2, 0xB5], [0xE4, 0xBC], [0xE4, 0x2C, 0xBC, 0x81], [0xFF, 0xFE], [0xED, 0xA0, 0x80],
    ] as [[UInt8]])
    func encoding(bytes: [UInt8]) {
        #expect(fault(Array("a\n".utf8) + bytes + Array("\n".utf8)) == .notUTF8(at: "a.csv:2"))
    }

    @Test("arbitrary bytes are read or refused, alike wherever they are cut")
    func arbitrary() {
        let symbols: [UInt8] = [0x22, 0x22, 0x2C, 0x2C, 0x0A, 0x0D, 0x61, 0x31, 0x20, 0xE3, 0x80, 0x80, 0xEF, 0xBC, 0x91, 0xFF, 0x00]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in symbols.randomElement(using: &generator) ?? 0 }
            let outcomes = [Int.max, 1, 3].map { size in
                Result { () throws(Fault) in try records(bytes, chunk: size).map { "\($0.line) \($0.cells)" } }
            }
            #expect(Set(outcomes).count == 1)
            let text = String(decoding: bytes, as: UTF8.self)
            _ = CreditCode.normalise(text)
            _ = Table.number(text)
        }
    }

    @Test("fields, records and columns have limits")
    func limits() throws {
        let field = [UInt8](repeating: 0x61, count: CSVScanner.fieldLimit)
        #expect(try records(field).count == 1)
        #expect(fault(field + [0x61])?.code == .malformedCSV)
        #expect(fault([0x22] + [UInt8](repeating: 0x0A, count: CSVScanner.fieldLimit + 1))?.code == .malformedCSV)
        #expect(fault(Array([[UInt8]](repeating: field, count: 65).joined(separator: [0x2C])))?.code == .malformedCSV)
        let commas = [UInt8](repeating: 0x2C, count: CSVScanner.columnLimit - 1)
        #expect(try records(commas).first?.cells.count == CSVScanner.columnLimit)
        #expect(fault(commas + [0x2C])?.code == .malformedCSV)
    }
}

struct NumberTests {
    @Test("decimals, exponents and grouped thousands are numbers", arguments: [
        ("0", 0), ("-12", -12), ("+1.5", 1.5), (".5e-3", 0.0005), ("5.", 5), ("1E3", 1000), ("1,234.5", 1234.5),
        ("12,345,678", 12_345_678), ("007", 7), ("0.1", 0.1), ("123456789012345678901234567890", 1.2345678901234568e29),
        ("9007199254740993", 9007199254740992), ("1e-30", 1e-30), ("2.2250738585072014e-308", 2.2250738585072014e-308),
        ("0.00000000000000000000000000000123", 1.23e-30), ("1e100", 1e100), ("1e-99999999999", 0),
        ("１２", 12), ("－１，２３４．５０", -1234.5), ("1２.5", 12.5),
    ] as [(String, Double)])
    func numbers(text: String, value: Double) {
        #expect(Table.number(text) == value)
    }

    @Test("nothing else is", arguments: [
        "", "-", ".", "e5", "1e", "1e+", "12%", "1 2", "0x10", "inf", "nan", "1,23", "1234,567", ",123", "1,234,", "1.2.3",
        "1.234,5", "①", "１２％", "壹", "１ ２", "--1", "1e101", "1e400", "1,2345",
    ])
    func others(text: String) {
        #expect(Table.number(text) == nil)
    }

    @Test("readings are correctly rounded")
    func rounding() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard abs(value) < 1e99 else { continue }
            #expect(Table.number("\(value)") == value)
        }
    }
}
