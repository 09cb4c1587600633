import Faults

/// Why a cell of the identifier column names no subject. The cell itself never leaves the reader.
package enum CreditCodeDefect: String, Error, Sendable, Hashable, Codable, CaseIterable {
    case empty
    /// An organisation code (GB 11714) as used before 2015, with or without its hyphen.
    case nineCharacterOrganisationCode
    /// Not 18 characters; the 15 digits of an old registration number, for example.
    case wrongLength
    /// A character that its position does not allow: I, O, S, V, Z anywhere, a letter in the region.
    case invalidCharacter
    case wrongOrganisationCheck
    /// Also what codes of the early pilots show: they are valid in law and were issued without this check.
    case wrongFinalCheck

    package var phrase: Phrase {
        switch self {
        case .empty: Phrase(en: "empty", zh: "为空")
        case .nineCharacterOrganisationCode: Phrase(en: "an organisation code of nine characters", zh: "九位组织机构代码")
        case .wrongLength: Phrase(en: "not 18 characters", zh: "长度不是 18 位")
        case .invalidCharacter: Phrase(en: "a character that cannot stand there", zh: "含有该位置不允许的字符")
        case .wrongOrganisationCheck: Phrase(en: "wrong check character of the organisation part", zh: "主体标识码校验位错误")
        case .wrongFinalCheck: Phrase(en: "wrong final check character", zh: "末位校验码错误")
        }
    }
}

/// Unified social credit codes.
///
/// Source: GB 32100-2015 (18 characters: authority, type, 6 of region, 8 + 1 of organisation, check) and GB 11714 for
/// the check character of the organisation part. Positions below count from 0.
package enum CreditCode {
    package static let length = 18

    /// The canonical spelling of a code, or why there is none.
    ///
    /// Full-width forms become half-width, letters upper-case; spaces, U+3000, no-break spaces, zero-width spaces and
    /// byte-order marks vanish wherever they stand. Every authority of the standard is accepted, `92…`, `93…` and `N…`
    /// among them.
    package static func normalise(_ text: String) -> Result<String, CreditCodeDefect> {
        var code: [UInt8] = []
        code.reserveCapacity(length)
        return switch normalise(text.utf8Span.span, into: &code) {
        case .success: .success(String(decoding: code, as: UTF8.self))
        case .failure(let defect): .failure(defect)
        }
    }

    /// A valid code from its parts, both check characters computed; nil where a part has the wrong length or a
    /// character that its positions do not allow.
    package static func make(authority: String, type: String, region: String, organisation8: String) -> String? {
        var code = Array("\(authority)\(type)\(region)\(organisation8)".utf8)
        guard authority.utf8.count == 1, type.utf8.count == 1, region.utf8.count == 6, organisation8.utf8.count == 8,
            hasValidCharacters(code)
        else { return nil }
        code.append(organisationCheck(of: code))
        code.append(finalCheck(of: code))
        return String(decoding: code, as: UTF8.self)
    }

    /// What had to be changed in a spelling.
    struct Changes: Sendable {
        var lowerCase = false
        var spaces = false
        var fullWidth = false
    }

    /// The same for the bytes of a cell, without an allocation per code: `code` is a buffer that the caller keeps.
    static func normalise(_ text: Span<UInt8>, into code: inout [UInt8]) -> Result<Changes, CreditCodeDefect> {
        code.removeAll(keepingCapacity: true)
        var changes = Changes()
        var index = 0
        while index < text.count, code.count <= length {
            var byte = text[index]
            index += 1
            if byte >= 0x80 {
                let width = Blank.width(text, at: index - 1)
                if width > 0 {
                    changes.spaces = true
                    index += width - 1
                    continue
                }
                if let half = Cell.halfWidth(text, at: index - 1) {
                    changes.fullWidth = true
                    index += 2
                    byte = half
                } else {
                    // One mark per foreign character, so that lengths count characters.
                    while index < text.count, text[index] & 0xC0 == 0x80 { index += 1 }
                    byte = 0
                }
            } else if byte <= UInt8(ascii: " ") {
                changes.spaces = true
                continue
            }
            if byte >= UInt8(ascii: "a"), byte <= UInt8(ascii: "z") {
                changes.lowerCase = true
                byte -= 0x20
            }
            code.append(byte)
        }
        if let defect = defect(of: code) { return .failure(defect) }
        return .success(changes)
    }

    // MARK: The two standards

    private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)

    /// Value of each byte in the alphabet of 31 symbols; 255 for all others.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, symbol) in alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
        return values
    }()

    /// 3^i mod 31.
    private static let finalWeights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    private static let organisationWeights = [3, 7, 9, 10, 5, 8, 4, 2]

    private static func defect(of code: [UInt8]) -> CreditCodeDefect? {
        guard code.count == length else {
            if code.isEmpty { return .empty }
            let isOrganisationCode = code.count == 9 || code.count == 10 && code[8] == UInt8(ascii: "-")
            return isOrganisationCode ? .nineCharacterOrganisationCode : .wrongLength
        }
        guard hasValidCharacters(code) else { return .invalidCharacter }
        guard code[16] == organisationCheck(of: code) else { return .wrongOrganisationCheck }
        guard code[17] == finalCheck(of: code) else { return .wrongFinalCheck }
        return nil
    }

    private static func hasValidCharacters(_ code: [UInt8]) -> Bool {
        let values = values
        for position in code.indices {
            let limit: UInt8 = (2..<8).contains(position) ? 10 : 31
            if values[Int(code[position])] >= limit { return false }
        }
        return true
    }

    /// GB 11714 over the positions 8 to 15. Letters count 10 to 35 over all of A to Z here: J is 19, not 18 as below.
    private static func organisationCheck(of code: [UInt8]) -> UInt8 {
        var sum = 0
        for (index, weight) in organisationWeights.enumerated() {
            let byte = Int(code[8 + index])
            sum += weight * (byte <= 0x39 ? byte - 0x30 : byte - 0x41 + 10)
        }
        return switch 11 - sum % 11 {
        case 10: UInt8(ascii: "X")
        case 11: UInt8(ascii: "0")
        case let digit: 0x30 + UInt8(digit)
        }
    }

    /// GB 32100-2015 over the first 17 positions, whose characters are all in the alphabet.
    private static func finalCheck(of code: [UInt8]) -> UInt8 {
        let values = values
        var sum = 0
        for (position, weight) in finalWeights.enumerated() { sum += weight * Int(values[Int(code[position])]) }
        return alphabet[(31 - sum % 31) % 31]
    }
}
