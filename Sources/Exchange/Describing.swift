import Faults
import Features
import Jobs
import Tables

extension DataDescription {
    /// Reads a data set once. Columns whose names no specification can write are left out.
    ///
    /// - Throws: what is wrong with the data; `cannotDescribe` for more columns than a description holds.
    package static func describing(_ dataset: NodeConfiguration.Dataset) throws(Fault) -> DataDescription {
        let source = DataSource(dataset)
        let found = try Table.inferTypes(from: source)
        let columns = found.filter { canPublish($0.name) }.map { Column(name: $0.name, type: ColumnType($0.kind)) }
        guard columns.count <= mostColumns else { throw Fault(.cannotDescribe, at: source.name, "\(mostColumns)") }
        return DataDescription(rows: found.first?.rows ?? 0, columns: columns)
    }
}

extension DataDescription.ColumnType {
    fileprivate init(_ kind: ColumnKind) {
        self = switch kind {
        case .number: .number
        case .category: .category
        case .flag: .flag
        case .text: .text
        }
    }
}
