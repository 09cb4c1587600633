import Faults

/// What an owner tells of one data set, so that specifications can be written and planned: names of columns, types, and
/// the number of rows. There is no place in it for a value, an identifier, a range or the name of a level.
///
/// Everyone of the contract may see it. Source: `Protocols/specification.md`, "Descriptions of data".
package struct DataDescription: Sendable, Hashable {
    /// Rows of the table, whatever becomes of them.
    package var rows: Int
    /// In the order of the table.
    package var columns: [Column]

    package struct Column: Sendable, Hashable {
        package var name: String
        package var type: ColumnType

        package init(name: String, type: ColumnType) {
            self.name = name
            self.type = type
        }
    }

    /// What the cells of a column look like over the whole table; `text` for all that is none of the others.
    package enum ColumnType: String, Sendable, Hashable, CaseIterable {
        case number, category, flag, text

        /// Whether a feature of this type can be read from such a column.
        package func serves(_ type: JobSpecification.FeatureType) -> Bool {
            switch type {
            case .number: self == .number || self == .flag
            case .flag: self == .flag
            case .category: true
            }
        }
    }

    package static let mostColumns = 10_000

    package init(rows: Int, columns: [Column]) {
        self.rows = rows
        self.columns = columns
    }

    package subscript(column name: String) -> Column? { columns.first { $0.name == name } }

    /// Whether specifications can name a column so, and terminals show it.
    package static func canPublish(_ name: String) -> Bool {
        (1...128).contains(name.unicodeScalars.count) && name.unicodeScalars.allSatisfy(\.isPrintable)
    }
}

/// What a node tells of the machine that it runs on, for plans.
package struct MachineDescription: Sendable, Hashable {
    /// That computing may use.
    package var cores: Int
    /// Free space where the ledger is, rounded down.
    package var freeMebibytes: Int
    package var retention: NodeConfiguration.Retention
    /// Equal at nodes that run on one machine, and says nothing else: 16 bytes, hexadecimal.
    package var host: String
    /// One for each length of key that was measured.
    package var speeds: [MachineSpeed]

    package init(cores: Int, freeMebibytes: Int, retention: NodeConfiguration.Retention, host: String, speeds: [MachineSpeed]) {
        self.cores = cores
        self.freeMebibytes = freeMebibytes
        self.retention = retention
        self.host = host
        self.speeds = speeds
    }
}

/// All that one node publishes: the descriptions of the data sets that its owner registered, who approves jobs there, and
/// its machine.
package struct Publication: Sendable, Hashable {
    package static let currentVersion = 1
    /// Of the document; fits into one message.
    package static let maximumBytes = JSONValue.maximumSizeBytes - 64

    package var party: String
    /// By the names that specifications use.
    package var datasets: [String: DataDescription]
    package var approval: NodeConfiguration.Approval
    package var machine: MachineDescription?

    package init(party: String, datasets: [String: DataDescription], approval: NodeConfiguration.Approval, machine: MachineDescription?) {
        self.party = party
        self.datasets = datasets
        self.approval = approval
        self.machine = machine
    }

    /// - Throws: all faults of the document; places are JSON pointers, or "data description" for the whole.
    package static func parse(_ bytes: [UInt8]) throws(FaultList) -> Publication {
        try Findings.document(bytes, kind: "data description", Publication.init(reading:))
    }

    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "version": .integer(Publication.currentVersion), "party": .text(party), "datasets": .object(datasets.mapValues(\.json)),
            "approve": approval.json,
        ]
        if let machine { members["machine"] = machine.json }
        return .object(members)
    }

    /// Several in one file, as `jointlab data columns --save` writes them.
    ///
    /// - Throws: as `parse`.
    package static func parseAll(_ bytes: [UInt8]) throws(FaultList) -> [Publication] {
        try Findings.document(bytes, kind: "data descriptions") { reader in
            _ = reader.required("version", .integer(currentVersion...currentVersion))
            return reader.list("publications", count: 0...100) { node, findings in findings.object(node, Publication.init(reading:)) }
        }
    }

    package static func json(of publications: [Publication]) -> JSONValue {
        .object(["version": .integer(currentVersion), "publications": .array(publications.map(\.json))])
    }
}

extension Publication {
    /// The one data set and those columns that a job names.
    package func reduced(to specification: JobSpecification) -> Publication {
        let isBank = party == specification.parties.bank
        let data = isBank ? specification.data.bank : specification.data.platform
        let features = (isBank ? specification.training?.features.bank : specification.training?.features.platform) ?? []
        let named = Set(features.flatMap { $0.isCatalogued ? $0.fields : [$0.column] })
        var reduced = self
        reduced.datasets = datasets.filter { $0.key == data }.mapValues { description in
            DataDescription(rows: description.rows, columns: description.columns.filter { named.contains($0.name) })
        }
        return reduced
    }

    fileprivate init(reading reader: inout ObjectReader) {
        _ = reader.required("version", .integer(Self.currentVersion...Self.currentVersion))
        self.init(
            party: reader.required("party", .name),
            datasets: reader.map("datasets", count: 0...1000, DataDescription.init(reading:)),
            approval: NodeConfiguration.Approval(reading: &reader, "approve"),
            machine: reader.has("machine") ? reader.object("machine", MachineDescription.init(reading:)) : nil)
    }
}

extension DataDescription {
    private static let counts = 0...1_000_000_000

    /// One data set's description alone, as a node keeps it.
    package static func parse(_ bytes: [UInt8]) throws(FaultList) -> DataDescription {
        try Findings.document(bytes, kind: "data description", DataDescription.init(reading:))
    }

    fileprivate init(reading reader: inout ObjectReader) {
        self.init(
            rows: reader.required("rows", .integer(Self.counts)),
            columns: reader.list("columns", count: 0...Self.mostColumns) { node, findings in
                findings.object(node, Column.init(reading:))
            })
    }

    package var json: JSONValue {
        .object(["rows": .integer(rows), "columns": .array(columns.map(\.json))])
    }
}

extension DataDescription.Column {
    fileprivate init(reading reader: inout ObjectReader) {
        name = reader.required("name", .publishedColumn)
        type = reader.required("type", .choice(DataDescription.ColumnType.number))
    }

    fileprivate var json: JSONValue { .object(["name": .text(name), "type": .text(type.rawValue)]) }
}

extension MachineDescription {
    fileprivate init(reading reader: inout ObjectReader) {
        cores = reader.required("cores", .integer(1...4096))
        freeMebibytes = reader.required("free_mib", .integer(0...(1 << 40)))
        retention = reader.required("retention", .choice(NodeConfiguration.Retention.all))
        host = reader.required("host", .hexadecimal(digits: 32))
        speeds = reader.list("speeds", count: 0...8) { node, findings in findings.object(node, MachineSpeed.init(reading:)) }
    }

    package var json: JSONValue {
        .object([
            "cores": .integer(cores), "free_mib": .integer(freeMebibytes), "retention": .text(retention.rawValue), "host": .text(host),
            "speeds": .array(speeds.map(\.json)),
        ])
    }
}

extension Form where Value == String {
    fileprivate static var publishedColumn: Form {
        Form("") { node throws(Fault) in
            guard case .text(let text) = node.value, DataDescription.canPublish(text) else {
                throw node.wrongType("a printable text of 1 to 128 characters", "1 至 128 个可显示字符的文本")
            }
            return text
        }
    }
}
