import Tables

package enum SubjectSpelling {
    /// The spellings under which jobs know the subject that a person means, one for each kind of identifier that fits.
    package static func all(of identifier: String) -> Set<String> { Set(IdentifierKind.allCases.compactMap { $0.normalise(identifier) }) }
}
