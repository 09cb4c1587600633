import Faults
import Pages
import Tables

/// A profile as a page for the owner's browser, in both languages.
struct ProfilePage {
    private let profile: DataProfile

    init(_ profile: DataProfile) {
        self.profile = profile
    }

    private var english: ProfileText { ProfileText(profile, .en) }
    private var chinese: ProfileText { ProfileText(profile, .zh) }

    func page(_ language: Language) -> Page {
        let name = Shown.name(profile.source, columns: 80)
        return Page(
            title: Phrase(en: "Profile of \(name)", zh: "数据概览：\(name)"),
            facts: [KeyFigure(Phrase(en: "form", zh: "形式"), Phrase(en: english.form, zh: chinese.form))],
            language: language,
            content: [
                .callout(.warning, [.paragraph(Phrase(en: ProfileText.confidential(.en), zh: ProfileText.confidential(.zh)))]),
                .figures([
                    KeyFigure(Phrase(en: "Rows", zh: "行数"), Figures.count(profile.rows)),
                    KeyFigure(Phrase(en: "Columns", zh: "列数"), Figures.count(profile.columns.count)),
                ] + identifierFigures),
                .section(Phrase(en: "Identifiers", zh: "标识"), identifiers),
                .section(Phrase(en: "Defects, with the rule for each", zh: "缺陷与对应规则"), [quality]),
                .section(Phrase(en: "Gaps", zh: "缺失"), gaps),
                .section(Phrase(en: "Columns", zh: "各列"), [columns]),
                numbers,
                levels,
            ])
    }

    private var identifierFigures: [KeyFigure] {
        guard let identifier = profile.identifier else { return [] }
        return [
            KeyFigure(Phrase(en: "Different usable identifiers", zh: "可用的不同标识"), Figures.count(identifier.subjects)),
            KeyFigure(Phrase(en: "Rows without a usable one", zh: "标识不可用的行"), Figures.count(identifier.rejected.reduce(0) { $0 + $1.found.rows })),
            KeyFigure(Phrase(en: "Exact repetitions", zh: "完全重复的行"), Figures.count(identifier.exactDuplicates.rows)),
            KeyFigure(Phrase(en: "Contradicting rows", zh: "相互矛盾的行"), Figures.count(identifier.conflictingRows.rows)),
        ]
    }

    private var identifiers: [Markup] {
        let both = zip(english.identifierLines, chinese.identifierLines)
        return [.list(both.map { Markup(Phrase(en: $0.trimmed, zh: $1.trimmed)) })]
    }

    private var quality: Markup {
        let defects = profile.defects
        guard !defects.isEmpty else { return .paragraph(Phrase(en: "No defect by any rule.", zh: "按各规则均无缺陷。")) }
        return .table(
            columns: [
                .words(Phrase(en: "rule", zh: "规则")), .number(Phrase(en: "rows", zh: "行数")), .words(Phrase(en: "outcome", zh: "处理")),
                .words(Phrase(en: "what holds", zh: "规则内容")), .words(Phrase(en: "first lines", zh: "首处行号")),
            ],
            wide: true,
            rows: defects.map { defect in
                [
                    .code(defect.rule.rawValue), .text(Figures.count(defect.found.rows)), Markup(defect.outcome.phrase),
                    Markup(Phrase(en: english.words(defect), zh: chinese.words(defect))),
                    Markup(Phrase(en: english.places(defect.found), zh: chinese.places(defect.found))),
                ]
            })
    }

    private var gaps: [Markup] {
        let found = profile.columns.filter { $0.missing > 0 }
        guard !found.isEmpty else { return [.paragraph(Phrase(en: "No value is missing.", zh: "没有缺失值。"))] }
        let share = Phrase(en: "share of all rows", zh: "占全部行的比例")
        let bars = found.map { column in
            StackedBars.Bar(.same(Shown.name(column.name)), [Double(column.missing) / Double(max(profile.rows, 1))])
        }
        return [
            StackedBars(
                Phrase(en: "Rows without a value", zh: "无值的行"), axis: Axis(share, .percent), parts: [.init(share, .vermillion)], bars: bars
            ).markup,
        ]
    }

    private var columns: Markup {
        .table(
            columns: [
                .words(Phrase(en: "column", zh: "列")), .words(Phrase(en: "type", zh: "类型")), .number(Phrase(en: "missing", zh: "缺失")),
                .number(Phrase(en: "distinct", zh: "不同值")), .words(Phrase(en: "remarks", zh: "备注")),
            ],
            wide: true,
            rows: profile.columns.map { column in
                [
                    .code(Shown.name(column.name)), Markup(ProfileText.kind(column)), .text(Figures.count(column.missing)),
                    .text((column.isDistinctExact ? "" : "~") + Figures.count(column.distinct)),
                    Markup(Phrase(en: english.remarks(column), zh: chinese.remarks(column))),
                ]
            })
    }

    private var numbers: Markup {
        var rows: [[Markup]] = []
        for column in profile.columns {
            guard let found = column.numbers else { continue }
            let values = [found.minimum] + found.quantiles + [found.maximum, found.mean]
            var row: [Markup] = [.code(Shown.name(column.name))]
            row += values.map { .text(Shown.number($0)) }
            row += [.text(Figures.count(found.zeros)), .text(Figures.count(found.negatives))]
            rows.append(row)
        }
        guard !rows.isEmpty else { return .empty }
        var heads: [TableColumn] = [.words(Phrase(en: "column", zh: "列")), .number(Phrase(en: "minimum", zh: "最小"))]
        for share in DataProfile.shares {
            heads.append(.number(share == 0.5 ? Phrase(en: "median", zh: "中位数") : .same(Figures.percent(share, 0))))
        }
        for phrase in [
            Phrase(en: "maximum", zh: "最大"), Phrase(en: "mean", zh: "均值"), Phrase(en: "zeros", zh: "零值"), Phrase(en: "negative", zh: "负值"),
        ] {
            heads.append(.number(phrase))
        }
        return .section(Phrase(en: "Numbers", zh: "数值列"), [.table(columns: heads, wide: true, rows: rows)])
    }

    private var levels: Markup {
        var rows: [[Markup]] = []
        for column in profile.columns {
            for (index, level) in column.levels.enumerated() {
                let name: Markup = index == 0 ? .code(Shown.name(column.name)) : .empty
                let share = Shown.percent(level.rows, of: profile.rows - column.missing)
                rows.append([name, .text(Shown.name(level.name)), .text(Figures.count(level.rows)), .text(share)])
            }
        }
        guard !rows.isEmpty else { return .empty }
        let heads: [TableColumn] = [
            .words(Phrase(en: "column", zh: "列")), .words(Phrase(en: "level", zh: "类别")), .number(Phrase(en: "rows", zh: "行数")),
            .number(Phrase(en: "share", zh: "占比")),
        ]
        return .section(Phrase(en: "Levels", zh: "类别"), [
            .table(columns: heads, rows: rows),
            .note(Phrase(en: "The \(DataProfile.listedLevels) most frequent of each column; shares of the rows with a value.",
                         zh: "每列列出最常见的 \(DataProfile.listedLevels) 类；占比按有值的行计算。")),
        ])
    }
}
