import Faults
import Features
import Jobs
import Tables

extension DataDescription {
    /// Reads a data set once. Columns whose names no specification can write are left out.
    ///
    /// - Throws: what is wrong with the data; `cannotDescribe` for more columns than a description holds.
    package static func describing(_ dataset: NodeConfiguration.Dataset) throws(Fault) -> DataDescription {
        if dataset.isCatalogued { return try describingFields(dataset) }
        let source = DataSource(dataset)
        let found = try Table.inferTypes(from: source)
        let columns = found.filter { canPublish($0.name) }.map { Column(name: $0.name, type: ColumnType($0.kind)) }
        guard columns.count <= mostColumns else { throw Fault(.cannotDescribe, at: source.name, "\(mostColumns)") }
        return DataDescription(rows: found.first?.rows ?? 0, columns: columns)
    }

    /// Of a data set of the catalogue: its identifier, and fields by their paths. Other columns are not told.
    ///
    /// - Throws: `missingColumn`; `columnTypeDiffers` for a column that cannot be read as its field is.
    private static func describingFields(_ dataset: NodeConfiguration.Dataset) throws(Fault) -> DataDescription {
        let main = try Table.inferTypes(from: DataSource(dataset))
        let identifier = dataset.identifier ?? ""
        guard main.contains(where: { $0.name == identifier }) else { throw Fault(.missingColumn, at: DataSource(dataset).name, identifier) }
        var columns = [Column(name: identifier, type: .text)]
        for (place, table) in [("", dataset)] + dataset.tables.sorted(by: { $0.key < $1.key }).map({ ("/tables/\($0.key)", $0.value) }) {
            guard table.call == nil else {
                // Nothing is fetched to describe it: its fields are what the catalogue says.
                columns += table.fields.keys.sorted().map { Column(name: $0, type: CatalogueRules.featureType($0).map(ColumnType.init) ?? .text) }
                continue
            }
            let source = DataSource(table)
            let found = place.isEmpty ? main : try Table.inferTypes(from: source)
            for wanted in [table.identifier ?? identifier] + table.ended where !found.contains(where: { $0.name == wanted }) {
                throw Fault(.missingColumn, at: source.name, wanted)
            }
            for (path, name) in table.fields.sorted(by: { $0.key < $1.key }) {
                guard let column = found.first(where: { $0.name == name }) else { throw Fault(.missingColumn, at: source.name, name) }
                let type = ColumnType(column.kind)
                // A column without any value fits every field.
                if let wanted = CatalogueRules.featureType(path), !type.serves(wanted), column.missing < column.rows {
                    throw Fault(.columnTypeDiffers, at: "\(source.name)#\(path)", name, type.rawValue, wanted.rawValue)
                }
                columns.append(Column(name: path, type: CatalogueRules.featureType(path) == .category && type != .text ? .category : type))
            }
        }
        return DataDescription(rows: main.first?.rows ?? 0, columns: columns)
    }
}

extension DataDescription.ColumnType {
    fileprivate init(_ type: JobSpecification.FeatureType) {
        self = switch type {
        case .number: .number
        case .category: .category
        case .flag: .flag
        }
    }

    fileprivate init(_ kind: ColumnKind) {
        self = switch kind {
        case .number: .number
        case .category: .category
        case .flag: .flag
        case .text: .text
        }
    }
}
