import Catalogue
import Faults

extension JobSpecification {
    /// How a feature is computed at its owner from fields of the catalogue: a closed list of operations. An expression
    /// language would be a way out for data, and compliance could not read it.
    package struct Derivation: Sendable, Hashable, Codable {
        package enum Operation: String, Sendable, Hashable, Codable, CaseIterable {
            /// 1 - a/b; `whenZero` where b is 0.
            case ratioGap = "ratio_gap"
            /// ln((a + 1)/(b + 1)).
            case logRatio = "log_ratio"
            /// How many of several flags are set; a missing one is not.
            case countTrue = "count_true"
            /// Records of the last months that count at the observation date.
            case countRecords = "count_records"
            /// Whether there is a record that counts at the observation date.
            case anyRecord = "any_record"
            /// Whole months from a date to the observation date.
            case monthsSince = "months_since"

            package var type: FeatureType { self == .anyRecord ? .flag : .number }
            package var readsRecords: Bool { self == .countRecords || self == .anyRecord }
            package var needsObservationDate: Bool { readsRecords || self == .monthsSince }
            var count: ClosedRange<Int> {
                switch self {
                case .ratioGap, .logRatio: 2...2
                case .countTrue: 1...50
                case .countRecords, .anyRecord, .monthsSince: 1...1
                }
            }
        }

        package var operation: Operation
        /// Paths of the catalogue.
        package var fields: [String]
        /// Of records: the day on which each happened. One after the observation date does not count.
        package var date: String?
        /// Of `countRecords`, in `windowMonthsBounds`.
        package var windowMonths: Int?
        package static let windowMonthsBounds = 1...600
        /// Of `ratioGap`.
        package var whenZero: Double

        /// Whether there are as many fields as the operation takes; a stored model may say anything.
        package var isComplete: Bool { operation.count.contains(fields.count) }

        package init(_ operation: Operation, _ fields: [String], date: String? = nil, windowMonths: Int? = nil, whenZero: Double = 0) {
            self.operation = operation
            self.fields = fields
            self.date = date
            self.windowMonths = windowMonths
            self.whenZero = whenZero
        }
    }
}

extension JobSpecification.Feature {
    /// Whether it is made from fields of the catalogue.
    package var isCatalogued: Bool { derive != nil || FieldPath.isPath(column) }

    /// Fields of the catalogue that it is made from, with the date of records and what ends their influence; none for a column
    /// of the owner's own.
    package var fields: [String] {
        guard let derive else { return FieldPath.isPath(column) ? [column] : [] }
        var fields = derive.fields + [derive.date].compactMap(\.self)
        if derive.operation.readsRecords, let (item, _, _) = derive.fields.first.flatMap({ Catalogue.current.resolve($0) }),
           let ending = item.ending?.field {
            fields.append("\(item.id)/\(ending.name)")
        }
        var seen: Set<String> = []
        return fields.filter { seen.insert($0).inserted }
    }
}

extension JobSpecification.Derivation {
    private static let whenZeroBounds = -1e6...1e6

    init(reading reader: inout ObjectReader) {
        let named = Operation.allCases.filter { reader.has($0.rawValue) }
        let operation = named.first ?? .ratioGap
        if named.count != 1 {
            reader.findings.add(reader.wrongType(
                "one of the operations " + Operation.allCases.map(\.rawValue).joined(separator: ", "),
                "一种运算：" + Operation.allCases.map(\.rawValue).joined(separator: "、")))
        }
        var found: [String] = []
        for known in Operation.allCases {
            // Each is known, and one is read.
            guard let fields = reader.texts(known.rawValue, count: known.count, takesList: known.count != 1...1) else { continue }
            if known == operation { found = fields }
        }
        self.init(operation, found)
        date = reader.optional("date", .column)
        windowMonths = reader.optional("window_months", .integer(Self.windowMonthsBounds))
        whenZero = reader.optional("when_zero", .number(Self.whenZeroBounds), default: 0)
        func refuse(_ key: String, unless isFitting: Bool, _ owner: String) {
            guard !isFitting, reader.has(key) else { return }
            reader.refuse(key, "'\(key)' belongs to \(owner)", "“\(key)”仅用于 \(owner)")
        }
        refuse("date", unless: operation.readsRecords, "count_records, any_record")
        refuse("window_months", unless: operation == .countRecords, "count_records")
        refuse("when_zero", unless: operation == .ratioGap, "ratio_gap")
        if operation == .countRecords, date == nil { reader.findings.add(Fault(.missingKey, at: reader.place(of: "date"), "date")) }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            operation.rawValue: operation.count == 1...1 ? .text(fields.first ?? "") : .array(fields.map { .text($0) }),
        ]
        if let date { members["date"] = .text(date) }
        if let windowMonths { members["window_months"] = .integer(windowMonths) }
        if operation == .ratioGap { members["when_zero"] = .real(whenZero) }
        return .object(members)
    }
}
