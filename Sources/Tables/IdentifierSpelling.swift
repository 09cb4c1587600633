extension IdentifierKind {
    /// The spelling under which a table knows the subject that `text` names; nothing where it can name none.
    package func normalise(_ text: String) -> String? {
        switch self {
        case .creditCode:
            return try? CreditCode.normalise(text).get()
        case .text:
            let field = text.utf8Span.span
            let trimmed = Blank.trimmed(field)
            return trimmed.isEmpty ? nil : Cell.text(field.extracting(trimmed))
        }
    }
}
