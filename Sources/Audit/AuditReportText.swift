import Faults
import Jobs
import Ledger

extension AuditReport {
    /// What was checked, what was found, and the verdict: a line each.
    package func lines(_ language: Language) -> [String] {
        var lines = facts.map { $0(language) } + findings.map { $0.text(language) }
        if furtherFindings > 0 {
            lines.append(Phrase(en: "and \(furtherFindings) further findings", zh: "另有 \(furtherFindings) 项")(language))
        }
        let count = findings.count + furtherFindings
        let verdict = holds ? Phrase(en: "holds", zh: "核查通过") : Phrase(en: "does not hold: \(count) findings", zh: "核查未通过：发现 \(count) 项问题")
        return lines + [verdict(language)]
    }

    package func json(_ language: Language) -> JSONValue {
        .object([
            "holds": .bool(holds),
            "facts": .array(facts.map { .text($0(language)) }),
            "further_findings": .integer(furtherFindings),
            "findings": .array(findings.map { finding in
                .object(finding.place.json.merging(["rule": .text(finding.rule.rawValue), "message": .text(finding.message(language))]) { own, _ in own })
            }),
        ])
    }
}

extension Place {
    package var json: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        if !ledger.isEmpty { members["ledger"] = .text(ledger) }
        if let line { members["line"] = .text(line) }
        if let direction { members["direction"] = .text(direction.rawValue) }
        if let frame { members["frame"] = .integer(frame) }
        if let file { members["file"] = .text(file) }
        if let offset { members["offset"] = .integer(offset) }
        return members
    }
}
