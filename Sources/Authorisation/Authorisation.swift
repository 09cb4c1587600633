import Catalogue
import Faults
import Jobs

/// What one subject allows: which items or fields, for what, to whom, from when until when.
///
/// Holds an identifier: for the platform alone. Source: `Protocols/authorisations.md`.
package struct Authorisation: Sendable, Hashable {
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// On paper.
        case written
        /// After registration under the real name.
        case online
    }

    /// Normalised.
    package let subject: String
    /// Numbers of items, or paths of fields.
    package let covers: [String]
    /// Code of the specification.
    package let purpose: String
    /// Name of the bank in the contract.
    package let grantee: String
    package let method: Method
    package let from: Day
    /// The last day.
    package let until: Day
    /// SHA-256 of the signed document or of the record of the online consent, 64 lower-case hexadecimal digits.
    package let evidence: String

    package static let mostCovered = 400

    package init(subject: String, covers: [String], purpose: String, grantee: String, method: Method, from: Day, until: Day, evidence: String) {
        self.subject = subject
        self.covers = covers
        self.purpose = purpose
        self.grantee = grantee
        self.method = method
        self.from = from
        self.until = until
        self.evidence = evidence
    }

    /// One as people write it, checked.
    ///
    /// - Throws: `authorisationRefused` at `place`, with the reason; never with what a cell holds.
    package init(_ written: Written, at place: String) throws(Fault) {
        func refused(_ en: String, _ zh: String) -> Fault { Fault(.authorisationRefused, at: place, en, zh) }
        subject = try Authorisation.subject(written.subject, at: place)
        covers = written.items.split { ";；, 、".contains($0) }.map(String.init)
        guard (1...Self.mostCovered).contains(covers.count) else { throw refused("no item is named", "未列明信息项") }
        // Not what stands there: where columns were exchanged it is an identifier.
        if let unknown = covers.firstIndex(where: { !Authorisation.isItemOrField($0) }) {
            throw refused("entry \(unknown + 1) of column items is no item or field of the catalogue", "items 列第 \(unknown + 1) 项不是目录中的信息项或字段")
        }
        purpose = written.purpose
        grantee = written.grantee
        for (value, en, zh) in [(purpose, "the purpose", "用途"), (grantee, "the grantee", "被授权方")] where !isName(value) {
            throw refused("\(en) is no name of 1 to 64 characters from A-Z a-z 0-9 . _ -", "\(zh)须为由 A-Z a-z 0-9 . _ - 组成的 1 至 64 个字符的名称")
        }
        guard let method = Method(rawValue: written.method) else { throw refused("the method is 'written' or 'online'", "授权方式应为 written 或 online") }
        self.method = method
        guard ["1", "true", "yes", "是"].contains(written.notice.lowercased()) else {
            throw refused("it does not say that the subject was told of the risks", "未注明已告知相关风险")
        }
        guard let from = Day(cell: written.from), let until = Day(cell: written.until), from <= until else {
            throw refused("valid_from and valid_until are days, the earlier first", "valid_from 与 valid_until 须为日期且先后有序")
        }
        self.from = from
        self.until = until
        evidence = written.evidence.lowercased()
        guard evidence.utf8.count == 64, evidence.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            throw refused("the evidence is the SHA-256 of the signed document, 64 hexadecimal digits", "evidence 须为授权文书的 SHA-256，64 位十六进制数字")
        }
    }

    /// As the columns of a list have it.
    package struct Written: Sendable {
        package var subject = "", items = "", purpose = "", grantee = "", method = "", notice = "", from = "", until = "", evidence = ""
        package init() {}
    }

    /// Whether the catalogue has an item or a field of that name.
    package static func isItemOrField(_ name: String) -> Bool {
        Catalogue.current.items.contains { $0.id == name } || Catalogue.current.resolve(name) != nil
    }

    package static func subject(_ text: String, at place: String) throws(Fault) -> String {
        guard let subject = SubjectName.normalise(text) else {
            throw Fault(.authorisationRefused, at: place, "the subject is no identifier", "主体标识无效")
        }
        return subject
    }
}

private func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || ".-_".utf8.contains(byte)
    }
}
