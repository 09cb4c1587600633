import Faults
import Foundation

extension Table {
    /// A category column with more levels than this is refused.
    package static let levelLimit = 10_000

    /// Reads the identifier column and the requested columns of a data set, in one pass.
    ///
    /// Rows whose identifier is unusable, repeated or contradicted do not enter the table; the report counts them. The
    /// values of such rows are not looked at, except to tell a repetition from a contradiction.
    /// - Throws: besides the faults of ``DataSource/read(header:row:)``: `.missingColumn`, `.duplicateName` for a column
    ///   requested under two kinds, `.notANumber`, `.unknownLevel` (flags) and `.tooManyLevels` with the line and the
    ///   column, `.emptyTable` where no row is kept.
    package static func read(
        from source: DataSource, identifier: String, identifierKind: IdentifierKind, columns requests: [ColumnRequest]
    ) throws(Fault) -> (Table, IngestReport) {
        var reading = TableReading(file: source.name, identifierKind: identifierKind)
        try reading.prepare(requests)
        var identifierIndex = 0
        try source.read { names throws(Fault) in
            identifierIndex = try index(of: identifier, in: names, file: source.name)
            for position in reading.columns.indices {
                let name = reading.columns[position].name
                reading.columns[position].index = try index(of: name, in: names, file: source.name)
            }
        } row: { record throws(Fault) in
            try reading.take(record, identifierAt: identifierIndex)
        }
        return try reading.finish()
    }

    /// Of a data set from which no table is made.
    package static func empty(file: String) -> Table { Table(file: file, identifiers: [], lines: [], columns: [:]) }

    static func index(of column: String, in names: [String], file: String) throws(Fault) -> Int {
        guard let index = names.firstIndex(of: column) else { throw Fault(.missingColumn, at: file, column) }
        guard names.lastIndex(of: column) == index else {
            throw Fault(.malformedCSV, at: "\(file):1", "two columns are named '\(column)'", "有两列同名：“\(column)”")
        }
        return index
    }
}

extension DataSource {
    /// Every usable identifier of a column in one pass, repeated ones too, with its line. The report counts rows, spellings
    /// and unusable ones.
    package static func identifiers(
        of source: DataSource, column: String, kind: IdentifierKind, take: (Int, [UInt8]) throws(Fault) -> Void
    ) throws(Fault) -> IngestReport {
        var report = IngestReport(file: source.name)
        var rejected: [CreditCodeDefect: IngestReport.Finding] = [:]
        var code: [UInt8] = []
        var index = 0
        try source.read { names throws(Fault) in
            index = try Table.index(of: column, in: names, file: source.name)
        } row: { record throws(Fault) in
            report.rowsRead += 1
            if let defect = kind.normalise(record.bytes.span.extracting(record.range(index)), into: &code, counting: &report.normalised) {
                rejected[defect, default: .init()].add(line: record.line)
            } else {
                try take(record.line, code)
            }
        }
        report.rejected = CreditCodeDefect.allCases.compactMap { defect in rejected[defect].map { .init(defect: defect, found: $0) } }
        return report
    }
}

/// The state of one pass over a file.
private struct TableReading {
    let file: String
    let identifierKind: IdentifierKind
    var columns: [ColumnBuilder] = []
    private var identifiers: [String] = []
    private var lines: [Int] = []
    private var rowOfIdentifier: [String: Int] = [:]
    /// Rows that a later row of the same subject contradicts.
    private var contradicted: Set<Int> = []
    private var rejected: [CreditCodeDefect: IngestReport.Finding] = [:]
    private var report: IngestReport
    private var code: [UInt8] = []

    init(file: String, identifierKind: IdentifierKind) {
        self.file = file
        self.identifierKind = identifierKind
        self.report = IngestReport(file: file)
    }

    mutating func prepare(_ requests: [ColumnRequest]) throws(Fault) {
        var kinds: [String: ColumnKind] = [:]
        for request in requests {
            if let kind = kinds.updateValue(request.kind, forKey: request.name) {
                guard kind == request.kind else { throw Fault(.duplicateName, at: file, request.name) }
            } else {
                columns.append(ColumnBuilder(request))
            }
        }
    }

    mutating func take(_ record: TableRecord, identifierAt identifierIndex: Int) throws(Fault) {
        report.rowsRead += 1
        guard let identifier = identifier(record, at: identifierIndex) else { return }
        let bytes = record.bytes.span
        for index in columns.indices {
            let field = bytes.extracting(record.range(columns[index].index))
            if let code = columns[index].append(field.extracting(Blank.trimmed(field))) {
                throw Fault(code, at: "\(file):\(record.line)", columns[index].name, "\(Table.levelLimit)")
            }
        }
        let row = identifiers.count
        if let first = rowOfIdentifier[identifier] {
            if columns.allSatisfy({ $0.agree(first, row) }) {
                report.exactDuplicates.add(line: record.line)
            } else {
                report.conflictingRows.add(line: record.line)
                contradicted.insert(first)
            }
            for index in columns.indices { columns[index].removeLast() }
        } else {
            rowOfIdentifier[identifier] = row
            identifiers.append(identifier)
            lines.append(record.line)
        }
    }

    private mutating func identifier(_ record: TableRecord, at index: Int) -> String? {
        let field = record.bytes.span.extracting(record.range(index))
        if let defect = identifierKind.normalise(field, into: &code, counting: &report.normalised) {
            rejected[defect, default: .init()].add(line: record.line)
            return nil
        }
        return String(decoding: code, as: UTF8.self)
    }

    consuming func finish() throws(Fault) -> (Table, IngestReport) {
        if !contradicted.isEmpty {
            let first = contradicted.map { lines[$0] }
            report.conflictingSubjects = first.count
            report.conflictingRows.rows += first.count
            report.conflictingRows.firstLines = Array(
                (report.conflictingRows.firstLines + first).sorted().prefix(IngestReport.listedLines))
            let kept = identifiers.indices.filter { !contradicted.contains($0) }
            identifiers = kept.map { identifiers[$0] }
            lines = kept.map { lines[$0] }
            for index in columns.indices { columns[index].keep(kept) }
        }
        guard !identifiers.isEmpty else { throw Fault(.emptyTable, at: file) }
        report.rowsKept = identifiers.count
        report.rejected = CreditCodeDefect.allCases.compactMap { defect in
            rejected[defect].map { .init(defect: defect, found: $0) }
        }
        report.columns = columns.map(\.summary)
        let named = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.column) })
        return (Table(file: file, identifiers: identifiers, lines: lines, columns: named), report)
    }
}

/// A column as it grows. Only the array of its kind is used.
private struct ColumnBuilder {
    let name: String
    let kind: ColumnKind
    /// Position in the file's records.
    var index = 0
    private var numbers: [Double] = []
    private var codes: [Int32] = []
    private var flags: [Int8] = []
    private var cells: [String] = []
    private var levels: [String] = []
    private var codeOfLevel: [String: Int32] = [:]

    init(_ request: ColumnRequest) {
        self.name = request.name
        self.kind = request.kind
    }

    /// Appends a trimmed cell, or says what is wrong with it.
    mutating func append(_ cell: Span<UInt8>) -> Fault.Code? {
        switch kind {
        case .number:
            if let value = Cell.number(cell) {
                numbers.append(value)
            } else if Cell.isMissing(cell) {
                numbers.append(.nan)
            } else {
                return .notANumber
            }
        case .flag:
            if Cell.isMissing(cell) {
                flags.append(-1)
            } else if let flag = Cell.flag(cell) {
                flags.append(flag)
            } else {
                return .unknownLevel
            }
        case .category:
            if Cell.isMissing(cell) {
                codes.append(-1)
            } else {
                let level = Cell.text(cell)
                if let code = codeOfLevel[level] {
                    codes.append(code)
                } else {
                    guard levels.count < Table.levelLimit else { return .tooManyLevels }
                    let code = Int32(levels.count)
                    codeOfLevel[level] = code
                    levels.append(level)
                    codes.append(code)
                }
            }
        case .text:
            cells.append(Cell.text(cell))
        }
        return nil
    }

    /// Whether two rows hold the same value; missing agrees with missing.
    func agree(_ first: Int, _ second: Int) -> Bool {
        switch kind {
        case .number: numbers[first] == numbers[second] || numbers[first].isNaN && numbers[second].isNaN
        case .flag: flags[first] == flags[second]
        case .category: codes[first] == codes[second]
        case .text: cells[first] == cells[second]
        }
    }

    mutating func removeLast() {
        switch kind {
        case .number: numbers.removeLast()
        case .flag: flags.removeLast()
        case .category: codes.removeLast()
        case .text: cells.removeLast()
        }
    }

    mutating func keep(_ rows: [Int]) {
        switch kind {
        case .number: numbers = rows.map { numbers[$0] }
        case .flag: flags = rows.map { flags[$0] }
        case .category: codes = rows.map { codes[$0] }
        case .text: cells = rows.map { cells[$0] }
        }
    }

    var column: Column {
        switch kind {
        case .number: .numbers(numbers)
        case .flag: .flags(flags)
        case .category: .categories(codes: codes, levels: levels)
        case .text: .text(cells)
        }
    }

    var summary: IngestReport.ColumnSummary {
        switch kind {
        case .number: .init(name: name, missing: numbers.count(where: \.isNaN))
        case .flag: .init(name: name, missing: flags.count { $0 < 0 })
        case .category:
            .init(name: name, missing: codes.count { $0 < 0 }, levels: Set(codes).subtracting([-1]).count)
        case .text: .init(name: name, missing: cells.count(where: \.isEmpty))
        }
    }
}

extension IdentifierKind {
    /// Puts the canonical spelling of a cell into `code`, a buffer that the caller keeps, and counts what was rewritten.
    /// - Returns: why the cell names no subject, nil where it does.
    func normalise(_ field: Span<UInt8>, into code: inout [UInt8], counting normalised: inout IngestReport.Normalised) -> CreditCodeDefect? {
        switch self {
        case .creditCode:
            switch CreditCode.normalise(field, into: &code) {
            case .success(let changes):
                normalised.lowerCase += changes.lowerCase ? 1 : 0
                normalised.spaces += changes.spaces ? 1 : 0
                normalised.fullWidth += changes.fullWidth ? 1 : 0
                return nil
            case .failure(let defect):
                return defect
            }
        case .text:
            let range = Blank.trimmed(field)
            guard !range.isEmpty else { return .empty }
            normalised.spaces += range.count < field.count ? 1 : 0
            let cell = field.extracting(range)
            code.removeAll(keepingCapacity: true)
            cell.withUnsafeBufferPointer { code.append(contentsOf: $0) }
            return nil
        }
    }
}
