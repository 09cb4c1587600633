import Faults

extension DataDescription {
    /// For a terminal: the data set, then a line for each column.
    package func lines(_ name: String, _ language: Language) -> [String] {
        let width = columns.map { TerminalWidth.of($0.name) }.max() ?? 0
        return [Phrase(en: "\(name): \(rows) rows, \(columns.count) columns", zh: "\(name)：\(rows) 行，\(columns.count) 列")(language)]
            + columns.map { "  " + TerminalWidth.padded($0.name, to: width) + "  " + $0.type.name(language) }
    }
}

extension DataDescription.ColumnType {
    package func name(_ language: Language) -> String {
        guard language == .zh else { return rawValue }
        return switch self {
        case .number: "number（数值）"
        case .category: "category（类别）"
        case .flag: "flag（0/1 标志）"
        case .text: "text（文本）"
        }
    }
}
