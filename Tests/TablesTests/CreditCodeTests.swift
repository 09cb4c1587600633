import Tables
import Testing

/// Codes that enterprises publish.
private let published = [
    "91330100799655058B", "9144030071526726XG", "914403001922038216", "91440300708461136T", "91110000802100433B",
]
/// Enterprise, individual business, farmers' cooperative, organisation check X, village collective with final check 0.
private let made = [
    "91370811MA36QB6Q05", "92370883MA312EQG9K", "93150302MA0AEQYH9K", "9137080221183120X2", "N23708269493087140",
]
private let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY")

private func defect(_ text: String) -> CreditCodeDefect? {
    if case .failure(let defect) = CreditCode.normalise(text) { defect } else { nil }
}

private func normalised(_ text: String) -> String? { try? CreditCode.normalise(text).get() }

struct CreditCodeTests {
    @Test("published and made codes pass both checks", arguments: published + made)
    func accepts(code: String) {
        #expect(normalised(code) == code)
    }

    @Test("every substitution of one character is detected", arguments: [published, made])
    func substitutions(codes: [String]) {
        var tried = 0
        for code in codes {
            let characters = Array(code)
            for position in characters.indices {
                for other in (2..<8).contains(position) ? Array(alphabet.prefix(10)) : alphabet where other != characters[position] {
                    var changed = characters
                    changed[position] = other
                    tried += 1
                    #expect(defect(String(changed)) != nil)
                }
            }
        }
        #expect(tried == 2_070)
    }

    @Test("every transposition of neighbours is detected", arguments: published + made)
    func transpositions(code: String) {
        let characters = Array(code)
        for position in characters.indices.dropLast() where characters[position] != characters[position + 1] {
            var changed = characters
            changed.swapAt(position, position + 1)
            #expect(defect(String(changed)) != nil)
        }
    }

    @Test("codes of the early pilots fail the final check and no other",
          arguments: ["91350100M0001TGQXM", "91350211M0000XUF46", "91350203M0001FUE2P"])
    func pilots(code: String) {
        #expect(defect(code) == .wrongFinalCheck)
    }

    @Test("each defect is told apart", arguments: [
        ("", CreditCodeDefect.empty), (" \u{3000}\u{FEFF}", .empty),
        ("MA36QB6Q0", .nineCharacterOrganisationCode), ("MA36QB6Q-0", .nineCharacterOrganisationCode),
        ("370811200012345", .wrongLength), ("91370811MA36QB6Q055", .wrongLength), ("中", .wrongLength),
        ("9137O811MA36QB6Q05", .invalidCharacter), ("9137A811MA36QB6Q05", .invalidCharacter),
        ("91370811MA36QB6Q0中", .invalidCharacter), ("91370811MA36QB6QO5", .invalidCharacter),
        ("91370811MA36QB6Q15", .wrongOrganisationCheck), ("91370811MA36QB6Q06", .wrongFinalCheck),
        (String(repeating: "9", count: 1_000_000), .wrongLength),
    ])
    func defects(text: String, expected: CreditCodeDefect) {
        #expect(defect(text) == expected)
    }

    @Test("width, case and spaces do not matter", arguments: [
        "91370811ma36qb6q05", " 9137 0811 MA36QB6Q05\t", "\u{FEFF}91370811MA36QB6Q05\u{3000}",
        "９１３７０８１１ＭＡ３６ＱＢ６Ｑ０５", "91370811ｍａ36ｑｂ6Q05", "91370811\u{A0}MA36QB6Q05\u{200B}",
    ])
    func spellings(text: String) {
        #expect(normalised(text) == "91370811MA36QB6Q05")
    }

    @Test("a code is made from its parts", arguments: published + made)
    func making(code: String) {
        let part = { (range: Range<Int>) in String(Array(code)[range]) }
        #expect(CreditCode.make(authority: part(0..<1), type: part(1..<2), region: part(2..<8), organisation8: part(8..<16)) == code)
    }

    @Test("no code is made from parts of a wrong form")
    func refusedParts() {
        #expect(CreditCode.make(authority: "9", type: "1", region: "99000", organisation8: "MA36QB6Q") == nil)
        #expect(CreditCode.make(authority: "9", type: "1", region: "9900A1", organisation8: "MA36QB6Q") == nil)
        #expect(CreditCode.make(authority: "9", type: "1", region: "990001", organisation8: "MA36QB6O") == nil)
        #expect(CreditCode.make(authority: "", type: "91", region: "990001", organisation8: "MA36QB6Q") == nil)
    }
}
