import Faults

extension DataProfile {
    /// One kind of defect that occurs in a data set, and what the rule for it does. Counts, lines and names of columns only.
    package struct Defect: Sendable, Hashable, Codable {
        package var rule: QualityRule
        package var outcome: QualityRule.Outcome
        /// Of defects that are a column's.
        package var column: String?
        /// Of repaired codes without lines: they are no cause for alarm.
        package var found: IngestReport.Finding
    }

    /// Every defect that occurs, in the order of ``QualityRule``; those of columns in the order of the table. A row may count
    /// under several repairs, but under one rejection at most.
    package var defects: [Defect] {
        func defect(_ rule: QualityRule, _ found: IngestReport.Finding, column: String? = nil) -> Defect? {
            found.rows == 0 ? nil : Defect(rule: rule, outcome: rule.outcome, column: column, found: found)
        }
        var list: [Defect?] = []
        if let identifier {
            let repaired = identifier.normalised
            for (rule, rows) in [
                (QualityRule.codeLowerCase, repaired.lowerCase), (.codeSpaces, repaired.spaces), (.codeFullWidth, repaired.fullWidth),
            ] {
                list.append(defect(rule, .init(rows: rows)))
            }
            list += identifier.rejected.map { defect(QualityRule($0.defect), $0.found) }
            list += [defect(.rowRepeated, identifier.exactDuplicates), defect(.rowContradicted, identifier.conflictingRows)]
        }
        for column in columns {
            if let others = column.notNumbers { list.append(defect(.columnNotNumbers, others, column: column.name)) }
            if column.missing == rows { list.append(defect(.columnEmpty, .init(rows: rows), column: column.name)) }
            if column.missing == 0, column.distinct == 1, rows > 1 { list.append(defect(.columnConstant, .init(rows: rows), column: column.name)) }
        }
        return list.compactMap(\.self)
    }
}

/// The stated rule for each kind of defect (汇总, 校核, 去重). Names are stable: programs read them.
package enum QualityRule: String, Sendable, Hashable, Codable, CaseIterable {
    case codeLowerCase = "code.lower_case"
    case codeSpaces = "code.spaces"
    case codeFullWidth = "code.full_width"
    case codeEmpty = "code.empty"
    case codeNineCharacters = "code.nine_characters"
    case codeWrongLength = "code.wrong_length"
    case codeInvalidCharacter = "code.invalid_character"
    case codeWrongOrganisationCheck = "code.wrong_organisation_check"
    case codeWrongFinalCheck = "code.wrong_final_check"
    case rowRepeated = "row.repeated"
    case rowContradicted = "row.contradicted"
    case columnNotNumbers = "column.not_numbers"
    case columnEmpty = "column.empty"
    case columnConstant = "column.constant"

    package enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// The row is used, its identifier rewritten.
        case repaired
        /// The row is not used.
        case rejected
        /// Of equal rows the first is used.
        case firstKept = "first_kept"
        /// Of the rows that contradict each other none is used.
        case noneKept = "none_kept"
        /// Told to the owner; a job that asks for the column decides.
        case listed
    }

    package init(_ defect: CreditCodeDefect) {
        self = switch defect {
        case .empty: .codeEmpty
        case .nineCharacterOrganisationCode: .codeNineCharacters
        case .wrongLength: .codeWrongLength
        case .invalidCharacter: .codeInvalidCharacter
        case .wrongOrganisationCheck: .codeWrongOrganisationCheck
        case .wrongFinalCheck: .codeWrongFinalCheck
        }
    }

    package var outcome: Outcome {
        switch self {
        case .codeLowerCase, .codeSpaces, .codeFullWidth: .repaired
        case .codeEmpty, .codeNineCharacters, .codeWrongLength, .codeInvalidCharacter, .codeWrongOrganisationCheck, .codeWrongFinalCheck: .rejected
        case .rowRepeated: .firstKept
        case .rowContradicted: .noneKept
        case .columnNotNumbers, .columnEmpty, .columnConstant: .listed
        }
    }

    /// What is wrong, and what is done about it.
    package var phrase: Phrase {
        switch self {
        case .codeLowerCase: Phrase(en: "lower-case letters in the identifier: written in upper case", zh: "标识含小写字母：改为大写")
        case .codeSpaces: Phrase(en: "blanks in the identifier: removed", zh: "标识含空格：去除")
        case .codeFullWidth: Phrase(en: "full-width characters in the identifier: written in half width", zh: "标识含全角字符：改为半角")
        case .codeEmpty: Phrase(en: "no identifier: the row is rejected", zh: "标识为空：该行不采用")
        case .codeNineCharacters:
            Phrase(en: "an organisation code of nine characters: the row is rejected until the code of 18 is supplied", zh: "九位组织机构代码：该行不采用，待补正为 18 位代码")
        case .codeWrongLength: Phrase(en: "not 18 characters: the row is rejected", zh: "长度不是 18 位：该行不采用")
        case .codeInvalidCharacter:
            Phrase(en: "a character that cannot stand there, such as O for 0: the row is rejected, nothing is guessed",
                   zh: "含有该位置不允许的字符（如以 O 代 0）：该行不采用，不作猜测")
        case .codeWrongOrganisationCheck:
            Phrase(en: "wrong check character of the organisation part: the row is rejected", zh: "主体标识码校验位错误：该行不采用")
        case .codeWrongFinalCheck: Phrase(en: "wrong final check character: the row is rejected", zh: "末位校验码错误：该行不采用")
        case .rowRepeated: Phrase(en: "repeats an earlier row exactly: the first is kept", zh: "与前面的行完全重复：保留第一行")
        case .rowContradicted:
            Phrase(en: "contradicts another row of its subject: none of these rows is kept", zh: "同一主体的各行相互矛盾：均不采用")
        case .columnNotNumbers:
            Phrase(en: "cells that are no numbers in a column of numbers: listed; a job that reads it as numbers is refused at the first",
                   zh: "数值列中的非数值单元格：列出；按数值读取的任务将在首处被拒绝")
        case .columnEmpty: Phrase(en: "a column without any value: listed; a job drops it", zh: "整列无值：列出；任务中剔除该列")
        case .columnConstant: Phrase(en: "a column with one value alone: listed; a job drops it", zh: "整列取值相同：列出；任务中剔除该列")
        }
    }
}

extension QualityRule.Outcome {
    package var phrase: Phrase {
        switch self {
        case .repaired: Phrase(en: "repaired", zh: "已修复")
        case .rejected: Phrase(en: "rejected", zh: "不采用")
        case .firstKept: Phrase(en: "first kept", zh: "保留首行")
        case .noneKept: Phrase(en: "none kept", zh: "均不采用")
        case .listed: Phrase(en: "listed", zh: "列出")
        }
    }
}
