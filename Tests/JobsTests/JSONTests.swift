import Faults
import Jobs
import Testing

@Suite("JSON is read strictly and written canonically")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8), as: "test") }

    @Test("every kind of value is read")
    func values() throws {
        let value = try parse(#" {"a": [null, true, false, -0.5e+3, 18446744073709551615], "b": "\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00"} "#)
        #expect(value == .object([
            "a": .array([.null, .bool(true), .bool(false), .number("-0.5e+3"), .number("18446744073709551615")]),
            "b": .text("\"\\/\u{8}\u{C}\n\r\téé😀"),
        ]))
        #expect(try parse("{}") == .object([:]))
        #expect(try parse("[ ]") == .array([]))
    }

    @Test("what RFC 8259 does not allow is refused with its place", arguments: [
        ("", 1, 1), ("{\"a\": 1,}", 1, 9), ("{\n \"a\": 1,\n \"a\": 2}", 3, 2), ("[1, 2", 1, 6), ("[1,]", 1, 4), ("{} x", 1, 4),
        ("nul", 1, 1), ("NaN", 1, 1), ("-Infinity", 1, 2), ("01", 1, 1), ("-", 1, 2), ("1.", 1, 3), (".5", 1, 1), ("1e", 1, 3),
        ("1e999", 1, 1), ("+1", 1, 1), ("\"a", 1, 1), ("\"\u{1}\"", 1, 2), (#""\x""#, 1, 2), (#""\ud800""#, 1, 2),
        (#""\udc00""#, 1, 2), (#""\ud800\u0041""#, 1, 2), (#""\u12g4""#, 1, 6), ("{1: 2}", 1, 2), ("{\"a\" 1}", 1, 6),
        ("\u{FEFF}{}", 1, 1), ("// x\n1", 1, 1), ("'a'", 1, 1), ("[\"é\" x]", 1, 6),
    ])
    func refused(text: String, line: Int, column: Int) {
        let fault = #expect(throws: Fault.self) { try parse(text) }
        #expect(fault?.code == .notJSON)
        #expect(fault?.place == "test")
        #expect(fault?.arguments.prefix(2) == ["\(line)", "\(column)"])
    }

    @Test("a key written once plainly and once escaped is repeated all the same")
    func escapedRepetition() {
        #expect(throws: Fault.self) { try parse(#"{"l2": 1, "\u006c2": 2}"#) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF]] {
            #expect(throws: Fault.self) { try JSONValue.parse(bytes, as: "test") }
        }
    }

    @Test("depth, size and length of numbers have limits")
    func limits() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try parse(nested(JSONValue.maximumDepth)) }
        #expect(throws: Fault.self) { try parse(nested(JSONValue.maximumDepth + 1)) }
        #expect(throws: Fault.self) { try parse(String(repeating: "[", count: 1 << 20)) }
        let padding = String(repeating: " ", count: JSONValue.maximumSizeBytes - 1)
        #expect(throws: Never.self) { try parse("1" + padding) }
        #expect(throws: Fault.self) { try parse("1 " + padding) }
        #expect(throws: Fault.self) { try parse(String(repeating: "1", count: 65)) }
    }

    @Test("no prefix and no change of one byte of a document traps")
    func mutations() throws {
        let bytes = try Repository.example("quickstart")
        for count in stride(from: 0, to: bytes.count, by: 7) { _ = try? JobSpecification.parse(Array(bytes.prefix(count))) }
        for index in stride(from: 0, to: bytes.count, by: 5) {
            for byte: UInt8 in [0x00, 0x22, 0x2C, 0x39, 0x5B, 0x7D, 0xFF] {
                var changed = bytes
                changed[index] = byte
                _ = try? JobSpecification.parse(changed)
            }
        }
    }

    /// RFC 8785, appendix B.
    @Test("numbers are written as RFC 8785 writes them", arguments: [
        (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
    ] as [(UInt64, String)])
    func canonicalNumbers(bits: UInt64, text: String) {
        #expect(JSONValue.real(Double(bitPattern: bits)).canonicalText() == text)
    }

    /// RFC 8785, sections 3.2.2 and 3.2.3.
    @Test("members are sorted by UTF-16 code units and texts escaped as RFC 8785 does")
    func canonicalText() throws {
        let value = try parse(#"""
            {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
             "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
            """#)
        #expect(value.canonicalText() == #"{"\r":"Carriage Return","1":"One","#
            + "\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
            + "\"😀\":\"Emoji: Grinning Face\",\"\u{FB33}\":\"Hebrew Letter Dalet With Dagesh\"}")
        #expect(try parse(#"["\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", 1E30, 4.50, 2e-3, 1e-27]"#).canonicalText()
            == #"["€$\u000f\nA'B\"\\\\\"/",1e+30,4.5,0.002,1e-27]"#)
    }
}
