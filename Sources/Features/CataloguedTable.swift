import Catalogue
import Faults
import Foundation
import Jobs
import Tables

/// Reads a data set that is registered under the catalogue: a main table of subjects and further tables about them, of one
/// row for each subject or of records. Columns of the result are the features that were asked for, by name.
///
/// What it does not read: columns without a path, and records that do not count at the observation date. Source:
/// `Protocols/specification.md`, "Features of the catalogue".
package struct CataloguedTable {
    private let dataset: NodeConfiguration.Dataset
    private let name: String
    private let identifierKind: IdentifierKind
    private let asOf: Day?
    /// Called tables, by name, for this one reading.
    private var called: [String: [UInt8]] = [:]

    /// Fetches a called table for subjects of the main table: a text in UTF-8 with commas.
    package typealias Call = (_ program: NodeConfiguration.Dataset.Call, _ subjects: [String]) throws(Fault) -> [UInt8]

    package static func callsNothing(_ program: NodeConfiguration.Dataset.Call, _ subjects: [String]) throws(Fault) -> [UInt8] {
        throw Fault(.callFailed, at: program.words.first ?? "", "nothing is called here", "此处不支持调用")
    }

    /// - Parameters:
    ///   - name: of the data set.
    ///   - asOf: observation date; without it no feature may depend on one.
    package init(_ dataset: NodeConfiguration.Dataset, name: String, identifierKind: IdentifierKind, asOf: Day?) {
        self.dataset = dataset
        self.name = name
        self.identifierKind = identifierKind
        self.asOf = asOf
    }

    /// - Parameters:
    ///   - identifier: column of the main table, as the specification names it.
    ///   - call: called once for each table of the registration that is called and that a feature needs.
    /// - Throws: `fieldNotRegistered` for a feature that is no field of the registration, `looksAhead`, `missingKey` for an
    ///   observation date that is needed, and what is wrong with the tables.
    package func read(_ features: [JobSpecification.Feature], identifier: String,
                      call: Call = CataloguedTable.callsNothing) throws(Fault) -> (Table, IngestReport) {
        guard identifier == dataset.identifier else { throw Fault(.fieldNotRegistered, at: "/population/platform_id", identifier, name) }
        try checkRegistered(features)
        var scalars: [String: Set<Request>] = [:]
        for feature in features where feature.derive?.operation.readsRecords != true {
            for path in feature.fields {
                let (place, column) = try registered(path)
                scalars[place, default: []].insert(Request(path: path, column: column, kind: try kind(of: path)))
            }
        }
        for place in scalars.keys { try checkDrawn(place) }
        let (main, report) = try Table.read(
            from: DataSource(dataset), identifier: identifier, identifierKind: identifierKind, columns: Self.columns(scalars[""] ?? []))
        var reading = self
        for (place, table) in dataset.tables.sorted(by: { $0.key < $1.key }) {
            guard let program = table.call, features.flatMap(\.fields).contains(where: { table.fields[$0] != nil }) else { continue }
            do throws(Fault) {
                reading.called[place] = try call(program, main.identifiers)
            } catch {
                throw error.code == .callFailed ? callFailed(place, error.arguments) : error
            }
        }
        return (try reading.features(features, main, scalars), report)
    }

    private func features(_ features: [JobSpecification.Feature], _ main: Table, _ scalars: [String: Set<Request>]) throws(Fault) -> Table {
        var values: [String: Column] = [:]
        for (place, requests) in scalars {
            let table = place.isEmpty ? main : try reading(place) { () throws(Fault) in try further(place, requests) }
            let rows = place.isEmpty ? nil : Self.rows(of: main.identifiers, in: table)
            for request in requests {
                guard let column = table[request.column] else { throw Fault(.defect, at: "CataloguedTable.read") }
                values[request.path] = rows.map { column.selecting(optional: $0) } ?? column
            }
        }
        var columns: [String: Column] = [:]
        for feature in features {
            let place = try feature.fields.first.map { path throws(Fault) in try registered(path).place } ?? ""
            columns[feature.column] = try reading(place) { () throws(Fault) in try column(feature, values, main.identifiers) }
        }
        return Table(file: main.file, identifiers: main.identifiers, lines: main.lines, columns: columns)
    }

    private func source(_ place: String, _ table: NodeConfiguration.Dataset) -> DataSource {
        called[place].map { DataSource(URL(fileURLWithPath: place), .memory($0)) } ?? DataSource(table)
    }

    /// The place is that of the table: which program stands there is nobody else's business.
    private func callFailed(_ place: String, _ why: [String]) -> Fault {
        Fault(.callFailed, at: "datasets/\(name)/tables/\(place)", arguments: why)
    }

    /// Whatever is wrong with a table that was called is the failure of the call: there is no file to look into.
    private func reading<Value>(_ place: String, _ body: () throws(Fault) -> Value) throws(Fault) -> Value {
        do throws(Fault) {
            return try body()
        } catch {
            throw called[place] == nil || error.code == .defect ? error : callFailed(place, [error.message.en, error.message.zh])
        }
    }

    private struct Request: Hashable {
        let path: String
        let column: String
        let kind: ColumnKind
    }

    private static func columns(_ requests: Set<Request>) -> [ColumnRequest] {
        Set(requests.map { ColumnRequest(name: $0.column, kind: $0.kind) }).sorted { $0.name < $1.name }
    }

    // What is registered

    /// The table that holds a field, "" for the main one, and its column there.
    private func registered(_ path: String) throws(Fault) -> (place: String, column: String) {
        if let column = dataset.fields[path] { return ("", column) }
        for (place, table) in dataset.tables.sorted(by: { $0.key < $1.key }) {
            if let column = table.fields[path] { return (place, column) }
        }
        throw Fault(.fieldNotRegistered, at: "/features/platform", path, name)
    }

    private func checkRegistered(_ features: [JobSpecification.Feature]) throws(Fault) {
        for (index, feature) in features.enumerated() {
            let place = "/features/platform/\(index)"
            guard feature.derive?.isComplete != false else { throw Fault(.defect, at: place) }
            guard feature.isCatalogued else { throw Fault(.fieldNotRegistered, at: place, feature.column, name) }
            for path in feature.fields {
                do throws(Fault) {
                    let holder = try registered(path).place
                    guard feature.derive?.operation.readsRecords == true, holder.isEmpty else { continue }
                } catch {
                    throw Fault(error.code, at: place, arguments: error.arguments)
                }
                throw Fault(.fieldDoesNotFit, at: place, path, "records are registered in a table of their own, under 'tables'", "多条记录须登记在 tables 下的独立表中")
            }
            if feature.derive?.operation.needsObservationDate == true, asOf == nil { throw Fault(.missingKey, at: "/as_of", "as_of") }
        }
    }

    private func checkDrawn(_ place: String) throws(Fault) {
        let drawn = place.isEmpty ? dataset.drawn : dataset.tables[place]?.drawn
        guard let drawn, let asOf, drawn > asOf else { return }
        throw Fault(.looksAhead, at: "datasets/\(name)" + (place.isEmpty ? "" : "/tables/\(place)"), "\(drawn)", "\(asOf)")
    }

    private func kind(of path: String) throws(Fault) -> ColumnKind {
        guard Catalogue.current.resolve(path) != nil else { throw Fault(.defect, at: "CataloguedTable.kind") }
        return CatalogueRules.featureType(path).map(ColumnKind.init) ?? .text
    }

    // Tables of one row for each subject

    private func further(_ place: String, _ requests: Set<Request>) throws(Fault) -> Table {
        guard let table = dataset.tables[place] else { throw Fault(.defect, at: "CataloguedTable.further") }
        let (read, report) = try Table.read(
            from: source(place, table), identifier: try identifier(of: table), identifierKind: identifierKind, columns: Self.columns(requests))
        if table.defects == .refuse { try report.requireNoDefects() }
        return read
    }

    private func identifier(of table: NodeConfiguration.Dataset) throws(Fault) -> String {
        guard let column = table.identifier ?? dataset.identifier else { throw Fault(.missingKey, at: "datasets/\(name)/id", "id") }
        return column
    }

    private static func rows(of identifiers: [String], in table: Table) -> [Int?] {
        let rows = Dictionary(uniqueKeysWithValues: zip(table.identifiers, 0...))
        return identifiers.map { rows[$0] }
    }

    // Features

    private func column(_ feature: JobSpecification.Feature, _ values: [String: Column], _ identifiers: [String]) throws(Fault) -> Column {
        guard let derive = feature.derive else {
            guard let column = values[feature.column] else { throw Fault(.defect, at: "CataloguedTable.column") }
            return column
        }
        switch derive.operation {
        case .ratioGap, .logRatio:
            guard case .numbers(let a)? = values[derive.fields[0]], case .numbers(let b)? = values[derive.fields[1]] else {
                throw Fault(.defect, at: "CataloguedTable.column")
            }
            return .numbers(zip(a, b).map { a, b in
                if a.isNaN || b.isNaN { return .nan }
                if derive.operation == .ratioGap { return b == 0 ? derive.whenZero : 1 - a / b }
                return a > -1 && b > -1 ? log((a + 1) / (b + 1)) : .nan
            })
        case .countTrue:
            var counts = [Double](repeating: 0, count: identifiers.count)
            var isPresent = [Bool](repeating: false, count: identifiers.count)
            for path in derive.fields {
                guard case .flags(let flags)? = values[path] else { throw Fault(.defect, at: "CataloguedTable.column") }
                for (row, flag) in flags.enumerated() where flag >= 0 {
                    isPresent[row] = true
                    counts[row] += Double(flag)
                }
            }
            return .numbers(zip(counts, isPresent).map { $1 ? $0 : .nan })
        case .monthsSince:
            guard case .text(let cells)? = values[derive.fields[0]], let asOf else { throw Fault(.defect, at: "CataloguedTable.column") }
            let (place, header) = try registered(derive.fields[0])
            var months: [Double] = []
            for cell in cells {
                guard let day = try Self.day(cell, at: place.isEmpty ? name : "\(name)/tables/\(place)", header) else {
                    months.append(.nan)
                    continue
                }
                // What has not happened by then is not known.
                months.append(day > asOf ? .nan : Double(asOf.months(since: day)))
            }
            return .numbers(months)
        case .countRecords, .anyRecord:
            let counts = try countRecords(derive)
            return derive.operation == .anyRecord
                ? .flags(identifiers.map { counts[$0] == nil ? 0 : 1 }) : .numbers(identifiers.map { Double(counts[$0] ?? 0) })
        }
    }

    // Records

    /// By subject, of the records that count at the observation date.
    private func countRecords(_ derive: JobSpecification.Derivation) throws(Fault) -> [String: Int] {
        let path = derive.fields[0]
        guard let asOf, let (item, _, _) = Catalogue.current.resolve(path) else { throw Fault(.defect, at: "CataloguedTable.countRecords") }
        let (place, column) = try registered(path)
        guard let table = dataset.tables[place] else { throw Fault(.defect, at: "CataloguedTable.countRecords") }
        let source = source(place, table)
        let rule = Counting(asOf: asOf, since: derive.windowMonths.map { asOf.advanced(months: -$0) }, isThrough: item.ending?.isThrough ?? true)
        let happened = try derive.date.map { path throws(Fault) in try registered(path).column }
        let ending = try item.ending.map { ending throws(Fault) in try registered("\(item.id)/\(ending.field.name)").column }
        let identifier = try identifier(of: table)
        var positions: [String: Int] = [:]
        var counts: [String: Int] = [:]
        // A record that is in the table twice happened once.
        var seen: Set<String> = []
        try source.read { names throws(Fault) in
            for wanted in [identifier, column] + [happened, ending].compactMap(\.self) + table.ended {
                guard let index = names.firstIndex(of: wanted) else { throw Fault(.missingColumn, at: source.name, wanted) }
                positions[wanted] = index
            }
        } row: { record throws(Fault) in
            func cell(_ name: String) -> String { record.text(positions[name] ?? 0) }
            func day(_ name: String) throws(Fault) -> Day? { try Self.day(cell(name), at: "\(source.name):\(record.line)", name) }
            guard let subject = identifierKind.normalise(cell(identifier)), !Table.isMissing(cell(column)) else { return }
            var ended: [Day] = []
            for name in table.ended { if let day = try day(name) { ended.append(day) } }
            let happenedOn = try happened.map { name throws(Fault) in try day(name) } ?? nil
            let endsOn = try ending.map { name throws(Fault) in try day(name) } ?? nil
            guard rule.counts(happened: happened == nil ? nil : .some(happenedOn), ending: endsOn, ended: ended),
                  seen.insert("\(subject) \(cell(column)) \(happenedOn.map { "\($0.number)" } ?? "")").inserted
            else { return }
            counts[subject, default: 0] += 1
        }
        return counts
    }

    /// When a record counts.
    private struct Counting {
        let asOf: Day
        /// Exclusive.
        let since: Day?
        /// Whether it still counts on the day that ends it.
        let isThrough: Bool

        /// - Parameter happened: nothing where no date is asked for; a record without a date that is asked for does not count.
        func counts(happened: Day??, ending: Day?, ended: [Day]) -> Bool {
            if let happened {
                guard let happened, happened <= asOf else { return false }
                if let since, happened <= since { return false }
            }
            if let ending, isThrough ? ending < asOf : ending <= asOf { return false }
            return !ended.contains { $0 <= asOf }
        }
    }

    private static func day(_ cell: String, at place: String, _ column: String) throws(Fault) -> Day? {
        let cell = cell.trimmingCharacters(in: .whitespacesAndNewlines)
        if Table.isMissing(cell) { return nil }
        guard let day = Day(cell: cell) else { throw Fault(.notADay, at: place, column) }
        return day
    }
}

extension Column {
    /// The values of `rows`, missing where there is none.
    fileprivate func selecting(optional rows: [Int?]) -> Column {
        switch self {
        case .numbers(let values): .numbers(rows.map { $0.map { values[$0] } ?? .nan })
        case .categories(let codes, let levels): .categories(codes: rows.map { $0.map { codes[$0] } ?? -1 }, levels: levels)
        case .flags(let values): .flags(rows.map { $0.map { values[$0] } ?? -1 })
        case .text(let cells): .text(rows.map { $0.map { cells[$0] } ?? "" })
        }
    }
}
