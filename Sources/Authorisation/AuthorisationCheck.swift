import Catalogue
import Faults
import Jobs
import Ledger

/// Who may enter a job: subjects whose authorisations cover everything that it uses, for its purpose and its bank, on the day.
package struct AuthorisationCheck: Sendable {
    private let list: AuthorisationList
    package let needs: [CatalogueRules.Need]
    private let purpose: String
    private let grantee: String
    private let day: Day

    package init(_ list: AuthorisationList, needs: [CatalogueRules.Need], purpose: String, grantee: String, day: Day) {
        self.list = list
        self.needs = needs
        self.purpose = purpose
        self.grantee = grantee
        self.day = day
    }

    /// How a subject stands to one item.
    package enum Standing: Sendable, Hashable {
        case valid
        case withdrawn(Day)
        case expired(Day)
        /// It begins later, or is for another purpose or bank, or there is none.
        case missing
    }

    package func standing(of subject: String, to need: CatalogueRules.Need) -> Standing {
        // What is granted holds until the subject withdraws; a later authorisation holds anew. So it is enough to know which fields
        // some authorisation still covers: whenever it is valid, and on the day.
        var (granted, onDay): (Set<String>, Set<String>) = ([], [])
        var withdrawnOn: Day?, expiredOn: Day?
        for entry in list.entries(of: subject) {
            switch entry.event {
            case .granted(let authorisation):
                guard authorisation.purpose == purpose, authorisation.grantee == grantee else { continue }
                let covered = Self.covered(by: authorisation.covers, need)
                granted.formUnion(covered)
                if authorisation.from <= day && day <= authorisation.until { onDay.formUnion(covered) }
                if covered.count == need.fields.count, authorisation.until < day {
                    expiredOn = max(expiredOn ?? authorisation.until, authorisation.until)
                }
            case .withdrawn(let covers):
                let hit = covers.isEmpty ? need.fields : Self.covered(by: covers, need)
                guard !hit.isEmpty else { continue }
                if !granted.isEmpty { withdrawnOn = entry.on }
                granted.subtract(hit)
                onDay.subtract(hit)
                // None before covers everything any more.
                expiredOn = nil
            }
        }
        if onDay.isSuperset(of: need.fields) { return .valid }
        if let withdrawnOn { return .withdrawn(withdrawnOn) }
        return expiredOn.map { .expired($0) } ?? .missing
    }

    /// The fields that names of items and fields cover: by its path, its item, or the same subject's item in the other document.
    private static func covered(by names: [String], _ need: CatalogueRules.Need) -> [String] {
        let names = Set(names)
        return need.coveredBy.contains(where: names.contains) ? need.fields : need.fields.filter(names.contains)
    }

    /// - Throws: why a subject may not enter, at the first item that is lacking.
    package func require(_ subject: String, at place: String) throws(Fault) {
        for need in needs {
            switch standing(of: subject, to: need) {
            case .valid: continue
            case .withdrawn(let day): throw Fault(.authorisationWithdrawn, at: place, need.item, "\(day)")
            case .expired(let day): throw Fault(.authorisationExpired, at: place, need.item, "\(day)")
            case .missing: throw Fault(.authorisationMissing, at: place, need.item)
            }
        }
    }

    package func admit(_ subjects: [String]) -> Admission {
        var admitted: [Int] = []
        var items = needs.map { Admission.Item(item: $0.item) }
        for (row, subject) in subjects.enumerated() {
            var isLost = false
            for index in needs.indices {
                let standing = standing(of: subject, to: needs[index])
                if standing == .valid { continue }
                items[index].lacking += 1
                switch standing {
                case .valid: break
                case .withdrawn: items[index].withdrawn += 1
                case .expired: items[index].expired += 1
                case .missing: items[index].missing += 1
                }
                if !isLost { items[index].lost += 1 }
                isLost = true
            }
            if !isLost { admitted.append(row) }
        }
        return Admission(subjects: subjects.count, rows: admitted, items: items, root: list.root, size: list.size, day: day)
    }
}

/// Who of a data set enters a job, in counts; `rows` stay at the node.
package struct Admission: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package let item: String
        /// Subjects without a valid authorisation for the item.
        package internal(set) var lacking = 0
        /// Of those, the ones that no item before has lost already: over all items they add up to the subjects lost.
        package internal(set) var lost = 0
        package internal(set) var withdrawn = 0
        package internal(set) var expired = 0
        /// Never given for this purpose, bank and item, or not yet valid.
        package internal(set) var missing = 0
    }

    package let subjects: Int
    /// Of those that enter.
    package let rows: [Int]
    package let items: [Item]
    /// Of the list of authorisations, and its lines.
    package let root: [UInt8]
    package let size: Int
    package let day: Day

    package var json: JSONValue {
        .object([
            "version": .integer(1), "subjects": .integer(subjects), "admitted": .integer(rows.count), "lost": .integer(subjects - rows.count),
            "authorisations": .object(["lines": .integer(size), "root": .text(hexadecimal(root)), "day": .text("\(day)")]),
            "items": .array(items.map { item in
                .object([
                    "item": .text(item.item), "lacking": .integer(item.lacking), "lost": .integer(item.lost),
                    "withdrawn": .integer(item.withdrawn), "expired": .integer(item.expired), "missing": .integer(item.missing),
                ])
            }),
        ])
    }

    /// A table for a terminal.
    package func lines(_ language: Language) -> [String] {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        var lines = [text("Subjects of the data set: \(subjects)", "数据集主体数：\(subjects)")]
        for item in items {
            let name = Catalogue.current.item(item.item).map { $0.name(language) } ?? ""
            lines.append(text(
                "  \(item.item) \(name): \(item.lost) rows lost here; \(item.lacking) lack it (withdrawn \(item.withdrawn), expired \(item.expired), never given \(item.missing))",
                "  \(item.item) \(name)：本项减少 \(item.lost) 行；无有效授权 \(item.lacking)（已撤回 \(item.withdrawn)，已过期 \(item.expired)，未授权 \(item.missing)）"))
        }
        lines.append(text("Lost: \(subjects - rows.count); they enter: \(rows.count)", "共减少：\(subjects - rows.count)；进入任务：\(rows.count)"))
        lines.append(text("List of authorisations: \(size) lines, root \(hexadecimal(root)), as of \(day)", "授权清单：\(size) 条，根 \(hexadecimal(root))，截至 \(day)"))
        return lines
    }
}
