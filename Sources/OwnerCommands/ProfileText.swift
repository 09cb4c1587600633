import Faults
import Tables

/// A profile in the words of a terminal.
struct ProfileText {
    private let profile: DataProfile
    private let language: Language

    init(_ profile: DataProfile, _ language: Language) {
        self.profile = profile
        self.language = language
    }

    static func confidential(_ language: Language) -> String {
        Phrase(en: "For the owner of the data alone: what follows holds values of the data and must not leave the house.",
               zh: "仅供数据所有方本人使用：以下内容含有数据取值，不得外传。")(language)
    }

    var lines: [String] {
        [Self.confidential(language), "", sourceLine, say("rows: \(count(profile.rows)), columns: \(count(profile.columns.count))",
                                                          "行数：\(count(profile.rows))，列数：\(count(profile.columns.count))"), ""]
            + identifierLines + [""] + qualityLines + [""] + columnLines
    }

    private func say(_ en: String, _ zh: String) -> String { language == .zh ? zh : en }
    private func count(_ value: Int) -> String { Shown.count(value) }

    private var sourceLine: String { Shown.name(profile.source, columns: 80) + say(": ", "：") + form }

    /// How the data set is written.
    var form: String {
        guard let writing = profile.writing else { return say("table of an SQLite database", "SQLite 数据库中的表") }
        var parts = [say("text", "文本"), writing.encoding == .utf8 ? "UTF-8" : "GB18030"]
        if writing.hasByteOrderMark { parts.append(say("byte-order mark", "含字节顺序标记")) }
        parts.append(say("separated by '\(writing.separator.rawValue)'", "以“\(writing.separator.rawValue)”分隔") + (writing.hasSeparatorLine ? " (sep=)" : ""))
        switch (writing.lineFeeds, writing.carriageReturnLineFeeds) {
        case (_, 0): parts.append(say("line ends LF", "行尾 LF"))
        case (0, _): parts.append(say("line ends CRLF", "行尾 CRLF"))
        case (let lf, let crlf): parts.append(say("line ends mixed: \(count(lf)) LF, \(count(crlf)) CRLF", "行尾混用：LF \(count(lf)) 处，CRLF \(count(crlf)) 处"))
        }
        if writing.blankLines > 0 { parts.append(say("blank lines \(count(writing.blankLines))", "空行 \(count(writing.blankLines)) 行")) }
        return parts.joined(separator: language == .zh ? "，" : ", ")
    }

    // MARK: Identifiers

    /// Details are indented.
    var identifierLines: [String] {
        guard let identifier = profile.identifier else {
            return [say("identifier: no column of credit codes found; name one with --id COLUMN to look for repetitions",
                        "标识：未找到信用代码列；如需检查重复，请用 --id 列名 指定")]
        }
        let name = Shown.name(identifier.column)
        let isCode = identifier.kind == .creditCode
        let rejected = identifier.rejected.reduce(0) { $0 + $1.found.rows }
        var lines = [
            say("identifier: \(name), \(isCode ? "unified social credit codes" : "text")", "标识：\(name)，\(isCode ? "统一社会信用代码" : "文本")"),
            say("  different usable identifiers: \(count(identifier.subjects))", "  可用的不同标识：\(count(identifier.subjects))"),
        ]
        let rewritten = identifier.normalised
        if rewritten.lowerCase + rewritten.spaces + rewritten.fullWidth > 0 {
            lines.append(say("  usable after rewriting: lower case \(count(rewritten.lowerCase)), spaces \(count(rewritten.spaces)), full width \(count(rewritten.fullWidth))",
                             "  规范化后可用：小写 \(count(rewritten.lowerCase))，空格 \(count(rewritten.spaces))，全角 \(count(rewritten.fullWidth))"))
        }
        lines.append(say("  rows without a usable identifier: \(count(rejected))", "  标识不可用的行：\(count(rejected))"))
        for rejection in identifier.rejected {
            lines.append("    \(rejection.defect.phrase(language))\(say(": ", "："))" + found(rejection.found))
        }
        lines.append(say("  rows that repeat an earlier one exactly: ", "  与前面的行完全重复：") + found(identifier.exactDuplicates))
        lines.append(say("  identifiers whose rows contradict each other: \(count(identifier.conflictingSubjects))",
                         "  各行相互矛盾的标识：\(count(identifier.conflictingSubjects))")
            + (identifier.conflictingSubjects > 0 ? say(", in ", "，涉及 ") + found(identifier.conflictingRows) : ""))
        return lines
    }

    /// `60 rows (lines 3, 9, ...)`
    private func found(_ finding: IngestReport.Finding) -> String {
        let rows = say("\(count(finding.rows)) \(finding.rows == 1 ? "row" : "rows")", "\(count(finding.rows)) 行")
        guard !finding.firstLines.isEmpty else { return rows }
        let more = finding.rows > finding.firstLines.count ? say(", ...", "……") : ""
        let places = finding.firstLines.map { "\($0)" }.joined(separator: say(", ", "、")) + more
        let isText = profile.writing != nil
        return rows + say(isText ? " (lines \(places))" : " (rows \(places))", isText ? "（第 \(places) 行）" : "（表中第 \(places) 行）")
    }

    // MARK: Rules

    /// The ingest report: what is wrong, how often, and what the rule for it does.
    private var qualityLines: [String] {
        let defects = profile.defects
        guard !defects.isEmpty else { return [say("no defect by any rule", "按各规则均无缺陷")] }
        let heads = [say("rule", "规则"), say("rows", "行数"), say("outcome", "处理")]
        let rows = defects.map { [$0.rule.rawValue, count($0.found.rows), $0.outcome.phrase(language)] }
        let widths = heads.indices.map { index in ([heads] + rows).map { TerminalWidth.of($0[index]) }.max() ?? 0 }
        func line(_ cells: [String], _ words: String) -> String {
            "  " + zip(cells, widths).map { TerminalWidth.padded($0, to: $1) }.joined(separator: "  ") + "  " + words
        }
        return [say("defects, with the rule for each:", "缺陷与对应规则："), line(heads, say("what holds", "规则内容"))]
            + zip(defects, rows).map { line($1, words($0)) } + [keptLine].compactMap(\.self)
    }

    func words(_ defect: DataProfile.Defect) -> String {
        let place = defect.column.map { Shown.name($0) + say(": ", "：") } ?? ""
        return place + defect.rule.phrase(language)
    }

    private var keptLine: String? {
        profile.identifier.map { say("  rows that a job uses: \(count($0.keptRows)) of \(count(profile.rows))", "  任务采用的行：\(count($0.keptRows)) / \(count(profile.rows))") }
    }

    /// `3, 9, ...`
    func places(_ finding: IngestReport.Finding) -> String {
        let areMore = finding.rows > finding.firstLines.count && !finding.firstLines.isEmpty
        return finding.firstLines.map { "\($0)" }.joined(separator: say(", ", "、")) + (areMore ? say(", ...", "……") : "")
    }

    // MARK: Columns

    private var columnLines: [String] {
        let heads = [say("column", "列"), say("type", "类型"), say("missing", "缺失"), say("distinct", "不同值")]
        let rows = profile.columns.map { column in
            [Shown.name(column.name), Self.kind(column)(language), column.missing == 0 ? "0" : "\(count(column.missing)) (\(Shown.percent(column.missing, of: profile.rows)))",
             (column.isDistinctExact ? "" : "~") + count(column.distinct)]
        }
        let widths = heads.indices.map { index in ([heads] + rows).map { TerminalWidth.of($0[index]) }.max() ?? 0 }
        func line(_ cells: [String], _ values: String) -> String {
            let left = zip(cells, widths).map { TerminalWidth.padded($0, to: $1) }.joined(separator: "  ")
            return values.isEmpty ? left.trimmed : left + "  " + values
        }
        var lines = [line(heads, say("values: of numbers minimum | 5 % | 25 % | median | 75 % | 95 % | maximum; of levels their shares",
                                     "取值：数值列为 最小 | 5% | 25% | 中位数 | 75% | 95% | 最大；类别列为各类占比"))]
        for (column, cells) in zip(profile.columns, rows) { lines.append(line(cells, values(column))) }
        if profile.columns.contains(where: { !$0.isDistinctExact || $0.numbers?.areQuantilesExact == false }) {
            lines.append(say("~ estimated, to about 2 %; quantiles of so many rows are approximate too, to half of a percent of the ranks",
                             "~ 为估计值，误差约 2%；行数较多时分位数亦为近似值，秩误差不超过 0.5%"))
        }
        return lines
    }

    static func kind(_ column: DataProfile.ColumnProfile) -> Phrase {
        switch column.kind {
        case .number: Phrase(en: "number", zh: "数值")
        case .category: Phrase(en: "category", zh: "类别")
        case .flag: Phrase(en: "flag", zh: "是否")
        case .text: Phrase(en: "text", zh: "文本")
        }
    }

    private func values(_ column: DataProfile.ColumnProfile) -> String {
        var parts: [String] = []
        if let numbers = column.numbers {
            // 5, 25, 50, 75 and 95 of the seven.
            parts.append(([numbers.minimum] + numbers.quantiles.dropFirst().dropLast() + [numbers.maximum]).map(Shown.number).joined(separator: " | "))
        }
        if !column.levels.isEmpty {
            let present = profile.rows - column.missing
            let others = present - column.levels.reduce(0) { $0 + $1.rows }
            let names = column.levels.map { "\(Shown.name($0.name, columns: 24)) \(Shown.percent($0.rows, of: present))" }
            let rest = others > 0 ? [say("others ", "其他 ") + Shown.percent(others, of: present)] : []
            parts.append((names + rest).joined(separator: say(", ", "，")))
        }
        let remarks = remarks(column)
        return (parts + (remarks.isEmpty ? [] : [remarks])).joined(separator: say("; ", "；"))
    }

    /// What is neither a range nor a level.
    func remarks(_ column: DataProfile.ColumnProfile) -> String {
        var parts: [String] = []
        if column.missing == profile.rows { parts.append(say("no value at all", "全部缺失")) }
        if let found = column.notNumbers { parts.append(say("numbers but for \(self.found(found))", "除以下各行外均为数值：\(self.found(found))")) }
        if let shortest = column.shortestBytes, let longest = column.longestBytes, column.notNumbers == nil {
            let length = shortest == longest ? "\(shortest)" : say("\(shortest) to \(longest)", "\(shortest) 至 \(longest)")
            parts.append(length + say(" bytes", " 字节"))
        }
        if column.distinct == 1, column.missing == 0 { parts.append(say("the same in all rows", "各行相同")) }
        return parts.joined(separator: say("; ", "；"))
    }
}

extension String {
    /// Without the spaces at its ends.
    var trimmed: String {
        var text = String(drop { $0 == " " })
        while text.last == " " { text.removeLast() }
        return text
    }
}
